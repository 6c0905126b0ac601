"""A web process and a worker, as a browser meets them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from bench.live import stage
from bench.report import ROOT
from coursehub.development.mongod import die_with_parent, free_port
from tests.support.stage.workers import family


class Product:
    """A web process, a worker, and a trainer's session."""

    def __init__(self, cookie: str) -> None:
        self._port = free_port()
        environment = {**os.environ, "PORT": str(self._port), "TRAINERCENTRAL_CALLS_PER_MINUTE": "25"}
        self._processes = [
            subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, preexec_fn=die_with_parent)
            for command in (["-m", "coursehub.web"], ["manage.py", "work"])
        ]
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.cookies.set("sessionid", cookie)
        self._wait_for_web()

    def _wait_for_web(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                page = self._http.get(self._url("/invitations/upload/"), timeout=5)
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline, "the web process does not answer"
                time.sleep(0.2)
        assert page.ok, page.status_code
        time.sleep(5)  # the worker's processes are all there and idle

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"

    def upload(self, content: bytes, course: str) -> str:
        """Returns the address that the answer leads to."""
        answer = self._post(content, course)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def refusal(self, content: bytes, course: str) -> str:
        """The page that says why the file cannot be used."""
        answer = self._post(content, course)
        assert answer.status_code == 200, answer.status_code
        return answer.text

    def _post(self, content: bytes, course: str) -> requests.Response:
        return self._http.post(
            self._url("/invitations/upload/"),
            data={"course": course, "csrfmiddlewaretoken": self._http.cookies["csrftoken"]},
            files={"file": ("class.csv", content, "text/csv")},
            allow_redirects=False,
            timeout=120,
        )

    def status(self, address: str) -> dict[str, Any]:
        return self._http.get(self._url(f"{address}status.json"), timeout=60).json()

    def download(self, path: str) -> Iterator[bytes]:
        """The body of the answer, as it comes."""
        with self._http.get(self._url(path), stream=True, timeout=300) as answer:
            answer.raise_for_status()
            yield from answer.iter_content(chunk_size=None)

    def cpu_seconds(self, server: Any) -> float:
        """Processor time of web, worker and mongod so far."""
        processes = [each for process in self._processes for each in family(process.pid)]
        return sum(stage.cpu_seconds(pid) for pid in [*processes, server.process.pid])

    def worker_mb(self) -> float:
        """Resident memory of the worker and all that it started."""
        return sum(_resident_mb(pid) for pid in family(self._processes[1].pid))

    def all_mb(self) -> float:
        """Resident memory of web, worker and all that they started."""
        while True:
            try:
                return sum(_resident_mb(pid) for process in self._processes for pid in family(process.pid))
            except FileNotFoundError:  # a thread ended while its children were listed
                continue

    def web_mb(self) -> float:
        """Resident memory of the web process."""
        return _resident_mb(self._processes[0].pid)

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(60)


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0
