"""A flood of commands that follows from a seed, and the processes that pour it in.

Every writer makes the whole flood and executes the turns it takes, each turn once and in order: none runs far ahead
of the others. Ids are made by callers, so a capture can name an authorization that another process is about to make,
and anybody can repeat what anybody else has sent.
"""

import pickle
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from kaquan.cards.model import Freeze, Unfreeze
from kaquan.commands.model import Kind, scoped_id
from kaquan.db.pool import connect
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.clock import microseconds, system_now
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.payments.model import Authorize, Capture, ExpireHold, Pay, Refund, Void
from kaquan.payments.service import holds_due, reverse, rewards_due
from kaquan.rewards.model import GrantReward
from kaquan.sales.model import TopUp
from support.race import Answer, answer
from support.town import MASTER_KEY

WRITERS = 4
SPEED = 14_400  # four hours of the installation's clock a second: holds expire, refund windows end
BATCH = 100
RETRIES = 40
REMEMBERED = 400  # how far back captures, refunds and retries reach
DUE_MAX = 50

MIX = {Kind.PAY: 36, Kind.AUTHORIZE: 18, Kind.CAPTURE: 15, Kind.VOID: 5, Kind.TOP_UP: 14, Kind.REFUND: 12}


class World(NamedTuple):
    """What all processes know: the database, the cards, the merchants, when the clock started."""

    url: str
    seed: int
    cards: list[Id]
    merchants: list[Id]
    opened: datetime
    started: datetime
    turns: int
    taken: Any
    """How many turns were taken: a shared integer under a lock."""

    def now(self) -> datetime:
        """The installation's clock, many times faster than the system's, the same in every process."""
        return self.opened + (system_now() - self.started) * SPEED

    def app(self) -> Kaquan:
        """A connection of one's own."""
        app = Kaquan(connect(self.url), MASTER_KEY)
        app.door._now = self.now
        return app

    def take_turn(self) -> int:
        """The next turn nobody has taken."""
        with self.taken.get_lock():
            self.taken.value += 1
            return int(self.taken.value) - 1


class Batch(NamedTuple):
    """Commands of one kind; `retry` when they were all sent before, by whomever."""

    kind: Kind
    commands: list[Any]
    retry: bool


class Flood:
    """All turns: a batch of new commands each, sometimes with earlier ones again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = Random(world.seed)
        self._sent: list[tuple[Kind, Any]] = []
        self._holds: list[Id] = []
        self._payments: list[Id] = []

    def turns(self) -> Iterator[list[Batch]]:
        """What is executed in each turn."""
        for number in range(self._world.turns):
            batches = [self._batch(str(number))]
            if self._random.random() < 0.15:
                batches.append(self._retry())
            yield batches

    def _batch(self, name: str) -> Batch:
        kind = self._random.choices(list(MIX), list(MIX.values()))[0] if self._holds else Kind.AUTHORIZE
        if len(self._payments) < BATCH:
            kind = Kind.AUTHORIZE
        commands = [self._command(kind, f"{name}-{i}") for i in range(BATCH)]
        for command in commands:
            self._remember(kind, command)
        return Batch(kind, commands, False)

    def _retry(self) -> Batch:
        kind = self._random.choice(self._sent[-4 * REMEMBERED :])[0]
        same = [command for sent, command in self._sent[-8 * REMEMBERED :] if sent == kind]
        return Batch(kind, self._random.sample(same, min(RETRIES, len(same))), True)

    def _remember(self, kind: Kind, command: Any) -> None:
        self._sent.append((kind, command))
        if kind in (Kind.PAY, Kind.AUTHORIZE):
            identity = scoped_id(command.caller.organisation, command.subject, command.key)
            (self._holds if kind == Kind.AUTHORIZE else self._payments).append(identity)
            if kind == Kind.AUTHORIZE:
                self._payments.append(identity)

    def _command(self, kind: Kind, key: str) -> Any:
        pick = self._random
        common: dict[str, Any] = {"key": key, "caller": OPERATOR}
        if kind in (Kind.PAY, Kind.AUTHORIZE):
            # One order in ten is somebody else's too.
            shared = pick.random() < 0.1
            order_no = f"shared-{int(key.partition('-')[0]) // WRITERS}-{pick.randrange(20)}" if shared else key
            return (Pay if kind == Kind.PAY else Authorize)(
                card=pick.choice(self._world.cards),
                merchant=pick.choice(self._world.merchants),
                store=None,
                amount=self._amount(),
                order_no=order_no,
                **common,
            )
        if kind == Kind.TOP_UP:
            card, face = pick.choice(self._world.cards), pick.choice([50_000, 100_000])
            return TopUp(card=card, face=Money(face), channel="sandbox", **common)
        if kind == Kind.REFUND:
            return Refund(payment=self._earlier(self._payments), reason="returned", **common)
        hold = self._earlier(self._holds)
        if kind == Kind.VOID:
            return Void(payment=hold, **common)
        return Capture(payment=hold, amount=pick.choice([None, Money(50), Money(20_000)]), **common)

    def _earlier(self, ids: list[Id]) -> Id:
        return self._random.choice(ids[-REMEMBERED:])

    def _amount(self) -> Money:
        big = self._random.random() < 0.12
        return Money(self._random.randint(50_000, 600_000) if big else self._random.randint(100, 8_000))


def write(world: World, _: int, out: Path) -> None:
    """One writer: the turns it takes of the flood; the answers go to `out`."""

    def execute(app: Kaquan) -> Iterator[tuple[bool, Answer]]:
        mine = world.take_turn()
        for number, batches in enumerate(Flood(world).turns()):
            if number < mine:
                continue
            for batch in batches:
                for outcome in app.execute(batch.kind, batch.commands):
                    yield batch.retry, answer(outcome)
            mine = world.take_turn()

    _record(world, out, execute)


def clerk(world: World, stop: Path, out: Path) -> None:
    """Single commands on a connection of their own each time, as the command line sends them."""

    def execute(app: Kaquan) -> Iterator[tuple[bool, Answer]]:
        pick, number = Random(world.seed + 1), 0
        while not stop.exists():
            number += 1
            app.connection.close()
            app = world.app()
            card, merchant = pick.choice(world.cards), pick.choice(world.merchants)
            common: dict[str, Any] = {"caller": OPERATOR, "card": card}
            key = f"clerk-{number}"
            yield False, answer(app.one(Kind.FREEZE, Freeze(key=f"{key}-freeze", reason="asked", **common)))
            yield False, answer(app.one(Kind.UNFREEZE, Unfreeze(key=f"{key}-unfreeze", reason="asked", **common)))
            pay = Pay(key=key, merchant=merchant, store=None, amount=Money(100), order_no=key, **common)
            yield False, answer(app.one(Kind.PAY, pay))
            yield False, answer(reverse(app.door, app.catalogue, OPERATOR, f"{key}-undo", merchant, key))
            yield True, answer(app.one(Kind.PAY, pay))

    _record(world, out, execute)


def timetable(world: World, stop: Path, out: Path) -> None:
    """The job that ends holds whose time is up and grants rebates that are due."""

    def execute(app: Kaquan) -> Iterator[tuple[bool, Answer]]:
        while not stop.exists():
            at_us = microseconds(world.now())
            holds = [
                ExpireHold(key=f"expire-{hold.hex()}", caller=SYSTEM, payment=hold)
                for hold in holds_due(app.connection, at_us, DUE_MAX)
            ]
            grants = [
                GrantReward(key=f"grant-{payment.hex()}", caller=SYSTEM, card=card, payment=payment)
                for payment, card in rewards_due(app.connection, at_us, DUE_MAX)
            ]
            for kind, commands in ((Kind.EXPIRE_HOLD, holds), (Kind.GRANT_REWARD, grants)):
                for outcome in app.execute(kind, commands):
                    yield False, answer(outcome)

    _record(world, out, execute)


def _record(world: World, out: Path, execute: Callable[[Kaquan], Iterator[tuple[bool, Answer]]]) -> None:
    try:
        app = world.app()
        with out.open("wb") as file:
            for told in execute(app):
                pickle.dump(told, file)
            app.connection.close()
    except BaseException:
        out.with_suffix(".failed").write_text(traceback.format_exc())
        raise
