-- What is granted over time: monthly plans, referrals, random packets. All of it lies on the slow path (`apply_cold`);
-- the vouchers that come of it are vouchers like others.

CREATE TABLE plan (
    face       bigint NOT NULL CHECK (face > 0),
    at         bigint NOT NULL,
    next_at    bigint NOT NULL,
    id         uuid NOT NULL,
    wallet     uuid NOT NULL,
    card       uuid NOT NULL,
    origin     uuid NOT NULL,
    stock      integer NOT NULL REFERENCES stock (id),
    terms      integer NOT NULL REFERENCES program_terms (id),
    version    integer NOT NULL DEFAULT 1,
    bucket     smallint NOT NULL,
    months     smallint NOT NULL CHECK (months > 0),
    given      smallint NOT NULL DEFAULT 0 CHECK (given BETWEEN 0 AND months),
    each_month smallint NOT NULL CHECK (each_month > 0),
    state      smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    code       text NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallet (bucket, id),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id)
) WITH (fillfactor = 80);
CREATE INDEX plan_due ON plan (next_at) WHERE state = 1;
CREATE INDEX plan_card ON plan (bucket, card);
COMMENT ON TABLE plan IS 'Vouchers promised month after month to who bought a card or topped one up. state 1 running, 2 done, 3 cancelled.';
COMMENT ON COLUMN plan.given IS 'Months whose vouchers were granted. What the others are worth is promised by the funders of the stock.';
COMMENT ON COLUMN plan.at IS 'When it was bought: the day of the month on which each grant falls due, the last of a shorter month.';

CREATE TABLE referral (
    at             bigint NOT NULL,
    due_at         bigint NOT NULL DEFAULT 0,
    short          bigint NOT NULL DEFAULT 0 CHECK (short >= 0),
    id             uuid NOT NULL,
    wallet         uuid NOT NULL,
    inviter        uuid NOT NULL,
    invitation     uuid NOT NULL,
    origin         uuid,
    voucher        uuid,
    terms          integer NOT NULL REFERENCES program_terms (id),
    version        integer NOT NULL DEFAULT 1,
    bucket         smallint NOT NULL,
    inviter_bucket smallint NOT NULL,
    program        smallint NOT NULL REFERENCES program (id),
    state          smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    code           text NOT NULL,
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, wallet, program),
    FOREIGN KEY (bucket, wallet) REFERENCES wallet (bucket, id)
) WITH (fillfactor = 80);
CREATE INDEX referral_open ON referral (state, due_at) WHERE state IN (1, 2);
CREATE INDEX referral_undone ON referral (id) WHERE state = 4;
COMMENT ON TABLE referral IS 'With the invitee: by whom she was invited. state 1 pending, 2 earned, 3 paid, 4 clawed back, 5 lapsed.';
COMMENT ON COLUMN referral.origin IS 'Her first sale or top-up, which earned it.';
COMMENT ON COLUMN referral.short IS 'What a used voucher had taken off when the referral was undone: nobody gives it back.';

CREATE TABLE invitation (
    at              bigint NOT NULL,
    short           bigint NOT NULL DEFAULT 0 CHECK (short >= 0),
    id              uuid NOT NULL,
    wallet          uuid NOT NULL,
    referral        uuid NOT NULL,
    voucher         uuid,
    version         integer NOT NULL DEFAULT 1,
    bucket          smallint NOT NULL,
    referral_bucket smallint NOT NULL,
    state           smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallet (bucket, id)
) WITH (fillfactor = 80);
CREATE INDEX invitation_wallet ON invitation (bucket, wallet);
CREATE INDEX invitation_open ON invitation (id) WHERE state = 1;
COMMENT ON TABLE invitation IS 'With the inviter: whom she invited, and what she got. state 1 open, 2 paid, 3 over (a cap was reached), 4 clawed back, 5 lapsed.';

CREATE INDEX wallet_invite ON wallet (bucket, right(id::text, 11));

CREATE TABLE packet_pool (
    total      bigint NOT NULL CHECK (total > 0),
    at         bigint NOT NULL,
    ends_at    bigint NOT NULL,
    left_fen   bigint NOT NULL DEFAULT 0 CHECK (left_fen BETWEEN 0 AND total),
    id         uuid NOT NULL,
    count      integer NOT NULL CHECK (count > 0),
    left_count integer NOT NULL DEFAULT 0 CHECK (left_count BETWEEN 0 AND count),
    stock      integer NOT NULL REFERENCES stock (id),
    terms      integer NOT NULL REFERENCES program_terms (id),
    version    integer NOT NULL DEFAULT 1,
    bucket     smallint NOT NULL,
    program    smallint NOT NULL REFERENCES program (id),
    state      smallint NOT NULL CHECK (state IN (1, 2)),
    code       text NOT NULL,
    commitment bytea NOT NULL CHECK (octet_length(commitment) = 32),
    sealed     bytea NOT NULL,
    promises   bytea NOT NULL CHECK (octet_length(promises) % 24 = 0),
    revealed   bytea,
    PRIMARY KEY (bucket, id)
);
CREATE UNIQUE INDEX packet_pool_open ON packet_pool (bucket, program, code) WHERE state = 1;
CREATE INDEX packet_pool_due ON packet_pool (ends_at) WHERE state = 1;
COMMENT ON TABLE packet_pool IS 'Packets that were split and shuffled beforehand. state 1 open, 2 ended: what nobody took went back.';
COMMENT ON COLUMN packet_pool.commitment IS 'SHA-256 of the seed and all amounts in their order, published at the opening.';
COMMENT ON COLUMN packet_pool.promises IS 'What each fund promised at the opening: 16 bytes fund and 8 bytes fen, repeated.';
COMMENT ON COLUMN packet_pool.sealed IS '32 bytes of seed and 4 bytes for each amount, sealed; in the clear as `revealed` once the pool has ended.';

CREATE TABLE packet (
    amount bigint NOT NULL CHECK (amount > 0),
    at     bigint NOT NULL,
    id     uuid NOT NULL,
    pool   uuid NOT NULL,
    wallet uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    bucket smallint NOT NULL,
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallet (bucket, id)
);
CREATE INDEX packet_of_pool ON packet (pool, number);
COMMENT ON TABLE packet IS 'A packet that was opened: its place in the pool. Its id is that of the voucher it became.';

CREATE FUNCTION plan_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 1), (1, 2), (1, 3)) $$;

CREATE FUNCTION referral_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (1, 4), (1, 5), (2, 3), (2, 4), (3, 4)) $$;

CREATE FUNCTION invitation_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (1, 3), (1, 4), (1, 5), (2, 4)) $$;

CREATE FUNCTION packet_pool_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) = (1, 2) $$;

GRANT SELECT, INSERT ON plan, referral, invitation, packet_pool, packet TO kaquan_app;
GRANT UPDATE (state, given, next_at, version) ON plan TO kaquan_app;
GRANT UPDATE (state, origin, due_at, voucher, short, version) ON referral TO kaquan_app;
GRANT UPDATE (state, voucher, short, version) ON invitation TO kaquan_app;
GRANT UPDATE (state, left_count, left_fen, revealed, version) ON packet_pool TO kaquan_app;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan TO kaquan_app;
