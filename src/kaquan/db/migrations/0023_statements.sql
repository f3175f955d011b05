-- Statements: frozen records of what the books say of a merchant, a fund or a wallet, each naming the hash of the one
-- before it. They lie in the bucket of their party.

CREATE TABLE statement (
    at       bigint NOT NULL,
    cut_at   bigint NOT NULL,
    cut_xid  bigint NOT NULL,
    id       uuid NOT NULL,
    subject  uuid NOT NULL,
    number   integer NOT NULL CHECK (number > 0),
    since    date NOT NULL,
    until    date NOT NULL CHECK (until >= since),
    bucket   smallint NOT NULL,
    kind     smallint NOT NULL CHECK (kind IN (1, 2, 3)),
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32),
    previous bytea NOT NULL CHECK (octet_length(previous) = 32),
    body     bytea NOT NULL,
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, subject, number),
    CHECK (hash = sha256(body))
);
COMMENT ON TABLE statement IS 'A statement as it was made, never changed. kind 1 merchant, 2 funder (a fund), 3 holder (a wallet).';
COMMENT ON COLUMN statement.number IS '1 for the first statement of a party, then one more each time: a second writer of the next one fails.';
COMMENT ON COLUMN statement.body IS 'The record in canonical JSON; `hash` is its SHA-256, `previous` the hash of the statement before (zeros for none).';
COMMENT ON COLUMN statement.cut_at IS 'It counts postings before this instant by transactions below cut_xid, which no earlier statement of the party counted.';

GRANT SELECT, INSERT ON statement TO kaquan_app;
