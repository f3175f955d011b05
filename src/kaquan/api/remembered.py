"""`objects.Objects` out of memory: for payments that need nothing looked up."""

from kaquan.api.authorization import EVERYTHING_SEEN
from kaquan.api.memory import Forgotten, Memory
from kaquan.api.objects import SHOWN_CARDS, Objects
from kaquan.cards.numbers import typed_number, without_spaces
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id
from kaquan.payment_codes.service import Payer

_BY_NUMBER = SHOWN_CARDS | EVERYTHING_SEEN
_STAND_IN = Id(bytes(16))


class Remembered(Objects):
    """`Objects` from memory alone. Raises `Forgotten` for all that must be looked up; a `Problem` says no more than
    that either, for it may have been registered just now."""

    def __init__(self, memory: Memory, caller: Caller) -> None:
        self.unmet: str | None = None
        self._memory = memory
        self._caller = caller
        if memory.catalogue is not None:
            self.catalogue = memory.catalogue  # takes the place of the property

    def any_merchant(self, text: str) -> Id:
        """See `Objects`."""
        if self._memory.catalogue is None:
            raise Forgotten
        return super().any_merchant(text)

    def shown_card(self, text: str) -> tuple[Id, str | None]:
        """See `Objects`. By its number only: of an id nobody remembers whether there is such a card. The card
        of a number that was never met is a stand-in; the number is `unmet`."""
        if self._caller.role not in _BY_NUMBER:
            raise Forgotten
        number = without_spaces(text)
        card = self._memory.card(number)
        if card is not None:
            return card, number
        self.unmet = typed_number(text)
        if self.unmet is None:
            raise Forgotten
        return _STAND_IN, number

    def card(self, text: str) -> Id:
        """Never remembered: whose it is may change."""
        raise Forgotten

    def wallet(self, text: str) -> Id:
        """Never remembered."""
        raise Forgotten

    def voucher(self, text: str) -> Id:
        """Never remembered."""
        raise Forgotten

    def payer(self, code: str) -> Payer:
        """Never remembered."""
        raise Forgotten
