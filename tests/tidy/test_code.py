"""What the code may call and hold: time, money, transactions, SQL, stores, promises of purity."""

import ast
import re
from collections.abc import Iterator

import grimp
import pytest

from tidy.sources import Module, everything, product, texts, told

CLOCK = "src/kaquan/kernel/clock.py"
CLOCKS = {CLOCK, "src/kaquan/client/keys.py"}  # the SDK stands alone, and puts the time into its keys
_CLOCK_CALLS = {"now", "utcnow", "today", "fromtimestamp", "time", "time_ns", "localtime", "gmtime", "ctime"}
_CLOCK_OWNERS = {"datetime", "date", "time"}

# Floats measure time-outs, chances and progress; where money is counted there is none.
SECONDS = ("src/kaquan/api/limits.py", "src/kaquan/api/metrics.py", "src/kaquan/api/serving.py")
FLOAT_ALLOWED = ("src/kaquan/db/", "src/kaquan/simulation/", "src/kaquan/cli/", "src/kaquan/jobs/", *SECONDS, CLOCK)

TRANSACTIONS = {
    "src/kaquan/db/": "migrations",
    "src/kaquan/commands/": "the door",
    "src/kaquan/ledger/export.py": "reads everything from one snapshot",
    "src/kaquan/accounting/store.py": "reads a book from one snapshot",
    "src/kaquan/ledger/rollup.py": "derived totals and their horizon, which a proof recounts",
}
SQL_ALLOWED = ("src/kaquan/db/", "src/kaquan/commands/store.py")
_SQL = re.compile(r"\s*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|WITH|MERGE|COPY|LOCK|BEGIN|COMMIT|ROLLBACK)\b[\s;]")
_SQL_BARE = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK)\s*;?\s*")

_DUE = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!.{0,20}#\d+)")


def test_only_the_clock_reads_the_clock() -> None:
    offenders = [
        f"{module.at(node)} {ast.unparse(node)}"
        for module in everything()
        if module.name not in CLOCKS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _reads_clock(node.func, module)
    ]
    rule = "time is an argument; only kernel/clock.py reads the system clock"
    assert not offenders, told(rule, "take `at: datetime`; an edge asks kernel.clock.system_now()", offenders)


def _reads_clock(called: ast.expr, module: Module) -> bool:
    if not isinstance(called, ast.Attribute) or called.attr not in _CLOCK_CALLS:
        return False
    owner = ast.unparse(called.value).rsplit(".", maxsplit=1)[-1]
    if owner == "time":
        return called.attr != "now" and re.search(r"^import time$", module.text, re.MULTILINE) is not None
    return owner in _CLOCK_OWNERS and called.attr not in ("time", "time_ns", "ctime")


def test_money_is_never_a_float() -> None:
    offenders = [
        f"{module.at(node)} {ast.unparse(node)}"
        for module in product()
        if not module.name.startswith(FLOAT_ALLOWED)
        for node in _without_seconds(module.tree)
        if _is_float(node)
    ]
    rule = "no float literal, no float(), no true division outside " + ", ".join(FLOAT_ALLOWED)
    way_out = "count in fen and basis points: kernel.money.share(), allocate(), or //"
    assert not offenders, told(rule, way_out, offenders)


def _without_seconds(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node but the constants of time-outs, whose names end in `_SECONDS`."""
    for statement in tree.body:
        named = statement.targets if isinstance(statement, ast.Assign) else []
        if not any(isinstance(target, ast.Name) and target.id.endswith("_SECONDS") for target in named):
            yield from ast.walk(statement)


def _is_float(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=float()):
            return True
        case ast.Call(func=ast.Name(id="float")):
            return True
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return not any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in (left, right))
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_only_the_door_commits() -> None:
    offenders = [
        f"{module.at(node)} {ast.unparse(node)}"
        for module in product()
        if not module.name.startswith(tuple(TRANSACTIONS))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback", "transaction", "pipeline")
    ]
    rule = "one door, one commit: transactions begin and end in " + ", ".join(TRANSACTIONS)
    assert not offenders, told(rule, "make it a command with a handler (CONTRIBUTING.md)", offenders)


def test_sql_lives_in_sql_files() -> None:
    offenders = [
        f"{module.at(node)} {node.value.strip()[:60]!r}"
        for module in product()
        if not module.name.startswith(SQL_ALLOWED)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if _SQL.match(node.value) or _SQL_BARE.fullmatch(node.value)
    ]
    rule = "SQL stands in queries.sql of its capability or in a migration, where a test prepares it"
    assert not offenders, told(rule, "name and describe the query there, and call it from store.py", offenders)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, with external packages."""
    return grimp.build_graph("kaquan", include_external_packages=True, cache_dir=None)


def test_a_store_is_private_to_its_capability(graph: grimp.ImportGraph) -> None:
    offenders = [
        f"{importer} imports {store}"
        for store in graph.modules
        if store.startswith("kaquan.") and store.endswith(".store")
        for importer in graph.find_modules_that_directly_import(store)
        if not importer.startswith(store.removesuffix("store"))
    ]
    rule = "X.store is imported only inside X"
    assert not offenders, told(rule, "ask X.service, which may pass the store's function on", offenders)


def test_who_says_pure_is_pure(graph: grimp.ImportGraph) -> None:
    offenders = []
    for module in product():
        if not re.search(r"\bPure\.", ast.get_docstring(module.tree) or ""):
            continue
        name = module.name.removeprefix("src/").removesuffix(".py").replace("/", ".")
        for impure in ("psycopg", "typer", "rich", "subprocess", "threading"):
            if impure in graph.modules and (chain := graph.find_shortest_chain(name, impure)):
                offenders.append(" imports ".join(chain))
    rule = "a module whose docstring says 'Pure.' reaches no database, framework, process or thread"
    assert not offenders, told(rule, "hand the fact in as an argument", offenders)


def test_what_is_due_has_an_issue() -> None:
    own = {"tests/tidy/test_code.py"}
    offenders = [
        f"{name}:{number} {line.strip()[:80]}"
        for name, text in texts().items()
        if name not in own and not name.endswith(".lock")
        for number, line in enumerate(text.splitlines(), 1)
        if _DUE.search(line)
    ]
    rule = "a promise to do something later carries the number of its issue"
    assert not offenders, told(rule, "do it now, or open an issue and write its #number beside it", offenders)
