"""Cards for everybody else: facts to decide on, the handlers of a card's own commands, look-ups."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.cards import rules, store
from kaquan.cards.model import CardFacts
from kaquan.cards.numbers import bucket_of_number, typed_number
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Plan, Routed
from kaquan.kernel.ids import Id, IdError, parse
from kaquan.kernel.refusal import Refusal

card_rows = store.card_rows
lot_rows = store.lot_rows
lots_due = store.lots_due
view = store.view
load_cards = store.load_cards
load_spending = store.load_spending
of_wallet = store.of_wallet


class CardHandler(Handler):
    """Freeze, unfreeze, report lost, replace."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> CardFacts:
        """The cards the batch addresses, with their lots."""
        return store.load_cards(cursor, entries, [entry.command.card for entry in entries], lock)

    def decide(self, entry: Entry, facts: CardFacts, at: datetime) -> Plan | Refusal:
        """See `cards.rules`."""
        return rules.decide(entry, facts)


def find(connection: psycopg.Connection[Any], text: str) -> Id | None:
    """The card that a person means: by id (`crd_…`) or by any number it ever bore. None when there is none."""
    try:
        return parse("crd", text)
    except IdError:
        pass
    number = typed_number(text)
    return None if number is None else store.by_number(connection, bucket_of_number(number), number)


def by_numbers(connection: psycopg.Connection[Any], numbers: Iterable[str]) -> dict[str, Id]:
    """The cards of numbers of ours, without spaces, in one query; a number that no card ever bore is left out."""
    return store.by_numbers(connection, {number: bucket_of_number(number) for number in numbers})
