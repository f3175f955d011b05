"""How the money of funders moves: paid in, promised, used, given back, paid out. Pure.

A share whose fund is None is the merchant's own: nothing is promised for it, and a memo pair records it. A fund that
is pledged is billed afterwards: as its money is used, the pledge becomes a receivable.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.funders import errors
from kaquan.funders.cover import kept, open_stocks
from kaquan.funders.model import (
    REFERENCE_LENGTH_MAX,
    FundFacts,
    PayInFund,
    PayOutFund,
    RegisterFund,
    SweepFund,
)
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import MONEY_MAX, ZERO, Money, allocate
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import NO_PROGRAM, Ledger, Leg, post
from kaquan.merchants.errors import CODE_TAKEN, ORGANISATION_UNKNOWN
from kaquan.merchants.rules import CODE_LENGTH_MAX, malformed
from kaquan.programs.catalogue import Catalogue, Fund, FundMode, FundShare
from kaquan.programs.grants import MERCHANT
from kaquan.quotas.model import UNLIMITED, left, new_slices
from kaquan.quotas.rules import Change, level

BANKS = {Source.OPERATING: Account.BANK_OPERATING, Source.FISCAL: Account.BANK_FISCAL}
"""Where a fund's money lies, by its source."""

Part = tuple[Fund | None, Money]
"""What one party pays."""


@lru_cache(maxsize=4_096)  # a stock has few faces
def promised(funding: tuple[FundShare, ...], face: Money) -> Sequence[Part]:
    """How a promise of `face` is split over its funders, each to the fen."""
    parts = allocate(face, [share.bps for share in funding])
    return tuple((share.fund, part) for share, part in zip(funding, parts, strict=True))


def used(promise: Sequence[Part], amount: Money) -> Sequence[Part]:
    """How a use of `amount` is split: in proportion to what each promised, and never more than that."""
    weights = [part for _, part in promise]
    if sum(weights) == amount:
        return promise
    parts = allocate(amount, weights)
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
    return _paid(fund, amount, Account.FUNDER_COMMITTED, credit, owner)


def grant_legs(fund: Fund, amount: Money, credit: Account, lot: Id) -> list[Leg]:
    """Free budget becomes value on a card at once, without having been promised."""
    return _paid(fund, amount, Account.FUNDER_BUDGET, credit, lot)


def _paid(fund: Fund, amount: Money, debit: Account, credit: Account, owner: Id) -> list[Leg]:
    legs = [Leg(debit, fund.id, credit, owner, fund.source, amount)]
    if fund.mode is FundMode.PLEDGED:
        legs.append(Leg(Account.FUNDER_RECEIVABLE, fund.id, Account.FUNDER_PLEDGE, fund.id, fund.source, amount))
    return legs


def return_legs(fund: Fund | None, amount: Money, debit: Account, owner: Id, *, again: bool) -> list[Leg]:
    """The mirror of `spend_legs`. `again`: what comes back stays promised, for the voucher counts again."""
    if fund is None:
        return [Leg(Account.MERCHANT_DISCOUNT_BORNE, owner, Account.MERCHANT_DISCOUNT, owner, Source.NONE, amount)]
    back = Account.FUNDER_COMMITTED if again else Account.FUNDER_BUDGET
    legs = [Leg(debit, owner, back, fund.id, fund.source, amount)]
    if fund.mode is FundMode.PLEDGED:
        legs.append(Leg(Account.FUNDER_PLEDGE, fund.id, Account.FUNDER_RECEIVABLE, fund.id, fund.source, amount))
    return legs


def _between(parts: Iterable[Part], debit: Account, credit: Account) -> list[Leg]:
    return [Leg(debit, fund.id, credit, fund.id, fund.source, part) for fund, part in parts if fund is not None]


def decide(entry: Entry, facts: FundFacts, catalogue: Catalogue) -> Plan | Refusal:
    """Register a fund, pay in, pay out, sweep."""
    command = entry.command
    if isinstance(command, RegisterFund):
        return _register(command, facts, catalogue)
    fund = catalogue.funds.get(command.fund)
    if fund is None:
        return Refusal(errors.FUND_UNKNOWN, {"fund": command.fund[:CODE_LENGTH_MAX]})
    match command:
        case PayInFund():
            return _misstated(command) or _pay_in(entry, fund, facts)
        case PayOutFund():
            return _misstated(command) or _pay_out(entry, fund, facts, catalogue)
        case SweepFund():
            return _sweep(fund, facts)
    raise TypeError(f"not a command on a fund: {type(command).__name__}")


def _register(command: RegisterFund, facts: FundFacts, catalogue: Catalogue) -> Plan | Refusal:
    if refusal := malformed(command.code):
        return refusal
    if command.code == MERCHANT or command.code in catalogue.funds or command.code in facts.born:
        return Refusal(CODE_TAKEN, {"code": command.code})
    party, book = catalogue.organisations.get(command.organisation), catalogue.organisations.get(command.book)
    if party is None:
        return Refusal(ORGANISATION_UNKNOWN, {"code": command.organisation[:CODE_LENGTH_MAX]})
    if book is None or book[1] is None:
        return Refusal(errors.FUND_BOOK, {"book": command.book[:CODE_LENGTH_MAX]})
    if command.source not in BANKS:
        return Refusal(errors.FUND_SOURCE)
    row = {
        "id": command.subject.hex(),
        "bucket": bucket_of(command.subject),
        "code": command.code,
        "name": command.name,
        "organisation": party[0],
        "book": book[1],
        "mode": int(command.mode),
        "source": int(command.source),
    }
    slices = [("slice", one) for one in new_slices(command.subject, UNLIMITED, ZERO)]
    answer = {"code": command.code, "id": command.subject.hex(), "registered": "fund"}
    return Plan(_answer(answer), "fund.registered.v1", cold=(("fund", row), *slices))


def _misstated(command: PayInFund | PayOutFund) -> Refusal | None:
    if not 0 < command.amount <= MONEY_MAX:
        return Refusal(errors.FUND_AMOUNT, {"most_fen": MONEY_MAX})
    if not 0 < len(command.reference.strip()) <= REFERENCE_LENGTH_MAX or not command.reference.isprintable():
        return Refusal(errors.FUND_REFERENCE, {"length_max": REFERENCE_LENGTH_MAX})
    return None


def _pay_in(entry: Entry, fund: Fund, facts: FundFacts) -> Plan:
    command: PayInFund = entry.command
    debit, owner = _counterpart(fund)
    leg = Leg(debit, owner, Account.FUNDER_BUDGET, fund.id, fund.source, command.amount)
    return _moved(entry, fund, facts, Money(facts.budget(fund.id) + command.amount), leg, "fund.paid_in.v1")


def _pay_out(entry: Entry, fund: Fund, facts: FundFacts, catalogue: Catalogue) -> Plan | Refusal:
    """What is free and not kept for stocks that are open."""
    command: PayOutFund = entry.command
    budget, reserved = facts.budget(fund.id), kept(open_stocks(catalogue, fund.id), fund.id, facts.quotas)
    free = Money(max(0, budget - reserved))
    if command.amount > free:
        return Refusal(errors.FUND_FREE, {"fund": fund.code, "free_fen": free, "kept_fen": budget - free})
    credit, owner = _counterpart(fund)
    leg = Leg(Account.FUNDER_BUDGET, fund.id, credit, owner, fund.source, command.amount)
    return _moved(entry, fund, facts, Money(budget - command.amount), leg, "fund.paid_out.v1")


def _sweep(fund: Fund, facts: FundFacts) -> Plan | Refusal:
    """What came back becomes promisable: the slices hold again what the books say is free.

    Books and slices are read in one snapshot, and everything that promises or pays changes both in one transaction,
    so their difference is just what came back: it can only grow meanwhile, and what it grows by is swept next time.
    Only these commands make it smaller; each writes every slice, checked by its version, so that of two at once one
    reads again. Locking the postings would gain nothing.
    """
    budget, promisable = facts.budget(fund.id), left(facts.quotas.pool(fund.id))[1]
    if budget == promisable:
        return Refusal(errors.NOTHING_TO_SWEEP, {"fund": fund.code})
    answer = {"free_fen": budget, "fund": fund.code, "returned_fen": budget - promisable}
    return Plan(_answer(answer), "fund.swept.v1", changes=tuple(levelled(fund, facts, budget)))


def levelled(fund: Fund, facts: FundFacts, budget: Money) -> list[Change]:
    """The slices of a fund anew, holding `budget` together: they are every one checked."""
    slices = facts.quotas.pool(fund.id)
    return level(slices, left(slices)[0], budget)


def _moved(entry: Entry, fund: Fund, facts: FundFacts, budget: Money, leg: Leg, event: str) -> Plan:
    command = entry.command
    answer = {
        "amount_fen": command.amount,
        "free_fen": budget,
        "fund": fund.code,
        "mode": fund.mode.name.lower(),
        "reference": command.reference.strip(),
    }
    return Plan(
        _answer(answer),
        event,
        changes=tuple(levelled(fund, facts, budget)),
        postings=post(entry.id, Ledger(fund.book, NO_PROGRAM), (leg,)),
    )


def _counterpart(fund: Fund) -> tuple[Account, Id | None]:
    """What stands against a fund's budget: money in a bank, or the pledge itself."""
    return (Account.FUNDER_PLEDGE, fund.id) if fund.mode is FundMode.PLEDGED else (BANKS[fund.source], None)


def _answer(facts: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(facts, order="sorted")
