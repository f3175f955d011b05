"""What a serving process remembers of what payments name: merchants, stores, and which card a number is.

Only what never changes is remembered. A number that a card ever bore stays that card's, a merchant's code stays its
own; whether they count is decided with the payment. What is not remembered is looked up, and then it is.
"""

from collections.abc import Mapping

from kaquan.kernel.ids import Id
from kaquan.programs.catalogue import Catalogue

CARDS_MAX = 200_000
"""Card numbers in memory, about 40 MB; beyond it they are forgotten and looked up anew."""


class Forgotten(Exception):
    """It is not remembered: look it up."""


class Memory:
    """One for a process. Read by the thread that answers, filled by those that look things up."""

    def __init__(self) -> None:
        self.catalogue: Catalogue | None = None
        self._cards: dict[str, Id] = {}

    def learn(self, catalogue: Catalogue, number: str | None, card: Id | None) -> None:
        """What was looked up: programs and merchants as they are, and which card a number is."""
        self.catalogue = catalogue
        if number is not None and card is not None:
            self.meet({number: card})

    def meet(self, cards: Mapping[str, Id]) -> None:
        """Which cards numbers are."""
        if len(self._cards) + len(cards) > CARDS_MAX:
            self._cards = {}
        self._cards.update(cards)

    def card(self, number: str) -> Id | None:
        """The card of a number without its spaces; None when it was never met."""
        return self._cards.get(number)
