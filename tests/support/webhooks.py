"""Endpoints of a town, and a dispatcher whose time is the test's."""

from datetime import datetime, timedelta
from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import system_now
from kaquan.kernel.ids import Id
from kaquan.main import Kaquan
from kaquan.webhooks import service
from kaquan.webhooks.model import ChangeEndpoint, Counts
from kaquan.webhooks.sending import Sender
from support.quiet import quiet
from support.receiver import LOCAL, Hooked
from support.town import MASTER_KEY, Town, build

TURNS_MAX = 50


def hooked_town(url: str) -> Town:
    """A town of this very hour, whose cards can be spent at once and whose webhooks may reach the test."""
    town = build(url, ("activation_days = 1", "activation_days = 0"))
    app = Kaquan(connect(url), MASTER_KEY, reach=LOCAL)
    town.app.connection.close()
    town.app, town.now = app, system_now()
    app.door._now = lambda: town.now
    return town


def hook(town: Town, url: str, *events: str, organisation: str = "") -> Hooked:
    """An endpoint that was added."""
    asked = {"organisation": organisation, "url": url, "events": events or ("*",)}
    command, secret = service.adding(town.app.master, OPERATOR, town.key(), **asked)
    return Hooked(town.ok(Kind.ADD_ENDPOINT, command).id, secret)


def rotate(town: Town, hooked: Hooked) -> Hooked:
    """The endpoint with its new secret."""
    command, secret = service.rotating(town.app.master, OPERATOR, town.key(), hooked.id)
    town.ok(Kind.ROTATE_ENDPOINT_SECRET, command)
    return Hooked(hooked.id, secret)


def change(town: Town, endpoint: Id, **wanted: Any) -> Effect:
    """The endpoint as it is wanted."""
    return town.ok(Kind.CHANGE_ENDPOINT, ChangeEndpoint(key=town.key(), caller=OPERATOR, endpoint=endpoint, **wanted))


def dispatcher(town: Town, sender: Sender | None = None) -> service.Dispatcher:
    """A dispatcher of the town."""
    return service.Dispatcher(town.app.master, sender or Sender(LOCAL), town.app.one)


def turn(town: Town, at: datetime | None = None, sender: Sender | None = None) -> Counts:
    """Everything that is due at an instant, now by default; other tests' transactions have ended."""
    quiet(town.app.connection)
    total = Counts()
    for _ in range(TURNS_MAX):
        done = dispatcher(town, sender).run_once(town.app.connection, at or town.now)
        if done.idle:
            return total
        total = Counts(*map(sum, zip(total, done, strict=True)))
    raise AssertionError("the dispatcher never came to an end")


def later(town: Town, **delta: float) -> datetime:
    """The town's time, after a while."""
    return town.now + timedelta(**delta)
