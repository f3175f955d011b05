"""What differs between two versions of a program's terms, and whether the new one promises more. Pure."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from kaquan.kernel.refusal import Fact
from kaquan.programs.meaning import Meaning, described, item_of, unfold
from kaquan.programs.terms import ProgramTerms


class Change(msgspec.Struct, frozen=True):
    """One term that differs. `field` is its path; items of a list are named by their keys.

    `before` is none for what is new, `after` for what is gone. `loosens`: the new terms promise more or check
    less (true), the opposite (false), or nobody can say (none): then treat it as loosening.
    """

    field: str
    before: Fact | None
    after: Fact | None
    loosens: bool | None


class Place(msgspec.Struct, frozen=True):
    """A value of some terms. `items` are the items of lists that it stands in, outermost first, each by its path
    with what one more of them does (`Meaning.looser`)."""

    value: object
    meaning: Meaning
    items: tuple[tuple[str, int], ...]


def diff(old: msgspec.Struct, new: msgspec.Struct) -> list[Change]:
    """Every difference in the order of the file: single terms first, then the items of lists.

    It knows no group by name: whatever has a meaning is compared. An item whose keys differ is another item; its
    coming or going loosens as its list says (`Meaning.looser`), and another order of the same items is a change of
    the list itself that nobody can judge.
    """
    before, after = dict(_places(old)), dict(_places(new))
    changes = [_change(path, before, after) for path in {**before, **after}]
    found = [change for change in changes if change is not None]
    found += _reordered(dict(_lists(old)), dict(_lists(new)))
    lists = list(dict.fromkeys(change.field.partition("[")[0] for change in found if "[" in change.field))
    return sorted(
        found, key=lambda change: 1 + lists.index(change.field.partition("[")[0]) if "[" in change.field else 0
    )


def loosening(changes: list[Change]) -> list[Change]:
    """Those that are not known to promise less: what needs a second person while a program runs."""
    return [change for change in changes if change.loosens is not False]


def meaning_of(change: Change) -> Meaning:
    """What the term that differs means. Raises `KeyError` for what is no term of a program."""
    return _MEANINGS[re.sub(r"\[[^\]]*\]", "", change.field)]


_MEANINGS = {term.path: term.meaning for term in described(ProgramTerms)}


def _places(
    group: msgspec.Struct, prefix: str = "", items: tuple[tuple[str, int], ...] = ()
) -> Iterator[tuple[str, Place]]:
    """Every value by its path. Keys are in the paths; they stand for themselves only where nothing else does."""
    fields = msgspec.structs.fields(group)
    only_keys = all(_is_key(field) for field in fields)
    for field in fields:
        path, value, meaning = f"{prefix}{field.name}", getattr(group, field.name), unfold(field.type)[1]
        if isinstance(value, msgspec.Struct):
            yield from _places(value, f"{path}.", items)
        elif _is_list(field):
            for name, item in zip(_names(value), value, strict=True):
                inside = (f"{path}[{name}].", meaning.looser if meaning else 0)
                yield from _places(item, inside[0], (*items, inside))
        elif meaning is not None and (only_keys or not meaning.key):
            yield path, Place(value, meaning, items)


def _lists(group: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every list by its path: the names of its items in their order."""
    for field in msgspec.structs.fields(group):
        path, value = f"{prefix}{field.name}", getattr(group, field.name)
        if isinstance(value, msgspec.Struct):
            yield from _lists(value, f"{path}.")
        elif _is_list(field):
            yield path, _names(value)
            for name, item in zip(_names(value), value, strict=True):
                yield from _lists(item, f"{path}[{name}].")


def _is_list(field: msgspec.structs.FieldInfo) -> bool:
    return item_of(unfold(field.type)[0]) is not None


def _names(items: tuple[msgspec.Struct, ...]) -> list[str]:
    """How the items of a list are called: by their keys, by their place when they have none or share them."""
    names: list[str] = []
    for position, item in enumerate(items, start=1):
        keys = [field.name for field in msgspec.structs.fields(item) if _is_key(field)]
        name = ",".join(f"{key}={getattr(item, key)}" for key in keys) or str(position)
        names.append(f"{name},{position}" if name in names else name)
    return names


def _is_key(field: msgspec.structs.FieldInfo) -> bool:
    meaning = unfold(field.type)[1]
    return meaning is not None and meaning.key


def _change(path: str, old: Mapping[str, Place], new: Mapping[str, Place]) -> Change | None:
    before, after = old.get(path), new.get(path)
    if before is not None and after is not None:
        if before.value == after.value:
            return None
        return Change(path, _fact(before.value), _fact(after.value), _loosens(before, after))
    if after is not None:
        return Change(path, None, _fact(after.value), _one_more(after, old))
    if before is None:
        return None
    fewer = _one_more(before, new)
    return Change(path, _fact(before.value), None, None if fewer is None else not fewer)


def _one_more(place: Place, others: Mapping[str, Place]) -> bool | None:
    """Whether the item that this value came with promises more: the outermost that the other terms do not have."""
    for prefix, looser in place.items:
        if not any(path.startswith(prefix) for path in others):
            return None if looser == 0 else looser > 0
    return None


def _loosens(before: Place, after: Place) -> bool | None:
    was, now, meaning = before.value, after.value, after.meaning
    if isinstance(was, tuple) and isinstance(now, tuple):
        return _words_loosen(set(was), set(now), meaning.looser)
    if meaning.looser == 0 or not isinstance(was, int) or not isinstance(now, int):
        return None
    if meaning.endless and 0 in (was, now):
        return (now == 0) == (meaning.looser > 0)
    return (now > was) == (meaning.looser > 0)


def _words_loosen(was: set[object], now: set[object], looser: int) -> bool | None:
    """Words that only came, or only went; both at once, or another order, is for people."""
    if looser == 0 or was == now or (was - now and now - was):
        return None
    return bool(now - was) == (looser > 0)


def _reordered(old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> Iterator[Change]:
    """Lists whose items, of those that stayed, stand in another order."""
    for path in (path for path in old if path in new):
        stayed = [name for name in old[path] if name in new[path]]
        now = [name for name in new[path] if name in old[path]]
        if stayed != now:
            yield Change(path, "; ".join(stayed), "; ".join(now), None)


def _fact(value: object) -> Fact:
    """A value as a fact: numbers and texts as they are, a list of words in one line."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, int | str) else str(value)
