"""Tokens, what a secret opens, who may look after whose keys, and which commands take a second person."""

import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.approvals.rules import SECOND_PERSON, needs_second
from kaquan.commands.model import Kind
from kaquan.funders.model import PayOutFund
from kaquan.identity import audit
from kaquan.identity.keys import Token, new_token, parsed
from kaquan.identity.model import SCOPES, ApiKey, IssueKey, Key, KeyState, RotateKey
from kaquan.identity.rules import MAY_LOOK_AFTER, opened_by, secret_digest, standing
from kaquan.kernel.caller import OPERATOR, Caller, Role, same_person
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.payments.model import Refund
from kaquan.stocks.model import PauseStock, RaiseStock
from kaquan.vouchers.model import VoidVoucher

AT = datetime(2025, 5, 20, 4, tzinfo=UTC)
SOMETHING = Id(bytes(range(16)))
ISSUER = Caller(organisation=1, role=Role.ISSUER, person="chen")


def row(token: Token, **fields: object) -> ApiKey:
    """A key that this token opens for ten days."""
    key = ApiKey(
        id=SOMETHING,
        version=1,
        prefix=token.prefix,
        name="app",
        organisation=1,
        role=Role.ISSUER,
        merchant=None,
        wallet=None,
        scopes=("cards:read",),
        state=KeyState.ACTIVE,
        expires_us=microseconds(AT + timedelta(days=10)),
        digest=token.digest,
    )
    return msgspec.structs.replace(key, **fields)


def secret(token: Token) -> str:
    """The part that nobody may know."""
    parts = parsed(token.text)
    assert parts is not None
    return parts[1]


def opened(key: ApiKey, token: Token) -> Key:
    """The key as the token opens it."""
    found = opened_by(key, secret(token))
    assert found is not None
    return found


def code(key: Key, at: datetime) -> str:
    """Why the key lets nobody in, or nothing."""
    refusal = standing(key, at)
    return refusal.code.code if refusal else ""


def test_a_token_has_a_public_handle_and_256_bits() -> None:
    token = new_token()
    assert re.fullmatch(r"kq_live_[a-z2-7]{12}_[a-z2-7]{52}", token.text)
    assert parsed(token.text) == (token.prefix, token.text.rpartition("_")[2])
    assert token.digest == secret_digest(secret(token)) and len(token.digest) == 32
    assert len({new_token().text for _ in range(100)}) == 100
    again = new_token(token.prefix)
    assert again.prefix == token.prefix and again.digest != token.digest


def test_a_token_is_not_printed_by_the_way() -> None:
    token = new_token()
    assert secret(token) not in f"{token} {token!r} {[token]}"


@given(st.text(max_size=90))
def test_what_is_no_token_opens_nothing(text: str) -> None:
    assert parsed(text) is None


def test_a_token_is_whole_or_nothing() -> None:
    text = new_token().text
    for wrong in (text[:-1], text + "a", text.upper(), f" {text}", f"{text}\n", text.replace("_live_", "_test_")):
        assert parsed(wrong) is None


def test_a_key_says_who_calls_and_what_it_may() -> None:
    token = new_token()
    key = opened(row(token), token)
    assert key.caller == Caller(organisation=1, role=Role.ISSUER, person="app")
    assert key.allows("cards:read") and not key.allows("cards:write")
    assert opened(row(token, scopes=("*",)), token).allows("cards:write")
    assert opened_by(row(token), secret(new_token())) is None
    assert opened_by(row(token), "") is None


def test_a_key_ends_with_its_days_and_with_its_revocation() -> None:
    token = new_token()
    key, last = opened(row(token), token), timedelta(days=10)
    assert (code(key, AT + last - timedelta(microseconds=1)), code(key, AT + last)) == ("", "token_expired")
    revoked = opened(row(token, state=KeyState.REVOKED, revoked_us=1), token)
    assert code(revoked, AT) == "token_revoked"


def test_an_old_secret_ends_with_its_grace_and_the_new_one_does_not() -> None:
    old, new = new_token(), new_token()
    until = AT + timedelta(hours=24)
    rotated = row(new, old_digest=old.digest, old_until_us=microseconds(until))
    assert code(opened(rotated, old), until - timedelta(microseconds=1)) == ""
    assert code(opened(rotated, old), until) == "token_expired"
    assert code(opened(rotated, new), until) == ""


def test_an_empty_digest_is_nobody_s_secret() -> None:
    token = new_token()
    assert opened_by(row(token, old_digest=None), "\0" * 32) is None


def test_a_retry_with_a_fresh_secret_is_the_same_wish() -> None:
    def issue(**fields: object) -> IssueKey:
        token = new_token()
        wish = IssueKey(
            key="k", caller=OPERATOR, name="app", organisation="", role=Role.OPERATOR, scopes=("*",), days=1,
            prefix=token.prefix, digest=token.digest,
        )  # fmt: skip
        return msgspec.structs.replace(wish, **fields)

    assert issue().content() == issue().content()
    for other in ({"name": "b"}, {"days": 2}, {"scopes": ("cards:read",)}, {"within": ()}, {"caller": ISSUER}):
        assert issue(**other).content() != issue().content()
    rotations = [
        RotateKey(key="k", caller=OPERATOR, api_key=SOMETHING, days=1, grace_hours=grace, digest=new_token().digest)
        for grace in (0, 0, 1)
    ]
    assert rotations[0].content() == rotations[1].content() != rotations[2].content()


def test_nobody_looks_after_keys_above_its_own() -> None:
    assert Role.SYSTEM not in {role for roles in MAY_LOOK_AFTER.values() for role in roles}
    assert all(Role.OPERATOR not in roles for own, roles in MAY_LOOK_AFTER.items() if own is not Role.OPERATOR)
    assert set(MAY_LOOK_AFTER) == {Role.OPERATOR, Role.ISSUER, Role.MERCHANT}
    for own, roles in MAY_LOOK_AFTER.items():
        assert all(MAY_LOOK_AFTER.get(role, frozenset()) <= roles for role in roles), own


def test_scopes_are_a_closed_list() -> None:
    assert all(one == "*" or re.fullmatch(r"[a-z]+:(read|write)", one) for one in SCOPES)
    assert {"payments:write", "payments:read", "cards:write", "vouchers:write", "audit:read"} <= SCOPES
    assert "audit:write" not in SCOPES and "ledger:write" not in SCOPES


@pytest.mark.parametrize(("one", "other"), [("li", "LI"), (" li", "li "), ("Straße", "STRASSE")])
def test_capitals_and_spaces_tell_nobody_apart(one: str, other: str) -> None:
    assert same_person(one, other) and not same_person(one, other.strip() + "2")


def test_which_commands_take_a_second_person() -> None:
    def key_for(role: Role, caller: Caller) -> IssueKey:
        fields = {"name": "a", "organisation": "", "scopes": ("*",), "days": 1, "prefix": "p", "digest": b""}
        return IssueKey(key="k", caller=caller, role=role, **fields)

    told = {"key": "k", "caller": ISSUER}
    refund = {**told, "payment": SOMETHING, "reason": "r"}
    stock = {**told, "program": "p", "stock": "s"}
    assert needs_second(Kind.RAISE_STOCK, RaiseStock(**stock, count=1, budget=Money(1)))
    assert not needs_second(Kind.PAUSE_STOCK, PauseStock(**stock, reason="r"))
    assert needs_second(Kind.PAY_OUT_FUND, PayOutFund(**told, fund="f", amount=Money(1), reference="r"))
    assert needs_second(Kind.REFUND, Refund(**refund, late=True))
    assert not needs_second(Kind.REFUND, Refund(**refund, late=False))
    void = VoidVoucher(**told, voucher=SOMETHING, reason="r")
    assert not needs_second(Kind.VOID_VOUCHER, void)
    assert needs_second(Kind.VOID_VOUCHER, msgspec.structs.replace(void, caller=OPERATOR))
    assert needs_second(Kind.ISSUE_KEY, key_for(Role.OPERATOR, OPERATOR))
    assert needs_second(Kind.ISSUE_KEY, key_for(Role.ISSUER, OPERATOR)), "an operator alone would be both persons"
    assert not needs_second(Kind.ISSUE_KEY, key_for(Role.CASHIER, OPERATOR))
    assert needs_second(Kind.ISSUE_KEY, key_for(Role.ISSUER, ISSUER))
    assert not needs_second(Kind.ISSUE_KEY, key_for(Role.CASHIER, ISSUER))
    assert set(SECOND_PERSON) == {
        Kind.RAISE_STOCK,
        Kind.PAY_OUT_FUND,
        Kind.REFUND,
        Kind.VOID_VOUCHER,
        Kind.ISSUE_KEY,
        Kind.RECOGNISE_BREAKAGE,
    }


@given(st.text(max_size=200))
def test_what_comes_from_outside_fits_the_log(text: str) -> None:
    kept = audit.row(AT, ISSUER, text, outcome="ok", object=text, request=text)
    for told in (kept.operation, kept.object, kept.request):
        assert told.isprintable() and len(told) <= audit.TEXT_MAX
        assert told.encode().decode() == told
