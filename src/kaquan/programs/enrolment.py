"""Enrolment: which merchants of a platform take part in a program. A suspended one keeps what it has earned."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.clock import microseconds
from kaquan.kernel.refusal import Fact, Refusal
from kaquan.merchants.model import ReferenceCommand
from kaquan.programs import errors, store
from kaquan.programs.catalogue import ENROLLED, SUSPENDED, Catalogue, Merchant, Terms


class EnrolMerchant(ReferenceCommand, frozen=True, kw_only=True):
    """A merchant (its code) takes part in a program, for the first time or again."""

    program: str
    merchant: str


class SuspendMerchant(ReferenceCommand, frozen=True, kw_only=True):
    """A merchant takes part no longer: new payments are refused there, what it has earned is settled as before."""

    program: str
    merchant: str
    reason: str


class EnrolmentFacts(msgspec.Struct):
    """Enrolments by program and merchant: state and version; nothing for a merchant that never had one."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    enrolments: dict[tuple[int, bytes], tuple[int, int]]

    def absorb(self, plan: Plan) -> None:
        """What this batch enrolled or suspended is so for the commands after it."""
        for program, merchant, state, version in plan.born:
            self.enrolments[program, merchant] = (state, version)


class EnrolmentHandler(Handler):
    """Enrol and suspend."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> EnrolmentFacts:
        """The enrolments as they are. There is nothing to lock: a change checks their version."""
        found = [self._meant(entry.command) for entry in entries]
        pairs = [(terms.program, merchant.id) for terms, merchant in found if terms and merchant]
        return EnrolmentFacts(store.known(cursor, entries), store.enrolments(cursor, pairs))

    def decide(self, entry: Entry, facts: EnrolmentFacts, at: datetime) -> Plan | Refusal:
        """Take part, or no longer."""
        return decide(entry, facts, self._meant(entry.command), at)

    def _meant(self, command: EnrolMerchant | SuspendMerchant) -> tuple[Terms | None, Merchant | None]:
        catalogue = self._catalogue
        known = catalogue.merchant_codes.get(command.merchant)
        return catalogue.program(command.program), catalogue.merchants[known] if known else None


def decide(
    entry: Entry, facts: EnrolmentFacts, meant: tuple[Terms | None, Merchant | None], at: datetime
) -> Plan | Refusal:
    """Enrol or suspend one merchant in one program."""
    command, (terms, merchant) = entry.command, meant
    if terms is None:
        return Refusal(errors.PROGRAM_UNKNOWN, {"program": command.program[:40]})
    if merchant is None:
        return Refusal(errors.ENROLMENT_MERCHANT_UNKNOWN, {"merchant": command.merchant[:40]})
    names: dict[str, Fact] = {"merchant": merchant.code, "program": terms.terms.program.code}
    scope = terms.platforms.get(merchant.group)
    if scope is None:
        return Refusal(errors.PLATFORM_NOT_ACCEPTED, names)
    state, version = facts.enrolments.get((terms.program, merchant.id), (None, 0))
    accepts = state == ENROLLED if scope == "enrolled" else state != SUSPENDED
    if isinstance(command, EnrolMerchant):
        if accepts:
            return Refusal(errors.ALREADY_ACCEPTS, names)
        return _plan(terms.program, merchant, ENROLLED, version, at)
    if not accepts:
        return Refusal(errors.ACCEPTS_NOT, names)
    return _plan(terms.program, merchant, SUSPENDED, version, at)


def _plan(program: int, merchant: Merchant, state: int, version: int, at: datetime) -> Plan:
    word = "enrolled" if state == ENROLLED else "suspended"
    row = {
        "program": program,
        "merchant": merchant.id.hex(),
        "state": state,
        "version": version or 1,
        "at": microseconds(at),
    }
    return Plan(
        answer=msgspec.json.encode({"merchant": merchant.id.hex(), "program": program, "state": word}),
        event=f"merchant.{word}.v1",
        cold=(("enrolment_change" if version else "enrolment", row),),
        born=((program, merchant.id, state, version + 1),),
    )
