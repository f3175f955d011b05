-- A payout's life: told to the bank in a numbered file, confirmed or failed, returned, told again under its number.

ALTER TABLE payout
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN attempt smallint NOT NULL DEFAULT 1 CHECK (attempt BETWEEN 1 AND 999),
    ADD COLUMN held bigint NOT NULL DEFAULT 0,
    ADD COLUMN questions smallint NOT NULL DEFAULT 0 CHECK (questions >= 0),
    ADD COLUMN file uuid,
    ADD COLUMN reference text NOT NULL DEFAULT '',
    ADD CONSTRAINT payout_held CHECK (held BETWEEN 0 AND amount AND (held < amount OR state = 6)),
    ADD CONSTRAINT payout_state CHECK (state BETWEEN 1 AND 6);
COMMENT ON COLUMN payout.state IS '1 instructed, 2 sent, 3 confirmed, 4 failed, 5 returned, 6 withheld for a dispute.';
COMMENT ON COLUMN payout.held IS 'What disputes hold back of it. It is never given back to the payout: what is released is paid with the next settlement.';
COMMENT ON COLUMN payout.questions IS 'Exceptions that are open about it; while there is one it is not sent.';

-- Payouts up to here were told to the bank in files without a number. None of them is told again by itself.
UPDATE payout SET state = 2;
CREATE INDEX payout_ready ON payout (source, pay_on, id) WHERE state = 1;
CREATE INDEX payout_merchant ON payout (merchant, state);

CREATE FUNCTION payout_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = kaquan AS $$
    SELECT p_from = p_to OR (p_from, p_to) IN ((1, 2), (1, 3), (1, 6), (2, 3), (2, 4), (3, 5), (4, 1), (4, 3), (4, 6),
                                               (5, 1), (5, 6))
$$;

CREATE TABLE payout_step (
    at           bigint NOT NULL,
    amount       bigint NOT NULL CHECK (amount > 0),
    id           uuid NOT NULL,
    payout       uuid NOT NULL,
    file         uuid,
    bucket       smallint NOT NULL,
    attempt      smallint NOT NULL,
    state        smallint NOT NULL,
    account_bank text NOT NULL,
    account_no   text NOT NULL,
    reference    text NOT NULL,
    reason       text NOT NULL,
    person       text NOT NULL,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX payout_step_of ON payout_step (bucket, payout, id);
COMMENT ON TABLE payout_step IS 'A step in a payout''s life; its id is the command''s that took it.';

CREATE TABLE payout_file (
    at           bigint NOT NULL,
    total        bigint NOT NULL CHECK (total >= 0),
    id           uuid NOT NULL,
    number       integer NOT NULL CHECK (number > 0),
    version      integer NOT NULL,
    listed       integer NOT NULL CHECK (listed > 0),
    lines        integer NOT NULL CHECK (lines BETWEEN 0 AND listed),
    pay_on       date NOT NULL,
    bucket       smallint NOT NULL,
    book         smallint NOT NULL,
    source       smallint NOT NULL,
    format       smallint NOT NULL,
    state        smallint NOT NULL CHECK (state IN (1, 2, 3)),
    sha256       text NOT NULL,
    account_name text NOT NULL,
    account_bank text NOT NULL,
    account_no   text NOT NULL,
    person       text NOT NULL,
    content      bytea NOT NULL,
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, number),
    CONSTRAINT payout_file_made CHECK ((state = 2) = (length(sha256) = 64) AND (state = 2) = (octet_length(content) > 0))
);
COMMENT ON TABLE payout_file IS 'A file of instructions for a bank, made once; its content is sealed. state 1 open, 2 made, 3 empty.';

CREATE FUNCTION payout_file_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = kaquan AS $$
    SELECT p_from = 1 AND p_to IN (2, 3)
$$;

CREATE TABLE payout_file_line (
    file          uuid NOT NULL,
    payout        uuid NOT NULL,
    bucket        smallint NOT NULL,
    payout_bucket smallint NOT NULL,
    PRIMARY KEY (bucket, file, payout)
);
COMMENT ON TABLE payout_file_line IS 'A payout that a file lists. It is in the file if it has a step that names it.';

CREATE TABLE payout_exception (
    at           bigint NOT NULL,
    explained_at bigint,
    amount       bigint,
    id           uuid NOT NULL,
    payout       uuid,
    version      integer NOT NULL,
    bucket       smallint NOT NULL,
    attempt      smallint,
    said         smallint NOT NULL,
    state        smallint NOT NULL CHECK (state IN (1, 2)),
    verdict      smallint,
    code         text NOT NULL,
    number       text NOT NULL,
    reference    text NOT NULL,
    reason       text NOT NULL,
    explanation  text NOT NULL,
    explained_by text NOT NULL,
    PRIMARY KEY (bucket, id),
    CONSTRAINT payout_exception_explained CHECK ((state = 2) = (verdict IS NOT NULL) AND (state = 2) = (explanation <> '')
                                                 AND (state = 2) = (explained_at IS NOT NULL))
);
CREATE INDEX payout_exception_open ON payout_exception (at, id) WHERE state = 1;
COMMENT ON TABLE payout_exception IS 'A line of the bank that fitted nothing, until a person explains it. state 1 open, 2 explained.';

CREATE FUNCTION payout_exception_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = kaquan AS $$
    SELECT p_from = 1 AND p_to = 2
$$;

CREATE TABLE source_account (
    at           bigint NOT NULL,
    id           uuid NOT NULL,
    bucket       smallint NOT NULL,
    book         smallint NOT NULL REFERENCES book (id),
    source       smallint NOT NULL CHECK (source IN (1, 2, 3)),
    account_name text NOT NULL,
    account_bank text NOT NULL,
    account_no   text NOT NULL,
    person       text NOT NULL,
    PRIMARY KEY (bucket, id)
);
COMMENT ON TABLE source_account IS 'The bank account that a book pays merchants from, by the source of the money; the latest counts.';

GRANT SELECT, INSERT ON payout_step, payout_file, payout_file_line, payout_exception, source_account TO kaquan_app;
GRANT UPDATE (state, version, attempt, held, questions, file, reference, account_bank, account_no) ON payout TO kaquan_app;
GRANT UPDATE (state, version, sha256, lines, total, content) ON payout_file TO kaquan_app;
GRANT UPDATE (state, version, verdict, explanation, explained_by, explained_at) ON payout_exception TO kaquan_app;
REVOKE EXECUTE ON FUNCTION payout_may (smallint, smallint), payout_file_may (smallint, smallint),
    payout_exception_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payout_may (smallint, smallint), payout_file_may (smallint, smallint),
    payout_exception_may (smallint, smallint) TO kaquan_app;
