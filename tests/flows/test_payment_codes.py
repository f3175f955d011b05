"""Payment codes on a real database and on the command line."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.db.wire import raw_cursor
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.main import Kaquan
from kaquan.payment_codes import offline, rules
from kaquan.payment_codes.errors import DEVICE_HANDLES_TAKEN, PAYMENT_CODE_INVALID
from kaquan.payment_codes.model import RemoveDevice
from kaquan.payment_codes.service import Payer, adding, devices_of, payer
from kaquan.payments import errors
from kaquan.payments.model import Pay
from kaquan.payments.rules import malformed
from kaquan.payments.service import quote
from support.cli import PHONE, opened_shop
from support.database import Database
from support.town import MASTER_KEY, NOON, Town, build

Phone = tuple[str, bytes]


def with_device(town: Town, wallet: Id, key: str = "", **more: Any) -> Phone:
    """A device of the wallet: handle and secret."""
    cursor = raw_cursor(town.app.connection)
    fields: dict[str, Any] = {"wallet": wallet, "label": "手机", **more}
    made = adding(cursor, town.app.master, OPERATOR, key or town.key(), **fields)
    assert not isinstance(made, Refusal)
    return town.ok(Kind.ADD_DEVICE, made[0]).facts["handle"], made[1]


def shown(town: Town, phone: Phone, later: int = 0) -> str:
    """What the device shows, some seconds later."""
    return offline.code(phone[1], phone[0], microseconds(town.now) // 1_000_000 + later)


def paying(town: Town, code: str, amount: int = 100, order: str = "", key: str = "", **more: Any) -> Pay:
    """A payment by a code."""
    found = payer(town.app.connection, code)
    assert isinstance(found, Payer)
    key = key or town.key()
    fields: dict[str, Any] = {"card": None, "wallet": found.wallet, "code": found.code, "store": None}
    fields |= {"merchant": town.merchants["mall-1"], **more}
    return Pay(
        key=key,
        caller=OPERATOR,
        amount=Money(amount),
        order_no=order or f"order-{key}",
        **fields,
    )


def told(outcomes: list[Any]) -> list[str]:
    """The code of each refusal, "" for an effect."""
    return ["" if isinstance(one, Effect) else one.refusal.code.code for one in outcomes]


@pytest.fixture
def town(database: Database) -> Town:
    """A town in which one holder has a card that can be spent."""
    town = build(database.app_url)
    town.sell(town.holder())
    town.tick(days=1)
    return town


def wallet_of(town: Town) -> Id:
    """The one wallet."""
    return Id(town.rows("SELECT id FROM wallet")[0][0].bytes)


def test_two_tills_in_one_batch_use_a_code_once(town: Town) -> None:
    phone = with_device(town, wallet_of(town))
    code = shown(town, phone)
    commands = [paying(town, code) for _ in range(4)]
    assert sorted(told(town.app.execute(Kind.PAY, commands))) == ["", *["payment_code_invalid"] * 3]
    assert town.rows("SELECT count(*) FROM code_use") == [(1,)]
    assert town.rows("SELECT count(*) FROM command WHERE kind = 20") == [(1,)], "what is not valid leaves no record"


def test_an_invalid_code_claims_no_order(town: Town) -> None:
    phone = with_device(town, wallet_of(town))
    refused = paying(town, shown(town, phone, later=-300), order="o-1")
    assert told([town.app.one(Kind.PAY, refused)]) == ["payment_code_invalid"]
    assert town.rows("SELECT count(*) FROM order_claim") == [(0,)]
    assert told([town.app.one(Kind.PAY, paying(town, shown(town, phone), order="o-1"))]) == [""]


def test_the_same_id_with_a_fresh_code_after_an_invalid_one_pays(town: Town) -> None:
    phone = with_device(town, wallet_of(town))
    late = paying(town, shown(town, phone, later=-300), key="k", order="o-1")
    assert told([town.app.one(Kind.PAY, late)]) == ["payment_code_invalid"]
    fresh = paying(town, shown(town, phone), key="k", order="o-1")
    assert told(town.app.execute(Kind.PAY, [late, fresh])) == ["payment_code_invalid", ""]


def test_a_foreign_wallet_is_not_paid_from_by_a_code(town: Town) -> None:
    phone, other = with_device(town, wallet_of(town)), town.holder("13900000001")
    town.sell(other)
    town.tick(days=1)
    outcome = town.app.one(Kind.PAY, paying(town, shown(town, phone), wallet=other))
    assert told([outcome]) == ["payment_code_invalid"]
    assert town.rows("SELECT count(*) FROM payment") == [(0,)]


def test_who_dies_before_the_decision_comes_again_with_its_code(town: Town) -> None:
    phone = with_device(town, wallet_of(town))
    command = paying(town, shown(town, phone), key="k")

    def die(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    handler = town.app.handlers[Kind.PAY]
    load, handler.load = handler.load, die
    with pytest.raises(KeyboardInterrupt):
        town.app.one(Kind.PAY, command)
    handler.load = load
    other = paying(town, shown(town, phone))
    assert told(town.app.execute(Kind.PAY, [other, command])) == ["payment_code_invalid", ""]


def test_a_try_again_keeps_the_code_for_the_same_command(town: Town) -> None:
    wallet = wallet_of(town)
    phone, card = with_device(town, wallet), Id(town.rows("SELECT id FROM card")[0][0].bytes)
    holds = Pay(
        key="dead",
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=Money(1),
        order_no="o-1",
    )
    handler = town.app.handlers[Kind.PAY]
    load, handler.load = handler.load, lambda *arguments: 1 / 0
    assert type(town.app.execute(Kind.PAY, [holds])[0]).__name__ == "Fault"
    handler.load = load
    mine = paying(town, shown(town, phone), key="k", order="o-1")
    assert told([town.app.one(Kind.PAY, mine)]) == ["order_in_flight"]
    assert told([town.app.one(Kind.PAY, paying(town, shown(town, phone)))]) == ["payment_code_invalid"]
    town.tick(seconds=30)
    assert told([town.app.one(Kind.PAY, mine)]) == [""]


def test_a_batch_that_is_decided_again_counts_its_wrong_codes_once(town: Town, database: Database) -> None:
    phone, card = with_device(town, wallet_of(town)), Id(town.rows("SELECT id FROM card")[0][0].bytes)

    def spend(other: Kaquan) -> None:
        command = paying(town, shown(town, phone), card=card, wallet=None, code=None)
        assert isinstance(other.one(Kind.PAY, command), Effect)

    town.meanwhile(database.app_url, Kind.PAY, spend)
    commands = [paying(town, shown(town, phone, later=-300)), paying(town, shown(town, phone))]
    assert told(town.app.execute(Kind.PAY, commands)) == ["payment_code_invalid", ""]
    assert town.rows("SELECT count(*) FROM code_miss") == [(1,)]


def test_a_device_that_is_locked_meanwhile_gives_no_code(town: Town, database: Database) -> None:
    """Wrong codes that another process counts between our look and our claim."""
    phone = with_device(town, wallet_of(town))
    command = paying(town, shown(town, phone))
    judge = rules.judge

    def judged(*arguments: Any) -> Any:
        found = judge(*arguments)
        with connect(database.app_url) as connection:
            other = Kaquan(connection, MASTER_KEY)
            other.door._now = town.app.door._now
            guesses = [paying(town, shown(town, phone, later=-300 * n)) for n in range(1, rules.MISSES_MAX + 1)]
            rules.judge = judge
            assert set(told(other.execute(Kind.PAY, guesses))) == {"payment_code_invalid"}
        return found

    rules.judge = judged
    try:
        assert told([town.app.one(Kind.PAY, command)]) == ["payment_code_invalid"]
    finally:
        rules.judge = judge
    assert town.rows("SELECT count(*) FROM code_use") == [(0,)]


def test_a_quote_tells_nothing_of_a_wallet_without_a_code_that_counts(town: Town) -> None:
    phone, app = with_device(town, wallet_of(town)), town.app

    def quoted(command: Pay) -> Any:
        return quote(app.door, app.catalogue, Kind.PAY, command, app.master)

    late = quoted(paying(town, shown(town, phone, later=-300)))
    assert (late.choice, told([late.outcome])) == (None, ["payment_code_invalid"])
    nowhere = quoted(paying(town, shown(town, phone, later=-300), merchant=wallet_of(town)))
    assert nowhere.choice is None
    good = quoted(paying(town, shown(town, phone)))
    assert good.choice is not None and isinstance(good.outcome, Effect)
    assert town.rows("SELECT count(*) FROM code_use") == [(0,)]
    assert told([app.one(Kind.PAY, paying(town, shown(town, phone)))]) == [""]


def test_a_code_with_a_card_beside_it_is_malformed(town: Town) -> None:
    phone = with_device(town, wallet_of(town))
    for more in ({"card": wallet_of(town)}, {"wallet": None}):
        found = malformed(paying(town, shown(town, phone), **more))
        assert found is not None and found.code is errors.PAYER_MISSING


def test_a_payment_without_a_code_asks_nothing_more(town: Town) -> None:
    """The hot path: no statement about codes, and no other load."""
    seen = list[str]()
    card = Id(town.rows("SELECT id FROM card")[0][0].bytes)

    class Watching:
        def __init__(self, cursor: Any) -> None:
            self._cursor = cursor

        def __getattr__(self, name: str) -> Any:
            return getattr(self._cursor, name)

        def execute(self, sql: str, *arguments: Any, **more: Any) -> Any:
            seen.append(sql)
            return self._cursor.execute(sql, *arguments, **more)

    door: Any = town.app.door
    door._cursor, door._writing = Watching(door._cursor), Watching(door._writing)
    assert isinstance(town.pay(card, 100), Effect)
    kinds = [sql.split("(")[0].split()[-1] for sql in seen]
    assert [kind for kind in kinds if kind not in ("subject_key", "array_agg")] == [
        "claim_orders",
        "load_spending",
        "apply_changes",
    ]


def test_a_device_keeps_sealed_what_it_is_called_and_its_secret_only_while_it_lives(town: Town) -> None:
    wallet = wallet_of(town)
    handle, secret = with_device(town, wallet, label="张三的手机")
    (found,) = devices_of(town.app.connection, town.app.master, wallet)
    assert (found.handle, found.label, found.card) == (handle, "张三的手机", None)
    for table in ("device", "command", "journal"):
        for (row,) in town.rows(f"SELECT t::text FROM {table} t"):
            assert secret.hex() not in row and "张三".encode().hex() not in row and "张三" not in row
    town.ok(Kind.REMOVE_DEVICE, RemoveDevice(key="r", caller=OPERATOR, device=found.id))
    assert town.rows("SELECT secret, state FROM device") == [(None, 2)]


def test_a_retry_of_adding_keeps_the_first_secret(town: Town) -> None:
    wallet = wallet_of(town)
    handle, secret = with_device(town, wallet, "k")
    made = adding(raw_cursor(town.app.connection), town.app.master, OPERATOR, "k", wallet=wallet, label="手机")
    assert not isinstance(made, Refusal) and made[1] != secret
    again = town.app.one(Kind.ADD_DEVICE, made[0])
    assert again.replayed and again.facts["handle"] == handle
    assert told([town.app.one(Kind.PAY, paying(town, shown(town, (handle, made[1]))))]) == ["payment_code_invalid"]
    assert told([town.app.one(Kind.PAY, paying(town, shown(town, (handle, secret))))]) == [""]


def test_a_handle_is_given_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = wallet_of(town)
    handles = rules.handles_for(wallet)[:2]
    monkeypatch.setattr(rules, "handles_for", lambda command: handles)
    given = {with_device(town, wallet)[0], with_device(town, wallet)[0]}
    assert given == {f"{handle:08d}" for handle in handles}
    made = adding(raw_cursor(town.app.connection), town.app.master, OPERATOR, "k", wallet=wallet, label="3")
    assert not isinstance(made, Refusal)
    assert town.app.one(Kind.ADD_DEVICE, made[0]).refusal.code is DEVICE_HANDLES_TAKEN
    assert town.rows("SELECT count(*) FROM device") == [(2,)]


def test_an_erased_holder_has_no_codes_any_more(town: Town, database: Database) -> None:
    phone = with_device(town, wallet_of(town))
    with connect(database.owner_url) as owner:
        owner.execute("DELETE FROM kaquan.subject_key")
    outcome = town.app.one(Kind.PAY, paying(town, shown(town, phone)))
    assert outcome.refusal.code is PAYMENT_CODE_INVALID
    assert devices_of(town.app.connection, town.app.master, wallet_of(town)) == []


def test_paying_by_code_on_the_command_line(tmp_path: Path) -> None:
    with opened_shop(tmp_path, "欧阳明月", "11010519491231002X") as shop:
        shop.card()
        holder, kept = ("--phone", PHONE), tmp_path / "device.json"
        assert "handle" not in shop.ok("code", "add", *holder, "--dry-run")
        added = shop.ok("code", "add", *holder, "--label", "手表", "--out", str(kept), "--key", "k")
        assert "secret" not in added and json.loads(kept.read_text())["handle"] == added["handle"]
        assert kept.stat().st_mode & 0o077 == 0
        again = shop.ok("code", "add", *holder, "--label", "手表", "--key", "k")
        assert again["replayed"] and "secret" not in again
        other = shop.ok("code", "add", *holder)
        assert len(other["secret"]) == 64
        shop.set_clock(NOON + timedelta(minutes=1))
        code = shop.ok("code", "show", str(kept))
        assert len(code["payment_code"]) == 18 and code["expires_at"].startswith("2025-05-20")
        sale = ("--merchant", "mall-1", "--amount", "100", "--code")
        assert shop.ok("quote", *sale, code["payment_code"])["usable"] == 0
        assert shop.ok("pay", *sale, code["payment_code"])["state"] == "captured"
        assert shop.no("pay", *sale, code["payment_code"])["code"] == "payment_code_invalid"
        wrong = code["payment_code"][:-1] + str((int(code["payment_code"][-1]) + 1) % 10)
        assert shop.no("pay", *sale, wrong)["code"] == "payment_code_malformed"
        shop.set_clock(NOON + timedelta(minutes=5))
        by_hand = ("--handle", other["handle"], "--secret", other["secret"])
        second = shop.ok("code", "show", *by_hand)["payment_code"]
        assert shop.ok("authorize", *sale, second)["state"] == "authorized"
        assert shop.run("pay", *sale, second, "--wallet", "wal_x").code == 2
        listed = {row["label"]: row["state"] for row in shop.ok("code", "list", *holder)["devices"]}
        assert listed == {"手表": "active", "phone": "active"}
        assert shop.ok("code", "remove", added["device"])["state"] == "removed"
        assert shop.no("code", "remove", added["device"])["code"] == "device_removed"
        assert shop.run("code", "show", "--handle", "1").code == 2
