"""`kaquan demo`: a town lives through simulated days on a real database, and the books are proved."""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import psycopg
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kaquan.cli.demo_open import show_open, still_open
from kaquan.cli.demo_serving import serve_town
from kaquan.cli.demo_table import Column, show, show_commands
from kaquan.cli.endings import FAULTY, REFUSED, Misuse, guarded, read_settings
from kaquan.cli.opening import screen_for
from kaquan.cli.options import Lang
from kaquan.cli.printing import Screen, listed
from kaquan.db import embedded, migrate
from kaquan.db.embedded import Server
from kaquan.db.locks import FileLock
from kaquan.db.place import prepare_home
from kaquan.db.pool import connect
from kaquan.jobs.run import run_due
from kaquan.kernel.calendar import Calendar, business_date
from kaquan.kernel.clock import system_now
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger import service as ledger
from kaquan.main import Kaquan, collect_rarely
from kaquan.settings import Settings
from kaquan.simulation import service as simulation
from kaquan.simulation.people import HOLDERS_MAX
from kaquan.simulation.service import Charter, ForeignDatabase, World

DAYS_MAX = 3_650
SEED, HOLDERS = 1, 1_000
FIRST_DAYS = 90
SEED_MAX = 999_999_999
QUIET_STEP = 5
"""Without a terminal, progress is one line for this many days."""

ALL = "all"
"""The name of the column of all programs together, and the code of none."""

EVER_US = 2**62
"""After everything that ever happens."""

SURPRISES_SHOWN = 20

_ONE_DAY = timedelta(days=1)


Days = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=DAYS_MAX,
        metavar="N",
        help=f"再模拟多少天；默认第一次 {FIRST_DAYS} 天，之后直到昨天 / "
        f"How many more days; by default {FIRST_DAYS} the first time, then until yesterday",
    ),
]
Holders = Annotated[
    int | None,
    typer.Option(
        min=1, max=HOLDERS_MAX, metavar="N", help=f"持卡人数，默认 {HOLDERS} / Holders, {HOLDERS} by default"
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=SEED_MAX,
        metavar="N",
        help=f"随机种子，默认 {SEED}；同种子同结果 / Seed, {SEED} by default: same seed, same table",
    ),
]
Figures = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="同样的数字写入文件 / Write the same figures to a file")
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh",
        help="重新开始：删除此处小镇的全部数据（卡、支付、账本、存证），密钥保留；不是小镇的数据库不会被动 / "
        "Begin anew: deletes all data of the town here (cards, payments, books, trail), keeps the keys; "
        "a database that is no town is never touched",
    ),
]
Serve = Annotated[
    bool | None,
    typer.Option(
        "--serve/--no-serve",
        help="之后提供 HTTP 服务供查看，直到 Ctrl-C；默认仅在终端上 / "
        "Then serve the town over HTTP to look at, until Ctrl-C; by default only on a terminal",
        show_default=False,
    ),
]
Home = Annotated[
    Path | None, typer.Option(metavar="DIR", help="安装目录，默认取自设置 / Home; the settings decide by default")
]


def demo(
    *,
    days: Days = None,
    holders: Holders = None,
    seed: Seed = None,
    figures: Figures = None,
    fresh: Fresh = False,
    serve: Serve = None,
    home: Home = None,
    lang: Lang = None,
) -> None:
    """模拟小镇用三个活动过一个季度，并证明账目 / A town lives a quarter with three programs, and the books are proved

    所有变动都经过与真实业务相同的指令。再次运行从上次结束处继续，直到昨天。全部证明成立时退出码为 0。 /
    Everything passes through the commands of real business. Another run goes on where the last one stopped, until
    yesterday. The exit status is 0 when all proofs hold.
    """
    settings = read_settings()
    if home is not None:
        settings = settings.model_copy(update={"home": home.expanduser().absolute()})
    screen = screen_for(settings, lang, False)
    with guarded(screen, settings), _alone(settings, screen), embedded.open_database(settings) as server:
        if fresh:
            _forget(server, screen, settings)
        if server.owner is not None:
            migrate.migrate(server.owner)
        with connect(server.app_url, application_name="kaquan demo") as connection:
            app = Kaquan(connection, server.master_key, calendar=Calendar.load(settings.calendar_file))
            world = _world(app, settings, seed, holders)
            collect_rarely()
            _live(world, days, screen)
            proved = _report(world, screen, figures)
            screen.line(f"[dim]{escape(screen.words(*_kept(settings)))}[/]")
            if proved and (sys.stdout.isatty() if serve is None else serve):
                serve_town(app, server, settings, screen)
    if not proved:
        raise typer.Exit(FAULTY)


def _world(app: Kaquan, settings: Settings, seed: int | None, holders: int | None) -> World:
    """The town that stands here, or a new one."""
    try:
        found = simulation.charter_of(app)
    except ForeignDatabase as others:
        raise _not_a_town(settings) from others
    charter = found or Charter(SEED if seed is None else seed, HOLDERS if holders is None else holders)
    if seed not in (None, charter.seed) or holders not in (None, charter.holders):
        raise Misuse(
            f"这里的小镇是种子 {charter.seed}、{charter.holders} 位持卡人；要换一个，请加 --fresh 或另选 --home。",
            f"The town here has seed {charter.seed} and {charter.holders} holders; for another one add --fresh, "
            "or choose another --home.",
        )
    return World(app, simulation.load_scenario(), charter, lambda: run_due(app))


def _live(world: World, days: int | None, screen: Screen) -> None:
    world.found()
    first = world.days_done()
    yesterday = business_date(system_now()) - _ONE_DAY
    possible = (yesterday - world.scenario.start).days + 1
    wanted = first + days if days is not None else possible if first else FIRST_DAYS
    until = min(wanted, possible)
    if until > first:
        with _progress(screen, first, until, world.date_of) as progress:
            world.live(first, until, progress)
    if until == possible:
        screen.line(
            screen.words(
                f"模拟日期已到昨天（{yesterday}），没有更多的日子可以模拟。",
                f"The simulation has reached yesterday ({yesterday}): there are no more days to simulate.",
            )
        )


@contextmanager
def _progress(
    screen: Screen, first: int, until: int, date_of: Callable[[int], date]
) -> Iterator[Callable[[int], None]]:
    """A bar with an estimate on a terminal, a line now and then elsewhere; both on stderr."""
    console = Console(stderr=True, highlight=False)
    words = screen.words("模拟", "Simulating")
    if not console.is_terminal:

        def tell(day: int) -> None:
            done = day - first + 1
            if done % QUIET_STEP == 0 or day + 1 == until:
                console.print(f"{words} {date_of(day)}  {done}/{until - first}")

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{words} {date_of(first)}", total=until - first)
        yield lambda day: bar.update(task, completed=day - first + 1, description=f"{words} {date_of(day)}")


def _report(world: World, screen: Screen, figures: Path | None) -> bool:
    """Print what happened and the proofs, write the figures. Whether all proofs hold."""
    connection, charter, done = world.app.connection, world.charter, world.days_done()
    columns = _columns(world)
    commands, refused = simulation.commands(connection), simulation.refusals(connection)
    last = world.date_of(max(done - 1, 0))
    merchants = sum(len(chain.branches) for chain in world.scenario.chains)
    title = screen.words(
        f"{len(world.scenario.programs)} 个活动，{world.scenario.start} 至 {last}，{done} 天，"
        f"{charter.holders} 位持卡人，{merchants} 家商户，种子 {charter.seed}；金额单位：元",
        f"{len(world.scenario.programs)} programs, {world.scenario.start} to {last}, {done} days, "
        f"{charter.holders} holders, {merchants} merchants, seed {charter.seed}; amounts in yuan",
    )
    screen.line(f"[bold]{escape(title)}[/]")
    show(screen, [*columns.values()], {code: fund.name for code, fund in world.app.catalogue.funds.items()})
    opened = still_open(connection)
    show_open(screen, opened)
    screen.line("")
    show_commands(screen, commands, refused)
    _show_surprises(world, screen)
    proved = _prove(connection, screen)
    if figures is not None:
        document: dict[str, Any] = {
            "from": world.scenario.start.isoformat(),
            "to": last.isoformat(),
            "days": done,
            "holders": charter.holders,
            "merchants": merchants,
            "seed": charter.seed,
            "programs": {code: _figures(one) for code, one in columns.items()},
            "commands": {kind: count._asdict() for kind, count in commands.items()},
            "refusals": refused,
            "open": {one.code: len(one.items) for one in opened},
            "surprises": world.surprises,
            "proofs": proved,
        }
        _write(figures, document)
        screen.note(f"数字已写入 {figures}", f"The figures are in {figures}")
    return all(proved.values())


def _figures(column: Column) -> dict[str, Any]:
    """A column as the figures hold it."""
    return {
        "totals": msgspec.to_builtins(column.totals),
        "counts": msgspec.to_builtins(column.more),
        "paid_by": dict(column.paid_by),
    }


def _columns(world: World) -> dict[str, Column]:
    """A column for each program by its code, and one for `all`."""
    connection, catalogue = world.app.connection, world.app.catalogue
    codes = [plan.code for plan in world.scenario.programs]
    columns = {}
    for code, program in [*((code, catalogue.programs[code]) for code in codes), (ALL, None)]:
        terms = catalogue.program(code)
        named = (terms.terms.program.name_zh, terms.terms.program.name_en) if terms else ("合计", "Total")
        paid_by: dict[str, Money] = defaultdict(lambda: ZERO)
        for one in ledger.discounts(connection, 0, EVER_US, program):
            payer = "" if one.fund is None else catalogue.funds_by_id[one.fund].code
            paid_by[payer] = Money(paid_by[payer] + one.net_fen)
        totals, more = ledger.totals(connection, program), simulation.details(connection, program)
        columns[code] = Column(named, totals, more, paid_by)
    return columns


def _show_surprises(world: World, screen: Screen) -> None:
    """Decisions that the town had not expected: none, unless somebody else was here."""
    if world.surprises:
        number = len(world.surprises)
        told = screen.words(f"意料之外的决定：{number} 个", f"Decisions that nobody expected: {number}")
        screen.line(f"[yellow]{told}[/]")
        for surprise in world.surprises[:SURPRISES_SHOWN]:
            screen.line(f"  {escape(surprise)}")


def _prove(connection: psycopg.Connection[Any], screen: Screen) -> dict[str, bool]:
    screen.line("")
    screen.line(f"[bold]{screen.words('证明：从分录重新计算', 'Proofs, recounted from the postings')}[/]")
    proved = {}
    for proof in ledger.proofs(connection):
        proved[proof.name] = proof.ok
        mark = "[green]✓[/]" if proof.ok else "[red]✗[/]"
        facts = escape(listed(proof.facts, screen.language))
        screen.line(f"{mark} {escape(screen.words(proof.zh, proof.en))}  [dim]{facts}[/]")
    failed = sum(not ok for ok in proved.values())
    if failed:
        screen.line(screen.words(f"[red]{failed} 项不成立。[/]", f"[red]{failed} proofs fail.[/]"))
    else:
        screen.line(screen.words(f"{len(proved)} 项全部成立。", f"All {len(proved)} proofs hold."))
    return proved


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """All or nothing: a reader never finds half a file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _forget(server: Server, screen: Screen, settings: Settings) -> None:
    """Delete the town that stands here; refuse what is no town."""
    with connect(server.app_url, application_name="kaquan demo") as connection:
        try:
            charter = simulation.charter_of(Kaquan(connection, server.master_key))
        except ForeignDatabase as others:
            raise _not_a_town(settings) from others
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return  # nothing was ever here
    simulation.forget(server.owner_url)
    if charter is not None:
        screen.note(
            f"已删除种子 {charter.seed}、{charter.holders} 位持卡人的小镇。",
            f"Deleted the town of seed {charter.seed} with {charter.holders} holders.",
        )


def _not_a_town(settings: Settings) -> Misuse:
    return Misuse(
        f"{settings.home} 里是真实业务的数据，模拟不会动它的时钟；请用 --home 另选目录，如 --home .kaquan-demo",
        f"{settings.home} holds the data of a real business; the demo does not move its clock. "
        "Choose another folder with --home, such as --home .kaquan-demo",
    )


@contextmanager
def _alone(settings: Settings, screen: Screen) -> Iterator[None]:
    """One demo at a time: two would move one clock."""
    prepare_home(settings.home)
    lock = FileLock(settings.home / "demo.lock")
    try:
        if not lock.try_own():
            screen.error(
                "refused",
                ("另一个 demo 正在这里运行。", "Another demo is running here."),
                ("请等它结束。", "Wait for it."),
            )
            raise typer.Exit(REFUSED)
        yield
    finally:
        lock.release()


def _kept(settings: Settings) -> tuple[str, str]:
    return (
        f"数据保存在 {settings.home}；再次运行 kaquan demo 接着往下走，加 --fresh 重新开始。",
        f"The data stays in {settings.home}; another kaquan demo goes on from here, --fresh begins anew.",
    )
