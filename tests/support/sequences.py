"""Random lives of orders, step by step through the real rules, with the oracle asked before each refund.

A sequence is drawn from a seed and told again by it. It has one card and one shop; orders with vouchers of several
funders, bonus and subsidies of several payers, money outside; refunds by amount, by line and of the rest, on time and
late, before and after a settlement; lots and vouchers expire, rebates are granted, the card is frozen and closed.
"""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import msgspec

from kaquan.cards.model import NO_FUND, CardState, LotKind
from kaquan.commands.model import Entry, Plan
from kaquan.documents.outcomes import plain
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.oracle.model import Ask, Outcome, PaidOrder, Verdict
from kaquan.oracle.rules import judge
from kaquan.payments.model import Pay, Payment, Refund
from kaquan.payments.tenders import unpack_lines, unpack_returned
from kaquan.programs.catalogue import FundShare, Stock
from kaquan.programs.terms import Band, RefundTerms
from kaquan.rewards.model import ExpireLot, GrantReward
from kaquan.rewards.rules import expire, grant
from kaquan.vouchers.model import VoucherState
from kaquan.vouchers.orders import Line
from support.catalogues import BUREAU, MALL, SHOP, TERMS, identity, lot, stock
from support.till import NOW, Till

TILL = Caller(organisation=2, role=Role.MERCHANT)
FUNDINGS = (
    (FundShare(BUREAU, 6_000), FundShare(MALL, 4_000)),
    (FundShare(None, 10_000),),
    (FundShare(BUREAU, 3_333), FundShare(MALL, 3_333), FundShare(None, 3_334)),
    (FundShare(MALL, 10_000),),
)
DAY = timedelta(days=1)


class Sequence:
    """One random life; `run` raises AssertionError, which names the seed, when engine and oracle differ."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.draw = Random(seed)
        self.seen: Counter[str] = Counter()
        draw = self.draw
        stocks = [self._stock(number) for number in range(1, draw.choice((0, 1, 1, 2, 3)) + 1)]
        self.till = till = Till(*stocks, budget=draw.choice((0, 50, 5_000)), refund=self._terms())
        terms = till.catalogue.terms[TERMS.id]
        rebate = msgspec.structs.replace(
            terms.terms.rebate,
            mode=draw.choice(("whole", "marginal")),
            bands=(Band(from_fen=Money(1_000), rate_bps=500), Band(from_fen=Money(5_000), rate_bps=900)),
            cap_fen=Money(draw.choice((300, 20_000))),
        )
        spending = msgspec.structs.replace(terms.terms.spending, burn_order=draw.choice(BURNS))
        told = msgspec.structs.replace(terms.terms, rebate=rebate, spending=spending)
        till.catalogue.terms = till.catalogue.latest = {TERMS.id: msgspec.structs.replace(terms, terms=told)}
        till.number = 10_000  # ids of commands apart from those of lots and vouchers
        till.lots[:] = list(self._lots())
        self.came_in = Counter({one.id: one.balance for one in till.lots})
        self.granted_by = Counter({fund.id: till.books[Account.FUNDER_BUDGET, fund.id] for fund in (BUREAU, MALL)})
        for fund in (BUREAU, MALL):
            self.granted_by[fund.id] += till.books[Account.FUNDER_COMMITTED, fund.id]
        for one in till.vouchers.values():
            one.expires_us = microseconds(NOW + DAY * draw.choice((3, 20, 90)))
        self.settled = False

    def _terms(self) -> RefundTerms:
        draw = self.draw
        return msgspec.structs.replace(
            TERMS.terms.refund,
            order=draw.choice(("pro_rata", "pro_rata", "first_paid_first", "last_paid_first")),
            count_max=draw.choice((0, 0, 0, 3)),
            frozen_card=draw.choice(("accept", "accept", "refuse")),
            expired_principal=draw.choice(("card", "holder")),
            expired_grant_days=draw.choice((0, 0, 10)),
        )

    def _stock(self, number: int) -> Stock:
        draw = self.draw
        return stock(
            number,
            *draw.choice(FUNDINGS),
            kind=(kind := draw.choice(("threshold", "percent", "instant"))),
            rate_bps=draw.randint(1, 6_000) if kind == "percent" else 0,
            face_fen=draw.randint(1, 4_000),
            min_order_fen=draw.choice((0, 3_000)),
            goods=draw.choice(("", "", "bread")),
            rank=draw.randint(0, 2),
            partial_refund=draw.choice(("keep", "keep", "reprice")),
            after_refund=draw.choice(("reusable", "proportional", "reissue", "never")),
        )

    def _lots(self) -> Any:
        draw = self.draw
        yield lot(1, draw.randint(3_000, 20_000))
        for number in range(2, 2 + draw.randint(0, 3)):
            kind = draw.choice((LotKind.PRINCIPAL, LotKind.BONUS, LotKind.BONUS, LotKind.SUBSIDY))
            funds = [BUREAU.id, MALL.id] if kind == LotKind.SUBSIDY else [NO_FUND, BUREAU.id]
            made = lot(number, draw.randint(1, 3_000), kind)
            made.fund = NO_FUND if kind == LotKind.PRINCIPAL else draw.choice(funds)
            made.source = Source.OPERATING
            made.expires_us = microseconds(NOW + DAY * draw.choice((5, 30))) if draw.random() < 0.5 else 0
            yield made

    def run(self) -> None:
        """Pay once or twice, then whatever comes."""
        payments = [
            one for one in (self._pay(number) for number in range(self.draw.randint(1, 2))) if one is not None
        ]
        if not payments:
            return
        for _ in range(self.draw.randint(2, 10)):
            self._step(payments)
        for payment in payments:
            self._refund(payment, Ask(late=True), OPERATOR)
        self._nobody_gains(payments)

    def _pay(self, number: int) -> Payment | None:
        draw, till = self.draw, self.till
        goods = [(draw.choice(("bread", "tea")), draw.randint(1, 4_000)) for _ in range(draw.randint(1, 5))]
        amount = sum(part for _, part in goods)
        lines = tuple(Line(code, Money(part)) for code, part in goods) if draw.random() < 0.7 else ()
        vouchers = tuple(one.id for one in till.vouchers.values() if one.state == VoucherState.ISSUED)
        outside = Money(draw.choice((0, 0, min(300, amount // 3))))
        for names in (vouchers, vouchers[:1], ()):
            command = Pay(
                key="k", caller=OPERATOR, card=till.card.id, amount=Money(amount), lines=lines, outside=outside,
                vouchers=names, store=None, order_no=f"o{number}", merchant=SHOP.id,
            )  # fmt: skip
            if isinstance(till.say(command), Plan):
                return till.payments[identity(till.number)]
        return None

    def _step(self, payments: list[Payment]) -> None:
        """A refund, or what happens meanwhile."""
        draw, till = self.draw, self.till
        happening = draw.choices(
            ("refund", "time", "grant", "expire", "card", "settle", "forfeit"), (55, 10, 17, 6, 6, 4, 2)
        )[0]
        match happening:
            case "refund":
                payment = draw.choice(payments)
                self._refund(payment, self._ask(payment), draw.choice((OPERATOR, OPERATOR, TILL)))
            case "time":
                till.now += DAY * draw.choice((1, 6, 9, 31))
            case "grant":
                self._grant(draw.choice(payments))
                if len(payments) < 4 and (more := self._pay(len(payments))) is not None:
                    payments.append(more)
            case "expire":
                self._expire()
            case "card":
                self._card()
            case "settle":
                self.settled = True
            case "forfeit":
                for one in till.vouchers.values():
                    if one.state == VoucherState.REDEEMED and draw.random() < 0.5:
                        one.state = VoucherState.FORFEITED

    def _ask(self, payment: Payment) -> Ask:
        draw = self.draw
        late, left, lines = draw.random() < 0.6, payment.captured - payment.refunded, unpack_lines(payment.lines)
        if lines and draw.random() < 0.35:
            chosen = [at for at in range(len(lines) + 1) if draw.random() < 0.4] or [0]
            open_ = [at for at in chosen if at < len(lines) and not lines[at].returned]
            return Ask(lines=tuple(open_ if open_ and draw.random() < 0.9 else chosen), late=late)
        if draw.random() < 0.15:
            return Ask(late=late)
        most = max(1, left) if draw.random() < 0.6 else 9
        return Ask(amount=min(draw.randint(1, most), left + 1), late=late)

    def _grant(self, payment: Payment) -> None:
        till, reward = self.till, self.till.rewards.get(payment.id)
        if reward is None or till.card.state == CardState.CLOSED:
            return
        till.now = max(till.now, instant(reward.due_us))
        till.number += 1
        command = GrantReward(key="k", caller=OPERATOR, card=till.card.id, payment=payment.id)
        facts, entry = till.facts(), Entry(command, identity(till.number), b"")
        plan = grant(entry, till.card, facts, reward, till.catalogue, till.now)
        if isinstance(plan, Plan):
            till.take(plan)
            facts.absorb(plan)
            for born in plan.born:
                self.came_in[born.id] = born.granted
            self.seen["granted"] += 1

    def _expire(self) -> None:
        till = self.till
        for one in list(till.lots):
            till.number += 1
            command = ExpireLot(key="k", caller=OPERATOR, card=till.card.id, lot=one.id)
            entry = Entry(command, identity(till.number), b"")
            plan = expire(entry, till.card, till.lots, till.catalogue, till.now)
            if isinstance(plan, Plan):
                till.take(plan)
                self.seen["expired"] += 1

    def _card(self) -> None:
        """The card is frozen or not; now and then it is closed, and what it held is gone from it."""
        till = self.till
        if till.card.state == CardState.CLOSED:
            return
        if self.draw.random() < 0.3:
            till.card.state = CardState.CLOSED
            for one in till.lots:
                one.balance = 0
            self.seen["closed"] += 1
            return
        frozen = till.card.state == CardState.FROZEN
        till.card.state = CardState.ACTIVE if frozen else CardState.FROZEN

    def _refund(self, payment: Payment, ask: Ask, caller: Caller) -> None:
        till = self.till
        ask = msgspec.structs.replace(ask, may_late=caller is OPERATOR)
        order = plain(payment, till.facts(), till.catalogue, till.now, settled=self.settled)
        verdict = judge(order, ask)
        before = _state(till, payment, order)
        command = Refund(
            key="k", caller=caller, payment=payment.id, reason="", late=ask.late, lines=ask.lines,
            amount=None if ask.amount is None else Money(ask.amount),
        )  # fmt: skip
        plan = till.say(command)
        try:
            if isinstance(plan, Refusal):
                self.seen[plan.code.code] += 1
                assert not verdict.outcomes, f"the engine refuses {plan.code.code}, the oracle does not"
                assert plan.code.code in {one.code for one in verdict.refused}, plan.code.code
                assert _state(till, payment, order) == before, "a refused refund moved something"
                return
            assert not verdict.refused, f"the oracle refuses {verdict.refused}, the engine does not"
            answer = msgspec.json.decode(plan.answer)
            agree(order, verdict, before, _state(till, payment, order), answer)
            for code in {one.code for one in verdict.outcomes[0].reasons}:
                self.seen[code] += 1
        except AssertionError as wrong:
            raise AssertionError(f"seed {self.seed}: {ask}\n{order}\n{verdict}\n{wrong}") from wrong

    def _nobody_gains(self, payments: list[Payment]) -> None:
        """Per tender and per funder never more came back than came in."""
        till = self.till
        for payment in payments:
            weights = [part.paid for part in plain(payment, till.facts(), till.catalogue, till.now).parts]
            gone = unpack_returned(payment.returned, len(weights))
            assert all(0 <= back <= paid for back, paid in zip(gone, weights, strict=True)), self.seed
        for one in till.lots:
            assert 0 <= one.balance <= self.came_in.get(one.id, 10**9), (self.seed, one)
        for fund in (BUREAU, MALL):
            mine = sum(self.came_in[one.id] for one in till.lots if one.fund == fund.id)
            has = till.books[Account.FUNDER_BUDGET, fund.id] + till.books[Account.FUNDER_COMMITTED, fund.id]
            assert has <= self.granted_by[fund.id] + mine, self.seed
        assert all(fen >= 0 for fen in till.owed.values()), self.seed


BURNS = ("principal_first", "bonus_first", "pro_rata", "earliest_expiry")


class State(msgspec.Struct, frozen=True):
    """What a refund changes, seen from outside."""

    back: tuple[int, ...]
    vouchers: tuple[tuple[bytes, int], ...]
    cut: int
    owed_holder: int
    balances: tuple[tuple[bytes, int], ...]
    books: int


def _state(till: Till, payment: Payment, order: PaidOrder) -> State:
    reward = till.rewards.get(payment.id)
    return State(
        tuple(unpack_returned(payment.returned, len(order.parts))),
        tuple((one.id, one.state) for one in till.vouchers.values()),
        reward.cut if reward is not None else 0,
        till.books[Account.HOLDER_REFUND, till.card.id],
        tuple((one.id, one.balance) for one in till.lots),
        sum(abs(fen) for fen in till.books.values()),
    )


def agree(order: PaidOrder, verdict: Verdict, before: State, after: State, answer: dict[str, Any]) -> None:
    """What the engine did is one of the outcomes of the oracle."""
    shares = [then - was for was, then in zip(before.back, after.back, strict=True)]
    outcome = verdict.outcomes[0]
    assert sum(shares) == outcome.amount == answer["amount_fen"]
    for part, share in zip(shares, outcome.shares, strict=True):
        assert share.least <= part <= share.most, f"part {share.place}: {part}, not {share}"
        assert order.parts[share.place].back + part <= order.parts[share.place].paid
    _landed(order, outcome, shares, before, after, answer)
    cut = after.cut - before.cut
    assert outcome.rebate_cut[0] <= cut <= outcome.rebate_cut[1], f"rebate cut {cut}, not {outcome.rebate_cut}"
    assert cut == answer["rebate_cancelled_fen"] + answer["clawback_fen"] + answer["clawback_short_fen"]
    assert outcome.set_off[0] <= answer["set_off_fen"] <= outcome.set_off[1]
    fates = _fates(order, before, after, answer)
    told = [(sum(one.fate == "again" for one in each.vouchers), sum(one.fate == "in_place" for one in each.vouchers))
            for each in verdict.outcomes]  # fmt: skip
    assert fates in told, f"vouchers again and in place: {fates}, not {told}"


def _landed(
    order: PaidOrder, outcome: Outcome, shares: list[int], before: State, after: State, answer: dict[str, Any]
) -> None:
    """Where the card's part of it ended."""
    ends: Counter[str] = Counter()
    for part, share in zip(shares, outcome.shares, strict=True):
        if order.parts[share.place].kind not in ("voucher", "outside"):
            ends[share.goes] += part
    assert answer["holder_fen"] == ends["owed_to_holder"] == after.owed_holder - before.owed_holder
    off = answer["set_off_fen"]
    assert ends["payer"] - off <= answer["payer_fen"] <= ends["payer"]
    gained = sum(fen for _, fen in after.balances) - sum(fen for _, fen in before.balances)
    came = ends["on_card"] + ends["on_card_anew"] + ends["payer"]
    told = came - answer["payer_fen"] - off - answer["clawback_fen"]
    assert gained == told, f"the card gained {gained}, not {told}: {before.balances} {after.balances} {answer}"


def _fates(order: PaidOrder, before: State, after: State, answer: dict[str, Any]) -> tuple[int, int]:
    was, then = dict(before.vouchers), dict(after.vouchers)
    again = sum(then[one] == VoucherState.ISSUED != state for one, state in was.items())
    assert answer["vouchers_usable"] == again + answer["vouchers_issued"]
    assert answer["vouchers_issued"] == len(then) - len(was)
    return again, answer["vouchers_issued"]
