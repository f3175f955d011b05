"""A dispatcher in a process of its own that never comes to sending. argv: the URL of the database.

It says how many deliveries it has written once they stand, and `sending` when it has taken some; then it waits to be
killed.
"""

import sys
from time import sleep

from kaquan.db.pool import connect
from kaquan.kernel.clock import system_now
from kaquan.main import Kaquan
from kaquan.webhooks.model import Answered
from kaquan.webhooks.sending import Sender
from kaquan.webhooks.service import Dispatcher
from support.receiver import LOCAL
from support.town import MASTER_KEY


class Stuck(Sender):
    """A sender that is killed before anything went out."""

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Answered:
        """Never come back."""
        print("sending", flush=True)
        sleep(600)
        return Answered(0, 0)


if __name__ == "__main__":
    connection = connect(sys.argv[1])
    app = Kaquan(connection, MASTER_KEY, reach=LOCAL)
    dispatcher = Dispatcher(app.master, Stuck(LOCAL), app.one)
    while dispatcher.run_once(connection, system_now()).idle:
        sleep(0.05)
