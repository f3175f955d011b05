"""May this order be paid, by which vouchers and lots, and what does it earn? Pure.

Order of precedence: malformed, unknown, payment code, then as `payments.bills` says. The first reason is the one that
is told.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from unicodedata import is_normalized

from kaquan.commands.model import Answer, Entry, Plan
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post_all
from kaquan.payments import errors, tenders
from kaquan.payments.bills import Bill, bill_by_code, bill_of
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import (
    AMOUNT_MAX,
    GOODS_LENGTH_MAX,
    LINES_MAX,
    ORDER_NO_LENGTH_MAX,
    Authorize,
    Pay,
    PayFacts,
    pack_allocation,
)
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.terms import VOUCHERS_MAX
from kaquan.rewards.model import Earned
from kaquan.rewards.rules import earned
from kaquan.risk.rules import counted
from kaquan.vouchers import errors as voucher_errors
from kaquan.vouchers.model import pack_discounts
from kaquan.vouchers.spending import used_up


class PayAnswer(Answer, frozen=True):
    """What became of a payment."""

    amount_fen: int
    bonus_fen: int
    discount_fen: int
    discounts: list[dict[str, object]]
    merchant: str
    order_no: str
    outside_fen: int
    payment: str
    principal_fen: int
    rebate_fen: int
    state: str
    subsidy_fen: int
    terms: int


def decide_pay(entry: Entry, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Pay at once, or authorize."""
    command: Pay = entry.command
    if refusal := malformed(command) or unknown_place(command, catalogue):
        return refusal
    bill = bill_of(entry, facts, catalogue, at) if command.code is None else bill_by_code(entry, facts, catalogue, at)
    if isinstance(bill, Refusal):
        return bill
    if isinstance(command, Authorize):
        return _hold(entry, bill, facts, catalogue, at)
    return _take(entry, bill, facts, catalogue, at)


def malformed(command: Pay) -> Refusal | None:
    """Whether amount, lines and order number can be what anybody means. A malformed payment claims no order."""
    if not 0 < command.amount <= AMOUNT_MAX or not 0 <= command.outside <= AMOUNT_MAX:
        return Refusal(errors.AMOUNT_INVALID, {"amount_max_fen": AMOUNT_MAX})
    if command.lines:
        total = sum(line.amount for line in command.lines)
        fits = len(command.lines) <= LINES_MAX and all(
            line.amount > 0 and len(line.goods) <= GOODS_LENGTH_MAX for line in command.lines
        )
        if not fits or total != command.amount:
            facts = {"lines_max": LINES_MAX, "amount_fen": command.amount, "lines_fen": total}
            return Refusal(errors.ORDER_LINES, facts)
    if command.vouchers and (refusal := _too_many(command.vouchers)):
        return refusal
    if command.code is not None:
        if command.card is not None or command.wallet is None:
            return Refusal(errors.PAYER_MISSING)
    elif command.card is None and (command.wallet is None or not command.vouchers):
        return Refusal(errors.PAYER_MISSING)
    return order_refusal(command.order_no)


def _too_many(vouchers: Sequence[Id]) -> Refusal | None:
    """Whether more vouchers are named than any program lets count, or one of them twice."""
    if len(vouchers) > VOUCHERS_MAX:
        return Refusal(voucher_errors.VOUCHERS_TOO_MANY, {"count": len(vouchers), "most": VOUCHERS_MAX})
    return Refusal(voucher_errors.VOUCHER_TWICE) if len(set(vouchers)) != len(vouchers) else None


def order_refusal(order_no: str) -> Refusal | None:
    """Why a text can't be an order number, or None."""
    one_spelling = order_no.isascii() or is_normalized("NFC", order_no)
    if 1 <= len(order_no) <= ORDER_NO_LENGTH_MAX and one_spelling and order_no.isprintable():
        return None
    return Refusal(errors.ORDER_NO_INVALID, {"length_max": ORDER_NO_LENGTH_MAX})


def unknown_place(command: Pay, catalogue: Catalogue) -> Refusal | None:
    """Whether merchant and store exist for the caller and belong together. What names none claims no order."""
    if command.merchant not in catalogue.merchants or not command.caller.reaches(command.merchant):
        return Refusal(errors.MERCHANT_UNKNOWN)
    if command.store is not None and catalogue.store_merchants.get(command.store) != command.merchant:
        return Refusal(errors.STORE_UNKNOWN)
    return None


def may_claim(command: Pay, catalogue: Catalogue) -> bool:
    """Whether a payment may claim its order number before it is decided."""
    return malformed(command) is None and unknown_place(command, catalogue) is None


def _take(entry: Entry, bill: Bill, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Plan:
    command: Pay = entry.command
    reward = earned(bill.by_card, bill.terms, at) if bill.card else None
    posted = tenders.charge(bill.taken, bill.terms.ledger, bill.merchant)
    if bill.applied:
        posted += tenders.redeem(bill.splits, bill.merchant)
    return Plan(
        answer=_answer(entry.id, command, bill, "captured", reward, catalogue),
        event="payment.captured.v1",
        subject=bill.wallet,
        person=bill.person(),
        changes=(
            *[(lot, (lot.balance - part, lot.held, lot.state)) for lot, part in bill.taken],
            *used_up(bill.applied, entry.id, facts.quotas, at),
            *counted(bill.signals, bill.by_card),
        ),
        checks=(bill.card,) if bill.card else (),
        inserts=(
            ("payment", _row(entry.id, command, bill, PaymentState.CAPTURED, None)),
            *reward_rows(reward, entry.id, bill.card.id if bill.card else entry.id, bill.terms.id),
        ),
        postings=post_all(entry.id, posted),
    )


def _hold(entry: Entry, bill: Bill, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Plan:
    command: Pay = entry.command
    expires = microseconds(at + timedelta(minutes=bill.terms.terms.spending.hold_minutes))
    return Plan(
        answer=_answer(entry.id, command, bill, "authorized", None, catalogue),
        event="payment.authorized.v1",
        subject=bill.wallet,
        person=bill.person(),
        changes=(
            *[(lot, (lot.balance, lot.held + part, lot.state)) for lot, part in bill.taken],
            *used_up(bill.applied, entry.id, facts.quotas, at, held_until_us=expires),
            *counted(bill.signals, bill.by_card),
        ),
        checks=(bill.card,) if bill.card else (),
        inserts=(("payment", _row(entry.id, command, bill, PaymentState.AUTHORIZED, expires)),),
    )


def reward_rows(
    reward: Earned | None, payment: Id, card: Id, terms: int
) -> tuple[tuple[str, tuple[object, ...]], ...]:
    """The row of a rebate that waits for the end of the refund window; none for none."""
    if reward is None:
        return ()
    return (("reward", (bucket_of(payment), payment, card, reward.amount, reward.due_us, terms)),)


def _answer(payment: Id, command: Pay, bill: Bill, state: str, reward: Earned | None, catalogue: Catalogue) -> bytes:
    principal, bonus, subsidy = tenders.by_kind(bill.taken)
    return PayAnswer(
        command.amount,
        bonus,
        bill.discount,
        tenders.named(bill.discounts, catalogue) if bill.discounts else [],
        command.merchant.hex(),
        command.order_no,
        command.outside,
        payment.hex(),
        principal,
        reward.amount if reward else 0,
        state,
        subsidy,
        bill.terms.id,
    ).written()


def _row(payment: Id, command: Pay, bill: Bill, state: PaymentState, expires_us: int | None) -> tuple[object, ...]:
    return (
        bucket_of(payment),
        payment,
        bill.wallet,
        bill.card.id if bill.card else None,
        command.merchant,
        command.store,
        bill.terms.id,
        bill.terms.program,
        state,
        command.amount,
        command.amount if state == PaymentState.CAPTURED else 0,
        expires_us,
        command.order_no,
        command.outside,
        pack_allocation(bill.taken),
        pack_discounts(bill.discounts),
        tenders.pack_lines(command.lines, bill.applied),
    )
