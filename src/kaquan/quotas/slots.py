"""Which of the tokens that are taken may be taken over, and which may come free. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from kaquan.commands.model import Decision
from kaquan.quotas.model import Held, Lost, Want

GRACE_SECONDS = 30  # a command that has not been decided by then is taken for lost; callers time out sooner


class Standing(msgspec.Struct, frozen=True):
    """How a want stands before tokens that are taken.

    `own`: it has one. `free`: of commands that can't take effect for them. `late`: of commands of which nothing was
    heard; their ids are burnt first. `waiting`: of commands that may still be refused.
    """

    own: bool
    free: Sequence[Held]
    late: Sequence[Held]
    waiting: Sequence[Held]

    def lost(self, want: Want, at_us: int) -> Lost:
        """What is said when nothing could be taken over: full for good, or for now."""
        if self.waiting:
            wait = GRACE_SECONDS - max(_waited(one, at_us) for one in self.waiting)
            return Lost(want, frozenset(one.command for one in self.waiting), max(1, wait))
        return Lost(want, frozenset(), 1 if self.free or self.late else 0)


def standing(want: Want, tokens: Sequence[Held], known: Mapping[bytes, Decision], at_us: int) -> Standing:
    """Judge the tokens under a want's key. `known`: those of their commands that were decided."""
    own = any(one.command == want.command and one.content == want.content for one in tokens)
    free, late, waiting = list[Held](), list[Held](), list[Held]()
    for token in tokens:
        if (decision := known.get(token.command)) is not None:
            if given_up(token.content, decision):
                free.append(token)
        elif token.command != want.command and _waited(token, at_us) >= GRACE_SECONDS:
            late.append(token)
        else:
            waiting.append(token)
    return Standing(own, free, late, waiting)


def given_up(content: bytes, decision: Decision) -> bool:
    """Whether a decided command can't have taken effect for what it took with this content."""
    return not (decision.took_effect and decision.content == content)


def _waited(token: Held, at_us: int) -> int:
    return (at_us - token.at_us) // 1_000_000
