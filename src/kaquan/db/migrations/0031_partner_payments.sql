-- Partners and debts. What a partner has of merchants comes with its own settlement: each time it is moved there, one row with its number.

CREATE TABLE partner_payment (
    amount  bigint NOT NULL CHECK (amount > 0),
    at      bigint NOT NULL,
    id      uuid NOT NULL,
    partner uuid NOT NULL,
    number  integer NOT NULL CHECK (number > 0),
    bucket  smallint NOT NULL,
    program smallint NOT NULL,
    PRIMARY KEY (bucket, id),
    CONSTRAINT partner_payment_chain UNIQUE (bucket, partner, program, number)
);
COMMENT ON TABLE partner_payment IS 'What a partner had of merchants was moved to what it has coming. Two at once take the same number: one fails.';
GRANT SELECT, INSERT ON partner_payment TO kaquan_app;

CREATE TABLE write_off (
    amount      bigint NOT NULL CHECK (amount > 0),
    at          bigint NOT NULL,
    id          uuid NOT NULL,
    merchant    uuid NOT NULL,
    number      integer NOT NULL,
    bucket      smallint NOT NULL,
    program     smallint NOT NULL,
    person      text NOT NULL CHECK (person <> ''),
    approved_by text NOT NULL CHECK (approved_by <> ''),
    reason      text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (bucket, id),
    CONSTRAINT write_off_once UNIQUE (bucket, merchant, program, number),
    CONSTRAINT write_off_two_persons CHECK (lower(btrim(person)) <> lower(btrim(approved_by)))
);
COMMENT ON TABLE write_off IS 'What a merchant owed after its settlement of a number was written off, by two persons, once.';
GRANT SELECT, INSERT ON write_off TO kaquan_app;
