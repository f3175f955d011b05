"""A process that serves commands through a committer, to be killed: argv is the home and the socket to listen at.

It has no code for recovery: a lane that lost the database opens it again as it did the first time.
"""

import sys
from concurrent.futures import Future
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from threading import Lock, Thread

from kaquan.commands.committer import Committer, Full
from kaquan.commands.execute import Unavailable
from kaquan.commands.model import Outcome
from kaquan.db import embedded
from kaquan.db.pool import connect
from kaquan.kernel.refusal import Fault
from kaquan.main import Kaquan
from kaquan.settings import Settings
from support.race import answer
from support.town import MASTER_KEY

LANES = 2


def serve(home: Path, socket: Path) -> None:
    """Serve until killed."""
    servers = []

    def open_lane(number: int) -> Kaquan:
        servers.append(embedded.open_server(Settings(home=home, shared_buffers_mb=32)))
        return Kaquan(connect(servers[-1].app_url), MASTER_KEY, number)

    socket.unlink(missing_ok=True)
    with Listener(str(socket), "AF_UNIX") as listener, Committer(open_lane, LANES) as committer:
        while True:
            Thread(target=_talk, args=(listener.accept(), committer), daemon=True).start()


def _talk(caller: Connection, committer: Committer) -> None:
    lock = Lock()

    def tell(number: int, future: "Future[Outcome]") -> None:
        trouble = future.exception()
        if isinstance(trouble, Unavailable):
            told = None
        elif isinstance(trouble, Fault):
            told = answer(trouble)
        else:
            told = answer(future.result())
        with lock:
            caller.send((number, told))

    while True:
        try:
            wanted = caller.recv()
        except (EOFError, OSError):
            return
        for number, kind, command in wanted:
            try:
                answer_to = committer.submit(kind, command)
            except Full:  # the lane waits for the database
                with lock:
                    caller.send((number, None))
                continue
            answer_to.add_done_callback(lambda future, number=number: tell(number, future))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
