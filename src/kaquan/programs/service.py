"""Opening and amending programs: each version of the terms is kept for ever."""

from datetime import date, datetime
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Kind, Plan
from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import microseconds
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import Law
from kaquan.merchants.model import ReferenceCommand, ReferenceFacts
from kaquan.merchants.service import ReferenceHandler
from kaquan.programs import errors, store
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.compiler import compile_program, validate_change
from kaquan.programs.terms import ProgramTerms, fingerprint, to_json

read_catalogue = store.read_catalogue


class OpenProgram(ReferenceCommand, frozen=True, kw_only=True):
    """Open a program from the text of its file."""

    text: str


class AmendProgram(ReferenceCommand, frozen=True, kw_only=True):
    """Give an open program a new version of its terms. Cards sold before keep the version they were sold under."""

    text: str


class ProgramHandler(ReferenceHandler):
    """Open and amend."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def decide(self, entry: Entry, facts: ReferenceFacts, at: datetime) -> Plan | Refusal:
        """Validate the file against everything known, then keep the version."""
        day = business_date(at)
        compiled = compile_program(entry.command.text, day)
        if isinstance(compiled, list):
            return _refused(compiled)
        terms, law = compiled
        if isinstance(entry.command, AmendProgram):
            return self._amend(terms, law, facts, day, microseconds(at))
        return self._open(terms, law, facts, microseconds(at))

    def _open(self, terms: ProgramTerms, law: Law, facts: ReferenceFacts, at_us: int) -> Plan | Refusal:
        names = terms.program
        if names.code in facts.programs:
            return Refusal(errors.PROGRAM_EXISTS, {"program": names.code})
        known = self._catalogue.organisations.get(names.issuer)
        if known is None or known[1] is None:
            return Refusal(errors.ISSUER_UNKNOWN, {"issuer": names.issuer})
        if names.group not in facts.organisations:
            return Refusal(errors.GROUP_UNKNOWN, {"group": names.group})
        program = {"id": facts.next_program, "code": names.code, "issuer": known[0], "state": 1}
        version = _version(facts, facts.next_program, 1, terms, law, at_us)
        return _kept("program.opened.v1", names.code, 1, [("program", program), ("program_terms", version)])

    def _amend(self, terms: ProgramTerms, law: Law, facts: ReferenceFacts, day: date, at_us: int) -> Plan | Refusal:
        current = self._catalogue.program(terms.program.code)
        if current is None:
            return Refusal(errors.PROGRAM_UNKNOWN, {"program": terms.program.code})
        if refusals := validate_change(current.terms, terms, day):
            return _refused(refusals)
        if fingerprint(terms) == fingerprint(current.terms):
            return Refusal(errors.TERMS_UNCHANGED, {"version": current.version})
        number = current.version + 1
        version = _version(facts, current.program, number, terms, law, at_us)
        return _kept("program.amended.v1", terms.program.code, number, [("program_terms", version)])


def _version(
    facts: ReferenceFacts, program: int, version: int, terms: ProgramTerms, law: Law, at_us: int
) -> dict[str, Any]:
    return {
        "id": facts.next_terms,
        "program": program,
        "version": version,
        "terms": to_json(terms).decode(),
        "fingerprint": "\\x" + fingerprint(terms).hex(),
        "law_pack": law.ids,
        "law_version": law.versions,
        "at": at_us,
    }


def _kept(event: str, code: str, version: int, cold: list[tuple[str, dict[str, Any]]]) -> Plan:
    answer = msgspec.json.encode({"program": code, "version": version}, order="sorted")
    return Plan(answer=answer, event=event, cold=tuple(cold))


def _refused(refusals: list[Refusal]) -> Refusal:
    codes = ", ".join(sorted({refusal.code.code for refusal in refusals}))
    return Refusal(errors.PROGRAM_REFUSED, {"count": len(refusals), "codes": codes})
