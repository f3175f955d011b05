"""Every named query of every capability is understood by the migrated schema, as the application's role."""

import re
from pathlib import Path

import psycopg
import pytest

import kaquan
from kaquan.db.errors import QueryFileFault
from kaquan.db.pool import connect
from kaquan.db.queries import Queries
from support.database import Database

SOURCES = Path(next(iter(kaquan.__path__)))
FILES = sorted(SOURCES.rglob("queries.sql"))
PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\))?[sbt]|%%")


def numbered(text: str) -> str:
    """Turn psycopg's placeholders into PostgreSQL's: one number per name, or one per `%s`."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        name = match["name"] or f" {len(numbers)}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    return PLACEHOLDER.sub(number, text)


@pytest.mark.parametrize("path", FILES, ids=[path.parent.name for path in FILES])
def test_every_named_query_can_be_prepared(path: Path, database: Database) -> None:
    origin = str(path.relative_to(SOURCES))
    broken = []
    with connect(database.app_url) as conn:
        for name, text in Queries(origin, path.read_text("utf-8")).texts.items():
            result = conn.pgconn.prepare(f"check_{name}".encode(), numbered(text).encode())
            if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                broken.append(f"{origin} {name}: {result.error_message.decode().strip()}")
    assert not broken, "\n".join(broken)


def test_placeholders_are_numbered_by_name() -> None:
    assert numbered("SELECT %(a)s, %(b)b, %(a)s, 5 %% 2") == "SELECT $1, $2, $1, 5 % 2"
    assert numbered("SELECT %s, %s") == "SELECT $1, $2"


def test_queries_are_attributes_with_descriptions() -> None:
    queries = Queries("here", "-- A file.\n\n-- one: the first\nSELECT 1;\n\n-- two: the second\n-- why\nSELECT 2\n")
    assert queries.one == "SELECT 1"
    assert queries.two == "-- why\nSELECT 2"
    assert queries.descriptions == {"one": "the first", "two": "the second"}
    with pytest.raises(AttributeError, match="here has no query 'three'"):
        _ = queries.three


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- one: first\nSELECT 1\n-- one: again\nSELECT 2\n", "here:3 names one a second time"),
        ("-- one:\nSELECT 1\n", "here:1 does not describe one"),
        ("-- one: first\n\n-- two: second\nSELECT 2\n", "no SQL for one"),
        ("SELECT 1\n", "here:1 stands before"),
    ],
)
def test_malformed_files_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(QueryFileFault, match=complaint):
        Queries("here", text)
