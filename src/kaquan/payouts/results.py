"""What the bank tells, judged against the payout. Pure.

A line is taken at its word only when it fits: the payout is known, this attempt was sent, the amount is what was
sent, and nothing that the bank said before contradicts it. What says again what is known changes nothing. All else
becomes an exception with its reason, and as long as one is open about a payout, the payout is not told to the bank
again: whoever guessed here could pay twice.
"""

from typing import Any, NamedTuple

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.clock import microseconds
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import Leg, post
from kaquan.payouts import lifecycle
from kaquan.payouts.lifecycle import PayoutState
from kaquan.payouts.model import Payout, PayoutFacts, RecordResult, Said, placed
from kaquan.programs.catalogue import Catalogue

REASONS: dict[str, tuple[str, str]] = {
    "unreadable": ("这一行读不懂", "the line can't be read"),
    "unknown": ("没有这笔打款", "there is no such payout"),
    "attempt_missing": ("发送过多次，没有写明是第几次", "it was sent more than once and the line does not say which"),
    "not_sent": ("这一次还没有发送", "this attempt was not sent"),
    "attempt_over": ("此前那次已有结果，又来一次", "an earlier attempt, which had ended otherwise"),
    "amount_differs": ("金额与发送的不符", "another amount than was sent"),
    "confirmed_twice": ("已到账，又以另一流水号到账", "confirmed before under another reference"),
    "confirmed_after_failed": ("已报失败，又报到账", "confirmed after it had failed"),
    "failed_after_confirmed": ("已到账，又报失败", "failed after it was confirmed"),
    "returned_before_confirmed": ("没有到账却退汇", "returned without having been confirmed"),
    "after_returned": ("已退汇，又有别的结果", "told otherwise after it was returned"),
    "withheld": ("全额扣留，从未发送", "withheld for a dispute and never sent"),
}
"""Why a line fits nothing, in Chinese and English."""

_SAME = "already"
_FITS = "fits"


class Made(NamedTuple):
    """What a plan about a payout is made of."""

    entry: Entry
    payout: Payout
    catalogue: Catalogue
    at_us: int


def decide_result(entry: Entry, facts: PayoutFacts, catalogue: Catalogue, at: Any) -> Plan | Refusal:
    """Take a line of the bank at its word, or keep it as an exception."""
    command: RecordResult = entry.command
    payout = facts.payouts.get(command.payout) if command.payout else None
    judged = judge(command, payout, facts.confirmed.get(payout.id, frozenset()) if payout else frozenset())
    if payout is None or judged not in (_FITS, _SAME):
        return _exception(entry, payout, judged, microseconds(at))
    made = Made(entry, payout, catalogue, microseconds(at))
    if judged == _SAME:
        return Plan(answer=_answer(payout, judged), event="payout.result_repeated.v1")
    return become(made, PayoutState(int(command.said)), command.reference, command.reason)


def judge(command: RecordResult, payout: Payout | None, confirmed: frozenset[str]) -> str:
    """`fits`, `already`, or the reason why a line fits nothing. `confirmed` are the references of confirmations."""
    if command.payout is None or command.said is Said.UNREADABLE:
        return "unreadable"
    if payout is None:
        return "unknown"
    if (again := _again(command, payout, confirmed)) is not None:
        return again
    attempt = command.attempt
    if attempt is None and payout.attempt > 1:
        return "attempt_missing"
    if attempt is not None and attempt < payout.attempt:
        return "attempt_over"
    if payout.state is PayoutState.WITHHELD:
        return "withheld"
    if payout.state is PayoutState.INSTRUCTED or (attempt is not None and attempt > payout.attempt):
        return "not_sent"
    if command.amount is not None and command.amount != payout.outgoing:
        return "amount_differs"
    return _FITTING[payout.state, command.said]


def _again(command: RecordResult, payout: Payout, confirmed: frozenset[str]) -> str | None:
    """A confirmation that was recorded before, under the same reference of the bank, is no news."""
    if command.said is not Said.CONFIRMED or command.reference not in confirmed:
        return None
    if command.amount not in (None, payout.outgoing):
        return None
    earlier = command.attempt is not None and command.attempt < payout.attempt
    return _SAME if earlier or payout.state is not PayoutState.SENT else None


_FITTING: dict[tuple[PayoutState, Said], str] = {
    (PayoutState.SENT, Said.CONFIRMED): _FITS,
    (PayoutState.SENT, Said.FAILED): _FITS,
    (PayoutState.SENT, Said.RETURNED): "returned_before_confirmed",
    (PayoutState.CONFIRMED, Said.CONFIRMED): "confirmed_twice",
    (PayoutState.CONFIRMED, Said.FAILED): "failed_after_confirmed",
    (PayoutState.CONFIRMED, Said.RETURNED): _FITS,
    (PayoutState.FAILED, Said.CONFIRMED): "confirmed_after_failed",
    (PayoutState.FAILED, Said.FAILED): _SAME,
    (PayoutState.FAILED, Said.RETURNED): "returned_before_confirmed",
    (PayoutState.RETURNED, Said.CONFIRMED): "after_returned",
    (PayoutState.RETURNED, Said.FAILED): "after_returned",
    (PayoutState.RETURNED, Said.RETURNED): _SAME,
}


def become(made: Made, state: PayoutState, reference: str, reason: str) -> Plan:
    """The payout reaches a state by the bank's word: its money moves to where a payout in that state has it."""
    payout, source = made.payout, made.payout.source
    new = msgspec.structs.replace(payout, state=state, reference=reference or payout.reference)
    debit, credit = lifecycle.account_of(payout.state, source), lifecycle.account_of(state, source)
    return moved(made, new, (debit, credit), reason)


def moved(made: Made, new: Payout, way: tuple[Any, Any] | None, reason: str) -> Plan:
    """The payout becomes `new`, with a step of its history; its money goes the `way` from account to account."""
    payout, merchant = made.payout, made.payout.merchant
    ledger = made.catalogue.latest[payout.program].ledger_of(made.catalogue.merchants[merchant])
    banks = lifecycle.BANKS.values()
    legs = []
    if way is not None and way[0] is not way[1]:
        owners = [None if account in banks else merchant for account in way]
        legs.append(Leg(way[0], owners[0], way[1], owners[1], payout.source, new.outgoing))
    born = ((payout.id, new.reference),) if new.state is PayoutState.CONFIRMED else ()
    return Plan(
        answer=_answer(new, new.state.word),
        event=f"payout.{_EVENTS[new.state]}.v1",
        changes=((payout, (new,)),),
        cold=(("payout_step", _step(made, new, reason)),),
        postings=post(made.entry.id, ledger, legs),
        born=born,
    )


_EVENTS = {
    PayoutState.INSTRUCTED: "reissued",
    PayoutState.SENT: "sent",
    PayoutState.CONFIRMED: "confirmed",
    PayoutState.FAILED: "failed",
    PayoutState.RETURNED: "returned",
}


def _step(made: Made, new: Payout, reason: str) -> dict[str, Any]:
    return {
        **placed(made.entry.id),
        "payout": new.id.hex(),
        "attempt": new.attempt,
        "state": int(new.state),
        "at": made.at_us,
        "amount": new.outgoing,
        "file": new.file.hex() if new.file else None,
        "account_bank": new.account_bank,
        "account_no": new.account_no,
        "reference": new.reference,
        "reason": reason,
        "person": made.entry.command.caller.person,
    }


def _answer(payout: Payout, result: str) -> bytes:
    return msgspec.json.encode(
        {
            "amount_fen": payout.outgoing,
            "attempt": payout.attempt,
            "merchant": payout.merchant.hex(),
            "payout": payout.id.hex(),
            "program": payout.program,
            "result": result,
            "state": payout.state.word,
        }
    )


def _exception(entry: Entry, payout: Payout | None, code: str, at_us: int) -> Plan:
    """Keep a line that fits nothing; the payout that it names is not sent until it is explained."""
    command: RecordResult = entry.command
    row = {
        **placed(entry.id),
        "version": 1,
        "state": 1,
        "code": code,
        "payout": payout.id.hex() if payout else None,
        "attempt": command.attempt,
        "said": int(command.said),
        "amount": command.amount,
        "number": command.number,
        "reference": command.reference,
        "reason": command.reason,
        "at": at_us,
        "explanation": "",
        "explained_by": "",
    }
    answer = {"exception": entry.id.hex(), "number": command.number, "result": code}
    changes: tuple[Any, ...] = ()
    if payout is not None:
        questioned = msgspec.structs.replace(payout, questions=payout.questions + 1)
        changes = ((payout, (questioned,)),)
        answer["payout"] = payout.id.hex()
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"),
        event="payout.exception_opened.v1",
        changes=changes,
        cold=(("payout_exception", row),),
    )


ATTEMPT_DIGITS_MAX = 4  # more can't be an attempt: the tail belongs to a number of somebody else's


def read_number(text: str) -> tuple[str, int | None]:
    """The payout's public number and the attempt in an instruction as the bank repeats it."""
    number, dash, attempt = text.strip().rpartition("-")
    if dash and attempt.isascii() and attempt.isdigit() and len(attempt) <= ATTEMPT_DIGITS_MAX:
        return number, int(attempt)
    return text.strip(), None
