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
