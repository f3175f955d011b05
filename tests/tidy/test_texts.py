"""Documentation, and every other text: links lead somewhere, pages are current, nothing tells of one machine."""

import importlib
import importlib.util
import re
from types import ModuleType

import pytest
import typer

from kaquan.cli.app import app
from tidy.sources import ROOT, texts, told

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```\s*?$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"`((?:src|tests|docs|bench)/[\w./-]+?)(?::\d+)?`")
_DOTTED = re.compile(r"`([a-z_]+(?:\.[A-Za-z_]\w*)+)(?:\(\))?`")

REFERENCE = ("terms.md", "law.md", "chart.md", "refusals.md", "events.md", "cli.md", "api.md", "openapi.json")

# Written so that this file does not offend itself.
_MACHINE = re.compile("|".join(["/wo" + "rk/", r"/ho" + r"me/\w", "/Us" + r"ers/\w", r"(?<![\w.])/ro" + r"ot/\w"]))
_REGISTRY = re.compile("https?" + r"://[^\s\"')]*(?:/simple\b|pythonhosted|artifactory|nexus|registry|mirrors?[./])")


def _markdown() -> dict[str, str]:
    return {name: text for name, text in texts().items() if name.endswith(".md")}


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+\s+(.*)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    offenders = []
    for name, text in _markdown().items():
        for match in _LINK.finditer(_FENCE.sub("", text)):
            target = match[1] or match[2]
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
            if not file.exists():
                offenders.append(f"{name}: {target}")
            elif anchor and file.suffix == ".md" and anchor not in _anchors(file.read_text("utf-8")):
                offenders.append(f"{name}: {target} (no such heading)")
    assert not offenders, told("every link in the documentation resolves", "correct the path or heading", offenders)


def test_every_file_that_is_named_exists() -> None:
    offenders = [
        f"{name}: {path}"
        for name, text in _markdown().items()
        for path in _PATH.findall(text)
        if not (ROOT / path).exists()
    ]
    assert not offenders, told("documentation names files that exist", "correct the path", offenders)


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_name_in_code_that_is_told_exists(page: str) -> None:
    offenders = []
    for dotted in sorted(set(_DOTTED.findall(_FENCE.sub("", (ROOT / page).read_text("utf-8"))))):
        package = ROOT / "src" / "kaquan" / dotted.split(".")[0]
        if (package.is_dir() or package.with_suffix(".py").exists()) and not _exists(dotted):
            offenders.append(dotted)
    rule = f"`capability.module.name` in {page} is a name of the code"
    assert not offenders, told(rule, "the code has changed: tell it as it is now", offenders)


def _exists(dotted: str) -> bool:
    parts = dotted.split(".")
    for depth in range(len(parts), 0, -1):
        name = ".".join(["kaquan", *parts[:depth]])
        try:
            found: object = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        for part in parts[depth:]:
            slots = getattr(found, "__annotations__", {})
            if not hasattr(found, part) and part not in slots:
                return part in ("py", "sql", "md", "toml")
            found = getattr(found, part, None)
        return True
    return False


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", REFERENCE)
def test_generated_pages_are_current(page: str) -> None:
    written = (ROOT / "docs" / "reference" / page).read_text("utf-8")
    way_out = "run .venv/bin/python docs/generate.py and commit what it writes"
    rule = f"docs/reference/{page} says what the code says"
    assert written == _generator().PAGES[page](), told(rule, way_out, [])


def test_every_generated_page_is_checked() -> None:
    assert set(_generator().PAGES) == set(REFERENCE)


def test_the_tree_tells_of_every_folder() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.MULTILINE)
    told_of = {name for row in rows for name in re.findall(r"[a-z_]+", row)}
    folders = {path.parent.name for path in (ROOT / "src" / "kaquan").glob("*/__init__.py")}
    missing = sorted(folders - told_of)
    assert not missing, told(
        "every folder stands in the tree", 'give it a row in "The tree" of ARCHITECTURE.md', missing
    )


def test_both_languages_are_there() -> None:
    english, chinese = texts()["README.md"], texts()["README.zh.md"]
    assert "README.zh.md" in english and "README.md" in chinese
    sections = [len(re.findall(r"^## ", text, re.MULTILINE)) for text in (english, chinese)]
    rule = "README.md and README.zh.md tell the same"
    assert sections[0] == sections[1], told(rule, "add the missing section to the other language", [])


def test_the_changelog_waits_for_the_next_change() -> None:
    changelog = texts()["CHANGELOG.md"]
    rule = "CHANGELOG.md begins with an Unreleased section"
    found = re.findall(r"^## \[?(.+?)\]?(?: .*)?$", changelog, re.MULTILINE)
    assert found[:1] == ["Unreleased"], told(rule, "put '## [Unreleased]' on top and describe what users notice", [])


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(name for name in texts() if name.startswith("docs/decisions/"))
    numbers = [int(name.removeprefix("docs/decisions/")[:4]) for name in names]
    offenders = [name for name in names if not re.search(r"^Status: ", texts()[name], re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1)), told("decisions are numbered 1, 2, 3 …", "renumber", names)
    assert not offenders, told("a decision has a status and a date", "add 'Status: accepted, <date>'", offenders)


def test_nothing_tells_of_one_machine() -> None:
    offenders = [
        f"{name}:{number} {line.strip()[:80]}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if _MACHINE.search(line) or _REGISTRY.search(line)
    ]
    rule = "no paths of one machine, no addresses of package registries"
    assert not offenders, told(rule, "say it relative to the project, or as a setting", offenders)


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    helped = set(re.findall(r"^([a-z][\w-]*):.*## \S", makefile, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    offenders = sorted((targets - helped) | (targets ^ phony))
    assert not offenders, told(
        "make help lists every target", "write '## what it does' behind it, and .PHONY", offenders
    )


@pytest.mark.parametrize("page", ["README.md", "README.zh.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_every_command_that_is_told_exists(page: str) -> None:
    text = texts()[page]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    offenders = [
        f"make {target}"
        for target in re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)
        if not re.search(rf"^{target}:", makefile, re.MULTILINE)
    ]
    program = typer.main.get_command(app)
    for words in re.findall(r"(?:`|^|/)kaquan ([a-z -]+)", text, re.MULTILINE):
        if not _is_command(program, words.split()):
            offenders.append(f"kaquan {words.strip()}")
    assert not offenders, told(f"{page} tells commands that exist", "tell them as they are now", offenders)


def _is_command(command: object, words: list[str]) -> bool:
    """Whether the words name a command or group, as far as groups go."""
    for word in words:
        group = getattr(command, "commands", None)
        if group is None or word.startswith("-"):
            return True
        if word not in group:
            return False
        command = group[word]
    return True


def test_chinese_words_use_chinese_punctuation() -> None:
    half = re.compile(r"[\u4e00-\u9fff”）》][,:;(]")
    offenders = [
        f"{name}:{number}"
        for name, text in texts().items()
        if name.startswith("src/") and name.endswith(".py")
        for number, line in enumerate(text.splitlines(), 1)
        if half.search(line)
    ]
    assert not offenders, told(
        "beside Chinese characters stand ，：；（ and not , : ; (", "set them full-width", offenders
    )
