"""A pretended arXiv: its OAI-PMH server, feeds, listing pages and search API, over a history and a clock that is set.

`Arxiv` answers requests for a `broadsheet.testing.origin.Origin`, whatever host they name. It shows at each instant
what arXiv would show then, and misbehaves as the faults say that were planned for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from hashlib import blake2b
from urllib.parse import parse_qs, quote, unquote, urlencode

from broadsheet.sources.base import AnnouncementKind
from broadsheet.testing import arxiv_pages as pages
from broadsheet.testing.arxiv_calendar import EASTERN
from broadsheet.testing.arxiv_history import History, Listed, State, Work
from broadsheet.testing.origin import Reply, Request

# A feed has at most so many items, and drops the new ones first.
FEED_ITEMS = 2000
# A listing page shows at most so many entries.
PAGE_ENTRIES = 2000
_XML = {"Content-Type": "text/xml; charset=utf-8"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_CUT_FIRST = (AnnouncementKind.REPLACE_CROSS, AnnouncementKind.REPLACE, AnnouncementKind.CROSS, AnnouncementKind.NEW)
_LISTING = re.compile(r"/list/([A-Za-z.-]+)/(new|recent|pastweek)")
_FEED = re.compile(r"/(atom|rss)/([A-Za-z.+-]+)")

Misbehaviour = Callable[["Arxiv", Request, Reply], Reply]


@dataclass(slots=True)
class Fault:
    """A way to misbehave in a span of time: `change` makes another reply of the true one.

    `where` is a regular expression that is searched for in the host and the line of the request, as in
    ``oaipmh.arxiv.org/oai?verb=ListRecords``. `left` is how often it may still happen; None: no limit.
    """

    name: str
    where: str
    since: datetime
    until: datetime
    change: Misbehaviour
    left: int | None = None

    def applies(self, address: str, at: datetime) -> bool:
        """Whether a request for this address is treated badly at an instant."""
        return self.since <= at < self.until and self.left != 0 and re.search(self.where, address) is not None


@dataclass
class Arxiv:
    """The pretended arXiv. `now` is its clock; `served` lists what it did wrong: when, which fault, which address."""

    history: History
    now: datetime
    page_size: int = 1000
    faults: list[Fault] = field(default_factory=list)
    served: list[tuple[datetime, str, str]] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        """The reply to a request, after the faults had their way."""
        reply = self.reply(request)
        address = f"{request.headers.get('host', '')}{request.target}"
        for fault in self.faults:
            if fault.applies(address, self.now):
                fault.left = None if fault.left is None else fault.left - 1
                spoilt = fault.change(self, request, reply)
                if self._differs(spoilt, reply, request):
                    self.served.append((self.now, fault.name, address))
                reply = spoilt
        return reply

    def _differs(self, spoilt: Reply, reply: Reply, request: Request) -> bool:
        """Whether a client can tell the reply from the true one, which it may get whole or as what it has already."""
        return spoilt != reply and replace(spoilt, headers={}) != replace(self.whole(request), headers={})

    def whole(self, request: Request) -> Reply:
        """The reply that arXiv would give to a client that has nothing yet."""
        headers = {name: value for name, value in request.headers.items() if not name.startswith("if-")}
        return self.reply(replace(request, headers=headers))

    def reply(self, request: Request) -> Reply:
        """The reply that arXiv would give."""
        if request.path == "/oai":
            return _conditional(request, Reply(200, self._oai(request.query), _XML))
        if request.path == "/api/query":
            return self._search(request)
        if feed := _FEED.fullmatch(request.path):
            return _conditional(request, self._feed(feed[1], feed[2]))
        if listing := _LISTING.fullmatch(request.path):
            return _conditional(request, Reply(200, self._listing(request, listing[1], listing[2]), _HTML))
        return Reply(404, b"<html><body>404: Not found</body></html>", _HTML)

    def feed_day(self) -> date:
        """The day of which the feeds were built last: they are made anew at midnight in the east of the US."""
        return self.now.astimezone(EASTERN).date()

    # OAI-PMH

    def _oai(self, query: Mapping[str, str]) -> bytes:
        asked = dict(query)
        match asked.get("verb", ""):
            case "Identify":
                body = pages.identify()
            case "ListRecords":
                body = self._list_records(asked)
            case "GetRecord":
                body = self._get_record(asked)
            case _:
                asked, body = {}, pages.error("badVerb", "Value of the verb argument is not a legal OAI-PMH verb.")
        return pages.oai(body, at=self.now, query=asked)

    def _get_record(self, asked: dict[str, str]) -> str:
        work = self.history.works.get(asked.get("identifier", "").removeprefix("oai:arXiv.org:"))
        state = work.state(self.now) if work else None
        if work is None or state is None:
            return pages.error("idDoesNotExist", "The value of the identifier argument is unknown.")
        return f"    <GetRecord>\n{pages.record(work, state, asked.get('metadataPrefix', ''))}\n</GetRecord>"

    def _list_records(self, asked: dict[str, str]) -> str:
        skip = 0
        if "resumptionToken" in asked:
            resumed = self._resume(asked)
            if resumed is None:
                return pages.error("badResumptionToken", "The value of the resumptionToken argument is invalid.")
            asked, skip = resumed
        if asked.get("metadataPrefix") not in ("arXiv", "arXivRaw"):
            return pages.error("cannotDisseminateFormat", "The metadata format is not supported.")
        try:
            since = date.fromisoformat(asked["from"]) if "from" in asked else None
        except ValueError:
            return pages.error("badArgument", "The from argument is no date.")
        return self._page(asked, self._selected(since, asked.get("set", "")), skip)

    def _page(self, asked: dict[str, str], found: Sequence[tuple[Work, State]], skip: int) -> str:
        chosen = found[skip : skip + self.page_size]
        if not chosen:
            return pages.error("noRecordsMatch", "The combination of the arguments results in an empty list.")
        token = pages.token("", None, len(found))
        if skip + self.page_size < len(found):
            token = pages.token(self._token(asked, skip + self.page_size), pages.midnight_utc(self.now), len(found))
        return pages.list_records((pages.record(*pair, asked["metadataPrefix"]) for pair in chosen), token)

    def _selected(self, since: date | None, chosen_set: str) -> list[tuple[Work, State]]:
        return [
            (work, state)
            for work, state in self.history.changed(since, self.now)
            if not chosen_set
            or any(f"{pages.set_spec(name)}:".startswith(f"{chosen_set}:") for name in state.categories)
        ]

    def _token(self, asked: dict[str, str], skip: int) -> str:
        return quote(urlencode({**asked, "skip": skip, "issued": f"{self.now:%Y-%m-%d}"}))

    def _resume(self, asked: dict[str, str]) -> tuple[dict[str, str], int] | None:
        """The request that a token stands for; None when it expired, is none, or does not stand alone."""
        known = {name: values[0] for name, values in parse_qs(unquote(asked["resumptionToken"])).items()}
        alone = asked.keys() == {"verb", "resumptionToken"}
        if not alone or known.pop("issued", "") != f"{self.now:%Y-%m-%d}" or not known.get("skip", "").isdigit():
            return None
        return known, int(known.pop("skip"))

    # Feeds and listing pages

    def feed(self, form: str, section: str, day: date) -> bytes:
        """The feed of a section, or of several joined by a plus sign, as it was built on `day`."""
        lines: dict[str, Listed] = {}
        if self.history.schedule.has_list(day):
            for part in section.split("+"):
                for line in self.history.listed(day, part, page=False):
                    lines.setdefault(line.work.identifier, line)
        ordered = sorted(lines.values(), key=lambda line: (_CUT_FIRST.index(line.kind), line.work.identifier))
        built = datetime.combine(day, time(0, 0, 19), EASTERN).astimezone(UTC)
        write = pages.atom if form == "atom" else pages.rss
        return write(section, day, ordered[:FEED_ITEMS], at=built)

    def _feed(self, form: str, section: str) -> Reply:
        day = self.feed_day()
        built = datetime.combine(day, time(), EASTERN).astimezone(UTC)
        late = self.history.schedule.has_list(day) and self.history.schedule.announced_at(day) > self.now
        body = self.feed(form, section, self.history.schedule.newest(self.now) if late else day)
        kind = f"application/{form}+xml; charset=utf-8"
        return Reply(200, body, {"Content-Type": kind, "Last-Modified": format_datetime(built, usegmt=True)})

    def page(self, section: str, day: date, *, skip: int = 0, show: int = PAGE_ENTRIES) -> bytes:
        """The page /list/SECTION/new of a day."""
        lines = sorted(self.history.listed(day, section, page=True), key=lambda line: line.work.identifier)
        return pages.new_page(section, day, lines, skip=skip, show=show)

    def _listing(self, request: Request, section: str, which: str) -> bytes:
        skip = _number(request.query.get("skip", ""), 0)
        newest = self.history.schedule.newest(self.now)
        if which == "new":
            show = min(_number(request.query.get("show", ""), PAGE_ENTRIES), PAGE_ENTRIES)
            return self.page(section, newest, skip=skip, show=show)
        show = min(_number(request.query.get("show", ""), 50), PAGE_ENTRIES)
        return pages.recent_page(section, self._recent(section, newest), skip=skip, show=show)

    def _recent(self, section: str, newest: date) -> list[tuple[date, list[Listed]]]:
        days = [day for day in sorted(self.history.updates, reverse=True) if day <= newest][:5]
        return [
            (
                day,
                [*self._lines(day, section, AnnouncementKind.NEW), *self._lines(day, section, AnnouncementKind.CROSS)],
            )
            for day in days
        ]

    def _lines(self, day: date, section: str, kind: AnnouncementKind) -> list[Listed]:
        lines = [line for line in self.history.listed(day, section, page=True) if line.kind is kind]
        return sorted(lines, key=lambda line: line.work.identifier, reverse=True)

    # The search API

    def _search(self, request: Request) -> Reply:
        start = _number(request.query.get("start", ""), 0)
        limit = _number(request.query.get("max_results", ""), 10)
        asked = [name for name in request.query.get("id_list", "").split(",") if name]
        found = [pair for pair in map(self._asked_for, asked) if pair is not None]
        query = request.target.partition("?")[2]
        body = pages.search(query, found, at=self.now, start=start, limit=limit)
        return Reply(200, body, {"Content-Type": "application/atom+xml; charset=utf-8"})

    def _asked_for(self, name: str) -> tuple[Work, int] | None:
        identifier, _, version = name.partition("v")
        work = self.history.works.get(identifier)
        state = work.state(self.now) if work else None
        if work is None or state is None:
            return None
        return work, min(_number(version, state.versions), state.versions)


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default


def _conditional(request: Request, reply: Reply) -> Reply:
    """The reply with a tag, or 304 where the client has just this."""
    tag = f'"{blake2b(reply.body, digest_size=8).hexdigest()}"'
    headers = {**reply.headers, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Reply(304, b"", headers)
    return Reply(reply.status, reply.body, headers)
