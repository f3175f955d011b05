-- Funders' money comes in and goes back; stocks live: what happened to each, and what it was given in all.

CREATE TABLE stock_event (
    at        bigint NOT NULL,
    count     bigint NOT NULL CHECK (count >= 0),
    budget    bigint NOT NULL CHECK (budget >= 0),
    stock     integer NOT NULL REFERENCES stock (id),
    number    integer NOT NULL CHECK (number > 0),
    operation text NOT NULL,
    person    text NOT NULL,
    reason    text NOT NULL,
    PRIMARY KEY (stock, number)
);
COMMENT ON TABLE stock_event IS 'Every step of a stock''s life and who took it, never changed. count, budget: what it was given in all up to then.';

-- A breaker counts the payments of an hour. Payments are born in the order of time, so that a block range index finds
-- them and costs a payment next to nothing.
CREATE INDEX payment_at ON payment USING brin (at) WITH (pages_per_range = 32);

-- What commands on funds are decided on, in one snapshot: what the books say of each fund (credits less debits of
-- accounts 30 to 33), and the slices of pools. The books of a fund lie in every bucket; nothing here is on a hot path.
CREATE FUNCTION load_funds(
    p_buckets smallint[], p_command_bucket smallint[], p_command_id uuid[], p_fund uuid[],
    p_slice_bucket smallint[], p_slice_pool uuid[], p_slice_day integer[], p_slice_number smallint[],
    OUT command_id uuid[], OUT command_content uuid[], OUT command_outcome smallint[], OUT command_answer bytea[],
    OUT balance_fund uuid[], OUT balance_account smallint[], OUT balance_fen bigint[],
    OUT slice_bucket smallint[], OUT slice_pool uuid[], OUT slice_day integer[], OUT slice_number smallint[],
    OUT slice_version integer[], OUT slice_count_left bigint[], OUT slice_fen_left bigint[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT * INTO command_id, command_content, command_outcome, command_answer
    FROM load_commands(p_buckets, p_command_bucket, p_command_id);

    SELECT array_agg(t.owner), array_agg(t.account), array_agg(t.fen)
    INTO balance_fund, balance_account, balance_fen
    FROM (SELECT b.owner, b.account, sum(b.credits - b.debits)::bigint AS fen FROM fund_balances(p_fund) b
          GROUP BY 1, 2) t;

    IF p_slice_pool IS NOT NULL THEN
        SELECT array_agg(t.bucket), array_agg(t.pool), array_agg(t.day), array_agg(t.number), array_agg(t.version),
               array_agg(t.count_left), array_agg(t.fen_left)
        INTO slice_bucket, slice_pool, slice_day, slice_number, slice_version, slice_count_left, slice_fen_left
        FROM unnest(p_slice_bucket, p_slice_pool, p_slice_day, p_slice_number) AS u (bucket, pool, day, number)
        JOIN slice t ON t.bucket = u.bucket AND t.pool = u.pool AND t.day = u.day AND t.number = u.number
        WHERE t.bucket = ANY (p_buckets);
    END IF;
END $$;

-- What the books say of funds: the roll-up, and the postings since its horizon.
CREATE FUNCTION fund_balances(p_fund uuid[])
RETURNS TABLE (owner uuid, account smallint, program smallint, debits numeric, credits numeric)
LANGUAGE sql STABLE AS $$
    SELECT r.owner, r.account, r.program, r.debits, r.credits
    FROM rollup r WHERE r.account BETWEEN 30 AND 33 AND r.owner = ANY (p_fund)
    UNION ALL
    SELECT v.owner, v.account, p.program, v.debits, v.credits
    FROM posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, p.amount, 0::bigint),
                               (p.credit, p.credit_owner, 0::bigint, p.amount)) AS v (account, owner, debits, credits)
    WHERE p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1)
      AND v.account BETWEEN 30 AND 33 AND v.owner = ANY (p_fund)
$$;

GRANT SELECT, INSERT ON stock_event TO kaquan_app;
REVOKE EXECUTE ON FUNCTION load_funds (smallint[], smallint[], uuid[], uuid[], smallint[], uuid[], integer[], smallint[]),
    fund_balances (uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION load_funds (smallint[], smallint[], uuid[], uuid[], smallint[], uuid[], integer[], smallint[]),
    fund_balances (uuid[]) TO kaquan_app;

-- Who pays for the vouchers of a stock under each version of its terms, in order: `bps` of `whole`, `upto` with those
-- before it. fund NULL: the merchant.
CREATE VIEW funding_share AS
SELECT t.id AS terms, s.id AS stock, f.id AS fund, e.position,
       (e.value ->> 'share_bps')::bigint AS bps,
       sum((e.value ->> 'share_bps')::bigint) OVER (PARTITION BY t.id, s.id ORDER BY e.position)::bigint AS upto,
       sum((e.value ->> 'share_bps')::bigint) OVER (PARTITION BY t.id, s.id)::bigint AS whole
FROM program_terms t
JOIN stock s ON s.program = t.program
CROSS JOIN LATERAL jsonb_array_elements(t.terms::jsonb -> 'funding') WITH ORDINALITY AS e (value, position)
LEFT JOIN fund f ON f.code = e.value ->> 'fund'
WHERE e.value ->> 'of' = s.code;

-- What one of them pays of an amount: the difference of running totals that are rounded half up (kernel.money.allocate).
CREATE FUNCTION funded_part(p_amount bigint, p_bps bigint, p_upto bigint, p_whole bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (2 * p_amount * p_upto + p_whole) / (2 * p_whole) - (2 * p_amount * (p_upto - p_bps) + p_whole) / (2 * p_whole) $$;

-- The pool of something that is counted by a number (quotas.model.pool_id).
CREATE FUNCTION pool_of(p_kind text, p_number integer) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT encode(substring(sha256(convert_to(p_kind || ' ' || p_number, 'UTF8')) FOR 16), 'hex')::uuid $$;

GRANT SELECT ON funding_share TO kaquan_app;
REVOKE EXECUTE ON FUNCTION funded_part (bigint, bigint, bigint, bigint), pool_of (text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION funded_part (bigint, bigint, bigint, bigint), pool_of (text, integer) TO kaquan_app;
