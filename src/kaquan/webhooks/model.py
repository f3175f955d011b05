"""Endpoints as commands and as loaded facts; deliveries, and what became of an attempt."""

from collections.abc import Sequence
from enum import IntEnum
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple

import msgspec

from kaquan.commands.model import Command, Plan, SlowRow
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, bucket_of, derived_id

OPERATORS = OPERATOR.organisation
"""The organisation of endpoints that hear everything."""


class EndpointState(IntEnum):
    """The life of an endpoint. Stored."""

    RUNNING = 1
    STOPPED = 2
    REMOVED = 3


class DeliveryState(IntEnum):
    """What became of a delivery. Stored."""

    WAITING = 1
    DELIVERED = 2
    GIVEN_UP = 3


class Reach(NamedTuple):
    """What an installation lets its webhooks reach beyond public addresses over https."""

    http: bool = False
    private: bool = False


class AddEndpoint(Command, frozen=True, kw_only=True):
    """Tell what happens to a URL. `organisation` is the code of whose it is, empty for the operator.

    `events` are names or patterns such as `payment.*`. The endpoint's id is the command's.
    """

    organisation: str
    url: str
    events: tuple[str, ...]
    sealed_secret: bytes

    @property
    def subject(self) -> Id:
        """The endpoints of the organisation: they lie together."""
        return endpoints_of(self.organisation)

    def content(self) -> bytes:
        """What is the same on every retry; the secret is drawn anew each time, and is nobody's wish."""
        return msgspec.msgpack.encode((self.organisation, self.url, self.events, self.caller))


class EndpointCommand(Command, frozen=True, kw_only=True):
    """A command on an endpoint."""

    endpoint: Id

    @property
    def subject(self) -> Id:
        """The endpoint."""
        return self.endpoint


class ChangeEndpoint(EndpointCommand, frozen=True, kw_only=True):
    """Another URL, other events, or a stopped endpoint that is to run again. None leaves a thing as it is."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    resume: bool = False


class RemoveEndpoint(EndpointCommand, frozen=True, kw_only=True):
    """Tell this endpoint nothing more, for ever."""


class RotateEndpointSecret(EndpointCommand, frozen=True, kw_only=True):
    """A new secret; the old one signs too for a day, so that the receiver has time to change."""

    sealed_secret: bytes

    def content(self) -> bytes:
        """What is the same on every retry; the secret is drawn anew each time."""
        return msgspec.msgpack.encode((self.endpoint, self.caller))


class StopEndpoint(EndpointCommand, frozen=True, kw_only=True):
    """The receiver said that it is gone: tell it nothing until its owner wants it again."""

    reason: str


class Endpoint(SlowRow):
    """A loaded endpoint. Secrets are sealed; the previous one is empty when there is none."""

    table: ClassVar[str] = "webhook_endpoint"
    organisation: int
    state: int
    url: str
    events: tuple[str, ...]
    secret: bytes
    since_us: int
    previous: bytes = b""
    previous_until_us: int = 0
    reason: str = ""
    added_us: int = 0

    def become(self, values: Sequence[Any]) -> None:
        """What `state_values` gives."""
        self.state, self.url, self.events, self.reason, self.since_us, *secrets = values
        self.secret, self.previous, self.previous_until_us = secrets

    def state_values(self) -> tuple[Any, ...]:
        """Everything that may change."""
        told = (self.state, self.url, self.events, self.reason, self.since_us)
        return (*told, self.secret, self.previous, self.previous_until_us)

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "url": self.url,
            "events": list(self.events),
            "reason": self.reason,
            "since": self.since_us,
            "secret": "\\x" + self.secret.hex(),
            "previous": "\\x" + self.previous.hex(),
            "previous_until": self.previous_until_us,
        }


class EndpointFacts(msgspec.Struct):
    """What commands on endpoints are decided on. `of_organisation` counts those that are not removed."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    endpoints: dict[bytes, Endpoint]
    organisations: dict[str, int]
    of_organisation: dict[int, int]

    def absorb(self, plan: Plan) -> None:
        """What this batch adds counts, and can be changed by what comes after it."""
        for born in plan.born:
            self.endpoints[born.id] = born
            self.of_organisation[born.organisation] = self.of_organisation.get(born.organisation, 0) + 1


class Happened(NamedTuple):
    """An event out of the journal: its effect, its name, when it happened, and the answer of its command."""

    effect: Id
    name: str
    at_us: int
    answer: dict[str, Any]


class Delivery(NamedTuple):
    """An event on its way to an endpoint, taken to be sent. `started_us` is 0 before the first attempt."""

    id: Id
    version: int
    endpoint: Id
    event: Id
    attempts: int
    started_us: int
    body: bytes


class Answered(NamedTuple):
    """What came of an attempt. `status` is 0 when nobody answered; then `failure` says why."""

    status: int
    milliseconds: int
    answer: bytes = b""
    failure: str = ""


class Counts(NamedTuple):
    """What one turn of the dispatcher came to. `looked` counts batches of the journal."""

    looked: int = 0
    queued: int = 0
    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    stopped: int = 0

    @property
    def idle(self) -> bool:
        """Whether there was nothing to be done."""
        return not any(self)


def endpoints_of(organisation: str) -> Id:
    """What the endpoints of an organisation are addressed by."""
    return Id(sha256(f"endpoints of {organisation}".encode("utf-8", "surrogatepass")).digest()[:16])


def delivery_id(endpoint: Id, event: Id) -> Id:
    """The delivery of an event to an endpoint: the same, whoever makes it, in the bucket of the endpoint."""
    origin = Id(event[:6] + endpoint[6:])
    identity = derived_id(origin, b"delivery" + event)
    if bucket_of(identity) != bucket_of(endpoint):
        raise AssertionError("a delivery lies with its endpoint")
    return identity
