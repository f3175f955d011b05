-- Returning a card (退卡): what was asked for, what it came to, until when it is paid, and what was paid. All of it lies on the
-- slow path (`apply_cold`). What is owed stands in the books as holder.refund (50), under the card.

CREATE TABLE closing (
    at          bigint NOT NULL,
    deadline    bigint NOT NULL CHECK (deadline > at),
    closed_at   bigint,
    paid_at     bigint,
    overdue_at  bigint,
    amount      bigint NOT NULL DEFAULT 0 CHECK (amount >= 0),
    paid        bigint NOT NULL DEFAULT 0 CHECK (paid >= 0),
    interest    bigint NOT NULL DEFAULT 0 CHECK (interest >= 0),
    id          uuid NOT NULL,
    card        uuid NOT NULL,
    wallet      uuid NOT NULL,
    purchase    uuid,
    terms       integer NOT NULL REFERENCES program_terms (id),
    version     integer NOT NULL DEFAULT 1,
    bucket      smallint NOT NULL,
    program     smallint NOT NULL REFERENCES program (id),
    cause       smallint NOT NULL CHECK (cause BETWEEN 1 AND 3),
    state       smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    card_state  smallint NOT NULL,
    law         text NOT NULL,
    reason      text NOT NULL,
    lines       text NOT NULL DEFAULT '[]',
    route       text NOT NULL DEFAULT '',
    reference   text NOT NULL DEFAULT '',
    payee       bytea,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id),
    CONSTRAINT closing_closed CHECK ((state IN (2, 3)) = (closed_at IS NOT NULL)),
    CONSTRAINT closing_paid CHECK ((state = 3) = (paid_at IS NOT NULL)),
    CONSTRAINT closing_owed CHECK (state <> 2 OR paid = 0)
) WITH (fillfactor = 80);
CREATE INDEX closing_card ON closing (bucket, card);
CREATE UNIQUE INDEX closing_open ON closing (bucket, card) WHERE state = 1 AND purchase IS NULL;
CREATE INDEX closing_due ON closing (deadline) WHERE state IN (1, 2);
COMMENT ON TABLE closing IS 'A card that its holder returns, or one purchase on it. state 1 asked, 2 owed, 3 paid, 4 cancelled; cause 1 issuer, 2 holder, 3 passed on.';
COMMENT ON COLUMN closing.amount IS 'What closing owed the holder; interest comes on top as it is paid.';
COMMENT ON COLUMN closing.paid IS 'What was paid so far without interest: also what refunds of a closed card brought later.';
COMMENT ON COLUMN closing.lines IS 'The quote that closed it, purchase by purchase, as JSON.';
COMMENT ON COLUMN closing.payee IS 'To whom it was paid, sealed with the key of the wallet''s subject.';

CREATE FUNCTION closing_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 1), (1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (3, 3)) $$;

-- What left a lot without being spent: taken back, expired, moved. Rare, so that the index stays small.
CREATE INDEX posting_taken ON posting (bucket, debit_owner) WHERE debit IN (20, 21) AND credit NOT IN (40, 70);
CREATE INDEX posting_owed ON posting (bucket, credit_owner) WHERE credit = 50;
CREATE INDEX posting_paid_back ON posting (bucket, debit_owner) WHERE debit = 50;

GRANT SELECT, INSERT ON closing TO kaquan_app;
GRANT UPDATE (state, closed_at, paid_at, overdue_at, amount, paid, interest, lines, route, reference, payee, version)
    ON closing TO kaquan_app;
REVOKE EXECUTE ON FUNCTION closing_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION closing_may (smallint, smallint) TO kaquan_app;
