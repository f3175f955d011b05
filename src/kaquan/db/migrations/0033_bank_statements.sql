-- What the bank says of custody: statements, entered by one person and looked at by another, or imported; their entries,
-- matched to postings where possible; and what did not match. Rows of one statement are born in one statement of SQL, in the
-- order of their tables' names: what names the statement is checked at the commit.

CREATE TABLE custody_statement (
    at        bigint NOT NULL,
    opening   bigint NOT NULL,
    closing   bigint NOT NULL,
    id        uuid NOT NULL,
    custody   uuid NOT NULL,
    day       date NOT NULL,
    version   integer NOT NULL,
    bucket    smallint NOT NULL,
    state     smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    number    text NOT NULL,
    reference text NOT NULL,
    person    text NOT NULL,
    looked_by text,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, custody) REFERENCES custody (bucket, id)
);
COMMENT ON TABLE custody_statement IS 'A statement of the bank over a custody account. state 1 entered, 2 confirmed, 3 rejected. id follows from custody and number.';

CREATE TABLE custody_entry (
    at        bigint NOT NULL,
    amount    bigint NOT NULL,
    statement uuid NOT NULL,
    transfer  uuid,
    day       date NOT NULL,
    bucket    smallint NOT NULL,
    line      smallint NOT NULL,
    reference text NOT NULL,
    PRIMARY KEY (bucket, statement, line),
    FOREIGN KEY (bucket, statement) REFERENCES custody_statement (bucket, id) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE custody_entry IS 'A movement on a statement, out of the account below zero, with the transfer that it was matched to.';

CREATE TABLE custody_discrepancy (
    at        bigint NOT NULL,
    amount    bigint NOT NULL,
    id        uuid NOT NULL,
    custody   uuid NOT NULL,
    statement uuid NOT NULL,
    transfer  uuid,
    day       date NOT NULL,
    version   integer NOT NULL,
    bucket    smallint NOT NULL,
    kind      smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    state     smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    reference text NOT NULL,
    person    text,
    reason    text,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, statement) REFERENCES custody_statement (bucket, id) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE custody_discrepancy IS 'What a statement and the books do not agree on. kind 1 not in the books, 2 not at the bank, 3 balance. state 1 open, 2 matched later, 3 explained.';
COMMENT ON COLUMN custody_discrepancy.transfer IS 'What is not at the bank; or what matched later.';

CREATE FUNCTION custody_statement_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT p_from = 1 AND p_to IN (2, 3) $$;
CREATE FUNCTION custody_discrepancy_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT p_from = 1 AND p_to IN (2, 3) $$;

GRANT SELECT, INSERT ON custody_statement, custody_entry, custody_discrepancy TO kaquan_app;
GRANT UPDATE (state, looked_by, version) ON custody_statement TO kaquan_app;
GRANT UPDATE (state, transfer, person, reason, version) ON custody_discrepancy TO kaquan_app;
REVOKE EXECUTE ON FUNCTION custody_statement_may (smallint, smallint), custody_discrepancy_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION custody_statement_may (smallint, smallint), custody_discrepancy_may (smallint, smallint) TO kaquan_app;
