"""The handlers that bring wallets vouchers: what limits a claim is taken in other buckets before it is decided."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from kaquan.cards.model import Wanted
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Stock
from kaquan.quotas import tokens
from kaquan.quotas.model import Quotas, Want
from kaquan.quotas.service import open_days
from kaquan.vouchers import claims, code_registry, limits, store
from kaquan.vouchers.codes import Code
from kaquan.vouchers.errors import CLAIM_TAKEN_OVER, CODE_NOT_VALID
from kaquan.vouchers.model import ClaimFacts, Reached
from kaquan.vouchers.orders import day_number

Meant = dict[bytes, Stock | Refusal]
"""The stock that each command gets a voucher of, or why it can have none."""

DAYS_KNOWN_MAX = 1_000  # days of stocks that this handler knows to be open; beyond it asks again


class DayBook:
    """Opens the days of stocks that are limited by day, before anything of them is taken."""

    def __init__(self) -> None:
        self._open: set[tuple[bytes, int]] = set()

    def open(self, connection: psycopg.Connection[Any], stocks: Iterable[Stock], at: datetime) -> None:
        """Put the slices of the day of `at` there for these stocks; whoever did before did the same."""
        for stock in stocks:
            day = (stock.pool, day_number(at))
            if day in self._open or not (rows := claims.day_slices(stock, at)):
                continue
            open_days(connection, rows)
            if len(self._open) >= DAYS_KNOWN_MAX:
                self._open.clear()
            self._open.add(day)


class ObtainHandler(Handler):
    """A command that brings its wallet a voucher of a stock."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self.catalogue = catalogue
        self._days = DayBook()

    @abstractmethod
    def stock_of(self, command: Any, facts: ClaimFacts, at: datetime) -> Stock | Refusal:
        """The stock that the command gets a voucher of, if it may now."""

    def route(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> Routed:
        """Open the day, and take the tokens of the limits, for claims that could be meant."""
        return self._take(cursor, entries, self._meant(entries, ClaimFacts({}, {}, {}), at), at, dry_run)

    def _meant(self, entries: Sequence[Entry], facts: ClaimFacts, at: datetime) -> Meant:
        return {entry.id: self.stock_of(entry.command, facts, at) for entry in entries}

    def _take(
        self,
        cursor: psycopg.Cursor[Any],
        entries: Sequence[Entry],
        meant: Meant,
        at: datetime,
        dry_run: bool,
    ) -> dict[bytes, Refusal]:
        """Tokens, for claims of stocks of which there is something left. Of a stock that is spent nobody gets a
        voucher, so its claims only look whether the person has hers."""
        stocks = _stocks(meant)
        if not dry_run:
            self._days.open(cursor.connection, stocks, at)
        limited = {stock.id for stock in stocks if limits.any_of(stock)}
        if not limited:
            return {}
        facts = store.load_facts(cursor, entries, _wanted(entries, stocks, at), lock=False)
        spent = {one.id: why for one in stocks if one.id in limited and (why := claims.spent(one, facts, at))}
        refusals: dict[bytes, Refusal] = {}
        wants: list[Want] = []
        looks: list[Want] = []
        for entry in entries:
            stock = meant.get(entry.id)
            if not isinstance(stock, Stock) or stock.id not in limited:
                continue
            person = claims.claimant(entry, facts)
            if person is None:
                continue
            if why := spent.get(stock.id):
                refusals[entry.id] = why
            taken = looks if why else wants
            taken += limits.wants(entry, stock, entry.command.wallet, person, at)
        lost = tokens.take(cursor, wants, at, CLAIM_TAKEN_OVER.code, dry_run=dry_run)
        lost += tokens.take(cursor, looks, at, CLAIM_TAKEN_OVER.code, dry_run=True)
        return Reached(refusals | limits.refusals(lost), facts, spent)

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ClaimFacts:
        """Wallets, and what is left of the stocks and of their funders' money. What was read on the way is not read
        again, but for what is left: that changes with every voucher."""
        coded = self._coded(cursor, entries)
        meant = self._meant(entries, ClaimFacts({}, {}, {}, coded=coded), at)
        stocks = _stocks(meant)
        if isinstance(routed, Reached):
            facts = routed.facts
            left = _wanted((), [stock for stock in stocks if stock.id not in routed.spent], at)
            facts.quotas = store.load_facts(cursor, [], left, lock).quotas if left.slices else Quotas()
        else:
            facts = store.load_facts(cursor, entries, _wanted(entries, stocks, at), lock)
        of_holders = (facts.commands, facts.cards, facts.lots, facts.vouchers, facts.wallets, facts.quotas)
        return ClaimFacts(*of_holders, routed=routed, coded=coded, meant=meant)

    def _coded(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, Stock]:
        """The stocks of the codes that the commands bring."""
        return {}

    def decide(self, entry: Entry, facts: ClaimFacts, at: datetime) -> Plan | Refusal:
        """See `vouchers.claims`."""
        return claims.decide(entry, facts, facts.meant[entry.id], self.origin(entry), at)

    def origin(self, entry: Entry) -> Id:
        """What the voucher comes from: the command itself."""
        return entry.id


def _stocks(meant: Meant) -> list[Stock]:
    """Each stock once."""
    return list({stock.id: stock for stock in meant.values() if isinstance(stock, Stock)}.values())


def _wanted(entries: Sequence[Entry], stocks: Sequence[Stock], at: datetime) -> Wanted:
    """The wallets of the commands, and what is left of the stocks."""
    slices = {key for stock in stocks for key in claims.wanted_pools(stock, at)}
    return Wanted(wallets={entry.command.wallet for entry in entries}, slices=slices)


class ClaimHandler(ObtainHandler):
    """Claims. A rush is nothing but many of them."""

    def stock_of(self, command: Any, facts: ClaimFacts, at: datetime) -> Stock | Refusal:
        """See `claims.claimable`."""
        return claims.claimable(command, self.catalogue, at)


class IssueHandler(ObtainHandler):
    """Vouchers that an operator gives."""

    def stock_of(self, command: Any, facts: ClaimFacts, at: datetime) -> Stock | Refusal:
        """See `claims.issuable`."""
        return claims.issuable(command, self.catalogue)

    def decide(self, entry: Entry, facts: ClaimFacts, at: datetime) -> Plan | Refusal:
        """As a claim, with the reason told."""
        plan = super().decide(entry, facts, at)
        if isinstance(plan, Plan):
            answer = {**msgspec.json.decode(plan.answer), "reason": entry.command.reason}
            plan.answer = msgspec.json.encode(answer, order="sorted")
        return plan


class CodeClaimHandler(ObtainHandler):
    """Claims by code: the code is taken in its own bucket, like a token."""

    def stock_of(self, command: Any, facts: ClaimFacts, at: datetime) -> Stock | Refusal:
        """See `claims.coded`."""
        return claims.coded(command, facts.coded.get(command.digest), at)

    def route(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> Routed:
        """Take the codes, then the tokens of the limits of their stocks."""
        people = store.claimants(cursor, entries)
        asked = [entry for entry in entries if entry.id in people]
        taken = code_registry.take(cursor, asked, at, CLAIM_TAKEN_OVER.code, dry_run=dry_run)
        refusals: dict[bytes, Refusal] = {
            entry.id: Refusal(CODE_NOT_VALID if entry.id in people else WALLET_UNKNOWN)
            for entry in entries
            if entry.id not in taken
        }  # a wallet that becomes active from here on holds no code: it is asked to come again
        facts = ClaimFacts({}, {}, {}, coded=self._stocks({code.id: code for code in taken.values()}))
        routed = self._take(
            cursor, entries, self._meant([entry for entry in asked if entry.id in taken], facts, at), at, dry_run
        )
        routed.update(refusals)
        return routed

    def _coded(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, Stock]:
        return self._stocks(store.codes(cursor, [entry.command.digest for entry in entries]))

    def _stocks(self, codes: Mapping[bytes, Code]) -> dict[bytes, Stock]:
        found = ((identity, self.catalogue.stock_now(code.stock)) for identity, code in codes.items())
        return {identity: stock for identity, stock in found if stock is not None}

    def origin(self, entry: Entry) -> Id:
        """The code."""
        return Id(entry.command.digest)
