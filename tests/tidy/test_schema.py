"""The migrated schema itself: buckets first, nothing owned by the application, history that can't be changed."""

import psycopg
import pytest
from psycopg import sql

from support.database import Database
from tidy.sources import told

# Every other table belongs to a wallet or a merchant and carries a bucket in front of every key.
REFERENCE = {
    "installation": "one row",
    "book": "a few legal entities",
    "organisation": "who takes part",
    "program": "a few",
    "program_terms": "their versions",
    "program_proposal": "texts that wait for an approval",
    "program_event": "the steps of their lives",
    "merchant": "named by wallets of every bucket",
    "store": "like its merchant",
    "fund": "like a merchant: named by wallets of every bucket",
    "stock": "a few for each program",
    "enrolment": "of a merchant in a program",
    "closed_period": "of a program, over all its merchants",
    "stock_event": "like its stock",
    "audit": "calls from outside, whatever they were about",
    "rollup": "totals over all buckets",
    "rollup_horizon": "one row",
    "webhook_position": "one row",
    "schema_migration": "of the runner",
}

HISTORY = (
    "posting",
    "command",
    "journal",
    "refund",
    "program_terms",
    "program_proposal",
    "program_event",
    "settlement",
    "closed_period",
    "stock_event",
    "audit",
)
"""Tables that the application may only append to."""


def _rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_every_wallet_side_table_has_a_bucket(database: Database) -> None:
    statement = """
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'kaquan'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'bucket')
        ORDER BY 1
    """
    without = {str(row[0]) for row in _rows(database.owner_url, statement)}
    rule = "a table carries the bucket of the wallet or merchant it belongs to"
    way_out = "add `bucket smallint NOT NULL`, or name the table in REFERENCE with the reason"
    assert without <= REFERENCE.keys(), told(rule, way_out, sorted(without - REFERENCE.keys()))


def test_the_bucket_comes_first_in_every_key(database: Database) -> None:
    statement = """
        SELECT c.relname, k.conname, k.contype, f.relname,
               (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1])
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class f ON f.oid = k.confrelid
        WHERE k.connamespace = 'kaquan'::regnamespace AND k.contype IN ('p', 'u', 'f')
        ORDER BY 1, 2
    """
    offenders = [
        f"{table}.{name} begins with {first}"
        for table, name, kind, target, first in _rows(database.owner_url, statement)
        if table not in REFERENCE and first != "bucket" and not (kind == "f" and target in REFERENCE)
    ]
    rule = "bucket is the first column of every primary, unique and foreign key of a wallet-side table"
    assert not offenders, told(rule, "put it in front: the same schema serves a cluster", offenders)


def test_the_bucket_comes_first_in_every_unique_index(database: Database) -> None:
    statement = """
        SELECT t.relname, i.relname, a.attname
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
        WHERE t.relnamespace = 'kaquan'::regnamespace AND x.indisunique ORDER BY 1, 2
    """
    offenders = [
        f"{table}: {index} begins with {first}"
        for table, index, first in _rows(database.owner_url, statement)
        if table not in REFERENCE and first != "bucket"
    ]
    assert not offenders, told("a unique index begins with the bucket", "put it in front", offenders)


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
