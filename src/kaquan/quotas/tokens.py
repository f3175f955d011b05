"""Tokens: the right to be one of the most that a rule lets a subject have. Taken before anything is decided.

A token lies in the subject's own bucket, so that a person's two wallets, or a device in two towns, meet there. It is
held by the command that took it for as long as that command may take effect or has done so. The token of a command
that was refused is free; that of one of which nothing was heard is free after a grace, once its id is burnt. The same
command finds its own token again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.commands.model import TOMBSTONE, Decision
from kaquan.commands.tombstones import bury, decisions
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.quotas import store
from kaquan.quotas.model import Held, Lost, Want
from kaquan.quotas.slots import standing

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
        if taking is None and len(tokens) < want.most:
            continue
        seen = standing(want, tokens, known, at_us)
        if seen.own:
            continue
        for token in (*seen.free, *seen.late):
            if taking is None or _take_over(taking, want, token, known, token in seen.late, at_us, lost_code):
                tokens[tokens.index(token)] = Held(token.slot, want.command, want.content, at_us)
                break
        else:
            lost.append(seen.lost(want, at_us))
    return lost


def _take_over(
    connection: psycopg.Connection[Any],
    want: Want,
    token: Held,
    known: dict[bytes, Decision],
    late: bool,
    at_us: int,
    lost_code: str,
) -> bool:
    if late:
        if not bury(connection, Id(token.command), lost_code, at_us):
            return False
        known[token.command] = Decision(took_effect=False, content=TOMBSTONE)  # its other tokens are free as well
    return store.take_over(connection, want, token, at_us)
