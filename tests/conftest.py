"""Fixtures for every kind of test."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kaquan.db.embedded import Server
from kaquan.db.errors import BinariesMissing
from support.database import Database, fresh_database, shared_server, template
from support.require import require


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server that all test runs share."""
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(shared_server())
        except BinariesMissing as fault:
            require("postgres", str(fault))
        yield opened


@pytest.fixture(scope="session")
def template_name(server: Server) -> str:
    """The migrated template database."""
    return template(server)


@pytest.fixture
def database(server: Server, template_name: str) -> Iterator[Database]:
    """A fresh, migrated database of this test alone."""
    with fresh_database(server, template_name) as fresh:
        yield fresh
