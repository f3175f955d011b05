"""What a merchant's entries come to under its program's terms, and what its next settlement stands on. Pure.

The preview, the run and the close of a period all count here, so that they cannot differ.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.money import WHOLE, ZERO, Money, allocate
from kaquan.ledger.chart import Source
from kaquan.programs.catalogue import Catalogue, Merchant, Terms
from kaquan.programs.partners import Reserve as ReserveTerms
from kaquan.settlement import fees, sharing
from kaquan.settlement.lines import explained
from kaquan.settlement.model import (
    RESERVE_WITHHELD,
    Counted,
    Cut,
    Draw,
    Entries,
    Previous,
    Reserve,
    Statement,
)
from kaquan.settlement.standing import NEW, Standing
from kaquan.settlement.statement import Conditions, divide


class Case(NamedTuple):
    """Whose period is counted, and when it is paid (none: it is not paid, only asked about)."""

    program: int
    merchant: Id
    period_end: date
    pay_on: date | None


def settled(catalogue: Catalogue, books: Counted, case: Case, entries: Mapping[Source, Entries]) -> Statement:
    """The arithmetic of a merchant's entries under the terms, told line by line."""
    terms, merchant = catalogue.latest[case.program], catalogue.merchants[case.merchant]
    previous = books.previous.get((case.merchant, case.program))
    standing = previous.standing if previous else NEW
    settlement = terms.terms.settlement
    trade = Money(sum(one.gross - one.refunds for one in entries.values()))
    charge = fees.charge(standing, trade, case.period_end, settlement)
    wishes = sharing.wishes(standing.partners, Money(trade - charge.fee), settlement.sharing)
    held = books.reserves.get((case.merchant, case.program), ())
    locked, room = _reserved(terms.terms.reserve, held, case.pay_on)
    conditions = msgspec.structs.replace(
        _conditions(catalogue, standing, charge, wishes, (terms, merchant)),
        pending=previous.pending if previous else ZERO,
        locked=locked,
        room=room,
    )
    sums = divide(entries, previous.carry if previous else {}, conditions)
    funds = {identity: fund.code for identity, fund in catalogue.funds_by_id.items()}
    return msgspec.structs.replace(
        sums,
        lines=explained(entries, sums, (charge, wishes), (settlement, terms.terms.reserve), funds),
        after=_after(standing, charge, wishes, sums, case.period_end),
    )


def _conditions(
    catalogue: Catalogue,
    standing: Standing,
    charge: fees.Charge,
    wishes: list[sharing.Wish],
    parties: tuple[Terms, Merchant],
) -> Conditions:
    """Fee, shares, and where what is left goes. Who is no merchant of the same book yet waits."""
    terms, merchant = parties
    settlement, month = terms.terms.settlement, standing.month
    issuer = catalogue.organisations[terms.terms.program.issuer][0]
    return Conditions(
        fee=charge.fee,
        tax=charge.tax,
        fee_by_source=_sources(month.by_source) if month else {},
        wishes={one.partner: one.amount for one in wishes if _has_account(catalogue, one.partner, parties)},
        shared_by_source={one.partner: _sources(one.before.by_source) for one in wishes},
        reserve_bps=terms.terms.reserve.rate_bps,
        has_bank=bool(merchant.account_no) and (merchant.bank_verified or not settlement.requires_verified_bank),
        min_payout=settlement.min_payout_fen,
        is_internal=settlement.own_stores == "internal" and merchant.group == issuer,
    )


def _has_account(catalogue: Catalogue, code: str, parties: tuple[Terms, Merchant]) -> bool:
    """Whether a partner is a merchant whose money lies in the same book."""
    known = catalogue.merchant_codes.get(code)
    terms, merchant = parties
    return known is not None and terms.ledger_of(catalogue.merchants[known]) == terms.ledger_of(merchant)


def _reserved(
    terms: ReserveTerms, reserves: tuple[Reserve, ...], pay_on: date | None
) -> tuple[tuple[Reserve, ...], Money | None]:
    """What may be drawn on, and how much more may be held back (none: any amount).

    Only what is released after the pay day counts: it is the same for a preview and for its run, whenever reserves
    that are due are released in between.
    """
    kept = tuple(one for one in reserves if pay_on is not None and one.release_on > pay_on)
    has = sum(sum(one.rest.values()) for one in kept)
    return kept if terms.covers_negative else (), Money(terms.cap_fen - has) if terms.cap_fen else None


def is_needed(entries: Mapping[Source, Entries], sums: Statement) -> bool:
    """Whether a settlement would count or move anything. Who has nothing to come needs none."""
    total = sums.total
    return bool(entries) or any((total.paid, total.transferred, total.fee, total.shared))


def follow(previous: Previous | None, period_end: date, cut: Cut, sums: Statement) -> Previous:
    """What a merchant's next settlement stands on after this one."""
    carry = {source: part.carry for source, part in sums.parts.items() if part.carry}
    pending = Money(sums.total.pending_bank + sums.total.pending_minimum)
    return Previous((previous.number if previous else 0) + 1, period_end, cut, carry, pending, sums.after)


def left_held(reserves: tuple[Reserve, ...], sums: Statement, new: list[Reserve]) -> tuple[Reserve, ...]:
    """What is held back of a merchant after a settlement, the first to be released first."""
    drawn = {one.id: one for one in map(after_draw, sums.draws)}
    kept = [drawn.get(one.id, one) for one in reserves]
    left = [one for one in (*kept, *new) if any(one.rest.values())]
    return tuple(sorted(left, key=lambda one: (one.release_on, one.id)))


def after_draw(draw: Draw) -> Reserve:
    """A reserve after a settlement drew on it."""
    gone = draw.reserve.drawn_by_source
    return msgspec.structs.replace(
        draw.reserve,
        version=draw.reserve.version + 1,
        drawn_by_source={
            source: Money(gone.get(source, 0) + draw.by_source.get(source, 0))
            for source in sorted({*gone, *draw.by_source})
        },
    )


def reserves_of(settlement: Id, case: Case, sums: Statement, terms: ReserveTerms) -> list[Reserve]:
    """What a settlement holds back, a reserve for each day on which a part of it is released. The last has its id."""
    if not sums.total.reserved or case.pay_on is None:
        return []
    days = [(step.after_days, int(step.share_bps)) for step in terms.steps]
    days.append((terms.release_days, WHOLE - sum(bps for _, bps in days)))
    amounts = allocate(sums.total.reserved, [bps for _, bps in days])
    rest = {source: part.reserved for source, part in sums.parts.items() if part.reserved}
    found = []
    for (after_days, _), amount in zip(days, amounts, strict=True):
        last = after_days == terms.release_days
        parts = dict(zip(rest, allocate(amount, list(rest.values())), strict=True)) if amount else {}
        rest = {source: Money(held - parts.get(source, 0)) for source, held in rest.items()}
        if amount:
            found.append(
                Reserve(
                    id=settlement if last else derived_id(settlement, b"reserve %d" % after_days),
                    settlement=settlement,
                    merchant=case.merchant,
                    program=case.program,
                    version=1,
                    state=RESERVE_WITHHELD,
                    amount=amount,
                    release_on=case.pay_on + timedelta(days=after_days),
                    by_source={source: part for source, part in parts.items() if part},
                )
            )
    return found


def _after(
    standing: Standing, charge: fees.Charge, wishes: list[sharing.Wish], sums: Statement, period_end: date
) -> Standing:
    """What the next settlement stands on."""
    taken = charge.month.by_source
    fee = {source.name.lower(): part.fee for source, part in sums.parts.items()}
    by_source = {name: Money(taken.get(name, 0) + fee.get(name, 0)) for name in sorted({*taken, *fee})}
    owes = sums.total.carry < 0
    return Standing(
        month=msgspec.structs.replace(
            charge.month, by_source={name: amount for name, amount in by_source.items() if amount}
        ),
        taxed=charge.taxed,
        partners={wish.partner: sharing.given(wish, _names(sums.shares.get(wish.partner, {}))) for wish in wishes},
        owing_since=(standing.owing_since or period_end) if owes else None,
    )


def _sources(by_name: Mapping[str, Money]) -> dict[Source, Money]:
    return {Source[name.upper()]: amount for name, amount in by_name.items()}


def _names(by_source: Mapping[Source, Money]) -> dict[str, Money]:
    return {source.name.lower(): amount for source, amount in by_source.items()}
