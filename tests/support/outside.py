"""The served town with two of everything, and somebody of each role who asks for operations as they are described."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

import httpx2

import kaquan.api.app  # noqa: F401  (declares the operations)
from kaquan.api.openapi import filled
from kaquan.api.operations import OPERATIONS, Operation
from kaquan.db.embedded import Server
from kaquan.kernel.caller import Role
from support.database import fresh_database
from support.every_side import EverySide
from support.service import client, served
from support.two_sides import TwoSides

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
            told = self.send(self.callers[Role.OPERATOR], before, names)
            assert told.status_code == 200, told.text
        return self.send(self.callers[role], operation, names)

    def send(self, caller: httpx2.Client, operation: Operation, names: dict[str, str]) -> httpx2.Response:
        """Send the example with these names."""
        path = operation.path.format(**{name: quote(given, safe="") for name, given in names.items()})
        if operation.method == "GET":
            return caller.get(path, params=dict(operation.query))
        headers = {"Idempotency-Key": self.sides.town.key()}
        return caller.post(path, json=filled(operation.example or {}, names), headers=headers)


@contextmanager
def everybody(server: Server, template_name: str) -> Iterator[Outside]:
    """One town for many cases: each makes objects of its own."""
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(server, template_name))
        sides = EverySide(database)
        address = stack.enter_context(served(database, sides.town))
        callers = {role: stack.enter_context(client(address, sides.token(role))) for role in CALLERS}
        yield Outside(sides, callers)
