"""May this draw be opened, entered, ended, listed, revealed, and who won? Pure.

The order of things is the fairness: the seed is committed before anybody enters, the list of entries before the seed
is known. Each step of a draw writes its row, and an entry checks it, so that no entry is written past the end.
"""

from datetime import datetime

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.draws import errors
from kaquan.draws.model import (
    SEATS_MAX,
    Award,
    Draw,
    DrawFacts,
    DrawState,
    EndDraw,
    EnterDraw,
    ListDraw,
    OpenDraw,
    RevealDraw,
    commitment,
    list_digest,
)
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Stock
from kaquan.quotas.model import IN_ALL, Want
from kaquan.vouchers import claims
from kaquan.vouchers.errors import STOCK_UNKNOWN
from kaquan.vouchers.limits import Limit, person_subjects, rule_number

WORDS_ZH = {
    DrawState.OPEN: "正在报名",
    DrawState.ENDED: "已截止报名",
    DrawState.LISTED: "名单已锁定",
    DrawState.REVEALED: "已公布种子",
}


def entry_wants(entry: Entry, draw: Draw, person: Id) -> list[Want]:
    """The tokens by which a person takes part in a draw once."""
    rule = rule_number(draw.stock, Limit.ENTRY)
    return [
        Want(derived_id(subject, b"draw" + draw.id), rule, IN_ALL, 1, entry.id, entry.content)
        for subject in person_subjects(person, entry.command.wallet)
    ]


def decide(entry: Entry, facts: DrawFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Open, enter, end, list or reveal."""
    if isinstance(entry.command, OpenDraw):
        return _open(entry, facts, catalogue, at)
    draw = facts.draws.get(entry.command.draw)
    if draw is None:
        return Refusal(errors.DRAW_UNKNOWN)
    match entry.command:
        case EnterDraw() as command:
            return _enter(entry, command, draw, facts, at)
        case EndDraw():
            return _end(draw, at)
        case ListDraw():
            return _list(draw, facts)
        case RevealDraw() as command:
            return _reveal(command, draw)
    raise TypeError(f"not a command on a draw: {type(entry.command).__name__}")


def drawable(program: str, code: str, catalogue: Catalogue) -> Stock | Refusal:
    """The stock of a draw, if it hands out vouchers by draw now."""
    stock = catalogue.stock_by_code(program, code)
    if stock is None:
        return Refusal(STOCK_UNKNOWN, {"program": program[:40], "stock": code[:40]})
    if stock.rules.hand_out != "draw":
        return Refusal(errors.STOCK_NOT_DRAWN, {"stock": stock.code})
    return claims.stopped(stock) or stock


def not_entering(draw: Draw, at: datetime) -> Refusal | None:
    """Whether the draw takes no entries now."""
    if microseconds(at) < draw.opens_us:
        return Refusal(errors.DRAW_NOT_YET, {"opens": shown(instant(draw.opens_us))})
    if draw.state != DrawState.OPEN or microseconds(at) >= draw.closes_us:
        return Refusal(errors.DRAW_OVER, {"closes": shown(instant(draw.closes_us))})
    return None


def _open(entry: Entry, facts: DrawFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    command: OpenDraw = entry.command
    stock = drawable(command.program, command.stock, catalogue)
    if isinstance(stock, Refusal):
        return stock
    if command.closes_us <= max(command.opens_us, microseconds(at)):
        return Refusal(errors.DRAW_WINDOW)
    number, taken = facts.of_stock.get(stock.id, (0, 0))
    most = min(SEATS_MAX, stock.rules.count - taken)
    if not 0 < command.seats <= most:
        return Refusal(errors.DRAW_SEATS, {"seats_max": most, "seats_taken": taken, "stock": stock.code})
    draw = Draw(
        entry.id,
        1,
        stock.id,
        number + 1,
        DrawState.OPEN,
        command.seats,
        command.opens_us,
        command.closes_us,
        command.commitment,
    )
    row = {
        "at": microseconds(at),
        "opens_at": draw.opens_us,
        "closes_at": draw.closes_us,
        "id": draw.id.hex(),
        "commitment": "\\x" + draw.commitment.hex(),
        "sealed_seed": "\\x" + command.sealed_seed.hex(),
        "stock": stock.id,
        "seats": draw.seats,
        "version": 1,
        "bucket": bucket_of(draw.id),
        "number": draw.number,
        "state": int(draw.state),
    }
    told = {"commitment": draw.commitment.hex(), "seats": draw.seats, "stock": stock.code}
    return Plan(_answer(draw, **told), "draw.opened.v1", cold=(("draw", row),), born=(draw,))


def _enter(entry: Entry, command: EnterDraw, draw: Draw, facts: DrawFacts, at: datetime) -> Plan | Refusal:
    wallet = facts.wallets.get(command.wallet)
    if wallet is None or not wallet.active:
        return Refusal(WALLET_UNKNOWN)
    if refusal := not_entering(draw, at) or facts.refused(entry.id):
        return refusal
    row = {
        "at": microseconds(at),
        "id": entry.id.hex(),
        "draw": draw.id.hex(),
        "wallet": wallet.id.hex(),
        "bucket": bucket_of(entry.id),
    }
    return Plan(
        answer=_answer(draw, entry=entry.id.hex()),
        event="draw.entered.v1",
        subject=wallet.id,
        person=b'{"entry":"%b","wallet":"%b"}' % (entry.id.hex().encode(), wallet.id.hex().encode()),
        cold=(("draw_check", draw.seen()), ("draw_entry", row)),
        born=(entry.id,),
    )


def _end(draw: Draw, at: datetime) -> Plan | Refusal:
    if draw.state != DrawState.OPEN:
        return in_state(draw)
    if microseconds(at) < draw.closes_us:
        return Refusal(errors.DRAW_RUNNING, {"closes": shown(instant(draw.closes_us))})
    return _step(draw, "draw.ended.v1", DrawState.ENDED)


def _list(draw: Draw, facts: DrawFacts) -> Plan | Refusal:
    if draw.state != DrawState.ENDED:
        return in_state(draw)
    entries = facts.lists[draw.id]
    return _step(draw, "draw.listed.v1", DrawState.LISTED, entries=len(entries), list_digest=list_digest(entries))


def _reveal(command: RevealDraw, draw: Draw) -> Plan | Refusal:
    if draw.state != DrawState.LISTED:
        return in_state(draw)
    if commitment(command.seed) != draw.commitment:
        return Refusal(errors.DRAW_SEED_WRONG)
    return _step(draw, "draw.revealed.v1", DrawState.REVEALED, seed=command.seed)


def decide_award(entry: Entry, facts: DrawFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """A winning entry's voucher."""
    command: Award = entry.command
    draw, stock = facts.draws.get(command.draw), drawable(command.program, command.stock, catalogue)
    if draw is None or (isinstance(stock, Stock) and stock.id != draw.stock):
        return Refusal(errors.DRAW_UNKNOWN)
    if draw.state != DrawState.REVEALED:
        return in_state(draw)
    if facts.winners[draw.id].get(command.entry) != command.wallet:
        return Refusal(errors.ENTRY_NOT_DRAWN)
    return claims.decide(entry, facts, stock, command.entry, at)


def in_state(draw: Draw) -> Refusal:
    """That the draw's state does not allow it."""
    state = DrawState(draw.state)
    return Refusal(errors.DRAW_STATE, {"state": state.name.lower(), "state_zh": WORDS_ZH[state]})


def _step(draw: Draw, event: str, state: DrawState, **published: int | bytes) -> Plan:
    shown_hex = {name: given.hex() if isinstance(given, bytes) else given for name, given in published.items()}
    stored = {name: f"\\x{given.hex()}" if isinstance(given, bytes) else given for name, given in published.items()}
    after = msgspec.structs.replace(draw, state=state, version=draw.version + 1, **published)
    return Plan(
        answer=_answer(after, **shown_hex),
        event=event,
        cold=(("draw_change", {**draw.seen(), "state": int(state), **stored}),),
        born=(after,),
    )


def _answer(draw: Draw, **told: object) -> bytes:
    named = {"draw": draw.id.hex(), "number": draw.number, "state": DrawState(draw.state).name.lower()}
    return msgspec.json.encode({**named, **told}, order="sorted")
