"""A payment as the refund oracle is told of it, and what the oracle answers as a document."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from kaquan.cards.model import NO_FUND, CardState, Lot, LotKind, LotState
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown as told
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Language
from kaquan.main import Kaquan
from kaquan.oracle import model as oracle
from kaquan.oracle.rules import instead, judge
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import Payment, PaymentFacts, Refund, unpack_allocation
from kaquan.payments.service import refund_facts
from kaquan.payments.tenders import unpack_lines, unpack_returned
from kaquan.programs.catalogue import Catalogue, Stock, StockState, Terms
from kaquan.programs.lifecycle import ProgramState
from kaquan.quotas.model import left
from kaquan.rewards.model import RewardState
from kaquan.rewards.rules import window_end
from kaquan.settlement.service import settled_until
from kaquan.vouchers.model import Voucher, VoucherState, unpack_discounts

_KINDS: dict[int, oracle.PartKind] = {
    LotKind.PRINCIPAL: "principal",
    LotKind.BONUS: "bonus",
    LotKind.SUBSIDY: "subsidy",
}
_CARD = {CardState.FROZEN: "frozen", CardState.CLOSED: "closed"}
_REBATE = {RewardState.WAITING: "waiting", RewardState.GRANTED: "granted"}


def plain(
    payment: Payment, facts: PaymentFacts, catalogue: Catalogue, at: datetime, *, settled: bool = False
) -> oracle.PaidOrder:
    """Everything that decides a refund of the payment at an instant, as plain data."""
    terms = catalogue.terms[payment.terms]
    refund = terms.terms.refund
    parts = _parts(payment, facts, catalogue, at)
    vouchers = tuple(_vouchers(payment, facts, catalogue, at))
    end = window_end(instant(payment.moved_us), refund.window_days)
    card = facts.cards.get(payment.card)
    card_state: Any = "none" if card is None else _CARD.get(CardState(card.state), "open")
    return oracle.PaidOrder(
        captured=payment.captured,
        refunded=payment.refunded,
        parts=parts,
        vouchers=vouchers,
        lines=tuple(
            oracle.LineOf(line.goods, line.amount, tuple(line.discounts), line.returned)
            for line in unpack_lines(payment.lines)
        ),
        rebate=_rebate(payment, facts, terms),
        policy=oracle.Policy(
            refund.order, refund.count_max, refund.frozen_card, refund.expired_principal, refund.expired_grant_days
        ),
        state=PaymentState(payment.state).name.lower(),
        card=card_state,
        refunds=facts.refunds.get(payment.id, 0),
        window_over=at >= end,
        window_end=shown(end),
        owed=tuple(
            (_payer(payer, catalogue), fen)
            for (of, payer), fen in facts.owed.items()
            if of == payment.card and fen > 0
        ),
        free=tuple(_free(vouchers, facts, catalogue)),
        settled=settled,
    )


def _payer(fund: bytes, catalogue: Catalogue) -> str:
    return oracle.ISSUER if fund == NO_FUND else catalogue.funds_by_id[fund].code


def _parts(payment: Payment, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> tuple[oracle.Part, ...]:
    """Lots, discounts, money outside, in the order in which the payment keeps them."""
    shares = unpack_allocation(payment.allocation, facts.of(payment.card))
    discounts = unpack_discounts(payment.discounts)
    gone = unpack_returned(payment.returned, len(shares) + len(discounts) + 1)
    parts = [
        oracle.Part(
            _KINDS[lot.kind],
            oracle.HOLDER if lot.kind == LotKind.PRINCIPAL else _payer(lot.fund, catalogue),
            paid,
            back,
            _expired(lot, at),
        )
        for (lot, paid), back in zip(shares, gone, strict=False)
    ]
    for one, back in zip(discounts, gone[len(shares) :], strict=False):
        payer = oracle.MERCHANT if one.fund == NO_FUND else _payer(one.fund, catalogue)
        parts.append(oracle.Part("voucher", payer, one.amount, back))
    return (*parts, oracle.Part("outside", oracle.MERCHANT, payment.outside, gone[-1]))


def _expired(lot: Lot, at: datetime) -> bool:
    return lot.state == LotState.EXPIRED or 0 < lot.expires_us <= microseconds(at)


def _vouchers(
    payment: Payment, facts: PaymentFacts, catalogue: Catalogue, at: datetime
) -> Iterator[oracle.VoucherUse]:
    first = len(unpack_allocation(payment.allocation, facts.of(payment.card)))
    places: dict[bytes, list[int]] = {}
    for at_, one in enumerate(unpack_discounts(payment.discounts)):
        places.setdefault(one.voucher, []).append(first + at_)
    for identity, own in places.items():
        voucher = facts.vouchers[identity]
        yield _voucher(payment, voucher, catalogue.stock(voucher.terms, voucher.stock), own, at)


def _voucher(payment: Payment, voucher: Voucher, stock: Stock, own: list[int], at: datetime) -> oracle.VoucherUse:
    rules = stock.rules
    begins = business_date(at) + timedelta(days=rules.wait_days)
    hands_out = stock.state is not StockState.STOPPED and stock.terms.state is not ProgramState.CLOSED
    countable = rules.after_refund != "reissue" or not rules.not_after or begins.isoformat() <= rules.not_after
    return oracle.VoucherUse(
        name=public("vch", voucher.id),
        places=tuple(own),
        face=voucher.face,
        shares=tuple(
            (oracle.MERCHANT if share.fund is None else share.fund.code, share.bps) for share in stock.funding
        ),
        rate_bps=rules.rate_bps if rules.kind == "percent" else 0,
        min_order=rules.min_order_fen,
        goods=tuple(filter(None, rules.goods.split(","))),
        reprice=rules.partial_refund == "reprice",
        policy=rules.after_refund,
        valid=microseconds(at) < voucher.expires_us,
        mine=voucher.state == VoucherState.REDEEMED and voucher.holder == payment.id,
        open=hands_out and countable,
    )


def _rebate(payment: Payment, facts: PaymentFacts, terms: Terms) -> oracle.RebateOf:
    reward, rebate = facts.rewards.get(payment.id), terms.terms.rebate
    if reward is None or reward.state not in _REBATE:
        return oracle.RebateOf()
    state: Any = _REBATE[RewardState(reward.state)]
    bands = tuple((int(band.from_fen), int(band.rate_bps)) for band in rebate.bands)
    return oracle.RebateOf(state, reward.amount, reward.cut, bands, rebate.mode == "marginal", rebate.cap_fen)


def _free(
    vouchers: tuple[oracle.VoucherUse, ...], facts: PaymentFacts, catalogue: Catalogue
) -> Iterator[tuple[str, int]]:
    """What the funds of the vouchers can still promise."""
    wanted = {payer for one in vouchers for payer, _ in one.shares if payer != oracle.MERCHANT}
    for fund in catalogue.funds_by_id.values():
        if fund.code in wanted:
            yield fund.code, left(facts.quotas.pool(fund.id))[1]


def refund_outcomes(app: Kaquan, catalogue: Catalogue, command: Refund, language: Language) -> dict[str, Any]:
    """What may come of a refund by the oracle, and what would come of it now by the rules that refund; nothing moves.

    The caller of the command reaches its payment.
    """
    facts = refund_facts(app.connection, catalogue, command.payment)
    payment = facts.payments[command.payment]
    settled = settled_until(app.connection, payment.merchant, payment.program) > payment.moved_us
    order = plain(payment, facts, catalogue, app.door.at(), settled=settled)
    may_late = command.caller.role in (Role.ISSUER, Role.OPERATOR)
    ask = oracle.Ask(command.amount, command.lines, command.late, may_late)
    tried = app.one(Kind.REFUND, command, dry_run=True)
    would = told(tried.facts) if isinstance(tried, Effect) else None
    return {"payment": public("pay", payment.id), **outcomes_document(order, ask, language), "would": would}


def outcomes_document(order: oracle.PaidOrder, ask: oracle.Ask, language: Language) -> dict[str, Any]:
    """The oracle's answer: each outcome with who gets how much where, and the reasons; or why there is none, and what
    may be asked instead."""
    verdict = judge(order, ask)
    other = () if verdict.outcomes else instead(order, ask)
    return {
        "left_fen": order.left,
        "outcomes": [_outcome(order, one, language) for one in verdict.outcomes],
        "refused": [_reason(one, language) for one in verdict.refused],
        "instead": [
            {"late": one.late, "all_left": one.amount is None and not one.lines, **_first(order, one, language)}
            for one in other
        ],
    }


def _first(order: oracle.PaidOrder, ask: oracle.Ask, language: Language) -> dict[str, Any]:
    return {"outcomes": [_outcome(order, one, language) for one in judge(order, ask).outcomes]}


def _outcome(order: oracle.PaidOrder, outcome: oracle.Outcome, language: Language) -> dict[str, Any]:
    return {
        "amount_fen": outcome.amount,
        "late": outcome.late,
        "last": outcome.last,
        "shares": [_share(order.parts[one.place], one) for one in outcome.shares if order.parts[one.place].paid],
        "vouchers": [
            {"voucher": order.vouchers[one.place].name, "fate": one.fate, "reason": _reason(one.reason, language)}
            for one in outcome.vouchers
        ],
        "rebate_cut_least_fen": outcome.rebate_cut[0],
        "rebate_cut_most_fen": outcome.rebate_cut[1],
        "set_off_least_fen": outcome.set_off[0],
        "set_off_most_fen": outcome.set_off[1],
        "reasons": [_reason(one, language) for one in outcome.reasons],
    }


def _share(part: oracle.Part, share: oracle.ShareBack) -> Mapping[str, Any]:
    low, high = share.exact
    exact = str(low) if low == high else f"{low} … {high}"
    return {
        "part": part.kind,
        "payer": part.payer,
        "paid_fen": part.paid,
        "returned_fen": part.back,
        "exact": exact,
        "least_fen": share.least,
        "most_fen": share.most,
        "goes": share.goes,
    }


def _reason(reason: oracle.Reason, language: Language) -> dict[str, str]:
    return {"code": reason.code, "message": reason.zh if language == "zh" else reason.en}
