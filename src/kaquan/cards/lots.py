"""Which lots pay, in which order, and how much each: the burn order of the program."""

from collections.abc import Iterable, Sequence

from kaquan.cards.model import Lot, LotKind, LotState
from kaquan.kernel.money import Money, allocate

_NEVER = 2**62

Share = tuple[Lot, int]


def spendable(lots: Iterable[Lot], at_us: int) -> list[Lot]:
    """Lots that may pay at `at_us`: live, active, not expired, with something not held."""
    return [
        lot
        for lot in lots
        if lot.state == LotState.LIVE
        and lot.active_us <= at_us
        and (lot.expires_us == 0 or at_us < lot.expires_us)
        and lot.balance > lot.held
    ]


def available(lots: Iterable[Lot], at_us: int) -> Money:
    """What the lots could pay together at `at_us`."""
    return Money(sum(lot.balance - lot.held for lot in spendable(lots, at_us)))


def _expiry(lot: Lot) -> tuple[int, bytes]:
    return (lot.expires_us or _NEVER, lot.id)


def _principal_first(lot: Lot) -> tuple[bool, int, bytes]:
    return (lot.kind != LotKind.PRINCIPAL, *_expiry(lot))


def _earliest(lot: Lot) -> tuple[int, int, bytes]:
    """Of what expires at the same time, or never, principal pays first."""
    return (lot.expires_us or _NEVER, lot.kind, lot.id)


def _bonus_first(lot: Lot) -> tuple[bool, int, bytes]:
    return (lot.kind == LotKind.PRINCIPAL, *_expiry(lot))


def shares(lots: Sequence[Lot], amount: Money, burn_order: str) -> list[Share]:
    """How `amount` is taken from spendable `lots`. They must hold enough; the shares sum to `amount`.

    Within a kind the lot that expires first pays first. `pro_rata` takes from every lot in proportion to what
    it has free. Shares of nothing are left out.
    """
    if burn_order == "pro_rata":
        return part_of(
            [(lot, lot.balance - lot.held) for lot in sorted(lots, key=_principal_first)], amount, burn_order
        )
    if burn_order == "principal_first":
        ordered: list[Lot] = sorted(lots, key=_principal_first)
    elif burn_order == "bonus_first":
        ordered = sorted(lots, key=_bonus_first)
    else:
        ordered = sorted(lots, key=_earliest)
    taken: list[Share] = []
    left = int(amount)
    for lot in ordered:
        free = lot.balance - lot.held
        if free >= left:
            taken.append((lot, left))
            return taken
        taken.append((lot, free))
        left -= free
    raise ValueError("the lots hold less than the amount")


def part_of(held: Sequence[Share], amount: Money, burn_order: str) -> list[Share]:
    """How `amount` is taken from shares that hold at least as much: the first of them, or in proportion."""
    if not amount:
        return []
    if burn_order == "pro_rata":
        parts = allocate(amount, [part for _, part in held])
        return [(lot, part) for (lot, _), part in zip(held, parts, strict=True) if part]
    taken: list[Share] = []
    left = int(amount)
    for lot, part in held:
        if left == 0:
            break
        taken.append((lot, min(part, left)))
        left -= taken[-1][1]
    return taken
