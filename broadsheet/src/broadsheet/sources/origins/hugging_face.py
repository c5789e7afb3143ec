"""Daily Papers of Hugging Face: lists of days, single papers, and the page as a browser saves it with its HTML.

Read are the answers of ``/api/daily_papers?date=YYYY-MM-DD`` and ``/api/papers/ID`` (shapes: huggingface_hub
``hf_api.py``, and 10,276 recorded items of 2024-03 to 2026-08), and ``huggingface.co/papers`` and ``/papers/date/...``,
whose HTML holds the same items as JSON in ``data-props`` of the element ``data-target="DailyPapers"``.

A paper is an arXiv paper, under its arXiv identifier. Not taken: votes, comments and people who submitted or voted,
which are no statements about the paper, and ``ai_summary`` and ``ai_keywords``, which a machine wrote. The day of an
announcement is the day that was asked for. The instants of an item do not tell it: the outer ``publishedAt`` was the
time on the list until 2025 and lies days before it in 2026.

The origin does not say how many papers a list has, so nothing is counted. There are no lists at weekends. A working day
without one is asked for again for a week, see `days.Walk`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, BinaryIO
from urllib.parse import quote

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Answer, Client, Declined, Missing, Refused
from broadsheet.sources import days, fields, lookups, text, xml
from broadsheet.sources.base import Announcement, AnnouncementKind, Page, Unreadable
from broadsheet.sources.json_document import Drift

LISTS = "https://huggingface.co/api/daily_papers"
PAPERS = "https://huggingface.co/api/papers/"
SECTION = "daily"
# The longest page of a list that the origin gives, in papers.
PER_PAGE = 100
# No list of a day had more than 50 papers until 2026; what has more pages than this goes round in circles.
_MOST_PAGES = 20

_LIST = re.compile(rb"\s{0,100}\[")
_OBJECT = re.compile(rb"\s{0,100}\{")
_LIST_SIGNS = (b'"paper"', b'"publishedAt"')
_PAPER_SIGNS = (b'"authors"', b'"publishedAt"', b'"upvotes"')
_PAGE_SIGNS = (b'data-target="DailyPapers"', b"<title>Daily Papers - Hugging Face")
_PROPS = re.compile(rb'data-target="DailyPapers"[^<>"]{0,100}data-props="')

_KNOWN = (
    *("id", "authors", "publishedAt", "title", "summary", "upvotes", "discussionId", "submittedOnDailyAt"),
    *("submittedOnDailyBy", "ai_summary", "ai_keywords", "ai_summary_model", "githubRepo", "githubRepoAddedBy"),
    *("githubStars", "projectPage", "mediaUrls", "organization", "withdrawnAt", "linkedModels", "numTotalModels"),
    *("linkedDatasets", "numTotalDatasets", "linkedSpaces", "numTotalSpaces", "comments", "isAuthorParticipating"),
)
_EXPECTED = ("summary", "authors", "publishedAt")

_reference = fields.reference(Scheme.ARXIV)
_title = fields.words(fields.LONGEST_TITLE)
_text = fields.prose(fields.LONGEST_TEXT)
_phrase = fields.prose(fields.LONGEST_PHRASE)
_name = fields.words(fields.LONGEST_PHRASE)


class HuggingFace:
    """Reads, harvests and looks up Daily Papers of Hugging Face."""

    name = "hugging-face"
    title = "Daily Papers of Hugging Face"
    announcer = "hugging-face"
    sets = "none: there is one list a day"
    schemes = frozenset({Scheme.ARXIV})

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it begins as a list of papers, one paper, or the page with its HTML."""
        if _LIST.match(head):
            return all(sign in head for sign in _LIST_SIGNS)
        if _OBJECT.match(head):
            return all(sign in head for sign in _PAPER_SIGNS)
        return any(sign in head for sign in _PAGE_SIGNS)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each paper. Holds the whole file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, cut off, or none of the shapes.
        """
        data = xml.read(stream, filename=filename)
        if not _LIST.match(data) and not _OBJECT.match(data):
            data = _props(data, filename)
        papers = _papers(lookups.parsed(data, filename=filename), filename)
        return lookups.statements(enumerate(papers, 1), self.name, _record, _drift())

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """The list of each day from the cursor's, or `since`, or else the newest, up to the newest.

        Raises fetching.answers.Failure, also for a set, and Unreadable.
        """
        if set_name:
            raise Refused(f"{self.title} has no sets, so nothing was asked. Leave out --set.", f"set {set_name[:80]!r}")
        start = days.first(cursor, since)
        newest = _newest(client)
        walk = days.Walk(start or newest, newest)
        yield from _of_day(client, walk)
        while walk.go_on():
            yield from _of_day(client, walk)

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """One request for each identifier of arXiv. Raises fetching.answers.Failure and Unreadable."""
        for identifier in lookups.distinct(identifiers, self.schemes):
            try:
                answer = client.get(PAPERS + quote(identifier.value), accept=lookups.JSON)
            except Missing:
                continue
            papers = _papers(lookups.answered(answer), answer.url)
            wanted = [paper for paper in papers if _identifier(paper) in (identifier, None)]
            yield lookups.page(wanted, self.name, _record, _drift())


def _drift() -> Drift:
    return Drift(_KNOWN, _EXPECTED)


# --- Asking ----------------------------------------------------------------------------------------------------------


def _newest(client: Client) -> date:
    """The day of the list that comes when no day is named, else that of the answer."""
    answer = client.get(f"{LISTS}?limit={PER_PAGE}", accept=lookups.JSON)
    return days.newest((day for paper in _answered(answer) if (day := _listed_on(paper))), answer)


def _of_day(client: Client, walk: days.Walk) -> Iterator[Page]:
    """The pages of one day's list."""
    before: list[Any] = []
    for number in range(_MOST_PAGES):
        url = f"{LISTS}?date={walk.day.isoformat()}&limit={PER_PAGE}" + (f"&p={number}" if number else "")
        try:
            answer = client.get(url, accept=lookups.JSON)
        except (Declined, Missing):
            yield _absent(walk)
            return
        papers = _answered(answer)
        if not papers and number == 0:
            yield _absent(walk)
            return
        more = papers != before and (len(papers) >= PER_PAGE or 'rel="next"' in _link(answer))
        yield _page(papers, walk, last=walk.is_last and not more)
        if not more:
            return
        before = papers


def _absent(walk: days.Walk) -> Page:
    """The page of a day without a list: nothing at weekends and for the newest day, else a reason to ask again."""
    if not days.is_working_day(walk.day):
        return Page(last=walk.is_last)
    walk.hold()
    warnings = () if walk.is_last else (f"There is no list of {walk.day}, which is a working day.",)
    return Page(last=walk.is_last, warnings=warnings)


def _link(answer: Answer) -> str:
    return answer.headers.get("link", "")


def _answered(answer: Answer) -> list[Any]:
    """The papers of a list. Raises Unreadable when the answer is none."""
    value = lookups.answered(answer)
    if type(value) is not list:
        raise lookups.wrong_shape(answer.url, wanted="a list of papers", cause=f"it is a {type(value).__name__}")
    return [_unwrapped(item) for item in value]


def _page(papers: list[Any], walk: days.Walk, *, last: bool) -> Page:
    drift = _drift()
    items = tuple(lookups.statements(enumerate(papers, 1), HuggingFace.name, _record, drift))
    if not _is_of(papers, walk.day):
        walk.hold()
        drift.note(f"The list that came for {walk.day} is of another day, so it was not taken as an announcement.")
        return Page(items=items, last=last, warnings=drift.warnings())
    announced = tuple(
        Announcement(identifier, walk.day, AnnouncementKind.NEW, SECTION)
        for paper in papers
        if (identifier := _identifier(paper))
    )
    cursor = walk.cursor if announced else None
    return Page(items=items, announcements=announced, cursor=cursor, last=last, warnings=drift.warnings())


def _is_of(papers: list[Any], day: date) -> bool:
    """Whether most papers that say when they were listed were so on that day, or at the weekend or holiday before it.

    Of 6,313 recorded ones, 99 in 100 were listed at most two days before the day of their list, none after it.
    """
    said = [listed for paper in papers if (listed := _listed_on(paper))]
    fitting = sum(day - timedelta(days=4) <= listed <= day + timedelta(days=1) for listed in said)
    return 2 * fitting >= len(said)


def _listed_on(paper: Any) -> date | None:
    said = paper.get("submittedOnDailyAt") if type(paper) is dict else None
    try:
        return fields.day(said)
    except ValueError:
        return None


# --- Reading ---------------------------------------------------------------------------------------------------------


def _props(data: bytes, filename: str) -> bytes:
    """The JSON that a saved page carries. Raises Unreadable."""
    text.refuse_foreign(data, filename=filename)
    start = _PROPS.search(data)
    if start is None:
        raise Unreadable(
            f"{text.shown(filename)} is a page of Hugging Face without its list of papers. {text.NOTHING_STORED} Save "
            "the page of one day, or copy its text and save that.",
            f"no data-props; first bytes {data[:80]!r}",
        )
    end = data.find(b'"', start.end())
    if end < 0:
        raise Unreadable(
            f"{text.shown(filename)} is cut off: it ends inside its list of papers. {text.NOTHING_STORED} "
            "Save it again.",
            "data-props has no end",
        )
    return html.unescape(text.utf8(data[start.end() : end], filename=filename)).encode("utf-8", "replace")


def _papers(value: Any, filename: str) -> list[Any]:
    """The paper objects of a list, of one paper, or of a page's properties. Raises Unreadable."""
    if type(value) is dict and type(value.get("dailyPapers")) is list:
        value = value["dailyPapers"]
    if type(value) is dict and ("paper" in value or "authors" in value):
        value = [value]
    if type(value) is not list:
        raise lookups.wrong_shape(filename, wanted="papers of Hugging Face", cause=f"it is a {type(value).__name__}")
    return [_unwrapped(item) for item in value]


def _unwrapped(item: Any) -> Any:
    """The paper of an item of a list, with the fields that only the item has."""
    paper = item.get("paper") if type(item) is dict else None
    if type(paper) is not dict:
        return item
    outer = {name: item[name] for name in ("title", "summary", "organization") if item.get(name)}
    return outer | {name: value for name, value in paper.items() if value is not None}


def _identifier(paper: Any) -> Identifier | None:
    try:
        return _reference(paper.get("id")).identifier if type(paper) is dict else None
    except ValueError:
        return None


def _record(paper: dict[str, Any], drift: Drift) -> Record:
    """What the origin says of one paper. Raises lookups.Unfit."""

    def take(name: str, read: fields.Read, otherwise: Any) -> Any:
        return drift.optional(name, paper.get(name), read, otherwise)

    reference = lookups.needed(paper, "id", _reference)
    return Record(
        source=HuggingFace.name,
        source_key=reference.identifier.value,
        title=" ".join(lookups.needed(paper, "title", _title).split()),
        abstract=take("summary", _text, "").strip(),
        authors=take("authors", fields.listed(_author), ()),
        identifiers=(reference.identifier,),
        versions=(Version(reference.version),) if reference.version else (),
        submitted=take("publishedAt", fields.partial_date, None),
        organization=take("organization", _organization, ""),
        code_url=take("githubRepo", fields.address, ""),
        project_url=take("projectPage", fields.address, ""),
    )


def _author(value: Any) -> str:
    """Raises ValueError."""
    if type(value) is not dict:
        raise ValueError("is no object")
    return " ".join(_name(value.get("name")).split())


def _organization(value: Any) -> str:
    """Its full name, else the one in its address. Raises ValueError."""
    if type(value) is not dict:
        raise ValueError("must be an object")
    name: str = _phrase(value.get("fullname") or value.get("name") or "")
    return name.strip()
