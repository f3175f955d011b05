"""May this card be sold or topped up, and what does it hold then? Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.model import CardState, total
from kaquan.cards.numbers import number_for
from kaquan.cards.rules import may_be_loaded, room
from kaquan.commands.model import Entry, Plan
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.holders.model import Wallet
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import ZERO, Money, text
from kaquan.kernel.refusal import Refusal
from kaquan.law.rules import channel_allowed, identity_given
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.contract import Purchase, digest
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.lifecycle import WORDS_ZH
from kaquan.quotas.rules import Change, after, together
from kaquan.rewards.plans import Bought, Started, start
from kaquan.sales import errors
from kaquan.sales.model import Sell, TopUp
from kaquan.sales.value import CHANNELS, Value, Wish, bonus_of, paid_by, value_of
from kaquan.vouchers.model import SpendingFacts


def decide_sell(entry: Entry, facts: SpendingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """A new card with the offer's lots in it, of which vouchers may pay a part."""
    command: Sell = entry.command
    wallet = facts.wallets.get(command.wallet)
    if wallet is None or not wallet.active:
        return Refusal(WALLET_UNKNOWN)
    terms = catalogue.program(command.program)
    if terms is None:
        return Refusal(PROGRAM_UNKNOWN, {"program": command.program})
    registered = terms.terms.card.registered
    price = _price(command.face, command.channel, terms, at)
    if isinstance(price, Refusal):
        return price
    if refusal := identity_given(registered, price, wallet.identified, terms.law(at)):
        return refusal
    if refusal := room(command.face, registered, terms, at):
        return refusal
    wish = Wish(entry.id, entry.id, wallet.id, command.face, price, command.channel, terms, at)
    bought = _bought(wish, command.vouchers, facts, catalogue)
    if isinstance(bought, Refusal):
        return bought
    value, started, changes = bought
    number = number_for(entry.id)
    bucket, card = bucket_of(entry.id), entry.id.hex()
    return Plan(
        answer=_answer(_purchase(number, command.face, value, at, top_up=False), card, terms, value, started),
        event="card.sold.v1",
        subject=wallet.id,
        person=b'{"card":"%b","wallet":"%b"}' % (card.encode(), wallet.id.hex().encode()),
        changes=tuple(changes),
        inserts=tuple(("lot", lot.row()) for lot in value.lots),
        cold=(
            ("wallet_check", wallet.seen()),
            ("card", _row(wish, number)),
            ("card_number", {"bucket": bucket, "number": number, "card": card}),
            *started.cold,
        ),
        postings=value.postings,
    )


def _row(wish: Wish, number: str) -> dict[str, object]:
    return {
        "bucket": bucket_of(wish.card),
        "id": wish.card.hex(),
        "wallet": wish.wallet.hex(),
        "at": microseconds(wish.at),
        "terms": wish.terms.id,
        "version": 1,
        "program": wish.terms.program,
        "state": int(CardState.ACTIVE),
        "registered": wish.terms.terms.card.registered,
        "number": number,
    }


def decide_top_up(
    entry: Entry, facts: SpendingFacts, wallet: Wallet | None, catalogue: Catalogue, at: datetime
) -> Plan | Refusal:
    """The offer's lots in a card that exists, or what vouchers are worth. Sold on the program's latest terms: it is a
    new purchase."""
    command: TopUp = entry.command
    card = facts.cards.get(command.card)
    if card is None or wallet is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    terms = catalogue.latest[card.program]
    only_vouchers = not command.face and bool(command.vouchers)
    price = _price(None if only_vouchers else command.face, command.channel, terms, at)
    if isinstance(price, Refusal):
        return price
    if refusal := may_be_loaded(card):
        return refusal
    if refusal := identity_given(bool(card.registered), price, wallet.identified, terms.law(at)):
        return refusal
    wish = Wish(entry.id, card.id, wallet.id, command.face, price, command.channel, terms, at)
    bought = _bought(wish, command.vouchers, facts, catalogue)
    if isinstance(bought, Refusal):
        return bought
    value, started, changes = bought
    held = Money(total(facts.of(card.id)) + sum(lot.granted for lot in value.lots))
    if refusal := room(held, bool(card.registered), terms, at):
        return refusal
    purchase = _purchase(card.number, command.face or value.subsidy, value, at, top_up=True)
    return Plan(
        answer=_answer(purchase, card.id.hex(), terms, value, started),
        event="card.topped_up.v1",
        subject=card.wallet,
        person=card.person(),
        changes=(card.touched(), *changes),
        cold=(("wallet_check", wallet.seen()), *started.cold),
        inserts=tuple(("lot", lot.row()) for lot in value.lots),
        postings=value.postings,
        born=tuple(value.lots),
    )


def _bought(
    wish: Wish, vouchers: Sequence[Id], facts: SpendingFacts, catalogue: Catalogue
) -> tuple[Value, Started, list[Change]] | Refusal:
    """What a purchase puts on the card and what it starts; funders' money for the one is gone for the other."""
    by_vouchers = paid_by(wish, vouchers, facts, catalogue)
    if isinstance(by_vouchers, Refusal):
        return by_vouchers
    on_top = bonus_of(wish, facts, catalogue)
    if isinstance(on_top, Refusal):
        return on_top
    rest = msgspec.structs.replace(facts, quotas=after(facts.quotas, on_top.changes)) if on_top.changes else facts
    started = start(Bought(wish.id, wish.wallet, wish.card, wish.face, wish.terms), rest, catalogue, wish.at)
    value = value_of(wish, by_vouchers, on_top, started.legs)
    return value, started, together(value.changes, started.changes)


def _price(face: Money | None, channel: str, terms: Terms, at: datetime) -> Money | Refusal:
    """What an offer costs; nothing when only vouchers pay."""
    if channel not in CHANNELS:
        return Refusal(errors.CHANNEL_UNKNOWN, {"channel": channel, "channels": ", ".join(CHANNELS)})
    if not terms.sells:
        state = {"state": terms.state.word, "state_zh": WORDS_ZH[terms.state]}
        return Refusal(errors.PROGRAM_NOT_SELLING, {"program": terms.terms.program.name_zh, **state})
    if terms.stop is not None:
        return Refusal(errors.SALES_STOPPED, {"program": terms.terms.program.name_zh, **terms.stop})
    if face is None:
        return ZERO
    paid = terms.paid_for(face)
    if paid is None:
        offers = ", ".join(text(offer.face_fen) for offer in terms.terms.presale.offers)
        return Refusal(errors.OFFER_UNKNOWN, {"face_fen": face, "offers": offers})
    return channel_allowed(channel, paid, terms.law(at)) or paid


def _purchase(number: str, face: Money, value: Value, at: datetime, *, top_up: bool) -> Purchase:
    return Purchase(number, face, value.paid, at, value.active, top_up, value.subsidy, value.subsidy_until)


def _answer(purchase: Purchase, card: str, terms: Terms, value: Value, started: Started) -> bytes:
    """The receipt: what was paid for what, under which terms, what it starts, the digest of the written contract."""
    until = {"subsidy_until_us": microseconds(value.subsidy_until)} if value.subsidy_until else {}
    return msgspec.json.encode(
        {
            "active_us": microseconds(purchase.active_from),
            "bonus_fen": value.bonus,
            "card": card,
            "contract": digest(terms, purchase),
            "discounts": value.discounts,
            "face_fen": purchase.face,
            "number": purchase.number,
            "paid_fen": value.paid,
            "state": "topped_up" if purchase.top_up else "sold",
            "subsidy_fen": value.subsidy,
            "terms_version": terms.version,
            **until,
            **started.answer,
        },
        order="sorted",
    )
