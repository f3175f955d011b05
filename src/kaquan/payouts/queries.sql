-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- lock_payouts: keep payouts as they are until the commit
SELECT 1 FROM payout t WHERE t.bucket = ANY (%(buckets)s::smallint[]) AND t.id = ANY (%(id)s::uuid[])
ORDER BY t.id FOR NO KEY UPDATE;

-- payouts: payouts by their ids
SELECT t.id, t.version, t.settlement, t.merchant, s.program::int, t.source::int, t.amount, t.held, t.state::int,
       t.attempt::int, t.questions::int, t.file, t.reference, t.account_bank, t.account_no, t.pay_on
FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN payout t ON t.bucket = u.bucket AND t.id = u.id
JOIN settlement s ON s.bucket = t.bucket AND s.id = t.settlement;

-- confirmed: under which references the bank confirmed payouts
SELECT t.payout, t.reference FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN payout_step t ON t.bucket = u.bucket AND t.payout = u.id AND t.state = 3;

-- exceptions_by_id: lines that fitted nothing, by their ids
SELECT t.id, t.version, t.payout, t.attempt::int, t.said::int, t.amount, t.reference, t.code, t.state::int
FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN payout_exception t ON t.bucket = u.bucket AND t.id = u.id;

-- ready: payouts that are due by a day from a source of money and may be sent, as far as they themselves tell
SELECT t.id, t.merchant, s.program::int FROM payout t
JOIN settlement s ON s.bucket = t.bucket AND s.id = t.settlement
WHERE t.state = 1 AND t.questions = 0 AND t.held < t.amount AND t.source = %(source)s AND t.pay_on <= %(until)s
ORDER BY t.pay_on, t.id LIMIT %(most)s;

-- source_accounts: which bank accounts pay
SELECT DISTINCT ON (t.book, t.source) t.book::int, t.source::int, t.account_name, t.account_bank, t.account_no
FROM source_account t ORDER BY t.book, t.source, t.at DESC, t.id DESC LIMIT 10000;

-- next_number: the number of the next file
SELECT coalesce(max(number), 0) + 1 FROM payout_file;

-- file: one file
SELECT t.id, t.version, t.number, t.format::int, t.state::int, t.account_name, t.account_bank, t.account_no,
       t.source::int, t.pay_on, t.at, t.listed, t.sha256, t.content
FROM payout_file t WHERE t.bucket = %(bucket)s AND t.id = %(id)s;

-- file_list: what a file lists, in its order
SELECT l.payout FROM payout_file_line l WHERE l.bucket = %(bucket)s AND l.file = %(id)s ORDER BY l.payout LIMIT 100000;

-- file_lines: what is in a file, in its order
SELECT t.payout, t.attempt::int, m.name, t.account_bank, t.account_no, t.amount, s.period_end
FROM payout_file_line l
JOIN payout_step t ON t.bucket = l.payout_bucket AND t.payout = l.payout AND t.file = l.file AND t.state = 2
JOIN payout p ON p.bucket = l.payout_bucket AND p.id = l.payout
JOIN settlement s ON s.bucket = p.bucket AND s.id = p.settlement
JOIN merchant m ON m.id = p.merchant
WHERE l.bucket = %(bucket)s AND l.file = %(id)s ORDER BY l.payout LIMIT 100000;

-- files_page: files for display, the latest first
SELECT t.id, t.number, t.format::int, t.state::int, o.code AS organisation, t.source::int, t.pay_on, t.at, t.listed,
       t.lines, t.total, t.sha256, t.person, t.account_bank, right(t.account_no, 4) AS account_ending
FROM payout_file t JOIN organisation o ON o.book = t.book
WHERE t.number < %(before)s ORDER BY t.number DESC LIMIT %(most)s;

-- view: one payout for display
SELECT t.id, t.merchant, t.settlement, m.code, m.name, p.code AS program, t.source::int, t.amount, t.held, t.pay_on,
       t.state::int, t.attempt::int, t.questions::int, t.account_bank, right(t.account_no, 4) AS account_ending,
       s.period_end, t.reference
FROM payout t
JOIN settlement s ON s.bucket = t.bucket AND s.id = t.settlement
JOIN merchant m ON m.id = t.merchant
JOIN program p ON p.id = s.program
WHERE t.bucket = %(bucket)s AND t.id = %(id)s;

-- steps: what happened to a payout, in order
SELECT t.id, t.attempt::int, t.state::int, t.at, t.amount, t.file, f.number AS file_number, t.account_bank,
       right(t.account_no, 4) AS account_ending, t.reference, t.reason, t.person
FROM payout_step t LEFT JOIN payout_file f ON f.id = t.file
WHERE t.bucket = %(bucket)s AND t.payout = %(id)s ORDER BY t.attempt, t.at, t.state, t.id LIMIT 10000;

-- listed: payouts for display in a state, or in all, the latest day first
SELECT t.id, t.settlement, m.code, m.name, p.code AS program, t.source::int, t.amount, t.held, t.pay_on, t.state::int,
       t.attempt::int, t.questions::int, t.account_bank, right(t.account_no, 4) AS account_ending, s.period_end
FROM payout t
JOIN settlement s ON s.bucket = t.bucket AND s.id = t.settlement
JOIN merchant m ON m.id = t.merchant
JOIN program p ON p.id = s.program
WHERE (%(state)s::smallint IS NULL OR t.state = %(state)s::smallint)
  AND (%(merchant)s::uuid IS NULL OR t.merchant = %(merchant)s::uuid)
ORDER BY t.pay_on DESC, t.id DESC LIMIT %(most)s;

-- exceptions_page: lines that fitted nothing, for display, the oldest first; all, or those that are open
SELECT t.id, t.payout, t.attempt::int, t.said::int, t.amount, t.number, t.reference, t.reason, t.code, t.state::int,
       t.at, t.verdict::int, t.explanation, t.explained_by, t.explained_at
FROM payout_exception t
WHERE (%(every)s OR t.state = 1) AND (t.at, t.id) > (%(after_at)s, %(after)s::uuid)
ORDER BY t.at, t.id LIMIT %(most)s;

-- positions: where the payouts of each book and bank account stand
SELECT o.code AS organisation, t.source::int, t.state::int, count(*) AS payouts, sum(t.amount - t.held)::bigint AS amount,
       sum(t.held)::bigint AS held
FROM (
    SELECT DISTINCT ON (p.bucket, p.id) p.*, g.book FROM payout p
    JOIN posting g ON g.bucket = p.bucket AND g.transfer = p.settlement AND g.credit = 42 AND g.source = p.source
    ORDER BY p.bucket, p.id, g.line
) t
JOIN organisation o ON o.book = t.book
GROUP BY o.code, t.source, t.state ORDER BY o.code, t.source, t.state LIMIT 10000;
