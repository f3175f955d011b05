"""May this key be issued, rotated, revoked? Pure.

What is malformed comes first, then whether who asks may look after such a key at all, then what does not exist for
it, then scopes.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.identity import errors
from kaquan.identity.model import ANYTHING, SCOPES, ApiKey, IssueKey, Key, KeyFacts, KeyState, RevokeKey, RotateKey
from kaquan.kernel.caller import Caller, Role, same_person
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.refusal import Refusal

NAME_LENGTH_MAX = 40  # who acts, on one line of a log, as the names of persons are
KEY_DAYS_MAX = 400  # a year, and a month to rotate it in
GRACE_HOURS_MAX = 168  # a week: whoever can't replace a secret in a week has lost track of it

_EVERYBODY = frozenset(Role) - {Role.SYSTEM}
MAY_LOOK_AFTER: dict[Role, frozenset[Role]] = {
    Role.OPERATOR: _EVERYBODY,
    Role.ISSUER: frozenset({Role.ISSUER, Role.MERCHANT, Role.CASHIER}),
    Role.MERCHANT: frozenset({Role.MERCHANT, Role.CASHIER}),
}
"""Whose keys a role may issue, rotate and revoke: none above itself. A wallet holds cards of every issuer, funds and
supervision are nobody's but the operator's to assign: their keys come from the operator."""

SECOND_PERSONS = (Role.OPERATOR, Role.ISSUER)
"""Whose persons ask and approve where it takes two: nobody alone gets a key of theirs, the operator included."""

_AT_MERCHANT = (Role.MERCHANT, Role.CASHIER)


def decide(entry: Entry, facts: KeyFacts, at: datetime) -> Plan | Refusal:
    """Any command on a key."""
    command = entry.command
    if refusal := _malformed(command):
        return refusal
    if isinstance(command, IssueKey):
        return _issue(entry.id, command, facts, at)
    key = facts.keys.get(command.api_key)
    if key is None or not _sees(command.caller, key):
        return Refusal(errors.KEY_UNKNOWN)
    if refusal := _beyond(command.caller.role, key.role):
        return refusal
    if key.state is KeyState.REVOKED:
        return Refusal(errors.KEY_IS_REVOKED, {"prefix": key.prefix})
    if isinstance(command, RevokeKey):
        return _revoke(command, key, at)
    return _another_s(command, key) or _rotate(command, key, at)


def _malformed(command: IssueKey | RotateKey | RevokeKey) -> Refusal | None:
    if isinstance(command, RevokeKey):
        return None
    if not 1 <= command.days <= KEY_DAYS_MAX:
        return Refusal(errors.KEY_DAYS_INVALID, {"days_max": KEY_DAYS_MAX})
    if isinstance(command, RotateKey):
        in_range = 0 <= command.grace_hours <= GRACE_HOURS_MAX
        return None if in_range else Refusal(errors.KEY_GRACE_INVALID, {"hours_max": GRACE_HOURS_MAX})
    if not command.name.strip() or len(command.name) > NAME_LENGTH_MAX or not command.name.isprintable():
        return Refusal(errors.KEY_NAME_INVALID, {"length_max": NAME_LENGTH_MAX})
    at_merchant, of_holder = command.role in _AT_MERCHANT, command.role is Role.HOLDER
    placed = bool(command.merchant) is at_merchant and (command.wallet is not None) is of_holder
    if not placed or bool(command.organisation) is (command.role is Role.OPERATOR):
        return Refusal(errors.KEY_PLACE_INVALID)
    return _unknown_scope(command.scopes)


def _unknown_scope(scopes: Sequence[str]) -> Refusal | None:
    wrong = next((one for one in scopes if one not in SCOPES or scopes.count(one) > 1), "" if not scopes else None)
    if wrong is None:
        return None
    return Refusal(errors.KEY_SCOPE_UNKNOWN, {"scope": wrong[:NAME_LENGTH_MAX], "scopes": " ".join(sorted(SCOPES))})


def _beyond(own: Role, role: Role) -> Refusal | None:
    if role in MAY_LOOK_AFTER.get(own, ()):
        return None
    return Refusal(errors.KEY_ROLE_BEYOND, {"own": own.value, "role": role.value})


def scope_beyond(scopes: Iterable[str], within: Collection[str]) -> Refusal | None:
    """A key gives no scope that it has not."""
    missing = [one for one in scopes if ANYTHING not in within and one not in within]
    return Refusal(errors.KEY_SCOPE_BEYOND, {"scope": missing[0]}) if missing else None


def _another_s(command: RotateKey, key: ApiKey) -> Refusal | None:
    """Whoever has a secret acts as its person: a peer's, or an issuer's, would make one person two; a wider one
    would give more scopes."""
    caller = command.caller
    if key.role in (caller.role, *SECOND_PERSONS) and not same_person(caller.person, key.name):
        return Refusal(errors.KEY_OF_PEER, {"prefix": key.prefix})
    return scope_beyond(key.scopes, command.within)


def _sees(caller: Caller, key: ApiKey) -> bool:
    """The operator sees every key, others those of their organisation, a merchant only its own."""
    if caller.role is Role.OPERATOR:
        return True
    if caller.organisation != key.organisation:
        return False
    return caller.merchant is None or caller.merchant == key.merchant


def _issue(identity: Id, command: IssueKey, facts: KeyFacts, at: datetime) -> Plan | Refusal:
    caller = command.caller
    if refusal := _beyond(caller.role, command.role):
        return refusal
    organisation = facts.organisations.get(command.organisation) if command.organisation else 0
    if organisation is None or (caller.role is not Role.OPERATOR and organisation != caller.organisation):
        return Refusal(errors.KEY_ORGANISATION_UNKNOWN, {"organisation": command.organisation[:NAME_LENGTH_MAX]})
    merchant = None
    if command.merchant:
        merchant, group = facts.merchants.get(command.merchant, (None, None))
        if merchant is None or group != organisation or not caller.reaches(merchant):
            return Refusal(errors.KEY_MERCHANT_UNKNOWN, {"merchant": command.merchant[:NAME_LENGTH_MAX]})
    if command.wallet is not None and command.wallet not in facts.wallets:
        return Refusal(errors.KEY_WALLET_UNKNOWN)
    if refusal := scope_beyond(command.scopes, command.within):
        return refusal
    key = ApiKey(
        id=identity,
        version=1,
        prefix=command.prefix,
        name=command.name.strip(),
        organisation=organisation,
        role=command.role,
        merchant=merchant,
        wallet=command.wallet,
        scopes=tuple(sorted(command.scopes)),
        state=KeyState.ACTIVE,
        expires_us=microseconds(at + timedelta(days=command.days)),
        digest=command.digest,
    )
    return Plan(
        answer=msgspec.json.encode(key.answer()),
        event="api_key.issued.v1",
        cold=(("api_key", _row(key, caller, at)),),
        born=(key,),
    )


def _row(key: ApiKey, caller: Caller, at: datetime) -> dict[str, object]:
    return {
        **key.columns(),
        "id": key.id.hex(),
        "bucket": bucket_of(key.id),
        "version": key.version,
        "created_at": microseconds(at),
        "created_by": caller.person,
        "merchant": key.merchant.hex() if key.merchant else None,
        "wallet": key.wallet.hex() if key.wallet else None,
        "organisation": key.organisation,
        "role": key.role.value,
        "prefix": key.prefix,
        "name": key.name,
        "scopes": list(key.scopes),
    }


def _rotate(command: RotateKey, key: ApiKey, at: datetime) -> Plan:
    """A grace never outlives the life that the old secret had. An expired key may be rotated: it is not lost."""
    now, until = microseconds(at), microseconds(at + timedelta(hours=command.grace_hours))
    new = msgspec.structs.replace(
        key,
        digest=command.digest,
        old_digest=key.digest,
        old_until_us=min(until, max(key.expires_us, now)),
        replaced_us=now,
        expires_us=microseconds(at + timedelta(days=command.days)),
    )
    answer = {**new.answer(), "old_until_us": new.old_until_us}
    return Plan(answer=msgspec.json.encode(answer), event="api_key.rotated.v1", changes=((key, (new,)),))


def _revoke(command: RevokeKey, key: ApiKey, at: datetime) -> Plan:
    by = command.caller.person
    new = msgspec.structs.replace(key, state=KeyState.REVOKED, revoked_us=microseconds(at), revoked_by=by)
    return Plan(answer=msgspec.json.encode(new.answer()), event="api_key.revoked.v1", changes=((key, (new,)),))


def secret_digest(secret: str) -> bytes:
    """What is kept of a secret. It has 256 random bits, so a plain SHA-256 is right: there is nothing to guess, and
    what a slow hash would make dear are guesses. Passwords, which people choose, are another matter."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def opened_by(row: ApiKey, secret: str) -> Key | None:
    """The key as this secret opens it, or None for a wrong one. Compares in constant time, both digests always."""
    shown_digest = secret_digest(secret)
    current = compare_digest(row.digest, shown_digest)
    old = compare_digest(row.old_digest or bytes(len(shown_digest)), shown_digest) and row.old_digest is not None
    if not current and not old:
        return None
    expires_us = row.expires_us if current or row.old_until_us is None else min(row.expires_us, row.old_until_us)
    return known(row, expires_us)


def known(row: ApiKey, expires_us: int) -> Key:
    """The key as the door outside knows it, with the end of one of its secrets."""
    caller = Caller(row.organisation, row.role, row.merchant, row.name, row.wallet)
    return Key(row.id, row.prefix, caller, frozenset(row.scopes), expires_us, row.state is KeyState.REVOKED)


def standing(key: Key, at: datetime) -> Refusal | None:
    """Why whoever showed this key is not let in at `at`, or None. Only who knows the secret is told."""
    if key.revoked:
        return Refusal(errors.TOKEN_REVOKED, {"prefix": key.prefix})
    if microseconds(at) >= key.expires_us:
        return Refusal(errors.TOKEN_EXPIRED, {"prefix": key.prefix, "expired": shown(instant(key.expires_us))})
    return None
