"""A runner is killed (kill -9) in the middle of a chunk; another goes on: every row is done exactly once."""

import os
import subprocess
import sys
from pathlib import Path

import kaquan
from kaquan.bulk import service
from kaquan.bulk.model import JobState
from kaquan.kernel.ids import public
from support.bulk import bulk_town, job_of, run_all, send
from support.database import Database

TESTS = Path(__file__).resolve().parents[1]
SOURCES = Path(next(iter(kaquan.__path__))).parent
ROWS, KILLED_AFTER = 70, 23


def test_a_killed_runner_leaves_no_row_out_and_does_none_twice(database: Database) -> None:
    town = bulk_town(database)
    wallet = public("wal", town.holder())
    row = {"wallet": wallet, "program": town.program, "face_fen": 50_000}
    sales = send(town, "sell_card", [row] * ROWS)
    people = send(town, "register_holder", [{"name": "张三", "phone": f"1390000{one:04}"} for one in range(ROWS)])
    child = subprocess.Popen(
        [sys.executable, str(TESTS / "support" / "bulk_process.py"), database.app_url],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": os.pathsep.join([str(SOURCES), str(TESTS)])},
    )
    assert child.stdout is not None
    for _ in range(50 + KILLED_AFTER):  # it is in the first chunk of the second job
        assert child.stdout.readline() == "row\n"
    child.kill()
    child.communicate()
    holders = "SELECT count(*) FROM phone_index"
    begun = town.rows(holders)[0][0]
    assert KILLED_AFTER < begun <= KILLED_AFTER + 2 and job_of(town, people).done == 0
    assert run_all(database.app_url) == 2, "what was taken is left alone while its lease runs"
    town.rows(
        "UPDATE job_chunk SET leased_until = leased_until - %s RETURNING 1",
        int(service.LEASE.total_seconds()) * 10**6,
    )
    assert run_all(database.app_url) == 1
    for job in (sales, people):
        told = job_of(town, job)
        assert (told.state, told.done, told.failed) == (JobState.DONE, ROWS, 0)
    assert town.rows("SELECT count(*) FROM card") == [(ROWS,)]
    assert town.rows(holders) == [(ROWS + 1,)]
    assert town.rows("SELECT count(*) FROM command WHERE kind = 10") == [(ROWS,)]
