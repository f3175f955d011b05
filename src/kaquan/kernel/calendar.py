"""Business days of mainland China, and the dates of Asia/Shanghai.

The table is our own (`business_days.toml`, from the State Council's yearly notices) so that a settlement date
never changes with the version of a package. Makeup days are named late in the year before, so nobody can
compute them: past the last known notice every question is refused with `CalendarHorizon`.
"""

import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Self

from kaquan.kernel.clock import SHANGHAI

_TABLE = Path(__file__).with_name("business_days.toml")
_DAY = timedelta(days=1)
_SATURDAY = 5
_DECEMBER = 12


class CalendarFileError(ValueError):
    """A table or overlay file that cannot be a calendar: says which file, year and day."""


class CalendarHorizon(Exception):
    """A day that no notice covers yet, or no longer.

    `day` is the day asked about or counted from, `business_days` how many were counted from it, `first` and
    `horizon` the first and last day the calendar knows.
    """

    def __init__(self, day: date, business_days: int, first: date, horizon: date) -> None:
        super().__init__(f"{day} + {business_days} business days lies outside {first}..{horizon}")
        self.day = day
        self.business_days = business_days
        self.first = first
        self.horizon = horizon


@dataclass(frozen=True, slots=True)
class _Notice:
    off: frozenset[date]
    work: frozenset[date]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are business days from `first` to `horizon`, both included."""

    first: date
    horizon: date
    _business: tuple[date, ...]

    @classmethod
    def load(cls, overlay: Path | None = None) -> Self:
        """The built-in table under the years of the TOML file `overlay`. Raises `CalendarFileError`."""
        notices = _read(_TABLE)
        if overlay is not None:
            notices |= _read(overlay)
        years = sorted(notices)
        if years != list(range(years[0], years[-1] + 1)):
            raise CalendarFileError(f"{overlay or _TABLE}: the years have a gap: {years}")
        off: frozenset[date] = frozenset().union(*(notice.off for notice in notices.values()))
        work: frozenset[date] = frozenset().union(*(notice.work for notice in notices.values()))
        first, horizon = date(years[0], 1, 1), date(years[-1], 12, 31)
        days = (first + timedelta(days=count) for count in range((horizon - first).days + 1))
        business = (day for day in days if day in work or (day.weekday() < _SATURDAY and day not in off))
        return cls(first, horizon, tuple(business))

    def is_business_day(self, day: date) -> bool:
        """Whether banks and offices work on `day`. Raises `CalendarHorizon`."""
        at = self._position(day, 0)
        return at < len(self._business) and self._business[at] == day

    def next_business_day(self, day: date) -> date:
        """`day` itself when it is a business day, else the first one after it. Raises `CalendarHorizon`."""
        at = self._position(day, 0)
        if at == len(self._business):
            raise CalendarHorizon(day, 0, self.first, self.horizon)
        return self._business[at]

    def add_business_days(self, day: date, count: int) -> date:
        """The `count`-th business day after `day` (T+n); for 0, `next_business_day`.

        The day itself is never counted, business day or not. Raises `CalendarHorizon`; `ValueError` below 0.
        """
        if count < 0:
            raise ValueError(f"business days are counted forward, not by {count}")
        if count == 0:
            return self.next_business_day(day)
        self._position(day, count)
        at = bisect_right(self._business, day) + count - 1
        if at >= len(self._business):
            raise CalendarHorizon(day, count, self.first, self.horizon)
        return self._business[at]

    def _position(self, day: date, count: int) -> int:
        if not self.first <= day <= self.horizon:
            raise CalendarHorizon(day, count, self.first, self.horizon)
        return bisect_left(self._business, day)


def business_date(at: datetime, cut_off: time = time.min) -> date:
    """The Shanghai date on whose books the instant `at` falls: from `cut_off` on, the date that follows.

    `time.min` means no cut-off: the day ends at midnight. The date need not be a business day.
    """
    _aware(at)
    local = at.astimezone(SHANGHAI)
    if cut_off != time.min and local.time() >= cut_off:
        return local.date() + _DAY
    return local.date()


def shanghai(day: date, at: time = time.min) -> datetime:
    """The instant (UTC) at which clocks in Shanghai show `day` and `at`."""
    return datetime.combine(day, at, SHANGHAI).astimezone(UTC)


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    return date(day.year + day.month // _DECEMBER, day.month % _DECEMBER + 1, 1) - _DAY


def _aware(at: datetime) -> None:
    if at.tzinfo is None:
        raise ValueError("an instant must name its time zone")


def _read(path: Path) -> dict[int, _Notice]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CalendarFileError(f"{path}: {error}") from error
    if not document:
        raise CalendarFileError(f"{path}: no year in it")
    return {_year(path, key): _notice(path, key, body) for key, body in document.items()}


def _year(path: Path, key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) == 4):
        raise CalendarFileError(f"{path}: [{key}] is not a year")
    return int(key)


def _notice(path: Path, key: str, body: object) -> _Notice:
    if not isinstance(body, Mapping) or set(body) != {"off", "work"}:
        raise CalendarFileError(f"{path}: [{key}] must hold exactly `off` and `work`")
    off, work = (_days(path, key, name, body[name]) for name in ("off", "work"))
    wrong = {day for day in off if day.weekday() >= _SATURDAY} | {day for day in work if day.weekday() < _SATURDAY}
    if wrong:
        raise CalendarFileError(f"{path}: [{key}] has {min(wrong)}; `off` takes weekdays, `work` weekend days")
    return _Notice(off, work)


def _days(path: Path, key: str, name: str, listed: object) -> frozenset[date]:
    if not isinstance(listed, list):
        raise CalendarFileError(f"{path}: [{key}] `{name}` must be a list of dates")
    year = int(key)
    for day in listed:
        if not isinstance(day, date) or isinstance(day, datetime):
            raise CalendarFileError(f"{path}: [{key}] `{name}` holds {day!r}, which is not a date")
        if day.year != year and not (day.year == year - 1 and day.month == _DECEMBER):
            raise CalendarFileError(f"{path}: [{key}] `{name}` holds {day}, which its notice cannot name")
    if len(set(listed)) != len(listed):
        raise CalendarFileError(f"{path}: [{key}] `{name}` names a day twice")
    return frozenset(listed)
