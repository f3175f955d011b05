-- Numbers in this file. Accounts (ledger/chart.py): 20-22 card.principal, .bonus, .subsidy; 30 funder.budget,
-- 31 funder.committed, 33 funder.pledge, 40 merchant.payable, 41 merchant.reserve, 42 merchant.payout,
-- 43 merchant.discount, 44 merchant.discount_borne, 50 holder.refund, 60 promo.deferred, 62 fee.income,
-- 65 interest.payable, 70 due_to, 71 due_from. Kinds
-- (ledger/movements.py): 10 sell, 11 top_up, 20 pay, 22 capture, 25 refund, 26 reverse, 30 grant_reward, 31 expire_lot,
-- 40 settle, 41 release_reserve, 51 pay_in_fund, 52 pay_out_fund. A merchant whose platform keeps another book is paid
-- through 70. Each proof gives one row: `ok`, and the facts it stands on.

-- lock_horizon: the horizon of the roll-up, kept for this transaction
SELECT xid FROM rollup_horizon WHERE id = 1 FOR UPDATE;

-- closed_horizon: the transaction below which everything has ended
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- roll_up: add the postings between two horizons to the roll-up, lots without their owner
-- Summed as pairs of debit and credit first, so that each posting is looked at once; there are few pairs.
INSERT INTO rollup AS r (book, program, account, owner, source, debits, credits)
SELECT s.book, s.program, v.account, v.owner, s.source, sum(v.debits), sum(v.credits)
FROM (
    SELECT p.book, p.program, p.source, p.debit, p.credit,
           CASE WHEN p.debit BETWEEN 20 AND 22 OR p.debit_owner IS NULL
                THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE p.debit_owner END AS debit_owner,
           CASE WHEN p.credit BETWEEN 20 AND 22 OR p.credit_owner IS NULL
                THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE p.credit_owner END AS credit_owner,
           sum(p.amount) AS amount
    FROM posting p
    WHERE p.xid >= %(since)s::bigint AND p.xid < %(until)s::bigint
    GROUP BY 1, 2, 3, 4, 5, 6, 7
) s
CROSS JOIN LATERAL (VALUES (s.debit, s.debit_owner, s.amount, 0::numeric), (s.credit, s.credit_owner, 0::numeric, s.amount))
    AS v (account, owner, debits, credits)
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT (book, program, account, owner, source)
DO UPDATE SET debits = r.debits + excluded.debits, credits = r.credits + excluded.credits;

-- move_horizon: everything below this transaction is in the roll-up
UPDATE rollup_horizon SET xid = %(until)s::bigint WHERE id = 1;

-- balances: debits and credits of every account by book, program and source: the roll-up and what came after it
SELECT t.book::int, t.program::int, t.account::int, t.source::int, sum(t.debits)::bigint, sum(t.credits)::bigint
FROM (
    SELECT book, program, account, source, debits, credits FROM rollup
    UNION ALL
    SELECT p.book, p.program, v.account, p.source, v.debits, v.credits
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.amount, 0::bigint), (p.credit, 0::bigint, p.amount)) AS v (account, debits, credits)
    WHERE p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1)
) t
GROUP BY t.book, t.program, t.account, t.source ORDER BY t.book, t.program, t.account, t.source LIMIT 100000;

-- owner_balances: debits and credits of one account of a book by owner; lots keep theirs in their own table
SELECT t.owner, t.source::int, sum(t.debits)::bigint, sum(t.credits)::bigint
FROM (
    SELECT owner, source, debits, credits FROM rollup WHERE book = %(book)s AND account = %(account)s
    UNION ALL
    SELECT coalesce(v.owner, '00000000-0000-0000-0000-000000000000'::uuid), p.source, v.debits, v.credits
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.amount, 0::bigint),
                               (p.credit, p.credit_owner, 0::bigint, p.amount)) AS v (account, owner, debits, credits)
    WHERE p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1)
      AND p.book = %(book)s AND v.account = %(account)s
) t
GROUP BY t.owner, t.source ORDER BY t.owner, t.source LIMIT %(most)s;

-- latest: the latest postings, newest first
SELECT p.at, b.code AS book, p.kind::int, p.transfer, p.line::int, p.debit::int, p.debit_owner, p.credit::int,
       p.credit_owner, p.source::int, p.amount
FROM posting p JOIN book b ON b.id = p.book
ORDER BY p.at DESC, p.transfer DESC, p.line LIMIT %(most)s;

-- transfer: the postings of one transfer
SELECT p.at, b.code AS book, p.kind::int, p.transfer, p.line::int, p.debit::int, p.debit_owner, p.credit::int,
       p.credit_owner, p.source::int, p.amount
FROM posting p JOIN book b ON b.id = p.book
WHERE p.bucket = %(bucket)s AND p.transfer = %(transfer)s ORDER BY p.line LIMIT 1000;

-- export_postings: every posting in the order of time
SELECT b.code, coalesce(g.code, ''), p.kind::int, p.transfer, p.line::int, p.at, p.debit::int, p.debit_owner, p.credit::int,
       p.credit_owner, p.source::int, p.amount
FROM posting p JOIN book b ON b.id = p.book LEFT JOIN program g ON g.id = p.program
ORDER BY p.at, p.bucket, p.transfer, p.line;

-- export_holds: every open authorization, with what it holds on a card
SELECT g.code, p.id, p.merchant, p.at, p.expires_at, p.amount,
       (SELECT coalesce(sum(s.fen), 0)::bigint FROM shares_of(p.allocation) s)
FROM payment p JOIN program g ON g.id = p.program
WHERE p.state = 1 ORDER BY p.at, p.bucket, p.id;

-- export_payouts: every instruction to the bank
SELECT g.code, p.id, p.settlement, p.merchant, p.source::int, p.pay_on, p.amount
FROM payout p
JOIN settlement s ON s.bucket = p.bucket AND s.id = p.settlement
JOIN program g ON g.id = s.program
ORDER BY p.at, p.bucket, p.id, p.source;

-- summary: what happened, of one program or of all
SELECT
    count(DISTINCT transfer) FILTER (WHERE kind = 10) AS cards_sold,
    coalesce(sum(amount) FILTER (WHERE kind = 10 AND credit BETWEEN 20 AND 22), 0)::bigint AS cards_sold_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 11 AND credit BETWEEN 20 AND 22), 0)::bigint AS topped_up_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 11 AND credit = 22), 0)::bigint AS topped_up_subsidy_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (20, 22) AND debit = 20), 0)::bigint AS spent_principal_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (20, 22) AND debit = 21), 0)::bigint AS spent_bonus_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (20, 22) AND debit = 22), 0)::bigint AS spent_subsidy_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 30 AND credit = 21), 0)::bigint AS rebates_granted_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (25, 26) AND debit = 21 AND credit IN (60, 30)), 0)::bigint
        AS rebates_clawed_back_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 31 AND debit = 21), 0)::bigint AS bonus_expired_fen,
    coalesce(sum(amount) FILTER (WHERE debit = 22 AND (kind = 31 OR kind IN (25, 26) AND credit = 30)), 0)::bigint
        AS subsidy_expired_fen,
    coalesce(sum(amount) FILTER (WHERE debit BETWEEN 20 AND 22 AND credit = 50), 0)::bigint AS owed_to_holders_fen,
    (SELECT coalesce(sum(f.fen), 0)::bigint FROM payment h CROSS JOIN LATERAL shares_of(h.allocation) f
     WHERE h.state = 1 AND (%(program)s::smallint IS NULL OR h.program = %(program)s::smallint)) AS held_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (25, 26) AND debit IN (40, 70) AND credit BETWEEN 20 AND 22), 0)::bigint
        AS refunded_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (20, 22) AND debit = 31 AND credit IN (40, 70)), 0)::bigint
        AS discounts_funded_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (20, 22) AND debit = 43), 0)::bigint AS discounts_borne_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (25, 26) AND (debit = 44 OR debit IN (40, 70) AND credit IN (30, 31))), 0)
        ::bigint AS discounts_returned_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (25, 26) AND debit = 44), 0)::bigint AS discounts_unborne_fen,
    coalesce(sum(amount) FILTER (WHERE debit = 30 AND credit = 31), 0)::bigint AS vouchers_promised_fen,
    coalesce(sum(amount) FILTER (WHERE debit <> 30 AND credit = 31), 0)::bigint AS vouchers_promised_again_fen,
    coalesce(sum(amount) FILTER (WHERE debit = 31 AND credit BETWEEN 20 AND 22), 0)::bigint AS vouchers_on_cards_fen,
    coalesce(sum(amount) FILTER (WHERE debit = 31 AND credit = 30), 0)::bigint AS vouchers_freed_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 51), 0)::bigint AS funds_paid_in_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 52), 0)::bigint AS funds_paid_out_fen,
    (coalesce(sum(amount) FILTER (WHERE credit = 31), 0) - coalesce(sum(amount) FILTER (WHERE debit = 31), 0))::bigint
        AS promised_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 40 AND credit IN (62, 66)), 0)::bigint
        - coalesce(sum(amount) FILTER (WHERE kind = 40 AND debit IN (62, 66)), 0)::bigint AS fees_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 40 AND credit IN (42, 67)), 0)::bigint AS settled_fen,
    coalesce(sum(amount) FILTER (WHERE kind = 40 AND credit = 41), 0)::bigint AS held_back_fen,
    coalesce(sum(amount) FILTER (WHERE kind IN (40, 41) AND debit = 41), 0)::bigint AS released_fen,
    (coalesce(sum(amount) FILTER (WHERE credit = 20), 0) - coalesce(sum(amount) FILTER (WHERE debit = 20), 0))::bigint
        AS outstanding_principal_fen,
    (coalesce(sum(amount) FILTER (WHERE credit = 21), 0) - coalesce(sum(amount) FILTER (WHERE debit = 21), 0))::bigint
        AS outstanding_bonus_fen,
    (coalesce(sum(amount) FILTER (WHERE credit = 22), 0) - coalesce(sum(amount) FILTER (WHERE debit = 22), 0))::bigint
        AS outstanding_subsidy_fen
FROM posting WHERE %(program)s::smallint IS NULL OR program = %(program)s::smallint;

-- discounts: what funders and merchants paid for vouchers in a time, and what came back, by program and payer
SELECT p.program::int, CASE WHEN p.debit IN (43, 44) THEN NULL WHEN p.debit = 31 THEN p.debit_owner ELSE p.credit_owner END,
       coalesce(sum(p.amount) FILTER (WHERE p.debit = 43 OR p.debit = 31 AND p.credit IN (40, 70)), 0)::bigint,
       coalesce(sum(p.amount) FILTER (WHERE p.debit = 31 AND p.credit BETWEEN 20 AND 22), 0)::bigint,
       coalesce(sum(p.amount) FILTER (WHERE p.debit = 44 OR p.credit IN (30, 31) AND p.debit IN (20, 21, 22, 40, 70)), 0)
           ::bigint
FROM posting p
WHERE (p.debit IN (43, 44) OR p.debit = 31 AND p.credit IN (20, 21, 22, 40, 70)
       OR p.credit IN (30, 31) AND p.debit IN (20, 21, 22, 40, 70))
  AND p.at >= %(since)s AND p.at < %(until)s AND (%(program)s::smallint IS NULL OR p.program = %(program)s::smallint)
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10000;

-- prove_trial_balance: in each book debits equal credits
SELECT coalesce(bool_and(t.debits = t.credits), true) AS ok, count(*) AS books,
       coalesce(sum(t.debits), 0)::bigint AS debits_fen, coalesce(sum(t.credits), 0)::bigint AS credits_fen
FROM (
    SELECT book, sum(debits) AS debits, sum(credits) AS credits
    FROM (
        SELECT book, debits, credits FROM rollup
        UNION ALL
        SELECT book, amount, amount FROM posting WHERE xid >= (SELECT xid FROM rollup_horizon WHERE id = 1)
    ) rows GROUP BY book
) t;

-- prove_floors: no lot, no merchant's reserve or payout, no fund's money, no debt to a holder lies below zero; no lot holds more than it has
SELECT lots.below = 0 AND owners.below = 0 AS ok, lots.total AS lots, lots.below AS lots_below,
       owners.total AS owners, owners.below AS owners_below
FROM (SELECT count(*) AS total, count(*) FILTER (WHERE balance < 0 OR held < 0 OR held > balance) AS below FROM lot) lots,
     (SELECT count(*) AS total, count(*) FILTER (WHERE balance < 0) AS below
      FROM (SELECT sum(CASE WHEN v.account = 33 THEN -v.amount ELSE v.amount END) AS balance
            FROM posting p
            CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
                AS v (account, owner, amount)
            WHERE (p.debit IN (23, 30, 31, 33, 41, 42, 46, 47, 50, 65) OR p.credit IN (23, 30, 31, 33, 41, 42, 46, 47, 50, 65))
              AND v.account IN (23, 30, 31, 33, 41, 42, 46, 47, 50, 65)
            GROUP BY p.book, v.account, v.owner, p.source) t) owners;

-- prove_lot_balances: each lot's stored balance is what its postings add up to
SELECT count(*) FILTER (WHERE l.balance IS DISTINCT FROM m.balance) = 0 AS ok, count(l.id) AS lots,
       count(*) FILTER (WHERE l.balance IS DISTINCT FROM m.balance) AS differing,
       coalesce(sum(l.balance), 0)::bigint AS stored_fen, coalesce(sum(m.balance), 0)::bigint AS rebuilt_fen
FROM lot l
FULL JOIN (
    SELECT v.owner, v.account - 20 AS kind, sum(v.amount) AS balance
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE v.account BETWEEN 20 AND 22 GROUP BY v.owner, v.account
) m ON m.owner = l.id AND m.kind = l.kind;

-- prove_lot_holds: what lots hold is what open authorizations allocate to them
SELECT count(*) FILTER (WHERE l.held IS DISTINCT FROM h.held) = 0 AS ok, count(h.lot) AS lots,
       count(*) FILTER (WHERE l.held IS DISTINCT FROM h.held) AS differing, coalesce(sum(h.held), 0)::bigint AS held_fen
FROM (SELECT id, held FROM lot WHERE held <> 0) l
FULL JOIN (
    SELECT s.lot, sum(s.fen)::bigint AS held FROM payment p CROSS JOIN LATERAL shares_of(p.allocation) s
    WHERE p.state = 1 GROUP BY s.lot
) h ON h.lot = l.id;

-- prove_payment_allocations: what lots, funders and merchant paid of each captured payment is what was posted for it
WITH parts AS (
    SELECT p.id AS payment, s.lot AS owner, s.fen FROM payment p CROSS JOIN LATERAL shares_of(p.allocation) s
    WHERE p.state IN (2, 5, 6)
    UNION ALL
    SELECT p.id, d.fund, d.fen FROM payment p CROSS JOIN LATERAL discounts_of(p.discounts) d
    WHERE p.state IN (2, 5, 6)
), said AS (
    SELECT payment, owner, sum(fen) AS fen FROM parts GROUP BY payment, owner
), posted AS (
    SELECT coalesce((convert_from(c.answer, 'UTF8')::jsonb ->> 'payment')::uuid, p.transfer) AS payment,
           CASE WHEN p.debit = 43 THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE p.debit_owner END AS owner,
           sum(p.amount) AS fen
    FROM posting p
    LEFT JOIN command c ON c.bucket = p.bucket AND c.id = p.transfer AND c.kind = 22 AND c.outcome = 0
    WHERE p.kind IN (20, 22) AND (p.debit = 43 OR p.debit IN (20, 21, 22, 31) AND p.credit IN (40, 70))
    GROUP BY 1, 2
), amounts AS (
    SELECT count(*) AS payments, coalesce(sum(p.captured), 0)::bigint AS captured_fen,
           count(*) FILTER (WHERE p.captured <> coalesce(s.fen, 0) + p.outside) AS differing
    FROM payment p LEFT JOIN (SELECT payment, sum(fen) AS fen FROM said GROUP BY payment) s ON s.payment = p.id
    WHERE p.state IN (2, 5, 6) OR p.captured <> 0
), shares AS (
    SELECT count(*) FILTER (WHERE said.fen IS DISTINCT FROM posted.fen) AS differing
    FROM said FULL JOIN posted ON posted.payment = said.payment AND posted.owner = said.owner
)
SELECT amounts.differing = 0 AND shares.differing = 0 AS ok, amounts.payments, amounts.captured_fen,
       amounts.differing AS payments_differing, shares.differing AS shares_differing
FROM amounts, shares;

-- prove_refund_allocations: what each refund gave back to whom is what was posted for it, and payments know their refunds
WITH parts AS (
    SELECT r.id AS refund, s.lot AS owner, s.fen FROM refund r CROSS JOIN LATERAL shares_of(r.allocation) s
    UNION ALL
    SELECT r.id, d.fund, d.fen FROM refund r CROSS JOIN LATERAL discounts_of(r.discounts) d
), said AS (
    SELECT refund, owner, sum(fen) AS fen FROM parts GROUP BY refund, owner
), posted AS (
    SELECT p.transfer AS refund,
           CASE WHEN p.debit = 44 THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE p.credit_owner END AS owner,
           sum(p.amount) AS fen
    FROM posting p
    WHERE p.kind IN (25, 26) AND (p.debit = 44 OR p.debit IN (40, 70) AND p.credit IN (20, 21, 22, 30, 31))
    GROUP BY 1, 2
), shares AS (
    SELECT count(*) FILTER (WHERE said.fen IS DISTINCT FROM posted.fen) AS differing
    FROM said FULL JOIN posted ON posted.refund = said.refund AND posted.owner = said.owner
), whole AS (
    SELECT count(*) FILTER (WHERE r.amount <> coalesce(s.fen, 0) + r.outside) AS differing
    FROM refund r LEFT JOIN (SELECT refund, sum(fen) AS fen FROM said GROUP BY refund) s ON s.refund = r.id
), amounts AS (
    SELECT count(r.payment) AS refunds, coalesce(sum(r.amount), 0)::bigint AS refunded_fen,
           count(*) FILTER (WHERE p.refunded IS DISTINCT FROM r.amount) AS differing
    FROM (SELECT bucket, id, refunded FROM payment WHERE refunded <> 0) p
    FULL JOIN (SELECT bucket, payment, sum(amount)::bigint AS amount FROM refund GROUP BY bucket, payment) r
        ON r.bucket = p.bucket AND r.payment = p.id
)
SELECT amounts.differing = 0 AND shares.differing = 0 AND whole.differing = 0 AS ok, amounts.refunds,
       amounts.refunded_fen, amounts.differing AS payments_differing, shares.differing AS shares_differing,
       whole.differing AS refunds_differing
FROM amounts, shares, whole;

-- prove_shortfalls: what cards owe for rebates that were spent is not less than nothing, and refunds alone change it
SELECT owed.below = 0 AND rows.unknown = 0 AS ok, owed.cards, owed.fen AS shortfall_fen, owed.below AS owed_below,
       rows.unknown AS without_refund
FROM (SELECT count(*) AS cards, count(*) FILTER (WHERE fen < 0) AS below, coalesce(sum(fen), 0)::bigint AS fen
      FROM (SELECT sum(fen) AS fen FROM shortfall GROUP BY bucket, card, payer) t) owed,
     (SELECT count(*) FILTER (WHERE r.id IS NULL) AS unknown
      FROM shortfall s LEFT JOIN refund r ON r.bucket = s.bucket AND r.id = s.id) rows;

-- prove_rewards: each granted rebate is lots, of whoever paid for it, that were credited with just that amount
SELECT count(*) FILTER (WHERE r.granted IS DISTINCT FROM p.amount) = 0 AS ok, count(r.id) AS rewards,
       coalesce(sum(r.granted), 0)::bigint AS granted_fen,
       count(*) FILTER (WHERE r.granted IS DISTINCT FROM p.amount) AS differing
FROM (SELECT id, granted FROM reward WHERE granted > 0) r
FULL JOIN (
    SELECT l.origin, sum(p.amount)::bigint AS amount FROM posting p JOIN lot l ON l.bucket = p.bucket AND l.id = p.credit_owner
    WHERE p.kind = 30 AND p.credit = 21 GROUP BY l.origin
) p ON p.origin = r.id;

-- prove_vouchers: what funders have promised is what vouchers, plans and packets that may still count are worth
WITH promises AS (
    SELECT f.fund, funded_part(v.face, f.bps, f.upto, f.whole) AS fen
    FROM voucher v JOIN funding_share f ON f.terms = v.terms AND f.stock = v.stock
    WHERE v.state IN (1, 2) AND f.fund IS NOT NULL
    UNION ALL
    SELECT f.fund, funded_part(n.face, f.bps, f.upto, f.whole) * (n.months - n.given) * n.each_month
    FROM plan n JOIN funding_share f ON f.terms = n.terms AND f.stock = n.stock
    WHERE n.state = 1 AND f.fund IS NOT NULL
    UNION ALL
    SELECT s.lot, s.fen FROM packet_pool q CROSS JOIN LATERAL shares_of(q.promises) s WHERE q.state = 1
    UNION ALL
    SELECT f.fund, -funded_part(k.amount, f.bps, f.upto, f.whole)
    FROM packet_pool q JOIN packet k ON k.pool = q.id
    JOIN funding_share f ON f.terms = q.terms AND f.stock = q.stock
    WHERE q.state = 1 AND f.fund IS NOT NULL
), said AS (
    SELECT fund, sum(fen) AS fen FROM promises GROUP BY fund
), posted AS (
    SELECT v.owner AS fund, sum(v.amount) AS fen
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE (p.debit = 31 OR p.credit = 31) AND v.account = 31 GROUP BY v.owner
)
SELECT count(*) FILTER (WHERE coalesce(said.fen, 0) <> coalesce(posted.fen, 0)) = 0 AS ok, count(*) AS funds,
       (SELECT count(*) FROM voucher WHERE state IN (1, 2)) AS vouchers,
       coalesce(sum(posted.fen), 0)::bigint AS promised_fen,
       count(*) FILTER (WHERE coalesce(said.fen, 0) <> coalesce(posted.fen, 0)) AS differing
FROM said FULL JOIN posted ON posted.fund = said.fund;

-- prove_funds: no more can be promised than is free by the books; the difference came back and waits to be swept
WITH budget AS (
    SELECT v.owner AS fund, sum(v.amount) AS fen
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE (p.debit = 30 OR p.credit = 30) AND v.account = 30 GROUP BY v.owner
), promisable AS (
    SELECT f.id AS fund, coalesce(sum(s.fen_left), 0) AS fen
    FROM fund f LEFT JOIN slice s ON s.pool = f.id AND s.day = 0 GROUP BY f.id
), compared AS (
    SELECT coalesce(b.fen, 0) AS free, p.fen AS promisable, (p.fen <= coalesce(b.fen, 0)) IS NOT TRUE AS over
    FROM promisable p FULL JOIN budget b ON b.fund = p.fund
)
SELECT count(*) FILTER (WHERE over) = 0 AS ok, count(*) AS funds, coalesce(sum(free), 0)::bigint AS free_fen,
       coalesce(sum(free - promisable), 0)::bigint AS not_swept_fen, count(*) FILTER (WHERE over) AS over
FROM compared;

-- prove_stocks: no stock has handed out more vouchers, or promised more, than it was given and has not left
WITH given AS (
    SELECT DISTINCT ON (stock) stock, count, budget FROM stock_event ORDER BY stock, number DESC
), pool AS (
    SELECT s.id AS stock, sum(l.count_left) AS count, sum(l.fen_left) AS fen
    FROM stock s JOIN slice l ON l.day = 0 AND l.pool = pool_of('stock', s.id) GROUP BY s.id
), handed AS (
    SELECT stock, sum(count) AS count, sum(fen) AS fen FROM (
        -- One that a refund gave in the place of another takes the other's place.
        SELECT stock, count(*) AS count, sum(face) AS fen FROM voucher v
        WHERE NOT EXISTS (SELECT FROM refund r WHERE r.bucket = v.bucket AND r.id = v.origin) GROUP BY stock
        UNION ALL
        SELECT stock, (months - given) * each_month, (months - given) * each_month * face FROM plan WHERE state = 1
        UNION ALL
        SELECT q.stock, l.count_left, l.fen_left FROM packet_pool q JOIN slice l ON l.pool = q.id
    ) t GROUP BY stock
), compared AS (
    SELECT coalesce(h.count, 0) AS handed, p.count AS remaining,
           (coalesce(h.count, 0) + p.count <= g.count AND coalesce(h.fen, 0) + p.fen <= g.budget) IS NOT TRUE AS over
    FROM stock s LEFT JOIN given g ON g.stock = s.id LEFT JOIN pool p ON p.stock = s.id
    LEFT JOIN handed h ON h.stock = s.id
)
SELECT count(*) FILTER (WHERE over) = 0 AS ok, count(*) AS stocks, coalesce(sum(handed), 0)::bigint AS handed_out,
       coalesce(sum(remaining), 0)::bigint AS remaining, count(*) FILTER (WHERE over) AS over
FROM compared;

-- prove_plans: each plan has handed out the vouchers of just the months that it counts
SELECT count(*) FILTER (WHERE coalesce(v.count, 0) <> p.given * p.each_month) = 0 AS ok, count(*) AS plans,
       coalesce(sum(v.count), 0)::bigint AS vouchers,
       coalesce(sum((p.months - p.given) * p.each_month * p.face) FILTER (WHERE p.state = 1), 0)::bigint AS promised_fen,
       count(*) FILTER (WHERE coalesce(v.count, 0) <> p.given * p.each_month) AS differing
FROM plan p
LEFT JOIN (SELECT bucket, origin, count(*) AS count FROM voucher GROUP BY bucket, origin) v
    ON v.bucket = p.bucket AND v.origin = p.id;

-- prove_packets: opened and unopened packets of each pool are its total; none was opened twice; each is as committed
WITH opened AS (
    SELECT k.pool, count(*) AS count, count(DISTINCT k.number) AS numbers, sum(k.amount) AS fen,
           count(*) FILTER (WHERE v.face IS DISTINCT FROM k.amount OR v.origin IS DISTINCT FROM k.pool) AS unlike,
           count(*) FILTER (WHERE q.state = 2 AND k.amount <> ('x' || encode(substring(
               q.revealed FROM 29 + 4 * k.number FOR 4), 'hex'))::bit(32)::bigint) AS other
    FROM packet k JOIN packet_pool q ON q.id = k.pool
    LEFT JOIN voucher v ON v.bucket = k.bucket AND v.id = k.id GROUP BY k.pool
), remaining AS (
    SELECT pool, sum(count_left) AS count, sum(fen_left) AS fen FROM slice
    WHERE pool IN (SELECT id FROM packet_pool) GROUP BY pool
), compared AS (
    SELECT q.total, coalesce(o.fen, 0) AS fen,
           coalesce(o.count, 0) + r.count + q.left_count <> q.count
           OR coalesce(o.fen, 0) + r.fen + q.left_fen <> q.total OR q.state = 2 AND r.count <> 0
           OR coalesce(o.count <> o.numbers OR o.unlike > 0 OR o.other > 0, false)
           OR q.state = 2 AND sha256(q.revealed) <> q.commitment AS wrong
    FROM packet_pool q JOIN remaining r ON r.pool = q.id LEFT JOIN opened o ON o.pool = q.id
)
SELECT count(*) FILTER (WHERE wrong) = 0 AND count(*) = (SELECT count(*) FROM packet_pool) AS ok, count(*) AS pools,
       coalesce(sum(total), 0)::bigint AS packets_fen, coalesce(sum(fen), 0)::bigint AS opened_fen,
       count(*) FILTER (WHERE wrong) AS differing
FROM compared;

-- prove_discounts: what vouchers took off, less what came back, was paid by just those funders; and vouchers know it
WITH told AS (
    SELECT p.bucket, d.voucher, d.fund, d.fen FROM payment p CROSS JOIN LATERAL discounts_of(p.discounts) d
    WHERE p.state IN (2, 5, 6)
    UNION ALL
    SELECT r.bucket, d.voucher, d.fund, -d.fen FROM refund r CROSS JOIN LATERAL discounts_of(r.discounts) d
), said AS (
    SELECT fund, sum(fen) AS fen FROM told GROUP BY fund
), posted AS (
    SELECT CASE WHEN p.debit IN (43, 44) THEN '00000000-0000-0000-0000-000000000000'::uuid
                WHEN p.debit = 31 THEN p.debit_owner ELSE p.credit_owner END AS fund,
           sum(CASE WHEN p.kind IN (20, 22) THEN p.amount ELSE -p.amount END) AS fen
    FROM posting p
    WHERE (p.kind IN (20, 22) AND (p.debit = 43 OR p.debit = 31 AND p.credit IN (40, 70)))
       OR (p.kind IN (25, 26) AND (p.debit = 44 OR p.debit IN (40, 70) AND p.credit IN (30, 31)))
    GROUP BY 1
), funders AS (
    SELECT coalesce(sum(posted.fen), 0)::bigint AS fen,
           count(*) FILTER (WHERE coalesce(said.fen, 0) <> coalesce(posted.fen, 0)) AS differing
    FROM said FULL JOIN posted ON posted.fund = said.fund
), vouchers AS (
    SELECT count(*) AS used, count(*) FILTER (WHERE v.used IS DISTINCT FROM t.fen) AS differing
    FROM (SELECT bucket, voucher, sum(fen) AS fen FROM told GROUP BY bucket, voucher) t
    LEFT JOIN voucher v ON v.bucket = t.bucket AND v.id = t.voucher
)
SELECT funders.differing = 0 AND vouchers.differing = 0 AS ok, vouchers.used AS vouchers, funders.fen AS discounts_fen,
       funders.differing AS funds_differing, vouchers.differing AS vouchers_differing
FROM funders, vouchers;

-- prove_closings: by card, what closing posted to holder.refund is what requests say, what left it was recorded as paid,
-- interest too, and nothing is left on closed cards (card state 4). Kinds 151 close_card, 152 pay_out_closing; request
-- state 2 is owed. What came from elsewhere is owed too (late), and shows as the rest of the balance.
WITH said AS (
    SELECT card, sum(amount) FILTER (WHERE state IN (2, 3)) AS amount, sum(paid) AS paid, sum(interest) AS interest,
           sum(amount) FILTER (WHERE state = 2) AS unpaid
    FROM closing GROUP BY card
), posted AS (
    SELECT t.card, sum(t.closed) AS closed, sum(t.came) AS came, sum(t.gone) AS gone, sum(t.interest) AS interest
    FROM (
        SELECT p.credit_owner AS card, CASE WHEN p.kind = 151 THEN p.amount ELSE 0 END AS closed, p.amount AS came,
               0 AS gone, 0 AS interest
        FROM posting p WHERE p.credit = 50
        UNION ALL
        SELECT p.debit_owner, 0, 0, p.amount, 0 FROM posting p WHERE p.debit = 50
        UNION ALL
        SELECT p.credit_owner, 0, 0, 0, p.amount FROM posting p WHERE p.credit = 65
    ) t GROUP BY t.card
), compared AS (
    SELECT coalesce(posted.came, 0) - coalesce(posted.gone, 0) AS owed, coalesce(said.unpaid, 0) AS unpaid,
           coalesce(posted.closed, 0) <> coalesce(said.amount, 0) OR coalesce(posted.gone, 0) <> coalesce(said.paid, 0)
           OR coalesce(posted.interest, 0) <> coalesce(said.interest, 0)
           OR coalesce(posted.came, 0) - coalesce(posted.gone, 0) < coalesce(said.unpaid, 0) AS differs
    FROM said FULL JOIN posted ON posted.card = said.card
), closed AS (
    SELECT count(*) AS holding FROM card c JOIN lot l ON l.bucket = c.bucket AND l.card = c.id
    WHERE c.state = 4 AND l.balance <> 0
)
SELECT count(*) FILTER (WHERE differs) = 0 AND max(closed.holding) = 0 AS ok, count(compared.owed) AS cards, coalesce(sum(owed), 0)::bigint AS owed_fen,
       coalesce(sum(owed - unpaid), 0)::bigint AS late_fen, count(*) FILTER (WHERE differs) AS differing,
       max(closed.holding) AS closed_holding
FROM closed LEFT JOIN compared ON true;

-- prove_passing: by transfer, what lies in clearing.transfer (23) is nothing once the card arrived
WITH posted AS (
    SELECT v.owner AS transfer, sum(v.amount) AS fen
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE (p.debit = 23 OR p.credit = 23) AND v.account = 23 GROUP BY v.owner
), compared AS (
    SELECT coalesce(posted.fen, 0) AS fen, t.id IS NULL OR posted.fen < 0
           OR a.transfer IS NOT NULL AND coalesce(posted.fen, 0) <> 0 AS differs
    FROM card_transfer t
    FULL JOIN posted ON posted.transfer = t.id
    LEFT JOIN card_arrival a ON a.bucket = t.to_bucket AND a.transfer = t.id
)
SELECT count(*) FILTER (WHERE differs) = 0 AS ok, count(*) AS transfers, coalesce(sum(fen), 0)::bigint AS passing_fen,
       count(*) FILTER (WHERE differs) AS differing
FROM compared;

-- prove_breakage: by lot, what breakage.income (63) took is what rows say that were recognised (state 1) and not given back
WITH said AS (
    SELECT lot, sum(amount) FILTER (WHERE state = 1) AS fen FROM breakage GROUP BY lot
), posted AS (
    SELECT lot, sum(fen) AS fen FROM (
        SELECT p.debit_owner AS lot, p.amount AS fen FROM posting p WHERE p.credit = 63
        UNION ALL
        SELECT p.credit_owner, -p.amount FROM posting p WHERE p.debit = 63
    ) t GROUP BY lot
), compared AS (
    SELECT coalesce(posted.fen, 0) AS fen, coalesce(posted.fen, 0) <> coalesce(said.fen, 0) AS differs
    FROM said FULL JOIN posted ON posted.lot = said.lot
), named AS (
    SELECT count(*) AS registered FROM breakage b JOIN card c ON c.bucket = b.bucket AND c.id = b.card WHERE c.registered
)
SELECT count(*) FILTER (WHERE compared.differs) = 0 AND max(named.registered) = 0 AS ok, count(compared.fen) AS lots,
       coalesce(sum(compared.fen), 0)::bigint AS breakage_fen, count(*) FILTER (WHERE compared.differs) AS differing
FROM named LEFT JOIN compared ON true;

-- prove_clearing: what a book owes another is what the other claims of it; an owner is the other book (book_owner)
WITH named AS (
    SELECT id, encode(set_byte(d.hash, 15, get_byte(d.hash, 15) & 192), 'hex')::uuid AS owner
    FROM book CROSS JOIN LATERAL (SELECT substring(sha256(convert_to('book ' || id, 'UTF8')) FOR 16) AS hash) d
), moved AS (
    SELECT p.book, n.id AS other, v.account, v.amount
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    LEFT JOIN named n ON n.owner = v.owner
    WHERE (p.debit IN (70, 71) OR p.credit IN (70, 71)) AND v.account IN (70, 71)
), pairs AS (
    SELECT CASE account WHEN 70 THEN book ELSE other END AS debtor,
           CASE account WHEN 70 THEN other ELSE book END AS creditor,
           coalesce(sum(amount) FILTER (WHERE account = 70), 0) AS due_to,
           coalesce(-sum(amount) FILTER (WHERE account = 71), 0) AS due_from
    FROM moved GROUP BY 1, 2
)
SELECT coalesce(bool_and(due_to = due_from AND debtor IS NOT NULL AND creditor IS NOT NULL), true) AS ok,
       coalesce(sum(due_to), 0)::bigint AS due_to_fen, coalesce(sum(due_from), 0)::bigint AS due_from_fen
FROM pairs;

-- prove_merchant_payable: each merchant's payable is its last carry and what no settlement has counted, all once
WITH latest AS (
    SELECT DISTINCT ON (bucket, merchant, program) merchant, program, number, cut_at, cut_xid
    FROM settlement ORDER BY bucket, merchant, program, number DESC
), settled AS (
    SELECT s.merchant, s.program, array_position(ARRAY['none', 'custody', 'operating', 'fiscal'], e.key) - 1 AS source,
           sum((e.value ->> 'gross')::bigint - (e.value ->> 'refunds')::bigint + (e.value ->> 'released')::bigint
               + coalesce((e.value ->> 'written_off')::bigint, 0))
               AS counted,
           sum((e.value ->> 'carry')::bigint) FILTER (WHERE s.number = l.number) AS carry
    FROM settlement s
    JOIN latest l ON l.merchant = s.merchant AND l.program = s.program
    CROSS JOIN LATERAL jsonb_each(s.by_source) e
    GROUP BY 1, 2, 3
), moved AS (
    SELECT v.owner AS merchant, p.program, p.source, sum(v.amount) AS balance,
           sum(v.amount) FILTER (WHERE p.kind <> 40 AND l.number IS NOT NULL
                                   AND p.at < l.cut_at AND p.xid < l.cut_xid) AS counted,
           sum(v.amount) FILTER (WHERE p.kind <> 40 AND (l.number IS NULL OR p.at >= l.cut_at OR p.xid >= l.cut_xid))
               AS uncounted
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    LEFT JOIN latest l ON l.merchant = v.owner AND l.program = p.program
    WHERE (p.debit = 40 OR p.credit = 40) AND v.account = 40
    GROUP BY v.owner, p.program, p.source
), compared AS (
    SELECT coalesce(m.balance, 0) AS balance, coalesce(s.carry, 0) AS carry, coalesce(m.uncounted, 0) AS uncounted,
           coalesce(m.balance, 0) <> coalesce(s.carry, 0) + coalesce(m.uncounted, 0) AS off,
           coalesce(m.counted, 0) <> coalesce(s.counted, 0) AS miscounted
    FROM moved m
    FULL JOIN settled s ON s.merchant = m.merchant AND s.program = m.program AND s.source = m.source
)
SELECT NOT coalesce(bool_or(off OR miscounted), false) AS ok, count(*) AS payables,
       coalesce(sum(balance), 0)::bigint AS payable_fen, coalesce(sum(carry), 0)::bigint AS carry_fen,
       coalesce(sum(uncounted), 0)::bigint AS open_fen, count(*) FILTER (WHERE off) AS differing,
       count(*) FILTER (WHERE miscounted) AS miscounted
FROM compared;

-- prove_settlements: each settlement posted just what it says, and its carry follows from the one before
WITH posted AS (
    SELECT transfer, sum(amount) FILTER (WHERE credit = 42) AS paid, sum(amount) FILTER (WHERE credit = 67) AS transferred,
           coalesce(sum(amount) FILTER (WHERE credit = 41), 0) - coalesce(sum(amount) FILTER (WHERE debit = 41), 0)
               AS reserved,
           coalesce(sum(amount) FILTER (WHERE credit IN (62, 66)), 0)
               - coalesce(sum(amount) FILTER (WHERE debit IN (62, 66)), 0) AS fee,
           coalesce(sum(amount) FILTER (WHERE credit = 66), 0) - coalesce(sum(amount) FILTER (WHERE debit = 66), 0) AS tax,
           coalesce(sum(amount) FILTER (WHERE credit = 45), 0) - coalesce(sum(amount) FILTER (WHERE debit = 45), 0)
               AS shared
    FROM posting WHERE kind = 40 GROUP BY transfer
), chain AS (
    SELECT t.*, lag(carry, 1, 0::bigint) OVER w AS before, row_number() OVER w AS position
    FROM settlement t WINDOW w AS (PARTITION BY bucket, merchant, program ORDER BY number)
)
SELECT count(*) FILTER (WHERE wrong) = 0 AS ok, count(*) AS settlements, coalesce(sum(paid), 0)::bigint AS paid_fen,
       count(*) FILTER (WHERE wrong) AS differing
FROM (
    SELECT c.paid, c.id IS NULL OR c.paid <> coalesce(p.paid, 0) OR c.transferred <> coalesce(p.transferred, 0)
           OR c.reserved - c.drawn <> coalesce(p.reserved, 0) OR c.fee <> coalesce(p.fee, 0)
           OR c.tax <> coalesce(p.tax, 0) OR c.shared <> coalesce(p.shared, 0)
           OR c.carried <> c.before OR c.number <> c.position
           OR c.gross - c.refunds + c.carried + c.released + c.written_off + c.drawn
              <> c.fee + c.shared + c.reserved + c.paid + c.transferred + c.carry AS wrong
    FROM chain c FULL JOIN posted p ON p.transfer = c.id
) t;

-- prove_fees: of each merchant and month with tiers the fees are, once trued up, that of the whole; the tax is that in them
-- A settlement keeps the month (standing ->> 'month') that it stands in: what it says of trade and fee so far is summed
-- again from the settlements themselves.
WITH told AS (
    SELECT s.bucket, s.merchant, s.program, s.number, s.gross - s.refunds AS trade, s.fee, s.tax, s.standing,
           s.standing -> 'month' ->> 'name' AS month, (s.standing -> 'taxed' ->> 'vat_bps')::bigint AS vat_bps,
           coalesce((SELECT -sum((l ->> 'amount_fen')::bigint) FROM jsonb_array_elements(s.lines) l
                     WHERE l ->> 'line' = 'fee_late'), 0) AS late
    FROM settlement s WHERE s.standing ? 'month' AND s.standing ->> 'month' IS NOT NULL
), summed AS (
    SELECT t.*, sum(trade) OVER of_month AS trades, sum(fee - late) OVER of_month AS fees,
           sum(fee) OVER of_rate AS charged, sum(tax) OVER of_rate AS taxes
    FROM told t
    WINDOW of_month AS (PARTITION BY bucket, merchant, program, month ORDER BY number),
           of_rate AS (PARTITION BY bucket, merchant, program, month, vat_bps ORDER BY number)
), judged AS (
    SELECT fee, tax,
           trades <> (standing -> 'month' ->> 'volume')::bigint OR fees <> (standing -> 'month' ->> 'fee')::bigint
           OR charged <> (standing -> 'taxed' ->> 'charged')::bigint
           OR taxes <> (standing -> 'taxed' ->> 'tax')::bigint
           OR taxes <> round(charged * vat_bps / (10000 + vat_bps)) AS wrong
    FROM summed
)
SELECT count(*) FILTER (WHERE wrong) = 0 AS ok, count(*) AS settlements, coalesce(sum(fee), 0)::bigint AS fee_fen,
       coalesce(sum(tax), 0)::bigint AS tax_fen, count(*) FILTER (WHERE wrong) AS differing
FROM judged;

-- prove_partners: what partners have of merchants is in their accounts, less what they were paid
SELECT count(*) FILTER (WHERE s.amount IS DISTINCT FROM p.amount) = 0 AS ok, count(*) AS shares,
       coalesce(sum(s.amount), 0)::bigint AS shared_fen, coalesce(sum(p.amount), 0)::bigint AS posted_fen,
       count(*) FILTER (WHERE s.amount IS DISTINCT FROM p.amount) AS differing
FROM (
    SELECT settlement, partner, sum(amount)::bigint AS amount FROM partner_share GROUP BY settlement, partner
    UNION ALL SELECT id, partner, -amount FROM partner_payment
) s
FULL JOIN (
    SELECT p.transfer, v.owner, sum(v.amount)::bigint AS amount
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE (p.debit = 45 OR p.credit = 45) AND v.account = 45 GROUP BY p.transfer, v.owner
) p ON p.transfer = s.settlement AND p.owner = s.partner;

-- prove_transfers: what the issuer's own stores were transferred inside is in the documents of it
SELECT count(*) FILTER (WHERE t.amount IS DISTINCT FROM p.amount) = 0 AS ok, count(t.settlement) AS transfers,
       coalesce(sum(t.amount), 0)::bigint AS transferred_fen,
       count(*) FILTER (WHERE t.amount IS DISTINCT FROM p.amount) AS differing
FROM (
    SELECT settlement, source, sum(amount)::bigint AS amount FROM internal_transfer GROUP BY settlement, source
) t
FULL JOIN (
    SELECT transfer, source, sum(amount)::bigint AS amount FROM posting WHERE credit = 67 GROUP BY transfer, source
) p ON p.transfer = t.settlement AND p.source = t.source;

-- prove_reserves: what was held back is in the merchants' reserve accounts, less what was released
SELECT count(*) FILTER (WHERE r.withheld IS DISTINCT FROM p.withheld OR r.released IS DISTINCT FROM p.released) = 0 AS ok,
       coalesce(sum(r.withheld), 0)::bigint AS held_back_fen, coalesce(sum(r.released), 0)::bigint AS released_fen,
       coalesce(sum(p.withheld - p.released), 0)::bigint AS reserve_fen,
       count(*) FILTER (WHERE r.withheld IS DISTINCT FROM p.withheld OR r.released IS DISTINCT FROM p.released)
           AS differing
FROM (
    SELECT merchant, program, sum(amount)::bigint AS withheld,
           (sum(drawn) + coalesce(sum(amount - drawn) FILTER (WHERE state = 2), 0))::bigint AS released
    FROM reserve GROUP BY merchant, program
) r
FULL JOIN (
    SELECT v.owner AS merchant, p.program, coalesce(sum(v.amount) FILTER (WHERE v.amount > 0), 0)::bigint AS withheld,
           coalesce(-sum(v.amount) FILTER (WHERE v.amount < 0), 0)::bigint AS released
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE (p.debit = 41 OR p.credit = 41) AND v.account = 41 GROUP BY v.owner, p.program
) p ON p.merchant = r.merchant AND p.program = r.program;

-- prove_payouts: the bank was instructed to pay what was posted to the merchants' payout accounts
SELECT count(*) FILTER (WHERE o.amount IS DISTINCT FROM p.amount) = 0 AS ok,
       coalesce(sum(o.amount), 0)::bigint AS instructed_fen, coalesce(sum(p.amount), 0)::bigint AS posted_fen,
       count(*) FILTER (WHERE o.amount IS DISTINCT FROM p.amount) AS differing
FROM (SELECT settlement, source, sum(amount)::bigint AS amount FROM payout GROUP BY settlement, source) o
FULL JOIN (
    SELECT transfer, source, sum(amount)::bigint AS amount FROM posting WHERE kind = 40 AND credit = 42
    GROUP BY transfer, source
) p ON p.transfer = o.settlement AND p.source = o.source;

-- prove_statements: each statement names the one before; each account closes with what postings in its cut add up to
WITH chain AS (
    SELECT id, hash <> sha256(body) OR number <> row_number() OVER w
           OR previous <> lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER w AS broken
    FROM statement WINDOW w AS (PARTITION BY bucket, subject ORDER BY number)
), said AS (
    SELECT s.id, s.cut_at, s.cut_xid, coalesce(nullif(r.value ->> (c.owner), '')::uuid, s.subject) AS owner,
           (r.value -> c.number)::int AS account, r.value ->> (c.side) AS side,
           sum((r.value -> c.closing)::bigint) AS closing
    FROM statement s
    CROSS JOIN LATERAL jsonb_array_elements(convert_from(s.body, 'UTF8')::jsonb -> 'sections') e
    CROSS JOIN LATERAL (
        SELECT (max(o) FILTER (WHERE k.value ->> 0 = 'owner') - 1)::int AS owner,
               (max(o) FILTER (WHERE k.value ->> 0 = 'number') - 1)::int AS number,
               (max(o) FILTER (WHERE k.value ->> 0 = 'side') - 1)::int AS side,
               (max(o) FILTER (WHERE k.value ->> 0 = 'closing_fen') - 1)::int AS closing
        FROM jsonb_array_elements(e.value -> 'columns') WITH ORDINALITY AS k (value, o)
    ) c
    CROSS JOIN LATERAL jsonb_array_elements(e.value -> 'rows') r
    WHERE e.value ->> 'name' = 'accounts'
    GROUP BY 1, 2, 3, 4, 5, 6
), compared AS (
    SELECT s.closing <> coalesce(sum(CASE s.side WHEN 'debit' THEN v.amount ELSE -v.amount END), 0) AS off
    FROM said s
    LEFT JOIN (
        SELECT v.account, v.owner, v.amount, p.at, p.xid FROM posting p
        CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.amount), (p.credit, p.credit_owner, -p.amount))
            AS v (account, owner, amount)
        WHERE EXISTS (SELECT FROM statement)
    ) v ON v.owner = s.owner AND v.account = s.account AND v.at < s.cut_at AND v.xid < s.cut_xid
    GROUP BY s.id, s.owner, s.account, s.side, s.closing
)
SELECT (SELECT count(*) FILTER (WHERE broken) FROM chain) = 0 AND count(*) FILTER (WHERE off) = 0 AS ok,
       (SELECT count(*) FROM chain) AS statements, count(*) AS accounts, count(*) FILTER (WHERE off) AS differing,
       (SELECT count(*) FILTER (WHERE broken) FROM chain) AS broken
FROM compared;

-- prove_custody: kept days tie to the books and require the most that one of their rules does; releases left what was required
-- Account 10: bank.custody; kind 191: release_custody. A day ends at midnight in Shanghai, eight hours before UTC.
WITH moved AS (
    SELECT p.program, p.at, p.kind, p.amount * ((p.debit = 10)::int - (p.credit = 10)::int) AS amount
    FROM posting p JOIN program g ON g.id = p.program JOIN organisation o ON o.id = g.issuer AND o.book = p.book
    WHERE p.debit = 10 OR p.credit = 10
), days AS (
    SELECT d.ledger, d.required, coalesce(sum(m.amount), 0) AS booked,
           (SELECT coalesce(max((r ->> 'required_fen')::bigint), 0) FROM jsonb_array_elements(d.rules::jsonb) r) AS strictest
    FROM custody_day d
    LEFT JOIN moved m ON m.program = d.program
        AND m.at < (d.day + 1 - date '1970-01-01')::bigint * 86400000000 - 28800000000
    GROUP BY d.bucket, d.id, d.day
), releases AS (
    SELECT count(*) AS releases, count(*) FILTER (WHERE (a.a ->> 'surplus_fen')::bigint < 0) AS below
    FROM (SELECT convert_from(c.answer, 'UTF8')::jsonb AS a FROM command c WHERE c.kind = 191 AND c.outcome = 0) a
), released AS (
    SELECT count(*) FILTER (WHERE c.released IS DISTINCT FROM -coalesce(m.amount, 0)) AS differing
    FROM custody c LEFT JOIN (SELECT program, sum(amount) AS amount FROM moved WHERE kind = 191 GROUP BY program) m
        ON m.program = c.program
)
SELECT count(*) FILTER (WHERE days.ledger <> days.booked OR days.required <> days.strictest) = 0
           AND releases.below = 0 AND released.differing = 0 AS ok,
       count(days.ledger) AS days,
       count(*) FILTER (WHERE days.ledger <> days.booked OR days.required <> days.strictest) AS days_differing,
       releases.releases, releases.below AS releases_below, released.differing AS released_differing
FROM releases CROSS JOIN released LEFT JOIN days ON true
GROUP BY releases.releases, releases.below, released.differing;

-- prove_payout_lives: what is on its way, waits after a failure, and left each bank account is just what payouts say
SELECT count(*) FILTER (WHERE o.amount IS DISTINCT FROM p.amount) = 0 AS ok,
       coalesce(sum(o.amount) FILTER (WHERE o.account = 42), 0)::bigint AS in_flight_fen,
       coalesce(sum(o.amount) FILTER (WHERE o.account = 46), 0)::bigint AS waiting_fen,
       coalesce(sum(o.amount) FILTER (WHERE o.account BETWEEN 10 AND 12), 0)::bigint AS confirmed_fen,
       count(*) FILTER (WHERE o.amount IS DISTINCT FROM p.amount) AS differing
FROM (
    SELECT CASE WHEN state IN (1, 2) THEN 42 WHEN state IN (4, 5) THEN 46 ELSE 9 + source END AS account, source,
           CASE WHEN state <> 3 THEN merchant END AS owner,
           sum(amount - held)::bigint AS amount
    FROM payout WHERE state <> 6 GROUP BY 1, 2, 3
) o
FULL JOIN (
    SELECT v.account, p.source, v.owner, sum(v.amount)::bigint AS amount
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE (v.account IN (42, 46) OR (v.account BETWEEN 10 AND 12 AND p.kind IN (174, 176)))
    GROUP BY 1, 2, 3 HAVING sum(v.amount) <> 0
) p ON p.account = o.account AND p.source = o.source AND p.owner IS NOT DISTINCT FROM o.owner;

-- prove_disputes: what is held back of each merchant and source is what its open disputes say
SELECT count(*) FILTER (WHERE d.amount IS DISTINCT FROM p.amount) = 0 AS ok, count(d.merchant) AS merchants,
       coalesce(sum(d.amount), 0)::bigint AS disputed_fen, coalesce(sum(p.amount), 0)::bigint AS posted_fen,
       count(*) FILTER (WHERE d.amount IS DISTINCT FROM p.amount) AS differing
FROM (
    SELECT t.merchant, array_position(ARRAY['none', 'custody', 'operating', 'fiscal'], e.key) - 1 AS source,
           sum(e.value::bigint)::bigint AS amount
    FROM dispute t CROSS JOIN LATERAL jsonb_each_text(t.by_source) e WHERE t.state = 1 GROUP BY 1, 2
) d
FULL JOIN (
    SELECT v.owner, p.source, sum(v.amount)::bigint AS amount
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE v.account = 47 AND (p.debit = 47 OR p.credit = 47) GROUP BY 1, 2 HAVING sum(v.amount) <> 0
) p ON p.owner = d.merchant AND p.source = d.source;

-- prove_payouts_once: each payout was confirmed once for each time that it was returned, and once more if it is paid
SELECT count(*) FILTER (WHERE wrong) = 0 AS ok, count(*) AS payouts, count(*) FILTER (WHERE wrong) AS differing
FROM (
    SELECT coalesce(s.confirmed, 0) - coalesce(s.returned, 0) <> CASE WHEN p.state = 3 THEN 1 ELSE 0 END
           OR p.attempt <> 1 + coalesce(s.reissued, 0) AS wrong
    FROM payout p
    LEFT JOIN (
        SELECT bucket, payout, count(*) FILTER (WHERE state = 3) AS confirmed,
               count(*) FILTER (WHERE state = 5) AS returned, count(*) FILTER (WHERE state = 1) AS reissued
        FROM payout_step GROUP BY bucket, payout
    ) s ON s.bucket = p.bucket AND s.payout = p.id
) t;

-- prove_rollup: the roll-up is a full recount of the postings below its horizon
SELECT count(*) FILTER (WHERE r.debits IS DISTINCT FROM p.debits OR r.credits IS DISTINCT FROM p.credits) = 0 AS ok,
       count(r.book) AS rows, coalesce(sum(r.debits), 0)::bigint AS debits_fen,
       count(*) FILTER (WHERE r.debits IS DISTINCT FROM p.debits OR r.credits IS DISTINCT FROM p.credits) AS differing
FROM rollup r
FULL JOIN (
    SELECT p.book, p.program, v.account, p.source,
           CASE WHEN v.account BETWEEN 20 AND 22 OR v.owner IS NULL
                THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE v.owner END AS owner,
           sum(v.debits) AS debits, sum(v.credits) AS credits
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.amount, 0::bigint),
                               (p.credit, p.credit_owner, 0::bigint, p.amount)) AS v (account, owner, debits, credits)
    WHERE p.xid < (SELECT xid FROM rollup_horizon WHERE id = 1)
    GROUP BY 1, 2, 3, 4, 5
) p ON p.book = r.book AND p.program = r.program AND p.account = r.account AND p.owner = r.owner AND p.source = r.source;

-- prove_journal: every command that took effect has one leaf, and nothing else has
SELECT count(*) FILTER (WHERE c.id IS NULL OR l.id IS NULL) = 0 AND count(c.id) = count(l.id)
       AND (SELECT count(*) FROM journal WHERE octet_length(leaves) <> 64 * cardinality(commands)) = 0
       AND (SELECT count(*) FROM command WHERE outcome = 0) = count(l.id) AS ok,
       (SELECT count(*) FROM command WHERE outcome = 0) AS effects, count(l.id) AS leaves,
       count(*) FILTER (WHERE l.id IS NULL) AS without_leaf, count(*) FILTER (WHERE c.id IS NULL) AS without_effect
FROM (SELECT id FROM command WHERE outcome = 0) c
FULL JOIN (SELECT unnest(commands) AS id FROM journal) l ON l.id = c.id;

-- prove_postings: nothing was posted but by a command that took effect
SELECT count(*) FILTER (WHERE c.id IS NULL) = 0 AS ok, count(*) AS transfers,
       count(*) FILTER (WHERE c.id IS NULL) AS without_command
FROM (SELECT DISTINCT bucket, transfer, kind FROM posting) p
LEFT JOIN command c ON c.bucket = p.bucket AND c.id = p.transfer AND c.outcome = 0 AND c.kind = p.kind;

-- postings_page: a page of the postings of some books and, if one is named, of an account; newest first
SELECT p.at, b.code AS book, p.kind::int, p.transfer, p.line::int, p.debit::int, p.debit_owner, p.credit::int,
       p.credit_owner, p.source::int, p.amount
FROM posting p JOIN book b ON b.id = p.book
WHERE p.book = ANY (%(books)s::smallint[])
  AND (%(account)s::smallint IS NULL OR p.debit = %(account)s::smallint OR p.credit = %(account)s::smallint)
  AND p.at <= %(at)s::bigint AND (p.at, p.transfer, p.line) < (%(at)s::bigint, %(transfer)s::uuid, %(line)s::smallint)
ORDER BY p.at DESC, p.transfer DESC, p.line DESC LIMIT %(most)s;

-- rollup_state: from which transaction on postings are not in the roll-up yet, up to where they could be, and its totals
SELECT h.xid, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS closed, (SELECT count(*) FROM rollup) AS totals
FROM rollup_horizon h WHERE h.id = 1 LIMIT 1;
