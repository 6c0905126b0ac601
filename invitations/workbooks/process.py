"""Starting the process that reads and writes workbooks, and what its end means."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from invitations.parsing.errors import FileRefused
from invitations.workbooks import child
from invitations.workbooks.archive import DAMAGED, TOO_LARGE, is_workbook

__all__ = ["Limits", "Sheet", "is_workbook", "read_sheet", "run"]

_ROOT = Path(__file__).resolve().parents[2]
_TOO_LONG = "This workbook takes too long to read: copy the list into a new workbook, and upload that file."
_COPY_BYTES = 1_000_000
_OVERTIME = (-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGKILL)


@dataclass(frozen=True)
class Limits:
    """What one run of the process may take."""

    memory_bytes: int = 512_000_000  # of its address space
    cpu_seconds: int = 60
    seconds: int = 120
    output_bytes: int = 200_000_000


@dataclass(frozen=True)
class Sheet:
    """One sheet's text, to be read from its beginning; `names` are those of all sheets, hidden ones last."""

    content: BinaryIO
    number: int  # of `names`, from 1 on
    names: list[str]


@contextmanager
def read_sheet(file: BinaryIO, *, most_rows: int, number: int = 0, limits: Limits | None = None) -> Iterator[Sheet]:
    """Context: a sheet of this workbook as CSV in UTF-8, each row of the sheet one line.

    Without a `number` the first sheet that holds an address. Raises FileRefused.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as content:
        file.seek(0)
        while piece := file.read(_COPY_BYTES):
            source.write(piece)
        said = run("text", source, content, limits or Limits(), most_rows=most_rows, sheet=number)
        found = json.loads(said)
        yield Sheet(content, found["number"], found["names"])


def run(act: str, source: IO[bytes], made: IO[bytes], limits: Limits, **options: Any) -> bytes:
    """Run the process on `source`; both files are at their beginning afterwards. Returns what it said.

    Both are files of the system without a name, so nobody else can read them. Raises FileRefused.
    """
    source.flush()
    source.seek(0)
    command = [sys.executable, "-m", child.__name__, act, json.dumps({**asdict(limits), **options})]
    try:
        # Nothing of this process's surroundings goes along: its variables hold secrets.
        ended = subprocess.run(
            command, cwd=_ROOT, env={"PYTHONDONTWRITEBYTECODE": "1"}, stdin=source, stdout=made,
            stderr=subprocess.PIPE, timeout=limits.seconds + 10, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise FileRefused(_TOO_LONG) from error
    if ended.returncode == child.REFUSED:
        raise FileRefused(ended.stderr.decode(errors="replace"))
    if ended.returncode in _OVERTIME:
        raise FileRefused(_TOO_LONG)
    if ended.returncode in (child.TOO_LARGE, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGXFSZ):
        raise FileRefused(TOO_LARGE)
    if ended.returncode:
        raise FileRefused(DAMAGED)
    source.seek(0)
    made.seek(0)
    return ended.stderr
