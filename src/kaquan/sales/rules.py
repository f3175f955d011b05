"""May this card be sold or topped up, and what does it hold then? Pure."""

from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.model import CardFacts, CardState, LotKind, NewLot, total
from kaquan.cards.numbers import number_for
from kaquan.cards.rules import may_be_loaded, room
from kaquan.commands.model import Entry, Plan
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.holders.model import Wallet, WalletFacts
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import Refusal
from kaquan.law.rules import channel_allowed, identity_given
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, Row, post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.contract import Purchase, digest
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.sales import errors
from kaquan.sales.model import Sell, TopUp

CHANNELS = {name: Id(sha256(name.encode()).digest()[:16]) for name in ("sandbox", "cash", "credit_card")}
"""Payment channels by name, with the owner of their account. Real ones come with their connectors."""


def decide_sell(entry: Entry, facts: WalletFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """A new card with the offer's lots in it."""
    command: Sell = entry.command
    wallet = facts.wallets.get(command.wallet)
    if wallet is None or not wallet.active:
        return Refusal(WALLET_UNKNOWN)
    terms = catalogue.program(command.program)
    if terms is None:
        return Refusal(PROGRAM_UNKNOWN, {"program": command.program})
    registered = terms.terms.card.registered
    paid = _price(command.face, command.channel, terms, at)
    if isinstance(paid, Refusal):
        return paid
    if refusal := identity_given(registered, paid, wallet.identified, terms.law(at)):
        return refusal
    if refusal := room(command.face, registered, terms, at):
        return refusal
    lots, postings = _load(entry.id, entry.id, command.face, paid, command.channel, terms, at)
    number = number_for(entry.id)
    bucket, card = bucket_of(entry.id), entry.id.hex()
    row = {
        "bucket": bucket,
        "id": card,
        "wallet": command.wallet.hex(),
        "at": microseconds(at),
        "terms": terms.id,
        "version": 1,
        "program": terms.program,
        "state": int(CardState.ACTIVE),
        "registered": registered,
        "number": number,
    }
    return Plan(
        answer=_answer("sold", card, terms, Purchase(number, command.face, paid, at, _active(lots), False)),
        event="card.sold.v1",
        subject=wallet.id,
        person=b'{"card":"%b","wallet":"%b"}' % (card.encode(), wallet.id.hex().encode()),
        inserts=tuple(("lot", lot.row()) for lot in lots),
        cold=(
            ("wallet_check", wallet.seen()),
            ("card", row),
            ("card_number", {"bucket": bucket, "number": number, "card": card}),
        ),
        postings=postings,
    )


def decide_top_up(
    entry: Entry, facts: CardFacts, wallet: Wallet | None, catalogue: Catalogue, at: datetime
) -> Plan | Refusal:
    """The offer's lots in a card that exists. Sold on the program's latest terms: it is a new purchase."""
    command: TopUp = entry.command
    card = facts.cards.get(command.card)
    if card is None or wallet is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    terms = catalogue.latest[card.program]
    paid = _price(command.face, command.channel, terms, at)
    if isinstance(paid, Refusal):
        return paid
    if refusal := may_be_loaded(card):
        return refusal
    if refusal := identity_given(bool(card.registered), paid, wallet.identified, terms.law(at)):
        return refusal
    if refusal := room(Money(total(facts.of(card.id)) + command.face), bool(card.registered), terms, at):
        return refusal
    lots, postings = _load(entry.id, card.id, command.face, paid, command.channel, terms, at)
    bought = Purchase(card.number, command.face, paid, at, _active(lots), True)
    return Plan(
        answer=_answer("topped_up", card.id.hex(), terms, bought),
        event="card.topped_up.v1",
        subject=card.wallet,
        person=card.person(),
        changes=(card.touched(),),
        cold=(("wallet_check", wallet.seen()),),
        inserts=tuple(("lot", lot.row()) for lot in lots),
        postings=postings,
        born=tuple(lots),
    )


def _price(face: Money, channel: str, terms: Terms, at: datetime) -> Money | Refusal:
    if channel not in CHANNELS:
        return Refusal(errors.CHANNEL_UNKNOWN, {"channel": channel, "channels": ", ".join(CHANNELS)})
    if not terms.open:
        return Refusal(errors.PROGRAM_NOT_SELLING, {"program": terms.terms.program.name_zh})
    paid = terms.paid_for(face)
    if paid is None:
        offers = ", ".join(text(offer.face_fen) for offer in terms.terms.presale.offers)
        return Refusal(errors.OFFER_UNKNOWN, {"face_fen": face, "offers": offers})
    return channel_allowed(channel, paid, terms.law(at)) or paid


def _load(
    origin: Id, card: Id, face: Money, paid: Money, channel: str, terms: Terms, at: datetime
) -> tuple[list[NewLot], tuple[Row, ...]]:
    """What is paid becomes principal under custody, the rest of the face value bonus at the issuer's expense."""
    active = _active_from(at, terms.terms.presale.activation_days)
    days = terms.terms.card.principal_valid_days
    expires_us = microseconds(active + timedelta(days=days)) if days else 0
    active_us = microseconds(active)
    bonus = Money(face - paid)
    principal_lot = NewLot(
        derived_id(origin, b"principal"), card, origin, LotKind.PRINCIPAL, Source.CUSTODY, paid, active_us, expires_us
    )
    legs = [Leg(Account.CHANNEL, CHANNELS[channel], Account.CARD_PRINCIPAL, principal_lot.id, Source.CUSTODY, paid)]
    lots = [principal_lot]
    if bonus:
        bonus_lot = NewLot(
            derived_id(origin, b"bonus"), card, origin, LotKind.BONUS, Source.OPERATING, bonus, active_us, expires_us
        )
        legs.append(Leg(Account.PROMO_DEFERRED, None, Account.CARD_BONUS, bonus_lot.id, Source.OPERATING, bonus))
        lots.append(bonus_lot)
    return lots, post(origin, terms.ledger, legs)


def _active_from(at: datetime, days: int) -> datetime:
    return shanghai(business_date(at) + timedelta(days=days)) if days else at


def _active(lots: list[NewLot]) -> datetime:
    return instant(lots[0].active_us)


def _answer(state: str, card: str, terms: Terms, bought: Purchase) -> bytes:
    """The receipt: what was paid for what, under which terms, and the digest of the written contract."""
    return msgspec.json.encode(
        {
            "active_us": microseconds(bought.active_from),
            "bonus_fen": bought.face - bought.paid,
            "card": card,
            "contract": digest(terms, bought),
            "face_fen": bought.face,
            "number": bought.number,
            "paid_fen": bought.paid,
            "state": state,
            "terms_version": terms.version,
        },
        order="sorted",
    )
