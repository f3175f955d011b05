"""`kaquan holder`: register, identify and find who holds cards. What identifies people is masked on every screen."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cards.model import CardState
from kaquan.cards.service import of_wallet
from kaquan.cli.endings import Misuse
from kaquan.cli.files import private_file
from kaquan.cli.opening import reads, works, writes
from kaquan.cli.options import Phone, Wallet
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Kind
from kaquan.documents.evidence import evidence, until_yesterday
from kaquan.holders.service import find_by_phone, identification, read_person, registration
from kaquan.identity import audit
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.model import Person, masked_id_number, masked_name, masked_phone
from kaquan.privacy.rules import normalise_id_number, normalise_name, normalise_phone
from kaquan.privacy.rules import person as read_typed
from kaquan.reporting.service import horizon
from kaquan.sales.errors import PHONE_UNKNOWN

app = typer.Typer(
    no_args_is_help=True, help="持卡人：登记、实名、查找（个人信息只显示掩码） / Holders: register, identify, find"
)

_FROM_STDIN = "-"

IdNumber = Annotated[
    str | None,
    typer.Option(
        "--id-number",
        help="证件号码；写 - 则从标准输入读一行 / Identity number; - reads a line of stdin",
        metavar="NUMBER",
    ),
]


@app.command("register")
@writes
def register_command(
    session: Session,
    name: Annotated[str | None, typer.Option("--name", help="姓名 / Name", metavar="NAME")] = None,
    phone: Phone = None,
    id_number: IdNumber = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="不记名钱包 / A wallet of nobody known, for bearer cards")
    ] = False,
) -> None:
    """登记持卡人，开一个钱包；记名卡需要证件号码 / Register a holder and open a wallet

    不带选项时逐项询问，输入证件号码不回显。命令行会留在历史记录里：个人信息请让它询问，或用 - 从标准输入读。 /
    Without options it asks; identity numbers are not echoed. A command line stays in the shell's history: let it
    ask for personal data, or pass it on stdin with -. Registered cards need the identity number.
    """
    person = None if anonymous else _person(session, name, phone, id_number)
    done = session.act(Kind.REGISTER_HOLDER, lambda key: registration(session.app.master, OPERATOR, key, person))
    facts = {"wallet": public("wal", done.id), **_masked(person), "identified": done.facts["identified"]}
    session.tell(("持卡人已登记。", "The holder is registered."), done, facts, ("wallet",))


@app.command("identify")
@writes
def identify_command(
    session: Session,
    phone: Phone = None,
    wallet: Wallet = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="姓名，默认用已登记的 / Name, by default as registered", metavar="NAME"),
    ] = None,
    id_number: IdNumber = None,
) -> None:
    """为未实名的持卡人补登证件号码，用 --phone 或 --wallet 指明 / Record a holder's identity number afterwards

    不带选项时询问，输入证件号码不回显；也可用 - 从标准输入读。已实名的不能更改。 /
    Without options it asks, and does not echo the number; - reads it from stdin. Who is identified stays so.
    """
    if wallet is None and phone is None:
        phone = _asked(session, "手机号", "Phone number", hidden=True)
    found = wallet_of(session, wallet, phone)
    full_name, number = _identity(session, found, name, id_number)
    done = session.act(
        Kind.IDENTIFY_HOLDER,
        lambda key: identification(
            session.app.connection,
            session.app.master,
            OPERATOR,
            key,
            wallet=found,
            name=full_name,
            id_number=number,
        ),
    )
    facts = {"wallet": public("wal", found), **_masked(Person(full_name, None, number)), "identified": True}
    session.tell(("持卡人已实名。", "The holder is identified."), done, facts)


@app.command("find")
@reads
def find_command(
    session: Session,
    wallet: Annotated[
        str | None, typer.Argument(help="钱包 wal_… / Wallet: wal_…", metavar="[WALLET]", show_default=False)
    ] = None,
    phone: Phone = None,
) -> None:
    """按手机号或钱包查找持卡人和卡 / Find a holder and the cards by phone number or wallet"""
    if wallet is None and phone is None:
        phone = _asked(session, "手机号", "Phone number", hidden=True)
    found = wallet_of(session, wallet, phone)
    person = read_person(session.app.connection, session.app.master, found)
    cards = of_wallet(session.app.connection, found)
    facts: dict[str, Any] = {"wallet": public("wal", found), **_masked(person)}
    rows = [
        {
            "number": one.number,
            "program": one.program,
            "state": CardState(one.state).name.lower(),
            "card": public("crd", one.id.bytes),
        }
        for one in cards
    ]
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **facts, "cards": rows})
        return
    session.screen.facts(facts)
    if rows:
        session.screen.table(("number", "program", "state", "card"), rows)


@app.command("evidence")
@works
def evidence_command(
    session: Session,
    out: Annotated[Path, typer.Option("--out", help="写入的 zip 文件 / Zip file to write", metavar="FILE")],
    wallet: Annotated[
        str | None, typer.Argument(help="钱包 wal_… / Wallet: wal_…", metavar="[WALLET]", show_default=False)
    ] = None,
    phone: Phone = None,
) -> None:
    """导出持卡人证据包：合同、全部事项、余额、对账单 / All about a holder as a zip: contracts, events, balances

    包内有她的姓名、手机号和证件号码，导出记入审计日志。 /
    It holds her name and numbers in the clear; that it was made stands in the audit log.
    """
    found = wallet_of(session, wallet, phone)
    app_, at, screen = session.app, session.app.door.at(), session.screen
    session.catalogue()
    if not session.dry_run:
        app_.one(
            Kind.MAKE_STATEMENT, until_yesterday(found, at, horizon(app_.connection))
        )  # refused when it was made
    content, manifest = evidence(app_, found, at, screen.language)
    if not session.dry_run:
        identity_, caller = public("wal", found), session.caller(None)
        audit.write(app_.connection, [audit.row(at, caller, "export_evidence", outcome="ok", object=identity_)])
        with os.fdopen(private_file(out), "wb") as target:
            target.write(content)
    told = {"outcome": "effect", "dry_run": session.dry_run, "file": str(out), **manifest}
    count = len(manifest["files"])
    screen.answer(told, [screen.words(f"{count} 个文件已写入 {out}。", f"{count} files written to {out}.")])


def wallet_of(session: Session, wallet: str | None, phone: str | None) -> Id:
    """The wallet that was named by id or by its holder's phone number. Raises `RefusedHere` or `Misuse`."""
    if (wallet is None) == (phone is None):
        raise Misuse("请用手机号或钱包二者之一指明持卡人。", "Name the holder by either phone number or wallet.")
    if wallet is not None:
        return identity("wal", wallet)
    digits = normalise_phone(_typed(phone) or "")
    if isinstance(digits, Refusal):
        session.refuse(digits)
    found = find_by_phone(session.app.connection, session.app.master, digits)
    if found is None:
        session.refuse(Refusal(PHONE_UNKNOWN))
    return found


def _person(session: Session, name: str | None, phone: str | None, id_number: str | None) -> Person:
    if name is None:
        name = _asked(session, "姓名", "Name")
        phone = phone or _asked(session, "手机号（可留空）", "Phone number (may be empty)", optional=True)
        id_number = id_number or _asked(
            session,
            "证件号码（可留空，不回显）",
            "Identity number (may be empty, not echoed)",
            hidden=True,
            optional=True,
        )
    person = read_typed(name, _typed(phone), _typed(id_number))
    if isinstance(person, Refusal):
        session.refuse(person)
    return person


def _identity(session: Session, wallet: Id, name: str | None, id_number: str | None) -> tuple[str, str]:
    """Name and identity number as they will be recorded. The name on record stands unless another is given."""
    if name is None:
        known = read_person(session.app.connection, session.app.master, wallet)
        name = known.name if known else _asked(session, "姓名", "Name")
    number = _typed(id_number) or _asked(session, "证件号码（不回显）", "Identity number (not echoed)", hidden=True)
    read_name, read_number = normalise_name(name), normalise_id_number(number)
    if isinstance(read_name, Refusal):
        session.refuse(read_name)
    if isinstance(read_number, Refusal):
        session.refuse(read_number)
    return read_name, read_number


def _typed(value: str | None) -> str | None:
    """What an option says; a line of stdin for `-`."""
    return sys.stdin.readline().strip() if value == _FROM_STDIN else value


def _asked(session: Session, zh: str, en: str, *, hidden: bool = False, optional: bool = False) -> str:
    if not sys.stdin.isatty():
        raise Misuse(
            "没有终端可以询问：请用选项给出（可写 - 从标准输入读）。",
            "There is no terminal to ask on: give the options (- reads a line of stdin).",
        )
    default = "" if optional else None
    answer: str = typer.prompt(
        session.screen.words(zh, en), default=default, hide_input=hidden, show_default=False, err=True
    )
    return answer


def _masked(person: Person | None) -> dict[str, str]:
    """Who it is, as far as a screen may show."""
    if person is None:
        return {}
    shown = {"holder": masked_name(person.name)}
    if person.phone:
        shown["phone"] = masked_phone(person.phone)
    if person.id_number:
        shown["id_number"] = masked_id_number(person.id_number)
    return shown
