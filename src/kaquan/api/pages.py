"""Lists in pages. A cursor says after which item to go on, so a page is the same whatever came in before it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from kaquan.api.errors import REQUEST_INVALID
from kaquan.api.problems import Problem
from kaquan.kernel.ids import Id

ID_BYTES = 16
_INT_MAX = 2**63 - 1  # what the database counts with
Item = TypeVar("Item")
Place = tuple[Any, ...]
"""Where an item stands: numbers and texts by which its list is ordered, no two the same."""


def page(
    items: Iterable[Item], place: Callable[[Item], Place], asked: tuple[int, str | None], told: Callable[[Item], Any]
) -> dict[str, Any]:
    """A page of a list that is known whole, in the order of `place`; `asked`: how many, after which cursor."""
    limit, cursor = asked
    ordered = sorted(items, key=place)
    if cursor is not None:
        after = after_place(cursor)
        try:
            ordered = [one for one in ordered if place(one) > after]
        except TypeError:
            raise _foreign() from None
    return part(ordered[: limit + 1], place, limit, told)


def part(
    found: Sequence[Item], place: Callable[[Item], Place], limit: int, told: Callable[[Item], Any]
) -> dict[str, Any]:
    """A page of what a query gave in order: one more than `limit` when there is more."""
    items = found[:limit]
    more = cursor_of(place(items[-1])) if len(found) > limit else None
    return {"items": [told(one) for one in items], "next": more}


def after_place(cursor: str) -> Place:
    """The place that a cursor holds. Raises `Problem` for what we did not make."""
    try:
        read = msgspec.json.decode(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, UnicodeError, msgspec.DecodeError):
        raise _foreign() from None
    if not isinstance(read, list):
        raise _foreign()
    return tuple(read)


def typed_place(cursor: str | None, *kinds: type) -> Place | None:
    """The place that a cursor holds, of these types; None for the first page. Raises `Problem`."""
    if cursor is None:
        return None
    found = after_place(cursor)
    if tuple(map(type, found)) != kinds or any(isinstance(one, int) and abs(one) > _INT_MAX for one in found):
        raise _foreign()
    return found


def place_id(text: str) -> Id:
    """An id in a place. Raises `Problem`."""
    try:
        read = bytes.fromhex(text)
    except ValueError:
        raise _foreign() from None
    if len(read) != ID_BYTES:
        raise _foreign()
    return Id(read)


def place_day(text: str) -> date:
    """A day in a place. Raises `Problem`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _foreign() from None


def cursor_of(place: Place) -> str:
    """A place as the outside sees it."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _foreign() -> Problem:
    return Problem(REQUEST_INVALID, {"where": "after"})
