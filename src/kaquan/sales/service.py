"""Sales and top-ups for everybody else: their handlers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from kaquan.cards.model import CardFacts
from kaquan.cards.service import load_cards
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.holders.model import Wallet, WalletFacts
from kaquan.holders.service import load_wallets
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue
from kaquan.sales import rules


class SellHandler(Handler):
    """Sales."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> WalletFacts:
        """Wallets. They are not changed, so there is nothing to lock."""
        return load_wallets(cursor, entries, [entry.command.wallet for entry in entries])

    def decide(self, entry: Entry, facts: WalletFacts, at: datetime) -> Plan | Refusal:
        """See `sales.rules`."""
        return rules.decide_sell(entry, facts, self._catalogue, at)


class TopUpFacts(CardFacts):
    """Cards with lots, and the wallets they are in."""

    wallets: dict[bytes, Wallet] = msgspec.field(default_factory=dict)


class TopUpHandler(Handler):
    """Top-ups."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> TopUpFacts:
        """Cards with lots, then who holds them."""
        facts = load_cards(cursor, entries, [entry.command.card for entry in entries], lock)
        owners = [card.wallet for card in facts.cards.values()]
        wallets = load_wallets(cursor, entries, owners).wallets if owners else {}
        return TopUpFacts(facts.commands, facts.cards, facts.lots, wallets)

    def decide(self, entry: Entry, facts: TopUpFacts, at: datetime) -> Plan | Refusal:
        """See `sales.rules`."""
        card = facts.cards.get(entry.command.card)
        wallet = facts.wallets.get(card.wallet) if card else None
        return rules.decide_top_up(entry, facts, wallet, self._catalogue, at)
