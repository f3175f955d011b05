"""Custody on a real database: other processes, the timetable, two at once, the command line's answers."""

from datetime import date
from typing import Any

import msgspec

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.custody import service as custody
from kaquan.custody.model import DepositCustody, ReleaseCustody
from kaquan.custody.statement_model import EnterStatement, LookAtStatement
from kaquan.db.pool import connect
from kaquan.documents.custody import custody_document, day_row, statement_row
from kaquan.jobs.run import run_due
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.money import Money
from kaquan.ledger import service as ledger
from kaquan.main import Kaquan
from kaquan.sales.model import Sell
from support.database import Database
from support.grants import custody_text
from support.town import MASTER_KEY, Town, build

ALL = '[[custody.rules]]\ncode = "all"\nbase = "outstanding"\nrate_bps = 10000\n'
THIRD = '[[custody.rules]]\ncode = "third"\nbase = "outstanding"\nrate_bps = 3000\n'


def deposit(town: Town, amount: int) -> dict[str, Any]:
    told = {"program": town.program, "amount": Money(amount), "reference": "wire"}
    return town.ok(Kind.DEPOSIT_CUSTODY, DepositCustody(key=town.key(), caller=OPERATOR, **told)).facts


def released(app: Kaquan, key: str, amount: int) -> Any:
    told = {"program": "jingxika", "amount": Money(amount), "reference": "wire", "approved_by": "wang"}
    return app.one(Kind.RELEASE_CUSTODY, ReleaseCustody(key=key, caller=OPERATOR, **told))


def sold(app: Kaquan, key: str, wallet: Any) -> Any:
    told = {"wallet": wallet, "program": "jingxika", "face": Money(50_000), "channel": "sandbox"}
    return app.one(Kind.SELL, Sell(key=key, caller=OPERATOR, **told))


def test_sales_stop_in_another_process_from_its_next_command_on(database: Database) -> None:
    town = build(database.app_url, more=custody_text() + ALL)
    wallet = town.holder()
    with connect(database.app_url) as connection:
        other = Kaquan(connection, MASTER_KEY)
        other.door._now = lambda: town.now
        assert isinstance(sold(other, "before", wallet), Effect)
        town.now = shanghai(date(2025, 5, 21))
        run_due(town.app)  # midnight: the day is looked at ten minutes later
        assert isinstance(sold(other, "at midnight", wallet), Effect)
        town.tick(minutes=10)
        assert run_due(town.app)[Kind.ASSESS_CUSTODY] == 1
        refused = sold(other, "after", wallet)
        assert isinstance(refused, Refused) and refused.refusal.code.code == "sales_stopped"
        assert refused.refusal.facts["missing_fen"] == 95_000
        card = sold(other, "before", wallet).id
        town.tick(days=1)
        assert isinstance(town.pay(card, 1_000), Effect), "what was sold is spent as before"
        deposit(town, 95_000)
        assert isinstance(sold(other, "covered", wallet), Effect)


def test_redemption_lifts_a_stop_by_itself(database: Database) -> None:
    """Cover that was too little is enough once holders have used a part of their balance."""
    town = build(database.app_url, more=custody_text() + ALL)
    card = town.sell(town.holder())
    deposit(town, 40_000)
    town.tick(days=1)
    run_due(town.app)
    assert custody_state(town) == "sales_stopped"
    town.pay(card, 7_499)
    assert Kind.LIFT_STOP not in run_due(town.app)
    town.pay(card, 1)
    assert run_due(town.app)[Kind.LIFT_STOP] == 1
    assert custody_state(town) == "warned"
    assert not run_due(town.app)[Kind.LIFT_STOP]


def custody_state(town: Town) -> str:
    (row,) = town.rows("SELECT state::int FROM custody")
    return ("covered", "warned", "short", "sales_stopped")[row[0] - 1]


def test_of_two_releases_at_once_the_second_sees_the_first(database: Database) -> None:
    town = build(database.app_url, more=custody_text(release="with_redemption") + THIRD)
    card = town.sell(town.holder(), 100_000)
    deposit(town, 50_000)
    town.tick(days=1)
    town.pay(card, 50_000)
    free = custody.standing(town.app.connection, town.app.catalogue.latest[1], town.now).releasable_fen
    assert free == 50_000 - 13_500
    town.meanwhile(database.app_url, Kind.RELEASE_CUSTODY, lambda app: released(app, "first", free))
    second = released(town.app, "second", 1)
    assert isinstance(second, Refused) and second.refusal.code.code == "custody_release_above"
    assert town.rows("SELECT sum(amount)::bigint FROM posting WHERE kind = 191") == [(free,)]
    assert ledger.prove(town.app.connection, "custody").ok


def test_a_sale_at_the_same_time_is_as_if_the_release_had_come_first(database: Database) -> None:
    town = build(database.app_url, more=custody_text(release="with_redemption") + THIRD)
    wallet = town.holder()
    card = town.sell(wallet, 100_000)
    deposit(town, 50_000)
    town.tick(days=1)
    town.pay(card, 50_000)
    town.meanwhile(database.app_url, Kind.RELEASE_CUSTODY, lambda app: sold(app, "meanwhile", wallet))
    done = released(town.app, "release", 36_500)
    assert isinstance(done, Effect) and done.facts["surplus_fen"] == 0
    standing = custody.standing(town.app.connection, town.app.catalogue.latest[1], town.now)
    assert standing.now.missing_fen == 14_250, "the sale raised the requirement afterwards, and the day will say so"
    assert ledger.prove(town.app.connection, "custody").ok


def test_a_statement_is_looked_at_by_another_person(database: Database) -> None:
    town = build(database.app_url, more=custody_text())
    deposit(town, 10_000)
    town.tick(days=1)
    told = {"program": town.program, "number": "s-1"}
    balances = {"day": date(2025, 5, 20), "opening": Money(0), "closing": Money(9_000), "reference": "paper"}
    li, wang = (msgspec.structs.replace(OPERATOR, person=person) for person in ("li", "wang"))
    town.ok(Kind.ENTER_STATEMENT, EnterStatement(key=town.key(), caller=li, **told, **balances))
    own = town.app.one(Kind.LOOK_AT_STATEMENT, LookAtStatement(key=town.key(), caller=li, agrees=True, **told))
    assert isinstance(own, Refused) and own.refusal.code.code == "custody_second_person"
    town.ok(Kind.LOOK_AT_STATEMENT, LookAtStatement(key=town.key(), caller=wang, agrees=True, **told))
    connection, terms = town.app.connection, town.app.catalogue.latest[1]
    shown = custody_document(custody.standing(connection, terms, town.now))
    assert (shown["ledger_fen"], shown["bank_fen"], shown["covered_fen"]) == (10_000, 9_000, 9_000)
    (statement,) = map(statement_row, custody.statements_of(connection, town.program, 10))
    assert (statement["state"], statement["person"], statement["looked_by"]) == ("confirmed", "li", "wang")
    (differing,) = custody.discrepancies(connection, town.program, 10)
    assert differing.amount == -1_000


def test_days_are_kept_with_every_rule_and_caught_up(database: Database) -> None:
    town = build(database.app_url, more=custody_text(on_shortfall="alarm") + THIRD)
    town.sell(town.holder())
    town.tick(days=1)
    run_due(town.app)
    town.tick(days=45)
    assert run_due(town.app)[Kind.ASSESS_CUSTODY] == 45
    kept = [day_row(row) for row in custody.days(town.app.connection, town.program, date(9999, 1, 1), 100)]
    assert [one["day"] for one in kept] == [
        str(date.fromordinal(date(2025, 7, 4).toordinal() - n)) for n in range(46)
    ]
    assert {rule["rule"] for rule in kept[0]["rules"]} == {"custody_group_quarter_bps_min", "third"}
    assert {one["required_fen"] for one in kept} == {14_250}
    assert ledger.prove(town.app.connection, "custody").facts["days"] == 46
