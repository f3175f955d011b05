-- What cards owe who paid rebates that had been spent when their orders came back. A row is a change: more by a refund
-- that found the rebate gone, less by one that set bonus off against it. Whoever adds one also changes the card.
CREATE TABLE shortfall (
    at     bigint NOT NULL,
    card   uuid NOT NULL,
    id     uuid NOT NULL,
    payer  uuid NOT NULL,
    fen    bigint NOT NULL CHECK (fen <> 0),
    bucket smallint NOT NULL,
    PRIMARY KEY (bucket, card, id, payer),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
);
COMMENT ON TABLE shortfall IS 'What a refund changed of what a card owes a payer of rebates; id is the refund, payer a fund, or zeros for the issuer.';

GRANT SELECT, INSERT ON shortfall TO kaquan_app;
