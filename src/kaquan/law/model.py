"""Law packs: what the law asks of a program, as frozen data, every value with its source and our certainty.

A pack is a TOML file in `packs/`. A published version never changes: other values are another version, and a
decision stores which version judged it.
"""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from kaquan.kernel.refusal import Fact, Fault

Conf = Literal["C", "S", "M", "I"]
"""C text read, S secondary source, M from memory, I our own reading or a convention."""

_SUFFIX: Final = ".toml"


class LawPackMissing(LookupError):
    """No pack of this id is shipped. `pack_id` is the id asked for."""

    def __init__(self, pack_id: str) -> None:
        super().__init__(f"no law pack {pack_id!r}")
        self.pack_id = pack_id


class Article(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One value the law sets. The name of its field tells the unit: fen or calendar days.

    `source` is the instrument (or `seed` for a convention that is no law), `article_zh` and `article_en` say what
    is asked and where it is written, `conf` how sure we are, `note_*` what an operator should know besides.
    """

    id: str
    value: int
    source: str
    article_zh: str
    article_en: str
    conf: Conf
    note_zh: str = ""
    note_en: str = ""


class LawPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules of one kind of instrument in one jurisdiction, from `effective_from` to `effective_to`.

    Both days are included; no `effective_to` means still in force. Every article is read by a rule here or by the
    check of a program's terms.
    """

    id: str
    version: int
    jurisdiction: str
    title_zh: str
    title_en: str
    effective_from: date
    effective_to: date | None = None

    registered_balance_max_fen: Article
    """Most that a registered card may hold, after a top-up too."""
    bearer_balance_max_fen: Article
    """Most that a bearer card may hold, after a top-up too."""
    registered_valid_days: Article
    """How long the principal of a registered card stays valid; 0 means for ever, nothing else is allowed."""
    bearer_valid_days_min: Article
    """Shortest validity of a bearer card."""
    registered_identity_from_fen: Article
    """From this amount the buyer of a registered card is identified."""
    bearer_identity_from_fen: Article
    """From this amount, bought at once, the buyer of bearer cards is identified."""
    cooling_off_days_min: Article
    """Shortest time in which a holder may withdraw after paying."""
    bonus_valid_days_max: Article
    """Longest validity of granted bonus and vouchers."""

    def articles(self) -> tuple[Article, ...]:
        """Every article, in the order of the fields."""
        values = (getattr(self, name) for name in self.__struct_fields__)
        return tuple(value for value in values if isinstance(value, Article))

    def facts(self, article: Article) -> dict[str, Fact]:
        """Which pack and article judged, for a refusal: ready to be merged with the case's own facts."""
        return {
            "law_pack": self.id,
            "law_pack_version": self.version,
            "article_zh": article.article_zh,
            "article_en": article.article_en,
        }


@cache
def pack_ids() -> tuple[str, ...]:
    """The ids of all shipped packs, sorted."""
    names = (entry.name for entry in files("kaquan.law").joinpath("packs").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load_pack(pack_id: str) -> LawPack:
    """The shipped pack `pack_id`, read once. Raises `LawPackMissing`; a broken file is a `Fault`."""
    if pack_id not in pack_ids():
        raise LawPackMissing(pack_id)
    file = files("kaquan.law").joinpath("packs", pack_id + _SUFFIX)
    pack = decode_pack(file.read_text(encoding="utf-8"))
    if pack.id != pack_id:
        raise Fault(f"law pack {pack_id} calls itself {pack.id}")
    return pack


def decode_pack(text: str) -> LawPack:
    """The pack that a TOML text writes down. Raises `Fault` when it is not exactly one."""
    try:
        table = tomllib.loads(text)
        named = {name: {"id": name, **value} if isinstance(value, dict) else value for name, value in table.items()}
        pack = msgspec.convert(named, LawPack)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Fault(f"law pack: {error}") from error
    if pack.version < 1 or any(article.value < 0 for article in pack.articles()):
        raise Fault(f"law pack {pack.id}: a version below 1 or a value below 0")
    if pack.effective_to is not None and pack.effective_to < pack.effective_from:
        raise Fault(f"law pack {pack.id} ends before it begins")
    return pack
