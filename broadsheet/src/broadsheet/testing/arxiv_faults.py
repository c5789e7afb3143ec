"""What can go wrong at the pretended arXiv: each function makes a bad reply of a good one.

The incidents behind them are in the project's collection of failures; `docs/developer/faults.md` has the list.
"""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import format_datetime
from random import Random

from broadsheet.testing import arxiv_pages as pages
from broadsheet.testing.arxiv import Arxiv, Misbehaviour
from broadsheet.testing.origin import Reply, Request, bomb

_RECORD = re.compile(rb"<record>.*?</record>\n?", re.DOTALL)
_TOKEN = re.compile(rb"<resumptionToken.*?</resumptionToken>", re.DOTALL)
_ENTRY = re.compile(rb"\s*<entry>.*?</entry>|\s*<item>.*?</item>", re.DOTALL)


def _with(reply: Reply, body: bytes) -> Reply:
    """The reply with another body; it is whole even where the client has the true one already."""
    headers = {name: value for name, value in reply.headers.items() if name != "ETag"}
    return Reply(200 if reply.status == 304 else reply.status, body, headers)


def stale_feed(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """The feed as it was built for the list before: https://github.com/ZJU-REAL/Polaris/issues/414"""
    _, form, section = request.path.split("/")
    day = world.feed_day() - timedelta(days=1)
    while not world.history.schedule.has_list(day):
        day -= timedelta(days=1)
    return _with(reply, world.feed(form, section, day))


def stale_page(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """The listing page of the list before, from a cache that nobody cleared."""
    section = request.path.split("/")[2]
    newest = world.history.schedule.newest(world.now)
    return _with(
        reply,
        world.page(
            section, world.history.schedule.newest(world.history.schedule.announced_at(newest) - timedelta(seconds=1))
        ),
    )


def stale(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A feed or a listing page of the list before: then nobody on the web says that there is another."""
    return (stale_page if request.path.startswith("/list/") else stale_feed)(world, request, reply)


def empty_feed(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A feed with nothing in it on a day that has a list."""
    return _with(reply, _ENTRY.sub(b"", world.whole(request).body))


def missing(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """Nothing at that address."""
    return Reply(404, b"<html><body>404: Not found</body></html>", {"Content-Type": "text/html"})


def empty_page(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """No records, and the token for the next page: https://github.com/jannisborn/paperscraper, issue 31."""
    return _with(reply, _RECORD.sub(b"", world.whole(request).body))


def skipped_page(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """The end of the list after the first page, as if no other followed."""
    end = pages.token("", None, world.page_size).encode()
    return _with(reply, _TOKEN.sub(end, world.whole(request).body))


def truncated(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """The first two thirds of an answer, with a length that says that this is all."""
    body = world.whole(request).body
    return _with(reply, body[: len(body) * 2 // 3])


def cut(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A connection that breaks in the middle of the answer."""
    body = world.whole(request).body
    return Reply(200, body, {"Content-Type": "text/xml"}, cut=len(body) // 2)


def wrong_encoding(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """Bytes of another encoding than the one that the answer names."""
    body = world.whole(request).body.decode().replace("Part", "Pärt")
    return _with(reply, body.encode("latin-1", "replace"))


def disordered(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """Every record twice, in any order."""
    body = world.whole(request).body
    for pattern in (_RECORD, _ENTRY):
        found = pattern.findall(body)
        if found:
            twice = [*found, *found]
            Random(len(body)).shuffle(twice)  # noqa: S311 - an order, no secret
            start, end = body.index(found[0]), body.rindex(found[-1]) + len(found[-1])
            return _with(reply, body[:start] + b"".join(twice) + body[end:])
    return reply


def expired(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A token that is not good any more."""
    body = pages.error("badResumptionToken", "The value of the resumptionToken argument is invalid or expired.")
    return _with(reply, pages.oai(body, at=world.now, query={}))


def refusing(status: int, *, after: str = "", dated: bool = False) -> Misbehaviour:
    """A status in place of the answer, with `after` as Retry-After in seconds, or as a date with `dated`."""

    def refuse(world: Arxiv, request: Request, reply: Reply) -> Reply:
        value = after
        if dated:
            value = format_datetime(world.now + timedelta(seconds=int(after)), usegmt=True)
        return Reply(status, b"", {"Retry-After": value} if value else {})

    return refuse


def dripping(seconds: float) -> Misbehaviour:
    """An answer that comes byte by byte, `seconds` apart."""

    def drip(world: Arxiv, request: Request, reply: Reply) -> Reply:
        return Reply(200, world.whole(request).body, {"Content-Type": "text/xml"}, drip=seconds)

    return drip


def redirecting(target: str) -> Misbehaviour:
    """A redirect to another address, as to one inside of a private network."""

    def redirect(world: Arxiv, request: Request, reply: Reply) -> Reply:
        return Reply(302, b"", {"Location": target})

    return redirect


def bombing(size: int) -> Misbehaviour:
    """A small answer that takes `size` bytes when it is decompressed."""

    def explode(world: Arxiv, request: Request, reply: Reply) -> Reply:
        return bomb(size)

    return explode


def hung_up(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """No answer at all."""
    return Reply(0)


def renamed(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """Records in which elements have other names, and with elements that nobody knows."""
    body = world.whole(request).body
    for old, new in ((b"abstract>", b"description>"), (b"<license>", b"<rights>"), (b"</license>", b"</rights>")):
        body = body.replace(old, new)
    return _with(reply, body.replace(b"<categories>", b"<novelty>7</novelty><categories>"))


def retitled(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """Records that call their titles and identifiers otherwise, so that none of them can be read."""
    body = world.whole(request).body
    for name in (b"title>", b"id>"):
        body = body.replace(b"<" + name, b"<paper-" + name).replace(b"</" + name, b"</paper-" + name)
    return _with(reply, body)


def untyped(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A feed that names the type of announcement otherwise."""
    body = world.whole(request).body.replace(b"arxiv:announce_type>", b"arxiv:kind>")
    return _with(reply, body.replace(b"Announce Type:", b"Kind:"))


def undated(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A listing page with another heading: https://github.com/arXiv/arxiv-browse/issues/729"""
    body = world.whole(request).body
    return _with(reply, re.sub(rb"<h3>Showing new listings for [^<]*</h3>", b"<h3>Today at arXiv</h3>", body))


def overstated(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A listing page that claims three more new works than there are."""

    def more(heading: re.Match[bytes]) -> bytes:
        return b"New submissions (showing %d of %d entries)" % (int(heading[1]), int(heading[2]) + 3)

    body = world.whole(request).body
    return _with(reply, re.sub(rb"New submissions \(showing (\d+) of (\d+) entries\)", more, body))


def unsorted(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """Search results in another order than was asked for: https://github.com/lukasschwab/arxiv.py/issues/186"""
    body = world.whole(request).body
    found = _ENTRY.findall(body)
    if not found:
        return reply
    start, end = body.index(found[0]), body.rindex(found[-1]) + len(found[-1])
    return _with(reply, body[:start] + b"".join(reversed(found)) + body[end:])


def cut_short_and_unsorted(world: Arxiv, request: Request, reply: Reply) -> Reply:
    """A list that ends early, so that works are looked up by name, and look-ups in another order."""
    return (skipped_page if request.path == "/oai" else unsorted)(world, request, reply)
