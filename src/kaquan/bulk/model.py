"""Jobs, their chunks, and rows that failed."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

import msgspec

from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id

PREFIX = "job"
"""How a job's public id begins."""

Row = dict[str, Any]
"""One row as it was given: what its path names and its body, in one."""


class JobState(IntEnum):
    """Stored. Whether an open job waits or runs is told by its chunks."""

    OPEN = 1
    CANCELLING = 2
    DONE = 3
    CANCELLED = 4
    STOPPED = 5


class FieldKind(StrEnum):
    """How a field is written in CSV, where everything is text."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    LIST = "list"
    NUMBERS = "numbers"


class Column(NamedTuple):
    """A field that a row of an operation may have. Personal data is never shown again."""

    kind: FieldKind
    personal: bool = False


Columns = Mapping[str, Column]


class Failure(msgspec.Struct, frozen=True):
    """A row that was refused: its number from 1, what may be shown of it, the code and facts of the refusal, and
    where the row itself was wrong."""

    row: int
    given: Row
    code: str
    facts: dict[str, int | str] = {}
    details: list[dict[str, str]] = []


class Came(msgspec.Struct):
    """What came of a chunk's rows. `asked`: they wait for a second person."""

    done: int = 0
    failed: int = 0
    asked: int = 0
    failures: list[Failure] = []


class Sent(msgspec.Struct, frozen=True):
    """Who sends a job, under which id: `api_key` in whose name it runs, None for the operator at the machine."""

    key: str
    caller: Caller
    api_key: Id | None = None


class Job(msgspec.Struct, frozen=True):
    """A job with what its chunks have come to. `started_us`: when the first was taken, `seen_us`: when one was last
    finished, by the runner's clock; 0 for never."""

    id: Id
    organisation: int
    api_key: Id | None
    caller: Caller
    operation: str
    state: JobState
    reason: str
    rows: int
    at_us: int
    ended_us: int
    done: int
    failed: int
    asked: int
    started_us: int
    seen_us: int

    @property
    def decided(self) -> int:
        """Rows of which something is known."""
        return self.done + self.failed + self.asked

    @property
    def ended(self) -> bool:
        """Whether nothing more will be done."""
        return self.state >= JobState.DONE


class Chunk(msgspec.Struct, frozen=True):
    """Some rows of a job that this runner took; `version` tells whether somebody else did since."""

    job: Id
    number: int
    version: int
    first_row: int
    rows: list[Row]
    operation: str
    api_key: Id | None
    caller: Caller
