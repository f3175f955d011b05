"""How a step in a program's life is written: its row, one event for each step, and the texts that it keeps. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

from kaquan.commands.model import Plan
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import Law
from kaquan.programs import errors
from kaquan.programs.lifecycle import WORDS_ZH, Operation, ProgramState, after
from kaquan.programs.model import Life, ProgramFacts
from kaquan.programs.terms import ProgramTerms, fingerprint, to_json

Cold = tuple[str, dict[str, Any]]


class Moment(msgspec.Struct, frozen=True):
    """Who acts and when."""

    person: str
    at_us: int
    today: date


class Step(msgspec.Struct, frozen=True):
    """One step: the person who takes it, and the terms or the proposal that it is about, by number."""

    operation: Operation
    person: str
    reason: str = ""
    terms: int | None = None
    proposal: int | None = None


def born(life: Life, steps: Sequence[Step], *, event: str, at_us: int, version: int, kept: Cold) -> Plan:
    """A program comes into being by `steps`; `kept` is the text it begins with, of this version."""
    life = msgspec.structs.replace(life, version=len(steps))
    events = [("program_event", row) for row in _events(life.id, None, 0, steps, at_us)]
    return _plan(life, event, version, [("program", {"code": life.code, **_changing(life)}), kept, *events])


def moved(
    old: Life, new: Life, step: Step, *, event: str, at_us: int, version: int | None, kept: Sequence[Cold] = ()
) -> Plan:
    """A program takes one step, from `old` to `new`. `version` is that of the terms it is about, if it is."""
    new = msgspec.structs.replace(new, version=old.version + 1)
    change = {**_changing(new), "version": old.version}
    events = [("program_event", row) for row in _events(old.id, old.state, old.version, [step], at_us)]
    return _plan(new, event, version, [("program_change", change), *kept, *events])


def version_row(number: int, life: Life, terms: ProgramTerms, law: Law, *, version: int, at_us: int) -> Cold:
    """Terms that come into force."""
    row = {
        "id": number,
        "program": life.id,
        "version": version,
        "terms": to_json(terms).decode(),
        "fingerprint": _digest(terms),
        "law_pack": law.ids,
        "law_version": law.versions,
        "at": at_us,
    }
    return "program_terms", row


def proposal_row(number: int, life: Life, version: int, terms: ProgramTerms, moment: Moment) -> Cold:
    """A text that waits to come into force."""
    row = {
        "id": number,
        "program": life.id,
        "version": version,
        "terms": to_json(terms).decode(),
        "fingerprint": _digest(terms),
        "at": moment.at_us,
        "person": moment.person,
    }
    return "program_proposal", row


def impossible(life: Life) -> Refusal:
    """The state does not allow the step."""
    facts = {"program": life.code, "state": life.state.word, "state_zh": WORDS_ZH[life.state]}
    return Refusal(errors.PROGRAM_STATE, facts)


def refused(refusals: list[Refusal]) -> Refusal:
    """The terms can't stand; `program validate` says why in full."""
    codes = ", ".join(sorted({refusal.code.code for refusal in refusals}))
    return Refusal(errors.PROGRAM_REFUSED, {"count": len(refusals), "codes": codes})


def _events(
    program: int, state: ProgramState | None, number: int, steps: Sequence[Step], at_us: int
) -> Iterator[dict[str, Any]]:
    """One row for each step, through the states that the table of the lifecycle leads to."""
    for position, step in enumerate(steps, start=number + 1):
        to = ProgramState.DRAFT if state is None else after(state, step.operation)
        if to is None:
            raise ValueError(f"no way to {step.operation} from {state}")
        yield {
            "at": at_us,
            "number": position,
            "terms": step.terms,
            "proposal": step.proposal,
            "program": program,
            "from_state": int(state or 0),
            "to_state": int(to),
            "operation": step.operation,
            "person": step.person,
            "reason": step.reason,
        }
        state = to


def _changing(life: Life) -> dict[str, Any]:
    return {
        "id": life.id,
        "issuer": life.issuer,
        "state": int(life.state),
        "version": life.version,
        "proposal": life.proposal.id if life.proposal else None,
        "submitted_by": life.submitted_by or None,
        "starts_on": life.starts_on.isoformat() if life.starts_on else None,
    }


def _plan(life: Life, event: str, version: int | None, cold: list[Cold]) -> Plan:
    answer: dict[str, Any] = {"program": life.code, "state": life.state.word}
    if version is not None:
        answer["version"] = version
    if life.starts_on is not None and life.state is ProgramState.APPROVED:
        answer["starts_on"] = life.starts_on.isoformat()
    return Plan(answer=msgspec.json.encode(answer, order="sorted"), event=event, cold=tuple(cold), born=(life,))


def _digest(terms: ProgramTerms) -> str:
    return "\\x" + fingerprint(terms).hex()


def unknown_platform(terms: ProgramTerms, facts: ProgramFacts) -> Refusal | None:
    """The first platform that is not registered: it has no merchants that could accept."""
    for one in terms.acceptance:
        if one.platform not in facts.organisations:
            return Refusal(errors.PLATFORM_UNKNOWN, {"platform": one.platform})
    return None
