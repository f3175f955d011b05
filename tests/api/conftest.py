"""Fixtures for tests of the door outside."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kaquan.api.serving import Serving
from kaquan.db.embedded import Server
from support.database import fresh_database
from support.desks import Desks
from support.every_side import EverySide
from support.service import SERVING, served


@pytest.fixture(scope="module")
def desks(server: Server, template_name: str) -> Iterator[Desks]:
    """One served town for all tests of a module, and a desk for each role."""
    with ExitStack() as stack:
        sides = EverySide(stack.enter_context(fresh_database(server, template_name)))
        yield Desks(sides, stack.enter_context(served(sides.database, sides.town)), stack)


@pytest.fixture
def serving(desks: Desks) -> Serving:
    """What the process that serves the desks holds."""
    return SERVING[-1]
