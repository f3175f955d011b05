"""The door outside on a free port: uvicorn in a thread, on a town's database, at the town's time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import psycopg
import uvicorn

from kaquan.api.app import build as application
from kaquan.api.server import Surroundings, configured
from kaquan.api.serving import Serving
from kaquan.commands.model import Kind
from kaquan.identity.keys import new_token
from kaquan.identity.model import IssueKey
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.clock import microseconds, system_now
from kaquan.settings import Settings
from support.database import Database
from support.town import MASTER_KEY, Town

UP_SECONDS = 20
SERVING: list[Serving] = []
"""What the last served town is served with."""


def set_clock(owner_url: str, town: Town) -> None:
    """Let the installation's clock show the town's time, and run: the server has no other."""
    offset = microseconds(town.now) - microseconds(system_now())
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("UPDATE kaquan.installation SET clock_offset_us = %s", [offset])
    town.app.door._now = system_now


@contextmanager
def served(database: Database, town: Town, **settings: Any) -> Iterator[str]:
    """The address at which the town is served."""
    set_clock(database.owner_url, town)
    chosen = Settings(home=settings.pop("home", "/nonexistent"), lang="en", **settings)
    with Serving(chosen, lambda: database.app_url, MASTER_KEY) as serving:
        SERVING[:] = [serving]
        config = configured(application(serving), Surroundings())
        config.port = 0
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        waited = threading.Event()
        for _ in range(UP_SECONDS * 100):
            if server.started or not thread.is_alive():
                break
            waited.wait(0.01)
        assert server.started, "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


def issue(town: Town, role: Role, **place: Any) -> str:
    """A token of a fresh key; `place`: organisation, merchant, wallet, scopes."""
    token = new_token()
    told = {"organisation": "", "merchant": "", "wallet": None, "scopes": ("*",), **place}
    command = IssueKey(
        key=town.key(),
        caller=OPERATOR,
        name=f"{role.value}-{town.counter}",
        role=role,
        days=30,
        prefix=token.prefix,
        digest=token.digest,
        **told,
    )
    town.ok(Kind.ISSUE_KEY, command)
    return token.text


def client(address: str, token: str) -> httpx2.Client:
    """Somebody with a key."""
    return httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
