"""`broadsheet mcp`: the newspaper for an agent on this machine, over pipes."""

from __future__ import annotations

import signal

from django.conf import settings

from broadsheet.accounts import queries as accounts
from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.web.mcp import server


def speak(name: str = "") -> None:
    """Answer on standard input and output until the other side closes it. `name` says whose library is read.

    Raises Failure when there is no database, or nobody of that name.

    It only reads, so Ctrl-C ends it at once, as SIGTERM does: a thread waits for the next line and would be waited for.
    """
    preparing.require_database()
    reader = accounts.named(name or accounts.ONLY_READER) if name or not settings.BROADSHEET_ACCOUNTS else None
    if name and reader is None:
        raise Failure(f"There is nobody called {name[:40]} here. `broadsheet person list` tells who is.")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server.speak(lambda: reader)
