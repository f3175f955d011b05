"""One town and four processes for all short races; each race brings its own cards and orders."""

from collections.abc import Iterator

import pytest

from kaquan.db.embedded import Server
from support.database import fresh_database
from support.race import Field, racing
from support.race_books import untrue
from support.town import build


@pytest.fixture(scope="module")
def shared_field(server: Server, template_name: str) -> Iterator[Field]:
    """The field of a module."""
    with fresh_database(server, template_name) as database, racing(database.app_url, 4) as racers:
        yield Field(build(database.app_url), racers, database.owner_url)


@pytest.fixture
def field(shared_field: Field) -> Iterator[Field]:
    """The field; after each race the books must be true."""
    yield shared_field
    assert list(untrue(shared_field.url)) == []
