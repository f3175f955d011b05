"""Settlement of millions of payments over thousands of merchants: roll-up, preview, run, close, on a durable server.

    python bench/settlement.py [--payments 500000 1000000 2000000] [--merchants 2000] [--cards 20000]

Each size is a month of its own on one server: its payments are laid by `bench/history.py` (half of them with a
voucher that two funds pay, one in fifty refunded), the clock goes on to the day after the month, and it is settled
as the timetable would: the roll-up of the books, the preview that takes the cut, the run of what was previewed, the
close. Then the totals are compared, merchant by merchant, with sums over payments and refunds that ask no posting,
and the books are proved, as they are before the first month.
"""

import argparse
import json
import time
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import psycopg

import history
from kaquan.commands.model import Effect, Kind
from kaquan.kernel.calendar import month_end, shanghai
from kaquan.kernel.ids import Id
from kaquan.ledger.rollup import roll_up
from kaquan.main import Kaquan
from kaquan.settlement import service as settlement
from kaquan.settlement.model import Preview
from ledger import MERCHANTS, app, build
from rig import Rig, rig

OPENED = datetime(2026, 3, 1, 4, tzinfo=UTC)
DAYS = 26  # of a month, over which its payments are spread
PROGRAM = 1


class Month(NamedTuple):
    """How long each step took, in seconds, and what was settled."""

    payments: int
    postings: int
    rollup_s: float
    preview_s: float
    run_s: float
    close_s: float
    wrong: int

    @property
    def total_s(self) -> float:
        """Roll-up, preview with its cut, run, close."""
        return self.rollup_s + self.preview_s + self.run_s + self.close_s


def main() -> None:
    """Lay, settle, compare, prove; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--payments", type=int, nargs="+", default=[500_000, 1_000_000, 2_000_000])
    parser.add_argument("--merchants", type=int, default=2_000)
    parser.add_argument("--cards", type=int, default=20_000)
    chosen = parser.parse_args()
    with rig() as bench:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        history.set_clock(bench, OPENED - timedelta(days=1))
        town = build(bench, chosen.cards, 0)
        kaquan = app(bench)
        merchants = town.merchants + history.more_merchants(kaquan, MERCHANTS, chosen.merchants)
        proved = [history.failing(bench)]
        months: list[Month] = []
        print(
            f"{'payments':>10} {'postings':>11} {'roll-up s':>9} {'preview s':>9} {'run s':>6} {'close s':>7}"
            f" {'total s':>7} {'us a payment':>12}  wrong"
        )
        for number, payments in enumerate(chosen.payments):
            first = OPENED.replace(month=OPENED.month + number)
            lay(bench, kaquan, town.cards, merchants, payments, first)
            proved.append(history.failing(bench))
            months.append(settle(bench, kaquan, first.date(), payments))
            show(months[-1])
        proved.append(history.failing(bench))
    good = not any(proved) and not any(month.wrong for month in months)
    print("books:", f"proved {len(proved)} times" if not any(proved) else f"NOT PROVED: {proved}")
    print(json.dumps({"months": [{**m._asdict(), "total_s": m.total_s} for m in months], "books_proved": good}))
    if not good:
        raise SystemExit(1)


def lay(bench: Rig, kaquan: Kaquan, cards: list[Id], merchants: list[Id], payments: int, first: datetime) -> None:
    """A month's payments: a sample through the door on its first day, copies over the days after it."""
    copies = max(1, round(payments / len(cards))) - 1
    history.set_clock(bench, first)
    past = history.sample(bench, kaquan, cards, merchants, timedelta(days=DAYS) / max(1, copies))
    history.lay(bench, past, copies)
    history.clear(bench)
    with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def settle(bench: Rig, kaquan: Kaquan, first: date, payments: int) -> Month:
    """Settle the month of a date as the timetable would, on the day after the last."""
    period = month_end(first)
    history.set_clock(bench, shanghai(period + timedelta(days=1)) + timedelta(hours=4))
    at, times = kaquan.door.at(), [time.perf_counter()]
    roll_up(kaquan.connection)
    times.append(time.perf_counter())
    seen = settlement.preview(kaquan.connection, kaquan.catalogue, kaquan.calendar, PROGRAM, period, at=at)
    if not isinstance(seen, Preview):
        raise RuntimeError(f"no preview: {seen}")
    times.append(time.perf_counter())
    outcomes = settlement.run(kaquan.door, kaquan.handlers[Kind.SETTLE], seen)
    times.append(time.perf_counter())
    closed = kaquan.one(Kind.CLOSE_PERIOD, settlement.close_command(seen))
    times.append(time.perf_counter())
    missed = [outcome for outcome in (*outcomes, closed) if not isinstance(outcome, Effect)]
    if missed:
        raise RuntimeError(f"{len(missed)} of {len(outcomes)} were not settled: {missed[0]}")
    steps = [later - earlier for earlier, later in pairwise(times)]
    return Month(payments, postings(bench, seen), *steps, wrong=differing(bench, period, seen))


def postings(bench: Rig, seen: Preview) -> int:
    """Postings within the cut of a preview that no earlier one had."""
    return int(
        _rows(
            bench,
            "SELECT count(*) FROM kaquan.posting WHERE at < %(at)s AND at >="
            " coalesce((SELECT max(cut_at) FROM kaquan.closed_period WHERE cut_at < %(at)s), 0)",
            {"at": seen.cut.at_us},
        )[0][0]
    )


def differing(bench: Rig, period: date, seen: Preview) -> int:
    """Merchants whose settlement is not what their payments and refunds of the period add up to."""
    statement = """
        WITH since AS (
            SELECT coalesce(max(cut_at), 0) AS at FROM kaquan.closed_period WHERE period_end < %(period)s
        ), sums AS (
            SELECT merchant, sum(gross)::bigint AS gross, sum(back)::bigint AS back FROM (
                SELECT p.merchant, p.captured - p.outside AS gross, 0 AS back FROM kaquan.payment p, since
                WHERE p.moved_at >= since.at AND p.moved_at < %(cut)s
                UNION ALL
                SELECT p.merchant, 0, r.amount - r.outside FROM kaquan.refund r
                JOIN kaquan.payment p ON p.bucket = r.bucket AND p.id = r.payment, since
                WHERE r.at >= since.at AND r.at < %(cut)s
            ) t GROUP BY merchant
        )
        SELECT count(*) FROM sums s
        FULL JOIN (SELECT * FROM kaquan.settlement WHERE period_end = %(period)s) t ON t.merchant = s.merchant
        WHERE s.gross IS DISTINCT FROM t.gross OR s.back IS DISTINCT FROM t.refunds
           OR t.fee <> round((t.gross - t.refunds) * 60 / 10000.0)
           OR t.paid + t.fee + t.reserved + t.carry <> t.gross - t.refunds + t.carried + t.released
    """
    return int(_rows(bench, statement, {"period": period, "cut": seen.cut.at_us})[0][0])


def show(month: Month) -> None:
    """A row of the table."""
    print(
        f"{month.payments:>10,} {month.postings:>11,} {month.rollup_s:>9.2f} {month.preview_s:>9.2f} "
        f"{month.run_s:>6.2f} {month.close_s:>7.2f} {month.total_s:>7.2f} "
        f"{month.total_s / month.payments * 1e6:>12.1f}  {month.wrong}",
        flush=True,
    )


def _rows(bench: Rig, statement: str, values: dict[str, Any]) -> list[Any]:
    with psycopg.connect(bench.server.root_url) as connection:
        return connection.execute(statement.encode(), values).fetchall()


if __name__ == "__main__":
    main()
