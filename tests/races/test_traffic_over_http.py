"""The flood of `race_traffic` over HTTP, at two servers on one database: payments, holds, refunds, top-ups, retries.

KAQUAN_TEST_SEED repeats the commands of an earlier run.
"""

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from secrets import randbelow
from time import sleep
from typing import Any

import httpx2
import pytest

from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.clock import system_now
from kaquan.kernel.ids import public
from kaquan.payments.model import Authorize
from support.database import Database
from support.race_books import untrue
from support.race_traffic import BATCH, Batch, Flood, World
from support.serve_process import Serve
from support.service import issue, set_clock
from support.town import Town, build

TURNS = 24
WALLETS = 20
AT_ONCE = 24
MERCHANTS = ("mall-1", "mall-2")
ACCEPTED_MIN = 0.2
TRIES = 30  # a server that is busy says when to come back, to the other one

Heard = tuple[str, int, str]
"""The key of a command, the status and the code or the payment that it was answered with."""


@pytest.fixture
def town(database: Database) -> Town:
    """A town whose holds outlive the test."""
    return build(
        database.app_url,
        ("activation_days = 1", "activation_days = 0"),
        ("hold_minutes = 30", "hold_minutes = 720"),
    )


def request(command: Any, kind: Kind, codes: dict[bytes, str]) -> tuple[str, dict[str, Any]]:
    """The path and the body of a command."""
    match kind:
        case Kind.PAY | Kind.AUTHORIZE:
            return "/v1/payments", {
                "card": public("crd", command.card),
                "merchant": codes[command.merchant],
                "amount_fen": command.amount,
                "order_no": command.order_no,
                "capture": not isinstance(command, Authorize),
            }
        case Kind.TOP_UP:
            return f"/v1/cards/{public('crd', command.card)}/top-ups", {"face_fen": command.face}
        case Kind.REFUND:
            return f"/v1/payments/{public('pay', command.payment)}/refunds", {"reason": command.reason}
        case Kind.VOID:
            return f"/v1/payments/{public('pay', command.payment)}/void", {}
        case Kind.CAPTURE:
            amount = {} if command.amount is None else {"amount_fen": command.amount}
            return f"/v1/payments/{public('pay', command.payment)}/capture", amount
    raise AssertionError(kind)


class Caller:
    """Sends commands, now to one server, now to the other, and keeps what it hears."""

    def __init__(self, addresses: list[str], token: str, codes: dict[bytes, str]) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._clients = cycle([httpx2.Client(base_url=one, headers=headers, timeout=60) for one in addresses])
        self._codes = codes
        self.heard: list[Heard] = []

    def send(self, batch: Batch) -> None:
        """Every command of a batch at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda command: self._send(command, batch.kind), batch.commands))

    def _send(self, command: Any, kind: Kind) -> None:
        path, body = request(command, kind, self._codes)
        for _ in range(TRIES):
            told = next(self._clients).post(path, json=body, headers={"Idempotency-Key": command.key})
            if told.status_code != 503:
                break
            sleep(float(told.headers["retry-after"]))
        answer = told.json()
        identity = scoped_id(OPERATOR.organisation, command.subject, command.key)
        name = f"{kind.name} {identity.hex()}"
        self.heard.append((name, told.status_code, answer.get("code") or answer.get("payment", "")))


def answers(heard: list[Heard]) -> Iterator[tuple[str, set[tuple[int, str]]]]:
    """What each command heard that was decided, however often it was sent."""
    by_name: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for name, status, said in heard:
        if said not in ("not_found", "order_in_flight", "payment_unknown"):  # these decide nothing
            by_name[name].add((status, said))
    return iter(by_name.items())


def test_a_flood_over_http_at_two_servers(town: Town, database: Database, tmp_path: Path) -> None:
    cards = [town.sell(town.holder(f"138{number:08d}"), 100_000) for number in range(WALLETS)]
    codes = {bytes(town.merchants[code]): code for code in MERCHANTS}
    seed = int(os.environ.get("KAQUAN_TEST_SEED") or randbelow(2**32))
    print(f"seed {seed}", file=sys.stderr)
    token = issue(town, Role.OPERATOR)
    set_clock(database.owner_url, town)
    merchants = [town.merchants[code] for code in MERCHANTS]
    flood = Flood(World(database.app_url, seed, cards, merchants, town.now, system_now(), TURNS, None))
    servers = Serve(database, tmp_path)
    with servers.running() as first, servers.running() as second:
        caller = Caller([first, second], token, codes)
        for turn in flood.turns():
            for batch in turn:
                caller.send(batch)
    statuses = Counter(status for _, status, _ in caller.heard)
    refused = Counter(said for _, _, said in caller.heard if not said.startswith("pay_"))
    print(dict(statuses), refused, file=sys.stderr)
    assert set(statuses) <= {200, 404, 409, 422}
    assert statuses[200] >= ACCEPTED_MIN * TURNS * BATCH
    assert [(name, told) for name, told in answers(caller.heard) if len(told) > 1] == []

    paid = {said for name, status, said in caller.heard if status == 200 and name.startswith(("PAY", "AUTHORIZE"))}
    rows = town.rows("SELECT id FROM payment")
    assert {public("pay", row[0].bytes) for row in rows} == paid
    assert list(untrue(database.owner_url)) == []
