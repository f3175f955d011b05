"""Payments that need next to nothing looked up: taken on as their last byte arrives, answered as their lane is done.

Most payments of a busy till are so: a known key, a merchant and a card number that this process has met before. They
are judged by the same functions as all others, and cost a fraction of the way through the framework. A card number
that was never met is looked up with all others that wait for that (`api.numbers`).
Whatever is unusual in a request sends it that way instead, before anything has happened.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import structlog

from kaquan.api import metrics, problems, tracing
from kaquan.api.admission import admitted, bearer, wish_of
from kaquan.api.bodies import PaymentBody
from kaquan.api.errors import ANSWER_UNKNOWN, INTERNAL_FAULT, NOT_FOUND, TOO_BUSY
from kaquan.api.gate import holds_nul, words_of
from kaquan.api.hot import threaded
from kaquan.api.limits import Rates
from kaquan.api.memory import Forgotten
from kaquan.api.numbers import Met, Numbers
from kaquan.api.operations import OPERATIONS
from kaquan.api.problems import Problem, Words
from kaquan.api.replies import Answer, Hub, One
from kaquan.api.serving import ANSWER_SECONDS, Serving, judged, turned_away
from kaquan.api.spending import create_payment, payment_answer
from kaquan.api.wishes import Unmet, cards_of, remembered, shown
from kaquan.commands.committer import Full
from kaquan.commands.model import Effect, Kind
from kaquan.commands.trouble import told
from kaquan.kernel import clock
from kaquan.kernel.caller import Caller
from kaquan.kernel.refusal import Language
from kaquan.payments.model import Pay

Headers = Sequence[tuple[bytes, bytes]]
Send = Callable[[int, list[tuple[bytes, bytes]], bytes], None]
"""Sends an answer: status, headers, body."""

log = structlog.get_logger()
_OPERATION = OPERATIONS[create_payment.__name__]
_BODY = msgspec.json.Decoder(PaymentBody)
_JSON = [(b"content-type", b"application/json")]
_REPLAYED = [*_JSON, (b"idempotent-replayed", b"true")]


class Express:
    """One for a process; used in its loop only."""

    def __init__(self, serving: Serving, language: Language, rates: Rates) -> None:
        self._serving = serving
        self._language = language
        self._rates = rates
        self._numbers = Numbers(partial(threaded, serving, cards_of, serving))

    def take(self, headers: Headers, content: bytes, send: Send) -> bool:
        """Take a payment on, and answer it through `send`. False when it must go the long way: then nothing has
        happened, and nothing of it was counted."""
        given = dict(headers)
        token = bearer(given.get(b"authorization", b"").decode("latin-1"))
        wish = given.get(b"idempotency-key")
        if token is None or wish is None or len(given) != len(headers) or tracing.on() or holds_nul(content):
            return False
        serving = self._serving
        try:
            key = serving.known_key(token)
            if key is None:
                return False
            body = _BODY.decode(content)
            made = _made(serving, admitted(key, _OPERATION).caller, body, wish_of(wish.decode("latin-1")))
        except (Forgotten, Problem, msgspec.DecodeError, UnicodeDecodeError):
            return False
        except Exception as fault:  # the long way tells the caller
            log.error("express.fault", error=told(fault))
            return False
        under_way = _UnderWay(serving.hub(), words_of(given, self._language), send)
        guesser = key.prefix if shown(key.caller, body) else None
        try:
            self._rates.take(token.rpartition("_")[0])
            if guesser is not None:
                self._may_show(guesser, made)
        except Problem as problem:
            under_way.problem(problem)
            return True
        under_way.begin()
        if isinstance(made, Unmet):
            self._meet(made, guesser, under_way)
        else:
            self._submit(*made, under_way)
        return True

    def _may_show(self, guesser: str, made: tuple[Kind, Pay] | Unmet) -> None:
        """A card that was met is there, so it was no wrong guess; another may be one. Raises `Problem`."""
        if isinstance(made, Unmet):
            self._serving.guesses.begin(guesser)
        else:
            self._serving.guesses.allowed(guesser)

    def _meet(self, unmet: Unmet, guesser: str | None, under_way: "_UnderWay") -> None:
        """Go on when the card of the number is known."""

        def met(card: Met) -> None:
            if guesser is not None and card is not None:
                self._serving.guesses.right(guesser)
            if under_way.dropped:
                return  # it was told that nothing is known
            if card is None:
                under_way.ended(Problem(NOT_FOUND))
            elif isinstance(card, Exception):
                under_way.ended(card)
            else:
                self._submit(*unmet.by(card), under_way)

        if not self._numbers.ask(unmet.number, met):
            met(Problem(TOO_BUSY))

    def _submit(self, kind: Kind, command: Pay, under_way: "_UnderWay") -> None:
        try:
            self._serving.committer.tell(kind, command, under_way)
        except Full as full:
            under_way.ended(turned_away(full))


def _made(serving: Serving, caller: Caller, body: PaymentBody, key: str) -> tuple[Kind, Pay] | Unmet:
    try:
        return remembered(serving, caller, body, key)
    except Unmet as unmet:
        return unmet


class _UnderWay(One):
    """One payment that was taken on, and the `committer.Reply` of its command."""

    __slots__ = ("_began", "_late", "_loop", "_send", "_words")

    def __init__(self, hub: Hub, words: Words, send: Send) -> None:
        super().__init__(hub, self._answered)
        self._loop = hub.loop
        self._words = words
        self._send = send
        self._began = clock.seconds()
        self._late: asyncio.TimerHandle | None = None
        metrics.begun()

    def begin(self) -> None:
        """From now on an answer is waited for, but not for ever."""
        self._late = self._loop.call_later(ANSWER_SECONDS, self._too_late)

    def ended(self, trouble: Exception) -> None:
        """Nothing came of it."""
        if self._late is not None:
            self._late.cancel()
        if not isinstance(trouble, Problem):
            log.error("request.fault", request_id=self._words.request_id, error=told(trouble))
            trouble = Problem(INTERNAL_FAULT)
        self.problem(trouble)

    def _too_late(self) -> None:
        self.dropped = True
        self._late = None
        self.problem(Problem(ANSWER_UNKNOWN))

    def _answered(self, answer: Answer) -> None:
        if self._late is None:
            return  # it was told that nothing is known
        self._late.cancel()
        try:
            outcome = judged(answer)
            if not isinstance(outcome, Effect):
                raise Problem.of(outcome.refusal, replayed=outcome.replayed)
            content = msgspec.json.encode(payment_answer(outcome, False))
        except Exception as trouble:
            self.ended(trouble)
        else:
            self._tell(200, list(_REPLAYED if outcome.replayed else _JSON), content)

    def problem(self, problem: Problem) -> None:
        """Answer with a problem."""
        head = [(b"content-type", problems.MEDIA_TYPE.encode())]
        head += [(name.encode(), value.encode()) for name, value in problems.headers(problem).items()]
        self._tell(problem.refusal.code.status, head, problems.encoded(problem, self._words))

    def _tell(self, status: int, head: list[tuple[bytes, bytes]], content: bytes) -> None:
        metrics.ended(self._words.request_id, _OPERATION.name, status, clock.seconds() - self._began)
        head += ((b"x-request-id", self._words.request_id.encode()), (b"cache-control", b"no-store"))
        self._send(status, head, content)
