"""How a command opens the installation: the options that every command ends with, and what they decide."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import Parameter
from typing import Any, Concatenate, ParamSpec

from kaquan.cli.endings import SCHEMA_PENDING, Absent, guarded, read_settings
from kaquan.cli.options import AsJson, DryRun, Key, Lang
from kaquan.cli.printing import Screen
from kaquan.cli.session import Session
from kaquan.db import embedded, migrate
from kaquan.db.pool import connect
from kaquan.kernel.calendar import Calendar
from kaquan.kernel.refusal import Language
from kaquan.main import Kaquan, reach_of
from kaquan.settings import Settings

Typed = ParamSpec("Typed")


def _option(name: str, annotation: Any, default: object) -> Parameter:
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=default)


_KEY = _option("key", Key, None)
_DRY_RUN = _option("dry_run", DryRun, False)
_READING = (_option("lang", Lang, None), _option("as_json", AsJson, False))


def reads(command: Callable[Concatenate[Session, Typed], None]) -> Callable[..., None]:
    """A command that looks something up: `--lang` and `--json` are added, and it is given an open session."""
    return _opening(command, _READING)


def works(command: Callable[Concatenate[Session, Typed], None]) -> Callable[..., None]:
    """A command that sends many under keys of its own: like `reads`, with `--dry-run` before."""
    return _opening(command, (_DRY_RUN, *_READING))


def writes(command: Callable[Concatenate[Session, Typed], None]) -> Callable[..., None]:
    """A command that sends one under the caller's key: like `works`, with `--key` before."""
    return _opening(command, (_KEY, _DRY_RUN, *_READING))


def _opening(command: Callable[..., None], options: tuple[Parameter, ...]) -> Callable[..., None]:
    """The command as Typer sees it: its own parameters without the session, then the options."""

    @functools.wraps(command)
    def opens_first(**typed: Any) -> None:
        wishes = {option.name: typed.pop(option.name) for option in options}
        with opened(**wishes) as session:
            command(session, **typed)

    signature = inspect.signature(command)
    _, *own = signature.parameters.values()
    parameters = [*own, *options]
    opens_first.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    opens_first.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": None}
    return opens_first


def screen_for(settings: Settings, lang: Language | None, as_json: bool) -> Screen:
    """Where this command prints, in the language that was asked for or that the settings name."""
    return Screen(lang or settings.lang, as_json)


@contextmanager
def opened(
    lang: Language | None, as_json: bool, *, key: str | None = None, dry_run: bool = False
) -> Iterator[Session]:
    """The installation of the settings, open for one command."""
    session: Session | None = None
    with (
        opened_server(lang, as_json, lambda: session.sent if session is not None else None) as opening,
        connect(opening[0].app_url, application_name="kaquan cli") as connection,
    ):
        server, settings, screen = opening
        calendar = Calendar.load(settings.calendar_file)
        app = Kaquan(connection, server.master_key, calendar=calendar, reach=reach_of(settings))
        session = Session(app, settings, screen, key, dry_run)
        yield session


@contextmanager
def opened_server(
    lang: Language | None, as_json: bool, sent: Callable[[], str | None] = lambda: None
) -> Iterator[tuple[embedded.Server, Settings, Screen]]:
    """The database of the settings, and where to print. `sent` gives the key of a command that was not answered."""
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings, sent):
        if not installed(settings):
            raise _not_installed(settings)
        with embedded.open_database(settings) as server:
            _check_schema(server)
            yield server, settings, screen


def installed(settings: Settings) -> bool:
    """Whether there is something to open: commands other than `init` make no installation by the way."""
    real = settings.database_url is not None or settings.owner_database_url is not None
    return real or (settings.home / "secrets").exists()


def _check_schema(server: embedded.Server) -> None:
    """The private server's schema is looked at each time; a real server's owner is not known to every process."""
    if server.owner is None:
        return
    states = {state.state for state in migrate.status(server.owner_url)}
    if states & {"changed", "missing"}:
        raise Absent(
            ("数据库结构与本程序不符。", "The database's schema does not fit this program."),
            ("用 kaquan db status 查看差异。", "kaquan db status shows where they differ."),
        )
    if "pending" in states:
        raise Absent(*SCHEMA_PENDING)


def _not_installed(settings: Settings) -> Absent:
    return Absent(
        (f"{settings.home} 还没有安装。", f"There is no installation at {settings.home}."),
        (
            "先执行 kaquan init；已装在别处时，用 KAQUAN_HOME 指明。",
            "Run kaquan init first; if it lies elsewhere, name it with KAQUAN_HOME.",
        ),
    )
