"""OpenAlex, an index made of Crossref, DataCite, repositories and others, for look-ups of DOIs. Needs a key.

``https://api.openalex.org/works?filter=doi:ONE|TWO`` takes up to 50 values, ``/works/doi:ONE`` is free of charge
(https://developers.openalex.org/, and recorded answers of 2024 and 2025).

- A work is known by its number in OpenAlex. Its DOI is an identifier; one of arXiv is when all places of the work at
  arXiv are the same one: OpenAlex joins works by their titles, and has been wrong.
- An abstract comes as an index of words and their places, which are numbers of anybody's choice: only as many as there
  are words can be places.
- Dates are those of publication; of a work that is known from January 1 on, the year.
- Not taken: topics and concepts, which a machine guessed; licences, which have no version; counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme, parse
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Client, Declined, Missing
from broadsheet.sources import csl_parts, fields, lookups
from broadsheet.sources.base import Page
from broadsheet.sources.json_document import Drift
from broadsheet.sources.lookups import Unfit

HOST = "api.openalex.org"
WORKS = f"https://{HOST}/works"
SELECT = (
    *("id", "doi", "ids", "title", "type", "publication_date", "publication_year", "authorships", "primary_location"),
    *("locations", "abstract_inverted_index", "is_retracted", "is_paratext"),
)
# Values in one filter, and how many letters they may have together: the address must stay short.
PER_LOOKUP = 50
_LONGEST_FILTER = 4_000
# Longer than any abstract, in words.
MOST_WORDS = 50_000

_START = re.compile(rb"\s{0,100}\{")
_ADDRESS = re.compile(rb'"id"\s{0,9}:\s{0,9}"https://openalex\.org/W[0-9]')
_ID = re.compile(r"(?:https://openalex\.org/)?(W[0-9]{1,15})", re.ASCII)
# These signs mean something in a filter.
_MEANINGFUL = re.compile(r"[|,!+]")
# The heading of an abstract is one of its words here. "Abstract interpretation is" goes on in lower case.
_HEADING = re.compile(r"\AAbstract[.:]? (?=[A-Z])")
_NO_PAPERS = {
    "dataset": "a data set",
    "erratum": "a notice about another paper",
    "grant": "a grant",
    "libguides": "a guide of a library",
    "paratext": "a part of an issue",
    "peer-review": "a review of a paper",
    "retraction": "a notice about another paper",
    "software": "a program",
    "standard": "a standard",
    "supplementary-materials": "a supplement of a paper",
}

_type = fields.prose(fields.LONGEST_PHRASE)


class OpenAlex:
    """Reads answers of OpenAlex about works, and looks works up there."""

    name = "openalex"
    title = "OpenAlex"
    # Asked last, as it says what others said.
    order = 220
    needs_key = HOST
    schemes = frozenset({Scheme.DOI, Scheme.ARXIV})

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it begins as an object with the address of a work in OpenAlex."""
        head = head.replace(b"\x00", b"")
        return bool(_START.match(head) and _ADDRESS.search(head))

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each work. Holds the whole file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, cut off, or no answer about works.
        """
        works = _works(lookups.load(stream, filename=filename), filename)
        return lookups.statements(enumerate(works, 1), self.name, _record, Drift())

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Some 50 DOIs with one request; papers of arXiv by the DOI that arXiv gave them.

        Raises fetching.answers.Failure and Unreadable.
        """
        values = [_doi(identifier) for identifier in lookups.distinct(identifiers, self.schemes)]
        listed = (value for value in values if not _MEANINGFUL.search(value))
        for batch in lookups.batches(listed, most=PER_LOOKUP, letters=_LONGEST_FILTER):
            if len(batch) == 1:
                yield from _single(client, batch[0])
                continue
            query = {"filter": f"doi:{'|'.join(batch)}", "per-page": len(batch), "select": ",".join(SELECT)}
            yield _page(client, f"{WORKS}?{urlencode(query)}")
        for value in values:
            if _MEANINGFUL.search(value):
                yield from _single(client, value)


def _doi(identifier: Identifier) -> str:
    return f"10.48550/arxiv.{identifier.value}" if identifier.scheme is Scheme.ARXIV else identifier.value


def _single(client: Client, doi: str) -> Iterator[Page]:
    """One work by its own address. One that OpenAlex does not have, or takes for no DOI, is absent."""
    try:
        yield _page(client, f"{WORKS}/doi:{quote(doi, safe='/')}?{urlencode({'select': ','.join(SELECT)})}")
    except Missing:
        return
    except Declined as failure:
        yield Page(warnings=(failure.sentence,))


def _page(client: Client, url: str) -> Page:
    answer = lookups.asked(client, url)
    works = _works(lookups.answered(answer), answer.url)
    return lookups.page(works, OpenAlex.name, _record, Drift(expected=("id", "title")))


def _works(value: Any, filename: str) -> list[Any]:
    """The works of an answer. Raises Unreadable."""
    if type(value) is dict:
        works = value.get("results")
        if type(works) is list:
            return works
        if "id" in value:
            return [value]
    raise lookups.wrong_shape(filename, wanted="an answer of OpenAlex about works", cause="no field results and no id")


def _record(work: dict[str, Any], drift: Drift) -> Record:
    """Raises lookups.Unfit for what is no paper or has no number or title."""
    key = lookups.needed(work, "id", _number)
    kind = drift.optional("type", work.get("type"), _type, "")
    if kind in _NO_PAPERS or work.get("is_paratext") is True:
        raise Unfit(f"it is {_NO_PAPERS.get(kind, _NO_PAPERS['paratext'])}, not a paper")
    title = lookups.needed(work, "title", csl_parts.title)

    def take(name: str, read: fields.Read, otherwise: Any) -> Any:
        return drift.optional(name, work.get(name), read, otherwise)

    date: PartialDate | None = take("publication_date", fields.partial_date, None)
    if date is None or (date.month, date.day) == (1, 1):
        date = take("publication_year", _year, None) or date
    return Record(
        source=OpenAlex.name,
        source_key=key,
        title=title,
        abstract=take("abstract_inverted_index", abstract, ""),
        authors=take("authorships", _people, ()),
        identifiers=_identifiers(work, drift),
        submitted=date,
        venue=take("primary_location", _venue, ""),
        comments="Retracted." if work.get("is_retracted") is True else "",
    )


def _number(value: Any) -> str:
    match = _ID.fullmatch(value) if type(value) is str else None
    if match is None:
        raise ValueError("is no address of a work in OpenAlex")
    return match[1]


def _year(value: Any) -> PartialDate:
    return fields.plausible(PartialDate(fields.number(value, least=1, most=9999)))


def abstract(value: Any) -> str:
    """The text of an index of words and their places. Raises ValueError for one that is no such thing.

    Places are numbers from 0 up; their order is that of the words, and gaps between them mean nothing. Words at one
    place stand in the order in which they came.
    """
    if type(value) is not dict:
        raise ValueError("is no object")
    placed: list[tuple[int, str]] = []
    for word, places in value.items():
        if type(places) is not list or len(placed) + len(places) > MOST_WORDS:
            raise ValueError(f"has places that are no list, or more than {MOST_WORDS:,} words")
        placed += [(fields.number(place, most=2**53), word) for place in places]
    placed.sort(key=lambda pair: pair[0])
    return csl_parts.abstract(_HEADING.sub("", _joined(placed)))


def _joined(placed: list[tuple[int, str]]) -> str:
    length = sum(len(word) + 1 for _, word in placed)
    if length > fields.LONGEST_TEXT:
        raise ValueError(f"has more than {fields.LONGEST_TEXT:,} letters")
    return " ".join(word for _, word in placed)


def _people(value: Any) -> tuple[str, ...]:
    """Names as the paper prints them, else as OpenAlex has them. Raises ValueError."""
    if type(value) is not list or len(value) > fields.MOST_ENTRIES or not all(type(one) is dict for one in value):
        raise ValueError("is no list of people")
    return tuple(name for one in value if (name := _name(one)))


def _name(authorship: dict[str, Any]) -> str:
    if printed := csl_parts.phrase(authorship.get("raw_author_name") or ""):
        return printed
    author = authorship.get("author")
    return csl_parts.phrase(author.get("display_name") or "") if type(author) is dict else ""


def _venue(value: Any) -> str:
    """The journal or conference of a place; repositories are none. Raises ValueError."""
    if type(value) is not dict:
        raise ValueError("is no object")
    source = value.get("source")
    if type(source) is not dict or source.get("type") == "repository":
        return ""
    return csl_parts.phrase(source.get("display_name") or "")


def _identifiers(work: dict[str, Any], drift: Drift) -> tuple[Identifier, ...]:
    """The DOI, and the identifier of arXiv if there is exactly one."""
    own = drift.optional("doi", work.get("doi"), csl_parts.doi, None)
    at_arxiv = {found for address in _addresses(work) if (found := _of_arxiv(address))}
    if own is None:
        return tuple(at_arxiv) if len(at_arxiv) == 1 else ()
    if own.scheme is Scheme.ARXIV or len(at_arxiv) != 1:
        return (own,)
    return (own, *at_arxiv)


def _addresses(work: dict[str, Any]) -> Iterator[Any]:
    """Where the work can be read, as OpenAlex says."""
    places = work.get("locations")
    for place in [work.get("primary_location"), *(places if type(places) is list else [])]:
        if type(place) is dict:
            yield place.get("landing_page_url")
            yield place.get("pdf_url")
    ids = work.get("ids")
    if type(ids) is dict:
        yield ids.get("arxiv")


def _of_arxiv(address: Any) -> Identifier | None:
    if type(address) is not str:
        return None
    found = parse(address)
    return found.identifier if found and found.identifier.scheme is Scheme.ARXIV else None
