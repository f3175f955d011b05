"""Writing off what a merchant owes: by two persons, once for each settlement that left it owing. Pure."""

from collections.abc import Mapping

import msgspec

from kaquan.commands.model import Command, Entry, Plan
from kaquan.kernel.caller import same_person
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money, allocate
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue
from kaquan.settlement import errors
from kaquan.settlement.model import Previous

REASON_MAX = 200  # two lines: what needs more belongs in a file of its own


class WriteOff(Command, frozen=True, kw_only=True):
    """Write off all that a merchant owes in a program after its latest settlement."""

    program: int
    merchant: Id
    approved_by: str
    reason: str

    @property
    def subject(self) -> Id:
        """The merchant."""
        return self.merchant


class DebtFacts(msgspec.Struct):
    """Latest settlements, and after which numbers of them a debt was written off."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    previous: Mapping[tuple[bytes, int], Previous]
    written: set[tuple[bytes, int, int]]

    def absorb(self, plan: Plan) -> None:
        """What this batch wrote off is gone."""
        self.written.update(plan.born)


def decide_write_off(entry: Entry, facts: DebtFacts, catalogue: Catalogue, at_us: int) -> Plan | Refusal:
    """The next settlement counts what is written off against what was carried."""
    command: WriteOff = entry.command
    terms, merchant = catalogue.latest.get(command.program), catalogue.merchants.get(command.merchant)
    if terms is None or merchant is None:
        return Refusal(errors.MERCHANT_NOT_IN_PROGRAM)
    person, other, reason = command.caller.person.strip(), command.approved_by.strip(), command.reason.strip()
    if not person or not other or same_person(person, other) or not _sayable(reason):
        return Refusal(errors.DEBT_TWO_PERSONS, {"length_max": REASON_MAX})
    previous = facts.previous.get((command.merchant, command.program))
    owed = Money(-sum(previous.carry.values())) if previous else Money(0)
    if previous is None or owed <= 0 or (command.merchant, command.program, previous.number) in facts.written:
        return Refusal(errors.DEBT_NONE, {"merchant": merchant.code})
    sources = list(previous.carry)
    amounts = allocate(owed, [max(-previous.carry[source], 0) for source in sources])
    legs = [
        Leg(Account.CREDIT_LOSS, None, Account.MERCHANT_PAYABLE, merchant.id, source, amount)
        for source, amount in zip(sources, amounts, strict=True)
    ]
    row = {
        "id": entry.id.hex(),
        "bucket": bucket_of(entry.id),
        "merchant": merchant.id.hex(),
        "program": command.program,
        "number": previous.number,
        "amount": owed,
        "at": at_us,
        "person": person,
        "approved_by": other,
        "reason": reason,
    }
    answer = {"merchant": merchant.id.hex(), "program": command.program, "written_off_fen": owed}
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"),
        event="debt.written_off.v1",
        cold=(("write_off", row),),
        postings=post(entry.id, terms.ledger_of(merchant), legs),
        born=((command.merchant, command.program, previous.number),),
    )


def _sayable(reason: str) -> bool:
    return 0 < len(reason) <= REASON_MAX and reason.isprintable()
