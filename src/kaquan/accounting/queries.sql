-- Numbers in this file. Accounts (ledger/chart.py): 20-22 card.principal, .bonus, .subsidy, 50 holder.refund and
-- 65 interest.payable: their owners are lots and cards, of which there are too many to list; 40-42 a merchant's.
-- A posting belongs to the first closed day whose cut has it: `width_bucket` counts the cuts that do not.

-- load_commands: earlier decisions under the ids of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- horizon: the transaction below which everything has ended
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- last_closed: the last closed day
SELECT max(day) FROM closed_day;

-- first_posting: the instant of the first posting
SELECT min(at) FROM posting;

-- unsettled: how many postings before an instant are not below a horizon
SELECT count(*) FROM posting WHERE at < %(cut_at)s::bigint AND xid >= %(horizon)s::bigint;

-- closed_days: the closed days up to a day, in order
SELECT day, cut_at, cut_xid FROM (
    SELECT day, cut_at, cut_xid FROM closed_day WHERE day <= %(until)s ORDER BY day DESC LIMIT %(most)s
) t ORDER BY day;

-- latest_closed: the latest closed days, newest first
SELECT day, cut_at, cut_xid FROM closed_day WHERE day < %(before)s ORDER BY day DESC LIMIT %(most)s;

-- figures: what each account of a book came to, by owner and source: before the period, and on each of its days
SELECT t.day, v.account::int, CASE WHEN v.account IN (20, 21, 22, 50, 65) THEN NULL ELSE v.owner END, t.source::int,
       sum(v.debits)::bigint, sum(v.credits)::bigint
FROM (
    SELECT greatest(width_bucket(p.at, %(cut_at)s::bigint[]), width_bucket(p.xid, %(cut_xid)s::bigint[])) AS day,
           p.debit, p.credit, p.source,
           CASE WHEN p.debit IN (20, 21, 22, 50, 65) THEN NULL ELSE p.debit_owner END AS debit_owner,
           CASE WHEN p.credit IN (20, 21, 22, 50, 65) THEN NULL ELSE p.credit_owner END AS credit_owner, sum(p.amount) AS amount
    FROM posting p
    WHERE p.book = %(book)s AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
    GROUP BY 1, 2, 3, 4, 5, 6
) t
CROSS JOIN LATERAL (VALUES (t.debit, t.debit_owner, t.amount, 0::numeric), (t.credit, t.credit_owner, 0::numeric, t.amount))
    AS v (account, owner, debits, credits)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT 10000000;

-- journal_daily: the postings of a period by day, kind and program, added up; lots and cards without their names
SELECT t.day, t.kind::int, t.program::int, NULL::uuid, t.debit::int, t.debit_owner, t.credit::int, t.credit_owner,
       t.source::int, sum(t.amount)::bigint
FROM (
    SELECT greatest(width_bucket(p.at, %(cut_at)s::bigint[]), width_bucket(p.xid, %(cut_xid)s::bigint[])) AS day,
           p.kind, p.program, p.debit, p.credit, p.source, p.amount,
           CASE WHEN p.debit IN (20, 21, 22, 50, 65) THEN NULL ELSE p.debit_owner END AS debit_owner,
           CASE WHEN p.credit IN (20, 21, 22, 50, 65) THEN NULL ELSE p.credit_owner END AS credit_owner
    FROM posting p
    WHERE p.book = %(book)s AND (p.at >= %(since_at)s::bigint OR p.xid >= %(since_xid)s::bigint)
      AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
) t
GROUP BY 1, 2, 3, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 5, 7, 6 NULLS FIRST, 8 NULLS FIRST, 9;

-- journal_full: the postings of a period one by one, in the order of days, instants and transfers
SELECT greatest(width_bucket(p.at, %(cut_at)s::bigint[]), width_bucket(p.xid, %(cut_xid)s::bigint[])) AS day,
       p.kind::int, p.program::int, p.transfer, p.debit::int, p.debit_owner, p.credit::int, p.credit_owner,
       p.source::int, p.amount
FROM posting p
WHERE p.book = %(book)s AND (p.at >= %(since_at)s::bigint OR p.xid >= %(since_xid)s::bigint)
  AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
ORDER BY 1, p.at, p.bucket, p.transfer, p.line;

-- references: which commands a day's voucher of a kind and program stands for: how many, the first, the last, a digest
SELECT t.day, t.kind::int, t.program::int, count(*)::int, min(t.transfer::text)::uuid, max(t.transfer::text)::uuid,
       encode(sha256(string_agg(uuid_send(t.transfer), ''::bytea ORDER BY t.transfer)), 'hex')
FROM (
    SELECT DISTINCT p.kind, p.program, p.transfer,
           greatest(width_bucket(p.at, %(cut_at)s::bigint[]), width_bucket(p.xid, %(cut_xid)s::bigint[])) AS day
    FROM posting p
    WHERE p.book = %(book)s AND (p.at >= %(since_at)s::bigint OR p.xid >= %(since_xid)s::bigint)
      AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
) t
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 10000000;

-- invoices: what commands of a period moved between pairs of accounts that an invoice is due for
SELECT greatest(width_bucket(p.at, %(cut_at)s::bigint[]), width_bucket(p.xid, %(cut_xid)s::bigint[])) AS day,
       p.kind::int, p.program::int, p.transfer, p.debit::int, p.credit::int,
       CASE WHEN p.debit BETWEEN 40 AND 42 THEN p.debit_owner WHEN p.credit BETWEEN 40 AND 42 THEN p.credit_owner END,
       p.source::int, sum(p.amount)::bigint
FROM posting p
JOIN unnest(%(debit)s::smallint[], %(credit)s::smallint[]) AS w (debit, credit)
  ON w.debit = p.debit AND w.credit = p.credit
WHERE p.book = %(book)s AND (p.at >= %(since_at)s::bigint OR p.xid >= %(since_xid)s::bigint)
  AND p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 4, 5, 6, 8, 7 NULLS FIRST;

-- after: what each account of a book moved outside a cut: after it, or committed too late for it
SELECT v.account::int, sum(v.debits)::bigint, sum(v.credits)::bigint
FROM posting p
CROSS JOIN LATERAL (VALUES (p.debit, p.amount, 0::bigint), (p.credit, 0::bigint, p.amount)) AS v (account, debits, credits)
WHERE p.book = %(book)s AND NOT (p.at < %(until_at)s::bigint AND p.xid < %(until_xid)s::bigint)
GROUP BY 1 ORDER BY 1 LIMIT 10000;
