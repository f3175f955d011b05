"""A runner in a process of its own, to be killed. argv: the URL of the database.

It says `row` after each row that it has carried out.
"""

import sys
from threading import Event
from typing import Any

from kaquan.api import bulk_runner
from support.bulk import runner

if __name__ == "__main__":
    carry_out = bulk_runner.carry_out

    def told(*arguments: Any) -> bool:
        """Carry the row out, and tell."""
        took_effect = carry_out(*arguments)
        print("row", flush=True)
        return took_effect

    bulk_runner.carry_out = told
    with runner(sys.argv[1]) as serving:
        while bulk_runner.turn(serving, Event()):
            pass
