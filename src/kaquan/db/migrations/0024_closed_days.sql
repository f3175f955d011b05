-- Days whose books are closed. A closed day is a cut, so that it reads the same for ever: what has an instant before
-- cut_at, committed below cut_xid, and is in no earlier day.

CREATE TABLE closed_day (
    cut_at  bigint NOT NULL,
    cut_xid bigint NOT NULL,
    at      bigint NOT NULL,
    day     date PRIMARY KEY
);
COMMENT ON TABLE closed_day IS 'A day in Shanghai whose books are closed, over all books. What commits later with an earlier instant belongs to the next day.';

GRANT SELECT, INSERT ON closed_day TO kaquan_app;
