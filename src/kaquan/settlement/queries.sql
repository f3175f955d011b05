-- load_commands: earlier decisions under the ids of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- horizon: the transaction below which everything has ended, and the one that will begin next
SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s;

-- previous: the latest settlement of each asked merchant in each asked program
SELECT u.merchant, u.program::int, s.number, s.period_end, s.cut_at, s.cut_xid, s.by_source
FROM unnest(%(bucket)s::smallint[], %(merchant)s::uuid[], %(program)s::smallint[]) AS u (bucket, merchant, program)
CROSS JOIN LATERAL (
    SELECT number, period_end, cut_at, cut_xid, by_source FROM settlement t
    WHERE t.bucket = u.bucket AND t.merchant = u.merchant AND t.program = u.program
    ORDER BY t.number DESC LIMIT 1
) s;

-- entries: trade and released reserves within each asked cut and not within the one before, by source
-- Kinds: 20 PAY, 22 CAPTURE, 25 REFUND, 26 REVERSE, 41 RELEASE_RESERVE. Account 40: MERCHANT_PAYABLE. One pass over
-- the rows since the oldest of the earlier cuts, however many merchants are asked for.
SELECT u.ord::int, e.source::int,
       coalesce(sum(e.amount) FILTER (WHERE e.kind IN (20, 22)), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.kind IN (25, 26)), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.kind = 41), 0)::bigint
FROM unnest(%(merchant)s::uuid[], %(program)s::smallint[], %(cut_at)s::bigint[], %(cut_xid)s::bigint[],
            %(previous_at)s::bigint[], %(previous_xid)s::bigint[])
     WITH ORDINALITY AS u (merchant, program, cut_at, cut_xid, previous_at, previous_xid, ord)
JOIN (
    SELECT CASE WHEN p.credit = 40 THEN p.credit_owner ELSE p.debit_owner END AS merchant,
           p.program, p.source, p.kind, p.amount, p.at, p.xid
    FROM posting p
    WHERE (p.at >= %(since_at)s::bigint OR p.xid >= %(since_xid)s::bigint)
      AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
      AND p.kind IN (20, 22, 25, 26, 41) AND (p.credit = 40 OR p.debit = 40)
) e ON e.merchant = u.merchant AND e.program = u.program
WHERE e.at < u.cut_at AND e.xid < u.cut_xid AND NOT (e.at < u.previous_at AND e.xid < u.previous_xid)
GROUP BY u.ord, e.source;

-- lock_reserves: keep reserves as they are until the commit
SELECT 1 FROM reserve t WHERE t.bucket = ANY (%(buckets)s::smallint[]) AND t.id = ANY (%(id)s::uuid[])
ORDER BY t.id FOR NO KEY UPDATE;

-- reserves: reserves by the id of their settlement
SELECT t.id, t.merchant, t.program::int, t.version, t.state::int, t.amount, t.release_on, t.by_source
FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN reserve t ON t.bucket = u.bucket AND t.id = u.id;

-- settled_to: the last settled period of each merchant of a program that has one
SELECT merchant, max(period_end) FROM settlement WHERE program = %(program)s GROUP BY merchant LIMIT 1000000;

-- opened: when a program's first terms came into force
SELECT min(at) FROM program_terms WHERE program = %(program)s;

-- reserves_due: reserves whose time has come, oldest first
SELECT id FROM reserve WHERE state = 1 AND release_on <= %(today)s ORDER BY release_on, id LIMIT %(most)s;

-- settlements: the settlements of a period, for display
SELECT s.id, m.code, m.name, s.number, s.gross, s.refunds, s.carried, s.released, s.fee, s.reserved, s.paid,
       s.carry, s.pay_on
FROM settlement s JOIN merchant m ON m.id = s.merchant
WHERE s.program = %(program)s AND s.period_end = %(period_end)s ORDER BY m.code LIMIT 100000;

-- payouts: what the bank is instructed to pay for a period
SELECT p.id, m.code, m.name, m.account_bank, m.account_no, p.source::int, p.amount, s.period_end, p.pay_on
FROM settlement s
JOIN payout p ON p.bucket = s.bucket AND p.settlement = s.id
JOIN merchant m ON m.id = s.merchant
WHERE s.program = %(program)s AND s.period_end = %(period_end)s ORDER BY m.code, p.source LIMIT 1000000;
