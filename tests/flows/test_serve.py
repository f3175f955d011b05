"""`kaquan serve`: where it may listen, what it does beside, how it ends."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from time import sleep

import httpx2
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kaquan.client import Client, Unauthorized
from kaquan.commands.model import Kind
from kaquan.db import embedded, migrate, postmaster
from kaquan.db.pool import connect
from kaquan.jobs import minutely
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.clock import system_now
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.payments.model import Authorize
from kaquan.settings import Settings
from support import serve_process
from support.database import TEST_SETTINGS, Database
from support.serve_process import END_SECONDS, Serve, request
from support.service import issue, set_clock
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


STOPPED_AS_IT_BEGINS = """
import os, signal, uvicorn
from kaquan.api import server
from kaquan.cli.serving import _told_to_stop

async def application(scope, receive, send):
    while True:
        told = (await receive())["type"]
        print(told)
        await send({"type": f"{told}.complete"})

usual = uvicorn.Server.serve

async def begin(self, sockets=None):
    os.kill(os.getpid(), signal.SIGTERM)
    await usual(self, sockets)

uvicorn.Server.serve = begin
with _told_to_stop():
    server.serve(application, server.listening("127.0.0.1", 0), server.Surroundings())
"""


def test_a_server_that_is_stopped_as_its_loop_begins_ends_in_order() -> None:
    ended = subprocess.run([sys.executable, "-c", STOPPED_AS_IT_BEGINS], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout.split()) == (0, ["lifespan.startup", "lifespan.shutdown"]), ended.stderr


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
