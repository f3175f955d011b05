-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- payments: payments, and what refunds brought back of them
SELECT t.id, t.merchant, t.program::int, t.refunded
FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN payment t ON t.bucket = u.bucket AND t.id = u.id;

-- earned: what a merchant was credited for payments by the source of the money, less what refunds took back
SELECT u.id, p.source::int, sum(CASE WHEN p.credit = 40 THEN p.amount ELSE -p.amount END)::bigint
FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
CROSS JOIN LATERAL (
    SELECT u.id AS transfer
    UNION ALL SELECT r.id FROM refund r WHERE r.bucket = u.bucket AND r.payment = u.id
) t
JOIN posting p ON p.bucket = u.bucket AND p.transfer = t.transfer AND (p.credit = 40 OR p.debit = 40)
GROUP BY u.id, p.source HAVING sum(CASE WHEN p.credit = 40 THEN p.amount ELSE -p.amount END) > 0;

-- open: what is disputed now
SELECT t.object FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN dispute t ON t.bucket = u.bucket AND t.object = u.id AND t.state = 1;

-- disputes: disputes by their ids
SELECT t.id, t.version, t.about::int, t.object, t.merchant, t.program::int, t.amount, t.by_source, t.refunded,
       t.state::int, t.answer
FROM unnest(%(bucket)s::smallint[], %(id)s::uuid[]) AS u (bucket, id)
JOIN dispute t ON t.bucket = u.bucket AND t.id = u.id;

-- disputes_page: disputes for display, the nearest deadline first; all, or those that are open
SELECT t.id, t.about::int, t.object, m.code, p.code AS program, t.amount, t.state::int, t.reason, t.opened_by, t.at,
       t.answer_by, t.decide_by, t.answer, t.decision, t.decided_by
FROM dispute t JOIN merchant m ON m.id = t.merchant JOIN program p ON p.id = t.program
WHERE (%(every)s OR t.state = 1) AND (%(merchant)s::uuid IS NULL OR t.merchant = %(merchant)s::uuid)
ORDER BY t.decide_by, t.id LIMIT %(most)s;
