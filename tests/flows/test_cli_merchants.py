"""`kaquan merchant` and `kaquan settle` where merchants have no bank account yet, or take part no longer."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from support.cli import Shop, opened_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened_shop(tmp_path_factory.mktemp("merchants"), "欧阳明月", "11010519491231002X") as shop:
        yield shop


def test_what_waits_for_a_bank_account_is_listed_and_its_account_bound_and_verified(shop: Shop) -> None:
    shop.ok("merchant", "register", "mall-8", "--name", "八号店", "--group", "jingxi-stores")
    shop.ok("pay", shop.card(), "--merchant", "mall-8", "--amount", "30")
    pending = shop.ok("settle", "pending", "jingxika", "--merchant", "mall-8")["pending"]
    assert [(one["code"], one["gross_fen"], one["pending_bank_fen"]) for one in pending] == [("mall-8", 3_000, 2_684)]
    shop.set_clock(datetime(2025, 9, 10, 4, tzinfo=UTC))
    done = shop.ok("settle", "run", "jingxika")
    assert done["waiting"] == {"count": 1, "amount_fen": 2_684}
    waiting = shop.ok("settle", "waiting")["waiting"]
    assert [(one["code"], one["pending_bank_fen"], one["bank_state"]) for one in waiting] == [
        ("mall-8", 2_684, "missing")
    ]
    account = ("--account-no", "6222020200118888")
    assert shop.no("merchant", "verify-bank", "mall-8", *account, "--proof", "TT-1")["code"] == "bank_account_other"
    bound = shop.ok("merchant", "bind-bank", "mall-8", "--bank", "工商银行", *account)
    assert (bound["bank_state"], bound["account_no"]) == ("bound", "****8888")
    assert shop.ok("merchant", "verify-bank", "mall-8", *account, "--proof", "TT-1")["bank_state"] == "verified"
    listed = {one["code"]: one["bank_state"] for one in shop.ok("merchant", "list")["merchants"]}
    assert (listed["mall-1"], listed["mall-8"]) == ("bound", "verified")
    shop.set_clock(datetime(2025, 10, 10, 4, tzinfo=UTC))
    assert shop.ok("settle", "run", "jingxika", "--period", "2025-09-30")["settled"][0]["paid_fen"] == 2_684
    assert shop.ok("settle", "waiting")["waiting"] == []
    assert shop.no("settle", "preview", "jingxika", "--period", "2025-09-29")["code"] == "period_invalid"
    assert shop.run("settle", "preview", "jingxika", "--period", "soon").code == 2


def test_a_merchant_is_suspended_and_enrolled_again(shop: Shop) -> None:
    card = shop.card()
    away = ("mall-1", "--program", "jingxika")
    assert shop.ok("merchant", "suspend", *away, "--reason", "complaint")["state"] == "suspended"
    assert shop.no("pay", card, "--merchant", "mall-1", "--amount", "1")["code"] == "merchant_not_accepting"
    assert shop.ok("merchant", "enrol", *away)["state"] == "enrolled"
    shop.ok("pay", card, "--merchant", "mall-1", "--amount", "1")
    assert shop.ok("ledger", "clearing")["positions"] == []
