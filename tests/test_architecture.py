"""Who may import whom; the rules stand in pyproject.toml, [tool.importlinter]."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_no_import_rule_is_broken():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_only_the_feeds_touch_the_channel_layer():
    folders = (ROOT / name for name in ("coursehub", "oauthtokens", "invitations", "progress"))
    users = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.rglob("*.py")
        if "channels.layers import" in path.read_text()
    }
    assert users == {"invitations/feed.py", "progress/live/course_feed.py"}
