"""The verdict on a contest: whether what was told is what is there, and whether it could be.

Everything is asked of the rows and of the answers, not of the code under test; the proofs of the ledger come on top.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import psycopg

from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Kind
from kaquan.funders.model import fund_id
from kaquan.ledger.service import proofs
from support import race_books
from support.cli import Run
from support.contest import DAILY, DAILY_MOST, EVER, LUCKY, SERVERS, TWIN, WIDE, Flood, Sent, World, pool_id
from support.contest_run import COMMAND_LINE, SERVER, TIMETABLE, Line, Told, lines, terminal
from support.crowd import told
from support.race import EFFECT, FAULT, REFUSED, Answer, answer

REPLAYED = 2_000
LINES_AGAIN = 2

QUESTIONS = {
    "a stock that handed out more than it was given, or lost some": """
        SELECT s.code, g.count, v.count, l.count
        FROM stock s
        JOIN LATERAL (SELECT max(count) AS count FROM stock_event e WHERE e.stock = s.id) g ON true
        JOIN LATERAL (SELECT count(*) AS count FROM voucher v WHERE v.stock = s.id) v ON true
        JOIN LATERAL (SELECT sum(count_left) AS count FROM slice WHERE pool = pool_of('stock', s.id) AND day = 0) l
             ON true
        WHERE CASE WHEN s.code IN ('off-10', 'packet') THEN v.count + l.count > g.count
                   ELSE v.count + l.count <> g.count END
    """,
    "a budget that was promised or spent beyond what was paid in": """
        SELECT paid.fen, gone.fen, kept.fen FROM
            (SELECT sum(amount) AS fen FROM posting WHERE kind = 51 AND credit_owner = %(pot)s) paid,
            (SELECT coalesce(sum(CASE WHEN v.state IN (1, 2) THEN v.face ELSE v.used END), 0) AS fen
             FROM voucher v JOIN stock s ON s.id = v.stock WHERE s.code IN (%(wide)s, %(twin)s)) gone,
            (SELECT sum(fen_left) AS fen, min(fen_left) AS least FROM slice WHERE pool = %(pot)s) kept
        WHERE paid.fen <> %(budget)s OR gone.fen + kept.fen > paid.fen OR kept.least < 0
    """,
    "a budget whose books do not add up to what was paid in": """
        SELECT sum(CASE WHEN credit IN (30, 31) AND credit_owner = %(pot)s THEN amount ELSE 0 END
                   - CASE WHEN debit IN (30, 31) AND debit_owner = %(pot)s THEN amount ELSE 0 END) + used.fen
        FROM posting,
             (SELECT coalesce(sum(v.used), 0) AS fen FROM voucher v JOIN stock s ON s.id = v.stock
              WHERE s.code IN (%(wide)s, %(twin)s)) used
        GROUP BY used.fen
        HAVING sum(CASE WHEN credit IN (30, 31) AND credit_owner = %(pot)s THEN amount ELSE 0 END
                   - CASE WHEN debit IN (30, 31) AND debit_owner = %(pot)s THEN amount ELSE 0 END) + used.fen
               <> %(budget)s
    """,
    "packets that do not add up to their pool": """
        SELECT q.code, q.total, coalesce(k.fen, 0), l.fen, q.left_fen
        FROM packet_pool q
        JOIN (SELECT pool, sum(fen_left) AS fen, sum(count_left) AS count FROM slice GROUP BY 1) l ON l.pool = q.id
        LEFT JOIN (SELECT pool, sum(amount) AS fen, count(*) AS count FROM packet GROUP BY 1) k ON k.pool = q.id
        WHERE coalesce(k.fen, 0) + l.fen + q.left_fen <> q.total
           OR coalesce(k.count, 0) + l.count + q.left_count <> q.count
    """,
    "a pool of which all went that did not hold what its packets did": """
        SELECT total FROM packet_pool
        WHERE id = %(lucky)s AND total IS DISTINCT FROM (SELECT sum(amount) FROM packet WHERE pool = %(lucky)s)
    """,
    "a packet that was given twice": """
        SELECT pool, number FROM packet GROUP BY 1, 2 HAVING count(*) > 1
    """,
    "a packet that is no voucher of its amount": """
        SELECT k.id FROM packet k LEFT JOIN voucher v ON v.bucket = k.bucket AND v.id = k.id
        WHERE v.face IS DISTINCT FROM k.amount OR v.wallet IS DISTINCT FROM k.wallet
    """,
    "a person with more vouchers than one, or than two a day": """
        SELECT coalesce(w.person, w.id), s.code, count(*) FROM voucher v JOIN stock s ON s.id = v.stock
        JOIN wallet w ON w.bucket = v.bucket AND w.id = v.wallet
        WHERE s.code IN (%(ever)s, %(daily)s)
        GROUP BY 1, 2, CASE WHEN s.code = %(daily)s THEN business_day(v.at) END
        HAVING count(*) > CASE WHEN s.code = %(daily)s THEN %(daily_most)s ELSE 1 END
    """,
    "a limited voucher whose person holds no token for it": """
        SELECT v.id FROM voucher v JOIN stock s ON s.id = v.stock
        JOIN wallet w ON w.bucket = v.bucket AND w.id = v.wallet
        WHERE s.code IN (%(ever)s, %(daily)s)
          AND NOT EXISTS (SELECT FROM token t WHERE t.subject = coalesce(w.person, w.id) AND t.command = v.id)
    """,
    "a voucher that two payments hold or have used": """
        SELECT d.voucher FROM payment p, LATERAL (SELECT DISTINCT voucher FROM discounts_of(p.discounts)) d
        JOIN voucher v ON v.id = d.voucher JOIN stock s ON s.id = v.stock
        WHERE p.state IN (2, 6) OR (p.state = 5 AND s.code = %(twin)s) GROUP BY 1 HAVING count(*) > 1
    """,
    "a voucher that a payment used and that says otherwise": """
        SELECT v.id, v.state, v.used FROM payment p,
               LATERAL (SELECT voucher, sum(fen) AS fen FROM discounts_of(p.discounts) GROUP BY 1) d
        JOIN voucher v ON v.id = d.voucher
        WHERE p.state IN (2, 6) AND (v.state <> 3 OR v.holder <> p.id OR v.used > d.fen)
    """,
    "an authorization that ended twice": """
        SELECT convert_from(answer, 'UTF8')::json ->> 'payment' FROM command
        WHERE kind IN (22, 23, 24) AND outcome = 0 GROUP BY 1 HAVING count(*) > 1
    """,
    "a party that got back more than it paid, or not all of a whole refund": """
        WITH paid AS (
            SELECT p.id, p.state, x.party, sum(x.fen) AS fen FROM payment p, LATERAL (
                SELECT 'lot ' || lot AS party, fen FROM shares_of(p.allocation)
                UNION ALL SELECT 'fund ' || fund || voucher, fen FROM discounts_of(p.discounts)
                UNION ALL SELECT 'outside', p.outside) x
            WHERE p.state IN (2, 5, 6) GROUP BY 1, 2, 3
        ), back AS (
            SELECT r.payment AS id, x.party, sum(x.fen) AS fen FROM refund r, LATERAL (
                SELECT 'lot ' || lot AS party, fen FROM shares_of(r.allocation)
                UNION ALL SELECT 'fund ' || fund || voucher, fen FROM discounts_of(r.discounts)
                UNION ALL SELECT 'outside', r.outside) x
            GROUP BY 1, 2
        )
        SELECT id, party, paid.fen, back.fen FROM paid FULL JOIN back USING (id, party)
        WHERE coalesce(back.fen, 0) > coalesce(paid.fen, 0) OR paid.state = 5 AND coalesce(back.fen, 0) <> paid.fen
    """,
    "a refund whose parts are not its amount": """
        SELECT id FROM refund r
        WHERE amount <> outside + coalesce((SELECT sum(fen) FROM shares_of(r.allocation)), 0)
                                + coalesce((SELECT sum(fen) FROM discounts_of(r.discounts)), 0)
    """,
}
"""What may never be found. Parameters: the pot and what it holds, the names of the stocks."""


class Verdict(NamedTuple):
    """What was sent, what came of it, and everything that was wrong."""

    sent: int
    distinct: int
    retries: int
    replayed: int
    lines: int
    proved: int
    codes: dict[str, Counter[str]]
    facts: dict[str, int]
    wrong: list[str]


class Heard(NamedTuple):
    """All answers: of the servers, of the timetable, of the command line."""

    servers: list[Told]
    jobs: list[Told]
    typed: list[tuple[Line, Run]]

    @property
    def answers(self) -> list[Answer]:
        """Those that were told in full."""
        return [one.answer for one in (*self.servers, *self.jobs)]


def judge(world: World, owner_url: str, folder: Path, before: set[bytes]) -> Verdict:
    """Look at everything. `before`: the commands that had been decided when the contest began."""
    servers = [one for number in range(SERVERS) for one in told(folder / f"{SERVER}-{number}")]
    heard = Heard(servers, list(told(folder / TIMETABLE)), list(told(folder / COMMAND_LINE)))
    watched = [json.loads(line) for line in (folder / f"{TIMETABLE}.watched").read_text().splitlines()]
    with opened(owner_url) as connection:
        found = [*race_books.untrue(owner_url), *untrue(world, connection)]
    wrong = [
        *found,
        *(f"fault: {one.body!r}" for one in heard.answers if one.what == FAULT),
        *(f"typed {line.words}: {done}" for line, done in heard.typed if done.code not in (0, 1)),
        *(f"not proved while all wrote: {one}" for one in watched if not one["ok"]),
        *race_books.misheard(heard.answers, owner_url),
        *_unaccounted(heard, owner_url, before),
    ]
    app = world.app()
    wrong += [f"not proved: {proof.name} {proof.facts}" for proof in proofs(app.connection) if not proof.ok]
    again, replayed = _told_otherwise(world, heard.servers)
    wrong += again
    wrong += _typed_otherwise(world, folder, heard.typed)
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    for one in heard.servers:
        if not one.retry:
            codes[one.kind.name][one.answer.code or "took effect"] += 1
    first = [one for one in heard.servers if not one.retry]
    distinct = len({one.answer.id for one in first})
    counts = (len(first), distinct, len(heard.servers) - len(first), replayed, len(heard.typed), len(watched))
    return Verdict(*counts, codes, _facts(owner_url), wrong)


def decided(url: str) -> set[bytes]:
    """The commands that have been decided."""
    with psycopg.connect(url) as connection:
        return {row[0].bytes for row in connection.execute("SELECT id FROM kaquan.command")}


@contextmanager
def opened(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that sees the tables by their names."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path = kaquan")
        yield connection


def untrue(world: World, connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Everything that `QUESTIONS` find."""
    pot = fund_id("pot").hex()
    told = {"pot": pot, "budget": world.budget, "lucky": pool_id(LUCKY).hex(), "daily_most": DAILY_MOST}
    told |= {code: code for code in (WIDE, TWIN, EVER, DAILY)}
    for what, question in QUESTIONS.items():
        rows = connection.execute(question.encode(), told).fetchall()
        if rows:
            yield f"{what}: {len(rows)}, such as {rows[0]}"


def _unaccounted(heard: Heard, url: str, before: set[bytes]) -> Iterator[str]:
    """Effects that nobody was told of, and effects that were told and are not there."""
    effects = {one.id for one in heard.answers if one.what == EFFECT}
    effects |= {line.id for line, done in heard.typed if line.id is not None and done.code == 0}
    by_jobs: Counter[str] = Counter()
    for line, done in heard.typed:
        if line.kind is None and done.code == 0:
            by_jobs.update({name.upper(): count for name, count in done.facts["work"].items()})
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id, kind FROM kaquan.command WHERE outcome = 0").fetchall()
    there = {row[0].bytes: Kind(row[1]) for row in rows if row[0].bytes not in before}
    if lost := effects - there.keys():
        yield f"told and not there: {len(lost)}, such as {next(iter(lost)).hex()}"
    untold = Counter(there[one].name for one in there.keys() - effects)
    if untold != +by_jobs:
        yield f"there and not told: {untold}, by `kaquan jobs run`: {+by_jobs}"


def _told_otherwise(world: World, servers: Sequence[Told]) -> tuple[list[str], int]:
    """Send a sample again under the same keys; and look whether a device got two vouchers."""
    known = {one.answer.id: one.answer for one in servers if one.answer.what in (EFFECT, REFUSED)}
    sent: dict[bytes, Sent] = {}
    devices: dict[bytes, set[bytes]] = defaultdict(set)
    for turn in Flood(world).rounds():
        for one in (one for part in turn for one in part if one.id in known):
            sent[one.id] = one
            if one.kind == Kind.CLAIM and one.command.device and known[one.id].took_effect:
                devices[one.command.device].add(one.id)
    wrong = [f"{device!r} got {len(got)} vouchers" for device, got in devices.items() if len(got) > 1]
    sample = Random(world.seed).sample(sorted(sent), min(REPLAYED, len(sent)))
    by_kind: dict[Kind, list[Sent]] = defaultdict(list)
    for identity in sample:
        by_kind[sent[identity].kind].append(sent[identity])
    app = world.app()
    for kind, batch in by_kind.items():
        for start in range(0, len(batch), BATCH_MAX):
            part = batch[start : start + BATCH_MAX]
            for one, outcome in zip(part, app.execute(kind, [one.command for one in part]), strict=True):
                if (now := answer(outcome)) != known[one.id]._replace(replayed=True):
                    wrong.append(f"{kind.name} {one.id.hex()} is told otherwise: {now}, before {known[one.id]}")
    return wrong, len(sample)


def _typed_otherwise(world: World, folder: Path, typed: Sequence[tuple[Line, Run]]) -> Iterator[str]:
    """Type the first lines again: the same words from the same person give the same document."""
    cli = terminal(world, folder)
    for line, (first, _) in zip(lines(world), typed, strict=False):
        if line.words != first.words:
            yield f"{line.words} was not what was typed: {first.words}"
    kept = [one for one in typed if one[0].kind is not None and one[1].code == 0][:LINES_AGAIN]
    for line, before in kept:
        now = cli.run(*line.words)
        if now.code != 0 or {**now.facts, "replayed": before.facts["replayed"]} != before.facts:
            yield f"{line.words} is told otherwise: {now}, before {before}"


def _facts(url: str) -> dict[str, int]:
    """Counts that say that the contest was one."""
    asked = {
        "vouchers": "SELECT count(*) FROM voucher",
        "vouchers expired": "SELECT count(*) FROM voucher WHERE state = 4",
        "vouchers redeemed": "SELECT count(*) FROM voucher WHERE state = 3",
        "holds expired": "SELECT count(*) FROM payment WHERE state = 4",
        "refunded in parts": "SELECT count(*) FROM (SELECT FROM refund GROUP BY payment HAVING count(*) > 1)",
        "packets": "SELECT count(*) FROM packet",
        "pools ended": "SELECT count(*) FROM packet_pool WHERE state = 2",
        "grants of the timetable": "SELECT count(*) FROM command WHERE kind IN (30, 32) AND outcome = 0",
        "funds swept": "SELECT count(*) FROM command WHERE kind = 53 AND outcome = 0",
    }
    with opened(url) as connection:
        return {what: int(connection.execute(sql.encode()).fetchone()[0]) for what, sql in asked.items()}
