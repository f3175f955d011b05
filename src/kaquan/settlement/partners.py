"""Paying partners: what a partner has of merchants comes with its own next settlement. Pure.

A partner is a merchant, so its settlement pays it: to its verified bank account, with its payout, its document. What
refunds took back after that is its negative balance here, and is offset by the shares that follow.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from kaquan.commands.model import Command, Entry, Plan
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money, allocate
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue
from kaquan.settlement import errors


class PayPartner(Command, frozen=True, kw_only=True):
    """Let what a partner has of a program's merchants come with its next settlement."""

    program: int
    partner: Id

    @property
    def subject(self) -> Id:
        """The partner."""
        return self.partner


class PartnerBooks(NamedTuple):
    """What a partner has by source (negative: owes), and how often it was paid."""

    balance: Mapping[Source, Money]
    number: int

    @property
    def has(self) -> Money:
        """All of it."""
        return Money(sum(self.balance.values()))


class PartnerFacts(msgspec.Struct):
    """What payments to partners are decided on, by partner and program."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    books: dict[tuple[bytes, int], PartnerBooks]

    def absorb(self, plan: Plan) -> None:
        """What this batch paid is paid."""
        for key, books in plan.born:
            self.books[key] = books


def pay_key(program: int, partner: Id, number: int) -> str:
    """The key of a partner's payment: each has its number."""
    return f"partner-{program}-{partner.hex()}-{number}"


def decide_pay(entry: Entry, facts: PartnerFacts, catalogue: Catalogue, at_us: int) -> Plan | Refusal:
    """Move all that a partner has, when it is more than nothing; a source that is owed by it stays owed."""
    command: PayPartner = entry.command
    terms, partner = catalogue.latest.get(command.program), catalogue.merchants.get(command.partner)
    if terms is None or partner is None:
        return Refusal(errors.MERCHANT_NOT_IN_PROGRAM)
    key = (command.partner, command.program)
    books = facts.books[key]
    if books.has <= 0:
        return Refusal(errors.PARTNER_NOTHING, {"partner": partner.code, "balance_fen": books.has})
    given = dict(
        zip(books.balance, allocate(books.has, [max(one, 0) for one in books.balance.values()]), strict=True)
    )
    legs = [
        Leg(Account.PARTNER_PAYABLE, partner.id, Account.MERCHANT_PAYABLE, partner.id, source, amount)
        for source, amount in given.items()
    ]
    left = {source: Money(amount - given[source]) for source, amount in books.balance.items()}
    row = {
        "id": entry.id.hex(),
        "bucket": bucket_of(entry.id),
        "partner": partner.id.hex(),
        "program": command.program,
        "number": books.number + 1,
        "amount": books.has,
        "at": at_us,
    }
    answer = {"merchant": partner.id.hex(), "program": command.program, "paid_fen": books.has}
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"),
        event="partner.paid.v1",
        cold=(("partner_payment", row),),
        postings=post(entry.id, terms.ledger_of(partner), legs),
        born=((key, PartnerBooks(left, books.number + 1)),),
    )
