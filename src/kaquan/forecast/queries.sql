-- purchases: sales and top-ups of a program in a span of time, by what they put on cards
-- Kinds: 10 SELL, 11 TOP_UP. Accounts: 20-22 card.principal, .bonus, .subsidy.
SELECT p.at, c.wallet, sum(p.amount)::bigint
FROM posting p
JOIN lot l ON l.bucket = p.bucket AND l.id = p.credit_owner
JOIN card c ON c.bucket = l.bucket AND c.id = l.card
WHERE p.kind IN (10, 11) AND p.credit BETWEEN 20 AND 22 AND p.program = %(program)s
  AND p.at >= %(since)s AND p.at < %(until)s
GROUP BY p.at, c.wallet, p.transfer ORDER BY p.at, p.transfer LIMIT %(most)s;

-- orders: what was paid for in a program in a span of time, net of refunds
SELECT p.moved_at, p.wallet, p.merchant, p.store, p.captured - p.refunded
FROM payment p
WHERE p.program = %(program)s AND p.state IN (2, 5, 6) AND p.captured > p.refunded
  AND p.moved_at >= %(since)s AND p.moved_at < %(until)s
ORDER BY p.moved_at, p.id LIMIT %(most)s;
