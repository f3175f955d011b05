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
    r"\badvisory": "no advisory locks: rows carry versions, and are locked when that is not enough",
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
}


def _migrations() -> list[Path]:
    return sorted((SOURCES / "db" / "migrations").glob("*.sql"))


def _query_files() -> list[Path]:
    return sorted(SOURCES.rglob("queries.sql"))


def _queries(path: Path) -> Queries:
    return Queries(str(path.relative_to(SOURCES)), path.read_text("utf-8"))


@pytest.mark.parametrize(("pattern", "way_out"), _FORBIDDEN.items(), ids=[str(n) for n in range(len(_FORBIDDEN))])
def test_what_sql_must_not_do(pattern: str, way_out: str) -> None:
    offenders = []
    for path in (*_migrations(), *_query_files()):
        text = _COMMENT.sub(lambda match: " " * len(match[0]), path.read_text("utf-8"))
        for found in re.finditer(pattern, text, re.IGNORECASE):
            offenders.append(f"{path.relative_to(SOURCES)} at character {found.start()}: {found[0]}")
    assert not offenders, told("mechanics in SQL stay portable and readable", way_out, offenders)


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
