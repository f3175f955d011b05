"""Connections: one way to open them, one pool."""

from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

PREPARE_AFTER = 1
"""A statement is prepared when it is used a second time: the hot path uses the same few for ever."""

CONNECT_SECONDS = 10
POOL_WAIT_SECONDS = 10.0


def connect(url: str, *, autocommit: bool = True, application_name: str = "kaquan") -> psycopg.Connection:
    """Open a connection with binary results. Raises `psycopg.OperationalError` when the server cannot be reached."""
    conn = psycopg.connect(
        url,
        autocommit=autocommit,
        prepare_threshold=PREPARE_AFTER,
        cursor_factory=BinaryCursor,
        connect_timeout=CONNECT_SECONDS,
        application_name=application_name,
    )
    return conn


class BinaryCursor(psycopg.Cursor[Any]):
    """A cursor whose results come in PostgreSQL's binary format: cheaper to read, and no text in between."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.format = psycopg.pq.Format.BINARY


def open_pool(url: str, *, size: int, application_name: str = "kaquan") -> ConnectionPool[psycopg.Connection]:
    """A pool of at most `size` such connections; a broken one is replaced. Use it as a context manager."""
    return ConnectionPool(
        url,
        min_size=min(1, size),
        max_size=size,
        open=True,
        timeout=POOL_WAIT_SECONDS,
        name=application_name,
        check=ConnectionPool.check_connection,
        kwargs={
            "autocommit": True,
            "prepare_threshold": PREPARE_AFTER,
            "cursor_factory": BinaryCursor,
            "connect_timeout": CONNECT_SECONDS,
            "application_name": application_name,
        },
    )
