-- Settlements of a merchant form a chain: each stands on the one before it. Its number makes a second writer of
-- the next link fail, whatever period he settles.
ALTER TABLE settlement ADD COLUMN number integer NOT NULL CHECK (number > 0);
ALTER TABLE settlement ADD CONSTRAINT settlement_chain UNIQUE (bucket, merchant, program, number);
COMMENT ON COLUMN settlement.number IS '1 for a merchant''s first settlement in the program, then one more each time.';
CREATE INDEX settlement_period ON settlement (program, period_end);
CREATE INDEX payout_settlement ON payout (bucket, settlement);

-- Rows are written almost in the order of their instants, so that a month is found without reading the years
-- before it; the hot path pays nothing measurable for it.
CREATE INDEX posting_at ON posting USING brin (at) WITH (pages_per_range = 32);

-- What an allocation says, for the proofs: the layout of payment.allocation and refund.allocation, read back.
CREATE FUNCTION shares_of(p_allocation bytea) RETURNS TABLE (lot uuid, fen bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(substring(p_allocation FROM 24 * i + 1 FOR 16), 'hex')::uuid,
           ('x' || encode(substring(p_allocation FROM 24 * i + 17 FOR 8), 'hex'))::bit(64)::bigint
    FROM generate_series(0, octet_length(p_allocation) / 24 - 1) AS i
$$;
REVOKE EXECUTE ON FUNCTION shares_of (bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shares_of (bytea) TO kaquan_app;
