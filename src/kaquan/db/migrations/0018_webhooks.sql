-- Webhooks: addresses that events are told to, what is to be delivered, each attempt. Endpoints are changed through the
-- door; deliveries follow from the journal, and their log is kept for a while only.

CREATE INDEX journal_xid ON journal (xid);

CREATE TABLE webhook_endpoint (
    at             bigint NOT NULL,
    since          bigint NOT NULL,
    previous_until bigint NOT NULL DEFAULT 0,
    id             uuid NOT NULL,
    organisation   integer NOT NULL CHECK (organisation >= 0),
    version        integer NOT NULL DEFAULT 1,
    bucket         smallint NOT NULL,
    state          smallint NOT NULL CHECK (state IN (1, 2, 3)),
    url            text NOT NULL,
    events         text[] NOT NULL,
    secret         bytea NOT NULL,
    previous       bytea,
    reason         text NOT NULL DEFAULT '',
    PRIMARY KEY (bucket, id)
);
COMMENT ON TABLE webhook_endpoint IS 'An address that events are told to. state 1 running, 2 stopped, 3 removed. organisation 0: the operator, who sees everything.';
COMMENT ON COLUMN webhook_endpoint.since IS 'Events from this instant on are told; a stopped endpoint that runs again hears of later ones only.';
COMMENT ON COLUMN webhook_endpoint.secret IS 'Sealed with the installation''s key, like the previous one, which signs too until previous_until.';

CREATE TABLE webhook_position (
    id  smallint PRIMARY KEY CHECK (id = 1),
    xid bigint NOT NULL
);
COMMENT ON TABLE webhook_position IS 'Journal rows of transactions below this one have their deliveries.';
INSERT INTO webhook_position VALUES (1, 0);

CREATE TABLE webhook_delivery (
    at         bigint NOT NULL,
    due_at     bigint NOT NULL,
    started_at bigint NOT NULL,
    id         uuid NOT NULL,
    endpoint   uuid NOT NULL,
    event      uuid NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    attempts   integer NOT NULL DEFAULT 0,
    bucket     smallint NOT NULL,
    state      smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2, 3)),
    name       text NOT NULL,
    body       bytea NOT NULL,
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, endpoint, event),
    FOREIGN KEY (bucket, endpoint) REFERENCES webhook_endpoint (bucket, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE webhook_delivery IS 'An event that an endpoint is to be told, in the bucket of the endpoint. state 1 waiting, 2 delivered, 3 given up.';
COMMENT ON COLUMN webhook_delivery.at IS 'When it happened, by the clock of the installation; the other instants are those of the sender.';
COMMENT ON COLUMN webhook_delivery.due_at IS 'When it is sent next. Who sends it moves this ahead first: if she dies, it is due again.';
COMMENT ON COLUMN webhook_delivery.started_at IS 'From when on its days of retries count: 0 until the first attempt.';
CREATE INDEX webhook_delivery_due ON webhook_delivery (bucket, endpoint, due_at) WHERE state = 1;
CREATE INDEX webhook_delivery_given_up ON webhook_delivery (bucket, endpoint) WHERE state = 3;
CREATE INDEX webhook_delivery_at ON webhook_delivery (bucket, endpoint, at);

CREATE TABLE webhook_attempt (
    at           bigint NOT NULL,
    delivery     uuid NOT NULL,
    number       integer NOT NULL,
    milliseconds integer NOT NULL,
    bucket       smallint NOT NULL,
    status       smallint NOT NULL,
    failure      text NOT NULL,
    answer       bytea NOT NULL CHECK (octet_length(answer) <= 500),
    PRIMARY KEY (bucket, delivery, number),
    FOREIGN KEY (bucket, delivery) REFERENCES webhook_delivery (bucket, id) ON DELETE CASCADE
);
COMMENT ON TABLE webhook_attempt IS 'One attempt to deliver. status: that of HTTP, 0 when there was no answer; then failure says why. Goes with its delivery.';

GRANT SELECT, INSERT ON webhook_endpoint, webhook_attempt TO kaquan_app;
GRANT SELECT, INSERT, DELETE ON webhook_delivery TO kaquan_app;
GRANT UPDATE (since, previous_until, version, state, url, events, secret, previous, reason) ON webhook_endpoint TO kaquan_app;
GRANT UPDATE (due_at, started_at, version, attempts, state) ON webhook_delivery TO kaquan_app;
GRANT SELECT, UPDATE ON webhook_position TO kaquan_app;

CREATE FUNCTION webhook_endpoint_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)) $$;

-- Write the deliveries of all journal rows below p_until and move the position there, in one transaction. False, and
-- nothing is written, when somebody else moved it since it was read.
CREATE FUNCTION queue_webhooks(
    p_since bigint, p_until bigint, p_bucket smallint[], p_id uuid[], p_endpoint uuid[], p_event uuid[], p_at bigint[],
    p_due bigint, p_name text[], p_body bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook_position SET xid = p_until WHERE id = 1 AND xid = p_since;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO webhook_delivery (at, due_at, started_at, id, endpoint, event, bucket, name, body)
    SELECT u.at, p_due, 0, u.id, u.endpoint, u.event, u.bucket, u.name, u.body
    FROM unnest(p_bucket, p_id, p_endpoint, p_event, p_at, p_name, p_body)
         AS u (bucket, id, endpoint, event, at, name, body)
    ON CONFLICT (bucket, endpoint, event) DO NOTHING;
    RETURN true;
END $$;

-- Write an attempt and what it made of its delivery. Who sent after her time was up changes the delivery only if it
-- arrived: somebody else may be sending it again.
CREATE FUNCTION record_webhook(
    p_bucket smallint, p_id uuid, p_version integer, p_at bigint, p_milliseconds integer, p_status smallint,
    p_failure text, p_answer bytea, p_state smallint, p_due bigint
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_number integer;
    v_state smallint;
    v_version integer;
BEGIN
    SELECT attempts + 1, state, version INTO v_number, v_state, v_version
    FROM webhook_delivery WHERE bucket = p_bucket AND id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    INSERT INTO webhook_attempt (at, delivery, number, milliseconds, bucket, status, failure, answer)
    VALUES (p_at, p_id, v_number, p_milliseconds, p_bucket, p_status, p_failure, p_answer);
    IF v_state = 1 AND (v_version = p_version OR p_state = 2) THEN
        UPDATE webhook_delivery SET attempts = v_number, state = p_state, due_at = p_due, version = version + 1,
               started_at = CASE WHEN started_at = 0 THEN p_at ELSE started_at END
        WHERE bucket = p_bucket AND id = p_id;
    ELSE
        UPDATE webhook_delivery SET attempts = v_number WHERE bucket = p_bucket AND id = p_id;
    END IF;
    RETURN v_number;
END $$;

REVOKE EXECUTE ON FUNCTION webhook_endpoint_may (smallint, smallint) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
    queue_webhooks (bigint, bigint, smallint[], uuid[], uuid[], uuid[], bigint[], bigint, text[], bytea[]),
    record_webhook (smallint, uuid, integer, bigint, integer, smallint, text, bytea, smallint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION webhook_endpoint_may (smallint, smallint) TO kaquan_app;
GRANT EXECUTE ON FUNCTION
    queue_webhooks (bigint, bigint, smallint[], uuid[], uuid[], uuid[], bigint[], bigint, text[], bytea[]),
    record_webhook (smallint, uuid, integer, bigint, integer, smallint, text, bytea, smallint, bigint) TO kaquan_app;
