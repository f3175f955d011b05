"""Steps in the life of programs by four processes at once: each takes effect once."""

import msgspec
import pytest

from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.programs.model import (
    ApproveProgram,
    DraftProgram,
    PauseProgram,
    ProposeAmendment,
    RejectProgram,
    ResumeProgram,
    StartProgram,
    SubmitProgram,
)
from support.race import Answer, Field, Racer
from support.town import program_text

RACERS = 4
ROUNDS = 15
APPROVERS = [msgspec.structs.replace(OPERATOR, person=f"approver-{number}") for number in range(RACERS)]

pytestmark = pytest.mark.usefixtures("field")


def codes(answers: list[Answer]) -> list[str]:
    """The refusals, "" for an effect, in alphabetical order."""
    return sorted(each.code for each in answers)


def test_two_approvals_at_once_take_effect_once(field: Field) -> None:
    town = field.town
    for number in range(ROUNDS):
        code = f"race-{number}"
        text = program_text(('code = "jingxika"', f'code = "{code}"'))
        town.ok(Kind.DRAFT_PROGRAM, DraftProgram(key=town.key(), caller=OPERATOR, text=text))
        town.ok(Kind.SUBMIT_PROGRAM, SubmitProgram(key=town.key(), caller=OPERATOR, program=code))
        racers = [
            Racer(Kind.APPROVE_PROGRAM, ApproveProgram(key=f"{code}-{who.person}", caller=who, program=code))
            for who in APPROVERS
        ]
        answers = field.racers.round(town.now, racers)
        assert codes(answers) == ["", *["program_nothing_waits"] * 3]
        assert field.rows(
            "SELECT count(*) FROM program_terms t JOIN program p ON p.id = t.program WHERE p.code = %s", code
        ) == [(1,)]
        assert field.rows(
            "SELECT count(*) FILTER (WHERE operation = 'approve'), max(e.number) = p.version FROM program_event e "
            "JOIN program p ON p.id = e.program WHERE p.code = %s GROUP BY p.version",
            code,
        ) == [(1, True)]


def versions(field: Field) -> int:
    """How many versions the terms of `raced` have."""
    asked = "SELECT count(*) FROM program_terms t JOIN program p ON p.id = t.program WHERE p.code = 'raced'"
    return int(field.rows(asked)[0][0])


def test_an_amendment_is_approved_or_rejected_but_not_both(field: Field) -> None:
    town = field.town
    text = program_text(('code = "jingxika"', 'code = "raced"'))
    town.ok(Kind.DRAFT_PROGRAM, DraftProgram(key=town.key(), caller=OPERATOR, text=text))
    town.ok(Kind.SUBMIT_PROGRAM, SubmitProgram(key=town.key(), caller=OPERATOR, program="raced"))
    town.ok(Kind.APPROVE_PROGRAM, ApproveProgram(key=town.key(), caller=APPROVERS[0], program="raced"))
    town.ok(Kind.START_PROGRAM, StartProgram(key=town.key(), caller=OPERATOR, program="raced"))
    for number in range(ROUNDS):
        before = versions(field)
        looser = text.replace("cap_fen = 20_000", f"cap_fen = {30_000 + number}")
        town.ok(Kind.PROPOSE_AMENDMENT, ProposeAmendment(key=town.key(), caller=OPERATOR, text=looser))
        racers = [
            Racer(Kind.APPROVE_PROGRAM, ApproveProgram(key=f"a-{number}-{who.person}", caller=who, program="raced"))
            for who in APPROVERS[:2]
        ] + [
            Racer(
                Kind.REJECT_PROGRAM,
                RejectProgram(key=f"r-{number}-{who.person}", caller=who, program="raced", reason="no"),
            )
            for who in APPROVERS[2:]
        ]
        answers = field.racers.round(town.now, racers)
        assert codes(answers) == ["", *["program_nothing_waits"] * 3]
        approvals = sum(each.took_effect for each in answers[:2])
        assert versions(field) == before + approvals


def test_a_pause_and_a_resumption_alternate(field: Field) -> None:
    town = field.town
    for number in range(ROUNDS):
        pauses = [
            Racer(Kind.PAUSE_PROGRAM, PauseProgram(key=f"p-{number}-{who.person}", caller=who, program="jingxika"))
            for who in APPROVERS
        ]
        assert codes(field.racers.round(town.now, pauses)) == ["", *["program_state"] * 3]
        resumes = [
            Racer(Kind.RESUME_PROGRAM, ResumeProgram(key=f"c-{number}-{who.person}", caller=who, program="jingxika"))
            for who in APPROVERS
        ]
        assert codes(field.racers.round(town.now, resumes)) == ["", *["program_state"] * 3]
