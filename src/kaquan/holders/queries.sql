-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- phone_taken: which blind indexes have a wallet
SELECT blind, wallet FROM phone_index WHERE bucket = ANY(%(buckets)s) AND blind = ANY(%(blinds)s);

-- subject_keys: the sealed keys of subjects
SELECT subject, wrapped FROM subject_key WHERE bucket = ANY(%(buckets)s) AND subject = ANY(%(subjects)s);

-- person: the sealed personal data of a wallet
SELECT p.name, p.phone, p.id_no, k.wrapped
FROM person p JOIN subject_key k ON k.bucket = p.bucket AND k.subject = p.wallet
WHERE p.bucket = %(bucket)s AND p.wallet = %(wallet)s;
