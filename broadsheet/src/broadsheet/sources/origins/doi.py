"""Look-ups of any DOI at https://doi.org, whoever registered it: Crossref, DataCite (arXiv, Zenodo) and others.

The resolver passes a request for ``application/vnd.citationstyles.csl+json`` on to the agency of the DOI, which answers
in CSL-JSON (https://citation.doi.org/docs.html). It answers about one DOI at a time, so this is the place for what
other sources do not have. An agency that cannot answer so costs one warning.

- Of a work of arXiv DataCite knows the year of the first version, and the categories in words with their codes.
- An answer about another name of the same work keeps the DOI that was asked for, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO
from urllib.parse import quote

from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.fetching.answers import Client, Failure, Missing, Resting, Unreachable
from broadsheet.sources import fields, lookups, registered, text
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.json_document import Drift

RESOLVER = "https://doi.org/"
ACCEPT = "application/vnd.citationstyles.csl+json"

_START = re.compile(rb"\s{0,100}[\[{]")
_WANTED = (b'"DOI"', b'"title"')
# Signs of an agency: the identifier of DataCite is an address, Crossref says when it indexed the work.
_AGENCIES = (re.compile(rb'"id"\s{0,9}:\s{0,9}"https://doi\.org/10\.'), re.compile(rb'"indexed"\s{0,9}:\s{0,9}\{'))
_ANSWER_OF_CROSSREF = re.compile(rb'"message(?:-version)?"\s{0,9}:')
_CODE = re.compile(r"\(([a-z-]{2,8}(?:\.[A-Za-z-]{2,10})?)\)\Z", re.ASCII)

# Types of CSL, and those of Crossref, which answers with its own words.
PAPERS = frozenset(
    (
        *("article", "article-journal", "paper-conference", "chapter", "book", "report", "thesis", "manuscript"),
        *("entry", "entry-encyclopedia", "entry-dictionary", "speech", "document", "other", "posted-content"),
        *("journal-article", "proceedings-article", "book-chapter", "book-part", "book-section", "monograph"),
        *("edited-book", "reference-book", "reference-entry", "report-component", "dissertation"),
    )
)


class Doi:
    """Reads answers of agencies that register DOIs, and looks works up by their DOI."""

    name = "doi"
    title = "DOI resolver"
    # Asked after those that look up many works at once.
    order = 150
    schemes = frozenset({Scheme.DOI, Scheme.ARXIV})

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it begins as an answer in CSL-JSON, or a list of them, with the signs of an agency."""
        head = head.replace(b"\x00", b"")
        if not _START.match(head) or _ANSWER_OF_CROSSREF.search(head):
            return False
        return all(sign in head for sign in _WANTED) and any(sign.search(head) for sign in _AGENCIES)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each answer. Holds the whole file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, cut off, or no answer.
        """
        works = _works(lookups.load(stream, filename=filename), filename)
        return lookups.statements(enumerate(works, 1), self.name, _record, Drift())

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """One request for each identifier. Raises fetching.answers.Failure when two in a row get no answer.

        An answer that cannot be read, or that the resolver or an agency declines, gives a page with a warning. So does
        one host that rests or is away: the resolver leads to many hosts, and only two in a row speak for itself.
        """
        silent = False
        for identifier in lookups.distinct(identifiers, self.schemes):
            try:
                page = _page(client, identifier)
            except Missing:
                continue
            except (Resting, Unreachable) as failure:
                if silent:
                    raise
                silent = True
                yield _warning(identifier, failure.sentence)
                continue
            except (Failure, Unreadable) as failure:
                yield _warning(identifier, failure.sentence)
                continue
            silent = False
            yield page


def _page(client: Client, identifier: Identifier) -> Page:
    """Raises fetching.answers.Failure and Unreadable."""
    arxiv = identifier.scheme is Scheme.ARXIV
    doi = f"10.48550/arXiv.{identifier.value}" if arxiv else identifier.value
    answer = lookups.asked(client, RESOLVER + quote(doi), accept=ACCEPT)
    works = _works(lookups.answered(answer), answer.url)
    page = lookups.page(works[:1], Doi.name, _record, Drift())
    return replace(page, items=tuple(_also(item, identifier) for item in page.items))


def _warning(identifier: Identifier, sentence: str) -> Page:
    return Page(warnings=(f"{identifier} was not found: {text.printable(sentence)}",))


def _works(value: Any, filename: str) -> list[Any]:
    """The items of an answer, or of a list of answers. Raises Unreadable."""
    works = value if type(value) is list else [value]
    if works and type(works[0]) is dict and "DOI" in works[0]:
        return works
    raise lookups.wrong_shape(filename, wanted="an answer about a DOI in CSL-JSON", cause="no field DOI")


def _also(item: Record | Rejected, asked: Identifier) -> Record | Rejected:
    """The record with the identifier that was asked for, unless it is of arXiv and the record has another one."""
    if isinstance(item, Rejected) or asked in item.identifiers:
        return item
    if asked.scheme is Scheme.ARXIV and any(known.scheme is Scheme.ARXIV for known in item.identifiers):
        return item
    return replace(item, identifiers=(*item.identifiers, asked))


def _record(work: dict[str, Any], drift: Drift) -> Record:
    record = registered.record_of(work, drift, source=Doi.name, papers=PAPERS)
    is_arxiv = record.identifiers[0].scheme is Scheme.ARXIV
    return replace(
        record,
        categories=drift.optional("categories", work.get("categories"), _categories, ()) if is_arxiv else (),
        license=record.license or drift.optional("copyright", work.get("copyright"), _address, ""),
    )


def _categories(value: Any) -> tuple[str, ...]:
    """The categories of arXiv among the subjects that DataCite lists: those with a code. Raises ValueError."""
    subjects: tuple[str, ...] = fields.listed(fields.prose(fields.LONGEST_PHRASE))(value)
    codes = (match[1] for subject in subjects if (match := _CODE.search(subject)))
    return tuple(dict.fromkeys(code for code in codes if code in CATEGORIES))


def _address(value: Any) -> str:
    """The address of a licence; of one in words nothing. Raises ValueError."""
    words: str = fields.prose(fields.LONGEST_TEXT)(value)
    return fields.address(words) if words.startswith(("http://", "https://")) else ""
