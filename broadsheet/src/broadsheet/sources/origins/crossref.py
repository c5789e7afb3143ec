"""Crossref, where publishers register the DOIs of journals, proceedings, books and most preprint servers.

Read are the answers of ``https://api.crossref.org`` about one work and about lists of works (documentation:
https://www.crossref.org/documentation/retrieve-metadata/rest-api/, and 471 recorded works of 2019 to 2026).

- A work is known by its DOI. Titles and abstracts come with the markup that was deposited; see `markup`.
- What is a paper, and which identifiers are the same work, is told by `registered`. The day on which Crossref itself
  heard of a work is no announcement.
- A list that is harvested is that of a journal or of a prefix: all works that were indexed since a day. Crossref keeps
  the place in the list itself and forgets it after some minutes; the same ``next-cursor`` gives one page after another
  (recorded in June 2026), so an answer that was lost on its way is a page that does not come again. Therefore a list is
  not resumed in its middle, and it counts as whole only when as many works came as Crossref says there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Client, Declined, Missing, Refused
from broadsheet.sources import csl_parts, days, lookups, registered
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.json_document import Drift

WORKS = "https://api.crossref.org/works"
# What is asked for of each work: without its references and links an answer is a tenth as long.
SELECT = (
    *("DOI", "type", "title", "subtitle", "abstract", "author", "issued", "posted", "container-title", "license"),
    *("relation", "update-to", "updated-by", "indexed"),
)
# Works in an answer of a harvest; Crossref gives at most 1,000.
ROWS = 500
# DOIs in one look-up, and how many letters they may have together: the address must stay short.
_PER_LOOKUP = 50
_LONGEST_FILTER = 4_000
# Longer than the list of any publisher.
_MOST_PAGES = 100_000

_HEAD = re.compile(rb'\s{0,100}\{[^\[\]]{0,400}?"message-(?:type|version)"\s{0,9}:\s{0,9}"(?:work"|work-list"|[0-9])')
_PREFIX = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]{1,9}){0,4}", re.ASCII)
_ISSN = re.compile(r"[0-9]{4}-[0-9]{3}[0-9X]", re.ASCII)

PAPERS = frozenset(
    (
        *("journal-article", "proceedings-article", "posted-content", "book-chapter", "book-part", "book-section"),
        *("book", "monograph", "edited-book", "reference-book", "reference-entry", "report", "dissertation"),
        *("report-component", "other"),
    )
)


class Crossref:
    """Reads, harvests and looks up works that Crossref has registered."""

    name = "crossref"
    title = "Crossref"
    announcer = ""
    sets = (
        "the ISSN of a journal, as in 2167-8359, or the prefix of a publisher's DOIs, as in 10.7717; a type may stand "
        "behind it, as in 10.7717/posted-content"
    )
    schemes = frozenset({Scheme.DOI})

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it begins as an answer about works, be it in UTF-16, so that `read` can say so."""
        return bool(_HEAD.match(head[:4096].replace(b"\x00", b"")))

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each work. Holds the whole file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, cut off, or no answer about works.
        """
        works = _message(lookups.load(stream, filename=filename), filename).works
        return lookups.statements(enumerate(works, 1), self.name, _record, _drift())

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Some 50 DOIs with one request. Raises fetching.answers.Failure and Unreadable."""
        values = [identifier.value for identifier in lookups.distinct(identifiers, self.schemes)]
        # A comma ends a filter.
        for batch in lookups.batches(
            (value for value in values if "," not in value), most=_PER_LOOKUP, letters=_LONGEST_FILTER
        ):
            try:
                yield _listed(client, batch)
            except Declined:
                for value in batch:
                    yield from _single(client, value)
        for value in values:
            if "," in value:
                yield from _single(client, value)

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """All works of the set that were indexed since the day of the cursor, or `since`; else the whole set.

        Only the last page has a cursor, and only if nothing is missing. Raises fetching.answers.Failure, also for a set
        that is none, and Unreadable.
        """
        filters = _filters(set_name)
        list_ = _List(days.first(cursor, since))
        if list_.since:
            filters.append(f"from-index-date:{list_.since}")
        for _ in range(_MOST_PAGES):
            page = list_.page(_request(client, filters, list_.place))
            yield page
            if page.last:
                return
        raise Unreadable(
            "Crossref's list of works does not end. Nothing was stored of its rest. Try again later.",
            f"more than {_MOST_PAGES} pages of {set_name!r}",
        )


def _drift() -> Drift:
    return Drift(expected=("DOI", "title", "type"))


# --- Asking ----------------------------------------------------------------------------------------------------------


def _listed(client: Client, batch: list[str]) -> Page:
    wanted = ",".join(f"doi:{value}" for value in batch)
    query = urlencode({"filter": wanted, "rows": len(batch), "select": ",".join(SELECT)})
    answer = lookups.asked(client, f"{WORKS}?{query}")
    works = _message(lookups.answered(answer), answer.url).works
    return lookups.page(works, Crossref.name, _record, _drift())


def _single(client: Client, value: str) -> Iterator[Page]:
    """One work by its own address. One that Crossref does not have, or takes for no DOI, is absent."""
    try:
        answer = lookups.asked(client, f"{WORKS}/{quote(value, safe='')}")
    except Missing:
        return
    except Declined as failure:
        yield Page(warnings=(failure.sentence,))
        return
    works = _message(lookups.answered(answer), answer.url).works
    yield lookups.page(works, Crossref.name, _record, _drift())


def _filters(set_name: str) -> list[str]:
    """The filters that make the set. Raises Refused."""
    owner, _, kind = set_name.strip().partition("/")
    if _PREFIX.fullmatch(owner):
        filters = [f"prefix:{owner}"]
    elif _ISSN.fullmatch(owner):
        filters = [f"issn:{owner}"]
    else:
        raise Refused(
            f"Crossref as a whole is too large, and nothing was asked. Name a set: {Crossref.sets}.",
            f"set {set_name[:80]!r}",
        )
    if not kind:
        return filters
    if kind not in PAPERS:
        raise Refused(
            "Crossref has no papers of the type behind the slash, so nothing was asked. The types are: "
            f"{', '.join(sorted(PAPERS))}.",
            f"set {set_name[:80]!r}",
        )
    return [*filters, f"type:{kind}"]


def _request(client: Client, filters: list[str], place: str) -> Answer:
    query = {"filter": ",".join(filters), "rows": ROWS, "select": ",".join(SELECT), "cursor": place}
    return lookups.asked(client, f"{WORKS}?{urlencode(query)}")


class _List:
    """A list on its way: the day it was asked from, Crossref's cursor, how many works came, and the newest day."""

    def __init__(self, since: date | None) -> None:
        self.since = since
        self.place = "*"
        self.seen = 0
        self.newest: date | None = None

    def page(self, answer: Answer) -> Page:
        """The next answer as a page. Raises Unreadable."""
        message = _message(lookups.answered(answer), answer.url)
        drift = _drift()
        items = tuple(lookups.statements(enumerate(message.works, self.seen + 1), Crossref.name, _record, drift))
        self.seen += len(message.works)
        self.place = message.next_place
        self.newest = max((day for day in (self.newest, *map(_indexed, message.works)) if day), default=None)
        whole = message.total is not None and self.seen >= message.total
        last = whole or not message.works or not message.next_place
        if last and not whole:
            total = "an unknown number" if message.total is None else f"{message.total:,}"
            drift.note(f"The list ended after {self.seen:,} of {total} works, and will be asked for again.")
        cursor = _since(self.since, self.newest, answer.at.astimezone(UTC).date()) if whole else None
        return Page(
            items=items,
            cursor=cursor.isoformat() if cursor else None,
            last=last,
            total=message.total,
            warnings=drift.warnings(),
        )


def _since(before: date | None, newest: date | None, today: date) -> date | None:
    """The day to ask from next time: the one before the newest, as works of it may not be listed yet."""
    if newest is None:
        return before
    day = min(newest, today) - timedelta(days=1)
    return max(day, before) if before else day


def _indexed(work: Any) -> date | None:
    said = work.get("indexed") if type(work) is dict else None
    try:
        known = csl_parts.date(said)
    except ValueError:
        return None
    return known.exact if known else None


# --- Reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Message:
    works: list[Any]
    total: int | None = None
    next_place: str = ""


def _message(value: Any, filename: str) -> _Message:
    """The works of an answer. Raises Unreadable."""
    message = value.get("message") if type(value) is dict else None
    kind = value.get("message-type", "") if type(value) is dict else ""
    if type(message) is dict and kind in ("work", "work-list", ""):
        works = message.get("items")
        if type(works) is list:
            total, place = message.get("total-results"), message.get("next-cursor")
            known = total if type(total) is int and total >= 0 else None
            return _Message(works, known, place if type(place) is str and _is_place(place) else "")
        if "DOI" in message:
            return _Message([message])
    cause = f"message-type {kind[:80]!r}" if type(kind) is str else "no message-type"
    raise lookups.wrong_shape(filename, wanted="an answer of Crossref about works", cause=cause)


def _is_place(value: str) -> bool:
    return 0 < len(value) <= 4_000 and value.isprintable() and " " not in value


def _record(work: dict[str, Any], drift: Drift) -> Record:
    return registered.record_of(work, drift, source=Crossref.name, papers=PAPERS)
