"""Random lives of a program, on the real door and in a small model at once.

A run prints its seed; `KAQUAN_SEED=<seed>` repeats it.
"""

import os
import random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from kaquan.db.embedded import Server
from machine.program_lives import ProgramLives
from support.database import fresh_database

EXAMPLES = 6
STEPS = 50


def test_lives_of_a_program(server: Server, template_name: str) -> None:
    chosen = int(os.environ.get("KAQUAN_SEED") or random.SystemRandom().randrange(2**32))
    print(f"KAQUAN_SEED={chosen}")
    machine = type("ProgramLives", (ProgramLives,), {"fresh": staticmethod(lambda: fresh_database(server, template_name))})
    run_state_machine_as_test(
        seed(chosen)(machine),
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
