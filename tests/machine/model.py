"""What cards and payments of `jingxika` do, in the smallest form: written from the program's terms, for comparison.

Amounts are fen, instants microseconds. Each wish returns the code it is refused with, or "" when it takes effect.
"""

from dataclasses import dataclass, field

PRICE = {50_000: 47_500, 100_000: 95_000}
CARD_MAX = 500_000
MINUTE = 60_000_000
DAY = 1_440 * MINUTE
PRINCIPAL, BONUS = 0, 1


def midnight(at: int, days: int) -> int:
    """The midnight in Shanghai (UTC+8) that begins the day `days` after that of `at`."""
    return ((at + 480 * MINUTE) // DAY + days) * DAY - 480 * MINUTE


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

    def total(self) -> int:
        return sum(lot.balance for lot in self.lots)


@dataclass(eq=False)
class Payment:
    card: Card
    order: str
    amount: int
    shares: list[tuple[Lot, int]]
    state: str = "captured"
    captured: int = 0
    moved: int = 0
    until: int = 0
    rebate: int = 0
    reward: str = ""
    lot: Lot | None = None


class Model:
    def __init__(self, at: int) -> None:
        self.at = at
        self.cards: list[Card] = []
        self.payments: list[Payment] = []
        self.barred: set[str] = set()
        self.paid = self.granted = 0

    def load(self, card: Card, face: int) -> str:
        if card.state != "active":
            return f"card_{card.state}"
        if card.total() + face > CARD_MAX:
            return "law_registered_balance_above_max"
        paid = PRICE[face]
        card.lots += [Lot(PRINCIPAL, paid, midnight(self.at, 1)), Lot(BONUS, face - paid, midnight(self.at, 1))]
        self.paid, self.granted = self.paid + paid, self.granted + face - paid
        return ""

    def pay(self, card: Card, amount: int, order: str, hold: bool) -> str:
        if order in self.barred:
            return "order_reversed"
        if any(old.order == order and old.state not in ("voided", "expired") for old in self.payments):
            return "order_paid"
        if card.state != "active":
            return f"card_{card.state}"
        lots = [lot for lot in card.lots if lot.active <= self.at and not lot.over(self.at) and not lot.expired]
        free = sum(lot.balance - lot.held for lot in lots)
        if free < amount:
            waiting = any(lot.active > self.at for lot in card.lots)
            return "value_not_active" if waiting and not free else "balance_insufficient"
        shares, left = [], amount
        for lot in sorted(lots, key=lambda lot: (lot.kind, lot.expires or 2**62, lot.id)):
            part = min(left, lot.balance - lot.held)
            if part:
                shares.append((lot, part))
                lot.held += part
                left -= part
        payment = Payment(card, order, amount, shares, "authorized", until=self.at + 30 * MINUTE)
        self.payments.append(payment)
        if not hold:
            self.take(payment, amount)
        return ""

    def take(self, payment: Payment, amount: int) -> None:
        left, taken = amount, []
        for lot, part in payment.shares:
            lot.held -= part
            pays = min(part, left)
            lot.balance, left = lot.balance - pays, left - pays
            taken += [(lot, pays)] if pays else []
        payment.state, payment.captured, payment.moved, payment.shares = "captured", amount, self.at, taken
        if amount >= 50_000:
            payment.rebate, payment.reward = min((amount * 5 + 50) // 100, 20_000), "waiting"

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
        payment.state = state
        return ""

    def refund(self, payment: Payment, late: bool) -> str:
        if payment.state != "captured":
            return "payment_state"
        if self.at >= midnight(payment.moved, 8) and not late:
            return "refund_window_over"
        for lot, part in payment.shares:
            lot.balance, lot.expired = lot.balance + part, False
        left = payment.rebate if payment.reward == "granted" else 0
        bonus = [lot for lot in payment.card.lots if lot.kind == BONUS]
        for lot in sorted(bonus, key=lambda lot: (lot is not payment.lot, lot.id)):
            part = min(left, lot.balance - lot.held)
            lot.balance, left, self.granted = lot.balance - part, left - part, self.granted - part
        payment.reward = {"waiting": "cancelled", "granted": "clawed_back"}.get(payment.reward, "")
        payment.state = "refunded"
        return ""

    def reverse(self, order: str) -> str:
        self.barred.add(order)
        for payment in self.payments:
            if payment.order == order and payment.state not in ("voided", "expired"):
                held = payment.state == "authorized"
                return self.release(payment, "voided") if held else self.refund(payment, late=False)
        return ""

    def grant(self, payment: Payment) -> str:
        if payment.reward != "waiting":
            return "reward_not_waiting"
        if self.at < midnight(payment.moved, 8):
            return "reward_not_due"
        if payment.card.total() + payment.rebate > CARD_MAX:
            return "law_registered_balance_above_max"
        payment.lot = Lot(BONUS, payment.rebate, self.at, self.at + 90 * DAY)
        payment.card.lots.append(payment.lot)
        payment.reward, self.granted = "granted", self.granted + payment.rebate
        return ""

    def expire(self, lot: Lot) -> str:
        free = lot.balance - lot.held
        if lot.expired or not lot.over(self.at) or not free:
            return "lot_not_expired"
        lot.balance, lot.expired, self.granted = lot.held, not lot.held, self.granted - free
        return ""

    def move(self, card: Card, verb: str) -> str:
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
