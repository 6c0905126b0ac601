"""`python -m coursehub.sandbox`: the sandbox without Django; prints its address once it answers."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from coursehub.sandbox.profiles import switches_in
from coursehub.sandbox.sandbox import DEFAULT_ORG_ID, Options
from coursehub.sandbox.server import serve
from coursehub.sandbox.storage import StateUnusable
from coursehub.sandbox.switches import BadSwitch


def switch_value(text: str) -> tuple[str, Any]:
    """`name=value`, the value in JSON or, failing that, as plain text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must be name=value")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def add_arguments(parser: argparse.ArgumentParser, port: int, state: str) -> None:
    """The sandbox's options, with these defaults."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=port, help="0 takes a free one (default %(default)s)")
    parser.add_argument("--state", default=state, help="SQLite file that keeps everything (default %(default)s)")
    parser.add_argument("--seed", type=int, help="makes a new academy reproducible; an existing one keeps its own")
    parser.add_argument("--speed", type=float, help="how fast learners live: the switch progress_speed")
    parser.add_argument("--org", default=DEFAULT_ORG_ID, help="the organisation's id (default %(default)s)")
    parser.add_argument(
        "--switch",
        dest="switches",
        action="append",
        type=switch_value,
        default=[],
        metavar="NAME=VALUE",
        help="set a switch at every start; see /_sandbox/ for their list",
    )
    parser.add_argument(
        "--like",
        metavar="FILE",
        help="behave like the academy whose profile is in FILE (what `probe_academy --json` printed)",
    )
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when standard input is closed")


def _announce(address: str) -> None:
    print(f"sandbox: {address}", flush=True)


def _refuse(error: Exception) -> None:
    print(error, file=sys.stderr)


def run(
    arguments: argparse.Namespace,
    first_switches: dict[str, Any],
    *,
    announce: Callable[[str], None] = _announce,
    refuse: Callable[[Exception], None] = _refuse,
) -> int:
    """Serve until told to stop; `first_switches` are set in a new state only. Returns the exit code.

    `announce` hears the address once it answers, `refuse` why it cannot serve.
    """
    try:
        switches = (switches_in(arguments.like) if arguments.like else {}) | dict(arguments.switches)
        if arguments.speed is not None:
            switches["progress_speed"] = arguments.speed
        options = Options(arguments.state, arguments.seed, arguments.org, switches, first_switches)
        asyncio.run(serve(options, arguments.host, arguments.port, announce, arguments.until_stdin_ends))
    except (StateUnusable, BadSwitch, OSError) as error:
        refuse(error)
        return 2
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m coursehub.sandbox", description=__doc__)
    add_arguments(parser, port=8900, state="sandbox.sqlite3")
    return run(parser.parse_args(), {})


if __name__ == "__main__":
    sys.exit(main())
