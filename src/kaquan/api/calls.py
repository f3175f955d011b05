"""One request at work: who asks, in which language, under which id; what it names, found if it is the caller's."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from kaquan.api.errors import IDEMPOTENCY_KEY_MISSING, INTERNAL_FAULT, KEY_RESERVED
from kaquan.api.masks import masked
from kaquan.api.objects import Objects
from kaquan.api.problems import Problem, Words
from kaquan.api.serving import Serving
from kaquan.approvals import service as approvals
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.documents.answers import shown
from kaquan.identity import audit
from kaquan.identity.model import Key
from kaquan.kernel import clock
from kaquan.kernel.caller import Role
from kaquan.main import Kaquan

APPROVED = "approved-"
"""How the ids begin under which what two persons decided is done."""

JOB = "job-"
"""How the ids of the rows of a bulk job begin."""

DRY_RUN_KEY = "dry-run"
"""The id of a wish that is only tried: it burns nothing, so all may share it, if nothing was ever done under it."""

RESERVED = (APPROVED, JOB, DRY_RUN_KEY)


class Asked(msgspec.Struct):
    """What was asked for, as a second person reads it: the operation, what its path names, its body."""

    operation: str
    path: dict[str, str]
    body: dict[str, Any]


class Call:
    """What an operation works with.

    `app` looks things up; whatever changes something goes through `act`. Names of objects are resolved by `objects`,
    which raises `Problem` for what is unknown or foreign. `wish` is the id of the wish, which is `outside_key`'s when
    it came from outside. `approved`: a second person, the `approver`, has agreed already.
    """

    def __init__(
        self,
        serving: Serving,
        app: Kaquan,
        key: Key,
        words: Words,
        *,
        wish: str | None = None,
        dry_run: bool = False,
        approved: bool = False,
        approver: str = "",
    ) -> None:
        self.serving = serving
        self.words = words
        self.app = app
        self.api_key = key
        self.caller = key.caller
        self.dry_run = dry_run
        self.objects = Objects(app, self.caller)
        self.asked: Asked | None = None
        self.status = 200
        self.headers: dict[str, str] = {}
        self.approved = approved
        self.approver = approver
        self._key = wish

    @property
    def key(self) -> str:
        """The id of the caller's wish. Raises `Problem` when a request that changes something has none."""
        return wish_id(self._key, self.dry_run)

    def must_be_keyed(self) -> None:
        """Raises `Problem` when a request that changes something lacks an id, whatever ids its commands have."""
        self.key  # noqa: B018

    def act(self, kind: Kind, make: Callable[..., Any], **content: Any) -> dict[str, Any]:
        """Carry a command out, or try it; the answer as the outside sees it. Raises `Problem`."""
        return self.act_told(kind, make, lambda _: {}, **content)

    def act_told(
        self, kind: Kind, make: Callable[..., Any], told: Callable[[Effect], Mapping[str, Any]], **content: Any
    ) -> dict[str, Any]:
        """As `act`, with what `told` says of the effect beside it or instead of it."""
        command = make(key=self.key, caller=self.caller, **content)
        if not self.dry_run and not self.approved and approvals.needs_second(kind, command):
            return self._ask_second(kind)
        outcome = self.decided(kind, command)
        return self.answer(outcome, **(told(outcome) if isinstance(outcome, Effect) else {}))

    def decided(self, kind: Kind, command: Any) -> Outcome:
        """What becomes of a command, or would."""
        if self.dry_run:
            tried: Outcome = self.app.one(kind, command, dry_run=True)
            return tried
        return self.serving.send(kind, command)

    def _ask_second(self, kind: Kind) -> dict[str, Any]:
        """What takes two persons waits for the second; nothing has happened yet."""
        if self.asked is None:
            raise ValueError("what takes two persons must be asked for by an operation")
        reason = str(self.asked.body.get("reason") or self.asked.operation)
        body = msgspec.to_builtins(self.asked)
        command = approvals.request(self.key, self.caller, kind, body, reason)
        answer = self.answer(self.serving.send(Kind.REQUEST_APPROVAL, command))
        self.status = 202
        return {**answer, "outcome": "requested"}

    def answer(self, outcome: Outcome, **more: Any) -> dict[str, Any]:
        """The document of an effect. Raises the problem that a refusal is."""
        if not isinstance(outcome, Effect):
            raise Problem.of(outcome.refusal, replayed=outcome.replayed)
        if outcome.replayed:
            self.headers["idempotent-replayed"] = "true"
        return effect_document(outcome, self.dry_run, more)

    @contextmanager
    def noted(self, operation: str, path: Mapping[str, str]) -> Iterator[None]:
        """Write into the audit log what comes of the block: `ok`, or the code of the problem."""
        outcome = INTERNAL_FAULT.code
        try:
            yield
            outcome = "ok" if self.status == 200 else "requested"
        except Problem as problem:
            outcome = problem.refusal.code.code
            raise
        finally:
            row = audit.row(
                clock.system_now() + self.serving.ahead,
                self.caller,
                operation,
                outcome=outcome,
                key_prefix=self.api_key.prefix,
                object="/".join(map(masked, path.values())),
                request=self.words.request_id,
            )
            audit.write(self.app.connection, [row])

    def sees_program(self, code: str) -> bool:
        """Whether what belongs to a program is shown in a list: an issuer sees its own programs' only."""
        return self.caller.role is not Role.ISSUER or self.caller.organisation in self.objects.issuers([code])


def wish_id(given: str | None, dry_run: bool) -> str:
    """The id of a wish that changes something, or only tries to. Raises `Problem` when it has none."""
    if given is not None:
        return given
    if dry_run:
        return DRY_RUN_KEY
    raise Problem(IDEMPOTENCY_KEY_MISSING)


def outside_key(given: str) -> str:
    """An id that a caller made. Raises `Problem` for one that is ours."""
    for ours in RESERVED:
        if given.startswith(ours):
            raise Problem(KEY_RESERVED, {"prefix": ours})
    return given


def effect_document(outcome: Effect, dry_run: bool, more: Mapping[str, Any]) -> dict[str, Any]:
    """What an effect looks like outside."""
    return {"outcome": "effect", "replayed": outcome.replayed, "dry_run": dry_run, **shown(outcome.facts), **more}
