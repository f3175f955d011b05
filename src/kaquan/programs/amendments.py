"""New terms for a program: tightened at once, or proposed and approved by a second person. Pure."""

import msgspec

from kaquan.commands.model import Plan
from kaquan.kernel.caller import same_person
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import Law, law_on
from kaquan.programs import errors
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.changes import diff, loosening
from kaquan.programs.compiler import validate, validate_change
from kaquan.programs.lifecycle import Operation, ProgramState, after
from kaquan.programs.model import Life, ProgramFacts, Proposal
from kaquan.programs.steps import (
    Moment,
    Step,
    impossible,
    moved,
    proposal_row,
    refused,
    unknown_platform,
    version_row,
)
from kaquan.programs.terms import ProgramTerms, fingerprint, from_json, to_json

LOOSENING_TOLD_MAX = 20  # names of terms in one refusal; `program diff` shows them all


def decide_amend(
    terms: ProgramTerms, law: Law, facts: ProgramFacts, catalogue: Catalogue, moment: Moment
) -> Plan | Refusal:
    """Every change tightens: the new version is in force from now on."""
    found = _changed("amend", terms, facts, catalogue, moment)
    if isinstance(found, Refusal):
        return found
    life, current = found
    if looser := loosening(diff(current.terms, terms)):
        names = [change.field for change in looser]
        told = ", ".join(names[:LOOSENING_TOLD_MAX]) + ("…" if len(names) > LOOSENING_TOLD_MAX else "")
        return Refusal(errors.LOOSENING, {"count": len(names), "terms": told})
    version = current.version + 1
    kept = version_row(facts.next_terms, life, terms, law, version=version, at_us=moment.at_us)
    step = Step("amend", moment.person, terms=facts.next_terms)
    event = "program.amended.v1"
    return moved(life, life, step, event=event, at_us=moment.at_us, version=version, kept=[kept])


def decide_propose(terms: ProgramTerms, facts: ProgramFacts, catalogue: Catalogue, moment: Moment) -> Plan | Refusal:
    """Whatever it changes waits for a second person; one amendment at a time."""
    found = _changed("propose", terms, facts, catalogue, moment)
    if isinstance(found, Refusal):
        return found
    life, current = found
    if life.proposal is not None:
        return Refusal(errors.PROPOSAL_WAITS, {"program": life.code, "version": life.proposal.version})
    new = with_proposal(life, facts.next_proposal, current.version + 1, terms, moment)
    new = msgspec.structs.replace(new, submitted_by=moment.person)
    kept = proposal_row(facts.next_proposal, life, current.version + 1, terms, moment)
    step = Step("propose", moment.person, proposal=facts.next_proposal)
    event = "program.amendment_proposed.v1"
    return moved(life, new, step, event=event, at_us=moment.at_us, version=current.version + 1, kept=[kept])


def decide_approve(
    life: Life, read: int | None, facts: ProgramFacts, catalogue: Catalogue, moment: Moment
) -> Plan | Refusal:
    """What waits comes into force, unless the law or the terms it was written against have changed meanwhile."""
    to, proposal = after(life.state, "approve"), life.proposal
    if to is None:
        return impossible(life)
    if proposal is None:
        return Refusal(errors.NOTHING_WAITS, {"program": life.code})
    if same_person(moment.person, life.submitted_by):
        return Refusal(errors.SECOND_PERSON, {"program": life.code})
    current = catalogue.program(life.code)
    version = current.version if current else 0
    if read not in (None, proposal.id) or proposal.version != version + 1:
        return Refusal(errors.PROPOSAL_STALE, {"program": life.code, "version": version})
    terms = from_json(proposal.terms)
    day = moment.today
    if refusals := validate_change(current.terms, terms, day) if current else validate(terms, day):
        return refused(refusals)
    law = law_on(terms.program.law_packs, day)
    new = msgspec.structs.replace(life, state=to, proposal=None, submitted_by="")
    kept = version_row(facts.next_terms, life, terms, law, version=proposal.version, at_us=moment.at_us)
    step = Step("approve", moment.person, terms=facts.next_terms, proposal=proposal.id)
    event = "program.approved.v1" if life.state is ProgramState.REVIEW else "program.amended.v1"
    return moved(life, new, step, event=event, at_us=moment.at_us, version=proposal.version, kept=[kept])


def with_proposal(life: Life, number: int, version: int, terms: ProgramTerms, moment: Moment) -> Life:
    """The program with this text in its hand."""
    text = to_json(terms).decode()
    return msgspec.structs.replace(life, proposal=Proposal(number, version, text, moment.person, moment.at_us))


def _changed(
    operation: Operation, terms: ProgramTerms, facts: ProgramFacts, catalogue: Catalogue, moment: Moment
) -> tuple[Life, Terms] | Refusal:
    """The program and its terms in force, when these new ones could stand in their place."""
    code = terms.program.code
    life, current = facts.lives.get(code), catalogue.program(code)
    if life is None:
        return Refusal(errors.PROGRAM_UNKNOWN, {"program": code})
    if after(life.state, operation) is None or current is None:
        return impossible(life)
    if refusals := validate_change(current.terms, terms, moment.today):
        return refused(refusals)
    if refusal := unknown_platform(terms, facts):
        return refusal
    if fingerprint(terms) == fingerprint(current.terms):
        return Refusal(errors.TERMS_UNCHANGED, {"version": current.version})
    return life, current
