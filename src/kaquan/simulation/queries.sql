-- set_clock: move the installation clock (the simulator only)
UPDATE installation SET clock_offset_us = %(clock_offset_us)s WHERE id = 1;

-- latest: the instant of the latest batch of decisions
SELECT max(at) FROM journal LIMIT 1;

-- organisations: the codes of who takes part, by which a town knows its own database
SELECT code FROM organisation ORDER BY id LIMIT 100000;

-- refusals: recorded refusals by code
SELECT convert_from(answer, 'UTF8')::jsonb ->> 'code', count(*)
FROM command WHERE outcome = 1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000;

-- details: what the totals of the ledger do not tell of a program, or of all: how often, and what is still to come
-- Kinds: 11 TOP_UP, 25 REFUND, 31 EXPIRE_LOT, 41 RELEASE_RESERVE, 151 CLOSE_CARD. Accounts: 20 to 22 CARD_*, 50 HOLDER_REFUND, 31 FUNDER_COMMITTED,
-- 40 MERCHANT_PAYABLE, 41 MERCHANT_RESERVE. The states of payments, vouchers, rewards, plans and referrals stand with
-- their tables.
WITH wanted AS (SELECT id FROM program WHERE %(program)s::smallint IS NULL OR id = %(program)s::smallint)
SELECT p.*, g.*, o.*, d.*, y.*, b.*, v.*, r.*, k.*, l.*, f.*, s.*, w.*
FROM (
    SELECT count(DISTINCT transfer) FILTER (WHERE kind = 11) AS topped_up,
           count(DISTINCT transfer) FILTER (WHERE kind = 11 AND debit = 31) AS topped_up_with_vouchers,
           count(DISTINCT transfer) FILTER (WHERE kind = 31) AS lots_expired,
           count(DISTINCT transfer) FILTER (WHERE kind = 41) AS reserves_released,
           coalesce(sum(amount) FILTER (WHERE kind = 151 AND debit BETWEEN 20 AND 22), 0)::bigint AS closed_cards_fen,
           coalesce(sum(amount) FILTER (WHERE kind <> 151 AND debit BETWEEN 20 AND 22 AND credit = 50), 0)::bigint
               AS refunded_outside_fen,
           coalesce(sum(amount) FILTER (WHERE debit = 50), 0)::bigint AS paid_to_holders_fen,
           (coalesce(sum(amount) FILTER (WHERE credit = 50), 0)
               - coalesce(sum(amount) FILTER (WHERE debit = 50), 0))::bigint AS owed_holders_fen,
           (coalesce(sum(amount) FILTER (WHERE debit = 40 AND credit = 47), 0)
               - coalesce(sum(amount) FILTER (WHERE credit = 40 AND debit = 47), 0))::bigint AS disputed_fen,
           (coalesce(sum(amount) FILTER (WHERE credit = 40), 0)
               - coalesce(sum(amount) FILTER (WHERE debit = 40), 0))::bigint AS payable_fen,
           (coalesce(sum(amount) FILTER (WHERE credit = 41), 0)
               - coalesce(sum(amount) FILTER (WHERE debit = 41), 0))::bigint AS reserve_fen
    FROM posting WHERE program IN (SELECT id FROM wanted)
) p, (
    SELECT count(*) AS closings, count(*) FILTER (WHERE cause = 1) AS closings_issuer,
           count(*) FILTER (WHERE state = 4) AS closings_kept, count(*) FILTER (WHERE state = 1) AS closings_open,
           count(*) FILTER (WHERE state = 2) AS closings_unpaid,
           coalesce(sum(amount) FILTER (WHERE state = 2), 0)::bigint AS closings_unpaid_fen,
           count(*) FILTER (WHERE closed_at IS NOT NULL) AS cards_closed
    FROM closing WHERE program IN (SELECT id FROM wanted)
) g, (
    SELECT count(*) AS payouts, count(*) FILTER (WHERE t.state = 1) AS payouts_waiting,
           count(*) FILTER (WHERE t.state = 2) AS payouts_sent,
           count(*) FILTER (WHERE t.state = 3) AS payouts_confirmed,
           (SELECT count(*) FROM payout_step x JOIN payout q ON q.bucket = x.bucket AND q.id = x.payout
            JOIN settlement z ON z.bucket = q.bucket AND z.id = q.settlement
            WHERE x.state = 4 AND z.program IN (SELECT id FROM wanted)) AS payouts_failed,
           (SELECT count(*) FROM payout_step x JOIN payout q ON q.bucket = x.bucket AND q.id = x.payout
            JOIN settlement z ON z.bucket = q.bucket AND z.id = q.settlement
            WHERE x.state = 5 AND z.program IN (SELECT id FROM wanted)) AS payouts_returned,
           coalesce(sum(t.attempt - 1), 0)::bigint AS payouts_again,
           count(*) FILTER (WHERE t.state IN (4, 5, 6)) AS payouts_open,
           coalesce(sum(t.amount - t.held) FILTER (WHERE t.state IN (4, 5, 6)), 0)::bigint AS payouts_open_fen
    FROM payout t JOIN settlement s ON s.bucket = t.bucket AND s.id = t.settlement
    WHERE s.program IN (SELECT id FROM wanted)
) o, (
    SELECT count(*) AS disputes, count(*) FILTER (WHERE state = 2) AS disputes_merchant,
           count(*) FILTER (WHERE state = 3) AS disputes_holder, count(*) FILTER (WHERE state = 1) AS disputes_open,
           coalesce(sum(amount) FILTER (WHERE state = 1), 0)::bigint AS disputes_open_fen
    FROM dispute WHERE program IN (SELECT id FROM wanted)
) d, (
    SELECT count(*) FILTER (WHERE captured > 0) AS payments,
           count(*) FILTER (WHERE captured > 0 AND discounts <> '') AS payments_with_vouchers,
           count(*) FILTER (WHERE captured > 0 AND card IS NULL) AS payments_without_card,
           count(*) FILTER (WHERE state = 1) AS holds, count(*) FILTER (WHERE state = 3) AS holds_voided,
           count(*) FILTER (WHERE state = 4) AS holds_expired
    FROM payment WHERE program IN (SELECT id FROM wanted)
) y, (
    SELECT count(*) FILTER (WHERE c.kind = 25 AND b.amount = p.captured) AS refunds_full,
           count(*) FILTER (WHERE c.kind = 25 AND b.amount < p.captured) AS refunds_partial,
           count(*) FILTER (WHERE c.kind <> 25) AS reversals
    FROM refund b JOIN payment p ON p.bucket = b.bucket AND p.id = b.payment
    JOIN command c ON c.bucket = b.bucket AND c.id = b.id
    WHERE p.program IN (SELECT id FROM wanted)
) b, (
    SELECT count(*) AS vouchers, count(*) FILTER (WHERE v.state IN (3, 7)) AS vouchers_used,
           count(*) FILTER (WHERE v.state = 6) AS vouchers_returned,
           count(*) FILTER (WHERE v.state = 4) AS vouchers_expired,
           count(*) FILTER (WHERE v.state = 5) AS vouchers_taken_back,
           count(*) FILTER (WHERE v.state IN (1, 2)) AS vouchers_open
    FROM voucher v JOIN stock s ON s.id = v.stock WHERE s.program IN (SELECT id FROM wanted)
) v, (
    SELECT count(*) FILTER (WHERE r.state = 1) AS rebates_waiting,
           coalesce(sum(r.amount - r.cut) FILTER (WHERE r.state = 1), 0)::bigint AS rebates_waiting_fen,
           count(*) FILTER (WHERE r.state IN (2, 4)) AS rebates_granted,
           count(*) FILTER (WHERE r.state = 3) AS rebates_cancelled,
           count(*) FILTER (WHERE r.state IN (2, 4) AND r.cut > 0) AS rebates_clawed_back
    FROM reward r JOIN payment p ON p.bucket = r.bucket AND p.id = r.id WHERE p.program IN (SELECT id FROM wanted)
) r, (
    SELECT count(*) AS packets, coalesce(sum(k.amount), 0)::bigint AS packets_fen
    FROM packet k JOIN packet_pool q ON q.id = k.pool WHERE q.program IN (SELECT id FROM wanted)
) k, (
    SELECT count(*) AS plans, coalesce(sum(l.given), 0)::bigint AS plan_months,
           count(*) FILTER (WHERE l.state = 1) AS plans_running
    FROM plan l JOIN stock s ON s.id = l.stock WHERE s.program IN (SELECT id FROM wanted)
) l, (
    SELECT count(*) AS referrals, count(*) FILTER (WHERE state = 3) AS referrals_paid,
           count(*) FILTER (WHERE state = 4) AS referrals_clawed_back
    FROM referral WHERE program IN (SELECT id FROM wanted)
) f, (
    SELECT count(*) AS settlements, count(*) FILTER (WHERE paid > 0) AS settlements_paid,
           count(*) FILTER (WHERE pending_bank > 0) AS settlements_waiting
    FROM settlement WHERE program IN (SELECT id FROM wanted)
) s, (
    SELECT count(*) FILTER (WHERE t.pending_bank > 0) AS merchants_waiting,
           coalesce(sum(t.pending_bank), 0)::bigint AS waiting_fen
    FROM (SELECT DISTINCT ON (bucket, merchant, program) pending_bank FROM settlement
          WHERE program IN (SELECT id FROM wanted) ORDER BY bucket, merchant, program, number DESC) t
) w
LIMIT 1;

-- commands: how many commands of each kind took effect, and how many were refused
SELECT kind::int, count(*) FILTER (WHERE outcome = 0), count(*) FILTER (WHERE outcome = 1)
FROM command GROUP BY kind ORDER BY kind LIMIT 1000;

-- forget: drop everything that was ever stored here (the owner of the schema only)
DROP SCHEMA IF EXISTS kaquan CASCADE;
