"""`kaquan program`: check, explain, open and amend programs."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cli.endings import REFUSED, Misuse, RefusedHere, guarded, read_settings
from kaquan.cli.options import AsJson, DryRun, Key, Lang
from kaquan.cli.printing import Screen, refusal_document
from kaquan.cli.session import Session, installed, opened, screen_for
from kaquan.commands.model import Kind
from kaquan.kernel import clock
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import Law
from kaquan.programs import preset_files, source
from kaquan.programs.catalogue import Terms
from kaquan.programs.changes import Change, diff
from kaquan.programs.compiler import compile_program, parse_program
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.explain import explain
from kaquan.programs.service import AmendProgram, OpenProgram
from kaquan.programs.source import FILE_BYTES_MAX
from kaquan.programs.terms import ProgramTerms

app = typer.Typer(
    no_args_is_help=True, help="活动：检查、说明、显示、开办、修改 / Programs: check, explain, show, open, amend"
)

File = Annotated[
    str,
    typer.Argument(
        help="活动文件（TOML），或随附预设的名称，如 jingxika / Program file (TOML), or the name of a preset",
        metavar="FILE",
        show_default=False,
    ),
]


@app.command("validate")
def validate_command(file: File, lang: Lang = None, as_json: AsJson = False) -> None:
    """检查活动文件，列出问题 / Check a program file and name its problems

    先查写法；写法都对了，再查数值和法规。每一步列出全部问题。 / The form comes first; once that is right,
    limits and law are judged. Each step names every problem it finds.
    """
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings):
        terms, law = _valid(screen, _read(file), clock.system_now())
        screen.effect(
            (f"可以开办：{terms.program.name_zh}", f"It can be opened: {terms.program.name_en}"),
            {
                "program": terms.program.code,
                "issuer": terms.program.issuer,
                "group": terms.program.group,
                "law_pack": ", ".join(f"{pack.id} {pack.version}" for pack in law.packs),
            },
        )


@app.command("explain")
def explain_command(
    program: Annotated[
        str,
        typer.Argument(
            help="活动文件、已开办活动的代码或预设名称 / Program file, code of an open program, or name of a preset",
            metavar="FILE_OR_CODE",
            show_default=False,
        ),
    ],
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """用通俗的话说明活动规则 / Say in plain sentences what a program promises"""
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings):
        if Path(program).is_file():
            _tell(screen, *_valid(screen, _read(program), clock.system_now()), None)
            return
    if installed(settings):
        with opened(lang, as_json) as session:
            known = session.catalogue().program(program)
            if known is not None or program not in preset_files.names():
                found = known or session.program(program)
                _tell(screen, found.terms, found.law(session.app.door.at()), found.version)
                return
    with guarded(screen, settings):
        _tell(screen, *_valid(screen, _read(program), clock.system_now()), None)


@app.command("show")
def show_command(
    program: Annotated[
        str,
        typer.Argument(
            help="已开办活动的代码或预设名称 / Code of an open program, or name of a preset",
            metavar="NAME",
            show_default=False,
        ),
    ],
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """输出活动文件（TOML），可存盘修改 / Print the program file (TOML), to save and edit

    已开办的活动输出现行规则；预设输出随附文件。 / For an open program the terms in force; for a preset its file.
    """
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    known: Terms | None = None
    if installed(settings):
        with opened(lang, as_json) as session:
            known = session.catalogue().program(program)
    with guarded(screen, settings):
        if known is None and program not in preset_files.names():
            raise RefusedHere(Refusal(PROGRAM_UNKNOWN, {"program": program[:40]}))
        text = preset_files.text(program) if known is None else source.encode(known.terms)
        version = None if known is None else known.version
        if as_json:
            screen.answer({"outcome": "effect", "program": program, "version": version, "text": text})
        else:
            screen.text(text)


@app.command("open")
def open_command(
    file: File, key: Key = None, dry_run: DryRun = False, lang: Lang = None, as_json: AsJson = False
) -> None:
    """开办活动 / Open a program

    发行方（须有账簿）和商户组要先登记。 / The issuer (with a book) and the group are registered first.
    """
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        text = _read(file)
        terms, _ = _valid(session.screen, text, session.app.door.at())
        done = session.act(Kind.OPEN_PROGRAM, lambda key: OpenProgram(key=key, caller=OPERATOR, text=text))
        name = terms.program
        session.tell((f"活动“{name.name_zh}”已开办。", f"{name.name_en} is open."), done, done.facts)


@app.command("amend")
def amend_command(
    file: File,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不再询问 / Do not ask")] = False,
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """修改活动：先列出变化，确认后生效 / Change a program: shows what differs, then asks

    已售出的卡继续按售出时的规则使用。 / Cards sold before keep the terms they were sold under.
    """
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        text = _read(file)
        terms, _ = _valid(session.screen, text, session.app.door.at())
        current = session.program(terms.program.code)
        changes = diff(current.terms, terms)
        if not as_json:
            _show_changes(session.screen, current, changes)
        if changes and not (yes or dry_run):
            _confirm(session)
        done = session.act(Kind.AMEND_PROGRAM, lambda key: AmendProgram(key=key, caller=OPERATOR, text=text))
        headline = (f"活动“{terms.program.name_zh}”已修改。", f"{terms.program.name_en} is amended.")
        facts: dict[str, Any] = dict(done.facts)
        if as_json:
            facts["changes"] = [_document(change) for change in changes]
        session.tell(headline, done, facts)


@app.command("list")
def list_command(lang: Lang = None, as_json: AsJson = False) -> None:
    """列出已开办的活动 / List the programs that are open"""
    with opened(lang, as_json) as session:
        rows = [_row(terms) for terms in session.catalogue().latest.values()]
        session.screen.rows(
            "programs",
            ("program", "name", "version", "issuer", "group", "state"),
            [{**row, "name": row[f"name_{session.screen.language}"]} for row in rows],
            ("还没有活动：用 kaquan program open 开办。", "There is no program yet: kaquan program open makes one."),
            rows,
        )


def _row(known: Terms) -> dict[str, Any]:
    names = known.terms.program
    return {
        "program": names.code,
        "name_zh": names.name_zh,
        "name_en": names.name_en,
        "version": known.version,
        "issuer": names.issuer,
        "group": names.group,
        "state": "open" if known.open else "closed",
        "offers_fen": [offer.face_fen for offer in known.terms.presale.offers],
    }


def _read(file: str) -> str:
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


def _valid(screen: Screen, text: str, at: datetime) -> tuple[ProgramTerms, Law]:
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


def _tell(screen: Screen, terms: ProgramTerms, law: Law, version: int | None) -> None:
    sentences = explain(terms, law, screen.language)
    document = {"outcome": "effect", "program": terms.program.code, "version": version, "sentences": sentences}
    screen.answer(document, sentences)


def _show_changes(screen: Screen, current: Terms, changes: list[Change]) -> None:
    screen.line(
        screen.words(
            f"与现行第 {current.version} 版相比，{len(changes)} 处不同：",
            f"{len(changes)} changes from version {current.version}:",
        )
    )
    looser = {True: ("放宽", "looser"), False: ("收紧", "tighter"), None: ("", "")}
    for change in changes:
        before = "-" if change.before is None else change.before
        after = "-" if change.after is None else change.after
        screen.line(f"  {change.field}: {before} → {after}  {screen.words(*looser[change.loosens])}".rstrip())


def _confirm(session: Session) -> None:
    question = session.screen.words("现在生效？", "Make this the terms from now on?")
    if session.screen.as_json or not typer.get_text_stream("stdin").isatty():
        raise Misuse("没有改动：确认修改请加 --yes。", "Nothing was changed: add --yes to confirm.")
    if not typer.confirm(question, err=True):
        raise typer.Exit(REFUSED)


def _document(change: Change) -> dict[str, Any]:
    return {"field": change.field, "before": change.before, "after": change.after, "loosens": change.loosens}
