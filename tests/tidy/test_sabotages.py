"""A sabotage applies to the code as it is, and names a test that is there."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from mutants.every import EVERY
from tidy.sources import told

ROOT = Path(__file__).resolve().parents[2]


@cache
def functions_of(file: str) -> frozenset[str]:
    """The names of the test functions of a file."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_each_sabotage_still_applies() -> None:
    offenders = [
        f"{each.name}: {edit.path}"
        for each in EVERY
        for edit in each.edits
        if (ROOT / "src" / "kaquan" / edit.path).read_text("utf-8").count(edit.instead_of) != 1
    ]
    way_out = "look for where the thing is done now, and whether the named test still watches it"
    assert not offenders, told("what a sabotage replaces stands in the code exactly once", way_out, offenders)


def test_each_sabotage_names_a_test_that_is_there() -> None:
    offenders = []
    for each in EVERY:
        file, _, test = each.test.partition("::")
        if test.partition("[")[0] not in functions_of(file):
            offenders.append(f"{each.name}: {each.test}")
    assert not offenders, told("a sabotage names a test", "name the test that must turn red", offenders)


def test_names_of_sabotages_are_told_apart() -> None:
    twice = [name for name, times in Counter(each.name for each in EVERY).items() if times > 1]
    assert not twice, told("each sabotage has a name of its own", "say what is broken more exactly", twice)
