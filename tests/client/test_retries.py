"""What the client repeats, under which key, for how long; and what it never repeats."""

import time
from uuid import UUID

import pytest

from kaquan.api import errors
from kaquan.client import Client, Problem, Refused, Retries, Unauthorized, Unknown, Unreachable, new_key
from kaquan.client.transport import NOT_TAKEN_IN, RETRIED
from kaquan.kernel.refusal import RefusalCode
from support.fake_server import (
    ORDER,
    QUICK,
    TOKEN,
    Step,
    client,
    closed_port,
    cut,
    drips,
    hangs,
    playing,
    problem,
    says,
)

PAID = says(
    200, {"outcome": "effect", "replayed": True, "payment": "pay_1", "amount_fen": 1_230, "state": "captured"}
)


@pytest.mark.parametrize(
    "failing", [cut, *(problem(status, "odd") for status in sorted(RETRIED)), says(502, "<html>")]
)
def test_an_unknown_outcome_is_asked_again_under_the_same_key(failing: Step) -> None:
    with playing(failing, failing, PAID) as script, client(script) as till:
        paid = till.payments.create(ORDER)
    assert (paid.payment, paid.amount_fen, paid.replayed) == ("pay_1", 1_230, True)
    assert len(script.asked) == 3 and script.keys() == [paid.key] * 3
    assert UUID(paid.key).version == 7
    assert len({one.headers["x-request-id"] for one in script.asked}) == 1


def test_a_callers_own_key_is_sent_and_kept() -> None:
    with playing(problem(409, "order_paid", replayed=False)) as script, client(script) as till:
        with pytest.raises(Refused) as no:
            till.payments.create(ORDER, key="mine-1")
        with pytest.raises(Refused) as other:
            till.payments.refund("pay_1", 100, key="mine-2")
        with pytest.raises(ValueError, match="idempotency key"):
            till.payments.void("pay_1", key="x" * 65)
    assert (no.value.key, other.value.key) == ("mine-1", "mine-2") and script.keys() == ["mine-1", "mine-2"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 410, 412, 413, 415, 422, 423, 451])
def test_a_decision_is_never_repeated(status: int) -> None:
    with playing(problem(status, "no")) as script, client(script) as till, pytest.raises(Problem) as no:
        till.payments.create(ORDER)
    assert (no.value.status, no.value.attempts, len(script.asked)) == (status, 1, 1)


def test_retry_after_is_waited_for() -> None:
    with playing(problem(429, "too_many_requests", retry_after="1"), PAID) as script, client(script) as till:
        started = time.monotonic()
        till.payments.create(ORDER)
        assert 1 <= time.monotonic() - started < 5 and len(script.asked) == 2


def test_a_wait_beyond_the_time_is_not_begun() -> None:
    with playing(problem(429, "too_many_requests", retry_after="20")) as script, client(script) as till:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="nothing happened") as late:
            till.payments.create(ORDER)
        assert time.monotonic() - started < 5
    assert late.value.attempts == len(script.asked) == 1
    assert late.value.problem is not None and late.value.problem.code == "too_many_requests"


@pytest.mark.parametrize("asked", ["soon", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_an_odd_retry_after_is_no_wait(asked: str) -> None:
    with playing(problem(503, "too_busy", retry_after=asked), PAID) as script, client(script) as till:
        assert till.payments.create(ORDER).payment == "pay_1" and len(script.asked) == 2


def test_attempts_are_bounded_and_the_key_is_told() -> None:
    with playing(cut) as script, client(script) as till, pytest.raises(Unknown) as lost:
        till.payments.create(ORDER)
    assert lost.value.attempts == len(script.asked) == 4
    assert lost.value.key is not None and script.keys() == [lost.value.key] * 4
    with playing(PAID) as script, client(script) as till:
        assert till.payments.create(ORDER, key=lost.value.key).key == script.keys()[0] == lost.value.key


def test_time_is_bounded_whatever_the_server_does() -> None:
    for step in (hangs(30), drips(0.2, 1_000)):
        bounds = Retries(attempts=50, total_seconds=1, first_wait_ms=1, longest_wait_ms=1)
        with playing(step) as script, client(script, bounds, timeout=0.5) as till:
            started = time.monotonic()
            with pytest.raises(Unknown):
                till.payments.create(ORDER)
            assert time.monotonic() - started < 4 and len(script.asked) >= 1


def test_nobody_there_is_no_effect() -> None:
    nobody = f"http://127.0.0.1:{closed_port()}"
    with Client(nobody, TOKEN, retries=QUICK) as till, pytest.raises(Unreachable, match="nothing happened") as gone:
        till.payments.create(ORDER)
    assert gone.value.attempts == 4 and gone.value.key is not None


def test_a_busy_server_took_nothing_in() -> None:
    with playing(problem(503, "too_busy")) as script, client(script) as till, pytest.raises(Unreachable):
        till.payments.create(ORDER)
    with playing(cut, problem(503, "too_busy")) as script, client(script) as till, pytest.raises(Unknown):
        till.payments.create(ORDER)


def test_looks_and_dry_runs_have_no_effect_to_doubt() -> None:
    with playing(cut) as script, client(script) as till:
        for look in (
            lambda: till.payments.show("pay_1"),
            lambda: till.quotes.create(ORDER),
            lambda: till.holders.find("13800138000"),
            lambda: till.payments.create(ORDER, dry_run=True),
        ):
            with pytest.raises(Unreachable):
                look()
    quotes = [one for one in script.asked if one.path == "/v1/quotes"]
    assert len(quotes) == 4 and all("idempotency-key" not in one.headers for one in quotes)
    assert sum(one.path == "/v1/payments?dry_run=true" for one in script.asked) == 4


def test_only_what_the_door_decided_settles_a_doubt() -> None:
    revoked = problem(401, "token_revoked")
    with playing(cut, revoked) as script, client(script) as till, pytest.raises(Unknown) as doubt:
        till.payments.create(ORDER)
    assert isinstance(doubt.value.problem, Unauthorized) and len(script.asked) == 2
    decided = problem(409, "balance_insufficient", replayed=True)
    with playing(cut, decided) as script, client(script) as till, pytest.raises(Refused) as no:
        till.payments.create(ORDER)
    assert no.value.replayed and no.value.attempts == 2


def test_a_stranger_in_the_middle_is_no_answer() -> None:
    page = says(200, "welcome to the hotel")
    with playing(page, PAID) as script, client(script) as till:
        assert till.payments.create(ORDER).payment == "pay_1" and len(script.asked) == 2
    with playing(PAID) as elsewhere:
        moved = says(307, None, location=f"{elsewhere.address}/v1/payments")
        with playing(moved) as script, client(script) as till, pytest.raises(Unknown):
            till.payments.create(ORDER)
        assert elsewhere.asked == []


def test_keys_are_fresh_and_in_order() -> None:
    keys = [new_key() for _ in range(2_000)]
    assert len(set(keys)) == 2_000 and {UUID(key).version for key in keys} == {7}
    times = [key[:13] for key in keys]
    assert times == sorted(times)


def test_codes_that_say_not_taken_in_are_those_of_the_server() -> None:
    declared = {code.code for code in vars(errors).values() if isinstance(code, RefusalCode)}
    assert declared >= NOT_TAKEN_IN
