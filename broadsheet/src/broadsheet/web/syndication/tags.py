"""Names for what a feed holds that stay the same for ever: tag URIs of RFC 4151.

    tag:papers.example.org,2026:paper/2401.00001

The authority is the first name of the setting `allowed_hosts`, not the host that somebody asked for: one instance has
several, and behind all of them a paper is the same one.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from django.conf import settings

# On the first day of this year the authority was whose it is; RFC 4151 asks for such a date.
_YEAR = "2026"
# RFC 4151, section 2.1: what may stand in the last part of a tag besides letters and digits.
_SAFE = "/:@!$&'()*+,;=~-._"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# An address of the network has colons in brackets, which no tag can have.
_OWN = frozenset({"localhost", "127.0.0.1", "[::1]"})


def tag(name: str) -> str:
    """The tag URI of what is called `name` here, as ``paper/2401.00001`` or ``edition/day/2026-11-20``."""
    return f"tag:{_authority()},{_YEAR}:{quote(name.encode('utf-8', 'replace'), safe=_SAFE)}"


def _authority() -> str:
    """The first name that the operator gave this instance; ``localhost`` where there is none."""
    named = (host.lower() for host in settings.ALLOWED_HOSTS if host not in _OWN and _NAME.fullmatch(host))
    return next(named, "localhost")
