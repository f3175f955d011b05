"""API keys for everybody else: commands, listing, and the ring that lets callers in."""

from collections.abc import Sequence
from datetime import datetime
from hmac import compare_digest
from threading import Lock
from typing import Any

import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.identity import errors, rules, store
from kaquan.identity.keys import parsed
from kaquan.identity.model import ApiKey, Key, KeyFacts, KeyView
from kaquan.kernel import clock
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal

CACHE_SECONDS = 5.0
"""How long a key is taken from memory: so long, at most, another process lets in a key that was just revoked."""

CACHE_MAX = 10_000
"""Keys in memory, about 10 MB; beyond it the ring starts over."""

RENEW_SECONDS = 2.5
"""A key that is asked for and older than that is looked up anew before it is forgotten: nobody waits for it."""

RENEWED_MAX = 2_000
"""Keys that are looked up at a time; there are so many connections."""

FLUSH_SECONDS = 60.0
"""How often it is written when keys were last used: nobody looks at it by the second."""

PAGE_MAX = 500
"""Keys on one page of a list."""


class KeyHandler(Handler):
    """Issue, rotate and revoke keys."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> KeyFacts:
        """What the commands name. There is nothing to lock: a change checks the key's version."""
        return store.load_facts(cursor, entries)

    def decide(self, entry: Entry, facts: KeyFacts, at: datetime) -> Plan | Refusal:
        """See `identity.rules`."""
        return rules.decide(entry, facts, at)


def handlers() -> dict[Kind, Handler]:
    """A handler for every command on keys."""
    return {kind: KeyHandler(kind) for kind in (Kind.ISSUE_KEY, Kind.ROTATE_KEY, Kind.REVOKE_KEY)}


find_key = store.key_by_prefix
key_named = store.key_by_id


def in_name_of(connection: psycopg.Connection[Any], key: Id, at: datetime) -> Key | Refusal:
    """The key with this id, if it still lets its caller in at `at`: for work that somebody left to be done."""
    row = store.key_by_id(connection, key)
    if row is None:
        return Refusal(errors.TOKEN_WRONG)
    known = rules.known(row, row.expires_us)
    return rules.standing(known, at) or known


def keys(
    connection: psycopg.Connection[Any],
    organisation: int | None = None,
    after: tuple[int, Id] | None = None,
    limit: int = PAGE_MAX,
    *,
    merchant: Id | None = None,
) -> list[KeyView]:
    """A page of keys in the order in which they were issued, of one organisation (0: the operator), of one merchant,
    or of all."""
    return store.listed(connection, organisation, merchant, after, min(limit, PAGE_MAX))


class KeyRing:
    """Knows tokens. One for a process, shared by its threads; the secrets themselves are never kept.

    A key is looked up once and then taken from memory for `CACHE_SECONDS`: a revocation reaches other processes
    within that time, and its own at once through `forget`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[float, ApiKey]] = {}
        self._keys: dict[str, tuple[ApiKey, bytes, Key]] = {}
        self._used: dict[Id, int] = {}
        self._fading: set[str] = set()
        self._forgotten = 0
        self._flushed = clock.seconds()

    def find(self, connection: psycopg.Connection[Any], token: str) -> Key | None:
        """The key that a token opens, whatever has become of it; None for a text that opens none."""
        parts = parsed(token)
        if parts is None:
            return None
        prefix, secret = parts
        row = self._row(connection, prefix)
        return None if row is None else rules.opened_by(row, secret)

    def admit(self, connection: psycopg.Connection[Any], token: str, at: datetime) -> Key | Refusal:
        """The key that a token opens, if it lets its caller in at `at`; then it counts as used."""
        key = self.find(connection, token)
        if key is None:
            return Refusal(errors.TOKEN_WRONG)
        if refusal := rules.standing(key, at):
            return refusal
        with self._lock:
            self._used[key.id] = max(self._used.get(key.id, 0), clock.microseconds(at))
        return key

    def known(self, token: str, at: datetime) -> Key | Refusal | None:
        """What `admit` would say at `at`, from memory alone; None when the key must be looked up."""
        parts = parsed(token)
        if parts is None:
            return Refusal(errors.TOKEN_WRONG)
        with self._lock:
            held = self._known.get(parts[0])
        age = CACHE_SECONDS if held is None else clock.seconds() - held[0]
        if held is None or age >= CACHE_SECONDS:
            return None
        key = self._opened(held[1], parts[1])
        if key is None:
            return Refusal(errors.TOKEN_WRONG)
        refusal = rules.standing(key, at)
        if refusal is None and age >= RENEW_SECONDS:
            self._fading.add(parts[0])
        return refusal or key

    def _opened(self, row: ApiKey, secret: str) -> Key | None:
        """`rules.opened_by`; the last key that each row was opened to is kept, by the digest of its secret."""
        digest = rules.secret_digest(secret)
        kept = self._keys.get(row.prefix)
        if kept is not None and kept[0] is row and compare_digest(kept[1], digest):
            return kept[2]
        key = rules.opened_by(row, secret)
        if key is not None:
            if len(self._keys) >= CACHE_MAX:
                self._keys = {}
            self._keys[row.prefix] = (row, digest, key)
        return key

    def recognises(self, token: str) -> bool:
        """Whether a token opened a key when that was last looked up, however long ago: who it is, not what it may."""
        parts = parsed(token)
        with self._lock:
            held = self._known.get(parts[0]) if parts is not None else None
        return held is not None and parts is not None and rules.opened_by(held[1], parts[1]) is not None

    def forget(self, prefix: str) -> None:
        """Look the key up anew next time: it was rotated or revoked here."""
        with self._lock:
            self._forgotten += 1
            self._known.pop(prefix, None)

    def fades(self) -> bool:
        """Whether keys that are asked for will soon have to be looked up."""
        return bool(self._fading)

    def renew(self, connection: psycopg.Connection[Any], at: datetime) -> None:
        """Look those keys up; they count as used."""
        fading, self._fading = self._fading, set()
        prefixes = sorted(fading)[:RENEWED_MAX]
        looked_at, forgotten = clock.seconds(), self._forgotten
        rows = {row.prefix: row for row in store.keys_by_prefix(connection, prefixes)}
        with self._lock:
            if forgotten != self._forgotten:
                return  # one of them may have been rotated or revoked meanwhile
            for prefix in prefixes:
                if prefix not in rows:
                    self._known.pop(prefix, None)
                elif prefix in self._known:
                    row = rows[prefix]
                    self._known[prefix] = (looked_at, row)
                    self._used[row.id] = max(self._used.get(row.id, 0), clock.microseconds(at))

    def flush(self, connection: psycopg.Connection[Any], *, now: bool = False) -> int:
        """Write when keys were last used, at most once in `FLUSH_SECONDS` unless it must be `now`; how many keys."""
        with self._lock:
            due = now or clock.seconds() - self._flushed >= FLUSH_SECONDS
            if not due or not self._used:
                return 0
            used, self._used, self._flushed = self._used, {}, clock.seconds()
        store.note_use(connection, used)
        return len(used)

    def _row(self, connection: psycopg.Connection[Any], prefix: str) -> ApiKey | None:
        with self._lock:
            known = self._known.get(prefix)
        if known is not None and clock.seconds() - known[0] < CACHE_SECONDS:
            return known[1]
        looked_at = clock.seconds()
        row = store.key_by_prefix(connection, prefix)
        with self._lock:
            if row is None:
                self._known.pop(prefix, None)
                return None
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            self._known[prefix] = (looked_at, row)
        return row
