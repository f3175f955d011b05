"""A lane in a process of its own: `kaquan serve` starts one for each (`commands.remote`)."""

import sys

from kaquan.api import tracing
from kaquan.api.lane import LaneOpening, opened
from kaquan.cli import logs
from kaquan.commands import remote
from kaquan.main import Kaquan, collect_rarely

COMMAND = (sys.executable, "-m", "kaquan.cli.lane")


def _open(opening: LaneOpening) -> Kaquan:
    logs.configure(opening.settings.home, opening.settings.log_level)
    logs.gather()
    tracing.start(opening.settings)
    app = opened(opening)
    collect_rarely()
    return app


if __name__ == "__main__":
    remote.entry(_open, sys.argv)
