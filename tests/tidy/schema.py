"""The rules of the schema, asked of the catalogue. Each gives what breaks it; nothing when it holds."""

from collections.abc import Collection

import psycopg

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
    "closed_day": "of all books together",
    "stock_event": "like its stock",
    "audit": "calls from outside, whatever they were about",
    "rollup": "totals over all buckets",
    "rollup_horizon": "one row",
    "webhook_position": "one row",
    "schema_migration": "of the runner",
}
"""Every other table belongs to a wallet or a merchant and carries a bucket in front of every key."""

HISTORY = (
    "posting",
    "command",
    "journal",
    "refund",
    "program_terms",
    "program_proposal",
    "program_event",
    "settlement",
    "internal_transfer",
    "partner_share",
    "payout_step",
    "source_account",
    "partner_payment",
    "write_off",
    "packet",
    "closed_period",
    "closed_day",
    "card_transfer",
    "card_arrival",
    "inherited_purchase",
    "idle_reminder",
    "stock_event",
    "custody_day",
    "custody_entry",
    "audit",
    "statement",
)
"""Tables that the application may only append to."""

Connection = psycopg.Connection[tuple[object, ...]]

_CLOCK = (
    r"now\(|(clock|statement|transaction)_timestamp|timeofday|uuidv7"
    r"|CURRENT_(TIMESTAMP|DATE|TIME)|LOCALTIME|''now''|''today''"
)


def without_bucket(connection: Connection) -> list[str]:
    """Tables that lack the bucket of the wallet or merchant they belong to."""
    statement = """
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'kaquan'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'bucket')
        ORDER BY 1
    """
    return [name for name in _names(connection, statement) if name not in REFERENCE]


def wallet_side(connection: Connection) -> set[str]:
    """The tables that carry a bucket in front of every key."""
    statement = """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'bucket'
        WHERE c.relnamespace = 'kaquan'::regnamespace AND c.relkind IN ('r', 'p')
    """
    return set(_names(connection, statement)) - REFERENCE.keys()


def keys_without_bucket_first(connection: Connection) -> list[str]:
    """Primary, unique and foreign keys of wallet-side tables that begin with something else, at either end."""
    statement = """
        SELECT c.relname, k.conname, k.contype, f.relname,
               (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = k.conkey[1]),
               (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = k.confkey[1])
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class f ON f.oid = k.confrelid
        WHERE k.connamespace = 'kaquan'::regnamespace AND k.contype IN ('p', 'u', 'f', 'x')
        ORDER BY 1, 2
    """
    offenders = []
    for table, name, kind, target, first, there in connection.execute(statement):
        if table in REFERENCE or (kind == "f" and target in REFERENCE):
            continue
        if first != "bucket":
            offenders.append(f"{table}.{name} begins with {first}")
        elif kind == "f" and there != "bucket":
            offenders.append(f"{table}.{name} points its bucket at {target}.{there}")
    return offenders


def unique_indexes_without_bucket_first(connection: Connection) -> list[str]:
    """Unique indexes of wallet-side tables that begin with something else."""
    statement = """
        SELECT t.relname, i.relname, a.attname
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
        WHERE t.relnamespace = 'kaquan'::regnamespace AND x.indisunique ORDER BY 1, 2
    """
    return [
        f"{table}: {index} begins with {first}"
        for table, index, first in connection.execute(statement)
        if table not in REFERENCE and first != "bucket"
    ]


def triggers(connection: Connection) -> list[str]:
    """Triggers and rules that somebody made; PostgreSQL's own for foreign keys are not meant."""
    statement = """
        SELECT c.relname || '.' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = 'kaquan'::regnamespace
        UNION ALL
        SELECT c.relname || ' rule ' || r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        WHERE c.relnamespace = 'kaquan'::regnamespace AND c.relkind <> 'v'
        UNION ALL
        SELECT 'event trigger ' || evtname FROM pg_event_trigger
        ORDER BY 1
    """
    return _names(connection, statement)


def sequences(connection: Connection) -> list[str]:
    """Sequences, also those behind serial and identity columns."""
    statement = """
        SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'kaquan'::regnamespace ORDER BY 1
    """
    return _names(connection, statement)


def not_durable(connection: Connection) -> list[str]:
    """Relations that a crash would empty, and settings that let a commit answer before it is on disk."""
    statement = """
        SELECT 'not logged: ' || relname FROM pg_class
        WHERE relnamespace = 'kaquan'::regnamespace AND relpersistence <> 'p'
        UNION ALL
        SELECT 'function ' || proname || ': ' || setting FROM pg_proc CROSS JOIN unnest(proconfig) AS setting
        WHERE pronamespace = 'kaquan'::regnamespace AND setting ~ '^(synchronous_commit|session_replication_role)='
        UNION ALL
        SELECT 'role or database: ' || setting FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS setting
        WHERE setting ~ '^(fsync|synchronous_commit|full_page_writes|session_replication_role)='
          AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        ORDER BY 1
    """
    return _names(connection, statement)


def clocks(connection: Connection) -> list[str]:
    """Defaults, generated columns and checks that read a clock."""
    statement = f"""
        SELECT c.relname || '.' || a.attname || ': ' || pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE c.relnamespace = 'kaquan'::regnamespace AND pg_get_expr(d.adbin, d.adrelid) ~* '{_CLOCK}'
        UNION ALL
        SELECT conname || ': ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'kaquan'::regnamespace AND contype = 'c' AND pg_get_constraintdef(oid) ~* '{_CLOCK}'
        UNION ALL
        SELECT 'function ' || proname FROM pg_proc
        WHERE pronamespace = 'kaquan'::regnamespace AND prosrc ~* '{_CLOCK}'
        ORDER BY 1
    """
    return _names(connection, statement)


def not_append_only(connection: Connection, tables: Collection[str] = HISTORY) -> list[str]:
    """Rights of the application's role to change or delete history, granted to it or to everybody."""
    statement = """
        SELECT c.relname || ': ' || right_ FROM pg_class c
        CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS right_
        WHERE c.relnamespace = 'kaquan'::regnamespace AND c.relname = ANY (%s)
          AND (has_table_privilege('kaquan_app', c.oid, right_)
               OR right_ = 'UPDATE' AND has_any_column_privilege('kaquan_app', c.oid, 'UPDATE'))
        ORDER BY 1
    """
    return [str(row[0]) for row in connection.execute(statement, (list(tables),))]


def history_unnamed(connection: Connection) -> list[str]:
    """Money tables that only grow but are not named as history: their rights would go unwatched."""
    statement = """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'kaquan'::regnamespace AND c.relkind IN ('r', 'p')
          AND a.attname IN ('amount', 'transfer', 'leaves', 'content') AND NOT a.attisdropped
          AND has_table_privilege('kaquan_app', c.oid, 'INSERT')
          AND NOT has_any_column_privilege('kaquan_app', c.oid, 'UPDATE')
        GROUP BY c.relname ORDER BY 1
    """
    return [name for name in _names(connection, statement) if name not in HISTORY]


def _names(connection: Connection, statement: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(statement.encode())]
