"""Random packets: a pool a week, opened by those who think of it until it is empty or its time is up."""

from datetime import datetime, timedelta
from hashlib import sha256

from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money, allocate
from kaquan.programs.catalogue import Stock
from kaquan.programs.grants import PacketPool
from kaquan.quotas.model import SLICES, own_slice
from kaquan.rewards.packet_model import OpenPacket, OpenPackets
from kaquan.rewards.splitting import split
from kaquan.simulation.diary import Diary
from kaquan.simulation.population import Member
from kaquan.simulation.scenario import PacketHabits
from kaquan.simulation.venues import Venue
from kaquan.vouchers.claims import Issue, new_voucher
from kaquan.vouchers.model import NewVoucher


class _Pool:
    """An open pool as the town believes it: a run of packets for each slice, handed out from the front."""

    def __init__(self, command: OpenPackets, rules: PacketPool, stock: Stock, ends: datetime) -> None:
        self.id = scoped_id(command.caller.organisation, command.subject, command.key)
        self.stock = stock
        self.ends = ends
        parts = iter(split(command.seed, rules.total_fen, rules.count, rules.min_fen, rules.max_fen))
        runs = allocate(Money(rules.count), [1] * SLICES)
        self._runs = [[next(parts) for _ in range(run)][::-1] for run in runs]

    def take(self, wallet: Id) -> Money | None:
        """The packet that a wallet finds: its own slice's next, else the fullest slice's; None when all are gone."""
        own = own_slice(bucket_of(wallet))
        number = min(range(SLICES), key=lambda one: (not self._runs[one], one != own, -len(self._runs[one]), one))
        return self._runs[number].pop() if self._runs[number] else None


class Packets:
    """The pools of all programs that have any."""

    def __init__(self, habits: PacketHabits, diary: Diary) -> None:
        self._habits = habits
        self._diary = diary
        self._open: dict[str, _Pool] = {}

    def open(self, venue: Venue, at: datetime) -> None:
        """The program opens its pools on their day of the week."""
        diary = self._diary
        if at.isoweekday() != self._habits.weekday:
            return
        for rules in venue.terms.packets:
            key = diary.key()
            command = OpenPackets(
                key=key,
                caller=OPERATOR,
                program=venue.plan.code,
                code=rules.code,
                seed=sha256(b"town %b" % key.encode()).digest(),
            )
            diary.write(Kind.OPEN_PACKETS, command)
            ends = at + timedelta(hours=rules.claim_hours)
            self._open[venue.plan.code] = _Pool(command, rules, venue.stocks[rules.stock], ends)

    def wants_one(self, member: Member) -> bool:
        """Whether a holder thinks of opening a packet today."""
        pool = self._open.get(member.venue.plan.code)
        return pool is not None and self._diary.at < pool.ends and self._diary.chance(self._habits.opened_bps)

    def take(self, member: Member) -> None:
        """A holder opens a packet, or finds that none is left."""
        pool, wallet, diary = self._open.get(member.venue.plan.code), member.resident.wallet, self._diary
        if pool is None or wallet is None or diary.at >= pool.ends:
            return
        command = OpenPacket(key=diary.key(), caller=member.venue.issuer, wallet=wallet, pool=pool.id)
        amount = pool.take(wallet)
        diary.write(Kind.OPEN_PACKET, command, None if amount is not None else "packets_gone")
        identity = scoped_id(command.caller.organisation, wallet, command.key)
        new = new_voucher(Issue(identity, wallet, pool.id, pool.stock, amount), diary.at) if amount else None
        if isinstance(new, NewVoucher):
            member.pocket.take(new, pool.stock)
