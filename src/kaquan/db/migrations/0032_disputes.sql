-- Disputes about payments and payouts. What is disputed is held back from the merchant until a person resolves it.

CREATE TABLE dispute (
    at         bigint NOT NULL,
    decided_at bigint,
    amount     bigint NOT NULL CHECK (amount > 0),
    refunded   bigint NOT NULL CHECK (refunded >= 0),
    id         uuid NOT NULL,
    object     uuid NOT NULL,
    merchant   uuid NOT NULL,
    version    integer NOT NULL,
    answer_by  date NOT NULL,
    decide_by  date NOT NULL CHECK (decide_by >= answer_by),
    bucket     smallint NOT NULL,
    program    smallint NOT NULL,
    about      smallint NOT NULL CHECK (about IN (1, 2)),
    state      smallint NOT NULL CHECK (state IN (1, 2, 3)),
    reason     text NOT NULL,
    opened_by  text NOT NULL,
    answer     text NOT NULL,
    decision   text NOT NULL,
    decided_by text NOT NULL,
    by_source  jsonb NOT NULL,
    PRIMARY KEY (bucket, id),
    CONSTRAINT dispute_decided CHECK ((state = 1) = (decided_at IS NULL) AND (state = 1) = (decision = ''))
);
CREATE UNIQUE INDEX dispute_open ON dispute (bucket, object) WHERE state = 1;
CREATE INDEX dispute_due ON dispute (decide_by, id) WHERE state = 1;
COMMENT ON TABLE dispute IS 'A payment or payout that somebody disputes; by_source is what is held back of each source of money.';
COMMENT ON COLUMN dispute.about IS '1 a payment, 2 a payout. state 1 open, 2 for the merchant, 3 for the holder.';

CREATE FUNCTION dispute_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = kaquan AS $$
    SELECT p_from = 1
$$;

GRANT SELECT, INSERT ON dispute TO kaquan_app;
GRANT UPDATE (state, version, answer, decision, decided_by, decided_at) ON dispute TO kaquan_app;
REVOKE EXECUTE ON FUNCTION dispute_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dispute_may (smallint, smallint) TO kaquan_app;
