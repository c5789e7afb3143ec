"""Papers in the shapes of Hugging Face's answers. What is ours stands under one key of its own, ``broadsheet``.

A value that we do not know is left out, as the original leaves it out; what the original always has is always there.
Some values stand twice, because the client looks for them in one place and others read them in the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.templatetags.static import static

from broadsheet.bibliography import accents, names
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.community.queries import authorship, comments, votes
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.papers import queries as papers
from broadsheet.web import addresses

Json = dict[str, Any]

OURS = "broadsheet"
# Who put every paper on the list: the instance itself, which prints all that was announced.
SUBMITTER = "broadsheet"

_GITHUB = ("https://github.com/", "http://github.com/", "https://www.github.com/")
_ID_BYTES = 12  # an identifier of the original has 24 hexadecimal digits


@dataclass(frozen=True, slots=True)
class Marked:
    """Title and text of a paper that was found, with ``mark`` around what was searched for, as safe HTML."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Regard:
    """What people did about a paper: votes that count, comments that everybody can read, whether an author is here."""

    votes: int = 0
    comments: int = 0
    by_author: bool = False


def regards(paper_ids: Collection[int]) -> dict[int, Regard]:
    """What people did about each of these shown papers."""
    voted, said = votes.counts(paper_ids), comments.counts(paper_ids, None)
    present = authorship.authors_of(paper_ids)
    return {each: Regard(voted.get(each, 0), said.get(each, 0), bool(present.get(each))) for each in paper_ids}


def listed(
    paper: papers.Paper, place: editions.Listed, verdict: editions.Verdict, regard: Regard, *, base: str
) -> Json:
    """An item of a daily list. `base` is the scheme and host before our own addresses."""
    day = place.edition.start
    ours = _ours(paper, base)
    ours["edition"] = _place(place.edition, place.entry, base)
    ours["audit"] = {"state": str(verdict.state), "line": verdict.line}
    return _item(paper, day, regard, ours)


def found(paper: papers.Paper, marked: Marked, regard: Regard, *, base: str) -> Json:
    """An item of the answer of a search."""
    item = _item(paper, paper.day, regard, _ours(paper, base))
    item["upvoted"] = False
    item["highlightedTitle"] = marked.title
    item["highlightedSummary"] = marked.text
    return item


def single(
    paper: papers.Paper,
    places: Sequence[tuple[editions.Edition, editions.Entry]],
    identifiers: Iterable[Identifier],
    regard: Regard,
    *,
    base: str,
) -> Json:
    """The paper by itself, with the editions that have it and every identifier that is known."""
    day = next((edition.start for edition, _ in places if edition.kind is Kind.DAY), paper.day)
    ours = _ours(paper, base)
    ours["identifiers"] = [str(identifier) for identifier in identifiers]
    ours["editions"] = [_place(edition, entry, base) for edition, entry in places]
    told = {"numComments": regard.comments, "isAuthorParticipating": regard.by_author}
    return {**_paper(paper, day, regard), **NO_REPOSITORIES, **told, OURS: ours}


# Which models, datasets and Spaces use a paper is known to the Hub only.
NO_REPOSITORIES: Json = {
    "linkedModels": [],
    "numTotalModels": 0,
    "linkedDatasets": [],
    "numTotalDatasets": 0,
    "linkedSpaces": [],
    "numTotalSpaces": 0,
}


def instant(day: date) -> str:
    """A day as the instant by which the original writes a day. The client reads nothing without ``Z`` at the end."""
    return f"{day.isoformat()}T00:00:00.000Z"


def _item(paper: papers.Paper, day: date | None, regard: Regard, ours: Json) -> Json:
    inner = _paper(paper, day, regard)
    item: Json = {"paper": inner}
    on = instant(day) if day else inner.get("publishedAt")
    if on:
        item["publishedAt"] = on
    item["title"] = inner["title"]
    item["summary"] = inner["summary"]
    item["thumbnail"] = ""
    item["numComments"] = regard.comments
    item["submittedBy"] = _submitter()
    item["isAuthorParticipating"] = regard.by_author
    # The client reads these of the item only, and takes 0 votes for none unless the item has them too.
    item.update({name: inner[name] for name in _TWICE if name in inner})
    item[OURS] = ours
    return item


_TWICE = ("upvotes", "organization", "githubRepo", "projectPage")


def _paper(paper: papers.Paper, day: date | None, regard: Regard) -> Json:
    """The paper itself, as it stands in an item and, with more, alone."""
    identity = _identity("paper", paper.key)
    said: Json = {
        "id": paper.key,
        "authors": [
            {"_id": f"{identity[:-4]}{place & 0xFFFF:04x}", "name": names.printed(name), "hidden": False}
            for place, name in enumerate(paper.authors)
        ],
        "title": accents.outside_formulas(paper.title),
        "summary": accents.outside_formulas(paper.abstract or paper.summary),
        "upvotes": regard.votes,
        "discussionId": identity,
    }
    published = _published(paper)
    if published:
        said["publishedAt"] = instant(published)
    if day:
        said["submittedOnDailyAt"] = instant(day)
        said["submittedOnDailyBy"] = _lister()
    if paper.organization:
        said["organization"] = _organization(paper.organization)
    if paper.code_url.startswith(_GITHUB):
        said["githubRepo"] = paper.code_url
    if addresses.outside(paper.project_url):
        said["projectPage"] = paper.project_url
    return said


def _published(paper: papers.Paper) -> date | None:
    """The paper's own date: the first day that its submission can mean, else the announcement."""
    return PartialDate.parse(paper.submitted).first if paper.submitted else paper.announced


def _ours(paper: papers.Paper, base: str) -> Json:
    """What the original has no place for. Dates are as exact as they are known, and each says what it means."""
    return {
        "url": base + addresses.paper(paper.key),
        "announced": paper.announced.isoformat() if paper.announced else None,
        "submitted": paper.submitted or None,
        "updated": paper.updated or None,
        "categories": paper.categories,
        "keywords": paper.keywords,
        "venue": paper.venue or None,
        "summary": accents.outside_formulas(paper.summary) or None,
        "code": addresses.outside(paper.code_url) or None,
        "authorCount": max(len(paper.authors), paper.author_count or 0),
    }


def _place(edition: editions.Edition, entry: editions.Entry, base: str) -> Json:
    return {
        "kind": str(edition.kind),
        "label": edition.label,
        "url": base + addresses.edition(edition.kind, edition.label),
        "rank": entry.rank,
        "score": entry.score,
        "reasons": entry.reasons,
        "basis": str(entry.basis),
        "late": entry.late,
    }


def _submitter() -> Json:
    """The instance as the one who submitted."""
    return {
        **_lister(),
        "isHf": False,
        "isHfAdmin": False,
        "isMod": False,
        "followerCount": 0,
        "isUserFollowing": False,
    }


def _lister() -> Json:
    return {
        "_id": _identity("user", SUBMITTER),
        "avatarUrl": _avatar(),
        "isPro": False,
        "fullname": settings.BROADSHEET_SITE_NAME,
        # The client reads `user`, most programs read `name`.
        "user": SUBMITTER,
        "type": "user",
        "name": SUBMITTER,
    }


@lru_cache(maxsize=1)
def _avatar() -> str:
    """The address of our picture. It is the same as long as the process runs, and to compute it takes a while."""
    return static("favicon.svg")


def _organization(name: str) -> Json:
    return {"_id": _identity("organization", name), "name": names.slug(name) or "organization", "fullname": name}


@lru_cache(maxsize=8192)
def _identity(kind: str, name: str) -> str:
    """24 hexadecimal digits that are always the same for a thing of ours."""
    return blake2b(f"{kind} {name}".encode(), digest_size=_ID_BYTES).hexdigest()
