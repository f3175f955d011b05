"""A pool of random packets as a document, and the receipt of a packet."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.kernel.ids import public
from kaquan.programs.grants import PacketPool as PoolTerms
from kaquan.rewards.packet_model import PoolState
from kaquan.rewards.packets import opened as revealed
from kaquan.rewards.splitting import amounts


def pool_row(pool: Any) -> dict[str, Any]:
    """A pool; what nobody took is told once it is over."""
    over = pool.state == PoolState.ENDED
    return {
        "pool": public("pol", pool.id.bytes),
        "program": pool.program,
        "code": pool.code,
        "state": PoolState(pool.state).name.lower(),
        "count": pool.count,
        "total_fen": pool.total,
        "opened_at": instant(pool.at),
        "ends_at": instant(pool.ends_at),
        "unopened": pool.left_count if over else None,
        "unopened_fen": pool.left_fen if over else None,
    }


def pool_document(pool: Any, left: tuple[int, int] | None) -> dict[str, Any]:
    """A pool with its commitment, its seed once it is over, and until then what is `left` in it."""
    facts = {**pool_row(pool), "commitment": pool.commitment.hex(), "seed": _seed(pool)}
    return facts if left is None else {**facts, "unopened": left[0], "unopened_fen": left[1]}


def packet_receipt(packet: Any, pool: Any, rules: PoolTerms) -> dict[str, Any]:
    """What lets anybody check a packet, with the amounts of all of them (`pool_amounts`)."""
    return {
        "pool": public("pol", pool.id.bytes),
        "number": packet.number,
        "amount_fen": packet.amount,
        "count": pool.count,
        "total_fen": pool.total,
        "min_fen": rules.min_fen,
        "max_fen": rules.max_fen,
        "commitment": pool.commitment.hex(),
        "seed": _seed(pool),
    }


def pool_amounts(pool: Any) -> list[int]:
    """The packets of a pool that is over, in their order."""
    return [int(amount) for amount in amounts(revealed(pool.revealed).parts)]


def _seed(pool: Any) -> str | None:
    return None if pool.revealed is None else revealed(pool.revealed).seed.hex()
