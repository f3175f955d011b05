"""A caller that trusts nothing but its own file: what was acknowledged is on its disk before it goes on.

What is not acknowledged, because the other side is gone or says that it does not know, is sent again under the
same key until there is an answer. argv: a JSON file with the orders of the day.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection
from pathlib import Path
from random import Random
from time import sleep
from typing import Any

from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.payments.model import Authorize, Capture, Pay, Refund, Void
from support.race import Answer

IN_FLIGHT = 120
WAIT_SECONDS = 0.02
MIX = {Kind.PAY: 45, Kind.AUTHORIZE: 25, Kind.CAPTURE: 15, Kind.VOID: 5, Kind.REFUND: 10}
EARLIER = 60


def commands(seed: int, cards: list[Id], merchant: Id) -> Iterator[tuple[int, Kind, Any]]:
    """The same commands for the same seed, for ever: some pay, some hold, some end or undo what came before."""
    pick = Random(seed)
    holds: list[Id] = []
    payments: list[Id] = []
    number = 0
    while True:
        kind = pick.choices(list(MIX), list(MIX.values()))[0] if len(holds) > 5 else Kind.AUTHORIZE
        common: dict[str, Any] = {"key": f"client-{number}", "caller": OPERATOR}
        command: Any
        if kind in (Kind.PAY, Kind.AUTHORIZE):
            command = (Pay if kind == Kind.PAY else Authorize)(
                card=pick.choice(cards),
                merchant=merchant,
                store=None,
                amount=Money(pick.randint(1, 900)),
                order_no=f"order-{number}",
                **common,
            )
            made = scoped_id(OPERATOR.organisation, command.card, command.key)
            (payments if kind == Kind.PAY else holds).append(made)
        elif kind == Kind.CAPTURE:
            command = Capture(payment=pick.choice(holds[-EARLIER:]), amount=None, **common)
        elif kind == Kind.VOID:
            command = Void(payment=pick.choice(holds[-EARLIER:]), **common)
        else:
            earlier = (payments or holds)[-EARLIER:]
            command = Refund(payment=pick.choice(earlier), reason="returned", **common)
        yield number, kind, command
        number += 1


class Caller:
    """Sends, waits, writes down, sends again."""

    def __init__(self, orders: dict[str, Any]) -> None:
        cards = [Id(bytes.fromhex(card)) for card in orders["cards"]]
        self._source = commands(orders["seed"], cards, Id(bytes.fromhex(orders["merchant"])))
        self._socket, self._stop = orders["socket"], Path(orders["stop"])
        self._waiting: dict[int, tuple[int, Kind, Any]] = {}
        self._times: Counter[int] = Counter()
        self._path = Path(orders["acknowledged"])

    def run(self) -> None:
        """Until told to stop, and then until everything is answered."""
        with self._path.open("a", encoding="ascii") as self._file:
            while self._waiting or not self._stop.exists():
                try:
                    with Client(self._socket, "AF_UNIX") as line:
                        self._talk(line)
                except (EOFError, OSError):
                    sleep(WAIT_SECONDS)

    def _talk(self, line: Connection) -> None:
        again = list(self._waiting.values())
        while True:
            stopping = self._stop.exists()
            if stopping and not self._waiting:
                return
            fresh = [] if stopping else [next(self._source) for _ in range(IN_FLIGHT - len(self._waiting))]
            self._waiting.update({item[0]: item for item in fresh})
            if again or fresh:
                self._times.update(number for number, *_ in again + fresh)
                line.send(again + fresh)
            again = [self._waiting[number] for number in self._answers(line)]
            if again:
                sleep(WAIT_SECONDS)

    def _answers(self, line: Connection) -> list[int]:
        """Write down what is acknowledged; the numbers of those to send again."""
        again = []
        written = False
        if not line.poll(WAIT_SECONDS):
            return []
        while line.poll():
            number, told = line.recv()
            if told is None:
                again.append(number)
                continue
            print(json.dumps([number, self._times[number], *_text(Answer(*told))]), file=self._file)
            written = True
            del self._waiting[number]
        if written:
            self._file.flush()
            os.fsync(self._file.fileno())
        return again


def _text(told: Answer) -> tuple[str, int, str, bool]:
    return told.id.hex(), told.what, told.body.hex(), told.replayed


if __name__ == "__main__":
    Caller(json.loads(Path(sys.argv[1]).read_text("ascii"))).run()
