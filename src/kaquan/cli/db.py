"""`kaquan db`: the schema and the private server."""

from typing import Annotated

import typer

from kaquan.cli.endings import FAULTY, REFUSED, guarded, read_settings
from kaquan.cli.opening import screen_for
from kaquan.cli.options import AsJson, Lang
from kaquan.cli.printing import Screen
from kaquan.db import embedded, migrate
from kaquan.settings import Settings

app = typer.Typer(no_args_is_help=True, help="数据库结构与自带服务器 / Schema and private server")

STATES = {
    "applied": ("已执行", "applied"),
    "pending": ("待执行", "pending"),
    "changed": ("文件被改动", "file changed"),
    "missing": ("缺少文件", "file missing"),
}


@app.command("migrate")
def migrate_command(lang: Lang = None, as_json: AsJson = False) -> None:
    """执行尚未执行的结构迁移 / Apply the migrations that are pending"""
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings):
        with embedded.open_database(settings) as server:
            applied = migrate.migrate(server.owner_url)
        names = [f"{one.number:04d} {one.name}" for one in applied]
        if not names:
            headline = screen.words("数据库结构已是最新。", "The schema is up to date.")
        else:
            headline = screen.words(f"已执行 {len(names)} 个迁移：", f"{len(names)} migrations applied:")
        screen.answer({"outcome": "effect", "applied": names}, [headline, *(f"  {name}" for name in names)])


@app.command("status")
def status_command(lang: Lang = None, as_json: AsJson = False) -> None:
    """显示服务器与各迁移的状态 / Show the server and every migration"""
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings):
        private = settings.database_url is None and settings.owner_database_url is None
        found = embedded.server_status(settings) if private else None
        if found is not None and found.data_dir is None:
            screen.answer(
                {"outcome": "effect", "installed": False},
                [screen.words(f"{settings.home} 还没有安装：请先执行 kaquan init。", _none_yet(settings))],
            )
            return
        with embedded.open_database(settings) as server:
            states = migrate.status(server.owner_url)
        document = {
            "outcome": "effect",
            "installed": True,
            "server": None if found is None else {"running": found.running, "pid": found.pid, "in_use": found.in_use},
            "migrations": [{"number": one.number, "name": one.name, "state": one.state} for one in states],
        }
        screen.answer(document, [] if found is None else _server_lines(screen, found))
        if not as_json:
            rows = [
                {"migration": f"{one.number:04d} {one.name}", "migration_state": screen.words(*STATES[one.state])}
                for one in states
            ]
            screen.table(("migration", "migration_state"), rows)
        if any(one.state in ("changed", "missing") for one in states):
            raise typer.Exit(FAULTY)


@app.command("stop")
def stop_command(
    now: Annotated[bool, typer.Option("--now", help="即使仍有进程在用也停止 / Even while processes use it")] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """停止自带服务器（通常最后一个使用者退出时自动停止） / Stop the private server (its last user does it too)"""
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings):
        outcome = embedded.stop_server(settings, force=now)
        words = {
            "stopped": ("服务器已停止。", "The server is stopped."),
            "not_running": ("服务器没有在运行。", "No server is running."),
            "in_use": (
                "仍有进程在使用服务器；结束它们，或加 --now。",
                "Processes use the server; end them, or add --now.",
            ),
        }
        screen.answer(
            {"outcome": "refused" if outcome == "in_use" else "effect", "server": outcome},
            [screen.words(*words[outcome])],
        )
        if outcome == "in_use":
            raise typer.Exit(REFUSED)


def _none_yet(settings: Settings) -> str:
    return f"There is no installation at {settings.home} yet: run kaquan init first."


def _server_lines(screen: Screen, found: embedded.Status) -> list[str]:
    running = (f"自带服务器正在运行，进程 {found.pid}", f"The private server runs, process {found.pid}")
    idle = ("自带服务器未在运行，按需启动", "The private server is not running; it starts when needed")
    return [
        screen.words(*(running if found.running else idle)),
        screen.words(f"数据目录 {found.data_dir}", f"Data folder {found.data_dir}"),
    ]
