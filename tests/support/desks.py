"""Desks at the door outside: somebody with a key, who looks, changes and is refused."""

from contextlib import ExitStack
from typing import Any

import httpx2

from kaquan.kernel.caller import Role
from support.every_side import EverySide
from support.service import client, issue
from support.two_sides import OWN


class Desk:
    """Somebody with a key, who asks."""

    def __init__(self, sides: EverySide, caller: httpx2.Client) -> None:
        self.sides = sides
        self._caller = caller

    def get(self, path: str, **query: Any) -> Any:
        """What a look shows."""
        told = self._caller.get(f"/v1{path}", params=query)
        assert told.status_code == 200, told.text
        return told.json()

    def post(self, path: str, **body: Any) -> Any:
        """What a change does."""
        told = self.ask(path, body)
        assert told.status_code == 200, told.text
        return told.json()

    def no(self, path: str, **body: Any) -> str:
        """The code of a refusal."""
        told = self.ask(path, body)
        assert told.status_code >= 400 and told.headers["content-type"] == "application/problem+json", told.text
        code: str = told.json()["code"]
        return code

    def hidden(self, path: str, **query: Any) -> bool:
        """Whether a look finds nothing."""
        return self._caller.get(f"/v1{path}", params=query).status_code == 404

    def ask(self, path: str, body: Any, **query: Any) -> httpx2.Response:
        """The answer to a change."""
        key = {"Idempotency-Key": self.sides.town.key()}
        return self._caller.post(f"/v1{path}", json=body, headers=key, params=query)

    def pages(self, path: str, limit: int) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            told = self.get(path, limit=limit, **cursor)
            assert len(told["items"]) <= limit
            items += told["items"]
            if told["next"] is None:
                return items
            assert len(told["items"]) == limit, "only the last page is short"
            cursor = {"after": told["next"]}


class Desks:
    """The served town, and a desk for each key."""

    def __init__(self, sides: EverySide, address: str, stack: ExitStack) -> None:
        self.sides = sides
        self.address = address
        self._stack = stack
        self.operator = self.desk(sides.token(Role.OPERATOR))
        self.issuer = self.desk(sides.token(Role.ISSUER))
        self.second = self.desk(issue(sides.town, Role.ISSUER, organisation="jingxi"))
        self.merchant = self.desk(sides.token(Role.MERCHANT))
        self.funder = self.desk(sides.token(Role.FUNDER))
        self.holder = self.desk(sides.token(Role.HOLDER))
        self.regulator = self.desk(sides.token(Role.REGULATOR))

    def desk(self, token: str) -> Desk:
        """Somebody with this key."""
        return Desk(self.sides, self._stack.enter_context(client(self.address, token)))

    def made(self, name: str, side: str = OWN) -> dict[str, str]:
        """An object of a side, by the names that it gives."""
        found: dict[str, str] = {}
        getattr(self.sides, f"make_{name}")(side, found)
        return found
