"""What must hold of the books after every step, as SQL that finds what offends. Account numbers: `ledger.chart`."""

OFFENCES = {
    "a lot holds what its postings say": """
        SELECT l.id, l.balance, p.balance FROM lot l LEFT JOIN (
            SELECT owner, sum(amount) AS balance FROM (
                SELECT credit_owner AS owner, amount FROM posting WHERE credit IN (20, 21)
                UNION ALL SELECT debit_owner, -amount FROM posting WHERE debit IN (20, 21)) moves
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
        SELECT merchant, order_no FROM payment WHERE state IN (1, 2, 5) GROUP BY 1, 2 HAVING count(*) > 1""",
    "no payment gives back more than it took": """
        SELECT p.id FROM payment p LEFT JOIN refund r ON r.bucket = p.bucket AND r.payment = p.id
        GROUP BY p.bucket, p.id HAVING coalesce(sum(r.amount), 0) <> p.refunded OR p.refunded > p.captured""",
    "no lot gets back more than it paid": """
        SELECT lot FROM (
            SELECT debit_owner AS lot, amount FROM posting WHERE credit = 40
            UNION ALL SELECT credit_owner, -amount FROM posting WHERE debit = 40) moves
        GROUP BY lot HAVING sum(amount) < 0""",
    "what a payment took is what its lots paid": """
        SELECT p.id FROM payment p WHERE p.state IN (2, 5)
        AND p.captured <> (SELECT sum(s.fen) FROM shares_of(p.allocation) s)""",
    "principal only ever pays merchants": "SELECT transfer FROM posting WHERE debit = 20 AND credit <> 40",
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

SIDES = """
    SELECT (SELECT coalesce(sum(CASE WHEN debit IN (13, 60, 61) THEN amount ELSE 0 END
                              - CASE WHEN credit IN (13, 60, 61) THEN amount ELSE 0 END), 0) FROM posting)::bigint,
           ((SELECT coalesce(sum(balance), 0) FROM lot)
          + (SELECT coalesce(sum(captured - refunded), 0) FROM payment))::bigint"""
"""What came in (channels, and what the issuer gave) and where it is (cards, merchants): the same."""
