"""`kaquan packets`: pools of random packets: open, take, show, list, end, receipt."""

import os
from typing import Annotated, Any

import typer

from kaquan.cli.holders import wallet_of
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import Phone, Wallet
from kaquan.cli.session import Session, identity
from kaquan.cli.vouchers import Program
from kaquan.commands.model import Kind
from kaquan.documents.answers import shown
from kaquan.documents.packets import packet_receipt, pool_amounts, pool_document, pool_row
from kaquan.kernel import clock
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Refusal
from kaquan.rewards import service
from kaquan.rewards.errors import PACKETS_NOT_OVER, PACKETS_UNKNOWN
from kaquan.rewards.packet_model import EndPackets, OpenPacket, OpenPackets, PoolState
from kaquan.rewards.splitting import SEED_BYTES

app = typer.Typer(
    no_args_is_help=True,
    help="拼手气红包：开池、领取、查看、结束、凭证 / Random packets: open, take, show, list, end, receipt",
)

PoolArgument = Annotated[
    str, typer.Argument(help="红包池编号 pol_… / Pool: pol_…", metavar="POOL", show_default=False)
]
PacketArgument = Annotated[
    str, typer.Argument(help="红包编号 pkt_… / Packet: pkt_…", metavar="PACKET", show_default=False)
]
_COLUMNS = ("pool", "code", "state", "count", "total_fen", "ends_at", "unopened", "unopened_fen")


@app.command("open")
@writes
def open_command(
    session: Session,
    program: Program,
    code: Annotated[str, typer.Option("--code", help="活动中红包池的代码 / Code of the pool", metavar="CODE")],
) -> None:
    """开池：拆好、打乱、公布承诺值 / Open a pool: split, shuffled, its commitment published"""
    seed = os.urandom(SEED_BYTES)
    done = session.act(
        Kind.OPEN_PACKETS,
        lambda key: OpenPackets(key=key, caller=OPERATOR, program=program, code=code, seed=seed),
    )
    headline = ("红包池已开放。", "The pool is open.")
    session.tell(headline, done, shown(done.facts), ("pool", "commitment"))


@app.command("take")
@writes
def take_command(session: Session, pool: PoolArgument, phone: Phone = None, wallet: Wallet = None) -> None:
    """为持卡人领一个红包 / Open a packet for a holder"""
    target, owner = identity("pol", pool), wallet_of(session, wallet, phone)
    done = session.act(Kind.OPEN_PACKET, lambda key: OpenPacket(key=key, caller=OPERATOR, wallet=owner, pool=target))
    facts = _numbered(session, {"packet": public("pkt", done.id), **shown(done.facts)})
    born = ("packet", "voucher", "number", "packet_number", "amount_fen")
    session.tell(("领到红包。", "A packet was opened."), done, facts, born)


@app.command("show")
@reads
def show_command(session: Session, pool: PoolArgument) -> None:
    """查看红包池：承诺值、剩余；结束后含种子 / Show a pool: commitment, what is left; the seed once it ended"""
    found = _found(session, identity("pol", pool))
    open_now = found.state == PoolState.OPEN
    left = service.pool_left(session.app.connection, Id(found.id.bytes)) if open_now else None
    facts = pool_document(found, left)
    session.screen.one(facts)


@app.command("list")
@reads
def list_command(session: Session, program: Program) -> None:
    """列出活动的红包池 / List the pools of a program"""
    found = service.pools_of(session.app.connection, session.program(program).program)
    session.screen.rows("pools", _COLUMNS, [pool_row(one) for one in found], ("没有红包池。", "No pools."))


@app.command("end")
@writes
def end_command(session: Session, pool: PoolArgument) -> None:
    """结束到时的红包池：没领的退回，公开种子 / End a pool: what is left goes back, the seed is told"""
    target = identity("pol", pool)
    done = session.act(Kind.END_PACKETS, lambda key: EndPackets(key=key, caller=OPERATOR, pool=target))
    session.tell(("红包池已结束。", "The pool has ended."), done, shown(done.facts))


@app.command("receipt")
@reads
def receipt_command(session: Session, packet: PacketArgument) -> None:
    """红包凭证：--json 的输出可用 tests/support/check_packets.py 独立核对 / A packet's receipt, for anybody to check

    The output of --json is what tests/support/check_packets.py, which imports nothing of Kaquan, checks by itself.
    """
    found = service.packet(session.app.connection, identity("pkt", packet))
    if found is None:
        session.refuse(Refusal(PACKETS_UNKNOWN))
    pool = _found(session, Id(found.pool.bytes))
    if pool.state == PoolState.OPEN:
        session.refuse(Refusal(PACKETS_NOT_OVER, {"ends": clock.shown(clock.instant(pool.ends_at))}))
    rules = next(one for one in session.program(pool.program).terms.packets if one.code == pool.code)
    facts = packet_receipt(found, pool, rules)
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **facts, "amounts_fen": pool_amounts(pool)})
        return
    session.screen.facts(_numbered(session, facts))


def _numbered(session: Session, facts: dict[str, Any]) -> dict[str, Any]:
    """For people, a packet's number under a name of its own: a plain number is a card's."""
    if session.screen.as_json:
        return facts
    return {"packet_number" if name == "number" else name: given for name, given in facts.items()}


def _found(session: Session, pool: Id) -> Any:
    found = service.pool(session.app.connection, pool)
    if found is None:
        session.refuse(Refusal(PACKETS_UNKNOWN))
    return found
