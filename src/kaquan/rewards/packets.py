"""Random packets: a pool is split and committed to before anybody opens one. Pure.

The packets of a pool lie in one order; each of its slices holds a run of them and hands them out from the front. Who
opens one draws on the slice of her bucket, or on the fullest when that is empty. The money of all packets is promised
by their funders at the opening; what nobody took when the time is up is free again, and the seed and the whole order
are revealed, so that anybody can check what was promised against what was handed out.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from struct import Struct
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.funders.rules import promised, release_legs
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money, allocate
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post
from kaquan.programs.catalogue import Catalogue, Fund, Stock
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.grants import PacketPool as PacketTerms
from kaquan.quotas.model import SLICES, Slice, Want, own_slice, slice_keys
from kaquan.quotas.rules import Change, put_back, take
from kaquan.rewards import errors
from kaquan.rewards.gifts import free_again
from kaquan.rewards.packet_model import (
    EndPackets,
    OpenPacket,
    OpenPackets,
    PacketFacts,
    PacketPool,
    Packets,
    PoolState,
)
from kaquan.rewards.splitting import AMOUNT_BYTES, SEED_BYTES, amount_at, commitment, packed, split
from kaquan.vouchers import errors as voucher_errors
from kaquan.vouchers.claims import Issue, commit, new_voucher, stopped
from kaquan.vouchers.limits import person_subjects
from kaquan.vouchers.orders import day_number

_PROMISE = Struct(">16sq")

OPENED_RULE = 1_000_000_000
"""The rule of the tokens that limit packets a day: this and the number of their stock, above all other rules."""


def terms_of(command: OpenPackets, catalogue: Catalogue) -> tuple[PacketTerms, Stock | None] | Refusal:
    """What the program says about a pool's code, and its stock if that is open."""
    terms = catalogue.program(command.program)
    if terms is None:
        return Refusal(PROGRAM_UNKNOWN, {"program": command.program[:40]})
    found = next((pool for pool in terms.terms.packets if pool.code == command.code), None)
    if found is None:
        return Refusal(errors.PACKETS_UNKNOWN)
    return found, catalogue.stock_by_code(command.program, found.stock)


def decide_open(
    entry: Entry, facts: PacketFacts, catalogue: Catalogue, seal: Callable[[Id, bytes], bytes], at: datetime
) -> Plan | Refusal:
    """Split a pool, take its vouchers out of the stock and its money out of its funders' budget, commit to it."""
    command: OpenPackets = entry.command
    found = terms_of(command, catalogue)
    if isinstance(found, Refusal):
        return found
    rules, stock = found
    if stock is None:
        return Refusal(voucher_errors.STOCK_CLOSED, {"stock": rules.stock})
    if refusal := stopped(stock):
        return refusal
    if (stock.terms.program, rules.code) in facts.open_codes:
        return Refusal(errors.PACKETS_OPEN, {"code": rules.code})
    bucket = bucket_of(entry.id)
    taken = take(facts.quotas.pool(stock.pool), bucket, rules.count, rules.total_fen)
    if taken is None:
        return Refusal(voucher_errors.STOCK_SOLD_OUT, {"stock": stock.code})
    parts = packed(split(command.seed, rules.total_fen, rules.count, rules.min_fen, rules.max_fen))
    worth = _worth(stock, parts)
    money = commit(worth, facts, bucket)
    if isinstance(money, Refusal):
        return money
    row = _pool(entry.id, rules, stock, at)
    row["commitment"] = "\\x" + commitment(command.seed, parts).hex()
    row["sealed"] = "\\x" + seal(entry.id, command.seed + parts).hex()
    row["promises"] = "\\x" + b"".join(_PROMISE.pack(fund.id, part) for fund, part in worth if fund).hex()
    return Plan(
        answer=msgspec.json.encode(
            {
                "code": rules.code,
                "commitment": commitment(command.seed, parts).hex(),
                "count": rules.count,
                "ends_us": row["ends_at"],
                "pool": entry.id.hex(),
                "total_fen": rules.total_fen,
            },
            order="sorted",
        ),
        event="packets.opened.v1",
        changes=(*taken, *money[0]),
        cold=(("packet_pool", row), *(("slice", one) for one in _slices(entry.id, parts))),
        postings=post(entry.id, stock.terms.ledger, money[1]),
    )


def decide_take(entry: Entry, facts: PacketFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """The next packet of a pool, as a voucher."""
    command: OpenPacket = entry.command
    wallet = facts.wallets.get(command.wallet)
    if wallet is None or not wallet.active:
        return Refusal(WALLET_UNKNOWN)
    pool = facts.pools.get(command.pool)
    if pool is None:
        return Refusal(errors.PACKETS_UNKNOWN)
    stock = catalogue.stock(pool.terms, pool.stock)
    if microseconds(at) >= pool.ends_us:
        return Refusal(errors.PACKETS_OVER, {"ended": shown(instant(pool.ends_us))})
    if refusal := stopped(stock) or facts.routed.get(entry.id):
        return refusal
    slices = facts.quotas.pool(pool.id)
    slice_ = _next_slice(slices, bucket_of(entry.id))
    if slice_ is None:
        return Refusal(errors.PACKETS_GONE)
    number = first_left(pool.count, slice_)
    amount = amount_at(facts.packets[pool.id].parts, number)
    voucher = new_voucher(Issue(entry.id, wallet.id, pool.id, stock, amount), at)
    if isinstance(voucher, Refusal):
        return voucher
    return Plan(
        answer=msgspec.json.encode(
            {
                "amount_fen": amount,
                "expires_us": voucher.expires_us,
                "number": number,
                "pool": pool.id.hex(),
                "voucher": entry.id.hex(),
            },
            order="sorted",
        ),
        event="packet.opened.v1",
        subject=wallet.id,
        person=b'{"voucher":"%b","wallet":"%b"}' % (entry.id.hex().encode(), wallet.id.hex().encode()),
        changes=((slice_, (slice_.count_left - 1, slice_.fen_left - amount)),),
        inserts=(("voucher", voucher.row()),),
        cold=(("packet", _packet(entry.id, pool, wallet.id, number, amount, at)),),
        born=(voucher,),
    )


def decide_end(entry: Entry, facts: PacketFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """What nobody took goes back to the stock and to the funders; the order is revealed."""
    command: EndPackets = entry.command
    pool = facts.pools.get(command.pool)
    if pool is None:
        return Refusal(errors.PACKETS_UNKNOWN)
    if pool.state == PoolState.ENDED:
        return Refusal(errors.PACKETS_OVER, {"ended": shown(instant(pool.ends_us))})
    if microseconds(at) < pool.ends_us:
        return Refusal(errors.PACKETS_NOT_OVER, {"ends": shown(instant(pool.ends_us))})
    stock, packets, slices = (
        catalogue.stock(pool.terms, pool.stock),
        facts.packets[pool.id],
        facts.quotas.pool(pool.id),
    )
    unopened = b"".join(_run(pool.count, one, packets.parts) for one in slices)
    count, amount = sum(one.count_left for one in slices), Money(sum(one.fen_left for one in slices))
    bucket, worth = bucket_of(pool.id), _worth(stock, unopened)
    legs = release_legs(worth)
    emptied: list[Change] = [(one, (0, 0)) for one in slices if one.count_left]
    back = put_back(facts.quotas.pool(stock.pool), bucket, count, amount) if count else []
    back += free_again(worth, facts.quotas, bucket)
    return Plan(
        answer=msgspec.json.encode(
            {
                "pool": pool.id.hex(),
                "released_fen": sum(leg.amount for leg in legs),
                "seed": packets.seed.hex(),
                "unopened": count,
                "unopened_fen": amount,
            },
            order="sorted",
        ),
        event="packets.ended.v1",
        changes=((pool, (PoolState.ENDED, count, amount, packets.seed + packets.parts)), *emptied, *back),
        postings=post(entry.id, stock.terms.ledger, legs),
    )


def wanted_tokens(entry: Entry, pool: PacketPool, person: Id, catalogue: Catalogue, at: datetime) -> list[Want]:
    """The right to be one of the packets that a person opens a day; none is needed where nothing limits them."""
    stock = catalogue.stock(pool.terms, pool.stock)
    most = next(one.person_day for one in stock.terms.terms.packets if one.code == pool.code)
    rule, day, subjects = OPENED_RULE + pool.stock, day_number(at), person_subjects(person, entry.command.wallet)
    return [Want(subject, rule, day, most, entry.id, entry.content) for subject in subjects] if most else []


def first_left(count: int, slice_: Slice) -> int:
    """The number, counted from 1, of the packet that a slice hands out next."""
    runs = allocate(Money(count), [1] * SLICES)
    return sum(runs[: slice_.number + 1]) - slice_.count_left + 1


def opened(stored: bytes) -> Packets:
    """Seed and packets as they are sealed and revealed."""
    return Packets(stored[:SEED_BYTES], stored[SEED_BYTES:])


def _pool(identity: Id, rules: PacketTerms, stock: Stock, at: datetime) -> dict[str, Any]:
    return {
        "total": rules.total_fen,
        "at": microseconds(at),
        "ends_at": microseconds(at + timedelta(hours=rules.claim_hours)),
        "left_fen": 0,
        "id": identity.hex(),
        "count": rules.count,
        "left_count": 0,
        "stock": stock.id,
        "terms": stock.terms.id,
        "version": 1,
        "bucket": bucket_of(identity),
        "program": stock.terms.program,
        "state": int(PoolState.OPEN),
        "code": rules.code,
    }


def _run(count: int, slice_: Slice, parts: bytes) -> bytes:
    """The packets that a slice still holds."""
    start = first_left(count, slice_) - 1
    return parts[start * AMOUNT_BYTES : (start + slice_.count_left) * AMOUNT_BYTES]


def _next_slice(slices: Sequence[Slice], bucket: int) -> Slice | None:
    own = own_slice(bucket)
    ordered = sorted(slices, key=lambda one: (one.number != own, -one.count_left, one.number))
    return next((one for one in ordered if one.count_left), None)


def _slices(pool: Id, parts: bytes) -> list[dict[str, Any]]:
    """Runs of the order, as even as can be, each with the sum of its packets."""
    rows: list[dict[str, Any]] = []
    start = 0
    for key, run in zip(slice_keys(pool), allocate(Money(len(parts) // AMOUNT_BYTES), [1] * SLICES), strict=True):
        held = sum(amount_at(parts, number) for number in range(start + 1, start + run + 1))
        start += run
        row = {"bucket": key.bucket, "pool": pool.hex(), "day": key.day, "number": key.number}
        rows.append({**row, "version": 1, "count_left": run, "fen_left": held})
    return rows


def _worth(stock: Stock, parts: bytes) -> list[tuple[Fund | None, Money]]:
    """What packets are worth to each funder: the sum of its parts of each, for they are used singly."""
    sums = [0] * len(stock.funding)
    for amount, count in Counter(amount_at(parts, n) for n in range(1, len(parts) // AMOUNT_BYTES + 1)).items():
        for position, (_, part) in enumerate(promised(stock.funding, amount)):
            sums[position] += part * count
    return [(share.fund, Money(part)) for share, part in zip(stock.funding, sums, strict=True)]


def _packet(identity: Id, pool: PacketPool, wallet: Id, number: int, amount: Money, at: datetime) -> dict[str, Any]:
    return {
        "amount": amount,
        "at": microseconds(at),
        "id": identity.hex(),
        "pool": pool.id.hex(),
        "wallet": wallet.hex(),
        "number": number,
        "bucket": bucket_of(identity),
    }
