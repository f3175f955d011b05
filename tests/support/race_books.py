"""Whether the books are true after a race or a crash: asked of the rows themselves, not of the code under test."""

from collections import Counter
from collections.abc import Iterator, Sequence

import psycopg

from support.race import EFFECT, REFUSED, Answer

_SHARES = """
    SELECT p.bucket, p.id, p.state, p.amount, p.captured,
           encode(substring(p.allocation FROM 1 + 24 * i FOR 16), 'hex')::uuid AS lot,
           ('x' || encode(substring(p.allocation FROM 17 + 24 * i FOR 8), 'hex'))::bit(64)::bigint AS part
    FROM payment p, generate_series(0, octet_length(p.allocation) / 24 - 1) i
"""

QUESTIONS = {
    "a lot below its floor": """
        SELECT id FROM lot WHERE balance < 0 OR held < 0 OR held > balance
    """,
    "a lot that is not what its postings say": """
        SELECT l.id, l.balance, coalesce(c.amount, 0) - coalesce(d.amount, 0)
        FROM lot l
        LEFT JOIN (SELECT credit_owner AS lot, sum(amount) AS amount FROM posting
                   WHERE credit IN (20, 21, 22) GROUP BY 1) c ON c.lot = l.id
        LEFT JOIN (SELECT debit_owner AS lot, sum(amount) AS amount FROM posting
                   WHERE debit IN (20, 21, 22) GROUP BY 1) d ON d.lot = l.id
        WHERE l.balance <> coalesce(c.amount, 0) - coalesce(d.amount, 0)
    """,
    "a lot whose held money is not that of its open authorizations": f"""
        SELECT l.id, l.held, coalesce(h.part, 0)
        FROM lot l LEFT JOIN (SELECT lot, sum(part) AS part FROM ({_SHARES}) s WHERE state = 1 GROUP BY 1) h
             ON h.lot = l.id
        WHERE l.held <> coalesce(h.part, 0)
    """,
    "an allocation that does not add up to its payment": f"""
        SELECT p.id FROM payment p
        LEFT JOIN (SELECT id, sum(part) AS part FROM ({_SHARES}) s GROUP BY id) s ON s.id = p.id
        LEFT JOIN (SELECT o.id, sum(d.fen) AS part FROM payment o, discounts_of(o.discounts) d GROUP BY 1) d
             ON d.id = p.id
        WHERE coalesce(s.part, 0) + coalesce(d.part, 0) + p.outside
            <> CASE WHEN p.state IN (2, 5, 6) THEN p.captured ELSE p.amount END
    """,
    "a book that does not sum to zero": """
        SELECT book, sum(amount) FROM (
            SELECT book, debit AS account, amount FROM posting
            UNION ALL SELECT book, credit, -amount FROM posting) rows
        GROUP BY book HAVING sum(amount) <> 0
    """,
    "a captured payment whose merchant did not get exactly its amount": """
        SELECT p.id, p.captured, m.amount FROM payment p
        LEFT JOIN (SELECT sum(amount) AS amount, payment FROM (
                SELECT t.amount, t.transfer AS payment FROM posting t WHERE t.credit = 40 AND t.kind = 20
                UNION ALL
                SELECT t.amount, (convert_from(c.answer, 'UTF8')::json ->> 'payment')::uuid FROM posting t
                JOIN command c ON c.bucket = t.bucket AND c.id = t.transfer WHERE t.credit = 40 AND t.kind = 22
            ) taken GROUP BY payment) m ON m.payment = p.id
        WHERE coalesce(m.amount, 0) <> CASE WHEN p.state IN (2, 5, 6) THEN p.captured - p.outside ELSE 0 END
    """,
    "a refunded payment that did not give back exactly what its refunds say, or more than was paid": """
        SELECT p.id FROM payment p
        LEFT JOIN (SELECT payment, sum(amount) AS amount, sum(amount - outside) AS ours FROM refund GROUP BY 1) r
             ON r.payment = p.id
        LEFT JOIN (SELECT f.payment, sum(t.amount) AS amount FROM refund f
                   JOIN posting t ON t.bucket = f.bucket AND t.transfer = f.id AND t.debit = 40 GROUP BY 1) b
             ON b.payment = p.id
        WHERE coalesce(r.amount, 0) <> p.refunded OR coalesce(b.amount, 0) <> coalesce(r.ours, 0)
           OR (p.state = 5) <> (p.refunded > 0 AND p.refunded = p.captured)
           OR (p.state = 6) <> (p.refunded > 0 AND p.refunded < p.captured)
    """,
    "an order paid by two payments": """
        SELECT merchant, order_no, count(*) FROM payment WHERE state IN (1, 2, 5, 6)
        GROUP BY 1, 2 HAVING count(*) > 1
    """,
    "money that no command moved": """
        SELECT t.transfer FROM posting t LEFT JOIN command c ON c.bucket = t.bucket AND c.id = t.transfer
        WHERE c.outcome IS DISTINCT FROM 0
    """,
    "a payment without its command": """
        SELECT p.id FROM payment p LEFT JOIN command c ON c.bucket = p.bucket AND c.id = p.id
        WHERE c.outcome IS DISTINCT FROM 0
    """,
    "an effect that is not exactly once in the journal": """
        SELECT c.id, j.n FROM command c
        FULL JOIN (SELECT u.id, count(*) AS n FROM journal, unnest(commands) AS u (id) GROUP BY 1) j ON j.id = c.id
        WHERE coalesce(j.n, 0) <> CASE WHEN c.outcome = 0 THEN 1 ELSE 0 END
    """,
    "a journal row without 64 bytes for each effect": """
        SELECT id FROM journal WHERE octet_length(leaves) <> 64 * cardinality(commands)
    """,
    "a subsidy that is not what the vouchers of its purchase paid": """
        SELECT l.origin, l.granted, v.used
        FROM (SELECT bucket, origin, sum(granted) AS granted FROM lot WHERE kind = 2 GROUP BY 1, 2) l
        LEFT JOIN (SELECT bucket, holder, sum(used) AS used FROM voucher WHERE state = 3 GROUP BY 1, 2) v
             ON v.bucket = l.bucket AND v.holder = l.origin
        WHERE v.used IS DISTINCT FROM l.granted
    """,
    "a rebate granted without its lot, or the other way round": """
        SELECT r.id FROM reward r LEFT JOIN lot l ON l.bucket = r.bucket AND l.id = r.lot
        WHERE (r.state IN (2, 4)) <> (l.id IS NOT NULL) OR l.granted <> r.granted
    """,
    "two rebate lots for one payment": """
        SELECT origin FROM lot WHERE kind = 1 AND origin IN (SELECT id FROM payment) GROUP BY 1 HAVING count(*) > 1
    """,
}
"""What may never be found, and how it is looked for."""


def untrue(url: str) -> Iterator[str]:
    """Everything in the database at `url` that should not be; nothing when the books are true."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path = kaquan; SET statement_timeout = '60s'")
        for what, question in QUESTIONS.items():
            rows = connection.execute(question.encode()).fetchall()
            if rows:
                yield f"{what}: {len(rows)}, such as {rows[0]}"


def misheard(answers: Sequence[Answer], url: str) -> Iterator[str]:
    """Who asked under one id heard the same, byte by byte, and it is what the database keeps; one heard it first."""
    decided: dict[bytes, set[tuple[int, bytes]]] = {}
    first: Counter[bytes] = Counter()
    for each in answers:
        if each.what in (EFFECT, REFUSED):
            decided.setdefault(each.id, set()).add((each.what, each.body))
            first[each.id] += not each.replayed
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id, outcome, answer, kind FROM kaquan.command").fetchall()
    kept = {identity.bytes: (outcome, bytes(answer), kind) for identity, outcome, answer, kind in rows}
    for identity, heard in decided.items():
        if len(heard) > 1:
            yield f"{identity.hex()} was told in {len(heard)} ways"
        outcome, body, kind = kept.get(identity, (None, b"", 0))
        if heard != {(outcome, body)}:
            yield f"{identity.hex()} was told otherwise than it is kept"
        # A decision of kind 0 was made for a command before it arrived: everybody hears it as a replay.
        elif first[identity] != (kind != 0):
            yield f"{identity.hex()} was told as new {first[identity]} times"
