"""`make stack`: the Compose stack, built, brought up, the demo job done through its web port, and down again.

Uses `docker compose`, or the command that COMPOSE names.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import requests
import websocket

from coursehub.development.mongod import free_port
from coursehub.development.secrets import ensure_secrets

ROOT = Path(__file__).resolve().parents[1]
ROWS = 20
COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
DONE_WITHIN_SECONDS = 120


def main() -> int:
    port = free_port()
    secrets = ensure_secrets(ROOT / "var" / "secrets")
    environment = {
        **os.environ,
        **{name.removesuffix("_FILE"): Path(path).read_text() for name, path in secrets.items()},
        "DEMO": "true",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TRAINERCENTRAL_URL": "http://sandbox:8900",
        "ZOHO_ACCOUNTS_URL": "http://sandbox:8900",
    }

    def compose(*arguments: str) -> None:
        subprocess.run([*COMPOSE, "--profile", "demo", *arguments], cwd=ROOT, env=environment, check=True)

    began = time.monotonic()
    compose("build")
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    try:
        compose("up", "-d", "--wait")
        print(f"up in {time.monotonic() - began:.0f} s", flush=True)
        print(do_the_main_job(f"http://127.0.0.1:{port}"), flush=True)
    finally:
        compose("down", "-v")
    return 0


def do_the_main_job(url: str) -> str:
    """Upload, confirm and watch a small batch as `trainer`. Raises AssertionError when it does not end well."""
    session = requests.Session()
    _post(session, f"{url}/accounts/login/", {"username": "trainer", "password": "coursehub-demo"})
    page = session.get(f"{url}/invitations/upload/", timeout=30).text
    course = re.findall(r'<option value="(\d+)"', page)[0]
    rows = "".join(f"stack{number}@example.org,Stack,No {number}\n" for number in range(ROWS))
    files = {"file": ("stack.csv", "email,first name,last name\n" + rows)}
    batch = _post(session, f"{url}/invitations/upload/", {"course": course}, files).url
    assert "/upload/" not in batch, "the upload was refused"
    began = time.monotonic()
    _post(session, f"{batch}confirm/", {}, read_from=batch)
    while (status := session.get(f"{batch}status.json", timeout=30).json())["state"] != "completed":
        assert time.monotonic() - began < DONE_WITHIN_SECONDS, status
        time.sleep(0.5)
    assert status["counts"] == {"invited": ROWS}, status
    invited_seconds = time.monotonic() - began
    shown_seconds = _watch_until_shown(session, url, course)
    return f"{ROWS} learners invited in {invited_seconds:.0f} s, all on the live page {shown_seconds:.0f} s later"


def _watch_until_shown(session: requests.Session, url: str, course: str) -> float:
    """Watch the course as a browser does, until its socket has told of every invited learner; returns the seconds."""
    began = time.monotonic()
    cookies = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    address = f"{url.replace('http', 'ws', 1)}/ws/progress/{course}/"
    socket = websocket.create_connection(address, cookie=cookies, origin=url, timeout=DONE_WITHIN_SECONDS)
    missing = {f"stack{number}@example.org" for number in range(ROWS)}
    while missing:
        frame = json.loads(socket.recv())
        missing -= {member["email"] for member in frame.get("members", [])}
        socket.send(json.dumps({"type": "ack", "revision": frame["revision"]}))
    socket.close()
    return time.monotonic() - began


def _post(session: requests.Session, url: str, data: dict, files: dict | None = None, *, read_from: str = ""):
    page = session.get(read_from or url, timeout=30).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, f"no form on {read_from or url}"
    answer = session.post(url, {**data, "csrfmiddlewaretoken": token[1]}, files=files, timeout=60)
    answer.raise_for_status()
    return answer


if __name__ == "__main__":
    sys.exit(main())
