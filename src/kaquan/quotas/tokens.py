"""Tokens: the right to be one of the most that a rule lets a subject have. Taken before anything is decided.

A token lies in the subject's own bucket, so that a person's two wallets, or a device in two towns, meet there. It is
held by the command that took it for as long as that command may take effect or has done so. The token of a command
that was refused is free; that of one of which nothing was heard is free after a grace, once its id is burnt. The same
command finds its own token again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from kaquan.commands.tombstones import Decision, bury, decisions
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.quotas import store
from kaquan.quotas.model import Lost, Want
from kaquan.quotas.store import Held

GRACE_SECONDS = 30  # a command that has not been decided by then is taken for lost; callers time out sooner
ROUNDS = 5
"""Others may come between a look and an insert; whoever loses that often is told to come back."""


def take(
    cursor: psycopg.Cursor[Any], wants: Sequence[Want], at: datetime, lost_code: str, *, dry_run: bool = False
) -> list[Lost]:
    """A token for every want. Gives those that got none: of the rest each command holds what it asked for.

    `lost_code` is the refusal under which a command is buried that did not arrive. A dry run takes nothing.
    """
    at_us = microseconds(at)
    if dry_run:
        return _judge(cursor, wants, store.held(cursor, wants), at_us, lost_code, None)
    left, lost = list(wants), list[Lost]()
    for _ in range(ROUNDS):
        left = store.take(cursor, left, at_us) if left else []
        if not left:
            return lost
        held = store.held(cursor, left)
        full = [want for want in left if len(held[want.key]) >= want.most]
        lost += _judge(cursor, full, held, at_us, lost_code, cursor.connection)
        left = [want for want in left if len(held[want.key]) < want.most]
    return lost + [Lost(want, frozenset(), 1) for want in left]


class _Slot(NamedTuple):
    """A token somebody has, and what became of its command; `waited` in seconds."""

    held: Held
    decision: Decision | None
    waited: int

    @property
    def free(self) -> bool:
        """Whether its command can't take effect for it."""
        if self.decision is None:
            return False
        return not (self.decision.took_effect and self.decision.content == self.held.content)


def _judge(
    cursor: psycopg.Cursor[Any],
    wants: Sequence[Want],
    held: dict[tuple[bytes, int, int], list[Held]],
    at_us: int,
    lost_code: str,
    taking: psycopg.Connection[Any] | None,
) -> list[Lost]:
    """Who finds no free slot among those that are held; with `taking` what is free is taken over."""
    lost: list[Lost] = []
    known = decisions(cursor, sorted({one.command for want in wants for one in held[want.key]}))
    for want in wants:
        tokens = held[want.key]
        if any(one.command == want.command and one.content == want.content for one in tokens):
            continue
        if taking is None and len(tokens) < want.most:
            continue
        slots = [_Slot(one, known.get(one.command), (at_us - one.at_us) // 1_000_000) for one in tokens]
        waiting = [slot for slot in slots if slot.decision is None]
        late = [slot for slot in waiting if slot.waited >= GRACE_SECONDS and slot.held.command != want.command]
        for slot in [slot for slot in slots if slot.free] + late:
            if taking is None or _take_over(taking, want, slot, at_us, lost_code):
                tokens[tokens.index(slot.held)] = Held(slot.held.slot, want.command, want.content, at_us)
                break
        else:
            lost.append(_told(want, [slot for slot in waiting if slot not in late], bool(late)))
    return lost


def _take_over(connection: psycopg.Connection[Any], want: Want, slot: _Slot, at_us: int, lost_code: str) -> bool:
    if slot.decision is None and not bury(connection, Id(slot.held.command), lost_code, at_us):
        return False
    return store.take_over(connection, want, slot.held, at_us)


def _told(want: Want, waiting: Sequence[_Slot], contended: bool) -> Lost:
    """Full for good; or for now, when a holder may still be refused."""
    if waiting:
        wait = GRACE_SECONDS - max(slot.waited for slot in waiting)
        return Lost(want, frozenset(slot.held.command for slot in waiting), max(1, wait))
    return Lost(want, frozenset(), 1 if contended else 0)
