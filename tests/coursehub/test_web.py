"""The web process as a whole: how it serves, and how it stops."""

import urllib.error
import urllib.request

import pytest
import websocket
from websocket import WebSocketException

from tests.support.patience import promised, wait_for
from tests.support.stage.web import running_web

PATH = "/ws/invitations/"


def test_a_stopped_process_tells_every_socket_to_come_again(database, client_for):
    client = client_for("trainer")
    with running_web() as web:
        sockets = [web.connect(PATH, client) for _ in range(20)]
        for socket in sockets:
            assert socket.receive()["type"] == "snapshot"
        web.terminate()
        assert {socket.receive()["code"] for socket in sockets} == {1012}
        assert web.process.wait(5) == 0


def test_a_stopped_process_takes_nobody_new(database, client_for):
    client = client_for("trainer")
    with running_web() as web:
        sockets = [web.connect(PATH, client) for _ in range(20)]
        for socket in sockets:
            socket.receive()
        web.terminate()
        wait_for(lambda: _refuses(web, client), promised(1), "it takes nobody new")


def _refuses(web, client) -> bool:
    try:
        web.connect(PATH, client)
    except ConnectionRefusedError:
        return True
    except (OSError, WebSocketException):  # it was about to close its port
        return False
    return False


def test_an_unknown_socket_address_is_refused(web, database, client_for):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        web.connect("/ws/nothing/", client_for("trainer"))
    assert refused.value.status_code == 403


def test_a_page_of_any_size_is_served_beside_sockets(web, database, client_for):
    web.connect(PATH, client_for("trainer")).receive()
    with urllib.request.urlopen(f"http://127.0.0.1:{web.port}/accounts/login/") as page:
        assert page.status == 200


def test_a_client_frame_that_is_far_too_long_ends_its_socket_only(web, database, client_for):
    client = client_for("trainer")
    neighbour, sender = web.connect(PATH, client), web.connect(PATH, client)
    for socket in (neighbour, sender):
        socket.receive()
    sender.send("x" * 100_000)
    with pytest.raises((websocket.WebSocketConnectionClosedException, OSError, AssertionError)):
        assert sender.receive()["type"] != "closed"
    assert neighbour.is_silent(0.3)
