"""Carrying out bulk jobs: chunk after chunk, each row in the name of the key that sent the job.

Any number of runners may be at work, in any number of processes: a chunk is leased to one. What a killed one had done
is asked once more by another, and answered as it was.
"""

from datetime import timedelta
from threading import Event

import structlog

from kaquan.api.admission import admitted
from kaquan.api.bulk_rows import InTheName, carry_out, columns
from kaquan.api.errors import ANSWER_UNKNOWN, INTERNAL_FAULT, TOO_BUSY
from kaquan.api.operations import OPERATIONS
from kaquan.api.problems import Problem, Words
from kaquan.api.serving import Serving
from kaquan.bulk import rules, service
from kaquan.bulk.model import PREFIX, Came, Chunk, Failure, Row
from kaquan.commands.trouble import told
from kaquan.identity import service as identity
from kaquan.identity.model import ANYTHING, NOBODY, Key
from kaquan.kernel import clock
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Refusal
from kaquan.main import Kaquan

log = structlog.get_logger()

IDLE_SECONDS = 1.0  # how long nothing is looked for when there was nothing to do
AGAIN_SECONDS = 0.5
TRIES = 6  # of a row that nobody could answer; then its chunk rests
REST = timedelta(seconds=5)

_NOT_DECIDED = frozenset({ANSWER_UNKNOWN.code, TOO_BUSY.code})


class _Interrupted(Exception):
    """The chunk is not finished now: somebody takes it again."""


def run(serving: Serving, stop: Event) -> None:
    """Carry out what is sent until told to stop; a row that was begun is finished."""
    while not stop.is_set():
        try:
            worked = turn(serving, stop)
        except Exception as trouble:  # whatever it is: the next turn may do better, and the thread must live
            log.warning("bulk.trouble", error=told(trouble))
            worked = False
        if not worked:
            stop.wait(IDLE_SECONDS)


def turn(serving: Serving, stop: Event, only: Id | None = None) -> bool:
    """Carry out the next chunk, of one job or of any; False when there is none. Raises `Problem` when the database is
    gone."""
    with serving.looking() as app:
        chunk = service.take(app.connection, app.master, clock.system_now(), only)
        if chunk is None:
            return False
        key = _in_whose_name(app, chunk)
        if isinstance(key, Refusal):
            service.stop(app.connection, chunk.job, clock.system_now(), key.code.code)
            return True
    try:
        came = _carried_out(serving, key, chunk, stop)
    except _Interrupted:
        with serving.looking() as app:
            rest = timedelta() if stop.is_set() else REST
            service.release(app.connection, chunk, clock.system_now() + rest)
        return not stop.is_set()
    with serving.looking() as app:
        service.record(app.connection, app.master, chunk, clock.system_now(), came)
    return True


def _in_whose_name(app: Kaquan, chunk: Chunk) -> Key | Refusal:
    """The key that sent the job, as it is now; or why it may not go on."""
    if chunk.api_key is None:
        return Key(NOBODY, "", chunk.caller, frozenset({ANYTHING}), 0)
    key = identity.in_name_of(app.connection, chunk.api_key, app.door.at())
    if isinstance(key, Refusal):
        return key
    try:
        return admitted(key, OPERATIONS[chunk.operation])
    except Problem as problem:
        return problem.refusal


def _carried_out(serving: Serving, key: Key, chunk: Chunk, stop: Event) -> Came:
    came, job, known = Came(), public(PREFIX, chunk.job), columns(chunk.operation)
    words = Words(serving.settings.lang, job)
    for number, row in enumerate(chunk.rows, chunk.first_row):
        by = InTheName(key, rules.row_key(job, number), words)
        try:
            if _answered(serving, chunk.operation, row, by, stop):
                came.done += 1
            else:
                came.asked += 1
        except Problem as problem:
            refusal = problem.refusal
            details = problem.more.get("details", [])
            given = rules.shown(row, known)
            came.failures.append(Failure(number, given, refusal.code.code, dict(refusal.facts), details))
            came.failed += 1
    return came


def _answered(serving: Serving, operation: str, row: Row, by: InTheName, stop: Event) -> bool:
    """What comes of a row, asked until somebody answers. Raises `Problem`, `_Interrupted`."""
    for _ in range(TRIES):
        if stop.is_set():
            break
        try:
            with serving.looking() as app:
                return carry_out(serving, app, operation, row, by)
        except Problem as problem:
            if problem.refusal.code.code not in _NOT_DECIDED:
                raise
        except Exception as fault:
            log.error("bulk.fault", request_id=by.wish, error=told(fault))
            raise Problem(INTERNAL_FAULT) from None
        stop.wait(AGAIN_SECONDS)
    raise _Interrupted
