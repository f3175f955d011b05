"""Which title an account has in which kind of book, and which invoice is due for what: our data and the operator's.

Of a title for one book, one of the operator's for a kind of book and one that is shipped, the first there is counts.
What has none is refused, never dropped.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal

import msgspec

from kaquan.accounting import errors
from kaquan.accounting.model import BookKind, Root, Title
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import CHART, Account

TITLE_MAX = 80  # characters of a name that a column still shows
RESERVED = frozenset({"partner.payable", "tax.payable", "suspense"})
"""Accounts that some versions of the chart have: the shipped mapping names them for all."""

KIND_OF_CLASS = {
    "single_purpose_group": BookKind.SINGLE_PURPOSE,
    "single_purpose_brand": BookKind.SINGLE_PURPOSE,
    "single_purpose_scale": BookKind.SINGLE_PURPOSE,
    "single_purpose_other": BookKind.SINGLE_PURPOSE,
    "multi_purpose_licensed": BookKind.LICENSED,
    "voucher_only": BookKind.PLATFORM,
    "fiscal_subsidy": BookKind.GOVERNMENT_FUND,
}
"""What kind of book the issuer of a program keeps, by the legal class of the program."""


class TitleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[title]]`: see `titles.toml`."""

    account: str
    kinds: tuple[BookKind, ...] = tuple(BookKind)
    fund: Literal["", "pledged"] = ""
    book: str = ""
    code: str
    zh: str
    en: str
    root: Root
    cites: str


class InvoiceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[invoice]]`: see `titles.toml`."""

    item: str
    debit: tuple[str, ...]
    credit: tuple[str, ...]
    sources: tuple[str, ...] = ()
    sign: Literal[1, -1] = 1
    net: bool = False
    by: Literal["issuer", "merchant"]
    to: str
    code: str
    zh: str
    en: str
    rate: str
    form: str
    remark: str
    tax: str = ""
    why_zh: str
    why_en: str
    cites: str


class NeverEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[never]]`: an account that a book must not have. If it does, the export is refused."""

    account: str
    kinds: tuple[BookKind, ...] = tuple(BookKind)
    cites: str = ""


class BookEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[book]]`: what kind of entity keeps a book, where its programs do not say."""

    code: str
    kind: BookKind


class MappingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file of titles, books and invoices."""

    title: tuple[TitleEntry, ...] = ()
    book: tuple[BookEntry, ...] = ()
    invoice: tuple[InvoiceEntry, ...] = ()
    never: tuple[NeverEntry, ...] = ()


class TitleMap(msgspec.Struct, frozen=True):
    """The shipped titles with an operator's over them. `digest` tells whether two exports used the same."""

    titles: Mapping[tuple[str, str, str], Title]
    books: Mapping[str, BookKind]
    invoices: tuple[InvoiceEntry, ...]
    digest: str

    def title(self, book: str, kind: BookKind, account: str, pledged: bool) -> Title | None:
        """The title of an account in a book of this kind; a pledged fund's accounts may have their own."""
        for fund in ("pledged", "") if pledged else ("",):
            for whose in (f"book:{book}", kind.value):
                if found := self.titles.get((whose, account, fund)):
                    return found
        return None


def read_mapping(text: str | None) -> TitleMap | Refusal:
    """The shipped mapping, under the text of an operator's own."""
    own = MappingFile()
    if text is not None:
        try:
            own = msgspec.convert(tomllib.loads(text), MappingFile)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
            return Refusal(errors.MAPPING_WRONG, {"problem": str(problem)})
        if problem_ := next(_wrong(own), None):
            return Refusal(errors.MAPPING_WRONG, {"problem": problem_})
    titles: dict[tuple[str, str, str], Title] = {}
    for file in (shipped(), own):
        for entry in file.title:
            title = Title(entry.code, entry.zh, entry.en, entry.root, entry.cites)
            for whose in (f"book:{entry.book}",) if entry.book else entry.kinds:
                titles[str(whose), entry.account, entry.fund] = title
        for gone in file.never:
            for key in [key for key in titles if key[1] == gone.account and key[0] in gone.kinds]:
                del titles[key]
    invoices = {entry.item: entry for entry in (*shipped().invoice, *own.invoice)}
    digest = sha256(msgspec.json.encode([shipped(), own], order="sorted")).hexdigest()
    books = {entry.code: entry.kind for entry in own.book}
    return TitleMap(titles, books, tuple(invoices.values()), digest)


@cache
def shipped() -> MappingFile:
    """The mapping that comes with the program."""
    text = files(__package__).joinpath("titles.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), MappingFile)


def accounts_of(names: tuple[str, ...]) -> list[int]:
    """The numbers of accounts by name; those that this version's chart does not have are left out."""
    return [int(number) for name in names if (number := NUMBERS.get(name)) is not None]


NUMBERS: dict[str, Account] = {info.name: account for account, info in CHART.items()}
"""Accounts by name."""


def _wrong(own: MappingFile) -> Iterator[str]:
    """What an operator's file says that cannot be meant."""
    for entry in own.title:
        if entry.account not in NUMBERS and entry.account not in RESERVED:
            yield f"[[title]] account = {entry.account!r}: {', '.join(NUMBERS)}"
        if not _legal(entry.code) or not 0 < len(entry.zh) <= TITLE_MAX or not 0 < len(entry.en) <= TITLE_MAX:
            yield f"[[title]] code = {entry.code!r}: A-Z 0-9 . -; zh, en: 1-{TITLE_MAX}"
    for line in own.invoice:
        for name in (*line.debit, *line.credit):
            if name not in NUMBERS and name not in RESERVED:
                yield f"[[invoice]] {line.item}: {name!r}: {', '.join(NUMBERS)}"


def _legal(code: str) -> bool:
    parts = code.replace("-", ".").split(".")
    return all(part.isascii() and part.isalnum() and part == part.upper() for part in parts)


def named(title: Title, language: str) -> str:
    """A title's name in a language."""
    return title.zh if language == "zh" else title.en


def as_rows(mapping: TitleMap, book: str, kind: BookKind) -> list[dict[str, Any]]:
    """Every account of our chart with its title in a book: what a finance lead signs."""
    rows = []
    for account, info in CHART.items():
        for pledged in (False, True):
            title = mapping.title(book, kind, info.name, pledged)
            if title is None or (pledged and title == mapping.title(book, kind, info.name, False)):
                continue
            rows.append(
                {
                    "account": info.name,
                    "number": int(account),
                    "fund": "pledged" if pledged else "",
                    "side": info.side,
                    "code": title.code,
                    "title_zh": title.zh,
                    "title_en": title.en,
                    "root": title.root.value,
                    "cites": title.cites,
                }
            )
    return rows
