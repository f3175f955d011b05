"""What a lane is made of, in this process or one of its own."""

import msgspec

from kaquan.db.pool import connect
from kaquan.kernel.calendar import Calendar
from kaquan.main import Kaquan, reach_of
from kaquan.payments.model import Authorize, Pay
from kaquan.settings import Settings

APPLICATION_NAME = "kaquan serve"
PACKED = (Pay, Authorize)
"""Commands that are many and hold plain values only (`commands.remote.LaneProcess`)."""

_STATEMENT_LIMIT = b"SET statement_timeout = '15s'"


class LaneOpening(msgspec.Struct, frozen=True):
    """What a lane works with: the URL of the application's role, the root of all keys, its number, the settings."""

    url: str
    master_key: bytes
    lane: int
    settings: Settings


def opened(opening: LaneOpening, calendar: Calendar | None = None) -> Kaquan:
    """The application of a lane, on a connection of its own. Raises `psycopg.OperationalError`."""
    connection = connect(opening.url, application_name=APPLICATION_NAME)
    connection.execute(_STATEMENT_LIMIT)
    days = calendar or Calendar.load(opening.settings.calendar_file)
    return Kaquan(connection, opening.master_key, opening.lane, days, reach_of(opening.settings))
