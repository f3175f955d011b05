"""Keys, requests and the log on the command line: issue, rotate, revoke; list, show, approve, reject; look up."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kaquan.approvals import service as approvals
from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.identity import audit
from kaquan.identity.service import KeyRing
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import public
from kaquan.main import Kaquan
from support.cli import Shop, opened_shop

ISSUER = Caller(organisation=1, role=Role.ISSUER, person="chen")
AT = datetime(2025, 5, 20, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened_shop(tmp_path_factory.mktemp("cli"), "欧阳明月", "11010519491231002X") as shop:
        yield shop


def logs(shop: Shop) -> str:
    """Everything that the command line has logged."""
    return "".join(path.read_text("utf-8") for path in shop.home.rglob("*.log*"))


def test_a_key_is_issued_listed_rotated_and_revoked(shop: Shop) -> None:
    till = ("till-1", "--role", "cashier", "--organisation", "jingxi-stores", "--merchant", "mall-1")
    tried = shop.ok("keys", "issue", *till, "--dry-run")
    assert "token" not in tried and "prefix" not in tried
    assert shop.ok("keys", "list")["keys"] == []
    issue = ("keys", "issue", *till, "--scope", "payments:write", "--days", "30", "--key", "k-1")
    issued = shop.ok(*issue, "--as", "li")
    assert issued["token"].startswith(f"kq_live_{issued['prefix']}_")
    assert (issued["organisation"], issued["role"], issued["scopes"]) == (
        "jingxi-stores",
        "cashier",
        ["payments:write"],
    )
    again = shop.ok(*issue, "--as", "li")
    assert again["replayed"] and "token" not in again and again["prefix"] == issued["prefix"]
    (listed,) = shop.ok("keys", "list", "--organisation", "jingxi-stores")["keys"]
    assert (listed["name"], listed["created_by"], listed["last_used_at"]) == ("till-1", "li", None)
    with connect(shop.url) as connection:
        ring = KeyRing()
        assert not ring.admit(connection, issued["token"], AT).allows("cards:read")
        assert ring.flush(connection, now=True) == 1
    assert shop.ok("keys", "list")["keys"][0]["last_used_at"]
    rotated = shop.ok("keys", "rotate", issued["prefix"], "--grace-hours", "0")
    assert rotated["prefix"] == issued["prefix"] and rotated["token"] != issued["token"]
    assert shop.ok("keys", "revoke", listed["api_key"])["state"] == "revoked"
    assert shop.no("keys", "rotate", issued["prefix"])["code"] == "api_key_revoked"
    assert shop.no("keys", "revoke", "nothing")["code"] == "api_key_unknown"
    assert shop.no("keys", "list", "--organisation", "nowhere")["code"] == "api_key_organisation_unknown"
    for told in (issued["token"], rotated["token"]):
        assert told.rpartition("_")[2] not in logs(shop)


def test_a_key_is_told_in_words(shop: Shop) -> None:
    done = shop.run("keys", "issue", "root", "--role", "operator", "--lang", "en")
    assert done.code == 0 and "kq_live_" in done.out and "Keep the token now" in done.err
    listed = shop.run("keys", "list", "--lang", "zh").out
    assert "运营方" in listed and "kq_live_" not in listed
    assert "payments:write" in shop.ok("keys", "scopes")["scopes"]
    wrong = shop.run("keys", "issue", "x", "--role", "queen", "--lang", "en")
    assert wrong.code == 2 and "There is no role queen" in wrong.err
    refused = shop.no("keys", "issue", "x", "--role", "issuer", "--organisation", "jingxi", "--scope", "all")
    assert refused["code"] == "api_key_scope_unknown"


def requested(shop: Shop, key: str) -> str:
    """A request of the issuer's: its public id."""
    with connect(shop.url) as connection:
        app = Kaquan(connection, shop.master_key)
        body = {"program": "jingxi", "stock": "off-10"}
        outcome = app.one(Kind.REQUEST_APPROVAL, approvals.request(key, ISSUER, Kind.RAISE_STOCK, body, "season"))
        assert isinstance(outcome, Effect)
        return public("apr", outcome.id)


def test_a_request_is_shown_and_decided_by_somebody_else(shop: Shop) -> None:
    first, second = requested(shop, "r-1"), requested(shop, "r-2")
    waiting = shop.ok("approvals", "list")["approvals"]
    assert {one["approval"] for one in waiting} == {first, second}
    seen = shop.ok("approvals", "show", first)
    assert (seen["body"]["stock"], seen["person"], seen["organisation"]) == ("off-10", "chen", "jingxi")
    assert shop.no("approvals", "approve", first, "--as", "chen")["code"] == "approval_own"
    assert shop.ok("approvals", "approve", first, "--as", "li", "--dry-run")["dry_run"]
    assert shop.ok("approvals", "show", first)["state"] == "requested"
    approved = shop.ok("approvals", "approve", first, "--as", "li")
    assert (approved["decided_by"], approved["command_key"]) == ("li", f"approved-{first}")
    assert shop.ok("approvals", "reject", second, "--as", "li", "--reason", "price")["state"] == "rejected"
    assert shop.ok("approvals", "list")["approvals"] == []
    told = shop.run("approvals", "list", "--all", "--lang", "en").out
    assert "rejected" in told and "raise a stock" in told
    assert shop.ok("approvals", "show", second)["decided_why"] == "price"
    assert shop.no("approvals", "show", public("apr", bytes(16)))["code"] == "approval_unknown"
    assert shop.run("approvals", "show", "nothing").code == 2


def test_the_log_is_looked_up(shop: Shop) -> None:
    with connect(shop.url) as connection:
        rows = [
            audit.row(AT, ISSUER, f"payments.{verb}", outcome=outcome, object="pay_1", request=f"req-{verb}")
            for verb, outcome in (("pay", "ok"), ("refund", "refund_window_over"))
        ]
        audit.write(connection, rows)
    newest, oldest = shop.ok("audit", "list", "--object", "pay_1")["calls"]
    assert {newest["operation"], oldest["operation"]} == {"payments.pay", "payments.refund"}
    (refused,) = shop.ok("audit", "list", "--outcome", "refund_window_over")["calls"]
    assert (refused["person"], refused["role"], refused["request"]) == ("chen", "issuer", "req-refund")
    assert shop.ok("audit", "list", "--before", newest["call"])["calls"] == [oldest]
    assert shop.ok("audit", "list", "--person", "nobody")["calls"] == []
    assert "payments.refund" in shop.run("audit", "list", "--lang", "en").out
