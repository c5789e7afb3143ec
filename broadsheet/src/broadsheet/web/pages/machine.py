"""What machines ask: whether the instance is well, and what they may read."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet import links

log = logging.getLogger("broadsheet.web.health")

_TEXT = "text/plain; charset=utf-8"

# Every search is another address, so robots would never come to an end. RFC 9309.
ROBOTS = f"User-agent: *\nDisallow: {links.SEARCH}\n"


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """``ok`` when pages and database answer; 503 and a sentence when the database does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.exception("the database does not answer")
        return _plain("The database does not answer.\n", status=503)
    return _plain("ok\n")


@require_safe
def robots(_request: HttpRequest) -> HttpResponse:
    """What robots may read: everything but searches."""
    return _plain(ROBOTS)


def _plain(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(text, content_type=_TEXT, status=status, headers={"Cache-Control": "no-store"})
