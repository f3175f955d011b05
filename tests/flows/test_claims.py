"""Claims on a real database: limits as tokens that commands hold, days that open by themselves."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kaquan.commands.model import Effect, Entry, Kind, Refused, scoped_id
from kaquan.db.wire import raw_cursor
from kaquan.holders.service import identification, registration
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.kernel.ids import Id
from kaquan.privacy.model import Person
from kaquan.quotas.slots import GRACE_SECONDS
from kaquan.vouchers.model import Claim, IssueVoucher, ReserveVoucher, VoidVoucher
from support.database import Database
from support.grants import stock_text
from support.town import Town, build

ID_NUMBER = "11010519491231002X"
OTHER_NUMBER = "110105199003078515"
MANY = 10_000_000


def opened(database: Database, **terms: Any) -> Town:
    """A town that hands out ten-yuan vouchers under these terms, paid for by the city."""
    town = build(database.app_url, more=stock_text("off-10", **terms))
    town.fund("city", MANY)
    town.stock("off-10")
    return town


def wallet(town: Town, number: int, id_number: str | None = None) -> Id:
    """A wallet of its own phone number."""
    person = Person("李四", f"139{number:08d}", id_number)
    return town.ok(Kind.REGISTER_HOLDER, registration(town.app.master, OPERATOR, town.key(), person)).id


def claim(town: Town, to: Id, key: str = "", **told: Any) -> Claim:
    """A claim on the town's stock."""
    return Claim(key=key or town.key(), caller=OPERATOR, wallet=to, program="jingxika", stock="off-10", **told)


def code(outcome: Any) -> str:
    """Why not; empty for an effect."""
    return outcome.refusal.code.code if isinstance(outcome, Refused) else ""


def asked(town: Town, *commands: Claim) -> list[str]:
    """What comes of claims that arrive together."""
    return [code(outcome) for outcome in town.app.execute(Kind.CLAIM, list(commands))]


def dies(town: Town, command: Claim) -> None:
    """A claim that takes its tokens and is never decided."""
    content = scoped_id(7, command.wallet, command.key)
    entry = Entry(command, scoped_id(OPERATOR.organisation, command.wallet, command.key), content)
    town.app.handlers[Kind.CLAIM].route(raw_cursor(town.app.connection), [entry], town.app.door.at(), False)


def test_two_wallets_of_one_identity_share_a_person_limit(database: Database) -> None:
    town = opened(database, person_total=1)
    first, second, other = wallet(town, 1, ID_NUMBER), wallet(town, 2, ID_NUMBER), wallet(town, 3, OTHER_NUMBER)
    assert asked(town, claim(town, first)) == [""]
    assert asked(town, claim(town, second)) == ["claim_person_limit"]
    assert asked(town, claim(town, other)) == [""]


def test_a_wallet_that_is_identified_later_joins_its_person(database: Database) -> None:
    town = opened(database, person_total=1)
    first, second = wallet(town, 1, ID_NUMBER), wallet(town, 2)
    app = town.app
    told = {"wallet": second, "name": "李四", "id_number": ID_NUMBER}
    town.ok(Kind.IDENTIFY_HOLDER, identification(app.connection, app.master, OPERATOR, town.key(), **told))
    persons = town.rows("SELECT count(DISTINCT person), count(person) FROM wallet")
    assert persons == [(1, 2)]
    assert asked(town, claim(town, second), claim(town, first)) == ["", "claim_person_limit"]


def test_what_a_wallet_got_before_it_was_identified_counts(database: Database) -> None:
    town = opened(database, person_total=1)
    who, app = wallet(town, 1), town.app
    assert asked(town, claim(town, who)) == [""]
    told = {"wallet": who, "name": "李四", "id_number": ID_NUMBER}
    town.ok(Kind.IDENTIFY_HOLDER, identification(app.connection, app.master, OPERATOR, town.key(), **told))
    assert asked(town, claim(town, who)) == ["claim_person_limit"]


def test_in_one_batch_the_limit_holds_and_is_told_for_good(database: Database) -> None:
    town = opened(database, person_total=2)
    who = wallet(town, 1)
    assert asked(town, *(claim(town, who) for _ in range(5))) == ["", "", *["claim_person_limit"] * 3]
    assert town.rows("SELECT count(*) FROM voucher") == [(2,)]


def test_a_retry_finds_its_own_token_and_a_new_day_takes_none_for_it(database: Database) -> None:
    town = opened(database, person_day=1)
    who = wallet(town, 1)
    command = claim(town, who)
    first = town.ok(Kind.CLAIM, command)
    assert town.app.one(Kind.CLAIM, command) == Effect(first.id, first.answer, replayed=True)
    assert asked(town, claim(town, who)) == ["claim_person_day_limit"]
    town.tick(days=1)
    assert town.app.one(Kind.CLAIM, command).replayed
    assert asked(town, claim(town, who)) == [""]


def test_a_claim_that_died_holds_its_token_for_a_grace_then_its_late_arrival_is_refused(database: Database) -> None:
    town = opened(database, person_total=1)
    who = wallet(town, 1)
    lost = claim(town, who, "lost")
    dies(town, lost)
    refused = town.app.one(Kind.CLAIM, claim(town, who))
    assert code(refused) == "claim_in_flight" and refused.refusal.facts == {"wait_seconds": GRACE_SECONDS}
    town.tick(seconds=GRACE_SECONDS)
    assert asked(town, claim(town, who)) == [""]
    assert asked(town, lost) == ["claim_taken_over"]
    assert town.rows("SELECT count(*) FROM voucher") == [(1,)]


def test_a_claim_that_was_refused_gives_its_token_up(database: Database) -> None:
    town = opened(database, person_total=1, day_count=1)
    first, second = wallet(town, 1), wallet(town, 2)
    assert asked(town, claim(town, first), claim(town, second)) == ["", "stock_day_sold_out"]
    town.tick(days=1)
    assert asked(town, claim(town, second)) == [""]
    assert town.rows("SELECT count(*) FROM token WHERE subject = %s", second.hex()) == [(1,)]


def test_a_token_taken_for_other_content_is_not_held_by_what_took_effect(database: Database) -> None:
    town = opened(database, device_total=1)
    who, other = wallet(town, 1), wallet(town, 2)
    assert asked(town, claim(town, who, "k", device=b"d1")) == [""]
    assert asked(town, claim(town, who, "k", device=b"d2")) == ["key_reused"]
    assert asked(town, claim(town, other, device=b"d2")) == [""], "the misused key holds nothing of the second device"
    dies(town, claim(town, who, "half", device=b"d3"))
    assert asked(town, claim(town, who, "half", device=b"d3")) == ["key_reused"], "the first attempt may still arrive"


@pytest.mark.parametrize(
    ("terms", "told", "refused"),
    [
        ({"phone_total": 1}, {}, "claim_phone_limit"),
        ({"person_day": 1}, {}, "claim_person_day_limit"),
        ({"device_total": 1}, {"device": b"tablet"}, "claim_device_limit"),
        ({"payee_total": 1}, {"payee": b"account"}, "claim_payee_limit"),
    ],
)
def test_each_limit_is_told_with_its_number(
    database: Database, terms: dict[str, int], told: dict[str, bytes], refused: str
) -> None:
    town = opened(database, **terms)
    who = wallet(town, 1)
    town.ok(Kind.CLAIM, claim(town, who, **told))
    again = town.app.one(Kind.CLAIM, claim(town, who, **told))
    assert code(again) == refused and again.refusal.facts == {"limit": 1}
    assert town.rows("SELECT count(*) FROM voucher") == [(1,)]


def test_a_device_counts_whoever_holds_it(database: Database) -> None:
    town = opened(database, device_total=2)
    outcomes = [asked(town, claim(town, wallet(town, number), device=b"tablet"))[0] for number in range(3)]
    assert outcomes == ["", "", "claim_device_limit"]


def test_who_counts_by_device_or_account_must_be_told_of_it(database: Database) -> None:
    town = opened(database, device_total=1, payee_total=1)
    who = wallet(town, 1)
    assert asked(town, claim(town, who, payee=b"a")) == ["claim_device_missing"]
    assert asked(town, claim(town, who, device=b"d")) == ["claim_payee_missing"]
    assert town.rows("SELECT count(*) FROM token") == [(0,)]


def test_a_day_opens_by_itself_and_a_dry_run_opens_none(database: Database) -> None:
    town = opened(database, day_count=3, day_budget_fen=2_000)
    who = wallet(town, 1)
    assert isinstance(town.app.one(Kind.CLAIM, claim(town, who), dry_run=True), Effect)
    assert town.rows("SELECT count(*) FROM slice WHERE day > 0") == [(0,)]
    assert asked(town, *(claim(town, who) for _ in range(3))) == ["", "", "stock_day_sold_out"]
    assert town.rows("SELECT sum(count_left)::int, sum(fen_left)::int FROM slice WHERE day > 0") == [(1, 0)]
    town.now += timedelta(days=1)
    assert asked(town, claim(town, who)) == [""]


def test_a_dry_run_takes_no_token_and_tells_of_those_that_are_taken(database: Database) -> None:
    town = opened(database, person_total=1)
    who = wallet(town, 1)
    assert isinstance(town.app.one(Kind.CLAIM, claim(town, who), dry_run=True), Effect)
    assert town.rows("SELECT count(*) FROM token") == [(0,)]
    town.ok(Kind.CLAIM, claim(town, who))
    assert code(town.app.one(Kind.CLAIM, claim(town, who), dry_run=True)) == "claim_person_limit"


def test_sold_out_only_when_every_slice_is_empty(database: Database) -> None:
    town = opened(database, count=20)
    outcomes = asked(town, *(claim(town, wallet(town, number)) for number in range(25)))
    assert outcomes == [""] * 20 + ["stock_sold_out"] * 5
    pool = town.app.catalogue.stock_by_code("jingxika", "off-10").pool.hex()
    assert town.rows("SELECT sum(count_left)::int FROM slice WHERE pool = %s", pool) == [(0,)]


def test_who_comes_too_late_takes_no_token_and_hears_of_her_own_limit_first(database: Database) -> None:
    town = opened(database, count=10, person_total=1)
    had = [wallet(town, number) for number in range(10)]
    late = wallet(town, 10)
    assert asked(town, *(claim(town, one) for one in had)) == [""] * 10
    assert asked(town, claim(town, late, "late"), claim(town, had[0])) == ["stock_sold_out", "claim_person_limit"]
    assert town.rows("SELECT count(*) FROM token") == [(10,)]
    assert asked(town, claim(town, late, "late")) == ["stock_sold_out"], "the refusal is recorded"
    assert asked(town, claim(town, wallet(town, 11)), claim(town, had[1])) == ["stock_sold_out", "claim_person_limit"]


def test_what_is_issued_by_an_operator_counts_for_the_person(database: Database) -> None:
    town = opened(database, person_total=1, device_total=1, claim_from="2030-01-01 00:00")
    who = wallet(town, 1)
    give = {"caller": OPERATOR, "wallet": who, "program": "jingxika", "stock": "off-10", "reason": "complaint 7"}
    done = town.ok(Kind.ISSUE_VOUCHER, IssueVoucher(key="gift", **give))
    assert done.facts["reason"] == "complaint 7" and done.facts["voucher"] == done.id.hex()
    assert town.app.one(Kind.ISSUE_VOUCHER, IssueVoucher(key="gift", **give)).replayed
    assert code(town.app.one(Kind.ISSUE_VOUCHER, IssueVoucher(key="more", **give))) == "claim_person_limit"
    assert town.rows("SELECT count(*) FROM voucher") == [(1,)]


def test_the_timetable_gives_back_what_expired(database: Database) -> None:
    town = opened(database, valid_days=2)
    kept, gone = (town.ok(Kind.CLAIM, claim(town, wallet(town, number))).id for number in (1, 2))
    town.ok(Kind.VOID_VOUCHER, VoidVoucher(key="void", caller=OPERATOR, voucher=gone, reason="test"))
    town.tick(days=1)
    assert Kind.EXPIRE_VOUCHER not in run_due(town.app)
    town.tick(days=1)
    assert run_due(town.app)[Kind.EXPIRE_VOUCHER] == 1 and not run_due(town.app)
    assert dict(town.rows("SELECT id, state::int FROM voucher")) == {UUID(bytes=kept): 4, UUID(bytes=gone): 5}
    assert town.rows("SELECT sum(CASE WHEN credit = 31 THEN amount ELSE -amount END)::int FROM posting"
                     " WHERE 31 IN (credit, debit)") == [(0,)]  # fmt: skip


def test_a_till_reserves_for_its_own_merchant_only(database: Database) -> None:
    town = opened(database)
    voucher = town.ok(Kind.CLAIM, claim(town, wallet(town, 1))).id
    till = Caller(organisation=9, role=Role.MERCHANT, merchant=town.merchants["mall-1"])
    asked_for = {"caller": till, "voucher": voucher, "order_no": "o-1"}
    other = ReserveVoucher(key="a", merchant=town.merchants["mall-2"], minutes=5, **asked_for)
    assert code(town.app.one(Kind.RESERVE_VOUCHER, other)) == "voucher_unknown"
    town.ok(Kind.RESERVE_VOUCHER, ReserveVoucher(key="b", merchant=town.merchants["mall-1"], minutes=5, **asked_for))
