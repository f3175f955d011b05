"""An API key as a document: everything but its secret, which is kept nowhere."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.identity.model import KeyView
from kaquan.kernel.ids import public


def key_document(one: KeyView) -> dict[str, Any]:
    """The key, with whom it lets in and until when."""
    return {
        "api_key": public("key", one.id),
        "name": one.name,
        "role": one.role,
        "organisation": one.organisation or "-",
        "merchant": public("mer", one.merchant) if one.merchant else None,
        "wallet": public("wal", one.wallet) if one.wallet else None,
        "scopes": list(one.scopes),
        "state": one.state.word,
        "created_at": instant(one.created_us),
        "created_by": one.created_by,
        "expires_at": instant(one.expires_us),
        "old_until_at": instant(one.old_until_us),
        "last_used_at": instant(one.last_used_us),
        "prefix": one.prefix,
    }
