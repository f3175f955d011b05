"""Reads stories: Markdown tables that say when who does what, what comes of it, and what everybody then holds.

A story is a heading with a table under it. Its columns, named by the last word of their headings:

* `at` Shanghai time, `command` in the teller's words, `outcome`: `ok`, a refusal's code or `replay` (the very
  answer that was given before under this key), each with the facts that matter: `rebate=25.00`.
* `principal`, `bonus`: what all cards hold; `payable`: what merchants are owed; `paid`: what holders paid in;
  `granted`: what the issuer gave. Typed, in yuan.
* `subsidy`: what vouchers put on cards; `budget`, `committed`: funders' money that is free, and that is promised to
  vouchers; `funded`: what funders gave or pledged; after a settlement `reserve`: what is held back from merchants,
  `payout`: what the bank is told to pay them, `fee`. Typed: principal + bonus + subsidy + payable + reserve +
  payout + fee + tax + partners + store + budget + committed + owed + breakage + passing = paid + granted + funded +
  lost in every row; a column that a table leaves out is nothing.
* `fee` is net of `tax`; `partners` have a share of merchants, negative when they owe; `store` is what own stores were
  transferred inside; `lost` what of merchants' debts was written off.
* `owed`: what holders are owed outside cards, and interest on it; what is paid to them is taken off `paid`, whoever
  pays it, and interest is what the issuer gave. `breakage`: idle principal that counts as income; `passing`: between
  two holders.
* `waiting`: payouts that failed or came back; `disputed`: what disputes hold back; `wired`: what left the bank
  account under custody. They are summed with the payouts.
* `held`: the part of what cards hold that authorizations hold; `receivable`: what pledged funders owe by now;
  `borne`: what merchants bore themselves; `fiscal`: the part of `payable` that public money pays;
  `between`: what the issuer's book owes other books; `custody`: what lies in custody by the books.
* `payers`: who paid so far for what vouchers took off or put on cards, by the books: `city 4.00, merchant 6.00`.
* `promisable`: what all funds let be promised now; what is in the budget beyond it came back and waits to be swept.
* `vouchers`: state of the vouchers that matter, with what they take off: `v1 redeemed 10.00, v2 issued`.
* `usable`: how many vouchers may still count, whoever has them.

`〃` repeats the cell above. Above the table, `条款 terms: `a` → `b`` changes the program before it opens, `券
stocks:` and `资金 funds:` give it vouchers and who pays for them, `先 before:` tells what happened before the first
row. See `support.voucher_words`. A block of TOML stands at the program's end. Under the heading of a file,
`活动 program: `xiaofeibao`` says that all its stories run on that preset, word for word as it is shipped; platforms
named behind it keep books of their own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kaquan.commands.model import Effect, Refused
from kaquan.kernel.clock import microseconds
from kaquan.kernel.refusal import CATALOGUE, Refusal
from kaquan.ledger.chart import Source
from kaquan.ledger.discounts import discounts
from support.teller import CHINESE, Teller
from support.town import Town, build, build_shipped
from support.voucher_words import open_for, stock_told
from support.words import fen

FOLDER = Path(__file__).parents[1] / "stories"
HELD = (
    *("principal", "bonus", "subsidy", "payable", "reserve", "payout"),
    *("fee", "tax", "partners", "store", "budget", "committed"),
    *("owed", "breakage", "passing", "waiting", "disputed", "wired"),
)
CAME_IN = ("paid", "granted", "funded", "lost")
MONEY = (*HELD, *CAME_IN, "held", "receivable", "borne", "fiscal", "between", "custody")
DITTO = "〃"
MOVING = (
    *("fund", "stock", "stock_event", "slice", "voucher", "tally"),
    *("posting", "payment", "lot", "card", "refund", "reward", "journal"),
    *("program", "program_terms", "program_proposal", "program_event"),
    *("plan", "referral", "invitation", "packet_pool", "packet"),
    *("api_key", "approval", "statement", "closed_day"),
    *("closing", "card_transfer", "card_arrival", "breakage"),
    *("custody", "custody_day", "custody_statement", "custody_entry", "custody_discrepancy"),
    *("payout", "payout_step", "payout_file", "payout_file_line", "payout_exception", "source_account"),
    *("dispute",),
)
_FACT = re.compile(r"([a-z_]+)=(.*?)(?=\s+[a-z_]+=|$)")
_BEFORE = re.compile(r"\S* ?(stocks|funds|before): ")
_SHIPPED = re.compile(r"\S* ?program: ")
_EDIT = re.compile(r"`([^`]*)` → `([^`]*)`")


@dataclass
class Table:
    """The rows under one heading, each a mapping from column to cell; `edits` change the program's text."""

    file: str
    title: str
    line: int
    shipped: list[str] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    stocks: list[str] = field(default_factory=list)
    funds: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    block: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"

    def town(self, url: str) -> Town:
        """The town that it is told of: with a preset as it is shipped, or with the story's own edits."""
        if self.shipped:
            assert not self.edits and not self.stocks and not self.block, "a preset that is shipped is not edited"
            return build_shipped(url, *self.shipped)
        return build(url, *self.edits, more="".join(map(stock_told, self.stocks)) + self.block)


def tables(path: Path) -> Iterator[Table]:
    """Every table of a file that has rows."""
    table, quoting = Table(path.stem, path.stem, 1), False
    shipped: list[str] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("```"):
            quoting = line == "```toml"
        elif quoting:
            table.block += f"\n{line}"
        elif line.startswith("#"):
            if table.rows:
                yield table
            table = Table(path.stem, line.lstrip("# "), number, shipped)
        elif _SHIPPED.match(line) and not table.columns:
            shipped[:] = re.findall(r"`([^`]*)`", line)
        elif "terms:" in line:
            table.edits += [(a.replace("⏎", "\n"), b.replace("⏎", "\n")) for a, b in _EDIT.findall(line)]
        elif (said := _BEFORE.match(line)) and not table.columns:
            getattr(table, said[1]).extend(re.findall(r"`([^`]*)`", line))
        elif line.startswith("|") and not table.columns:
            table.columns = [cell.split()[-1] for cell in _cells(line)]
        elif line.startswith("|") and not set(line) <= set("|-: "):
            table.rows.append(dict(zip(table.columns, _cells(line), strict=True)) | {"line": str(number)})
    if table.rows:
        yield table


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\0", "|") for cell in line.replace("\\|", "\0").strip().strip("|").split("|")]


def stories() -> list[Table]:
    """Every table that tells commands and outcomes."""
    found = [table for path in sorted(FOLDER.glob("*.md")) for table in tables(path)]
    return [table for table in found if "outcome" in table.columns]


def told_codes() -> set[str]:
    """Every refusal code that some story ends in."""
    cells = {row["outcome"] for table in stories() for row in table.rows}
    cells |= {row["as"] for table in tables(FOLDER / "program_validate.md") for row in table.rows}
    return {word for cell in cells for word in cell.split() if word in CATALOGUE}


class Play:
    """One story on one town, row by row."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.teller = Teller(town)
        self.answers: dict[str, Any] = {}

    def run(self, table: Table) -> None:
        """Play every row and compare every cell. Raises AssertionError that names the line."""
        open_for(self.town, table.funds, table.stocks)
        for words in table.before:
            outcome = self.teller.say(words)
            assert outcome is None or isinstance(outcome, Effect), f"before the story: {words}: {outcome}"
        above: dict[str, str] = {}
        for row in table.rows:
            row = {name: above[name] if cell == DITTO else cell for name, cell in row.items()}
            try:
                self._row(row)
            except AssertionError as wrong:
                raise AssertionError(f"{table.file}.md line {row['line']}: {row['command']}\n{wrong}") from wrong
            above = row

    def _row(self, row: dict[str, str]) -> None:
        if row["at"]:
            self.teller.at(row["at"])
        before = self.everything()
        outcome = self.teller.say(row["command"])
        self._compare(row, outcome)
        tried = isinstance(outcome, Refused) or getattr(outcome, "replayed", False)
        if tried or " quote " in f" {row['command']} ":
            assert self.everything() == before, "something moved although the command was refused or replayed"
        self._balances({name: fen(row[name]) for name in MONEY if name in row})
        if "promisable" in row:
            assert fen(row["promisable"]) == self.promisable()
        if "payers" in row:
            assert dict(_states(row["payers"])) == self.payers()
        if "usable" in row:
            assert int(row["usable"]) == self.town.rows("SELECT count(*) FROM voucher WHERE state IN (1, 2)")[0][0]
        if "vouchers" in row:
            told, states = dict(_states(row["vouchers"])), self.teller.states()
            assert told == {name: states[name] for name in told}

    def _compare(self, row: dict[str, str], outcome: Any) -> None:
        word, facts = _expected(row["outcome"])
        key = re.search(r"(?<!-)key (\S+)", row["command"])
        if word == "replay":
            assert key and outcome.replayed, f"not a replay: {outcome}"
            assert _answer(outcome) == self.answers[key[1]], f"another answer than before: {outcome}"
        elif word == "ok":
            assert isinstance(outcome, Effect) and not outcome.replayed, outcome
            _same(facts, outcome.facts)
        elif word:
            assert isinstance(outcome, Refused) and outcome.refusal.code.code == word, outcome
            _same(facts, dict(outcome.refusal.facts))
            for text in spoken(outcome.refusal):
                assert text.strip() and not re.search(r"[{}]", text), text
        else:
            assert outcome is None, outcome
        if key and outcome is not None:
            self.answers.setdefault(key[1], _answer(outcome))

    def _balances(self, typed: dict[str, int]) -> None:
        if not typed:
            return
        sides = [sum(typed.get(name, 0) for name in side) for side in (HELD, CAME_IN)]
        assert sides[0] == sides[1], f"the row's own sum is wrong: {sides[0] / 100} held, {sides[1] / 100} came in"
        booked = self.balances()
        assert typed == {name: booked[name] for name in typed}
        assert not any(booked[name] for name in (*HELD, *CAME_IN) if name not in typed), booked

    def balances(self) -> dict[str, int]:
        """What the books say; the lots must say the same."""
        moved = dict(
            self.town.rows(
                "SELECT account, sum(amount)::bigint FROM (SELECT credit AS account, amount FROM posting"
                " UNION ALL SELECT debit, -amount FROM posting) t GROUP BY 1"
            )
        )
        lots = dict(self.town.rows("SELECT kind, sum(balance)::bigint FROM lot GROUP BY 1"))
        (held,) = self.town.rows("SELECT coalesce(sum(held), 0)::bigint FROM lot")[0]
        booked = {"principal": moved.get(20, 0), "bonus": moved.get(21, 0), "subsidy": moved.get(22, 0)}
        stored = {"principal": lots.get(0, 0), "bonus": lots.get(1, 0), "subsidy": lots.get(2, 0)}
        assert booked == stored, f"lots hold {stored}, the books say {booked}"
        sql = "SELECT coalesce(sum(CASE 40 WHEN credit THEN amount ELSE -amount END), 0)::bigint FROM posting"
        (fiscal,) = self.town.rows(f"{sql} WHERE 40 IN (credit, debit) AND source = %s", int(Source.FISCAL))[0]
        sql = "SELECT -coalesce(sum(amount), 0)::bigint FROM posting WHERE kind = 152 AND credit = 11"
        (paid_back,) = self.town.rows(sql)[0]  # holders' money out of the issuer's own account
        sql = "SELECT coalesce(sum(CASE credit WHEN 11 THEN amount ELSE -amount END), 0)::bigint FROM posting"
        (kept,) = self.town.rows(f"{sql} WHERE kind IN (190, 191)")[0]  # between the issuer's own accounts
        sql = "SELECT coalesce(sum(CASE 10 WHEN credit THEN amount ELSE -amount END), 0)::bigint FROM posting"
        (wired,) = self.town.rows(f"{sql} WHERE 10 IN (credit, debit) AND kind IN (174, 176)")[0]  # to merchants
        assert moved.get(43, 0) == -moved.get(44, 0), "a memo pair is a pair"
        return {
            **booked,
            "payable": moved.get(40, 0),
            "reserve": moved.get(41, 0),
            "payout": moved.get(42, 0),
            "fee": moved.get(62, 0),
            "tax": moved.get(66, 0),
            "partners": moved.get(45, 0),
            "store": moved.get(67, 0),
            "lost": -moved.get(69, 0),
            "waiting": moved.get(46, 0),
            "disputed": moved.get(47, 0),
            "wired": wired,
            "between": moved.get(70, 0),
            "budget": moved.get(30, 0),
            "committed": moved.get(31, 0),
            "owed": moved.get(50, 0) + moved.get(65, 0),
            "breakage": moved.get(63, 0),
            "passing": moved.get(23, 0),
            "paid": -moved.get(13, 0) - moved.get(10, 0) + wired + paid_back - kept,
            "granted": -moved.get(60, 0) - moved.get(61, 0) - moved.get(64, 0),
            "funded": -sum(moved.get(account, 0) for account in (11, 12, 32, 33)) - paid_back + kept,
            "custody": -moved.get(10, 0),
            "held": held,
            "receivable": -moved.get(32, 0),
            "borne": moved.get(44, 0),
            "fiscal": fiscal,
        }

    def promisable(self) -> int:
        """What all funds let be promised together."""
        asked = "SELECT coalesce(sum(s.fen_left), 0)::bigint FROM slice s JOIN fund f ON f.id = s.pool"
        return int(self.town.rows(asked)[0][0])

    def payers(self) -> dict[str, str]:
        """Who paid for vouchers so far, and how much when what came back is taken off."""
        app = self.town.app
        found = discounts(
            app.connection, 0, microseconds(self.town.now) + 1, app.catalogue.programs[self.town.program]
        )
        names = {one.fund: app.catalogue.funds_by_id[one.fund].code if one.fund else "merchant" for one in found}
        return {names[one.fund]: f"{one.net_fen / 100:.2f}" for one in found if one.net_fen}

    def everything(self) -> list[Any]:
        """All rows that money and its states live in."""
        return [self.town.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in MOVING]


def spoken(refusal: Refusal) -> list[str]:
    """Everything a refusal says, in both languages."""
    return [words for tongue in ("zh", "en") for words in (refusal.message(tongue), refusal.remedy(tongue))]


def _states(cell: str) -> Iterator[tuple[str, str]]:
    """(name, state) of each voucher that a cell tells."""
    for told in filter(None, (part.strip() for part in cell.split(","))):
        name, _, state = told.partition(" ")
        yield name, CHINESE.sub("", state).strip()


def _expected(cell: str) -> tuple[str, dict[str, str]]:
    facts = {name: value.strip() for name, value in _FACT.findall(cell)}
    words = [word for word in _FACT.sub(" ", cell).split() if word.isascii()]
    return (words[0] if words else ""), facts


def _same(expected: dict[str, str], facts: dict[str, Any]) -> None:
    for name, typed in expected.items():
        if f"{name}_fen" in facts:
            assert fen(typed) == facts[f"{name}_fen"], f"{name}: {facts}"
        else:
            assert typed == str(facts.get(name)), f"{name}: {facts}"


def _answer(outcome: Any) -> Any:
    return outcome.answer if isinstance(outcome, Effect) else outcome.refusal
