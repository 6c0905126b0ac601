"""Where a mongod of a short life keeps its data."""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY, _NEEDED_BYTES = Path("/dev/shm"), 4 << 30  # noqa: S108  (what is made in it gets a name of its own)


def scratch_parent() -> Path:
    """The folder to make temporary folders in: in memory where there is room, else on disk.

    mongod syncs with every write, and nothing that is thrown away anyhow has to outlive a loss of power.
    """
    in_memory = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _NEEDED_BYTES
    return _MEMORY if in_memory else Path(tempfile.gettempdir())
