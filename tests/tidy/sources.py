"""What the house rules look at: the modules of the product, its tests, its SQL, and every text of the project."""

import ast
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "kaquan"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef

_GENERATED = {".git", ".venv", ".kaquan", "__pycache__", "build", "dist"}


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file. `name` is its path from the project's root."""

    name: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """`src/kaquan/x.py:12`."""
        return f"{self.name}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[Function]:
        """Every function and method, also nested ones."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def public(self) -> Iterator[tuple[str, Definition]]:
        """Classes, functions and methods that others may use, with their dotted names."""
        yield from _public(self.tree.body, "")


def _public(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{prefix}{node.name}.")


@cache
def product() -> tuple[Module, ...]:
    """The modules of the product."""
    return _modules("src")


@cache
def checks() -> tuple[Module, ...]:
    """The modules of the tests."""
    return _modules("tests")


@cache
def everything() -> tuple[Module, ...]:
    """Product, tests and benchmarks."""
    return product() + checks() + _modules("bench")


@cache
def texts() -> dict[str, str]:
    """Every text of the project by its path from the root: what git keeps, or would keep."""
    found = {}
    for path in _kept():
        if path.is_file() and path.suffix not in (".png", ".woff2", ".ico", ".ttf"):
            found[str(path.relative_to(ROOT))] = path.read_text("utf-8")
    return found


def _modules(folder: str) -> tuple[Module, ...]:
    files = sorted((ROOT / folder).rglob("*.py"))
    return tuple(_module(path) for path in files)


def _module(path: Path) -> Module:
    text = path.read_text("utf-8")
    return Module(str(path.relative_to(ROOT)), text, ast.parse(text))


def _kept() -> list[Path]:
    """Asks git; a copy without git is walked."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            return [ROOT / name for name in listed.stdout.split("\0") if name]
    found: list[Path] = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not _left_out(name)]
        found += [Path(folder) / name for name in files]
    return found


def _left_out(name: str) -> bool:
    return name in _GENERATED or name.endswith(("_cache", ".egg-info")) or name == ".hypothesis"


def told(rule: str, way_out: str, offenders: list[str]) -> str:
    """What a failed house rule says."""
    return "\n".join(["", f"House rule: {rule}", f"Way out: {way_out}", *(f"  {offender}" for offender in offenders)])
