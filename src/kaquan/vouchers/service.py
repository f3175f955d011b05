"""Vouchers for everybody else: their facts, the handlers of their own commands, look-ups, what is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.cards.model import Wanted
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue
from kaquan.vouchers import claims, rules, store
from kaquan.vouchers.model import SpendingFacts

load_facts = store.load_facts
voucher_rows = store.voucher_rows
of_wallet = store.of_wallet
view = store.view
vouchers_due = store.vouchers_due


class ClaimHandler(Handler):
    """Claims. A rush is nothing but many of them."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(Kind.CLAIM, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> SpendingFacts:
        """Wallets, and what is left of the stocks and of their funders' money."""
        wanted = Wanted(wallets={entry.command.wallet for entry in entries})
        stocks = {(entry.command.program, entry.command.stock) for entry in entries}
        known = [stock for codes in stocks if (stock := self._catalogue.stock_by_code(*codes))]
        wanted.slices = {key for stock in known for key in claims.wanted_pools(stock, at)}
        return store.load_facts(cursor, entries, wanted, lock)

    def decide(self, entry: Entry, facts: SpendingFacts, at: datetime) -> Plan | Refusal:
        """See `vouchers.claims`."""
        return claims.decide_claim(entry, facts, None, self._catalogue, at)


class VoucherHandler(Handler):
    """Whatever happens to a voucher that somebody has: reserve, release, void, expire."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> SpendingFacts:
        """The vouchers."""
        return store.load_facts(cursor, entries, Wanted(vouchers={entry.command.voucher for entry in entries}), lock)

    def decide(self, entry: Entry, facts: SpendingFacts, at: datetime) -> Plan | Refusal:
        """See `vouchers.rules`."""
        return rules.decide(entry, facts, self._catalogue, at)


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    own = (Kind.VOID_VOUCHER, Kind.EXPIRE_VOUCHER, Kind.RESERVE_VOUCHER, Kind.RELEASE_VOUCHER)
    return {Kind.CLAIM: ClaimHandler(catalogue), **{kind: VoucherHandler(kind, catalogue) for kind in own}}
