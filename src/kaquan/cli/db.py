"""`kaquan db`: the schema and the private server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kaquan.db import embedded, migrate
from kaquan.db.errors import DatabaseFault, MigrationFault
from kaquan.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, help="数据库结构与自带服务器 / Schema and private server")

STATES = {
    "applied": ("已执行", "applied", "green"),
    "pending": ("待执行", "pending", "yellow"),
    "changed": ("文件被改动", "file changed", "red"),
    "missing": ("缺少文件", "file missing", "red"),
}


@app.command("migrate")
def migrate_command() -> None:
    """执行尚未执行的结构迁移 / Apply the migrations that are pending"""
    settings, console = load_settings(), Console()
    with _faults(console), embedded.open_database(settings) as server:
        applied = migrate.migrate(server.owner_url)
    for migration in applied:
        console.print(f"[green]✓[/] {migration.number:04d} {migration.name}")
    if not applied:
        console.print(_words(settings, "数据库结构已是最新。", "The schema is up to date."))


@app.command("status")
def status_command() -> None:
    """显示服务器与各迁移的状态 / Show the server and every migration"""
    settings, console = load_settings(), Console()
    with _faults(console):
        if settings.database_url is None and settings.owner_database_url is None:
            _show_server(settings, console)
        with embedded.open_database(settings) as server:
            states = migrate.status(server.owner_url)
    table = Table(
        _words(settings, "编号", "Number"), _words(settings, "名称", "Name"), _words(settings, "状态", "State")
    )
    for state in states:
        zh, en, colour = STATES[state.state]
        table.add_row(f"{state.number:04d}", state.name, f"[{colour}]{_words(settings, zh, en)}[/]")
    console.print(table)
    if any(state.state in ("changed", "missing") for state in states):
        raise typer.Exit(1)


@app.command("stop")
def stop_command(
    now: Annotated[bool, typer.Option("--now", help="即使仍有进程在用也停止 / Even while processes use it")] = False,
) -> None:
    """停止自带服务器（通常最后一个使用者退出时自动停止） / Stop the private server (its last user does it too)"""
    settings, console = load_settings(), Console()
    with _faults(console):
        outcome = embedded.stop_server(settings, force=now)
    if outcome == "in_use":
        console.print(
            _words(
                settings,
                "仍有进程在使用服务器；结束它们，或加 --now。",
                "Processes still use the server; end them, or add --now.",
            )
        )
        raise typer.Exit(1)
    stopped = outcome == "stopped"
    console.print(
        _words(settings, "已停止。", "Stopped.")
        if stopped
        else _words(settings, "服务器没有在运行。", "No server is running.")
    )


def _show_server(settings: Settings, console: Console) -> None:
    found = embedded.server_status(settings)
    if found.running:
        console.print(
            _words(settings, f"自带服务器正在运行，进程 {found.pid}", f"The private server runs, process {found.pid}")
        )
    else:
        console.print(
            _words(
                settings, "自带服务器未在运行，按需启动", "The private server is not running; it starts when needed"
            )
        )
    if found.data_dir is not None:
        console.print(_words(settings, f"数据目录 {found.data_dir}", f"Data folder {found.data_dir}"), soft_wrap=True)


def _words(settings: Settings, zh: str, en: str) -> str:
    return zh if settings.lang == "zh" else en


@contextmanager
def _faults(console: Console) -> Iterator[None]:
    """Show what went wrong without a traceback: these faults say themselves what to do."""
    try:
        yield
    except (DatabaseFault, MigrationFault) as fault:
        console.print(f"[red]✗[/] {type(fault).__name__}: ", end="")
        console.print(str(fault), markup=False, soft_wrap=True)
        raise typer.Exit(1) from fault
