-- Settlements live in the merchant's bucket. A settlement is a cut of the books: all entries of the merchant
-- with an instant before cut_at, committed below cut_xid, that no earlier settlement has counted.

CREATE TABLE settlement (
    gross      bigint NOT NULL,
    refunds    bigint NOT NULL,
    carried    bigint NOT NULL,
    released   bigint NOT NULL,
    fee        bigint NOT NULL CHECK (fee >= 0),
    reserved   bigint NOT NULL CHECK (reserved >= 0),
    paid       bigint NOT NULL CHECK (paid >= 0),
    carry      bigint NOT NULL,
    cut_at     bigint NOT NULL,
    cut_xid    bigint NOT NULL,
    at         bigint NOT NULL,
    period_end date NOT NULL,
    pay_on     date NOT NULL,
    id         uuid NOT NULL,
    merchant   uuid NOT NULL,
    terms      integer NOT NULL,
    bucket     smallint NOT NULL,
    program    smallint NOT NULL,
    by_source  jsonb NOT NULL,
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, merchant, program, period_end)
);

CREATE TABLE payout (
    amount     bigint NOT NULL CHECK (amount > 0),
    id         uuid NOT NULL,
    merchant   uuid NOT NULL,
    settlement uuid NOT NULL,
    pay_on     date NOT NULL,
    at         bigint NOT NULL,
    bucket     smallint NOT NULL,
    source     smallint NOT NULL,
    state      smallint NOT NULL DEFAULT 1,
    PRIMARY KEY (bucket, id, source),
    FOREIGN KEY (bucket, settlement) REFERENCES settlement (bucket, id)
);
COMMENT ON TABLE payout IS 'An instruction to the bank, one per settlement and source of money.';

CREATE TABLE reserve (
    amount     bigint NOT NULL CHECK (amount > 0),
    release_on date NOT NULL,
    at         bigint NOT NULL,
    id         uuid NOT NULL,
    merchant   uuid NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    bucket     smallint NOT NULL,
    program    smallint NOT NULL,
    state      smallint NOT NULL CHECK (state IN (1, 2)),
    by_source  jsonb NOT NULL,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX reserve_due ON reserve (release_on) WHERE state = 1;
COMMENT ON TABLE reserve IS 'What a settlement held back; its id is the settlement''s. state 1 withheld, 2 released.';

GRANT SELECT, INSERT ON settlement, payout, reserve TO kaquan_app;
GRANT UPDATE (state, version) ON reserve TO kaquan_app;
