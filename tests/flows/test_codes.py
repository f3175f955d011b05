"""Codes on a real database: brought in by the batch, used once, and nothing told to who tries them out."""

from typing import Any

import psycopg
import pytest

from flows.test_claims import MANY, code, wallet
from kaquan.commands.model import Effect, Entry, Kind, scoped_id
from kaquan.db.wire import raw_cursor
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.quotas.slots import GRACE_SECONDS
from kaquan.stocks.model import StopStock
from kaquan.vouchers import codes, store
from kaquan.vouchers.model import ClaimByCode
from kaquan.vouchers.service import code_counts, code_key
from support.database import Database
from support.grants import stock_text
from support.town import Town, build

CODE, OTHER, THIRD = "ABCDEFGHJKMN", "NMKJHGFEDCBA", "23456789ABCD"


def coded(database: Database, *known: str, **terms: Any) -> Town:
    """A town whose stock is handed out by code, with some codes brought in."""
    town = build(database.app_url, more=stock_text("off-10", hand_out="code", **terms))
    town.fund("city", MANY)
    town.stock("off-10")
    if known:
        bring_in(town, *known)
    return town


def add(town: Town, key: str, *known: str) -> list[Any]:
    """What comes of the commands that bring codes in."""
    batch = codes.batch_id(OPERATOR, key, "jingxika", "off-10")
    digests = {codes.digest(code_key(town.app.master), one): one[-4:] for one in known}
    return town.app.execute(Kind.ADD_CODES, codes.adding(batch, OPERATOR, "jingxika", "off-10", digests))


def bring_in(town: Town, *known: str, key: str = "codes") -> Id:
    """A batch of codes that count."""
    outcomes = add(town, key, *known)
    assert all(isinstance(one, Effect) for one in outcomes), outcomes
    batch = codes.batch_id(OPERATOR, key, "jingxika", "off-10")
    command = codes.OpenCodes(
        key=key, caller=OPERATOR, batch=batch, program="jingxika", stock="off-10", count=len(known)
    )
    town.ok(Kind.OPEN_CODES, command)
    return batch


def use(town: Town, to: Id, text: str, key: str = "", **told: Any) -> ClaimByCode:
    """A claim by code."""
    digest = codes.digest(code_key(town.app.master), text)
    return ClaimByCode(key=key or town.key(), caller=OPERATOR, wallet=to, digest=digest, **told)


def tried(town: Town, *commands: ClaimByCode) -> list[str]:
    """What comes of claims by code that arrive together."""
    return [code(outcome) for outcome in town.app.execute(Kind.CLAIM_BY_CODE, list(commands))]


def test_a_code_gives_one_voucher_and_a_retry_the_same(database: Database) -> None:
    town = coded(database, CODE, OTHER)
    who, else_ = wallet(town, 1), wallet(town, 2)
    command = use(town, who, CODE)
    done = town.ok(Kind.CLAIM_BY_CODE, command)
    assert town.app.one(Kind.CLAIM_BY_CODE, command) == Effect(done.id, done.answer, replayed=True)
    assert tried(town, use(town, else_, CODE), use(town, who, CODE)) == ["code_not_valid"] * 2
    assert tried(town, use(town, else_, OTHER)) == [""]
    assert town.rows("SELECT count(*) FROM voucher WHERE origin IN (SELECT id FROM voucher_code)") == [(2,)]
    assert code_counts(town.app.connection, codes.batch_id(OPERATOR, "codes", "jingxika", "off-10")) == (2, 2)


def test_one_answer_for_unknown_used_stopped_expired_and_unopened(database: Database) -> None:
    town = coded(database, CODE, claim_until="2025-05-21 00:00")
    batch = bring_in(town, OTHER, key="second")
    add(town, "third", THIRD)  # never opened
    who = wallet(town, 1)
    town.ok(Kind.STOP_CODES, codes.StopCodes(key="stop", caller=OPERATOR, batch=batch))
    outcomes = [town.app.one(Kind.CLAIM_BY_CODE, use(town, who, text)) for text in (OTHER, THIRD, "UNKNOWN-CODE")]
    town.tick(days=2)
    outcomes.append(town.app.one(Kind.CLAIM_BY_CODE, use(town, who, CODE)))
    assert {(code(one), one.refusal.message(), tuple(one.refusal.facts)) for one in outcomes} == {
        ("code_not_valid", "这个券码无效", ())
    }
    assert town.rows("SELECT count(*) FROM voucher") == [(0,)]


def test_a_code_of_a_stopped_stock_is_like_any_other_that_is_not_valid(database: Database) -> None:
    town = coded(database, CODE)
    stop = StopStock(key="stop", caller=OPERATOR, program="jingxika", stock="off-10", reason="over")
    town.ok(Kind.STOP_STOCK, stop)
    assert tried(town, use(town, wallet(town, 1), CODE)) == ["code_not_valid"]


def test_two_in_one_batch_use_a_code_once(database: Database) -> None:
    town = coded(database, CODE)
    commands = [use(town, wallet(town, number), CODE) for number in range(4)]
    assert sorted(tried(town, *commands)) == ["", *["code_not_valid"] * 3]


def test_a_wallet_that_becomes_active_meanwhile_gets_no_voucher_without_its_code(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = coded(database, CODE)
    who, else_ = wallet(town, 1), wallet(town, 2)
    state(database, who, 0)
    read = store.claimants

    def then_activated(*given: Any) -> dict[bytes, Id]:
        found = read(*given)
        state(database, who, 1)
        return found

    monkeypatch.setattr(store, "claimants", then_activated)
    late = use(town, who, CODE)
    assert tried(town, late) == ["wallet_unknown"]
    assert town.rows("SELECT count(*), (SELECT count(command) FROM voucher_code) FROM voucher") == [(0, 0)]
    assert tried(town, use(town, else_, CODE)) == [""]
    assert tried(town, late) == ["code_not_valid"]  # an unknown wallet burned nothing: the code is judged now
    assert town.rows("SELECT count(*) FROM voucher") == [(1,)]


def state(database: Database, who: Id, number: int) -> None:
    """Put a wallet into a state, behind everybody's back."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("UPDATE kaquan.wallet SET state = %s WHERE id = %s", (number, who.hex()))


def test_a_refused_claim_gives_its_code_back(database: Database) -> None:
    town = coded(database, CODE, OTHER, person_total=1)
    who, else_ = wallet(town, 1), wallet(town, 2)
    assert tried(town, use(town, who, CODE)) == [""]
    assert tried(town, use(town, who, OTHER)) == ["claim_person_limit"]
    assert tried(town, use(town, else_, OTHER)) == [""]


def test_a_lost_claim_gives_its_code_back_after_a_grace(database: Database) -> None:
    town = coded(database, CODE)
    who, else_ = wallet(town, 1), wallet(town, 2)
    lost = use(town, who, CODE, "lost")
    entry = Entry(lost, scoped_id(OPERATOR.organisation, who, "lost"), bytes(15) + b"x")
    town.app.handlers[Kind.CLAIM_BY_CODE].route(raw_cursor(town.app.connection), [entry], town.app.door.at(), False)
    assert tried(town, use(town, else_, CODE)) == ["code_not_valid"]
    town.tick(seconds=GRACE_SECONDS)
    assert tried(town, use(town, else_, CODE)) == [""]
    assert tried(town, lost) == ["claim_taken_over"]


def test_codes_that_are_there_already_stay_whose_they_are(database: Database) -> None:
    town = coded(database, CODE, OTHER)
    outcomes = add(town, "again", CODE, THIRD)
    answers = [one.facts for one in outcomes]
    assert sum(one["added"] for one in answers) == 1
    known = [digest for one in answers for digest in one["known"]]
    assert known == [codes.digest(code_key(town.app.master), CODE).hex()]


def test_a_dry_run_uses_no_code(database: Database) -> None:
    town = coded(database, CODE)
    who = wallet(town, 1)
    assert isinstance(town.app.one(Kind.CLAIM_BY_CODE, use(town, who, CODE), dry_run=True), Effect)
    assert code(town.app.one(Kind.CLAIM_BY_CODE, use(town, who, OTHER), dry_run=True)) == "code_not_valid"
    assert town.rows("SELECT count(command) FROM voucher_code") == [(0,)]


def test_codes_are_refused_for_other_stocks_and_batches_stop_once(database: Database) -> None:
    town = build(database.app_url, more=stock_text("off-10"))
    town.fund("city", MANY)
    town.stock("off-10")
    assert {code(one) for one in add(town, "k", CODE)} == {"stock_not_by_code"}
    stop = codes.StopCodes(key="stop", caller=OPERATOR, batch=codes.batch_id(OPERATOR, "k", "jingxika", "off-10"))
    assert code(town.app.one(Kind.STOP_CODES, stop)) == "code_batch_unknown"
    assert town.rows("SELECT count(*) FROM voucher_code") == [(0,)]


def test_a_batch_is_stopped_once(database: Database) -> None:
    town = coded(database)
    batch = bring_in(town, CODE)
    town.ok(Kind.STOP_CODES, codes.StopCodes(key="a", caller=OPERATOR, batch=batch))
    assert code(town.app.one(Kind.STOP_CODES, codes.StopCodes(key="b", caller=OPERATOR, batch=batch))) == (
        "code_batch_stopped"
    )


def test_nothing_kept_tells_a_code(database: Database) -> None:
    town = coded(database, CODE)
    town.ok(Kind.CLAIM_BY_CODE, use(town, wallet(town, 1), CODE))
    for table in ("voucher_code", "command", "journal", "voucher", "code_batch"):
        for (row,) in town.rows(f"SELECT t::text FROM {table} t"):
            assert CODE not in row and CODE[:8] not in row
