"""Harvesting: asking a source page by page, and storing each page with all that it says in one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db.models import F
from django.utils import timezone

from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Rejected
from broadsheet.fetching.answers import LIMIT, Answer, Client, Failure, Resting
from broadsheet.ingest.actions import ledger
from broadsheet.ingest.actions.auditing import audit_days
from broadsheet.ingest.actions.following import alone
from broadsheet.ingest.actions.ledger import Noted
from broadsheet.ingest.models import ImportRun, Place, RejectedRecord
from broadsheet.ingest.rules import days
from broadsheet.papers.actions import Stored
from broadsheet.sources.base import EXCERPT_BYTES, Findable, Harvestable, Page, Unreadable
from broadsheet.sources.text import printable
from broadsheet.storage import writing

Stop = Callable[[], bool]

_LOG = logging.getLogger(__name__)
# Warnings kept of one answer; a feed of another form has one for each field.
_WARNINGS = 20
# How far our clock may be from that of an origin.
_SKEW = timedelta(minutes=10)
# How far back a harvest audits the days that it touched; one of years touches thousands that nobody announced to us.
_AUDITED = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class HarvestProgress:
    """How far a harvest is: pages and items stored so far, and the length of the whole list where it is known."""

    source: str
    set_name: str
    pages: int
    items: int
    total: int | None


@dataclass(slots=True)
class HarvestReport:
    """What became of a harvest. Every item is new, merged, changed, unchanged or rejected; `announced` are the works
    that it announced as news and nobody had before, `seconds` is wall time.

    `finished` says that the list was followed to its end; otherwise `failure` is the sentence why not, `overtaken` says
    that another harvest of the same set is ahead of this one, or the number of pages was limited.
    """

    source: str
    set_name: str
    pages: int = 0
    items: int = 0
    announced: int = 0
    rejected: int = 0
    stored: Stored = field(default_factory=Stored)
    days: set[date] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    finished: bool = False
    overtaken: bool = False
    failure: str = ""
    seconds: float = 0.0


def harvest(  # noqa: PLR0913 - all but the first two say which part, and are optional
    source: Harvestable,
    client: Client,
    *,
    set_name: str = "",
    since: date | None = None,
    first: date | None = None,
    now: datetime | None = None,
    progress: Callable[[HarvestProgress], None] | None = None,
    pages: int | None = None,
    stop: Stop = lambda: False,
    wait: bool = True,
) -> HarvestReport | None:
    """Ask for everything after the stored cursor, or from the day `since` on, and store it page by page. Where there is
    neither, it begins with the day `first`.

    After so many `pages` it ends as soon as the next harvest can go on from there, and between any two pages when
    `stop()` says so.

    A failure of the origin ends the harvest, is kept beside the source, and stands in the report; the pages before it
    stand. Only one process harvests an announcer at a time: others `wait`, or get None. Raises database errors; the
    page in hand is then not stored, and neither is its cursor.
    """
    with alone(source.announcer or source.name, wait=wait) as free:
        if not free:
            return None
        work = _Harvest(source, set_name, now, pages=pages, stop=stop, progress=progress)
        cursor = "" if since else work.place.cursor
        begins = since or (None if cursor else first)
        work.follow(source.pages(work.watched(client), set_name=set_name, cursor=cursor, since=begins))
        return work.report


def find(
    source: Findable, client: Client, identifiers: Sequence[Identifier], *, now: datetime | None = None
) -> HarvestReport:
    """Ask a source for works by their identifiers, and store what it says of them.

    Raises database errors; the pages before them stand.
    """
    announcer = ledger.announcer_of(source.name)
    with alone(announcer or source.name, wait=True):
        work = _Harvest(source, LOOK_UP, now, announcer=announcer)
        work.follow(source.find(work.watched(client), identifiers))
        return work.report


# What stands in the place of a set where works were looked up by their identifiers.
LOOK_UP = "look-up"


class _Watched:
    """A client that notes how far our clock is `ahead` of that of the last who answered (RFC 9110, 6.6.1)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.ahead: timedelta | None = None

    def get(
        self,
        url: str,
        *,
        accept: str,
        limit: int = LIMIT,
        conditional: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return self._noted(self._client.get(url, accept=accept, limit=limit, conditional=conditional, headers=headers))

    def post(
        self, url: str, body: bytes, *, content_type: str, accept: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._noted(self._client.post(url, body, content_type=content_type, accept=accept, headers=headers))

    def remember(self, answer: Answer) -> None:
        self._client.remember(answer)

    def _noted(self, answer: Answer) -> Answer:
        try:
            at = parsedate_to_datetime(answer.headers.get("date", ""))
            age = timedelta(seconds=int(answer.headers.get("age", "0")[:9]))
            self.ahead = answer.at - (at if at.tzinfo else at.replace(tzinfo=UTC)) - age
        except (ValueError, OverflowError):
            self.ahead = None
        return answer


class _Harvest:
    """One harvest on its way."""

    def __init__(  # noqa: PLR0913 - how it is to be done, each optional
        self,
        source: Harvestable | Findable,
        set_name: str,
        now: datetime | None,
        *,
        announcer: str = "",
        pages: int | None = None,
        stop: Stop = lambda: False,
        progress: Callable[[HarvestProgress], None] | None = None,
    ) -> None:
        self.source = source
        self.announcer = source.announcer if isinstance(source, Harvestable) else announcer
        self.now = now
        self.most = pages
        self.stop = stop
        self.progress = progress
        self.report = HarvestReport(source.name, set_name)
        self.run_row: ImportRun | None = None
        self.circling = False
        self.clock: _Watched | None = None
        self.place, _ = Place.objects.get_or_create(source=source.name, set_name=set_name)

    def watched(self, client: Client) -> Client:
        """The client, with an eye on the clock of who answers."""
        self.clock = _Watched(client)
        return self.clock

    def follow(self, made: Iterable[Page]) -> None:
        """Store page after page, and note how it went."""
        began = time.monotonic()
        walk = iter(made)
        while (page := self._next(walk)) is not None:
            self._store(page)
            if self.progress:
                done = self.report
                self.progress(HarvestProgress(done.source, done.set_name, done.pages, done.items, page.total))
            if self.circling:
                self._failed(f"{self.source.title} sent a list that goes round in circles.", self.place.cursor)
            if self.report.failure or self.report.overtaken or (not page.last and (self.stop() or self._enough(page))):
                break
        self.report.seconds = time.monotonic() - began
        self._end()

    def _enough(self, page: Page) -> bool:
        """Whether so many pages were stored as wanted, and the next harvest can go on behind this one."""
        return self.most is not None and self.report.pages >= self.most and page.cursor is not None

    def _at(self) -> datetime:
        return self.now or timezone.now()

    def _next(self, walk: Iterator[Page]) -> Page | None:
        """The next page; None at the end, and where the origin or its reader failed."""
        try:
            page = next(walk)
        except StopIteration:
            self.report.finished = True
            self._answered(finished=True)
            return None
        except (Failure, Unreadable) as error:
            self._failed(error.sentence, error.cause, until=error.until if isinstance(error, Resting) else None)
            return None
        except Exception as error:
            _LOG.exception("the source %s failed", self.source.name)
            self._failed(f"{self.source.title} could not be read: {type(error).__name__}.", repr(error))
            return None
        return page

    def _store(self, page: Page) -> None:
        """Store what the page says, the place behind it included, in one transaction."""
        at = self._at()
        rejected = [item for item in page.items if isinstance(item, Rejected)]
        with writing():
            run = self._run(page, at)
            noted = ledger.note(page, announcer=self.announcer, source=self.source.name, run=run, at=at)
            RejectedRecord.objects.bulk_create(
                RejectedRecord(run=run, position=r.position[:64], reason=r.reason, excerpt=r.excerpt[:EXCERPT_BYTES])
                for r in rejected
            )
            _count(run, len(page.items), noted.stored, len(rejected))
            self._advance(page, at)
        self._tally(page, noted, len(rejected))

    def _run(self, page: Page, at: datetime) -> ImportRun:
        """The row of this harvest, made when there is something to count in it."""
        if self.run_row is None:
            run = ImportRun(
                source=self.source.name, filename="", set_name=self.report.set_name, harvested=True, started_at=at
            )
            if page.items or page.announcements or page.counts or page.deleted:
                run.save()
                self.run_row = run
            return run
        return self.run_row

    def _advance(self, page: Page, at: datetime) -> None:
        """Move the place, unless another process moved it meanwhile: then that one is ahead, and this one ends."""
        row = Place.objects.select_for_update().get(id=self.place.id)
        self.report.overtaken = row.cursor != self.place.cursor
        told = {*(line.day for line in page.announcements), *(count.day for count in page.counts)}
        row.newest = max((day for day in (row.newest, *told) if day), default=None)
        row.answered_at = row.tried_at = at
        row.failure, row.failures, row.resting_until = "", 0, None
        kept = row.warnings if self.report.pages else []
        said = (*kept, *(printable(warning) for warning in page.warnings), *self._clock_warnings())
        row.warnings = list(dict.fromkeys(said))[:_WARNINGS]
        if not self.report.overtaken:
            row.cursor = row.cursor if page.cursor is None else page.cursor
            row.unfinished = not page.last
            row.pages = row.pages + 1 if row.unfinished else 0
            self._look_back(row, page)
            self.place.cursor = row.cursor
        row.save()

    def _clock_warnings(self) -> Iterator[str]:
        """A sentence where our clock is far from that of who answers: days are reckoned by ours."""
        ahead = self.clock.ahead if self.clock else None
        if ahead and abs(ahead) > _SKEW:
            minutes = round(abs(ahead).total_seconds() / 60)
            way = "ahead of" if ahead > timedelta() else "behind"
            yield f"This machine's clock is {minutes:,} minutes {way} that of {self.source.title}. Set it right."

    def _look_back(self, row: Place, page: Page) -> None:
        """See whether the list comes by a place where it was before (Brent's algorithm: milestones ever further apart).

        A list that goes round in circles would have us ask for ever.
        """
        self.circling = row.unfinished and page.cursor is not None and row.cursor == row.milestone
        if row.pages & (row.pages - 1) == 0:
            row.milestone = row.cursor if row.unfinished else ""

    def _tally(self, page: Page, noted: Noted, rejected: int) -> None:
        self.report.pages += 1
        self.report.items += len(page.items)
        self.report.announced += noted.announced
        self.report.rejected += rejected
        self.report.stored += noted.stored
        self.report.days |= noted.days
        self.report.warnings += page.warnings

    def _answered(self, *, finished: bool) -> None:
        """Note that the origin answered, also where it had nothing to say."""
        changes = {"answered_at": self._at(), "tried_at": self._at(), "failure": "", "failures": 0}
        with writing():
            Place.objects.filter(id=self.place.id).update(**changes, resting_until=None)
            if finished:
                Place.objects.filter(id=self.place.id, cursor=self.place.cursor).update(unfinished=False)

    def _failed(self, sentence: str, cause: str, *, until: datetime | None = None) -> None:
        """Keep the reason beside the source, where people look for it."""
        _LOG.warning("%s %s: %s", self.source.name, self.report.set_name, cause)
        self.report.failure = printable(sentence)
        with writing():
            Place.objects.filter(id=self.place.id).update(
                tried_at=self._at(), failure=self.report.failure, failures=F("failures") + 1, resting_until=until
            )

    def _end(self) -> None:
        if self.run_row is not None:
            self.run_row.finished_at = self._at()
            self.run_row.error = self.report.failure
            self.run_row.save(update_fields=["finished_at", "error"])
        shown = days.shown(self._at())
        touched = {day for day in self.report.days if day >= shown - _AUDITED}
        audit_days(sorted({*touched, shown}), now=self._at())


def _count(run: ImportRun, read: int, stored: Stored, rejected: int) -> None:
    run.read += read
    run.new += stored.new
    run.merged += stored.merged
    run.changed += stored.changed
    run.unchanged += stored.unchanged
    run.rejected += rejected
    if run.pk:
        run.save()
