"""What each party reads of one order, which passes between two books; what a holder is given of hers as evidence."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.documents.evidence import evidence, until_yesterday
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.service import proofs
from kaquan.merchants.model import RegisterOrganisation
from kaquan.payments.model import Pay, Refund
from kaquan.programs.model import OpenProgram
from kaquan.reporting import service
from kaquan.reporting.model import MakeStatement, PartyKind, statement_key
from kaquan.reporting.sections import rows_of
from kaquan.vouchers.model import Claim
from support.database import Database
from support.grants import stock_text
from support.town import SECOND, Town, build, program_text

MAY, JUNE = date(2025, 5, 31), date(2025, 6, 30)
ACROSS = (
    ('code = "jingxika"', 'code = "across"'),
    ("[card]", '[[acceptance]]\nplatform = "partner"\nmerchants = "all"\n\n[card]'),
)
Statement = Callable[[PartyKind, Id, date], dict[str, Any]]


class Across(Town):
    """A town with a merchant whose platform keeps a book of its own, and a holder with a card and two vouchers."""

    wallet: Id
    card: Id
    partner: Id
    city: Id
    vouchers: tuple[Id, Id]

    def buy(self, amount: int, voucher: Id, outside: int = 0) -> Id:
        """An order at the partner's with a voucher, by card; without it when something is paid outside."""
        command = Pay(
            key=self.key(),
            caller=OPERATOR,
            card=None if outside else self.card,
            wallet=self.wallet if outside else None,
            merchant=self.partner,
            store=None,
            amount=Money(amount),
            order_no=f"order-{self.counter}",
            vouchers=(voucher,),
            outside=Money(outside),
        )
        return self.ok(Kind.PAY, command).id

    def statement(self, kind: PartyKind, who: Id, until: date) -> dict[str, Any]:
        """What a party's statement says."""
        told = {"party": kind, "who": who, "until": until, "below": service.horizon(self.app.connection, 60)}
        command = MakeStatement(key=statement_key(until), caller=OPERATOR, **told)
        found = service.statement_by_id(self.app.connection, self.ok(Kind.MAKE_STATEMENT, command).id)
        assert found is not None
        return found.record


@pytest.fixture
def town(database: Database) -> Across:
    built = build(database.app_url)
    town = Across(built.app, counter=built.counter, merchants=built.merchants)
    town.app.door._now = lambda: town.now
    platform = RegisterOrganisation(key="p", caller=OPERATOR, code="partner", name="伙伴平台", keeps_book=True)
    town.ok(Kind.REGISTER_ORGANISATION, platform)
    town.partner = town.merchant("partner-1", "partner")
    town.city = town.fund("city", 100_000)
    text = program_text(*ACROSS) + stock_text("off-10", ("city", 6_000), ("merchant", 4_000))
    town.ok(Kind.OPEN_PROGRAM, OpenProgram(key="o", caller=OPERATOR, text=text, approved_by=SECOND))
    town.stock("off-10", "across")
    town.wallet = town.holder()
    town.card = town.sell(town.wallet, 100_000, program="across")
    claims = [
        Claim(key=town.key(), caller=OPERATOR, wallet=town.wallet, program="across", stock="off-10") for _ in range(2)
    ]
    town.vouchers = tuple(town.ok(Kind.CLAIM, claim).id for claim in claims)  # type: ignore[assignment]
    town.tick(days=1)
    return town


def amounts(record: dict[str, Any], section: str, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of a section."""
    return [tuple(row[name] for name in names) for row in rows_of(record, section)]


def test_one_order_as_its_merchant_its_funder_and_its_holder_read_it(town: Across) -> None:
    order = town.buy(11_000, town.vouchers[0])
    town.tick(days=1)
    town.ok(Kind.REFUND, Refund(key="r", caller=OPERATOR, payment=order, amount=Money(5_500), reason="returned"))
    town.now = shanghai(date(2025, 6, 1))
    shop = town.statement(PartyKind.MERCHANT, town.partner, MAY)
    assert amounts(shop, "payable", "movement", "contra", "fund", "count", "in_fen", "out_fen") == [
        ("pay", "card.principal", "", 1, 10_000, 0),
        ("pay", "funder.committed", "city", 1, 600, 0),
        ("refund", "card.principal", "", 1, 0, 5_000),
        ("refund", "funder.budget", "city", 1, 0, 300),
    ], "what the issuer's book paid is told through the account between the books"
    assert amounts(shop, "discounts", "funded_by", "discount_fen", "returned_fen", "net_fen") == [
        ("city", 600, 300, 300),
        ("merchant", 400, 200, 200),
    ]
    assert amounts(shop, "days", "payments", "gross_fen", "refunds_fen", "balance_fen") == [
        (1, 10_600, 0, 10_600),
        (0, 0, 5_300, 5_300),
    ]
    fund = town.statement(PartyKind.FUNDER, town.city, MAY)
    assert amounts(fund, "stocks", "stock", "promised_fen", "used_fen", "returned_fen") == [
        ("off-10", 1_200, 600, 300)
    ]
    assert amounts(fund, "accounts", "account", "closing_fen") == [
        ("funder.budget", 100_000 - 1_200 + 300),
        ("funder.committed", 600),
    ]
    hers = town.statement(PartyKind.HOLDER, town.wallet, MAY)
    assert amounts(hers, "movements", "movement", "principal_fen", "bonus_fen", "discount_fen", "balance_fen") == [
        ("sell", 95_000, 5_000, 0, 100_000),
        ("pay", -10_000, 0, -1_000, 90_000),
        ("refund", 5_000, 0, 500, 95_000),
    ]
    assert [proof.name for proof in proofs(town.app.connection) if not proof.ok] == []


def test_an_order_without_a_card_stands_in_her_statement(town: Across) -> None:
    town.buy(10_500, town.vouchers[0], outside=9_500)
    town.now = shanghai(date(2025, 6, 1))
    hers = town.statement(PartyKind.HOLDER, town.wallet, MAY)
    row = amounts(hers, "movements", "movement", "principal_fen", "discount_fen", "outside_fen", "balance_fen")[-1]
    assert row == ("pay", 0, -1_000, -9_500, 100_000)


def test_what_a_fund_is_given_and_gives_back_ties_month_by_month(town: Across) -> None:
    town.now = shanghai(date(2025, 6, 1))
    may = town.statement(PartyKind.FUNDER, town.city, MAY)
    town.pay_in("city", 5_000)
    town.now = shanghai(JUNE) + timedelta(days=1)
    june = town.statement(PartyKind.FUNDER, town.city, JUNE)
    assert amounts(may, "accounts", "closing_fen") == amounts(june, "accounts", "opening_fen")
    assert amounts(june, "budget", "program", "paid_in_fen", "promised_fen") == [("", 5_000, 0)]


def test_the_evidence_of_a_holder_is_whole_and_her_name_is_nowhere_else(town: Across) -> None:
    town.buy(11_000, town.vouchers[0])
    town.tick(days=1)
    made = town.app.one(
        Kind.MAKE_STATEMENT, until_yesterday(town.wallet, town.now, service.horizon(town.app.connection, 60))
    )
    assert isinstance(made, Effect)
    content, manifest = evidence(town.app, town.wallet, town.now, "zh")
    assert evidence(town.app, town.wallet, town.now, "zh")[0] == content
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(files[name]).hexdigest() == digest
    assert {one["name"] for one in manifest["files"]} == files.keys() - {"manifest.json", "SHA256SUMS"}
    assert json.loads(files["person.json"])["name"] == "张三"
    (card,) = json.loads(files["cards.json"])["cards"]
    assert card["balance_fen"] == 90_000
    events = json.loads(files["events.json"])["events"]
    assert sorted(event["what"] for event in events) == ["claim", "claim", "pay", "register_holder", "sell"]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    (kept,) = json.loads(files[f"contracts/{card['number']}.json"])["contracts"]
    assert kept["unchanged"] and card["number"][:4] in files[kept["file"]].decode()
    (name,) = [name for name in files if name.endswith(".zh.pdf")]
    assert files[name].startswith(b"%PDF")
    assert all("张三" not in files[name].decode("utf-8", "replace") for name in files if name != "person.json")
    assert "张三".encode() not in made.answer
