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
