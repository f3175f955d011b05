"""Commands on stocks, and what they are decided on."""

import msgspec

from kaquan.commands.model import Plan
from kaquan.funders.model import FundFacts
from kaquan.kernel.money import Money
from kaquan.merchants.model import ReferenceCommand
from kaquan.programs.catalogue import Stock

REASON_LENGTH_MAX = 200  # a sentence


class StockCommand(ReferenceCommand, frozen=True, kw_only=True):
    """A command on a stock of a program, both by their codes."""

    program: str
    stock: str


class OpenStock(StockCommand, frozen=True, kw_only=True):
    """Hand out a stock from now on. Everything of it is decided by the program's terms."""


class ReasonedStock(StockCommand, frozen=True, kw_only=True):
    """A step that somebody gives a reason for."""

    reason: str


class PauseStock(ReasonedStock, frozen=True, kw_only=True):
    """Hand out none for now. Vouchers that were handed out count as before."""


class ResumeStock(ReasonedStock, frozen=True, kw_only=True):
    """Hand out again."""


class StopStock(ReasonedStock, frozen=True, kw_only=True):
    """Hand out no more, for ever.

    What is left of the stock is gone. No money is stranded: funders promise at each claim, never for the stock.
    """


class RaiseStock(StockCommand, frozen=True, kw_only=True):
    """Bring an opened stock up to what the terms say by now, if it still has what the caller saw: `count` vouchers
    and `budget` in all. Who approved the terms, a second person, approved the raise."""

    count: int
    budget: Money

    def content(self) -> bytes:
        """What is the same on every retry: what the stock has is looked up anew, and is more once it was raised."""
        return msgspec.msgpack.encode((self.program, self.stock, self.caller))


class Supplied(msgspec.Struct, frozen=True):
    """The latest step of a stock's life: its number, and what the stock was given in all up to then."""

    number: int
    count: int
    budget: Money


class StockFacts(FundFacts):
    """The funds that stocks draw on, what is left of stocks, and their latest steps. `opened`: by this batch."""

    supplied: dict[int, Supplied] = msgspec.field(default_factory=dict)
    next_stock: int = 1
    opened: list[Stock] = msgspec.field(default_factory=list)

    def absorb(self, plan: Plan) -> None:
        """See `FundFacts`. Stocks that this batch has opened count; two steps of one stock never share a batch, for
        the second's number is taken."""
        super().absorb(plan)
        opened = [one for one in plan.born if isinstance(one, Stock)]
        self.opened += opened
        self.next_stock += len(opened)


class StockView(msgspec.Struct, frozen=True):
    """An opened stock for display: its latest step, what it was given in all, and what is left of that."""

    number: int
    at_us: int
    count: int
    budget: Money
    left: int
    left_fen: Money
