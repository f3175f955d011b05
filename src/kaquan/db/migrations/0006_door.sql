-- Mechanics of the door: one function per load, one for apply. Policy is in Python; what is here is what no
-- rule may break: versions, floors, state transitions, one row per decision.
-- Every function names the buckets it may touch (p_buckets) and checks them, so that the same body serves a
-- batch over all buckets on one machine and a batch of one bucket on a cluster. SQLSTATE 40001 asks the door to
-- load and decide again; KQ001 is a bug of ours.

CREATE FUNCTION payment_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (1, 3), (1, 4), (2, 5)) $$;

CREATE FUNCTION reward_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (1, 3), (2, 4)) $$;

CREATE FUNCTION expect(p_what text, p_got bigint, p_wanted bigint) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_got <> p_wanted THEN
        RAISE EXCEPTION '% rows of % changed under us', p_wanted - p_got, p_what USING ERRCODE = '40001';
    END IF;
END $$;

-- Rows are locked in one order, so that no two batches wait for each other: cards, lots, payments, rewards, then the
-- decisions, each by id. Joins are nested loops over the columns as they come, sorted by the door: a hash join would
-- update in the order of the table.
CREATE FUNCTION apply_batch(
    p_bucket smallint, p_buckets smallint[], p_kind smallint, p_at bigint,
    p_journal uuid, p_lane smallint, p_effects uuid[], p_leaves bytea, p_events bytea,
    p_command_bucket smallint[], p_command_id uuid[], p_command_content uuid[],
    p_command_outcome smallint[], p_command_answer bytea[],
    p_card_check_bucket smallint[], p_card_check_id uuid[], p_card_check_version integer[],
    p_card_change_bucket smallint[], p_card_change_id uuid[], p_card_change_version integer[],
    p_card_change_state smallint[], p_card_change_number text[],
    p_lot_change_bucket smallint[], p_lot_change_id uuid[], p_lot_change_version integer[],
    p_lot_change_balance bigint[], p_lot_change_held bigint[], p_lot_change_state smallint[],
    p_payment_change_bucket smallint[], p_payment_change_id uuid[], p_payment_change_version integer[],
    p_payment_change_state smallint[], p_payment_change_captured bigint[], p_payment_change_refunded bigint[],
    p_payment_change_moved_at bigint[], p_payment_change_allocation bytea[],
    p_reward_change_bucket smallint[], p_reward_change_id uuid[], p_reward_change_version integer[],
    p_reward_change_state smallint[], p_reward_change_lot uuid[],
    p_lot_bucket smallint[], p_lot_id uuid[], p_lot_card uuid[], p_lot_origin uuid[], p_lot_kind smallint[],
    p_lot_source smallint[], p_lot_granted bigint[], p_lot_active_from bigint[], p_lot_expires_at bigint[],
    p_payment_bucket smallint[], p_payment_id uuid[], p_payment_wallet uuid[], p_payment_card uuid[],
    p_payment_merchant uuid[], p_payment_store uuid[], p_payment_terms integer[], p_payment_program smallint[],
    p_payment_state smallint[], p_payment_amount bigint[], p_payment_captured bigint[],
    p_payment_expires_at bigint[], p_payment_order_no text[], p_payment_allocation bytea[],
    p_refund_bucket smallint[], p_refund_id uuid[], p_refund_payment uuid[], p_refund_amount bigint[],
    p_refund_allocation bytea[], p_refund_reason text[],
    p_reward_bucket smallint[], p_reward_id uuid[], p_reward_card uuid[], p_reward_amount bigint[],
    p_reward_due_at bigint[], p_reward_terms integer[],
    p_posting_bucket smallint[], p_posting_transfer uuid[], p_posting_line smallint[], p_posting_book smallint[],
    p_posting_program smallint[], p_posting_debit smallint[], p_posting_debit_owner uuid[],
    p_posting_credit smallint[], p_posting_credit_owner uuid[], p_posting_source smallint[],
    p_posting_amount bigint[],
    p_cold jsonb
) RETURNS void LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    n bigint;
    v_xid constant bigint := pg_current_xact_id()::text::bigint;
BEGIN
    IF (p_bucket = ANY (p_buckets) AND p_command_bucket <@ p_buckets) IS NOT TRUE THEN
        RAISE EXCEPTION 'a command outside the buckets of its batch' USING ERRCODE = 'KQ001';
    END IF;

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
                             allocation = u.allocation, version = t.version + 1
        FROM unnest(p_payment_change_bucket, p_payment_change_id, p_payment_change_version,
                    p_payment_change_state, p_payment_change_captured, p_payment_change_refunded,
                    p_payment_change_moved_at, p_payment_change_allocation)
             AS u (bucket, id, version, state, captured, refunded, moved_at, allocation)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
          AND payment_may(t.state, u.state);
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('payment', n, cardinality(p_payment_change_id));
    END IF;
    IF p_reward_change_id IS NOT NULL THEN
        UPDATE reward t SET state = u.state, lot = u.lot, version = t.version + 1
        FROM unnest(p_reward_change_bucket, p_reward_change_id, p_reward_change_version, p_reward_change_state,
                    p_reward_change_lot) AS u (bucket, id, version, state, lot)
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
          AND reward_may(t.state, u.state);
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('reward', n, cardinality(p_reward_change_id));
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
        INSERT INTO lot (bucket, id, card, origin, kind, source, granted, balance, active_from, expires_at)
        SELECT u.bucket, u.id, u.card, u.origin, u.kind, u.source, u.granted, u.granted, u.active_from, u.expires_at
        FROM unnest(p_lot_bucket, p_lot_id, p_lot_card, p_lot_origin, p_lot_kind, p_lot_source, p_lot_granted,
                    p_lot_active_from, p_lot_expires_at)
             AS u (bucket, id, card, origin, kind, source, granted, active_from, expires_at);
    END IF;
    IF p_payment_id IS NOT NULL THEN
        INSERT INTO payment (amount, captured, at, moved_at, expires_at, id, wallet, card, merchant, store, terms,
                             bucket, program, state, order_no, allocation)
        SELECT u.amount, u.captured, p_at, p_at, u.expires_at, u.id, u.wallet, u.card, u.merchant, u.store, u.terms,
               u.bucket, u.program, u.state, u.order_no, u.allocation
        FROM unnest(p_payment_bucket, p_payment_id, p_payment_wallet, p_payment_card, p_payment_merchant,
                    p_payment_store, p_payment_terms, p_payment_program, p_payment_state, p_payment_amount,
                    p_payment_captured, p_payment_expires_at, p_payment_order_no, p_payment_allocation)
             AS u (bucket, id, wallet, card, merchant, store, terms, program, state, amount, captured, expires_at,
                   order_no, allocation);
    END IF;
    IF p_refund_id IS NOT NULL THEN
        INSERT INTO refund (amount, at, id, payment, bucket, allocation, reason)
        SELECT u.amount, p_at, u.id, u.payment, u.bucket, u.allocation, u.reason
        FROM unnest(p_refund_bucket, p_refund_id, p_refund_payment, p_refund_amount, p_refund_allocation,
                    p_refund_reason) AS u (bucket, id, payment, amount, allocation, reason);
    END IF;
    IF p_reward_id IS NOT NULL THEN
        INSERT INTO reward (amount, due_at, at, id, card, terms, bucket, state)
        SELECT u.amount, u.due_at, p_at, u.id, u.card, u.terms, u.bucket, 1
        FROM unnest(p_reward_bucket, p_reward_id, p_reward_card, p_reward_amount, p_reward_due_at, p_reward_terms)
             AS u (bucket, id, card, amount, due_at, terms);
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
CREATE FUNCTION apply_cold(p_buckets smallint[], p_cold jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    v_bucket jsonb;
BEGIN
    FOR v_bucket IN SELECT row -> 'bucket' FROM jsonb_each(p_cold) t, jsonb_array_elements(t.value) row
                    WHERE row ? 'bucket' AND t.key <> 'merchant' LOOP
        IF NOT (v_bucket::smallint = ANY (p_buckets)) THEN
            RAISE EXCEPTION 'a row outside the buckets of its batch' USING ERRCODE = 'KQ001';
        END IF;
    END LOOP;
    IF p_cold ?| ARRAY['book', 'organisation', 'program', 'program_terms', 'merchant', 'store'] THEN
        INSERT INTO book SELECT * FROM jsonb_populate_recordset(NULL::book, p_cold -> 'book');
        INSERT INTO organisation SELECT * FROM jsonb_populate_recordset(NULL::organisation, p_cold -> 'organisation');
        INSERT INTO program SELECT * FROM jsonb_populate_recordset(NULL::program, p_cold -> 'program');
        INSERT INTO program_terms SELECT * FROM jsonb_populate_recordset(NULL::program_terms, p_cold -> 'program_terms');
        INSERT INTO merchant SELECT * FROM jsonb_populate_recordset(NULL::merchant, p_cold -> 'merchant');
        INSERT INTO store SELECT * FROM jsonb_populate_recordset(NULL::store, p_cold -> 'store');
        UPDATE installation SET reference_version = reference_version + 1;
    END IF;
    IF p_cold ? 'wallet' THEN
        INSERT INTO wallet SELECT * FROM jsonb_populate_recordset(NULL::wallet, p_cold -> 'wallet');
        INSERT INTO subject_key SELECT * FROM jsonb_populate_recordset(NULL::subject_key, p_cold -> 'subject_key');
        INSERT INTO person SELECT * FROM jsonb_populate_recordset(NULL::person, p_cold -> 'person');
        INSERT INTO phone_index SELECT * FROM jsonb_populate_recordset(NULL::phone_index, p_cold -> 'phone_index');
    END IF;
    IF p_cold ? 'wallet_check' THEN
        SELECT count(*) INTO n
        FROM jsonb_populate_recordset(NULL::wallet, p_cold -> 'wallet_check') u
        JOIN wallet t ON t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
        WHERE t.bucket = ANY (p_buckets);
        PERFORM expect('wallet', n, jsonb_array_length(p_cold -> 'wallet_check'));
    END IF;
    IF p_cold ? 'wallet_change' THEN
        UPDATE wallet t SET identified = u.identified, version = t.version + 1
        FROM (SELECT * FROM jsonb_populate_recordset(NULL::wallet, p_cold -> 'wallet_change') ORDER BY id) u
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('wallet', n, jsonb_array_length(p_cold -> 'wallet_change'));
        INSERT INTO person SELECT * FROM jsonb_populate_recordset(NULL::person, p_cold -> 'person_change')
        ON CONFLICT (bucket, wallet) DO UPDATE SET name = excluded.name, id_no = excluded.id_no;
    END IF;
    IF p_cold ? 'card' THEN
        INSERT INTO card SELECT * FROM jsonb_populate_recordset(NULL::card, p_cold -> 'card');
    END IF;
    IF p_cold ? 'card_number' THEN
        INSERT INTO card_number SELECT * FROM jsonb_populate_recordset(NULL::card_number, p_cold -> 'card_number');
    END IF;
    IF p_cold ? 'tombstone' THEN
        INSERT INTO command SELECT * FROM jsonb_populate_recordset(NULL::command, p_cold -> 'tombstone');
    END IF;
    IF p_cold ? 'settlement' THEN
        INSERT INTO settlement SELECT * FROM jsonb_populate_recordset(NULL::settlement, p_cold -> 'settlement');
        INSERT INTO payout SELECT * FROM jsonb_populate_recordset(NULL::payout, p_cold -> 'payout');
        INSERT INTO reserve SELECT * FROM jsonb_populate_recordset(NULL::reserve, p_cold -> 'reserve');
    END IF;
    IF p_cold ? 'reserve_release' THEN
        UPDATE reserve t SET state = 2, version = t.version + 1
        FROM jsonb_populate_recordset(NULL::reserve, p_cold -> 'reserve_release') u
        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = u.version
          AND t.state = 1;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM expect('reserve', n, jsonb_array_length(p_cold -> 'reserve_release'));
    END IF;
END $$;

CREATE FUNCTION load_commands(
    p_buckets smallint[], p_command_bucket smallint[], p_command_id uuid[],
    OUT command_id uuid[], OUT command_content uuid[], OUT command_outcome smallint[], OUT command_answer bytea[]
) LANGUAGE sql STABLE AS $$
    SELECT array_agg(t.id), array_agg(t.content), array_agg(t.outcome), array_agg(t.answer)
    FROM unnest(p_command_bucket, p_command_id) AS u (bucket, id)
    JOIN command t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets)
$$;

CREATE FUNCTION load_wallets(
    p_bucket smallint, p_buckets smallint[], p_command_bucket smallint[], p_command_id uuid[],
    p_wallet_bucket smallint[], p_wallet_id uuid[],
    OUT command_id uuid[], OUT command_content uuid[], OUT command_outcome smallint[], OUT command_answer bytea[],
    OUT wallet_id uuid[], OUT wallet_state smallint[], OUT wallet_identified smallint[], OUT wallet_version integer[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT * INTO command_id, command_content, command_outcome, command_answer
    FROM load_commands(p_buckets, p_command_bucket, p_command_id);
    SELECT array_agg(t.id), array_agg(t.state), array_agg(t.identified::int::smallint), array_agg(t.version)
    INTO wallet_id, wallet_state, wallet_identified, wallet_version
    FROM unnest(p_wallet_bucket, p_wallet_id) AS u (bucket, id)
    JOIN wallet t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);
END $$;

-- Keeps cards and their lots as they are until the commit. Always in the order of their ids, cards before lots, so
-- that two who lock do not wait for each other.
CREATE FUNCTION lock_cards(p_buckets smallint[], p_card_id uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM card t WHERE t.bucket = ANY (p_buckets) AND t.id = ANY (p_card_id)
    ORDER BY t.id FOR NO KEY UPDATE;
    PERFORM 1 FROM lot t WHERE t.bucket = ANY (p_buckets) AND t.card = ANY (p_card_id)
    ORDER BY t.id FOR NO KEY UPDATE;
END $$;

CREATE FUNCTION lock_payments(p_buckets smallint[], p_payment_bucket smallint[], p_payment_id uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_cards(p_buckets, (
        SELECT array_agg(DISTINCT t.card)
        FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
        JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets)));
END $$;

-- Load functions are STABLE: all that they read is of one snapshot. Facts of different moments (a payment that is
-- still authorized, its lots after the release) are worse than old ones, which the versions tell.
CREATE FUNCTION load_cards(
    p_bucket smallint, p_buckets smallint[],
    p_command_bucket smallint[], p_command_id uuid[], p_card_bucket smallint[], p_card_id uuid[],
    OUT command_id uuid[], OUT command_content uuid[], OUT command_outcome smallint[], OUT command_answer bytea[],
    OUT card_id uuid[], OUT card_wallet uuid[], OUT card_version integer[], OUT card_terms integer[],
    OUT card_program smallint[], OUT card_state smallint[], OUT card_registered smallint[], OUT card_number text[],
    OUT lot_id uuid[], OUT lot_card uuid[], OUT lot_version integer[], OUT lot_kind smallint[],
    OUT lot_source smallint[], OUT lot_state smallint[], OUT lot_balance bigint[], OUT lot_held bigint[],
    OUT lot_active_from bigint[], OUT lot_expires_at bigint[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT array_agg(t.id), array_agg(t.content), array_agg(t.outcome), array_agg(t.answer)
    INTO command_id, command_content, command_outcome, command_answer
    FROM unnest(p_command_bucket, p_command_id) AS u (bucket, id)
    JOIN command t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(t.wallet), array_agg(t.version), array_agg(t.terms), array_agg(t.program),
           array_agg(t.state), array_agg(t.registered::int::smallint), array_agg(t.number)
    INTO card_id, card_wallet, card_version, card_terms, card_program, card_state, card_registered, card_number
    FROM unnest(p_card_bucket, p_card_id) AS u (bucket, id)
    JOIN card t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(t.card), array_agg(t.version), array_agg(t.kind), array_agg(t.source),
           array_agg(t.state), array_agg(t.balance), array_agg(t.held), array_agg(t.active_from),
           array_agg(coalesce(t.expires_at, 0))
    INTO lot_id, lot_card, lot_version, lot_kind, lot_source, lot_state, lot_balance, lot_held, lot_active_from,
         lot_expires_at
    FROM unnest(p_card_bucket, p_card_id) AS u (bucket, card)
    JOIN lot t ON t.bucket = u.bucket AND t.card = u.card
    WHERE t.bucket = ANY (p_buckets) AND t.balance > 0;
END $$;

CREATE FUNCTION load_payments(
    p_bucket smallint, p_buckets smallint[],
    p_command_bucket smallint[], p_command_id uuid[], p_payment_bucket smallint[], p_payment_id uuid[],
    OUT command_id uuid[], OUT command_content uuid[], OUT command_outcome smallint[], OUT command_answer bytea[],
    OUT decided_id uuid[], OUT decided_outcome smallint[],
    OUT payment_id uuid[], OUT payment_card uuid[], OUT payment_wallet uuid[], OUT payment_merchant uuid[],
    OUT payment_version integer[], OUT payment_terms integer[], OUT payment_program smallint[],
    OUT payment_state smallint[], OUT payment_amount bigint[], OUT payment_captured bigint[],
    OUT payment_refunded bigint[], OUT payment_moved_at bigint[], OUT payment_expires_at bigint[],
    OUT payment_allocation bytea[], OUT payment_order_no text[],
    OUT reward_id uuid[], OUT reward_version integer[], OUT reward_state smallint[], OUT reward_amount bigint[],
    OUT reward_due_at bigint[], OUT reward_terms integer[], OUT reward_lot uuid[],
    OUT card_id uuid[], OUT card_wallet uuid[], OUT card_version integer[], OUT card_terms integer[],
    OUT card_program smallint[], OUT card_state smallint[], OUT card_registered smallint[], OUT card_number text[],
    OUT lot_id uuid[], OUT lot_card uuid[], OUT lot_version integer[], OUT lot_kind smallint[],
    OUT lot_source smallint[], OUT lot_state smallint[], OUT lot_balance bigint[], OUT lot_held bigint[],
    OUT lot_active_from bigint[], OUT lot_expires_at bigint[]
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_cards uuid[];
BEGIN
    SELECT array_agg(DISTINCT t.card) INTO v_cards
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);
    SELECT * INTO command_id, command_content, command_outcome, command_answer
    FROM load_commands(p_buckets, p_command_bucket, p_command_id);

    SELECT array_agg(t.id), array_agg(t.outcome) INTO decided_id, decided_outcome
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN command t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(t.card), array_agg(t.wallet), array_agg(t.merchant), array_agg(t.version),
           array_agg(t.terms), array_agg(t.program), array_agg(t.state), array_agg(t.amount), array_agg(t.captured),
           array_agg(t.refunded), array_agg(t.moved_at), array_agg(coalesce(t.expires_at, 0)),
           array_agg(t.allocation), array_agg(t.order_no)
    INTO payment_id, payment_card, payment_wallet, payment_merchant, payment_version, payment_terms,
         payment_program, payment_state, payment_amount, payment_captured, payment_refunded, payment_moved_at,
         payment_expires_at, payment_allocation, payment_order_no
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(t.version), array_agg(t.state), array_agg(t.amount), array_agg(t.due_at),
           array_agg(t.terms), array_agg(coalesce(t.lot, '00000000-0000-0000-0000-000000000000'::uuid))
    INTO reward_id, reward_version, reward_state, reward_amount, reward_due_at, reward_terms, reward_lot
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN reward t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.id), array_agg(t.wallet), array_agg(t.version), array_agg(t.terms), array_agg(t.program),
           array_agg(t.state), array_agg(t.registered::int::smallint), array_agg(t.number)
    INTO card_id, card_wallet, card_version, card_terms, card_program, card_state, card_registered, card_number
    FROM card t WHERE t.bucket = ANY (p_buckets) AND t.id = ANY (v_cards);

    SELECT array_agg(t.id), array_agg(t.card), array_agg(t.version), array_agg(t.kind), array_agg(t.source),
           array_agg(t.state), array_agg(t.balance), array_agg(t.held), array_agg(t.active_from),
           array_agg(coalesce(t.expires_at, 0))
    INTO lot_id, lot_card, lot_version, lot_kind, lot_source, lot_state, lot_balance, lot_held, lot_active_from,
         lot_expires_at
    FROM lot t WHERE t.bucket = ANY (p_buckets) AND t.card = ANY (v_cards);
END $$;

-- The order registry: the first command to name an order may take effect for it, all others see who it was.
-- No answer means that every order was free and is now claimed.
CREATE FUNCTION claim_orders(
    p_buckets smallint[], p_at bigint, p_reversed boolean,
    p_bucket smallint[], p_merchant uuid[], p_order_no text[], p_command uuid[],
    OUT claim_command uuid[], OUT claim_reversed smallint[], OUT claim_at bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    IF (p_bucket <@ p_buckets) IS NOT TRUE THEN
        RAISE EXCEPTION 'an order outside the buckets of its batch' USING ERRCODE = 'KQ001';
    END IF;
    INSERT INTO order_claim (at, merchant, command, bucket, reversed, order_no)
    SELECT p_at, u.merchant, u.command, u.bucket, p_reversed, u.order_no
    FROM unnest(p_bucket, p_merchant, p_order_no, p_command) AS u (bucket, merchant, order_no, command)
    ORDER BY u.bucket, u.merchant, u.order_no
    ON CONFLICT (bucket, merchant, order_no) DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = cardinality(p_order_no) THEN
        RETURN;
    END IF;
    SELECT array_agg(t.command ORDER BY u.ord), array_agg(t.reversed::int::smallint ORDER BY u.ord),
           array_agg(t.at ORDER BY u.ord)
    INTO claim_command, claim_reversed, claim_at
    FROM unnest(p_bucket, p_merchant, p_order_no) WITH ORDINALITY AS u (bucket, merchant, order_no, ord)
    JOIN order_claim t ON t.bucket = u.bucket AND t.merchant = u.merchant AND t.order_no = u.order_no
    WHERE t.bucket = ANY (p_buckets);
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan TO kaquan_app;
