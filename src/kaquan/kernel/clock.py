"""The only reader of the system clock.

Installation time is system time plus an offset that the database keeps; only the simulator moves the offset.
Everything below takes `at` as an argument.
"""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def system_now() -> datetime:
    """The system's time, in UTC."""
    return datetime.now(UTC)


def seconds() -> float:
    """A monotonic reading in seconds, for time-outs and progress only."""
    return time.monotonic()


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 (UTC): how instants are stored in commands and postings."""
    return (at - EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The instant of `microseconds`."""
    return EPOCH + timedelta(microseconds=value)


def shown(at: datetime) -> str:
    """`2025-03-20 09:30:00` in Asia/Shanghai, for people."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
