"""Twenty people's clicks at the same moment, over HTTP on two web processes: one batch, each learner invited once."""

import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from tests.journeys.conftest import Product
from tests.support.files import csv_of
from tests.support.patience import wait_for

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

CLIENTS = 20
EMAILS = [f"learner{n}@example.org" for n in range(30)]
FORM = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Client:
    """A browser of its own: signed in by the page, with its own session and its own CSRF token."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = requests.Session()
        self._http.trust_env = False
        page = self._http.get(f"{url}/accounts/login/", timeout=60)
        answer = self._post(page, "/accounts/login/", {"username": "trainer", "password": "coursehub-demo"})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")

    def open(self, path: str) -> requests.Response:
        page = self._http.get(f"{self._url}{path}", timeout=60)
        assert page.status_code == 200, page.text
        return page

    def upload(self, page: requests.Response, course_id: str, content: bytes) -> requests.Response:
        file = {"file": ("class.csv", content, "text/csv")}
        return self._post(page, "/invitations/upload/", {"course": course_id}, files=file)

    def confirm(self, page: requests.Response, path: str) -> requests.Response:
        return self._post(page, f"{path}confirm/", {})

    def _post(self, page: requests.Response, path: str, data: dict, **more) -> requests.Response:
        token = FORM.search(page.text)[1]
        return self._http.post(
            f"{self._url}{path}", {**data, "csrfmiddlewaretoken": token}, allow_redirects=False, timeout=60, **more
        )


@pytest.fixture
def two_webs(product):
    """The addresses of two web processes on one database; the worker is the first one's."""
    second = Product()
    second.start_web()
    yield [product.url, second.url]
    second.stop()


def _at_once(act, clients: list[Client]) -> list[requests.Response]:
    """`act(client)` by all of them, begun at the same moment."""
    ready = threading.Barrier(len(clients))

    def go(client: Client) -> requests.Response:
        ready.wait()
        return act(client)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(go, clients))


def test_twenty_uploads_and_confirmations_over_http_make_one_batch(two_webs, course, invited_counts):
    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(Client, [two_webs[n % 2] for n in range(CLIENTS)]))
    pages = {client: client.open("/invitations/upload/") for client in clients}
    answers = _at_once(lambda client: client.upload(pages[client], course.course_id, csv_of(*EMAILS)), clients)
    batch = Batch.objects.get()
    path = f"/invitations/{batch.pk}/"
    assert Counter((answer.status_code, answer.headers.get("Location")) for answer in answers) == {(302, path): CLIENTS}

    # Whoever won may still read when the others are answered.
    wait_for(lambda: Batch.objects.get().state != Batch.State.UPLOADED, 60, "the file was read")
    pages = {client: client.open(path) for client in clients}
    answers = _at_once(lambda client: client.confirm(pages[client], path), clients)
    assert Counter((answer.status_code, answer.headers.get("Location")) for answer in answers) == {(302, path): CLIENTS}

    deadline = time.monotonic() + 120
    while not Batch.objects.filter(state__in=Batch.FINAL).exists():
        assert time.monotonic() < deadline, batch_status.status(batch.pk)
        time.sleep(0.2)
    assert Batch.objects.get().state == Batch.State.COMPLETED
    assert sorted(Invitation.objects.values_list("email", flat=True)) == sorted(EMAILS)
    assert invited_counts() == dict.fromkeys(EMAILS, 1)
