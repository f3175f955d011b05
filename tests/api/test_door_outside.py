"""What the door outside says to everybody: problems, languages, ids, replays, limits."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2
import pytest

from kaquan.api import limits
from kaquan.api.errors import ANSWER_UNKNOWN, BODY_TOO_SLOW, TOO_MANY_REQUESTS
from kaquan.api.gate import Gate
from kaquan.api.limits import BODY_BYTES_MAX, Rates
from kaquan.api.problems import Problem
from kaquan.api.serving import answered
from kaquan.commands import committer
from kaquan.kernel.caller import Role
from support.database import Database
from support.service import client, issue, served
from support.town import Town, build


async def _ask(application: Gate, headers: dict[str, str]) -> httpx2.Response:
    """A request to an application that no server runs."""
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://town") as stranger:
        return await stranger.get("/v1/x", headers=headers)


class Shop(Town):
    """A town with a till at `mall-1` and a card of 500 yuan."""

    till: httpx2.Client
    number: str

    def order(self, **more: object) -> dict[str, object]:
        """An order of 10 yuan that the card pays."""
        told = {"merchant": "mall-1", "amount_fen": 1_000, "order_no": f"o-{self.key()}", "card": self.number}
        return {**told, **more}

    def paid(self) -> int:
        """How many payments there are."""
        return int(self.rows("SELECT count(*) FROM payment")[0][0])


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
    shop = Shop(**vars(town))
    shop.app.door._now = lambda: shop.now
    card = shop.sell(shop.holder())
    shop.number = shop.rows("SELECT number FROM card WHERE id = %s", card.hex())[0][0]
    token = issue(shop, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    with served(database, shop) as address, client(address, token) as shop.till:
        yield shop


def test_a_payment_and_its_replay(shop: Shop) -> None:
    order, key = shop.order(), {"Idempotency-Key": "one"}
    first = shop.till.post("/v1/payments", json=order, headers=key)
    again = shop.till.post("/v1/payments", json=order, headers=key)
    assert first.status_code == again.status_code == 200, first.text
    assert first.json()["payment"] == again.json()["payment"]
    assert (first.json()["replayed"], again.json()["replayed"]) == (False, True)
    assert "idempotent-replayed" not in first.headers and again.headers["idempotent-replayed"] == "true"
    other = shop.till.post("/v1/payments", json={**order, "amount_fen": 1_001}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert shop.paid() == 1


def test_a_refusal_explains_itself_in_the_language_asked_for(shop: Shop) -> None:
    order = shop.order(amount_fen=60_000)
    told = shop.till.post("/v1/payments", json=order, headers={"Idempotency-Key": "a"})
    assert told.status_code == 422
    assert told.headers["content-type"] == "application/problem+json"
    problem = told.json()
    assert problem["code"] == "balance_insufficient" and problem["retryable"] is True
    assert problem["request_id"] == told.headers["x-request-id"]
    assert {"type", "title", "status", "detail", "facts", "remedy"} <= set(problem)
    zh = shop.till.post(
        "/v1/payments", json=order, headers={"Idempotency-Key": "a", "Accept-Language": "zh-CN,zh;q=0.9"}
    )
    assert "余额" in zh.json()["title"] and zh.json()["replayed"] is True
    assert shop.paid() == 0


def test_a_dry_run_needs_no_id_and_moves_nothing(shop: Shop) -> None:
    told = shop.till.post("/v1/payments", params={"dry_run": "true"}, json=shop.order())
    assert told.status_code == 200 and told.json()["dry_run"] is True
    assert shop.paid() == 0
    missing = shop.till.post("/v1/payments", json=shop.order())
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")


def test_in_a_batch_each_answers_for_itself(shop: Shop) -> None:
    good, bad, far = shop.order(), shop.order(amount_fen=60_000), shop.order(merchant="mall-2")
    payments = [{**one, "idempotency_key": shop.key()} for one in (good, bad, far, good)]
    items = shop.till.post("/v1/payments:batch", json={"payments": payments}).json()["items"]
    codes = [one["outcome"] if one["outcome"] == "effect" else one["problem"]["code"] for one in items]
    assert codes == ["effect", "balance_insufficient", "not_found", "order_in_flight"]
    assert shop.paid() == 1


def test_a_thousand_in_a_batch_and_one_bad_item_stops_no_other(shop: Shop) -> None:
    orders = [shop.order(amount_fen=1) for _ in range(1_000)]
    orders[3], orders[700] = shop.order(card="8800000000000000000"), shop.order(amount_fen=99_999_999)
    payments = [{**one, "idempotency_key": shop.key()} for one in orders]
    items = shop.till.post("/v1/payments:batch", json={"payments": payments}).json()["items"]
    other = {place: one["problem"]["code"] for place, one in enumerate(items) if one["outcome"] != "effect"}
    assert other == {3: "not_found", 700: "balance_insufficient"}
    assert shop.paid() == 998
    again = shop.till.post("/v1/payments:batch", json={"payments": payments}).json()["items"]
    assert all(one["replayed"] for place, one in enumerate(again) if place not in other)
    assert shop.paid() == 998
    told = shop.till.post("/v1/payments:batch", json={"payments": [*payments, payments[0]]})
    assert (told.status_code, told.json()["code"]) == (400, "request_invalid")


def test_a_batch_for_which_there_is_no_room_is_told_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUEUE_MAX", 1)
    payments = [{**shop.order(), "idempotency_key": shop.key()} for _ in range(3)]
    told = shop.till.post("/v1/payments:batch", json={"payments": payments})
    assert (told.status_code, told.json()["code"], told.headers["retry-after"]) == (503, "too_busy", "1")
    assert shop.paid() == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "request_invalid"),
        (b"{", 400, "request_invalid"),
        (b"\xff\xfe", 400, "request_invalid"),
        (b'{"merchant":"mall-1"}', 400, "request_invalid"),
        (b'{"amount_fen":"10"}', 400, "request_invalid"),
        (b"[" * 100_000, 400, "request_invalid"),
        (b" " * (BODY_BYTES_MAX + 1), 413, "body_too_large"),
    ],
)
def test_a_body_that_says_nothing_is_refused(shop: Shop, body: bytes, status: int, code: str) -> None:
    for path in ("/v1/payments", "/v1/reversals"):
        told = shop.till.post(
            path, content=body, headers={"Idempotency-Key": "k", "Content-Type": "application/json"}
        )
        assert (told.status_code, told.json()["code"]) == (status, code), told.text
    assert code in ("request_invalid", "body_too_large")


def test_a_field_is_named_and_what_was_sent_is_not_repeated(shop: Shop) -> None:
    told = shop.till.post(
        "/v1/payments/pay_x/refunds", json={"amount_fen": "13800138000"}, headers={"Idempotency-Key": "k"}
    )
    assert told.status_code == 400
    assert told.json()["details"][0]["field"] == "body.amount_fen"
    assert "13800138000" not in told.text


def test_an_unknown_address_and_a_wrong_method(shop: Shop) -> None:
    nowhere, wrong = shop.till.get("/v1/nothing"), shop.till.delete("/v1/payments/pay_x")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "path_unknown")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"]


def test_a_key_without_the_scope_may_not(shop: Shop, database: Database) -> None:
    token = issue(shop, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1", scopes=("payments:read",))
    reader = client(str(shop.till.base_url), token)
    told = reader.post("/v1/payments", json=shop.order(), headers={"Idempotency-Key": "k"})
    assert (told.status_code, told.json()["code"]) == (403, "role_not_allowed")
    assert told.json()["facts"]["scope"] == "payments:write"
    assert reader.post("/v1/quotes", json=shop.order()).status_code == 200


def test_many_at_once_pay_once_each(shop: Shop) -> None:
    orders = [(shop.order(amount_fen=10), shop.key()) for _ in range(40)]

    def pay(order: tuple[dict[str, object], str]) -> int:
        answers = [
            shop.till.post("/v1/payments", json=order[0], headers={"Idempotency-Key": order[1]}) for _ in range(3)
        ]
        return sum(one.status_code == 200 for one in answers)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(pay, orders)) == [3] * 40
    assert shop.paid() == 40


def test_health_figures_and_the_description(shop: Shop) -> None:
    stranger = httpx2.Client(base_url=shop.till.base_url)
    assert stranger.get("/healthz").json() == stranger.get("/readyz").json() == {"status": "ok"}
    shop.till.post("/v1/payments", json=shop.order(), headers={"Idempotency-Key": "k"})
    assert 'kaquan_requests_total{operation="create_payment",status="200"}' in stranger.get("/metrics").text
    assert stranger.get("/v1/openapi.json").json()["openapi"] == "3.1.0"


def test_ids_of_what_two_persons_decided_are_nobodys_to_use(shop: Shop) -> None:
    headers = {"Idempotency-Key": "approved-apr_00000000000000000000000000"}
    for path, body in (("/v1/payments", shop.order()), ("/v1/reversals", {"merchant": "mall-1", "order_no": "o"})):
        told = shop.till.post(path, json=body, headers=headers)
        assert (told.status_code, told.json()["code"]) == (400, "idempotency_key_reserved")


def test_a_full_queue_is_told_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUEUE_MAX", 0)
    told = shop.till.post("/v1/payments", json=shop.order(), headers={"Idempotency-Key": "k"})
    assert (told.status_code, told.json()["code"], told.headers["retry-after"]) == (503, "too_busy", "1")
    monkeypatch.undo()
    assert shop.till.post("/v1/payments", json=shop.order(), headers={"Idempotency-Key": "k"}).status_code == 200


def test_what_is_not_answered_in_time_is_unknown() -> None:
    with pytest.raises(Problem) as unknown:
        answered(Future(), 0)
    assert unknown.value.refusal.code is ANSWER_UNKNOWN and ANSWER_UNKNOWN.retryable


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.01)

    async def never() -> dict[str, object]:
        await asyncio.sleep(60)
        return {}

    with pytest.raises(Problem) as slow:
        asyncio.run(limits.body(never, None))
    assert slow.value.refusal.code is BODY_TOO_SLOW


def test_what_breaks_on_our_side_is_told_with_a_request_id() -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    gate = Gate(broken, "en", Rates(rate=100, burst=100))
    told = asyncio.run(_ask(gate, {"X-Request-Id": "mine-1"}))
    assert (told.status_code, told.json()["code"], told.json()["request_id"]) == (500, "internal_fault", "mine-1")
    assert "secret" not in told.text


def test_too_many_requests_are_told_how_long_to_wait() -> None:
    rates = Rates(rate=1, burst=3)
    for _ in range(3):
        rates.take("somebody")
    with pytest.raises(Problem) as refused:
        rates.take("somebody")
    assert refused.value.refusal.code is TOO_MANY_REQUESTS and refused.value.refusal.facts["wait_seconds"] >= 1
    rates.take("somebody else")
