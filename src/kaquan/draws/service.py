"""Draws for everybody else: the handlers of each command, how a draw is opened and closed, receipts."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.draws import rules, store
from kaquan.draws.errors import DRAW_BUSY, DRAW_ENTERED
from kaquan.draws.model import SEED_BYTES, Award, Draw, DrawFacts, DrawState, OpenDraw, RevealDraw, commitment, drawn
from kaquan.kernel.caller import SYSTEM, Caller
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.subject_keys import MasterKey, seal, unseal
from kaquan.programs.catalogue import Catalogue, Stock
from kaquan.quotas import tokens
from kaquan.vouchers.claiming import ObtainHandler
from kaquan.vouchers.errors import CLAIM_TAKEN_OVER
from kaquan.vouchers.limits import refusal_of
from kaquan.vouchers.model import ClaimFacts
from kaquan.vouchers.service import claimants

find = store.find
entries = store.entries
entries_of = store.entries_of
entries_page = store.entries_page
listed = store.listed

_SEALED_AS = b"draw seed"


class DrawHandler(Handler):
    """Open, enter, end, list, reveal."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def route(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> Routed:
        """A person enters once; a list waits until every entry is written that was let in before the end."""
        if self.kind is Kind.ENTER_DRAW:
            return self._enter(cursor, entries, at, dry_run)
        if self.kind is Kind.LIST_DRAW:
            return _closed(cursor.connection, entries)
        return {}

    def _enter(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool
    ) -> dict[bytes, Refusal]:
        draws = store.find(cursor.connection, {entry.command.draw for entry in entries})
        open_draws = {draw.id: draw for draw in draws.values() if rules.not_entering(draw, at) is None}
        meant = [entry for entry in entries if entry.command.draw in open_draws]
        if not meant:
            return {}
        people = claimants(cursor, meant)
        wants = [
            want
            for entry in meant
            if entry.id in people
            for want in rules.entry_wants(entry, open_draws[entry.command.draw], people[entry.id])
        ]
        lost = tokens.take(cursor, wants, at, CLAIM_TAKEN_OVER.code, dry_run=dry_run)
        return {one.want.command: refusal_of(one, Refusal(DRAW_ENTERED)) for one in lost}

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> DrawFacts:
        """The draws, wallets that enter, lists that are committed."""
        commands = [entry.command for entry in entries]
        if self.kind is Kind.OPEN_DRAW:
            facts = store.load_draws(cursor, entries, (), (), lock)
            known = {
                (one.program, one.stock): self._catalogue.stock_by_code(one.program, one.stock) for one in commands
            }
            stocks = [stock.id for stock in known.values() if stock is not None]
            facts.of_stock = store.of_stocks(cursor.connection, [bucket_of(one.subject) for one in commands], stocks)
            return facts
        wallets = {one.wallet for one in commands} if self.kind is Kind.ENTER_DRAW else set()
        facts = store.load_draws(cursor, entries, {one.draw for one in commands}, wallets, lock)
        facts.routed = routed
        if self.kind is Kind.LIST_DRAW:
            for draw in facts.draws.values():
                facts.lists[draw.id] = [entry for entry, _ in store.entries(cursor.connection, draw.id)]
        return facts

    def decide(self, entry: Entry, facts: DrawFacts, at: datetime) -> Plan | Refusal:
        """See `draws.rules`."""
        if self.kind is Kind.LIST_DRAW and (refusal := facts.refused(entry.id)):
            return refusal
        return rules.decide(entry, facts, self._catalogue, at)


def _closed(connection: psycopg.Connection[Any], entries: Sequence[Entry]) -> dict[bytes, Refusal]:
    """Refusals of lists that can't be committed. The end stands before we wait: no entry begins after it."""
    draws = store.find(connection, {entry.command.draw for entry in entries})
    refusals: dict[bytes, Refusal] = {
        entry.id: rules.in_state(draw)
        for entry in entries
        if (draw := draws.get(entry.command.draw)) and draw.state == DrawState.OPEN
    }
    if len(refusals) < len(entries) and not store.writers_done(connection):
        return {entry.id: Refusal(DRAW_BUSY) for entry in entries}
    return refusals


class AwardHandler(ObtainHandler):
    """The vouchers of winning entries."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._won: tuple[bytes, Mapping[bytes, bytes]] = (b"", {})

    def stock_of(self, command: Any, facts: ClaimFacts, at: datetime) -> Stock | Refusal:
        """See `rules.drawable`."""
        return rules.drawable(command.program, command.stock, self.catalogue)

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> DrawFacts:
        """As for a claim, and who won."""
        facts = super().load(cursor, entries, routed, lock, at)
        told = msgspec.structs.asdict(facts)
        draws = store.find(cursor.connection, {entry.command.draw for entry in entries})
        return DrawFacts(
            **told, draws=draws, winners={draw.id: self._winners(cursor, draw) for draw in draws.values()}
        )

    def _winners(self, cursor: psycopg.Cursor[Any], draw: Draw) -> Mapping[bytes, bytes]:
        """The winning entries with their wallets; what was revealed never changes, so the last draw is remembered."""
        if draw.state != DrawState.REVEALED:
            return {}
        if self._won[0] != draw.id:
            self._won = (draw.id, winners(cursor.connection, draw))
        return self._won[1]

    def decide(self, entry: Entry, facts: ClaimFacts, at: datetime) -> Plan | Refusal:
        """See `rules.decide_award`."""
        if not isinstance(facts, DrawFacts):
            raise TypeError("an award is decided on the facts of its draw")
        return rules.decide_award(entry, facts, self.catalogue, at)


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    kinds = (Kind.OPEN_DRAW, Kind.ENTER_DRAW, Kind.END_DRAW, Kind.LIST_DRAW, Kind.REVEAL_DRAW)
    return {**{kind: DrawHandler(kind, catalogue) for kind in kinds}, Kind.AWARD: AwardHandler(Kind.AWARD, catalogue)}


def opening(master: MasterKey, caller: Caller, key: str, **asked: Any) -> OpenDraw:
    """The command that opens a draw, with a fresh seed: nobody sees it before it is revealed."""
    seed = os.urandom(SEED_BYTES)
    sealed = seal(_cipher(master), seed, _SEALED_AS)
    return OpenDraw(key=key, caller=caller, commitment=commitment(seed), sealed_seed=sealed, **asked)


def revealing(
    connection: psycopg.Connection[Any], master: MasterKey, caller: Caller, key: str, draw: Id
) -> RevealDraw:
    """The command that reveals a draw's seed; of an unknown draw, none."""
    sealed = store.sealed_seed(connection, draw)
    seed = unseal(_cipher(master), sealed, _SEALED_AS) if sealed else b""
    return RevealDraw(key=key, caller=caller, draw=draw, seed=seed)


def winners(connection: psycopg.Connection[Any], draw: Draw) -> dict[bytes, bytes]:
    """The winning entries of a revealed draw with their wallets, first places first."""
    wallets = dict(store.entries(connection, draw.id))
    return {entry: wallets[entry] for entry in drawn(draw.seed, list(wallets))[: draw.seats]}


def awards(connection: psycopg.Connection[Any], catalogue: Catalogue, draw: Draw) -> list[Award]:
    """What gives every winner her voucher, once, however often it is sent."""
    stock = catalogue.stock_now(draw.stock)
    if stock is None:
        return []
    return [
        Award(
            key=f"award {entry.hex()}",
            caller=SYSTEM,
            wallet=Id(wallet),
            program=stock.terms.terms.program.code,
            stock=stock.code,
            draw=draw.id,
            entry=Id(entry),
        )
        for entry, wallet in winners(connection, draw).items()
    ]


def receipt(connection: psycopg.Connection[Any], draw: Draw, entry: Id) -> dict[str, Any] | None:
    """What lets anybody check an entry with the list of all: None when the entry is not in the draw.

    Seed, digest of the list and place are empty until they are published.
    """
    everybody = [one for one, _ in store.entries(connection, draw.id)]
    if entry not in everybody:
        return None
    place = drawn(draw.seed, everybody).index(entry) + 1 if draw.seed else None
    return {
        "draw": draw.id.hex(),
        "entry": entry.hex(),
        "seats": draw.seats,
        "commitment": draw.commitment.hex(),
        "entries": draw.entries or None,
        "list_digest": draw.list_digest.hex() or None,
        "seed": draw.seed.hex() or None,
        "place": place,
        "won": None if place is None else place <= draw.seats,
    }


def _cipher(master: MasterKey) -> AESGCM:
    return AESGCM(master.derive("draw-seed"))
