"""Risk for everybody else: which counters a batch of payments is judged by."""

from collections.abc import Iterable

from kaquan.kernel.ids import Id
from kaquan.programs.catalogue import Catalogue
from kaquan.quotas.model import TallyKey
from kaquan.risk.rules import limits_of


class Counters:
    """What a lane asks about the cards of a batch: nothing while no program limits anything."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._version = 0
        self._rules: tuple[int, ...] = ()

    def wanted(self, cards: Iterable[Id], day: int) -> list[TallyKey]:
        """The counters of these cards on a day, under every rule that some program has."""
        if self._version != self._catalogue.version:
            self._version = self._catalogue.version
            limited = (limits_of(terms) for terms in self._catalogue.terms.values())
            self._rules = tuple(sorted({rule for limits in limited for rule in limits.rules}))
        return [TallyKey(card, rule, day) for card in cards for rule in self._rules] if self._rules else []
