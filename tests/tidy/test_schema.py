"""The migrated schema itself: buckets first, nothing owned by the application, history that can't be changed."""

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from support.database import Database
from tidy import schema
from tidy.schema import HISTORY, Connection
from tidy.sources import told


def _rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


# What the catalogue is asked, the rule, and the way out of a failure.
RULES: dict[Callable[[Connection], list[str]], tuple[str, str]] = {
    schema.without_bucket: (
        "a table carries the bucket of the wallet or merchant it belongs to",
        "add `bucket smallint NOT NULL`, or name the table in schema.REFERENCE with the reason",
    ),
    schema.keys_without_bucket_first: (
        "bucket is the first column of every primary, unique and foreign key of a wallet-side table",
        "put it in front: the same schema serves a cluster",
    ),
    schema.unique_indexes_without_bucket_first: ("a unique index begins with the bucket", "put it in front"),
    schema.triggers: (
        "no triggers and no rules: what happens stands where it happens",
        "do it in the function that changes the row",
    ),
    schema.sequences: (
        "no sequences: ids are made by the application",
        "take `kernel.ids.new_id`, or a number of its row",
    ),
    schema.not_durable: (
        "what was answered is on disk: no UNLOGGED tables, no setting that lets a commit answer early",
        "make it an ordinary table; leave the setting to the server's configuration, where it is on",
    ),
    schema.clocks: ("no SQL reads a clock: `at` comes from the door", "take the instant as a column or an argument"),
    schema.not_append_only: (
        "history only grows: the application may insert and read it, nothing else",
        "revoke the right; a correction is a new row",
    ),
    schema.history_unnamed: (
        "a table that the application only appends to is named as history, so that its rights are watched",
        "add it to schema.HISTORY",
    ),
}

BROKEN = {
    "CREATE TABLE aside (id uuid PRIMARY KEY)": "aside",
    "CREATE TABLE aside (bucket smallint, id uuid PRIMARY KEY)": "aside.aside_pkey begins with id",
    "ALTER TABLE lot ADD UNIQUE (card, bucket)": "lot.lot_card_bucket_key begins with card",
    "CREATE TABLE aside (bucket smallint, card uuid, PRIMARY KEY (bucket, card),"
    " FOREIGN KEY (card, bucket) REFERENCES card (id, bucket))": "aside.aside_card_bucket_fkey begins with card",
    "CREATE UNIQUE INDEX aside ON lot (card) WHERE state = 1": "lot: aside begins with card",
    "CREATE TRIGGER aside BEFORE UPDATE ON lot FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()": (
        "lot.aside"
    ),
    "CREATE RULE aside AS ON DELETE TO lot DO INSTEAD NOTHING": "lot rule aside",
    "CREATE SEQUENCE aside": "aside",
    "ALTER TABLE store ADD COLUMN aside integer GENERATED ALWAYS AS IDENTITY": "store_aside_seq",
    "CREATE UNLOGGED TABLE aside (bucket smallint, id uuid, PRIMARY KEY (bucket, id))": "not logged: aside",
    "ALTER FUNCTION expect (text, bigint, bigint) SET synchronous_commit = off": (
        "function expect: synchronous_commit=off"
    ),
    "ALTER TABLE lot ADD COLUMN aside timestamptz DEFAULT now()": "lot.aside: now()",
    "ALTER TABLE lot ALTER COLUMN id SET DEFAULT uuidv7()": "lot.id: uuidv7()",
    "ALTER TABLE lot ADD CONSTRAINT aside CHECK (expires_at > extract(epoch FROM clock_timestamp()))": "aside: CHECK",
    "GRANT UPDATE (amount) ON posting TO kaquan_app": "posting: UPDATE",
    "GRANT DELETE ON journal TO PUBLIC": "journal: DELETE",
    "CREATE TABLE aside (bucket smallint, id uuid, amount bigint, PRIMARY KEY (bucket, id));"
    "GRANT SELECT, INSERT ON aside TO kaquan_app": "aside",
}
"""What breaks a rule, and the offender it must show (the beginning)."""


@pytest.mark.parametrize("ask", RULES, ids=lambda ask: str(ask.__name__))
def test_the_schema_keeps_its_rules(database: Database, ask: Callable[[Connection], list[str]]) -> None:
    with psycopg.connect(database.owner_url) as connection:
        offenders = ask(connection)
    assert not offenders, told(*RULES[ask], offenders)


@pytest.mark.parametrize("breach", BROKEN)
def test_a_breach_of_the_rules_shows(database: Database, breach: str) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(breach.encode())
        offenders = [offender for ask in RULES for offender in ask(connection)]
        connection.rollback()
    assert any(offender.startswith(BROKEN[breach]) for offender in offenders), offenders


def test_the_application_owns_nothing(database: Database) -> None:
    statement = """
        SELECT 'relation ' || relname FROM pg_class WHERE relowner = 'kaquan_app'::regrole
        UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE proowner = 'kaquan_app'::regrole
        UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typowner = 'kaquan_app'::regrole
        UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspowner = 'kaquan_app'::regrole
        UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datdba = 'kaquan_app'::regrole
    """
    owned = [str(row[0]) for row in _rows(database.owner_url, statement)]
    rule = "the application's role owns nothing: an owner may change what privileges forbid"
    assert not owned, told(rule, "create it in a migration, which runs as kaquan_owner", owned)


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize("wish", ["UPDATE {} SET at = at", "DELETE FROM {}", "TRUNCATE {}"])
def test_history_can_only_grow(database: Database, table: str, wish: str) -> None:
    statement = sql.SQL(wish).format(sql.Identifier(table))
    with psycopg.connect(database.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize(
    "wish",
    [
        "CREATE TABLE kaquan.aside (id integer)",
        "CREATE TEMPORARY TABLE aside (id integer)",
        "CREATE TABLE public.aside (id integer)",
        "ALTER TABLE posting DISABLE TRIGGER ALL",
        "DROP FUNCTION expect(text, bigint, bigint)",
        "GRANT UPDATE ON posting TO kaquan_app",
        "UPDATE lot SET granted = granted + 1",
        "DELETE FROM lot",
        "UPDATE payment SET amount = amount",
        "UPDATE api_key SET role = 'operator'",
        "UPDATE api_key SET scopes = '{*}'",
        "UPDATE api_key SET organisation = 0",
        "UPDATE api_key SET prefix = prefix",
        "DELETE FROM api_key",
        "UPDATE approval SET body = '{}'",
        "UPDATE approval SET person = 'somebody'",
        "DELETE FROM approval",
        "DELETE FROM webhook_endpoint",
        "DELETE FROM webhook_attempt",
        "UPDATE webhook_delivery SET body = body",
        "UPDATE job SET caller = caller",
        "UPDATE job SET api_key = NULL",
        "DELETE FROM job_chunk",
        "UPDATE job_chunk SET first_row = first_row",
    ],
)
def test_the_application_may_not(database: Database, wish: str) -> None:
    with psycopg.connect(database.app_url) as connection:
        if wish.startswith("GRANT"):
            connection.execute(wish.encode())  # a grant without the right to grant is a warning, and grants nothing
            granted = connection.execute("SELECT has_table_privilege('posting', 'UPDATE')").fetchone()
            assert granted == (False,)
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(wish.encode())
