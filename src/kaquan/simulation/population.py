"""Who lives in the town, in which programs, from when to when: drawn from the seed's shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from kaquan.kernel.ids import Id
from kaquan.privacy.model import Person
from kaquan.simulation.diary import WHOLE_BPS
from kaquan.simulation.people import person
from kaquan.simulation.pocket import Pocket
from kaquan.simulation.purse import Purse
from kaquan.simulation.scenario import Scenario, Segment
from kaquan.simulation.venues import Venue

RETURNED = "closing"
"""The state of a member who has returned the card."""

_DAYS_A_YEAR = 365


@dataclass(slots=True, eq=False)
class Resident:
    """A holder, with one wallet for all programs."""

    number: int
    person: Person
    segment: Segment
    wallet: Id | None = None


@dataclass(slots=True, eq=False)
class Member:
    """A holder in one program: from which day on, until which day it pays (None: for ever), its card and vouchers.

    `last` is the last visit that nothing was planned for (`visits.Visit`), which knows its member.
    """

    resident: Resident
    venue: Venue
    arrives: int
    leaves: int | None
    card: Id | None = None
    state: str = ""
    first_bought: bool = False
    last: Any = None
    purse: Purse = field(default_factory=Purse)
    pocket: Pocket = field(default_factory=Pocket)

    @property
    def segment(self) -> Segment:
        """What kind of holder."""
        return self.resident.segment

    def gone(self, day: int) -> bool:
        """Whether the holder has stopped using the card."""
        return self.leaves is not None and day >= self.leaves

    def shops(self, day: int) -> bool:
        """Whether there is a card that its holder uses."""
        return self.card is not None and not self.gone(day) and self.state != RETURNED


def members(scenario: Scenario, venues: Mapping[str, Venue], seed: int, holders: int) -> list[Member]:
    """All holders in all their programs."""
    rng = Random(f"{seed}:residents")  # noqa: S311 - a town needs no secrets
    weights = [segment.share_bps for segment in scenario.segments]
    found: list[Member] = []
    for number in range(holders):
        segment = rng.choices(scenario.segments, weights)[0]
        resident = _resident(scenario, seed, number, segment, rng)
        found += _memberships(scenario, venues, resident, rng)
    return found


def _resident(scenario: Scenario, seed: int, number: int, segment: Segment, rng: Random) -> Resident:
    youngest, oldest = segment.ages
    days = rng.randint(youngest * _DAYS_A_YEAR, oldest * _DAYS_A_YEAR)
    born: date = scenario.start - timedelta(days=days)
    return Resident(number, person(seed, number, born, rng), segment)


def _memberships(scenario: Scenario, venues: Mapping[str, Venue], resident: Resident, rng: Random) -> list[Member]:
    population, segment = scenario.population, resident.segment
    arrives = int(population.arrive_within_days * rng.random() ** 2)
    leaves = None
    if rng.randrange(WHOLE_BPS) < segment.churn_bps:
        leaves = arrives + rng.randint(*population.leaves_after_days)
    weights = {code: weight for code, weight in segment.prefers.items() if code in venues}
    first = rng.choices(list(weights), list(weights.values()))[0]
    found = [Member(resident, venues[first], arrives, leaves)]
    del weights[first]
    if weights and rng.randrange(WHOLE_BPS) < population.second_program_bps:
        second = rng.choices(list(weights), list(weights.values()))[0]
        later = arrives + rng.randint(*population.second_after_days)
        if leaves is None or later < leaves:
            found.append(Member(resident, venues[second], later, leaves))
    return found
