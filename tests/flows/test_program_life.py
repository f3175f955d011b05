"""Programs from draft to closed, on the real database and by the timetable."""

import re
from datetime import date
from itertools import product
from pathlib import Path

import msgspec
import psycopg
import pytest

from kaquan.commands.model import Kind, Refused
from kaquan.db.pool import connect
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.main import Kaquan
from kaquan.programs.lifecycle import TRANSITIONS, ProgramState
from kaquan.programs.model import (
    AmendProgram,
    ApproveProgram,
    DraftProgram,
    PauseProgram,
    ProgramStep,
    ProposeAmendment,
    ResumeProgram,
    StartProgram,
    SubmitProgram,
)
from support.database import Database
from support.town import MASTER_KEY, SECOND, Town, build, program_text

LI = msgspec.structs.replace(OPERATOR, person="li")
SECOND_PROGRAM = ('code = "jingxika"', 'code = "second"')


def act(town: Town, kind: Kind, shape: type[ProgramStep], program: str = "jingxika") -> None:
    """A step of the operator's that must take effect."""
    town.ok(kind, shape(key=town.key(), caller=OPERATOR, program=program))


def life(town: Town) -> list[tuple[object, ...]]:
    """Rows that a step in a program's life would change."""
    tables = ("program", "program_terms", "program_proposal", "program_event", "installation")
    return [row for table in tables for row in town.rows(f"SELECT t::text FROM {table} t ORDER BY 1")]


def approved(town: Town) -> None:
    """A second program that waits to start."""
    text = program_text(SECOND_PROGRAM)
    town.ok(Kind.DRAFT_PROGRAM, DraftProgram(key=town.key(), caller=OPERATOR, text=text))
    act(town, Kind.SUBMIT_PROGRAM, SubmitProgram, "second")
    town.ok(Kind.APPROVE_PROGRAM, ApproveProgram(key=town.key(), caller=LI, program="second"))


def test_the_database_knows_the_same_steps(database: Database) -> None:
    town = build(database.app_url)
    allowed = {(state, to) for (state, _), to in TRANSITIONS.items()}
    for state, to in product(ProgramState, ProgramState):
        (may,) = town.rows("SELECT program_may(%s::smallint, %s::smallint)", int(state), int(to))[0]
        assert may == (state is to or (state, to) in allowed), (state, to)


def test_a_step_that_the_table_does_not_know_is_not_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = build(database.app_url)
    monkeypatch.setitem(TRANSITIONS, (ProgramState.RUNNING, "close"), ProgramState.CLOSED)
    monkeypatch.setitem(TRANSITIONS, (ProgramState.RUNNING, "resume"), ProgramState.REVIEW)
    before = life(town)
    with pytest.raises(Exception, match="RESUME_PROGRAM"):
        town.app.one(Kind.RESUME_PROGRAM, ResumeProgram(key=town.key(), caller=OPERATOR, program="jingxika"))
    assert life(town) == before


def test_every_step_is_kept_with_who_took_it(database: Database) -> None:
    town = build(database.app_url)
    town.amend(program_text(("cap_fen = 20_000", "cap_fen = 30_000")))
    pause = PauseProgram(key=town.key(), caller=LI, program="jingxika", reason="audit")
    town.ok(Kind.PAUSE_PROGRAM, pause)
    assert town.rows(
        "SELECT number, operation, from_state::int, to_state::int, person, reason, terms, proposal"
        " FROM program_event ORDER BY number"
    ) == [
        (1, "draft", 0, 3, "operator", "", None, None),
        (2, "submit", 3, 4, "operator", "", None, None),
        (3, "approve", 4, 5, SECOND, "", 1, None),
        (4, "start", 5, 1, "operator", "", None, None),
        (5, "propose", 1, 1, "operator", "", None, 1),
        (6, "approve", 1, 1, SECOND, "", 2, 1),
        (7, "pause", 1, 2, "li", "audit", None, None),
    ]
    assert town.rows("SELECT version, state::int, proposal, submitted_by FROM program") == [(7, 2, None, None)]


def test_who_is_not_named_decides_nothing(database: Database) -> None:
    town = build(database.app_url)
    before = life(town)
    for caller in (msgspec.structs.replace(OPERATOR, person=name) for name in ("", "  ", "a\nb", "x" * 41)):
        outcome = town.app.one(Kind.PAUSE_PROGRAM, PauseProgram(key=town.key(), caller=caller, program="jingxika"))
        assert isinstance(outcome, Refused) and outcome.refusal.code.code == "program_person_missing"
    assert life(town) == before


def test_who_submitted_does_not_approve(database: Database) -> None:
    town = build(database.app_url)
    looser = ProposeAmendment(key=town.key(), caller=LI, text=program_text(("cap_fen = 20_000", "cap_fen = 30_000")))
    town.ok(Kind.PROPOSE_AMENDMENT, looser)
    before = life(town)
    for name in ("li", "Li", " LI "):
        caller = msgspec.structs.replace(OPERATOR, person=name)
        outcome = town.app.one(
            Kind.APPROVE_PROGRAM, ApproveProgram(key=town.key(), caller=caller, program="jingxika")
        )
        assert isinstance(outcome, Refused) and outcome.refusal.code.code == "program_second_person_needed"
    assert life(town) == before
    approval = ApproveProgram(key=town.key(), caller=OPERATOR, program="jingxika")
    assert town.ok(Kind.APPROVE_PROGRAM, approval).facts["version"] == 2


def test_a_loosening_is_not_in_force_at_once(database: Database) -> None:
    town = build(database.app_url)
    before = life(town)
    looser = program_text(("cap_fen = 20_000", "cap_fen = 30_000"))
    outcome = town.app.one(Kind.AMEND_PROGRAM, AmendProgram(key=town.key(), caller=OPERATOR, text=looser))
    assert isinstance(outcome, Refused) and outcome.refusal.code.code == "program_loosening_needs_approval"
    assert life(town) == before
    tighter = program_text(("cap_fen = 20_000", "cap_fen = 10_000"))
    town.ok(Kind.AMEND_PROGRAM, AmendProgram(key=town.key(), caller=OPERATOR, text=tighter))
    assert town.rows("SELECT max(version) FROM program_terms") == [(2,)]


def test_a_paused_program_grants_nothing_and_what_waited_arrives_after(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder(), 100_000)
    town.tick(days=1)
    town.pay(card, 50_000)
    act(town, Kind.PAUSE_PROGRAM, PauseProgram)
    town.tick(days=10)
    run_due(town.app)
    assert town.rows("SELECT state::int, lot FROM reward") == [(1, None)]
    assert town.rows("SELECT sum(balance)::bigint FROM lot") == [(50_000,)]
    town.tick(days=1)
    act(town, Kind.RESUME_PROGRAM, ResumeProgram)
    assert run_due(town.app)[Kind.GRANT_REWARD] == 1
    assert town.rows("SELECT sum(balance)::bigint FROM lot") == [(52_500,)]


def test_the_timetable_starts_a_program_on_its_day_and_once(database: Database) -> None:
    town = build(database.app_url)
    approved(town)
    command = StartProgram(key=town.key(), caller=OPERATOR, program="second", starts_on=date(2025, 5, 22))
    assert town.ok(Kind.START_PROGRAM, command).facts["state"] == "approved"
    town.tick(days=1)
    run_due(town.app)
    assert town.rows("SELECT state::int FROM program WHERE code = 'second'") == [(5,)]
    town.tick(days=1)
    assert run_due(town.app)[Kind.START_PROGRAM] == 1
    assert run_due(town.app)[Kind.START_PROGRAM] == 0
    assert town.rows("SELECT state::int FROM program WHERE code = 'second'") == [(1,)]
    last = "SELECT operation, person FROM program_event WHERE program = 2 ORDER BY number DESC LIMIT 1"
    assert town.rows(last) == [("start", SYSTEM.person)]


def test_what_is_decided_on_an_old_state_is_decided_again(database: Database) -> None:
    """A pause that was committed after the facts were loaded: the second one is refused, not written over it."""
    town, other = build(database.app_url), build_again(database)
    handler = town.app.handlers[Kind.PAUSE_PROGRAM]
    load, loads = handler.load, []

    def slow(*arguments: object) -> object:
        facts = load(*arguments)  # type: ignore[arg-type]
        if not loads:
            act(other, Kind.PAUSE_PROGRAM, PauseProgram)
        loads.append(facts)
        return facts

    handler.load = slow  # type: ignore[method-assign]
    pause = PauseProgram(key="late", caller=LI, program="jingxika")
    outcome = town.app.one(Kind.PAUSE_PROGRAM, pause)
    assert isinstance(outcome, Refused) and outcome.refusal.code.code == "program_state"
    assert len(loads) == 2
    assert town.rows("SELECT count(*) FROM program_event WHERE operation = 'pause'") == [(1,)]


def build_again(database: Database) -> Town:
    """Another process on the same town."""
    town = Town(Kaquan(connect(database.app_url), MASTER_KEY), counter=1_000)
    town.app.door._now = lambda: town.now
    return town


def test_a_dry_run_of_a_step_leaves_nothing(database: Database) -> None:
    town = build(database.app_url)
    before = life(town)
    tighter = program_text(("cap_fen = 20_000", "cap_fen = 10_000"))
    outcome = town.app.one(
        Kind.AMEND_PROGRAM, AmendProgram(key=town.key(), caller=OPERATOR, text=tighter), dry_run=True
    )
    assert outcome.facts == {"program": "jingxika", "state": "running", "version": 2}
    assert life(town) == before


def test_programs_that_were_opened_before_have_one_step_in_their_history(database: Database) -> None:
    """What the migration writes for a program of an older version."""
    sql = (Path(__file__).parents[2] / "src/kaquan/db/migrations/0010_program_life.sql").read_text("utf-8")
    found = re.search(r"INSERT INTO program_event \(.*?;", sql, re.DOTALL)
    assert found is not None
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("SET search_path = kaquan")
        connection.execute("INSERT INTO organisation VALUES (1, 'jingxi', 'jingxi', NULL)")
        connection.execute("INSERT INTO program (id, code, issuer, state) VALUES (1, 'old', 1, 1)")
        connection.execute("INSERT INTO program_terms VALUES (1, 1, 1, '{}', '', 'p', '1', 77)")
        connection.execute(found[0].encode())
        rows = connection.execute("SELECT at, number, from_state::int, to_state::int FROM program_event").fetchall()
        assert rows == [(77, 1, 0, 1)]
        assert connection.execute("SELECT version FROM program").fetchall() == [(1,)]
