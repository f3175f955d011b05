-- load_commands: earlier decisions under the ids of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- horizon: the transaction below which everything has ended
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- previous: the latest statement of each asked party
SELECT u.subject, s.number, s.until, s.cut_at, s.cut_xid, s.hash, s.body
FROM unnest(%(bucket)s::smallint[], %(subject)s::uuid[]) AS u (bucket, subject)
CROSS JOIN LATERAL (
    SELECT * FROM statement t WHERE t.bucket = u.bucket AND t.subject = u.subject ORDER BY t.number DESC LIMIT 1
) s;

-- wallets: which of the asked wallets exist
SELECT t.id FROM unnest(%(bucket)s::smallint[], %(wallet)s::uuid[]) AS u (bucket, id)
JOIN wallet t ON t.bucket = u.bucket AND t.id = u.id;

-- moved: what moved the accounts of merchants and funds within each cut and not the one before, by day and sort
-- Accounts 30 to 33 belong to funds, whose money is told; 70 and 71 stand between two books, and what paid in the end
-- is the other half of the same leg: the n-th one of the transfer.
SELECT u.ord::int, p.program::int, v.account::int, p.kind::int, coalesce(w.account, v.contra)::int,
       CASE WHEN coalesce(w.account, v.contra) BETWEEN 30 AND 33 THEN coalesce(w.owner, v.contra_owner) END,
       business_day(p.at), count(DISTINCT p.transfer)::int, sum(v.debits)::bigint, sum(v.credits)::bigint
FROM (
    SELECT * FROM posting
    WHERE (at >= %(since_at)s::bigint OR xid >= %(since_xid)s::bigint)
      AND at < %(until_at)s::bigint AND xid < %(until_xid)s::bigint
      AND (debit_owner = ANY (%(owner)s::uuid[]) OR credit_owner = ANY (%(owner)s::uuid[]))
) p
CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.credit, p.credit_owner, p.amount, 0::bigint),
                           (p.credit, p.credit_owner, p.debit, p.debit_owner, 0::bigint, p.amount))
    AS v (account, owner, contra, contra_owner, debits, credits)
JOIN unnest(%(owner)s::uuid[], %(cut_at)s::bigint[], %(cut_xid)s::bigint[],
            %(previous_at)s::bigint[], %(previous_xid)s::bigint[])
     WITH ORDINALITY AS u (owner, cut_at, cut_xid, previous_at, previous_xid, ord) ON u.owner = v.owner
LEFT JOIN LATERAL (
    SELECT CASE WHEN q.debit = 70 THEN q.credit ELSE q.debit END AS account,
           CASE WHEN q.debit = 70 THEN q.credit_owner ELSE q.debit_owner END AS owner
    FROM posting q
    WHERE q.bucket = p.bucket AND q.transfer = p.transfer AND (q.debit = 70 OR q.credit = 70)
    ORDER BY q.line
    OFFSET (SELECT count(*) FROM posting r WHERE r.bucket = p.bucket AND r.transfer = p.transfer AND r.line < p.line
              AND (r.debit = 71 OR r.credit = 71)) LIMIT 1
) w ON v.contra = 71
WHERE p.at < u.cut_at AND p.xid < u.cut_xid
  AND NOT (p.at < u.previous_at AND p.xid < u.previous_xid)
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7 LIMIT 1000000;

-- counts: how many transfers of each kind moved a merchant's payable on a day, within the same bounds
SELECT u.ord::int, business_day(p.at), p.kind::int, count(DISTINCT p.transfer)::int
FROM posting p
JOIN unnest(%(owner)s::uuid[], %(cut_at)s::bigint[], %(cut_xid)s::bigint[],
            %(previous_at)s::bigint[], %(previous_xid)s::bigint[])
     WITH ORDINALITY AS u (owner, cut_at, cut_xid, previous_at, previous_xid, ord)
     ON u.owner = CASE WHEN p.credit = 40 THEN p.credit_owner ELSE p.debit_owner END
WHERE (p.credit = 40 OR p.debit = 40) AND (p.at >= %(since_at)s::bigint OR p.xid >= %(since_xid)s::bigint)
  AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
  AND p.at < u.cut_at AND p.xid < u.cut_xid AND NOT (p.at < u.previous_at AND p.xid < u.previous_xid)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 1000000;

-- held: every account of merchants and funds recounted from the first posting to each cut
SELECT u.ord::int, p.program::int, v.account::int, sum(v.debits)::bigint, sum(v.credits)::bigint
FROM posting p
CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.amount, 0::bigint),
                           (p.credit, p.credit_owner, 0::bigint, p.amount)) AS v (account, owner, debits, credits)
JOIN unnest(%(owner)s::uuid[], %(cut_at)s::bigint[], %(cut_xid)s::bigint[])
     WITH ORDINALITY AS u (owner, cut_at, cut_xid, ord) ON u.owner = v.owner
WHERE (p.debit_owner = ANY (%(owner)s::uuid[]) OR p.credit_owner = ANY (%(owner)s::uuid[]))
  AND p.at < u.cut_at AND p.xid < u.cut_xid
GROUP BY 1, 2, 3 LIMIT 1000000;

-- settlements: what was settled within each cut and not the one before; its postings say which cut counts it
SELECT u.ord::int, to_jsonb(s) || jsonb_build_object('program', r.code)
FROM unnest(%(bucket)s::smallint[], %(owner)s::uuid[], %(cut_at)s::bigint[], %(cut_xid)s::bigint[],
            %(previous_at)s::bigint[], %(previous_xid)s::bigint[])
     WITH ORDINALITY AS u (bucket, owner, cut_at, cut_xid, previous_at, previous_xid, ord)
JOIN settlement s ON s.bucket = u.bucket AND s.merchant = u.owner
JOIN program r ON r.id = s.program
CROSS JOIN LATERAL (
    SELECT coalesce(max(p.xid), 0) AS xid FROM posting p WHERE p.bucket = s.bucket AND p.transfer = s.id
) w
WHERE s.at < u.cut_at AND w.xid < u.cut_xid AND NOT (s.at < u.previous_at AND w.xid < u.previous_xid)
ORDER BY 1, r.code, s.number LIMIT 100000;

-- stock_moves: what postings of a fund within a cut can be put down to a stock: by its voucher, by the answer of a payment
SELECT p.program::int, t.code AS stock,
       coalesce(sum(m.fen) FILTER (WHERE m.sort = 'promised'), 0)::bigint,
       coalesce(sum(m.fen) FILTER (WHERE m.sort = 'freed'), 0)::bigint,
       coalesce(sum(m.fen) FILTER (WHERE m.sort = 'used'), 0)::bigint,
       coalesce(sum(m.fen) FILTER (WHERE m.sort = 'returned'), 0)::bigint
FROM (
    SELECT bucket, transfer, program, kind,
           sum(amount) FILTER (WHERE debit = 30 AND credit = 31) AS promised,
           sum(amount) FILTER (WHERE debit = 31 AND credit = 30) AS freed
    FROM posting
    WHERE at < %(cut_at)s::bigint AND xid < %(cut_xid)s::bigint
      AND NOT (at < %(previous_at)s::bigint AND xid < %(previous_xid)s::bigint)
      AND (debit_owner = %(owner)s::uuid OR credit_owner = %(owner)s::uuid)
    GROUP BY bucket, transfer, program, kind
) p
JOIN command c ON c.bucket = p.bucket AND c.id = p.transfer
CROSS JOIN LATERAL (
    SELECT v.stock, 'promised' AS sort, p.promised AS fen FROM voucher v
    WHERE v.bucket = p.bucket AND v.id = p.transfer AND p.promised > 0
    UNION ALL
    SELECT v.stock, 'freed', p.freed FROM voucher v
    WHERE p.kind IN (61, 62) AND v.bucket = p.bucket AND p.freed > 0
      AND v.id = (convert_from(c.answer, 'UTF8')::jsonb ->> 'voucher')::uuid
    UNION ALL
    SELECT v.stock, 'used', (d.value ->> 'fund_fen')::bigint
    FROM jsonb_array_elements(convert_from(c.answer, 'UTF8')::jsonb -> 'discounts') d
    JOIN voucher v ON v.bucket = p.bucket AND v.id = (d.value ->> 'voucher')::uuid
    WHERE p.kind IN (20, 22) AND d.value ->> 'fund' = %(code)s
    UNION ALL
    SELECT v.stock, 'returned', d.fen
    FROM refund r CROSS JOIN LATERAL discounts_of(r.discounts) d
    JOIN voucher v ON v.bucket = p.bucket AND v.id = d.voucher
    WHERE p.kind IN (25, 26) AND r.bucket = p.bucket AND r.id = p.transfer AND d.fund = %(owner)s::uuid
) m
JOIN stock t ON t.id = m.stock
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10000;

-- sweeps: what came back to a fund and became promisable again, from one instant to before another
SELECT business_day(c.at), (convert_from(c.answer, 'UTF8')::jsonb ->> 'returned_fen')::bigint
FROM command c
WHERE c.bucket = %(bucket)s AND c.kind = 53 AND c.outcome = 0
  AND c.at >= %(previous_at)s AND c.at < %(cut_at)s
  AND convert_from(c.answer, 'UTF8')::jsonb ->> 'fund' = %(code)s
ORDER BY c.at, c.id LIMIT 20000;

-- lots: the lots of a wallet's cards
SELECT l.id, right(c.number, 4) AS card, f.code AS fund, business_day(l.expires_at - 1) AS last_day
FROM card c JOIN lot l ON l.bucket = c.bucket AND l.card = c.id LEFT JOIN fund f ON f.id = l.fund
WHERE c.bucket = %(bucket)s AND c.wallet = %(wallet)s ORDER BY l.id LIMIT 100000;

-- lot_moves: what moved lots within a cut and not the one before
SELECT p.program::int, v.account::int, p.kind::int, v.contra::int, business_day(p.at), v.debits, v.credits, v.owner,
       p.transfer, p.at
FROM posting p
CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.credit, p.amount, 0::bigint),
                           (p.credit, p.credit_owner, p.debit, 0::bigint, p.amount))
    AS v (account, owner, contra, debits, credits)
WHERE p.bucket = %(bucket)s AND v.owner = ANY (%(lots)s::uuid[])
  AND p.at < %(cut_at)s AND p.xid < %(cut_xid)s AND NOT (p.at < %(previous_at)s AND p.xid < %(previous_xid)s)
ORDER BY p.at, p.transfer, p.line LIMIT %(most)s;

-- lots_held: each lot recounted from its first posting to a cut
SELECT p.program::int, v.account::int, v.owner, sum(v.debits)::bigint, sum(v.credits)::bigint
FROM posting p
CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.amount, 0::bigint),
                           (p.credit, p.credit_owner, 0::bigint, p.amount)) AS v (account, owner, debits, credits)
WHERE p.bucket = %(bucket)s AND v.owner = ANY (%(lots)s::uuid[]) AND p.at < %(cut_at)s AND p.xid < %(cut_xid)s
GROUP BY 1, 2, 3 LIMIT 100000;

-- answers: what commands that took effect answered
SELECT t.id, t.answer FROM unnest(%(ids)s::uuid[]) AS u (id)
JOIN command t ON t.bucket = %(bucket)s AND t.id = u.id WHERE t.outcome = 0;

-- orders_without_card: what a wallet paid without any card, with vouchers and outside money alone
SELECT p.id, p.moved_at, p.merchant, p.order_no, p.outside,
       (SELECT coalesce(sum(d.fen), 0)::bigint FROM discounts_of(p.discounts) d)
FROM payment p
WHERE p.bucket = %(bucket)s AND p.wallet = %(wallet)s AND p.state IN (2, 5, 6) AND octet_length(p.allocation) = 0
  AND p.moved_at < %(cut_at)s AND p.moved_at >= %(previous_at)s
ORDER BY p.moved_at, p.id LIMIT %(most)s;

-- statement: one statement of a party by its number
SELECT id, kind::int, subject, number, since, until, at, hash, previous, body FROM statement
WHERE bucket = %(bucket)s AND subject = %(subject)s AND number = %(number)s;

-- statement_by_id: one statement by its id
SELECT id, kind::int, subject, number, since, until, at, hash, previous, body FROM statement
WHERE bucket = %(bucket)s AND id = %(id)s;

-- statements: a page of statements without their bodies, latest first; of some parties if any are named
SELECT id, kind::int, subject, number, since, until, at, hash, previous FROM statement
WHERE (%(kind)s::smallint IS NULL OR kind = %(kind)s::smallint)
  AND (%(subjects)s::uuid[] IS NULL OR subject = ANY (%(subjects)s::uuid[]))
  AND (until, id) < (%(before)s::date, %(id)s::uuid)
ORDER BY until DESC, id DESC LIMIT %(most)s;

-- hashes: what the books keep of statements: of each asked party and number the hash
SELECT u.ord::int, t.hash
FROM unnest(%(bucket)s::smallint[], %(subject)s::uuid[], %(number)s::integer[]) WITH ORDINALITY
     AS u (bucket, subject, number, ord)
JOIN statement t ON t.bucket = u.bucket AND t.subject = u.subject AND t.number = u.number;

-- events: what took effect on a wallet, in order: what made its cards, payments and vouchers, what moved its lots, and
-- whatever names one of them in its answer
WITH own AS (
    SELECT %(wallet)s::uuid AS id
    UNION SELECT id FROM card WHERE bucket = %(bucket)s AND wallet = %(wallet)s::uuid
    UNION SELECT id FROM payment WHERE bucket = %(bucket)s AND wallet = %(wallet)s::uuid
    UNION SELECT id FROM voucher WHERE bucket = %(bucket)s AND wallet = %(wallet)s::uuid
    UNION SELECT l.id FROM card c JOIN lot l ON l.bucket = c.bucket AND l.card = c.id
          WHERE c.bucket = %(bucket)s AND c.wallet = %(wallet)s::uuid
), named AS (
    SELECT array_agg(replace(id::text, '-', '')) AS hex, array_agg(id) AS ids FROM own
)
SELECT t.id, t.kind::int, t.at, t.answer
FROM named n
JOIN command t ON t.bucket = %(bucket)s AND t.outcome = 0
CROSS JOIN LATERAL (SELECT convert_from(t.answer, 'UTF8')::jsonb AS answer) a
WHERE t.id = ANY (n.ids)
   OR ARRAY[a.answer ->> 'wallet', a.answer ->> 'card', a.answer ->> 'payment', a.answer ->> 'voucher',
            a.answer ->> 'lot'] && n.hex
   OR EXISTS (SELECT FROM posting p WHERE p.bucket = t.bucket AND p.transfer = t.id
              AND (p.debit_owner = ANY (n.ids) OR p.credit_owner = ANY (n.ids)))
ORDER BY t.at, t.id LIMIT 100000;
