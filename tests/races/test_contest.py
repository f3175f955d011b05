"""Ten thousand commands of two servers for the same stock, budget, packets, limits, orders and holds.

The command line and the timetable write too. Nothing is wrong, and what asks is not blind.
At full size: `python bench/contest.py`. KAQUAN_TEST_SEED repeats the commands of an earlier run.
"""

import os
import sys
from pathlib import Path
from secrets import randbelow

from support.contest import World, contested
from support.contest_books import QUESTIONS, decided, judge, opened, untrue
from support.contest_run import run
from support.contest_table import shown
from support.database import Database

ROUNDS = 50
POT = "(SELECT id FROM fund WHERE code = 'pot')"

BEHIND = {
    "a stock that handed out more than it was given, or lost some": """
        UPDATE slice SET count_left = count_left + 1
        WHERE pool = (SELECT pool_of('stock', id) FROM stock WHERE code = 'wide')
    """,
    "a budget that was promised or spent beyond what was paid in": f"""
        UPDATE slice SET fen_left = fen_left + 100000000 WHERE pool = {POT}
    """,
    "a budget whose books do not add up to what was paid in": f"""
        DELETE FROM posting WHERE debit = 31 AND debit_owner = {POT} AND credit IN (40, 70)
    """,
    "packets that do not add up to their pool": """
        UPDATE slice SET fen_left = fen_left + 1 WHERE pool IN (SELECT id FROM packet_pool)
    """,
    "a pool of which all went that did not hold what its packets did": "DELETE FROM packet WHERE number = 1",
    "a packet that was given twice": "UPDATE packet SET number = 1",
    "a packet that is no voucher of its amount": "UPDATE packet SET amount = amount + 1",
    "a person with more vouchers than one, or than two a day": """
        UPDATE wallet SET person = (SELECT person FROM wallet WHERE person IS NOT NULL LIMIT 1)
    """,
    "a limited voucher whose person holds no token for it": "DELETE FROM token",
    "a voucher that two payments hold or have used": """
        UPDATE payment SET discounts = (SELECT discounts FROM payment WHERE state = 2 AND discounts <> '' LIMIT 1)
        WHERE state = 2
    """,
    "a voucher that a payment used and that says otherwise": "UPDATE voucher SET holder = id WHERE state = 3",
    "an authorization that ended twice": """
        UPDATE command SET answer = (SELECT answer FROM command WHERE kind = 22 AND outcome = 0 LIMIT 1)
        WHERE kind IN (22, 23, 24) AND outcome = 0
    """,
    "a party that got back more than it paid, or not all of a whole refund": """
        UPDATE refund SET outside = outside + 100000000
    """,
    "a refund whose parts are not its amount": "UPDATE refund SET amount = amount + 1",
}
"""What is changed behind the door, by what must be found then."""


def test_everybody_wants_the_same_and_nothing_is_wrong(database: Database, tmp_path: Path) -> None:
    seed = int(os.environ.get("KAQUAN_TEST_SEED") or randbelow(2**32))
    print(f"seed {seed}", file=sys.stderr)
    world = contested(database.app_url, seed, ROUNDS)
    before = decided(database.owner_url)
    run(world, tmp_path)
    verdict = judge(world, database.owner_url, tmp_path, before)
    print(shown(verdict), file=sys.stderr)
    assert verdict.wrong == []
    assert verdict.sent + verdict.retries == 10_000
    assert min(verdict.facts.values()) > 0, "everything was contended for"
    assert_not_blind(world, database.owner_url)


def assert_not_blind(world: World, url: str) -> None:
    """Each question finds what it asks for."""
    assert set(BEHIND) == set(QUESTIONS)
    with opened(url) as connection:
        for what, sabotage in BEHIND.items():
            with connection.transaction(force_rollback=True):
                connection.execute(sabotage.encode())
                found = list(untrue(world, connection))
            assert any(one.startswith(what) for one in found), (what, found)
