"""Who may import and name what; the rules of imports stand in pyproject.toml, [tool.importlinter]."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT

APPS = ("coursehub", "oauthtokens", "invitations", "progress")
PRIVATE = re.compile(r"_[A-Za-z]\w*")
# MongoDB's key of a document, and the method of Python's named tuples.
NAMES_OF_OTHERS = {"_id", "_replace"}


def test_no_import_rule_is_broken():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_only_the_feeds_touch_the_channel_layer():
    folders = (ROOT / name for name in APPS)
    users = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.rglob("*.py")
        if "channels.layers import" in path.read_text()
    }
    assert users == {"invitations/feed.py", "progress/live/course_feed.py"}


def test_nobody_reads_another_apps_collection_by_its_name():
    for app in APPS:
        named = re.compile(rf"[\"']({'|'.join(other for other in APPS[1:] if other != app)})_(?!speed\b)[a-z]+[\"']")
        paths = [path for path in (ROOT / app).rglob("*.py") if not {"migrations", "sandbox"} & set(path.parts)]
        assert {str(path): found for path in paths if (found := named.findall(path.read_text()))} == {}


def _parsed(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def _tests() -> Iterator[tuple[str, ast.Module]]:
    """All modules under tests/ but those that test the measurements."""
    return ((path, tree) for path, tree in _parsed(ROOT / "tests") if not path.startswith("tests/bench/"))


def test_no_test_knows_the_measurements():
    for path, tree in _tests():
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported += [one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names]
        started = [text for text in _texts(tree) if re.fullmatch(r"bench\.[\w.]+", text)]  # by `python -m`
        assert [name for name in imported + started if name.split(".")[0] == "bench"] == [], path


def test_no_test_names_what_is_private_in_the_product():
    private = {name for app in APPS for _, tree in _parsed(ROOT / app) for name in _defined(tree)} - NAMES_OF_OTHERS
    found = {path: sorted(private & set(_named(tree))) for path, tree in _tests()}
    assert {path: names for path, names in found.items() if names} == {}


def test_no_measurement_imports_what_is_private_in_the_product():
    imported = {
        path: [one.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for one in node.names]
        for path, tree in _parsed(ROOT / "bench")
    }
    assert {path: names for path, names in imported.items() if any(map(PRIVATE.fullmatch, names))} == {}


def _defined(tree: ast.Module) -> Iterator[str]:
    """The private names that a module gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.id if isinstance(node, ast.Name) else node.attr
        else:
            continue
        if PRIVATE.fullmatch(name):
            yield name


def _named(tree: ast.Module) -> Iterator[str]:
    """The private names that a module reads of others, imports, or writes out as text for a patch."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls", "super()", "os"):
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in APPS:
            yield from (one.name for one in node.names)
    yield from (text.rpartition(".")[2] for text in _texts(tree) if re.fullmatch(r"[\w.]+", text))


def _texts(tree: ast.Module) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
