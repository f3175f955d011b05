"""A small town for tests: one issuer, its group, two stores, holders with cards. Everything through the door."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.funders.model import PayInFund, RegisterFund, fund_id
from kaquan.holders.service import registration
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.main import Kaquan
from kaquan.merchants.model import RegisterMerchant, RegisterOrganisation, RegisterStore
from kaquan.payments.model import Pay
from kaquan.privacy.model import Person
from kaquan.programs.catalogue import FundMode, Stock
from kaquan.programs.model import ApproveProgram, OpenProgram, ProposeAmendment
from kaquan.programs.preset_files import text as preset
from kaquan.sales.model import Sell, TopUp
from kaquan.stocks.model import OpenStock

MASTER_KEY = b"k" * 32
SECOND = "second"
"""Who approves what the operator wants."""
NOON = datetime(2025, 5, 20, 4, 0, tzinfo=UTC)
"""Tuesday 2025-05-20, 12:00 in Shanghai."""


@dataclass
class Town:
    """The wired application on a fresh database with a clock of its own."""

    app: Kaquan
    now: datetime = NOON
    counter: int = 0
    program: str = "jingxika"
    issuer: str = "jingxi"
    merchants: dict[str, Id] = field(default_factory=dict)
    stores: dict[str, Id] = field(default_factory=dict)

    def key(self) -> str:
        """A key that was never used."""
        self.counter += 1
        return f"key-{self.counter}"

    def tick(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)

    def meanwhile(self, app_url: str, kind: Kind, act: Callable[[Kaquan], Any]) -> None:
        """The next time a command of `kind` has loaded its facts, another process acts before it goes on."""
        handler = self.app.handlers[kind]
        load = handler.load

        def load_and_wait(*arguments: Any) -> Any:
            facts = load(*arguments)
            handler.load = load
            with connect(app_url) as connection:
                other = Kaquan(connection, MASTER_KEY)
                other.door._now = self.app.door._now
                act(other)
            return facts

        handler.load = load_and_wait

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a look into the database shows."""
        return self.app.connection.execute(statement.encode(), values).fetchall()

    def ok(self, kind: Kind, command: Any) -> Effect:
        """Execute one command that must take effect."""
        outcome = self.app.one(kind, command)
        assert isinstance(outcome, Effect), outcome
        return outcome

    def amend(self, text: str) -> Effect:
        """New terms for a program, proposed by the operator and approved by the second person."""
        proposed = self.ok(Kind.PROPOSE_AMENDMENT, ProposeAmendment(key=self.key(), caller=OPERATOR, text=text))
        approver = msgspec.structs.replace(OPERATOR, person=SECOND)
        approval = ApproveProgram(key=self.key(), caller=approver, program=proposed.facts["program"])
        return self.ok(Kind.APPROVE_PROGRAM, approval)

    def holder(self, phone: str = "13800138000", identified: bool = True) -> Id:
        """A registered holder's wallet."""
        person = Person("张三", phone, "11010519491231002X" if identified else None)
        return self.ok(Kind.REGISTER_HOLDER, registration(self.app.master, OPERATOR, self.key(), person)).id

    def sell(self, wallet: Id, face: int = 50_000, program: str = "jingxika") -> Id:
        """A card with an offer on it."""
        command = Sell(
            key=self.key(), caller=OPERATOR, wallet=wallet, program=program, face=Money(face), channel="sandbox"
        )
        return self.ok(Kind.SELL, command).id

    def top_up(self, card: Id, face: int = 50_000) -> Id:
        """Another offer on the card."""
        command = TopUp(key=self.key(), caller=OPERATOR, card=card, face=Money(face), channel="sandbox")
        return self.ok(Kind.TOP_UP, command).id

    def fund(self, code: str, amount: int = 0, **terms: Any) -> Id:
        """A fund in the issuer's book with money in it, prepaid, operating, unless `terms` say else."""
        told = {"name": code, "organisation": self.issuer, "book": self.issuer, "mode": FundMode.PREPAID}
        command = RegisterFund(
            key=self.key(), caller=OPERATOR, code=code, **{**told, "source": Source.OPERATING, **terms}
        )
        self.ok(Kind.REGISTER_FUND, command)
        if amount:
            self.pay_in(code, amount)
        return fund_id(code)

    def pay_in(self, code: str, amount: int) -> Effect:
        """Money for a fund."""
        command = PayInFund(key=self.key(), caller=OPERATOR, fund=code, amount=Money(amount), reference="bank-1")
        return self.ok(Kind.PAY_IN_FUND, command)

    def merchant(self, code: str, organisation: str) -> Id:
        """A merchant of an organisation, with a bank account that nobody has verified."""
        command = RegisterMerchant(
            key=self.key(),
            caller=OPERATOR,
            code=code,
            name=code,
            organisation=organisation,
            account_bank="工商银行",
            account_no="6222020200112230",
        )
        found = Id(bytes.fromhex(self.ok(Kind.REGISTER_MERCHANT, command).facts["id"]))
        self.merchants[code] = found
        return found

    def stock(self, code: str, program: str = "jingxika") -> Stock:
        """A stock of the program's terms, opened."""
        self.ok(Kind.OPEN_STOCK, OpenStock(key=self.key(), caller=OPERATOR, program=program, stock=code))
        self.app.catalogue.refresh(self.app.connection, -1)
        found = self.app.catalogue.stock_by_code(program, code)
        assert found is not None
        return found

    def pay(self, card: Id, amount: int, order_no: str = "", merchant: str = "mall-1", key: str = "") -> Any:
        """One payment, whatever comes of it."""
        key = key or self.key()
        return self.app.one(
            Kind.PAY,
            Pay(
                key=key,
                caller=OPERATOR,
                card=card,
                merchant=self.merchants[merchant],
                store=None,
                amount=Money(amount),
                order_no=order_no or f"order-{key}",
            ),
        )


def program_text(*edits: tuple[str, str]) -> str:
    """The preset `jingxika` without comments, each edit (instead of, write) made once."""
    text = "\n".join(line.partition("#")[0].rstrip() for line in preset("jingxika").splitlines())
    for instead_of, write in edits:
        assert instead_of in text, f"the preset does not contain {instead_of!r}"
        text = text.replace(instead_of, write, 1)
    return text


def build(url: str, *edits: tuple[str, str], more: str = "") -> Town:
    """The town with program `jingxika` open, merchants `mall-1`, `mall-2` in its group and `stranger` outside.

    `edits` change the text of the program before it opens: (instead of, write); `more` stands at its end.
    """
    town = _empty(url)
    _settle_in(town, {"jingxi": True, "jingxi-stores": False, "others": False})
    _trade(town, {"mall-1": "jingxi-stores", "mall-2": "jingxi-stores", "stranger": "others"})
    _open(town, program_text(*edits) + more)
    return town


def build_shipped(url: str, name: str, *books: str) -> Town:
    """A town with a preset as it is shipped, word for word; `books` are the platforms that keep a book of their own.

    Merchants are `mall-1`, `mall-2` on its first platform, `shop-1`, `shop-2` on a second one, `stranger` outside.
    """
    text = preset(name)
    terms = msgspec.toml.decode(text)
    town = _empty(url)
    town.program, town.issuer = terms["program"]["code"], terms["program"]["issuer"]
    platforms = [one["platform"] for one in terms["acceptance"]]
    _settle_in(town, {town.issuer: True, **{one: one in books for one in platforms}, "others": False})
    merchants = {
        f"{kind}-{number}": platform
        for kind, platform in zip(("mall", "shop"), platforms, strict=False)
        for number in (1, 2)
    }
    _trade(town, {**merchants, "stranger": "others"})
    _open(town, text)
    return town


def _empty(url: str) -> Town:
    app = Kaquan(connect(url), MASTER_KEY)
    town = Town(app)
    app.door._now = lambda: town.now
    return town


def _settle_in(town: Town, organisations: dict[str, bool]) -> None:
    """Register organisations, and whether each keeps a book."""
    for code, book in organisations.items():
        command = RegisterOrganisation(key=town.key(), caller=OPERATOR, code=code, name=code, keeps_book=book)
        town.ok(Kind.REGISTER_ORGANISATION, command)


def _trade(town: Town, merchants: dict[str, str]) -> None:
    """Register merchants with the organisation of each, and a store for each."""
    for code, organisation in merchants.items():
        town.merchant(code, organisation)
        store = f"{code}-s1"
        command = RegisterStore(key=town.key(), caller=OPERATOR, code=store, name=code, merchant=code, scene="retail")
        town.stores[store] = Id(bytes.fromhex(town.ok(Kind.REGISTER_STORE, command).facts["id"]))


def _open(town: Town, text: str) -> None:
    town.ok(Kind.OPEN_PROGRAM, OpenProgram(key=town.key(), caller=OPERATOR, text=text, approved_by=SECOND))
