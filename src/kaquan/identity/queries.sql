-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- keys_by_id: keys by their ids
SELECT id, version, prefix, name, organisation, role, merchant, wallet, scopes, state, expires_at, digest, old_digest,
       old_until, replaced_at, revoked_at, revoked_by
FROM api_key WHERE bucket = %(bucket)s AND id = ANY (%(ids)s);

-- keys_by_prefix: keys by their public handles
SELECT id, version, prefix, name, organisation, role, merchant, wallet, scopes, state, expires_at, digest, old_digest,
       old_until, replaced_at, revoked_at, revoked_by
FROM api_key WHERE bucket = %(bucket)s AND prefix = ANY (%(prefixes)s);

-- organisations: ids of organisations by their codes
SELECT code, id FROM organisation WHERE code = ANY (%(codes)s);

-- merchants: merchants by their codes, with the organisation of each
SELECT code, id, organisation FROM merchant WHERE code = ANY (%(codes)s);

-- wallets: which of these wallets there are
SELECT id FROM wallet WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s);

-- keys_listed: keys for display in the order in which they were issued, of one organisation or of all
SELECT k.id, k.prefix, k.name, coalesce(o.code, ''), k.role, k.merchant, k.wallet, k.scopes, k.state, k.created_at,
       k.created_by, k.expires_at, k.old_until, k.last_used
FROM api_key k LEFT JOIN organisation o ON o.id = k.organisation
WHERE k.bucket = %(bucket)s AND (%(organisation)s::integer IS NULL OR k.organisation = %(organisation)s)
  AND (%(merchant)s::uuid IS NULL OR k.merchant = %(merchant)s::uuid)
  AND (%(after_at)s::bigint IS NULL OR (k.created_at, k.id) > (%(after_at)s, %(after)s::uuid))
ORDER BY k.created_at, k.id LIMIT %(limit)s;

-- note_use: when keys were last used, never earlier than is known; locked in the order of ids, so that nobody deadlocks
UPDATE api_key k SET last_used = greatest(k.last_used, s.at)
FROM (SELECT a.bucket, a.id, u.at FROM unnest(%(ids)s::uuid[], %(ats)s::bigint[]) AS u (id, at)
      JOIN api_key a ON a.bucket = %(bucket)s AND a.id = u.id ORDER BY a.id FOR NO KEY UPDATE OF a) s
WHERE k.bucket = s.bucket AND k.id = s.id;

-- write_audit: append calls; one that was written before stays as it is
INSERT INTO audit (id, at, command, organisation, role, person, key_prefix, operation, object, outcome, request)
SELECT * FROM unnest(%(id)s::uuid[], %(at)s::bigint[], %(command)s::uuid[], %(organisation)s::integer[],
                     %(role)s::text[], %(person)s::text[], %(key_prefix)s::text[], %(operation)s::text[],
                     %(object)s::text[], %(outcome)s::text[], %(request)s::text[])
ON CONFLICT (id) DO NOTHING;

-- audit_listed: calls, the latest first, from below a cursor
SELECT id, at, command, organisation, role, person, key_prefix, operation, object, outcome, request
FROM audit
WHERE (%(before)s::uuid IS NULL OR id < %(before)s)
  AND (%(organisation)s::integer IS NULL OR organisation = %(organisation)s)
  AND (%(merchant)s::uuid IS NULL
       OR key_prefix IN (SELECT prefix FROM api_key WHERE bucket = %(bucket)s AND merchant = %(merchant)s))
  AND (%(person)s::text IS NULL OR person = %(person)s)
  AND (%(key_prefix)s::text IS NULL OR key_prefix = %(key_prefix)s)
  AND (%(operation)s::text IS NULL OR operation = %(operation)s)
  AND (%(object)s::text IS NULL OR object = %(object)s)
  AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
ORDER BY id DESC LIMIT %(limit)s;
