"""Sales and top-ups as commands, and the wallets they are for."""

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money


class Sell(Command, frozen=True, kw_only=True):
    """Sell a card of a program to a wallet: `face` names the offer. The card's id is the command's."""

    wallet: Id
    program: str
    face: Money
    channel: str

    @property
    def subject(self) -> Id:
        """The wallet."""
        return self.wallet


class TopUp(Command, frozen=True, kw_only=True):
    """Add an offer of the card's program to a card."""

    card: Id
    face: Money
    channel: str

    @property
    def subject(self) -> Id:
        """The card."""
        return self.card


class Wallet(msgspec.Struct, frozen=True):
    """A wallet as a sale needs it."""

    id: Id
    active: bool
    identified: bool


class WalletFacts(msgspec.Struct):
    """The wallets a batch addresses, and earlier decisions."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    wallets: dict[bytes, Wallet]

    def absorb(self, plan: Plan) -> None:
        """A sale changes no wallet."""
