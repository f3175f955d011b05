"""A lane in a process of its own: `kaquan serve` starts one for each (`commands.remote`)."""

import sys
from functools import cache

from kaquan.api import tracing
from kaquan.api.lane import LaneOpening, opened
from kaquan.cli import logs
from kaquan.commands import remote
from kaquan.main import Kaquan, collect_rarely
from kaquan.settings import Settings

COMMAND = (sys.executable, "-P", "-m", "kaquan.cli.lane")


def _open(opening: LaneOpening) -> Kaquan:
    """The application; opened anew after the database was gone."""
    _begin(opening.settings)
    app = opened(opening)
    collect_rarely()
    return app


@cache
def _begin(settings: Settings) -> None:
    """What a process does once."""
    logs.configure(settings.home, settings.log_level)
    logs.gather()
    tracing.start(settings)


if __name__ == "__main__":
    remote.entry(_open, sys.argv)
