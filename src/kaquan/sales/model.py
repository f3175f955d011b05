"""Sales and top-ups as commands."""

from kaquan.commands.model import Command
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money


class Sell(Command, frozen=True, kw_only=True):
    """Sell a card of a program to a wallet: `face` names the offer. The card's id is the command's.

    `vouchers` of the wallet pay their part of the price and become subsidy; the channel takes the rest.
    """

    wallet: Id
    program: str
    face: Money
    channel: str
    vouchers: tuple[Id, ...] = ()

    @property
    def subject(self) -> Id:
        """The wallet."""
        return self.wallet


class TopUp(Command, frozen=True, kw_only=True):
    """Add an offer of the card's program, or, with a `face` of zero, what `vouchers` are worth (消费券充值)."""

    card: Id
    face: Money
    channel: str
    vouchers: tuple[Id, ...] = ()

    @property
    def subject(self) -> Id:
        """The card."""
        return self.card
