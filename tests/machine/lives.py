"""What may happen to cards and payments, in any order."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
)

from kaquan.cards.model import Freeze, Replace, ReportLost, Unfreeze
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.caller import OPERATOR
from kaquan.payments.model import Authorize, Capture, ExpireHold, Pay, Refund, Void
from kaquan.payments.service import reverse
from kaquan.rewards.model import ExpireLot, GrantReward
from kaquan.sales.model import Sell, TopUp
from kaquan.vouchers.model import Claim, ExpireVoucher
from machine.both import Both, answer
from machine.model import CARD_MAX, PRINCIPAL, Card, Payment
from machine.vouchers import Voucher

SPANS = [{"minutes": 10}, {"minutes": 31}, {"hours": 11}, {"days": 1}, {"days": 8}, {"days": 91}]
MOVES = {
    "freeze": (Kind.FREEZE, Freeze, {"reason": "asked"}),
    "unfreeze": (Kind.UNFREEZE, Unfreeze, {"reason": "asked"}),
    "report_lost": (Kind.REPORT_LOST, ReportLost, {}),
    "replace": (Kind.REPLACE, Replace, {}),
}
LATER = ["capture", "capture", "void", "expire", *["refund"] * 3, "reverse", "grant", "grant", "expire_lot"]
ENDS = ["refund", "expire", "stay"]
TWINS = {  # commands with the same fields as another kind
    Kind.PAY: (Kind.AUTHORIZE, Authorize),
    Kind.AUTHORIZE: (Kind.PAY, Pay),
    Kind.VOID: (Kind.EXPIRE_HOLD, ExpireHold),
    Kind.EXPIRE_HOLD: (Kind.VOID, Void),
    Kind.FREEZE: (Kind.UNFREEZE, Unfreeze),
    Kind.UNFREEZE: (Kind.FREEZE, Freeze),
    Kind.REPORT_LOST: (Kind.REPLACE, Replace),
    Kind.REPLACE: (Kind.REPORT_LOST, ReportLost),
}

one = st.integers(0, 10**6)
faces = st.sampled_from([50_000, 100_000])
amounts = st.one_of(st.sampled_from([49_999, 50_000, 50_010, 100_000]), st.integers(1, 150_000))
picked = st.one_of(st.tuples(one), st.tuples(one), st.tuples(one, one))
backs = st.lists(st.tuples(st.sampled_from([1, 30, 50, 99, 100]), st.sampled_from([0, 0, 1, 31])), max_size=4)
cash = st.sampled_from([0, 0, 0, 1, 5_000])
orders = st.one_of(st.integers(0, 10**6), st.integers(0, 40)).map(lambda number: f"order-{number}")


class Lives(Both):
    """The rules of a random life."""

    @initialize(count=st.integers(0, 3))
    def first_cards(self, count: int) -> None:
        """Two cards with something on them that can be spent."""
        self.sell(100_000)
        self.sell(50_000)
        for number in range(count):
            self.top_up(number, 100_000)
            self.claim(number)
        self.tick({"days": 1})

    def sell(self, face: int) -> None:
        card = Card()
        fields = {"wallet": self.wallet, "program": "jingxika", "face": face, "channel": "sandbox"}
        sold = self.do(Kind.SELL, Sell, self.model.load(card, face), **fields)
        self.model.cards.append(card)
        self.ids[card] = sold.id
        self.learn(card, sold.id)

    @rule(card=one, face=faces)
    def load(self, card: int, face: int) -> None:
        if card % 8 == 0 and len(self.model.cards) < 4:
            self.sell(face)
        else:
            self.top_up(card, face)

    def top_up(self, card: int, face: int) -> None:
        at = self.card(card)
        outcome = self.do(
            Kind.TOP_UP, TopUp, self.model.load(at, face), card=self.ids[at], face=face, channel="sandbox"
        )
        if isinstance(outcome, Effect):
            self.learn(at, outcome.id)

    @rule(span=st.sampled_from(SPANS))
    def tick(self, span: dict[str, int]) -> None:
        self.town.now += timedelta(**span)
        self.model.at = self.now()

    def claim(self, number: int) -> Voucher:
        kind = "part" if number % 3 == 0 else "off"
        fields = {"wallet": self.wallet, "program": "jingxika", "stock": kind}
        voucher_id = self.do(Kind.CLAIM, Claim, self.model.claim(kind), **fields).id
        self.model.vouchers[-1].id = voucher_id
        return self.model.vouchers[-1]

    @precondition(lambda self: self.model.vouchers)
    @rule(number=one, patient=st.booleans())
    def expire_voucher(self, number: int, patient: bool) -> None:
        over = [one for one in self.model.vouchers if one.live and one.until <= self.model.at]
        voucher = over[0] if over and patient else self.some_vouchers((number,))[0]
        self.do(Kind.EXPIRE_VOUCHER, ExpireVoucher, self.model.expire_voucher(voucher), voucher=voucher.id)

    @rule(card=one, amount=amounts, order=orders, hold=st.booleans(), whole=st.booleans())
    def spend(self, card: int, amount: int, order: str, hold: bool, whole: bool) -> None:
        self.pay(card, 10**8 if whole and card % 3 == 0 else amount, order, hold)

    @rule(card=one, amount=amounts, order=orders, hold=st.booleans(), picks=picked, outside=cash)
    def use(self, card: int, amount: int, order: str, hold: bool, picks: tuple[int, ...], outside: int) -> None:
        """With vouchers, and sometimes cash; with fresh ones when there are few."""
        if len(self.model.vouchers) < 2 or card % 2:
            self.claim(card // 2)
        self.pay(card, amount, order, hold, self.some_vouchers(picks), outside)

    @rule(card=one, amount=amounts, order=orders, holding=st.sampled_from([0, 0, 100, 95, 40, 1]), later=backs)
    def redeem(self, card: int, amount: int, order: str, holding: int, later: list[tuple[int, int]]) -> None:
        """A voucher or two from the claim to whatever comes back: steps that chance alone seldom puts in a row."""
        self.top_up(card, 50_000)
        self.tick({"days": 1})
        vouchers = [self.claim(number) for number in range(card % 3 or 1)]
        before, cash = len(self.model.payments), later[0][0] * 10 if later else 0
        self.pay(card * 4 + 1, amount, order, holding > 0, vouchers, cash)
        if len(self.model.payments) == before:
            return
        payment = self.model.payments[-1]
        if holding:
            self.capture_of(payment, holding)
        for part, days in later:
            self.tick({"days": days})
            left = payment.captured - payment.refunded
            self.refund_of(payment, late=True, amount=None if part == 100 else max(1, left * part // 100))

    def pay(
        self,
        card: int,
        amount: int,
        order: str,
        hold: bool,
        vouchers: Sequence[Voucher] = (),
        outside: int = 0,
    ) -> None:
        """Mostly what the card can pay, sometimes a fen or more beyond."""
        at = self.card(card)
        free = sum(lot.balance - lot.held for lot in at.lots)
        amount = max(1, min(amount, free) if card % 4 else amount)
        kind, shape = (Kind.AUTHORIZE, Authorize) if hold else (Kind.PAY, Pay)
        fields = {"merchant": self.town.merchants["mall-1"], "store": None, "outside": outside}
        fields["vouchers"] = tuple(one.id for one in vouchers)
        expected = self.model.pay(at, amount, order, hold, list(vouchers), outside)
        outcome = self.do(kind, shape, expected, card=self.ids[at], amount=amount, order_no=order, **fields)
        if isinstance(outcome, Effect):
            self.ids[self.model.payments[-1]] = outcome.id

    @rule(card=one, order=orders, whims=st.tuples(*[st.booleans()] * 3), end=st.sampled_from(ENDS))
    def earn(self, card: int, order: str, whims: tuple[bool, bool, bool], end: str) -> None:
        """A rebate from the order that earns it to one of its ends: steps that chance alone seldom puts in a row."""
        spent, held, full = whims
        self.top_up(card, 50_000)
        self.tick({"days": 1})
        earning = len(self.model.payments)
        self.pay(card * 4 + 1, 60_000 if held else 50_000, order, held)
        if len(self.model.payments) == earning:
            return
        payment = self.model.payments[-1]
        if held:
            self.do(
                Kind.CAPTURE, Capture, self.model.capture(payment, 50_000), payment=self.ids[payment], amount=50_000
            )
        self.tick({"days": 7})
        self.grant_to(payment)
        self.tick({"days": 1})
        if full:
            room = (CARD_MAX - payment.card.total()) // 50_000
            for face in [100_000] * (room // 2) + [50_000] * (room % 2):
                self.top_up(card, face)
        self.grant_to(payment)
        if spent:
            principal = sum(lot.balance - lot.held for lot in payment.card.lots if lot.kind == PRINCIPAL)
            self.pay(card * 4 + 1, principal + payment.rebate // 2, f"{order}-again", held)
        if end == "refund":
            self.refund_of(payment, late=True)
        elif end == "expire" and payment.lot:
            self.tick({"days": 91})
            lot = payment.lot
            expected = self.model.expire(lot)
            self.do(Kind.EXPIRE_LOT, ExpireLot, expected, card=self.ids[payment.card], lot=lot.id)

    @precondition(lambda self: self.model.payments)
    @rule(verb=st.sampled_from(LATER), number=one, part=st.sampled_from([100, 100, 50, 1, 101]), late=st.booleans())
    def then(self, verb: str, number: int, part: int, late: bool) -> None:
        self.go_on(verb, number, part, late)

    @precondition(lambda self: self.model.payments)
    @rule(verb=st.sampled_from(LATER), number=one, part=st.sampled_from([100, 50]), late=st.booleans())
    def go_on(self, verb: str, number: int, part: int, late: bool) -> None:
        """Whatever happens to a payment later."""
        match verb:
            case "capture":
                self.capture(number, part)
            case "void" | "expire":
                self.release(number, verb == "expire")
            case "refund":
                self.refund(number, late, part)
            case "reverse":
                self.reverse(self.payment(number, "captured", "partly_refunded", "authorized").order)
            case "grant":
                self.grant(number, patient=part != 1)
            case "expire_lot":
                self.expire_lot(number, patient=late)

    def capture(self, number: int, part: int) -> None:
        self.capture_of(self.payment(number, "authorized"), part)

    def capture_of(self, payment: Payment, part: int) -> None:
        amount = max(1, payment.amount * part // 100 + (part > 100))
        expected = self.model.capture(payment, amount)
        self.do(Kind.CAPTURE, Capture, expected, payment=self.ids[payment], amount=amount)

    def release(self, number: int, expiring: bool) -> None:
        payment = self.payment(number, "authorized")
        kind, shape = (Kind.EXPIRE_HOLD, ExpireHold) if expiring else (Kind.VOID, Void)
        expected = self.model.release(payment, "expired" if expiring else "voided")
        self.do(kind, shape, expected, payment=self.ids[payment])

    def refund(self, number: int, late: bool, part: int) -> None:
        payment = self.payment(number, "captured", "partly_refunded")
        left = payment.captured - payment.refunded
        self.refund_of(payment, late, None if part == 100 else left * part // 100 + (part > 100) or 1)

    def refund_of(self, payment: Payment, late: bool, amount: int | None = None) -> None:
        expected = self.model.may_refund(payment, amount, late)
        fields = {"payment": self.ids[payment], "reason": "returned", "late": late, "amount": amount}
        outcome = self.do(Kind.REFUND, Refund, expected, **fields)
        if isinstance(outcome, Effect):
            self.give_back(payment, outcome.id, amount)

    def give_back(self, payment: Payment, refund: bytes, amount: int | None = None) -> None:
        """What the door has given to whom, for the model to judge."""
        lots = {lot.id: lot for lot, _ in payment.shares}
        vouchers = {voucher.id: voucher for voucher, _ in payment.discounts}
        shares = "SELECT s.lot, s.fen FROM refund r, shares_of(r.allocation) s WHERE r.id = %s"
        back: dict[Any, int] = {lots[row[0].bytes]: row[1] for row in self.town.rows(shares, refund.hex())}
        funded = "refund r, discounts_of(r.discounts) d JOIN fund f ON f.id = d.fund"
        for voucher, fund, part in self.town.rows(
            f"SELECT d.voucher, f.code, d.fen FROM {funded} WHERE r.id = %s", refund.hex()
        ):
            back[vouchers[voucher.bytes], fund] = part
        told, back["outside"] = self.town.rows("SELECT amount, outside FROM refund WHERE id = %s", refund.hex())[0]
        assert told == sum(back.values()) == (payment.captured - payment.refunded if amount is None else amount)
        self.model.refund(payment, back)

    @rule(order=orders)
    def bar(self, order: str) -> None:
        """Reverse an order that perhaps nobody has paid; rarely one that is likely to be tried."""
        self.reverse(order if len(order) > len("order-9") else "order-9")

    def reverse(self, order: str) -> None:
        key, merchant = self.town.key(), self.town.merchants["mall-1"]
        expected, refunded = self.model.reverse(order)
        first = reverse(self.app.door, self.app.catalogue, OPERATOR, key, merchant, order)
        assert (first.refusal.code.code if isinstance(first, Refused) else "") == expected, first
        if refunded is not None:
            self.give_back(refunded, first.id)
        again = reverse(self.app.door, self.app.catalogue, OPERATOR, key, merchant, order)
        assert again.replayed and answer(again) == answer(first)
        self.decided += 1

    def grant(self, number: int, patient: bool) -> None:
        payment = self.payment(number, "waiting")
        if patient and payment.reward == "waiting":
            self.tick({"days": 8})
        self.grant_to(payment)

    def grant_to(self, payment: Payment) -> None:
        fields = {"card": self.ids[payment.card], "payment": self.ids[payment]}
        outcome = self.do(Kind.GRANT_REWARD, GrantReward, self.model.grant(payment), **fields)
        if payment.lot and isinstance(outcome, Effect):
            payment.lot.id = outcome.id

    def expire_lot(self, number: int, patient: bool) -> None:
        lots = [(card, lot) for card in self.model.cards for lot in card.lots]
        granted = [(card, lot) for card, lot in lots if lot.expires and lot.balance]
        card, lot = (granted or lots)[number % len(granted or lots)]
        if patient and granted:
            self.tick({"days": 91})
        self.do(Kind.EXPIRE_LOT, ExpireLot, self.model.expire(lot), card=self.ids[card], lot=lot.id)

    @rule(card=one, verb=st.sampled_from([*MOVES]), likely=st.sampled_from([True, True, False]))
    def move_card(self, card: int, verb: str, likely: bool) -> None:
        at = self.card(card)
        verb = {"frozen": "unfreeze", "lost": "replace"}.get(at.state, verb) if likely else verb
        kind, shape, fields = MOVES[verb]
        self.do(kind, shape, self.model.move_card(at, verb), card=self.ids[at], **fields)

    @rule(number=one, amount=amounts, order=orders, how=st.sampled_from(["same", "other", "kind"]))
    def ask_again(self, number: int, amount: int, order: str, how: str) -> None:
        if how == "same":
            self.replay(number)
        else:
            self.other_content(number, amount, order, twin=how == "kind")

    def replay(self, number: int) -> None:
        """The same key and content: the same answer, whatever happened since."""
        kind, command, first = self.done[number % len(self.done)]
        again = self.app.one(kind, command)
        assert again.replayed and answer(again) == answer(first)

    def other_content(self, number: int, amount: int, order: str, twin: bool) -> None:
        """The same key with other content, or for another kind of command: refused, and nothing is written."""
        kind, command, _ = self.done[number % len(self.done)]
        other = _changed(command, amount, order)
        if twin and kind in TWINS:
            kind, shape = TWINS[kind]
            other = shape(**{name: getattr(command, name) for name in command.__struct_fields__})
        elif other == command:
            return
        outcome = self.app.one(kind, other)
        assert isinstance(outcome, Refused) and outcome.refusal.code.code == "key_reused", outcome
        if number % 2 and getattr(other, "order_no", order) != getattr(command, "order_no", order):
            self.reverse(order)


def _changed(command: Any, amount: int, order: str) -> Any:
    """The command with something else in it; what it addresses stays."""
    names = command.__struct_fields__
    if "order_no" in names and amount % 2:
        return msgspec.structs.replace(command, order_no=order)
    if "amount" in names:
        return msgspec.structs.replace(command, amount=amount)
    if "face" in names:
        return msgspec.structs.replace(command, face=150_000 - command.face)
    if "reason" in names:
        return msgspec.structs.replace(command, reason=order)
    if "lot" in names:
        return msgspec.structs.replace(command, lot=command.card)
    return command
