"""A draw as a document: what is published of it."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.draws.model import Draw, DrawState
from kaquan.kernel.ids import public


def draw_row(one: Any) -> dict[str, Any]:
    """A draw in the list of draws."""
    return {
        "draw": public("drw", one.id.bytes),
        "program": one.program,
        "stock": one.stock,
        "number": one.number,
        "state": DrawState(one.state).name.lower(),
        "seats": one.seats,
        "entries": one.entries,
        "opens_at": instant(one.opens_at),
        "closes_at": instant(one.closes_at),
    }


def published(draw: Draw) -> dict[str, Any]:
    """What is published of a draw so far: commitment, then the list's digest, then the seed."""
    facts = {
        "draw": public("drw", draw.id),
        "state": DrawState(draw.state).name.lower(),
        "seats": draw.seats,
        "entries": draw.entries if draw.list_digest else None,
        "commitment": draw.commitment.hex(),
        "list_digest": draw.list_digest.hex(),
        "seed": draw.seed.hex(),
    }
    return {name: given for name, given in facts.items() if given not in ("", None)}
