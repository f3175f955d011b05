"""`kaquan program`: what programs say, and the list of them; the steps of their lives are mounted here."""

from pathlib import Path
from typing import Annotated

import typer

from kaquan.cli import program_approval, program_changes, program_liability, program_life
from kaquan.cli.endings import RefusedHere, guarded, read_settings
from kaquan.cli.opening import installed, opened, reads, screen_for
from kaquan.cli.options import AsJson, Lang
from kaquan.cli.printing import Screen
from kaquan.cli.program_files import File, read, said, valid
from kaquan.cli.session import Session
from kaquan.documents.programs import Said, acceptance, platforms, program_row
from kaquan.kernel import clock
from kaquan.kernel.calendar import business_date
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import Law, law_on
from kaquan.programs import preset_files, source
from kaquan.programs import service as programs
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.explain import explain
from kaquan.programs.terms import ProgramTerms

app = typer.Typer(
    no_args_is_help=True,
    help="活动：检查、说明、起草、批准、开始、暂停、修改、关闭 / "
    "Programs: check, explain, draft, approve, start, pause, amend, close",
)


@app.command("validate")
def validate_command(file: File, lang: Lang = None, as_json: AsJson = False) -> None:
    """检查活动文件，列出问题 / Check a program file and name its problems

    先查写法；写法都对了，再查数值和法规。每一步列出全部问题。 / The form comes first; once that is right,
    limits and law are judged. Each step names every problem it finds.
    """
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings):
        terms, law = valid(screen, read(file), clock.system_now())
        screen.effect(
            (f"可以开办：{terms.program.name_zh}", f"It can be opened: {terms.program.name_en}"),
            {
                "program": terms.program.code,
                "issuer": terms.program.issuer,
                "platforms": platforms(acceptance(terms)),
                "law_pack": ", ".join(f"{pack.id} {pack.version}" for pack in law.packs),
            },
        )


@app.command("explain")
def explain_command(
    program: Annotated[
        str,
        typer.Argument(
            help="活动文件、活动代码或预设名称 / Program file, code of a program, or name of a preset",
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
            _tell(screen, *valid(screen, read(program), clock.system_now()), None)
            return
    if installed(settings):
        with opened(lang, as_json) as session:
            known = said(session, program)
            if known is None and program not in preset_files.names():
                session.refuse(Refusal(PROGRAM_UNKNOWN, {"program": program[:40]}))
            if known is not None:
                law = law_on(known.terms.program.law_packs, business_date(session.app.door.at()))
                _tell(screen, known.terms, law, known.version)
                return
    with guarded(screen, settings):
        _tell(screen, *valid(screen, read(program), clock.system_now()), None)


@app.command("show")
def show_command(
    program: Annotated[
        str,
        typer.Argument(
            help="活动代码或预设名称 / Code of a program, or name of a preset",
            metavar="NAME",
            show_default=False,
        ),
    ],
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """输出活动文件（TOML），可存盘修改 / Print the program file (TOML), to save and edit

    已批准的活动输出现行规则，草稿输出草稿；预设输出随附文件。 / For an approved program the terms in force, for a
    draft its text; for a preset its file.
    """
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    known: Said | None = None
    if installed(settings):
        with opened(lang, as_json) as session:
            known = said(session, program)
    with guarded(screen, settings):
        if known is None and program not in preset_files.names():
            raise RefusedHere(Refusal(PROGRAM_UNKNOWN, {"program": program[:40]}))
        text = preset_files.text(program) if known is None else source.encode(known.terms)
        version = None if known is None else known.version
        if as_json:
            screen.answer({"outcome": "effect", "program": program, "version": version, "text": text})
        else:
            screen.text(text)


@app.command("list")
@reads
def list_command(session: Session) -> None:
    """列出活动及其状态，包括草稿 / List the programs and their states, drafts included"""
    catalogue = session.catalogue()
    rows = [program_row(life, catalogue) for life in programs.lives(session.app.connection).values()]
    session.screen.rows(
        "programs",
        ("program", "name", "version", "issuer", "platforms", "state", "waiting"),
        [
            {**row, "name": row[f"name_{session.screen.language}"], "platforms": platforms(row["acceptance"])}
            for row in rows
        ],
        ("还没有活动：用 kaquan program open 开办。", "There is no program yet: kaquan program open makes one."),
        rows,
    )


for _name, _command in (
    ("open", program_approval.open_command),
    ("draft", program_approval.draft_command),
    ("submit", program_approval.submit_command),
    ("approve", program_approval.approve_command),
    ("reject", program_approval.reject_command),
    ("start", program_life.start_command),
    ("pause", program_life.pause_command),
    ("resume", program_life.resume_command),
    ("end", program_life.end_command),
    ("close", program_life.close_command),
    ("amend", program_changes.amend_command),
    ("propose", program_changes.propose_command),
    ("diff", program_changes.diff_command),
    ("history", program_life.history_command),
    ("liability", program_liability.liability_command),
):
    app.command(_name)(_command)


def _tell(screen: Screen, terms: ProgramTerms, law: Law, version: int | None) -> None:
    sentences = explain(terms, law, screen.language)
    document = {"outcome": "effect", "program": terms.program.code, "version": version, "sentences": sentences}
    screen.answer(document, sentences)
