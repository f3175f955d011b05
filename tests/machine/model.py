"""What cards and payments of `jingxika` do, in the smallest form: written from the program's terms, for comparison.

Amounts are fen, instants microseconds. Each wish returns the code it is refused with, or "" when it takes effect.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from machine.vouchers import DAY_LIMIT, FACE, FROM, FUNDS, VALID_DAYS, Voucher, by_fund, worth

PRICE = {50_000: 47_500, 100_000: 95_000}
CARD_MAX = 500_000
MINUTE = 60_000_000
DAY = 1_440 * MINUTE
PRINCIPAL, BONUS = 0, 1


def midnight(at: int, days: int) -> int:
    """The midnight in Shanghai (UTC+8) that begins the day `days` after that of `at`."""
    return ((at + 480 * MINUTE) // DAY + days) * DAY - 480 * MINUTE


def rebate(paid: int) -> int:
    """What an order of which the card paid so much earns."""
    return min((paid * 5 + 50) // 100, 20_000) if paid >= 50_000 else 0


@dataclass(eq=False)
class Lot:
    kind: int
    balance: int
    active: int
    expires: int = 0
    held: int = 0
    expired: bool = False
    id: bytes = b""

    def over(self, at: int) -> bool:
        return 0 < self.expires <= at


@dataclass(eq=False)
class Card:
    lots: list[Lot] = field(default_factory=list)
    state: str = "active"
    owed: int = 0

    def total(self) -> int:
        return sum(lot.balance for lot in self.lots)


@dataclass(eq=False)
class Payment:
    card: Card
    order: str
    amount: int
    shares: list[tuple[Lot, int]]
    discounts: list[tuple[Voucher, int]]
    outside: int
    at: int
    state: str = "captured"
    captured: int = 0
    refunded: int = 0
    moved: int = 0
    until: int = 0
    rebate: int = 0
    cut: int = 0
    reward: str = ""
    lot: Lot | None = None
    returned: Counter[Any] = field(default_factory=Counter)

    def parts(self) -> dict[Any, int]:
        """What each party paid: lots, funds by voucher, cash."""
        funded = {
            (voucher, fund): part
            for voucher, off in self.discounts
            for fund, part in by_fund(voucher.kind, off).items()
        }
        return {**dict(self.shares), **funded, "outside": self.outside}

    def by_card(self) -> int:
        """What the card still pays."""
        return sum(part - self.returned[lot] for lot, part in self.shares)

    def left(self, voucher: Voucher) -> int:
        """What a voucher still takes off."""
        return sum(
            part - self.returned[key]
            for key, part in self.parts().items()
            if isinstance(key, tuple) and key[0] is voucher
        )


class Model:
    def __init__(self, at: int) -> None:
        self.at = at
        self.cards: list[Card] = []
        self.payments: list[Payment] = []
        self.vouchers: list[Voucher] = []
        self.barred: set[str] = set()
        self.paid = self.granted = 0
        self.free, self.promised, self.used = Counter(FUNDS), Counter[str](), Counter[str]()
        self.uses: Counter[int] = Counter()

    def load(self, card: Card, face: int) -> str:
        if card.state != "active":
            return f"card_{card.state}"
        if card.total() + face > CARD_MAX:
            return "law_registered_balance_above_max"
        paid = PRICE[face]
        card.lots += [Lot(PRINCIPAL, paid, midnight(self.at, 1)), Lot(BONUS, face - paid, midnight(self.at, 1))]
        self.paid, self.granted = self.paid + paid, self.granted + face - paid
        return ""

    def claim(self, kind: str) -> str:
        self.vouchers.append(Voucher(kind, midnight(self.at, VALID_DAYS)))
        self.move(self.free, self.promised, by_fund(kind, FACE[kind]))
        return ""

    def move(self, source: Counter[str], target: Counter[str], parts: dict[str, int]) -> None:
        """Funders' money, from one use to another."""
        source.subtract(parts)
        target.update(parts)

    def expire_voucher(self, voucher: Voucher) -> str:
        if not voucher.live or voucher.until > self.at or (voucher.state == "held" and voucher.held > self.at):
            return "voucher_not_expired"
        voucher.free()
        voucher.state = "expired"
        self.move(self.promised, self.free, by_fund(voucher.kind, FACE[voucher.kind]))
        return ""

    def day(self, at: int) -> int:
        return midnight(at, 0)

    def priced(self, amount: int, vouchers: list[Voucher]) -> str | list[tuple[Voucher, int]]:
        """What vouchers take off, in their rank; or why they do not count."""
        if len({voucher.kind for voucher in vouchers}) < len(vouchers):
            return "voucher_category_used"
        for voucher in vouchers:
            if no := voucher.refused(amount, self.at):
                return no
        if any(voucher.kind == "off" for voucher in vouchers) and self.uses[self.day(self.at)] >= DAY_LIMIT:
            return "voucher_person_day_limit"
        left, discounts = amount, []
        for voucher in sorted(vouchers, key=lambda voucher: voucher.kind):
            off = worth(voucher.kind, left)
            if not off:
                return "voucher_no_effect"
            discounts.append((voucher, off))
            left -= off
        return discounts

    def pay(self, card: Card, amount: int, order: str, hold: bool, vouchers: list[Voucher], outside: int = 0) -> str:
        if order in self.barred:
            return "order_reversed"
        if any(old.order == order and old.state not in ("voided", "expired") for old in self.payments):
            return "order_paid"
        if card.state != "active":
            return f"card_{card.state}"
        discounts = self.priced(amount, vouchers)
        if isinstance(discounts, str):
            return discounts
        rest = amount - sum(off for _, off in discounts) - outside
        if rest < 0:
            return "outside_exceeds_order"
        lots = [lot for lot in card.lots if lot.active <= self.at and not lot.over(self.at) and not lot.expired]
        free = sum(lot.balance - lot.held for lot in lots)
        if free < rest:
            waiting = any(lot.active > self.at for lot in card.lots)
            return "value_not_active" if waiting and not free else "balance_insufficient"
        shares, left = [], rest
        for lot in sorted(lots, key=lambda lot: (lot.kind, lot.expires or 2**62, lot.id)):
            part = min(left, lot.balance - lot.held)
            if part:
                shares.append((lot, part))
                lot.held += part
                left -= part
        payment = Payment(card, order, amount, shares, discounts, outside, self.at, "authorized")
        payment.until = self.at + 30 * MINUTE
        for voucher, _ in discounts:
            voucher.state, voucher.held, voucher.holder = "held", payment.until, payment
            self.uses[self.day(self.at)] += voucher.kind == "off"
        self.payments.append(payment)
        if not hold:
            self.take(payment, amount)
        return ""

    def take(self, payment: Payment, amount: int) -> None:
        held, payment.discounts = self.captured(payment, amount)
        due = amount - sum(off for _, off in payment.discounts)
        payment.outside = min(payment.outside, due)
        for voucher in held - {voucher for voucher, _ in payment.discounts}:
            self.unhold(payment, voucher)
        for voucher, off in payment.discounts:
            voucher.state, voucher.used, voucher.held = "redeemed", off, 0
            parts, promise = by_fund(voucher.kind, off), by_fund(voucher.kind, FACE[voucher.kind])
            self.move(self.promised, self.used, parts)
            self.move(self.promised, self.free, {fund: part - parts[fund] for fund, part in promise.items()})
        left, taken = due - payment.outside, []
        for lot, part in payment.shares:
            lot.held -= part
            pays = min(part, left)
            lot.balance, left = lot.balance - pays, left - pays
            taken += [(lot, pays)] if pays else []
        payment.state, payment.captured, payment.moved, payment.shares = "captured", amount, self.at, taken
        payment.rebate = rebate(payment.by_card())
        payment.reward = "waiting" if payment.rebate else ""

    def captured(self, payment: Payment, amount: int) -> tuple[set[Voucher], list[tuple[Voucher, int]]]:
        """The vouchers that were held, and what those that stay take off a capture."""
        most = sum(part for _, part in payment.shares) + payment.outside
        kept: list[tuple[Voucher, int]] = []
        for voucher, was in payment.discounts:
            left = amount - sum(off for _, off in kept)
            off = was if amount == payment.amount else min(was, worth(voucher.kind, left))
            if off and not (amount < FROM[voucher.kind] and left <= most):
                kept.append((voucher, off))
        return {voucher for voucher, _ in payment.discounts}, kept

    def unhold(self, payment: Payment, voucher: Voucher) -> None:
        """A voucher that a payment held counts again, unless it passed on; its use did not come about."""
        if voucher.state == "held" and voucher.holder is payment:
            voucher.free()
        self.uses[self.day(payment.at)] -= voucher.kind == "off"

    def capture(self, payment: Payment, amount: int) -> str:
        if payment.state != "authorized":
            return "payment_state"
        if amount > payment.amount or payment.until <= self.at:
            return "capture_exceeds_hold" if amount > payment.amount else "hold_expired"
        self.take(payment, amount)
        return ""

    def release(self, payment: Payment, state: str) -> str:
        if payment.state != "authorized":
            return "payment_state"
        if state == "expired" and self.at < payment.until:
            return "hold_not_expired"
        for lot, part in payment.shares:
            lot.held -= part
        for voucher, _ in payment.discounts:
            self.unhold(payment, voucher)
        payment.state = state
        return ""

    def may_refund(self, payment: Payment, amount: int | None, late: bool) -> str:
        if payment.state not in ("captured", "partly_refunded"):
            return "payment_state"
        if self.at >= midnight(payment.moved, 8) and not late:
            return "refund_window_over"
        too_much = amount is not None and not 0 < amount <= payment.captured - payment.refunded
        return "refund_exceeds_payment" if too_much else ""

    def refund(self, payment: Payment, back: dict[Any, int]) -> None:
        """What came back, party by party: never more than it paid, and of each voucher what its terms say."""
        amount, before = sum(back.values()), payment.refunded
        rest, left, parts = payment.captured - before - amount, payment.captured - before - amount, payment.parts()
        anew = any(voucher.kind == "part" for voucher, _ in payment.discounts)
        for voucher, off in payment.discounts:
            still, stays = payment.left(voucher), off * rest // payment.captured
            given = sum(part for key, part in back.items() if isinstance(key, tuple) and key[0] is voucher)
            if voucher.kind == "part":
                stays = min(still, worth("part", max(0, left)))
                others = sum(part for key, part in back.items() if isinstance(key, tuple)) - given
                assert not rest or given == max(0, min(still - stays, amount)) or others + given == amount
            left -= stays
        payment.returned.update(back)
        payment.refunded += amount
        last = payment.refunded == payment.captured
        for key, part in parts.items():
            gone = payment.returned[key]
            assert 0 <= gone <= part and (gone == part or not last), "each party gets back what it paid, no more"
            slack = abs(gone * payment.captured - part * payment.refunded)
            assert anew or slack < 2 * payment.captured, "in proportion, within two fen"
        for lot, _ in payment.shares:
            self.land(payment.card, lot, back.get(lot, 0))
        again = last and not before
        for voucher, _ in payment.discounts:
            self.give_back(payment, voucher, back, last, again)
        self.cut(payment, last)
        payment.state = "refunded" if last else "partly_refunded"

    def land(self, card: Card, lot: Lot, part: int) -> None:
        """Bonus that comes back first pays what the card owes of spent rebates; of a lot that expired none stays."""
        if lot.kind == BONUS:
            off = min(part, card.owed)
            gone = part if lot.expired or lot.over(self.at) else off
            card.owed, self.granted, part = card.owed - off, self.granted - gone, part - gone
        lot.balance += part

    def give_back(self, payment: Payment, voucher: Voucher, back: dict[Any, int], last: bool, again: bool) -> None:
        given = {key[1]: part for key, part in back.items() if isinstance(key, tuple) and key[0] is voucher}
        self.move(self.used, self.free, given)
        voucher.used -= sum(given.values())
        if again and voucher.kind == "off" and self.at < voucher.until:
            self.move(self.free, self.promised, by_fund("off", FACE["off"]))
            voucher.free()
            self.uses[self.day(payment.at)] -= 1
        elif last:
            voucher.state = "returned"

    def cut(self, payment: Payment, last: bool) -> None:
        """The rebate becomes what the rest earns."""
        if payment.reward not in ("waiting", "granted"):
            return
        earns = 0 if last else rebate(payment.by_card())
        over = max(0, payment.rebate - payment.cut - earns)
        payment.cut += over
        left = over if payment.reward == "granted" else 0
        bonus = [lot for lot in payment.card.lots if lot.kind == BONUS]
        for lot in sorted(bonus, key=lambda lot: (lot is not payment.lot, lot.id)):
            part = min(left, lot.balance - lot.held)
            lot.balance, left, self.granted = lot.balance - part, left - part, self.granted - part
        payment.card.owed += left
        if payment.cut == payment.rebate:
            payment.reward = {"waiting": "cancelled", "granted": "clawed_back"}[payment.reward]

    def reverse(self, order: str) -> tuple[str, Payment | None]:
        """Why it is refused; and the payment that gives back."""
        self.barred.add(order)
        for payment in self.payments:
            if payment.order == order and payment.state not in ("voided", "expired"):
                if payment.state == "authorized":
                    return self.release(payment, "voided"), None
                no = self.may_refund(payment, None, late=False)
                return no, None if no else payment
        return "", None

    def grant(self, payment: Payment) -> str:
        if payment.reward != "waiting":
            return "reward_not_waiting"
        if self.at < midnight(payment.moved, 8):
            return "reward_not_due"
        amount = payment.rebate - payment.cut
        if payment.card.total() + amount > CARD_MAX:
            return "law_registered_balance_above_max"
        payment.lot = Lot(BONUS, amount, self.at, self.at + 90 * DAY)
        payment.card.lots.append(payment.lot)
        payment.reward, self.granted = "granted", self.granted + amount
        return ""

    def expire(self, lot: Lot) -> str:
        free = lot.balance - lot.held
        if lot.expired or not lot.over(self.at) or not free:
            return "lot_not_expired"
        lot.balance, lot.expired, self.granted = lot.held, not lot.held, self.granted - free
        return ""

    def move_card(self, card: Card, verb: str) -> str:
        refused = {
            ("freeze", "frozen"): "card_already_frozen",
            ("freeze", "lost"): "card_lost",
            ("report_lost", "lost"): "card_lost",
            ("report_lost", "frozen"): "card_frozen",
        }
        if (verb, card.state) in refused:
            return refused[verb, card.state]
        if verb == "unfreeze" and card.state != "frozen":
            return "card_not_frozen"
        if verb == "replace" and card.state != "lost":
            return "card_not_lost"
        card.state = {"freeze": "frozen", "report_lost": "lost"}.get(verb, "active")
        return ""
