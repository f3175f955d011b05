"""A program on the traffic of the past. Pure.

What is assumed is the worst case that the terms allow: everybody claims whatever may be claimed as soon as it helps,
uses the best legal combination of vouchers for each order, and buys and pays what was bought and paid then. Nobody
changes behaviour, so leverage is not forecast. Referrals, packets and draws bring what their stocks hold at most:
they are in the program's worst case (`kaquan program liability`), not here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from kaquan.forecast.model import Cost, Forecast, PastOrder, Purchase, Traffic, Winners
from kaquan.funders.rules import promised, used
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id
from kaquan.kernel.money import WHOLE, ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Merchant, Stock, Terms
from kaquan.quotas.model import Quotas
from kaquan.rewards.plans import drip_of, due_at
from kaquan.rewards.tiers import rebate
from kaquan.vouchers.claims import Issue, new_voucher, not_open
from kaquan.vouchers.model import NOBODY, Voucher, VoucherState
from kaquan.vouchers.orders import Applied, Order, day_number
from kaquan.vouchers.quote import choose
from kaquan.vouchers.spending import order_of, use_tally

ISSUER = "issuer"


def forecast(terms: Terms, stocks: Iterable[Stock], merchants: dict[str, Merchant], traffic: Traffic) -> Forecast:
    """What the program would have made of the traffic."""
    rehearsal = _Rehearsal(terms, list(stocks), merchants)
    events: list[Purchase | PastOrder] = [*traffic.purchases, *traffic.orders]
    for event in sorted(events, key=_in_time):
        if isinstance(event, Purchase):
            rehearsal.purchase(event)
        else:
            rehearsal.order(event)
    return rehearsal.result(traffic)


class _Rehearsal:
    """The state of the program as the past goes by."""

    def __init__(self, terms: Terms, stocks: list[Stock], merchants: dict[str, Merchant]) -> None:
        self._terms = terms
        self._stocks = {stock.code: stock for stock in stocks}
        self._merchants = merchants
        self._left = {stock.code: [stock.rules.count, _budget(stock)] for stock in stocks}
        self._day: Counter[tuple[str, int]] = Counter()
        self._had: Counter[tuple[bytes, str, int]] = Counter()
        self._wallets: dict[bytes, list[tuple[Voucher, Stock]]] = defaultdict(list)
        self._drips: dict[bytes, list[tuple[datetime, Stock]]] = defaultdict(list)
        self._quotas = Quotas({}, {})
        self._costs: Counter[tuple[str, str]] = Counter()
        self._gains: Counter[bytes] = Counter()
        self._merchant: Counter[str] = Counter()
        self._issued: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._count = 0
        self._not_sold = 0
        self._with_voucher = 0

    def purchase(self, event: Purchase) -> None:
        """The presale bonus, and the monthly plans that it starts."""
        at = instant(event.at_us)
        paid = self._terms.paid_for(event.face)
        if paid is None:
            self._not_sold += 1
        elif bonus := event.face - paid:
            self._cost("presale", ISSUER, bonus, event.wallet)
        if drip := drip_of(self._terms, event.face):
            stock = self._stocks[drip.stock]
            months = range(drip.months * drip.each_month)
            self._drips[event.wallet] += [(due_at(at, 1 + number // drip.each_month), stock) for number in months]

    def order(self, event: PastOrder) -> None:
        """What plans and claims bring by then, the best vouchers for the order, its rebate."""
        at = instant(event.at_us)
        merchant = self._merchants.get(event.merchant)
        if merchant is None or not self._terms.accepts(merchant):
            return
        self._hand_out(event.wallet, at)
        order = order_of(
            Id(self._next()), merchant, event.store, order_no=str(self._count), amount=event.amount, lines=()
        )
        most = self._terms.terms.spending.vouchers_max
        held = self._wallets[event.wallet]
        choice = choose(order, held, self._quotas, at, most=most, room=event.amount)
        for one in choice.applied:
            self._redeem(one, order, event, at)
        self._with_voucher += bool(choice.applied)
        gone = {one.voucher.id for one in choice.applied}
        self._wallets[event.wallet] = [pair for pair in held if pair[0].id not in gone]
        if earned := rebate(Money(event.amount - choice.amount), self._terms.terms.rebate):
            self._cost("rebate", ISSUER, earned, event.wallet)

    def _hand_out(self, wallet: Id, at: datetime) -> None:
        waiting = self._drips[wallet]
        self._drips[wallet] = [(day, stock) for day, stock in waiting if day > at]
        for day, stock in waiting:
            if day <= at:
                self._issue(wallet, stock, day)
        self._wallets[wallet] = [pair for pair in self._wallets[wallet] if at < instant(pair[0].expires_us)]
        for stock in self._stocks.values():
            has = any(held.code == stock.code for _, held in self._wallets[wallet])
            if stock.rules.hand_out == "claim" and not has and not_open(stock, at) is None:
                self._issue(wallet, stock, at)

    def _issue(self, wallet: Id, stock: Stock, at: datetime) -> None:
        """One more voucher, if the stock, the day and the person's share still have one."""
        rules, day = stock.rules, day_number(at)
        left = self._left[stock.code]
        in_all, today = self._had[wallet, stock.code, 0], self._had[wallet, stock.code, day]
        enough = left[0] and left[1] >= rules.face_fen
        person = (not rules.person_total or in_all < rules.person_total) and (
            not rules.person_day or today < rules.person_day
        )
        if not enough or not person or (rules.day_count and self._day[stock.code, day] >= rules.day_count):
            return
        made = new_voucher(Issue(Id(self._next()), wallet, NOBODY, stock, rules.face_fen), at)
        if isinstance(made, Refusal):
            return
        left[0] -= 1
        left[1] -= rules.face_fen
        self._day[stock.code, day] += 1
        self._had[wallet, stock.code, 0] += 1
        self._had[wallet, stock.code, day] += 1
        self._issued[stock.code] += 1
        voucher = Voucher(
            made.id, 1, wallet, stock.id, stock.terms.id, VoucherState.ISSUED, made.face, 0, made.valid_us,
            made.expires_us, 0, NOBODY,
        )  # fmt: skip
        self._wallets[wallet].append((voucher, stock))

    def _redeem(self, one: Applied, order: Order, event: PastOrder, at: datetime) -> None:
        self._used[one.stock.code] += 1
        self._merchant[order.merchant] += one.amount
        for fund, part in used(promised(one.stock.funding, Money(one.voucher.face)), one.amount):
            self._cost(one.stock.code, fund.code if fund else "merchant", part, event.wallet)
        if one.stock.rules.use_person_day:
            use_tally(one.voucher, self._quotas, day_number(at)).count += 1

    def _cost(self, of: str, fund: str, amount: int, wallet: Id) -> None:
        self._costs[of, fund] += amount
        self._gains[wallet] += amount

    def _next(self) -> bytes:
        self._count += 1
        return sha256(b"%d" % self._count).digest()[:16]

    def result(self, traffic: Traffic) -> Forecast:
        """What it came to."""
        outstanding = sum(voucher.face for held in self._wallets.values() for voucher, _ in held)
        planned = sum(stock.rules.face_fen for waiting in self._drips.values() for _, stock in waiting)
        holders = {one.wallet for one in traffic.purchases} | {one.wallet for one in traffic.orders}
        return Forecast(
            purchases=len(traffic.purchases),
            sold=Money(sum(event.face for event in traffic.purchases)),
            not_sold=self._not_sold,
            orders=len(traffic.orders),
            spent=Money(sum(event.amount for event in traffic.orders)),
            with_voucher=self._with_voucher,
            issued=dict(sorted(self._issued.items())),
            used=dict(sorted(self._used.items())),
            costs=tuple(Cost(of, fund, Money(sum_)) for (of, fund), sum_ in sorted(self._costs.items()) if sum_),
            promised=Money(outstanding + planned),
            winners=_winners(len(holders), sorted(self._gains.values(), reverse=True)),
            by_merchant=tuple((code, Money(sum_)) for code, sum_ in self._merchant.most_common()),
        )


def _in_time(event: Purchase | PastOrder) -> tuple[int, bool]:
    """Who buys and pays at the same instant buys first."""
    return event.at_us, isinstance(event, PastOrder)


def _winners(holders: int, gains: list[int]) -> Winners:
    total = sum(gains)
    if not total:
        return Winners(holders, 0, ZERO, 0)
    top = sum(gains[: max(1, len(gains) // 100)])
    return Winners(holders, len(gains), Money(gains[len(gains) // 2]), top * WHOLE // total)


def _budget(stock: Stock) -> int:
    return stock.rules.budget_fen or stock.rules.count * stock.rules.face_fen
