"""Random packets: pools are opened and ended, packets taken; receipts that anybody can check."""

import os
from typing import Annotated, Any

from fastapi import Query

from kaquan.api.authorization import HOLDERS, ISSUERS, READERS
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import PAGE_MAX, After, Body, Code, Limit, PathText
from kaquan.api.pages import page
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.packets import packet_receipt, pool_amounts, pool_document, pool_row
from kaquan.kernel import clock
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Refusal
from kaquan.rewards import service
from kaquan.rewards.errors import PACKETS_NOT_OVER
from kaquan.rewards.packet_model import EndPackets, OpenPacket, OpenPackets, PoolState
from kaquan.rewards.splitting import SEED_BYTES

routes = Routes("packets", "红包 Packets")


class Opening(Body):
    """A pool by the code that the program's terms give it."""

    program: Code
    code: Code


class Taker(Body):
    """Who takes a packet."""

    wallet: str


@routes.writes("/packet-pools", ISSUERS, example={"program": "$program", "code": "$packets"})
def open_packets(call: Call, body: Opening) -> dict[str, Any]:
    """开红包池 Open a pool: split, shuffled, its commitment published"""
    call.objects.program(body.program)
    content = {"program": body.program, "code": body.code, "seed": os.urandom(SEED_BYTES)}
    return call.act(Kind.OPEN_PACKETS, OpenPackets, **content)


@routes.reads("/programs/{program}/packet-pools", READERS, owned=False)
def list_packet_pools(call: Call, program: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出红包池 List the pools of a program, the latest first; the latest 100"""
    found = service.pools_of(call.app.connection, call.objects.any_program(program).program)
    return page(found, lambda one: (-one.at, one.id.hex), (limit, after), pool_row)


@routes.reads("/packet-pools/{pool}", READERS, owned=False)
def show_packet_pool(call: Call, pool: PathText) -> dict[str, Any]:
    """查看红包池 A pool: its commitment, what is left, and its seed once it is over"""
    found = call.objects.any_pool(pool)
    open_now = found.state == PoolState.OPEN
    return pool_document(found, service.pool_left(call.app.connection, Id(found.id.bytes)) if open_now else None)


@routes.writes("/packet-pools/{pool}/packets", HOLDERS, example={"wallet": "$wallet"})
def take_packet(call: Call, pool: PathText, body: Taker) -> dict[str, Any]:
    """领红包 Open the next packet of a pool for a holder"""
    wallet = call.objects.customer(body.wallet)
    found = call.objects.any_pool(pool) if call.caller.role is Role.HOLDER else call.objects.pool(pool)
    return call.act_told(
        Kind.OPEN_PACKET,
        OpenPacket,
        lambda done: {"packet": public("pkt", done.id)},
        wallet=wallet,
        pool=Id(found.id.bytes),
    )


@routes.writes("/packet-pools/{pool}/end", ISSUERS, made="over_pool")
def end_packets(call: Call, pool: PathText) -> dict[str, Any]:
    """结束红包池 End a pool whose time is up: what is left goes back, the seed is told"""
    return call.act(Kind.END_PACKETS, EndPackets, pool=Id(call.objects.pool(pool).id.bytes))


@routes.reads("/packets/{packet}/receipt", HOLDERS | {Role.REGULATOR})
def show_packet_receipt(
    call: Call, packet: PathText, amounts: Annotated[bool, Query(description="All packets of the pool.")] = False
) -> dict[str, Any]:
    """红包凭证 The receipt of a packet whose pool is over; with `amounts` all that is needed to check it"""
    found, pool = call.objects.packet(packet)
    if pool.state == PoolState.OPEN:
        raise Problem.of(Refusal(PACKETS_NOT_OVER, {"ends": clock.shown(clock.instant(pool.ends_at))}))
    terms = call.objects.any_program(pool.program).terms
    rules = next((one for one in terms.packets if one.code == pool.code), None)
    if rules is None:
        raise Problem(NOT_FOUND)
    told = packet_receipt(found, pool, rules)
    return {**told, "amounts_fen": pool_amounts(pool)} if amounts else told
