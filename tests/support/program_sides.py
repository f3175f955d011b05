"""Two sides with programs in every state, stocks, funds, settlements.

What a step changes is made fresh for each question, in a program of its own; `made` of an operation names it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import msgspec

from kaquan.accounting.model import CloseDays
from kaquan.api.operations import Operation
from kaquan.commands.model import Kind
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.clock import SHANGHAI
from kaquan.kernel.ids import Id, public
from kaquan.programs.enrolment import SuspendMerchant
from kaquan.programs.model import (
    ApproveProgram,
    DraftProgram,
    EndProgram,
    OpenProgram,
    PauseProgram,
    ProposeAmendment,
    SubmitProgram,
)
from kaquan.settlement import service as settlement
from kaquan.stocks.model import OpenStock
from kaquan.vouchers.model import VoidVoucher
from support.database import Database
from support.grants import stock_text
from support.town import SECOND, program_text
from support.two_sides import _PLACES as PLACES
from support.two_sides import TwoSides, _in_path, _named

MAY = date(2025, 5, 31)
_LATER = msgspec.structs.replace(OPERATOR, person=SECOND)


class ProgramSides(TwoSides):
    """May is settled on both sides, and it is June."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.texts: dict[str, str] = {}
        self.settlements = {side: self._settled(side) for side in PLACES}

    def _settled(self, side: str) -> Id:
        town, place = self.town, PLACES[side]
        town.now = shanghai(date(2025, 5, 21)) + timedelta(hours=9)
        card = town.sell(self.wallets[side], 50_000, place["program"])
        town.pay(card, 20_000, merchant=place["merchant"])
        town.now = shanghai(date(2025, 6, 6)) + timedelta(hours=9)
        town.app.catalogue.refresh(town.app.connection, -1)
        number = town.app.catalogue.programs[place["program"]]
        seen = settlement.preview(
            town.app.connection, town.app.catalogue, town.app.calendar, number, MAY, at=town.now
        )
        assert isinstance(seen, settlement.Preview), seen
        (outcome,) = settlement.run(town.app.door, town.app.handlers[Kind.SETTLE], seen)
        return outcome.id

    def names(self, side: str, operation: Operation, role: Role = Role.OPERATOR) -> dict[str, str]:
        """What `made` names first, then the rest."""
        self.role = role
        made: dict[str, str] = {}
        if operation.made:
            getattr(self, f"make_{operation.made}")(side, made)
        for name in sorted({*_named(operation.example), *_in_path(operation.path)}):
            if name not in made:
                getattr(self, f"make_{name}")(side, made)
        return made

    @contextmanager
    def earlier(self, hours: int) -> Iterator[None]:
        """Things that happened some hours ago."""
        door = self.town.app.door
        now = door._now
        door._now = lambda: now() - timedelta(hours=hours)
        try:
            yield
        finally:
            door._now = now

    def text(self, side: str, code: str = "", *parts: str) -> str:
        """The text of a program of the side's, which gives nothing but these parts."""
        place, code = PLACES[side], code or f"p{next(self.numbers)}"
        told = program_text(
            ('code = "jingxika"', f'code = "{code}"'),
            ('issuer = "jingxi"', f'issuer = "{place["issuer"]}"'),
            ('platform = "jingxi-stores"', f'platform = "{place["group"]}"'),
            ("activation_days = 1", "activation_days = 0"),
        )
        self.texts[code] = told.partition("[[stocks]]")[0] + "".join(parts)
        return self.texts[code]

    def started(self, side: str, *parts: str, stock: str = "") -> str:
        """A fresh program that runs, with a stock of it opened; its code."""
        text = self.text(side, "", *parts)
        code = next(reversed(self.texts))
        self.town.ok(
            Kind.OPEN_PROGRAM, OpenProgram(key=self.town.key(), caller=OPERATOR, text=text, approved_by=SECOND)
        )
        if stock:
            self.town.ok(Kind.OPEN_STOCK, OpenStock(key=self.town.key(), caller=OPERATOR, program=code, stock=stock))
            self.town.app.catalogue.refresh(self.town.app.connection, -1)
        return code

    def bearer(self, side: str) -> str:
        """A fresh program of bearer cards whose principal expires; its code."""
        edits = ("registered = true", "registered = false\nprincipal_valid_days = 1_095"), ("500_000", "100_000")
        place, code = PLACES[side], f"p{next(self.numbers)}"
        told = program_text(
            ('code = "jingxika"', f'code = "{code}"'),
            ('issuer = "jingxi"', f'issuer = "{place["issuer"]}"'),
            ('platform = "jingxi-stores"', f'platform = "{place["group"]}"'),
            *edits,
        )
        text = told.partition("[[stocks]]")[0]
        self.town.ok(
            Kind.OPEN_PROGRAM, OpenProgram(key=self.town.key(), caller=OPERATOR, text=text, approved_by=SECOND)
        )
        return code

    def stocked(self, side: str, *parts: str, **terms: Any) -> str:
        """A fresh program that runs, with its stock `off-10` of the side's fund."""
        told = stock_text("off-10", (PLACES[side]["fund"], 10_000), **terms)
        return self.started(side, told, *parts, stock="off-10")

    def make_new_code(self, side: str, made: dict[str, str]) -> None:
        """A code nobody has."""
        made["new_code"] = f"c{next(self.numbers)}"

    def make_new_account(self, side: str, made: dict[str, str]) -> None:
        """The number of an account that is nobody's."""
        made["new_account"] = f"62220202{next(self.numbers):08d}"

    def make_issuer(self, side: str, made: dict[str, str]) -> None:
        """The side's issuer, who keeps a book."""
        made["issuer"] = PLACES[side]["issuer"]

    def make_closed_book(self, side: str, made: dict[str, str]) -> None:
        """The side's issuer, who keeps a book of which some days are closed."""
        self.make_issuer(side, made)
        if self._last_closed() is None:
            command = CloseDays(key=self.town.key(), caller=OPERATOR, through=date(2025, 5, 21))
            self.town.ok(Kind.CLOSE_DAYS, command)

    def make_open_day(self, side: str, made: dict[str, str]) -> None:
        """The first day that can be closed next."""
        last = self._last_closed() or date(2025, 5, 20)
        made["open_day"] = (last + timedelta(days=1)).isoformat()

    def _last_closed(self) -> date | None:
        found: date | None = self.town.rows("SELECT max(day) FROM closed_day")[0][0]
        return found

    def make_account(self, side: str, made: dict[str, str]) -> None:
        """An account of the ledger."""
        made["account"] = "merchant.payable"

    def make_store(self, side: str, made: dict[str, str]) -> None:
        """A store."""
        made["store"] = "mall-1-s1"

    def make_transfer(self, side: str, made: dict[str, str]) -> None:
        """A payment, which moved money."""
        found: dict[str, str] = {}
        self.make_payment(side, found)
        made["transfer"] = found["payment"]

    def make_fund(self, side: str, made: dict[str, str]) -> None:
        """The side's fund."""
        made["fund"] = PLACES[side]["fund"]

    def make_returned_fund(self, side: str, made: dict[str, str]) -> None:
        """The side's fund, to which the promise of a voucher came back."""
        voucher = self._claim(side, self.wallets[side])
        command = VoidVoucher(key=self.town.key(), caller=OPERATOR, voucher=voucher, reason="a mistake")
        self.town.ok(Kind.VOID_VOUCHER, command)
        self.make_fund(side, made)

    def make_settlement(self, side: str, made: dict[str, str]) -> None:
        """The settlement of May."""
        made["settlement"] = public("stl", self.settlements[side])

    def make_later(self, side: str, made: dict[str, str]) -> None:
        """In an hour."""
        made["later"] = (self.town.app.door.at() + timedelta(hours=1)).astimezone(SHANGHAI).isoformat()

    def make_program_text(self, side: str, made: dict[str, str]) -> None:
        """The text of a program that is not there yet."""
        made["program_text"] = self.text(side)

    def make_new_text(self, side: str, made: dict[str, str]) -> None:
        """Another text of the program."""
        made["new_text"] = self.texts[made["program"]].replace("cap_fen = 20_000", "cap_fen = 30_000")

    def make_tighter_text(self, side: str, made: dict[str, str]) -> None:
        """A text of the program that promises less."""
        made["tighter_text"] = self.texts[made["program"]].replace("cap_fen = 20_000", "cap_fen = 10_000")

    def make_drafted_program(self, side: str, made: dict[str, str]) -> None:
        """A draft."""
        text = self.text(side)
        made["program"] = next(reversed(self.texts))
        self.town.ok(Kind.DRAFT_PROGRAM, DraftProgram(key=self.town.key(), caller=OPERATOR, text=text))

    def make_submitted_program(self, side: str, made: dict[str, str]) -> None:
        """A program that waits for approval."""
        self.make_drafted_program(side, made)
        command = SubmitProgram(key=self.town.key(), caller=OPERATOR, program=made["program"])
        self.town.ok(Kind.SUBMIT_PROGRAM, command)

    def make_approved_program(self, side: str, made: dict[str, str]) -> None:
        """A program that may start."""
        self.make_submitted_program(side, made)
        command = ApproveProgram(key=self.town.key(), caller=_LATER, program=made["program"])
        self.town.ok(Kind.APPROVE_PROGRAM, command)

    def make_started_program(self, side: str, made: dict[str, str]) -> None:
        """A program that runs."""
        made["program"] = self.started(side)

    def make_paused_program(self, side: str, made: dict[str, str]) -> None:
        """A program that is paused."""
        made["program"] = self.started(side)
        command = PauseProgram(key=self.town.key(), caller=OPERATOR, program=made["program"])
        self.town.ok(Kind.PAUSE_PROGRAM, command)

    def make_ended_program(self, side: str, made: dict[str, str]) -> None:
        """A program that ended and owes nothing."""
        made["program"] = self.started(side)
        self.town.ok(Kind.END_PROGRAM, EndProgram(key=self.town.key(), caller=OPERATOR, program=made["program"]))

    def make_proposed_program(self, side: str, made: dict[str, str]) -> None:
        """A program for which other terms wait."""
        made["program"] = self.started(side)
        self.make_new_text(side, made)
        command = ProposeAmendment(key=self.town.key(), caller=OPERATOR, text=made["new_text"])
        self.town.ok(Kind.PROPOSE_AMENDMENT, command)

    def make_suspended_merchant(self, side: str, made: dict[str, str]) -> None:
        """A merchant that is suspended from a program."""
        made["program"], made["merchant"] = self.started(side), PLACES[side]["merchant"]
        command = SuspendMerchant(key=self.town.key(), caller=OPERATOR, reason="under review", **made)
        self.town.ok(Kind.SUSPEND_MERCHANT, command)

    def make_closed_stock(self, side: str, made: dict[str, str]) -> None:
        """A stock of a program's terms that is not open."""
        made["program"] = self.started(side, stock_text("off-10", (PLACES[side]["fund"], 10_000)))
        made["closed_stock"] = "off-10"

    def make_fresh_stock(self, side: str, made: dict[str, str]) -> None:
        """A stock that is open."""
        made["program"], made["stock"] = self.stocked(side), "off-10"

    def make_raised_stock(self, side: str, made: dict[str, str]) -> None:
        """A stock of which the terms say more by now."""
        self.make_fresh_stock(side, made)
        text = self.texts[made["program"]].replace("count = 100", "count = 200")
        self.town.amend(text)
