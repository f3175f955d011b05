"""One request at work: who asks, in which language, under which id; what it names, found if it is the caller's."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request, Response

from kaquan.api.objects import Objects
from kaquan.api.problems import IDEMPOTENCY_KEY_MISSING, Problem, Words
from kaquan.api.serving import Serving
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.documents.answers import shown
from kaquan.kernel.caller import Caller, Role
from kaquan.main import Kaquan

DRY_RUN_KEY = "dry-run"
"""The id of a wish that is only tried: it burns nothing, so all may share it."""


class Call:
    """What an operation works with.

    `app` looks things up; whatever changes something goes through `act`. Names of objects are resolved by `objects`,
    which raises `Problem` for what is unknown or foreign.
    """

    def __init__(self, request: Request, response: Response, app: Kaquan, caller: Caller) -> None:
        self.serving: Serving = request.app.state.serving
        self.words: Words = request.state.words
        self.app = app
        self.caller = caller
        self.dry_run = request.query_params.get("dry_run") == "true"
        self.objects = Objects(app, caller)
        self._key = request.headers.get("idempotency-key")
        self._response = response

    @property
    def key(self) -> str:
        """The id of the caller's wish. Raises `Problem` when a request that changes something has none."""
        if self._key is not None:
            return self._key
        if self.dry_run:
            return DRY_RUN_KEY
        raise Problem(IDEMPOTENCY_KEY_MISSING)

    def act(self, kind: Kind, make: Callable[..., Any], **content: Any) -> dict[str, Any]:
        """Carry a command out, or try it; the answer as the outside sees it. Raises `Problem`."""
        command = make(key=self.key, caller=self.caller, **content)
        if self.dry_run:
            return self.answer(self.app.one(kind, command, dry_run=True))
        return self.answer(self.serving.send(kind, command))

    def answer(self, outcome: Outcome, **more: Any) -> dict[str, Any]:
        """The document of an effect. Raises the problem that a refusal is."""
        if not isinstance(outcome, Effect):
            raise Problem.of(outcome.refusal, replayed=outcome.replayed)
        if outcome.replayed:
            self._response.headers["idempotent-replayed"] = "true"
        return effect_document(outcome, self.dry_run, more)

    def sees_program(self, code: str) -> bool:
        """Whether what belongs to a program is shown in a list: an issuer sees its own programs' only."""
        return self.caller.role is not Role.ISSUER or self.caller.organisation in self.objects.issuers([code])


def effect_document(outcome: Effect, dry_run: bool, more: Mapping[str, Any]) -> dict[str, Any]:
    """What an effect looks like outside."""
    return {"outcome": "effect", "replayed": outcome.replayed, "dry_run": dry_run, **shown(outcome.facts), **more}
