"""Programs as the town meets them: who sells, whose tills accept, who is a stranger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id
from kaquan.kernel.money import MONEY_MAX, Money
from kaquan.law.rules import balance_max
from kaquan.programs.catalogue import Merchant, Stock, Terms
from kaquan.programs.terms import ProgramTerms
from kaquan.simulation.scenario import ProgramPlan, Scenario, Scene, Span


@dataclass(frozen=True, slots=True)
class Place:
    """A merchant's store, and the till that asks there."""

    merchant: Merchant
    store: Id
    store_code: str
    till: Caller


@dataclass(frozen=True, slots=True)
class Venue:
    """A program of the town: its terms, its issuer, its opened stocks by code, and who accepts it, by scene.

    `law_max` is the most that the law lets a card hold.
    """

    plan: ProgramPlan
    known: Terms
    issuer: Caller
    stocks: Mapping[str, Stock]
    scenes: Sequence[tuple[Scene, Sequence[Place]]]
    law_max: Money

    @property
    def terms(self) -> ProgramTerms:
        """What the program promises."""
        return self.known.terms

    @property
    def card_max(self) -> Money:
        """The most that a card may hold, by law and by the program."""
        return min(self.law_max, self.terms.card.balance_max_fen)

    @property
    def faces(self) -> list[Money]:
        """What is sold, ascending."""
        return sorted(offer.face_fen for offer in self.terms.presale.offers)

    def place(self, rng: Random) -> tuple[Place, Scene]:
        """Where somebody shops: a scene by its share of visits, there any store."""
        scene, places = rng.choices(self.scenes, [scene.weight for scene, _ in self.scenes])[0]
        return rng.choice(places), scene

    def faces_within(self, span: Span) -> list[Money]:
        """The offers that a holder of this span chooses among: those inside it, else the nearest."""
        low, high = span
        faces = self.faces
        inside = [face for face in faces if low <= face <= high]
        return inside or [min(faces, key=lambda face: min(abs(face - low), abs(face - high)))]

    def handed_out(self, how: str) -> list[Stock]:
        """The stocks that are handed out this way, in the order of their codes."""
        return [stock for _, stock in sorted(self.stocks.items()) if stock.rules.hand_out == how]


@dataclass(frozen=True, slots=True)
class Places:
    """Everything that the town needs to know of the installation."""

    venues: Mapping[str, Venue]
    head: Place
    stranger: Place


def law_max(terms: Terms, scenario: Scenario) -> Money:
    """The most that the law of the town's first day lets a card hold."""
    limit = balance_max(terms.terms.card.registered, terms.law(shanghai(scenario.start)))
    return MONEY_MAX if limit is None else Money(limit.value)
