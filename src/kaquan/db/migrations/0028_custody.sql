-- Prepaid money in custody. One row for each program that keeps any; every command on its custody changes that row, so
-- that what they decide stands in one order. What each day required and had is kept for ever.

CREATE TABLE custody (
    released    bigint NOT NULL CHECK (released >= 0),
    bank_fen    bigint,
    bank_short  bigint NOT NULL,
    id          uuid NOT NULL,
    day         date,
    short_since date,
    bank_day    date,
    version     integer NOT NULL,
    bucket      smallint NOT NULL,
    program     smallint NOT NULL REFERENCES program (id),
    state       smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    stop        text,
    PRIMARY KEY (bucket, id),
    CHECK ((state = 4) = (stop IS NOT NULL))
);
COMMENT ON TABLE custody IS 'Custody of a program''s prepaid money. state 1 covered, 2 warned, 3 short, 4 sales stopped.';
COMMENT ON COLUMN custody.stop IS 'Why sales stand still, as facts of the refusal (JSON): programs are read with it.';
COMMENT ON COLUMN custody.bank_short IS 'What the last confirmed statement of the bank had less than the books at the end of its day; below zero: more.';
COMMENT ON COLUMN custody.released IS 'What was ever released to the issuer.';

CREATE TABLE custody_day (
    at          bigint NOT NULL,
    required    bigint NOT NULL CHECK (required >= 0),
    ledger      bigint NOT NULL,
    covered     bigint NOT NULL,
    quarter_end bigint NOT NULL,
    bank        bigint,
    id          uuid NOT NULL,
    day         date NOT NULL,
    bucket      smallint NOT NULL,
    program     smallint NOT NULL REFERENCES program (id),
    terms       integer NOT NULL REFERENCES program_terms (id),
    state       smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    law_pack    text NOT NULL,
    law_version text NOT NULL,
    rules       text NOT NULL,
    PRIMARY KEY (bucket, id, day)
);
COMMENT ON TABLE custody_day IS 'A day of a program''s custody as it ended, never changed. rules: every rule with its basis and what it required (JSON).';
COMMENT ON COLUMN custody_day.id IS 'The custody it is of.';
COMMENT ON COLUMN custody_day.covered IS 'What counts: by the books, less what the bank''s last statement lacked.';

-- Sales stop and go on; a day never makes a stopped one merely short.
CREATE FUNCTION custody_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT NOT (p_from = 4 AND p_to = 3) $$;

GRANT SELECT, INSERT ON custody, custody_day TO kaquan_app;
GRANT UPDATE (released, bank_fen, bank_short, day, short_since, bank_day, version, state, stop) ON custody TO kaquan_app;
REVOKE EXECUTE ON FUNCTION custody_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION custody_may (smallint, smallint) TO kaquan_app;
