"""Payments for everybody else: the handlers of each command, reversal by order number, what is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.cards.model import CardFacts, Wanted
from kaquan.cards.service import load_cards
from kaquan.commands.execute import Door, Unavailable, key_refusal
from kaquan.commands.handler import Handler
from kaquan.commands.loading import installation
from kaquan.commands.model import Entry, Kind, Outcome, Plan, Refused, Routed, scoped_id
from kaquan.commands.trouble import told
from kaquan.db.wire import raw_cursor
from kaquan.kernel.caller import OPERATOR, Caller
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes import service as codes
from kaquan.payment_codes.errors import PAYMENT_CODE_INVALID
from kaquan.payment_codes.model import Purse, ShownCode
from kaquan.payments import errors, holds, orders, refunds, rules, store
from kaquan.payments.model import Pay, PayFacts, PaymentFacts, Refund, Reverse, ReverseUnknown
from kaquan.payments.quote import Quote, with_best_vouchers
from kaquan.privacy.subject_keys import MasterKey
from kaquan.programs.catalogue import Catalogue
from kaquan.quotas.model import SliceKey, slice_keys
from kaquan.rewards import errors as reward_errors
from kaquan.rewards import rules as reward_rules
from kaquan.rewards.bonus import bonus_pools
from kaquan.risk.service import Counters
from kaquan.vouchers.orders import day_number
from kaquan.vouchers.service import load_facts

payment = store.payment
refunds_of = store.refunds_of
holds_due = store.holds_due
rewards_due = store.rewards_due
order_refusal = rules.order_refusal


class PayHandler(Handler):
    """Pay and authorize. `master` opens the secrets that payment codes are judged by."""

    def __init__(self, kind: Kind, catalogue: Catalogue, master: MasterKey) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue
        self._master = master
        self._counters = Counters(catalogue)

    def route(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> Routed:
        """Claim payment codes, then the merchants' order numbers, each for a payment that could be meant."""
        meant = [entry for entry in entries if rules.may_claim(entry.command, self._catalogue)]
        coded = [entry for entry in meant if entry.command.code is not None]
        if not coded:
            return orders.claim(cursor, meant, at, dry_run)
        refused = codes.claim(cursor, self._master, coded, at, dry_run=dry_run)
        return refused | orders.claim(cursor, [entry for entry in meant if entry.id not in refused], at, dry_run)

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> PayFacts:
        """Cards with lots, named or behind a code, with what they paid today where it is limited; vouchers with
        what their holders used today."""
        vouchers = {one for entry in entries for one in entry.command.vouchers}
        cards = {entry.command.card for entry in entries if entry.command.card is not None}
        purses = self._purses(cursor, entries, routed) if any(entry.command.code for entry in entries) else {}
        cards.update(card for purse in purses.values() for card in purse.cards)
        day = day_number(at)
        counters = self._counters.wanted(cards, day)
        wanted = Wanted(cards=cards, vouchers=vouchers, tallies=counters, use_day=day if vouchers else None)
        facts = load_facts(cursor, entries, wanted, lock)
        known = (facts.commands, facts.cards, facts.lots, facts.vouchers, facts.wallets, facts.quotas)
        return PayFacts(*known, routed, purses)

    def _purses(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed) -> dict[bytes, Purse]:
        """The cards behind the codes that count."""
        shown: dict[bytes, ShownCode] = {
            entry.id: entry.command.code
            for entry in entries
            if entry.command.code is not None
            and (entry.id not in routed or routed[entry.id].code is not PAYMENT_CODE_INVALID)
        }
        return codes.purses(cursor, shown) if shown else {}

    def decide(self, entry: Entry, facts: PayFacts, at: datetime) -> Plan | Refusal:
        """See `payments.rules`."""
        return rules.decide_pay(entry, facts, self._catalogue, at)


class PaymentHandler(Handler):
    """Whatever happens to an earlier payment: capture, void, expire, refund, reverse, grant its rebate."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> PaymentFacts:
        """Payments with their rewards, cards, lots and vouchers; what came back before; what funders have left."""
        facts = store.load_payments(cursor, entries, [entry.command.payment for entry in entries], lock)
        if facts.payments and self.kind in (Kind.REFUND, Kind.REVERSE):
            store.load_refunds(cursor, facts)
        if slices := self._pools(facts):
            facts.quotas.slices = load_facts(cursor, entries, Wanted(slices=slices), lock).quotas.slices
        return facts

    def _pools(self, facts: PaymentFacts) -> set[SliceKey]:
        """Funders' budgets: a rebate is granted from them, a refund may ask them to promise a voucher again."""
        if self.kind is Kind.GRANT_REWARD:
            rewarding = [self._catalogue.terms[reward.terms] for reward in facts.rewards.values()]
            return {key for terms in rewarding for key in bonus_pools(terms, "rebate", self._catalogue)}
        if self.kind not in (Kind.REFUND, Kind.REVERSE):
            return set()
        stocks = [self._catalogue.stock(one.terms, one.stock) for one in facts.vouchers.values()]
        funds = {share.fund.id for stock in stocks for share in stock.funding if share.fund is not None}
        return {key for fund in funds for key in slice_keys(fund)}

    def decide(self, entry: Entry, facts: PaymentFacts, at: datetime) -> Plan | Refusal:
        """See `payments.holds`, `payments.refunds` and `rewards.rules`."""
        match self.kind:
            case Kind.CAPTURE:
                return holds.decide_capture(entry, facts, self._catalogue, at)
            case Kind.VOID | Kind.EXPIRE_HOLD:
                return holds.decide_release(entry, facts, self._catalogue, at)
            case Kind.REFUND:
                return refunds.decide_refund(entry, facts, self._catalogue, at)
            case Kind.REVERSE:
                return refunds.decide_reverse(entry, facts, self._catalogue, at)
            case Kind.GRANT_REWARD:
                return self._grant(entry, facts, at)
        raise TypeError(f"not an operation on a payment: {self.kind.name}")

    def _grant(self, entry: Entry, facts: PaymentFacts, at: datetime) -> Plan | Refusal:
        reward = facts.rewards.get(entry.command.payment)
        paid = facts.payments.get(entry.command.payment)
        if reward is None or paid is None:
            return Refusal(reward_errors.REWARD_NOT_WAITING)
        return reward_rules.grant(entry, facts.cards[paid.card], facts, reward, self._catalogue, at)


class ReverseUnknownHandler(PaymentHandler):
    """The tombstone of an order that nobody has tried to pay."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> PaymentFacts:
        """Earlier decisions only."""
        return store.load_payments(cursor, entries, [], lock)

    def decide(self, entry: Entry, facts: PaymentFacts, at: datetime) -> Plan | Refusal:
        """Always yes."""
        return refunds.decide_reverse_unknown(entry)


class ExpireLotHandler(Handler):
    """Expiry of lots."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> CardFacts:
        """The cards with their lots."""
        return load_cards(cursor, entries, [entry.command.card for entry in entries], lock)

    def decide(self, entry: Entry, facts: CardFacts, at: datetime) -> Plan | Refusal:
        """See `rewards.rules.expire`."""
        card = facts.cards.get(entry.command.card)
        if card is None:
            return Refusal(reward_errors.LOT_NOT_EXPIRED)
        return reward_rules.expire(entry, card, facts.of(card.id), self._catalogue, at)


def handlers(catalogue: Catalogue, master: MasterKey) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    later = (Kind.CAPTURE, Kind.VOID, Kind.EXPIRE_HOLD, Kind.REFUND, Kind.REVERSE, Kind.GRANT_REWARD)
    return {
        Kind.PAY: PayHandler(Kind.PAY, catalogue, master),
        Kind.AUTHORIZE: PayHandler(Kind.AUTHORIZE, catalogue, master),
        Kind.EXPIRE_LOT: ExpireLotHandler(Kind.EXPIRE_LOT, catalogue),
        **{kind: PaymentHandler(kind, catalogue) for kind in later},
    }


def reverse(door: Door, catalogue: Catalogue, caller: Caller, key: str, merchant: Id, order_no: str) -> Outcome:
    """Undo a payment by the merchant's order number, when the till does not know what became of it.

    The order is barred first, so that nothing can take effect for it any more; then whatever had is undone. What
    no reversal can mean is refused before, and bars nothing. Raises `Unavailable` when the database is gone.
    """
    unknown = ReverseUnknown(key=key, caller=caller, merchant=merchant, order_no=order_no)
    if refusal := key_refusal(key) or rules.order_refusal(order_no):
        return Refused(scoped_id(caller.organisation, unknown.subject, ""), refusal)
    own = scoped_id(caller.organisation, unknown.subject, key)
    try:
        catalogue.refresh(door.connection, installation(door.connection)[1])
        if merchant not in catalogue.merchants or not caller.reaches(merchant):
            return Refused(own, Refusal(errors.MERCHANT_UNKNOWN))
        held_by = orders.bar(door.connection, merchant, order_no, own, microseconds(door.at()))
    except (psycopg.OperationalError, psycopg.InterfaceError) as gone:
        raise Unavailable(told(gone)) from gone
    if held_by is None:
        return door.one(ReverseUnknownHandler(Kind.REVERSE, catalogue), unknown)
    command = Reverse(key=key, caller=caller, payment=held_by, merchant=merchant, order_no=order_no)
    return door.one(PaymentHandler(Kind.REVERSE, catalogue), command)


def refund_facts(connection: psycopg.Connection[Any], catalogue: Catalogue, payment: Id) -> PaymentFacts:
    """All that a refund of a payment would be decided on, as it is now; for looking, not for changing."""
    asked = Refund(key="look", caller=OPERATOR, payment=payment, reason="")
    entry = Entry(asked, scoped_id(OPERATOR.organisation, payment, asked.key), b"")
    handler = PaymentHandler(Kind.REFUND, catalogue)
    with raw_cursor(connection) as cursor:
        return handler.load(cursor, [entry], {}, False, instant(0))


def quote(door: Door, catalogue: Catalogue, kind: Kind, command: Pay, master: MasterKey) -> Quote:
    """How the payer's vouchers would best pay an order, and what would come of it: who pays what, the rebate to come,
    or the refusal. Vouchers that the command names already stay. What is in a wallet is told only to who shows a code
    that counts. Raises `Unavailable` when the database is gone."""
    choice, handler = None, PayHandler(kind, catalogue, master)
    if command.code is not None:
        tried = door.one(handler, command, dry_run=True)
        if isinstance(tried, Refused) and (tried.replayed or not tried.refusal.code.burns):  # the code was not judged
            return Quote(command, None, tried)
    try:
        if not command.vouchers:
            command, choice = with_best_vouchers(door, catalogue, command)
    except (psycopg.OperationalError, psycopg.InterfaceError) as gone:
        raise Unavailable(told(gone)) from gone
    return Quote(command, choice, door.one(handler, command, dry_run=True))


def find_order(connection: psycopg.Connection[Any], merchant: Id, order_no: str) -> Id | None:
    """The payment that claimed an order number, whether or not it took effect; None when nobody has."""
    found = orders.find(connection, merchant, order_no)
    return None if found is None else Id(found[0])
