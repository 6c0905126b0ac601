"""Management commands as a cron job calls them."""

import io
import json

from django.core.management import call_command


def run(name: str, *arguments: str) -> tuple[int, dict]:
    """Exit code and JSON document of a command."""
    out, code = io.StringIO(), 0
    try:
        call_command(name, *arguments, "--json", stdout=out)
    except SystemExit as left:
        code = left.code
    return code, json.loads(out.getvalue())
