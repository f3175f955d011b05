"""The SQL of a capability: a file `queries.sql` of named, described queries.

-- claim_ids: the commands of the batch that are already known; at most one row per id
SELECT ...
"""

import re
from importlib import resources

from kaquan.db.errors import QueryFileFault

HEADING = re.compile(r"--\s*([a-z][a-z0-9_]*):\s*(.*?)\s*")


class Queries:
    """The queries of one file, as attributes; an unknown name is an `AttributeError`."""

    def __init__(self, origin: str, text: str) -> None:
        self.origin = origin
        self.descriptions, self.texts = _parse(origin, text)

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["texts"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"{self.__dict__.get('origin')} has no query {name!r}") from None


def load(package: str) -> Queries:
    """Read `queries.sql` of `package`; raises `QueryFileFault` for a name twice, a missing description or body."""
    text = (resources.files(package) / "queries.sql").read_text("utf-8")
    return Queries(f"{package}/queries.sql", text)


def _parse(origin: str, text: str) -> tuple[dict[str, str], dict[str, str]]:
    descriptions: dict[str, str] = {}
    bodies: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        heading = HEADING.fullmatch(line)
        if heading is None:
            if name:
                bodies[name].append(line)
            elif line.strip() and not line.startswith("--"):
                raise QueryFileFault(f"{origin}:{number} stands before the first '-- name: description'.")
            continue
        name = heading[1]
        if name in bodies:
            raise QueryFileFault(f"{origin}:{number} names {name} a second time.")
        if not heading[2]:
            raise QueryFileFault(f"{origin}:{number} does not describe {name}.")
        descriptions[name], bodies[name] = heading[2], []
    texts = {name: "\n".join(lines).strip().removesuffix(";") for name, lines in bodies.items()}
    for empty in (name for name, body in texts.items() if not body):
        raise QueryFileFault(f"{origin} has no SQL for {empty}.")
    return descriptions, texts
