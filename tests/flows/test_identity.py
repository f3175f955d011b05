"""Keys, requests and the log on a real database: what lets in, what does not, what is kept and what is not."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from kaquan.approvals import service as approvals
from kaquan.approvals.model import ApprovalState
from kaquan.commands.model import Effect, Kind
from kaquan.identity import audit
from kaquan.identity import service as identity
from kaquan.identity.errors import TOKEN_EXPIRED, TOKEN_REVOKED, TOKEN_WRONG
from kaquan.identity.keys import Token, new_token
from kaquan.identity.model import IssueKey, Key, RevokeKey, RotateKey
from kaquan.identity.service import KeyRing
from kaquan.kernel import clock
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from support.database import Database
from support.town import Town, build

ISSUER = Caller(organisation=1, role=Role.ISSUER, person="chen")
OWNER = Caller(organisation=0, role=Role.OPERATOR, person="app")


@pytest.fixture
def town(database: Database) -> Town:
    return build(database.app_url)


def issued(town: Town, **fields: Any) -> tuple[Token, Id]:
    """A key of the issuer for 90 days: its token and its id."""
    token = new_token()
    told = {"name": "app", "organisation": "jingxi", "role": Role.ISSUER, "scopes": ("cards:read",), "days": 90}
    command = IssueKey(key=town.key(), caller=OPERATOR, prefix=token.prefix, digest=token.digest, **(told | fields))
    return token, town.ok(Kind.ISSUE_KEY, command).id


def why(admitted: Key | Refusal) -> Any:
    """The code of the refusal, None for a key that lets in."""
    return admitted.code if isinstance(admitted, Refusal) else None


def test_a_token_lets_its_caller_in_as_who_he_is(town: Town) -> None:
    app, mall = town.app, town.merchants["mall-1"]
    wallet = town.holder()
    ring = KeyRing()
    till = {"organisation": "jingxi-stores", "role": Role.CASHIER, "merchant": "mall-1", "name": "till-1"}
    token, key = issued(town, **till)
    admitted = ring.admit(app.connection, token.text, town.now)
    assert isinstance(admitted, Key)
    assert admitted.id == key and admitted.prefix == token.prefix
    assert admitted.caller == Caller(2, Role.CASHIER, mall, "till-1")
    token, _ = issued(town, role=Role.HOLDER, wallet=wallet, name="phone")
    admitted = ring.admit(app.connection, token.text, town.now)
    assert isinstance(admitted, Key) and admitted.caller == Caller(1, Role.HOLDER, None, "phone", wallet)
    token, _ = issued(town, organisation="", role=Role.OPERATOR, scopes=("*",), name="root")
    admitted = ring.admit(app.connection, token.text, town.now)
    assert isinstance(admitted, Key) and admitted.caller.organisation == OPERATOR.organisation


def test_no_secret_is_in_the_database(town: Town) -> None:
    token, _ = issued(town)
    secret = token.text.rpartition("_")[2]
    tables = town.rows("SELECT relname FROM pg_class WHERE relnamespace = 'kaquan'::regnamespace AND relkind = 'r'")
    for (table,) in tables:
        if table != "schema_migration":
            assert town.rows(f"SELECT 1 FROM {table} t WHERE t::text LIKE %s LIMIT 1", f"%{secret}%") == [], table
    digest = token.digest.hex()
    assert town.rows("SELECT prefix FROM api_key WHERE digest = decode(%s, 'hex')", digest) == [(token.prefix,)]
    assert town.rows("SELECT 1 FROM command WHERE position(decode(%s, 'hex') IN answer) > 0", digest) == []


def test_a_wrong_secret_is_told_apart_from_nothing(town: Town) -> None:
    """TOKEN_WRONG for an unknown handle and for a wrong secret alike."""
    token, _ = issued(town)
    ring, connection = KeyRing(), town.app.connection
    for wrong in (new_token(token.prefix).text, new_token().text, "kq_live_x", "", token.text[:-1]):
        assert why(ring.admit(connection, wrong, town.now)) is TOKEN_WRONG
    assert ring.flush(connection, now=True) == 0
    assert town.rows("SELECT last_used FROM api_key") == [(None,)]


def test_a_key_lets_nobody_in_after_its_days(town: Town) -> None:
    """TOKEN_EXPIRED tells the handle and the day."""
    token, _ = issued(town, days=1)
    ring, connection = KeyRing(), town.app.connection
    assert why(ring.admit(connection, token.text, town.now + timedelta(hours=23))) is None
    late = ring.admit(connection, token.text, town.now + timedelta(hours=24))
    assert isinstance(late, Refusal) and late.code is TOKEN_EXPIRED
    assert late.facts["prefix"] == token.prefix


def test_a_revoked_key_lets_nobody_in_once_memory_is_over(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """TOKEN_REVOKED at once where it was revoked, elsewhere within the seconds that a key is taken from memory."""
    token, key = issued(town)
    here, elsewhere, connection = KeyRing(), KeyRing(), town.app.connection
    now = [1_000.0]
    monkeypatch.setattr(clock, "seconds", lambda: now[0])
    assert [why(ring.admit(connection, token.text, town.now)) for ring in (here, elsewhere)] == [None, None]
    town.ok(Kind.REVOKE_KEY, RevokeKey(key=town.key(), caller=OPERATOR, api_key=key))
    here.forget(token.prefix)
    assert why(here.admit(connection, token.text, town.now)) is TOKEN_REVOKED
    now[0] += identity.CACHE_SECONDS - 0.1
    assert why(elsewhere.admit(connection, token.text, town.now)) is None
    now[0] += 0.1
    assert why(elsewhere.admit(connection, token.text, town.now)) is TOKEN_REVOKED


def test_a_rotation_changes_the_secret_and_keeps_the_handle(town: Town) -> None:
    old, key = issued(town)
    ring, connection = KeyRing(), town.app.connection
    new = new_token(old.prefix)
    command = RotateKey(key=town.key(), caller=OWNER, api_key=key, days=90, grace_hours=24, digest=new.digest)
    town.ok(Kind.ROTATE_KEY, command)
    assert [why(ring.admit(connection, one.text, town.now)) for one in (old, new)] == [None, None]
    later = town.now + timedelta(hours=24)
    assert [why(ring.admit(connection, one.text, later)) for one in (old, new)] == [TOKEN_EXPIRED, None]
    newest = new_token(old.prefix)
    at_once = {"days": 90, "grace_hours": 0, "digest": newest.digest}
    town.ok(Kind.ROTATE_KEY, RotateKey(key=town.key(), caller=OWNER, api_key=key, **at_once))
    ring.forget(old.prefix)
    told = [why(ring.admit(connection, one.text, town.now)) for one in (old, new, newest)]
    assert told == [TOKEN_WRONG, TOKEN_EXPIRED, None]


def test_a_retry_never_replaces_the_secret(town: Town) -> None:
    first, second = new_token(), new_token()
    shape = {"name": "app", "organisation": "jingxi", "role": Role.ISSUER, "scopes": ("*",), "days": 9}
    outcomes = [
        town.app.one(
            Kind.ISSUE_KEY,
            IssueKey(key="once", caller=OPERATOR, prefix=token.prefix, digest=token.digest, **shape),
        )
        for token in (first, second)
    ]
    assert [outcome.replayed for outcome in outcomes] == [False, True]
    assert outcomes[1].facts["prefix"] == first.prefix
    ring, connection = KeyRing(), town.app.connection
    assert why(ring.admit(connection, first.text, town.now)) is None
    assert why(ring.admit(connection, second.text, town.now)) is TOKEN_WRONG


def test_last_use_is_kept_once_a_minute_and_never_goes_back(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    token, _ = issued(town)
    connection, now = town.app.connection, [1_000.0]
    monkeypatch.setattr(clock, "seconds", lambda: now[0])
    ring = KeyRing()
    latest = town.now + timedelta(seconds=30)
    for at in (latest, town.now):
        ring.admit(connection, token.text, at)
    assert ring.flush(connection) == 0
    now[0] += identity.FLUSH_SECONDS
    assert (ring.flush(connection), ring.flush(connection)) == (1, 0)
    assert identity.keys(connection)[0].last_used_us == clock.microseconds(latest)
    ring.admit(connection, token.text, town.now)
    assert ring.flush(connection, now=True) == 1
    assert identity.keys(connection)[0].last_used_us == clock.microseconds(latest)


def test_keys_are_listed_in_pages_by_organisation(town: Town) -> None:
    names = [f"app-{number}" for number in range(5)]
    for name in names:
        town.tick(seconds=1)
        issued(town, name=name)
    issued(town, name="root", organisation="", role=Role.OPERATOR)
    connection = town.app.connection
    first = identity.keys(connection, 1, limit=3)
    rest = identity.keys(connection, 1, after=first[-1].place)
    assert [one.name for one in (*first, *rest)] == names
    assert {one.organisation for one in first} == {"jingxi"}
    assert [(one.name, one.organisation) for one in identity.keys(connection, 0)] == [("root", "")]
    assert len(identity.keys(connection)) == 6


@pytest.mark.parametrize("code", ["a\0b", "\ud800", "机构", "a" * 500])
def test_what_can_be_no_code_is_unknown(town: Town, code: str) -> None:
    token = new_token()
    told = {"name": "app", "role": Role.ISSUER, "scopes": ("*",), "days": 9}
    command = IssueKey(
        key=town.key(), caller=OPERATOR, organisation=code, prefix=token.prefix, digest=token.digest, **told
    )
    outcome = town.app.one(Kind.ISSUE_KEY, command)
    assert outcome.refusal.code.code in ("api_key_organisation_unknown", "content_invalid")
    assert town.rows("SELECT count(*) FROM api_key") == [(0,)]


def test_what_is_approved_is_executed_once_under_one_key(town: Town) -> None:
    app, body = town.app, {"stock": "off-10", "count": 5}
    asked = approvals.request(town.key(), ISSUER, Kind.RAISE_STOCK, body, "season")
    request = town.ok(Kind.REQUEST_APPROVAL, asked).id
    waiting = approvals.pending(app.connection, town.now, 1)
    assert [(one.id, one.wanted, one.requester) for one in waiting] == [(request, Kind.RAISE_STOCK, ISSUER)]
    assert msgspec.json.decode(waiting[0].body) == body
    assert approvals.pending(app.connection, town.now, 3) == []
    second = msgspec.structs.replace(ISSUER, person="wu")
    done = town.ok(Kind.APPROVE_REQUEST, approvals.approve(town.key(), second, request))
    approved = approvals.find(app.connection, request)
    assert approved is not None
    assert done.facts["command_key"] == approved.command_key == f"approved-{approved.command_key[9:]}"
    assert approvals.pending(app.connection, town.now) == []
    left = approvals.pending(app.connection, town.now, state=ApprovalState.APPROVED)
    assert [one.id for one in left] == [request]
    outcomes = [app.one(Kind.FINISH_REQUEST, approvals.finish(approved, "ok")) for _ in range(2)]
    assert [outcome.replayed for outcome in outcomes] == [False, True]
    assert approvals.pending(app.connection, town.now, state=ApprovalState.APPROVED) == []
    finished = approvals.page(app.connection, 1)[0]
    assert (finished.state, finished.outcome, finished.decided_by) == (ApprovalState.EXECUTED, "ok", "wu")


@pytest.mark.parametrize("person", ["chen", " Chen "])
def test_who_requested_does_not_decide(town: Town, person: str) -> None:
    asked = approvals.request(town.key(), ISSUER, Kind.RAISE_STOCK, {}, "season")
    request = town.ok(Kind.REQUEST_APPROVAL, asked).id
    before = town.rows("SELECT a::text FROM approval a")
    for caller in (ISSUER, OPERATOR):
        same = msgspec.structs.replace(caller, person=person)
        for kind, command in (
            (Kind.APPROVE_REQUEST, approvals.approve(town.key(), same, request)),
            (Kind.REJECT_REQUEST, approvals.reject(town.key(), same, request, "no")),
        ):
            assert town.app.one(kind, command).refusal.code.code == "approval_own"
    assert town.rows("SELECT a::text FROM approval a") == before


def test_who_asked_is_who_it_is_executed_for(town: Town) -> None:
    caller = Caller(2, Role.MERCHANT, town.merchants["mall-1"], "sun")
    asked = approvals.request(town.key(), caller, Kind.REFUND, {"late": True}, "broken")
    request = town.ok(Kind.REQUEST_APPROVAL, asked).id
    found = approvals.find(town.app.connection, request)
    assert found is not None and found.requester == caller
    neighbour = Caller(2, Role.MERCHANT, town.merchants["mall-2"], "li")
    outcome = town.app.one(Kind.APPROVE_REQUEST, approvals.approve(town.key(), neighbour, request))
    assert outcome.refusal.code.code == "approval_unknown"


def test_requests_expire_by_themselves_and_are_listed_in_pages(town: Town) -> None:
    connection = town.app.connection
    for number in range(3):
        town.tick(seconds=1)
        town.ok(Kind.REQUEST_APPROVAL, approvals.request(f"r-{number}", ISSUER, Kind.REFUND, {"n": number}, "late"))
    first = approvals.pending(connection, town.now, 1, limit=2)
    rest = approvals.pending(connection, town.now, 1, after=(first[-1].at_us, first[-1].id))
    assert [msgspec.json.decode(one.body)["n"] for one in (*first, *rest)] == [0, 1, 2]
    newest = approvals.page(connection, limit=1)
    older = approvals.page(connection, before=newest[0])
    assert [msgspec.json.decode(one.body)["n"] for one in (*newest, *older)] == [2, 1, 0]
    town.tick(days=7)
    assert approvals.pending(connection, town.now) == []
    assert {one.state_at(clock.microseconds(town.now)) for one in older} == {ApprovalState.EXPIRED}


def test_the_log_is_written_once_and_read_in_pages(town: Town) -> None:
    connection = town.app.connection
    rows = [
        audit.row(
            town.now + timedelta(milliseconds=number),
            ISSUER,
            "payments.refund" if number % 2 else "payments.read",
            outcome="ok",
            key_prefix="abcdefabcdef",
            object=f"pay_{number}",
            command=Id(bytes([number]) * 16) if number else None,
            request=f"req-{number}",
        )
        for number in range(5)
    ]
    audit.write(connection, rows)
    audit.write(connection, rows[3:])
    audit.write(connection, [])
    first = audit.list_page(connection, limit=3)
    rest = audit.list_page(connection, first[-1].id)
    assert [*first, *rest] == rows[::-1]
    refunds = audit.list_page(connection, filters=audit.Filters(operation="payments.refund", organisation=1))
    assert [one.object for one in refunds] == ["pay_3", "pay_1"]
    assert audit.list_page(connection, filters=audit.Filters(object="pay_2")) == [rows[2]]
    for nobody in (audit.Filters(organisation=2), audit.Filters(person="li"), audit.Filters(outcome="refused")):
        assert audit.list_page(connection, filters=nobody) == []


def test_a_key_for_an_unknown_wallet_moves_nothing(town: Town) -> None:
    before = town.rows("SELECT count(*) FROM journal")
    token = new_token()
    told = {"name": "phone", "organisation": "jingxi", "role": Role.HOLDER, "scopes": ("*",), "days": 9}
    command = IssueKey(
        key=town.key(), caller=OPERATOR, wallet=Id(bytes(16)), prefix=token.prefix, digest=token.digest, **told
    )
    assert not isinstance(town.app.one(Kind.ISSUE_KEY, command), Effect)
    assert (town.rows("SELECT count(*) FROM journal"), town.rows("SELECT count(*) FROM api_key")) == (before, [(0,)])
