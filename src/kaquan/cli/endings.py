"""How a command ends: the words it ends with and its exit status.

Exit status: 0 effect, 1 refused, 2 bad usage, 3 fault or unavailable.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import psycopg
import typer
from pydantic import ValidationError

from kaquan.cli import logs
from kaquan.cli.labels import Words
from kaquan.cli.printing import Screen
from kaquan.commands.execute import Unavailable
from kaquan.db.errors import DatabaseFault, MigrationFault
from kaquan.kernel.calendar import CalendarFileError
from kaquan.kernel.refusal import Refusal
from kaquan.settings import Settings, load_settings

REFUSED, MISUSED, FAULTY = 1, 2, 3

SCHEMA_PENDING: tuple[Words, Words] = (
    ("数据库结构不是最新的。", "The database's schema is not up to date."),
    ("请先执行 kaquan db migrate。", "Run kaquan db migrate first."),
)


class Misuse(Exception):
    """The command was asked for in a way that cannot be meant; says what is wrong and what to write instead."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.words: Words = (zh, en)


class Absent(Exception):
    """There is nothing to work on: no installation, or a schema that does not fit. Says the way out."""

    def __init__(self, message: Words, remedy: Words) -> None:
        super().__init__(message[1])
        self.message, self.remedy = message, remedy


class RefusedHere(Exception):
    """A refusal that ends the command."""

    def __init__(self, refusal: Refusal, about: Mapping[str, Any] | None = None) -> None:
        super().__init__(refusal.code.code)
        self.refusal = refusal
        self.about = dict(about or {})


def read_settings() -> Settings:
    """The settings; a wrong variable is named and ends the command."""
    try:
        return load_settings()
    except ValidationError as problem:
        for detail in problem.errors(include_url=False, include_input=False):
            name = "_".join(map(str, detail["loc"])).upper().removeprefix("KAQUAN_")
            typer.echo(f"✗ KAQUAN_{name}: {detail['msg']}", err=True)
        raise typer.Exit(MISUSED) from None


@contextmanager
def guarded(screen: Screen, settings: Settings, sent: Callable[[], str | None] = lambda: None) -> Iterator[None]:
    """End the command with the right words and status whatever happens inside.

    `sent` gives the key of a command that was sent and not answered: what to retry with.
    """
    logs.configure(settings.home, settings.log_level)
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except RefusedHere as no:
        screen.refusal(no.refusal, no.about)
        raise typer.Exit(REFUSED) from None
    except Misuse as wrong:
        screen.error("misuse", wrong.words)
        raise typer.Exit(MISUSED) from None
    except CalendarFileError as wrong_file:
        screen.error("misuse", (f"日历文件有误：{wrong_file}", f"The calendar file is wrong: {wrong_file}"))
        raise typer.Exit(MISUSED) from None
    except Absent as nothing:
        screen.error("unavailable", nothing.message, nothing.remedy)
        raise typer.Exit(FAULTY) from None
    except Exception as problem:
        logs.error(problem)
        _end(problem, screen, settings, sent())


def _end(problem: Exception, screen: Screen, settings: Settings, key: str | None) -> NoReturn:
    about = {"key": key} if key else {}
    if isinstance(problem, Unavailable | psycopg.OperationalError | psycopg.InterfaceError):
        screen.error("unavailable", *_unanswered(key), about)
    elif isinstance(problem, DatabaseFault | MigrationFault):
        said = " ".join(str(problem).split())
        message = (f"数据库无法使用：{said}", f"The database can't be used: {said}")
        screen.error("unavailable", message, _LOOK_AT_SERVER, about)
    elif isinstance(problem, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedFunction):
        screen.error("unavailable", *SCHEMA_PENDING, about)
    else:
        log = logs.path_of(settings.home)
        zh, en = f"经过记在 {log}。", f"What happened stands in {log}."
        if key:
            zh, en = f"{zh}可以用同一个请求号重试：--key {key}", f"{en} You can retry with --key {key}"
        message = ("程序内部出错，操作没有完成。", "Something broke on our side; the operation was not completed.")
        screen.error("fault", message, (zh, en), about)
    raise typer.Exit(FAULTY)


_LOOK_AT_SERVER: Words = (
    "用 kaquan db status 查看服务器与结构；外部服务器请检查 KAQUAN_DATABASE_URL。",
    "kaquan db status shows server and schema; for a server of your own check KAQUAN_DATABASE_URL.",
)


def _unanswered(key: str | None) -> tuple[Words, Words]:
    if key is None:
        return ("数据库没有应答。", "The database did not answer."), _LOOK_AT_SERVER
    return (
        ("数据库没有应答，是否已生效尚不知道。", "The database did not answer; whether it took effect is not known."),
        (
            f"请用同一个请求号重试，不会重复：--key {key}",
            f"Retry with the same key, it cannot happen twice: --key {key}",
        ),
    )
