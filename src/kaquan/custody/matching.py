"""Which entry of the bank is which movement of the books. Pure.

The amount must be the same to the fen. A reference that both name decides; else the day, with which the bank may
be late.
"""

from collections.abc import Sequence

import msgspec

from kaquan.custody.statement_model import BankEntry, Booked, Discrepancy, DiscrepancyKind
from kaquan.kernel.ids import Id

APART_DAYS_MAX = 5  # a payment before a long week-end is on the bank's books when it is over


class Matched(msgspec.Struct, frozen=True):
    """Entries with what they were matched to; movements that stay; open discrepancies that are matched by now."""

    entries: tuple[tuple[BankEntry, Id | None], ...]
    left: tuple[Booked, ...]
    settled: tuple[tuple[Discrepancy, Id], ...]


def matched(entries: Sequence[BankEntry], booked: Sequence[Booked], known: Sequence[Discrepancy]) -> Matched:
    """Match what a statement brings, then what earlier ones had before the books did."""
    left = list(booked)
    pairs = [(entry, _take(entry, left, True)) for entry in entries]
    pairs = [(entry, found or _take(entry, left, False)) for entry, found in pairs]
    by_entry = {found.transfer for _, found in pairs if found is not None}
    settled = [
        (one, one.transfer)
        for one in known
        if one.kind is DiscrepancyKind.NOT_AT_BANK and one.transfer is not None and one.transfer in by_entry
    ]
    for one in known:
        if one.kind is DiscrepancyKind.NOT_IN_BOOKS:
            entry = BankEntry(one.amount, one.day, one.reference)
            found = _take(entry, left, True) or _take(entry, left, False)
            if found is not None:
                settled.append((one, found.transfer))
    ids = tuple((entry, found.transfer if found else None) for entry, found in pairs)
    return Matched(ids, tuple(left), tuple(settled))


def _take(entry: BankEntry, left: list[Booked], by_reference: bool) -> Booked | None:
    for one in left:
        near = abs((entry.day - one.day).days) <= APART_DAYS_MAX
        same = bool(entry.reference) and entry.reference == one.reference
        if one.amount == entry.amount and (same if by_reference else near):
            left.remove(one)
            return one
    return None
