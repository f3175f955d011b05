-- Payments, refunds, the order registry and the rebates that payments earn.

CREATE TABLE payment (
    amount     bigint NOT NULL CHECK (amount > 0),
    captured   bigint NOT NULL DEFAULT 0 CHECK (captured >= 0 AND captured <= amount),
    refunded   bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= captured),
    at         bigint NOT NULL,
    moved_at   bigint NOT NULL,
    expires_at bigint,
    id         uuid NOT NULL,
    wallet     uuid NOT NULL,
    card       uuid NOT NULL,
    merchant   uuid NOT NULL,
    store      uuid,
    terms      integer NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    bucket     smallint NOT NULL,
    program    smallint NOT NULL,
    state      smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    order_no   text NOT NULL,
    allocation bytea NOT NULL CHECK (octet_length(allocation) % 24 = 0),
    PRIMARY KEY (bucket, id)
) WITH (fillfactor = 90);
CREATE INDEX payment_hold ON payment (expires_at) WHERE state = 1;
COMMENT ON COLUMN payment.state IS '1 authorized, 2 captured, 3 voided, 4 expired, 5 refunded (payments/lifecycle.py).';
COMMENT ON COLUMN payment.allocation IS 'What each lot pays: 16 bytes lot id and 8 bytes fen, repeated, in burn order.';
COMMENT ON COLUMN payment.moved_at IS 'When the money moved: the capture; the refund window counts from here.';

CREATE TABLE refund (
    amount     bigint NOT NULL CHECK (amount > 0),
    at         bigint NOT NULL,
    id         uuid NOT NULL,
    payment    uuid NOT NULL,
    bucket     smallint NOT NULL,
    allocation bytea NOT NULL CHECK (octet_length(allocation) % 24 = 0),
    reason     text NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, payment) REFERENCES payment (bucket, id)
);
CREATE INDEX refund_payment ON refund (bucket, payment);

CREATE TABLE order_claim (
    at       bigint NOT NULL,
    merchant uuid NOT NULL,
    command  uuid NOT NULL,
    bucket   smallint NOT NULL,
    reversed boolean NOT NULL DEFAULT false,
    order_no text NOT NULL,
    PRIMARY KEY (bucket, merchant, order_no)
);
COMMENT ON TABLE order_claim IS 'In the merchant''s bucket: the one command that may take effect for an order. reversed: nobody may any more.';

CREATE TABLE reward (
    amount  bigint NOT NULL CHECK (amount > 0),
    due_at  bigint NOT NULL,
    at      bigint NOT NULL,
    id      uuid NOT NULL,
    card    uuid NOT NULL,
    lot     uuid,
    terms   integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    bucket  smallint NOT NULL,
    state   smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
) WITH (fillfactor = 90);
CREATE INDEX reward_due ON reward (due_at) WHERE state = 1;
COMMENT ON TABLE reward IS 'The rebate a payment earned; its id is the payment''s. state 1 waiting, 2 granted, 3 cancelled, 4 clawed back.';

GRANT SELECT, INSERT ON payment, refund, order_claim, reward TO kaquan_app;
GRANT UPDATE (captured, refunded, moved_at, state, allocation, version) ON payment TO kaquan_app;
GRANT UPDATE (command, reversed, at) ON order_claim TO kaquan_app;
GRANT UPDATE (state, lot, version) ON reward TO kaquan_app;
