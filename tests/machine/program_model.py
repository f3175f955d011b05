"""What a program promises, grants, pays and settles, in the smallest form, for comparison with the door.

Amounts are fen, instants microseconds. Each wish returns the code it is refused with, or "" when it takes effect.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from machine import model
from machine.model import BONUS, CARD_MAX, DAY, MINUTE, PRICE, PRINCIPAL, midnight, rebate
from machine.program_terms import (
    FACE,
    FUNDS,
    GIFT_FROM,
    GIVEN,
    LUCK_FEN,
    MONTHS,
    POOL,
    Merchant,
    Plan,
    Pool,
    Reserve,
    Voucher,
    by_fund,
    until,
)

SUBSIDY = 2
REWARD_DAYS = 8


@dataclass(eq=False)
class Lot(model.Lot):
    fund: str = ""


@dataclass(eq=False)
class Payment:
    merchant: Merchant
    amount: int
    shares: list[tuple[Lot, int]]
    voucher: Voucher | None
    off: int
    at: int
    rebate: int
    reward: str
    refunded: int = 0
    returned: Counter[Any] = field(default_factory=Counter)
    id: bytes = b""


class Program:
    """A program, one card, and whoever it owes."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.state = "running"
        self.stocks = dict.fromkeys(GIVEN, "running")
        self.left = Counter(GIVEN)
        self.luck_fen = LUCK_FEN
        self.lots: list[Lot] = []
        self.vouchers: list[Voucher] = []
        self.plans: list[Plan] = []
        self.pools: list[Pool] = []
        self.payments: list[Payment] = []
        self.merchants = {code: Merchant(code) for code in ("mall-1", "mall-2")}
        self.free, self.promised, self.used = Counter(FUNDS), Counter[str](), Counter[str]()

    def move(self, source: Counter[str], target: Counter[str], parts: dict[str, int]) -> None:
        """Funders' money, from one use to another."""
        source.subtract(parts)
        target.update(parts)

    def total(self) -> int:
        """What the card holds."""
        return sum(lot.balance for lot in self.lots)

    # The program and its stocks

    def step(self, verb: str) -> str:
        """Pause, resume or end the program."""
        starts = {"pause": ("running",), "resume": ("paused",), "end": ("running", "paused")}[verb]
        if self.state not in starts:
            return "program_state"
        self.state = {"pause": "paused", "resume": "running", "end": "ended"}[verb]
        return ""

    def step_stock(self, verb: str, stock: str) -> str:
        """Pause or resume a stock."""
        if self.stocks[stock] != {"pause": "running", "resume": "paused"}[verb]:
            return "stock_state"
        self.stocks[stock] = {"pause": "paused", "resume": "running"}[verb]
        return ""

    def hands_out(self, stock: str) -> bool:
        """Whether anybody gets a voucher of it now."""
        return self.state == "running" and self.stocks[stock] == "running"

    # What it sells and grants

    def buy(self, face: int, voucher: Voucher | None = None) -> str:
        """An offer for the card, of whose price a voucher pays a part; it starts a plan when the stock of its gifts
        runs and has enough left."""
        if self.state != "running":
            return "program_not_selling"
        if voucher and (no := self.tops_up(voucher)):
            return no
        if self.total() + face > CARD_MAX:
            return "law_registered_balance_above_max"
        paid, active = PRICE[face], midnight(self.at, 1)
        if voucher:
            paid -= voucher.face
            face -= voucher.face
            self.subsidise(voucher, active)
        self.lots += [Lot(PRINCIPAL, paid, active), Lot(BONUS, face - paid, active)]
        if self.hands_out("gift") and self.left["gift"] >= MONTHS:
            self.plans.append(Plan(self.at))
            self.left["gift"] -= MONTHS
            self.move(self.free, self.promised, by_fund("gift", MONTHS * FACE["gift"]))
        return ""

    def month(self, plan: Plan, month: int) -> str:
        """The gift of a plan's month."""
        if plan.given == MONTHS or month != plan.given + 1:
            return "plan_month_granted"
        if not plan.due(self.at):
            return "plan_not_due"
        if self.state == "paused" or self.stocks["gift"] == "paused":
            return "grants_paused"
        plan.given += 1
        self.vouchers.append(Voucher("gift", FACE["gift"], until(self.at, "gift")))
        return ""

    def claim(self) -> str:
        """A voucher that tops up."""
        if not self.hands_out("fifty"):
            return "stock_closed"
        if not self.left["fifty"]:
            return "stock_sold_out"
        self.left["fifty"] -= 1
        self.vouchers.append(Voucher("fifty", FACE["fifty"], until(self.at, "fifty")))
        self.move(self.free, self.promised, by_fund("fifty", FACE["fifty"]))
        return ""

    def counts(self, voucher: Voucher) -> str:
        """Why a voucher does not count, or nothing."""
        if voucher.state != "issued":
            return "voucher_state"
        return "voucher_expired" if self.at >= voucher.until else ""

    def top_up(self, voucher: Voucher) -> str:
        """A voucher alone becomes a subsidy on the card."""
        if self.state != "running":
            return "program_not_selling"
        if no := self.tops_up(voucher):
            return no
        if self.total() + voucher.face > CARD_MAX:
            return "law_registered_balance_above_max"
        self.subsidise(voucher, self.at)
        return ""

    def tops_up(self, voucher: Voucher) -> str:
        """Why a voucher does not top up, or nothing."""
        return "voucher_pays_only" if voucher.stock != "fifty" else self.counts(voucher)

    def subsidise(self, voucher: Voucher, active: int) -> None:
        """A lot for each funder, for as long as a voucher of the day on which it can be spent first."""
        parts = by_fund("fifty", voucher.face)
        ends = until(active, "fifty")
        self.lots += [Lot(SUBSIDY, part, active, ends, fund=fund) for fund, part in parts.items()]
        voucher.state, voucher.used = "redeemed", voucher.face
        self.move(self.promised, self.used, parts)

    def expire_lot(self, lot: Lot) -> str:
        """What is left of a lot goes back to who gave it: a subsidy to its fund."""
        if lot.expired or not lot.over(self.at) or not lot.balance:
            return "lot_not_expired"
        if lot.fund:
            self.move(self.used, self.free, {lot.fund: lot.balance})
        lot.balance, lot.expired = 0, True
        return ""

    def expire_voucher(self, voucher: Voucher) -> str:
        """What was promised for a voucher that nobody used is free again."""
        if voucher.state != "issued" or voucher.until > self.at:
            return "voucher_not_expired"
        voucher.state = "expired"
        self.move(self.promised, self.free, by_fund(voucher.stock, voucher.face))
        return ""

    # Packets

    def open_pool(self) -> str:
        """Packets are set aside with their money."""
        if not self.hands_out("luck"):
            return "stock_closed"
        if self.pools and not self.pools[-1].ended:
            return "packets_open"
        if self.left["luck"] < POOL["count"] or self.luck_fen < POOL["total_fen"]:
            return "stock_sold_out"
        self.left["luck"] -= POOL["count"]
        self.luck_fen -= POOL["total_fen"]
        self.move(self.free, self.promised, by_fund("luck", POOL["total_fen"]))
        return ""

    def may_take(self, pool: Pool) -> str:
        """Whether somebody may open a packet."""
        if self.at >= pool.ends:
            return "packets_over"
        if not self.hands_out("luck"):
            return "stock_closed"
        return "" if pool.left[0] else "packets_gone"

    def take(self, pool: Pool, facts: dict[str, Any], mine: bool) -> None:
        """The door handed out a packet."""
        pool.take(facts["number"], facts["amount_fen"])
        self.vouchers.append(Voucher("luck", facts["amount_fen"], until(self.at, "luck"), mine))

    def end_pool(self, pool: Pool) -> str:
        """What nobody took is the stock's and its funders' again."""
        if pool.ended:
            return "packets_over"
        if self.at < pool.ends:
            return "packets_not_over"
        count, amount = pool.left
        self.left["luck"] += count
        self.luck_fen += amount
        self.move(self.promised, self.free, by_fund("luck", amount))
        pool.ended = True
        return ""

    # Payments: never asked whether the program runs

    def pay(self, merchant: Merchant, amount: int, voucher: Voucher | None) -> str:
        """A voucher first, then principal, then what expires first."""
        off = 0
        if voucher:
            if voucher.stock == "fifty":
                return "voucher_tops_up_only"
            if no := self.counts(voucher):
                return no
            if voucher.stock == "gift" and amount < GIFT_FROM:
                return "voucher_threshold_not_reached"
            off = min(amount, voucher.face)
        lots = [one for one in self.lots if one.active <= self.at and not one.over(self.at) and not one.expired]
        free, left = sum(lot.balance for lot in lots), amount - off
        if free < left:
            waiting = any(lot.active > self.at for lot in self.lots)
            return "value_not_active" if waiting and not free else "balance_insufficient"
        shares = []
        for lot in sorted(lots, key=lambda lot: (lot.kind != PRINCIPAL, lot.expires or 2**62, lot.id)):
            if part := min(left, lot.balance):
                shares.append((lot, part))
                lot.balance, left = lot.balance - part, left - part
        if voucher:
            voucher.state, voucher.used = "redeemed", off
            self.move(self.promised, self.used, by_fund(voucher.stock, off))
            self.move(self.promised, self.free, by_fund(voucher.stock, voucher.face - off))
        earned = rebate(amount - off)
        self.payments.append(
            Payment(merchant, amount, shares, voucher, off, self.at, earned, "waiting" if earned else "")
        )
        merchant.entries.append((self.at, "gross", amount))
        return ""

    def may_refund(self, payment: Payment, amount: int) -> str:
        """Whether so much may be given back."""
        if payment.refunded == payment.amount:
            return "payment_state"
        return "" if amount <= payment.amount - payment.refunded else "refund_exceeds_payment"

    def refund(self, payment: Payment, back: dict[Any, int]) -> None:
        """What came back, party by party: never more than it paid, all of it in the end."""
        payment.returned.update(back)
        payment.refunded += sum(back.values())
        last = payment.refunded == payment.amount
        for party, part in [*payment.shares, (payment.voucher, payment.off)]:
            gone = payment.returned[party]
            assert 0 <= gone <= part and (gone == part or not last), "each party gets back what it paid, no more"
        for lot, _ in payment.shares:
            part = back.get(lot, 0)
            if lot.kind != PRINCIPAL and (lot.expired or lot.over(self.at)):
                self.move(self.used, self.free, {lot.fund: part} if lot.fund else {})
            else:
                lot.balance += part
        if voucher := payment.voucher:
            self.move(self.used, self.free, by_fund(voucher.stock, back.get(voucher, 0)))
            voucher.used -= back.get(voucher, 0)
            voucher.state = "returned" if last else voucher.state
        payment.merchant.entries.append((self.at, "refunds", sum(back.values())))

    def grant(self, payment: Payment) -> str:
        """The rebate of a payment."""
        if payment.reward != "waiting":
            return "reward_not_waiting"
        if self.at < midnight(payment.at, REWARD_DAYS):
            return "reward_not_due"
        if self.state == "paused":
            return "reward_program_paused"
        if self.total() + payment.rebate > CARD_MAX:
            return "law_registered_balance_above_max"
        self.lots.append(Lot(BONUS, payment.rebate, self.at, self.at + 90 * DAY))
        payment.reward = "granted"
        return ""

    # Settlement

    def cut(self) -> int:
        """The latest cut-off (23:00) that has passed."""
        return midnight(self.at + 60 * MINUTE, 0) - 60 * MINUTE

    def release(self, merchant: Merchant, reserve: Reserve) -> str:
        """A reserve is given back when its time has come, once."""
        if reserve.released:
            return "reserve_released"
        if self.at < reserve.release:
            return "reserve_not_due"
        reserve.released = True
        merchant.entries.append((self.at, "released", reserve.amount))
        return ""
