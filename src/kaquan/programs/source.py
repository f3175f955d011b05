"""The text of a program file: TOML in, terms or every fault of form out, with lines, and back. Nothing is raised."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec

from kaquan.kernel.refusal import Refusal, RefusalCode
from kaquan.programs import errors
from kaquan.programs.meaning import group_of, item_of, unfold
from kaquan.programs.terms import ProgramTerms

FILE_BYTES_MAX = 65_536  # sixty times the longest preset: a larger file is another file
_INTEGER_MAX = 2**63 - 1  # what TOML promises and the database keeps
_SHOWN_MAX = 40

_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"\s*([\w.-]+)\s*=")


def decode(text: str) -> ProgramTerms | list[Refusal]:
    """The terms that `text` writes down, or all faults of form: syntax alone, else every unknown, missing or
    mistyped term."""
    size = len(text.encode("utf-8", "replace"))
    if size > FILE_BYTES_MAX:
        return [Refusal(errors.FILE_TOO_LONG, {"size": size, "limit": FILE_BYTES_MAX})]
    try:
        table = tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        return [_syntax(text, error)]
    reader = _Reader(_lines(text))
    terms: ProgramTerms = reader.group(ProgramTerms, table, "")
    return sorted(reader.refusals, key=lambda refusal: refusal.facts["line"]) or terms


def encode(terms: ProgramTerms) -> str:
    """The program file that says these terms: `decode` reads them back. Every term is written, defaults too."""
    return "\n\n".join("\n".join(part) for part in _parts(terms, "")) + "\n"


def _parts(group: msgspec.Struct, path: str) -> Iterator[list[str]]:
    """The lines of a table, then those of the tables in it."""
    own = [f"[{path}]"] if path else []
    inner: list[list[str]] = []
    for name, value in msgspec.structs.asdict(group).items():
        below = f"{path}.{name}" if path else name
        if isinstance(value, msgspec.Struct):
            inner += _parts(value, below)
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
            inner += [[f"[[{below}]]", *_pairs(item)] for item in value]
        else:
            own.append(_pair(name, value))
    return iter([own, *inner] if own else inner)


def _pairs(group: msgspec.Struct) -> list[str]:
    return [_pair(name, value) for name, value in msgspec.structs.asdict(group).items()]


def _pair(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"{name} = {str(value).lower()}"
    if isinstance(value, int):
        return f"{name} = {value:_}"
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"  # a text, a list of texts or one without items


class _Reader:
    """Walks the parsed file beside the types of the terms and gathers what does not fit."""

    def __init__(self, lines: dict[str, int]) -> None:
        self.refusals: list[Refusal] = []
        self._lines = lines

    def group(self, kind: type[msgspec.Struct], table: object, path: str) -> Any:
        """The group that a table writes down; none when a refusal was added."""
        if not isinstance(table, dict):
            self._refuse(errors.TERM_TYPE, path, expected="table", found=_toml_type(table))
            return None
        prefix = f"{path}." if path else ""
        fields = msgspec.structs.fields(kind)
        for unknown in sorted(table.keys() - {field.name for field in fields}):
            self._refuse(errors.TERM_UNKNOWN, prefix + _shown(unknown))
        before = len(self.refusals)
        values = {}
        for field in fields:
            if field.name in table:
                values[field.name] = self._value(field.type, table[field.name], prefix + field.name)
            elif field.default is msgspec.NODEFAULT:
                self._refuse(errors.TERM_MISSING, prefix + field.name)
        return kind(**values) if len(self.refusals) == before else None

    def _value(self, annotation: object, value: object, path: str) -> Any:
        plain, _ = unfold(annotation)
        item, inner = item_of(plain), group_of(plain)
        if inner is not None:
            return self.group(inner, value, path)
        if item is not None and isinstance(value, list):
            return tuple(self.group(item, part, f"{path}[{n}]") for n, part in enumerate(value, start=1))
        try:
            if isinstance(value, int) and abs(value) > _INTEGER_MAX:
                raise msgspec.ValidationError
            return msgspec.convert(value, plain, strict=True)
        except msgspec.ValidationError:
            self._refuse(errors.TERM_TYPE, path, expected=_expected(plain), found=_found(plain, value))
            return None

    def _refuse(self, code: RefusalCode, path: str, **facts: str) -> None:
        self.refusals.append(Refusal(code, {"term": path, "line": self._line(path), **facts}))

    def _line(self, path: str) -> int:
        """Where the term stands, else the part of the file it belongs to."""
        while path and path not in self._lines:
            path = path.rpartition("[" if path.endswith("]") else ".")[0]
        return self._lines.get(path, 1)


def _lines(text: str) -> dict[str, int]:
    """The line of every key and table header, from one: good enough to point at."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            path = header[2]
            for end in (at for at, letter in enumerate(f"{path}.") if letter == "."):
                found.setdefault(path[:end], number)
            if header[1] == "[[":
                counts[path] = counts.get(path, 0) + 1
                path = f"{path}[{counts[path]}]"
                found.setdefault(path, number)
            prefix = f"{path}."
        elif key := _KEY.match(line):
            found.setdefault(prefix + key[1], number)
    return found


def _syntax(text: str, error: Exception) -> Refusal:
    place = _PLACE.search(str(error))
    if place is None or place[1] is None:
        line, column = text.count("\n") + 1, 1
    else:
        line, column = int(place[1]), int(place[2])
    detail = "nested too deeply" if isinstance(error, RecursionError) else _PLACE.sub("", str(error)).strip()
    return Refusal(errors.FILE_INVALID, {"line": line, "column": column, "detail": _shown(detail)})


def _expected(plain: object) -> str:
    if get_origin(plain) is Literal:
        return " | ".join(str(word) for word in get_args(plain))
    if get_origin(plain) is tuple:
        return "array" if item_of(plain) is not None else "array of strings"
    return {bool: "boolean", str: "string"}.get(plain, "integer")  # type: ignore[call-overload,no-any-return]


def _found(plain: object, value: object) -> str:
    return _shown(value) if get_origin(plain) is Literal and isinstance(value, str) else _toml_type(value)


def _toml_type(value: object) -> str:
    names = {bool: "boolean", float: "float", str: "string", list: "array", dict: "table"}
    if isinstance(value, int) and abs(value) > _INTEGER_MAX:
        return "integer beyond 64 bits"
    return names.get(type(value), "integer" if isinstance(value, int) else "date or time")


def _shown(text: str) -> str:
    """Text from the file, cut and without control characters: it goes to terminals and logs."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= _SHOWN_MAX else f"{clean[:_SHOWN_MAX]}…"
