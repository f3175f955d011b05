"""Statement files: what was changed is found, the forms are made of the record alone, fonts are what was vendored."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kaquan.reporting import checking, typefaces
from kaquan.reporting.checking import UNKNOWN, first_changed, verify
from kaquan.reporting.model import FIRST, FORMAT, canonical, hashed

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
PARTY = "mer_4jyrdt34gyekcrfscbh1aaxcef"


def record(number: int, previous: bytes, **more: Any) -> dict[str, Any]:
    """A record with nothing in it."""
    party = {"kind": "merchant", "id": PARTY, "code": "mall-1", "name": "一号店", "organisation": "stores"}
    told = {"format": FORMAT, "party": party, "number": number, "since": "2025-05-01", "until": "2025-05-31"}
    instants = {"cut_at": "2025-06-01T00:00:00+08:00", "made_at": "2025-06-05T09:00:00+08:00"}
    return {**told, **instants, "previous": previous.hex(), "currency": "CNY", "sections": [], **more}


def chain(count: int) -> dict[str, dict[str, Any]]:
    """Records that follow one another, by file name."""
    found, previous = {}, FIRST
    for number in range(1, count + 1):
        found[f"merchant-mall-1-{number:04d}.json"] = one = record(number, previous)
        previous = hashed(canonical(one))
    return found


def files(records: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    return {name: checking.as_file(one) for name, one in records.items()}


def changed(given: Mapping[str, bytes], books: checking.Books | None = None) -> tuple[str, str] | None:
    """File and verdict of the first that was changed."""
    found = first_changed(verify(given, {"pdf": lambda record, digest, language: b"paper"}, books))
    return None if found is None else (found.file, found.verdict)


def test_as_they_were_made_all_are_right() -> None:
    given = files(chain(3)) | {"merchant-mall-1-0002.zh.pdf": b"paper"}
    kept = {(PARTY, number): hashed(canonical(one)) for number, one in enumerate(chain(3).values(), 1)}
    assert changed(given) is None and changed(given, kept) is None
    assert checking.asked(given) == [(PARTY, 1), (PARTY, 2), (PARTY, 3)]


def test_a_change_is_found_by_the_hash_the_next_file_or_the_books() -> None:
    records = chain(3)
    name = "merchant-mall-1-0002.json"
    kept = {(PARTY, number): hashed(canonical(one)) for number, one in enumerate(records.values(), 1)}
    edited = files(records)
    edited[name] = edited[name].replace(b"2025-05-31", b"2025-05-30")
    assert changed(edited) == (name, checking.HASH)
    rehashed = files({**records, name: records[name] | {"until": "2025-05-30"}})
    assert changed(rehashed) == (name, checking.CHAIN)
    last = {**records, "merchant-mall-1-0003.json": records["merchant-mall-1-0003.json"] | {"until": "2025-05-30"}}
    assert changed(files(last)) is None, "nothing follows the last: only the books know"
    assert changed(files(last), kept) == ("merchant-mall-1-0003.json", checking.BOOKS)
    assert changed(files(records), {}) == ("merchant-mall-1-0001.json", UNKNOWN)


def test_whoever_rewrites_all_that_follows_is_found_by_the_books() -> None:
    records = chain(3)
    kept = {(PARTY, number): hashed(canonical(one)) for number, one in enumerate(records.values(), 1)}
    names = list(records)
    records[names[0]]["until"] = "2025-05-30"
    for before, name in pairwise(names):
        records[name]["previous"] = hashed(canonical(records[before])).hex()
    assert changed(files(records)) is None
    assert changed(files(records), kept) == (names[0], checking.BOOKS)


@pytest.mark.parametrize(
    ("name", "content", "verdict"),
    [
        ("notes.json", b"not JSON", checking.UNREADABLE),
        ("other.json", b'{"record": {"format": "other"}, "hash": ""}', checking.UNREADABLE),
        ("merchant-mall-1-0009.zh.pdf", b"paper", checking.ALONE),
        ("merchant-mall-1-0001.zh.pdf", b"other paper", checking.RENDERING),
    ],
)
def test_what_can_not_be_right_is_named(name: str, content: bytes, verdict: str) -> None:
    assert changed(files(chain(1)) | {name: content}) == (name, verdict)


def test_a_number_that_is_missing_is_told() -> None:
    given = files(chain(3))
    del given["merchant-mall-1-0002.json"]
    found = first_changed(verify(given, {}))
    assert found is not None and (found.file, found.number, found.verdict) == ("", 2, checking.MISSING)


def test_anybody_can_compute_the_hash_without_us() -> None:
    told = json.loads(checking.as_file(record(1, FIRST, name="名称 é \u2028 \U00020bb7")))
    text = json.dumps(told["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == told["hash"]


def test_the_fonts_are_those_that_were_vendored() -> None:
    vendored = tomllib.loads((typefaces.FOLDER / "vendor.toml").read_text("utf-8"))["noto-sans-sc"]
    for name, digest in vendored["files"].items():
        assert hashlib.sha256((typefaces.FOLDER / name).read_bytes()).hexdigest() == digest, name
    assert {path.name for path in typefaces.FOLDER.iterdir()} == {*vendored["files"], "vendor.toml"}


def test_the_fonts_have_every_character_of_gbk_and_the_rest_is_marked() -> None:
    known = typefaces.characters()
    hanzi = {
        letter
        for first in range(0x81, 0xFF)
        for second in range(0x40, 0xFF)
        for letter in bytes((first, second)).decode("gbk", "ignore")
        if "\u4e00" <= letter <= "\u9fff"
    }
    assert len(hanzi) >= 20_902 and {ord(letter) for letter in hanzi} <= known
    assert typefaces.covered("张𬭎㛃（有限公司）¥1,234.50") == "张𬭎㛃（有限公司）¥1,234.50"
    assert typefaces.covered("张\U0002f800") == "张〓", "what the fonts lack is told, never an empty box"


def test_the_script_of_the_guide_finds_what_was_changed(tmp_path: Path) -> None:
    english, chinese = (GUIDES.joinpath(name).read_text("utf-8") for name in ("statements.md", "statements.zh.md"))
    (script,) = re.findall(r"^```python\n(.*?)^```", english, re.MULTILINE | re.DOTALL)
    assert script in chinese
    for name, content in files(chain(3)).items():
        tmp_path.joinpath(name).write_bytes(content)

    def said() -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    assert said() == "all statements are as they were made\n"
    second = tmp_path / "merchant-mall-1-0002.json"
    second.write_bytes(second.read_bytes().replace(b"2025-05-31", b"2025-05-30"))
    assert "merchant-mall-1-0002.json: was changed" in said()
