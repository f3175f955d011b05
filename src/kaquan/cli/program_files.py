"""What the commands on programs share: files as a person names them, what a program says, one step."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cli.endings import REFUSED, Misuse
from kaquan.cli.labels import Words
from kaquan.cli.printing import Screen
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.documents import programs
from kaquan.documents.answers import refusal_document
from kaquan.documents.programs import Said
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import Caller
from kaquan.law.model import Law
from kaquan.programs import preset_files
from kaquan.programs.compiler import compile_program, parse_program
from kaquan.programs.source import FILE_BYTES_MAX
from kaquan.programs.terms import ProgramTerms

File = Annotated[
    str,
    typer.Argument(
        help="活动文件（TOML），或随附预设的名称，如 jingxika / Program file (TOML), or the name of a preset",
        metavar="FILE",
        show_default=False,
    ),
]
Code = Annotated[str, typer.Argument(help="活动代码 / Code of the program", metavar="CODE", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="原因，记入经过 / Why: kept in the history", metavar="TEXT")]


def said(session: Session, code: str) -> Said | None:
    """What the program with a code says as of now; none for an unknown one."""
    return programs.said(session.app.connection, session.catalogue(), code.strip())


def read(file: str) -> str:
    """The text of a file or preset, cut just above the longest that is read. Raises `Misuse`."""
    path = Path(file)
    if not path.is_file() and file in preset_files.names():
        return preset_files.text(file)
    try:
        with path.open("rb") as source:
            return source.read(FILE_BYTES_MAX + 1).decode("utf-8")
    except UnicodeDecodeError:
        raise Misuse(f"{file} 不是 UTF-8 文本。", f"{file} is not text in UTF-8.") from None
    except OSError as problem:
        known = ", ".join(preset_files.names())
        raise Misuse(
            f"读不到活动文件 {file}（{problem.strerror}）；随附的预设：{known}。",
            f"The program file {file} can't be read ({problem.strerror}); presets: {known}.",
        ) from None


def valid(screen: Screen, text: str, at: datetime) -> tuple[ProgramTerms, Law]:
    """The terms in the text and the law of the day; all problems are printed and end the command, nothing was sent.

    Limits and law are judged of terms that can be read: with faults of form, it is said that they wait.
    """
    compiled = compile_program(text, business_date(at))
    if not isinstance(compiled, list):
        return compiled
    form_only = isinstance(parse_program(text), list)
    if screen.as_json:
        found = [refusal_document(refusal, screen.language) for refusal in compiled]
        screen.answer({"outcome": "refused", "code": "program_refused", "form_only": form_only, "refusals": found})
    else:
        for refusal in compiled:
            screen.refusal(refusal)
        if form_only:
            screen.note(
                "以上是写法问题；改正后再次检查，才会查数值和法规。",
                "These are problems of form; limits and law are judged once they are corrected: check again.",
            )
    raise typer.Exit(REFUSED)


def step(
    session: Session, kind: Kind, make: Callable[[str, Caller], Any], person: str | None, headline: Words
) -> None:
    """Send a step that a person takes, and print its effect. Raises `RefusedHere`."""
    done = session.act(kind, lambda key: make(key, session.caller(person)))
    session.tell(headline, done, done.facts)
