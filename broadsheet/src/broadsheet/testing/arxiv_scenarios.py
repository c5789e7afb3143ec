"""Faults as they happen: what goes wrong at the pretended arXiv or with us, from which list on, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from broadsheet.testing import arxiv_faults as bad
from broadsheet.testing.arxiv import Fault, Misbehaviour
from broadsheet.testing.arxiv_calendar import Schedule

FEEDS = r"^rss\.arxiv\.org/"
LISTINGS = r"^arxiv\.org/list/"
NEW_PAGES = r"^arxiv\.org/list/[^/]+/new"
HARVESTS = r"^oaipmh\.arxiv\.org/oai"
FIRST_PAGES = r"^oaipmh\.arxiv\.org/oai\?(?!.*resumptionToken).*verb=ListRecords"
NEXT_PAGES = r"^oaipmh\.arxiv\.org/oai\?.*resumptionToken="
SEARCHES = r"^export\.arxiv\.org/api/"
EVERYTHING = r"arxiv\.org/"
_BEFORE = timedelta(minutes=10)

# What goes wrong with us: the database is locked, or its disk full; we are killed; we do not run; our clock is wrong.
LOCKED, FULL, KILLED, AWAY = "locked", "full", "killed", "away"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault in its time: from the list of `day` on, over so many `lists`.

    `change` happens to requests that `where` is found in, each time or at most `times` times; `trouble` is ours.
    `skew` is how far our clock is ahead. Without any of these the calendar itself is the test.
    """

    name: str
    day: date
    where: str = ""
    change: Misbehaviour | None = None
    lists: int = 1
    times: int | None = None
    trouble: str = ""
    skew: timedelta = timedelta()
    schedule: Callable[[date], Schedule] = field(default=lambda day: Schedule())

    def calendar(self) -> Schedule:
        """The schedule of the lists in this scenario."""
        return self.schedule(self.day)

    @property
    def harmless(self) -> bool:
        """Whether nothing goes wrong in it: then nothing may be said to be amiss."""
        return not (self.change or self.trouble or self.skew) and self.calendar() == Schedule()

    def span(self) -> tuple[datetime, datetime]:
        """From when to when it goes wrong: from just before the first list comes out to just before the one after."""
        calendar = Schedule()
        days = list(calendar.days(self.day, self.day + timedelta(days=30)))
        start, end = (calendar.announced_at(day) - _BEFORE for day in (days[0], days[self.lists]))
        return start, end

    def faults(self) -> list[Fault]:
        """What to plan at the pretended arXiv."""
        if self.change is None:
            return []
        start, end = self.span()
        return [Fault(self.name, self.where, start, end, self.change, self.times)]


# A Wednesday with nothing special around it, and one more; other days where the calendar matters.
_DAY = date(2026, 3, 25)
_OTHER = date(2026, 5, 13)


def _unannounced(day: date) -> Schedule:
    return Schedule(skipped=frozenset({day}))


def _late(day: date) -> Schedule:
    return Schedule(late={day: timedelta(hours=9)})


SCENARIOS = (
    # Feeds
    Scenario("stale feed of one category", _DAY, rf"{FEEDS}(?:atom|rss)/cs\.AI", bad.stale_feed),
    Scenario("stale feeds of all categories", _OTHER, FEEDS, bad.stale_feed),
    Scenario("stale feeds for three lists", _DAY, FEEDS, bad.stale_feed, lists=3),
    Scenario("stale feed and stale page", _OTHER, r"/cs\.AI", bad.stale),
    Scenario("empty feeds on a day with a list", _DAY, FEEDS, bad.empty_feed),
    Scenario("feeds missed for three lists", _OTHER, FEEDS, bad.missing, lists=3),
    Scenario("feeds truncated", _DAY, FEEDS, bad.truncated),
    Scenario("feeds in a wrong encoding", _OTHER, FEEDS, bad.wrong_encoding),
    Scenario("feeds with entries twice and in any order", _DAY, FEEDS, bad.disordered),
    Scenario("feeds without announcement types", _OTHER, FEEDS, bad.untyped),
    # Listing pages
    Scenario("listing pages missing", _DAY, LISTINGS, bad.missing),
    Scenario("stale listing pages", _OTHER, NEW_PAGES, bad.stale_page),
    Scenario("listing pages without their date", _DAY, NEW_PAGES, bad.undated),
    Scenario("listing total higher than its items", _OTHER, NEW_PAGES, bad.overstated),
    Scenario("listing pages truncated", _DAY, LISTINGS, bad.truncated),
    # OAI-PMH
    Scenario("empty page in the middle", _DAY, NEXT_PAGES, bad.empty_page),
    Scenario("empty page once", _OTHER, NEXT_PAGES, bad.empty_page, times=1),
    Scenario("list ends after its first page", _DAY, FIRST_PAGES, bad.skipped_page),
    Scenario("second page missing", _OTHER, NEXT_PAGES, bad.missing),
    Scenario("records truncated", _DAY, HARVESTS, bad.truncated),
    Scenario("connection breaks in the middle", _OTHER, HARVESTS, bad.cut),
    Scenario("records in a wrong encoding", _DAY, HARVESTS, bad.wrong_encoding),
    Scenario("records twice and in any order", _OTHER, HARVESTS, bad.disordered),
    Scenario("token expired", _DAY, NEXT_PAGES, bad.expired),
    Scenario("token expired once", _OTHER, NEXT_PAGES, bad.expired, times=1),
    Scenario("elements renamed and added", _DAY, HARVESTS, bad.renamed),
    Scenario("titles and identifiers renamed", _OTHER, HARVESTS, bad.retitled),
    # All of arXiv
    Scenario("429 with Retry-After", _DAY, EVERYTHING, bad.refusing(429, after="1800"), times=3),
    Scenario(
        "429 with Retry-After as a date", _OTHER, EVERYTHING, bad.refusing(429, after="7200", dated=True), times=3
    ),
    Scenario("429 without Retry-After for a day", _DAY, EVERYTHING, bad.refusing(429)),
    Scenario("503 with Retry-After", _OTHER, EVERYTHING, bad.refusing(503, after="600"), times=5),
    Scenario("503 without Retry-After for a day", _DAY, EVERYTHING, bad.refusing(503)),
    Scenario("406 for a day", _OTHER, EVERYTHING, bad.refusing(406)),
    Scenario("answers byte by byte", _DAY, EVERYTHING, bad.dripping(0.05), times=20),
    Scenario("redirect to a private address", _OTHER, EVERYTHING, bad.redirecting("https://169.254.169.254/latest/")),
    Scenario("decompression bomb", _DAY, EVERYTHING, bad.bombing(256 * 2**20), times=40),
    Scenario("hosts down for two lists", _OTHER, EVERYTHING, bad.hung_up, lists=2),
    Scenario("sortBy ignored in look-ups", _DAY, rf"{FIRST_PAGES}|{SEARCHES}", bad.cut_short_and_unsorted),
    # With us
    Scenario("database locked", _DAY, trouble=LOCKED),
    Scenario("disk full", _OTHER, trouble=FULL),
    Scenario("killed with -9 again and again", _DAY, trouble=KILLED),
    Scenario("not running for three lists", _OTHER, trouble=AWAY, lists=3),
    Scenario("not running for eight lists", _DAY, trouble=AWAY, lists=8),
    Scenario("our clock six hours ahead", _DAY, skew=timedelta(hours=6), lists=2),
    Scenario("our clock six hours behind", _OTHER, skew=timedelta(hours=-6), lists=2),
    # The calendar
    Scenario("daylight saving begins, 8 March", date(2026, 3, 9), lists=2),
    Scenario("daylight saving ends, 1 November", date(2026, 11, 2), lists=2),
    Scenario("no mailing on 3 July", date(2026, 7, 2), lists=3),
    Scenario("no mailing on 25 December", date(2026, 12, 24), lists=3),
    Scenario("a list left out unannounced", _DAY, schedule=_unannounced),
    Scenario("a list nine hours late", _OTHER, schedule=_late),
)


def named(name: str) -> Scenario:
    """The scenario of this name. Raises KeyError."""
    return {scenario.name: scenario for scenario in SCENARIOS}[name]
