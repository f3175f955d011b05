"""One attempt on a real socket: the certificate is the host's, the address the judged one, the time bounded."""

import datetime as dt
import logging
import socket
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from time import sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kaquan.kernel.clock import seconds, system_now
from kaquan.kernel.ids import new_id
from kaquan.webhooks import secrets, sending
from kaquan.webhooks.model import Delivery, Reach
from kaquan.webhooks.sending import Sender
from support.receiver import LOCAL, Came, receiving


def certificate(folder: Path, host: str) -> Path:
    """A certificate that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = system_now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(pem)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A receiver of https://shop.example on a port of its own, and who trusts it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200 if self.headers["host"].startswith("shop.example:") else 421)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    path = certificate(tmp_path, "shop.example")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(path)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = serving.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, ssl.create_default_context(cafile=str(path))
        server.shutdown()


def here(host: str, port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


def test_the_certificate_is_checked_for_the_host_though_the_address_is_called(
    shop: tuple[int, ssl.SSLContext],
) -> None:
    port, trusted = shop
    sender = Sender(LOCAL, here, trusted)
    assert sender.send(f"https://shop.example:{port}/", {}, b"{}").status == 200
    other = sender.send(f"https://other.example:{port}/", {}, b"{}")
    assert (other.status, other.failure) == (0, "certificate")
    stranger = Sender(LOCAL, here).send(f"https://shop.example:{port}/", {}, b"{}")
    assert (stranger.status, stranger.failure) == (0, "certificate")


def test_the_connection_goes_to_the_address_that_was_judged_and_to_no_other() -> None:
    """A resolver that says something else the second time is not asked a second time."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "shop.example")
        assert Sender(LOCAL, lambda *_: next(answers)).send(url, {}, b"{}").status == 204
    assert next(answers) == ["10.0.0.1"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_what_leads_inside_is_never_connected_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connected(*_: object, **__: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", connected)
    sender = Sender(Reach(), lambda *_: ["1.1.1.1", address])
    assert sender.send("https://shop.example/", {}, b"{}").failure == "endpoint_address_refused"
    refusal = sender.reachable("https://shop.example/")
    assert refusal is not None and refusal.code.code == "endpoint_address_refused"


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "shop.example")
        assert Sender(LOCAL, lambda *_: ["127.0.0.2", "127.0.0.1"]).send(url, {}, b"{}").status == 204
    assert Sender(LOCAL, lambda *_: []).send(url, {}, b"{}").failure == "endpoint_host_unknown"


def test_a_receiver_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time; together they would take for ever."""
    monkeypatch.setattr(sending, "SEND_SECONDS", 1.0)

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            try:
                for letter in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000:
                    connection.sendall(bytes([letter]))
                    sleep(0.05)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=drip, args=(listening,), daemon=True).start()
        began = seconds()
        answered = Sender(LOCAL).send(f"http://127.0.0.1:{listening.getsockname()[1]}/", {}, b"{}")
    assert answered.status == 0 and answered.failure and seconds() - began < 5


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with receiving() as receiver:
        assert Sender(LOCAL).send(receiver.url, {}, b"{}").status == 204


def test_no_log_line_tells_where_or_with_what_was_sent(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, event = secrets.drawn(), new_id(1, 60)
    delivery = Delivery(event, 1, event, event, 0, 0, b'{"data":{}}')
    headers = secrets.headers(delivery, [secret], system_now())
    with receiving() as receiver:
        assert Sender(LOCAL).send(receiver.url + "?token=hush", headers, delivery.body).status == 204
        refused = Sender(LOCAL).send("http://127.0.0.1:9/hush", headers, delivery.body)
    (came,) = receiver.came
    assert isinstance(came, Came) and came.verified(secret) == {"data": {}} and refused.failure == "connection"
    told = "".join([caplog.text, *capsys.readouterr()])
    assert not any(part in told for part in ("hush", secret[6:], headers["webhook-signature"]))
