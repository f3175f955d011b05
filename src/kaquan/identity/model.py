"""API keys as commands, and what is known of them."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, Plan, SlowRow
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import Id

NOBODY = Id(bytes(16))
"""Keys belong to no wallet: their commands live in the first bucket, as those of reference data do."""

ANYTHING = "*"
"""The scope that holds all others, also those of later versions."""

_BOTH = (
    *("accounting", "approvals", "cards", "codes", "draws", "funds", "holders", "jobs", "keys", "merchants"),
    *("packets", "payments", "plans", "programs", "referrals", "settlements", "stocks", "vouchers", "webhooks"),
)
SCOPES = frozenset({
    ANYTHING,
    *(f"{one}:{verb}" for one in _BOTH for verb in ("read", "write")),
    *(f"{one}:read" for one in ("audit", "ledger", "reports")),
})  # fmt: skip
"""What a key may be allowed: a closed list, so that a scope that is misspelt is refused and never grants nothing."""


class KeyState(IntEnum):
    """Stored. Expiry is no state: it comes by itself."""

    ACTIVE = 1
    REVOKED = 2

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class IssueKey(Command, frozen=True, kw_only=True):
    """Let somebody call from outside as `role` of an organisation for `days` days.

    `organisation` is its code, empty for the operator; `merchant` and `wallet` as the role asks. `within` are the
    scopes of the key that issues: a key gives no scope that it has not. The secret itself never comes in: only the
    token's public `prefix` and the secret's `digest`.
    """

    name: str
    organisation: str
    role: Role
    merchant: str = ""
    wallet: Id | None = None
    scopes: tuple[str, ...]
    days: int
    within: tuple[str, ...] = (ANYTHING,)
    prefix: str
    digest: bytes

    @property
    def subject(self) -> Id:
        """Nobody."""
        return NOBODY

    def content(self) -> bytes:
        """What is the same on every retry: a fresh secret is drawn each time, and the first one stands."""
        return _without_secret(self, ("prefix", "digest"))


class KeyCommand(Command, frozen=True, kw_only=True):
    """A command on a key."""

    api_key: Id

    @property
    def subject(self) -> Id:
        """The key."""
        return self.api_key


class RotateKey(KeyCommand, frozen=True, kw_only=True):
    """Give a key a new secret and `days` more days; the old secret is taken for `grace_hours` more, or not at all.

    Whoever rotates gets the secret, so it is issuing once more: `within` is as in `IssueKey`.
    """

    days: int
    grace_hours: int
    within: tuple[str, ...] = (ANYTHING,)
    digest: bytes

    def content(self) -> bytes:
        """See `IssueKey.content`."""
        return _without_secret(self, ("digest",))


class RevokeKey(KeyCommand, frozen=True, kw_only=True):
    """Let a key in no more, whichever of its secrets is shown."""


class ApiKey(SlowRow):
    """A loaded key. `old_digest` is that of the secret before the last rotation, taken until `old_until_us`."""

    table: ClassVar[str] = "api_key"
    prefix: str
    name: str
    organisation: int
    role: Role
    merchant: Id | None
    wallet: Id | None
    scopes: tuple[str, ...]
    state: KeyState
    expires_us: int
    digest: bytes
    old_digest: bytes | None = None
    old_until_us: int | None = None
    replaced_us: int | None = None
    revoked_us: int | None = None
    revoked_by: str | None = None

    def become(self, values: Sequence[Any]) -> None:
        """One pair: the key as a plan leaves it, whose columns that may change are taken over."""
        (other,) = values
        for field in ("state", "expires_us", "digest", "old_digest", "old_until_us", "replaced_us"):
            setattr(self, field, getattr(other, field))
        self.revoked_us, self.revoked_by = other.revoked_us, other.revoked_by

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "expires_at": self.expires_us,
            "digest": hexed(self.digest),
            "old_digest": hexed(self.old_digest),
            "old_until": self.old_until_us,
            "replaced_at": self.replaced_us,
            "revoked_at": self.revoked_us,
            "revoked_by": self.revoked_by,
        }

    def answer(self) -> dict[str, Any]:
        """What may be told of it: everything but digests."""
        told: dict[str, Any] = {
            "api_key": self.id.hex(),
            "expires_us": self.expires_us,
            "name": self.name,
            "organisation": self.organisation,
            "prefix": self.prefix,
            "role": self.role.value,
            "scopes": list(self.scopes),
            "state": self.state.word,
        }
        if self.merchant is not None:
            told["merchant"] = self.merchant.hex()
        if self.wallet is not None:
            told["wallet"] = self.wallet.hex()
        return told


class KeyFacts(msgspec.Struct):
    """Keys, organisations by code, merchants by code with their organisation, wallets that there are."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    keys: dict[bytes, ApiKey]
    organisations: dict[str, int]
    merchants: dict[str, tuple[Id, int]]
    wallets: set[bytes]

    def absorb(self, plan: Plan) -> None:
        """A key that this batch issued is there; one that it changed has become so already."""
        self.keys.update((key.id, key) for key in plan.born)


class Key(msgspec.Struct, frozen=True):
    """A key as the door outside knows it: who calls with it, and what it may. `expires_us` is that of the secret
    which was shown: an old one ends with its grace."""

    id: Id
    prefix: str
    caller: Caller
    scopes: frozenset[str]
    expires_us: int
    revoked: bool = False

    def allows(self, scope: str) -> bool:
        """Whether the key may do what asks for this scope."""
        return ANYTHING in self.scopes or scope in self.scopes


class KeyView(msgspec.Struct, frozen=True):
    """A key for display. `organisation` is a code, empty for the operator."""

    id: Id
    prefix: str
    name: str
    organisation: str
    role: str
    merchant: Id | None
    wallet: Id | None
    scopes: tuple[str, ...]
    state: KeyState
    created_us: int
    created_by: str
    expires_us: int
    old_until_us: int | None
    last_used_us: int | None

    @property
    def place(self) -> tuple[int, Id]:
        """Where it stands in lists."""
        return self.created_us, self.id


def hexed(value: bytes | None) -> str | None:
    r"""Bytes as the database reads them in JSON: `\x…`."""
    return None if value is None else "\\x" + value.hex()


def _without_secret(command: Command, secret: tuple[str, ...]) -> bytes:
    told = {name: value for name, value in msgspec.structs.asdict(command).items() if name not in (*secret, "key")}
    return msgspec.msgpack.encode(told)
