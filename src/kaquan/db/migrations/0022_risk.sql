-- Counters of cards that are asked for by name, beside all that the holders of vouchers did on a day: both in one look.
-- A tally may also count fen, if its rule says so.

CREATE OR REPLACE FUNCTION load_spending(
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
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_buckets smallint[];
    v_subject uuid[];
    v_rule integer[];
    v_day integer[];
    v_version integer[];
    v_count bigint[];
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
    END IF;

    IF p_tally_subject IS NOT NULL THEN
        SELECT array_agg(t.subject), array_agg(t.rule), array_agg(t.day), array_agg(t.version), array_agg(t.count)
        INTO v_subject, v_rule, v_day, v_version, v_count
        FROM unnest(p_tally_bucket, p_tally_subject, p_tally_rule, p_tally_day) AS u (bucket, subject, rule, day)
        JOIN tally t ON t.bucket = u.bucket AND t.subject = u.subject AND t.rule = u.rule AND t.day = u.day
        WHERE t.bucket = ANY (p_buckets);
        tally_subject := tally_subject || v_subject;
        tally_rule := tally_rule || v_rule;
        tally_day := tally_day || v_day;
        tally_version := tally_version || v_version;
        tally_count := tally_count || v_count;
    END IF;
END $$;

COMMENT ON TABLE tally IS
    'How often a subject has done something that a rule limits, or for how many fen, in all (day 0) or on a day.';
