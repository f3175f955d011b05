"""Every operation, for every role, on what is the caller's own and what is another's: generated from the operations.

A role that may not ask gets 403. One that may gets 2xx with its own objects and 404 with another's.
"""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from kaquan.api.authorization import EVERYTHING_SEEN
from kaquan.api.operations import OPERATIONS, Operation
from kaquan.db.embedded import Server
from kaquan.kernel.caller import Role
from support.outside import CALLERS, Outside, everybody
from support.two_sides import OTHER, OWN

BATCHES = frozenset({"create_payments"})
"""They answer 200, and each item for itself."""


@pytest.fixture(scope="module")
def outside(server: Server, template_name: str) -> Iterator[Outside]:
    """One town for all cases."""
    with everybody(server, template_name) as town:
        yield town


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
        told = outside.send(stranger, operation, names)
        assert told.status_code == 401, told.text
        assert told.json()["code"] == "token_wrong" if "Bearer" in str(headers) else "api_key_missing"
        assert told.headers["www-authenticate"] == "Bearer"
