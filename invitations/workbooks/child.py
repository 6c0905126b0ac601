"""The process that reads and writes workbooks: `python -m invitations.workbooks.child ACT OPTIONS`.

Its limits hold whatever is in the file: memory, processor time, seconds and bytes written. The workbook is its standard
input, what it makes its standard output. Its end is a number: 0, REFUSED with the sentence on standard error, or what
the limit made of it.
"""

import csv
import errno
import io
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from invitations.parsing.errors import FileRefused
from invitations.workbooks import archive

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

REFUSED, TOO_LARGE = 3, 4
LONGEST_CELL = 100_000
_BUFFER_BYTES = 256 * 1024
_ROWS_ABOVE = 1_000  # titles, blank lines and the like, which do not count as rows of the list


def main(act: str, options: dict[str, Any]) -> int:
    """Do it under the limits that `options` names; returns the code to leave with."""
    try:
        _limit(options)
        _ACTS[act](options)
    except FileRefused as refusal:
        os.write(2, str(refusal).encode())
        return REFUSED
    except MemoryError:
        return TOO_LARGE
    except OSError as error:
        return TOO_LARGE if error.errno == errno.EFBIG else 1
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library, which has no name to import
            raise
        os.write(2, archive.DAMAGED.encode())
        return REFUSED
    return 0


def _limit(options: dict[str, Any]) -> None:
    """Memory, processor seconds, bytes written; and an alarm, which ends this process even within the library."""
    limits = {
        resource.RLIMIT_AS: options["memory_bytes"],
        resource.RLIMIT_CPU: options["cpu_seconds"],
        resource.RLIMIT_FSIZE: options["output_bytes"],
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        with suppress(ValueError, OSError):  # a system that does not know it, or allows less already
            resource.setrlimit(limit, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(options["seconds"])


def _write_text(options: dict[str, Any]) -> None:
    """One sheet as CSV in UTF-8, a line for each of its rows; its number and all names go to standard error as JSON."""
    from invitations.workbooks.sheets import Workbook

    with open(0, "rb", closefd=False) as source:
        archive.look_into(source)
        book = Workbook.opened(source)
    number = options["sheet"]
    number, sheet = (number, book.sheet(number)) if number else book.first_with_addresses()
    with open(1, "wb", _BUFFER_BYTES, closefd=False) as made, io.TextIOWrapper(made, "utf-8", newline="") as text:
        _write_rows(text, sheet, options["most_rows"])
    os.write(2, json.dumps({"number": number, "names": book.names}).encode())


def _write_rows(text: io.TextIOWrapper, sheet: "CalamineSheet", most_rows: int) -> None:
    from invitations.workbooks.cells import text_of
    from invitations.workbooks.sheets import rows_of

    writer, filled = csv.writer(text, lineterminator="\r\n"), 0
    for at, cells in enumerate(rows_of(sheet), 1):
        texts = [text_of(cell) for cell in cells]
        if not any(texts):
            text.write("\r\n")
            continue
        filled += 1
        _refuse_too_much(filled, most_rows, at, texts)
        writer.writerow(texts)


def _refuse_too_much(filled: int, most_rows: int, at: int, texts: list[str]) -> None:
    if filled > most_rows + _ROWS_ABOVE:
        raise FileRefused(f"The file has more than {most_rows:,} rows: split it, and upload the parts.")
    if max(map(len, texts)) > LONGEST_CELL:
        raise FileRefused(
            f"A cell in row {at} holds more than {LONGEST_CELL:,} characters: shorten it, and upload again."
        )


def _write_results(options: dict[str, Any]) -> None:
    from invitations.workbooks import results

    named = {name: options[name] for name in ("workbook_bytes", "sheet", "folder")}
    with open(0, "rb", closefd=False) as source, open(1, "wb", closefd=False) as made:
        results.write(source, made, **named)


_ACTS: dict[str, Callable[[dict[str, Any]], None]] = {"text": _write_text, "results": _write_results}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
