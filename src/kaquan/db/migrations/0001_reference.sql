-- Small tables that every shard of a cluster would hold whole: the installation, who takes part, and what the
-- programs promise. They change rarely, through the door, and each change raises reference_version, which
-- tells every process to read them again before it decides.

CREATE TABLE installation (
    id                smallint PRIMARY KEY CHECK (id = 1),
    clock_offset_us   bigint NOT NULL DEFAULT 0,
    reference_version bigint NOT NULL DEFAULT 1
);
COMMENT ON COLUMN installation.clock_offset_us IS 'Installation time minus system time; only the simulator moves it.';
INSERT INTO installation (id) VALUES (1);

CREATE TABLE book (
    id   smallint PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL
);
COMMENT ON TABLE book IS 'One legal entity that keeps its own accounts; each book sums to zero at every commit.';

CREATE TABLE organisation (
    id   integer PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    book smallint REFERENCES book (id)
);
COMMENT ON TABLE organisation IS 'Who takes part: operator, issuers, merchant groups. Its id scopes the ids of commands.';

CREATE TABLE program (
    id     smallint PRIMARY KEY,
    code   text NOT NULL UNIQUE,
    issuer integer NOT NULL REFERENCES organisation (id),
    state  smallint NOT NULL DEFAULT 1
);

CREATE TABLE program_terms (
    id          integer PRIMARY KEY,
    program     smallint NOT NULL REFERENCES program (id),
    version     integer NOT NULL CHECK (version > 0),
    terms       text NOT NULL,
    fingerprint bytea NOT NULL,
    law_pack    text NOT NULL,
    law_version text NOT NULL,
    at          bigint NOT NULL,
    UNIQUE (program, version)
);
COMMENT ON TABLE program_terms IS 'Every version of every program''s terms, never changed; payments keep the id that judged them.';

CREATE TABLE merchant (
    id           uuid PRIMARY KEY,
    bucket       smallint NOT NULL,
    code         text NOT NULL UNIQUE,
    name         text NOT NULL,
    organisation integer NOT NULL REFERENCES organisation (id),
    account_bank text NOT NULL,
    account_no   text NOT NULL,
    state        smallint NOT NULL DEFAULT 1
);
COMMENT ON COLUMN merchant.organisation IS 'The group the merchant belongs to: acceptance by own group is decided by it.';

CREATE TABLE store (
    id       uuid PRIMARY KEY,
    merchant uuid NOT NULL REFERENCES merchant (id),
    code     text NOT NULL UNIQUE,
    name     text NOT NULL,
    scene    text NOT NULL DEFAULT 'retail'
);

GRANT USAGE ON SCHEMA kaquan TO kaquan_app;
GRANT SELECT ON installation, book, organisation, program, program_terms, merchant, store TO kaquan_app;
GRANT UPDATE (clock_offset_us, reference_version) ON installation TO kaquan_app;
GRANT UPDATE (state) ON program TO kaquan_app;
GRANT INSERT ON book, organisation, program, program_terms, merchant, store TO kaquan_app;
