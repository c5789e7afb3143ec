"""One work as agencies that register DOIs describe it: Crossref in its own answers, and all of them as CSL-JSON.

Both have the same fields. Crossref's answers have lists where CSL-JSON has one text.

- A preprint and its article are one work. Their DOIs, and arXiv's identifiers, become further identifiers where the
  agency relates the two, and where what it relates is one work but for its versions.
- What is no paper is rejected: journals, issues, components such as figures, grants, data sets, peer reviews; and
  notices about a paper, which ``update-to`` tells from new versions.
- ``issued`` is the day of publication as far as it is known; of a preprint ``posted`` is.
"""

from __future__ import annotations

import re
from typing import Any

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.folding import fold
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record
from broadsheet.sources import csl_parts, fields, lookups
from broadsheet.sources.json_document import Drift
from broadsheet.sources.lookups import Unfit

_VERSION = re.compile(r"[./_-]?v[0-9]{1,3}\Z", re.ASCII)
# What is no paper, by its type, for the sentence.
_OTHERS = {
    "component": "a part of a paper, such as a figure or a supplement",
    "dataset": "a data set",
    "database": "a database",
    "grant": "a grant",
    "peer-review": "a review of a paper",
    "standard": "a standard",
    "journal": "a journal",
    "journal-issue": "an issue of a journal",
    "journal-volume": "a volume of a journal",
    "proceedings": "a volume of proceedings",
    "proceedings-series": "a series of proceedings",
    "book-series": "a series of books",
    "book-set": "a set of books",
    "book-track": "a recording",
    "figure": "a figure",
    "graphic": "a picture",
    "map": "a map",
    "motion_picture": "a film",
    "software": "a program",
    "song": "a recording",
    "report-series": "a series of reports",
    "standard-series": "a series of standards",
}
# Updates that are works of their own; all others are notices about one.
_NEW_WORKS = frozenset(("new_version", "new_edition"))
_WITHDRAWN = {"retraction": "Retracted", "withdrawal": "Withdrawn", "removal": "Removed"}
# Relations between forms of one work.
_SAME_WORK = ("is-preprint-of", "has-preprint", "is-version-of", "has-version", "is-identical-to", "is-same-as")
# Pages of an issue that have a DOI like a paper, and no authors.
_FRONT_MATTER = frozenset(
    (
        *("front matter", "frontmatter", "back matter", "backmatter", "front cover", "back cover", "cover"),
        *("cover image", "title page", "copyright page", "masthead", "editorial board", "issue information"),
        *("table of contents", "contents", "index", "author index", "subject index"),
        *("titelei", "inhalt", "inhaltsverzeichnis"),
    )
)
# A work with more forms than this is none: so many versions has no preprint.
_MOST_FORMS = 50

_type = fields.prose(fields.LONGEST_KIND)


def record_of(work: dict[str, Any], drift: Drift, *, source: str, papers: frozenset[str]) -> Record:
    """The record that one work says. `papers` are the types of papers.

    Raises lookups.Unfit for what is no paper, or has no DOI or title.
    """
    identifier: Identifier = lookups.needed(work, "DOI", csl_parts.doi)
    _refuse_others(work, papers)
    title = lookups.needed(work, "title", csl_parts.title)

    def take(name: str, read: fields.Read, otherwise: Any) -> Any:
        return drift.optional(name, work.get(name), read, otherwise)

    authors = take("author", csl_parts.people, ())
    if not authors and fold(title) in _FRONT_MATTER:
        raise Unfit("it is a part of an issue, not a paper")
    submitted: PartialDate | None = take("posted", csl_parts.date, None) or take("issued", csl_parts.date, None)
    return Record(
        source=source,
        source_key=identifier.value,
        title=_with_subtitle(title, take("subtitle", csl_parts.phrase, "")),
        abstract=take("abstract", csl_parts.abstract, ""),
        authors=authors,
        identifiers=(identifier, *take("relation", lambda value: _same_works(value, identifier), ())),
        submitted=submitted,
        venue=take("container-title", csl_parts.phrase, ""),
        comments=take("updated-by", _withdrawn, ""),
        license=take("license", _license, ""),
    )


def _refuse_others(work: dict[str, Any], papers: frozenset[str]) -> None:
    """Raises Unfit for a work that is no paper."""
    kind = lookups.needed(work, "type", _type) if work.get("type") is not None else "other"
    if kind in _OTHERS:
        raise Unfit(f"it is {_OTHERS[kind]}, not a paper")
    if kind not in papers:
        raise Unfit(f'the field "type" names no type of paper: "{kind}"')
    for update in _objects(work.get("update-to")):
        sort = update.get("type")
        if type(sort) is str and sort not in _NEW_WORKS:
            raise Unfit(f"it is a notice about another paper ({sort[:40].replace('_', ' ')}), not a paper")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if type(one) is dict] if type(value) is list else []


def _with_subtitle(title: str, subtitle: str) -> str:
    """The title with its subtitle, unless that is there already, or a running head in capitals."""
    words = set(fold(title).split())
    if not subtitle or subtitle.isupper() or words.issuperset(fold(subtitle).split()):
        return title
    whole = f"{title} {subtitle}" if title[-1] in ".:?!" else f"{title}: {subtitle}"
    return whole if len(whole) <= fields.LONGEST_TITLE else title


def _same_works(value: Any, own: Identifier) -> tuple[Identifier, ...]:
    """The identifiers of other forms of the work; none where a relation names several works. Raises ValueError."""
    if type(value) is not dict:
        raise ValueError("is no object")
    found: dict[Identifier, None] = {}
    for relation in _SAME_WORK:
        related = _related(value.get(relation))
        if len(related) <= _MOST_FORMS and len({_VERSION.sub("", one.value) for one in related}) == 1:
            found.update(dict.fromkeys(related))
    others = [identifier for identifier in found if identifier != own]
    # No work has two identifiers of arXiv: one of the relations is wrong, and nobody can say which.
    if sum(identifier.scheme is Scheme.ARXIV for identifier in others) > 1:
        return ()
    return tuple(others)


def _related(value: Any) -> list[Identifier]:
    named = (one for one in _objects(value) if one.get("id-type") in ("doi", "arxiv"))
    return csl_parts.others([one["id"] for one in named if type(one.get("id")) is str])


def _withdrawn(value: Any) -> str:
    """A sentence for a paper that was withdrawn, with the DOI of the notice."""
    for update in _objects(value):
        sort = update.get("type")
        if type(sort) is str and sort in _WITHDRAWN:
            notice = csl_parts.doi(update.get("DOI"))
            return f"{_WITHDRAWN[sort]}; the notice is {notice.value}."
    return ""


def _license(value: Any) -> str:
    """The address of the licence: a Creative Commons one first, none that only allows mining. Raises ValueError."""
    offered = [one for one in _objects(value) if one.get("content-version") != "tdm" and type(one.get("URL")) is str]
    free = [one for one in offered if "creativecommons.org/" in one["URL"]]
    best = (free or offered)[:1]
    found: str = fields.address(best[0]["URL"]) if best else ""
    return found
