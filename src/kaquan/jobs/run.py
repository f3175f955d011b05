"""Carrying out what is due."""

from collections import Counter

from kaquan.bulk import service as bulk
from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Effect, Kind
from kaquan.jobs.timetable import DUE_MAX, Due, due
from kaquan.kernel.calendar import business_date
from kaquan.ledger import service as ledger
from kaquan.main import Kaquan
from kaquan.sales import leaving_service as leaving
from kaquan.webhooks import service as webhooks

WIDER = 4
"""How much further a look reaches when a full one brought nothing new: what can't be done must not hide the rest."""

DUE_FURTHEST = DUE_MAX * WIDER**3
"""The furthest look: 128,000 commands of a kind that all wait for another day are a matter for people."""


def run_due(app: Kaquan) -> Counter[Kind]:
    """Carry out everything that is due now, and count what took effect by kind. Running it again changes nothing.

    Then the roll-up of the books grows by what was posted since, and webhooks and jobs that were kept long enough are
    forgotten. Refusals and faults are left for the next run; the door has logged the faults. Raises `Unavailable`
    when the database is gone.
    """
    done: Counter[Kind] = Counter()
    most = DUE_MAX
    while True:
        found = due(app.connection, app.catalogue, app.calendar, app.door.at(), most)
        new = _carry_out(app, found)
        done += new
        if new:
            continue
        if most >= DUE_FURTHEST or all(len(commands) < most for commands in found.values()):
            done += _remind(app)
            ledger.roll_up(app.connection)
            webhooks.clear(app.connection, app.door.at())
            bulk.clear(app.connection, app.door.at())
            return done
        most *= WIDER


def _remind(app: Kaquan) -> Counter[Kind]:
    """Tell of cards that lie idle: once a day in each process, for it looks at all cards. Twice tells nothing new."""
    at = app.door.at()
    today = business_date(at)
    if app.reminded_on == today:
        return Counter()
    done: Counter[Kind] = Counter()
    while found := leaving.reminders(app.connection, app.catalogue, at, f"idle-{today}", DUE_MAX):
        new = _carry_out(app, {Kind.REMIND_IDLE: found})
        done += new
        if not new or len(found) < DUE_MAX:
            break
    app.reminded_on = today
    return done


def _carry_out(app: Kaquan, found: Due) -> Counter[Kind]:
    new: Counter[Kind] = Counter()
    for kind, commands in found.items():
        for start in range(0, len(commands), BATCH_MAX):
            outcomes = app.execute(kind, commands[start : start + BATCH_MAX])
            new[kind] += sum(isinstance(one, Effect) and not one.replayed for one in outcomes)
    return +new
