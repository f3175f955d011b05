-- installation: the clock's offset and the version of the reference data
SELECT clock_offset_us, reference_version FROM installation;

-- bury: refuse a command before it arrives
INSERT INTO command (at, id, content, answer, bucket, kind, outcome)
VALUES (%(at)s, %(id)s, %(content)s, %(answer)s, %(bucket)s, 0, 1)
ON CONFLICT (bucket, id) DO NOTHING;

-- decisions: what became of commands, those that were decided
SELECT array_agg(c.id) AS id, array_agg(c.outcome) AS outcome, array_agg(c.content) AS content
FROM unnest(%s::smallint[], %s::uuid[]) AS u (bucket, id)
JOIN command c ON c.bucket = u.bucket AND c.id = u.id
WHERE c.bucket = ANY (%s);
