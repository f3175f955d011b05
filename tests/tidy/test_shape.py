"""Sizes, names and docstrings."""

import ast
import re
import warnings

from tidy.sources import Function, everything, product, told

MODULE_LINES_ASK = 300
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
POSITIONAL_MAX = 5
POSITIONAL_PRIVATE_MAX = 7  # a private function that fills a row or an answer stands beside its one caller

# Functions that take more, and why.
POSITIONAL_EXCEPTIONS = {
    "src/kaquan/commands/store.py apply": "the six parts of one batch; its only caller is the door",
    "src/kaquan/ledger/export.py _posting": "the columns of one row, in their order",
    "src/kaquan/settlement/store.py _reserve": "the columns of one row, in their order",
    "src/kaquan/settlement/previews.py preview": "a read and its whole context; it has no command to hold them",
    "src/kaquan/payments/service.py reverse": "who, which key, which merchant's order: as a command would hold them",
    "src/kaquan/rewards/rules.py grant": "a decision takes the entry, its facts one by one, the terms and the time",
}

BANNED_WORDS = {"manager", "helper", "helpers", "base", "common", "util", "utils", "misc"}
BANNED_VERBS = {"process", "handle", "manage", "do"}
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def test_a_module_has_at_most_400_lines() -> None:
    sizes = {module.name: len(module.text.splitlines()) for module in everything()}
    for name, lines in sizes.items():
        if MODULE_LINES_ASK < lines <= MODULE_LINES_MAX:
            warnings.warn(f"{name} has {lines} lines: does it still do one thing?", stacklevel=1)
    offenders = [f"{name}: {lines} lines" for name, lines in sizes.items() if lines > MODULE_LINES_MAX]
    rule = f"a module has 80 to 250 lines, at most {MODULE_LINES_MAX}"
    assert not offenders, told(rule, "split it by verb or noun, never into helpers", offenders)


def test_a_function_has_at_most_50_lines() -> None:
    offenders = [
        f"{module.at(function)} {function.name}: {_lines(function)} lines"
        for module in everything()
        for function in module.functions()
        if _lines(function) > FUNCTION_LINES_MAX
    ]
    rule = f"a function has at most {FUNCTION_LINES_MAX} lines"
    assert not offenders, told(rule, "give the part that has a name of its own a function", offenders)


def test_a_function_takes_at_most_5_positional_arguments() -> None:
    offenders = []
    for module in product():
        for function in module.functions():
            if _is_command(function):
                continue
            most = POSITIONAL_PRIVATE_MAX if function.name.startswith("_") else POSITIONAL_MAX
            count = len(_positional(function))
            if count > most and f"{module.name} {function.name}" not in POSITIONAL_EXCEPTIONS:
                offenders.append(f"{module.at(function)} {function.name}: {count}")
    rule = f"at most {POSITIONAL_MAX} positional parameters ({POSITIONAL_PRIVATE_MAX} for a private function)"
    way_out = "make the rest keyword-only (after *), or give what belongs together a type"
    assert not offenders, told(rule, way_out, offenders)


def test_the_exceptions_are_still_needed() -> None:
    needed = {
        f"{module.name} {function.name}"
        for module in product()
        for function in module.functions()
        if len(_positional(function)) > POSITIONAL_MAX
    }
    stale = sorted(POSITIONAL_EXCEPTIONS.keys() - needed)
    assert not stale, told("an exception is for something that exists", "delete it from this test", stale)


def test_what_others_use_says_what_it_is() -> None:
    offenders = [f"{module.name}: the module" for module in everything() if not ast.get_docstring(module.tree)]
    offenders += [
        f"{module.at(node)} {name}"
        for module in product()
        for name, node in module.public()
        if not ast.get_docstring(node)
    ]
    rule = "modules and public classes, functions and methods have a docstring: meaning, units, errors"
    offenders = [one for one in offenders if not one.startswith("tests/support/__init__.py")]
    assert not offenders, told(rule, "say in one line what a caller must know, or make the name private", offenders)


def test_names_say_something() -> None:
    offenders = []
    for module in product():
        for part in module.name.removesuffix(".py").split("/"):
            if part in BANNED_WORDS:
                offenders.append(f"{module.name}: {part}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and BANNED_WORDS & set(_words(node.name)):
                offenders.append(f"{module.at(node)} class {node.name}")
            if isinstance(node, Function) and _says_nothing(node.name):
                offenders.append(f"{module.at(node)} def {node.name}")
    rule = f"no {', '.join(sorted(BANNED_WORDS))} in names, no function that does {', '.join(sorted(BANNED_VERBS))}"
    assert not offenders, told(rule, "use the word a clerk would use (CONTRIBUTING.md, Names)", offenders)


def _says_nothing(name: str) -> bool:
    words = _words(name)
    return bool(words) and (words[0] in BANNED_VERBS or bool(BANNED_WORDS & set(words)))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _is_command(function: Function) -> bool:
    """A command of the command line: its parameters are what a person types, by name."""
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    return function.name.endswith("_command") or any(".command(" in decorator for decorator in decorators)


def _positional(function: Function) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return [name for name in names if name not in ("self", "cls")]
