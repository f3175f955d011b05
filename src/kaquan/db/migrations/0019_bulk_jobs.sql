-- Bulk jobs: many rows of one operation, carried out one after the other in the name of whoever sent them. They move
-- nothing themselves: each row is a command of its own, under an id that follows from the job's and the row's.

CREATE TABLE job (
    at           bigint NOT NULL,
    ended_at     bigint NOT NULL DEFAULT 0,
    id           uuid NOT NULL,
    api_key      uuid,
    organisation integer NOT NULL CHECK (organisation >= 0),
    row_count    integer NOT NULL CHECK (row_count > 0),
    bucket       smallint NOT NULL,
    state        smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 5),
    operation    text NOT NULL,
    reason       text NOT NULL DEFAULT '',
    caller       bytea NOT NULL,
    digest       bytea NOT NULL,
    PRIMARY KEY (bucket, id),
    CHECK ((state >= 3) = (ended_at > 0))
);
COMMENT ON TABLE job IS 'Rows of one operation that somebody sent together. state 1 open, 2 being cancelled, 3 done, 4 cancelled, 5 stopped.';
COMMENT ON COLUMN job.at IS 'When it was sent, by the clock of the installation; ended_at and the instants of chunks are those of the runner.';
COMMENT ON COLUMN job.api_key IS 'In whose name it runs; NULL: the operator at the machine.';
COMMENT ON COLUMN job.digest IS 'A keyed digest of what was sent: the same id with other rows is refused.';
CREATE INDEX job_open ON job (bucket, at) WHERE state <= 2;
CREATE INDEX job_at ON job (at);

CREATE TABLE job_chunk (
    taken_at     bigint NOT NULL DEFAULT 0,
    leased_until bigint NOT NULL DEFAULT 0,
    seen_at      bigint NOT NULL DEFAULT 0,
    job          uuid NOT NULL,
    number       integer NOT NULL CHECK (number > 0),
    first_row    integer NOT NULL CHECK (first_row > 0),
    row_count    integer NOT NULL CHECK (row_count > 0),
    done         integer NOT NULL DEFAULT 0,
    failed       integer NOT NULL DEFAULT 0,
    asked        integer NOT NULL DEFAULT 0,
    version      integer NOT NULL DEFAULT 1,
    bucket       smallint NOT NULL,
    state        smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2, 3)),
    content      bytea,
    failures     bytea,
    PRIMARY KEY (bucket, job, number),
    FOREIGN KEY (bucket, job) REFERENCES job (bucket, id) ON DELETE CASCADE,
    CHECK ((state = 1) = (content IS NOT NULL)),
    CHECK (done + failed + asked <= row_count)
);
COMMENT ON TABLE job_chunk IS 'Some rows of a job, which one runner carries out at a time. state 1 open, 2 finished, 3 dropped. Goes with its job.';
COMMENT ON COLUMN job_chunk.content IS 'The rows, sealed with the installation''s key; gone as soon as they are carried out or dropped.';
COMMENT ON COLUMN job_chunk.failures IS 'Rows that were refused and why, sealed, without personal data.';
COMMENT ON COLUMN job_chunk.leased_until IS 'Until then nobody else takes it: if its runner dies, it is taken again.';
CREATE INDEX job_chunk_open ON job_chunk (bucket, job, number) WHERE state = 1;

GRANT SELECT, INSERT, DELETE ON job TO kaquan_app;
GRANT SELECT, INSERT ON job_chunk TO kaquan_app;
GRANT UPDATE (ended_at, state, reason) ON job TO kaquan_app;
GRANT UPDATE (taken_at, leased_until, seen_at, done, failed, asked, version, state, content, failures) ON job_chunk TO kaquan_app;

-- Write a job with its chunks. False, and nothing is written, when there is one with this id.
CREATE FUNCTION submit_job(
    p_bucket smallint, p_id uuid, p_at bigint, p_api_key uuid, p_organisation integer, p_operation text, p_caller bytea,
    p_digest bytea, p_rows integer, p_first integer[], p_count integer[], p_content bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job (at, id, api_key, organisation, row_count, bucket, operation, caller, digest)
    VALUES (p_at, p_id, p_api_key, p_organisation, p_rows, p_bucket, p_operation, p_caller, p_digest)
    ON CONFLICT (bucket, id) DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO job_chunk (job, number, first_row, row_count, bucket, content)
    SELECT p_id, u.number, u.first_row, u.row_count, p_bucket, u.content
    FROM unnest(p_first, p_count, p_content) WITH ORDINALITY AS u (first_row, row_count, content, number);
    RETURN true;
END $$;

-- End a job whose chunks have all ended: 1 becomes 3, 2 becomes 4. The caller has locked the job.
CREATE FUNCTION close_job(p_bucket smallint, p_id uuid, p_now bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE job SET state = state + 2, ended_at = p_now
    WHERE bucket = p_bucket AND id = p_id AND state <= 2
      AND NOT EXISTS (SELECT FROM job_chunk WHERE bucket = p_bucket AND job = p_id AND state = 1);
$$;

-- Write what came of a chunk, once: false when somebody else took it meanwhile. One that was dropped while its runner
-- was at work is written too: it happened.
CREATE FUNCTION record_job_chunk(
    p_bucket smallint, p_id uuid, p_number integer, p_version integer, p_now bigint, p_done integer, p_failed integer,
    p_asked integer, p_failures bytea
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM job WHERE bucket = p_bucket AND id = p_id FOR UPDATE;
    UPDATE job_chunk SET state = 2, content = NULL, seen_at = p_now, done = p_done, failed = p_failed, asked = p_asked,
           failures = p_failures
    WHERE bucket = p_bucket AND job = p_id AND number = p_number AND version = p_version AND state <> 2;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM close_job(p_bucket, p_id, p_now);
    RETURN true;
END $$;

-- Start no further chunk of a job; false when it has ended. A chunk that somebody is at is finished, so that what it
-- did is known (p_stopped false); or it is dropped with the rest, because nobody may go on in this name (true).
CREATE FUNCTION end_job(p_bucket smallint, p_id uuid, p_now bigint, p_stopped boolean, p_reason text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM job WHERE bucket = p_bucket AND id = p_id AND state <= 2 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE job_chunk SET state = 3, content = NULL
    WHERE bucket = p_bucket AND job = p_id AND state = 1 AND (p_stopped OR taken_at = 0);
    IF p_stopped THEN
        UPDATE job SET state = 5, ended_at = p_now, reason = p_reason WHERE bucket = p_bucket AND id = p_id;
    ELSE
        UPDATE job SET state = 2, reason = p_reason WHERE bucket = p_bucket AND id = p_id;
        PERFORM close_job(p_bucket, p_id, p_now);
    END IF;
    RETURN true;
END $$;

REVOKE EXECUTE ON FUNCTION
    submit_job (smallint, uuid, bigint, uuid, integer, text, bytea, bytea, integer, integer[], integer[], bytea[]),
    close_job (smallint, uuid, bigint),
    record_job_chunk (smallint, uuid, integer, integer, bigint, integer, integer, integer, bytea),
    end_job (smallint, uuid, bigint, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    submit_job (smallint, uuid, bigint, uuid, integer, text, bytea, bytea, integer, integer[], integer[], bytea[]),
    close_job (smallint, uuid, bigint),
    record_job_chunk (smallint, uuid, integer, integer, bigint, integer, integer, integer, bytea),
    end_job (smallint, uuid, bigint, boolean, text) TO kaquan_app;
