"""Random lives of a program, on the real door and in a small model at once: what `test_machine` does for cards.

A run prints its seed; `KAQUAN_SEED=<seed>` repeats it. The invariants, and who watches them after every step:

| invariant | lives of cards (`both`, `books`, `lives`) | lives of a program (`program_both`, `replay`) |
|---|---|---|
| 1 debits are credits | `the_books_hold` | `the_books_are_proved`, `stored_is_rebuilt` |
| 2 nothing below zero | `the_books_hold` | `balances`, `funders_money_is_where_the_model_says` |
| 3 issued within budget | `funders_money_is_where_the_model_says` | `STOCKS_OFF`; many at once: `tests/races` |
| 4 one key, one effect | `replay`, `other_content` | `again` |
| 5 every fen of an order | `every_fen_that_came_in_is_somewhere` | `lots_and_vouchers_are_what_the_model_says` |
| 6 refunds within each share | `Model.refund`, `AT_THE_END` | `Program.refund` |
| 7 expiry takes no principal | `lots_are_what_the_model_says` | `lots_and_vouchers_are_what_the_model_says` |
| 8 packets are their pool | | `packets_are_their_pool`, `Pool.take` |
| 9 reserves released once | | `merchants_have_what_the_model_says`, `release_of` |
| 10 rebuilt from the entries | `a lot holds what its postings say` | `stored_is_rebuilt`, `statements` |
| 11 settled twice, paid once | | `again`, `merchants_have_what_the_model_says` |
| 12 paused, nothing granted | | `what_is_paused_grants_nothing`, `while_paused` |
"""

import os
import random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from kaquan.db.embedded import Server
from machine.program_lives import ProgramLives
from support.database import fresh_database

EXAMPLES = 12
STEPS = 40


def lives(server: Server, template_name: str) -> type[ProgramLives]:
    return type("Lives", (ProgramLives,), {"fresh": staticmethod(lambda: fresh_database(server, template_name))})


def test_lives_of_a_program(server: Server, template_name: str) -> None:
    chosen = int(os.environ.get("KAQUAN_SEED") or random.SystemRandom().randrange(2**32))
    print(f"KAQUAN_SEED={chosen}")
    run_state_machine_as_test(
        seed(chosen)(lives(server, template_name)),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_one_life_that_meets_every_invariant(server: Server, template_name: str) -> None:
    life = lives(server, template_name)()
    try:
        for step in (
            lambda: life.tick({"days": 1}),
            lambda: life.packets(41, b"p" * 32, [1, 700, 3_000], ends=False),
            lambda: life.take(1),
            lambda: life.subsidy(0, 3_500, paused=False),
            lambda: life.while_paused(1, 20_000, 30),
            lambda: life.step("resume"),
            lambda: life.step_stock("pause", "luck"),
            lambda: life.take(1),
            lambda: life.packets(9, b"q" * 32, [50], ends=True),
            lambda: life.step_stock("resume", "luck"),
            lambda: life.packets(5, b"r" * 32, [50], ends=True),
            lambda: life.months_pass(2, paused=True, months=3),
            lambda: life.settle(0, patient=True),
            lambda: life.subsidy(0, 5_000, paused=True),
            lambda: life.while_paused(2, 9_000, 100),
            lambda: life.step("end"),
            lambda: life.settle(0, patient=True),
        ):
            step()
            life.hold()
        assert len(life.program.pools) == 2 and any(reserve.released for _, reserve in life.reserves())
    finally:
        life.teardown()
