"""Migrations and named queries, as text."""

import re
from pathlib import Path

import psycopg
import pytest

from kaquan.db.queries import Queries
from support.database import Database
from tidy.sources import SOURCES, product, told

_CLOCKS = r"now\s*\(|(?:clock|statement|transaction)_timestamp|current_(?:timestamp|date|time)\b|localtime"
_FORBIDDEN = {
    _CLOCKS: "no SQL reads a clock: `at` comes from the door",
    r"\bTRIGGER\b": "no triggers: what happens stands where it happens",
    r"\bSEQUENCE\b|\b(?:BIG|SMALL)?SERIAL\b|GENERATED\s+\w+(?:\s+DEFAULT)?\s+AS\s+IDENTITY|\bnextval\b": (
        "no sequences: ids are made by the application"
    ),
    r"\bMERGE\s+INTO\b": "no MERGE: say INSERT … ON CONFLICT or UPDATE, and count the rows",
    r"\bLISTEN\b|\bNOTIFY\b|\bpg_notify\b": "no LISTEN and NOTIFY: readers ask the journal",
    r"advisory_|\badvisory": "no advisory locks: rows carry versions, and are locked when that is not enough",
    r"\bUNLOGGED\b": "no UNLOGGED tables: a crash would empty them",
    r"\bsynchronous_commit\b|\bfull_page_writes\b|\bsession_replication_role\b": (
        "what is answered is on disk and judged: SQL leaves these settings alone"
    ),
    r"\bWITH\b[^;]*\bAS\s*\(\s*(?:INSERT|UPDATE|DELETE)\b": (
        "no INSERT, UPDATE or DELETE inside WITH: a cluster can't route it"
    ),
}
_COMMENT = re.compile(r"--.*?$|/\*.*?\*/|'(?:[^']|'')*'", re.MULTILINE | re.DOTALL)

# Queries without LIMIT that need none, by the beginning of their name.
_SHORT = {
    "commands/queries.sql installation": "the table has one row, by a CHECK",
    "ledger/queries.sql lock_horizon": "the table has one row, by a CHECK",
    "settlement/queries.sql horizon": "one row: the bounds of a snapshot",
    "webhooks/queries.sql position": "the table has one row, by a CHECK",
    "ledger/queries.sql prove_": "one row each: ok, and the facts it stands on",
    "ledger/queries.sql export_": "streamed by a named cursor, whatever their length",
    "accounting/queries.sql journal_": "streamed by a named cursor, whatever their length",
}


def _migrations() -> list[Path]:
    return sorted((SOURCES / "db" / "migrations").glob("*.sql"))


def _query_files() -> list[Path]:
    return sorted(SOURCES.rglob("queries.sql"))


def _queries(path: Path) -> Queries:
    return Queries(str(path.relative_to(SOURCES)), path.read_text("utf-8"))


_BROKEN = (
    "SELECT now()",
    "CREATE TABLE aside (at timestamptz DEFAULT CURRENT_TIMESTAMP)",
    "CREATE TRIGGER aside BEFORE UPDATE ON lot EXECUTE FUNCTION aside()",
    "CREATE TABLE aside (id bigserial)",
    "CREATE TABLE aside (id integer GENERATED ALWAYS AS IDENTITY)",
    "MERGE INTO lot USING aside ON true WHEN MATCHED THEN DELETE",
    "NOTIFY paid",
    "SELECT pg_notify('paid', '')",
    "SELECT pg_advisory_xact_lock(7)",
    "CREATE UNLOGGED TABLE aside (id integer)",
    "SET LOCAL synchronous_commit = off",
    "WITH made AS (INSERT INTO lot VALUES (1) RETURNING id) SELECT id FROM made",
)


def _breaches(pattern: str, text: str) -> list[re.Match[str]]:
    """Where a text does what the pattern forbids; comments and texts within it do nothing."""
    return list(re.finditer(pattern, _COMMENT.sub(lambda match: " " * len(match[0]), text), re.IGNORECASE))


@pytest.mark.parametrize(("pattern", "way_out"), _FORBIDDEN.items(), ids=[str(n) for n in range(len(_FORBIDDEN))])
def test_what_sql_must_not_do(pattern: str, way_out: str) -> None:
    offenders = [
        f"{path.relative_to(SOURCES)} at character {found.start()}: {found[0]}"
        for path in (*_migrations(), *_query_files())
        for found in _breaches(pattern, path.read_text("utf-8"))
    ]
    assert not offenders, told("mechanics in SQL stay portable and readable", way_out, offenders)
    assert any(_breaches(pattern, text) for text in _BROKEN), f"nothing in _BROKEN shows that {pattern} is seen"


@pytest.mark.parametrize("text", _BROKEN)
def test_sql_that_must_not_be_shows(text: str) -> None:
    assert any(_breaches(pattern, text) for pattern in _FORBIDDEN)
    assert not any(_breaches(pattern, f"-- {text}") for pattern in _FORBIDDEN), "a comment is not SQL"


def _lax(text: str) -> list[str]:
    """Where Python turns off what makes a commit durable."""
    pattern = r"""(?:fsync|synchronous_commit|full_page_writes)["']?\s*(?:[:=]|TO\b)\s*["']?(?!["'\s]|on\b)\w+"""
    return [found[0] for found in re.finditer(pattern, text, re.IGNORECASE)]


def test_the_product_never_gives_up_durability() -> None:
    offenders = [f"{module.name}: {found}" for module in product() for found in _lax(module.text)]
    rule = "fsync, synchronous_commit and full_page_writes are on, wherever they are said"
    assert not offenders, told(rule, "leave them on: what was answered is on disk", offenders)
    assert _lax('{"synchronous_commit": "off"}')
    assert _lax("SET LOCAL synchronous_commit TO local")
    assert not _lax('{"fsync": "on"}')


def test_every_query_is_used() -> None:
    offenders = []
    for path in _query_files():
        package = f"src/kaquan/{path.parent.relative_to(SOURCES)}/"
        code = "\n".join(module.text for module in product() if module.name.startswith(package))
        for name in _queries(path).texts:
            family = name.partition("_")[0] + "_{"  # getattr(QUERIES, f"prove_{name}")
            if not re.search(rf"\.{name}\b", code) and family not in code:
                offenders.append(f"{path.relative_to(SOURCES)} {name}")
    assert not offenders, told("a named query has a caller in its capability", "delete it", offenders)


def test_every_list_is_bounded(database: Database) -> None:
    keys = _unique_keys(database.owner_url)
    offenders = []
    for path in _query_files():
        queries = _queries(path)
        for name, text in queries.texts.items():
            origin = f"{queries.origin} {name}"
            if not origin.startswith(tuple(_SHORT)) and not _bounded(text, keys):
                offenders.append(f"{origin}: {queries.descriptions[name]}")
    rule = "a query that lists has a LIMIT, or goes by a whole unique key, or by an array that the caller bounds"
    assert not offenders, told(
        rule, "add ORDER BY … LIMIT with a named constant, or the missing key column", offenders
    )


def _bounded(text: str, keys: list[set[str]]) -> bool:
    body = _COMMENT.sub("", text).strip()
    if not re.match(r"(SELECT|WITH)\b", body, re.IGNORECASE):
        return True
    if re.search(r"\bLIMIT\s+(\d|%|ALL\b)", body) or re.match(r"SELECT \* FROM \w+\(", body):
        return True
    if re.search(r"unnest\s*\(\s*%|=\s*ANY\s*\(\s*%", body):
        return True
    if not re.search(r"\bGROUP BY\b", body) and re.match(r"SELECT\s+(?:coalesce\()?(min|max|sum|count)\(", body):
        return True
    if not re.search(r"\bFROM\b", _outside_parentheses(body)):
        return True
    given = set(re.findall(r"(?:\b\w+\.)?\b(\w+)\s*=\s*%", body))
    return any(key <= given for key in keys)


def _outside_parentheses(body: str) -> str:
    while (shorter := re.sub(r"\([^()]*\)", "", body)) != body:
        body = shorter
    return body


def _unique_keys(url: str) -> list[set[str]]:
    statement = """
        SELECT array_agg(a.attname::text) FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indisunique AND i.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'kaquan'::regnamespace)
        GROUP BY i.indexrelid
    """
    with psycopg.connect(url) as connection:
        return [set(columns) for (columns,) in connection.execute(statement)]
