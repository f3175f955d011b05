"""Serving an installation: a safe address, lanes, the timetable, and an end in order."""

import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

import msgspec
import structlog

from kaquan.api import tracing
from kaquan.api.app import build
from kaquan.api.errands import running
from kaquan.api.server import AddressTaken, AddressUnknown, Surroundings, is_this_machine, listening, serve
from kaquan.api.serving import Serving
from kaquan.cli import lane, logs
from kaquan.cli.endings import Absent, Misuse
from kaquan.cli.printing import Screen
from kaquan.db import embedded
from kaquan.db.embedded import Server
from kaquan.jobs.minutely import Minutely
from kaquan.main import collect_rarely
from kaquan.settings import Settings

log = structlog.get_logger()


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """How it is to be served: where, with how many lanes, behind which proxy or with which certificate, whether the
    timetable runs along."""

    host: str
    port: int
    lanes: int
    proxy: str | None
    certificate: Path | None
    private_key: Path | None
    jobs: bool


def run(wishes: Wishes, server: Server, settings: Settings, screen: Screen) -> None:
    """Serve until told to stop. Raises `Misuse` for an unsafe address, `Absent` for one that can't be had."""
    _guarded_door(wishes)
    around = Surroundings(certificate=wishes.certificate, private_key=wishes.private_key, proxy=wishes.proxy)
    with (
        _told_to_stop(),
        _listening(wishes.host, wishes.port) as listener,
        _Database(settings) as database,
        Serving(settings, database.reach, server.master_key, wishes.lanes, lane_command=lane.COMMAND) as serving,
        Minutely(lambda: serving.on(serving.connect())) if wishes.jobs else nullcontext(),
        running(serving) if wishes.jobs else nullcontext(),
    ):
        tracing.start(settings)
        logs.gather()
        application = build(serving)
        address = _address(wishes.host, listener.getsockname()[1], wishes.certificate is not None)
        collect_rarely()
        log.info("serve.started", address=address, lanes=wishes.lanes)
        screen.effect(
            (f"正在 {address} 提供服务，按 Ctrl-C 停止。", f"Serving at {address}; Ctrl-C stops it."),
            {},
            {"address": address, "lanes": wishes.lanes, "jobs": wishes.jobs},
        )
        try:
            serve(application, listener, around)
        finally:
            log.info("serve.stopped", address=address)


class _Database:
    """The database, asked for before each connection: a private server that died is started again by that."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: Server | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> "_Database":
        return self

    def __exit__(self, *_: object) -> None:
        if self._held is not None:
            self._held.stop()

    def reach(self) -> str:
        """URL of the application's role."""
        with self._lock:
            found = embedded.open_database(self._settings)
            before, self._held = self._held, found
            if before is not None:
                before.stop()
            return found.app_url


def _guarded_door(wishes: Wishes) -> None:
    """Nobody on the way may read tokens. Raises `Misuse`."""
    host = wishes.host
    if (wishes.certificate is None) != (wishes.private_key is None):
        raise Misuse("--tls-cert 和 --tls-key 须同时给出。", "--tls-cert and --tls-key go together.")
    if wishes.certificate is not None:
        _checked_certificate(wishes.certificate, wishes.private_key)
    elif wishes.proxy is None and not is_this_machine(host):
        raise Misuse(
            f"{host} 可从别的机器访问，而没有 TLS：密钥和个人信息会明文经过网络。请给出 --tls-cert 和 --tls-key；"
            "或由前置代理终止 TLS，并用 --behind-proxy 指明它的地址；只在本机使用时去掉 --host。",
            f"Other machines reach {host}, and there is no TLS: tokens and personal data would cross the network in "
            "the clear. Give --tls-cert and --tls-key; or let a proxy end TLS and name its address with "
            "--behind-proxy; or leave --host out, for this machine alone.",
        )


def _checked_certificate(certificate: Path, private_key: Path | None) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, private_key)
    except (OSError, ssl.SSLError) as wrong:
        reason = wrong.strerror or type(wrong).__name__
        raise Misuse(
            f"TLS 证书 {certificate} 与私钥无法使用（{reason}）。",
            f"The TLS certificate {certificate} and its key can't be used ({reason}).",
        ) from None


def _listening(host: str, port: int) -> socket.socket:
    try:
        return listening(host, port)
    except AddressTaken:
        raise Absent(
            (f"{host} 的端口 {port} 已被占用。", f"Port {port} of {host} is taken."),
            (
                "可能已有一个 kaquan serve 在运行；请停止它，或用 --port 换一个端口（0 为任选）。",
                "Perhaps a kaquan serve is running already: stop it, or choose another with --port (0: any).",
            ),
        ) from None
    except AddressUnknown:
        raise Absent(
            (f"不能在 {host} 的端口 {port} 监听。", f"Can't listen on port {port} of {host}."),
            (
                "请核对 --host；1024 以下的端口需要特权。",
                "Check --host; a port below 1024 needs privileges.",
            ),
        ) from None


def _address(host: str, port: int, tls: bool) -> str:
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """SIGTERM and Ctrl-C end what is inside in order, as a success."""

    def stop(*_: object) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    finally:
        signal.signal(signal.SIGTERM, before)
