-- A voucher whose reason is gone, and that was used before: the order that it paid may still be refunded. Then its money
-- goes back to its funders, and it never counts again.

ALTER TABLE voucher DROP CONSTRAINT voucher_state_check;
ALTER TABLE voucher ADD CONSTRAINT voucher_state_check CHECK (state BETWEEN 1 AND 7);
COMMENT ON TABLE voucher IS 'A claim on its funders. state 1 issued, 2 held, 3 redeemed, 4 expired, 5 voided, 6 returned (its money went back after a refund), 7 forfeited (redeemed, and taken back since).';
COMMENT ON COLUMN referral.short IS 'What a used voucher had taken off when the referral was undone: the holder gives none of it back. A refund of that order gives it back to the funders.';

CREATE OR REPLACE FUNCTION voucher_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT (p_from, p_to) IN ((1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (3, 1), (3, 3),
                              (3, 6), (3, 7), (7, 7), (7, 6))
$$;
