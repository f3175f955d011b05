"""A lane that can't be opened: tried again after pauses that grow, and meanwhile nobody is kept waiting."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from kaquan.api.problems import headers
from kaquan.api.serving import turned_away
from kaquan.commands import committer
from kaquan.commands.committer import Committer, Full
from kaquan.commands.execute import Unavailable
from kaquan.commands.model import Kind
from kaquan.kernel.ids import BUCKETS, new_id

ANSWER_SECONDS = 20
COMMAND = SimpleNamespace(subject=new_id(1, BUCKETS[0]))


class _Lane:
    """What a lane works with once it can be opened; it dies when it is told to."""

    def __init__(self) -> None:
        self.dies = False

    def execute(self, kind: Kind, commands: list[Any], *, dry_run: bool = False) -> list[Any]:
        if self.dies:
            raise Unavailable("gone")
        return [f"done {kind.name}" for _ in commands]


def test_a_lane_is_opened_after_pauses_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    now, tries, lanes = [1_000.0], list[float](), list[_Lane]()
    monkeypatch.setattr(committer, "clock", SimpleNamespace(seconds=lambda: now[0]))
    broken = True

    def open_lane(_: int) -> _Lane:
        tries.append(now[0])
        if broken:
            raise OSError("no process")
        lanes.append(_Lane())
        return lanes[-1]

    def ask() -> Any:
        return work.submit(Kind.PAY, COMMAND).result(ANSWER_SECONDS)

    with Committer(open_lane, lanes=1) as work:
        while not tries or not work._lanes[0]._wait_seconds():
            pass  # it is tried at once, by the thread that starts
        waits = []
        for _ in range(7):
            with pytest.raises(Full) as full:
                ask()  # nothing is tried, and nobody waits
            waits.append(full.value.wait_seconds)
            now[0] = work._lanes[0]._closed_until
            with pytest.raises(Unavailable):
                ask()
        pauses = [round(later - sooner, 1) for sooner, later in pairwise(tries)]
        assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0] and waits == [1, 1, 1, 2, 4, 5, 5]
        assert headers(turned_away(full.value)) == {"retry-after": "5"}
        now[0] = work._lanes[0]._closed_until
        broken = False
        assert ask() == "done PAY"
        lanes[0].dies = broken = True
        with pytest.raises(Unavailable):
            ask()  # one that was open is opened at once
        with pytest.raises(Unavailable):
            ask()
        assert tries[-1] == now[0] and round(work._lanes[0]._closed_until - now[0], 1) == 0.2, "from the beginning"


def test_of_many_commands_those_of_a_closed_lane_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "PAUSE_SECONDS", 60.0)
    opened = [False, True]
    command = [SimpleNamespace(subject=new_id(1, BUCKETS[place])) for place in (0, -1)]

    def open_lane(number: int) -> _Lane:
        if not opened[number]:
            raise OSError("no process")
        return _Lane()

    with Committer(open_lane, lanes=2) as work:
        while not work._lanes[0]._wait_seconds():
            pass
        heard: list[Any] = []
        reply = SimpleNamespace(set_running_or_notify_cancel=lambda: True, set_result=heard.append)
        left = work.tell_all(Kind.PAY, [(command[0], reply), (command[1], reply)])
        assert [(told, full.wait_seconds) for told, full in left] == [(reply, 60)]
    assert heard == ["done PAY"]
