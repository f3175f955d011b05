"""`kaquan program amend | propose | diff`: versions of the terms, and what differs between two."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cli.endings import REFUSED, Misuse
from kaquan.cli.labels import Words
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As
from kaquan.cli.printing import Screen
from kaquan.cli.program_files import File, read, said, valid
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.documents.programs import change_document
from kaquan.kernel import money
from kaquan.kernel.money import Money, Rate
from kaquan.kernel.refusal import Fact, Language, Refusal
from kaquan.programs.changes import Change, diff, meaning_of
from kaquan.programs.errors import NOTHING_WAITS
from kaquan.programs.meaning import Meaning
from kaquan.programs.model import AmendProgram, ProposeAmendment
from kaquan.programs.phrases import percent
from kaquan.programs.terms import ProgramTerms, from_json

Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 / Do not ask")]

_EFFECTS: dict[bool | None, Words] = {
    True: ("放宽", "looser"),
    False: ("收紧", "tighter"),
    None: ("无法判断，按放宽办", "can't be judged: counts as looser"),
}
_UNITS: dict[str, Words] = {
    "days": ("天", " days"),
    "minutes": ("分钟", " minutes"),
    "day of month": ("日", ""),
}


@writes
def amend_command(session: Session, file: File, yes: Yes = False, as_: As = None) -> None:
    """收紧活动规则：先列出变化，确认后生效 / Tighten a program: shows what differs, then asks

    放宽的修改请用 propose 提出，由另一人批准。已售出的卡继续按售出时的规则使用。 / What promises more is proposed and
    approved by a second person. Cards sold before keep the terms they were sold under.
    """
    text = read(file)
    terms, _ = valid(session.screen, text, session.app.door.at())
    changes = _show(session, terms)
    if changes and not (yes or session.dry_run):
        confirm(session, ("现在生效？", "Make this the terms from now on?"))
    done = session.act(Kind.AMEND_PROGRAM, lambda key: AmendProgram(key=key, caller=session.caller(as_), text=text))
    headline = (f"活动“{terms.program.name_zh}”已修改。", f"{terms.program.name_en} is amended.")
    session.tell(headline, done, {**done.facts, **_listed(session, changes)})


@writes
def propose_command(session: Session, file: File, as_: As = None) -> None:
    """提出修改，由另一人批准后生效 / Propose new terms: a second person approves them"""
    text = read(file)
    terms, _ = valid(session.screen, text, session.app.door.at())
    changes = _show(session, terms)
    done = session.act(
        Kind.PROPOSE_AMENDMENT, lambda key: ProposeAmendment(key=key, caller=session.caller(as_), text=text)
    )
    name = terms.program
    headline = (
        f"活动“{name.name_zh}”的修改待另一人批准。",
        f"The amendment of {name.name_en} waits for a second person.",
    )
    session.tell(headline, done, {**done.facts, **_listed(session, changes)})


@reads
def diff_command(
    session: Session,
    program: Annotated[
        str, typer.Argument(help="活动代码 / Code of the program", metavar="CODE", show_default=False)
    ],
    old: Annotated[
        str | None,
        typer.Argument(
            help="版本号或活动文件；缺省为待批准的内容 / Version or program file; what waits for approval by default",
            metavar="[VERSION_OR_FILE]",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        str | None,
        typer.Argument(
            help="另一个版本号；缺省与现行版本比较 / Another version; the one in force by default",
            metavar="[VERSION]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """比较两个版本的规则：之前、之后、放宽还是收紧 / Compare two versions of the terms

    每处不同一行：含义、之前、之后、影响。 / One line for each difference: meaning, before, after, looser or tighter.
    """
    life = session.life(program)
    before, after = _pair(session, life.code, old, new)
    changes = diff(before, after)
    if session.screen.as_json:
        session.screen.answer(
            {"outcome": "effect", "program": life.code, "changes": [*map(change_document, changes)]}
        )
    else:
        show_changes(session.screen, changes)


def show_changes(screen: Screen, changes: list[Change]) -> None:
    """A table for people: what differs, and whether it promises more."""
    screen.line(screen.words(f"{len(changes)} 处不同", f"{len(changes)} changes"))
    if changes:
        rows = [_row(change, screen.language) for change in changes]
        screen.table(("term", "meaning", "before", "after", "effect"), rows)


def confirm(session: Session, question: Words) -> None:
    """Ask at a terminal; elsewhere `--yes` is the answer. Raises `Misuse`, or ends the command on a no."""
    if session.screen.as_json or not typer.get_text_stream("stdin").isatty():
        raise Misuse("没有改动：请加 --yes 确认。", "Nothing was changed: add --yes to confirm.")
    if not typer.confirm(session.screen.words(*question), err=True):
        raise typer.Exit(REFUSED)


def _show(session: Session, terms: ProgramTerms) -> list[Change]:
    """What differs from the terms in force; a program without any is refused by the door, with the reason."""
    current = said(session, session.life(terms.program.code).code)
    changes = [] if current is None else diff(current.terms, terms)
    if not session.screen.as_json:
        show_changes(session.screen, changes)
    return changes


def _listed(session: Session, changes: list[Change]) -> dict[str, Any]:
    return {"changes": [*map(change_document, changes)]} if session.screen.as_json else {}


def _pair(session: Session, code: str, old: str | None, new: str | None) -> tuple[ProgramTerms, ProgramTerms]:
    """The two texts that are compared, the earlier first."""
    if old is not None and new is not None:
        return _text(session, code, old), _text(session, code, new)
    current = said(session, code)
    if current is None or (current.version is None and old is None):
        raise Misuse("草稿还没有可比较的版本。", "A draft has no other version to compare with.")
    if old is None:
        proposal = session.life(code).proposal
        if proposal is None:
            session.refuse(Refusal(NOTHING_WAITS, {"program": code}))
        return current.terms, from_json(proposal.terms)
    found = _text(session, code, old)
    return (found, current.terms) if old.isdigit() else (current.terms, found)


def _text(session: Session, code: str, which: str) -> ProgramTerms:
    """A version by its number, or a file."""
    if not which.isdigit() or Path(which).is_file():
        return valid(session.screen, read(which), session.app.door.at())[0]
    catalogue = session.catalogue()
    number = catalogue.programs.get(code)
    versions = {known.version: known.terms for known in catalogue.terms.values() if known.program == number}
    if int(which) not in versions:
        known = ", ".join(map(str, versions)) or "-"
        raise Misuse(f"没有第 {which} 版；有：{known}。", f"There is no version {which}; there are: {known}.")
    return versions[int(which)]


def _row(change: Change, language: Language) -> dict[str, str]:
    meaning = meaning_of(change)
    said_ = meaning.zh if language == "zh" else meaning.en
    return {
        "term": change.field,
        "meaning": re.split("[，；：,;:]", said_)[0],
        "before": _shown(change.before, meaning, language),
        "after": _shown(change.after, meaning, language),
        "effect": _EFFECTS[change.loosens][0 if language == "zh" else 1],
    }


def _shown(value: Fact | None, meaning: Meaning, language: Language) -> str:
    """A term as people read it: yuan, percent, days, yes and no."""
    column = 0 if language == "zh" else 1
    if value is None:
        return "-"
    if isinstance(value, bool):
        return (("是", "yes") if value else ("否", "no"))[column]
    if isinstance(value, str):
        return value
    if meaning.endless and value == 0:
        return ("不限", "no end")[column]
    match meaning.unit:
        case "fen":
            return money.text(Money(value))
        case "bps":
            return percent(Rate(value))
    return f"{value}{_UNITS.get(meaning.unit, ('', ''))[column]}"
