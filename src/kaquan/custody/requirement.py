"""How much must lie in custody: each rule of the law and of the terms by itself, and of all the strictest. Pure.

Rules are stacked, never added up: what lies there for the one lies there for the other too.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import msgspec

from kaquan.custody.model import Books
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import WHOLE, ZERO, Money, Rate, share
from kaquan.kernel.refusal import Fact
from kaquan.law.model import Binding, Law
from kaquan.programs.custody import CustodyRule
from kaquan.programs.terms import ProgramTerms

MONTHS_OF_QUARTER = 3


class Line(msgspec.Struct, frozen=True):
    """One rule: what it counts, at which rate, what is taken off, what it requires.

    `law` is the pack that it stands in, empty for a rule of the terms; the words say which article or rule it is.
    """

    rule: str
    law: str
    words_zh: str
    words_en: str
    base: str
    basis_fen: Money
    rate_bps: int
    deducted_fen: Money
    required_fen: Money

    @property
    def facts(self) -> dict[str, Fact]:
        """Which rule it is, for a refusal."""
        return {"rule": self.rule, "article_zh": self.words_zh, "article_en": self.words_en}


class Requirement(msgspec.Struct, frozen=True):
    """What every rule asks on a day; `quarter_end_fen` is the principal at the end of the quarter before."""

    lines: tuple[Line, ...]
    quarter_end_fen: Money

    @property
    def strictest(self) -> Line | None:
        """The rule that asks for most, of equal ones the first; None when there is no rule."""
        return max(self.lines, key=lambda line: line.required_fen, default=None)

    @property
    def required_fen(self) -> Money:
        """What must lie in custody."""
        return self.strictest.required_fen if self.strictest else ZERO


def quarter_of(day: date) -> date:
    """The first day of a day's quarter."""
    return date(day.year, day.month - (day.month - 1) % MONTHS_OF_QUARTER, 1)


def instants(terms: ProgramTerms, day: date) -> set[int]:
    """What the books are asked about, beside now and the end of the day: when the quarter began, and each period."""
    periods = {rule.period_days for rule in terms.custody.rules if rule.base == "top_ups" and rule.period_days}
    return {_begin(quarter_of(day)), *(_begin(_first_of(day, days)) for days in periods)}


def required(terms: ProgramTerms, laws: Sequence[Law], books: Books, day: date, until_us: int | None) -> Requirement:
    """What every rule asks of a program on `day`, by the books at an instant (None: now).

    `laws` are those of its packs one by one: each asks for itself.
    """
    quarter = quarter_of(day)
    known = books.quarter_end.get(quarter)
    quarter_end = books.at(_begin(quarter)).principal if known is None else known
    stands = guaranteed(terms, day)
    lines: list[Line] = []
    for law in laws:
        lines += _lawful(terms, law, books, (quarter_end, until_us), stands)
    for rule in terms.custody.rules:
        words = (f"活动规则 custody.rules：{rule.code}", f"terms of the program, custody.rules: {rule.code}")
        basis = _basis(rule, books, quarter_end, day, until_us)
        off = stands if rule.less_guarantees else ZERO
        lines.append(_line(rule.code, ("", *words), (rule.base, basis), rule.rate_bps, off))
    return Requirement(tuple(lines), quarter_end)


def guaranteed(terms: ProgramTerms, day: date) -> Money:
    """What guarantees stand for on a day."""
    on = day.isoformat()
    found = (one.amount_fen for one in terms.custody.guarantees if one.valid_from <= on <= one.valid_until)
    return Money(sum(found))


def _lawful(
    terms: ProgramTerms, law: Law, books: Books, counted: tuple[Money, int | None], stands: Money
) -> Iterator[Line]:
    """What one pack asks."""
    quarter_end, until_us = counted
    of_class = {
        "single_purpose_group": law.custody_group_quarter_bps_min,
        "single_purpose_brand": law.custody_brand_quarter_bps_min,
        "single_purpose_scale": law.custody_scale_quarter_bps_min,
    }
    offset = law.custody_offset_allowed
    off = stands if offset is not None and offset.value else ZERO
    if asked := of_class.get(terms.program.legal_class):
        yield _article(asked, "quarter_end", quarter_end, off)
    if terms.program.legal_class.startswith("single_purpose"):
        yield from _of_every_issuer(law, quarter_end, books.at(until_us).principal, off)
        yield from _of_large_balances(terms, law, books.at(until_us).principal, off)
    if (asked := law.custody_owed_bps_min) and terms.program.legal_class == "multi_purpose_licensed":
        yield _article(asked, "entrusted", books.at(until_us).owed, off)


def _of_every_issuer(law: Law, quarter_end: Money, outstanding: Money, off: Money) -> Iterator[Line]:
    """A share of the last quarter's balance, whatever the issuer's class, once it is large enough to be filed."""
    asked, filed = law.custody_quarter_bps_min, law.custody_quarter_from_fen
    if asked and (filed is None or max(quarter_end, outstanding) >= filed.value):
        yield _article(asked, "quarter_end", quarter_end, off)


def _of_large_balances(terms: ProgramTerms, law: Law, outstanding: Money, off: Money) -> Iterator[Line]:
    """A share of the balance of now above a warning level; all of it for the young, or beside a small revenue."""
    above = law.custody_outstanding_above_fen.value if law.custody_outstanding_above_fen else 0
    if outstanding <= above:
        return
    if asked := law.custody_outstanding_bps_min:
        yield _article(asked, "outstanding", outstanding, off)
    special, part, cap = law.custody_special_bps_min, law.custody_special_revenue_bps, law.custody_special_cap_fen
    level = max(above, share(terms.custody.issuer_revenue_fen, Rate(part.value))) if part else above
    level = min(level, cap.value) if cap else level
    if special and (terms.custody.issuer_first_year or outstanding > level):
        yield _article(special, "outstanding", outstanding, off)


def _article(asked: Binding, base: str, basis: Money, off: Money) -> Line:
    words = (asked.pack.id, asked.article.article_zh, asked.article.article_en)
    return _line(asked.article.id, words, (base, basis), asked.value, off)


def _line(rule: str, words: tuple[str, str, str], counted: tuple[str, Money], rate_bps: int, off: Money) -> Line:
    """A fraction of a fen is a whole one: what is required is never rounded down."""
    law, words_zh, words_en = words
    base, basis = counted
    gross = -(-max(0, basis) * rate_bps // WHOLE)
    deducted = min(off, gross)
    return Line(rule, law, words_zh, words_en, base, basis, rate_bps, Money(deducted), Money(gross - deducted))


def _basis(rule: CustodyRule, books: Books, quarter_end: Money, day: date, until_us: int | None) -> Money:
    """What a rule of the terms counts."""
    if rule.base == "quarter_end":
        return quarter_end
    until = books.at(until_us)
    if rule.base == "outstanding":
        return until.principal
    if rule.period_days:
        before = books.at(_begin(_first_of(day, rule.period_days)))
        taken, kept = until.topped_up - before.topped_up, until.principal - before.principal
    else:
        taken, kept = until.topped_up, until.principal
    redeemed = max(0, taken - kept) if rule.less_redeemed else 0
    return Money(max(0, taken - redeemed))


def _first_of(day: date, days: int) -> date:
    return day - timedelta(days=days - 1)


def _begin(day: date) -> int:
    return microseconds(shanghai(day))
