"""Payments over HTTP: the short way and the long way answer alike, whatever is known, guessed or out of order."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kaquan.api import guesses
from kaquan.api.serving import Serving
from kaquan.cards.model import Freeze
from kaquan.cards.numbers import number_for
from kaquan.commands import committer
from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.ids import BUCKETS, new_id
from kaquan.main import Kaquan
from support.database import Database
from support.serve_process import Serve, request
from support.service import issue, served, set_clock
from support.town import Town, build


@pytest.fixture
def serve(database: Database, tmp_path: Path) -> Serve:
    return Serve(database, tmp_path)


@pytest.fixture
def town(database: Database) -> Town:
    return build(database.app_url, ("activation_days = 1", "activation_days = 0"))


def test_the_short_way_and_the_long_way_answer_alike(serve: Serve, town: Town, database: Database) -> None:
    wallet = town.holder()
    cards = [town.sell(wallet) for _ in range(3)]
    number, frozen, third = (town.rows("SELECT number FROM card WHERE id = %s", one.hex())[0][0] for one in cards)
    nobodys, in_groups = number_for(new_id(1, BUCKETS[5])), f"{third[:4]} {third[4:]}"
    token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    regulator = issue(town, Role.REGULATOR, organisation="jingxi-stores")
    set_clock(database.owner_url, town)
    good = {"merchant": "mall-1", "amount_fen": 100, "card": number}
    asked = [
        (token, good),
        (token, {**good, "amount_fen": 10_000_000}),
        (token, {**good, "amount_fen": -1}),
        (token, {**good, "amount_fen": "100"}),
        (token, {**good, "merchant": "mall-2"}),
        (token, {**good, "card": "no such card"}),
        (token, {**good, "card": nobodys}),
        (token, {**good, "card": nobodys, "store": "no such store"}),
        (token, {**good, "card": third, "store": "no such store"}),
        (token, {**good, "card": in_groups}),
        (token, {**good, "surprise": 1}),
        (token, {**good, "order_no": "a\0b"}),
        (regulator, good),
        (token[:-4] + "AAAA", good),
    ]
    town.ok(Kind.FREEZE, Freeze(key=town.key(), caller=OPERATOR, card=cards[1], reason="x"))
    asked.append((token, {**good, "card": frozen}))
    with serve.running("--no-jobs") as address:
        for warm in range(2):  # the second time everything is remembered
            for place, (by, body) in enumerate(asked):
                order = {"order_no": f"{warm}-{place}", **body}
                short = request(address, by, f"short-{warm}-{place}", order)
                again = request(address, by, f"short-{warm}-{place}", order, parts=2)
                assert short == again, (warm, place, short, again)
                other = {**order, "order_no": f"{warm}-{place}-long"} if "order_no" not in body else order
                long = request(address, by, f"long-{warm}-{place}", other, parts=2)
                assert long[0] == short[0] and long[1].get("code") == short[1].get("code"), (warm, place, short, long)
    assert town.rows("SELECT count(*) FROM payment") == [(8,)]


def test_card_numbers_never_met_are_looked_up_and_said_to_be_none_alike(
    serve: Serve, town: Town, database: Database
) -> None:
    """One a request the short way and the long way, and in batches: each card here is met for the first time."""
    wallet = town.holder()
    numbers = [town.rows("SELECT number FROM card WHERE id = %s", town.sell(wallet).hex())[0][0] for _ in range(12)]
    nobodys = number_for(new_id(1, BUCKETS[5]))
    token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    set_clock(database.owner_url, town)

    def order(card: str, key: str) -> dict[str, Any]:
        return {"merchant": "mall-1", "amount_fen": 100, "card": card, "order_no": key}

    with serve.running("--no-jobs") as address:
        for place, parts in enumerate((2, 1, 1)):
            status, _ = request(address, token, f"one-{place}", order(numbers.pop(), f"one-{place}"), parts=parts)
            assert status == b"200 application/json"
        short, long = (request(address, token, f"n{n}", order(nobodys, f"n{n}"), parts=n) for n in (1, 2))
        assert short == long and short[0] == b"404 application/problem+json"
        with ThreadPoolExecutor(6) as tills:
            keys = [(f"t{place}", numbers.pop()) for place in range(5)] + [("t5", nobodys)]
            told = list(tills.map(lambda one: request(address, token, one[0], order(one[1], one[0]))[0][:3], keys))
        assert told == [b"200"] * 5 + [b"404"]
        batch = [*numbers, nobodys, numbers[0]]
        items = httpx2.post(
            f"{address}/v1/payments:batch",
            headers={"Authorization": f"Bearer {token}"},
            json={"payments": [{**order(card, f"b{n}"), "idempotency_key": f"b{n}"} for n, card in enumerate(batch)]},
        ).json()["items"]
        assert [one["outcome"] for one in items] == ["effect"] * len(numbers) + ["problem", "effect"]
        assert {**items[-2]["problem"], "request_id": ""} == {**short[1], "request_id": ""}
    assert town.rows("SELECT count(*) FROM payment") == [(3 + 5 + len(numbers) + 1,)]


def test_card_numbers_that_are_nobodys_count_as_guesses(
    town: Town, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the short way as on the long one; a number that is somebody's counts for nothing."""
    monkeypatch.setattr(guesses, "WRONG_AT_ONCE", 3)
    wallet = town.holder()
    first, second, third = (
        town.rows("SELECT number FROM card WHERE id = %s", town.sell(wallet).hex())[0][0] for _ in range(3)
    )
    wrong = [number_for(new_id(n, BUCKETS[n])) for n in range(5)]
    token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    with served(database, town) as address:

        def status(card: str, parts: int = 1) -> bytes:
            order = {"merchant": "mall-1", "amount_fen": 100, "card": card, "order_no": town.key()}
            return request(address, token, order["order_no"], order, parts=parts)[0][:3]

        assert status(first, parts=2) == b"200"  # from now on the merchant is remembered
        assert [status(one) for one in (wrong[0], second, wrong[1])] == [b"404", b"200", b"404"]
        assert [status(wrong[2], parts=2), status(wrong[3])] == [b"404", b"429"]
        assert [status(third), status(second)] == [b"429"] * 2, "nor is said what is right"


def test_while_a_lane_cant_be_opened_payments_are_told_when_to_come_back(
    town: Town, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def open_lane(_: Serving, lane: int) -> Kaquan:
        tries.append(lane)
        raise OSError("no process")

    monkeypatch.setattr(Serving, "_open_lane", open_lane)
    monkeypatch.setattr(committer, "PAUSE_SECONDS", 60.0)
    number = town.rows("SELECT number FROM card WHERE id = %s", town.sell(town.holder()).hex())[0][0]
    token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    order = {"merchant": "mall-1", "amount_fen": 100, "card": number, "order_no": "1"}
    with served(database, town) as address, httpx2.Client(headers={"Authorization": f"Bearer {token}"}) as till:
        for _ in range(3):
            one = till.post(f"{address}/v1/payments", json=order, headers={"Idempotency-Key": "one"})
            assert (one.status_code, one.json()["code"]) == (503, "too_busy")
            assert 50 <= int(one.headers["retry-after"]) <= 60
        assert request(address, token, "one", order)[1]["code"] == "too_busy"  # the short way
        many = till.post(f"{address}/v1/payments:batch", json={"payments": [{**order, "idempotency_key": "one"}]})
        assert many.json()["items"][0]["problem"]["code"] == "too_busy"
    assert sorted(tries) == [0, 1] and town.rows("SELECT count(*) FROM payment") == [(0,)]
