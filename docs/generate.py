"""Writes the pages of docs/reference that the code knows better than a person: `.venv/bin/python docs/generate.py`.

`tests/tidy/test_texts.py` fails when a page is not what this would write.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

import msgspec

import kaquan
from kaquan.api.app import routed
from kaquan.api.openapi import as_text
from kaquan.api.operations import OPERATIONS
from kaquan.cli import reference
from kaquan.events.catalogue import EVENTS, example, version
from kaquan.kernel.money import MONEY_MAX
from kaquan.kernel.refusal import CATALOGUE, RefusalCode
from kaquan.law.model import Article, load_pack, pack_ids
from kaquan.ledger.chart import CHART, Source
from kaquan.programs.meaning import Term, described, item_of
from kaquan.programs.terms import ProgramTerms

FOLDER = Path(__file__).parent / "reference"
NOTICE = "<!-- Written by docs/generate.py from {origin}: change it there. -->\n"


def terms() -> str:
    """Every term of a program file."""
    lines = [
        "# Terms of a program · 规则参数",
        "",
        NOTICE.format(origin="src/kaquan/programs/terms.py"),
        "A program is one TOML file. Every term below is a key of it, and a key that is not below is refused. "
        "Amounts are whole fen (1/100 yuan), rates are basis points (500 is 5 %).",
        "",
        "一个活动就是一个 TOML 文件。下列参数即文件中的键，未列出的键会被拒绝。"
        "金额以分为单位，比率以基点为单位（500 即 5%）。",
    ]
    groups: dict[str, list[Term]] = {}
    for term in described(ProgramTerms):
        groups.setdefault(term.path.rpartition(".")[0], []).append(term)
    for group, members in groups.items():
        heading = f"## `{group}`" if group else "## Top level · 顶层"
        lines += ["", heading, "", "| term | 含义 | meaning | values | default | change |"]
        lines += ["|---|---|---|---|---|---|"]
        for term in members:
            name, said = term.path.rpartition(".")[2], term.meaning
            lines.append(_row(f"`{name}`", said.zh, said.en, _values(term), _default(term), _change(term)))
    return "\n".join(lines) + "\n"


def openapi() -> str:
    """The description of the interface for machines."""
    return as_text(routed())


def api() -> str:
    """Every operation of the interface, by what it is about."""
    lines = [
        "# API · 接口",
        "",
        NOTICE.format(origin="src/kaquan/api"),
        "REST under `/v1`; the machine-readable description is [openapi.json](openapi.json) (OpenAPI 3.1), served at "
        "`/v1/openapi.json` too. What goes wrong is told as RFC 9457 problem details with the codes of "
        "[refusals.md](refusals.md). A change needs the header `Idempotency-Key`; `dry_run=true` only tries it.",
        "",
        "REST 接口在 `/v1` 下；机器可读的说明见 [openapi.json](openapi.json)（OpenAPI 3.1）。错误按 RFC 9457 返回，"
        "代码见 [refusals.md](refusals.md)。改变状态的请求须带请求头 `Idempotency-Key`；`dry_run=true` 只试算。",
    ]
    paths = routed().openapi()["paths"]
    groups: dict[str, list[str]] = {}
    for operation in OPERATIONS.values():
        told = paths[operation.path][operation.method.lower()]
        row = _row(
            f"`{operation.method} {operation.path}`",
            operation.summary,
            f"`{operation.scope}`",
            ", ".join(sorted(role.value for role in operation.roles)),
        )
        groups.setdefault(told["tags"][0], []).append(row)
    for tag in sorted(groups):
        lines += ["", f"## {tag}", "", "| operation | 说明 what it does | scope | roles |", "|---|---|---|---|"]
        lines += groups[tag]
    return "\n".join(lines) + "\n"


def _values(term: Term) -> str:
    meaning, plain = term.meaning, term.type
    if item_of(plain) is not None:
        return f"{meaning.low} to {meaning.high} entries" if meaning.high is not None else "entries"
    if plain is bool:
        return "`true` or `false`"
    if get_origin(plain) is tuple:
        return f"{meaning.low} to {meaning.high} texts like `{meaning.pattern}`"
    if get_origin(plain) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(plain))
    if meaning.pattern:
        return f"text like `{meaning.pattern}`"
    if meaning.high is None:
        return meaning.unit
    high = "" if meaning.high == MONEY_MAX else f" to {meaning.high:,}"
    characters = "characters of text" if meaning.unit == "text" else meaning.unit
    return f"{'from ' if not high else ''}{meaning.low:,}{high} {characters}".strip()


def _default(term: Term) -> str:
    if term.default is msgspec.NODEFAULT:
        return "required"
    if isinstance(term.default, bool):
        return f"`{str(term.default).lower()}`"
    return f"`{term.default}`" if term.default not in ((), "") else "none"


def _change(term: Term) -> str:
    if term.meaning.fixed:
        return "never"
    if term.meaning.key:
        return "names the entry"
    if term.meaning.looser == 0:
        return ""
    if item_of(term.type) is not None:
        return f"one {'more' if term.meaning.looser > 0 else 'fewer'} promises more"
    if term.type is bool:
        return f"`{str(term.meaning.looser > 0).lower()}` promises more"
    size = "larger" if term.meaning.looser > 0 else "smaller"
    return f"a {size} value promises more{', and 0 is the largest' if term.meaning.endless else ''}"


def law() -> str:
    """Every article of every law pack, and what it sets."""
    lines = [
        "# Law packs · 法规包",
        "",
        NOTICE.format(origin="src/kaquan/law/packs"),
        "A program names one to four packs; of each rule the strictest article applies, and a refusal cites it. "
        "Not legal advice. Sure: C the text was read in a stored copy, S a secondary source, M from memory, I our "
        "own reading or a convention; ask counsel where it is not C. *Opinion*: a recorded legal opinion may allow "
        "what the article refuses. Amounts in fen, spans in days; 1 is yes, 0 is no.",
        "",
        "一个活动适用一至四个法规包，每条规则从严适用，拒绝时引用条文。不构成法律意见。"
        "sure 一列为把握程度：C 已核对条文，S 转引，M 凭记忆，I 本系统的理解或惯例；非 C 的请咨询律师。",
    ]
    for pack in map(load_pack, pack_ids()):
        until = f" to {pack.effective_to}" if pack.effective_to else ""
        classes = ", ".join(f"`{name}`" for name in pack.legal_classes) or "any class"
        lines += ["", f"## `{pack.id}` {pack.version}", "", f"{pack.title_zh} · {pack.title_en}", ""]
        lines += [f"{pack.jurisdiction}, in force from {pack.effective_from}{until}; for {classes}.", ""]
        lines += [
            "| rule | value | 条文 | article | days | sure | opinion | note |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [_article(article) for article in pack.articles()]
    return "\n".join(lines) + "\n"


def _article(article: Article) -> str:
    since, until = article.effective_from, article.effective_to
    days = f"{since or ''}…{until or ''}" if since or until else ""
    note = f"{article.note_zh} {article.note_en}".strip()
    opinion = "yes" if article.opinion_allowed else ""
    words = article.article_zh, article.article_en, days, article.conf, opinion, note
    return _row(f"`{article.id}`", f"{article.value:,}", *words)


def chart() -> str:
    """The chart of accounts."""
    lines = [
        "# Chart of accounts · 会计科目",
        "",
        NOTICE.format(origin="src/kaquan/ledger/chart.py"),
        "Every book (legal entity) keeps these accounts. A posting debits one and credits one with the same amount, "
        "so every row sums to zero. Floor: the balance of each owner never falls below zero.",
        "",
        "每个账簿（法律主体）使用以下科目。每条分录借贷同额，逐行为零。保底：每个归属方的余额不得低于零。",
        "",
        "| number | account | 科目 | normal side | floor |",
        "|---|---|---|---|---|",
    ]
    for account, info in CHART.items():
        side = {"debit": "debit 借", "credit": "credit 贷"}[info.side]
        lines.append(_row(str(int(account)), f"`{info.name}`", info.zh, side, "yes" if info.floor else ""))
    lines += ["", "Sources of money, kept on every posting so that it is known which bank account pays:", ""]
    lines += [f"- {int(source)} `{source.name.lower()}`" for source in Source]
    return "\n".join(lines) + "\n"


def refusals() -> str:
    """Every reason to refuse."""
    lines = [
        "# Refusals · 拒绝原因",
        "",
        NOTICE.format(origin="errors.py of every capability"),
        "A refusal is an expected no: nothing moved, and the answer says why and what to do. "
        "*Recorded*: the decision is kept, and the same id gives the same answer for ever; "
        "otherwise the id stays free. *Later*: the same wish may succeed later, under a new id if it was recorded.",
        "",
        "拒绝是预期之内的“不行”：没有任何变动，并说明原因与出路。“recorded”表示决定已留存，同一请求号永远得到同一回答。",
    ]
    for capability, codes in _codes():
        lines += ["", f"## {capability}", "", "| code | status | recorded | later | 说明 | meaning | remedy |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for code in codes:
            article = f" ({code.article})" if code.article else ""
            recorded, later = "yes" if code.burns else "", "yes" if code.retryable else ""
            words = f"{code.zh}。{code.remedy_zh}"
            row = _row(f"`{code.code}`", str(code.status), recorded, later, words, code.en + article, code.remedy_en)
            lines.append(row)
    return "\n".join(lines) + "\n"


def events() -> str:
    """Every event."""
    lines = [
        "# Events · 事件",
        "",
        NOTICE.format(origin="src/kaquan/events/catalogue.py"),
        "What happened, by name; [webhooks](../guides/webhooks.md) tell it. An event carries the ids of what it is "
        "about and nothing else: ask for the rest. The number at the end is the version of its form.",
        "",
        "系统中发生的事情，按名称列出，由[回调](../guides/webhooks.zh.md)通知。事件只带相关对象的编号，其余请按编号查询。"
        "末尾的数字是格式版本。",
        "",
        "| event | version | 含义 | meaning | carries |",
        "|---|---|---|---|---|",
    ]
    for name, (zh, en, carries) in EVENTS.items():
        lines.append(_row(f"`{name}`", str(version(name)), zh, en, ", ".join(f"`{one}`" for one in carries)))
    lines += ["", "## Examples · 示例", "", "```json"]
    lines += [json.dumps(example(name), ensure_ascii=False) for name in EVENTS]
    return "\n".join([*lines, "```"]) + "\n"


def _codes() -> Iterator[tuple[str, list[RefusalCode]]]:
    for package in sorted(found.name for found in pkgutil.iter_modules(kaquan.__path__) if found.ispkg):
        try:
            module = importlib.import_module(f"kaquan.{package}.errors")
        except ModuleNotFoundError:
            continue
        codes = [value for value in vars(module).values() if isinstance(value, RefusalCode)]
        own = [code for code in codes if CATALOGUE[code.code] is code]
        if own:
            yield package, own


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


PAGES: dict[str, Callable[[], str]] = {
    "terms.md": terms,
    "law.md": law,
    "chart.md": chart,
    "refusals.md": refusals,
    "events.md": events,
    "cli.md": reference.page,
    "api.md": api,
    "openapi.json": openapi,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
