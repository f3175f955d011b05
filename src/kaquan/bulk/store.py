"""Jobs and their chunks in the database. What is sealed goes in and out as bytes."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID as Uuid

import msgspec
import psycopg

from kaquan.bulk.model import Job, JobState, Sent
from kaquan.db.queries import load
from kaquan.db.wire import BYTEA, INT4, column, raw_cursor
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id, bucket_of

QUERIES = load(__package__)


class Taken(NamedTuple):
    """A chunk as it is stored: its rows are sealed."""

    job: Id
    number: int
    version: int
    first_row: int
    content: bytes
    operation: str
    api_key: Id | None
    caller: Caller


class Part(NamedTuple):
    """A chunk that is to be written."""

    first_row: int
    row_count: int
    content: bytes


def submit(
    connection: psycopg.Connection[Any],
    job: Id,
    sent: Sent,
    at_us: int,
    *,
    operation: str,
    digest: bytes,
    parts: Sequence[Part],
) -> bool:
    """Write a job. False, and nothing, when there is one with this id."""
    row = raw_cursor(connection).execute(
        QUERIES.submit,
        (
            bucket_of(job),
            job.hex(),
            at_us,
            None if sent.api_key is None else sent.api_key.hex(),
            sent.caller.organisation,
            operation,
            msgspec.json.encode(sent.caller),
            digest,
            sum(part.row_count for part in parts),
            column(INT4, [part.first_row for part in parts]),
            column(INT4, [part.row_count for part in parts]),
            column(BYTEA, [part.content for part in parts]),
        ),
    ).fetchone()  # fmt: skip
    return bool(row and row[0])


def digest_of(connection: psycopg.Connection[Any], job: Id) -> bytes | None:
    """The digest of what a job holds; None when there is none."""
    row = connection.execute(QUERIES.digest, _key(job)).fetchone()
    return bytes(row[0]) if row else None


def open_jobs(connection: psycopg.Connection[Any], organisation: int) -> int:
    """How many jobs of an organisation have not ended."""
    row = connection.execute(QUERIES.open_jobs, {"organisation": organisation}).fetchone()
    return int(row[0]) if row else 0


def find(connection: psycopg.Connection[Any], job: Id) -> Job | None:
    """The job with this id."""
    row = connection.execute(QUERIES.one, _key(job)).fetchone()
    return None if row is None else _job(row)


def listed(
    connection: psycopg.Connection[Any], organisation: int | None, after: tuple[int, Id] | None, most: int
) -> list[Job]:
    """Jobs of one organisation or of all, the latest first, behind `after`: when that one was sent, and its id."""
    at_us, job = (None, None) if after is None else (after[0], after[1].hex())
    wanted = {"organisation": organisation, "after_at": at_us, "after": job, "most": most}
    return [_job(row) for row in connection.execute(QUERIES.listed, wanted)]


def take(connection: psycopg.Connection[Any], now_us: int, leased_us: int, job: Id | None) -> Taken | None:
    """The next chunk, of one job or of any; None when there is nothing to do. It is ours until `leased_us`."""
    wanted = {"now": now_us, "leased": leased_us, "job": None if job is None else job.hex()}
    row = connection.execute(QUERIES.take, wanted).fetchone()
    if row is None:
        return None
    owner, number, version, first_row, content, operation, api_key, caller = row
    return Taken(
        Id(owner.bytes), number, version, first_row, bytes(content), operation, _id(api_key), _caller(caller)
    )


def record(
    connection: psycopg.Connection[Any],
    chunk: tuple[Id, int, int],
    now_us: int,
    counts: tuple[int, int, int],
    failures: bytes | None,
) -> bool:
    """Write what came of a chunk (job, number, version): done, failed, asked. False when somebody else has it."""
    job, number, version = chunk
    values = (bucket_of(job), job.hex(), number, version, now_us, *counts, failures)
    row = connection.execute(QUERIES.record, values).fetchone()
    return bool(row and row[0])


def release(connection: psycopg.Connection[Any], chunk: tuple[Id, int, int], until_us: int) -> None:
    """Let somebody else take a chunk (job, number, version) from an instant on."""
    job, number, version = chunk
    told = {"bucket": bucket_of(job), "job": job.hex(), "number": number, "version": version, "until": until_us}
    connection.execute(QUERIES.release, told)


def end(connection: psycopg.Connection[Any], job: Id, now_us: int, reason: str, *, stopped: bool) -> bool:
    """Start no further chunk. False when the job has ended."""
    row = connection.execute(QUERIES.end, (bucket_of(job), job.hex(), now_us, stopped, reason)).fetchone()
    return bool(row and row[0])


def failures(connection: psycopg.Connection[Any], job: Id) -> list[tuple[int, bytes]]:
    """The sealed failures of a job by chunk, in order."""
    return [(number, bytes(sealed)) for number, sealed in connection.execute(QUERIES.failures, _key(job))]


def clear(connection: psycopg.Connection[Any], before_us: int, most: int) -> int:
    """Forget jobs that were sent before an instant; how many were forgotten."""
    return connection.execute(QUERIES.clear, {"before": before_us, "most": most}).rowcount


def _job(row: Sequence[Any]) -> Job:
    identity, organisation, api_key, caller, operation, state, *rest = row
    return Job(Id(identity.bytes), organisation, _id(api_key), _caller(caller), operation, JobState(state), *rest)


def _caller(told: bytes) -> Caller:
    return msgspec.json.decode(told, type=Caller)


def _id(told: Uuid | None) -> Id | None:
    return None if told is None else Id(told.bytes)


def _key(job: Id) -> dict[str, Any]:
    return {"bucket": bucket_of(job), "id": job.hex()}
