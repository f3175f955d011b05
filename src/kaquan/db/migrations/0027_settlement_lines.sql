-- Settlement in full: fee tiers with their tax, partners' shares, debts, reserves that are drawn on, transfers inside.

ALTER TABLE settlement DROP CONSTRAINT settlement_fee_check;
ALTER TABLE settlement
    ADD COLUMN tax             bigint NOT NULL DEFAULT 0,
    ADD COLUMN shared          bigint NOT NULL DEFAULT 0,
    ADD COLUMN drawn           bigint NOT NULL DEFAULT 0 CHECK (drawn >= 0),
    ADD COLUMN written_off     bigint NOT NULL DEFAULT 0 CHECK (written_off >= 0),
    ADD COLUMN transferred     bigint NOT NULL DEFAULT 0 CHECK (transferred >= 0),
    ADD COLUMN pending_minimum bigint NOT NULL DEFAULT 0 CHECK (pending_minimum >= 0),
    ADD COLUMN standing        jsonb  NOT NULL DEFAULT '{}',
    ADD COLUMN lines           jsonb  NOT NULL DEFAULT '[]';
ALTER TABLE settlement ADD CONSTRAINT settlement_tax CHECK (abs(tax) <= abs(fee) AND tax::numeric * fee >= 0);
ALTER TABLE settlement ADD CONSTRAINT settlement_one_way CHECK (
    (paid > 0)::int + (transferred > 0)::int + (pending_bank > 0)::int + (pending_minimum > 0)::int <= 1);
ALTER TABLE settlement ADD CONSTRAINT settlement_sums CHECK (
    gross - refunds + carried + released + written_off + drawn
    = fee + shared + reserved + paid + transferred + carry);
COMMENT ON COLUMN settlement.fee IS 'With its tax; negative when a month''s true-up gives back more than the period takes.';
COMMENT ON COLUMN settlement.shared IS 'To partners; negative when they give back.';
COMMENT ON COLUMN settlement.standing IS 'What the next settlement stands on: the month''s fee, its tax, shares, since when it owes.';
COMMENT ON COLUMN settlement.lines IS 'The settlement told line by line, each with its rule, funder and source.';
CREATE INDEX settlement_owing ON settlement (program, period_end) WHERE carry < 0;

ALTER TABLE reserve
    ADD COLUMN settlement      uuid,
    ADD COLUMN drawn           bigint NOT NULL DEFAULT 0,
    ADD COLUMN drawn_by_source jsonb  NOT NULL DEFAULT '{}';
UPDATE reserve SET settlement = id;
ALTER TABLE reserve ALTER COLUMN settlement SET NOT NULL;
ALTER TABLE reserve ADD CONSTRAINT reserve_drawn CHECK (drawn BETWEEN 0 AND amount);
CREATE INDEX reserve_settlement ON reserve (bucket, settlement);
CREATE INDEX reserve_held ON reserve (bucket, merchant, program) WHERE state = 1;
COMMENT ON TABLE reserve IS 'What a settlement held back, a row for each day of release; the last has the settlement''s id. '
    'state 1 withheld, 2 released; drawn is what negative nets took out of it before.';
GRANT UPDATE (drawn, drawn_by_source) ON reserve TO kaquan_app;

CREATE TABLE internal_transfer (
    amount      bigint NOT NULL CHECK (amount > 0),
    at          bigint NOT NULL,
    id          uuid NOT NULL,
    merchant    uuid NOT NULL,
    settlement  uuid NOT NULL,
    period_end  date NOT NULL,
    transfer_on date NOT NULL,
    bucket      smallint NOT NULL,
    program     smallint NOT NULL,
    source      smallint NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, settlement) REFERENCES settlement (bucket, id)
);
COMMENT ON TABLE internal_transfer IS 'What the issuer''s own store has coming, transferred inside: one per settlement and source.';
CREATE INDEX internal_transfer_period ON internal_transfer (program, period_end);
CREATE INDEX internal_transfer_settlement ON internal_transfer (bucket, settlement);

CREATE TABLE partner_share (
    amount     bigint NOT NULL,
    at         bigint NOT NULL,
    id         uuid NOT NULL,
    settlement uuid NOT NULL,
    merchant   uuid NOT NULL,
    partner    uuid NOT NULL,
    period_end date NOT NULL,
    bucket     smallint NOT NULL,
    program    smallint NOT NULL,
    book       smallint NOT NULL,
    by_source  jsonb NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, settlement) REFERENCES settlement (bucket, id)
);
COMMENT ON TABLE partner_share IS 'What a partner got of a merchant''s settlement; negative: gave back.';
CREATE INDEX partner_share_partner ON partner_share (program, partner, period_end);
CREATE INDEX partner_share_settlement ON partner_share (bucket, settlement);

GRANT SELECT, INSERT ON internal_transfer, partner_share TO kaquan_app;
