"""Secrets of endpoints: drawn, sealed at rest, and what is signed with them."""

import base64
import os
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from standardwebhooks.webhooks import Webhook

from kaquan.events.catalogue import event_id
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.privacy.subject_keys import MasterKey, seal, unseal
from kaquan.webhooks.model import Delivery, Endpoint

SECRET_BYTES = 32
PREFIX = "whsec_"
_SEALED_AS = b"webhook secret"


def drawn() -> str:
    """A fresh secret, as its receiver keeps it."""
    return PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def sealed(master: MasterKey, endpoint: Id, secret: str) -> bytes:
    """A secret as it is stored: it opens for its endpoint only."""
    return seal(_cipher(master), secret.encode(), _SEALED_AS + endpoint)


def opened(master: MasterKey, endpoint: Endpoint, at_us: int) -> list[str]:
    """The secrets that sign at an instant (of the installation), newest first. Never log what this gives."""
    kept = [endpoint.secret]
    if endpoint.previous and at_us < endpoint.previous_until_us:
        kept.append(endpoint.previous)
    return [unseal(_cipher(master), one, _SEALED_AS + endpoint.id).decode() for one in kept]


def headers(delivery: Delivery, secrets: list[str], now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks: one signature for each secret, so that old and new receivers verify."""
    name = event_id(delivery.event)
    text = delivery.body.decode()
    signatures = [Webhook(secret).sign(name, now, text) for secret in secrets]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(microseconds(now) // 1_000_000),
        "webhook-signature": " ".join(signatures),
    }


def _cipher(master: MasterKey) -> AESGCM:
    return AESGCM(master.derive("webhook-secret"))
