"""`kaquan voucher draw`: open, enter, close, list, receipt."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cli.endings import Misuse, RefusedHere
from kaquan.cli.files import private_file
from kaquan.cli.holders import wallet_of
from kaquan.cli.labels import Words
from kaquan.cli.opening import reads, works, writes
from kaquan.cli.options import Phone, Wallet
from kaquan.cli.session import Session, identity
from kaquan.cli.vouchers import Program, Stock
from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown
from kaquan.documents.draws import draw_row, published
from kaquan.draws import service
from kaquan.draws.errors import DRAW_UNKNOWN, ENTRY_UNKNOWN
from kaquan.draws.model import SEATS_MAX, Draw, DrawCommand, DrawState, EndDraw, EnterDraw, ListDraw
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import SHANGHAI, microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal

app = typer.Typer(
    no_args_is_help=True, help="摇号：开办、报名、截止开奖、凭证 / Draws: open, enter, close, list, receipt"
)

DrawArgument = Annotated[str, typer.Argument(help="摇号编号 drw_… / Draw: drw_…", metavar="DRAW", show_default=False)]
ListFile = Annotated[
    Path | None,
    typer.Option(
        "--list",
        help="把全部报名编号写到文件，供人核对 / Write the ids of all entries to a file, for anybody to check",
        metavar="FILE",
    ),
]
_COLUMNS = ("draw", "program", "stock", "draw_number", "state", "seats", "entries", "opens_at", "closes_at")


@app.command("open")
@writes
def open_command(
    session: Session,
    program: Program,
    stock: Stock,
    seats: Annotated[int, typer.Option("--seats", min=1, max=SEATS_MAX, help="名额 / Vouchers to be drawn")],
    until: Annotated[
        str,
        typer.Option("--until", help="报名截止（北京时间） / When entries end", metavar="'YYYY-MM-DD HH:MM'"),
    ],
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="开始报名，默认现在 / When entries begin, now by default", metavar="'YYYY-MM-DD HH:MM'"
        ),
    ] = None,
) -> None:
    """开办摇号：公布种子的承诺 / Open a draw: the commitment of its seed is published, the seed is sealed"""
    now = microseconds(session.app.door.at())
    asked = {"program": program, "stock": stock, "seats": seats, "closes_us": _instant(until)}
    asked["opens_us"] = now if start is None else _instant(start)
    done = session.act(Kind.OPEN_DRAW, lambda key: service.opening(session.app.master, OPERATOR, key, **asked))
    session.tell(("摇号已开办。", "The draw is open."), done, shown(done.facts), ("draw", "commitment"))


@app.command("enter")
@writes
def enter_command(session: Session, draw: DrawArgument, phone: Phone = None, wallet: Wallet = None) -> None:
    """为持卡人报名；每人一次 / Enter a holder; one person enters once"""
    target, owner = identity("drw", draw), wallet_of(session, wallet, phone)
    done = session.act(Kind.ENTER_DRAW, lambda key: EnterDraw(key=key, caller=OPERATOR, draw=target, wallet=owner))
    session.tell(("已报名。", "Entered."), done, shown(done.facts), ("entry",))


@app.command("close")
@works
def close_command(
    session: Session,
    draw: DrawArgument,
    list_file: ListFile = None,
    only_list: Annotated[
        bool,
        typer.Option(
            "--list-only", help="只锁定名单，下次再公布种子 / Commit the list only; reveal with the next call"
        ),
    ] = False,
) -> None:
    """截止报名、锁定名单、公布种子、发券 / End entries, commit the list, reveal the seed, give the vouchers

    中断后再执行一次即可接着办理，不会重复。 / A run that broke off goes on where it was when it is run again.
    """
    target = identity("drw", draw)
    found = _close(session, target, only_list)
    if list_file is not None and not session.dry_run:
        _write(session, found, list_file)
    facts = published(found)
    if found.state == DrawState.REVEALED:
        facts |= _award(session, found)
    _said(session, ("摇号已办理。", "The draw is closed as far as it goes."), facts)


@app.command("list")
@reads
def list_command(session: Session) -> None:
    """列出摇号 / List the draws"""
    rows = [draw_row(one) for one in service.listed(session.app.connection)]
    told = [{**row, "draw_number": row["number"]} for row in rows]
    session.screen.rows("draws", _COLUMNS, told, ("没有摇号。", "No draws."), rows)


@app.command("receipt")
@reads
def receipt_command(
    session: Session,
    draw: DrawArgument,
    entry: Annotated[
        str | None, typer.Option("--entry", help="报名编号 ent_… / Entry: ent_…", metavar="ENTRY")
    ] = None,
    phone: Phone = None,
    wallet: Wallet = None,
    list_file: ListFile = None,
) -> None:
    """报名凭证：任何人都能核对名次 / The receipt of an entry: with the list, anybody can check its place

    编号均为十六进制，与名单文件一致。 / Ids are in hexadecimal, as in the file of the list.
    """
    found = _draw(session, identity("drw", draw))
    meant = identity("ent", entry) if entry is not None else _entry_of(session, found, wallet, phone)
    receipt = service.receipt(session.app.connection, found, meant)
    if receipt is None:
        session.refuse(Refusal(ENTRY_UNKNOWN))
    if list_file is not None:
        _write(session, found, list_file)
    session.screen.answer({"outcome": "effect", **receipt})
    if not session.screen.as_json:
        session.screen.facts({name: given for name, given in receipt.items() if given is not None})


def _close(session: Session, target: Id, only_list: bool) -> Draw:
    """The draw after every step that its time allows. Keys follow from the draw: each step is taken once."""
    while True:
        found = _draw(session, target)
        state = DrawState(found.state)
        if state is DrawState.REVEALED or (only_list and state is DrawState.LISTED):
            return found
        kind, command = _step(session, target, state)
        outcome = session.app.one(kind, command, dry_run=session.dry_run)
        if not isinstance(outcome, Effect):
            raise RefusedHere(outcome.refusal)
        if session.dry_run:
            return found


def _step(session: Session, draw: Id, state: DrawState) -> tuple[Kind, DrawCommand]:
    """What comes after a state."""
    if state is DrawState.OPEN:
        return Kind.END_DRAW, EndDraw(key=f"end {draw.hex()}", caller=OPERATOR, draw=draw)
    if state is DrawState.ENDED:
        return Kind.LIST_DRAW, ListDraw(key=f"list {draw.hex()}", caller=OPERATOR, draw=draw)
    app = session.app
    return Kind.REVEAL_DRAW, service.revealing(app.connection, app.master, OPERATOR, f"reveal {draw.hex()}", draw)


def _award(session: Session, draw: Draw) -> dict[str, int]:
    """Give the winners their vouchers; how many got one by now, and how many were refused theirs."""
    commands = service.awards(session.app.connection, session.catalogue(), draw)
    given = 0
    with session.screen.progress(len(commands)) as tell:
        for start in range(0, len(commands), BATCH_MAX):
            part = session.app.execute(Kind.AWARD, commands[start : start + BATCH_MAX], dry_run=session.dry_run)
            given += sum(isinstance(outcome, Effect) for outcome in part)
            tell(start + BATCH_MAX)
    return {"awarded": given, "refused": len(commands) - given}


def _draw(session: Session, target: Id) -> Draw:
    found = service.find(session.app.connection, [target]).get(target)
    if found is None:
        raise RefusedHere(Refusal(DRAW_UNKNOWN))
    return found


def _entry_of(session: Session, draw: Draw, wallet: str | None, phone: str | None) -> Id:
    found = service.entries_of(session.app.connection, draw.id, wallet_of(session, wallet, phone))
    if not found:
        raise RefusedHere(Refusal(ENTRY_UNKNOWN))
    return found[0]


def _said(session: Session, headline: Words, facts: dict[str, Any]) -> None:
    if session.dry_run:
        headline = (f"试算，没有发生任何变动：{headline[0]}", f"Dry run, nothing moved: {headline[1]}")
    session.screen.effect(headline, facts, {"dry_run": session.dry_run})


def _write(session: Session, draw: Draw, path: Path) -> None:
    with os.fdopen(private_file(path), "w", encoding="utf-8") as file:
        file.writelines(f"{entry.hex()}\n" for entry, _ in service.entries(session.app.connection, draw.id))


def _instant(typed: str) -> int:
    try:
        at = datetime.strptime(typed.strip(), "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    except ValueError:
        raise Misuse(
            f"“{typed}”不是时刻：请写 2025-05-20 12:00。", f"{typed} is no time: write 2025-05-20 12:00."
        ) from None
    return microseconds(at)
