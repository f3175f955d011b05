"""Who guesses codes and card numbers: so many wrong ones of one key, then none is looked up for a while.

A device gives up after a few wrong codes of its own. Whoever tries every device in turn is stopped here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from kaquan.api.errors import NOT_FOUND, TOO_MANY_REQUESTS
from kaquan.api.limits import WRONG_A_SECOND, WRONG_AT_ONCE, Rates
from kaquan.api.problems import Problem
from kaquan.payment_codes.errors import PAYMENT_CODE_INVALID
from kaquan.vouchers.errors import CODE_NOT_VALID

_WRONG = frozenset(code.code for code in (NOT_FOUND, PAYMENT_CODE_INVALID, CODE_NOT_VALID, TOO_MANY_REQUESTS))


class Guesses:
    """Counts what was shown and does not exist, by key. What is under way counts until it turns out right."""

    def __init__(self) -> None:
        self._rates = Rates(WRONG_A_SECOND, WRONG_AT_ONCE)

    @contextmanager
    def one(self, key: str, shown: bool = True) -> Iterator[None]:
        """Look something up that was shown, unless nothing was. Raises `Problem` when too many were wrong."""
        if shown:
            self.begin(key)
        try:
            yield
        except Problem as problem:
            if shown and not wrong(problem):
                self.right(key)
            raise
        if shown:
            self.right(key)

    def allowed(self, key: str) -> None:
        """Raises `Problem` when too many were wrong: whoever guesses must not learn what is right either."""
        self._rates.look(key)

    def begin(self, key: str) -> None:
        """Count one. Raises `Problem` when too many were wrong."""
        self._rates.take(key)

    def right(self, key: str) -> None:
        """It was no wrong one."""
        self._rates.give_back(key)


def wrong(problem: Problem) -> bool:
    """Whether what was shown does not exist, or was not even looked up."""
    return problem.refusal.code.code in _WRONG
