-- Claims: tokens of the limits per person, phone, device and payment account; codes; draws.

CREATE TABLE token (
    at      bigint NOT NULL,
    subject uuid NOT NULL,
    command uuid NOT NULL,
    content uuid NOT NULL,
    rule    integer NOT NULL,
    day     integer NOT NULL,
    slot    smallint NOT NULL CHECK (slot > 0),
    bucket  smallint NOT NULL,
    PRIMARY KEY (bucket, subject, rule, day, slot)
);
COMMENT ON TABLE token IS 'The right to be one of the most that a rule lets a subject have, in all (day 0) or on a day; taken by a command before it is decided.';
COMMENT ON COLUMN token.content IS 'The digest of what the command asked: it holds the token only if that is what took effect.';
GRANT SELECT, INSERT ON token TO kaquan_app;
GRANT UPDATE (command, content, at) ON token TO kaquan_app;

-- The first free slot for each request, requests of one subject in their order. Slots fill from 1 without gaps. NULL
-- when every request has one; else the slot of each request, 0 for none: then all are taken, or others came between.
CREATE FUNCTION take_tokens(
    p_buckets smallint[], p_at bigint, p_bucket smallint[], p_subject uuid[], p_rule integer[], p_day integer[],
    p_most smallint[], p_command uuid[], p_content uuid[], OUT token_slot smallint[]
) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    IF (p_bucket <@ p_buckets) IS NOT TRUE THEN
        RAISE EXCEPTION 'a token outside the buckets of its batch' USING ERRCODE = 'KQ001';
    END IF;
    INSERT INTO token (at, subject, command, content, rule, day, slot, bucket)
    SELECT p_at, w.subject, w.command, w.content, w.rule, w.day, w.slot, w.bucket
    FROM (SELECT u.*, t.held + row_number() OVER (PARTITION BY u.bucket, u.subject, u.rule, u.day ORDER BY u.ord) AS slot
          FROM unnest(p_bucket, p_subject, p_rule, p_day, p_most, p_command, p_content) WITH ORDINALITY
               AS u (bucket, subject, rule, day, most, command, content, ord)
          CROSS JOIN LATERAL (
              SELECT count(*) AS held, bool_or(t.command = u.command AND t.content = u.content) AS own
              FROM token t
              WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.subject = u.subject AND t.rule = u.rule
                AND t.day = u.day) t
          WHERE t.own IS NOT TRUE) w
    WHERE w.slot <= w.most
    ORDER BY w.bucket, w.subject, w.rule, w.day, w.slot
    ON CONFLICT (bucket, subject, rule, day, slot) DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = cardinality(p_command) THEN
        RETURN;
    END IF;
    SELECT array_agg(coalesce(t.slot, 0::smallint) ORDER BY u.ord) INTO token_slot
    FROM unnest(p_bucket, p_subject, p_rule, p_day, p_command, p_content) WITH ORDINALITY
         AS u (bucket, subject, rule, day, command, content, ord)
    LEFT JOIN token t ON t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.subject = u.subject
          AND t.rule = u.rule AND t.day = u.day AND t.command = u.command AND t.content = u.content;
END $$;

CREATE TABLE code_batch (
    at      bigint NOT NULL,
    id      uuid NOT NULL,
    stock   integer NOT NULL REFERENCES stock (id),
    count   integer NOT NULL CHECK (count > 0),
    version integer NOT NULL DEFAULT 1,
    bucket  smallint NOT NULL,
    state   smallint NOT NULL CHECK (state IN (1, 2)),
    PRIMARY KEY (bucket, id)
);
COMMENT ON TABLE code_batch IS 'Codes that were brought in together; none of them counts before this row is there. state 1 open, 2 stopped.';

CREATE TABLE voucher_code (
    at       bigint NOT NULL,
    taken_at bigint NOT NULL DEFAULT 0,
    id       uuid NOT NULL,
    batch    uuid NOT NULL,
    command  uuid,
    content  uuid,
    stock    integer NOT NULL REFERENCES stock (id),
    bucket   smallint NOT NULL,
    last4    text NOT NULL CHECK (length(last4) = 4),
    PRIMARY KEY (bucket, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE voucher_code IS 'A code that is worth a voucher: whose command has it, like a token.';
COMMENT ON COLUMN voucher_code.id IS 'A keyed digest of the code. The code itself is nowhere.';
CREATE INDEX voucher_code_batch ON voucher_code (bucket, batch);

GRANT SELECT, INSERT ON code_batch, voucher_code TO kaquan_app;
GRANT UPDATE (state, version) ON code_batch TO kaquan_app;
GRANT UPDATE (command, content, taken_at) ON voucher_code TO kaquan_app;

CREATE FUNCTION code_batch_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (p_from, p_to) IN ((1, 2)) $$;

-- Gives each code that nobody has to the first request for it, and says of every known code whose it is.
CREATE FUNCTION take_codes(
    p_buckets smallint[], p_at bigint, p_bucket smallint[], p_id uuid[], p_command uuid[], p_content uuid[],
    OUT code_id uuid[], OUT code_stock integer[], OUT code_batch uuid[], OUT code_command uuid[], OUT code_content uuid[],
    OUT code_taken_at bigint[]
) LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF (p_bucket <@ p_buckets) IS NOT TRUE THEN
        RAISE EXCEPTION 'a code outside the buckets of its batch' USING ERRCODE = 'KQ001';
    END IF;
    UPDATE voucher_code t SET command = w.command, content = w.content, taken_at = p_at
    FROM (SELECT DISTINCT ON (u.bucket, u.id) u.bucket, u.id, u.command, u.content
          FROM unnest(p_bucket, p_id, p_command, p_content) WITH ORDINALITY AS u (bucket, id, command, content, ord)
          ORDER BY u.bucket, u.id, u.ord) w
    WHERE t.bucket = ANY (p_buckets) AND t.bucket = w.bucket AND t.id = w.id AND t.command IS NULL;
    SELECT array_agg(t.id), array_agg(t.stock), array_agg(t.batch), array_agg(t.command), array_agg(t.content),
           array_agg(t.taken_at)
    INTO code_id, code_stock, code_batch, code_command, code_content, code_taken_at
    FROM (SELECT DISTINCT u.bucket, u.id FROM unnest(p_bucket, p_id) AS u (bucket, id)) u
    JOIN voucher_code t ON t.bucket = u.bucket AND t.id = u.id
    WHERE t.bucket = ANY (p_buckets);
END $$;

CREATE TABLE draw (
    at          bigint NOT NULL,
    opens_at    bigint NOT NULL,
    closes_at   bigint NOT NULL CHECK (closes_at > opens_at),
    id          uuid NOT NULL,
    commitment  bytea NOT NULL CHECK (octet_length(commitment) = 32),
    sealed_seed bytea NOT NULL,
    seed        bytea CHECK (sha256(seed) = commitment),
    list_digest bytea CHECK (octet_length(list_digest) = 32),
    stock       integer NOT NULL REFERENCES stock (id),
    seats       integer NOT NULL CHECK (seats > 0),
    entries     integer,
    version     integer NOT NULL DEFAULT 1,
    bucket      smallint NOT NULL,
    number      smallint NOT NULL,
    state       smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, stock, number),
    CHECK ((list_digest IS NOT NULL) = (state >= 3) AND (entries IS NOT NULL) = (state >= 3)),
    CHECK ((seed IS NOT NULL) = (state = 4))
);
COMMENT ON TABLE draw IS 'A draw of vouchers. state 1 open, 2 ended, 3 listed (the list of entries is committed), 4 revealed (the seed is known).';
COMMENT ON COLUMN draw.commitment IS 'SHA-256 of the seed, published when the draw opens.';
COMMENT ON COLUMN draw.list_digest IS 'SHA-256 of the ids of all entries, 16 bytes each, in their order.';

CREATE TABLE draw_entry (
    at     bigint NOT NULL,
    id     uuid NOT NULL,
    draw   uuid NOT NULL,
    wallet uuid NOT NULL,
    bucket smallint NOT NULL,
    PRIMARY KEY (bucket, draw, id),
    FOREIGN KEY (bucket, draw) REFERENCES draw (bucket, id)
);
COMMENT ON TABLE draw_entry IS 'Somebody takes part in a draw. It lies with the draw, so that the list of entries can be closed for sure.';

GRANT SELECT, INSERT ON draw, draw_entry TO kaquan_app;
GRANT UPDATE (state, seed, list_digest, entries, version) ON draw TO kaquan_app;

CREATE FUNCTION draw_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (p_from, p_to) IN ((1, 2), (2, 3), (3, 4)) $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan TO kaquan_app;
