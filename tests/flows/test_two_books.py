"""A merchant whose platform keeps another book: earned there, settled there, and owed by the issuer's book."""

from datetime import date

import psycopg
import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.jobs.run import run_due
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import BUCKETS, Id, bucket_of
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.chart import Account
from kaquan.ledger.model import Ledger, book_owner
from kaquan.ledger.service import Position, positions, proofs, prove
from kaquan.merchants.model import RegisterMerchant, RegisterOrganisation
from kaquan.payments.model import Refund
from kaquan.programs.model import OpenProgram
from support.database import Database
from support.town import SECOND, Town, build, program_text

ISSUER, PARTNER = 1, 2
ACROSS = (
    ('code = "jingxika"', 'code = "across"'),
    ("[card]", '[[acceptance]]\nplatform = "partner"\nmerchants = "all"\n\n[card]'),
)


class Alliance(Town):
    """A town with a partner platform that keeps a book of its own, and a card of the program that both accept."""

    program: int
    card: Id

    def trade(self, amount: int, merchant: str = "partner-1") -> Id:
        outcome = self.pay(self.card, amount, merchant=merchant)
        assert isinstance(outcome, Effect), outcome
        return outcome.id

    def held(self, book: int) -> dict[Account, int]:
        rows = self.rows(
            "SELECT account, sum(amount)::bigint FROM (SELECT book, credit AS account, amount FROM posting UNION ALL"
            " SELECT book, debit, -amount FROM posting) t WHERE book = %s GROUP BY 1 HAVING sum(amount) <> 0",
            book,
        )
        return {Account(account): amount for account, amount in rows}

    def failed(self) -> list[str]:
        return [proof.name for proof in proofs(self.app.connection) if not proof.ok]


@pytest.fixture
def town(database: Database) -> Alliance:
    built = build(database.app_url)
    town = Alliance(built.app, merchants=built.merchants, stores=built.stores)
    town.app.door._now = lambda: town.now
    organisation = RegisterOrganisation(key="p", caller=OPERATOR, code="partner", name="伙伴平台", keeps_book=True)
    town.ok(Kind.REGISTER_ORGANISATION, organisation)
    merchant = RegisterMerchant(
        key="m",
        caller=OPERATOR,
        code="partner-1",
        name="伙伴门店",
        organisation="partner",
        account_bank="工商银行",
        account_no="6222020200112230",
    )
    town.merchants["partner-1"] = Id(bytes.fromhex(town.ok(Kind.REGISTER_MERCHANT, merchant).facts["id"]))
    town.ok(Kind.OPEN_PROGRAM, OpenProgram(key="o", caller=OPERATOR, text=program_text(*ACROSS), approved_by=SECOND))
    town.card = town.sell(town.holder(), 100_000, program="across")
    town.program = town.app.catalogue.programs["across"]
    town.tick(days=1)
    return town


def test_a_merchant_is_booked_where_its_platform_keeps_its_book(town: Alliance) -> None:
    catalogue = town.app.catalogue
    terms = catalogue.latest[town.program]
    partner, own = catalogue.merchants[town.merchants["partner-1"]], catalogue.merchants[town.merchants["mall-1"]]
    assert (partner.book, own.book) == (PARTNER, None)
    assert terms.ledger_of(partner) == Ledger(PARTNER, town.program)
    assert terms.ledger_of(own) == Ledger(ISSUER, town.program)
    assert terms.accepts(partner) and terms.accepts(own)
    assert not terms.accepts(catalogue.merchants[town.merchants["stranger"]])


def test_settlement_fee_reserve_and_release_stay_in_the_merchants_book(town: Alliance) -> None:
    town.trade(90_000)
    back = town.trade(10_000)
    town.ok(Kind.REFUND, Refund(key="back", caller=OPERATOR, payment=back, reason="returned"))
    town.now = shanghai(date(2025, 6, 5))
    run_due(town.app)
    assert town.held(PARTNER) == {
        Account.DUE_FROM: -90_000,
        Account.FEE_INCOME: 540,
        Account.MERCHANT_RESERVE: 8_946,
        Account.MERCHANT_PAYOUT: 80_514,
    }
    assert town.held(ISSUER)[Account.DUE_TO] == 90_000 and Account.FEE_INCOME not in town.held(ISSUER)
    town.now = shanghai(date(2025, 9, 5))
    run_due(town.app)
    assert Account.MERCHANT_RESERVE not in town.held(PARTNER)
    assert town.held(PARTNER)[Account.MERCHANT_PAYABLE] == 8_946, "the next settlement pays it"
    assert town.failed() == []


def test_positions_are_netted_by_pair(town: Alliance) -> None:
    assert positions(town.app.connection, [ISSUER, PARTNER]) == []
    town.trade(30_000)
    town.trade(5_000, "mall-1")
    assert positions(town.app.connection, [ISSUER, PARTNER]) == [Position(ISSUER, PARTNER, Money(30_000), ZERO)]
    assert positions(town.app.connection, [ISSUER, PARTNER])[0].net == -30_000
    proof = prove(town.app.connection, "clearing")
    assert proof.ok and proof.facts == {"due_to_fen": 30_000, "due_from_fen": 30_000}


def test_sums_that_agree_do_not_hide_a_wrong_pair(town: Alliance, database: Database) -> None:
    town.trade(30_000)
    with psycopg.connect(database.owner_url) as behind_the_door:
        behind_the_door.execute(
            "UPDATE posting SET debit_owner = %s WHERE debit = %s", (book_owner(9).hex(), Account.DUE_FROM)
        )
    proof = prove(town.app.connection, "clearing")
    assert not proof.ok and proof.facts["due_to_fen"] == proof.facts["due_from_fen"]


def test_the_owner_of_a_book_lies_in_the_first_bucket() -> None:
    owners = {book_owner(book) for book in range(1, 1_000)}
    assert len(owners) == 999 and {bucket_of(owner) for owner in owners} == {BUCKETS[0]}
