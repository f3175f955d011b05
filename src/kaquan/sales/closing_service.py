"""Returning cards for everybody else: the handlers, the payee sealed, look-ups, what is due."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from kaquan.cards.model import Wanted
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.holders import service as holders
from kaquan.kernel.calendar import Calendar
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.subject_keys import MasterKey
from kaquan.programs.catalogue import Catalogue
from kaquan.rewards.service import running_plans
from kaquan.sales import closing_payout as payout
from kaquan.sales import closing_rules as rules
from kaquan.sales import closing_store as store
from kaquan.sales.closing_model import ClosingFacts, PayOutClosing, Route
from kaquan.vouchers.claims import wanted_pools
from kaquan.vouchers.service import load_facts

closing = store.closing
closings_of = store.closings_of
closings_due = store.closings_due


class ClosingHandler(Handler):
    """Whatever happens to a request to return a card."""

    def __init__(self, kind: Kind, catalogue: Catalogue, calendar: Calendar) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue
        self._calendar = calendar

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ClosingFacts:
        """Requests with their cards, all lots of these, what was bought, the plans that run; what is owed."""
        connection = cursor.connection
        ids = [entry.command.closing for entry in entries if self.kind is not Kind.REQUEST_CLOSING]
        if self.kind is Kind.PAY_OUT_CLOSING:
            facts = _facts(load_facts(cursor, entries, Wanted(), lock))
            store.owed(connection, ids, facts, lock=lock)
            return facts
        asked = {entry.command.card for entry in entries if self.kind is Kind.REQUEST_CLOSING}
        found = store.closings(connection, ids, asked, lock=lock)
        cards = asked | {one.card for one in found if one.id in ids}
        plans = running_plans(connection, cards) if self.kind is Kind.CLOSE_CARD else []
        stocks = [self._catalogue.stock(plan.terms, plan.stock) for plan, _ in plans]
        slices = {key for stock in stocks for key in wanted_pools(stock, at)}
        facts = _facts(load_facts(cursor, entries, Wanted(cards=cards, slices=slices), lock))
        facts.closings = {one.id: one for one in found}
        store.fill(connection, cards, facts)
        for plan, origin in plans:
            facts.plans.setdefault(plan.card, []).append(plan)
            facts.origins[plan.id] = origin
        return facts

    def decide(self, entry: Entry, facts: ClosingFacts, at: datetime) -> Plan | Refusal:
        """See `sales.closing_rules` and `sales.closing_payout`."""
        match self.kind:
            case Kind.REQUEST_CLOSING:
                return rules.decide_request(entry, facts, self._catalogue, self._calendar, at)
            case Kind.CLOSE_CARD:
                return rules.decide_close(entry, facts, self._catalogue, at)
            case Kind.CANCEL_CLOSING:
                return rules.decide_cancel(entry, facts)
            case Kind.NOTE_OVERDUE:
                return rules.decide_overdue(entry, facts, at)
            case Kind.PAY_OUT_CLOSING:
                return payout.decide_pay_out(entry, facts, self._catalogue, at)
        raise TypeError(f"not a command on a returned card: {self.kind.name}")


class Payee(msgspec.Struct, frozen=True):
    """Who is paid, in normalised form: personal data, never printed. `id_number` where nobody knows who holds the
    card."""

    name: str
    account_bank: str = ""
    account_no: str = ""
    id_number: str | None = None

    def __repr__(self) -> str:
        return "Payee(…)"


def paying_out(
    connection: psycopg.Connection[Any],
    master: MasterKey,
    caller: Caller,
    key: str,
    *,
    closing: Id,
    route: Route,
    reference: str,
    payee: Payee | None = None,
) -> PayOutClosing:
    """The command that records a payment: the payee is compared with the card's holder, and sealed with her key."""
    told: dict[str, Any] = {"key": key, "caller": caller, "closing": closing, "route": route, "reference": reference}
    found = store.closing(connection, closing)
    if payee is None or found is None:
        return PayOutClosing(**told)
    wallet = Id(found.wallet.bytes)
    person = holders.read_person(connection, master, wallet)
    plain = msgspec.json.encode(payee, order="sorted")
    return PayOutClosing(
        **told,
        same_name=None if person is None else person.name == payee.name,
        identified=payee.id_number is not None,
        payee=holders.sealed_for(connection, master, wallet, b"payee", plain),
        payee_digest=hmac.digest(master.derive("payee-digest"), plain, "sha256")[:16],
    )


def payee_of(connection: psycopg.Connection[Any], master: MasterKey, row: Any) -> Payee | None:
    """To whom a request was paid; None for the way the money came, or an erased holder. Never log what this gives."""
    if row.payee is None:
        return None
    plain = holders.opened_for(connection, master, Id(row.wallet.bytes), b"payee", bytes(row.payee))
    return None if plain is None else msgspec.json.decode(plain, type=Payee)


def handlers(catalogue: Catalogue, calendar: Calendar) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    kinds = (
        *(Kind.REQUEST_CLOSING, Kind.CLOSE_CARD, Kind.CANCEL_CLOSING),
        *(Kind.NOTE_OVERDUE, Kind.PAY_OUT_CLOSING),
    )
    return {kind: ClosingHandler(kind, catalogue, calendar) for kind in kinds}


def _facts(facts: Any) -> ClosingFacts:
    """Facts for facts that hold more."""
    return ClosingFacts(facts.commands, facts.cards, facts.lots, facts.vouchers, facts.wallets, facts.quotas)
