-- The life of a program: draft, review, approval by a second person, running, paused, ended, closed. Texts that wait
-- for an approval are kept apart from terms that are in force; every step of a life is kept for ever.

CREATE TABLE program_proposal (
    id          integer PRIMARY KEY,
    program     smallint NOT NULL REFERENCES program (id),
    version     integer NOT NULL CHECK (version > 0),
    terms       text NOT NULL,
    fingerprint bytea NOT NULL,
    at          bigint NOT NULL,
    person      text NOT NULL
);
COMMENT ON TABLE program_proposal IS 'Texts that were drafted or proposed, never changed. version: what the terms become when they are approved.';

CREATE TABLE program_event (
    at         bigint NOT NULL,
    number     integer NOT NULL,
    terms      integer REFERENCES program_terms (id),
    proposal   integer REFERENCES program_proposal (id),
    program    smallint NOT NULL REFERENCES program (id),
    from_state smallint NOT NULL,
    to_state   smallint NOT NULL,
    operation  text NOT NULL,
    person     text NOT NULL,
    reason     text NOT NULL,
    PRIMARY KEY (program, number)
);
COMMENT ON TABLE program_event IS 'Every step of a program''s life and who took it. number: the version of the program''s row that it made. from_state 0: there was no program.';

ALTER TABLE program ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE program ADD COLUMN proposal integer;
ALTER TABLE program ADD COLUMN submitted_by text;
ALTER TABLE program ADD COLUMN starts_on date;
ALTER TABLE program ADD CONSTRAINT program_state_known CHECK (state BETWEEN 1 AND 7);
-- A draft and its program are born in one statement, each naming the other.
ALTER TABLE program ADD CONSTRAINT program_proposal_known FOREIGN KEY (proposal) REFERENCES program_proposal (id)
    DEFERRABLE INITIALLY DEFERRED;
COMMENT ON COLUMN program.state IS '1 running, 2 paused, 3 draft, 4 review, 5 approved, 6 ended, 7 closed (programs/lifecycle.py).';
COMMENT ON COLUMN program.proposal IS 'The text that is being drafted or waits for an approval.';
COMMENT ON COLUMN program.submitted_by IS 'Who submitted that text: somebody else approves it.';
COMMENT ON COLUMN program.starts_on IS 'The first day on which an approved program may start.';

-- Programs that were opened before there were steps: one step stands for all.
INSERT INTO program_event (at, number, terms, proposal, program, from_state, to_state, operation, person, reason)
SELECT t.at, 1, t.id, NULL, p.id, 0, p.state, 'start', '', ''
FROM program p JOIN program_terms t ON t.program = p.id AND t.version = 1;

CREATE FUNCTION program_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT p_from = p_to OR (p_from, p_to) IN ((3, 4), (4, 5), (4, 3), (5, 1), (1, 2), (2, 1), (1, 6), (2, 6), (6, 7)) $$;

GRANT SELECT, INSERT ON program_proposal, program_event TO kaquan_app;
GRANT UPDATE (issuer, proposal, submitted_by, starts_on, version) ON program TO kaquan_app;
REVOKE EXECUTE ON FUNCTION program_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION program_may (smallint, smallint) TO kaquan_app;
