"""A till for pure tests: one card, one shop, the real rules, and what they post, without a database."""

from collections import Counter
from typing import Any

import msgspec

from kaquan.cards.model import NO_FUND, Card, CardState, LotKind
from kaquan.commands.model import Command, Entry, Plan
from kaquan.funders.rules import promised
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account
from kaquan.payments.holds import decide_capture, decide_release
from kaquan.payments.model import Authorize, Capture, Pay, PayFacts, Payment, PaymentFacts, Refund, Void
from kaquan.payments.refunds import decide_refund
from kaquan.payments.rules import decide_pay
from kaquan.programs.catalogue import Stock
from kaquan.programs.terms import RefundTerms
from kaquan.quotas.model import Quotas, Slice
from kaquan.rewards.model import Reward, RewardState
from kaquan.vouchers.model import NOBODY, Voucher, VoucherState, unpack_discounts
from support.catalogues import BUREAU, MALL, SHOP, TERMS, catalogue, identity, lot, voucher

NOW = instant(1_750_000_000_000_000)
DECIDE: dict[type, Any] = {
    Pay: decide_pay,
    Authorize: decide_pay,
    Capture: decide_capture,
    Void: decide_release,
    Refund: decide_refund,
}


class Till:
    """One card with vouchers, one shop, the rules, and what they post."""

    def __init__(
        self, *stocks: Stock, balance: int = 100_000, budget: int = 0, refund: RefundTerms | None = None
    ) -> None:
        self.catalogue = catalogue(*stocks)
        if refund is not None:
            terms = msgspec.structs.replace(TERMS.terms, refund=refund)
            self.catalogue.terms = {TERMS.id: msgspec.structs.replace(TERMS, terms=terms)}
        self.card = Card(identity(500), 1, identity(700), TERMS.id, 1, CardState.ACTIVE, 1, "88")
        self.lots = [lot(1, balance * 2 // 3), lot(2, balance - balance * 2 // 3, LotKind.BONUS)]
        self.vouchers = {one.id: one for one in (voucher(100 + each.id, each) for each in stocks)}
        self.quotas = Quotas({(fund.id, 0): [Slice(fund.id, 1, 2, 0, 0, 0, budget)] for fund in (BUREAU, MALL)})
        self.payments: dict[bytes, Payment] = {}
        self.rewards: dict[bytes, Reward] = {}
        self.books: Counter[tuple[Account, Id | None]] = Counter()
        for each in stocks:
            for fund, part in promised(each.funding, each.rules.face_fen):
                if fund is not None:
                    self.books[Account.FUNDER_COMMITTED, fund.id] += part
        for fund in (BUREAU, MALL):
            self.books[Account.FUNDER_BUDGET, fund.id] += budget
        self.number = 0
        self.now = NOW
        self.refunds: dict[bytes, int] = {}
        self.owed: dict[tuple[bytes, bytes], int] = {}

    def say(self, command: Command) -> Plan | Refusal:
        """Decide a command and let it take effect."""
        self.number += 1
        rows: Any = {"cards": {self.card.id: self.card}, "lots": {self.card.id: self.lots}, "commands": {}}
        rows |= {"vouchers": self.vouchers, "quotas": self.quotas}
        shape = PayFacts if isinstance(command, Pay) else PaymentFacts
        facts = PayFacts(**rows) if shape is PayFacts else self.facts()
        plan = DECIDE[type(command)](Entry(command, identity(self.number), b""), facts, self.catalogue, self.now)
        if isinstance(plan, Plan):
            self.take(plan)
            facts.absorb(plan)
        return plan

    def facts(self) -> PaymentFacts:
        """What later operations are decided on."""
        return PaymentFacts(
            {},
            {self.card.id: self.card},
            {self.card.id: self.lots},
            self.vouchers,
            {},
            self.quotas,
            self.payments,
            self.rewards,
            {},
            self.refunds,
            self.owed,
        )

    def take(self, plan: Plan) -> None:
        """Let a plan take effect."""
        for row, values in plan.changes:
            row.become(values)
        for table, row in plan.inserts:
            if table == "payment":
                self.payments[row[1]] = _payment(row, microseconds(self.now))
            if table == "voucher":
                self.vouchers[row[1]] = _voucher(row)
            if table == "reward":
                self.rewards[row[1]] = Reward(row[1], 1, RewardState.WAITING, row[3], 0, 0, row[4], row[5], bytes(16))
        for *_, debit, debit_owner, credit, credit_owner, _, amount in plan.postings:
            self.books[debit, debit_owner] -= amount
            self.books[credit, credit_owner] += amount

    def pay(self, amount: int, shape: type[Pay] = Pay, **fields: Any) -> Payment:
        """A payment with all vouchers that must take effect."""
        told = {"vouchers": tuple(self.vouchers), "store": None, "order_no": "o", "merchant": SHOP.id} | fields
        plan = self.say(shape(key="k", caller=OPERATOR, card=self.card.id, amount=Money(amount), **told))
        assert isinstance(plan, Plan), plan
        return self.payments[identity(self.number)]

    def refund(self, payment: Payment, amount: int | None = None, *lines: int) -> Plan | Refusal:
        """A refund by amount, by lines, or of all that is left."""
        wanted = None if amount is None else Money(amount)
        command = {"payment": payment.id, "amount": wanted, "lines": lines, "reason": ""}
        return self.say(Refund(key="k", caller=OPERATOR, **command))

    def paid(self, payment: Payment) -> tuple[int, list[int], list[int]]:
        """What came back in all; of each part of the payment what it paid, and what came back of it."""
        weights = [
            int.from_bytes(payment.allocation[at + 16 : at + 24]) for at in range(0, len(payment.allocation), 24)
        ]
        weights += [one.amount for one in unpack_discounts(payment.discounts)] + [payment.outside]
        returned = payment.returned or bytes(8 * len(weights))
        return payment.refunded, weights, [int.from_bytes(returned[at : at + 8]) for at in range(0, len(returned), 8)]

    def check(self, payment: Payment) -> None:
        """What must hold after every step."""
        refunded, weights, back = self.paid(payment)
        assert sum(weights) == payment.captured or payment.state in (1, 3)
        assert sum(back) == refunded <= payment.captured or payment.state in (1, 3)
        assert all(0 <= gone <= weight for gone, weight in zip(back, weights, strict=True))
        borne = [one.fund == NO_FUND for one in unpack_discounts(payment.discounts)]
        of_merchant = sum(
            weight - gone
            for weight, gone, his in zip(
                weights, back, [False] * (len(weights) - len(borne) - 1) + borne + [True], strict=True
            )
            if his
        )
        assert self.books[Account.MERCHANT_PAYABLE, SHOP.id] == payment.captured - refunded - of_merchant or (
            payment.state in (1, 3)
        )
        for (account, owner), balance in self.books.items():
            if account in (Account.FUNDER_BUDGET, Account.FUNDER_COMMITTED):
                assert balance >= 0, (account, owner)
        for one in self.lots:
            assert 0 <= one.held <= one.balance
        self._promises()

    def _promises(self) -> None:
        """What funds have promised is what live vouchers are worth; free budget covers what slices may hand out."""
        live: Counter[Id] = Counter()
        for one in self.vouchers.values():
            assert 0 <= one.used <= one.face
            if one.state in (VoucherState.ISSUED, VoucherState.HELD):
                for fund, part in promised(self.catalogue.stock(one.terms, one.stock).funding, Money(one.face)):
                    if fund is not None:
                        live[fund.id] += part
        for fund in (BUREAU, MALL):
            assert self.books[Account.FUNDER_COMMITTED, fund.id] == live[fund.id]
            assert (
                sum(each.fen_left for each in self.quotas.pool(fund.id)) <= self.books[Account.FUNDER_BUDGET, fund.id]
            )


def _payment(row: Any, at_us: int) -> Payment:
    _, payment, wallet, card, merchant, _, terms, program, state, amount, captured, expires, order_no, *rest = row
    outside, allocation, discounts, lines = rest
    return Payment(
        payment, 1, card, wallet, merchant, terms, program, state, amount, captured, 0, at_us,
        at_us, expires or 0, outside, allocation, discounts, b"", lines, order_no,
    )  # fmt: skip


def _voucher(row: Any) -> Voucher:
    _, voucher_id, wallet, _, stock_, terms, face, valid_us, expires_us = row
    return Voucher(
        voucher_id, 1, wallet, stock_, terms, VoucherState.ISSUED, face, 0, valid_us, expires_us, 0, NOBODY
    )
