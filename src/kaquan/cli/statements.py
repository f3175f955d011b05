"""`kaquan statements`: make, list, show and check the statements of merchants, funders and holders."""

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kaquan.cli.endings import FAULTY, MISUSED, REFUSED, Misuse, read_settings
from kaquan.cli.files import private_file
from kaquan.cli.holders import wallet_of
from kaquan.cli.opening import reads, screen_for, works
from kaquan.cli.options import AsJson, Lang, Phone
from kaquan.cli.printing import Screen
from kaquan.cli.session import Session
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import refusal_document
from kaquan.documents.statements import statement_row, until_of, verdict_row
from kaquan.funders.errors import FUND_UNKNOWN
from kaquan.funders.model import fund_id
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, IdError, parse, public
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import Fault, Language, Refusal
from kaquan.reporting import errors, service
from kaquan.reporting.checking import asked, file_name, first_changed, verify
from kaquan.reporting.layout import AMOUNTS, COUNTS, Part, lay_out
from kaquan.reporting.model import PREFIX, PartyKind, Stored, file_of
from kaquan.reporting.rendering import FORMS

app = typer.Typer(
    no_args_is_help=True,
    help="对账单：出具、列出、查看、核对 / Statements: make, list, show, check",
)

LIST_MAX = 1_000
TOGETHER = 100  # parties whose statements are made in one batch, which reads the books once
_COLUMNS = ("party", "code", "party_id", "statement_no", "since", "until", "hash")
_MADE = ("code", "party_id", "statement_no", "since", "until", "hash")
_FOUND = ("file", "statement_no", "found")
_ENDINGS = frozenset({".json", ".pdf", ".xlsx"})

Merchant = Annotated[
    str | None,
    typer.Option("--merchant", help="商户代码或 mer_… / Merchant: its code or mer_…", metavar="MERCHANT"),
]
Fund = Annotated[str | None, typer.Option("--fund", help="资金户代码 / Code of the fund", metavar="FUND")]
Wallet = Annotated[str | None, typer.Option("--wallet", help="钱包 wal_… / Wallet: wal_…", metavar="WALLET")]
Party = tuple[PartyKind, Id]


@app.command("make")
@works
def make_command(
    session: Session,
    merchant: Merchant = None,
    fund: Fund = None,
    wallet: Wallet = None,
    phone: Phone = None,
    everybody: Annotated[
        Literal["merchants", "funds"] | None,
        typer.Option("--all", help="所有商户或资金户 / Every merchant, or every fund", metavar="merchants|funds"),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(
            "--period",
            help="月份，如 2025-05，或最后一天；默认上个月 / "
            "A month, such as 2025-05, or its last day; the month before by default",
            metavar="PERIOD",
        ),
    ] = None,
) -> None:
    """出具对账单：从上一单之后到期末；重复执行得到同一单 / Make a statement; running it again gives the same one"""
    until, app_ = _until(session, period), session.app
    below = service.horizon(app_.connection)
    parties = _everybody(session, everybody) if everybody else [_party(session, merchant, fund, wallet, phone)]
    made: list[dict[str, Any]] = []
    refused: list[tuple[str, Refusal]] = []
    with session.screen.progress(len(parties)) as advance:
        for start in range(0, len(parties), TOGETHER):
            some = parties[start : start + TOGETHER]
            commands = [service.making(OPERATOR, kind, who, until, below) for kind, who in some]
            outcomes = app_.execute(Kind.MAKE_STATEMENT, commands, dry_run=session.dry_run)
            for (kind, who), outcome in zip(some, outcomes, strict=True):
                code = _code(session, kind, who)
                if isinstance(outcome, Effect):
                    made.append({"statement": public("stm", outcome.id), **_told(outcome.facts), "code": code})
                elif isinstance(outcome, Fault):
                    raise outcome
                else:
                    refused.append((code, outcome.refusal))
            advance(start + len(some))
    if len(parties) == 1 and refused:
        session.refuse(refused[0][1])
    _report(session, made, refused)


def _report(session: Session, made: list[dict[str, Any]], refused: list[tuple[str, Refusal]]) -> None:
    screen = session.screen
    if screen.as_json:
        no = [{"code": code, **refusal_document(one, screen.language)} for code, one in refused]
        outcome = "refused" if refused else "effect"
        screen.answer({"outcome": outcome, "dry_run": session.dry_run, "statements": made, "refused": no})
    else:
        if made:
            screen.table(_MADE, [_short(row) for row in made])
        for code, one in refused:
            screen.note(code, code)
            screen.refusal(one)
        screen.line(screen.words(f"出具 {len(made)} 份对账单。", f"{len(made)} statements made."))
    if refused:
        raise typer.Exit(REFUSED)


@app.command("list")
@reads
def list_command(
    session: Session,
    merchant: Merchant = None,
    fund: Fund = None,
    wallet: Wallet = None,
    last: Annotated[
        int, typer.Option("--last", min=1, max=LIST_MAX, metavar="N", help="最近多少份 / How many of the latest")
    ] = 50,
) -> None:
    """列出已出的对账单，最新的在前 / List statements that were made, latest first"""
    subjects = None
    if merchant or fund or wallet:
        subjects = [_party(session, merchant, fund, wallet, None)[1]]
    catalogue = session.catalogue()
    found = service.statements(session.app.connection, None, subjects, None, last)
    rows = [statement_row(one, catalogue) for one in found]
    none = ("还没有对账单。", "No statement was made yet.")
    session.screen.rows("statements", _COLUMNS, [_short(row) for row in rows], none, rows)


@app.command("show")
@reads
def show_command(
    session: Session,
    statement: Annotated[
        str | None,
        typer.Argument(help="对账单 stm_… / Statement: stm_…", metavar="[STATEMENT]", show_default=False),
    ] = None,
    merchant: Merchant = None,
    fund: Fund = None,
    wallet: Wallet = None,
    number: Annotated[
        int | None, typer.Option("--number", min=1, metavar="N", help="第几号，默认最新 / Which one; the latest")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="把 JSON、PDF 和 Excel 写入文件夹 / Write JSON, PDF and Excel into a folder",
            metavar="FOLDER",
        ),
    ] = None,
) -> None:
    """查看一份对账单，或写成 JSON、PDF、Excel / Show a statement, or write it as JSON, PDF and Excel"""
    found = _find(session, statement, (merchant, fund, wallet), number)
    screen, digest = session.screen, found.hash.hex()
    if folder is not None:
        names = [path.name for path in write_files(found, folder, screen.language)]
        document = {"outcome": "effect", "statement": public("stm", found.id), "hash": digest, "files": names}
        written = screen.words(f"已写入 {folder}：", f"Written to {folder}: ") + ", ".join(names)
        screen.answer(document, [written])
        return
    laid = lay_out(found.record, digest, screen.language)
    if screen.as_json:
        screen.answer({"outcome": "effect", "hash": digest, "record": found.record})
        return
    screen.line(laid.title)
    for name, given in (*laid.facts, (screen.words("哈希", "Hash"), digest)):
        screen.line(f"  {name}  {given}")
    for part in laid.parts:
        if part.rows:
            screen.line(f"\n{part.title}")
            _table(screen, part)


def _table(screen: Screen, part: Part) -> None:
    heads = [head.text for head in part.heads]
    kinds = [head.kind for head in part.heads]
    rows = [
        dict(zip(heads, (_cell(kind, one) for kind, one in zip(kinds, row, strict=True)), strict=True))
        for row in (*part.rows, *((part.totals,) if any(one is not None for one in part.totals) else ()))
    ]
    screen.table(heads, rows)


def _cell(kind: str, given: Any) -> str:
    if given is None:
        return ""
    return text(Money(given)) if kind in AMOUNTS - COUNTS else str(given)


def write_files(found: Stored, folder: Path, language: Language) -> list[Path]:
    """A statement's files in a folder, for their owner only. Raises `Misuse` when they can't be written."""
    record, digest = found.record, found.hash.hex()
    stem = file_name(record)
    contents = {f"{stem}.json": file_of(found.body, found.hash)}
    contents |= {f"{stem}.{language}.{form}": render(record, digest, language) for form, render in FORMS.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        message = (f"无法建立 {folder}（{problem.strerror}）。", f"{folder} can't be made ({problem.strerror}).")
        raise Misuse(*message) from None
    for name, content in contents.items():
        with os.fdopen(private_file(folder / name), "wb") as out:
            out.write(content)
    return [folder / name for name in contents]


@app.command("verify")
def verify_command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="对账单文件或文件夹 / Statement files, or folders of them", metavar="PATH…", show_default=False
        ),
    ],
    offline: Annotated[
        bool,
        typer.Option("--offline", help="只核对文件，不读账本 / Check the files only, without any installation"),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """核对对账单文件，指出最先被改动的一份；全部无误才返回 0 / Check files; tell the first that was changed"""
    if offline:
        screen = screen_for(read_settings(), lang, as_json)
        try:
            files = _files(paths)
        except Misuse as wrong:
            screen.error("misuse", wrong.words)
            raise typer.Exit(MISUSED) from None
        _told_verdicts(screen, files, None)
        return
    _verify_with_books(paths=paths, lang=lang, as_json=as_json)


@reads
def _verify_with_books(session: Session, paths: list[Path]) -> None:
    files = _files(paths)
    wanted = {(_subject(party), number): (party, number) for party, number in asked(files) if _subject(party)}
    kept = service.hashes(session.app.connection, [(Id(subject), number) for subject, number in wanted])
    books = {wanted[place]: digest for place, digest in kept.items()}
    _told_verdicts(session.screen, files, books)


def _told_verdicts(screen: Screen, files: dict[str, bytes], books: dict[tuple[str, int], bytes] | None) -> None:
    verdicts = verify(files, FORMS, books)
    rows = [verdict_row(one, screen.language) for one in verdicts]
    first = first_changed(verdicts)
    if screen.as_json:
        told = None if first is None else verdict_row(first, screen.language)
        screen.answer({"outcome": "effect" if first is None else "fault", "files": rows, "first_changed": told})
    else:
        screen.table(_FOUND, [{**row, "statement_no": row["number"]} for row in rows])
        if first is None:
            count = len(verdicts)
            against = screen.words(
                "，并与账本一致" if books is not None else "", " and of the books" if books else ""
            )
            screen.line(
                screen.words(
                    f"{count} 个文件全部无误{against}。", f"All {count} files are as they were made{against}."
                )
            )
        else:
            where = first.file or f"{first.party} #{first.number}"
            found = verdict_row(first, screen.language)["found"]
            screen.line(screen.words(f"最先有问题的：{where}（{found}）", f"The first: {where} {found}"))
    if first is not None:
        raise typer.Exit(FAULTY)


def _files(paths: Iterable[Path]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in paths:
        listed = sorted(path.iterdir()) if path.is_dir() else [path]
        for one in listed:
            if one.is_file() and (one.suffix in _ENDINGS or one == path):
                found[one.name] = one.read_bytes()
            elif not one.exists():
                raise Misuse(f"没有文件 {one}。", f"There is no file {one}.")
    if not found:
        raise Misuse("这里没有对账单文件。", "There are no statement files here.")
    return found


def _subject(party: str) -> bytes:
    """The inside id of a party; empty for what is none."""
    try:
        return parse(party.partition("_")[0], party) if party.partition("_")[0] in PREFIX.values() else b""
    except IdError:
        return b""


def _until(session: Session, period: str | None) -> date:
    end = until_of(period, session.app.door.at())
    if end is None:
        raise Misuse(
            f"“{period}”不是期间，应写成 2025-05 或 2025-05-31。",
            f"{period} is not a period; write 2025-05 or 2025-05-31.",
        )
    return end


def _party(session: Session, merchant: str | None, fund: str | None, wallet: str | None, phone: str | None) -> Party:
    """The one party that was named. Raises `Misuse` or `RefusedHere`."""
    if sum(one is not None for one in (merchant, fund, wallet or phone)) != 1:
        raise Misuse(
            "请用 --merchant、--fund、--wallet 三者之一指明对账单是谁的。",
            "Name whose statement it is by one of --merchant, --fund, --wallet.",
        )
    if merchant is not None:
        return PartyKind.MERCHANT, session.merchant(merchant)
    if fund is not None:
        if fund.strip() not in session.catalogue().funds:
            session.refuse(Refusal(FUND_UNKNOWN, {"fund": fund[:40]}))
        return PartyKind.FUNDER, fund_id(fund.strip())
    return PartyKind.HOLDER, wallet_of(session, wallet, phone)


def _everybody(session: Session, those: str) -> list[Party]:
    catalogue = session.catalogue()
    if those == "merchants":
        return [(PartyKind.MERCHANT, who) for _, who in sorted(catalogue.merchant_codes.items())]
    return [(PartyKind.FUNDER, fund.id) for _, fund in sorted(catalogue.funds.items())]


def _find(
    session: Session,
    statement: str | None,
    party: tuple[str | None, str | None, str | None],
    number: int | None,
) -> Stored:
    connection = session.app.connection
    if statement is not None:
        try:
            found = service.statement_by_id(connection, parse("stm", statement))
        except IdError:
            found = None
    else:
        _, who = _party(session, *party, None)
        if number is None:
            latest = service.statements(connection, None, [who], None, 1)
            number = latest[0].number if latest else 1
        found = service.statement(connection, who, number)
    if found is None:
        session.refuse(Refusal(errors.UNKNOWN))
    return found


def _code(session: Session, kind: PartyKind, who: Id) -> str:
    catalogue = session.app.catalogue
    if kind is PartyKind.MERCHANT:
        return catalogue.merchants[who].code
    return catalogue.funds_by_id[who].code if kind is PartyKind.FUNDER else ""


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: given for name, given in facts.items() if name != "statement"}


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """For people: of the hash only how it begins."""
    return {**row, "statement_no": row["number"], "hash": row["hash"][:12]}
