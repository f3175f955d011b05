"""The hot endpoints: pay, authorize, pay in batches, claim, quote. Plain ASGI and msgspec; commands go to the lanes.

`OPERATIONS` of `api.routes` lists them like any other, and `api.openapi` describes them from the bodies below.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

from kaquan.api.authorization import HOLDERS, TILLS
from kaquan.api.bodies import BatchBody, ClaimBody, PaymentBody
from kaquan.api.calls import DRY_RUN_KEY, effect_document
from kaquan.api.errors import TOO_BUSY
from kaquan.api.guesses import wrong
from kaquan.api.hot import HotCall, hot, threaded
from kaquan.api.objects import Objects
from kaquan.api.problems import Problem, Words, document
from kaquan.api.replies import Answer, Many, Place
from kaquan.api.serving import ANSWER_SECONDS, Serving, answered, judged, turned_away
from kaquan.api.wishes import Wish, command_of, looked_up, shown, wishes_of
from kaquan.commands.committer import Full
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.documents.answers import instant, refusal_document
from kaquan.documents.payments import discounts_of
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Language
from kaquan.main import Kaquan
from kaquan.payments import service
from kaquan.vouchers.model import Claim
from kaquan.vouchers.service import outside_digest


async def create_payment(asked: HotCall, body: PaymentBody) -> tuple[int, Any, Mapping[str, str]]:
    """支付或预授权 Pay an order, or authorize it"""
    key = asked.wish()
    with _guess(asked, body):
        kind, command = await threaded(asked.serving, looked_up, asked, body, key)
        if asked.dry_run:
            return 200, await threaded(asked.serving, _tried, asked, kind, command), {}
        outcome = await _decided(asked.serving.submit(kind, command))
        if not isinstance(outcome, Effect):
            raise Problem.of(outcome.refusal, replayed=outcome.replayed)
    told = {"idempotent-replayed": "true"} if outcome.replayed else {}
    return 200, payment_answer(outcome, False), told


async def create_payments(asked: HotCall, body: BatchBody) -> tuple[int, Any, Mapping[str, str]]:
    """批量支付 Pay many orders, each under its own id; the answers come in the same order"""
    if asked.serving.committer.room() < len(body.payments):
        raise Problem(TOO_BUSY)  # most of it would be told so one by one
    asked.take(len(body.payments) - 1)  # a batch is as many requests as it has payments
    wishes = await threaded(asked.serving, wishes_of, asked, body.payments)
    if asked.dry_run:
        items = await threaded(asked.serving, _tried_all, asked, wishes)
    else:
        items = await _settled(asked.serving, wishes)
    for one, item in zip(body.payments, items, strict=True):
        if one.code is not None and not (isinstance(item, Problem) and wrong(item)):
            asked.serving.guesses.right(asked.key.prefix)
    return 200, {"items": [_item(one, asked.words, asked.dry_run) for one in items]}, {}


async def quote_payment(asked: HotCall, body: PaymentBody) -> tuple[int, Any, Mapping[str, str]]:
    """试算 Quote: which vouchers save most and why, who would pay what. Nothing is taken"""
    with _guess(asked, body):
        return 200, await threaded(asked.serving, _quoted, asked, body), {}


async def claim_voucher(asked: HotCall, body: ClaimBody) -> tuple[int, Any, Mapping[str, str]]:
    """领券 Claim a voucher of a stock"""
    command = await threaded(asked.serving, _claim, asked, body, asked.wish())
    if asked.dry_run:
        return 200, await threaded(asked.serving, _tried, asked, Kind.CLAIM, command), {}
    outcome = await _decided(asked.serving.submit(Kind.CLAIM, command))
    if not isinstance(outcome, Effect):
        raise Problem.of(outcome.refusal, replayed=outcome.replayed)
    return 200, effect_document(outcome, False, {}), {"idempotent-replayed": "true"} if outcome.replayed else {}


def claimed(asked: HotCall, body: ClaimBody) -> None:
    """A claim in a thread of one's own, as a row of a job is. Raises `Problem`."""
    outcome = asked.serving.send(Kind.CLAIM, _claim(asked, body, asked.wish()))
    if not isinstance(outcome, Effect):
        raise Problem.of(outcome.refusal, replayed=outcome.replayed)


def payment_answer(outcome: Effect, dry_run: bool) -> dict[str, Any]:
    """The document of a payment that took effect."""
    return effect_document(outcome, dry_run, {"discounts": discounts_of(outcome.facts)})


async def _decided(future: "Future[Outcome]") -> Outcome:
    """The outcome of a command that is queued. Raises `Problem`."""
    await asyncio.wait({asyncio.wrap_future(future)}, timeout=ANSWER_SECONDS)
    return answered(future)


async def _settled(serving: Serving, wishes: list[Wish]) -> list[Effect | Problem]:
    """Queue commands, lane by lane; what became of them, all within the time of one."""
    many = Many(serving.hub(), len(wishes))
    items: list[Any] = list(wishes)
    by_kind: dict[Kind, list[tuple[Any, Place]]] = {}
    for position, one in enumerate(wishes):
        if not isinstance(one, Problem):
            by_kind.setdefault(one[0], []).append((one[1], many.place(position)))
            items[position] = None
    for kind, told in by_kind.items():
        for place, full in serving.committer.tell_all(kind, told):
            place.set_exception(full)
    if by_kind:
        await many.all(ANSWER_SECONDS)
    return [_settlement(answer) if one is None else one for one, answer in zip(items, many.answers, strict=True)]


def _settlement(answer: Answer | None) -> Effect | Problem:
    if isinstance(answer, Full):
        return turned_away(answer)
    try:
        outcome = judged(answer)
    except Problem as problem:
        return problem
    return outcome if isinstance(outcome, Effect) else _refused(outcome)


def _refused(outcome: Any) -> Problem:
    return Problem.of(outcome.refusal, replayed=outcome.replayed)


def _guess(asked: HotCall, body: PaymentBody) -> AbstractContextManager[None]:
    return asked.serving.guesses.one(asked.key.prefix, shown(asked.caller, body))


def _item(outcome: Any, words: Words, dry_run: bool) -> dict[str, Any]:
    """One answer of a batch: a document of an effect, or problem details under `problem`."""
    if isinstance(outcome, Problem):
        return {"outcome": "problem", "problem": document(outcome, words)}
    return payment_answer(outcome, dry_run)


def _claim(asked: HotCall, body: ClaimBody, key: str) -> Claim:
    with asked.serving.looking(hot=True) as app:
        objects = Objects(app, asked.caller)
        told = {"device": body.device, "payee": body.payee}
        return Claim(
            key=key,
            caller=asked.caller,
            wallet=objects.customer(body.wallet),
            program=objects.claimable(body.program).terms.program.code,
            stock=body.stock,
            **{name: outside_digest(app.master, name, text) for name, text in told.items() if text is not None},
        )


def _tried(asked: HotCall, kind: Kind, command: Any) -> dict[str, Any]:
    outcome = _try(asked, kind, command)
    if isinstance(outcome, Problem):
        raise outcome
    return payment_answer(outcome, True)


def _try(asked: HotCall, kind: Kind, command: Any) -> Effect | Problem:
    with asked.serving.looking(hot=True) as app:
        outcome = app.one(kind, command, dry_run=True)
    return outcome if isinstance(outcome, Effect) else _refused(outcome)


def _tried_all(asked: HotCall, wishes: list[Wish]) -> list[Effect | Problem]:
    return [one if isinstance(one, Problem) else _try(asked, *one) for one in wishes]


def _quoted(asked: HotCall, body: PaymentBody) -> dict[str, Any]:
    with asked.serving.looking(hot=True) as app:
        kind, wish = command_of(Objects(app, asked.caller), asked.caller, body, DRY_RUN_KEY)
        quoted = service.quote(app.door, app.catalogue, kind, wish, app.master)
        verdicts = _verdicts(quoted.choice, asked.words.language, app)
    if not isinstance(quoted.outcome, Effect):
        raise Problem.of(quoted.outcome.refusal, vouchers=verdicts)
    best = {"best": [public("vch", one) for one in quoted.command.vouchers], "vouchers": verdicts}
    return payment_answer(quoted.outcome, True) | best


def _verdicts(choice: Any, language: Language, app: Kaquan) -> list[dict[str, Any]]:
    """Of each voucher, whether it would be used, and why not."""
    return [
        {
            "voucher": public("vch", one.voucher.id),
            "stock": one.stock.code,
            "used": one.why_not is None,
            "discount_fen": one.amount,
            "expires_at": instant(one.voucher.expires_us),
            **({"why_not": refusal_document(one.why_not, language)} if one.why_not is not None else {}),
        }
        for one in (choice.verdicts if choice else ())
    ]


_PAYMENT = {"merchant": "$merchant", "amount_fen": 1_000, "order_no": "$new_order_no", "card": "$card_number"}
_BATCH = {"payments": [{**_PAYMENT, "idempotency_key": "$key"}]}
_CLAIM = {"wallet": "$wallet", "program": "$program", "stock": "$stock"}

ROUTES = [
    hot(create_payment, PaymentBody, "/payments", "payments:write", TILLS, example=_PAYMENT),
    hot(create_payments, BatchBody, "/payments:batch", "payments:write", TILLS, example=_BATCH),
    hot(quote_payment, PaymentBody, "/quotes", "payments:read", TILLS | {Role.HOLDER}, example=_PAYMENT),
    hot(claim_voucher, ClaimBody, "/claims", "vouchers:write", HOLDERS, example=_CLAIM),
]
