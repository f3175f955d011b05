"""How the money of funders moves: promised, used, given back. Pure.

A share whose fund is None is the merchant's own: nothing is promised for it, and a memo pair records it. A fund that
is pledged is billed afterwards: as its money is used, the pledge becomes a receivable.
"""

from collections.abc import Iterable, Sequence

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money, allocate
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg
from kaquan.programs.catalogue import Fund, FundMode, FundShare

Part = tuple[Fund | None, Money]
"""What one party pays."""


def promised(funding: Sequence[FundShare], face: Money) -> list[Part]:
    """How a promise of `face` is split over its funders, each to the fen."""
    parts = allocate(face, [share.bps for share in funding])
    return [(share.fund, part) for share, part in zip(funding, parts, strict=True)]


def used(promise: Sequence[Part], amount: Money) -> list[Part]:
    """How a use of `amount` is split: in proportion to what each promised, and never more than that."""
    parts = allocate(amount, [part for _, part in promise])
    return [(fund, part) for (fund, _), part in zip(promise, parts, strict=True)]


def commit_legs(parts: Iterable[Part]) -> list[Leg]:
    """Free budget becomes promised."""
    return _between(parts, Account.FUNDER_BUDGET, Account.FUNDER_COMMITTED)


def release_legs(parts: Iterable[Part]) -> list[Leg]:
    """What was promised and is not used is free again."""
    return _between(parts, Account.FUNDER_COMMITTED, Account.FUNDER_BUDGET)


def spend_legs(fund: Fund | None, amount: Money, credit: Account, owner: Id) -> list[Leg]:
    """What was promised pays a merchant, or becomes value on a card. `owner` is the merchant, or the lot."""
    if fund is None:
        return [Leg(Account.MERCHANT_DISCOUNT, owner, Account.MERCHANT_DISCOUNT_BORNE, owner, Source.NONE, amount)]
    legs = [Leg(Account.FUNDER_COMMITTED, fund.id, credit, owner, fund.source, amount)]
    if fund.mode is FundMode.PLEDGED:
        legs.append(Leg(Account.FUNDER_RECEIVABLE, fund.id, Account.FUNDER_PLEDGE, fund.id, Source.NONE, amount))
    return legs


def return_legs(fund: Fund | None, amount: Money, debit: Account, owner: Id, *, again: bool) -> list[Leg]:
    """The mirror of `spend_legs`. `again`: what comes back stays promised, for the voucher counts again."""
    if fund is None:
        return [Leg(Account.MERCHANT_DISCOUNT_BORNE, owner, Account.MERCHANT_DISCOUNT, owner, Source.NONE, amount)]
    back = Account.FUNDER_COMMITTED if again else Account.FUNDER_BUDGET
    legs = [Leg(debit, owner, back, fund.id, fund.source, amount)]
    if fund.mode is FundMode.PLEDGED:
        legs.append(Leg(Account.FUNDER_PLEDGE, fund.id, Account.FUNDER_RECEIVABLE, fund.id, Source.NONE, amount))
    return legs


def _between(parts: Iterable[Part], debit: Account, credit: Account) -> list[Leg]:
    return [Leg(debit, fund.id, credit, fund.id, fund.source, part) for fund, part in parts if fund is not None]
