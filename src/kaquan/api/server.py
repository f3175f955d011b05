"""Serving over HTTP: uvicorn with the limits of the house, ended in order."""

import errno
import ipaddress
import socket
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from kaquan.api.connection import Connection

KEEP_ALIVE_SECONDS = 30
DRAIN_SECONDS = 30  # what was taken in is answered within this time of a stop
BACKLOG = 2_048


class AddressTaken(Exception):
    """Another process listens at this address."""


class AddressUnknown(Exception):
    """This machine has no such address, or may not listen there."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between the server and its callers: certificate and key in files, or the address of a proxy whose
    word about where a caller comes from is taken."""

    certificate: Path | None = None
    private_key: Path | None = None
    proxy: str | None = None


def is_this_machine(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is a free one. Raises `AddressTaken` or `AddressUnknown`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            raise AddressTaken(f"{host}:{port}") from None
        raise AddressUnknown(f"{host}:{port}") from None


def serve(application: Any, listener: socket.socket, around: Surroundings) -> None:
    """Serve until the process is told to stop (SIGTERM, Ctrl-C): requests under way are finished first, then the
    signal takes its usual course. That is outside the loop, also of one that comes as the loop begins: what a signal
    raises inside, uvloop can't always close after."""
    server = uvicorn.Server(configured(application, around))
    with server.capture_signals():
        server.run(sockets=[listener])


def configured(application: Any, around: Surroundings) -> uvicorn.Config:
    """The limits of the house."""
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=around.proxy is not None,
        forwarded_allow_ips=around.proxy,
        ssl_certfile=around.certificate,
        ssl_keyfile=around.private_key,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        http=partial(Connection, express=getattr(application, "express", None)),  # type: ignore[arg-type]
        loop="auto",
        ws="none",
    )
