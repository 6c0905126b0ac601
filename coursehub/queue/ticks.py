"""What the one ticker of all workers calls again and again, to find work that is due."""

from coursehub import registered

# Path of a function without arguments -> seconds between two calls. Filled by AppConfig.ready().
TICKS: dict[str, float] = {}


def register_tick(path: str, *, seconds: float) -> None:
    """Have the ticker call the function at the dotted `path` every `seconds` (from 1 on).

    The function takes no arguments, asks one indexed query what is due and enqueues it. It gets at most
    5 s. One that raises or overstays is logged, and called again at its next time. It runs in one process
    of all workers, but for a moment at a handover perhaps in two.
    """
    TICKS[registered.note(path, "a tick")] = seconds
