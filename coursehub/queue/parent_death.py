"""No process outlives its parent: a killed parent takes its children along, and they theirs."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_own_pid = os.getpid()
_next_name = ""


def tie_to_parent(parent_pid: int) -> None:
    """Die by SIGKILL when the parent dies, at once if it is dead already; so will all forked children.

    Elsewhere than on Linux only the guard notices (it looks at its parent each half second).
    """
    _ask_kernel()
    if os.getppid() != parent_pid:
        os._exit(1)  # the parent died before the kernel was asked
    os.register_at_fork(after_in_child=_tie_forked_child)


def _ask_kernel() -> None:
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # not inherited: each child asks for itself


def _tie_forked_child() -> None:
    global _own_pid
    parent_pid, _own_pid = _own_pid, os.getpid()
    _ask_kernel()
    if os.getppid() != parent_pid:
        os._exit(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the guard's own handler is not for its children
    name_process(_next_name)


def name_next_child(name: str) -> None:
    """What `ps` and `top` show for the next process forked from this one."""
    global _next_name
    _next_name = name


def name_process(name: str) -> None:
    """What `ps` and `top` show for this process: `work:` and up to ten letters."""
    if _libc and name:
        _libc.prctl(_PR_SET_NAME, f"work:{name}".encode()[:15])
