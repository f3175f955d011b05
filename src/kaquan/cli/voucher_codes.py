"""`kaquan voucher codes`: make, import, show, stop."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from kaquan.cli.endings import Misuse, RefusedHere
from kaquan.cli.files import private_file
from kaquan.cli.opening import reads, writes
from kaquan.cli.session import Session, identity
from kaquan.cli.vouchers import Program, Stock
from kaquan.commands.model import Kind, Refused
from kaquan.documents.answers import shown
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.vouchers import codes, service
from kaquan.vouchers.codes import CODES_MAX, PREFIX_MAX, OpenCodes, StopCodes
from kaquan.vouchers.errors import CODE_BATCH_UNKNOWN

app = typer.Typer(no_args_is_help=True, help="券码：制作、导入、查看、停用 / Codes: make, import, show, stop")

AT_ONCE = 8  # buckets of codes in one transaction: of the largest batch 25,000 rows

BatchArgument = Annotated[
    str, typer.Argument(help="券码批次 cbt_… / Batch of codes: cbt_…", metavar="BATCH", show_default=False)
]


@app.command("make")
@writes
def make_command(
    session: Session,
    program: Program,
    stock: Stock,
    count: Annotated[int, typer.Option("--count", min=1, max=CODES_MAX, help="做多少个 / How many")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="写到这个新文件（CSV，仅本人可读）；券码不会再显示 / "
            "New file (CSV, for its owner only); the codes are never shown again",
            metavar="FILE",
        ),
    ],
    prefix: Annotated[
        str, typer.Option("--prefix", help=f"前缀，最多 {PREFIX_MAX} 位 / Prefix, at most {PREFIX_MAX} characters")
    ] = "",
) -> None:
    """制作一批券码并写入文件 / Make a batch of codes and write them to a file

    系统只保留摘要。结果不明时，用 codes import 和同一请求号导入该文件。 / Only digests are kept. If there was no
    answer, bring the file in with codes import under the same key.
    """
    beginning = prefix.strip().upper()
    if not codes.prefix_possible(beginning):
        message = f"前缀最多 {PREFIX_MAX} 位，只用 {codes.ALPHABET}。"
        raise Misuse(message, f"A prefix has at most {PREFIX_MAX} characters of {codes.ALPHABET}.")
    drawn: set[str] = set()
    while len(drawn) < count:
        drawn.add(codes.draw(beginning))
    fresh = sorted(drawn)
    if not session.dry_run:
        _write(out, fresh)
    _bring_in(session, program, stock, fresh)


@app.command("import")
@writes
def import_command(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(
            help="文件：每行一个券码，或 CSV 的第一列 / File: one code a line, or the first column of a CSV",
            metavar="FILE",
            show_default=False,
        ),
    ],
    program: Program,
    stock: Stock,
) -> None:
    """导入别处印制的券码；已有的跳过 / Bring in codes that were made elsewhere; known ones are left as they are"""
    _bring_in(session, program, stock, _read(file))


@app.command("show")
@reads
def show_command(session: Session, batch: BatchArgument) -> None:
    """查看一批券码的总数和已用数 / Show how many codes a batch has, and how many were used"""
    target = identity("cbt", batch)
    count, used = service.code_counts(session.app.connection, target)
    if not count:
        session.refuse(Refusal(CODE_BATCH_UNKNOWN))
    facts = {"batch": public("cbt", target), "count": count, "used": used}
    session.screen.one(facts)


@app.command("stop")
@writes
def stop_command(session: Session, batch: BatchArgument) -> None:
    """停用一批券码：未用的不再有效 / Stop a batch: codes that nobody has used count no more"""
    target = identity("cbt", batch)
    done = session.act(Kind.STOP_CODES, lambda key: StopCodes(key=key, caller=OPERATOR, batch=target))
    session.tell(("这批券码已停用。", "The batch of codes is stopped."), done, shown(done.facts))


def _write(path: Path, fresh: Sequence[str]) -> None:
    if path.exists():
        raise Misuse(f"{path} 已存在，请换一个文件名。", f"{path} exists: name another file.")
    with os.fdopen(private_file(path), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "printed"])
        writer.writerows([code, codes.grouped(code)] for code in fresh)


def _read(path: Path) -> list[str]:
    """The codes of a file. Raises `Misuse` that names the first line that has none."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise Misuse(f"无法读取 {path}（{problem}）。", f"{path} can't be read ({problem}).") from None
    found: set[str] = set()
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        if not row or not row[0].strip() or (number == 1 and row[0].strip().lower() == "code"):
            continue
        read = codes.normalise(row[0])
        if read is None:
            raise Misuse(f"{path} 第 {number} 行不是券码。", f"Line {number} of {path} is no code.")
        found.add(read)
    if not 0 < len(found) <= CODES_MAX:
        raise Misuse(f"一批应有 1 到 {CODES_MAX} 个券码。", f"A batch has 1 to {CODES_MAX} codes.")
    return sorted(found)


def _bring_in(session: Session, program: str, stock: str, fresh: Sequence[str]) -> None:
    """Add the codes bucket by bucket, then let the batch count: a run that broke off goes on under the same key."""
    key = session.key()
    batch = codes.batch_id(OPERATOR, key, program, stock)
    secret = service.code_key(session.app.master)
    digests = {codes.digest(secret, code): code[-4:] for code in fresh}
    commands = codes.adding(batch, OPERATOR, program, stock, digests)
    added = known = 0
    with session.screen.progress(len(commands)) as tell:
        for start in range(0, len(commands), AT_ONCE):
            session.sent = None if session.dry_run else key
            for outcome in session.app.execute(
                Kind.ADD_CODES, commands[start : start + AT_ONCE], dry_run=session.dry_run
            ):
                if isinstance(outcome, Fault):
                    raise outcome
                if isinstance(outcome, Refused):
                    raise RefusedHere(outcome.refusal, {"key": key, "replayed": outcome.replayed})
                added += outcome.facts["added"]
                known += len(outcome.facts["known"])
            tell(start + AT_ONCE)
    done = session.act(Kind.OPEN_CODES, lambda key: _opening(key, batch, program, stock, len(fresh)))
    facts = {**shown(done.facts), "added": added, "known": known}
    headline = (f"已启用一批券码，共 {added} 个。", f"A batch of {added} codes counts from now on.")
    session.tell(headline, done, facts, ("batch",))


def _opening(key: str, batch: Id, program: str, stock: str, count: int) -> OpenCodes:
    return OpenCodes(key=key, caller=OPERATOR, batch=batch, program=program, stock=stock, count=count)
