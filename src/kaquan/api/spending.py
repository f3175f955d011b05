"""The hot endpoints: pay, authorize, pay in batches, claim, quote. Plain ASGI and msgspec; commands go to the lanes.

`OPERATIONS` of `api.routes` lists them like any other, and `api.openapi` describes them from the bodies below.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kaquan.api.authorization import HOLDERS, TILLS
from kaquan.api.bodies import BatchBody, ClaimBody, KeyedPayment, PaymentBody
from kaquan.api.calls import DRY_RUN_KEY, effect_document, outside_key
from kaquan.api.errors import API_KEY_MISSING, IDEMPOTENCY_KEY_MISSING, REQUEST_INVALID
from kaquan.api.guesses import wrong
from kaquan.api.objects import Objects
from kaquan.api.problems import Problem, Words, document
from kaquan.api.routes import OPERATIONS, PREFIX, Operation, admitted
from kaquan.api.serving import ANSWER_SECONDS, Serving, answered
from kaquan.cards.numbers import typed_number
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.documents.answers import instant, refusal_document
from kaquan.documents.payments import discounts_of
from kaquan.identity.model import Key
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import public
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Language
from kaquan.main import Kaquan
from kaquan.payments import service
from kaquan.payments.model import Authorize, Pay
from kaquan.vouchers.model import Claim
from kaquan.vouchers.orders import Line
from kaquan.vouchers.service import outside_digest

BODIES: dict[str, type[msgspec.Struct]] = {
    "create_payment": PaymentBody,
    "create_payments": BatchBody,
    "quote_payment": PaymentBody,
    "claim_voucher": ClaimBody,
}


class HotCall(msgspec.Struct):
    """A hot request: who asks, under which id (`outside_key`'s when it came from outside), in which language."""

    serving: Serving
    key: Key
    words: Words
    idempotency_key: str | None
    dry_run: bool
    take: Callable[[int], None]

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.key.caller

    def wish(self) -> str:
        """The id of the wish. Raises `Problem` when there is none."""
        if self.idempotency_key is not None:
            return self.idempotency_key
        if self.dry_run:
            return DRY_RUN_KEY
        raise Problem(IDEMPOTENCY_KEY_MISSING)


Endpoint = Callable[[HotCall, Any], Awaitable[tuple[int, Any, Mapping[str, str]]]]


async def _threaded(serving: Serving, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """Work that waits, in one of the threads that only payments and claims use."""
    return await anyio.to_thread.run_sync(partial(work, *given, **named), limiter=serving.hot_threads)


async def create_payment(asked: HotCall, body: PaymentBody) -> tuple[int, Any, Mapping[str, str]]:
    """支付或预授权 Pay an order, or authorize it"""
    key = asked.wish()
    with _guess(asked, body):
        kind, command = await _threaded(asked.serving, _read_one, asked, body, key)
        if asked.dry_run:
            return 200, await _threaded(asked.serving, _tried, asked, kind, command), {}
        outcome = await _decided(asked.serving.submit(kind, command))
        if not isinstance(outcome, Effect):
            raise Problem.of(outcome.refusal, replayed=outcome.replayed)
    told = {"idempotent-replayed": "true"} if outcome.replayed else {}
    return 200, payment_answer(outcome, False), told


async def create_payments(asked: HotCall, body: BatchBody) -> tuple[int, Any, Mapping[str, str]]:
    """批量支付 Pay many orders, each under its own id; the answers come in the same order"""
    asked.take(len(body.payments) - 1)  # a batch is as many requests as it has payments
    wishes = await _threaded(asked.serving, _read_many, asked, body.payments)
    if asked.dry_run:
        items = await _threaded(asked.serving, _tried_all, asked, wishes)
    else:
        waiting = [one if isinstance(one, Problem) else _submitted(asked.serving, *one) for one in wishes]
        items = await _settled(waiting)
    for one, item in zip(body.payments, items, strict=True):
        if _shown(asked.caller, one) and not (isinstance(item, Problem) and wrong(item)):
            asked.serving.guesses.right(asked.key.prefix)
    return 200, {"items": [_item(one, asked.words, asked.dry_run) for one in items]}, {}


async def quote_payment(asked: HotCall, body: PaymentBody) -> tuple[int, Any, Mapping[str, str]]:
    """试算 Quote: which vouchers save most and why, who would pay what. Nothing is taken"""
    with _guess(asked, body):
        return 200, await _threaded(asked.serving, _quoted, asked, body), {}


async def claim_voucher(asked: HotCall, body: ClaimBody) -> tuple[int, Any, Mapping[str, str]]:
    """领券 Claim a voucher of a stock"""
    command = await _threaded(asked.serving, _claim, asked, body, asked.wish())
    if asked.dry_run:
        return 200, await _threaded(asked.serving, _tried, asked, Kind.CLAIM, command), {}
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


async def _settled(waiting: list["Future[Outcome] | Problem"]) -> list[Outcome | Problem]:
    """What became of commands that are queued, all within the time of one."""
    futures = {asyncio.wrap_future(one) for one in waiting if not isinstance(one, Problem)}
    if futures:
        await asyncio.wait(futures, timeout=ANSWER_SECONDS)
    items: list[Outcome | Problem] = []
    for one in waiting:
        try:
            items.append(one if isinstance(one, Problem) else answered(one))
        except Problem as problem:
            items.append(problem)
    return [one if isinstance(one, Effect | Problem) else _refused(one) for one in items]


def _refused(outcome: Any) -> Problem:
    return Problem.of(outcome.refusal, replayed=outcome.replayed)


def _shown(caller: Caller, body: PaymentBody) -> bool:
    """Whether a body shows what could be guessed: a code, or to a till a card's number."""
    return body.code is not None or (body.card is not None and caller.merchant is not None)


def _guess(asked: HotCall, body: PaymentBody) -> AbstractContextManager[None]:
    return asked.serving.guesses.one(asked.key.prefix, _shown(asked.caller, body))


def _submitted(serving: Serving, kind: Kind, command: Pay) -> "Future[Outcome] | Problem":
    try:
        return serving.submit(kind, command)
    except Problem as busy:
        return busy


def _item(outcome: Any, words: Words, dry_run: bool) -> dict[str, Any]:
    """One answer of a batch: a document of an effect, or problem details under `problem`."""
    if isinstance(outcome, Problem):
        return {"outcome": "problem", "problem": document(outcome, words)}
    return payment_answer(outcome, dry_run)


def _read_one(asked: HotCall, body: PaymentBody, key: str) -> tuple[Kind, Pay]:
    with asked.serving.looking(hot=True) as app:
        return _command(Objects(app, asked.caller), asked.caller, body, key)


def _read_many(asked: HotCall, bodies: list[KeyedPayment]) -> list["tuple[Kind, Pay] | Problem"]:
    read: list[tuple[Kind, Pay] | Problem] = []
    with asked.serving.looking(hot=True) as app:
        objects = Objects(app, asked.caller)
        for body in bodies:
            try:
                if _shown(asked.caller, body):
                    asked.serving.guesses.begin(asked.key.prefix)
                read.append(_command(objects, asked.caller, body, outside_key(body.idempotency_key)))
            except Problem as problem:
                read.append(problem)
    return read


def _command(objects: Objects, caller: Caller, body: PaymentBody, key: str) -> tuple[Kind, Pay]:
    """The command that a body asks for. Raises `Problem`."""
    if sum(one is not None for one in (body.card, body.code, body.wallet)) != 1:
        raise Problem(REQUEST_INVALID, {"where": "card, code, wallet"})
    shown = objects.payer(body.code) if body.code is not None else None
    wallet = shown.wallet if shown else objects.wallet(body.wallet) if body.wallet is not None else None
    merchant = objects.any_merchant(body.merchant) if caller.role is Role.HOLDER else objects.merchant(body.merchant)
    made = (Pay if body.capture else Authorize)(
        key=key,
        caller=caller,
        card=objects.shown_card(body.card) if body.card is not None else None,
        number=typed_number(body.card) if body.card is not None else None,
        wallet=wallet,
        code=shown.code if shown else None,
        merchant=merchant,
        store=objects.store(body.store, merchant),
        amount=Money(body.amount_fen),
        order_no=body.order_no,
        vouchers=tuple(objects.named_voucher(text) for text in body.vouchers),
        outside=Money(body.outside_fen),
        lines=tuple(Line(one.goods, Money(one.amount_fen)) for one in body.lines),
    )
    return (Kind.PAY if body.capture else Kind.AUTHORIZE), made


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


def _tried_all(asked: HotCall, wishes: list["tuple[Kind, Pay] | Problem"]) -> list[Effect | Problem]:
    return [one if isinstance(one, Problem) else _try(asked, *one) for one in wishes]


def _quoted(asked: HotCall, body: PaymentBody) -> dict[str, Any]:
    with asked.serving.looking(hot=True) as app:
        kind, wish = _command(Objects(app, asked.caller), asked.caller, body, DRY_RUN_KEY)
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


def _asgi(operation: Operation, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    decoder = msgspec.json.Decoder(BODIES[operation.name])

    async def answer(request: Request) -> Response:
        request.state.operation = operation.name
        serving: Serving = request.app.state.serving
        token = request.headers.get("authorization", "")
        scheme, _, secret = token.partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(API_KEY_MISSING)
        key = serving.known_key(secret)
        if key is None:
            key = await _threaded(serving, serving.key, secret, hot=True)
        asked = HotCall(
            serving,
            admitted(key, operation),
            request.state.words,
            _wish(request.headers.get("idempotency-key")),
            _flag(request.query_params.get("dry_run")),
            request.state.take,
        )
        try:
            body = decoder.decode(await request.body())
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            told = [{"field": "body", "message": str(wrong)}]
            raise Problem(REQUEST_INVALID, {"where": "body"}, {"details": told}) from None
        status, content, headers = await endpoint(asked, body)
        return Response(msgspec.json.encode(content), status, headers, "application/json")

    return answer


def _wish(given: str | None) -> str | None:
    if given is not None and not 1 <= len(given) <= 64:
        raise Problem(REQUEST_INVALID, {"where": "Idempotency-Key"})
    return given if given is None else outside_key(given)


def _flag(given: str | None) -> bool:
    if given not in (None, "true", "false"):
        raise Problem(REQUEST_INVALID, {"where": "dry_run"})
    return given == "true"


_PAYMENT = {"merchant": "$merchant", "amount_fen": 1_000, "order_no": "$new_order_no", "card": "$card_number"}
_BATCH = {"payments": [{**_PAYMENT, "idempotency_key": "$key"}]}
_CLAIM = {"wallet": "$wallet", "program": "$program", "stock": "$stock"}


def _route(endpoint: Endpoint, path: str, scope: str, roles: frozenset[Role], example: Mapping[str, Any]) -> Route:
    operation = Operation(
        name=getattr(endpoint, "__name__", ""),
        method="POST",
        path=PREFIX + path,
        summary=(endpoint.__doc__ or "").strip(),
        scope=scope,
        roles=roles,
        example=example,
    )
    OPERATIONS[operation.name] = operation
    return Route(operation.path, _asgi(operation, endpoint), methods=["POST"], name=operation.name)


ROUTES = [
    _route(create_payment, "/payments", "payments:write", TILLS, _PAYMENT),
    _route(create_payments, "/payments:batch", "payments:write", TILLS, _BATCH),
    _route(quote_payment, "/quotes", "payments:read", TILLS | {Role.HOLDER}, _PAYMENT),
    _route(claim_voucher, "/claims", "vouchers:write", HOLDERS, _CLAIM),
]
