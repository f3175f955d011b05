"""What a serving process does beside answering: sends webhooks, carries out bulk jobs, finishes what was approved,
notes used keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog

from kaquan.api import bulk_runner
from kaquan.api.approvals import execute
from kaquan.api.calls import Call
from kaquan.api.problems import Words
from kaquan.api.serving import Serving
from kaquan.approvals import service as approvals
from kaquan.approvals.model import ApprovalState
from kaquan.commands.model import Kind
from kaquan.commands.trouble import told
from kaquan.identity.model import ANYTHING, NOBODY, Key
from kaquan.kernel.caller import SYSTEM
from kaquan.main import reach_of
from kaquan.webhooks.sending import Sender
from kaquan.webhooks.service import Dispatcher

ROUND_SECONDS = 30

log = structlog.get_logger()


@contextmanager
def running(serving: Serving) -> Iterator[None]:
    """Run the errands of a serving process until the block ends; what is under way is finished."""
    stop = Event()
    with serving.looking() as app:
        dispatcher = Dispatcher(app.master, Sender(reach_of(serving.settings)), serving.send)
    threads = [
        Thread(target=dispatcher.run, args=(serving.connect, stop), name="webhooks", daemon=True),
        Thread(target=bulk_runner.run, args=(serving, stop), name="bulk", daemon=True),
        Thread(target=_rounds, args=(serving, stop), name="errands", daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _rounds(serving: Serving, stop: Event) -> None:
    while not stop.wait(ROUND_SECONDS):
        try:
            one_round(serving)
        except Exception as trouble:  # the thread must outlive whatever it was
            log.warning("errands.trouble", error=told(trouble))


def one_round(serving: Serving) -> int:
    """Write down which keys were used; do what was approved and not done, as after a crash in between. How many."""
    with serving.looking() as app:
        serving.keys.flush(app.connection)
        found = approvals.pending(app.connection, app.door.at(), state=ApprovalState.APPROVED)
        left = [one for one in found if one.wanted is not Kind.ISSUE_KEY]  # half its token is for the approver to see
        by = Call(serving, app, _NOBODY, Words(serving.settings.lang, "errands"))
        for approval in left:
            try:
                execute(serving, by, approval)
            except Exception as trouble:  # one that can't be done must not hold up the others
                log.warning("errands.approval", approval=approval.id.hex(), error=told(trouble))
    return len(left)


_NOBODY = Key(NOBODY, "", SYSTEM, frozenset({ANYTHING}), 0)
