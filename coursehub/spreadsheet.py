"""Cells that a spreadsheet takes for text, whatever a stranger wrote into them."""

from typing import Any

# A cell that begins with one of these may be run as a formula (OWASP, "CSV injection").
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> Any:
    """`value`, with an apostrophe before text that a spreadsheet might run. Numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_BEGINS):
        return f"'{value}"
    return value
