-- set_clock: move the installation clock (the simulator only)
UPDATE installation SET clock_offset_us = %(clock_offset_us)s WHERE id = 1;

-- organisations: the codes of who takes part, by which a town knows its own database
SELECT code FROM organisation ORDER BY id LIMIT 100000;

-- refusals: recorded refusals by code
SELECT convert_from(answer, 'UTF8')::jsonb ->> 'code', count(*)
FROM command WHERE outcome = 1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000;

-- details: what the totals of the ledger do not tell: how often, what was paid for, what is still to come
-- Kinds: 10 SELL, 11 TOP_UP. Accounts: 20 CARD_PRINCIPAL, 40 MERCHANT_PAYABLE, 41 MERCHANT_RESERVE. Channel money
-- is what holders paid; rebates wait (1), were granted (2, 4), cancelled (3) or clawed back (4).
SELECT p.*, y.*, r.*, c.*, s.*
FROM (
    SELECT count(DISTINCT transfer) FILTER (WHERE kind = 11) AS topped_up,
           coalesce(sum(amount) FILTER (WHERE kind = 10 AND credit = 20), 0)::bigint AS cards_sold_paid_fen,
           coalesce(sum(amount) FILTER (WHERE kind = 11 AND credit = 20), 0)::bigint AS topped_up_paid_fen,
           (coalesce(sum(amount) FILTER (WHERE credit = 40), 0)
               - coalesce(sum(amount) FILTER (WHERE debit = 40), 0))::bigint AS payable_fen,
           (coalesce(sum(amount) FILTER (WHERE credit = 41), 0)
               - coalesce(sum(amount) FILTER (WHERE debit = 41), 0))::bigint AS reserve_fen
    FROM posting
) p, (
    SELECT count(*) FILTER (WHERE captured > 0) AS payments, count(*) FILTER (WHERE state = 1) AS holds,
           count(*) FILTER (WHERE state = 5) AS refunds
    FROM payment
) y, (
    SELECT count(*) FILTER (WHERE state = 1) AS rebates_waiting,
           coalesce(sum(amount) FILTER (WHERE state = 1), 0)::bigint AS rebates_waiting_fen,
           count(*) FILTER (WHERE state IN (2, 4)) AS rebates_granted,
           count(*) FILTER (WHERE state = 3) AS rebates_cancelled,
           coalesce(sum(amount) FILTER (WHERE state = 3), 0)::bigint AS rebates_cancelled_fen,
           count(*) FILTER (WHERE state = 4) AS rebates_clawed_back
    FROM reward
) r, (
    SELECT count(*) FILTER (WHERE kind = 31 AND outcome = 0) AS lots_expired,
           count(*) FILTER (WHERE kind = 41 AND outcome = 0) AS reserves_released,
           count(*) FILTER (WHERE outcome = 0) AS commands_effective,
           count(*) FILTER (WHERE outcome = 1) AS commands_refused
    FROM command
) c, (SELECT count(*) AS settlements FROM settlement) s
LIMIT 1;

-- forget: drop everything that was ever stored here (the owner of the schema only)
DROP SCHEMA IF EXISTS kaquan CASCADE;
