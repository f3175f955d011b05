"""Many callers at once, slow ones and hostile ones: nobody waits for another, nothing stands still."""

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import pytest

from kaquan.api import connection, guesses, limits
from kaquan.api.errors import TOO_BUSY, TOO_MANY_REQUESTS
from kaquan.api.guesses import Guesses
from kaquan.api.limits import Rates, Room
from kaquan.api.problems import Problem
from kaquan.api.serving import LOOKERS_MAX, Serving
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import seconds
from kaquan.payment_codes import offline
from kaquan.payment_codes.errors import PAYMENT_CODE_INVALID
from support.desks import Desks
from support.service import SERVING, client, issue


def test_a_herd_of_looks_is_answered(desks: Desks) -> None:
    """More callers than threads: those who have a connection must get a thread too."""
    operator = client(desks.address, desks.sides.token(Role.OPERATOR))

    def look(_: int) -> int:
        return operator.get("/v1/merchants").status_code

    began = seconds()
    with ThreadPoolExecutor(80) as pool:
        assert list(pool.map(look, range(160))) == [200] * 160
    assert seconds() - began < 20


def test_payments_find_a_way_past_whatever_is_slow(desks: Desks, serving: Serving) -> None:
    """Every connection for looks is taken: who pays does not notice, nor does who asks whether the process lives."""
    till = client(desks.address, issue(desks.sides.town, Role.OPERATOR))
    body = {
        "merchant": "mall-1",
        "amount_fen": 100,
        "order_no": "o-past",
        "card": desks.made("card_number")["card_number"],
    }
    taken = [serving._idle.get() for _ in range(LOOKERS_MAX)]
    try:
        told = till.post("/v1/payments", json=body, headers={"Idempotency-Key": "past"})
        assert told.status_code == 200, told.text
        for path in ("/healthz", "/readyz"):
            assert httpx2.get(f"{desks.address}{path}").status_code == 200
    finally:
        for one in taken:
            serving._idle.put(one)


def _dripping(address: str, begun: bytes) -> socket.socket:
    where = urlsplit(address)
    connection = socket.create_connection((where.hostname, where.port))
    connection.settimeout(10)
    connection.sendall(begun)
    return connection


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_never_ends_is_given_up(desks: Desks, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    """Room for connections is not for those who say nothing."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    with _dripping(desks.address, begun) as silent, pytest.raises(ConnectionResetError):
        assert silent.recv(1) == b""
        raise ConnectionResetError


def test_nor_is_the_head_of_a_second_request(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with _dripping(desks.address, asked) as slow:
        answer = b""
        while not answer.endswith(b'{"status":"ok"}'):
            answer += slow.recv(10_000)
        slow.sendall(b"GET /heal")
        with pytest.raises(ConnectionResetError):
            assert slow.recv(10_000) == b""
            raise ConnectionResetError


def test_who_comes_when_there_is_no_room_is_told_to_come_back(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 0)
    till = client(desks.address, issue(desks.sides.town, Role.OPERATOR))
    told = till.post("/v1/payments", json={}, headers={"Idempotency-Key": "no-room", "Accept-Language": "en"})
    assert (told.status_code, told.json()["code"]) == (503, "too_busy")
    assert (told.headers["retry-after"], told.headers["connection"]) == ("1", "close")


@pytest.mark.parametrize("padding", [40_000, 400_000])
def test_a_head_has_a_size(desks: Desks, padding: int) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * padding + b"\r\n\r\n"
    with _dripping(desks.address, asked) as large:
        assert large.recv(10_000).startswith(b"HTTP/1.1 400 ")


def test_nor_does_what_follows_a_body_in_parts_go_on(desks: Desks) -> None:
    asked = b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: "
    with _dripping(desks.address, asked + b"a" * 600_000) as large:
        assert large.recv(10_000).startswith(b"HTTP/1.1 400 ")


def test_nobody_uses_up_the_requests_of_a_key_by_naming_it(desks: Desks, serving: Serving) -> None:
    """The public part of a key stands in logs: it must not be enough to shut its holder out."""
    token = issue(desks.sides.town, Role.OPERATOR)
    assert client(desks.address, token).get("/v1/merchants").status_code == 200
    assert serving.keys.recognises(token)
    assert not serving.keys.recognises(token.rpartition("_")[0] + "_" + "a" * 52)
    assert not serving.keys.recognises("Bearer")


def test_a_batch_counts_as_many_requests(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    take = Rates.take
    monkeypatch.setattr(
        Rates, "take", lambda rates, who, count=1: (counted.append(count), take(rates, who, count))[1]
    )
    till = client(desks.address, issue(desks.sides.town, Role.OPERATOR))
    one = {"merchant": "mall-1", "amount_fen": 1, "wallet": "wal_x"}
    payments = [{**one, "order_no": f"b-{number}", "idempotency_key": f"b-{number}"} for number in range(30)]
    assert len(till.post("/v1/payments:batch", json={"payments": payments}).json()["items"]) == 30
    assert counted == [1, 29]


def test_bodies_share_what_room_there_is() -> None:
    room = Room(most=10)
    with room.share() as take:
        take(10)
        with pytest.raises(Problem) as refused, room.share() as another:
            another(1)
        assert refused.value.refusal.code is TOO_BUSY and room.taken == 10
    assert room.taken == 0 and limits.STRANGERS_BYTES_MAX < limits.BODIES_BYTES_MAX


def test_who_guesses_codes_is_stopped_and_nobody_else(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "WRONG_AT_ONCE", 3)
    monkeypatch.setattr(SERVING[-1], "guesses", Guesses())
    town = desks.sides.town
    tills = [client(desks.address, issue(town, Role.OPERATOR)) for _ in range(2)]
    number = desks.made("card_number")["card_number"]

    def wrong(till: httpx2.Client, path: str = "/v1/payments") -> str:
        key = town.key()
        code = offline.code(bytes(32), f"{int(town.counter) % 10**8:08d}", 0)
        body = {"merchant": "mall-1", "amount_fen": 1, "order_no": f"g-{key}", "code": code}
        return str(till.post(path, json=body, headers={"Idempotency-Key": key}).json()["code"])

    invalid, many = PAYMENT_CODE_INVALID.code, TOO_MANY_REQUESTS.code
    assert [wrong(tills[0]), wrong(tills[0], "/v1/quotes")] == [invalid, invalid]
    assert wrong(tills[0], "/v1/payments?dry_run=true") == invalid, "trying counts as well"
    assert [wrong(tills[0]), wrong(tills[0], "/v1/quotes")] == [many, many]
    body = {"merchant": "mall-1", "amount_fen": 1, "order_no": "g-right", "card": number}
    assert tills[0].post("/v1/payments", json=body, headers={"Idempotency-Key": "g"}).status_code == 200
    assert wrong(tills[1]) == invalid, "another key"


def test_what_is_right_counts_for_nothing() -> None:
    counted = Guesses()
    for _ in range(2 * guesses.WRONG_AT_ONCE):
        with counted.one("till"):
            pass
    for _ in range(guesses.WRONG_AT_ONCE):
        with pytest.raises(Problem), counted.one("till"):
            raise Problem(PAYMENT_CODE_INVALID)
    with pytest.raises(Problem) as refused, counted.one("till"):
        pass
    assert refused.value.refusal.code is TOO_MANY_REQUESTS
