"""Draws: open, enter, end, list, reveal, award; what is published of them, and receipts that anybody can check."""

from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import HOLDERS, ISSUERS, READERS
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import PAGE_MAX, After, Body, Code, Instant, Limit, PathText
from kaquan.api.objects import identity
from kaquan.api.pages import page, part, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Effect, Kind
from kaquan.documents.draws import draw_row, published
from kaquan.draws import service
from kaquan.draws.model import SEATS_MAX, DrawState, EndDraw, EnterDraw, ListDraw
from kaquan.kernel.caller import Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.refusal import Fault

routes = Routes("draws", "摇号 Draws")


class Opening(Body):
    """Vouchers of a stock to be drawn among those who enter; entries begin now when nothing is said."""

    program: Code
    stock: Code
    seats: Annotated[int, Field(ge=1, le=SEATS_MAX)]
    closes_at: Instant
    opens_at: Instant | None = None


class Entrant(Body):
    """Who takes part."""

    wallet: str


class Places(Body):
    """From which place on winners are given their vouchers: `next_place` of the answer before."""

    from_place: Annotated[int, Field(ge=1, le=SEATS_MAX)] = 1


@routes.writes(
    "/draws",
    ISSUERS,
    example={"program": "$program", "stock": "$draw_stock", "seats": 1, "closes_at": "$later"},
)
def open_draw(call: Call, body: Opening) -> dict[str, Any]:
    """开办摇号 Open a draw: the commitment of its seed is published, the seed is sealed"""
    stock = call.objects.stock(body.program, body.stock)
    opens = call.app.door.at() if body.opens_at is None else body.opens_at

    def make(key: str, caller: Caller) -> Any:
        return service.opening(
            call.app.master,
            caller,
            key,
            program=body.program,
            stock=stock.code,
            seats=body.seats,
            opens_us=microseconds(opens),
            closes_us=microseconds(body.closes_at),
        )

    return call.act(Kind.OPEN_DRAW, make)


@routes.reads("/draws", READERS, owned=False)
def list_draws(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出摇号 List the draws, the last to close first; the latest 1,000"""
    found = service.listed(call.app.connection)
    return page(found, lambda one: (-one.closes_at, one.id.hex), (limit, after), draw_row)


@routes.reads("/draws/{draw}", READERS, owned=False)
def show_draw(call: Call, draw: PathText) -> dict[str, Any]:
    """查看摇号 What is published of a draw so far: commitment, digest of the list, seed"""
    return published(call.objects.any_draw(draw))


@routes.writes("/draws/{draw}/entries", HOLDERS, example={"wallet": "$wallet"})
def enter_draw(call: Call, draw: PathText, body: Entrant) -> dict[str, Any]:
    """报名 Enter a holder; one person enters once"""
    wallet = call.objects.customer(body.wallet)
    target = call.objects.any_draw(draw) if call.caller.wallet is not None else call.objects.draw(draw)
    return call.act(Kind.ENTER_DRAW, EnterDraw, draw=target.id, wallet=wallet)


@routes.writes("/draws/{draw}/end", ISSUERS, made="over_draw")
def end_draw(call: Call, draw: PathText) -> dict[str, Any]:
    """截止报名 Take no more entries, when the time is over"""
    return call.act(Kind.END_DRAW, EndDraw, draw=call.objects.draw(draw).id)


@routes.writes("/draws/{draw}/list", ISSUERS, made="ended_draw")
def list_draw(call: Call, draw: PathText) -> dict[str, Any]:
    """锁定名单 Commit the list of entries, before the seed is known"""
    return call.act(Kind.LIST_DRAW, ListDraw, draw=call.objects.draw(draw).id)


@routes.writes("/draws/{draw}/reveal", ISSUERS, made="listed_draw")
def reveal_draw(call: Call, draw: PathText) -> dict[str, Any]:
    """公布种子 Publish the seed, and with it the place of every entry"""
    target = call.objects.draw(draw).id

    def make(key: str, caller: Caller) -> Any:
        return service.revealing(call.app.connection, call.app.master, caller, key, target)

    return call.act(Kind.REVEAL_DRAW, make)


@routes.writes("/draws/{draw}/award", ISSUERS, example={}, made="revealed_draw")
def award_draw(call: Call, draw: PathText, body: Places) -> dict[str, Any]:
    """发券 Give winners their vouchers, once each, a batch at a time

    Repeat with `next_place` until it is null. What was given before is not given again.
    """
    call.must_be_keyed()
    commands = service.awards(call.app.connection, call.objects.catalogue, call.objects.draw(draw))
    start = body.from_place - 1
    outcomes = call.app.execute(Kind.AWARD, commands[start : start + BATCH_MAX], dry_run=call.dry_run)
    for one in outcomes:
        if isinstance(one, Fault):
            raise one
    given = sum(isinstance(one, Effect) for one in outcomes)
    after = start + len(outcomes)
    return {
        "dry_run": call.dry_run,
        "awarded": given,
        "refused": len(outcomes) - given,
        "next_place": after + 1 if after < len(commands) else None,
    }


@routes.reads("/draws/{draw}/entries", READERS, owned=False, made="listed_draw")
def list_entries(call: Call, draw: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """报名名单 The entries of a draw, once the list is committed: ids in hexadecimal, for anybody to check"""
    found = call.objects.any_draw(draw)
    if found.state < DrawState.LISTED:
        raise Problem(NOT_FOUND)
    place = typed_place(after, str)
    entries = service.entries_page(
        call.app.connection, found.id, None if place is None else place_id(place[0]), limit + 1
    )
    return part(entries, lambda one: (one.hex(),), limit, lambda one: {"entry": one.hex()})


@routes.reads("/draws/{draw}/entries/{entry}/receipt", READERS, owned=False)
def show_draw_receipt(call: Call, draw: PathText, entry: PathText) -> dict[str, Any]:
    """报名凭证 The receipt of an entry: with the list, anybody can check its place. Ids are in hexadecimal"""
    found = service.receipt(call.app.connection, call.objects.any_draw(draw), identity("ent", entry))
    if found is None:
        raise Problem(NOT_FOUND)
    return found
