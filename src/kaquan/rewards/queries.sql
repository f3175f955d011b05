-- Kinds (commands/model.py): 10 sell, 11 top_up.

-- plans: plans by id
SELECT id, version, wallet, card, stock, terms, state, months, given, each_month, face, at, next_at
FROM plan WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s);

-- lock_plans: keep plans as they are until the commit
SELECT id FROM plan WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- plans_due: running plans whose next month has fallen due
SELECT id, given + 1 FROM plan WHERE state = 1 AND next_at <= %(at)s ORDER BY next_at, id LIMIT %(most)s;

-- running_plans: plans of cards that still grant, with the purchases that began them
SELECT id, version, wallet, card, stock, terms, state, months, given, each_month, face, at, next_at, origin
FROM plan WHERE bucket = ANY (%(buckets)s) AND card = ANY (%(ids)s) AND state = 1 ORDER BY id;

-- plan: one plan for display
SELECT p.id, p.wallet, p.card, p.at, p.state, p.months, p.given, p.each_month, p.face, p.next_at, p.code,
       s.code AS stock_code, g.code AS program
FROM plan p JOIN stock s ON s.id = p.stock JOIN program g ON g.id = s.program
WHERE p.bucket = %(bucket)s AND p.id = %(id)s;

-- plans_of: the plans of a card for display, oldest first
SELECT p.id, p.wallet, p.card, p.at, p.state, p.months, p.given, p.each_month, p.face, p.next_at, p.code,
       s.code AS stock_code, g.code AS program
FROM plan p JOIN stock s ON s.id = p.stock JOIN program g ON g.id = s.program
WHERE p.bucket = %(bucket)s AND p.card = %(card)s ORDER BY p.at, p.id LIMIT 1000;

-- referrals: referrals by id
SELECT id, version, wallet, inviter, program, terms, code, state, at, due_at, origin, voucher, short
FROM referral WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s);

-- lock_referrals: keep referrals as they are until the commit
SELECT id FROM referral WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- invitations: invitations by id
SELECT id, version, wallet, state, voucher, short
FROM invitation WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s);

-- lock_invitations: keep invitations as they are until the commit
SELECT id FROM invitation WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- wallets_of: all wallets of natural persons, by the blind index of their identity numbers
SELECT person, id FROM wallet WHERE bucket = ANY (%(buckets)s) AND person = ANY (%(people)s) ORDER BY id LIMIT 100000;

-- invited: the referrals of wallets
SELECT wallet, program, at, id, state FROM referral WHERE bucket = ANY (%(buckets)s) AND wallet = ANY (%(wallets)s);

-- first_purchases: the first sale or top-up of each wallet in each program, with its face value
SELECT DISTINCT ON (c.wallet, c.program) c.wallet, c.program, m.id, m.at,
       (SELECT sum(f.granted)::bigint FROM lot f WHERE f.bucket = c.bucket AND f.card = c.id AND f.origin = m.id)
FROM card c
JOIN lot l ON l.bucket = c.bucket AND l.card = c.id
JOIN command m ON m.bucket = l.bucket AND m.id = l.origin AND m.kind IN (10, 11)
WHERE c.bucket = ANY (%(buckets)s) AND c.wallet = ANY (%(wallets)s)
ORDER BY c.wallet, c.program, m.at, m.id;

-- wallet_by_tail: the oldest wallet of a bucket whose id ends in these digits
SELECT id FROM wallet WHERE bucket = %(bucket)s AND right(id::text, 11) = %(tail)s ORDER BY id LIMIT 1;

-- referrals_to_earn: pending referrals whose invitee has bought something, oldest first
SELECT r.id FROM referral r
WHERE r.state = 1
  AND EXISTS (SELECT FROM card c WHERE c.bucket = r.bucket AND c.wallet = r.wallet AND c.program = r.program)
ORDER BY r.at, r.id LIMIT %(most)s;

-- referrals_to_pay: earned referrals that have stayed, and that the inviter's side has recorded
SELECT r.id FROM referral r
WHERE r.state = 2 AND r.due_at <= %(at)s
  AND EXISTS (SELECT FROM invitation i WHERE i.bucket = r.inviter_bucket AND i.id = r.invitation)
ORDER BY r.due_at, r.id LIMIT %(most)s;

-- referrals_to_follow: referrals that the inviter's side has not recorded, or whose end it has not followed
SELECT t.id, t.inviter, t.state FROM (
    SELECT r.id, r.inviter, r.state FROM referral r
    WHERE r.state IN (1, 2)
      AND NOT EXISTS (SELECT FROM invitation i WHERE i.bucket = r.inviter_bucket AND i.id = r.invitation)
    UNION ALL
    SELECT r.id, r.inviter, r.state FROM invitation i
    JOIN referral r ON r.bucket = i.referral_bucket AND r.id = i.referral
    WHERE i.state = 1 AND r.state IN (3, 4, 5)
    UNION ALL
    SELECT r.id, r.inviter, r.state FROM referral r
    JOIN invitation i ON i.bucket = r.inviter_bucket AND i.id = r.invitation
    WHERE r.state = 4 AND i.state = 2
) t ORDER BY t.id LIMIT %(most)s;

-- referral_of: a wallet's own referrals for display: by whom she was invited
SELECT r.id, r.wallet, r.inviter, r.at, r.state, r.due_at, r.short, r.voucher, r.code, p.code AS program
FROM referral r JOIN program p ON p.id = r.program
WHERE r.bucket = %(bucket)s AND r.wallet = %(wallet)s ORDER BY r.at LIMIT 100;

-- invitations_of: whom a wallet invited, for display, latest first
SELECT r.id, r.at, r.state, r.due_at, r.code, p.code AS program, i.state AS own_state, i.voucher, i.short
FROM invitation i
JOIN referral r ON r.bucket = i.referral_bucket AND r.id = i.referral
JOIN program p ON p.id = r.program
WHERE i.bucket = %(bucket)s AND i.wallet = %(wallet)s ORDER BY i.at DESC, i.id LIMIT 1000;

-- referral: one referral for display, both sides
SELECT r.id, r.wallet, r.inviter, r.at, r.state, r.due_at, r.origin, r.voucher, r.short, r.code, p.code AS program,
       i.state AS own_state, i.voucher AS own_voucher, i.short AS own_short
FROM referral r JOIN program p ON p.id = r.program
LEFT JOIN invitation i ON i.bucket = r.inviter_bucket AND i.id = r.invitation
WHERE r.bucket = %(bucket)s AND r.id = %(id)s;

-- pools: packet pools by id
SELECT id, version, program, stock, terms, code, state, count, total, ends_at, left_count, left_fen
FROM packet_pool WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s);

-- lock_pools: keep packet pools as they are until the commit
SELECT id FROM packet_pool WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- sealed: the sealed seed and packets of a pool
SELECT sealed FROM packet_pool WHERE bucket = %(bucket)s AND id = %(id)s;

-- open_codes: the programs and codes that have an open pool
SELECT program, code FROM packet_pool WHERE state = 1 AND bucket = ANY (%(buckets)s) LIMIT 10000;

-- pools_due: pools whose time is up
SELECT id FROM packet_pool WHERE state = 1 AND ends_at <= %(at)s ORDER BY ends_at, id LIMIT %(most)s;

-- pool: one pool for display
SELECT q.id, q.at, q.ends_at, q.state, q.count, q.total, q.left_count, q.left_fen, q.code, q.commitment, q.revealed,
       p.code AS program, s.code AS stock_code
FROM packet_pool q JOIN program p ON p.id = q.program JOIN stock s ON s.id = q.stock
WHERE q.bucket = %(bucket)s AND q.id = %(id)s;

-- pool_left: what the slices of a pool hold
SELECT coalesce(sum(count_left), 0)::bigint, coalesce(sum(fen_left), 0)::bigint FROM slice
WHERE bucket = ANY (%(buckets)s) AND pool = %(pool)s AND day = 0;

-- pools_of: the pools of a program, latest first
SELECT q.id, q.at, q.ends_at, q.state, q.count, q.total, q.left_count, q.left_fen, q.code, p.code AS program
FROM packet_pool q JOIN program p ON p.id = q.program WHERE q.program = %(program)s ORDER BY q.at DESC, q.id LIMIT 100;

-- packet: one opened packet for display
SELECT id, pool, wallet, number, amount, at FROM packet WHERE bucket = %(bucket)s AND id = %(id)s;
