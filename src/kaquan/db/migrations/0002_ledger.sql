-- What the door writes for every batch, and the books. Append-only by privileges: the application may insert
-- and read, nothing else.

CREATE TABLE command (
    at      bigint NOT NULL,
    id      uuid NOT NULL,
    content uuid NOT NULL,
    answer  bytea NOT NULL,
    bucket  smallint NOT NULL,
    kind    smallint NOT NULL,
    outcome smallint NOT NULL CHECK (outcome IN (0, 1)),
    PRIMARY KEY (bucket, id)
);
COMMENT ON TABLE command IS 'One row per decision. outcome 0: took effect, 1: refused. content: SHA-256 of what was asked, cut to 16 bytes.';

CREATE TABLE journal (
    id       uuid NOT NULL,
    at       bigint NOT NULL,
    xid      bigint NOT NULL,
    commands uuid[] NOT NULL,
    leaves   bytea NOT NULL,
    events   bytea NOT NULL,
    bucket   smallint NOT NULL,
    lane     smallint NOT NULL,
    kind     smallint NOT NULL,
    PRIMARY KEY (bucket, id),
    CHECK (octet_length(leaves) = 64 * cardinality(commands))
);
COMMENT ON TABLE journal IS 'One row per batch: the effects in order, 64 bytes of leaf commitment each, and the events the outbox will deliver.';

CREATE TABLE posting (
    amount       bigint NOT NULL CHECK (amount > 0),
    at           bigint NOT NULL,
    xid          bigint NOT NULL,
    transfer     uuid NOT NULL,
    debit_owner  uuid,
    credit_owner uuid,
    bucket       smallint NOT NULL,
    line         smallint NOT NULL,
    book         smallint NOT NULL,
    program      smallint NOT NULL,
    kind         smallint NOT NULL,
    debit        smallint NOT NULL,
    credit       smallint NOT NULL,
    source       smallint NOT NULL,
    PRIMARY KEY (bucket, transfer, line)
);
CREATE INDEX posting_xid ON posting USING brin (xid) WITH (pages_per_range = 32);
COMMENT ON COLUMN posting.xid IS 'The transaction that wrote the row, as a number: cuts and roll-ups go by transaction horizon.';
COMMENT ON TABLE posting IS 'A debit and a credit of the same amount in one book: every row sums to zero. transfer is the id of the command that moved the money.';

CREATE TABLE rollup (
    book    smallint NOT NULL,
    program smallint NOT NULL,
    account smallint NOT NULL,
    owner   uuid NOT NULL,
    source  smallint NOT NULL,
    debits  numeric NOT NULL,
    credits numeric NOT NULL,
    PRIMARY KEY (book, program, account, owner, source)
);
COMMENT ON TABLE rollup IS 'Totals of all postings below the horizon; lots keep their own balance and are rolled up without an owner.';

CREATE TABLE rollup_horizon (
    id  smallint PRIMARY KEY CHECK (id = 1),
    xid bigint NOT NULL
);
INSERT INTO rollup_horizon VALUES (1, 0);

GRANT SELECT, INSERT ON command, journal, posting TO kaquan_app;
GRANT SELECT, INSERT, UPDATE ON rollup TO kaquan_app;
GRANT SELECT, UPDATE ON rollup_horizon TO kaquan_app;
