"""Whether statement files are as they were made: each by its hash, each by the next one, all by the books. Pure.

A record says what its hash must be, and the next one what it was. Who changes a file and its hash is found out by the
next file; who changes all files that follow, by the books, or by a hash that somebody wrote down elsewhere.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from kaquan.kernel.refusal import Language
from kaquan.reporting.model import FIRST, FORMAT, canonical, file_of, hashed

Render = Callable[[Mapping[str, Any], str, Language], bytes]
"""A record and its hash in a language, as one of the forms that people read."""

_RENDERED = re.compile(r"(?P<stem>.+)\.(?P<language>zh|en)\.(?P<form>pdf|xlsx)")
OK, UNREADABLE, HASH, CHAIN, MISSING, BOOKS, UNKNOWN, ALONE, RENDERING = (
    "ok",
    "unreadable",
    "hash",
    "chain",
    "missing",
    "books",
    "unknown",
    "alone",
    "rendering",
)
REASONS: Mapping[str, tuple[str, str]] = {
    OK: ("与所记哈希、前后各单一致", "is as its hash and its neighbours say"),
    UNREADABLE: ("不是对账单文件", "is not a statement file"),
    HASH: ("内容与所记哈希不符，已被改动", "does not give its hash: it was changed"),
    CHAIN: ("与下一单所记的哈希不符，已被改动", "is not what the next statement names: it was changed"),
    MISSING: ("缺这一号，前后无法相连", "is missing, so that its neighbours can't be linked"),
    BOOKS: ("与账本所存的哈希不符，已被改动", "is not what the books keep: it was changed"),
    UNKNOWN: ("账本中没有这一号", "is not in the books"),
    ALONE: ("没有同名的 JSON 文件，无法核对", "has no JSON file beside it, and can't be checked"),
    RENDERING: (
        "与按记录重新生成的文件不同：被改动过，或由另一版本生成",
        "is not what its record renders to: changed, or made by another version",
    ),
}
"""What a verdict means in Chinese and English."""


class Verdict(NamedTuple):
    """What was found about a file, or about a number that is missing."""

    file: str
    party: str
    number: int
    verdict: str

    @property
    def ok(self) -> bool:
        """Whether it is as it was made."""
        return self.verdict == OK


class _Read(NamedTuple):
    file: str
    party: str
    number: int
    digest: bytes
    named: bytes
    previous: bytes
    record: Mapping[str, Any]


Books = Mapping[tuple[str, int], bytes]
"""The hashes that the books keep, by party (its public id) and number."""


def asked(files: Mapping[str, bytes]) -> list[tuple[str, int]]:
    """Of which parties and numbers there are records: what to ask the books for."""
    return sorted({(one.party, one.number) for one in map(_read, files, files.values()) if one is not None})


def verify(files: Mapping[str, bytes], render: Mapping[str, Render], books: Books | None = None) -> list[Verdict]:
    """A verdict on each file and each missing number, by party and number; renderings after their records.

    `books` None: the files are checked against each other only.
    """
    rendered = {name: match for name in files if (match := _RENDERED.fullmatch(name))}
    chains: dict[str, list[_Read]] = {}
    verdicts: list[Verdict] = []
    for name in sorted(files.keys() - rendered.keys()):
        one = _read(name, files[name])
        if one is None:
            verdicts.append(Verdict(name, "", 0, UNREADABLE))
        else:
            chains.setdefault(one.party, []).append(one)
    for party in sorted(chains):
        verdicts += _chain(sorted(chains[party], key=lambda one: (one.number, one.file)), books)
    bad = {one.file for one in verdicts if not one.ok}
    by_name = {one.file: one for chain in chains.values() for one in chain}
    return verdicts + [_rendering(files, match, by_name, bad, render) for _, match in sorted(rendered.items())]


def first_changed(verdicts: list[Verdict]) -> Verdict | None:
    """The first file that is not as it was made; None when all are."""
    return next((one for one in verdicts if not one.ok), None)


def _read(name: str, given: bytes) -> _Read | None:
    try:
        told = msgspec.json.decode(given)
        record, digest = told["record"], bytes.fromhex(told["hash"])
        if record["format"] != FORMAT:
            return None
        party, number = str(record["party"]["id"]), int(record["number"])
        return _Read(
            name, party, number, hashed(canonical(record)), digest, bytes.fromhex(record["previous"]), record
        )
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None


def _chain(chain: list[_Read], books: Books | None) -> list[Verdict]:
    found: list[Verdict] = []
    for place, one in enumerate(chain):
        if place and one.number > chain[place - 1].number + 1:
            found.append(Verdict("", one.party, chain[place - 1].number + 1, MISSING))
        found.append(Verdict(one.file, one.party, one.number, _verdict(one, chain[place + 1 :], books)))
    return found


def _verdict(one: _Read, after: list[_Read], books: Books | None) -> str:
    if one.digest != one.named or (one.number == 1) != (one.previous == FIRST):
        return HASH
    if any(later.number == one.number + 1 and later.previous != one.digest and _sound(later) for later in after):
        return CHAIN
    if books is None:
        return OK
    kept = books.get((one.party, one.number))
    if kept is None:
        return UNKNOWN
    return OK if kept == one.digest else BOOKS


def _sound(one: _Read) -> bool:
    """A file that does not give its own hash says nothing about another."""
    return one.digest == one.named


def _rendering(
    files: Mapping[str, bytes],
    match: re.Match[str],
    known: Mapping[str, _Read],
    bad: set[str],
    render: Mapping[str, Render],
) -> Verdict:
    one = known.get(f"{match['stem']}.json")
    if one is None:
        return Verdict(match.string, "", 0, ALONE)
    language: Language = "zh" if match["language"] == "zh" else "en"
    made = render[match["form"]](one.record, one.named.hex(), language)
    verdict = OK if made == files[match.string] and one.file not in bad else RENDERING
    return Verdict(match.string, one.party, one.number, verdict)


def file_name(record: Mapping[str, Any]) -> str:
    """How the files of a statement begin: `merchant-mall-1-0002`."""
    party = record["party"]
    return f"{party['kind']}-{party['code'] or party['id']}-{record['number']:04d}"


def as_file(record: Mapping[str, Any]) -> bytes:
    """A record as a file."""
    body = canonical(record)
    return file_of(body, hashed(body))
