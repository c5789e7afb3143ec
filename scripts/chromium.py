"""Find a Chromium for the browser tests, or install Debian's.

`python scripts/chromium.py` prints the path of the one that the tests would use, and how it was found.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import debian

VARIABLE = "BROADSHEET_CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium without any font prints boxes; a font is only recommended by its package, never required.
PACKAGES = ("chromium", "fonts-liberation", "fonts-dejavu-core")
# Where the tests' own browser library keeps its browsers: https://playwright.dev/python/docs/browsers
PLAYWRIGHT_VARIABLE = "PLAYWRIGHT_BROWSERS_PATH"
PLAYWRIGHT_FOLDERS = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
PLAYWRIGHT_PATTERNS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    "chromium_headless_shell-*/*/headless_shell",
    "chromium_headless_shell-*/*/chrome-headless-shell",
)


@dataclass(frozen=True)
class Browser:
    """A Chromium: the path of its program, how it was found (for people), the version it prints."""

    path: Path
    how: str
    version: str


def candidates(environment: Mapping[str, str]) -> list[tuple[Path, str]]:
    """Where a Chromium is, best first, each with how it was found. Nothing is started; the list may be empty.

    Raises Unavailable when the environment names one that does not exist: whoever names one means that one.
    """
    if named := environment.get(VARIABLE):
        if not os.access(named, os.X_OK):
            raise debian.Unavailable(f"{VARIABLE} is {named}, which is not a program. Correct it or unset it.")
        return [(Path(named), f"named by {VARIABLE}")]
    search = environment.get("PATH", os.defpath)
    found = [(Path(path), "of this system") for name in COMMANDS if (path := shutil.which(name, path=search))]
    for folder in (environment.get(PLAYWRIGHT_VARIABLE), *PLAYWRIGHT_FOLDERS):
        if folder:
            for pattern in PLAYWRIGHT_PATTERNS:
                newest_first = sorted(Path(folder).expanduser().glob(pattern), reverse=True)
                found += [(path, "of Playwright") for path in newest_first if os.access(path, os.X_OK)]
    return found


def version(path: Path) -> str | None:
    """What `--version` prints, for example "Chromium 156.0.8078.79 …"; None when the program does not run.

    Ubuntu's package, for one, is a script that only asks for another way of installing.
    """
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 and done.stdout.strip() else None


def find(environment: Mapping[str, str]) -> Browser | None:
    """The first Chromium here that runs, or None. Installs nothing. Raises Unavailable as `candidates` does."""
    for path, how in candidates(environment):
        if printed := version(path):
            return Browser(path, how, printed)
    return None


def obtain(environment: Mapping[str, str]) -> Browser:
    """A Chromium that runs, installed now if need be. Raises Unavailable with a sentence when there is no way."""
    if browser := find(environment):
        return browser
    debian.install(debian.machine(), PACKAGES)
    if browser := find(environment):
        return Browser(browser.path, "of Debian, just installed", browser.version)
    raise debian.Unavailable("Debian's chromium was installed, but it does not run; try: chromium --version")


def main() -> int:
    """Print which one it is. The exit status is 0 when there is one."""
    try:
        browser = obtain(os.environ)
    except debian.Unavailable as error:
        print(f"No Chromium here. {error}", file=sys.stderr)
        return 1
    print(f"{browser.path}  ({browser.how}, {browser.version})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
