"""A request in an alphabet that no form is written in is read, or refused; it is no error of ours."""

import asyncio

import pytest
from asgiref.testing import ApplicationCommunicator

from coursehub.asgi import application
from coursehub.content_types import readable


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"text/html", b"text/html"),
        (b"application/json; charset=UTF-8", b"application/json; charset=UTF-8"),
        (b"text/csv; charset=latin-1", b"text/csv; charset=latin-1"),
        (b"multipart/form-data; charset=hex; boundary=x", b"multipart/form-data; boundary=x"),
        (b'multipart/form-data; boundary=x; charset="unicode_escape"', b"multipart/form-data; boundary=x"),
        (b"multipart/form-data; boundary=x; charset=nonsense", b"multipart/form-data; boundary=x"),
        (b"multipart/form-data; boundary*=idna''x", b"multipart/form-data"),
        (b"multipart/form-data; boundary*=nonsense''x", b"multipart/form-data"),
        (b"text/plain; charset*=utf-8''hex", b"text/plain"),
        (b"", b""),
    ],
)
def test_what_is_no_alphabet_of_forms_is_not_told(said, told):
    assert readable(said) == told


@pytest.mark.parametrize("said", [b"text/plain; charset=hex", b"multipart/form-data; boundary*=idna''x"])
def test_such_a_request_is_answered(database, said):
    assert asyncio.run(_answer(said)) == 302  # to the sign-in


async def _answer(content_type: bytes) -> int:
    headers = [(b"host", b"127.0.0.1"), (b"content-type", content_type)]
    scope = {"type": "http", "method": "GET", "path": "/invitations/", "query_string": b"q=1", "headers": headers}
    asked = ApplicationCommunicator(application, scope)
    await asked.send_input({"type": "http.request", "body": b""})
    begun = await asked.receive_output(10)
    await asked.wait(10)
    return int(begun["status"])
