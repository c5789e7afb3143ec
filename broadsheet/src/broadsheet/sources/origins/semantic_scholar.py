"""Semantic Scholar, a collection of other people's records, for look-ups of many identifiers at once. Needs a key.

``POST https://api.semanticscholar.org/graph/v1/paper/batch`` takes up to 500 identifiers of arXiv, DOI and ACL
Anthology and answers with a list in the same order, with null where it has nothing
(https://api.semanticscholar.org/api-docs/graph, and 131 recorded answers). Files may also be answers of its search, its
recommendations, and its lists of citations and references.

- A paper is known by its ``paperId``. Identifiers are those of arXiv, DOI and ACL Anthology in ``externalIds``, and the
  one that it was asked for, unless that contradicts them.
- "arXiv.org" and CoRR are not venues. Titles and abstracts are plain text, most of them without their TeX.
- Not taken: TL;DR, which a machine wrote; fields of study, which a machine guessed; counts, which change every day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import orjson

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Client
from broadsheet.sources import csl_parts, fields, lookups
from broadsheet.sources.base import Page
from broadsheet.sources.json_document import Drift

HOST = "api.semanticscholar.org"
FIELDS = (
    *("paperId", "externalIds", "title", "abstract", "authors", "venue", "publicationVenue", "year", "publicationDate"),
)
BATCH = f"https://{HOST}/graph/v1/paper/batch?fields={','.join(FIELDS)}"
# The most identifiers in one request.
PER_LOOKUP = 500

_PREFIXES = {Scheme.ARXIV: "ARXIV:", Scheme.DOI: "DOI:", Scheme.ACL: "ACL:"}
_NAMES = {"ArXiv": Scheme.ARXIV, "DOI": Scheme.DOI, "ACL": Scheme.ACL}
_START = re.compile(rb"\s{0,100}[\[{]")
_SIGNS = (b'"paperId"', b'"title"')
_NO_VENUES = frozenset(("arxiv", "arxiv.org", "corr", "computing research repository"))
# Where an answer keeps its papers, and where an entry of citations and references does.
_LISTS = ("data", "recommendedPapers")
_INNER = ("citingPaper", "citedPaper")

_key = fields.words(fields.LONGEST_SOURCE_KEY)


class SemanticScholar:
    """Reads answers of Semantic Scholar and looks papers up there."""

    name = "semantic-scholar"
    title = "Semantic Scholar"
    # Asked after the registries, as it says what others said.
    order = 210
    needs_key = HOST
    schemes = frozenset(_PREFIXES)

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it begins as an answer with the fields that only its papers have."""
        head = head.replace(b"\x00", b"")
        return bool(_START.match(head)) and all(sign in head for sign in _SIGNS)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each paper, nothing for a null. Holds the file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, cut off, or no answer with papers.
        """
        papers = _papers(lookups.load(stream, filename=filename), filename)
        known = ((number, paper) for number, paper in enumerate(papers, 1) if paper is not None)
        return lookups.statements(known, self.name, _record, Drift())

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Up to 500 identifiers with one request. Raises fetching.answers.Failure and Unreadable."""
        wanted = lookups.distinct(identifiers, self.schemes)
        for start in range(0, len(wanted), PER_LOOKUP):
            yield _page(client, wanted[start : start + PER_LOOKUP])


def _page(client: Client, wanted: list[Identifier]) -> Page:
    asked = orjson.dumps({"ids": [_PREFIXES[identifier.scheme] + identifier.value for identifier in wanted]})
    answer = client.post(BATCH, asked, content_type=lookups.JSON, accept=lookups.JSON)
    papers = lookups.answered(answer)
    if type(papers) is not list or len(papers) != len(wanted):
        raise lookups.wrong_shape(
            answer.url,
            wanted="a list with an entry for each paper that was asked for",
            cause=f"{len(wanted)} identifiers; {len(papers) if type(papers) is list else 'no list of'} papers",
        )
    drift = Drift(expected=("paperId", "externalIds", "title"))
    items: dict[Identifier | str, Record | Rejected] = {}
    for number, (identifier, paper) in enumerate(zip(wanted, papers, strict=True), 1):
        if paper is None:
            continue
        for item in lookups.statements([(number, paper)], SemanticScholar.name, _record, drift):
            found = _also(item, identifier)
            # Two identifiers of one paper give the same paper twice.
            key = found.source_key if isinstance(found, Record) else identifier
            before = items.get(key)
            items[key] = _also(before, identifier) if isinstance(before, Record) else found
    return Page(items=tuple(items.values()), warnings=drift.warnings())


def _also(item: Record | Rejected, asked: Identifier) -> Record | Rejected:
    """The record with the identifier that was asked for, unless it has another one of that scheme."""
    if isinstance(item, Rejected) or any(known.scheme is asked.scheme for known in item.identifiers):
        return item
    return replace(item, identifiers=(*item.identifiers, asked))


def _papers(value: Any, filename: str) -> list[Any]:
    """The papers of any answer. Raises Unreadable."""
    if type(value) is dict:
        found = next((value[name] for name in _LISTS if type(value.get(name)) is list), None)
        value = found if found is not None else [value] if "paperId" in value else None
    if type(value) is list:
        return [_unwrapped(entry) for entry in value]
    raise lookups.wrong_shape(filename, wanted="an answer of Semantic Scholar with papers", cause="no list of papers")


def _unwrapped(entry: Any) -> Any:
    if type(entry) is not dict:
        return entry
    return next((entry[name] for name in _INNER if type(entry.get(name)) is dict), entry)


def _record(paper: dict[str, Any], drift: Drift) -> Record:
    """Raises lookups.Unfit."""
    key = lookups.needed(paper, "paperId", _key)
    title = lookups.needed(paper, "title", csl_parts.title)

    def take(name: str, read: fields.Read, otherwise: Any) -> Any:
        return drift.optional(name, paper.get(name), read, otherwise)

    submitted: PartialDate | None = take("publicationDate", fields.partial_date, None) or take("year", _year, None)
    return Record(
        source=SemanticScholar.name,
        source_key=key,
        title=title,
        abstract=take("abstract", csl_parts.abstract, ""),
        authors=take("authors", _people, ()),
        identifiers=take("externalIds", _identifiers, ()),
        submitted=submitted,
        venue=_not_arxiv(take("publicationVenue", _venue, "") or take("venue", csl_parts.phrase, "")),
    )


def _identifiers(value: Any) -> tuple[Identifier, ...]:
    """Raises ValueError."""
    if type(value) is not dict:
        raise ValueError("is no object")
    found: dict[Identifier, None] = {}
    for name, scheme in _NAMES.items():
        for identifier in csl_parts.others([value[name]] if type(value.get(name)) is str else []):
            # A DOI that arXiv gave is read as arXiv's identifier, which contradicts nothing but another one.
            other = any(known.scheme is Scheme.ARXIV for known in found) and identifier.scheme is Scheme.ARXIV
            if identifier.scheme in (scheme, Scheme.ARXIV) and not other:
                found[identifier] = None
    return tuple(found)


def _people(value: Any) -> tuple[str, ...]:
    """Names as they stand; people without any are passed over. Raises ValueError."""
    if type(value) is not list or len(value) > fields.MOST_ENTRIES or not all(type(one) is dict for one in value):
        raise ValueError("is no list of people")
    return tuple(name for one in value if (name := csl_parts.phrase(one.get("name") or "")))


def _year(value: Any) -> PartialDate:
    return fields.plausible(PartialDate(fields.number(value, least=1, most=9999)))


def _venue(value: Any) -> str:
    if type(value) is not dict:
        raise ValueError("is no object")
    return csl_parts.phrase(value.get("name") or "")


def _not_arxiv(venue: str) -> str:
    return "" if venue.lower() in _NO_VENUES else venue
