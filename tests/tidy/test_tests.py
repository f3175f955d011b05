"""Tests prove something."""

import ast

from tidy.sources import Function, checks, told

_PROVING_CALLS = {"raises", "fail", "warns", "deprecated_call", "call_and_validate"}


def test_every_test_asserts_something() -> None:
    proving = _proving_names()
    offenders = [
        f"{module.at(function)} {function.name}"
        for module in checks()
        for function in module.functions()
        if function.name.startswith("test_") and not _proves(function, proving)
    ]
    rule = "a test fails when the thing is broken: it asserts, or expects a fault"
    assert not offenders, told(rule, "assert the exact value, and that a refused wish moved nothing", offenders)


def test_no_assertion_is_always_true() -> None:
    offenders = [
        f"{module.at(node)} {ast.unparse(node)}"
        for module in checks()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assert) and _always_true(node.test)
    ]
    assert not offenders, told("an assertion can fail", "compare with the value that you expect", offenders)


def _always_true(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return isinstance(test, ast.Tuple | ast.List) and bool(test.elts)


def _proving_names() -> set[str]:
    """Functions of the tests that assert, and those that call them."""
    functions = [function for module in checks() for function in module.functions()]
    proving = {function.name for function in functions if _proves(function, set())}
    while True:
        more = {function.name for function in functions if _proves(function, proving)}
        if more == proving:
            return proving
        proving = more


def _proves(function: Function, proving: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _PROVING_CALLS or name in proving:
                return True
    return False
