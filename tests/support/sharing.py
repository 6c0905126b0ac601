"""A whole run is shared out among processes; a chosen few tests are run in one. A pytest plugin.

A unit of work is a module, or one long test of it; the longest go first. How long they take stands in `seconds.json`,
which `make test ARGS=--keep-seconds` writes anew.
"""

import json
from collections import Counter

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from coursehub.development.browser import ensure_chromium
from tests.support import ROOT, environment

PROCESSES = 3  # tests wait for one another's processes about a third of their time: the quickest on two cores
LONG_TEST_SECONDS, LONG_MODULE_SECONDS = 4.0, 1.0
_SECONDS_PER_TEST = 0.5  # of a module that is not in the table: rather too early than last
_TABLE = ROOT / "tests" / "seconds.json"
SECONDS: dict[str, float] = json.loads(_TABLE.read_text()) if _TABLE.exists() else {}


def pytest_addoption(parser):
    parser.addoption("--keep-seconds", action="store_true", help="write tests/seconds.json: which tests are long")


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config) -> int:
    """One process where somebody waits for a few tests: several would only begin later."""
    chosen = ("file_or_dir", "keyword", "markexpr", "lf", "usepdb", "screenshots")
    return 0 if any(config.getoption(name, default=None) for name in chosen) else PROCESSES


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config, log) -> LoadScopeScheduling:
    return ByUnit(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session):
    """What all processes need is begun once, by the one that starts them; they collect meanwhile."""
    several = session.config.pluginmanager.hasplugin("dsession")
    if several:
        ensure_chromium()
        environment.share()
    result = yield
    if several:
        environment.MONGOD.start()
    return result


def pytest_collection_finish(session) -> None:
    if not environment.WORKER and any("browser" in getattr(item, "fixturenames", ()) for item in session.items):
        ensure_chromium()


def pytest_unconfigure() -> None:
    if not environment.WORKER:
        environment.MONGOD.stop()


def pytest_collection_modifyitems(items) -> None:
    if environment.WORKER:
        sizes = Counter(unit_of(item.nodeid) for item in items)
        seconds = {unit: SECONDS.get(unit, size * _SECONDS_PER_TEST) for unit, size in sizes.items()}
        items.sort(key=lambda item: (-seconds[unit_of(item.nodeid)], unit_of(item.nodeid)))


def unit_of(test: str) -> str:
    return test if test in SECONDS else test.split("::")[0]


class ByUnit(LoadScopeScheduling):
    """Hands out units in the order in which they were collected, each as late as can be."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _reschedule(self, node) -> None:
        # A process needs to know its next test to end the present one; more would be kept from the others.
        if not self.workqueue or self._pending_of(self.assigned_work[node]) <= 1:
            super()._reschedule(node)


def pytest_terminal_summary(terminalreporter, config) -> None:
    if config.getoption("keep_seconds"):
        tests: Counter[str] = Counter()
        for reports in terminalreporter.stats.values():
            for report in reports:
                if hasattr(report, "duration") and hasattr(report, "nodeid"):
                    tests[report.nodeid] += report.duration
        _TABLE.write_text(json.dumps(_long_units(tests), indent=1, sort_keys=True) + "\n")


def _long_units(tests: Counter[str]) -> dict[str, float]:
    units = {test: seconds for test, seconds in tests.items() if seconds >= LONG_TEST_SECONDS}
    modules: Counter[str] = Counter()
    for test, seconds in tests.items():
        if test not in units:
            modules[test.split("::")[0]] += seconds
    units |= {module: seconds for module, seconds in modules.items() if seconds >= LONG_MODULE_SECONDS}
    return {unit: round(seconds, 1) for unit, seconds in units.items()}
