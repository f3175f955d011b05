-- take_tokens: a token for each want; the slots when some got none
SELECT * FROM take_tokens(%s, %s::bigint, %s, %s, %s, %s, %s, %s, %s);

-- held_tokens: the tokens of subjects under rules
SELECT array_agg(t.subject) AS subject, array_agg(t.rule) AS rule, array_agg(t.day) AS day,
       array_agg(t.slot) AS slot, array_agg(t.command) AS command, array_agg(t.content) AS content,
       array_agg(t.at) AS at
FROM unnest(%s::smallint[], %s::uuid[], %s::integer[], %s::integer[]) AS u (bucket, subject, rule, day)
JOIN token t ON t.bucket = u.bucket AND t.subject = u.subject AND t.rule = u.rule AND t.day = u.day
WHERE t.bucket = ANY (%s);

-- take_token_over: give a token to another command, if it is still held by the one we saw
UPDATE token SET command = %(command)s, content = %(content)s, at = %(at)s
WHERE bucket = %(bucket)s AND subject = %(subject)s AND rule = %(rule)s AND day = %(day)s AND slot = %(slot)s
  AND command = %(held_by)s AND content = %(held_for)s;

-- open_days: slices of what may be taken on a day, unless somebody has put them there
INSERT INTO slice (bucket, pool, day, number, count_left, fen_left)
SELECT bucket, pool, day, number, count_left, fen_left
FROM jsonb_populate_recordset(NULL::slice, %(rows)s) ORDER BY bucket, pool, day, number
ON CONFLICT (bucket, pool, day, number) DO NOTHING;
