"""Sales and top-ups for everybody else: their handlers, and what was bought."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from kaquan.cards.model import Wanted
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.holders.service import load_wallets
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.contract import Purchase
from kaquan.quotas.model import SliceKey
from kaquan.rewards.bonus import bonus_pools
from kaquan.rewards.plans import start_pools
from kaquan.sales import rules, store
from kaquan.vouchers.model import SpendingFacts
from kaquan.vouchers.service import load_facts


class Bought(msgspec.Struct, frozen=True):
    """A purchase as it was answered: its facts, the version of the terms, the digest of its contract.

    The last two are none when the answer is older than contracts are.
    """

    purchase: Purchase
    terms_version: int | None
    contract: str | None


def bought(connection: psycopg.Connection[Any], card: Id) -> list[Bought]:
    """The sale and the top-ups of a card, oldest first; empty when there is no such card."""
    return [_bought(at_us, msgspec.json.decode(answer)) for at_us, answer in store.purchases(connection, card)]


def _bought(at_us: int, answer: dict[str, Any]) -> Bought:
    purchase = Purchase(
        answer["number"],
        Money(answer["face_fen"]),
        Money(answer["paid_fen"]),
        instant(at_us),
        instant(answer["active_us"]),
        answer["state"] == "topped_up",
        Money(answer.get("subsidy_fen", 0)),
        instant(answer["subsidy_until_us"]) if "subsidy_until_us" in answer else None,
    )
    return Bought(purchase, answer.get("terms_version"), answer.get("contract"))


class SellHandler(Handler):
    """Sales."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> SpendingFacts:
        """Wallets, the vouchers that pay, and what is left for what the sale starts."""
        vouchers = {one for entry in entries for one in entry.command.vouchers}
        wanted = Wanted(wallets={entry.command.wallet for entry in entries}, vouchers=vouchers)
        bought = [(self._catalogue.program(entry.command.program), entry.command.face) for entry in entries]
        wanted.slices = {key for terms, face in bought if terms for key in _pools(terms, face, self._catalogue, at)}
        return load_facts(cursor, entries, wanted, lock)

    def decide(self, entry: Entry, facts: SpendingFacts, at: datetime) -> Plan | Refusal:
        """See `sales.rules`."""
        return rules.decide_sell(entry, facts, self._catalogue, at)


class TopUpHandler(Handler):
    """Top-ups."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> SpendingFacts:
        """Cards with lots and the vouchers that pay, then who holds the cards."""
        vouchers = {one for entry in entries for one in entry.command.vouchers}
        wanted = Wanted(cards={entry.command.card for entry in entries}, vouchers=vouchers)
        facts = load_facts(cursor, entries, wanted, lock)
        owners = [card.wallet for card in facts.cards.values()]
        if owners:
            facts.wallets = load_wallets(cursor, [], owners).wallets
        if slices := self._pools(entries, facts, at):
            facts.quotas = load_facts(cursor, entries, Wanted(slices=slices), lock).quotas
        return facts

    def _pools(self, entries: Sequence[Entry], facts: SpendingFacts, at: datetime) -> set[SliceKey]:
        """What is left for what the top-ups start; the programs are known only by the cards."""
        known = [(facts.cards.get(entry.command.card), entry.command.face) for entry in entries]
        bought = [(self._catalogue.latest[card.program], face) for card, face in known if card]
        return {key for terms, face in bought for key in _pools(terms, face, self._catalogue, at)}

    def decide(self, entry: Entry, facts: SpendingFacts, at: datetime) -> Plan | Refusal:
        """See `sales.rules`."""
        card = facts.cards.get(entry.command.card)
        wallet = facts.wallets.get(card.wallet) if card else None
        return rules.decide_top_up(entry, facts, wallet, self._catalogue, at)


def _pools(terms: Terms, face: Money, catalogue: Catalogue, at: datetime) -> list[SliceKey]:
    """What is left of what a purchase starts, and of the funds that pay for its bonus."""
    return [*start_pools(terms, face, catalogue, at), *bonus_pools(terms, "presale", catalogue)]
