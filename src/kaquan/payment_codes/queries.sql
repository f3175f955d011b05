-- wallet_of: whose a handle is, and which device
SELECT wallet FROM device WHERE bucket = %(bucket)s AND handle = %(handle)s;

-- showers: devices by handle with what their codes are judged by, for commands that were not decided before
SELECT array_agg(u.command) AS command, array_agg(d.id) AS device, array_agg(d.wallet) AS wallet,
       array_agg(d.secret) AS secret, array_agg(k.wrapped) AS wrapped, array_agg(m.count) AS misses
FROM unnest(%s::smallint[], %s::integer[], %s::smallint[], %s::uuid[]) AS u (bucket, handle, command_bucket, command)
LEFT JOIN command c ON c.bucket = u.command_bucket AND c.id = u.command
JOIN device d ON d.bucket = u.bucket AND d.handle = u.handle
JOIN subject_key k ON k.bucket = d.bucket AND k.subject = d.wallet
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM code_miss t WHERE t.bucket = d.bucket AND t.device = d.id AND t.step > %s
) m
WHERE d.bucket = ANY (%s) AND d.state = 1 AND c.id IS NULL;

-- use_codes: claim the codes of steps for commands; tells whose each is
SELECT use_codes(%s, %s::bigint, %s::smallint, %s::integer, %s, %s, %s, %s);

-- uses: whose the codes of steps are, without claiming any
SELECT array_agg(t.device) AS device, array_agg(t.step) AS step, array_agg(t.command) AS command
FROM unnest(%s::smallint[], %s::uuid[], %s::integer[]) AS u (bucket, device, step)
JOIN code_use t ON t.bucket = u.bucket AND t.device = u.device AND t.step = u.step
WHERE t.bucket = ANY (%s);

-- note_misses: note wrong codes, each once in a step
INSERT INTO code_miss (at, device, step, bucket, digits)
SELECT %s::bigint, u.device, %s::integer, u.bucket, u.digits
FROM unnest(%s::smallint[], %s::uuid[], %s::text[]) AS u (bucket, device, digits)
ORDER BY u.bucket, u.device, u.digits
ON CONFLICT (bucket, device, step, digits) DO NOTHING;

-- purses: for each command the cards of the wallet behind a handle, those that are active first
SELECT array_agg(u.command) AS command, array_agg(c.id) AS card,
       array_agg(coalesce(d.card, '00000000-0000-0000-0000-000000000000'::uuid)) AS preferred
FROM unnest(%s::smallint[], %s::integer[], %s::uuid[]) AS u (bucket, handle, command)
JOIN device d ON d.bucket = u.bucket AND d.handle = u.handle
CROSS JOIN LATERAL (
    SELECT t.id FROM card t WHERE t.bucket = d.bucket AND t.wallet = d.wallet
    ORDER BY t.id IS DISTINCT FROM d.card, t.state, t.id LIMIT %s
) c
WHERE d.bucket = ANY (%s);

-- device_facts: devices by id
SELECT array_agg(d.id) AS id, array_agg(d.version) AS version, array_agg(d.wallet) AS wallet, array_agg(d.state) AS state
FROM unnest(%s::smallint[], %s::uuid[]) AS u (bucket, id)
JOIN device d ON d.bucket = u.bucket AND d.id = u.id
WHERE d.bucket = ANY (%s);

-- active_of: how many devices of each wallet are active
SELECT u.id, count(*) FROM unnest(%(buckets)s::smallint[], %(wallets)s::uuid[]) AS u (bucket, id)
JOIN device d ON d.bucket = u.bucket AND d.wallet = u.id
WHERE d.bucket = ANY (%(buckets)s) AND d.state = 1
GROUP BY u.id;

-- taken: which handles are given
SELECT handle FROM device WHERE bucket = ANY (%(buckets)s) AND handle = ANY (%(handles)s);

-- devices_of: the devices of a wallet for display, sealed labels too, the newest first
SELECT d.id, d.handle, d.card, d.state, d.at, d.label, k.wrapped
FROM device d JOIN subject_key k ON k.bucket = d.bucket AND k.subject = d.wallet
WHERE d.bucket = %(bucket)s AND d.wallet = %(wallet)s
ORDER BY d.state, d.at DESC, d.id LIMIT 100;
