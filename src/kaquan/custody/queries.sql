-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- custodies: the custody of some programs
SELECT c.id, c.version, c.program::int, c.state::int, c.released, c.day, c.short_since, c.bank_day, c.bank_fen,
       c.bank_short, c.stop
FROM custody c WHERE c.bucket = ANY (%(buckets)s::smallint[]) AND c.id = ANY (%(ids)s::uuid[]) LIMIT 10000;

-- all_custodies: the custody of every program that has any
SELECT c.id, c.version, c.program::int, c.state::int, c.released, c.day, c.short_since, c.bank_day, c.bank_fen,
       c.bank_short, c.stop
FROM custody c ORDER BY c.program LIMIT 10000;

-- books: principal, all that is held for others, money taken and money in custody, of a program in a book: all of it
-- (row 0), and what came since some instants. One snapshot.
-- Accounts: 10 bank.custody, 13 channel, 20 card.principal, 23 principal that passes from holder to holder; held for
-- others out of what holders paid (source 1): these, 40 merchant.payable, 41 .reserve, 42 .payout, 45 partner.payable, 50
-- holder.refund, 70 due_to.
WITH asked AS (
    SELECT u.since FROM unnest(%(since)s::bigint[]) AS u (since)
), total AS (
    SELECT account, source, credits - debits AS amount, debits
    FROM rollup WHERE book = %(book)s AND program = %(program)s AND account IN (10, 13, 20, 23, 40, 41, 42, 45, 50, 70)
    UNION ALL
    SELECT v.account, p.source, v.amount, greatest(-v.amount, 0)
    FROM posting p CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS v (account, amount)
    WHERE p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1) AND p.book = %(book)s AND p.program = %(program)s
      AND v.account IN (10, 13, 20, 23, 40, 41, 42, 45, 50, 70)
)
SELECT 0::bigint AS since,
       coalesce(sum(amount) FILTER (WHERE account IN (20, 23)), 0)::bigint AS principal,
       coalesce(sum(amount) FILTER (WHERE account IN (20, 23, 40, 41, 42, 45, 50, 70) AND source = 1), 0)::bigint AS owed,
       coalesce(sum(debits) FILTER (WHERE account = 13), 0)::bigint AS topped_up,
       coalesce(-sum(amount) FILTER (WHERE account = 10), 0)::bigint AS custody
FROM total
UNION ALL
SELECT a.since,
       coalesce(sum(v.amount) FILTER (WHERE v.account IN (20, 23)), 0)::bigint,
       coalesce(sum(v.amount) FILTER (WHERE v.account IN (20, 23, 40, 41, 42, 45, 50, 70) AND v.source = 1), 0)::bigint,
       coalesce(-sum(v.amount) FILTER (WHERE v.account = 13 AND v.amount < 0), 0)::bigint,
       coalesce(-sum(v.amount) FILTER (WHERE v.account = 10), 0)::bigint
FROM asked a
LEFT JOIN LATERAL (
    SELECT s.account, s.amount, p.source
    FROM posting p CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS s (account, amount)
    WHERE p.at >= a.since AND p.book = %(book)s AND p.program = %(program)s
) v ON true
GROUP BY a.since LIMIT 1000;

-- quarter_end: the principal at the end of the quarter before a day's, if a day of the quarter was kept
SELECT d.quarter_end FROM custody_day d
WHERE d.bucket = %(bucket)s AND d.id = %(id)s AND d.day >= %(since)s AND d.day <= %(day)s ORDER BY d.day LIMIT 1;

-- days: the days of a custody that were kept, newest first
SELECT d.day, d.at, d.required, d.ledger, d.bank, d.covered, d.state::int, d.law_pack, d.law_version, d.rules,
       t.version AS terms_version
FROM custody_day d JOIN program_terms t ON t.id = d.terms
WHERE d.bucket = %(bucket)s AND d.id = %(id)s AND d.day < %(before)s ORDER BY d.day DESC LIMIT %(most)s;

-- statements: statements of the bank by their ids
SELECT s.id, s.version, s.day, s.opening, s.closing, s.state::int, s.person, s.looked_by
FROM custody_statement s WHERE s.bucket = ANY (%(buckets)s::smallint[]) AND s.id = ANY (%(ids)s::uuid[]) LIMIT 10000;

-- statements_of: the statements of a custody, the latest first
SELECT s.day, s.number, s.opening, s.closing, s.state::int, s.reference, s.person, s.looked_by,
       (SELECT count(*) FROM custody_entry e WHERE e.bucket = s.bucket AND e.statement = s.id) AS entries
FROM custody_statement s WHERE s.bucket = %(bucket)s AND s.custody = %(custody)s
ORDER BY s.day DESC, s.number DESC LIMIT %(most)s;

-- open_discrepancies: what the bank and the books do not agree on, not matched or explained yet
SELECT d.id, d.version, d.kind::int, d.amount, d.day, d.reference, d.transfer
FROM custody_discrepancy d WHERE d.bucket = %(bucket)s AND d.custody = %(custody)s AND d.state = 1
ORDER BY d.day, d.id LIMIT 10000;

-- discrepancies: all discrepancies of a custody, the latest first
SELECT d.id, d.kind::int, d.amount, d.day, d.reference, d.state::int, d.person, d.reason, s.number
FROM custody_discrepancy d JOIN custody_statement s ON s.bucket = d.bucket AND s.id = d.statement
WHERE d.bucket = %(bucket)s AND d.custody = %(custody)s ORDER BY d.day DESC, d.id LIMIT %(most)s;

-- booked: movements of custody by the books between two instants, with the reference that their command gave
SELECT p.transfer, sum(p.amount * ((p.debit = 10)::int - (p.credit = 10)::int))::bigint, min(p.at),
       coalesce((SELECT convert_from(c.answer, 'UTF8')::jsonb ->> 'reference' FROM command c
                 WHERE c.bucket = p.bucket AND c.id = p.transfer), '')
FROM posting p
WHERE p.at >= %(since)s AND p.at < %(until)s AND p.book = %(book)s AND p.program = %(program)s
  AND (p.debit = 10 OR p.credit = 10)
GROUP BY p.bucket, p.transfer ORDER BY min(p.at), p.transfer LIMIT 10000;
