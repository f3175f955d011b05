"""The world around a town: founds it, moves the clock, carries wishes through the door, knows which days are done."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.loading import installation
from kaquan.commands.model import Kind, Outcome, Refused
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import EPOCH, microseconds, system_now
from kaquan.kernel.refusal import Fault
from kaquan.main import Kaquan
from kaquan.payments import service as payments
from kaquan.simulation import store
from kaquan.simulation.diary import Intent, Reversal, Step
from kaquan.simulation.founding import Founder, places
from kaquan.simulation.office import Office
from kaquan.simulation.scenario import Scenario
from kaquan.simulation.town import Town, closing_order

_TOWN = re.compile(r"town-(\d+)-(\d+)")


STEP_LASTS = timedelta(minutes=5)
"""The shortest time between two steps. A stop inside a step goes on from its instant: what was bought a moment before
it is active from then on, and would not be there if the clock went back to the beginning of the step."""


class ForeignDatabase(Exception):
    """The database belongs to somebody's business, not to a town: its clock must not be moved."""


@dataclass(frozen=True, slots=True)
class Charter:
    """What makes a town: the same charter lives through the same days on any database."""

    seed: int
    holders: int

    @property
    def code(self) -> str:
        """The organisation by which a database tells whose town it is."""
        return f"town-{self.seed}-{self.holders}"

    @property
    def name(self) -> str:
        """What that organisation is called."""
        return f"模拟小镇：种子 {self.seed}，持卡人 {self.holders}"


@dataclass(slots=True)
class World:
    """A town on a database. `run_due` carries out what the timetable finds at the installation's time."""

    app: Kaquan
    scenario: Scenario
    charter: Charter
    run_due: Callable[[], object]
    surprises: list[str] = field(default_factory=list)
    _stopped_at: datetime = field(default=EPOCH, init=False)

    def found(self) -> None:
        """Register who takes part and open the programs. A town that lives is left alone, and so is its clock.

        A founding that was interrupted is gone through again: what took effect is answered, not repeated.
        """
        self._refresh()
        begun = shanghai(self.scenario.start)
        if store.latest(self.app.connection) >= begun + STEP_LASTS:
            return
        self._move_clock(begun)
        charter = self.charter
        for kind, commands in Founder(self.scenario, charter.seed, charter.holders).commands(
            (charter.code, charter.name)
        ):
            for outcome in self._send(kind, commands):
                if isinstance(outcome, Refused):
                    raise Fault(f"the town could not be founded: {kind.name} {outcome.refusal.code.code}")
        self._refresh()

    def days_done(self) -> int:
        """How many days were lived to their end. Needs a founded town."""
        done = 0
        head = places(self.scenario, self.app.catalogue).head.merchant.id
        while payments.find_order(self.app.connection, head, closing_order(done)) is not None:
            done += 1
        return done

    def date_of(self, day: int) -> date:
        """The date of the town's day 0, 1, 2, …"""
        return self.scenario.start + timedelta(days=day)

    def live(self, first: int, until: int, progress: Callable[[int], None]) -> None:
        """Live the days from `first` up to and without `until`; `progress` is told each day that is done.

        A day that was interrupted is lived again from its morning: every command has the key it had, so what
        took effect is answered, not repeated. The end of the day before is lived again too: its order number is
        claimed a moment before its reversal is decided. Raises the fault of a command that broke.
        """
        self._stopped_at = store.latest(self.app.connection)
        town = self._town()
        for day in range(until):
            steps = town.day(day)
            if day < first:
                closing = [*steps][-1]
                if day == first - 1:
                    self._live(closing)
                continue
            for step in steps:
                self._live(step)
            progress(day)

    def _live(self, step: Step) -> None:
        self._move_clock(step.at)
        if self._stopped_at < step.at + STEP_LASTS:  # else it ran to its end, and more has come since
            if step.due:
                self.run_due()
            if step.office:
                Office(self.app, self.scenario.bank, self.surprises).work(step.office)
        if step.at < self._stopped_at < step.at + STEP_LASTS:
            self._move_clock(self._stopped_at)
        for kind, intents in step.batches:
            if kind == Kind.REVERSE:
                outcomes = [self._reverse(intent.wish) for intent in intents]
            else:
                outcomes = self._send(kind, [intent.wish for intent in intents])
            for intent, outcome in zip(intents, outcomes, strict=True):
                self._compare(kind, intent, outcome)

    def _send(self, kind: Kind, commands: Sequence[Any]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for start in range(0, len(commands), BATCH_MAX):
            for outcome in self.app.execute(kind, list(commands[start : start + BATCH_MAX])):
                if isinstance(outcome, Fault):
                    raise outcome
                outcomes.append(outcome)
        return outcomes

    def _reverse(self, wish: Reversal) -> Outcome:
        return payments.reverse(
            self.app.door, self.app.catalogue, wish.caller, wish.key, wish.merchant, wish.order_no
        )

    def _compare(self, kind: Kind, intent: Intent, outcome: Outcome) -> None:
        """Note where the database decided other than the town believed: none, unless somebody else was here."""
        got = outcome.refusal.code.code if isinstance(outcome, Refused) else None
        if got != intent.expects:
            self.surprises.append(f"{kind.name} {outcome.id.hex()}: {got}, expected {intent.expects}")

    def _move_clock(self, at: datetime) -> None:
        store.set_clock(self.app.connection, microseconds(at) - microseconds(system_now()))

    def _refresh(self) -> None:
        self.app.catalogue.refresh(self.app.connection, installation(self.app.connection)[1])

    def _town(self) -> Town:
        found = places(self.scenario, self.app.catalogue)
        return Town(self.scenario, self.charter.seed, self.charter.holders, found, self.app.master)


def charter_of(app: Kaquan) -> Charter | None:
    """The charter of the town on a database, None when nobody is there. Raises `ForeignDatabase`."""
    codes = store.organisations(app.connection)
    for code in codes:
        if found := _TOWN.fullmatch(code):
            return Charter(int(found[1]), int(found[2]))
    if codes:
        raise ForeignDatabase(", ".join(codes[:5]))
    return None
