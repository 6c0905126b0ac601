"""An older checkout beside this one: the same rounds by turns, each with processes and a database of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.report import ROOT, Measure

Figures = dict[str, float]


ROUNDS = 3
_PREVIEW = """
import json
from bench import preview
from tests.support.stage.mongod import own_database

content = preview.table(preview.SIZE_BYTES // preview.ROWS)
with own_database() as server, preview.product() as running:
    told = preview._through_the_product(running, content, server)
print(json.dumps({one.key: one.value for one in told}))
"""


def previews(commit: str) -> list[Measure]:
    """The way from upload to preview here as a part of what it takes at `commit`."""
    before, now = _rounds(commit, _PREVIEW)
    figures = ("preview.ready_seconds", "preview.ready_processor_seconds", "preview.peak_mb")
    return [_ratio(figure, before, now) for figure in figures]


def _rounds(commit: str, code: str) -> tuple[list[Figures], list[Figures]]:
    """What `code` tells at `commit`, and here, by turns. It prints JSON in its last line."""
    before, now = [], []
    with _worktree(commit) as tree:
        for _ in range(ROUNDS):
            before.append(_told(tree, code))
            now.append(_told(ROOT, code))
    return before, now


def _ratio(figure: str, before: list[Figures], now: list[Figures]) -> Measure:
    olds, news = ([one[figure] for one in told] for told in (before, now))
    how = f"best round to best round; before {_listed(olds)}, now {_listed(news)}; load {os.getloadavg()[0]:.1f}"
    return Measure(f"{figure}_vs_before", round(min(news) / min(olds), 2), "ratio", how)


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


@contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "before")
        subprocess.run(["git", "worktree", "add", "--detach", tree, commit], cwd=ROOT, check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


def _told(tree: Path, code: str) -> Figures:
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tree,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )
    figures: Figures = json.loads(told.stdout.splitlines()[-1])
    return figures
