"""What merchants owe after more refunds than trade: who, how much, for how long."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import psycopg

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Catalogue
from kaquan.settlement import store


class Debt(NamedTuple):
    """What a merchant owes since the end of a period, in days until now. `alarm`: longer than the terms let it."""

    settlement: Id
    program: str
    code: str
    name: str
    owed: Money
    since: date
    days: int
    alarm: bool


def owing(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    programs: Sequence[int],
    today: date,
    merchant: Id | None = None,
) -> list[Debt]:
    """Who owes in these programs, the longest first; 100,000 at most."""
    found = []
    for row in store.owing(connection, programs, merchant):
        days = (today - row.since).days
        alarm_days = catalogue.latest[row.program_id].terms.settlement.owing_alarm_days
        owed, alarm = Money(row.owed), days > alarm_days
        found.append(Debt(Id(row.id.bytes), row.program, row.code, row.name, owed, row.since, days, alarm))
    return found
