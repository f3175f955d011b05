-- Wallets and what they hold. Everything that belongs to a wallet carries its bucket first.

CREATE TABLE wallet (
    bucket     smallint NOT NULL,
    id         uuid NOT NULL,
    identified boolean NOT NULL,
    state      smallint NOT NULL DEFAULT 1,
    version    integer NOT NULL DEFAULT 1,
    at         bigint NOT NULL,
    PRIMARY KEY (bucket, id)
);
COMMENT ON COLUMN wallet.identified IS 'The holder has shown name and identity number: the law asks it of registered cards.';

-- Personal data: sealed with the subject's key, which is sealed with the installation's. Erasing a person is
-- deleting her key.
CREATE TABLE subject_key (
    bucket  smallint NOT NULL,
    subject uuid NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (bucket, subject)
);
CREATE TABLE person (
    bucket smallint NOT NULL,
    wallet uuid NOT NULL,
    name   bytea,
    phone  bytea,
    id_no  bytea,
    PRIMARY KEY (bucket, wallet)
);
CREATE TABLE phone_index (
    bucket smallint NOT NULL,
    blind  bytea NOT NULL,
    wallet uuid NOT NULL,
    PRIMARY KEY (bucket, blind)
);

CREATE TABLE card (
    id            uuid NOT NULL,
    wallet        uuid NOT NULL,
    at            bigint NOT NULL,
    terms         integer NOT NULL REFERENCES program_terms (id),
    version       integer NOT NULL DEFAULT 1,
    bucket        smallint NOT NULL,
    program       smallint NOT NULL REFERENCES program (id),
    state         smallint NOT NULL,
    registered    boolean NOT NULL,
    number        text NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallet (bucket, id)
) WITH (fillfactor = 80);
CREATE INDEX card_wallet ON card (bucket, wallet);

CREATE TABLE card_number (
    bucket smallint NOT NULL,
    number text NOT NULL,
    card   uuid NOT NULL,
    PRIMARY KEY (bucket, number),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
);
COMMENT ON TABLE card_number IS 'Every number a card ever bore; a replaced card keeps its id, its lots and its history under a new number.';

CREATE TABLE lot (
    balance     bigint NOT NULL CHECK (balance >= 0),
    held        bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    granted     bigint NOT NULL CHECK (granted > 0),
    active_from bigint NOT NULL,
    expires_at  bigint,
    id          uuid NOT NULL,
    card        uuid NOT NULL,
    origin      uuid NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    bucket      smallint NOT NULL,
    kind        smallint NOT NULL CHECK (kind IN (0, 1, 2)),
    source      smallint NOT NULL,
    state       smallint NOT NULL DEFAULT 0 CHECK (state IN (0, 1)),
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id),
    CONSTRAINT lot_held_within_balance CHECK (held <= balance)
) WITH (fillfactor = 70);
CREATE INDEX lot_card ON lot (bucket, card);
CREATE INDEX lot_expiry ON lot (expires_at) WHERE expires_at IS NOT NULL AND state = 0;
COMMENT ON TABLE lot IS 'Money in a card with one origin: kind 0 principal, 1 bonus, 2 subsidy; state 0 live, 1 expired.';

GRANT SELECT, INSERT ON wallet, subject_key, person, phone_index, card, card_number, lot TO kaquan_app;
GRANT UPDATE (identified, state, version) ON wallet TO kaquan_app;
GRANT UPDATE (state, number, version) ON card TO kaquan_app;
GRANT UPDATE (balance, held, state, version) ON lot TO kaquan_app;
GRANT UPDATE (name, phone, id_no) ON person TO kaquan_app;
