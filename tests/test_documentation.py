"""Documentation moves with the code: every setting and command is written down, and what pages name is there."""

import json
import re
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.support import ROOT

OURS = {"coursehub", "invitations", "oauthtokens", "progress"}
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
WIDEST = 120
# Paths of a running product, and what a checkout has and the repository has not.
_ELSEWHERE = ("/", "http", "var/", ".venv/")
_FILE = re.compile(r"[\w.\-/]+\.(?:py|md|toml|html|js|css|yml|txt)")
_PATH = re.compile(rf"(?:{'|'.join([*sorted(OURS), 'bench', 'docs', 'templates', 'tests'])})/[\w.\-/]+")
_FOLDER = re.compile(r"[\w.\-/]+/")
_DOTTED = re.compile(rf"(?:{'|'.join(sorted(OURS))})(?:\.\w+)+")
# An entry of the glossary: "- **word** (`Name`, `other_name`): what it means".
_ENTRY = re.compile(r"\*\*[^*]+\*\* \(([^)]*)\)")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _prose(page: Path) -> str:
    """The page without blocks of code."""
    return re.sub(r"^```.*?^```", "", _text(page), flags=re.DOTALL | re.MULTILINE)


def _quoted(page: Path) -> set[str]:
    """What stands in backticks, on one line or broken into two."""
    return {" ".join(found.split()) for found in re.findall(r"`([^`]+)`", _prose(page))}


def _files() -> set[str]:
    """The project's own files, as paths from its root."""
    folders = [ROOT / name for name in (*OURS, "bench", "docs", "templates", "tests", ".ci")]
    found = [path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts]
    return {str(path.relative_to(ROOT)) for path in [*found, *ROOT.glob("*")] if path.is_file()}


def _section(page: Path, title: str) -> str:
    lines = _text(page).split(f"## {title}\n", 1)[1].splitlines()
    return "\n".join(takewhile(lambda line: not line.startswith("## "), lines))


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    return {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _resolves(name: str) -> bool:
    """Whether a module of this dotted name is there, or a module and in it what the rest names."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def _variables_read() -> set[str]:
    """The names that settings hand to `env`'s readers, and those that other modules read themselves."""
    text = "".join(path.read_text() for path in (ROOT / "coursehub").rglob("*.py"))
    return set(re.findall(r"""env\.(?:text|boolean|whole|number|choice|items|weekly|share)\(\s*"([A-Z_]+)\"""", text))


def test_every_variable_is_in_the_example_and_every_example_is_read():
    documented = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert documented == _variables_read()


def test_every_command_is_in_the_operators_page():
    page = (ROOT / "docs" / "operations.md").read_text()
    commands = {name for name, app in get_commands().items() if app in OURS}
    assert commands, "no command of ours was found"
    assert {name for name in commands if f"`{name}" not in page} == set()


def test_every_switch_of_the_sandbox_is_written_down_with_its_default():
    from coursehub.sandbox.switches import meanings

    page = (ROOT / "docs" / "trainercentral.md").read_text()
    rows = {name: f"| `{name}` | `{json.dumps(about['default'])}` |" for name, about in meanings().items()}
    assert {name for name, row in rows.items() if row not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_folder_that_a_page_names_is_there(page):
    """A path from the root (a folder's also from its app), or the bare name of a file that stands somewhere."""
    files = _files()
    known = files | {Path(file).name for file in files}
    words = {word for word in _quoted(page) if not word.startswith(_ELSEWHERE)}
    named = {word for word in words if _FILE.fullmatch(word) or _PATH.fullmatch(word)}
    lost = {word for word in named if word not in known and not (ROOT / word).is_dir()}
    roots = [ROOT, *(ROOT / app for app in OURS)]
    folders = {word for word in words if _FOLDER.fullmatch(word)}
    lost |= {folder for folder in folders if not any((root / folder).is_dir() for root in roots)}
    assert lost == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page):
    lost = set()
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path) if path else page
        if not goal.exists() or (anchor and anchor not in _anchors(goal)):
            lost.add(target)
    assert lost == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_dotted_name_of_a_page_is_code(page):
    named = {word for word in _quoted(page) if _DOTTED.fullmatch(word) and not _FILE.fullmatch(word)}
    assert {name for name in named if not _resolves(name)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_of_a_page_is_wider_than_a_terminal(page):
    assert [line for line in _text(page).splitlines() if len(line) > WIDEST] == []


def test_every_folder_of_the_apps_has_its_line_in_the_house():
    table = _section(ROOT / "docs" / "architecture.md", "Where things live")
    named = set(re.findall(r"^\| `([^`]+)/` \|", table, re.MULTILINE))
    held = [Path(file) for file in _files() if (ROOT / file).stat().st_size]  # an empty __init__.py is no content
    folders = {str(file.parent) for file in held if file.parts[0] in OURS and "migrations" not in file.parts}
    assert folders - named == set()


def test_every_word_of_the_glossary_that_names_code_occurs_in_the_code():
    glossary = " ".join(_section(ROOT / "docs" / "architecture.md", "Glossary").split())
    names = {name for listed in _ENTRY.findall(glossary) for name in re.findall(r"`([^`]+)`", listed)}
    assert len(names) > 100, "the glossary's entries were not found"
    text = "".join(path.read_text() for app in OURS for path in (ROOT / app).rglob("*.py"))
    used = set(re.findall(r"\w+", text))
    assert {name for name in names if not set(name.split(".")) <= used} == set()


def test_every_change_of_the_table_has_its_steps_and_a_test():
    page = _text(ROOT / "docs" / "changing.md")
    rows = re.findall(r"^\| \[[^]]+\]\(#([\w-]+)\) \| `([^`]+)` \| `(test_\w+\.py)` \|$", page, re.MULTILINE)
    titles_and_steps = re.findall(r"^### (.*?)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    described = {_anchor(title): steps for title, steps in titles_and_steps}
    assert len(rows) >= 20
    assert [anchor for anchor, _, _ in rows] == list(described)
    for anchor, begin, test in rows:
        assert [word for word in ("1. ", begin, test) if word not in described[anchor]] == [], anchor


def test_every_name_in_the_steps_of_a_change_occurs_in_the_code():
    kinds = ("*.py", "*.html", "*.js")
    folders = [ROOT / name for name in (*OURS, "templates", "tests")]
    text = "".join(_text(path) for folder in folders for kind in kinds for path in folder.rglob(kind))
    used = set(re.findall(r"\w+", text))
    words = {word for word in _quoted(ROOT / "docs" / "changing.md") if re.fullmatch(r"\w+(\.\w+)*", word)}
    names = {word for word in words if not _FILE.fullmatch(word)}
    assert {name for name in names if not set(name.split(".")) <= used} == set()
