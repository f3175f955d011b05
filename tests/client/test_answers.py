"""What answers and refusals look like to a caller, and what none of them ever shows."""

import logging
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from kaquan.client import (
    Client,
    Forbidden,
    Invalid,
    KaquanError,
    Line,
    NewPayment,
    NotFound,
    Refused,
    Retries,
    Unauthorized,
    Unknown,
)
from support.fake_server import ORDER, TOKEN, client, cut, playing, problem, says

PHONE, NUMBER = "13800138000", "11010519491231002X"


def test_a_refusal_tells_all_it_was_told() -> None:
    refusal = problem(
        422,
        "balance_insufficient",
        title="Not enough on the card",
        facts={"missing_fen": 300},
        remedy="Top it up",
        article="办法第二十一条",
        retryable=True,
        replayed=True,
        request_id="req_1",
        new_member=[1],
    )
    with playing(refusal) as script, client(script) as till, pytest.raises(Refused) as no:
        till.payments.create(ORDER)
    said = no.value
    assert str(said) == "balance_insufficient: Not enough on the card"
    assert (said.code, said.facts, said.remedy, said.article) == (
        "balance_insufficient",
        {"missing_fen": 300},
        "Top it up",
        "办法第二十一条",
    )
    assert (said.retryable, said.replayed, said.request_id, said.status) == (True, True, "req_1", 422)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Invalid), (401, Unauthorized), (403, Forbidden), (404, NotFound), (409, Refused)]
)
def test_every_no_has_its_class(status: int, kind: type[KaquanError]) -> None:
    details = [{"field": "body.amount_fen", "message": "Input should be greater than 0"}]
    with playing(problem(status, "no", details=details)) as script, client(script) as till, pytest.raises(kind) as no:
        till.call("POST", "/v1/anything", {"amount_fen": 0})
    assert getattr(no.value, "details", None) == details


def test_new_fields_are_facts_and_what_is_absent_has_a_default() -> None:
    sold = {
        "outcome": "effect",
        "card": "crd_1",
        "number": "9",
        "face_fen": 50_000,
        "contract": "abc",
        "new": {"a": 1},
    }
    with playing(says(200, sold)) as script, client(script) as till:
        card = till.cards.sell("wal_1", "jingxika", 50_000)
    assert (card.card, card.face_fen, card.available_fen) == ("crd_1", 50_000, None)
    assert card.facts == {"contract": "abc", "new": {"a": 1}}
    assert script.asked[0].body == {"wallet": "wal_1", "program": "jingxika", "face_fen": 50_000, "vouchers": []}
    with playing(says(200, {"card": 7})) as script, client(script) as till, pytest.raises(Unknown) as odd:
        till.cards.freeze("crd_1", "asked")
    assert odd.value.key == script.keys()[0]


def test_an_order_is_sent_as_it_was_meant() -> None:
    order = NewPayment(
        merchant="mall-1",
        amount_fen=5,
        order_no="1",
        card="9",
        lines=[Line(goods="tea", amount_fen=5)],
        capture=False,
    )
    with playing(says(200, {})) as script, client(script) as till:
        till.payments.create(order, dry_run=True)
        till.payments.refund("pay_1/../x", lines=[1])
    assert script.asked[0].body == {
        "merchant": "mall-1",
        "amount_fen": 5,
        "order_no": "1",
        "card": "9",
        "lines": [{"goods": "tea", "amount_fen": 5}],
        "capture": False,
    }
    assert script.asked[1].path == "/v1/payments/pay_1%2F..%2Fx/refunds"


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with playing(says(200, {"payment": "pay_1"})) as script, Client(script.address, TOKEN, language="en") as till:
        assert till.payments.show("pay_1").payment == "pay_1"
    asked = script.asked[0].headers
    assert (asked["authorization"], asked["accept-language"]) == (f"Bearer {TOKEN}", "en")


@pytest.mark.parametrize("address", ["cards.example.com", "ftp://a", "https://u:p@a", "https://a/?x=1", ""])
def test_an_address_that_can_be_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address") as wrong:
        Client(address, TOKEN)
    assert TOKEN not in str(wrong.value)
    with pytest.raises(ValueError, match="token") as wrong:
        Client("https://a", "two words")
    assert "two words" not in str(wrong.value)


def test_threads_share_a_client() -> None:
    step = says(200, {"payment": "pay_1"})
    with playing(cut, step) as script, client(script) as till, ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: till.payments.create(ORDER).key, range(80)))
    assert len(set(keys)) == 80 and set(keys) == set(script.keys()) and len(script.asked) == 81


def test_no_repr_error_or_log_line_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    order = NewPayment(
        merchant="mall-1", amount_fen=5, order_no="1", card="9286001234567897", code="285500112233445566"
    )
    once = Retries(attempts=1)
    said: list[str] = [repr(order)]
    for step in (
        cut,
        problem(400, "request_invalid", details=[]),
        problem(401, "token_wrong"),
        says(200, {"wallet": 1}),
    ):
        with playing(step) as script, client(script, once) as till:
            said += [repr(till), str(vars(till)), repr(till.holders)]
            calls: list[Callable[[], object]] = [
                lambda: till.holders.register(name="张三", phone=PHONE, id_number=NUMBER),
                lambda: till.holders.find(PHONE),
                lambda: till.payments.create(order),
            ]
            for call in calls:
                try:
                    said.append(repr(call()))
                except KaquanError as error:
                    said += [repr(error), str(vars(error)), *traceback.format_exception(error)]
    text = "\n".join([*said, caplog.text])
    assert len(said) > 30
    for secret in (TOKEN, "mzxw6ytboi", PHONE, NUMBER, "9286001234567897", "285500112233445566"):
        assert secret not in text
