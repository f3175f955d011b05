"""What a serving process counts of its callers."""

from collections import OrderedDict
from threading import Event, Thread
from typing import Any

import pytest

from kaquan.api.errors import TOO_MANY_REQUESTS
from kaquan.api.limits import Rates
from kaquan.api.problems import Problem

WAIT_SECONDS = 10.0


class _Slow(OrderedDict[str, Any]):
    """Buckets that let `meanwhile` be done while one of them is out of its place."""

    meanwhile: Thread | None = None

    def pop(self, *given: Any) -> Any:
        found = super().pop(*given)
        if self.meanwhile is not None:
            self.meanwhile.start()
            self.meanwhile.join(0.2)
        return found


def test_who_looks_waits_for_who_counts() -> None:
    """Between two steps of a count nobody sees a caller that took nothing yet."""
    rates = Rates(rate=0.001, burst=1)
    rates.take("guesser")
    told: list[str] = []
    done = Event()

    def look() -> None:
        try:
            rates.look("guesser")
        except Problem as problem:
            told.append(problem.refusal.code.code)
        done.set()

    rates._left = _Slow(rates._left)
    rates._left.meanwhile = Thread(target=look)
    with pytest.raises(Problem):
        rates.take("guesser")
    assert done.wait(WAIT_SECONDS) and told == [TOO_MANY_REQUESTS.code]


def test_looking_counts_nothing() -> None:
    rates = Rates(rate=0.001, burst=1)
    for _ in range(3):
        rates.look("till")
    rates.take("till")
    with pytest.raises(Problem):
        rates.look("till")
    rates.give_back("till")
    rates.look("till")
