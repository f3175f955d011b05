"""Sabotage the code in named ways; each sabotage must turn the test that it names red.

    python tests/mutants/run.py [part of a name] [--share 1/3]

The named tests run green on the code as it is; then each again on a patched copy of `src`, two at a time, with
template databases of their own (a template is named by the content of the migrations). Exit status 1 when a
sabotage survives, when its patch no longer applies, or when it breaks more than it should.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from kaquan.kernel.clock import seconds  # noqa: E402
from mutants.every import EVERY  # noqa: E402
from mutants.sabotages import Sabotage  # noqa: E402
from support.database import shared_server  # noqa: E402

AT_ONCE = 2
TEST_SECONDS = 240
ALL_SECONDS = 1_200
KILLED, SURVIVED, BROKEN = "red", "SURVIVED", "BROKEN"


class Verdict(NamedTuple):
    """What became of a sabotage."""

    sabotage: Sabotage
    result: str
    took: float
    said: str


def main(part: str, share: str) -> int:
    """Run those whose name contains `part`, of them every n-th from the k-th for a share of k/n; the exit status."""
    first, _, every_nth = share.partition("/")
    chosen = [each for each in EVERY if part in each.name][int(first) - 1 :: int(every_nth)]
    if not chosen:
        print(f"No sabotage has {part!r} in its name.")
        return 1
    tests = sorted({each.test for each in chosen})
    with shared_server(), tempfile.TemporaryDirectory(prefix="kaquan-mutants-") as folder:
        print(f"{len(tests)} tests on the code as it is …", flush=True)
        code = Path(folder) / "code"  # as it is now: it may be edited while this runs
        shutil.copytree(ROOT / "src", code, ignore=shutil.ignore_patterns("__pycache__"))
        green = pytest(code, Path(folder), *tests, most=ALL_SECONDS)
        if green.returncode != 0:
            print(green.stdout, green.stderr)
            print("The named tests must be green before anything is sabotaged.")
            return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            verdicts = []
            for verdict in pool.map(lambda each: run(each, Path(folder)), chosen):
                verdicts.append(verdict)
                print(f"{verdict.result:8}  {verdict.took:5.1f} s  {verdict.sabotage.name}", flush=True)
                if verdict.result != KILLED:
                    print(f"          {verdict.sabotage.test}\n{verdict.said}")
    failed = [verdict for verdict in verdicts if verdict.result != KILLED]
    print(f"{len(verdicts) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def run(sabotage: Sabotage, folder: Path) -> Verdict:
    """Patch a copy and let the named test judge it."""
    started = seconds()
    copy = Path(tempfile.mkdtemp(dir=folder))
    shutil.copytree(folder / "code", copy / "src")
    if trouble := patch(sabotage, copy / "src" / "kaquan"):
        return Verdict(sabotage, BROKEN, seconds() - started, trouble)
    judged = pytest(copy / "src", copy, "-x", sabotage.test)
    shutil.rmtree(copy)
    summary = judged.stdout.strip().rpartition("\n")[2]
    if judged.returncode == 0:
        result = SURVIVED
    elif judged.returncode == 1 and " failed" in f" {summary}" and "error" not in summary:
        result = KILLED
    else:
        result = BROKEN
    return Verdict(sabotage, result, seconds() - started, judged.stdout[-3000:])


def patch(sabotage: Sabotage, package: Path) -> str:
    """Apply the edits. Says what does not apply; nothing when all do."""
    for edit in sabotage.edits:
        path = package / edit.path
        text = path.read_text("utf-8")
        if text.count(edit.instead_of) != 1:
            return f"          {edit.path} has {text.count(edit.instead_of)} times: {edit.instead_of!r}"
        path.write_text(text.replace(edit.instead_of, edit.write), "utf-8")
    return ""


def pytest(source: Path, folder: Path, *arguments: str, most: int = TEST_SECONDS) -> subprocess.CompletedProcess[str]:
    """The tests with `source` as the code under test, in at most so many seconds."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
    }
    options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-o", f"pythonpath={source} {ROOT / 'tests'}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=most,
        check=False,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", help="part of a name; without it, all")
    parser.add_argument("--share", default="1/1", help="of three machines, the second runs 2/3")
    wanted = parser.parse_args()
    sys.exit(main(" ".join(wanted.part), wanted.share))
