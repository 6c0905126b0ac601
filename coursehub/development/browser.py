"""A Chromium for browser tests: the system's, else Debian's package, else Playwright's own download."""

import shutil
import subprocess
import sys
from pathlib import Path

from coursehub.development.packages import apt_install

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without a screen, as root, and without asking its maker's servers for updates.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find_chromium() -> Path | None:
    """The system's Chromium, or None: then Playwright looks for its own."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return Path(found) if found else None


def ensure_chromium() -> None:
    """Make sure that browser tests find a Chromium. Raises CalledProcessError when nothing can be installed."""
    if not find_chromium() and not apt_install("chromium"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    ensure_chromium()
