"""Bulk jobs for tests: a town that is served, jobs sent straight into the database, runners that do nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

from kaquan.api.bulk_runner import turn
from kaquan.api.serving import Serving
from kaquan.bulk import service
from kaquan.bulk.model import Job, Sent
from kaquan.identity.rules import known
from kaquan.identity.service import find_key
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.settings import Settings
from support.database import Database
from support.service import set_clock
from support.town import MASTER_KEY, Town, build


def bulk_town(database: Database) -> Town:
    """A town whose clock runs, so that a runner in another process sees the same time."""
    town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
    set_clock(database.owner_url, town)
    return town


def send(town: Town, operation: str, rows: list[dict[str, Any]], *, token: str | None = None, key: str = "") -> Id:
    """Send a job as the operator at the machine, or in the name of a key."""
    sent = Sent(key or town.key(), OPERATOR)
    if token is not None:
        found = find_key(town.app.connection, token.split("_")[2])
        assert found is not None
        sent = Sent(sent.key, known(found, found.expires_us).caller, found.id)
    made = service.submit(
        town.app.connection, town.app.master, sent, town.app.door.at(), operation=operation, rows=rows
    )
    assert isinstance(made, tuple), made
    return made[0]


def job_of(town: Town, job: Id) -> Job:
    """The job as it is now."""
    found = service.find(town.app.connection, job)
    assert found is not None
    return found


@contextmanager
def runner(app_url: str, lang: str = "en") -> Iterator[Serving]:
    """What a runner needs, on a database."""
    settings = Settings(home="/nonexistent", lang=lang)
    with Serving(settings, lambda: app_url, MASTER_KEY) as serving:
        yield serving


def run_all(app_url: str) -> int:
    """Carry out everything there is; how many chunks that were."""
    count = 0
    with runner(app_url) as serving:
        while turn(serving, Event()):
            count += 1
    return count
