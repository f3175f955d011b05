"""`kaquan serve`: where it may listen, what it does beside, how it ends."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from time import sleep
from typing import Any

import httpx2
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kaquan.api import guesses
from kaquan.cards.model import Freeze
from kaquan.cards.numbers import number_for
from kaquan.client import Client, Unauthorized
from kaquan.commands.model import Kind
from kaquan.db import embedded, migrate, postmaster
from kaquan.db.pool import connect
from kaquan.jobs import minutely
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.clock import system_now
from kaquan.kernel.ids import BUCKETS, new_id
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.payments.model import Authorize
from kaquan.settings import Settings
from support import serve_process
from support.database import TEST_SETTINGS, Database
from support.serve_process import END_SECONDS, Serve
from support.service import issue, served, set_clock
from support.town import MASTER_KEY, Town, build


@pytest.fixture
def serve(database: Database, tmp_path: Path) -> Serve:
    return Serve(database, tmp_path)


@pytest.fixture
def town(database: Database) -> Town:
    return build(database.app_url, ("activation_days = 1", "activation_days = 0"))


def test_a_port_that_is_taken_is_told_in_both_languages(serve: Serve, town: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, told = serve.refused("--port", port)
        assert (code, told["outcome"], told["message"]) == (3, "unavailable", f"127.0.0.1 的端口 {port} 已被占用。")
        assert "--port" in told["remedy"]
        code, told = serve.refused("--port", port, "--lang", "en")
        assert (code, told["message"]) == (3, f"Port {port} of 127.0.0.1 is taken.")
        assert "--port" in told["remedy"]
    code, told = serve.refused("--host", "203.0.113.77", "--behind-proxy", "127.0.0.1", "--lang", "en")
    assert (code, told["message"]) == (3, "Can't listen on port 8080 of 203.0.113.77.")


def test_a_server_that_should_not_have_started_is_not_left_behind(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[str]] = []
    start = serve._popen
    monkeypatch.setattr(serve, "_popen", lambda *words: (started.append(start(*words)), started[-1])[1])
    monkeypatch.setattr(serve_process, "END_SECONDS", 0.5)
    with pytest.raises(subprocess.TimeoutExpired):
        serve.refused("--port", "0")
    assert started[0].returncode == -signal.SIGKILL


def test_without_tls_only_this_machine_is_served(serve: Serve, town: Town, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "203.0.113.77", "cards.example.com"):
        code, told = serve.refused("--host", host)
        assert (code, told["outcome"]) == (2, "misuse")
        assert all(way in told["message"] for way in ("--tls-cert", "--tls-key", "--behind-proxy", "没有 TLS"))
    code, told = serve.refused("--host", "0.0.0.0", "--lang", "en")
    assert code == 2 and "in the clear" in told["message"]
    code, told = serve.refused("--tls-cert", str(tmp_path / "none"), "--lang", "en")
    assert (code, told["message"]) == (2, "--tls-cert and --tls-key go together.")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for file in (tmp_path / "none", empty):
        code, told = serve.refused("--tls-cert", str(file), "--tls-key", str(file), "--lang", "en")
        assert code == 2 and str(file) in told["message"]


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(system_now() - timedelta(days=1))
        .not_valid_after(system_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private_key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private_key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private_key


def test_with_a_certificate_all_addresses_are_served_over_tls(serve: Serve, town: Town, tmp_path: Path) -> None:
    certificate, private_key = _certificate(tmp_path)
    files = ("--tls-cert", str(certificate), "--tls-key", str(private_key))
    with serve.running("--host", "0.0.0.0", *files) as address:
        assert address.startswith("https://0.0.0.0:")
        here = address.replace("0.0.0.0", "127.0.0.1")
        trusting = ssl.create_default_context(cafile=certificate)
        with Client(here, "kq_live_nobody", tls=trusting) as client, pytest.raises(Unauthorized):
            client.payments.show("pay_00000000000000000000000000")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{here}/healthz")


def test_figures_are_for_this_machine_alone_and_never_for_who_comes_through_a_proxy(serve: Serve, town: Town) -> None:
    through = {"X-Forwarded-For": "203.0.113.9"}
    for proxy in ((), ("--behind-proxy", "127.0.0.1"), ("--behind-proxy", "203.0.113.1")):
        with serve.running(*proxy) as address:
            assert httpx2.get(f"{address}/metrics", headers=through).status_code == 401
            assert httpx2.get(f"{address}/metrics").status_code == 200


def test_a_stop_answers_what_was_taken_in(serve: Serve, town: Town, database: Database) -> None:
    card = town.sell(town.holder())
    number = town.rows("SELECT number FROM card WHERE id = %s", card.hex())[0][0]
    token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    set_clock(database.owner_url, town)
    body = json.dumps({"merchant": "mall-1", "amount_fen": 100, "order_no": "1", "card": number}).encode()
    head = f"POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: one\r\n"
    process, address = serve.start()
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        sleep(0.3)
        process.terminate()
        sleep(0.3)
        assert process.poll() is None
        with pytest.raises(OSError):
            socket.create_connection((host, int(port)), timeout=2).close()
        caller.sendall(body[10:])
        answer = caller.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 200") and process.wait(END_SECONDS) == 0
    assert town.rows("SELECT count(*) FROM payment") == [(1,)]
    lines = [json.loads(line) for line in serve.log.read_text("utf-8").splitlines()]
    assert [line["event"] for line in lines if line["event"].startswith("serve.")] == [
        "serve.started",
        "serve.stopped",
    ]
    assert token not in serve.log.read_text("utf-8")


def request(address: str, token: str, key: str, body: dict[str, Any], *, parts: int = 1) -> tuple[bytes, Any]:
    """Status line and body of the answer to a payment sent in so many parts: in one it takes the short way."""
    host, _, port = address.removeprefix("http://").partition(":")
    content = json.dumps(body).encode()
    head = f"POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
    whole = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    cut = len(whole) - 7 if parts == 2 else len(whole)
    with socket.create_connection((host, int(port)), timeout=30) as caller:
        caller.sendall(whole[:cut])
        if whole[cut:]:
            sleep(0.1)
            caller.sendall(whole[cut:])
        answer = http.client.HTTPResponse(caller)
        answer.begin()
        told = json.loads(answer.read())
        for own in ("request_id", "instance", "replayed"):  # of the request, not of the wish
            told.pop(own, None)
        return f"{answer.status} {answer.headers.get_content_type()}".encode(), told


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


def test_lanes_that_are_killed_start_again_and_nothing_is_paid_twice(
    serve: Serve, town: Town, database: Database
) -> None:
    card = town.sell(town.holder())
    number = town.rows("SELECT number FROM card WHERE id = %s", card.hex())[0][0]
    token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    set_clock(database.owner_url, town)
    process, address = serve.start("--no-jobs")
    killed, told = 0, set[bytes]()
    try:
        for turn in range(12):
            if turn % 4 == 2:
                for lane in Path(f"/proc/{process.pid}").glob("task/*/children"):
                    for pid in map(int, lane.read_text().split()):
                        os.kill(pid, signal.SIGKILL)
                        killed += 1
            body = {"merchant": "mall-1", "amount_fen": 100, "order_no": f"{turn}", "card": number}
            for _ in range(100):
                status, _ = request(address, token, f"key-{turn}", body)
                told.add(status)
                if status.startswith(b"200"):
                    break
                sleep(0.1)
            else:
                raise AssertionError(f"never paid: {told}")
    finally:
        process.terminate()
        assert process.wait(END_SECONDS) == 0
    assert killed >= 3 and told <= {b"200 application/json", b"503 application/problem+json"}
    assert town.rows("SELECT count(*), sum(amount) FROM payment") == [(12, 1_200)]


def test_what_is_due_is_carried_out_beside(serve: Serve, town: Town, database: Database) -> None:
    card = town.sell(town.holder())
    order = Authorize(
        key=town.key(),
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=Money(100),
        order_no="1",
    )
    town.ok(Kind.AUTHORIZE, order)
    town.tick(days=60)
    set_clock(database.owner_url, town)
    before = town.rows("SELECT state FROM payment")
    with serve.running("--no-jobs"):
        sleep(1)
        assert town.rows("SELECT state FROM payment") == before
    with serve.running():
        for _ in range(100):
            if town.rows("SELECT state FROM payment") != before:
                break
            sleep(0.1)
    assert town.rows("SELECT state FROM payment") != before
    assert "jobs.done" in {line["event"] for line in map(json.loads, serve.log.read_text("utf-8").splitlines())}


def test_a_run_that_fails_is_made_good_the_next_minute(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    monkeypatch.setattr(minutely, "PERIOD_SECONDS", 0.01)
    tries: list[int] = []
    ran = threading.Event()

    def open_app() -> Kaquan:
        tries.append(1)
        if len(tries) < 3:
            raise psycopg.OperationalError("the database is gone")
        ran.set()
        return Kaquan(connect(database.app_url), MASTER_KEY)

    with minutely.Minutely(open_app):
        assert ran.wait(END_SECONDS)
    assert len(tries) == 3


def test_a_database_that_dies_is_started_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", shared_buffers_mb=32)
    try:
        with embedded.open_server(settings, overrides=TEST_SETTINGS) as server:
            migrate.migrate(server.owner_url)
            data_dir = server.data_dir
        serve = Serve(None, tmp_path)
        with serve.running() as address:
            assert httpx2.get(f"{address}/readyz").status_code == 200
            found = postmaster.running(data_dir)
            assert found is not None
            os.kill(found.pid, signal.SIGKILL)
            statuses = []
            for _ in range(200):
                statuses.append(httpx2.get(f"{address}/readyz", timeout=30).status_code)
                if len(statuses) > 1 and statuses[-1] == 200:
                    break
                sleep(0.1)
            assert statuses[-1] == 200 and set(statuses) <= {200, 503}
    finally:
        embedded.remove_server(settings)
