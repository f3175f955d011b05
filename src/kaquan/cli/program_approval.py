"""`kaquan program open | draft | submit | approve | reject`: the way to a program that may start, by two persons."""

from typing import Annotated

import typer

from kaquan.cli.opening import writes
from kaquan.cli.options import As
from kaquan.cli.program_changes import Yes, confirm, show_changes
from kaquan.cli.program_files import Code, File, Reason, read, said, step, valid
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.programs.changes import diff
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.model import (
    ApproveProgram,
    DraftProgram,
    Life,
    OpenProgram,
    RejectProgram,
    SubmitProgram,
)
from kaquan.programs.terms import from_json


@writes
def open_command(
    session: Session,
    file: File,
    approved_by: Annotated[
        str,
        typer.Option(
            "--approved-by",
            help="批准人的姓名或工号，不能是办理人自己 / Second person who approves, by name or staff number",
            metavar="NAME",
        ),
    ],
    as_: As = None,
) -> None:
    """一步开办活动：起草、提交、批准、开始 / Open a program in one step: draft, submit, approve, start

    发行方（须有账簿）和商户组要先登记。 / The issuer (with a book) and the group are registered first.
    """
    text = read(file)
    terms, _ = valid(session.screen, text, session.app.door.at())
    done = session.act(
        Kind.OPEN_PROGRAM,
        lambda key: OpenProgram(key=key, caller=session.caller(as_), text=text, approved_by=approved_by),
    )
    name = terms.program
    session.tell((f"活动“{name.name_zh}”已开办。", f"{name.name_en} is open."), done, done.facts)


@writes
def draft_command(session: Session, file: File, as_: As = None) -> None:
    """保存活动草稿，可反复修改 / Keep a draft of a program; it may be changed again and again"""
    text = read(file)
    terms, _ = valid(session.screen, text, session.app.door.at())
    done = session.act(Kind.DRAFT_PROGRAM, lambda key: DraftProgram(key=key, caller=session.caller(as_), text=text))
    name = terms.program
    session.tell((f"活动“{name.name_zh}”的草稿已保存。", f"The draft of {name.name_en} is kept."), done, done.facts)


@writes
def submit_command(session: Session, program: Code, as_: As = None) -> None:
    """提交草稿，等待另一人批准 / Submit the draft for approval by a second person"""
    step(
        session,
        Kind.SUBMIT_PROGRAM,
        lambda key, caller: SubmitProgram(key=key, caller=caller, program=program),
        as_,
        ("已提交，待另一人批准。", "Submitted: it waits for a second person."),
    )


@writes
def approve_command(session: Session, program: Code, yes: Yes = False, as_: As = None) -> None:
    """批准活动或其修改：先列出内容，确认后生效 / Approve a program or an amendment: shows it, then asks

    提交人自己不能批准。 / Not for the person who submitted it.
    """
    life = session.life(program)
    waiting = life.proposal
    if waiting is not None and life.state is not ProgramState.DRAFT:
        _show_waiting(session, life)
        if not (yes or session.dry_run):
            confirm(session, ("批准？", "Approve it?"))
    proposal = None if waiting is None else waiting.id
    step(
        session,
        Kind.APPROVE_PROGRAM,
        lambda key, caller: ApproveProgram(key=key, caller=caller, program=life.code, proposal=proposal),
        as_,
        ("已批准。", "Approved."),
    )


@writes
def reject_command(session: Session, program: Code, reason: Reason, as_: As = None) -> None:
    """退回待批准的活动或修改，写明原因 / Reject what waits for approval, and say why"""
    step(
        session,
        Kind.REJECT_PROGRAM,
        lambda key, caller: RejectProgram(key=key, caller=caller, program=program, reason=reason),
        as_,
        ("已退回。", "Rejected."),
    )


def _show_waiting(session: Session, life: Life) -> None:
    """What is about to be approved: how it differs from the terms in force, or that it is the first text."""
    current = said(session, life.code)
    if life.proposal is None or current is None or session.screen.as_json:
        return
    if current.version is None:
        session.screen.note(
            f"第一版；全文见 kaquan program show {life.code}",
            f"The first version; kaquan program show {life.code} prints it in full.",
        )
    else:
        show_changes(session.screen, diff(current.terms, from_json(life.proposal.terms)))
