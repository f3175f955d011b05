-- Cards that are passed on, made valid again, or lie unused. All of it lies on the slow path (`apply_cold`).

CREATE TABLE card_transfer (
    at        bigint NOT NULL,
    id        uuid NOT NULL,
    card      uuid NOT NULL,
    wallet    uuid NOT NULL,
    to_wallet uuid NOT NULL,
    terms     integer NOT NULL REFERENCES program_terms (id),
    bucket    smallint NOT NULL,
    to_bucket smallint NOT NULL,
    program   smallint NOT NULL REFERENCES program (id),
    reason    text NOT NULL,
    lots      text NOT NULL,
    purchases text NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
);
COMMENT ON TABLE card_transfer IS 'With the giver: a registered card that went to another holder, what was on it and what had been bought, as JSON.';

CREATE TABLE card_arrival (
    at       bigint NOT NULL,
    transfer uuid NOT NULL,
    card     uuid NOT NULL,
    bucket   smallint NOT NULL,
    PRIMARY KEY (bucket, transfer),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
);
COMMENT ON TABLE card_arrival IS 'With the receiver: the card that came of a transfer. One row, one card.';

CREATE TABLE inherited_purchase (
    paid        bigint NOT NULL CHECK (paid >= 0),
    bonus       bigint NOT NULL CHECK (bonus >= 0),
    used        bigint NOT NULL CHECK (used >= 0),
    at          bigint NOT NULL,
    active_from bigint NOT NULL,
    card        uuid NOT NULL,
    purchase    uuid NOT NULL,
    channel     uuid NOT NULL,
    bucket      smallint NOT NULL,
    PRIMARY KEY (bucket, card, purchase),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
);
COMMENT ON TABLE inherited_purchase IS 'What a card that was passed on had been bought for, and what had been used of it: its new holder returns it as its first one would.';

CREATE TABLE breakage (
    amount      bigint NOT NULL CHECK (amount > 0),
    at          bigint NOT NULL,
    restored_at bigint,
    id          uuid NOT NULL,
    card        uuid NOT NULL,
    lot         uuid NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    bucket      smallint NOT NULL,
    program     smallint NOT NULL REFERENCES program (id),
    source      smallint NOT NULL,
    state       smallint NOT NULL CHECK (state IN (1, 2)),
    evidence    text NOT NULL,
    person      text NOT NULL,
    approved_by text NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, lot) REFERENCES lot (bucket, id),
    CONSTRAINT breakage_two_persons CHECK (lower(btrim(person)) <> lower(btrim(approved_by))),
    CONSTRAINT breakage_evidence CHECK (btrim(evidence) <> ''),
    CONSTRAINT breakage_restored CHECK ((state = 2) = (restored_at IS NOT NULL))
);
CREATE INDEX breakage_card ON breakage (bucket, card);
COMMENT ON TABLE breakage IS 'Idle principal of an expired bearer card that counts as income. state 1 recognised, 2 given back: the card was made valid again.';

CREATE FUNCTION breakage_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) = (1, 2) $$;

CREATE TABLE idle_reminder (
    at     bigint NOT NULL,
    card   uuid NOT NULL,
    bucket smallint NOT NULL,
    PRIMARY KEY (bucket, card, at),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
);
COMMENT ON TABLE idle_reminder IS 'When the holder of an idle card was reminded.';

-- Income that went back into a lot.
CREATE INDEX posting_restored ON posting (bucket, credit_owner) WHERE debit = 63;

GRANT SELECT, INSERT ON card_transfer, card_arrival, inherited_purchase, breakage, idle_reminder TO kaquan_app;
GRANT UPDATE (state, restored_at, version) ON breakage TO kaquan_app;
GRANT UPDATE (expires_at) ON lot TO kaquan_app;
REVOKE EXECUTE ON FUNCTION breakage_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION breakage_may (smallint, smallint) TO kaquan_app;
