"""What a term says: unit, limits, words. The file reader, the limit checks and the reference read it."""

from collections.abc import Iterator
from typing import Annotated, Literal, get_args, get_origin

import msgspec

from kaquan.kernel.money import MONEY_MAX, WHOLE

Looser = Literal[-1, 0, 1]
CODE = r"[a-z][a-z0-9_-]{1,39}"
NAME_MAX = 40  # characters: a name fits a receipt line


class Meaning(msgspec.Struct, frozen=True):
    """What a field says. `low` and `high` bound a number, or the length of a text or list, both included.

    `looser` is 1 when a larger value promises more or checks less, -1 when a smaller one does, 0 when nobody
    can say; of a list, of groups or of words, it tells what one more does. `endless`: 0 stands for no end or limit
    at all, so it is the largest value. `unused` is the one value outside the limits that may stand: the rest of the
    file gives the term no use. `fixed` fields never change while a program lives. `pattern` bounds a text. `key`
    fields name an item of a list: versions of terms are compared item by item.
    """

    zh: str
    en: str
    unit: str = ""
    low: int | None = None
    high: int | None = None
    looser: Looser = 0
    pattern: str = ""
    fixed: bool = False
    key: bool = False
    endless: bool = False
    unused: int | None = None


def fen(zh: str, en: str, low: int = 0, *, looser: Looser = 0, key: bool = False, endless: bool = False) -> Meaning:
    """An amount of money in fen."""
    return Meaning(zh, en, "fen", low, MONEY_MAX, looser, key=key, endless=endless)


def bps(zh: str, en: str, *, looser: Looser = 0) -> Meaning:
    """A rate in basis points, 0 to the whole."""
    return Meaning(zh, en, "bps", 0, WHOLE, looser)


def span(
    zh: str,
    en: str,
    unit: str,
    low: int,
    high: int,
    *,
    looser: Looser = 0,
    endless: bool = False,
    unused: int | None = None,
    key: bool = False,
) -> Meaning:
    """A number of days, minutes or items."""
    return Meaning(zh, en, unit, low, high, looser, endless=endless, unused=unused, key=key)


def code(zh: str, en: str, *, fixed: bool = False, key: bool = False) -> Meaning:
    """A short name for machines: lower-case letters, digits, `-` and `_`."""
    return Meaning(zh, en, "code", pattern=CODE, fixed=fixed, key=key)


def name(zh: str, en: str) -> Meaning:
    """A name for people."""
    return Meaning(zh, en, "text", 1, NAME_MAX)


def choice(zh: str, en: str, *, looser: Looser = 0, fixed: bool = False) -> Meaning:
    """One of the words that the type lists, or yes and no."""
    return Meaning(zh, en, looser=looser, fixed=fixed)


class Term(msgspec.Struct, frozen=True):
    """One field: `path` as in the file (`presale.offers.face_fen`), plain type, meaning, default."""

    path: str
    type: object
    meaning: Meaning
    default: object = msgspec.NODEFAULT


def described(group: type[msgspec.Struct], prefix: str = "") -> Iterator[Term]:
    """Every term of a group and the groups inside it, in the order of the file."""
    for field in msgspec.structs.fields(group):
        path = f"{prefix}{field.name}"
        plain, meaning = unfold(field.type)
        if meaning is not None:
            yield Term(path, plain, meaning, field.default)
        inner = item_of(plain) or group_of(plain)
        if inner is not None:
            yield from described(inner, f"{path}.")


def unfold(annotation: object) -> tuple[object, Meaning | None]:
    """The plain type of a field and its meaning (none for a group)."""
    if get_origin(annotation) is Annotated:
        plain, meaning = get_args(annotation)
        return plain, meaning
    return annotation, None


def group_of(plain: object) -> type[msgspec.Struct] | None:
    """The type itself when it is a group of terms."""
    return plain if isinstance(plain, type) and issubclass(plain, msgspec.Struct) else None


def item_of(plain: object) -> type[msgspec.Struct] | None:
    """The group that a list repeats, or none when the type is not a list."""
    return group_of(get_args(plain)[0]) if get_origin(plain) is tuple else None


class Entry(msgspec.Struct, frozen=True):
    """One value of some terms: `path` counts list items from one (`presale.offers[2].face_fen`)."""

    path: str
    term: str
    meaning: Meaning
    value: object


def entries(group: msgspec.Struct, prefix: str = "", term_prefix: str = "") -> Iterator[Entry]:
    """Every value of a group and the groups inside it, in the order of the file."""
    for field in msgspec.structs.fields(group):
        path, term = f"{prefix}{field.name}", f"{term_prefix}{field.name}"
        plain, meaning = unfold(field.type)
        value = getattr(group, field.name)
        if meaning is not None:
            yield Entry(path, term, meaning, value)
        if item_of(plain) is not None:
            for position, item in enumerate(value, start=1):
                yield from entries(item, f"{path}[{position}].", f"{term}.")
        elif group_of(plain) is not None:
            yield from entries(value, f"{path}.", f"{term}.")
