-- Who calls from outside, what two persons decide together, and who did what. None of it belongs to a wallet: keys and
-- requests lie in the bucket of the id that belongs to nobody, so that the door writes them as it writes everything else.

CREATE TABLE api_key (
    created_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    replaced_at  bigint,
    old_until    bigint,
    revoked_at   bigint,
    last_used    bigint,
    id           uuid NOT NULL,
    merchant     uuid REFERENCES merchant (id),
    wallet       uuid,
    organisation integer NOT NULL CHECK (organisation >= 0),
    version      integer NOT NULL,
    bucket       smallint NOT NULL,
    state        smallint NOT NULL CHECK (state IN (1, 2)),
    role         text NOT NULL CHECK (role IN ('operator', 'issuer', 'merchant', 'cashier', 'holder', 'funder', 'regulator')),
    prefix       text NOT NULL,
    name         text NOT NULL,
    created_by   text NOT NULL,
    revoked_by   text,
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0),
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    old_digest   bytea CHECK (octet_length(old_digest) = 32),
    PRIMARY KEY (bucket, id),
    UNIQUE (bucket, prefix),
    CONSTRAINT api_key_place CHECK ((merchant IS NOT NULL) = (role IN ('merchant', 'cashier'))
                                    AND (wallet IS NOT NULL) = (role = 'holder')
                                    AND (organisation = 0) = (role = 'operator')),
    CONSTRAINT api_key_rotated CHECK ((old_digest IS NULL) = (old_until IS NULL)
                                      AND (replaced_at IS NULL) = (old_until IS NULL)),
    CONSTRAINT api_key_revoked CHECK ((state = 2) = (revoked_at IS NOT NULL))
);
CREATE INDEX api_key_organisation ON api_key (bucket, organisation, created_at, id);
COMMENT ON TABLE api_key IS 'What a machine or a person outside shows to be let in. The secret itself is nowhere.';
COMMENT ON COLUMN api_key.organisation IS 'Whom the key acts for; 0 is the operator of the installation.';
COMMENT ON COLUMN api_key.state IS '1 active, 2 revoked.';
COMMENT ON COLUMN api_key.prefix IS 'The public handle inside the token; it stays when the secret is rotated.';
COMMENT ON COLUMN api_key.digest IS 'SHA-256 of the secret, which has 256 random bits: nothing to guess, hence nothing to stretch.';
COMMENT ON COLUMN api_key.old_until IS 'Until when the secret before the last rotation is still taken.';

CREATE FUNCTION api_key_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT p_from = p_to OR (p_from, p_to) = (1, 2) $$;

CREATE TABLE approval (
    at           bigint NOT NULL,
    expires_at   bigint NOT NULL,
    decided_at   bigint,
    executed_at  bigint,
    id           uuid NOT NULL,
    merchant     uuid,
    wallet       uuid,
    organisation integer NOT NULL,
    version      integer NOT NULL,
    bucket       smallint NOT NULL,
    kind         smallint NOT NULL,
    state        smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    role         text NOT NULL,
    person       text NOT NULL,
    reason       text NOT NULL,
    body         text NOT NULL,
    decided_by   text,
    decided_why  text,
    outcome      text,
    PRIMARY KEY (bucket, id),
    CONSTRAINT approval_decided CHECK ((state = 1) = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)),
    CONSTRAINT approval_two_persons CHECK (lower(btrim(decided_by)) <> lower(btrim(person))),
    CONSTRAINT approval_executed CHECK ((state = 4) = (executed_at IS NOT NULL) AND (state = 4) = (outcome IS NOT NULL))
);
CREATE INDEX approval_waiting ON approval (bucket, state, organisation, id) WHERE state IN (1, 2);
COMMENT ON TABLE approval IS 'What somebody wants that a second person has to approve; the body is what the API was asked, without secrets.';
COMMENT ON COLUMN approval.state IS '1 requested, 2 approved, 3 rejected, 4 executed. One that was requested and whose time is over has expired.';
COMMENT ON COLUMN approval.outcome IS 'What came of it: ok, or the code of the refusal.';

CREATE FUNCTION approval_may(p_from smallint, p_to smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (p_from, p_to) IN ((1, 2), (1, 3), (2, 4)) $$;

CREATE TABLE audit (
    at           bigint NOT NULL,
    id           uuid PRIMARY KEY,
    command      uuid,
    organisation integer NOT NULL,
    role         text NOT NULL,
    person       text NOT NULL,
    key_prefix   text NOT NULL,
    operation    text NOT NULL,
    object       text NOT NULL,
    outcome      text NOT NULL,
    request      text NOT NULL
);
CREATE INDEX audit_organisation ON audit (organisation, id);
CREATE INDEX audit_object ON audit (object, id) WHERE object <> '';
COMMENT ON TABLE audit IS 'Who called what from outside, and what came of it: one row for each call. No personal data of holders, no secrets.';
COMMENT ON COLUMN audit.object IS 'Public id of what was addressed; empty when nothing in particular.';

GRANT SELECT, INSERT ON api_key, approval, audit TO kaquan_app;
GRANT UPDATE (digest, old_digest, old_until, replaced_at, expires_at, state, revoked_at, revoked_by, version, last_used)
    ON api_key TO kaquan_app;
GRANT UPDATE (state, decided_at, decided_by, decided_why, executed_at, outcome, version) ON approval TO kaquan_app;
REVOKE EXECUTE ON FUNCTION api_key_may (smallint, smallint), approval_may (smallint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_key_may (smallint, smallint), approval_may (smallint, smallint) TO kaquan_app;
