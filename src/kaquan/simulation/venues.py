"""Programs as the town meets them: who sells, whose tills accept, who is a stranger."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id
from kaquan.kernel.money import MONEY_MAX, Money
from kaquan.law.rules import balance_max
from kaquan.programs.catalogue import Terms
from kaquan.simulation.scenario import ProgramPlan, Scenario, Scene, Span


@dataclass(frozen=True, slots=True)
class Place:
    """A merchant's store, and the till that asks there."""

    merchant: Id
    store: Id
    till: Caller


class Venue:
    """A program of the town: its terms, its issuer, and the places that accept it, by scene."""

    def __init__(
        self,
        plan: ProgramPlan,
        terms: Terms,
        issuer: Caller,
        places: Mapping[str, tuple[Place, ...]],
        scenario: Scenario,
    ) -> None:
        self.plan = plan
        self.terms = terms
        self.issuer = issuer
        limit = balance_max(terms.terms.card.registered, terms.law(shanghai(scenario.start)))
        self.law_max = MONEY_MAX if limit is None else Money(limit.value)
        self.card_max = min(self.law_max, terms.terms.card.balance_max_fen)
        self.faces = sorted(offer.face_fen for offer in terms.terms.presale.offers)
        self._places = places
        self._scenes = [scene for scene in scenario.scenes if places.get(scene.name)]

    @property
    def activates_later(self) -> bool:
        """Whether what is bought can be spent only on a later day."""
        return self.terms.terms.presale.activation_days > 0

    def place(self, rng: Random) -> tuple[Place, Scene]:
        """Where somebody shops: a scene by its share of visits, there any store."""
        scene = rng.choices(self._scenes, [scene.weight for scene in self._scenes])[0]
        return rng.choice(self._places[scene.name]), scene

    def faces_within(self, span: Span) -> list[Money]:
        """The offers that a holder of this span chooses among: those inside it, else the nearest."""
        low, high = span
        inside = [face for face in self.faces if low <= face <= high]
        return inside or [min(self.faces, key=lambda face: min(abs(face - low), abs(face - high)))]


@dataclass(frozen=True, slots=True)
class Places:
    """Everything that the town needs to know of the installation."""

    venues: Mapping[str, Venue]
    head: Place
    stranger: Place
