-- purchases: the sale and the top-ups of a card with their answers, oldest first
SELECT c.at, c.answer FROM command c
WHERE c.bucket = %(bucket)s AND c.outcome = 0
  AND c.id IN (SELECT l.origin FROM lot l WHERE l.bucket = %(bucket)s AND l.card = %(card)s AND l.kind IN (0, 2))
ORDER BY c.at, c.id <> %(card)s::uuid, c.id LIMIT 1000;

-- closing_lots: all lots of cards, with their origin, what they were granted, and what left them without being spent
SELECT l.id, l.version, l.card, l.kind, l.source, l.state, l.balance, l.held, l.active_from, l.expires_at, l.fund, l.origin,
       l.granted, coalesce((
           SELECT sum(p.amount)::bigint FROM posting p
           WHERE p.bucket = l.bucket AND p.debit_owner = l.id AND p.debit IN (20, 21) AND p.credit NOT IN (40, 70)), 0)
       - coalesce((SELECT sum(p.amount)::bigint FROM posting p
                   WHERE p.bucket = l.bucket AND p.credit_owner = l.id AND p.debit = 63), 0)
FROM lot l
WHERE l.bucket = ANY (%(buckets)s) AND l.card = ANY (%(cards)s) ORDER BY l.id;

-- purchase_facts: when purchases were paid, and through which channel
SELECT c.id, c.at, (
    SELECT p.debit_owner FROM posting p
    WHERE p.bucket = c.bucket AND p.transfer = c.id AND p.debit = 13 ORDER BY p.line LIMIT 1)
FROM command c WHERE c.bucket = ANY (%(buckets)s) AND c.id = ANY (%(ids)s);

-- closings_by_id: requests to return cards, and all others about the same cards
SELECT t.id, t.version, t.card, t.wallet, t.purchase, t.terms, t.cause, t.state, t.card_state, t.at, t.deadline, t.closed_at,
       t.paid_at, t.overdue_at, t.amount, t.paid, t.interest, t.lines, t.route, t.reference, t.payee
FROM closing t
WHERE t.bucket = ANY (%(buckets)s) AND (t.card = ANY (%(cards)s) OR t.card IN (
    SELECT c.card FROM closing c WHERE c.bucket = ANY (%(buckets)s) AND c.id = ANY (%(ids)s)))
ORDER BY t.id;

-- owed_and_requests: what the books owe holders of closed cards by source, with the requests about them, in one snapshot
SELECT t.id, t.version, t.card, t.wallet, t.purchase, t.terms, t.cause, t.state, t.card_state, t.at, t.deadline, t.closed_at,
       t.paid_at, t.overdue_at, t.amount, t.paid, t.interest, t.lines, t.route, t.reference, t.payee, (
           SELECT json_object_agg(o.source, o.fen) FROM (
               SELECT p.source, sum(CASE WHEN p.credit = 50 THEN p.amount ELSE -p.amount END)::bigint AS fen
               FROM posting p
               WHERE p.bucket = t.bucket AND (p.credit = 50 AND p.credit_owner = t.card
                                              OR p.debit = 50 AND p.debit_owner = t.card)
               GROUP BY p.source) o)
FROM closing t
WHERE t.bucket = ANY (%(buckets)s) AND t.card IN (
    SELECT c.card FROM closing c WHERE c.bucket = ANY (%(buckets)s) AND c.id = ANY (%(ids)s))
ORDER BY t.id;

-- lock_closings: keep requests as they are until the commit
SELECT id FROM closing WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- closing: one request for display
SELECT t.*, g.code AS program_code, c.number FROM closing t
JOIN program g ON g.id = t.program JOIN card c ON c.bucket = t.bucket AND c.id = t.card
WHERE t.bucket = %(bucket)s AND t.id = %(id)s;

-- closings_of: requests for display, the most urgent first
SELECT t.*, g.code AS program_code, c.number FROM closing t
JOIN program g ON g.id = t.program JOIN card c ON c.bucket = t.bucket AND c.id = t.card
WHERE (%(card)s::uuid IS NULL OR t.bucket = %(bucket)s AND t.card = %(card)s::uuid)
  AND (%(card)s::uuid IS NOT NULL OR t.state IN (1, 2)) AND (%(programs)s::text[] IS NULL OR g.code = ANY (%(programs)s))
ORDER BY t.state > 2, t.deadline, t.id LIMIT %(most)s;

-- closings_due: requests whose legal deadline passed and was not told of
SELECT id FROM closing WHERE state IN (1, 2) AND overdue_at IS NULL AND deadline <= %(at)s ORDER BY deadline, id LIMIT %(most)s;

-- inherited: what cards that were passed on had been bought for, and what had been used of it
SELECT card, purchase, paid, bonus, used, at, active_from, channel FROM inherited_purchase
WHERE bucket = ANY (%(buckets)s) AND card = ANY (%(ids)s) ORDER BY at, purchase;

-- breakages: income that was recognised from cards
SELECT id, version, card, lot, source, state, amount, restored_at FROM breakage
WHERE bucket = ANY (%(buckets)s) AND card = ANY (%(ids)s) ORDER BY id;

-- movements_of: when each card was sold, last loaded or last paid, and when its holder was last reminded
SELECT c.id, greatest(
           c.at,
           (SELECT max(l.active_from) FROM lot l WHERE l.bucket = c.bucket AND l.card = c.id),
           (SELECT max(p.moved_at) FROM payment p WHERE p.bucket = c.bucket AND p.card = c.id)),
       (SELECT max(r.at) FROM idle_reminder r WHERE r.bucket = c.bucket AND r.card = c.id)
FROM card c WHERE c.bucket = ANY (%(buckets)s) AND c.id = ANY (%(ids)s);

-- transfers: cards on their way, by id
SELECT id, to_wallet, terms, lots, purchases FROM card_transfer
WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s);

-- arrivals: which of these transfers arrived in these buckets
SELECT transfer, card FROM card_arrival WHERE bucket = ANY (%(to)s) AND transfer = ANY (%(ids)s);

-- transfers_due: cards that are on their way and have not arrived
SELECT t.id, t.to_wallet FROM card_transfer t
LEFT JOIN card_arrival a ON a.bucket = t.to_bucket AND a.transfer = t.id
WHERE a.transfer IS NULL ORDER BY t.at, t.id LIMIT %(most)s;

-- idle_cards: active cards of programs that hold something and did not move since a day that is the program's, and whose
-- holder was not reminded since
SELECT i.id, i.program, i.registered, i.balance, i.moved FROM (
    SELECT c.id, c.bucket, c.program, c.registered, u.since,
           (SELECT sum(l.balance)::bigint FROM lot l WHERE l.bucket = c.bucket AND l.card = c.id) AS balance,
           greatest(c.at, (SELECT max(l.active_from) FROM lot l WHERE l.bucket = c.bucket AND l.card = c.id),
                    p.moved) AS moved
    FROM unnest(%(programs)s::smallint[], %(since)s::bigint[]) AS u (program, since)
    JOIN card c ON c.program = u.program AND c.state = 1 AND c.at <= u.since
    LEFT JOIN (SELECT bucket, card, max(moved_at) AS moved FROM payment WHERE card IS NOT NULL GROUP BY bucket, card) p
        ON p.bucket = c.bucket AND p.card = c.id
) i
WHERE i.balance > 0 AND i.moved <= i.since AND NOT EXISTS (
    SELECT FROM idle_reminder r WHERE r.bucket = i.bucket AND r.card = i.id AND r.at >= i.moved)
ORDER BY i.moved, i.id LIMIT %(most)s;

-- idle_balances: idle balances by program, kind of card and age in days: up to 180, 365, 730, 1095, and above
SELECT g.code, i.registered, width_bucket((%(at)s - i.moved) / 86400000000, ARRAY[180, 365, 730, 1095]::bigint[]) AS age,
       count(*), sum(i.principal)::bigint, sum(i.balance)::bigint
FROM (
    SELECT c.program, c.registered, l.balance, l.principal, greatest(c.at, l.active, p.moved) AS moved
    FROM card c
    JOIN (SELECT bucket, card, sum(balance) AS balance, sum(balance) FILTER (WHERE kind = 0) AS principal,
                 max(active_from) AS active
          FROM lot GROUP BY bucket, card HAVING sum(balance) > 0) l ON l.bucket = c.bucket AND l.card = c.id
    LEFT JOIN (SELECT bucket, card, max(moved_at) AS moved FROM payment WHERE card IS NOT NULL GROUP BY bucket, card) p
        ON p.bucket = c.bucket AND p.card = c.id
    WHERE c.state NOT IN (4)
) i JOIN program g ON g.id = i.program
WHERE (%(program)s::text IS NULL OR g.code = %(program)s::text)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 10000;
