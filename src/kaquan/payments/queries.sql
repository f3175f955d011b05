-- load_payments: payments by id with their rewards, cards and lots, and earlier decisions
SELECT * FROM load_payments(%s::smallint, %s, %s, %s, %s, %s);

-- lock_payments: keep the cards of payments, and their lots, as they are until the commit
SELECT lock_payments(%s, %s, %s);

-- refunds_so_far: of payments how many refunds they have had; of their cards what they owe to payers of rebates
SELECT true AS counted, r.payment AS id, NULL::uuid AS payer, count(*) AS number
FROM unnest(%s::smallint[], %s::uuid[]) AS u (bucket, id) JOIN refund r ON r.bucket = u.bucket AND r.payment = u.id GROUP BY r.payment
UNION ALL
SELECT false, s.card, s.payer, sum(s.fen)::bigint
FROM unnest(%s::smallint[], %s::uuid[]) AS u (bucket, id) JOIN shortfall s ON s.bucket = u.bucket AND s.card = u.id
GROUP BY s.card, s.payer HAVING sum(s.fen) > 0;

-- claim_orders: claim order numbers for commands; tells who holds each claim
SELECT * FROM claim_orders(%s, %s::bigint, %s::boolean, %s, %s, %s, %s);

-- claim: who holds an order number
SELECT command, reversed, at FROM order_claim
WHERE bucket = %(bucket)s AND merchant = %(merchant)s AND order_no = %(order_no)s;

-- claimant: what became of the command that holds a claim
SELECT c.outcome, p.state, p.order_no, p.merchant
FROM command c LEFT JOIN payment p ON p.bucket = c.bucket AND p.id = c.id
WHERE c.bucket = %(bucket)s AND c.id = %(id)s;

-- take_claim: give an order number to another command, if it is still held by the one we saw
UPDATE order_claim SET command = %(command)s, at = %(at)s
WHERE bucket = %(bucket)s AND merchant = %(merchant)s AND order_no = %(order_no)s AND command = %(held_by)s
  AND NOT reversed;

-- bar_order: nobody may take effect for this order number any more
UPDATE order_claim SET reversed = true
WHERE bucket = %(bucket)s AND merchant = %(merchant)s AND order_no = %(order_no)s;

-- claim_barred: claim an order number that nobody has claimed, for nobody to pay
INSERT INTO order_claim (at, merchant, command, bucket, reversed, order_no)
VALUES (%(at)s, %(merchant)s, %(command)s, %(bucket)s, true, %(order_no)s)
ON CONFLICT (bucket, merchant, order_no) DO NOTHING;

-- holds_due: authorizations whose time is up
SELECT id FROM payment WHERE state = 1 AND expires_at <= %(at)s ORDER BY expires_at LIMIT %(most)s;

-- rewards_due: rebates whose refund window has ended
SELECT id, card FROM reward WHERE state = 1 AND due_at <= %(at)s ORDER BY due_at LIMIT %(most)s;

-- payment: one payment for display
SELECT id, card, wallet, merchant, store, order_no, state, amount, captured, refunded, at, moved_at, expires_at, terms,
       outside, allocation, discounts, returned, lines
FROM payment WHERE bucket = %(bucket)s AND id = %(id)s;

-- refunds: what has come back of a payment, the first first
SELECT id, at, amount, outside, allocation, discounts, reason FROM refund
WHERE bucket = %(bucket)s AND payment = %(payment)s ORDER BY at, id LIMIT 1000;
