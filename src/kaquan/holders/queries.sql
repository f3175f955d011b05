-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- load_wallets: wallets by id, and earlier decisions
SELECT * FROM load_wallets(%s::smallint, %s, %s, %s, %s, %s);

-- phone_taken: which blind indexes have a wallet
SELECT blind, wallet FROM phone_index WHERE bucket = ANY(%(buckets)s) AND blind = ANY(%(blinds)s);

-- subject_keys: the sealed keys of subjects
SELECT array_agg(t.subject) AS subject, array_agg(t.wrapped) AS wrapped
FROM unnest(%s::smallint[], %s::uuid[]) AS u (bucket, subject)
JOIN subject_key t ON t.bucket = u.bucket AND t.subject = u.subject
WHERE t.bucket = ANY (%s);

-- person: the sealed personal data of a wallet
SELECT p.name, p.phone, p.id_no, k.wrapped
FROM person p JOIN subject_key k ON k.bucket = p.bucket AND k.subject = p.wallet
WHERE p.bucket = %(bucket)s AND p.wallet = %(wallet)s;
