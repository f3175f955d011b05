-- live_vouchers_of: a wallet's vouchers that may still count, soonest expiry first
SELECT id, stock, terms, state, face, used, valid_from, expires_at, held_until, holder
FROM voucher WHERE bucket = %(bucket)s AND wallet = %(wallet)s AND state IN (1, 2)
ORDER BY expires_at, id LIMIT 1000;

-- vouchers_of: every voucher of a wallet, soonest expiry first
SELECT id, stock, terms, state, face, used, valid_from, expires_at, held_until, holder
FROM voucher WHERE bucket = %(bucket)s AND wallet = %(wallet)s ORDER BY expires_at, id LIMIT 1000;

-- voucher: one voucher for display
SELECT v.id, v.wallet, v.stock, v.terms, v.state, v.face, v.used, v.at, v.valid_from, v.expires_at, v.held_until,
       v.holder, v.origin, s.code AS stock_code, p.code AS program
FROM voucher v JOIN stock s ON s.id = v.stock JOIN program p ON p.id = s.program
WHERE v.bucket = %(bucket)s AND v.id = %(id)s;

-- vouchers_due: vouchers that have expired and are not given back yet
SELECT id FROM voucher WHERE state IN (1, 2) AND expires_at <= %(at)s AND held_until <= %(at)s
ORDER BY expires_at LIMIT %(most)s;

-- claimants: who stands behind the commands that were not decided yet, of active wallets
SELECT array_agg(u.command) AS command, array_agg(coalesce(w.person, w.id)) AS person
FROM unnest(%s::smallint[], %s::uuid[], %s::smallint[], %s::uuid[])
     AS u (bucket, wallet, command_bucket, command)
JOIN wallet w ON w.bucket = u.bucket AND w.id = u.wallet AND w.state = 1
LEFT JOIN command c ON c.bucket = u.command_bucket AND c.id = u.command
WHERE w.bucket = ANY (%s) AND c.id IS NULL;

-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- take_codes: give codes to commands; says whose each is
SELECT * FROM take_codes(%s, %s::bigint, %s, %s, %s, %s);

-- codes: codes by digest
SELECT array_agg(t.id) AS code_id, array_agg(t.stock) AS code_stock, array_agg(t.batch) AS code_batch,
       array_agg(coalesce(t.command, '00000000-0000-0000-0000-000000000000'::uuid)) AS code_command,
       array_agg(coalesce(t.content, '00000000-0000-0000-0000-000000000000'::uuid)) AS code_content,
       array_agg(t.taken_at) AS code_taken_at
FROM unnest(%s::smallint[], %s::uuid[]) AS u (bucket, id)
JOIN voucher_code t ON t.bucket = u.bucket AND t.id = u.id
WHERE t.bucket = ANY (%s);

-- take_code_over: give a code to another command, if it is still whose we saw it to be
UPDATE voucher_code SET command = %(command)s, content = %(content)s, taken_at = %(at)s
WHERE bucket = %(bucket)s AND id = %(id)s AND command = %(held_by)s AND content = %(held_for)s;

-- code_batches: batches of codes by id
SELECT array_agg(t.id) AS id, array_agg(t.version) AS version, array_agg(t.stock) AS stock,
       array_agg(t.state) AS state
FROM unnest(%s::smallint[], %s::uuid[]) AS u (bucket, id)
JOIN code_batch t ON t.bucket = u.bucket AND t.id = u.id
WHERE t.bucket = ANY (%s);

-- code_counts: how many codes a batch has, and how many of them are taken
SELECT count(*), count(command) FROM voucher_code WHERE bucket = ANY (%(buckets)s) AND batch = %(batch)s;

-- code_batch: one batch of codes for display
SELECT b.id, b.at, b.count, b.state, s.code AS stock, p.code AS program
FROM code_batch b JOIN stock s ON s.id = b.stock JOIN program p ON p.id = s.program
WHERE b.bucket = %(bucket)s AND b.id = %(id)s;

-- code_batches_of: a page of the batches of a stock, the earliest first
SELECT b.id, b.at, b.count, b.state, s.code AS stock, p.code AS program
FROM code_batch b JOIN stock s ON s.id = b.stock JOIN program p ON p.id = s.program
WHERE b.stock = %(stock)s AND (b.at, b.id) > (%(at)s, %(id)s) ORDER BY b.at, b.id LIMIT %(most)s;
