-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- approvals_by_id: requests by their ids
SELECT id, version, kind, state, organisation, role, merchant, wallet, person, body, reason, at, expires_at, decided_at,
       decided_by, decided_why, executed_at, outcome
FROM approval WHERE bucket = %(bucket)s AND id = ANY (%(ids)s);

-- waiting: requests that wait for a second person or, once approved, for being executed; the oldest first
SELECT id, version, kind, state, organisation, role, merchant, wallet, person, body, reason, at, expires_at, decided_at,
       decided_by, decided_why, executed_at, outcome
FROM approval
WHERE bucket = %(bucket)s AND state = %(state)s AND state IN (1, 2) AND (state = 2 OR expires_at > %(now)s)
  AND (%(organisation)s::integer IS NULL OR organisation = %(organisation)s)
  AND (%(merchant)s::uuid IS NULL OR merchant = %(merchant)s::uuid)
  AND (%(after_at)s::bigint IS NULL OR (at, id) > (%(after_at)s, %(after)s::uuid))
ORDER BY at, id LIMIT %(limit)s;

-- latest: requests in whatever state, the latest first
SELECT id, version, kind, state, organisation, role, merchant, wallet, person, body, reason, at, expires_at, decided_at,
       decided_by, decided_why, executed_at, outcome
FROM approval
WHERE bucket = %(bucket)s AND (%(organisation)s::integer IS NULL OR organisation = %(organisation)s)
  AND (%(before_at)s::bigint IS NULL OR (at, id) < (%(before_at)s, %(before)s::uuid))
ORDER BY at DESC, id DESC LIMIT %(limit)s;
