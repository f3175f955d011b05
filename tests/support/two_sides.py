"""A town with two of everything: what is one caller's own, and the same in other hands.

`names(side, wanted)` makes objects by the names that the examples of operations use (`$card`, `$payment`, …).
"""

import itertools
from collections.abc import Iterable
from typing import Any

from kaquan.api.operations import Operation
from kaquan.approvals.service import request
from kaquan.bulk import service as bulk
from kaquan.bulk.model import Sent
from kaquan.commands.model import Kind
from kaquan.db.wire import raw_cursor
from kaquan.holders.service import registration
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.kernel.ids import Id, parse, public
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Source
from kaquan.merchants.model import RegisterOrganisation
from kaquan.payment_codes.service import adding
from kaquan.payments.model import Authorize
from kaquan.privacy.model import Person
from kaquan.programs.model import OpenProgram
from kaquan.vouchers.model import Claim
from kaquan.webhooks import service as webhooks
from kaquan.webhooks.model import Reach, RemoveEndpoint
from kaquan.webhooks.sending import Sender
from support.database import Database
from support.service import issue
from support.town import SECOND, build, program_text

OWN, OTHER = "own", "other"
_STOCK = """
[[stocks]]
code = "welcome"
name_zh = "迎新券"
name_en = "Welcome"
kind = "instant"
face_fen = 500
count = 100_000
valid_days = 30

[[funding]]
of = "welcome"
fund = "{fund}"
share_bps = 10_000
"""
_LATE = {"late": True, "reason": "asked after the window"}
_PLACES = {
    OWN: {"issuer": "jingxi", "group": "jingxi-stores", "program": "jingxika", "merchant": "mall-1", "fund": "city"},
    OTHER: {"issuer": "rival", "group": "rival-stores", "program": "rivalka", "merchant": "far-1", "fund": "county"},
}


class TwoSides:
    """The town and its two sides. Everything is made by commands of the operator."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.numbers = itertools.count(1)
        self.role = Role.OPERATOR
        self.endpoints: dict[str, Id] = {}
        self.jobs: dict[int, Id] = {}
        self.town = build(
            database.app_url, ("activation_days = 1", "activation_days = 0"), more=_STOCK.format(fund="city")
        )
        self._rival()
        for side, place in _PLACES.items():
            self._endow(side, place)
        self.wallets = {side: self.holder(side) for side in _PLACES}
        self.town.tick(days=1)

    def _rival(self) -> None:
        town, place = self.town, _PLACES[OTHER]
        for code, book in ((place["issuer"], True), (place["group"], False)):
            command = RegisterOrganisation(key=town.key(), caller=OPERATOR, code=code, name=code, keeps_book=book)
            town.ok(Kind.REGISTER_ORGANISATION, command)
        town.merchant(place["merchant"], place["group"])
        text = program_text(
            ('code = "jingxika"', 'code = "rivalka"'),
            ('issuer = "jingxi"', 'issuer = "rival"'),
            ('platform = "jingxi-stores"', 'platform = "rival-stores"'),
            ("activation_days = 1", "activation_days = 0"),
        )
        opened = OpenProgram(
            key=town.key(), caller=OPERATOR, text=text + _STOCK.format(fund="county"), approved_by=SECOND
        )
        town.ok(Kind.OPEN_PROGRAM, opened)

    def _endow(self, side: str, place: dict[str, str]) -> None:
        town, party = self.town, f"{place['fund']}-hall"
        organisation = RegisterOrganisation(key=town.key(), caller=OPERATOR, code=party, name=party, keeps_book=False)
        town.ok(Kind.REGISTER_ORGANISATION, organisation)
        town.merchant(f"{place['issuer']}-desk", place["issuer"])
        town.fund(place["fund"], 100_000_000, organisation=party, book=place["issuer"], source=Source.FISCAL)
        town.stock("welcome", place["program"])

    def token(self, role: Role) -> str:
        """A key of the own side."""
        place = _PLACES[OWN]
        where: dict[Role, dict[str, Any]] = {
            Role.OPERATOR: {},
            Role.ISSUER: {"organisation": place["issuer"]},
            Role.MERCHANT: {"organisation": place["group"], "merchant": place["merchant"]},
            Role.CASHIER: {"organisation": place["group"], "merchant": place["merchant"]},
            Role.HOLDER: {"organisation": place["issuer"], "wallet": self.wallets[OWN]},
            Role.FUNDER: {"organisation": f"{place['fund']}-hall"},
            Role.REGULATOR: {"organisation": f"{place['fund']}-hall"},
        }
        return issue(self.town, role, **where[role])

    def names(self, side: str, operation: Operation, role: Role = Role.OPERATOR) -> dict[str, str]:
        """Fresh objects of a side for all that an operation's path and example name, such as a role has."""
        self.role = role
        wanted = set(_named(operation.example)) | set(_in_path(operation.path))
        made: dict[str, str] = {}
        for name in sorted(wanted):
            if name not in made:
                getattr(self, f"make_{operation.made if name in _MADE_BY_PATH and operation.made else name}")(
                    side, made
                )
        return made

    def holder(self, side: str, *, identified: bool = True) -> Id:
        """A wallet, which becomes a customer of the side's program by a card."""
        person = Person("张三", self.phone(), "11010519491231002X" if identified else None)
        command = registration(self.town.app.master, OPERATOR, self.town.key(), person)
        return self.town.ok(Kind.REGISTER_HOLDER, command).id

    def phone(self) -> str:
        """A number nobody has."""
        return f"139{next(self.numbers):08d}"

    def make_wallet(self, side: str, made: dict[str, str]) -> None:
        """The side's holder, who has a card."""
        self.town.sell(self.wallets[side], 50_000, _PLACES[side]["program"])
        made["wallet"] = public("wal", self.wallets[side])

    def make_unidentified(self, side: str, made: dict[str, str]) -> None:
        """A wallet of somebody whose identity number is not known, with a voucher of the side's program."""
        wallet = self.holder(side, identified=False)
        made["wallet"] = public("wal", wallet)
        self._claim(side, wallet)

    def make_card(self, side: str, made: dict[str, str]) -> None:
        """A card with 500 yuan on it."""
        card = self.town.sell(self.wallets[side], 50_000, _PLACES[side]["program"])
        made["card"] = public("crd", card)
        row = self.town.rows("SELECT number FROM card WHERE id = %s", card.hex())
        made["card_number"] = row[0][0]

    make_card_number = make_card

    def make_payment(self, side: str, made: dict[str, str]) -> None:
        """A payment of 10 yuan."""
        self._pay(side, made, self.town.pay)

    def make_authorization(self, side: str, made: dict[str, str]) -> None:
        """An authorization of 10 yuan."""
        self._pay(side, made, self._authorize)

    def _pay(self, side: str, made: dict[str, str], pay: Any) -> None:
        card = self.town.sell(self.wallets[side], 50_000, _PLACES[side]["program"])
        made["order_no"] = self.order_no()
        merchant = _PLACES[side]["merchant"]
        made["payment"] = public("pay", pay(card, 1_000, order_no=made["order_no"], merchant=merchant).id)
        made["merchant"] = merchant

    def _authorize(self, card: Id, amount: int, *, order_no: str, merchant: str) -> Any:
        command = Authorize(
            key=self.town.key(),
            caller=OPERATOR,
            card=card,
            merchant=self.town.merchants[merchant],
            store=None,
            amount=Money(amount),
            order_no=order_no,
        )
        return self.town.ok(Kind.AUTHORIZE, command)

    make_order_no = make_payment

    def make_voucher(self, side: str, made: dict[str, str]) -> None:
        """A voucher of the side's holder."""
        made["voucher"] = public("vch", self._claim(side, self.wallets[side]))

    def make_reserved(self, side: str, made: dict[str, str]) -> None:
        """A voucher that is kept for an order."""
        self.make_voucher(side, made)
        made["order_no"] = self.order_no()
        made["merchant"] = _PLACES[side]["merchant"]

    def _claim(self, side: str, wallet: Id) -> Id:
        program = _PLACES[side]["program"]
        command = Claim(key=self.town.key(), caller=OPERATOR, wallet=wallet, program=program, stock="welcome")
        return self.town.ok(Kind.CLAIM, command).id

    def order_no(self) -> str:
        """An order number nobody has used."""
        return f"order-{next(self.numbers)}"

    def make_new_order_no(self, side: str, made: dict[str, str]) -> None:
        """An order number nobody has used."""
        made["new_order_no"] = self.order_no()

    def make_key(self, side: str, made: dict[str, str]) -> None:
        """A key nobody has used."""
        made["key"] = self.town.key()

    def make_phone(self, side: str, made: dict[str, str]) -> None:
        """A phone number nobody has."""
        made["phone"] = self.phone()

    def make_known_phone(self, side: str, made: dict[str, str]) -> None:
        """The phone number of somebody with a voucher of the side's."""
        phone = self.phone()
        person = registration(self.town.app.master, OPERATOR, self.town.key(), Person("李四", phone, None))
        self._claim(side, self.town.ok(Kind.REGISTER_HOLDER, person).id)
        made["known_phone"] = phone

    def make_merchant(self, side: str, made: dict[str, str]) -> None:
        """The side's merchant."""
        made.setdefault("merchant", _PLACES[side]["merchant"])

    def make_device(self, side: str, made: dict[str, str]) -> None:
        """A device of the side's holder."""
        app, key = self.town.app, self.town.key()
        told = adding(raw_cursor(app.connection), app.master, OPERATOR, key, wallet=self.wallets[side], label="phone")
        assert not isinstance(told, Refusal)
        made["device"] = public("dev", self.town.ok(Kind.ADD_DEVICE, told[0]).id)

    def make_organisation(self, side: str, made: dict[str, str]) -> None:
        """The role's organisation."""
        place = _PLACES[side]
        made["organisation"] = f"{place['fund']}-hall" if self.role is Role.FUNDER else place["issuer"]

    def make_hook_url(self, side: str, made: dict[str, str]) -> None:
        """A public address, which needs no look-up."""
        made["hook_url"] = "https://93.184.215.14/kaquan"

    def make_endpoint(self, side: str, made: dict[str, str]) -> None:
        """An endpoint of the role's organisation; the one before is gone, for there may not be many."""
        self.make_organisation(side, made)
        command, _ = webhooks.adding(
            self.town.app.master,
            OPERATOR,
            self.town.key(),
            organisation=made["organisation"],
            url="https://93.184.215.14/hook",
            events=("*",),
        )
        if (before := self.endpoints.pop(made["organisation"], None)) is not None:
            removal = RemoveEndpoint(key=self.town.key(), caller=OPERATOR, endpoint=before)
            self.town.app.one(Kind.REMOVE_ENDPOINT, removal)
        added = self.endpoints[made["organisation"]] = self.town.ok(Kind.ADD_ENDPOINT, command).id
        made["endpoint"] = public("whe", added)

    def make_delivery(self, side: str, made: dict[str, str]) -> None:
        """Something that an endpoint was told of."""
        self.make_endpoint(side, made)
        self.make_card(side, made)
        app = self.town.app
        dispatcher = webhooks.Dispatcher(app.master, Sender(Reach()), app.one)
        endpoint = parse("whe", made["endpoint"]).hex()
        rows: list[tuple[Any, ...]] = []
        while not rows:
            dispatcher.run_once(app.connection, self.town.now)
            rows = self.town.rows("SELECT id FROM webhook_delivery WHERE endpoint = %s", endpoint)
        made["delivery"] = public("whd", rows[0][0].bytes)

    def make_job(self, side: str, made: dict[str, str]) -> None:
        """A job of the role's organisation that waits; the one before is cancelled, for there may not be many."""
        self.make_organisation(side, made)
        app = self.town.app
        number = 0 if self.role is Role.OPERATOR else app.catalogue.organisations[made["organisation"]][0]
        if (before := self.jobs.pop(number, None)) is not None:
            bulk.cancel(app.connection, before, self.town.now)
        sent = Sent(self.town.key(), Caller(number, self.role))
        rows = [{"card": "9286 0012 3456 7897", "reason": "lost"}]
        sending = bulk.submit(app.connection, app.master, sent, self.town.now, operation="freeze_card", rows=rows)
        assert isinstance(sending, tuple)
        self.jobs[number] = sending[0]
        made["job"] = public("job", sending[0])

    def make_group(self, side: str, made: dict[str, str]) -> None:
        """An organisation and a merchant of it, whose keys the role looks after."""
        made["group"], made["merchant"] = self._staffed(side)

    def make_api_key(self, side: str, made: dict[str, str]) -> None:
        """A cashier's key at such a merchant."""
        organisation, merchant = self._staffed(side)
        made["api_key"] = issue(self.town, Role.CASHIER, organisation=organisation, merchant=merchant).split("_")[2]

    def _staffed(self, side: str) -> tuple[str, str]:
        place = _PLACES[side]
        if self.role is Role.ISSUER:
            return place["issuer"], f"{place['issuer']}-desk"
        return place["group"], place["merchant"]

    def make_approval(self, side: str, made: dict[str, str]) -> None:
        """A late refund that somebody of the role's organisation asked for."""
        self.make_payment(side, made)
        place, merchant = _PLACES[side], None
        code = {Role.ISSUER: place["issuer"], Role.FUNDER: f"{place['fund']}-hall"}.get(self.role, place["group"])
        if code == place["group"]:
            merchant = self.town.merchants[place["merchant"]]
        role = self.role if self.role in (Role.ISSUER, Role.FUNDER) else Role.MERCHANT
        somebody = Caller(self.town.app.catalogue.organisations[code][0], role, merchant, "somebody")
        wanted = {"operation": "refund_payment", "path": {"payment": made["payment"]}, "body": _LATE}
        command = request(self.town.key(), somebody, Kind.REFUND, wanted, "late")
        made["approval"] = public("apr", self.town.ok(Kind.REQUEST_APPROVAL, command).id)

    def make_program(self, side: str, made: dict[str, str]) -> None:
        """The side's program."""
        made["program"] = _PLACES[side]["program"]

    def make_stock(self, side: str, made: dict[str, str]) -> None:
        """The stock of the side's program."""
        made["stock"] = "welcome"


_MADE_BY_PATH = frozenset({"payment", "voucher", "card", "wallet"})


def _in_path(path: str) -> Iterable[str]:
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]


def _named(example: Any) -> Iterable[str]:
    if isinstance(example, str):
        return [example[1:]] if example.startswith("$") else []
    if isinstance(example, dict):
        return itertools.chain.from_iterable(map(_named, example.values()))
    return itertools.chain.from_iterable(map(_named, example)) if isinstance(example, list) else []
