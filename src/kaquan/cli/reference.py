"""The reference page of the command line, written from the commands themselves."""

from collections.abc import Iterator, Sequence
from typing import Any

import typer.main

from kaquan.cli.app import app
from kaquan.cli.endings import FAULTY, MISUSED, REFUSED

NOTICE = "<!-- Written by docs/generate.py from src/kaquan/cli: change it there. -->"

_INTRODUCTION = f"""# Command line · 命令行

{NOTICE}

Amounts are written in yuan (`12.30`); `--json` prints one object whose amounts are whole fen. A card is named by its
number or `crd_…`, a merchant by its code or `mer_…`. Every change has a `--key`: the same key and the same wish give
the same answer for ever, so a command that got no answer is simply sent again. `--dry-run` decides and moves nothing.

金额以元书写（`12.30`）；`--json` 输出一个对象，金额为整数分。卡用卡号或 `crd_…`，商户用代码或 `mer_…`。
每次变动都有请求号 `--key`：同一请求号、同一内容永远得到同一回答，没有收到回答时用原请求号重发即可。
`--dry-run` 只试算，不发生变动。

| exit status 退出码 | 含义 | meaning |
|---|---|---|
| 0 | 成功 | took effect, or was shown |
| {REFUSED} | 被拒绝，没有任何变动 | refused: nothing moved |
| {MISUSED} | 用法有误 | bad usage |
| {FAULTY} | 故障或不可用 | fault or unavailable |
"""


_COMMON = ("key", "dry_run", "lang", "as_json")
"""Options that mean the same wherever they are taken: told once."""


def page() -> str:
    """The page in Markdown: every command with its arguments and options."""
    commands = list(_commands(typer.main.get_command(app), "kaquan"))
    known = {parameter.name: parameter for _, command in commands for parameter in command.params}
    shared = ["## Common options · 通用选项", "", *_table([known[name] for name in _COMMON]), ""]
    return "\n".join([_INTRODUCTION, *shared, *(_section(path, command) for path, command in commands)])


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _section(path: str, command: Any) -> str:
    own = [one for one in command.params if one.name not in (*_COMMON, "help")]
    common = [f"`{one.opts[0]}`" for name in _COMMON for one in command.params if one.name == name]
    usage = [path, *(_shape(one) for one in own if one.required or one.param_type_name == "argument"), "[OPTIONS]"]
    halves = [_both(part) for part in _paragraphs(command.help or "")]
    lines = [f"## {path}", "", *(zh for zh, _ in halves), "", *(en for _, en in halves if en), ""]
    lines += ["```text", " ".join(usage), "```", ""]
    if own:
        lines += [*_table(own), ""]
    return "\n".join([*lines, f"Common options · 通用选项： {', '.join(common)}", ""])


def _table(parameters: Sequence[Any]) -> list[str]:
    return ["| option | 含义 | meaning | default |", "|---|---|---|---|", *map(_row, parameters)]


def _row(parameter: Any) -> str:
    zh, en = _both(parameter.help or "")
    default = parameter.default
    shown = f"`{default}`" if isinstance(default, int | str) and default not in (False, "") else ""
    return f"| `{_cell(_shape(parameter))}` | {zh} | {en} | {'required' if parameter.required else shown} |"


def _shape(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name: str = parameter.metavar or parameter.name.upper()
        return name if parameter.required or name.startswith("[") else f"[{name}]"
    options = ", ".join(parameter.opts)
    if parameter.is_flag:
        return options
    return f"{options} {parameter.metavar or parameter.name.upper()}"


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _both(text: str) -> tuple[str, str]:
    """The Chinese and the English half of a help text."""
    zh, _, en = text.partition(" / ")
    return _cell(zh.strip()), _cell(en.strip())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
