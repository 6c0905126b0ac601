"""The sockets of courses, against a real web process."""

import json
import time

import pytest
from django.contrib.auth.models import Group

from coursehub.live.flow_control import GIVE_UP_SECONDS
from coursehub.models import Course, CourseAccess
from coursehub.mongo import outside_transaction
from progress.models import Member
from tests.support.makers import make_course, remote_member, store
from tests.support.patience import promised
from tests.support.stage.web import lose_history, running_web

PATH = "/ws/progress/3000000001/"


@pytest.fixture
def course(database, person):
    course = make_course(seen_by=[person("trainer")])
    store(*(remote_member(number) for number in range(3)))
    return course


def test_a_socket_begins_with_a_snapshot_equal_to_status_json(web, course, client_for):
    client = client_for("trainer")
    snapshot = web.connect(PATH, client).receive()
    status = client.get("/progress/3000000001/status.json").json()
    assert snapshot.pop("type") == "snapshot"
    assert snapshot["revision"] == 3
    assert sorted(snapshot.pop("members"), key=str) == sorted(status.pop("members"), key=str)
    assert snapshot == status


def test_a_change_arrives_with_the_courses_next_revision(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    store(remote_member(1, percent=40))
    change = socket.receive()
    assert (change["type"], change["revision"]) == ("change", 4)
    assert [(member["id"], member["percent"]) for member in change["members"]] == [("m1", 40)]


def test_a_poll_without_changes_moves_the_age_and_nothing_else(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    before = socket.receive()
    store(*(remote_member(number) for number in range(3)))
    frame = socket.receive()
    assert (frame["revision"], frame["members"]) == (before["revision"], [])
    assert frame["as_of"] > before["as_of"]


def test_the_age_never_runs_ahead_of_the_rows(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    as_of = socket.receive()["as_of"]
    store(*(remote_member(number, percent=10) for number in range(1200)))
    frames = [socket.receive()]
    while frames[-1]["as_of"] == as_of:
        frames.append(socket.receive())
    assert frames[-1]["revision"] == 1203
    assert len({member["id"] for frame in frames for member in frame["members"]}) == 1200


def test_a_course_that_was_set_back_ends_in_a_snapshot(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    outside_transaction(Course).update_one({"course_id": "3000000001"}, {"$set": {"revision": 1}})
    frame = socket.receive()
    assert (frame["type"], frame["revision"]) == ("snapshot", 1)


def test_a_gap_in_the_revisions_ends_in_a_snapshot(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    outside_transaction(Course).update_one({"course_id": "3000000001"}, {"$inc": {"revision": 5}})
    store(remote_member(2, percent=70))
    frame = socket.receive()
    assert (frame["type"], frame["revision"]) == ("snapshot", 9)
    assert {member["id"]: member["percent"] for member in frame["members"]} == {"m0": 0, "m1": 0, "m2": 70}


def test_a_revision_whose_rows_never_come_ends_in_a_snapshot(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    outside_transaction(Course).update_one({"course_id": "3000000001"}, {"$inc": {"revision": 1}})
    frame = socket.receive()
    assert (frame["type"], frame["revision"]) == ("snapshot", 4)


def test_lost_history_ends_in_a_snapshot(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    lose_history(outside_transaction(Member))
    assert socket.receive()["type"] == "snapshot"
    store(remote_member(0, percent=15))
    assert socket.receive_until(lambda frame: frame["members"] and frame["revision"] == 4)


def test_a_learner_who_left_is_told_as_gone(web, course, client_for):
    from progress.polling import member_store, poll_lease

    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    for _ in range(member_store.SWEEPS_UNTIL_GONE):
        member_store.store_absent(poll_lease.win("3000000001", only_if_due=False, afresh=True), {"m0", "m1"})
        outside_transaction(Course).update_one({}, {"$set": {"poll_lease_until": None}})
    assert socket.receive()["members"] == [{"id": "m2", "gone": True}]
    assert len(web.connect(PATH, client_for("trainer")).receive()["members"]) == 2


def test_whose_access_is_revoked_leaves_the_table_and_comes_back_with_it(web, course, client_for):
    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    store(remote_member(1, percent=15, status="51"))
    assert socket.receive_until(lambda frame: frame["members"])["members"] == [{"id": "m1", "gone": True}]
    assert len(web.connect(PATH, client_for("trainer")).receive()["members"]) == 2
    store(remote_member(1, percent=15))
    assert socket.receive_until(lambda frame: frame["members"])["members"][0]["percent"] == 15


def test_what_could_not_be_read_is_told_and_taken_back(web, course, client_for):
    from progress.polling import poll_lease

    socket = web.connect(PATH, client_for("trainer"))
    assert socket.receive()["unreadable"] == ""
    for said in ("Progress of 3 learners could not be read.", ""):
        lease = poll_lease.win("3000000001", only_if_due=False, afresh=True)
        poll_lease.finish(lease, poll_lease.Done(unreadable=said))
        assert socket.receive_until(lambda frame, said=said: frame["unreadable"] == said)


def test_a_stranger_is_told_4401_and_the_wrong_role_4403(web, course, client_for):
    assert web.connect(PATH).receive() == {"type": "closed", "code": 4401}
    for role in ("maintenance", "nobody"):
        assert web.connect(PATH, client_for(role)).receive() == {"type": "closed", "code": 4403}


def test_a_trainer_is_refused_a_foreign_course_and_one_that_does_not_exist(web, course, client_for):
    make_course("3000000002")
    for course_id in ("3000000002", "4711"):
        socket = web.connect(f"/ws/progress/{course_id}/", client_for("trainer"))
        assert socket.receive() == {"type": "closed", "code": 4403}


def test_an_administrator_watches_every_course(web, course, client_for):
    make_course("3000000002")
    assert web.connect("/ws/progress/3000000002/", client_for("administrator")).receive()["members"] == []


@pytest.mark.parametrize("how", ["signed_out", "password", "disabled", "role", "access"])
def test_who_may_no_longer_watch_is_closed_within_five_seconds(web, course, client_for, person, how):
    client, trainer = client_for("trainer"), person("trainer")
    socket = web.connect(PATH, client)
    socket.receive()
    if how == "signed_out":
        client.logout()
    elif how == "password":
        trainer.set_password("another-password-entirely")
        trainer.save()
    elif how == "disabled":
        type(trainer).objects.filter(pk=trainer.pk).update(is_active=False)
    elif how == "role":
        trainer.groups.remove(Group.objects.get(name="trainer"))
    else:
        CourseAccess.objects.all().delete()
    closed = socket.receive(timeout_seconds=promised(5))
    assert closed == {"type": "closed", "code": 4403 if how in ("role", "access") else 4401}


def test_the_socket_takes_nothing_but_acknowledgements(web, course, client_for):
    client = client_for("trainer")
    padded = json.dumps({"type": "ack", "revision": 1}) + " " * 256
    for text in ('{"type":"subscribe"}', '{"type":"ack","revision":"1"}', "hello", padded, "[]"):
        socket = web.connect(PATH, client)
        socket.receive()
        socket.send(text)
        assert socket.receive() == {"type": "closed", "code": 4400}, text


def test_another_sites_page_gets_no_socket(web, course, client_for):
    import websocket

    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        web.connect(PATH, client_for("trainer"), origin="https://elsewhere.example")
    assert refused.value.status_code == 403


def test_a_client_that_acknowledges_late_gets_a_snapshot_instead_of_what_it_missed(web, course, client_for):
    quick, slow = (web.connect(PATH, client_for("trainer")) for _ in range(2))
    quick.receive()
    slow.acknowledges = False
    slow.receive()
    percent = 0
    for _ in range(13):
        percent += 1
        store(remote_member(0, percent=percent))
        assert quick.receive_until(lambda frame: frame["members"])["members"][0]["percent"] == percent
        time.sleep(0.45)  # 13 of them are longer than a client may leave frames unacknowledged
    slow.acknowledges = True
    slow.acknowledge(3 + percent)
    frame = slow.receive_until(lambda frame: frame["type"] == "snapshot")
    assert frame["revision"] == 3 + percent


def test_a_client_that_never_acknowledges_is_closed_as_too_slow_and_disturbs_nobody(web, course, client_for):
    quick, dead = (web.connect(PATH, client_for("trainer")) for _ in range(2))
    quick.receive()
    dead.acknowledges = False
    assert dead.receive_until(lambda frame: frame["type"] != "snapshot", GIVE_UP_SECONDS + 10)["code"] == 4408
    store(remote_member(0, percent=33))
    assert quick.receive_until(lambda frame: frame["members"])["members"][0]["percent"] == 33


def test_two_web_processes_both_see_a_change(web, course, client_for):
    with running_web() as other:
        sockets = [process.connect(PATH, client_for("trainer")) for process in (web, other)]
        for socket in sockets:
            socket.receive()
        store(remote_member(1, percent=55))
        for socket in sockets:
            assert socket.receive_until(lambda frame: frame["members"])["members"][0]["percent"] == 55


def test_a_viewer_makes_old_data_due_at_once(web, course, client_for):
    Course.objects.filter(pk=course.pk).update(polled_at=None, poll_due_at=None, watched_until=None)
    socket = web.connect(PATH, client_for("trainer"))
    socket.receive()
    course.refresh_from_db()
    assert course.poll_due_at is not None
    assert course.watched_until > course.poll_due_at


def test_the_list_of_courses_is_live_and_holds_ones_own(web, course, client_for):
    make_course("3000000002")
    trainer = web.connect("/ws/progress/", client_for("trainer"))
    administrator = web.connect("/ws/progress/", client_for("administrator"))
    (mine,) = trainer.receive()["courses"]
    assert (mine["id"], mine["learners"], mine["average_percent"]) == ("3000000001", 3, 0)
    assert [entry["id"] for entry in administrator.receive()["courses"]] == ["3000000001", "3000000002"]
    store(remote_member(9, percent=100, course_id="3000000002"), course_id="3000000002")
    (other,) = administrator.receive()["courses"]
    assert (other["id"], other["learners"], other["completed"]) == ("3000000002", 1, 1)
    assert trainer.is_silent(0.3)
    store(remote_member(1, percent=90))
    assert trainer.receive()["courses"][0]["average_percent"] == 30
