-- Vouchers and the money behind them: funds, pools in slices, tallies of use, vouchers; payments that several parties
-- pay; and the door's functions anew, with the columns that these need.

CREATE TABLE fund (
    id           uuid PRIMARY KEY,
    bucket       smallint NOT NULL,
    code         text NOT NULL UNIQUE,
    name         text NOT NULL,
    organisation integer NOT NULL REFERENCES organisation (id),
    book         smallint NOT NULL REFERENCES book (id),
    mode         smallint NOT NULL CHECK (mode IN (1, 2)),
    source       smallint NOT NULL CHECK (source IN (2, 3))
);
COMMENT ON TABLE fund IS 'What a funder gives discounts and grants from. mode 1: money paid in beforehand, 2: a pledge, billed afterwards.';

CREATE TABLE stock (
    id      integer PRIMARY KEY,
    program smallint NOT NULL REFERENCES program (id),
    code    text NOT NULL,
    state   smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
    UNIQUE (program, code)
);
COMMENT ON TABLE stock IS 'A stock of vouchers that was opened; its terms stand in the program. state 1 running, 2 paused, 3 stopped.';

CREATE TABLE slice (
    count_left bigint NOT NULL CHECK (count_left >= 0),
    fen_left   bigint NOT NULL CHECK (fen_left >= 0),
    pool       uuid NOT NULL,
    day        integer NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    bucket     smallint NOT NULL,
    number     smallint NOT NULL,
    PRIMARY KEY (bucket, pool, day, number)
) WITH (fillfactor = 50);
COMMENT ON TABLE slice IS 'A part of what is left in a pool (a fund, a stock, packets), so that takers need not queue. day 0: in all, else days since 1970.';

CREATE TABLE tally (
    count   bigint NOT NULL CHECK (count >= 0),
    subject uuid NOT NULL,
    rule    integer NOT NULL,
    day     integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    bucket  smallint NOT NULL,
    PRIMARY KEY (bucket, subject, day, rule)
) WITH (fillfactor = 80);
COMMENT ON TABLE tally IS 'How often a subject has done something that a rule limits, in all (day 0) or on a day.';

CREATE TABLE voucher (
    face       bigint NOT NULL CHECK (face > 0),
    used       bigint NOT NULL DEFAULT 0 CHECK (used >= 0 AND used <= face),
    at         bigint NOT NULL,
    valid_from bigint NOT NULL,
    expires_at bigint NOT NULL CHECK (expires_at > valid_from),
    held_until bigint NOT NULL DEFAULT 0,
    id         uuid NOT NULL,
    wallet     uuid NOT NULL,
    holder     uuid,
    origin     uuid NOT NULL,
    stock      integer NOT NULL REFERENCES stock (id),
    terms      integer NOT NULL REFERENCES program_terms (id),
    version    integer NOT NULL DEFAULT 1,
    bucket     smallint NOT NULL,
    state      smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
    PRIMARY KEY (bucket, id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallet (bucket, id)
) WITH (fillfactor = 80);
CREATE INDEX voucher_wallet ON voucher (bucket, wallet);
CREATE INDEX voucher_expiry ON voucher (expires_at) WHERE state IN (1, 2);
COMMENT ON TABLE voucher IS 'A claim on its funders. state 1 issued, 2 held, 3 redeemed, 4 expired, 5 voided, 6 returned (its money went back after a refund).';
COMMENT ON COLUMN voucher.face IS 'The most it takes off, and what its funders have promised for it.';
COMMENT ON COLUMN voucher.holder IS 'Who holds or used it: a payment or top-up, or the order that reserved it.';
COMMENT ON COLUMN voucher.origin IS 'What brought it: the claim itself, a plan, a packet pool, a referral.';

ALTER TABLE wallet ADD COLUMN person uuid;
COMMENT ON COLUMN wallet.person IS 'Blind index of the identity number: the same for all wallets of one natural person.';

ALTER TABLE lot ADD COLUMN fund uuid;
COMMENT ON COLUMN lot.fund IS 'Whose money it is when neither the holder nor the issuer paid it: it goes back there.';

ALTER TABLE payment ALTER COLUMN card DROP NOT NULL;
ALTER TABLE payment ADD COLUMN outside bigint NOT NULL DEFAULT 0 CHECK (outside >= 0);
ALTER TABLE payment ADD COLUMN discounts bytea NOT NULL DEFAULT '' CHECK (octet_length(discounts) % 40 = 0);
ALTER TABLE payment ADD COLUMN returned bytea NOT NULL DEFAULT '' CHECK (octet_length(returned) % 8 = 0);
ALTER TABLE payment ADD COLUMN lines bytea NOT NULL DEFAULT '';
ALTER TABLE payment DROP CONSTRAINT payment_state_check;
ALTER TABLE payment ADD CONSTRAINT payment_state_check CHECK (state BETWEEN 1 AND 6);
COMMENT ON COLUMN payment.state IS '1 authorized, 2 captured, 3 voided, 4 expired, 5 refunded, 6 partly refunded (payments/lifecycle.py).';
COMMENT ON COLUMN payment.amount IS 'The whole order, whoever pays it: lots, discounts, outside.';
COMMENT ON COLUMN payment.outside IS 'What was paid outside (cash, another app): recorded, never ours.';
COMMENT ON COLUMN payment.discounts IS 'What vouchers pay: 16 bytes voucher, 16 bytes fund (zeros: the merchant), 8 bytes fen, repeated.';
COMMENT ON COLUMN payment.returned IS 'What refunds have given back so far: 8 bytes fen for each lot, each discount, and outside; empty for none.';
COMMENT ON COLUMN payment.lines IS 'The order''s lines with their share of each discount, as msgpack; empty when none were told.';
GRANT UPDATE (discounts, returned, outside, lines) ON payment TO kaquan_app;

ALTER TABLE refund ADD COLUMN outside bigint NOT NULL DEFAULT 0 CHECK (outside >= 0);
ALTER TABLE refund ADD COLUMN discounts bytea NOT NULL DEFAULT '' CHECK (octet_length(discounts) % 40 = 0);

ALTER TABLE reward ADD COLUMN cut bigint NOT NULL DEFAULT 0 CHECK (cut >= 0 AND cut <= amount);
ALTER TABLE reward ADD COLUMN granted bigint NOT NULL DEFAULT 0 CHECK (granted >= 0 AND granted <= amount);
COMMENT ON COLUMN reward.cut IS 'What partial refunds took off the rebate, before or after it was granted.';
COMMENT ON COLUMN reward.granted IS 'What became bonus lots.';
GRANT UPDATE (cut, granted) ON reward TO kaquan_app;
UPDATE reward SET granted = amount WHERE state IN (2, 4);

GRANT SELECT, INSERT ON fund, stock, slice, tally, voucher TO kaquan_app;
GRANT UPDATE (state) ON stock TO kaquan_app;
GRANT UPDATE (count_left, fen_left, version) ON slice TO kaquan_app;
GRANT UPDATE (count, version) ON tally TO kaquan_app;
GRANT UPDATE (used, held_until, holder, state, version) ON voucher TO kaquan_app;
GRANT UPDATE (person) ON wallet TO kaquan_app;

CREATE OR REPLACE FUNCTION payment_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (1, 3), (1, 4), (2, 5), (2, 6), (6, 6), (6, 5)) $$;

CREATE OR REPLACE FUNCTION reward_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 1), (1, 2), (1, 3), (2, 2), (2, 4)) $$;

CREATE FUNCTION voucher_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (3, 1), (3, 3), (3, 6)) $$;

CREATE FUNCTION stock_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (2, 1), (1, 3), (2, 3)) $$;

-- The date in Shanghai of an instant, as days since 1970: UTC+8 all year.
CREATE FUNCTION business_day(p_at bigint) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ((p_at + 28800000000) / 86400000000)::integer $$;

-- What discounts say, for the proofs and for look-ups: the layout of payment.discounts and refund.discounts, read back.
CREATE FUNCTION discounts_of(p_discounts bytea) RETURNS TABLE (voucher uuid, fund uuid, fen bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(substring(p_discounts FROM 40 * i + 1 FOR 16), 'hex')::uuid,
           encode(substring(p_discounts FROM 40 * i + 17 FOR 16), 'hex')::uuid,
           ('x' || encode(substring(p_discounts FROM 40 * i + 33 FOR 8), 'hex'))::bit(64)::bigint
    FROM generate_series(0, octet_length(p_discounts) / 40 - 1) AS i
$$;

DROP FUNCTION apply_batch;
-- A batch is written by one statement that calls two functions, for a function takes at most a hundred arguments: first
-- what changes, then what is new. Rows are locked in one order, so that no two batches wait for each other: cards, lots,
-- payments, rewards, vouchers, slices, tallies, then the decisions, each by its key. Joins are nested loops over the
-- columns as they come, sorted by the door: a hash join would update in the order of the table.
CREATE FUNCTION apply_changes(
    p_bucket smallint, p_buckets smallint[],
    p_card_check_bucket smallint[], p_card_check_id uuid[], p_card_check_version integer[],
    p_card_change_bucket smallint[], p_card_change_id uuid[], p_card_change_version integer[],
    p_card_change_state smallint[], p_card_change_number text[],
    p_lot_change_bucket smallint[], p_lot_change_id uuid[], p_lot_change_version integer[],
    p_lot_change_balance bigint[], p_lot_change_held bigint[], p_lot_change_state smallint[],
    p_payment_change_bucket smallint[], p_payment_change_id uuid[], p_payment_change_version integer[],
    p_payment_change_state smallint[], p_payment_change_captured bigint[], p_payment_change_refunded bigint[],
    p_payment_change_moved_at bigint[], p_payment_change_outside bigint[], p_payment_change_allocation bytea[],
    p_payment_change_discounts bytea[], p_payment_change_returned bytea[], p_payment_change_lines bytea[],
    p_reward_change_bucket smallint[], p_reward_change_id uuid[], p_reward_change_version integer[],
    p_reward_change_state smallint[], p_reward_change_cut bigint[], p_reward_change_granted bigint[],
    p_reward_change_lot uuid[],
    p_voucher_change_bucket smallint[], p_voucher_change_id uuid[], p_voucher_change_version integer[],
    p_voucher_change_state smallint[], p_voucher_change_used bigint[], p_voucher_change_held_until bigint[],
    p_voucher_change_holder uuid[],
    p_slice_change_bucket smallint[], p_slice_change_pool uuid[], p_slice_change_day integer[],
    p_slice_change_number smallint[], p_slice_change_version integer[], p_slice_change_count_left bigint[],
    p_slice_change_fen_left bigint[],
    p_tally_change_bucket smallint[], p_tally_change_subject uuid[], p_tally_change_rule integer[],
    p_tally_change_day integer[], p_tally_change_version integer[], p_tally_change_count bigint[]
) RETURNS void LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    n bigint;
BEGIN
    IF p_card_check_id IS NOT NULL THEN
        SELECT count(*) INTO n
        FROM unnest(p_card_check_bucket, p_card_check_id, p_card_check_version) AS u (bucket, id, version)
        JOIN card t ON t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
        WHERE t.bucket = ANY (p_buckets);
        PERFORM expect('card', n, cardinality(p_card_check_id));
    END IF;
    IF p_card_change_id IS NOT NULL THEN
        UPDATE card t SET state = u.state, number = u.number, version = t.version + 1
        FROM unnest(p_card_change_bucket, p_card_change_id, p_card_change_version, p_card_change_state,
                    p_card_change_number) AS u (bucket, id, version, state, number)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('card', n, cardinality(p_card_change_id));
    END IF;
    IF p_lot_change_id IS NOT NULL THEN
        UPDATE lot t SET balance = u.balance, held = u.held, state = u.state, version = t.version + 1
        FROM unnest(p_lot_change_bucket, p_lot_change_id, p_lot_change_version, p_lot_change_balance,
                    p_lot_change_held, p_lot_change_state) AS u (bucket, id, version, balance, held, state)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('lot', n, cardinality(p_lot_change_id));
    END IF;
    IF p_payment_change_id IS NOT NULL THEN
        UPDATE payment t SET state = u.state, captured = u.captured, refunded = u.refunded, moved_at = u.moved_at,
                             outside = u.outside, allocation = u.allocation, discounts = u.discounts,
                             returned = u.returned, lines = u.lines, version = t.version + 1
        FROM unnest(p_payment_change_bucket, p_payment_change_id, p_payment_change_version,
                    p_payment_change_state, p_payment_change_captured, p_payment_change_refunded,
                    p_payment_change_moved_at, p_payment_change_outside, p_payment_change_allocation,
                    p_payment_change_discounts, p_payment_change_returned, p_payment_change_lines)
             AS u (bucket, id, version, state, captured, refunded, moved_at, outside, allocation, discounts, returned,
                   lines)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
          AND payment_may(t.state, u.state);
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('payment', n, cardinality(p_payment_change_id));
    END IF;
    IF p_reward_change_id IS NOT NULL THEN
        UPDATE reward t SET state = u.state, cut = u.cut, granted = u.granted, lot = u.lot, version = t.version + 1
        FROM unnest(p_reward_change_bucket, p_reward_change_id, p_reward_change_version, p_reward_change_state,
                    p_reward_change_cut, p_reward_change_granted, p_reward_change_lot)
             AS u (bucket, id, version, state, cut, granted, lot)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
          AND reward_may(t.state, u.state);
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('reward', n, cardinality(p_reward_change_id));
    END IF;
    IF p_voucher_change_id IS NOT NULL THEN
        UPDATE voucher t SET state = u.state, used = u.used, held_until = u.held_until, holder = u.holder,
                             version = t.version + 1
        FROM unnest(p_voucher_change_bucket, p_voucher_change_id, p_voucher_change_version, p_voucher_change_state,
                    p_voucher_change_used, p_voucher_change_held_until, p_voucher_change_holder)
             AS u (bucket, id, version, state, used, held_until, holder)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
          AND voucher_may(t.state, u.state);
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('voucher', n, cardinality(p_voucher_change_id));
    END IF;
    IF p_slice_change_pool IS NOT NULL THEN
        UPDATE slice t SET count_left = u.count_left, fen_left = u.fen_left, version = t.version + 1
        FROM unnest(p_slice_change_bucket, p_slice_change_pool, p_slice_change_day, p_slice_change_number,
                    p_slice_change_version, p_slice_change_count_left, p_slice_change_fen_left)
             AS u (bucket, pool, day, number, version, count_left, fen_left)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.pool = u.pool AND t.day = u.day
          AND t.number = u.number AND t.version = u.version;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('slice', n, cardinality(p_slice_change_pool));
    END IF;
    IF p_tally_change_subject IS NOT NULL THEN
        -- A row of version 0 is to be born; where one is already, its version is not the one before.
        INSERT INTO tally AS t (bucket, subject, rule, day, count, version)
        SELECT u.bucket, u.subject, u.rule, u.day, u.count, u.version + 1
        FROM unnest(p_tally_change_bucket, p_tally_change_subject, p_tally_change_rule, p_tally_change_day,
                    p_tally_change_version, p_tally_change_count) AS u (bucket, subject, rule, day, version, count)
        ON CONFLICT (bucket, subject, day, rule) DO UPDATE SET count = excluded.count, version = excluded.version
        WHERE t.version = excluded.version - 1;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('tally', n, cardinality(p_tally_change_subject));
    END IF;
END $$;

CREATE FUNCTION apply_batch(
    p_bucket smallint, p_buckets smallint[], p_kind smallint, p_at bigint,
    p_journal uuid, p_lane smallint, p_effects uuid[], p_leaves bytea, p_events bytea,
    p_command_bucket smallint[], p_command_id uuid[], p_command_content uuid[],
    p_command_outcome smallint[], p_command_answer bytea[],
    p_lot_bucket smallint[], p_lot_id uuid[], p_lot_card uuid[], p_lot_origin uuid[], p_lot_kind smallint[],
    p_lot_source smallint[], p_lot_granted bigint[], p_lot_active_from bigint[], p_lot_expires_at bigint[],
    p_lot_fund uuid[],
    p_payment_bucket smallint[], p_payment_id uuid[], p_payment_wallet uuid[], p_payment_card uuid[],
    p_payment_merchant uuid[], p_payment_store uuid[], p_payment_terms integer[], p_payment_program smallint[],
    p_payment_state smallint[], p_payment_amount bigint[], p_payment_captured bigint[],
    p_payment_expires_at bigint[], p_payment_order_no text[], p_payment_outside bigint[],
    p_payment_allocation bytea[], p_payment_discounts bytea[], p_payment_lines bytea[],
    p_refund_bucket smallint[], p_refund_id uuid[], p_refund_payment uuid[], p_refund_amount bigint[],
    p_refund_outside bigint[], p_refund_allocation bytea[], p_refund_discounts bytea[], p_refund_reason text[],
    p_reward_bucket smallint[], p_reward_id uuid[], p_reward_card uuid[], p_reward_amount bigint[],
    p_reward_due_at bigint[], p_reward_terms integer[],
    p_voucher_bucket smallint[], p_voucher_id uuid[], p_voucher_wallet uuid[], p_voucher_origin uuid[],
    p_voucher_stock integer[], p_voucher_terms integer[], p_voucher_face bigint[], p_voucher_valid_from bigint[],
    p_voucher_expires_at bigint[],
    p_posting_bucket smallint[], p_posting_transfer uuid[], p_posting_line smallint[], p_posting_book smallint[],
    p_posting_program smallint[], p_posting_debit smallint[], p_posting_debit_owner uuid[],
    p_posting_credit smallint[], p_posting_credit_owner uuid[], p_posting_source smallint[],
    p_posting_amount bigint[],
    p_cold jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_xid constant bigint := pg_current_xact_id()::text::bigint;
BEGIN
    IF (p_bucket = ANY (p_buckets) AND p_command_bucket <@ p_buckets) IS NOT TRUE THEN
        RAISE EXCEPTION 'a command outside the buckets of its batch' USING ERRCODE = 'KQ001';
    END IF;

    INSERT INTO command (at, id, content, answer, bucket, kind, outcome)
    SELECT p_at, u.id, u.content, u.answer, u.bucket, p_kind, u.outcome
    FROM unnest(p_command_bucket, p_command_id, p_command_content, p_command_outcome, p_command_answer)
         AS u (bucket, id, content, outcome, answer)
    ORDER BY u.id;

    IF p_cold IS NOT NULL THEN
        PERFORM apply_cold(p_buckets, p_cold);
    END IF;

    IF p_lot_id IS NOT NULL THEN
        INSERT INTO lot (bucket, id, card, origin, kind, source, granted, balance, active_from, expires_at, fund)
        SELECT u.bucket, u.id, u.card, u.origin, u.kind, u.source, u.granted, u.granted, u.active_from, u.expires_at,
               u.fund
        FROM unnest(p_lot_bucket, p_lot_id, p_lot_card, p_lot_origin, p_lot_kind, p_lot_source, p_lot_granted,
                    p_lot_active_from, p_lot_expires_at, p_lot_fund)
             AS u (bucket, id, card, origin, kind, source, granted, active_from, expires_at, fund);
    END IF;
    IF p_payment_id IS NOT NULL THEN
        INSERT INTO payment (amount, captured, at, moved_at, expires_at, id, wallet, card, merchant, store, terms,
                             bucket, program, state, order_no, outside, allocation, discounts, lines)
        SELECT u.amount, u.captured, p_at, p_at, u.expires_at, u.id, u.wallet, u.card, u.merchant, u.store, u.terms,
               u.bucket, u.program, u.state, u.order_no, u.outside, u.allocation, u.discounts, u.lines
        FROM unnest(p_payment_bucket, p_payment_id, p_payment_wallet, p_payment_card, p_payment_merchant,
                    p_payment_store, p_payment_terms, p_payment_program, p_payment_state, p_payment_amount,
                    p_payment_captured, p_payment_expires_at, p_payment_order_no, p_payment_outside,
                    p_payment_allocation, p_payment_discounts, p_payment_lines)
             AS u (bucket, id, wallet, card, merchant, store, terms, program, state, amount, captured, expires_at,
                   order_no, outside, allocation, discounts, lines);
    END IF;
    IF p_refund_id IS NOT NULL THEN
        INSERT INTO refund (amount, at, id, payment, bucket, outside, allocation, discounts, reason)
        SELECT u.amount, p_at, u.id, u.payment, u.bucket, u.outside, u.allocation, u.discounts, u.reason
        FROM unnest(p_refund_bucket, p_refund_id, p_refund_payment, p_refund_amount, p_refund_outside,
                    p_refund_allocation, p_refund_discounts, p_refund_reason)
             AS u (bucket, id, payment, amount, outside, allocation, discounts, reason);
    END IF;
    IF p_reward_id IS NOT NULL THEN
        INSERT INTO reward (amount, due_at, at, id, card, terms, bucket, state)
        SELECT u.amount, u.due_at, p_at, u.id, u.card, u.terms, u.bucket, 1
        FROM unnest(p_reward_bucket, p_reward_id, p_reward_card, p_reward_amount, p_reward_due_at, p_reward_terms)
             AS u (bucket, id, card, amount, due_at, terms);
    END IF;
    IF p_voucher_id IS NOT NULL THEN
        INSERT INTO voucher (face, at, valid_from, expires_at, id, wallet, origin, stock, terms, bucket, state)
        SELECT u.face, p_at, u.valid_from, u.expires_at, u.id, u.wallet, u.origin, u.stock, u.terms, u.bucket, 1
        FROM unnest(p_voucher_bucket, p_voucher_id, p_voucher_wallet, p_voucher_origin, p_voucher_stock,
                    p_voucher_terms, p_voucher_face, p_voucher_valid_from, p_voucher_expires_at)
             AS u (bucket, id, wallet, origin, stock, terms, face, valid_from, expires_at);
    END IF;
    IF p_posting_transfer IS NOT NULL THEN
        INSERT INTO posting (amount, at, xid, transfer, debit_owner, credit_owner, bucket, line, book, program, kind,
                             debit, credit, source)
        SELECT u.amount, p_at, v_xid, u.transfer, u.debit_owner, u.credit_owner, u.bucket, u.line, u.book, u.program,
               p_kind, u.debit, u.credit, u.source
        FROM unnest(p_posting_bucket, p_posting_transfer, p_posting_line, p_posting_book, p_posting_program,
                    p_posting_debit, p_posting_debit_owner, p_posting_credit, p_posting_credit_owner,
                    p_posting_source, p_posting_amount)
             AS u (bucket, transfer, line, book, program, debit, debit_owner, credit, credit_owner, source, amount);
    END IF;
    IF cardinality(p_effects) > 0 THEN
        INSERT INTO journal (id, at, xid, commands, leaves, events, bucket, lane, kind)
        VALUES (p_journal, p_at, v_xid, p_effects, p_leaves, p_events, p_bucket, p_lane, p_kind);
    END IF;
END $$;

-- Rows of the slow path, as JSON objects per table: what changes a few times a day, not a thousand times a second.
-- `<table>` inserts, `<table>_check` checks versions, `<table>_change` sets the columns that its objects name besides
-- its key and version, and asks `<table>_may` when the state is one of them. Reference data lies outside the buckets; when
-- it changes, or `reference` says so, every process reads it again.
CREATE OR REPLACE FUNCTION apply_cold(p_buckets smallint[], p_cold jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    v_bucket jsonb;
    v_key text;
    v_table text;
    v_columns text[];
    v_identity text[];
    v_reference constant text[] := ARRAY['book', 'organisation', 'program', 'program_terms', 'merchant', 'store',
                                         'enrolment', 'fund', 'stock'];
    v_stateless constant text[] := ARRAY['wallet', 'enrolment'];  -- a state that may follow any other
    v_order constant text[] := v_reference || ARRAY['program_proposal', 'wallet', 'subject_key', 'person',
                                                    'phone_index', 'card', 'card_number', 'settlement'];
BEGIN
    FOR v_bucket IN SELECT row -> 'bucket' FROM jsonb_each(p_cold) t, jsonb_array_elements(t.value) row
                    WHERE row ? 'bucket' AND NOT t.key = ANY (v_reference || ARRAY['slice', 'slice_change']) LOOP
        IF NOT (v_bucket::smallint = ANY (p_buckets)) THEN
            RAISE EXCEPTION 'a row outside the buckets of its batch' USING ERRCODE = 'KQ001';
        END IF;
    END LOOP;
    FOR v_key IN SELECT key FROM jsonb_object_keys(p_cold) key
                 ORDER BY coalesce(array_position(v_order, key), 100), key LOOP
        IF v_key = 'reference' THEN
            CONTINUE;
        ELSIF v_key = 'tombstone' THEN
            INSERT INTO command SELECT * FROM jsonb_populate_recordset(NULL::command, p_cold -> 'tombstone');
        ELSIF v_key = 'person_change' THEN
            INSERT INTO person SELECT * FROM jsonb_populate_recordset(NULL::person, p_cold -> 'person_change')
            ON CONFLICT (bucket, wallet) DO UPDATE SET name = excluded.name, id_no = excluded.id_no;
        ELSIF v_key = 'reserve_release' THEN
            UPDATE reserve t SET state = 2, version = t.version + 1
            FROM jsonb_populate_recordset(NULL::reserve, p_cold -> 'reserve_release') u
            WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
              AND t.state = 1;
            GET DIAGNOSTICS n = ROW_COUNT;
            PERFORM expect('reserve', n, jsonb_array_length(p_cold -> 'reserve_release'));
        ELSIF v_key LIKE '%\_check' THEN
            v_table := left(v_key, -6);
            EXECUTE format('SELECT count(*) FROM jsonb_populate_recordset(NULL::%1$I, $1) u JOIN %1$I t'
                           ' ON t.bucket = u.bucket AND t.id = u.id AND t.version = u.version'
                           ' WHERE t.bucket = ANY ($2)', v_table) INTO n USING p_cold -> v_key, p_buckets;
            PERFORM expect(v_table, n, jsonb_array_length(p_cold -> v_key));
        ELSIF v_key LIKE '%\_change' THEN
            v_table := left(v_key, -7);
            v_identity := CASE WHEN v_table = 'enrolment' THEN ARRAY['program', 'merchant']
                               WHEN v_table = ANY (v_reference) THEN ARRAY['id'] ELSE ARRAY['bucket', 'id'] END;
            v_columns := ARRAY(SELECT key FROM jsonb_object_keys(p_cold -> v_key -> 0) key
                               WHERE key <> 'version' AND NOT key = ANY (v_identity) ORDER BY key);
            EXECUTE format('UPDATE %1$I t SET %2$s FROM (SELECT * FROM jsonb_populate_recordset(NULL::%1$I, $1)'
                           ' ORDER BY %3$s) u WHERE %4$s %5$s %6$s %7$s', v_table,
                           (SELECT string_agg(format('%1$I = u.%1$I', c), ', ') FROM unnest(v_columns) c)
                           || CASE WHEN p_cold -> v_key -> 0 ? 'version' THEN ', version = t.version + 1' ELSE '' END,
                           (SELECT string_agg(quote_ident(c), ', ') FROM unnest(v_identity) c),
                           (SELECT string_agg(format('t.%1$I = u.%1$I', c), ' AND ') FROM unnest(v_identity) c),
                           CASE WHEN 'bucket' = ANY (v_identity) THEN 'AND t.bucket = ANY ($2)' END,
                           CASE WHEN p_cold -> v_key -> 0 ? 'version' THEN 'AND t.version = u.version' END,
                           CASE WHEN 'state' = ANY (v_columns) AND NOT v_table = ANY (v_stateless)
                                THEN format('AND %I(t.state, u.state)', v_table || '_may') END)
            USING p_cold -> v_key, p_buckets;
            GET DIAGNOSTICS n = ROW_COUNT;
            PERFORM expect(v_table, n, jsonb_array_length(p_cold -> v_key));
        ELSE
            EXECUTE format('INSERT INTO %1$I SELECT * FROM jsonb_populate_recordset(NULL::%1$I, $1)', v_key)
            USING p_cold -> v_key;
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM jsonb_object_keys(p_cold) key
               WHERE key = 'reference' OR regexp_replace(key, '_change$', '') = ANY (v_reference)) THEN
        UPDATE installation SET reference_version = reference_version + 1;
    END IF;
END $$;

-- Keeps what spending, claiming and topping up stand on as it is until the commit. Always in the order in which
-- `apply_batch` writes: cards, lots, vouchers, slices, tallies.
CREATE FUNCTION lock_spending(
    p_buckets smallint[], p_card_id uuid[], p_voucher_id uuid[],
    p_slice_bucket smallint[], p_slice_pool uuid[], p_slice_day integer[], p_slice_number smallint[],
    p_tally_bucket smallint[], p_tally_subject uuid[], p_tally_rule integer[], p_tally_day integer[], p_use_day integer
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_cards(p_buckets, p_card_id);
    PERFORM 1 FROM voucher t WHERE t.bucket = ANY (p_buckets) AND t.id = ANY (p_voucher_id)
    ORDER BY t.id FOR NO KEY UPDATE;
    PERFORM 1 FROM unnest(p_slice_bucket, p_slice_pool, p_slice_day, p_slice_number) AS u (bucket, pool, day, number)
    JOIN slice t ON t.bucket = u.bucket AND t.pool = u.pool AND t.day = u.day AND t.number = u.number
    WHERE t.bucket = ANY (p_buckets)
    ORDER BY t.bucket, t.pool, t.day, t.number FOR NO KEY UPDATE OF t;
    PERFORM 1 FROM unnest(p_tally_bucket, p_tally_subject, p_tally_rule, p_tally_day) AS u (bucket, subject, rule, day)
    JOIN tally t ON t.bucket = u.bucket AND t.subject = u.subject AND t.rule = u.rule AND t.day = u.day
    WHERE t.bucket = ANY (p_buckets)
    ORDER BY t.bucket, t.subject, t.day, t.rule FOR NO KEY UPDATE OF t;
    IF p_use_day IS NOT NULL AND p_voucher_id IS NOT NULL THEN
        PERFORM 1 FROM tally t
        WHERE t.bucket = ANY (p_buckets) AND t.day = p_use_day AND t.subject = ANY (ARRAY(
            SELECT v.wallet FROM voucher v WHERE v.bucket = ANY (p_buckets) AND v.id = ANY (p_voucher_id)))
        ORDER BY t.bucket, t.subject, t.day, t.rule FOR NO KEY UPDATE;
    END IF;
END $$;

-- Everything that a wallet's own commands are decided on, in one snapshot; what is not asked for costs nothing. With
-- p_use_day also what the holders of the vouchers did on that day.
CREATE FUNCTION load_spending(
    p_bucket smallint, p_buckets smallint[],
    p_command_bucket smallint[], p_command_id uuid[], p_wallet_bucket smallint[], p_wallet_id uuid[],
    p_card_bucket smallint[], p_card_id uuid[], p_voucher_bucket smallint[], p_voucher_id uuid[],
    p_slice_bucket smallint[], p_slice_pool uuid[], p_slice_day integer[], p_slice_number smallint[],
    p_tally_bucket smallint[], p_tally_subject uuid[], p_tally_rule integer[], p_tally_day integer[], p_use_day integer,
    OUT command_id uuid[], OUT command_content uuid[], OUT command_outcome smallint[], OUT command_answer bytea[],
    OUT wallet_id uuid[], OUT wallet_state smallint[], OUT wallet_identified smallint[], OUT wallet_version integer[],
    OUT wallet_person uuid[],
    OUT card_id uuid[], OUT card_wallet uuid[], OUT card_version integer[], OUT card_terms integer[],
    OUT card_program smallint[], OUT card_state smallint[], OUT card_registered smallint[], OUT card_number text[],
    OUT lot_id uuid[], OUT lot_card uuid[], OUT lot_version integer[], OUT lot_kind smallint[],
    OUT lot_source smallint[], OUT lot_state smallint[], OUT lot_balance bigint[], OUT lot_held bigint[],
    OUT lot_active_from bigint[], OUT lot_expires_at bigint[], OUT lot_fund uuid[],
    OUT voucher_id uuid[], OUT voucher_version integer[], OUT voucher_wallet uuid[], OUT voucher_stock integer[],
    OUT voucher_terms integer[], OUT voucher_state smallint[], OUT voucher_face bigint[], OUT voucher_used bigint[],
    OUT voucher_valid_from bigint[], OUT voucher_expires_at bigint[], OUT voucher_held_until bigint[],
    OUT voucher_holder uuid[],
    OUT slice_bucket smallint[], OUT slice_pool uuid[], OUT slice_day integer[], OUT slice_number smallint[],
    OUT slice_version integer[], OUT slice_count_left bigint[], OUT slice_fen_left bigint[],
    OUT tally_subject uuid[], OUT tally_rule integer[], OUT tally_day integer[], OUT tally_version integer[],
    OUT tally_count bigint[]
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_buckets smallint[];
BEGIN
    SELECT array_agg(t.id), array_agg(t.content), array_agg(t.outcome), array_agg(t.answer)
    INTO command_id, command_content, command_outcome, command_answer
    FROM unnest(p_command_bucket, p_command_id) AS u (bucket, id)
    JOIN command t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    IF p_wallet_id IS NOT NULL THEN
        SELECT array_agg(t.id), array_agg(t.state), array_agg(t.identified::int::smallint), array_agg(t.version),
               array_agg(coalesce(t.person, '00000000-0000-0000-0000-000000000000'::uuid))
        INTO wallet_id, wallet_state, wallet_identified, wallet_version, wallet_person
        FROM unnest(p_wallet_bucket, p_wallet_id) AS u (bucket, id)
        JOIN wallet t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets);
    END IF;

    IF p_card_id IS NOT NULL THEN
        SELECT array_agg(t.id), array_agg(t.wallet), array_agg(t.version), array_agg(t.terms), array_agg(t.program),
               array_agg(t.state), array_agg(t.registered::int::smallint), array_agg(t.number)
        INTO card_id, card_wallet, card_version, card_terms, card_program, card_state, card_registered, card_number
        FROM unnest(p_card_bucket, p_card_id) AS u (bucket, id)
        JOIN card t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets);

        SELECT array_agg(t.id), array_agg(t.card), array_agg(t.version), array_agg(t.kind), array_agg(t.source),
               array_agg(t.state), array_agg(t.balance), array_agg(t.held), array_agg(t.active_from),
               array_agg(coalesce(t.expires_at, 0)),
               array_agg(coalesce(t.fund, '00000000-0000-0000-0000-000000000000'::uuid))
        INTO lot_id, lot_card, lot_version, lot_kind, lot_source, lot_state, lot_balance, lot_held, lot_active_from,
             lot_expires_at, lot_fund
        FROM unnest(p_card_bucket, p_card_id) AS u (bucket, card)
        JOIN lot t ON t.bucket = u.bucket AND t.card = u.card
        WHERE t.bucket = ANY (p_buckets) AND t.balance > 0;
    END IF;

    IF p_voucher_id IS NOT NULL THEN
        SELECT array_agg(t.bucket), array_agg(t.id), array_agg(t.version), array_agg(t.wallet), array_agg(t.stock), array_agg(t.terms),
               array_agg(t.state), array_agg(t.face), array_agg(t.used), array_agg(t.valid_from),
               array_agg(t.expires_at), array_agg(t.held_until),
               array_agg(coalesce(t.holder, '00000000-0000-0000-0000-000000000000'::uuid))
        INTO v_buckets, voucher_id, voucher_version, voucher_wallet, voucher_stock, voucher_terms, voucher_state,
             voucher_face, voucher_used, voucher_valid_from, voucher_expires_at, voucher_held_until, voucher_holder
        FROM unnest(p_voucher_bucket, p_voucher_id) AS u (bucket, id)
        JOIN voucher t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets);
    END IF;

    IF p_slice_pool IS NOT NULL THEN
        SELECT array_agg(t.bucket), array_agg(t.pool), array_agg(t.day), array_agg(t.number), array_agg(t.version),
               array_agg(t.count_left), array_agg(t.fen_left)
        INTO slice_bucket, slice_pool, slice_day, slice_number, slice_version, slice_count_left, slice_fen_left
        FROM unnest(p_slice_bucket, p_slice_pool, p_slice_day, p_slice_number) AS u (bucket, pool, day, number)
        JOIN slice t ON t.bucket = u.bucket AND t.pool = u.pool AND t.day = u.day AND t.number = u.number
        WHERE t.bucket = ANY (p_buckets);
    END IF;

    IF p_use_day IS NOT NULL AND voucher_id IS NOT NULL THEN
        SELECT array_agg(t.subject), array_agg(t.rule), array_agg(t.day), array_agg(t.version), array_agg(t.count)
        INTO tally_subject, tally_rule, tally_day, tally_version, tally_count
        FROM (SELECT DISTINCT bucket, wallet FROM unnest(v_buckets, voucher_wallet) AS v (bucket, wallet)) u
        CROSS JOIN LATERAL (  -- OFFSET 0: looked up for each holder, also while the table seems to be empty
            SELECT * FROM tally t
            WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.subject = u.wallet AND t.day = p_use_day
            OFFSET 0
        ) t;
    ELSIF p_tally_subject IS NOT NULL THEN
        SELECT array_agg(t.subject), array_agg(t.rule), array_agg(t.day), array_agg(t.version), array_agg(t.count)
        INTO tally_subject, tally_rule, tally_day, tally_version, tally_count
        FROM unnest(p_tally_bucket, p_tally_subject, p_tally_rule, p_tally_day) AS u (bucket, subject, rule, day)
        JOIN tally t ON t.bucket = u.bucket AND t.subject = u.subject AND t.rule = u.rule AND t.day = u.day
        WHERE t.bucket = ANY (p_buckets);
    END IF;
END $$;

DROP FUNCTION load_cards;
DROP FUNCTION lock_payments;
CREATE FUNCTION lock_payments(p_buckets smallint[], p_payment_bucket smallint[], p_payment_id uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_cards(p_buckets, (
        SELECT array_agg(DISTINCT t.card)
        FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
        JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets)));
    PERFORM 1 FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets)
    ORDER BY t.id FOR NO KEY UPDATE OF t;
    PERFORM 1 FROM voucher v WHERE v.bucket = ANY (p_buckets) AND v.id = ANY (ARRAY(
        SELECT d.voucher
        FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
        JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
        CROSS JOIN LATERAL discounts_of(t.discounts) d
        WHERE t.bucket = ANY (p_buckets)))
    ORDER BY v.id FOR NO KEY UPDATE;
END $$;

DROP FUNCTION load_payments;
CREATE FUNCTION load_payments(
    p_bucket smallint, p_buckets smallint[],
    p_command_bucket smallint[], p_command_id uuid[], p_payment_bucket smallint[], p_payment_id uuid[],
    OUT command_id uuid[], OUT command_content uuid[], OUT command_outcome smallint[], OUT command_answer bytea[],
    OUT decided_id uuid[], OUT decided_outcome smallint[],
    OUT payment_id uuid[], OUT payment_card uuid[], OUT payment_wallet uuid[], OUT payment_merchant uuid[],
    OUT payment_version integer[], OUT payment_terms integer[], OUT payment_program smallint[],
    OUT payment_state smallint[], OUT payment_amount bigint[], OUT payment_captured bigint[],
    OUT payment_refunded bigint[], OUT payment_at bigint[], OUT payment_moved_at bigint[],
    OUT payment_expires_at bigint[], OUT payment_outside bigint[], OUT payment_allocation bytea[],
    OUT payment_discounts bytea[], OUT payment_returned bytea[], OUT payment_lines bytea[],
    OUT payment_order_no text[],
    OUT reward_id uuid[], OUT reward_version integer[], OUT reward_state smallint[], OUT reward_amount bigint[],
    OUT reward_cut bigint[], OUT reward_granted bigint[],
    OUT reward_due_at bigint[], OUT reward_terms integer[], OUT reward_lot uuid[],
    OUT card_id uuid[], OUT card_wallet uuid[], OUT card_version integer[], OUT card_terms integer[],
    OUT card_program smallint[], OUT card_state smallint[], OUT card_registered smallint[], OUT card_number text[],
    OUT lot_id uuid[], OUT lot_card uuid[], OUT lot_version integer[], OUT lot_kind smallint[],
    OUT lot_source smallint[], OUT lot_state smallint[], OUT lot_balance bigint[], OUT lot_held bigint[],
    OUT lot_active_from bigint[], OUT lot_expires_at bigint[], OUT lot_fund uuid[],
    OUT voucher_id uuid[], OUT voucher_version integer[], OUT voucher_wallet uuid[], OUT voucher_stock integer[],
    OUT voucher_terms integer[], OUT voucher_state smallint[], OUT voucher_face bigint[], OUT voucher_used bigint[],
    OUT voucher_valid_from bigint[], OUT voucher_expires_at bigint[], OUT voucher_held_until bigint[],
    OUT voucher_holder uuid[],
    OUT tally_subject uuid[], OUT tally_rule integer[], OUT tally_day integer[], OUT tally_version integer[],
    OUT tally_count bigint[]
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_cards uuid[];
    v_vouchers uuid[];
BEGIN
    SELECT array_agg(DISTINCT t.card) INTO v_cards
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);
    SELECT array_agg(DISTINCT d.voucher) INTO v_vouchers
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
    CROSS JOIN LATERAL discounts_of(t.discounts) d
    WHERE t.bucket = ANY (p_buckets);
    SELECT * INTO command_id, command_content, command_outcome, command_answer
    FROM load_commands(p_buckets, p_command_bucket, p_command_id);

    SELECT array_agg(t.id), array_agg(t.outcome) INTO decided_id, decided_outcome
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN command t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(coalesce(t.card, '00000000-0000-0000-0000-000000000000'::uuid)),
           array_agg(t.wallet), array_agg(t.merchant), array_agg(t.version),
           array_agg(t.terms), array_agg(t.program), array_agg(t.state), array_agg(t.amount), array_agg(t.captured),
           array_agg(t.refunded), array_agg(t.at), array_agg(t.moved_at), array_agg(coalesce(t.expires_at, 0)),
           array_agg(t.outside), array_agg(t.allocation), array_agg(t.discounts), array_agg(t.returned),
           array_agg(t.lines), array_agg(t.order_no)
    INTO payment_id, payment_card, payment_wallet, payment_merchant, payment_version, payment_terms,
         payment_program, payment_state, payment_amount, payment_captured, payment_refunded, payment_at,
         payment_moved_at, payment_expires_at, payment_outside, payment_allocation, payment_discounts,
         payment_returned, payment_lines, payment_order_no
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(t.version), array_agg(t.state), array_agg(t.amount), array_agg(t.cut),
           array_agg(t.granted), array_agg(t.due_at), array_agg(t.terms),
           array_agg(coalesce(t.lot, '00000000-0000-0000-0000-000000000000'::uuid))
    INTO reward_id, reward_version, reward_state, reward_amount, reward_cut, reward_granted, reward_due_at,
         reward_terms, reward_lot
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN reward t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(t.wallet), array_agg(t.version), array_agg(t.terms), array_agg(t.program),
           array_agg(t.state), array_agg(t.registered::int::smallint), array_agg(t.number)
    INTO card_id, card_wallet, card_version, card_terms, card_program, card_state, card_registered, card_number
    FROM card t WHERE t.bucket = ANY (p_buckets) AND t.id = ANY (v_cards);

    SELECT array_agg(t.id), array_agg(t.card), array_agg(t.version), array_agg(t.kind), array_agg(t.source),
           array_agg(t.state), array_agg(t.balance), array_agg(t.held), array_agg(t.active_from),
           array_agg(coalesce(t.expires_at, 0)),
           array_agg(coalesce(t.fund, '00000000-0000-0000-0000-000000000000'::uuid))
    INTO lot_id, lot_card, lot_version, lot_kind, lot_source, lot_state, lot_balance, lot_held, lot_active_from,
         lot_expires_at, lot_fund
    FROM lot t WHERE t.bucket = ANY (p_buckets) AND t.card = ANY (v_cards);

    IF v_vouchers IS NOT NULL THEN
        SELECT array_agg(t.id), array_agg(t.version), array_agg(t.wallet), array_agg(t.stock), array_agg(t.terms),
               array_agg(t.state), array_agg(t.face), array_agg(t.used), array_agg(t.valid_from),
               array_agg(t.expires_at), array_agg(t.held_until),
               array_agg(coalesce(t.holder, '00000000-0000-0000-0000-000000000000'::uuid))
        INTO voucher_id, voucher_version, voucher_wallet, voucher_stock, voucher_terms, voucher_state, voucher_face,
             voucher_used, voucher_valid_from, voucher_expires_at, voucher_held_until, voucher_holder
        FROM voucher t WHERE t.bucket = ANY (p_buckets) AND t.id = ANY (v_vouchers);

        SELECT array_agg(t.subject), array_agg(t.rule), array_agg(t.day), array_agg(t.version), array_agg(t.count)
        INTO tally_subject, tally_rule, tally_day, tally_version, tally_count
        FROM (SELECT DISTINCT p.bucket, p.wallet, business_day(p.at) AS day
              FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
              JOIN payment p ON p.bucket = u.bucket AND p.id = u.id
              WHERE p.bucket = ANY (p_buckets) AND octet_length(p.discounts) > 0) u
        JOIN tally t ON t.bucket = u.bucket AND t.subject = u.wallet AND t.day = u.day
        WHERE t.bucket = ANY (p_buckets);
    END IF;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan TO kaquan_app;
