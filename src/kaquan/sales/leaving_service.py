"""Passing cards on, and cards that lie unused, for everybody else: handlers, look-ups, what is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from kaquan.cards.model import Wanted
from kaquan.commands.handler import Handler
from kaquan.commands.model import Effect, Entry, Kind, Plan, Routed
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue
from kaquan.rewards.service import running_plans
from kaquan.sales import closing_store, idling, passing
from kaquan.sales import leaving_store as store
from kaquan.sales.leaving_model import LeavingFacts, ReceiveCard, RemindIdle
from kaquan.vouchers.claims import wanted_pools
from kaquan.vouchers.service import load_facts

AGES = store.AGES
arrival = store.arrival
idle_balances = store.idle_balances
transfers_due = store.transfers_due


class LeavingHandler(Handler):
    """A card is passed on, made valid again, reminded of, counted as income."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> LeavingFacts:
        """Cards with all their lots and what is known of them; of a transfer also the receiver."""
        connection, passing_on = cursor.connection, self.kind is Kind.TRANSFER_CARD
        cards = {entry.command.card for entry in entries}
        plans = running_plans(connection, cards) if passing_on else []
        stocks = [self._catalogue.stock(plan.terms, plan.stock) for plan, _ in plans]
        wanted = Wanted(cards=cards, slices={key for stock in stocks for key in wanted_pools(stock, at)})
        wanted.wallets = {entry.command.to for entry in entries} if passing_on else ()
        facts = _facts(load_facts(cursor, entries, wanted, lock))
        closing_store.fill(connection, cards, facts)
        for plan, origin in plans:
            facts.plans.setdefault(plan.card, []).append(plan)
            facts.origins[plan.id] = origin
        if self.kind is Kind.REACTIVATE_CARD:
            store.breakages(connection, cards, facts)
        if self.kind in (Kind.RECOGNISE_BREAKAGE, Kind.REMIND_IDLE):
            store.movements(connection, cards, facts)
        return facts

    def decide(self, entry: Entry, facts: LeavingFacts, at: datetime) -> Plan | Refusal:
        """See `sales.passing` and `sales.idling`."""
        match self.kind:
            case Kind.TRANSFER_CARD:
                return passing.decide_transfer(entry, facts, self._catalogue, at)
            case Kind.REACTIVATE_CARD:
                return idling.decide_reactivate(entry, facts, self._catalogue, at)
            case Kind.RECOGNISE_BREAKAGE:
                return idling.decide_breakage(entry, facts, self._catalogue, at)
            case Kind.REMIND_IDLE:
                return idling.decide_remind(entry, facts, self._catalogue, at)
        raise TypeError(f"not a command on a card that leaves: {self.kind.name}")


class ReceiveHandler(Handler):
    """A card that was passed on arrives."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> LeavingFacts:
        """Receivers; the transfers, which never change, out of the givers' buckets."""
        to = {entry.command.to for entry in entries}
        facts = _facts(load_facts(cursor, entries, Wanted(wallets=to), lock))
        store.transfers(cursor.connection, {entry.command.transfer for entry in entries}, to, facts)
        return facts

    def decide(self, entry: Entry, facts: LeavingFacts, at: datetime) -> Plan | Refusal:
        """See `sales.passing`."""
        return passing.decide_receive(entry, facts, self._catalogue, at)


def following(done: Effect, to: Id) -> ReceiveCard:
    """What lets a card that was passed on arrive at once, under a key of its own."""
    return receiving(Id(bytes.fromhex(done.facts["transfer"])), to)


def receiving(transfer: Id, to: Id) -> ReceiveCard:
    """The command with which a transfer arrives."""
    return ReceiveCard(key=f"receive-{transfer.hex()}", caller=SYSTEM, to=to, transfer=transfer)


def reminders(
    connection: psycopg.Connection[Any], catalogue: Catalogue, at: datetime, key: str, most: int
) -> list[RemindIdle]:
    """Up to `most` reminders of idle cards; keys begin with `key`. It looks at every card: ask once a day."""
    since = _since(catalogue, at)
    if not since:
        return []
    found = store.idle_cards(connection, since, most)
    return [RemindIdle(key=f"{key}-{one.card.hex()}", caller=SYSTEM, card=one.card) for one in found]


def _since(catalogue: Catalogue, at: datetime) -> list[tuple[int, int]]:
    """Since when a card of each program has not moved to count as idle."""
    days = {program: terms.terms.closing.idle_days for program, terms in catalogue.latest.items()}
    return [(program, microseconds(at - timedelta(days=count))) for program, count in days.items() if count]


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    kinds = (Kind.TRANSFER_CARD, Kind.REACTIVATE_CARD, Kind.RECOGNISE_BREAKAGE, Kind.REMIND_IDLE)
    return {
        **{kind: LeavingHandler(kind, catalogue) for kind in kinds},
        Kind.RECEIVE_CARD: ReceiveHandler(Kind.RECEIVE_CARD, catalogue),
    }


def _facts(facts: Any) -> LeavingFacts:
    """Facts for facts that hold more."""
    return LeavingFacts(facts.commands, facts.cards, facts.lots, facts.vouchers, facts.wallets, facts.quotas)
