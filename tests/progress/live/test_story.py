"""A trainer watches, a worker polls, the sandbox's learners advance."""

import os
import signal
import subprocess
import sys
import time

import pytest

from coursehub.development.mongod import die_with_parent
from coursehub.models import Course
from progress.models import Member
from tests.support import ROOT
from tests.support.stage.web import running_web


@pytest.fixture
def worker(academy):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=ROOT, env=dict(os.environ), preexec_fn=die_with_parent
    )
    yield process
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def test_a_watched_course_moves_by_itself_and_every_viewer_ends_with_the_databases_table(academy, worker, client_for):
    academy.switch(progress_speed=2000)
    course_id = Course.objects.order_by("course_id").first().course_id
    with running_web() as one, running_web() as other:
        sockets = [web.connect(f"/ws/progress/{course_id}/", client_for("administrator")) for web in (one, other)]
        tables = [_follow(socket, seconds=15) for socket in sockets]
    stored = {member.member_id: member.percent for member in Member.objects.for_course(course_id)}
    assert tables[0], "nothing came"
    assert Course.objects.get(course_id=course_id).revision > len(stored), "nobody advanced"
    for table, revision in tables:
        assert revision <= Course.objects.get(course_id=course_id).revision
        current = {m.member_id: m.percent for m in Member.objects.for_course(course_id).filter(revision__lte=revision)}
        assert {member_id: percent for member_id, percent in table.items() if member_id in current} == current


def test_a_change_polled_by_either_worker_reaches_viewers_of_both_web_processes(academy, client_for):
    course_id = Course.objects.order_by("course_id").first().course_id
    academy.switch(progress_speed=20_000)
    _poll_in_a_process_of_its_own(course_id)
    with running_web() as one, running_web() as other:
        sockets = [web.connect(f"/ws/progress/{course_id}/", client_for("administrator")) for web in (one, other)]
        for socket in sockets:
            assert socket.receive()["members"]
        for _ in range(2):
            _poll_in_a_process_of_its_own(course_id)
            revision = Course.objects.get(course_id=course_id).revision
            changed = [_changed_up_to(revision, socket) for socket in sockets]
            assert changed[0]
            assert changed[0] == changed[1]


def _changed_up_to(revision: int, socket) -> dict[str, dict]:
    """The members that changed, as last told; on a busy machine a read comes in several frames."""
    changed: dict[str, dict] = {}

    def take(frame: dict) -> bool:
        changed.update({member["id"]: member for member in frame["members"]})
        return frame["revision"] >= revision

    assert socket.receive_until(take)["revision"] == revision
    return changed


def _poll_in_a_process_of_its_own(course_id: str) -> None:
    command = [sys.executable, "manage.py", "poll_progress", "--course", course_id]
    subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=True, stdout=subprocess.DEVNULL)


def _follow(socket, *, seconds: float) -> tuple[dict[str, float], int]:
    """The table that a page shows after following for a while, and its revision."""
    table: dict[str, float] = {}
    revision, ends_at, moved = 0, time.monotonic() + seconds, 0
    while time.monotonic() < ends_at and moved < 3:
        frame = socket.receive(seconds)
        if frame["type"] == "snapshot":
            table.clear()
        moved += bool(frame["type"] == "change" and frame["members"])
        for member in frame["members"]:
            table.pop(member["id"], None)
            if not member.get("gone"):
                table[member["id"]] = member["percent"]
        revision = frame["revision"]
    return table, revision
