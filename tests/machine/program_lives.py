"""What may happen to a program, its packets and its merchants, in any order."""

from datetime import date, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from kaquan.commands.model import Kind, Refused
from kaquan.kernel.money import Money
from kaquan.payments.model import Pay, Refund
from kaquan.programs.model import EndProgram, PauseProgram, ResumeProgram
from kaquan.rewards.model import ExpireLot, GrantReward
from kaquan.rewards.packet_model import EndPackets, OpenPacket, OpenPackets
from kaquan.rewards.plan_model import GrantDrip
from kaquan.sales.model import TopUp
from kaquan.settlement import service as settlement
from kaquan.settlement.model import Preview, ReleaseReserve, Settle
from kaquan.stocks.model import PauseStock, ResumeStock
from kaquan.vouchers.model import Claim, ExpireVoucher
from machine.model import DAY, MINUTE, PRINCIPAL
from machine.program_both import ProgramBoth
from machine.program_model import Payment
from machine.program_terms import GIVEN, RESERVE_DAYS, Merchant, Pool, Reserve, Voucher, told

NAME = "jingxika"
SPANS = [{"hours": 1}, {"hours": 11}, {"days": 1}, {"days": 2}, {"days": 6}, {"days": 31}]
PROGRAM = {
    "pause": (Kind.PAUSE_PROGRAM, PauseProgram),
    "resume": (Kind.RESUME_PROGRAM, ResumeProgram),
    "end": (Kind.END_PROGRAM, EndProgram),
}
STOCK = {"pause": (Kind.PAUSE_STOCK, PauseStock), "resume": (Kind.RESUME_STOCK, ResumeStock)}
STEPS = ["pause", "pause", "resume", "resume", "resume"]

one = st.integers(0, 10**6)
amounts = st.one_of(st.sampled_from([1, 1_999, 2_000, 50_000]), st.integers(1, 30_000))
takers = st.sampled_from([0, 1, 3, 9, 9, 41])
seeds = st.binary(min_size=32, max_size=32)


class ProgramLives(ProgramBoth):
    """The rules of a random life."""

    # Time, the program, its stocks

    @rule(span=st.sampled_from(SPANS))
    def tick(self, span: dict[str, int]) -> None:
        self.town.now += timedelta(**span)
        self.program.at = self.now()

    @rule(verb=st.sampled_from([*STEPS, *STEPS, "end"]))
    def step(self, verb: str) -> None:
        kind, shape = PROGRAM[verb]
        self.do(kind, shape, self.program.step(verb), program=NAME)

    @rule(verb=st.sampled_from(STEPS), stock=st.sampled_from([*GIVEN]))
    def step_stock(self, verb: str, stock: str) -> None:
        kind, shape = STOCK[verb]
        self.do(kind, shape, self.program.step_stock(verb, stock), program=NAME, stock=stock, reason="checked")

    # What it sells and grants

    @rule(face=st.sampled_from([50_000, 100_000]), number=one)
    def load(self, face: int, number: int) -> None:
        self.buy(face, self.voucher(number, "fifty") if self.mine() and number % 2 else None)

    def buy(self, face: int, voucher: Voucher | None = None) -> None:
        fields = {"card": self.card, "face": face, "channel": "sandbox"}
        fields["vouchers"] = (voucher.id,) if voucher else ()
        if self.do(Kind.TOP_UP, TopUp, self.program.buy(face, voucher), **fields):
            self.learn()

    @rule()
    def claim(self) -> None:
        fields = {"wallet": self.wallet, "program": NAME, "stock": "fifty"}
        if made := self.do(Kind.CLAIM, Claim, self.program.claim(), **fields):
            self.program.vouchers[-1].id = made.id

    @precondition(lambda self: self.mine())
    @rule(number=one)
    def top_up(self, number: int) -> None:
        self.top_up_with(self.voucher(number, "fifty"))

    def top_up_with(self, voucher: Voucher) -> None:
        fields = {"card": self.card, "face": 0, "channel": "sandbox", "vouchers": (voucher.id,)}
        if self.do(Kind.TOP_UP, TopUp, self.program.top_up(voucher), **fields):
            self.learn()

    def mine(self) -> list[Voucher]:
        """Vouchers of the card's holder."""
        return [one for one in self.program.vouchers if one.mine]

    def voucher(self, number: int, *likely: str) -> Voucher:
        """A voucher of the card's holder: mostly one that may count."""
        mine = self.mine()
        live = [one for one in mine if one.stock in likely and not self.program.counts(one)]
        some = live if live and number % 6 else mine
        return some[number // 6 % len(some)]

    @precondition(lambda self: self.program.plans)
    @rule(number=one, ahead=st.sampled_from([1, 1, 1, 0, 2]))
    def month(self, number: int, ahead: int) -> None:
        due = [plan for plan in self.program.plans if plan.due(self.program.at) and plan.given < 2]
        plan = (due or self.program.plans)[number % len(due or self.program.plans)]
        month = plan.given + ahead
        made = self.do(Kind.GRANT_DRIP, GrantDrip, self.program.month(plan, month), plan=plan.id, month=month)
        if made:
            (voucher,) = made.facts["vouchers"]
            self.program.vouchers[-1].id = bytes.fromhex(voucher)

    @rule(number=one, patient=st.booleans())
    def expire_lot(self, number: int, patient: bool) -> None:
        """A subsidy goes back to its fund when its time has come."""
        lots = [lot for lot in self.program.lots if lot.expires and lot.balance] or self.program.lots
        lot = lots[number % len(lots)]
        if patient and lot.fund:
            self.tick({"days": 6})
        self.do(Kind.EXPIRE_LOT, ExpireLot, self.program.expire_lot(lot), card=self.card, lot=lot.id)

    @precondition(lambda self: self.program.vouchers)
    @rule(number=one)
    def expire_voucher(self, number: int) -> None:
        vouchers = self.program.vouchers
        over = [one for one in vouchers if one.state == "issued" and one.until <= self.program.at] or vouchers
        voucher = over[number % len(over)]
        self.do(Kind.EXPIRE_VOUCHER, ExpireVoucher, self.program.expire_voucher(voucher), voucher=voucher.id)

    # Packets

    @rule(seed=seeds, takers=takers)
    def open_pool(self, seed: bytes, takers: int) -> None:
        expected = self.program.open_pool()
        fields = {"program": NAME, "code": "lucky", "seed": seed}
        if made := self.do(Kind.OPEN_PACKETS, OpenPackets, expected, **fields):
            ends = self.program.at + 24 * 60 * MINUTE
            self.program.pools.append(Pool(ends, made.facts["commitment"], id=made.id))
        for number in range(takers if made else 0):
            self.take(number)

    @precondition(lambda self: self.program.pools)
    @rule(number=one)
    def take(self, number: int) -> None:
        pool, mine = self.program.pools[-1], number % 3 > 0
        fields = {"wallet": self.wallet if mine else self.other, "pool": pool.id}
        if made := self.do(Kind.OPEN_PACKET, OpenPacket, self.program.may_take(pool), **fields):
            self.program.take(pool, made.facts, mine)
            self.program.vouchers[-1].id = made.id

    @precondition(lambda self: self.program.pools)
    @rule(patient=st.booleans())
    def end_pool(self, patient: bool) -> None:
        pool = self.program.pools[-1]
        if patient:
            self.tick({"days": 1})
        self.do(Kind.END_PACKETS, EndPackets, self.program.end_pool(pool), pool=pool.id)

    # Payments and what comes back

    @rule(number=one, amount=amounts)
    def pay(self, number: int, amount: int) -> None:
        voucher = self.voucher(number, "gift", "luck") if self.mine() and number % 2 else None
        self.pay_with(number, amount, voucher)

    def pay_with(self, number: int, amount: int, voucher: Voucher | None) -> None:
        merchant = self.program.merchants[f"mall-{number // 2 % 2 + 1}"]
        fields = {"card": self.card, "merchant": self.owner(merchant), "store": None, "amount": Money(amount)}
        fields |= {"order_no": self.town.key(), "vouchers": (voucher.id,) if voucher else ()}
        if made := self.do(Kind.PAY, Pay, self.program.pay(merchant, amount, voucher), **fields):
            self.program.payments[-1].id = made.id

    @precondition(lambda self: self.refundable())
    @rule(number=one, part=st.sampled_from([100, 100, 50, 1, 101]))
    def refund(self, number: int, part: int) -> None:
        self.refund_of(self.refundable()[number % len(self.refundable())], part)

    def refundable(self) -> list[Payment]:
        """Payments that earned nothing: what a refund takes of a rebate is told in `lives`."""
        return [one for one in self.program.payments if not one.rebate]

    def refund_of(self, payment: Payment, part: int) -> None:
        amount = max(1, (payment.amount - payment.refunded) * part // 100 + (part > 100))
        fields = {"payment": payment.id, "reason": "returned", "late": True, "amount": Money(amount)}
        expected = self.program.may_refund(payment, amount)
        if made := self.do(Kind.REFUND, Refund, expected, **fields):
            back: dict[Any, int] = {}
            lots = {lot.id: lot for lot, _ in payment.shares}
            sql = "SELECT s.lot, s.fen FROM refund r, shares_of(r.allocation) s WHERE r.id = %s"
            for lot, part_ in self.town.rows(sql, made.id.hex()):
                back[lots[lot.bytes]] = part_
            sql = "SELECT d.fen FROM refund r, discounts_of(r.discounts) d WHERE r.id = %s"
            back[payment.voucher] = sum(row[0] for row in self.town.rows(sql, made.id.hex()))
            assert sum(back.values()) == amount
            self.program.refund(payment, back)

    @precondition(lambda self: any(one.rebate for one in self.program.payments))
    @rule(number=one, patient=st.booleans())
    def grant(self, number: int, patient: bool) -> None:
        earning = [one for one in self.program.payments if one.reward == "waiting"]
        earning = earning or [one for one in self.program.payments if one.rebate]
        payment = earning[number % len(earning)]
        if patient:
            self.tick({"days": 8})
        fields = {"card": self.card, "payment": payment.id}
        if self.do(Kind.GRANT_REWARD, GrantReward, self.program.grant(payment), **fields):
            self.learn()

    # Settlement

    @rule(number=one, patient=st.booleans())
    def settle(self, number: int, patient: bool) -> None:
        """Everybody's day, as previewed to the fen; then again, under the same keys and under others."""
        if patient:
            self.tick({"days": 1})
        cut = self.program.cut()
        seen = self.preview(cut)
        owing = {code: told_ for code, one in self.program.merchants.items() if (told_ := self.expected(one, cut))}
        shown = {row.code: row.statement.total for row in seen.rows}
        assert {code: {name: getattr(part, name) for name in owing[code]} for code, part in shown.items()} == owing
        for outcome in settlement.run(self.app.door, self.app.handlers[Kind.SETTLE], seen):
            self.settled(cut, outcome)
        self.again(seen, cut)

    def preview(self, cut: int) -> Preview:
        """The period that the cut ends."""
        day = date(1970, 1, 1) + timedelta(days=(cut + 480 * MINUTE) // DAY)
        seen = settlement.preview(self.app.connection, self.app.catalogue, self.app.calendar, 1, day)
        assert isinstance(seen, Preview) and seen.cut.at_us == cut, seen
        return seen

    def expected(self, merchant: Merchant, cut: int) -> dict[str, int] | None:
        """What a preview must say of a merchant; nothing of one whose day is settled."""
        return None if cut in merchant.settled else merchant.preview(cut)

    def settled(self, cut: int, outcome: Any) -> None:
        assert not isinstance(outcome, Refused) and not outcome.replayed, outcome
        codes = {identity.hex(): code for code, identity in self.town.merchants.items()}
        merchant = self.program.merchants[codes[outcome.facts["merchant"]]]
        made = merchant.settle(cut)
        assert told(outcome.facts) == made
        if made["reserved"]:
            days = date.fromisoformat(outcome.facts["pay_on"]) + timedelta(days=RESERVE_DAYS) - date(1970, 1, 1)
            release = days.days * DAY - 480 * MINUTE
            merchant.reserves.append(Reserve(made["reserved"], release, id=outcome.id))

    def again(self, seen: Preview, cut: int) -> None:
        """A second run, by the same keys, by others, by a fresh look: nobody is paid again."""
        before = self.moved()
        for outcome in settlement.run(self.app.door, self.app.handlers[Kind.SETTLE], seen):
            assert not isinstance(outcome, Refused) and outcome.replayed
        fresh = self.preview(cut)
        assert fresh.rows == ()
        for merchant in self.program.merchants.values():
            if cut in merchant.settled:
                fields = {"program": 1, "merchant": self.owner(merchant), "period_end": seen.period_end}
                fields |= {"terms": fresh.terms, "cut": fresh.cut}
                self.do(Kind.SETTLE, Settle, "period_settled", **fields)
        assert self.moved() == before, "settled twice, paid once"

    @precondition(lambda self: self.reserves())
    @rule(number=one, patient=st.booleans())
    def release(self, number: int, patient: bool) -> None:
        self.release_of(*self.reserves()[number % len(self.reserves())], patient)

    def reserves(self) -> list[tuple[Merchant, Reserve]]:
        """What was ever held back."""
        return [(merchant, one) for merchant in self.program.merchants.values() for one in merchant.reserves]

    def release_of(self, merchant: Merchant, reserve: Reserve, patient: bool) -> None:
        if patient:
            self.tick({"days": RESERVE_DAYS + 1})
        expected = self.program.release(merchant, reserve)
        self.do(Kind.RELEASE_RESERVE, ReleaseReserve, expected, settlement=reserve.id)

    # Steps that chance alone seldom puts in a row

    @rule(number=one, amount=st.integers(2_000, 30_000), part=st.sampled_from([100, 30]))
    def while_paused(self, number: int, amount: int, part: int) -> None:
        """What was handed out before a pause is redeemed, refunded, settled and released in it; nobody gets more."""
        self.claim()
        self.buy(50_000)
        self.tick({"days": 1})
        if number % 2 and self.mine():
            self.top_up(number)
        self.step("pause")
        self.what_is_paused_grants_nothing()
        self.claim()
        self.buy(50_000)
        before = len(self.program.payments)
        self.pay(number, amount)
        self.pay_with(number, amount, None)
        for payment in self.program.payments[before:]:
            if not payment.rebate:
                self.refund_of(payment, part)
        self.settle(number, patient=True)
        for merchant, reserve in self.reserves()[-1:]:
            self.release_of(merchant, reserve, patient=True)
            self.release_of(merchant, reserve, patient=False)
        self.what_is_paused_grants_nothing()
        if number % 3:
            self.step("resume")

    @rule(number=one, spent=st.integers(1, 6_000), paused=st.booleans())
    def subsidy(self, number: int, spent: int, paused: bool) -> None:
        """A voucher on the card, part of it spent, the rest its funds' again, and then what is refunded."""
        self.claim()
        if self.mine():
            self.top_up_with(self.voucher(1, "fifty"))
        lots = [lot for lot in self.program.lots if lot.kind == PRINCIPAL and lot.active <= self.program.at]
        while principal := sum(lot.balance for lot in lots):
            self.pay_with(number, min(principal, 40_000), None)
        before = len(self.program.payments)
        self.pay_with(number, spent, None)
        self.tick({"days": 6})
        if paused:
            self.step("pause")
        for payment in self.program.payments[before:]:
            self.expire_subsidies()
            if not payment.rebate:
                self.refund_of(payment, 100)
        self.expire_subsidies()
        if paused:
            self.step("resume")

    def expire_subsidies(self) -> None:
        for lot in [lot for lot in self.program.lots if lot.fund and lot.balance]:
            self.do(Kind.EXPIRE_LOT, ExpireLot, self.program.expire_lot(lot), card=self.card, lot=lot.id)

    @rule(
        count=takers, seed=seeds, orders=st.lists(st.integers(1, 3_000), min_size=1, max_size=3), ends=st.booleans()
    )
    def packets(self, count: int, seed: bytes, orders: list[int], ends: bool) -> None:
        """A pool of which some packets are taken and redeemed at once, the rest perhaps ended."""
        if self.program.pools and not self.program.pools[-1].ended:
            self.end_pool(patient=True)
        self.open_pool(seed, count)
        for amount in orders:
            self.pay_with(count, amount, self.voucher(1, "luck") if self.mine() else None)
        if ends and self.program.pools:
            self.end_pool(patient=True)

    @rule(number=one, paused=st.booleans(), months=st.integers(1, 3))
    def months_pass(self, number: int, paused: bool, months: int) -> None:
        """An offer, its rebate, its monthly gifts; a pause holds both back, and they arrive after it."""
        self.claim()
        self.buy(100_000, self.voucher(1, "fifty") if self.mine() else None)
        self.tick({"days": 1})
        self.pay_with(number, 50_000, None)
        if paused:
            self.step("pause")
        for month in range(months):
            self.tick({"days": 31})
            if month == 1 and self.program.state == "paused":
                self.step("resume")
            for again in range(2):
                if self.program.plans:
                    self.month(again, ahead=1)
            if any(one.rebate for one in self.program.payments):
                self.grant(number, patient=False)
            if self.mine():
                self.pay_with(number, 2_500, self.voucher(1, "gift"))
