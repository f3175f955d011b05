"""A device that shows payment codes, as a document."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.kernel.ids import public
from kaquan.payment_codes.service import DeviceView


def device_document(one: DeviceView) -> dict[str, Any]:
    """The device; its secret is kept sealed and shown to nobody."""
    return {
        "device": public("dev", one.id),
        "handle": one.handle,
        "label": one.label,
        "state": one.state.name.lower(),
        "card": public("crd", one.card) if one.card else None,
        "at": instant(one.at_us),
    }
