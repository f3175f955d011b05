"""What must hold of the books after every step, as SQL that finds what offends. Account numbers: `ledger.chart`."""

OFFENCES = {
    "a lot holds what its postings say": """
        SELECT l.id, l.balance, p.balance FROM lot l LEFT JOIN (
            SELECT owner, sum(amount) AS balance FROM (
                SELECT credit_owner AS owner, amount FROM posting WHERE credit IN (20, 21, 22)
                UNION ALL SELECT debit_owner, -amount FROM posting WHERE debit IN (20, 21, 22)) moves
            GROUP BY owner) p ON p.owner = l.id
        WHERE l.balance IS DISTINCT FROM p.balance""",
    "nothing is below zero": "SELECT id, balance, held FROM lot WHERE balance < 0 OR held < 0 OR held > balance",
    "what is held belongs to open authorizations": """
        SELECT l.id, l.held, o.held FROM lot l LEFT JOIN (
            SELECT s.lot, sum(s.fen) AS held FROM payment p, shares_of(p.allocation) s
            WHERE p.state = 1 GROUP BY s.lot
        ) o ON o.lot = l.id WHERE l.held <> coalesce(o.held, 0)""",
    "debits are credits in every book": """
        SELECT book FROM (
            SELECT book, amount FROM posting UNION ALL SELECT book, -amount FROM posting) rows
        GROUP BY book HAVING sum(amount) <> 0""",
    "an order is paid once": """
        SELECT merchant, order_no FROM payment WHERE state IN (1, 2, 5, 6) GROUP BY 1, 2 HAVING count(*) > 1""",
    "no payment gives back more than it took": """
        SELECT p.id FROM payment p LEFT JOIN refund r ON r.bucket = p.bucket AND r.payment = p.id
        GROUP BY p.bucket, p.id HAVING coalesce(sum(r.amount), 0) <> p.refunded OR p.refunded > p.captured""",
    "no lot gets back more than it paid": """
        SELECT lot FROM (
            SELECT debit_owner AS lot, amount FROM posting WHERE debit IN (20, 21, 22) AND credit IN (40, 70)
            UNION ALL SELECT credit_owner, -amount FROM posting
                      WHERE credit IN (20, 21, 22) AND debit IN (40, 70)) moves
        GROUP BY lot HAVING sum(amount) < 0""",
    "what a payment took is what lots, funders and cash paid": """
        SELECT p.id FROM payment p WHERE p.state IN (2, 5, 6)
        AND p.captured <> p.outside + (SELECT coalesce(sum(s.fen), 0) FROM shares_of(p.allocation) s)
                        + (SELECT coalesce(sum(d.fen), 0) FROM discounts_of(p.discounts) d)""",
    "who holds a voucher is an open authorization": """
        SELECT v.id FROM voucher v LEFT JOIN payment p ON p.bucket = v.bucket AND p.id = v.holder AND p.state = 1
        WHERE v.state = 2 AND p.id IS NULL""",
    "no fund may promise more than is free": """
        SELECT s.pool, s.fen, b.fen FROM (
            SELECT s.pool, sum(s.fen_left) AS fen FROM slice s JOIN fund f ON f.id = s.pool GROUP BY s.pool) s
        LEFT JOIN (
            SELECT owner, sum(amount) AS fen FROM (
                SELECT credit_owner AS owner, amount FROM posting WHERE credit = 30
                UNION ALL SELECT debit_owner, -amount FROM posting WHERE debit = 30) moves GROUP BY owner) b
        ON b.owner = s.pool WHERE s.fen > coalesce(b.fen, 0)""",
    "principal only ever pays merchants": "SELECT transfer FROM posting WHERE debit = 20 AND credit NOT IN (40, 70)",
    "what funders promised is what vouchers are still worth": """
        SELECT coalesce(s.fund, p.fund), s.fen, p.fen FROM (
            SELECT f.fund, sum(funded_part(v.face, f.bps, f.upto, f.whole)) AS fen
            FROM voucher v JOIN funding_share f ON f.terms = v.terms AND f.stock = v.stock
            WHERE v.state IN (1, 2) AND f.fund IS NOT NULL GROUP BY 1) s
        FULL JOIN (
            SELECT fund, sum(fen) AS fen FROM (
                SELECT credit_owner AS fund, amount AS fen FROM posting WHERE credit = 31
                UNION ALL SELECT debit_owner, -amount FROM posting WHERE debit = 31) moves GROUP BY 1) p
            ON p.fund = s.fund
        WHERE coalesce(s.fen, 0) <> coalesce(p.fen, 0)""",
    "a transfer is one command that took effect": """
        SELECT p.transfer FROM posting p LEFT JOIN command c ON c.bucket = p.bucket AND c.id = p.transfer
        AND c.outcome = 0 WHERE c.id IS NULL""",
    "every effect has one leaf, and nothing else has": """
        SELECT coalesce(c.id, j.id) FROM (SELECT id FROM command WHERE outcome = 0) c
        FULL JOIN (SELECT unnest(commands) AS id FROM journal) j ON j.id = c.id
        WHERE c.id IS NULL OR j.id IS NULL""",
    "no effect has two leaves": """
        SELECT id FROM (SELECT unnest(commands) AS id FROM journal) j GROUP BY id HAVING count(*) > 1""",
}
"""Rule → statement. A row is an offence."""

AT_THE_END = {
    "no party gets back more than it paid": """
        SELECT payment, party, part FROM (
            SELECT p.id AS payment, s.lot AS party, NULL::uuid AS part, s.fen
            FROM payment p, shares_of(p.allocation) s
            UNION ALL SELECT p.id, d.fund, d.voucher, d.fen FROM payment p, discounts_of(p.discounts) d
            UNION ALL SELECT p.id, NULL, NULL, p.outside FROM payment p
            UNION ALL SELECT r.payment, s.lot, NULL, -s.fen FROM refund r, shares_of(r.allocation) s
            UNION ALL SELECT r.payment, d.fund, d.voucher, -d.fen FROM refund r, discounts_of(r.discounts) d
            UNION ALL SELECT r.payment, NULL, NULL, -r.outside FROM refund r) parts
        GROUP BY 1, 2, 3 HAVING sum(fen) < 0""",
    "a voucher is used by one payment, for what it took off": """
        SELECT v.id, v.used, t.fen FROM voucher v LEFT JOIN (
            SELECT voucher, sum(fen) AS fen FROM (
                SELECT d.voucher, d.fen FROM payment p, discounts_of(p.discounts) d WHERE p.state IN (2, 5, 6)
                UNION ALL SELECT d.voucher, -d.fen FROM refund r, discounts_of(r.discounts) d) taken
            GROUP BY voucher) t ON t.voucher = v.id
        WHERE v.used <> coalesce(t.fen, 0) OR (v.used > 0 AND v.state <> 3)""",
}
"""The same, for rules that stay broken once they are: looked at when a life is over."""

CAME_IN = "(11, 12, 13, 32, 33, 60, 61)"
SIDES = f"""
    SELECT (SELECT coalesce(sum(CASE WHEN debit IN {CAME_IN} THEN amount ELSE 0 END
                              - CASE WHEN credit IN {CAME_IN} THEN amount ELSE 0 END), 0) FROM posting)::bigint,
           ((SELECT coalesce(sum(balance), 0) FROM lot)
          + (SELECT coalesce(sum(captured - refunded - outside), 0) FROM payment WHERE state IN (2, 5, 6))
          + (SELECT coalesce(sum(outside), 0) FROM refund)
          + (SELECT coalesce(sum(CASE WHEN credit IN (30, 31) THEN amount ELSE 0 END
                              - CASE WHEN debit IN (30, 31) THEN amount ELSE 0 END), 0) FROM posting))::bigint"""
"""What came in (channels, funders, what the issuer gave) and where it is (cards, merchants, funds): the same."""

FUND_BOOKS = """
    SELECT f.code, coalesce(sum(CASE WHEN m.account = 30 THEN m.fen END), 0)::bigint,
           coalesce(sum(CASE WHEN m.account = 31 THEN m.fen END), 0)::bigint,
           coalesce(-sum(CASE WHEN m.account = 32 THEN m.fen END), 0)::bigint
    FROM fund f LEFT JOIN (
        SELECT credit AS account, credit_owner AS owner, amount AS fen FROM posting WHERE credit IN (30, 31, 32)
        UNION ALL SELECT debit, debit_owner, -amount FROM posting WHERE debit IN (30, 31, 32)) m ON m.owner = f.id
    GROUP BY f.code"""
"""Of each fund: what is free, what is promised, what its party owes."""
