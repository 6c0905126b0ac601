"""Debian's packages, where this is Debian and we may install them."""

import os
import shutil
import subprocess


def apt_install(*packages: str) -> bool:
    """Install `packages`; False, with nothing done, where there is no apt or we are not root.

    Raises CalledProcessError when apt itself fails.
    """
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", *command], check=True, stdout=subprocess.DEVNULL, env=environment)
    return True
