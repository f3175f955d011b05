"""Webhook endpoints and what they were told, as documents."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.events.catalogue import event_id
from kaquan.kernel.ids import Id, public
from kaquan.webhooks.model import DeliveryState, Endpoint, EndpointState


def endpoint_document(one: Endpoint) -> dict[str, Any]:
    """An endpoint; its secret is sealed and shown to nobody."""
    return {
        "endpoint": public("whe", one.id),
        "state": EndpointState(one.state).name.lower(),
        "reason": one.reason,
        "url": one.url,
        "events": list(one.events),
        "added_at": instant(one.added_us),
        "previous_until_at": instant(one.previous_until_us),
    }


def listed_endpoint(row: Any) -> dict[str, Any]:
    """An endpoint in a list, with what did not arrive yet."""
    return {
        "endpoint": public("whe", row.id.bytes),
        "organisation": row.organisation,
        "state": EndpointState(row.state).name.lower(),
        "url": row.url,
        "events": row.events,
        "reason": row.reason,
        "undelivered": row.waiting,
        "given_up": row.given_up,
    }


def delivery_document(row: Any) -> dict[str, Any]:
    """One event told to one endpoint, with the last attempt."""
    return {
        "delivery": public("whd", row.id.bytes),
        "event_id": event_id(Id(row.event.bytes)),
        "event": row.name,
        "happened_at": instant(row.at),
        "state": DeliveryState(row.state).name.lower(),
        "attempts": row.attempts,
        "status": row.status,
        "milliseconds": row.milliseconds,
        "failure": row.failure,
        "retry_at": instant(row.due_at) if row.state == DeliveryState.WAITING else None,
        "answer": None if row.answer is None else answer_text(row.answer),
    }


def answer_text(answer: bytes) -> str:
    """The beginning of an answer as it can be shown on one line."""
    return "".join(letter if letter.isprintable() else " " for letter in bytes(answer).decode("utf-8", "replace"))
