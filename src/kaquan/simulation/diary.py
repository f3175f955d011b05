"""What the town wants to do, and when: commands in steps, wishes for later steps, keys that a seed decides."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from kaquan.commands.model import Kind
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, derived_id
from kaquan.simulation.scenario import Scenario

SOON_MINUTES = 20
"""When a table pays after it was opened: before any authorization of a usual program expires."""

HOUR_MINUTES = 60

WHOLE_BPS = 10_000

ORDER = (
    Kind.VERIFY_BANK_ACCOUNT,
    Kind.REGISTER_HOLDER,
    Kind.UNDO_REFERRAL,
    Kind.OPEN_PACKETS,
    Kind.ACCEPT_INVITE,
    Kind.SELL,
    Kind.CLAIM,
    Kind.OPEN_PACKET,
    Kind.UNFREEZE,
    Kind.CANCEL_CLOSING,
    Kind.REPLACE,
    Kind.CAPTURE,
    Kind.VOID,
    Kind.REFUND,
    Kind.REVERSE,
    Kind.PAY_OUT_CLOSING,
    Kind.OPEN_DISPUTE,
    Kind.ANSWER_DISPUTE,
    Kind.RESOLVE_DISPUTE,
    Kind.TOP_UP,
    Kind.FREEZE,
    Kind.REPORT_LOST,
    Kind.REQUEST_CLOSING,
    Kind.PAY,
    Kind.AUTHORIZE,
)
"""The order of kinds within a step. What the town believes follows it."""


Act = Callable[[], None]
"""Something to do at its time."""


class Reversal(NamedTuple):
    """A wish to reverse an order by its number."""

    key: str
    caller: Caller
    merchant: Id
    order_no: str


class Intent(NamedTuple):
    """A command (or `Reversal`) and the code of the refusal that the town expects; None expects an effect."""

    wish: Any
    expects: str | None = None


class Step(NamedTuple):
    """What the town does at one instant. `due`: something may be due then, so the timetable runs before;
    `office`: which part of the offices' morning it is."""

    at: datetime
    due: bool
    batches: Sequence[tuple[Kind, list[Intent]]]
    office: str = ""


class Diary:
    """The present step and the wishes for later ones. Randomness is drawn anew for each day, from seed and day."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.seed = seed
        self.rng = Random()  # noqa: S311 - a town needs no secrets; `begin` seeds it
        self.day = 0
        self.index = -1
        self.at = shanghai(scenario.start)
        self._scenario = scenario
        self._count = 0
        self._written: dict[Kind, list[Intent]] = {}
        self._later: dict[tuple[int, int], list[tuple[bool, Act]]] = {}
        self._soon: list[Act] = []

    @property
    def last_index(self) -> int:
        """The position of the day's last hour."""
        return len(self._scenario.hours) - 1

    def begin(self, day: int) -> None:
        """A new day, at midnight."""
        self.rng.seed(f"{self.seed}:{day}")
        self.day, self._count = day, 0
        self.index = -1
        self.open_at(0)

    def open(self, index: int, minutes: int = 0) -> None:
        """A new step, some minutes after the day's `index`-th hour."""
        self.index = index
        self.open_at(self._scenario.hours[index] * HOUR_MINUTES + minutes)

    def open_at(self, minutes: int) -> None:
        """A new step, so many minutes after midnight."""
        midnight = shanghai(self._scenario.start + timedelta(days=self.day))
        self.at = midnight + timedelta(minutes=minutes)

    def close(self, *, due: bool = False, office: str = "") -> Step:
        """The present step with all that was written into it."""
        written, self._written = self._written, {}
        return Step(self.at, due, [(kind, written[kind]) for kind in ORDER if kind in written], office)

    def write(self, kind: Kind, wish: Any, expects: str | None = None) -> None:
        """Want something in this step."""
        self._written.setdefault(kind, []).append(Intent(wish, expects))

    def key(self) -> str:
        """A key that seed, day and count decide, in the form of a UUID of version 7 with the town's time in it."""
        self._count += 1
        at_ms = microseconds(self.at) // 1000 + self._count
        origin = Id(at_ms.to_bytes(6, "big") + bytes(10))
        return str(UUID(bytes=derived_id(origin, b"%d:%d:%d" % (self.seed, self.day, self._count))))

    def order_no(self) -> str:
        """An order number that no other order of the town has."""
        self._count += 1
        return f"D{self.day:04d}-{self._count:05d}"

    def next_step(self, act: Act, *, early: bool = False) -> None:
        """Do something in the next step: today, or tomorrow morning. See `later`."""
        today = self.index < self.last_index
        self.later(act, 0 if today else 1, self.index + 1 if today else 0, early=early)

    def later(self, act: Act, days: int, index: int | None = None, *, early: bool = False) -> None:
        """Do something `days` from now, at the hour with this position or at any.

        `early` is for what gives back: in a step it comes before everything else, as its kind does in `ORDER`.
        """
        if index is None:
            index = self.rng.randint(0, self.last_index)
        self._later.setdefault((self.day + days, index), []).append((not early, act))

    def soon(self, act: Act) -> None:
        """Do something some minutes from now."""
        self._soon.append(act)

    def wished_before(self) -> list[Act]:
        """What was wished for this step, what gives back first."""
        return [act for _, act in sorted(self._later.pop((self.day, self.index), []), key=lambda wish: wish[0])]

    def wished_soon(self) -> list[Act]:
        """What was wished for the minutes after this step."""
        soon, self._soon = self._soon, []
        return soon

    def chance(self, bps: int) -> bool:
        """True in `bps` of 10,000 cases."""
        return self.rng.randrange(WHOLE_BPS) < bps

    def one_of(self, chances: dict[str, int]) -> str:
        """One of the names, each with its chance in bps; "" for the rest."""
        drawn = self.rng.randrange(WHOLE_BPS)
        for name, bps in chances.items():
            if drawn < bps:
                return name
            drawn -= bps
        return ""
