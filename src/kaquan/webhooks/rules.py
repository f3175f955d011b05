"""Endpoints: may this one be added or changed; who hears of what; when a delivery is tried again. Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.events.catalogue import EVENTS
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.webhooks import errors
from kaquan.webhooks.addresses import target
from kaquan.webhooks.model import (
    OPERATORS,
    AddEndpoint,
    Answered,
    ChangeEndpoint,
    DeliveryState,
    Endpoint,
    EndpointFacts,
    EndpointState,
    Reach,
    RemoveEndpoint,
    RotateEndpointSecret,
    StopEndpoint,
)

ENDPOINTS_MAX = 20  # of one organisation: each is looked at for every event
PATTERNS_MAX = 50
SECOND_US = 1_000_000
OVERLAP_US = 24 * 3600 * SECOND_US
FIRST_DELAY_US = 10 * SECOND_US
DELAY_MAX_US = 12 * 3600 * SECOND_US
GROWTH = 3
TRYING_US = 3 * 24 * 3600 * SECOND_US
"""How long a delivery is tried, from its first attempt on."""

_JITTER = 5
"""A delay is up to a fifth longer, so that what failed together does not come back together."""

_OWNERS = (Role.ISSUER, Role.MERCHANT, Role.FUNDER)

GONE = 410
REASON_GONE = "410"


def decide(entry: Entry, facts: EndpointFacts, reach: Reach, at: datetime) -> Plan | Refusal:
    """Add, change, remove, rotate, stop."""
    command, now_us = entry.command, microseconds(at)
    if isinstance(command, AddEndpoint):
        return _add(entry, command, facts, reach, now_us)
    endpoint = facts.endpoints.get(command.endpoint)
    if endpoint is None or not reaches(command.caller, endpoint.organisation):
        return Refusal(errors.ENDPOINT_UNKNOWN)
    if endpoint.state == EndpointState.REMOVED:
        return Refusal(errors.ENDPOINT_REMOVED)
    match command:
        case ChangeEndpoint():
            return _change(command, endpoint, reach, now_us)
        case RemoveEndpoint():
            return _become(endpoint, "removed", state=EndpointState.REMOVED)
        case RotateEndpointSecret():
            return _rotate(command, endpoint, now_us)
        case StopEndpoint():
            return _become(endpoint, "stopped", state=EndpointState.STOPPED, reason=command.reason)
    raise TypeError(f"not about an endpoint: {type(command).__name__}")


def reaches(caller: Caller, organisation: int) -> bool:
    """Whether a caller may see and change the endpoints of an organisation: its own, the operator all.

    A till or a holder has none: an endpoint hears more than they may see.
    """
    if caller.role in (Role.OPERATOR, Role.SYSTEM):
        return True
    whole = caller.role in _OWNERS and caller.merchant is None and caller.wallet is None
    return whole and caller.organisation == organisation


def may_see(organisation: int, concerned: Collection[int]) -> bool:
    """Whether an endpoint's organisation may hear of an event that concerns these organisations.

    Concerned are the issuer of the program, the organisation of the merchant, the party of the fund, the owner of the
    endpoint: whoever is behind what it names. The operator hears everything.
    """
    return organisation == OPERATORS or organisation in concerned


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns means the event: its name, `subject.*`, or `*`."""
    return any(
        pattern in (name, "*") or (pattern.endswith(".*") and name.startswith(pattern[:-1])) for pattern in patterns
    )


def hears(endpoint: Endpoint, name: str, at_us: int) -> bool:
    """Whether an endpoint wants an event; whether it may see it is another question."""
    running = endpoint.state == EndpointState.RUNNING
    return running and at_us >= endpoint.since_us and matches(endpoint.events, name)


def next_due(delivery: Id, attempts: int, started_us: int, now_us: int) -> int | None:
    """When a delivery that has failed `attempts` times is tried again, or None when it was tried for long enough.

    Delays grow threefold from ten seconds to twelve hours, each longer by a part that follows from the delivery.
    """
    delay = min(FIRST_DELAY_US * GROWTH ** min(attempts - 1, 20), DELAY_MAX_US)
    drawn = int.from_bytes(sha256(delivery + attempts.to_bytes(4, "big")).digest()[:4], "big")
    due_us = now_us + delay + (delay // _JITTER) * drawn // 2**32
    return due_us if due_us <= started_us + TRYING_US else None


def outcome(
    delivery: Id, attempts: int, started_us: int, answered: Answered, now_us: int
) -> tuple[DeliveryState, int]:
    """What an attempt makes of a delivery, and when it is due next. `attempts` counts this one."""
    if 200 <= answered.status < 300:
        return DeliveryState.DELIVERED, now_us
    due_us = next_due(delivery, attempts, started_us or now_us, now_us)
    return (DeliveryState.GIVEN_UP, now_us) if due_us is None else (DeliveryState.WAITING, due_us)


def patterns_refusal(patterns: Collection[str]) -> Refusal | None:
    """Why an endpoint can't ask for these events, or None."""
    if not 1 <= len(patterns) <= PATTERNS_MAX:
        return Refusal(errors.ENDPOINT_EVENT_UNKNOWN, {"event": "", "most": PATTERNS_MAX})
    for pattern in patterns:
        if not any(matches([pattern], name) for name in EVENTS):
            return Refusal(errors.ENDPOINT_EVENT_UNKNOWN, {"event": pattern[:60], "most": PATTERNS_MAX})
    return None


def _add(entry: Entry, command: AddEndpoint, facts: EndpointFacts, reach: Reach, now_us: int) -> Plan | Refusal:
    owner = facts.organisations.get(command.organisation) if command.organisation else OPERATORS
    if owner is None or not reaches(command.caller, owner):
        return Refusal(errors.ENDPOINT_ORGANISATION_UNKNOWN, {"organisation": command.organisation[:40]})
    if refusal := _unfit(command.url, command.events, reach):
        return refusal
    if facts.of_organisation.get(owner, 0) >= ENDPOINTS_MAX:
        return Refusal(errors.ENDPOINT_LIMIT_REACHED, {"most": ENDPOINTS_MAX})
    endpoint = Endpoint(
        id=entry.id,
        version=1,
        organisation=owner,
        state=EndpointState.RUNNING,
        url=command.url,
        events=command.events,
        secret=command.sealed_secret,
        since_us=now_us,
        added_us=now_us,
    )
    row = {
        **endpoint.columns(),
        "id": entry.id.hex(),
        "bucket": bucket_of(entry.id),
        "at": now_us,
        "organisation": owner,
        "version": 1,
    }
    return Plan(
        answer=_answer(endpoint),
        event="endpoint.added.v1",
        cold=(("webhook_endpoint", row),),
        born=(endpoint,),
    )


def _change(command: ChangeEndpoint, endpoint: Endpoint, reach: Reach, now_us: int) -> Plan | Refusal:
    """A stopped endpoint runs again only when that is asked for, and hears of what happens from then on."""
    url = endpoint.url if command.url is None else command.url
    events = endpoint.events if command.events is None else command.events
    if refusal := _unfit(url, events, reach):
        return refusal
    changed: dict[str, Any] = {"url": url, "events": events}
    if command.resume and endpoint.state == EndpointState.STOPPED:
        changed |= {"state": EndpointState.RUNNING, "reason": "", "since_us": now_us}
    return _become(endpoint, "changed", **changed)


def _rotate(command: RotateEndpointSecret, endpoint: Endpoint, now_us: int) -> Plan:
    """The secret of before signs for another day; one from before that signs no more."""
    until_us = now_us + OVERLAP_US
    secrets = {"secret": command.sealed_secret, "previous": endpoint.secret, "previous_until_us": until_us}
    return _become(endpoint, "secret_rotated", **secrets)


def _become(endpoint: Endpoint, what: str, **changed: Any) -> Plan:
    after = msgspec.structs.replace(endpoint, **changed)
    changes = ((endpoint, after.state_values()),)
    return Plan(answer=_answer(after), event=f"endpoint.{what}.v1", changes=changes)


def _unfit(url: str, events: Collection[str], reach: Reach) -> Refusal | None:
    found = target(url, reach)
    return found if isinstance(found, Refusal) else patterns_refusal(events)


def _answer(endpoint: Endpoint) -> bytes:
    return msgspec.json.encode(_told(endpoint))


def _told(endpoint: Endpoint) -> dict[str, Any]:
    """What an answer says: it stays for ever, so it holds no URL, which may be a secret between two parties."""
    state = EndpointState(endpoint.state).name.lower()
    told = {"endpoint": endpoint.id.hex(), "events": list(endpoint.events), "state": state}
    return {**told, "previous_until_us": endpoint.previous_until_us} if endpoint.previous else told
