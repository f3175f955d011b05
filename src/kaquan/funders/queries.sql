-- load_funds: what the books say of funds, with slices, in one snapshot
SELECT * FROM load_funds(%s, %s, %s, %s, %s, %s, %s, %s);

-- lock_slices: keep slices as they are until the commit
SELECT lock_spending(%s, NULL, NULL, %s, %s, %s, %s, NULL, NULL, NULL, NULL, NULL);

-- sweeps_due: funds whose books have more free than their slices hold, with a number that grows as the slices change
SELECT f.code, s.turn
FROM fund f
JOIN (SELECT pool, sum(fen_left) AS fen, sum(version) AS turn FROM slice
      WHERE day = 0 AND pool = ANY (ARRAY(SELECT id FROM fund)) GROUP BY pool) s ON s.pool = f.id
JOIN (SELECT owner, sum(credits - debits) AS fen FROM fund_balances(ARRAY(SELECT id FROM fund))
      WHERE account = 30 GROUP BY owner) b ON b.owner = f.id
WHERE b.fen > s.fen ORDER BY f.code LIMIT %(most)s;

-- books: of each fund what came in and went back (program 0), what is free, promised and receivable, what can be promised
SELECT f.id, coalesce(b.paid_in, 0)::bigint, coalesce(b.paid_out, 0)::bigint, coalesce(s.fen, 0)::bigint,
       coalesce(b.budget, 0)::bigint, coalesce(b.committed, 0)::bigint, coalesce(b.receivable, 0)::bigint
FROM fund f
LEFT JOIN (SELECT pool, sum(fen_left) AS fen FROM slice
           WHERE day = 0 AND pool = ANY (ARRAY(SELECT id FROM fund)) GROUP BY pool) s ON s.pool = f.id
LEFT JOIN (SELECT owner,
                  sum(credits) FILTER (WHERE account = 30 AND program = 0) AS paid_in,
                  sum(debits) FILTER (WHERE account = 30 AND program = 0) AS paid_out,
                  sum(credits - debits) FILTER (WHERE account = 30) AS budget,
                  sum(credits - debits) FILTER (WHERE account = 31) AS committed,
                  sum(debits - credits) FILTER (WHERE account = 32) AS receivable
           FROM fund_balances(ARRAY(SELECT id FROM fund)) GROUP BY owner) b ON b.owner = f.id
ORDER BY f.code LIMIT 10000;
