"""What a command prints: one JSON object, or lines for people; results to stdout, everything else to stderr.

A terminal gets colours and tables; a pipe, a file, or a terminal too narrow for the table gets plain lines.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from kaquan.cli.columns import GAP, fitted
from kaquan.cli.labels import LABELS, Words
from kaquan.cli.words import label, pick, value
from kaquan.documents.answers import refusal_document
from kaquan.kernel.refusal import Language, Refusal

Facts = Mapping[str, Any]

_LAW_FACTS = frozenset({"law_pack", "law_pack_version"})
"""Facts that are shown as the article, not as facts of the case. Words of one language are shown in the message."""

_EVEN_ZERO = frozenset({"available_fen", "balance_fen"})
"""Amounts that say something when they are zero."""


class Screen:
    """Where a command's answer goes, in one language, as JSON or for people."""

    def __init__(self, language: Language, as_json: bool) -> None:
        self.language = language
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(highlight=False, soft_wrap=True, stderr=True)

    def words(self, zh: str, en: str) -> str:
        """The words of this screen's language."""
        return pick((zh, en), self.language)

    def answer(self, document: Facts, lines: Iterable[str] = ()) -> None:
        """The command's one answer: `document` for machines, `lines` (with markup) for people."""
        if self.as_json:
            self._json(document)
            return
        for line in lines:
            self.line(line)

    def effect(self, headline: Words, facts: Facts, document: Facts | None = None) -> None:
        """What was done, and its facts one below the other. Amounts of zero are left out."""
        if self.as_json:
            self._json({"outcome": "effect", **(document or {}), **facts})
            return
        self.line(f"[green]✓[/] {escape(self.words(*headline))}")
        self.facts(facts)

    def one(self, facts: Facts) -> None:
        """The facts of one thing as the answer."""
        if self.as_json:
            self._json({"outcome": "effect", **facts})
        else:
            self.facts(facts)

    def facts(self, facts: Facts) -> None:
        """Named facts, aligned."""
        shown = {
            label(name, self.language): value(name, given, self.language)
            for name, given in facts.items()
            if given != "" and (given != 0 or name in _EVEN_ZERO or not name.endswith("_fen"))
        }
        width = max(map(cell_len, shown), default=0)
        for name, given in shown.items():
            self.line(f"  [dim]{escape(name)}[/]{' ' * (width - cell_len(name))}  {escape(given)}")

    def table(self, columns: Sequence[str], rows: Sequence[Facts]) -> None:
        """Rows of facts under their labels; amounts and numbers to the right."""
        heads = [label(name, self.language) for name in columns]
        cells = [[value(name, row.get(name), self.language) for name in columns] for row in rows]
        right = [name.endswith("_fen") or _counts(row.get(name) for row in rows) for name in columns]
        fit = fitted([heads, *cells], self._out.width) if self._out.is_terminal else None
        if fit is not None:
            table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
            for head, width, to_right in zip(heads, fit, right, strict=True):
                table.add_column(head, width=width, justify="right" if to_right else "left", overflow="fold")
            for row in cells:
                table.add_row(*map(escape, row))
            self._out.print(table)
            return
        widths = [max(cell_len(row[position]) for row in [heads, *cells]) for position in range(len(heads))]
        for row in [heads, *cells]:
            padded = zip(row, widths, right, strict=True)
            self.line(escape("  ".join(_padded(*cell) for cell in padded).rstrip()))

    def rows(
        self, name: str, columns: Sequence[str], rows: Sequence[Facts], none: Words, document: Any = None
    ) -> None:
        """A list as the answer: a table for people, `{name: [...]}` for machines, words when it is empty."""
        if self.as_json:
            self._json({"outcome": "effect", name: rows if document is None else document})
        elif rows:
            self.table(columns, rows)
        else:
            self.line(escape(self.words(*none)))

    def text(self, text: str) -> None:
        """A file's text to stdout, byte for byte: what comes out can be saved and read again."""
        self._out.file.write(text)
        self._out.file.flush()

    def line(self, text: str) -> None:
        """One line to stdout, with markup."""
        self._out.print(text)

    def note(self, zh: str, en: str) -> None:
        """A remark beside the answer: to stderr, and not in JSON."""
        if not self.as_json:
            self._err.print(f"[dim]{escape(self.words(zh, en))}[/]")

    def refusal(self, refusal: Refusal, about: Facts | None = None) -> None:
        """An expected no: what happened, the facts, the law if it was the law, the way out, the code."""
        case = listed(
            {
                name: given
                for name, given in refusal.facts.items()
                if name not in _LAW_FACTS and not name.endswith(("_zh", "_en"))
            },
            self.language,
        )
        article = str(refusal.facts.get(f"article_{self.language}", ""))
        if self.as_json:
            self._json({"outcome": "refused", **(about or {}), **refusal_document(refusal, self.language)})
            return
        self._err.print(f"[red]✗[/] {escape(refusal.message(self.language))}")
        rows = [
            (self.words("事实", "Facts"), case),
            (self.words("依据", "Basis"), article),
            (self.words("办法", "Way out"), refusal.remedy(self.language)),
            (self.words("代码", "Code"), refusal.code.code),
        ]
        width = max(cell_len(name) for name, _ in rows)
        for name, given in rows:
            if given:
                self._err.print(f"  [dim]{name}[/]{' ' * (width - cell_len(name))}  {escape(given)}")

    def error(self, outcome: str, message: Words, remedy: Words = ("", ""), about: Facts | None = None) -> None:
        """A misuse or a fault, and what to do."""
        said, way_out = self.words(*message), self.words(*remedy)
        if self.as_json:
            self._json({"outcome": outcome, "message": said, "remedy": way_out, **(about or {})})
            return
        self._err.print(f"[red]✗[/] {escape(said)}")
        if way_out:
            self._err.print(f"  {escape(way_out)}")

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[int], None]]:
        """A bar on the terminal while long work goes on; gives what to call with how much is done."""
        if self.as_json or not self._err.is_terminal:
            yield lambda done: None
            return
        with Progress(console=self._err, transient=True) as bar:
            task = bar.add_task("", total=total)
            yield lambda done: bar.update(task, completed=done)

    def _json(self, document: Facts) -> None:
        self._out.file.write(json.dumps(document, ensure_ascii=False) + "\n")
        self._out.file.flush()


def listed(facts: Facts, language: Language) -> str:
    """Facts in one line, amounts in yuan: under their labels in Chinese, under their own names in English."""
    if language == "zh":
        return "，".join(f"{_named(name)} {value(name, given, 'zh')}" for name, given in facts.items())
    return ", ".join(f"{name.removesuffix('_fen')} {value(name, given, 'en')}" for name, given in facts.items())


def _named(name: str) -> str:
    """What a fact is called in Chinese; its own name without the unit when nobody has named it."""
    return label(name, "zh") if name in LABELS else name.removesuffix("_fen")


def _counts(given: Iterable[Any]) -> bool:
    """Whether a column holds numbers, if anything."""
    kinds = {type(one) for one in given if one is not None}
    return kinds == {int}


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
