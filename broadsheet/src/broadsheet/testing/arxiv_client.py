"""The real client, on its way to the pretended arXiv."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from broadsheet.fetching.client import Client
from broadsheet.fetching.limits import Limits
from broadsheet.fetching.pace import Pace

HOSTS = ("oaipmh.arxiv.org", "rss.arxiv.org", "export.arxiv.org", "arxiv.org")


def client_of(folder: Path, url: str, clock: list[datetime], *, interval: float = 0.0) -> Client:
    """The real client, with all hosts of arXiv at `url` and the time that `clock` holds.

    `interval` is the pace in seconds. Nothing else is waited for, as time is simulated; what drips is given up soon.
    """
    limits = Limits(connect=2.0, silence=1.0, total=1.5, wait=60.0, pauses=(0.0, 0.0), patience=0.0)
    return Client(
        folder / "fetching",
        contact="ada@example.org",
        clock=lambda: clock[0],
        routes={f"{scheme}://{host}": url for scheme in ("http", "https") for host in HOSTS},
        paces=(Pace("arxiv", ("arxiv.org",), interval, interval),),
        limits=limits,
    )
