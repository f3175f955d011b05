-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- endpoints: the endpoints by these ids, in the order of `model.Endpoint`
SELECT e.id, e.version, e.organisation, e.state::int, e.url, e.events, e.secret, e.since, coalesce(e.previous, ''),
       e.previous_until, e.reason, e.at
FROM unnest(%(buckets)s::smallint[], %(ids)s::uuid[]) AS u (bucket, id)
JOIN webhook_endpoint e ON e.bucket = u.bucket AND e.id = u.id;

-- organisations: codes and ids
SELECT code, id FROM organisation WHERE code = ANY (%(codes)s::text[]);

-- of_organisation: how many endpoints each organisation has that are not removed
SELECT organisation, count(*) FROM webhook_endpoint WHERE state <> 3 GROUP BY organisation LIMIT 100000;

-- running: every endpoint that hears of events, in the order of `model.Endpoint`
SELECT e.id, e.version, e.organisation, e.state::int, e.url, e.events, e.secret, e.since, coalesce(e.previous, ''),
       e.previous_until, e.reason, e.at
FROM webhook_endpoint e WHERE e.state = 1 ORDER BY e.id LIMIT 100000;

-- listed: endpoints for display with what did not arrive, those of one organisation or of all
SELECT e.id, coalesce(o.code, '') AS organisation, e.state::int, e.url, e.events, e.reason, e.at, e.previous_until,
       (SELECT count(*) FROM webhook_delivery d
        WHERE d.bucket = e.bucket AND d.endpoint = e.id AND d.state = 1) AS waiting,
       (SELECT count(*) FROM webhook_delivery d
        WHERE d.bucket = e.bucket AND d.endpoint = e.id AND d.state = 3) AS given_up
FROM webhook_endpoint e LEFT JOIN organisation o ON o.id = e.organisation
WHERE e.state <> 3 AND (%(organisation)s::integer IS NULL OR e.organisation = %(organisation)s::integer)
ORDER BY e.at, e.id LIMIT %(most)s;

-- position: journal rows below this transaction have their deliveries
SELECT xid FROM webhook_position WHERE id = 1;

-- horizon: the transaction below which everything has ended
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- until: the transaction that a look of so many journal rows goes up to; NULL for all that there are
SELECT (SELECT xid FROM journal WHERE xid >= %(since)s::bigint AND xid < %(until)s::bigint
        ORDER BY xid OFFSET %(most)s::bigint LIMIT 1);

-- happened: the journal between two transactions
SELECT at, commands, events FROM journal WHERE xid >= %(since)s::bigint AND xid < %(until)s::bigint
ORDER BY xid, bucket, id LIMIT ALL;

-- answers: what commands answered
SELECT c.id, c.answer FROM unnest(%(buckets)s::smallint[], %(ids)s::uuid[]) AS u (bucket, id)
JOIN command c ON c.bucket = u.bucket AND c.id = u.id;

-- programs: codes of programs by their numbers
SELECT id::int, code FROM program LIMIT 10000;

-- concerned: the organisations that things concern: issuer, merchant's organisation, party of a fund, owner
SELECT DISTINCT u.number, o.organisation
FROM unnest(%(numbers)s::integer[], %(kinds)s::text[], %(buckets)s::smallint[], %(ids)s::uuid[], %(codes)s::text[])
     AS u (number, kind, bucket, id, code)
CROSS JOIN LATERAL (
    SELECT g.id AS organisation FROM organisation g WHERE u.kind = 'organisation' AND g.code = u.code
    UNION ALL SELECT g.issuer FROM program g WHERE u.kind = 'program' AND g.code = u.code
    UNION ALL SELECT f.organisation FROM fund f WHERE u.kind = 'fund' AND f.code = u.code
    UNION ALL SELECT m.organisation FROM merchant m WHERE u.kind = 'merchant' AND m.id = u.id
    UNION ALL SELECT m.organisation FROM store s JOIN merchant m ON m.id = s.merchant WHERE u.kind = 'store' AND s.id = u.id
    UNION ALL SELECT e.organisation FROM webhook_endpoint e WHERE u.kind = 'endpoint' AND e.bucket = u.bucket AND e.id = u.id
    UNION ALL SELECT k.organisation FROM api_key k WHERE u.kind = 'api_key' AND k.bucket = u.bucket AND k.id = u.id
    UNION ALL SELECT a.organisation FROM approval a WHERE u.kind = 'approval' AND a.bucket = u.bucket AND a.id = u.id
    UNION ALL SELECT m.organisation FROM statement s JOIN merchant m ON m.id = s.subject
              WHERE u.kind = 'statement' AND s.bucket = u.bucket AND s.id = u.id AND s.kind = 1
    UNION ALL SELECT f.organisation FROM statement s JOIN fund f ON f.id = s.subject
              WHERE u.kind = 'statement' AND s.bucket = u.bucket AND s.id = u.id AND s.kind = 2
    UNION ALL SELECT g.issuer FROM payment p JOIN program g ON g.id = p.program
              WHERE u.kind = 'payment' AND p.bucket = u.bucket AND p.id = u.id
    UNION ALL SELECT m.organisation FROM payment p JOIN merchant m ON m.id = p.merchant
              WHERE u.kind = 'payment' AND p.bucket = u.bucket AND p.id = u.id
    UNION ALL SELECT g.issuer FROM card c JOIN program g ON g.id = c.program
              WHERE u.kind = 'card' AND c.bucket = u.bucket AND c.id = u.id
    UNION ALL SELECT g.issuer FROM lot l JOIN card c ON c.bucket = l.bucket AND c.id = l.card
              JOIN program g ON g.id = c.program WHERE u.kind = 'lot' AND l.bucket = u.bucket AND l.id = u.id
    UNION ALL SELECT g.issuer FROM voucher v JOIN stock s ON s.id = v.stock JOIN program g ON g.id = s.program
              WHERE u.kind = 'voucher' AND v.bucket = u.bucket AND v.id = u.id
    UNION ALL SELECT g.issuer FROM code_batch b JOIN stock s ON s.id = b.stock JOIN program g ON g.id = s.program
              WHERE u.kind = 'batch' AND b.bucket = u.bucket AND b.id = u.id
    UNION ALL SELECT g.issuer FROM draw d JOIN stock s ON s.id = d.stock JOIN program g ON g.id = s.program
              WHERE u.kind = 'draw' AND d.bucket = u.bucket AND d.id = u.id
    UNION ALL SELECT g.issuer FROM plan p JOIN stock s ON s.id = p.stock JOIN program g ON g.id = s.program
              WHERE u.kind = 'plan' AND p.bucket = u.bucket AND p.id = u.id
    UNION ALL SELECT g.issuer FROM packet_pool p JOIN program g ON g.id = p.program
              WHERE u.kind = 'pool' AND p.bucket = u.bucket AND p.id = u.id
    UNION ALL SELECT g.issuer FROM referral r JOIN program g ON g.id = r.program
              WHERE u.kind = 'referral' AND r.bucket = u.bucket AND r.id = u.id
    UNION ALL SELECT g.issuer FROM invitation i JOIN referral r ON r.bucket = i.referral_bucket AND r.id = i.referral
              JOIN program g ON g.id = r.program WHERE u.kind = 'invitation' AND i.bucket = u.bucket AND i.id = u.id
) o LIMIT ALL;

-- queue: write deliveries and move the position; false when somebody else has moved it
SELECT * FROM queue_webhooks(%s::bigint, %s::bigint, %s, %s, %s, %s, %s, %s::bigint, %s, %s);

-- take: due deliveries of running endpoints, a few of each, put off for as long as sending may take
UPDATE webhook_delivery d SET due_at = %(leased)s::bigint, version = d.version + 1
FROM (SELECT w.bucket, w.id
      FROM webhook_endpoint e
      CROSS JOIN LATERAL (SELECT bucket, id, due_at FROM webhook_delivery
                          WHERE bucket = e.bucket AND endpoint = e.id AND state = 1 AND due_at <= %(now)s::bigint
                          ORDER BY due_at, id LIMIT %(each)s FOR UPDATE SKIP LOCKED) w
      WHERE e.state = 1 ORDER BY w.due_at, w.id LIMIT %(most)s) t
WHERE d.bucket = t.bucket AND d.id = t.id
RETURNING d.id, d.version, d.endpoint, d.event, d.attempts, d.started_at, d.body;

-- record: write an attempt and what it made of its delivery
SELECT * FROM record_webhook(%s::smallint, %s::uuid, %s::integer, %s::bigint, %s::integer, %s::smallint, %s, %s, %s::smallint, %s::bigint);

-- deliveries: deliveries for display with their last attempt, latest first
SELECT d.id, d.endpoint, d.event, d.name, d.at, d.state::int, d.attempts, d.due_at, a.at AS tried_at,
       a.status::int, a.milliseconds, a.failure, a.answer
FROM webhook_delivery d
LEFT JOIN webhook_attempt a ON a.bucket = d.bucket AND a.delivery = d.id AND a.number = d.attempts
WHERE d.bucket = %(bucket)s AND d.endpoint = %(endpoint)s AND (%(state)s::int IS NULL OR d.state = %(state)s::int)
  AND (%(behind_at)s::bigint IS NULL OR (d.at, d.id) < (%(behind_at)s::bigint, %(behind)s::uuid))
ORDER BY d.at DESC, d.id DESC LIMIT %(most)s;

-- delivery: the endpoint of a delivery
SELECT endpoint FROM webhook_delivery WHERE bucket = %(bucket)s AND id = %(id)s;

-- attempts: every attempt of a delivery
SELECT number, at, status::int, milliseconds, failure, answer FROM webhook_attempt
WHERE bucket = %(bucket)s AND delivery = %(id)s ORDER BY number LIMIT 1000;

-- replay_one: a delivery is due again, and tried for as long as a new one
UPDATE webhook_delivery SET state = 1, due_at = %(now)s, started_at = 0, version = version + 1
WHERE bucket = %(bucket)s AND id = %(id)s;

-- replay_range: deliveries of an endpoint of what happened in a span are due again
UPDATE webhook_delivery SET state = 1, due_at = %(now)s, started_at = 0, version = version + 1
WHERE bucket = %(bucket)s AND endpoint = %(endpoint)s AND at >= %(since)s AND at < %(until)s
  AND (NOT %(failed)s OR state <> 2);

-- clear: forget what happened before an instant, unless it waits for an endpoint that runs
DELETE FROM webhook_delivery d
WHERE (d.bucket, d.id) IN (
    SELECT o.bucket, o.id FROM webhook_endpoint e
    CROSS JOIN LATERAL (SELECT bucket, id FROM webhook_delivery
                        WHERE bucket = e.bucket AND endpoint = e.id AND at < %(before)s AND (state <> 1 OR e.state <> 1)
                        ORDER BY at LIMIT %(most)s) o
    LIMIT %(most)s);
