"""Sabotages of bulk jobs."""

from mutants.sabotages import Sabotage, sabotage

FLOWS = "tests/flows/test_bulk.py::test_"

BULK_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "let every try of a row have an id of its own",
        "tests/races/test_bulk.py::test_a_killed_runner_leaves_no_row_out_and_does_none_twice",
        ("bulk/rules.py", '-{row}"', '-{row}-{id(object())}"'),
    ),
    sabotage(
        "go on in the name of a key that was revoked",
        FLOWS + "a_job_stops_when_its_key_is_revoked",
        ("identity/service.py", "return rules.standing(known, at) or known", "return known"),
    ),
    sabotage(
        "show a failed row as it was given",
        FLOWS + "personal_data_is_sealed_gone_at_the_end_and_never_shown",
        ("api/bulk_runner.py", "given = rules.shown(row, known)", "given = row"),
    ),
    sabotage(
        "hear who comes too late with a chunk",
        FLOWS + "who_comes_too_late_with_a_chunk_is_not_heard",
        ("db/migrations/0019_bulk_jobs.sql", " AND version = p_version AND state <> 2", " AND state <> 2"),
    ),
)
