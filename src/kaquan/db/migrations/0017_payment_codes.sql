-- Payment codes: devices that show them, and the steps of time whose code was used.

CREATE TABLE device (
    at      bigint NOT NULL,
    id      uuid NOT NULL,
    wallet  uuid NOT NULL,
    card    uuid,
    handle  integer NOT NULL CHECK (handle BETWEEN 0 AND 99999999),
    version integer NOT NULL DEFAULT 1,
    bucket  smallint NOT NULL,
    state   smallint NOT NULL CHECK (state IN (1, 2)),
    secret  bytea,
    label   bytea NOT NULL,
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, handle),
    FOREIGN KEY (bucket, wallet) REFERENCES wallet (bucket, id),
    FOREIGN KEY (bucket, card) REFERENCES card (bucket, id),
    CHECK ((secret IS NOT NULL) = (state = 1))
) WITH (fillfactor = 80);
CREATE INDEX device_wallet ON device (bucket, wallet);
COMMENT ON TABLE device IS 'A device that shows payment codes of a wallet. state 1 active, 2 removed; a handle is never given again.';
COMMENT ON COLUMN device.secret IS 'What its codes are derived from, sealed with the wallet''s key, as is the label.';
COMMENT ON COLUMN device.card IS 'The card that pays first; none: the wallet''s cards in their order.';

CREATE TABLE code_use (
    at      bigint NOT NULL,
    device  uuid NOT NULL,
    command uuid NOT NULL,
    step    integer NOT NULL,
    bucket  smallint NOT NULL,
    PRIMARY KEY (bucket, device, step),
    FOREIGN KEY (bucket, device) REFERENCES device (bucket, id)
);
COMMENT ON TABLE code_use IS 'The code of one step of a device was used, by this command and no other: claimed before the payment is decided.';

CREATE TABLE code_miss (
    at     bigint NOT NULL,
    device uuid NOT NULL,
    step   integer NOT NULL,
    bucket smallint NOT NULL,
    digits text NOT NULL,
    PRIMARY KEY (bucket, device, step, digits),
    FOREIGN KEY (bucket, device) REFERENCES device (bucket, id)
);
COMMENT ON TABLE code_miss IS 'A wrong code that was tried at a device during a step of time; after too many in a window none counts for a while.';

GRANT SELECT, INSERT ON device, code_use, code_miss TO kaquan_app;
GRANT UPDATE (state, secret, version) ON device TO kaquan_app;

CREATE FUNCTION device_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (p_from, p_to) IN ((1, 2)) $$;

-- Gives the code of each step to the first command that brings it; NULL when each request got its own, else whose every
-- step is, zeros for nobody's: the device was removed meanwhile, or too many wrong codes came.
CREATE FUNCTION use_codes(
    p_buckets smallint[], p_at bigint, p_misses smallint, p_since integer,
    p_bucket smallint[], p_device uuid[], p_step integer[], p_command uuid[], OUT use_command uuid[]
) LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    n bigint;
BEGIN
    IF (p_bucket <@ p_buckets) IS NOT TRUE THEN
        RAISE EXCEPTION 'a code outside the buckets of its batch' USING ERRCODE = 'KQ001';
    END IF;
    INSERT INTO code_use (at, device, command, step, bucket)
    SELECT p_at, u.device, u.command, u.step, u.bucket
    FROM (SELECT DISTINCT ON (w.bucket, w.device, w.step) w.*
          FROM unnest(p_bucket, p_device, p_step, p_command) WITH ORDINALITY AS w (bucket, device, step, command, ord)
          ORDER BY w.bucket, w.device, w.step, w.ord) u
    JOIN device d ON d.bucket = u.bucket AND d.id = u.device
    WHERE d.bucket = ANY (p_buckets) AND d.state = 1
      AND (SELECT count(*) FROM code_miss m
           WHERE m.bucket = ANY (p_buckets) AND m.bucket = d.bucket AND m.device = d.id AND m.step > p_since) < p_misses
    ORDER BY u.bucket, u.device, u.step
    ON CONFLICT (bucket, device, step) DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n = cardinality(p_step) THEN
        RETURN;
    END IF;
    SELECT array_agg(coalesce(t.command, '00000000-0000-0000-0000-000000000000'::uuid) ORDER BY u.ord) INTO use_command
    FROM unnest(p_bucket, p_device, p_step) WITH ORDINALITY AS u (bucket, device, step, ord)
    LEFT JOIN code_use t ON t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.device = u.device AND t.step = u.step;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA kaquan TO kaquan_app;
