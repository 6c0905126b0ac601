"""Viewers of a live page while sockets break, and web processes and MongoDB die: nobody ends with a wrong table."""

from bench.soak.plan import Plan
from tests.support.findings import report
from tests.support.progress.feed_faults import step

PLAN = Plan(runs=200, step=10, unit="runs", step_seconds_max=590)


if __name__ == "__main__":
    report(step)
