"""A contest: several servers want the same few things, all at once, in a flood of commands that follows from a seed.

The things: two stocks that share one budget smaller than either asks for, a stock of one voucher a person and a
device, pools of packets, orders that several tills take with one voucher, holds, payments that several clerks give
back in parts. Every server makes the whole flood and sends its own part; ids are made by callers, so that anybody can
name, or repeat, what another sends. See `support.contest_run` for who takes part, `support.contest_books` for the
verdict.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Effect, Kind, scoped_id
from kaquan.db.pool import connect
from kaquan.holders.service import registration
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds, system_now
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.main import Kaquan
from kaquan.payments.model import Authorize, Capture, Pay, Refund, Void
from kaquan.privacy.model import Person
from kaquan.rewards.packet_model import OpenPacket, OpenPackets, code_subject
from kaquan.sales.model import TopUp
from kaquan.vouchers.model import Claim, ReserveVoucher, VoidVoucher
from support.grants import stock_text
from support.rewards import drip_text, packets_text
from support.town import MASTER_KEY, Town, build

PROGRAM = "jingxika"
WIDE, TWIN, EVER, DAILY, STEADY = "wide", "twin", "ever", "daily", "steady"
"""The stocks: the first two share the pot; one a person and device; two a person and day; one of which all have."""

DAILY_MOST = 2
FACE = 1_000
POT_VOUCHERS = 400
"""What the pot pays for at one time: gone long before a day is over, and back when what it promised has expired."""

SHARED = ("pot", 10_000)
SPLIT = (("city", 6_000), ("bank", 4_000))
ENOUGH = 2_000_000_000
"""Fen in the funds that nobody contends for."""

LUCKY, BRIEF = "lucky", "brief"
"""A pool of packets that all goes, and one that ends again and again while packets are taken."""

BRIEF_COUNT, BRIEF_POOLS = 60, 12
SHOPPERS, WALLETS_EACH = 24, 3
SERVERS, PART = 2, 100
ORDERS, CONTESTED = 10, 8
TILLS = (0, 0, 1)
"""The keys of the tills that take an order: two that repeat each other, and a rival."""

RETRY_SHARE = 0.1
LATE = slice(-6, -1)
"""Of which rounds captures and refunds reach back to the orders: the last is still on its way."""

NOTHING = Id(bytes(16))

HAD = slice(-10, -3)
"""Which of a shopper's claims are spent: the last are still on their way."""

MIX = {
    Kind.CLAIM: 40,
    Kind.OPEN_PACKET: 10,
    Kind.PAY: 20,
    Kind.CAPTURE: 8,
    Kind.VOID: 2,
    Kind.REFUND: 13,
    Kind.TOP_UP: 2,
    Kind.VOID_VOUCHER: 3,
    Kind.RESERVE_VOUCHER: 2,
}
CLAIMED = {WIDE: 16, TWIN: 6, EVER: 8, DAILY: 4, STEADY: 14}


class Sent(NamedTuple):
    """A command on its way; `retry` when it was sent before, by whomever."""

    kind: Kind
    command: Any
    retry: bool

    @property
    def id(self) -> Id:
        """The id under which it is decided."""
        return scoped_id(self.command.caller.organisation, self.command.subject, self.command.key)


class World(NamedTuple):
    """What all processes know. `budget`, `counts` are what the pot and the stocks were given."""

    url: str
    seed: int
    rounds: int
    shoppers: list[tuple[Id, Id]]
    crowd: list[Id]
    merchants: list[Id]
    earlier: list[Id]
    budget: int
    counts: dict[str, int]

    def app(self, lane: int = 0) -> Kaquan:
        """A connection of one's own, on the installation's clock."""
        return Kaquan(connect(self.url), MASTER_KEY, lane)


def pool_id(code: str, number: int = 0) -> Id:
    """The pool that the opening with this number brings about."""
    return scoped_id(OPERATOR.organisation, code_subject(PROGRAM, code), f"{code}-{number}")


def contested(url: str, seed: int, rounds: int) -> World:
    """A town with everything to contend for, sized for so many rounds; its clock stands at 22:00 in Shanghai."""
    counts = {WIDE: 12 * rounds, TWIN: 2 * rounds, EVER: 2 * rounds, DAILY: 100_000, STEADY: 100_000}
    budget = POT_VOUCHERS * FACE
    town = build(
        url,
        ("activation_days = 1", "activation_days = 0"),
        ("hold_minutes = 30", "hold_minutes = 180"),
        more=_grants(counts, 6 * rounds),
    )
    for code, amount in (("pot", budget), ("city", ENOUGH), ("bank", ENOUGH)):
        town.fund(code, amount)
    for code in (*counts, "off-10", "packet"):
        town.stock(code)
    shoppers = _people(town, "S", SHOPPERS)
    cards = [town.sell(wallet, 100_000) for wallet in shoppers]
    for card in cards * 2:
        town.top_up(card, 100_000)
    town.tick(days=23)
    earlier = [town.pay(card, 60_000).id for card in cards]
    town.tick(days=8, hours=10)
    for code in (LUCKY, BRIEF):
        opening = OpenPackets(key=f"{code}-0", caller=OPERATOR, program=PROGRAM, code=code, seed=b"s" * 32)
        assert town.ok(Kind.OPEN_PACKETS, opening).id == pool_id(code)
    crowd = _people(town, "C", 3 * rounds * WALLETS_EACH)
    offset_us = microseconds(town.now) - microseconds(system_now())
    town.app.connection.execute("UPDATE installation SET clock_offset_us = %s", [offset_us])
    town.app.connection.close()
    merchants = [town.merchants["mall-1"], town.merchants["mall-2"]]
    owners = list(zip(shoppers, cards, strict=True))
    return World(url, seed, rounds, owners, crowd, merchants, earlier, budget, counts)


def _grants(counts: dict[str, int], lucky: int) -> str:
    """What the program gives: the stocks, a monthly plan, packets."""
    one_day: dict[str, Any] = {"valid_days": 1, "shared_budget": True}
    free: dict[str, Any] = {"kind": "instant", "min_order_fen": 0}
    packets = lucky + BRIEF_COUNT * BRIEF_POOLS
    of_packets = {**free, "hand_out": "grant", "face_fen": 5_000, "count": packets, "budget_fen": 500 * packets}
    return "".join(
        [
            stock_text(WIDE, SHARED, count=counts[WIDE], **one_day),
            stock_text(TWIN, SHARED, count=counts[TWIN], after_refund="never", **one_day),
            stock_text(EVER, *SPLIT, count=counts[EVER], person_total=1, device_total=1),
            stock_text(DAILY, *SPLIT, count=counts[DAILY], person_day=DAILY_MOST, valid_days=1),
            stock_text(STEADY, *SPLIT, count=counts[STEADY], valid_days=2, partial_refund="reprice", **free),
            stock_text("off-10", *SPLIT, count=100_000, hand_out="grant"),
            stock_text("packet", *SPLIT, **of_packets),
            drip_text(),
            packets_text(count=lucky, total_fen=500 * lucky, claim_hours=720),
            packets_text(code=BRIEF, count=BRIEF_COUNT, total_fen=500 * BRIEF_COUNT, claim_hours=2),
        ]
    )


def _people(town: Town, name: str, count: int) -> list[Id]:
    """So many wallets, three to a person."""
    commands = [
        registration(
            town.app.master,
            OPERATOR,
            f"{name}{number}",
            Person("李四", f"13{ord(name) % 10}{number:08d}", f"{name}{number // WALLETS_EACH:08d}"),
        )
        for number in range(count)
    ]
    wallets: list[Id] = []
    for start in range(0, count, BATCH_MAX):
        outcomes = town.app.execute(Kind.REGISTER_HOLDER, commands[start : start + BATCH_MAX])
        wallets += [outcome.id for outcome in outcomes if isinstance(outcome, Effect)]
    assert len(wallets) == count
    return wallets


class Flood:
    """All that all servers send, round by round."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = Random(world.seed)
        self._sent: list[Sent] = []
        self._vouchers: list[list[Id]] = [[] for _ in world.shoppers]
        self._orders: list[list[Sent]] = []
        self._tills: list[Sent] = []
        self._held: list[Id] = []
        self._given_back: list[Id] = []
        self._wishes: dict[Kind, Callable[[dict[str, Any]], Any]] = {
            Kind.CLAIM: self._claim,
            Kind.OPEN_PACKET: self._open_packet,
            Kind.CAPTURE: self._capture,
            Kind.VOID: lambda told: Void(payment=self._random.choice(self._held), **told),
            Kind.REFUND: self._refund,
            Kind.TOP_UP: self._top_up,
            Kind.VOID_VOUCHER: lambda told: VoidVoucher(voucher=self._voucher(), reason="complaint", **told),
            Kind.RESERVE_VOUCHER: self._reserve,
        }

    def rounds(self) -> Iterator[list[list[Sent]]]:
        """For each round, what each server sends."""
        for number in range(self._world.rounds):
            self._tills = [till for order in range(ORDERS) for till in self._order(f"order-{number}-{order}")]
            late = [till for tills in self._orders[LATE] for till in tills]
            self._held = self._some([till.id for till in late if till.kind == Kind.AUTHORIZE])
            self._given_back = self._some([till.id for till in late] or self._world.earlier)
            self._orders.append(self._tills)
            yield [self._part(f"{number}-{server}") for server in range(SERVERS)]

    def _some(self, ids: list[Id]) -> list[Id]:
        """A few that everybody is to want in this round."""
        return self._random.sample(ids, min(CONTESTED, len(ids))) or [NOTHING]

    def _part(self, name: str) -> list[Sent]:
        part = []
        for position in range(PART):
            if self._sent and self._random.random() < RETRY_SHARE:
                part.append(self._random.choice(self._sent[-4 * PART :])._replace(retry=True))
                continue
            (kind,) = self._random.choices(list(MIX), list(MIX.values()))
            sent = self._random.choice(self._tills) if kind == Kind.PAY else self._wish(kind, f"{name}-{position}")
            self._sent.append(sent)
            part.append(sent)
        return part

    def _wish(self, kind: Kind, key: str) -> Sent:
        return Sent(kind, self._wishes[kind]({"key": key, "caller": OPERATOR}), False)

    def _order(self, order_no: str) -> list[Sent]:
        """An order that several tills take at once, all with one voucher."""
        pick, kind = self._random, self._random.choice([Kind.PAY, Kind.PAY, Kind.AUTHORIZE])
        shopper = pick.randrange(len(self._world.shoppers))
        wallet, card = self._world.shoppers[shopper]
        mine = self._vouchers[shopper][HAD]
        voucher = pick.choice(mine) if mine and pick.random() < 0.75 else None
        amount = pick.randrange(10_000, 60_000, 777) if pick.random() < 0.2 else pick.randrange(10_000, 16_000, 333)
        told: dict[str, Any] = {"merchant": pick.choice(self._world.merchants), "store": None, "order_no": order_no}
        told |= {"amount": Money(amount), "vouchers": (voucher,) if voucher else ()}
        if voucher and pick.random() < 0.2:
            told |= {"card": None, "wallet": wallet, "outside": Money(amount - FACE)}
        else:
            told |= {"card": card, "outside": Money(2_000) if pick.random() < 0.3 else ZERO}
        shape = Pay if kind == Kind.PAY else Authorize
        keys = [f"{order_no}-{till}" for till in TILLS]
        return [Sent(kind, shape(key=key, caller=OPERATOR, **told), False) for key in keys]

    def _claim(self, told: dict[str, Any]) -> Claim:
        pick = self._random
        (stock,) = pick.choices(list(CLAIMED), list(CLAIMED.values()))
        device = b"device %d" % pick.randrange(len(self._world.crowd) // WALLETS_EACH) if stock == EVER else None
        told |= {"program": PROGRAM, "stock": stock, "device": device}
        if stock == EVER or (stock in (WIDE, TWIN) and pick.random() < 0.8):
            return Claim(wallet=pick.choice(self._world.crowd), **told)
        shopper = pick.randrange(len(self._world.shoppers))
        command = Claim(wallet=self._world.shoppers[shopper][0], **told)
        if stock != DAILY:  # most of which she does not get
            self._vouchers[shopper].append(Sent(Kind.CLAIM, command, False).id)
        return command

    def _open_packet(self, told: dict[str, Any]) -> OpenPacket:
        pick = self._random
        brief = pool_id(BRIEF, pick.choice([0, pick.randrange(BRIEF_POOLS)]))
        pool = brief if pick.random() < 0.3 else pool_id(LUCKY)
        return OpenPacket(wallet=pick.choice(self._world.crowd), pool=pool, **told)

    def _capture(self, told: dict[str, Any]) -> Capture:
        amount = self._random.choice([None, None, Money(9_999), Money(700)])
        return Capture(payment=self._random.choice(self._held), amount=amount, **told)

    def _refund(self, told: dict[str, Any]) -> Refund:
        amount = self._random.choice([None, Money(1), Money(1_000), Money(3_333), Money(5_000)])
        payment = self._random.choice(self._given_back)
        return Refund(payment=payment, amount=amount, reason="returned", late=self._random.random() < 0.5, **told)

    def _top_up(self, told: dict[str, Any]) -> TopUp:
        card = self._random.choice(self._world.shoppers)[1]
        return TopUp(card=card, face=Money(self._random.choice([50_000, 100_000])), channel="sandbox", **told)

    def _reserve(self, told: dict[str, Any]) -> ReserveVoucher:
        order = self._random.choice(self._tills).command
        voucher = order.vouchers[0] if order.vouchers else self._voucher()
        return ReserveVoucher(voucher=voucher, merchant=order.merchant, order_no=order.order_no, minutes=10, **told)

    def _voucher(self) -> Id:
        """A voucher of any shopper, of late; before there are any, one that nobody has."""
        mine = self._random.choice(self._vouchers)[HAD]
        return self._random.choice(mine) if mine else NOTHING
