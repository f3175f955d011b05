"""Which of a holder's vouchers a payment would best name, as things stand. Nothing is held, nothing is promised."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from kaquan.cards.model import Card, Wanted
from kaquan.cards.service import load_cards
from kaquan.commands.execute import Door
from kaquan.commands.loading import installation
from kaquan.commands.model import Entry, Outcome, scoped_id
from kaquan.db.wire import raw_cursor
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.payment_codes.model import EMPTY
from kaquan.payment_codes.service import purses
from kaquan.payments.bills import not_accepted
from kaquan.payments.model import Pay
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.terms import VOUCHERS_MAX
from kaquan.vouchers.model import SpendingFacts
from kaquan.vouchers.orders import day_number
from kaquan.vouchers.quote import Choice, Verdict, choose
from kaquan.vouchers.service import load_facts, of_wallet
from kaquan.vouchers.spending import order_of

_TOOK_EFFECT = 0


class Quote(msgspec.Struct, frozen=True):
    """A payment with the vouchers that it would best name, why these, and what would come of it.

    `choice` is None when there was nothing to choose: payer or merchant are unknown, or the key was used before, and
    the vouchers are those of then.
    """

    command: Pay
    choice: Choice | None
    outcome: Outcome


def with_best_vouchers(door: Door, catalogue: Catalogue, command: Pay) -> tuple[Pay, Choice | None]:
    """The payment with the best of its payer's vouchers named in it, and the choice among them.

    A retry names the vouchers that were used under its key before, so that it hears the same answer.
    """
    catalogue.refresh(door.connection, installation(door.connection)[1])
    entry = Entry(command, scoped_id(command.caller.organisation, command.subject, command.key), b"")
    cursor, wallet = raw_cursor(door.connection), command.wallet
    cards = _payers(cursor, entry)
    if command.card is not None:
        wallet = cards[0].wallet if cards else None
    if wallet is None or command.merchant not in catalogue.merchants:
        return command, None
    live = [Id(row.id.bytes) for row in of_wallet(door.connection, wallet)]
    wanted = Wanted(vouchers=live, use_day=day_number(door.at()) if live else None)
    facts = load_facts(cursor, [entry], wanted, lock=False)
    _, outcome, answer = facts.commands.get(entry.id, (b"", None, b""))
    if outcome == _TOOK_EFFECT:
        return _naming(command, _of_answer(answer)), None
    choice = _choice(door, catalogue, entry, cards, facts)
    return _naming(command, [one.voucher.id for one in choice.applied]), choice


def _payers(cursor: psycopg.Cursor[Any], entry: Entry) -> list[Card]:
    """The card that is named, or those that may pay for a code."""
    command: Pay = entry.command
    wanted = [command.card] if command.card is not None else []
    if command.code is not None:
        wanted = purses(cursor, {entry.id: command.code}).get(entry.id, EMPTY).cards
    return list(load_cards(cursor, [entry], wanted, lock=False).cards.values()) if wanted else []


def _choice(door: Door, catalogue: Catalogue, entry: Entry, cards: Sequence[Card], facts: SpendingFacts) -> Choice:
    """Of cards under several terms the strictest number of vouchers counts, for it is not known yet which pays."""
    command: Pay = entry.command
    merchant = catalogue.merchants[command.merchant]
    store = catalogue.store_codes.get(command.store) if command.store else None
    most = min((catalogue.terms[card.terms].terms.spending.vouchers_max for card in cards), default=VOUCHERS_MAX)
    known = sorted(facts.vouchers.values(), key=lambda one: (one.expires_us, one.id))
    pairs = [(voucher, catalogue.stock(voucher.terms, voucher.stock)) for voucher in known]
    barred = {voucher.id: no for voucher, stock in pairs if (no := not_accepted(stock.terms, merchant))}
    choice = choose(
        order_of(entry.id, merchant, store, command.order_no, amount=command.amount, lines=command.lines),
        [pair for pair in pairs if pair[0].id not in barred],
        facts.quotas,
        door.at(),
        most=most,
        room=Money(max(0, command.amount - command.outside)),
    )
    elsewhere = [Verdict(*pair, ZERO, barred[pair[0].id]) for pair in pairs if pair[0].id in barred]
    return msgspec.structs.replace(choice, verdicts=[*choice.verdicts, *elsewhere])


def _naming(command: Pay, vouchers: Sequence[Id]) -> Pay:
    return msgspec.structs.replace(command, vouchers=tuple(vouchers))


def _of_answer(answer: bytes) -> list[Id]:
    """The vouchers that a payment's answer tells, in the order in which they were named."""
    told = msgspec.json.decode(answer).get("discounts", [])
    return [Id(bytes.fromhex(voucher)) for voucher in dict.fromkeys(one["voucher"] for one in told)]
