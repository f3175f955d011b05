-- What happens to earlier payments: their facts in one look at each table, by the keys that the payments name. Always by
-- index: while a table is small the planner would read all of it for each batch.

CREATE OR REPLACE FUNCTION load_payments(
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
) LANGUAGE plpgsql STABLE SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_nobody constant uuid := '00000000-0000-0000-0000-000000000000';
    v_bucket smallint[];
    v_card uuid[];
    v_card_bucket smallint[];
    v_voucher uuid[];
    v_voucher_bucket smallint[];
BEGIN
    SELECT array_agg(t.id), array_agg(t.content), array_agg(t.outcome), array_agg(t.answer)
    INTO command_id, command_content, command_outcome, command_answer
    FROM unnest(p_command_bucket, p_command_id) AS u (bucket, id)
    JOIN command t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(t.bucket), array_agg(t.id), array_agg(coalesce(t.card, v_nobody)),
           array_agg(t.wallet), array_agg(t.merchant), array_agg(t.version),
           array_agg(t.terms), array_agg(t.program), array_agg(t.state), array_agg(t.amount), array_agg(t.captured),
           array_agg(t.refunded), array_agg(t.at), array_agg(t.moved_at), array_agg(coalesce(t.expires_at, 0)),
           array_agg(t.outside), array_agg(t.allocation), array_agg(t.discounts), array_agg(t.returned),
           array_agg(t.lines), array_agg(t.order_no)
    INTO v_bucket, payment_id, payment_card, payment_wallet, payment_merchant, payment_version, payment_terms,
         payment_program, payment_state, payment_amount, payment_captured, payment_refunded, payment_at,
         payment_moved_at, payment_expires_at, payment_outside, payment_allocation, payment_discounts,
         payment_returned, payment_lines, payment_order_no
    FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
    JOIN payment t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    -- How a payment was decided is asked only of those that are not there.
    IF coalesce(cardinality(payment_id), 0) < cardinality(p_payment_id) THEN
        SELECT array_agg(t.id), array_agg(t.outcome) INTO decided_id, decided_outcome
        FROM unnest(p_payment_bucket, p_payment_id) AS u (bucket, id)
        JOIN command t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets);
    END IF;
    IF payment_id IS NULL THEN
        RETURN;
    END IF;

    SELECT array_agg(t.id), array_agg(t.version), array_agg(t.state), array_agg(t.amount), array_agg(t.cut),
           array_agg(t.granted), array_agg(t.due_at), array_agg(t.terms), array_agg(coalesce(t.lot, v_nobody))
    INTO reward_id, reward_version, reward_state, reward_amount, reward_cut, reward_granted, reward_due_at,
         reward_terms, reward_lot
    FROM unnest(v_bucket, payment_id) AS u (bucket, id)
    JOIN reward t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);

    SELECT array_agg(u.bucket), array_agg(u.card) INTO v_card_bucket, v_card
    FROM (SELECT DISTINCT u.bucket, u.card FROM unnest(v_bucket, payment_card) AS u (bucket, card)
          WHERE u.card <> v_nobody) u;
    IF v_card IS NOT NULL THEN
        SELECT array_agg(t.id), array_agg(t.wallet), array_agg(t.version), array_agg(t.terms), array_agg(t.program),
               array_agg(t.state), array_agg(t.registered::int::smallint), array_agg(t.number)
        INTO card_id, card_wallet, card_version, card_terms, card_program, card_state, card_registered, card_number
        FROM unnest(v_card_bucket, v_card) AS u (bucket, id)
        JOIN card t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets);

        SELECT array_agg(t.id), array_agg(t.card), array_agg(t.version), array_agg(t.kind), array_agg(t.source),
               array_agg(t.state), array_agg(t.balance), array_agg(t.held), array_agg(t.active_from),
               array_agg(coalesce(t.expires_at, 0)), array_agg(coalesce(t.fund, v_nobody))
        INTO lot_id, lot_card, lot_version, lot_kind, lot_source, lot_state, lot_balance, lot_held, lot_active_from,
             lot_expires_at, lot_fund
        FROM unnest(v_card_bucket, v_card) AS u (bucket, card)
        JOIN lot t ON t.bucket = u.bucket AND t.card = u.card
        WHERE t.bucket = ANY (p_buckets);
    END IF;

    SELECT array_agg(u.bucket), array_agg(u.voucher) INTO v_voucher_bucket, v_voucher
    FROM (SELECT DISTINCT p.bucket, d.voucher
          FROM unnest(v_bucket, payment_discounts) AS p (bucket, discounts)
          CROSS JOIN LATERAL discounts_of(p.discounts) d
          WHERE octet_length(p.discounts) > 0) u;
    IF v_voucher IS NOT NULL THEN
        SELECT array_agg(t.id), array_agg(t.version), array_agg(t.wallet), array_agg(t.stock), array_agg(t.terms),
               array_agg(t.state), array_agg(t.face), array_agg(t.used), array_agg(t.valid_from),
               array_agg(t.expires_at), array_agg(t.held_until), array_agg(coalesce(t.holder, v_nobody))
        INTO voucher_id, voucher_version, voucher_wallet, voucher_stock, voucher_terms, voucher_state, voucher_face,
             voucher_used, voucher_valid_from, voucher_expires_at, voucher_held_until, voucher_holder
        FROM unnest(v_voucher_bucket, v_voucher) AS u (bucket, id)
        JOIN voucher t ON t.bucket = u.bucket AND t.id = u.id
        WHERE t.bucket = ANY (p_buckets);

        SELECT array_agg(t.subject), array_agg(t.rule), array_agg(t.day), array_agg(t.version), array_agg(t.count)
        INTO tally_subject, tally_rule, tally_day, tally_version, tally_count
        FROM (SELECT DISTINCT p.bucket, p.wallet, business_day(p.at) AS day
              FROM unnest(v_bucket, payment_wallet, payment_at, payment_discounts) AS p (bucket, wallet, at, discounts)
              WHERE octet_length(p.discounts) > 0) u
        CROSS JOIN LATERAL (  -- OFFSET 0: looked up for each holder, also while the table seems to be empty
            SELECT * FROM tally t
            WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.subject = u.wallet AND t.day = u.day
            OFFSET 0
        ) t;
    END IF;
END $$;
