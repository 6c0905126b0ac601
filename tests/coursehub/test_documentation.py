"""Documentation moves with the code: every setting and command is written down."""

import json
import re
from pathlib import Path

from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
OURS = {"coursehub", "invitations", "oauthtokens", "progress"}


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
