"""`kaquan program liability`: what a program may cost at worst, who pays it, and whether the money is there."""

from pathlib import Path
from typing import Annotated

import typer

from kaquan.cli.endings import guarded, read_settings
from kaquan.cli.labels import Words
from kaquan.cli.opening import installed, opened, screen_for
from kaquan.cli.options import AsJson, Lang
from kaquan.cli.printing import Screen
from kaquan.cli.program_files import read, said, valid
from kaquan.cli.session import Session
from kaquan.documents.programs import funder_rows, liability_document, liability_item
from kaquan.kernel import clock
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import Refusal
from kaquan.programs import preset_files
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.liability import LiabilityItem, liability
from kaquan.programs.phrases import percent
from kaquan.programs.terms import ProgramTerms

_ITEMS = ("cause", "code", "within", "worst_fen")
_FUNDERS = (
    "fund",
    "worst_fen",
    "to_come_fen",
    "mode",
    "paid_in_fen",
    "free_fen",
    "promised_fen",
    "used_fen",
    "covered",
)
_SPOKEN: dict[str, Words] = {
    "bonus": (
        "另外，充值赠送由发行方承担，没有上限：最多为实收的 {rate}，单笔最多 {each} 元。",
        "Besides, the issuer bears the bonus of sales and top-ups, without a limit: at most {rate} of what is paid, "
        "{each} yuan each.",
    ),
    "rebate": (
        "另外，消费返利由发行方承担，没有上限：最多为消费的 {rate}，单笔最多 {each} 元。",
        "Besides, the issuer bears the rebates, without a limit: at most {rate} of what is spent, {each} yuan each.",
    ),
}


def liability_command(
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
    """活动最多花多少、由谁出、钱到没到 / What a program may cost at worst, who pays, and whether the money is there

    随销售和消费增长的部分没有上限，列出比例。 / What grows with sales and spending has no limit: its rate is told.
    """
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    if not installed(settings):
        with guarded(screen, settings):
            terms, _ = valid(screen, read(program), clock.system_now())
            _tell(screen, terms, None)
        return
    with opened(lang, as_json) as session:
        _tell(session.screen, _terms(session, program), session)


def _terms(session: Session, program: str) -> ProgramTerms:
    known = None if Path(program).is_file() else said(session, program)
    if known is not None:
        return known.terms
    if not Path(program).is_file() and program not in preset_files.names():
        session.refuse(Refusal(PROGRAM_UNKNOWN, {"program": program[:40]}))
    return valid(session.screen, read(program), session.app.door.at())[0]


def _tell(screen: Screen, terms: ProgramTerms, session: Session | None) -> None:
    found = liability(terms)
    if session is None:
        rows = [{"fund": fund, "worst_fen": worst} for fund, worst in found.funders]
    else:
        rows = funder_rows(session.app.connection, session.catalogue(), terms, found)
    growing = [_grown(screen, item) for item in found.unbounded]
    if screen.as_json:
        screen.answer(liability_document(terms, found, rows))
        return
    if found.items and len(found.items) > len(found.unbounded):
        screen.table(_ITEMS, [liability_item(item) for item in found.items if item.worst_fen is not None])
        screen.line("")
        screen.table(_FUNDERS if session else ("fund", "worst_fen"), rows)
        total = Money(sum(item.worst_fen or 0 for item in found.items if not item.within))
        screen.line(
            screen.words(f"合计最多 {text(total)} 元。", f"All that is bounded costs at most {text(total)} yuan.")
        )
    for line in growing or [screen.words("没有随销售增长的部分。", "Nothing grows with sales.")]:
        screen.line(line)


def _grown(screen: Screen, item: LiabilityItem) -> str:
    zh, en = _SPOKEN[item.cause]
    told = {"rate": percent(item.rate_bps), "each": text(item.each_fen)}
    return screen.words(zh.format(**told), en.format(**told))
