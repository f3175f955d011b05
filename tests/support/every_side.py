"""Two sides with all that can be made on each: codes, draws, packets, plans, referrals, beside `ProgramSides`."""

from datetime import date
from typing import Any

from kaquan.commands.model import Kind
from kaquan.draws import service as draws
from kaquan.draws.model import EndDraw, EnterDraw, ListDraw
from kaquan.funders.model import fund_id
from kaquan.holders.service import registration
from kaquan.kernel import ids
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, public
from kaquan.privacy.model import Person
from kaquan.reporting.model import MakeStatement, PartyKind, statement_key
from kaquan.reporting.service import statements
from kaquan.rewards.invite_codes import invite_code
from kaquan.rewards.packet_model import EndPackets, OpenPacket, OpenPackets
from kaquan.rewards.referral_model import AcceptInvite
from kaquan.sales.closing_model import RequestClosing
from kaquan.vouchers import codes
from kaquan.vouchers.service import code_key
from support.grants import stock_text
from support.program_sides import PLACES, ProgramSides
from support.rewards import drip_text, packets_text, referral_text


class EverySide(ProgramSides):
    """Whatever a path or an example names."""

    def make_code_stock(self, side: str, made: dict[str, str]) -> None:
        """A stock that is handed out by code."""
        made["program"] = self.stocked(side, hand_out="code")
        made["stock"] = made["code_stock"] = "off-10"

    def make_new_voucher_code(self, side: str, made: dict[str, str]) -> None:
        """A code nobody knows."""
        made["new_voucher_code"] = codes.grouped(codes.draw())

    def make_voucher_code(self, side: str, made: dict[str, str]) -> None:
        """A code that counts, of a batch."""
        code, stock = codes.draw(), dict[str, str]()
        self.make_code_stock(side, stock)
        town, key = self.town, self.town.key()
        program, batch = stock["program"], codes.batch_id(OPERATOR, key, stock["program"], "off-10")
        digests = {codes.digest(code_key(town.app.master), code): code[-4:]}
        town.app.execute(Kind.ADD_CODES, codes.adding(batch, OPERATOR, program, "off-10", digests))
        told = {"batch": batch, "program": program, "stock": "off-10", "count": 1}
        town.ok(Kind.OPEN_CODES, codes.OpenCodes(key=key, caller=OPERATOR, **told))
        made["voucher_code"], made["batch"] = code, public("cbt", batch)

    make_batch = make_voucher_code

    def make_draw_stock(self, side: str, made: dict[str, str]) -> None:
        """A stock that is handed out by draw."""
        made["program"], made["draw_stock"] = self.stocked(side, hand_out="draw"), "off-10"

    def make_draw(self, side: str, made: dict[str, str]) -> None:
        """A draw that takes entries for an hour."""
        program, now = self.stocked(side, hand_out="draw"), microseconds(self.town.app.door.at())
        told = {"program": program, "stock": "off-10", "seats": 1, "opens_us": now, "closes_us": now + 3_600_000_000}
        command = draws.opening(self.town.app.master, OPERATOR, self.town.key(), **told)
        made["draw"] = public("drw", self.town.ok(Kind.OPEN_DRAW, command).id)

    def make_entry(self, side: str, made: dict[str, str]) -> None:
        """A draw that somebody entered."""
        self.make_draw(side, made)
        told = {"draw": _id(made["draw"], "drw"), "wallet": self.wallets[side]}
        entered = self.town.ok(Kind.ENTER_DRAW, EnterDraw(key=self.town.key(), caller=OPERATOR, **told))
        made["entry"] = public("ent", entered.id)

    def make_over_draw(self, side: str, made: dict[str, str]) -> None:
        """A draw whose time is over."""
        with self.earlier(hours=2):
            self.make_entry(side, made)

    def make_ended_draw(self, side: str, made: dict[str, str]) -> None:
        """A draw that ended."""
        self.make_over_draw(side, made)
        draw = _id(made["draw"], "drw")
        self.town.ok(Kind.END_DRAW, EndDraw(key=self.town.key(), caller=OPERATOR, draw=draw))

    def make_listed_draw(self, side: str, made: dict[str, str]) -> None:
        """A draw whose list is committed."""
        self.make_ended_draw(side, made)
        draw = _id(made["draw"], "drw")
        self.town.ok(Kind.LIST_DRAW, ListDraw(key=self.town.key(), caller=OPERATOR, draw=draw))

    def make_revealed_draw(self, side: str, made: dict[str, str]) -> None:
        """A draw whose seed is known."""
        self.make_listed_draw(side, made)
        app, draw = self.town.app, _id(made["draw"], "drw")
        self.town.ok(Kind.REVEAL_DRAW, draws.revealing(app.connection, app.master, OPERATOR, self.town.key(), draw))

    def make_packets(self, side: str, made: dict[str, str]) -> None:
        """A pool of packets that a program's terms name."""
        told = stock_text(
            "packet",
            (PLACES[side]["fund"], 10_000),
            hand_out="grant",
            kind="instant",
            min_order_fen=0,
            face_fen=5_000,
            count=20,
            budget_fen=10_000,
        )
        made["program"] = self.started(side, told, packets_text(claim_hours=1), stock="packet")
        made["packets"] = "lucky"

    def make_pool(self, side: str, made: dict[str, str]) -> None:
        """A pool that is open."""
        found: dict[str, str] = {}
        self.make_packets(side, found)
        command = OpenPackets(
            key=self.town.key(), caller=OPERATOR, program=found["program"], code="lucky", seed=bytes(32)
        )
        made["pool"] = public("pol", self.town.ok(Kind.OPEN_PACKETS, command).id)

    def make_over_pool(self, side: str, made: dict[str, str]) -> None:
        """A pool whose time is up."""
        with self.earlier(hours=2):
            self.make_pool(side, made)

    def make_packet(self, side: str, made: dict[str, str]) -> None:
        """A packet of the side's holder, of a pool that has ended."""
        found: dict[str, str] = {}
        with self.earlier(hours=2):
            self.make_pool(side, found)
            told = {"wallet": self.wallets[side], "pool": _id(found["pool"], "pol")}
            taken = self.town.ok(Kind.OPEN_PACKET, OpenPacket(key=self.town.key(), caller=OPERATOR, **told))
        self.town.ok(Kind.END_PACKETS, EndPackets(key=self.town.key(), caller=OPERATOR, pool=told["pool"]))
        made["packet"] = public("pkt", taken.id)

    def make_plan(self, side: str, made: dict[str, str]) -> None:
        """A plan that a sale to the side's holder began."""
        program = self.stocked(side, drip_text(), hand_out="grant")
        card = self.town.sell(self.wallets[side], 50_000, program)
        (row,) = self.town.rows("SELECT id FROM plan WHERE card = %s", card.hex())
        made["plan"] = public("pln", row[0].bytes)

    def make_statement(self, side: str, made: dict[str, str]) -> None:
        """A statement of the side's fund, holder or merchant, as the role is; one that was made before, if any."""
        place, until = PLACES[side], date(2025, 4, 30)
        kind = {Role.FUNDER: PartyKind.FUNDER, Role.HOLDER: PartyKind.HOLDER}.get(self.role, PartyKind.MERCHANT)
        who = {
            PartyKind.FUNDER: fund_id(place["fund"]),
            PartyKind.HOLDER: self.wallets[side],
            PartyKind.MERCHANT: self.town.merchants[place["merchant"]],
        }[kind]
        command = MakeStatement(key=statement_key(until), caller=OPERATOR, party=kind, who=who, until=until)
        made_before = statements(self.town.app.connection, None, [who], None, 1)
        identity = made_before[0].id if made_before else self.town.ok(Kind.MAKE_STATEMENT, command).id
        made["statement"] = public("stm", identity)

    def make_closing(self, side: str, made: dict[str, str]) -> None:
        """A request to return a card of the side's holder."""
        found: dict[str, str] = {}
        self.make_card(side, found)
        told: dict[str, Any] = {"card": _id(found["card"], "crd"), "cause": "holder", "reason": "moves away"}
        command = RequestClosing(key=self.town.key(), caller=OPERATOR, **told)
        made["closing"] = public("cls", self.town.ok(Kind.REQUEST_CLOSING, command).id)

    def make_receiver(self, side: str, made: dict[str, str]) -> None:
        """Somebody whose identity is known."""
        made["receiver"] = public("wal", self.holder(side))

    def make_expired_card(self, side: str, made: dict[str, str]) -> None:
        """A bearer card that expired years ago."""
        with self.earlier(hours=24 * 2_300):
            card = self.town.sell(self.wallets[side], 50_000, self.bearer(side))
        made["card"] = public("crd", card)

    def make_referral_program(self, side: str, made: dict[str, str]) -> None:
        """A program that nobody bought of yet."""
        made["referral_program"] = self.stocked(side, referral_text(), hand_out="grant")

    def make_invite_code(self, side: str, made: dict[str, str]) -> None:
        """The invite code of somebody else."""
        made["invite_code"] = invite_code(self._somebody("李四"))

    def make_referral(self, side: str, made: dict[str, str]) -> None:
        """An invitation that was accepted."""
        found: dict[str, str] = {}
        self.make_referral_program(side, found)
        told = {"program": found["referral_program"], "code": invite_code(self._somebody("李四"))}
        command = AcceptInvite(key=self.town.key(), caller=OPERATOR, wallet=self._somebody("王五"), **told)
        made["referral"] = public("ref", self.town.ok(Kind.ACCEPT_INVITE, command).id)

    def _somebody(self, name: str) -> Id:
        person = Person(name, self.phone(), None)
        command = registration(self.town.app.master, OPERATOR, self.town.key(), person)
        return self.town.ok(Kind.REGISTER_HOLDER, command).id


def _id(text: str, prefix: str) -> Id:
    return ids.parse(prefix, text)
