"""Jobs for everybody else: sent, looked at, cancelled; taken chunk by chunk by whoever carries them out.

Rows are sealed when they come in and gone when they are carried out. A chunk is leased: if its runner dies another
takes it, and since every row has an id that follows from its job and number, what was done is answered, not repeated.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kaquan.bulk import errors, rules, store
from kaquan.bulk.model import Came, Chunk, Failure, Job, JobState, Row, Sent
from kaquan.commands.errors import CONTENT_INVALID, KEY_REUSED
from kaquan.commands.model import scoped_id
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import BUCKETS, Id
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.subject_keys import MasterKey, seal, unseal

LEASE = timedelta(minutes=2)
"""How long a chunk is its runner's: fifty rows take a second, twenty when the database is slow."""

PAGE_MAX = 101
"""Jobs in one look: a page, and one more to know whether there is another."""
CLEAR_MAX = 1_000

find = store.find


def job_id(organisation: int, key: str) -> Id:
    """The id of the job that an organisation sends under a key; its bucket follows from the key, too."""
    spread = sha256(key.encode()).digest()[0] % len(BUCKETS)
    return scoped_id(organisation, Id(bytes(15) + bytes([spread])), f"bulk job {key}")


def submit(
    connection: psycopg.Connection[Any],
    master: MasterKey,
    sent: Sent,
    at: datetime,
    *,
    operation: str,
    rows: Sequence[Row],
) -> tuple[Id, bool] | Refusal:
    """Keep rows to be carried out; the job's id, and whether it was there already."""
    if refusal := rules.count_refused(len(rows)):
        return refusal
    job = job_id(sent.caller.organisation, sent.key)
    try:
        content = msgspec.json.encode((operation, msgspec.to_builtins(sent.caller), list(rows)))
    except (UnicodeError, RecursionError):
        return Refusal(CONTENT_INVALID)
    digest = hmac.digest(master.derive("bulk-digest"), content, "sha256")
    earlier = store.digest_of(connection, job)
    if earlier is None and store.open_jobs(connection, sent.caller.organisation) >= rules.JOBS_MAX:
        return Refusal(errors.JOB_LIMIT_REACHED, {"jobs_max": rules.JOBS_MAX})
    if earlier is None:
        cipher = _cipher(master)
        parts = [
            store.Part(first, len(some), seal(cipher, msgspec.json.encode(some), _context(job, number, "rows")))
            for number, (first, some) in enumerate(rules.chunks(rows), 1)
        ]
        at_us = microseconds(at)
        if store.submit(connection, job, sent, at_us, operation=operation, digest=digest, parts=parts):
            return job, False
        earlier = store.digest_of(connection, job)
    return (job, True) if earlier == digest else Refusal(KEY_REUSED)


def listed(
    connection: psycopg.Connection[Any],
    organisation: int | None = None,
    after: tuple[int, Id] | None = None,
    most: int = PAGE_MAX,
) -> list[Job]:
    """A page of jobs of one organisation (0: the operator) or of all, the latest first."""
    return store.listed(connection, organisation, after, min(most, PAGE_MAX))


def cancel(connection: psycopg.Connection[Any], job: Id, now: datetime) -> Refusal | None:
    """Carry out no further rows; those that somebody is at are finished, so that what came of them is known."""
    if store.end(connection, job, microseconds(now), "", stopped=False):
        return None
    found = store.find(connection, job)
    if found is not None and found.state is JobState.CANCELLED:
        return None
    return Refusal(errors.JOB_ENDED)


def stop(connection: psycopg.Connection[Any], job: Id, now: datetime, reason: str) -> None:
    """Drop what is left: nobody may act any more in the name of who sent it. `reason` is a code."""
    store.end(connection, job, microseconds(now), reason, stopped=True)


def take(
    connection: psycopg.Connection[Any], master: MasterKey, now: datetime, only: Id | None = None
) -> Chunk | None:
    """The next chunk to carry out, of one job or of any; None when there is none now."""
    taken = store.take(connection, microseconds(now), microseconds(now + LEASE), only)
    if taken is None:
        return None
    plain = unseal(_cipher(master), taken.content, _context(taken.job, taken.number, "rows"))
    return Chunk(
        taken.job,
        taken.number,
        taken.version,
        taken.first_row,
        msgspec.json.decode(plain, type=list[Row]),
        taken.operation,
        taken.api_key,
        taken.caller,
    )


def record(connection: psycopg.Connection[Any], master: MasterKey, chunk: Chunk, now: datetime, came: Came) -> bool:
    """Keep what came of a chunk, and forget its rows. False when somebody else took it meanwhile, who will tell."""
    sealed = None
    if came.failures:
        plain = msgspec.json.encode(came.failures)
        sealed = seal(_cipher(master), plain, _context(chunk.job, chunk.number, "failures"))
    counts = (came.done, came.failed, came.asked)
    return store.record(connection, (chunk.job, chunk.number, chunk.version), microseconds(now), counts, sealed)


def release(connection: psycopg.Connection[Any], chunk: Chunk, until: datetime) -> None:
    """Give a chunk back that could not be finished now."""
    store.release(connection, (chunk.job, chunk.number, chunk.version), microseconds(until))


def failures(connection: psycopg.Connection[Any], master: MasterKey, job: Id) -> list[Failure]:
    """Every row that failed so far, by number."""
    cipher = _cipher(master)
    return [
        one
        for number, sealed in store.failures(connection, job)
        for one in msgspec.json.decode(unseal(cipher, sealed, _context(job, number, "failures")), type=list[Failure])
    ]


def clear(connection: psycopg.Connection[Any], at: datetime) -> int:
    """Forget jobs that were kept long enough; how many were forgotten."""
    return store.clear(connection, microseconds(at - timedelta(days=rules.DAYS_KEPT)), CLEAR_MAX)


def _cipher(master: MasterKey) -> AESGCM:
    return AESGCM(master.derive("bulk-rows"))


def _context(job: Id, number: int, what: str) -> bytes:
    return b"%b %d %b" % (job, number, what.encode())
