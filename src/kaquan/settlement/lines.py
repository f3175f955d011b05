"""A settlement told line by line: each with its rule, who paid, and from which money. Pure.

The lines of `MOVING` add up to what is paid, transferred or carried on. `tax` is a part of the fee and moves nothing
of the merchant's.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import CHART, Account, Source
from kaquan.programs.partners import Reserve as ReserveTerms
from kaquan.programs.partners import Settlement
from kaquan.settlement.fees import Charge
from kaquan.settlement.model import Entries, Funded, Line, Statement
from kaquan.settlement.sharing import Wish

MOVING = (
    *("carried", "gross", "refunds", "released", "partner_paid", "disputed", "written_off", "drawn"),
    *("fee_accrued", "fee_trued_up", "fee_late", "shared", "reserved"),
)
"""The lines that lead to the result, in their order."""

_BACK: Mapping[int, tuple[str, str]] = {
    Account.MERCHANT_RESERVE: ("released", "reserve.release_days"),
    Account.PARTNER_PAYABLE: ("partner_paid", "settlement.sharing"),
    Account.MERCHANT_DISPUTED: ("disputed", "disputes"),
}
"""What comes back to a merchant, or is held back for a dispute, by the account on the other side: line and rule."""

RESULTS = ("paid", "transferred", "pending_bank", "pending_minimum", "carry")
"""The lines that say what becomes of it; `carry` here is what neither waits nor is paid."""


def explained(
    entries: Mapping[Source, Entries],
    sums: Statement,
    bargain: tuple[Charge, list[Wish]],
    terms: tuple[Settlement, ReserveTerms],
    funds: Mapping[bytes, str],
) -> tuple[Line, ...]:
    """All lines of a settlement, its fee and shares, by the terms. `funds` are the codes of funds by their ids."""
    (charge, wishes), (settlement, reserve) = bargain, terms
    return (
        *_carried(sums),
        *_trade(entries, funds),
        *came_back(entries),
        *_returned(sums),
        *_fee(charge, sums, settlement),
        *_shared(wishes, sums),
        *_held(sums, reserve),
        *_results(sums, settlement),
    )


def _carried(sums: Statement) -> Iterator[Line]:
    for source, part in sums.parts.items():
        if part.carried:
            yield Line(line="carried", amount=part.carried, rule="settlement.before", source=_name(source))


def _trade(entries: Mapping[Source, Entries], funds: Mapping[bytes, str]) -> Iterator[Line]:
    """Trade by who paid for it."""
    for source, one in sorted(entries.items()):
        ordered = sorted(one.funded, key=lambda each: (each.account, each.fund or b""))
        for (account, fund), group in groupby(ordered, key=lambda each: (each.account, each.fund)):
            parts = list(group)
            yield from _both(source, parts, _payer(account, fund, funds))


def _both(source: Source, parts: list[Funded], funder: str) -> Iterator[Line]:
    gross, refunds = sum(one.gross for one in parts), sum(one.refunds for one in parts)
    if gross:
        yield Line(line="gross", amount=Money(gross), rule="payments", source=_name(source), funder=funder)
    if refunds:
        yield Line(line="refunds", amount=Money(-refunds), rule="refunds", source=_name(source), funder=funder)


def _payer(account: int, fund: Id | None, funds: Mapping[bytes, str]) -> str:
    """A fund by its code, else the account that paid by its name."""
    return funds.get(fund, fund.hex()) if fund is not None else CHART[Account(account)].name


def came_back(entries: Mapping[Source, Entries]) -> Iterator[Line]:
    """What was released, paid to a partner, held back for disputes or given free again."""
    for source, one in sorted(entries.items()):
        for account, group in groupby(sorted(one.back), key=lambda each: each[0]):
            line, rule = _BACK[account]
            if amount := sum(part for _, part in group):
                yield Line(line=line, amount=Money(amount), rule=rule, source=_name(source))


def _returned(sums: Statement) -> Iterator[Line]:
    for source, part in sums.parts.items():
        name = _name(source)
        if part.written_off:
            yield Line(line="written_off", amount=part.written_off, rule="approvals", source=name)
        if part.drawn:
            yield Line(line="drawn", amount=part.drawn, rule="reserve.covers_negative", source=name)


def _fee(charge: Charge, sums: Statement, terms: Settlement) -> Iterator[Line]:
    """The fee in its steps, and the tax in it."""
    rule = f"settlement.fee_tiers[{charge.tier}]" if charge.tier else "settlement.fee_bps"
    month = charge.month
    trade = sums.total.gross - sums.total.refunds
    if charge.accrued or trade > 0:
        facts: dict[str, int | str] = {"trade_fen": trade, "rate_bps": charge.rate_bps}
        if terms.fee_tiers:
            facts |= {"month": month.name, "month_trade_fen": month.volume, "tier": charge.tier}
        yield Line(line="fee_accrued", amount=Money(-charge.accrued), rule=rule, facts=facts)
    if charge.trued_up:
        facts = {
            "month": month.name,
            "month_trade_fen": month.volume,
            "rate_bps": charge.rate_bps,
            "tier": charge.tier,
            "month_fee_fen": month.fee,
            "accrued_fen": month.fee - charge.trued_up,
        }
        yield Line(line="fee_trued_up", amount=Money(-charge.trued_up), rule=rule, facts=facts)
    if charge.late and charge.before is not None:
        facts = {
            "month": charge.before.name,
            "month_trade_fen": charge.before.volume,
            "accrued_fen": charge.before.fee,
        }
        yield Line(line="fee_late", amount=Money(-charge.late), rule="settlement.fee_tiers", facts=facts)
    if charge.tax:
        taxed = charge.taxed
        facts = {
            "vat_bps": taxed.vat_bps,
            "fee_fen": charge.fee,
            "fee_net_fen": charge.fee - charge.tax,
            "month_fee_fen": taxed.charged,
            "month_tax_fen": taxed.tax,
        }
        yield Line(line="tax", amount=Money(-charge.tax), rule="settlement.fee_vat_bps", facts=facts)


def _shared(wishes: list[Wish], sums: Statement) -> Iterator[Line]:
    """What each partner gets or gives back; what he is to get and cannot is told too."""
    for wish in wishes:
        by_source = sums.shares.get(wish.partner, {})
        amount = Money(sum(by_source.values()))
        if not amount and not wish.amount:
            continue
        rule = f"settlement.sharing[{wish.rule}]" if wish.rule else "settlement.sharing"
        facts: dict[str, int | str] = {
            "partner": wish.partner,
            "share_bps": wish.before.share_bps,
            "net_fen": wish.base,
            "target_fen": wish.target,
            "before_fen": wish.before.given,
            "waits_fen": wish.amount - amount,
        }
        yield Line(line="shared", amount=Money(-amount), rule=rule, facts=facts)


def _held(sums: Statement, terms: ReserveTerms) -> Iterator[Line]:
    for source, part in sums.parts.items():
        if part.reserved:
            yield Line(
                line="reserved",
                amount=Money(-part.reserved),
                rule="reserve.rate_bps",
                source=_name(source),
                facts={"rate_bps": terms.rate_bps, "cap_fen": terms.cap_fen},
            )


def _results(sums: Statement, terms: Settlement) -> Iterator[Line]:
    for source, part in sums.parts.items():
        waits = part.pending_bank + part.pending_minimum
        facts: dict[str, int | str] = {"min_payout_fen": terms.min_payout_fen} if part.pending_minimum else {}
        for name, amount, rule in (
            ("paid", part.paid, "settlement.cycle"),
            ("transferred", part.transferred, "settlement.own_stores"),
            ("pending_bank", part.pending_bank, "settlement.requires_verified_bank"),
            ("pending_minimum", part.pending_minimum, "settlement.min_payout_fen"),
            ("carry", part.carry - waits, "settlement.after"),
        ):
            if amount:
                yield Line(line=name, amount=Money(amount), rule=rule, source=_name(source), facts=facts)


def _name(source: Source) -> str:
    return source.name.lower()
