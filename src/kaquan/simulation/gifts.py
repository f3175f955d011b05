"""What programs hand out: vouchers that are claimed, by those who think of it."""

from kaquan.commands.model import Kind, scoped_id
from kaquan.programs.catalogue import Stock
from kaquan.simulation.diary import Diary
from kaquan.simulation.population import Member
from kaquan.simulation.scenario import VoucherHabits
from kaquan.vouchers.claims import Issue, new_voucher
from kaquan.vouchers.model import Claim, NewVoucher


class Gifts:
    """Vouchers on their way into pockets."""

    def __init__(self, habits: VoucherHabits, diary: Diary) -> None:
        self._habits = habits
        self._diary = diary
        self._claimed: dict[tuple[int, int], int] = {}

    def wants_to_claim(self, member: Member) -> Stock | None:
        """A stock that a holder thinks of claiming today."""
        for stock in member.venue.handed_out("claim"):
            if self._diary.chance(self._habits.claims_bps):
                return stock
        return None

    def claim(self, member: Member, stock: Stock) -> None:
        """A holder claims a voucher, once more than allowed now and then."""
        wallet, diary = member.resident.wallet, self._diary
        if wallet is None:
            return
        had = self._claimed.get((member.resident.number, stock.id), 0)
        command = Claim(
            key=diary.key(),
            caller=member.venue.issuer,
            wallet=wallet,
            program=member.venue.plan.code,
            stock=stock.code,
        )
        most = stock.rules.person_total
        if most and had >= most:
            return
        self._claimed[member.resident.number, stock.id] = had + 1
        diary.write(Kind.CLAIM, command)
        identity = scoped_id(command.caller.organisation, wallet, command.key)
        new = new_voucher(Issue(identity, wallet, identity, stock, stock.rules.face_fen), diary.at)
        if isinstance(new, NewVoucher):
            member.pocket.take(new, stock)
