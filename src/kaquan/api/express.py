"""Payments that need nothing looked up: taken on as their last byte arrives, answered as their lane is done.

Most payments of a busy till are so: a known key, a card number and a merchant that this process has met before. They
are judged by the same functions as all others, and cost a fraction of the way through the framework.
Whatever is unusual in a request sends it that way instead, before anything has happened.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import structlog

from kaquan.api import metrics, problems, tracing
from kaquan.api.admission import admitted, bearer, wish_of
from kaquan.api.bodies import PaymentBody
from kaquan.api.errors import ANSWER_UNKNOWN, INTERNAL_FAULT, TOO_BUSY
from kaquan.api.gate import holds_nul, words_of
from kaquan.api.limits import Rates
from kaquan.api.memory import Forgotten
from kaquan.api.operations import OPERATIONS
from kaquan.api.problems import Problem, Words
from kaquan.api.replies import Answer, Hub, One
from kaquan.api.serving import ANSWER_SECONDS, Serving, judged
from kaquan.api.spending import create_payment, payment_answer, remembered, shown
from kaquan.commands.committer import Full
from kaquan.commands.model import Effect, Kind
from kaquan.commands.trouble import told
from kaquan.kernel import clock
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
            made = remembered(serving, admitted(key, _OPERATION).caller, body, wish_of(wish.decode("latin-1")))
        except (Forgotten, Problem, msgspec.DecodeError, UnicodeDecodeError):
            return False
        except Exception as fault:  # the long way tells the caller
            log.error("express.fault", error=told(fault))
            return False
        under_way = _UnderWay(serving.hub(), words_of(given, self._language), send)
        try:
            self._rates.take(token.rpartition("_")[0])
            if shown(key.caller, body):
                serving.guesses.allowed(key.prefix)  # the card is there, so it is none
        except Problem as problem:
            under_way.problem(problem)
        else:
            under_way.begin()
            self._submit(*made, under_way)
        return True

    def _submit(self, kind: Kind, command: Pay, under_way: "_UnderWay") -> None:
        try:
            self._serving.committer.tell(kind, command, under_way)
        except Full:
            under_way.turned_away()


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

    def turned_away(self) -> None:
        """Its lane has too much to do."""
        if self._late is not None:
            self._late.cancel()
        self.problem(Problem(TOO_BUSY))

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
        except Problem as problem:
            self.problem(problem)
        except Exception as fault:
            log.error("request.fault", request_id=self._words.request_id, error=told(fault))
            self.problem(Problem(INTERNAL_FAULT))
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
