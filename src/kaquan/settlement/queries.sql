-- load_commands: earlier decisions under the ids of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- horizon: the transaction below which everything has ended, and the one that will begin next
SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s;

-- traders: the merchants that ever had money coming in a program: from the roll-up, and from what came after it
SELECT DISTINCT t.owner FROM (
    SELECT owner FROM rollup WHERE program = %(program)s AND account = 40
    UNION ALL
    SELECT CASE WHEN p.credit = 40 THEN p.credit_owner ELSE p.debit_owner END FROM posting p
    WHERE p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1) AND p.program = %(program)s
      AND (p.credit = 40 OR p.debit = 40)
) t ORDER BY t.owner LIMIT 1000000;

-- closed: the latest closed period of each asked program
SELECT DISTINCT ON (t.program) t.program::int, t.period_end, t.cut_at, t.cut_xid
FROM unnest(%(program)s::smallint[]) AS u (program) JOIN closed_period t ON t.program = u.program
ORDER BY t.program, t.period_end DESC;

-- previous: the latest settlement of each asked merchant in each asked program
SELECT u.merchant, u.program::int, s.number, s.period_end, s.cut_at, s.cut_xid, s.pending_bank + s.pending_minimum, s.by_source,
       s.standing
FROM unnest(%(bucket)s::smallint[], %(merchant)s::uuid[], %(program)s::smallint[]) AS u (bucket, merchant, program)
CROSS JOIN LATERAL (
    SELECT number, period_end, cut_at, cut_xid, pending_bank, pending_minimum, by_source, standing FROM settlement t
    WHERE t.bucket = u.bucket AND t.merchant = u.merchant AND t.program = u.program
    ORDER BY t.number DESC LIMIT 1
) s;

-- entries: trade and released reserves within each asked cut, and neither within the one before nor a closed one
-- Kinds: 20 PAY, 22 CAPTURE, 25 REFUND, 26 REVERSE, 41 RELEASE_RESERVE, 160 PAY_PARTNER, 161 WRITE_OFF_DEBT, 177
-- OPEN_DISPUTE (what it holds back is a negative release), 179 RESOLVE_DISPUTE. Account 40: MERCHANT_PAYABLE,
-- 30 to 33 of a fund. Trade is told by who paid for it: the other account, and the fund. One pass over the rows since
-- the oldest of the earlier cuts, however many merchants are asked for.
SELECT u.ord::int, e.source::int,
       coalesce(sum(e.amount) FILTER (WHERE e.kind IN (20, 22)), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.kind IN (25, 26)), 0)::bigint,
       coalesce(sum(CASE e.kind WHEN 177 THEN -e.amount ELSE e.amount END)
                FILTER (WHERE e.kind IN (41, 160, 177, 179)), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.kind = 161), 0)::bigint,
       e.other::int, e.fund
FROM unnest(%(merchant)s::uuid[], %(program)s::smallint[], %(cut_at)s::bigint[], %(cut_xid)s::bigint[],
            %(previous_at)s::bigint[], %(previous_xid)s::bigint[], %(closed_at)s::bigint[], %(closed_xid)s::bigint[])
     WITH ORDINALITY AS u (merchant, program, cut_at, cut_xid, previous_at, previous_xid, closed_at, closed_xid, ord)
JOIN (
    SELECT CASE WHEN p.credit = 40 THEN p.credit_owner ELSE p.debit_owner END AS merchant,
           p.program, p.source, p.kind, p.amount, p.at, p.xid,
           CASE WHEN p.credit = 40 THEN p.debit ELSE p.credit END AS other,
           CASE WHEN p.credit = 40 AND p.debit BETWEEN 30 AND 33 THEN p.debit_owner
                WHEN p.debit = 40 AND p.credit BETWEEN 30 AND 33 THEN p.credit_owner END AS fund
    FROM posting p
    WHERE (p.at >= %(since_at)s::bigint OR p.xid >= %(since_xid)s::bigint)
      AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
      AND p.kind IN (20, 22, 25, 26, 41, 160, 161, 177, 179) AND (p.credit = 40 OR p.debit = 40)
) e ON e.merchant = u.merchant AND e.program = u.program
WHERE e.at < u.cut_at AND e.xid < u.cut_xid AND NOT (e.at < u.previous_at AND e.xid < u.previous_xid)
  AND NOT (e.at < u.closed_at AND e.xid < u.closed_xid)
GROUP BY u.ord, e.source, e.other, e.fund;

-- held_back: what is still held back of each asked merchant in each asked program, the first to be released first
SELECT t.id, t.settlement, t.merchant, t.program::int, t.version, t.state::int, t.amount, t.release_on, t.by_source, t.drawn_by_source
FROM unnest(%(bucket)s::smallint[], %(merchant)s::uuid[], %(program)s::smallint[]) AS u (bucket, merchant, program)
JOIN reserve t ON t.bucket = u.bucket AND t.merchant = u.merchant AND t.program = u.program
WHERE t.state = 1 AND t.drawn < t.amount ORDER BY t.release_on, t.id LIMIT 10000000;

-- lock_reserves: keep reserves as they are until the commit
SELECT 1 FROM reserve t WHERE t.bucket = ANY (%(buckets)s::smallint[]) AND t.id = ANY (%(id)s::uuid[])
ORDER BY t.id FOR NO KEY UPDATE;

-- reserves: reserves by the id of their settlement
SELECT t.id, t.settlement, t.merchant, t.program::int, t.version, t.state::int, t.amount, t.release_on, t.by_source, t.drawn_by_source
FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN reserve t ON t.bucket = u.bucket AND t.id = u.id;

-- progress: when each program's first terms came into force, and its last closed period
SELECT t.program::int, min(t.at), (SELECT max(c.period_end) FROM closed_period c WHERE c.program = t.program)
FROM program_terms t GROUP BY t.program ORDER BY t.program LIMIT 10000;

-- waiting: merchants whose latest settlement found no bank account to pay to
SELECT s.program::int, s.merchant, s.period_end, s.pending_bank FROM settlement s
WHERE s.pending_bank > 0 AND NOT EXISTS (
    SELECT FROM settlement later WHERE later.bucket = s.bucket AND later.merchant = s.merchant
      AND later.program = s.program AND later.number > s.number)
ORDER BY s.program, s.period_end, s.merchant LIMIT 100000;

-- reserves_due: reserves whose time has come, oldest first
SELECT id FROM reserve WHERE state = 1 AND release_on <= %(today)s ORDER BY release_on, id LIMIT %(most)s;

-- settlements: the settlements of a period, for display
SELECT s.id, m.code, m.name, s.number, s.gross, s.refunds, s.carried, s.released, s.fee, s.reserved, s.paid,
       s.carry, s.pending_bank, s.tax, s.shared, s.drawn, s.written_off, s.transferred, s.pending_minimum, s.pay_on
FROM settlement s JOIN merchant m ON m.id = s.merchant
WHERE s.program = %(program)s AND s.period_end = %(period_end)s ORDER BY m.code LIMIT 100000;

-- payouts: what the bank is instructed to pay for a period
SELECT p.id, m.code, m.name, p.account_bank, p.account_no, p.source::int, p.amount, p.pay_on
FROM settlement s
JOIN payout p ON p.bucket = s.bucket AND p.settlement = s.id
JOIN merchant m ON m.id = s.merchant
WHERE s.program = %(program)s AND s.period_end = %(period_end)s ORDER BY m.code, p.source LIMIT 1000000;

-- settlement: one settlement for display
SELECT s.id, s.merchant, m.code, m.name, p.code AS program, s.number, s.period_end, s.pay_on, s.at, s.gross, s.refunds,
       s.carried, s.released, s.fee, s.reserved, s.paid, s.carry, s.pending_bank, s.tax, s.shared, s.drawn, s.written_off,
       s.transferred, s.pending_minimum, s.by_source, s.lines, s.standing,
       r.amount AS reserve, r.drawn AS reserve_drawn, r.state AS reserve_state, r.release_on
FROM settlement s JOIN merchant m ON m.id = s.merchant JOIN program p ON p.id = s.program
LEFT JOIN LATERAL (
    SELECT sum(t.amount)::bigint AS amount, sum(t.drawn)::bigint AS drawn, min(t.state)::int AS state,
           max(t.release_on) AS release_on
    FROM reserve t WHERE t.bucket = s.bucket AND t.settlement = s.id
) r ON true
WHERE s.bucket = %(bucket)s AND s.id = %(id)s;

-- settlements_page: a page of settlements of some programs and, if one is named, of a merchant; the latest period first
SELECT s.id, s.merchant, m.code, m.name, p.code AS program, s.number, s.period_end, s.pay_on, s.at, s.gross, s.refunds,
       s.carried, s.released, s.fee, s.reserved, s.paid, s.carry, s.pending_bank, s.tax, s.shared, s.drawn, s.written_off,
       s.transferred, s.pending_minimum
FROM settlement s JOIN merchant m ON m.id = s.merchant JOIN program p ON p.id = s.program
WHERE s.program = ANY (%(programs)s::smallint[])
  AND (%(merchant)s::uuid IS NULL OR s.merchant = %(merchant)s::uuid)
  AND (%(period_end)s::date IS NULL OR s.period_end = %(period_end)s::date)
  AND (s.period_end, s.id) < (%(before)s::date, %(id)s::uuid)
ORDER BY s.period_end DESC, s.id DESC LIMIT %(most)s;

-- payouts_page: a page of instructions to the bank of some programs and, if one is named, of a merchant; latest day first
SELECT y.id, y.settlement, m.code, m.name, p.code AS program, y.source::int, y.amount, y.pay_on, y.account_bank,
       right(y.account_no, 4) AS account_ending, s.period_end
FROM payout y
JOIN settlement s ON s.bucket = y.bucket AND s.id = y.settlement
JOIN merchant m ON m.id = y.merchant
JOIN program p ON p.id = s.program
WHERE s.program = ANY (%(programs)s::smallint[])
  AND (%(merchant)s::uuid IS NULL OR y.merchant = %(merchant)s::uuid)
  AND (y.pay_on, y.id) < (%(before)s::date, %(id)s::uuid)
ORDER BY y.pay_on DESC, y.id DESC LIMIT %(most)s;

-- transfers_page: a page of transfers to own stores of some programs and, if one is named, of a merchant; latest day first
SELECT y.id, y.settlement, m.code, m.name, p.code AS program, y.source::int, y.amount, y.transfer_on, y.period_end
FROM internal_transfer y
JOIN merchant m ON m.id = y.merchant
JOIN program p ON p.id = y.program
WHERE y.program = ANY (%(programs)s::smallint[])
  AND (%(merchant)s::uuid IS NULL OR y.merchant = %(merchant)s::uuid)
  AND (%(period_end)s::date IS NULL OR y.period_end = %(period_end)s::date)
  AND (y.transfer_on, y.id) < (%(before)s::date, %(id)s::uuid)
ORDER BY y.transfer_on DESC, y.id DESC LIMIT %(most)s;

-- owing: merchants of some programs whose latest settlement left them owing, the longest first
SELECT s.id, s.program AS program_id, p.code AS program, m.code, m.name, s.merchant, s.number, -s.carry AS owed,
       coalesce((s.standing ->> 'owing_since')::date, s.period_end) AS since
FROM settlement s JOIN merchant m ON m.id = s.merchant JOIN program p ON p.id = s.program
WHERE s.program = ANY (%(programs)s::smallint[]) AND s.carry < 0
  AND (%(merchant)s::uuid IS NULL OR s.merchant = %(merchant)s::uuid)
  AND NOT EXISTS (SELECT FROM settlement later WHERE later.bucket = s.bucket AND later.merchant = s.merchant
                    AND later.program = s.program AND later.number > s.number)
  AND NOT EXISTS (SELECT FROM write_off w WHERE w.bucket = s.bucket AND w.merchant = s.merchant
                    AND w.program = s.program AND w.number = s.number)
ORDER BY since, s.id LIMIT 100000;

-- partner_payments: how often each asked partner was paid in each asked program
SELECT u.partner, u.program::int, coalesce(max(t.number), 0)::int
FROM unnest(%(bucket)s::smallint[], %(partner)s::uuid[], %(program)s::smallint[]) AS u (bucket, partner, program)
LEFT JOIN partner_payment t ON t.bucket = u.bucket AND t.partner = u.partner AND t.program = u.program
GROUP BY 1, 2;

-- partner_balances: what partners have of merchants by program and source; account 45: PARTNER_PAYABLE
SELECT t.owner, t.program::int, t.source::int, sum(t.amount)::bigint FROM (
    SELECT owner, program, source, credits - debits AS amount FROM rollup WHERE account = 45
    UNION ALL
    SELECT v.owner, p.program, p.source, v.amount FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1) AND (p.debit = 45 OR p.credit = 45) AND v.account = 45
) t GROUP BY 1, 2, 3 HAVING sum(t.amount) <> 0 ORDER BY 2, 1, 3 LIMIT 100000;

-- written_off: after which of their settlements the debts of merchants in programs were written off
SELECT t.merchant, t.program::int, t.number
FROM unnest(%(bucket)s::smallint[], %(merchant)s::uuid[], %(program)s::smallint[]) AS u (bucket, merchant, program)
JOIN write_off t ON t.bucket = u.bucket AND t.merchant = u.merchant AND t.program = u.program LIMIT 1000000;
