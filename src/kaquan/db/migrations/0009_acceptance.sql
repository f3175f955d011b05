-- Who takes part in which program, where merchants are paid, what waits for a bank account, which periods are closed.

CREATE TABLE enrolment (
    program  smallint NOT NULL REFERENCES program (id),
    merchant uuid NOT NULL REFERENCES merchant (id),
    state    smallint NOT NULL CHECK (state IN (1, 2)),
    version  integer NOT NULL DEFAULT 1,
    at       bigint NOT NULL,
    PRIMARY KEY (program, merchant)
);
COMMENT ON TABLE enrolment IS 'A merchant that was enrolled in a program, or suspended from it. state 1 enrolled, 2 suspended.';

ALTER TABLE merchant ADD COLUMN bank_verified boolean NOT NULL DEFAULT false;
ALTER TABLE merchant ADD COLUMN bank_proof text NOT NULL DEFAULT '';
ALTER TABLE merchant ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE merchant ADD CONSTRAINT merchant_verified_account CHECK (account_no <> '' OR NOT bank_verified);
COMMENT ON COLUMN merchant.account_no IS 'Empty while the merchant has told no account.';
COMMENT ON COLUMN merchant.bank_proof IS 'What showed an operator that the account is the merchant''s.';

ALTER TABLE settlement ADD COLUMN pending_bank bigint NOT NULL DEFAULT 0;
ALTER TABLE settlement ADD CONSTRAINT settlement_pending CHECK (pending_bank >= 0 AND (pending_bank = 0 OR paid = 0));
COMMENT ON COLUMN settlement.pending_bank IS 'The part of the carry that would have been paid, had there been an account to pay it to.';

CREATE INDEX settlement_waiting ON settlement (program, period_end) WHERE pending_bank > 0;

-- An account that is bound later must not divert what was instructed before.
ALTER TABLE payout ADD COLUMN account_bank text NOT NULL DEFAULT '';
ALTER TABLE payout ADD COLUMN account_no text NOT NULL DEFAULT '';
UPDATE payout p SET account_bank = m.account_bank, account_no = m.account_no FROM merchant m WHERE m.id = p.merchant;

CREATE TABLE closed_period (
    cut_at     bigint NOT NULL,
    cut_xid    bigint NOT NULL,
    at         bigint NOT NULL,
    period_end date NOT NULL,
    terms      integer NOT NULL REFERENCES program_terms (id),
    program    smallint NOT NULL REFERENCES program (id),
    PRIMARY KEY (program, period_end)
);
COMMENT ON TABLE closed_period IS 'A period in which every merchant is settled. Who has no settlement of it or later had nothing within its cut.';

GRANT SELECT, INSERT ON enrolment, closed_period TO kaquan_app;
GRANT UPDATE (state, version, at) ON enrolment TO kaquan_app;
GRANT UPDATE (account_bank, account_no, bank_verified, bank_proof, version) ON merchant TO kaquan_app;

CREATE FUNCTION apply_acceptance(p_cold jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    INSERT INTO closed_period SELECT * FROM jsonb_populate_recordset(NULL::closed_period, p_cold -> 'closed_period');
    IF p_cold ?| ARRAY['enrolment', 'enrolment_change', 'merchant_bank'] THEN
        INSERT INTO enrolment SELECT * FROM jsonb_populate_recordset(NULL::enrolment, p_cold -> 'enrolment');
        UPDATE enrolment t SET state = u.state, at = u.at, version = t.version + 1
        FROM jsonb_populate_recordset(NULL::enrolment, p_cold -> 'enrolment_change') u
        WHERE t.program = u.program AND t.merchant = u.merchant AND t.version = u.version;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('enrolment', n, coalesce(jsonb_array_length(p_cold -> 'enrolment_change'), 0));
        UPDATE merchant t SET account_bank = u.account_bank, account_no = u.account_no,
                              bank_verified = u.bank_verified, bank_proof = u.bank_proof, version = t.version + 1
        FROM jsonb_populate_recordset(NULL::merchant, p_cold -> 'merchant_bank') u
        WHERE t.id = u.id AND t.version = u.version;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('merchant', n, coalesce(jsonb_array_length(p_cold -> 'merchant_bank'), 0));
        UPDATE installation SET reference_version = reference_version + 1;
    END IF;
END $$;

-- The slow path has one more part: what is new here. The body that it had stays as it is.
ALTER FUNCTION apply_cold (smallint[], jsonb) RENAME TO apply_cold_rows;
CREATE FUNCTION apply_cold(p_buckets smallint[], p_cold jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_new constant text[] := ARRAY['closed_period', 'enrolment', 'enrolment_change', 'merchant_bank'];
BEGIN
    PERFORM apply_cold_rows(p_buckets, p_cold - v_new);
    IF p_cold ?| v_new THEN
        PERFORM apply_acceptance(p_cold);
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION apply_acceptance (jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION apply_cold (smallint[], jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION apply_acceptance (jsonb) TO kaquan_app;
GRANT EXECUTE ON FUNCTION apply_cold (smallint[], jsonb) TO kaquan_app;
