"""A worker in a process of its own, for tests that kill it: `python -m broadsheet.testing.arxiv_worker FOLDER URL NOW`.

It works on the instance that the environment names, as at the instant NOW, with the pretended arXiv at URL. It prints a
line before it begins.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import django

from broadsheet.testing.arxiv_client import client_of


def main(folder: str, url: str, now: str) -> None:
    """Do all that is due."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")
    django.setup()
    from broadsheet.testing import arxiv_trial  # noqa: PLC0415 - needs Django set up

    at = datetime.fromisoformat(now)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    arxiv_trial.work(client_of(Path(folder), url, [at]), at)


if __name__ == "__main__":
    main(*sys.argv[1:])
