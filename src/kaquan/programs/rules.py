"""May this step in a program's life be taken? Pure.

Whoever acts is named; then the text must stand, the program must be there and in a state that allows the step; then
what the step itself asks.
"""

from datetime import date, datetime, timedelta

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import same_person
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.refusal import Fact, Refusal
from kaquan.law.model import Law
from kaquan.programs import amendments, errors
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.compiler import compile_program
from kaquan.programs.lifecycle import Operation, ProgramState, after
from kaquan.programs.model import (
    AmendProgram,
    ApproveProgram,
    CloseProgram,
    DraftProgram,
    EndProgram,
    Life,
    OpenProgram,
    PauseProgram,
    ProgramFacts,
    ProgramStep,
    RejectProgram,
    ResumeProgram,
    StartProgram,
    SubmitProgram,
)
from kaquan.programs.steps import (
    Moment,
    Step,
    born,
    impossible,
    moved,
    proposal_row,
    refused,
    unknown_platform,
    version_row,
)
from kaquan.programs.terms import ProgramTerms, to_json

PERSON_LENGTH_MAX = 40  # a name or staff number that fits a line of the history
REASON_LENGTH_MAX = 200  # two lines: what needs more belongs in a file of its own

_SIMPLE: dict[type[ProgramStep], tuple[Operation, str]] = {
    SubmitProgram: ("submit", "program.submitted.v1"),
    PauseProgram: ("pause", "program.paused.v1"),
    ResumeProgram: ("resume", "program.resumed.v1"),
    EndProgram: ("end", "program.ended.v1"),
    CloseProgram: ("close", "program.closed.v1"),
}
"""Steps that ask for nothing but the right state, and the event of each."""


def decide(entry: Entry, facts: ProgramFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Any command on a program."""
    command = entry.command
    if refusal := _said(command):
        return refusal
    moment = Moment(command.caller.person.strip(), microseconds(at), business_date(at))
    if isinstance(command, ProgramStep):
        life = facts.lives.get(command.program)
        if life is None:
            return Refusal(errors.PROGRAM_UNKNOWN, {"program": command.program[:PERSON_LENGTH_MAX]})
        return _step(command, life, facts, catalogue, moment)
    compiled = compile_program(command.text, moment.today)
    if isinstance(compiled, list):
        return refused(compiled)
    terms, law = compiled
    match command:
        case OpenProgram():
            return _open(command, terms, law, facts, catalogue, moment)
        case DraftProgram():
            return _draft(terms, facts, catalogue, moment)
        case AmendProgram():
            return amendments.decide_amend(terms, law, facts, catalogue, moment)
    return amendments.decide_propose(terms, facts, catalogue, moment)


def _said(command: object) -> Refusal | None:
    """Who acts is said, and why where it matters."""
    persons = [command.caller.person]  # type: ignore[attr-defined]
    if isinstance(command, OpenProgram):
        persons.append(command.approved_by)
    if not all(_printable(person, PERSON_LENGTH_MAX) for person in persons):
        return Refusal(errors.PERSON_MISSING, {"length_max": PERSON_LENGTH_MAX})
    reason = getattr(command, "reason", None)
    needed = isinstance(command, RejectProgram)
    if reason is not None and (reason or needed) and not _printable(reason, REASON_LENGTH_MAX):
        return Refusal(errors.REASON_INVALID, {"length_max": REASON_LENGTH_MAX})
    return None


def _printable(text: str, most: int) -> bool:
    return bool(text.strip()) and len(text) <= most and text.isprintable()


def _open(
    command: OpenProgram,
    terms: ProgramTerms,
    law: Law,
    facts: ProgramFacts,
    catalogue: Catalogue,
    moment: Moment,
) -> Plan | Refusal:
    """Four steps in one, by two persons."""
    names, approver = terms.program, command.approved_by.strip()
    if names.code in facts.programs:
        return Refusal(errors.PROGRAM_EXISTS, {"program": names.code})
    issuer = _issuer(terms, facts, catalogue)
    if isinstance(issuer, Refusal):
        return issuer
    if same_person(moment.person, approver):
        return Refusal(errors.SECOND_PERSON, {"program": names.code})
    life = Life(id=facts.next_program, code=names.code, issuer=issuer, state=ProgramState.RUNNING, version=0)
    kept = version_row(facts.next_terms, life, terms, law, version=1, at_us=moment.at_us)
    steps = [
        Step("draft", moment.person),
        Step("submit", moment.person),
        Step("approve", approver, terms=facts.next_terms),
        Step("start", moment.person),
    ]
    return born(life, steps, event="program.opened.v1", at_us=moment.at_us, version=1, kept=kept)


def _draft(terms: ProgramTerms, facts: ProgramFacts, catalogue: Catalogue, moment: Moment) -> Plan | Refusal:
    """A new program, or another text for one that is still a draft: anything may change but its code."""
    life, number = facts.lives.get(terms.program.code), facts.next_proposal
    if life is not None and after(life.state, "draft") is None:
        return impossible(life)
    if life is not None and life.proposal is not None and life.proposal.terms == to_json(terms).decode():
        return Refusal(errors.TERMS_UNCHANGED, {"version": life.proposal.version})
    issuer = _issuer(terms, facts, catalogue)
    if isinstance(issuer, Refusal):
        return issuer
    step, event = Step("draft", moment.person, proposal=number), "program.drafted.v1"
    if life is None:
        life = Life(facts.next_program, terms.program.code, issuer, ProgramState.DRAFT, 0)
        new = amendments.with_proposal(life, number, 1, terms, moment)
        kept = proposal_row(number, new, 1, terms, moment)
        return born(new, [step], event=event, at_us=moment.at_us, version=1, kept=kept)
    new = amendments.with_proposal(msgspec.structs.replace(life, issuer=issuer), number, 1, terms, moment)
    kept = proposal_row(number, life, 1, terms, moment)
    return moved(life, new, step, event=event, at_us=moment.at_us, version=1, kept=[kept])


def _issuer(terms: ProgramTerms, facts: ProgramFacts, catalogue: Catalogue) -> int | Refusal:
    """The issuer's number, when it keeps a book and the platforms that accept are registered."""
    names = terms.program
    known = catalogue.organisations.get(names.issuer)
    if known is None or known[1] is None:
        return Refusal(errors.ISSUER_UNKNOWN, {"issuer": names.issuer})
    return unknown_platform(terms, facts) or known[0]


def _step(
    command: ProgramStep, life: Life, facts: ProgramFacts, catalogue: Catalogue, moment: Moment
) -> Plan | Refusal:
    match command:
        case ApproveProgram():
            return amendments.decide_approve(life, command.proposal, facts, catalogue, moment)
        case RejectProgram():
            return _reject(life, command.reason.strip(), moment)
        case StartProgram():
            return _start(command, life, moment)
        case CloseProgram() if life.state is ProgramState.ENDED:
            if refusal := _owing(life, facts, catalogue, moment):
                return refusal
    operation, event = _SIMPLE[type(command)]
    to = after(life.state, operation)
    if to is None:
        return impossible(life)
    new = msgspec.structs.replace(life, state=to)
    if operation == "submit":
        new = msgspec.structs.replace(new, submitted_by=moment.person)
    step = Step(operation, moment.person, getattr(command, "reason", "").strip())
    return moved(life, new, step, event=event, at_us=moment.at_us, version=None)


def _reject(life: Life, reason: str, moment: Moment) -> Plan | Refusal:
    """A program that waited is a draft again and keeps its text; an amendment is dropped."""
    to, proposal = after(life.state, "reject"), life.proposal
    if to is None:
        return impossible(life)
    if proposal is None:
        return Refusal(errors.NOTHING_WAITS, {"program": life.code})
    kept = proposal if to is ProgramState.DRAFT else None
    new = msgspec.structs.replace(life, state=to, proposal=kept, submitted_by="")
    step = Step("reject", moment.person, reason, proposal=proposal.id)
    event = "program.rejected.v1"
    return moved(life, new, step, event=event, at_us=moment.at_us, version=proposal.version)


def _start(command: StartProgram, life: Life, moment: Moment) -> Plan | Refusal:
    """Now, or on a day to come that is then kept to until another is named."""
    wanted = command.starts_on or life.starts_on
    to = after(life.state, "start")
    if to is None:
        return impossible(life)
    new = msgspec.structs.replace(life, starts_on=wanted)
    if wanted is None or wanted <= moment.today:
        new = msgspec.structs.replace(new, state=to)
        step, event = Step("start", moment.person), "program.started.v1"
    elif command.starts_on is not None:
        step, event = Step("schedule", moment.person, wanted.isoformat()), "program.scheduled.v1"
    else:
        return Refusal(errors.STARTS_LATER, {"program": life.code, "starts_on": wanted.isoformat()})
    return moved(life, new, step, event=event, at_us=moment.at_us, version=None)


def _owing(life: Life, facts: ProgramFacts, catalogue: Catalogue, moment: Moment) -> Refusal | None:
    """A program is closed when nobody can want anything of it any more."""
    owed = facts.owed[life.code]
    ends = [
        business_date(instant(paid_us)) + timedelta(days=catalogue.terms[terms].terms.refund.window_days)
        for terms, paid_us in owed.paid_us.items()
    ]
    until = max(ends, default=date.min)
    refundable = moment.today <= until
    if not refundable and not any(owed.amounts.values()):
        return None
    shown: dict[str, Fact] = {**owed.amounts, "refundable_until": str(until) if refundable else "-"}
    return Refusal(errors.STILL_OWES, {"program": life.code, **shown})
