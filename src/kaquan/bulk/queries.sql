-- submit: write a job with its chunks; false when there is one with this id
SELECT * FROM submit_job(%s::smallint, %s::uuid, %s::bigint, %s::uuid, %s::integer, %s, %s, %s, %s::integer, %s, %s, %s);

-- digest: of what an earlier job with this id holds
SELECT digest FROM job WHERE bucket = %(bucket)s AND id = %(id)s;

-- open_jobs: how many jobs of an organisation have not ended
SELECT count(*) FROM job WHERE state <= 2 AND organisation = %(organisation)s;

-- one: a job with what its chunks have come to, in the order of `model.Job`
SELECT j.id, j.organisation, j.api_key, j.caller, j.operation, j.state::int, j.reason, j.row_count, j.at, j.ended_at,
       (SELECT coalesce(sum(c.done), 0)::int FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id),
       (SELECT coalesce(sum(c.failed), 0)::int FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id),
       (SELECT coalesce(sum(c.asked), 0)::int FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id),
       (SELECT coalesce(min(c.taken_at), 0) FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id AND c.taken_at > 0),
       (SELECT coalesce(max(c.seen_at), 0) FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id)
FROM job j WHERE j.bucket = %(bucket)s AND j.id = %(id)s;

-- listed: jobs like `one`, of one organisation or of all, the latest first, behind `after`
SELECT j.id, j.organisation, j.api_key, j.caller, j.operation, j.state::int, j.reason, j.row_count, j.at, j.ended_at,
       (SELECT coalesce(sum(c.done), 0)::int FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id),
       (SELECT coalesce(sum(c.failed), 0)::int FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id),
       (SELECT coalesce(sum(c.asked), 0)::int FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id),
       (SELECT coalesce(min(c.taken_at), 0) FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id AND c.taken_at > 0),
       (SELECT coalesce(max(c.seen_at), 0) FROM job_chunk c WHERE c.bucket = j.bucket AND c.job = j.id)
FROM job j
WHERE (%(organisation)s::integer IS NULL OR j.organisation = %(organisation)s::integer)
  AND (%(after_at)s::bigint IS NULL OR (j.at, j.id) < (%(after_at)s::bigint, %(after)s::uuid))
ORDER BY j.at DESC, j.id DESC LIMIT %(most)s;

-- take: the next open chunk that nobody is at, for as long as it may take; first chunks of all jobs come first
UPDATE job_chunk c SET leased_until = %(leased)s::bigint, version = c.version + 1,
       taken_at = CASE WHEN c.taken_at = 0 THEN %(now)s::bigint ELSE c.taken_at END
FROM (SELECT w.bucket, w.job, w.number, j.operation, j.api_key, j.caller
      FROM job j
      CROSS JOIN LATERAL (SELECT bucket, job, number FROM job_chunk
                          WHERE bucket = j.bucket AND job = j.id AND state = 1 AND leased_until <= %(now)s::bigint
                          ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED) w
      WHERE j.state <= 2 AND (%(job)s::uuid IS NULL OR j.id = %(job)s::uuid)
      ORDER BY w.number, j.at LIMIT 1) t
WHERE c.bucket = t.bucket AND c.job = t.job AND c.number = t.number
RETURNING c.job, c.number, c.version, c.first_row, c.content, t.operation, t.api_key, t.caller;

-- record: write what came of a chunk; false when somebody else took it meanwhile
SELECT * FROM record_job_chunk(%s::smallint, %s::uuid, %s::integer, %s::integer, %s::bigint, %s::integer, %s::integer, %s::integer, %s);

-- release: let somebody else take a chunk, from an instant on
UPDATE job_chunk SET leased_until = %(until)s::bigint
WHERE bucket = %(bucket)s AND job = %(job)s::uuid AND number = %(number)s AND version = %(version)s AND state = 1;

-- end: start no further chunk; false when the job has ended
SELECT * FROM end_job(%s::smallint, %s::uuid, %s::bigint, %s, %s);

-- failures: of the chunks of a job, sealed
SELECT number, failures FROM job_chunk
WHERE bucket = %(bucket)s AND job = %(id)s AND failures IS NOT NULL ORDER BY number LIMIT 10000;

-- clear: forget jobs that were sent before an instant
DELETE FROM job WHERE (bucket, id) IN (SELECT bucket, id FROM job WHERE at < %(before)s ORDER BY at LIMIT %(most)s);
