"""Install a Debian package where that is allowed, else say in one sentence what the reader can do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

INSTALL_SECONDS = 900
# Another apt (a nightly upgrade, say) may hold the lock for a while.
_OPTIONS = ("-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2")


class Unavailable(Exception):
    """What was looked for is neither here nor can it be installed. The text is a sentence for the reader."""


@dataclass(frozen=True)
class Machine:
    """What decides whether we may install: are we root, where is apt-get (None when there is none)."""

    root: bool
    apt_get: str | None


def machine() -> Machine:
    """This machine."""
    return Machine(root=os.geteuid() == 0, apt_get=shutil.which("apt-get"))


def refusal(here: Machine, packages: Sequence[str]) -> str | None:
    """Why we may not install these packages and what to do instead, as a sentence; None when we may."""
    names = " ".join(packages)
    if here.apt_get is None:
        return f"This system has no apt-get; install what Debian calls {names} with its own tools."
    if not here.root:
        return f"Only root may install it; run: sudo apt install {names}"
    return None


def install(here: Machine, packages: Sequence[str]) -> None:
    """Install Debian packages without their recommendations. Raises Unavailable when that is refused or fails."""
    if (sentence := refusal(here, packages)) is not None:
        raise Unavailable(sentence)
    print(f"· installing Debian's {' '.join(packages)} (once; this can take a few minutes)", flush=True)
    apt = [str(here.apt_get), *_OPTIONS]
    _quietly([*apt, "update"])
    _quietly([*apt, "install", "--yes", "--no-install-recommends", *packages])


def _quietly(command: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(command[:1])} could not be run: {error}") from error
    if done.returncode:
        last = "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-6:])
        raise Unavailable(f"apt-get failed (status {done.returncode}). Its last words:\n    {last}")
