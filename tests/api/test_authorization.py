"""Every operation, for every role, on what is the caller's own and what is another's: generated from the operations.

A role that may not ask gets 403. One that may gets 2xx with its own objects and 404 with another's.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

import kaquan.api.app  # noqa: F401  (declares the operations)
from kaquan.api.authorization import EVERYTHING_SEEN
from kaquan.api.openapi import filled
from kaquan.api.operations import OPERATIONS, Operation
from kaquan.db.embedded import Server
from kaquan.kernel.caller import Role
from support.database import fresh_database
from support.every_side import EverySide
from support.service import client, served
from support.two_sides import OTHER, OWN, TwoSides

BATCHES = frozenset({"create_payments"})
"""They answer 200, and each item for itself."""

CALLERS = [role for role in Role if role is not Role.SYSTEM]


class Outside:
    """The served town, and somebody of each role."""

    def __init__(self, sides: TwoSides, callers: dict[Role, httpx2.Client]) -> None:
        self.sides = sides
        self.callers = callers

    def ask(self, role: Role, operation: Operation, side: str) -> httpx2.Response:
        """Send the operation's example about fresh objects of a side."""
        names = self.sides.names(side, operation, role)
        if operation.prepare:
            before = OPERATIONS[operation.prepare]
            told = self._send(self.callers[Role.OPERATOR], before, names)
            assert told.status_code == 200, told.text
        return self._send(self.callers[role], operation, names)

    def _send(self, caller: httpx2.Client, operation: Operation, names: dict[str, str]) -> httpx2.Response:
        path = operation.path.format(**{name: quote(given, safe="") for name, given in names.items()})
        if operation.method == "GET":
            return caller.get(path, params=dict(operation.query))
        headers = {"Idempotency-Key": self.sides.town.key()}
        return caller.post(path, json=filled(operation.example or {}, names), headers=headers)


@pytest.fixture(scope="module")
def outside(server: Server, template_name: str) -> Iterator[Outside]:
    """One town for all cases: each makes objects of its own."""
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(server, template_name))
        sides = EverySide(database)
        address = stack.enter_context(served(database, sides.town))
        callers = {role: stack.enter_context(client(address, sides.token(role))) for role in CALLERS}
        yield Outside(sides, callers)


def cases() -> list[Any]:
    """Every operation with every role."""
    return [
        pytest.param(operation, role, id=f"{operation.name}-{role.value}")
        for operation in OPERATIONS.values()
        for role in CALLERS
    ]


@pytest.mark.parametrize(("operation", "role"), cases())
def test_who_may_ask_for_what(outside: Outside, operation: Operation, role: Role) -> None:
    own = outside.ask(role, operation, OWN)
    if role not in operation.roles:
        assert (own.status_code, own.json()["code"]) == (403, "role_not_allowed"), own.text
        return
    assert own.status_code in (200, 202), own.text  # 202: it waits for a second person
    if operation.owned and role not in EVERYTHING_SEEN:
        foreign = outside.ask(role, operation, OTHER)
        if operation.name in BATCHES:
            assert [one["problem"]["status"] for one in foreign.json()["items"]] == [404]
            return
        assert foreign.status_code == 404, foreign.text
        assert foreign.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_without_a_key_nobody_is_let_in(outside: Outside, operation: Operation) -> None:
    names = outside.sides.names(OWN, operation)
    stranger = httpx2.Client(base_url=str(outside.callers[Role.OPERATOR].base_url))
    for headers in ({}, {"Authorization": "Bearer kq_live_nobody"}, {"Authorization": "Basic YTpi"}):
        stranger.headers = httpx2.Headers(headers)
        told = outside._send(stranger, operation, names)
        assert told.status_code == 401, told.text
        assert told.json()["code"] == "token_wrong" if "Bearer" in str(headers) else "api_key_missing"
        assert told.headers["www-authenticate"] == "Bearer"
