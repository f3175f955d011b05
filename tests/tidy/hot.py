"""The rules of hot functions, asked of their text: what takes `p_buckets` runs for a batch of any buckets.

A cluster sends such a function to one shard, so every statement must say so: each table that belongs to wallets is
bound by `t.bucket = ANY (p_buckets)` or joined by bucket to one that is, each join of two is by bucket as well, and
nothing is written inside WITH.
"""

import re
from collections.abc import Collection, Mapping

from tidy.schema import Connection

_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_ALIAS = (
    r"(?:\s+(?:AS\s+)?(?!(?:SET|WHERE|ON|USING|JOIN|LEFT|RIGHT|CROSS|FULL|INNER|NATURAL|ORDER|GROUP|FOR|LIMIT|UNION)\b)"
    r"(?P<alias>[a-z_]+))?"
)
_TABLE = re.compile(
    r"\b(?P<how>FROM|JOIN|UPDATE)\s+(?:ONLY\s+)?(?:kaquan\.)?(?P<table>[a-z_]+)\b(?!\s*\()" + _ALIAS, re.IGNORECASE
)
_COMMA = re.compile(r"\bFROM\s+[a-z_.]+(?:\s+(?:AS\s+)?[a-z_]+)?\s*,\s*(?P<table>[a-z_]+)\b" + _ALIAS, re.IGNORECASE)
_BOUND = r"\b{}\.bucket\s*=\s*ANY\s*\(\s*p_buckets\s*\)"
_JOINED = r"\b{0}\.bucket\s*=\s*\w+\.bucket\b|\b\w+\.bucket\s*=\s*{0}\.bucket\b"
_WRITES_IN_WITH = re.compile(
    r"\bAS\s+(?:NOT\s+MATERIALIZED\s*|MATERIALIZED\s*)?\(\s*(INSERT|UPDATE|DELETE|MERGE)\b", re.I
)


def hot_functions(connection: Connection) -> dict[str, str]:
    """The body of every function that takes the buckets of its batch, by name."""
    statement = """
        SELECT proname, prosrc FROM pg_proc
        WHERE pronamespace = 'kaquan'::regnamespace AND 'p_buckets' = ANY (proargnames) ORDER BY 1
    """
    return {str(name): str(body) for name, body in connection.execute(statement)}


def unbound(functions: Mapping[str, str], tables: Collection[str]) -> list[str]:
    """Statements that read or change a wallet-side table without saying of which buckets."""
    return [
        f"{name}: {table} {alias} in `{_shown(statement)}`"
        for name, body in functions.items()
        for statement in _statements(body)
        for _, table, alias in _named(statement, tables)
        if not _is_bound(statement, alias)
    ]


def not_joined(functions: Mapping[str, str], tables: Collection[str]) -> list[str]:
    """Joins to a wallet-side table that leave its bucket out."""
    return [
        f"{name}: {table} {alias} in `{_shown(statement)}`"
        for name, body in functions.items()
        for statement in _statements(body)
        for how, table, alias in _named(statement, tables)
        if (how == "JOIN" or (how == "UPDATE" and re.search(r"\bFROM\b", statement)))
        and not re.search(_JOINED.format(alias), statement)
    ]


def written_in_with(functions: Mapping[str, str], tables: Collection[str] = ()) -> list[str]:
    """INSERT, UPDATE and DELETE inside WITH."""
    return [
        f"{name}: {found[1]} in `{_shown(statement)}`"
        for name, body in functions.items()
        for statement in _statements(body)
        if (found := _WRITES_IN_WITH.search(statement))
    ]


def unchecked(functions: Mapping[str, str], tables: Collection[str] = ()) -> list[str]:
    """Functions that insert rows of buckets which nobody compared with those of the batch."""
    return [
        name
        for name, body in functions.items()
        if re.search(r"\bINSERT\s+INTO\b", body, re.I)
        and not re.search(r"<@\s*p_buckets|=\s*ANY\s*\(\s*p_buckets", body)
    ]


def _statements(body: str) -> list[str]:
    """A body cut at its semicolons, without comments and texts."""
    return [part.strip() for part in _NOISE.sub(" ", body).split(";") if part.strip()]


def _named(statement: str, tables: Collection[str]) -> list[tuple[str, str, str]]:
    """How, which, and under which name a statement names wallet-side tables; a comma joins as JOIN does."""
    found = [(one["how"].upper(), one["table"], one["alias"] or one["table"]) for one in _TABLE.finditer(statement)]
    found += [("JOIN", one["table"], one["alias"] or one["table"]) for one in _COMMA.finditer(statement)]
    return [one for one in found if one[1] in tables]


def _is_bound(statement: str, alias: str) -> bool:
    """By the buckets of the batch, or by the bucket of what is."""
    if re.search(_BOUND.format(alias), statement):
        return True
    bound = re.search(_BOUND.format(r"\w+"), statement)
    return bool(bound and re.search(_JOINED.format(alias), statement))


def _shown(statement: str) -> str:
    return re.sub(r"\s+", " ", statement)[:100]
