"""Who may import whom; the rules stand in pyproject.toml, [tool.importlinter]."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

APPS = ("coursehub", "oauthtokens", "invitations", "progress")


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
