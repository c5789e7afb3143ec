"""Proceedings of Machine Learning Research: the volumes of ICML, AISTATS, COLT, UAI and others.

A volume has two forms of the same list, and a harvest takes both: ``assets/bib/bibliography.bib``, made by the site of
every volume (https://github.com/mlresearch), with titles in TeX, names in parts and abstracts; and the volume's page,
which alone names the submission at OpenReview. Seen: entries of v235 as authors quote them, and scrubbed recordings of
the pages of v28, v202, v220, v235 and v267 of September 2026; no whole bibliography was at hand.

- A set is a volume, as in ``v235``, or ``r4`` for a reissue. What did not change since it was stored is not sent again.
- The identifier is made of volume and name: ``pmlr-v235-example24a`` and ``/v235/example24a.html`` are
  ``v235/example24a``.
- The date is the month of the conference: neither form says when the volume appeared.
- A paper that only one of the two forms has is taken from there, with a warning, and both are asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, BinaryIO

from broadsheet.bibliography import formats
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.formats import bibtex
from broadsheet.bibliography.formats.bibtex_entries import Entry, entries
from broadsheet.bibliography.identifiers import Identifier, Scheme, parse
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Client, Missing, Refused
from broadsheet.sources import fields, lookups, text, xml
from broadsheet.sources.base import EXCERPT_BYTES, Page, Unreadable
from broadsheet.sources.xml import Element

SITE = "https://proceedings.mlr.press"
_BIBTEX = "text/x-bibtex, application/x-bibtex, text/plain, */*;q=0.1"
_HTML = "text/html"

_VOLUME = re.compile(r"[vr][1-9][0-9]{0,3}", re.ASCII)
_KEY = re.compile(r"pmlr-([vr][0-9]{1,4})-([a-z0-9_-]{1,60})", re.ASCII | re.IGNORECASE)
_BIB_SIGN = re.compile(rb"@\s{0,9}inproceedings\s{0,9}\{\s{0,9}pmlr-[vr][0-9]", re.IGNORECASE)
_PAGE_SIGNS = (b"proceedings.mlr.press", b'<div class="paper">')
_YEAR = re.compile(r"\b((?:19|20)[0-9]{2})\b", re.ASCII)
_COLLECTIONS = frozenset(("proceedings", "conference"))
_NO_PAPER = "no paper of the Proceedings of Machine Learning Research"

_CHECKS: dict[str, fields.Read] = {
    "title": fields.words(fields.LONGEST_TITLE),
    "abstract": fields.prose(fields.LONGEST_TEXT),
    "venue": fields.prose(fields.LONGEST_PHRASE),
}
_name = fields.words(fields.LONGEST_PHRASE)


class Pmlr:
    """Reads, harvests and looks up volumes of Proceedings of Machine Learning Research."""

    name = "pmlr"
    title = "Proceedings of Machine Learning Research"
    announcer = ""
    sets = "a volume, as in v235"
    schemes = frozenset({Scheme.PMLR})
    # Before BibTeX of any kind, which reads these bibliographies too.
    order = 90

    def recognises(self, head: bytes, filename: str) -> bool:
        """Whether it is a volume's bibliography or page."""
        return bool(_BIB_SIGN.search(head)) or all(sign in head for sign in _PAGE_SIGNS)

    def read(self, stream: BinaryIO, *, filename: str) -> Iterator[Record | Rejected]:
        """Yield one Record or Rejected for each paper. Holds the whole file, `xml.LIMIT` bytes at most.

        Raises Unreadable when it is too large, not text, or holds no papers of a volume.
        """
        data = xml.read(stream, filename=filename)
        is_page = data[:1000].lstrip().startswith(b"<")
        found = _of_page(data, filename) if is_page else _of_bibliography(data, filename)
        return iter(found.statements)

    def pages(self, client: Client, *, set_name: str, cursor: str, since: date | None) -> Iterator[Page]:
        """All papers of a volume in one page, none when it did not change, whatever `cursor` and `since` are.

        Raises fetching.answers.Failure, also without a set, and Unreadable.
        """
        if not _VOLUME.fullmatch(set_name):
            raise Refused(
                "Proceedings of Machine Learning Research are harvested volume by volume, so nothing was asked. Name "
                "one with --set, as in v235.",
                f"set {set_name[:80]!r}",
            )
        answer = client.get(_bibliography(set_name), accept=_BIBTEX, limit=xml.LIMIT, conditional=True)
        if answer.unchanged:
            yield Page()
            return
        page = _joined(_of_bibliography(answer.body, answer.url), _page(client, set_name))
        yield page
        if not page.warnings:
            client.remember(answer)

    def find(self, client: Client, identifiers: Sequence[Identifier]) -> Iterator[Page]:
        """Two requests for each volume, and of it only the papers asked for.

        Raises fetching.answers.Failure and Unreadable.
        """
        wanted: dict[str, set[Identifier]] = {}
        for identifier in lookups.distinct(identifiers, self.schemes):
            wanted.setdefault(identifier.value.partition("/")[0], set()).add(identifier)
        for volume, asked in wanted.items():
            try:
                answer = client.get(_bibliography(volume), accept=_BIBTEX, limit=xml.LIMIT)
                page = _joined(_of_bibliography(answer.body, answer.url), _page(client, volume))
            except Missing:
                continue
            items = (said for said in page.items if isinstance(said, Record) and asked & set(said.identifiers))
            yield Page(items=tuple(items))


def _bibliography(volume: str) -> str:
    return f"{SITE}/{volume}/assets/bib/bibliography.bib"


# --- Both forms ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Volume:
    """The statements of one form of a volume, in its order."""

    statements: list[Record | Rejected]

    @property
    def records(self) -> dict[str, Record]:
        """The records by their keys."""
        return {said.source_key: said for said in self.statements if isinstance(said, Record)}


def _page(client: Client, volume: str) -> _Volume:
    answer = client.get(f"{SITE}/{volume}/", accept=_HTML, limit=xml.LIMIT)
    return _of_page(answer.body, answer.url)


def _joined(bibliography: _Volume, page: _Volume) -> Page:
    """What the bibliography says, with the identifiers that only the page has; and what one of the two lacks."""
    listed, described = page.records, bibliography.records
    items = [_with_identifiers(said, listed) for said in bibliography.statements]
    only_listed = [said for key, said in listed.items() if key not in described]
    only_described = sum(key not in listed for key in described)
    warnings = []
    if only_listed:
        warnings.append(f"Papers on the volume's page that its bibliography lacks: {len(only_listed)}.")
    if only_described:
        warnings.append(f"Papers in the volume's bibliography that its page lacks: {only_described}.")
    return Page(items=(*items, *only_listed), total=len(page.statements), warnings=tuple(warnings))


def _with_identifiers(said: Record | Rejected, listed: Mapping[str, Record]) -> Record | Rejected:
    if isinstance(said, Rejected) or said.source_key not in listed:
        return said
    known = (*said.identifiers, *listed[said.source_key].identifiers)
    return replace(said, identifiers=tuple(dict.fromkeys(known)))


def _empty(filename: str, cause: str) -> Unreadable:
    return Unreadable(
        f"{text.shown(filename)} holds no papers of a volume of PMLR. {text.NOTHING_STORED} Choose another file.", cause
    )


def _checked(record: Record) -> Record:
    """The same record. Raises ValueError for what is far longer than it can be, and names the field."""
    for name, check in _CHECKS.items():
        try:
            check(getattr(record, name))
        except ValueError as error:
            raise ValueError(f"the {name} {error}") from error
    for author in record.authors:
        _name(author)
    return record


# --- The bibliography ------------------------------------------------------------------------------------------------


def _of_bibliography(data: bytes, filename: str) -> _Volume:
    """Raises Unreadable."""
    bib = text.utf8(data, filename=filename)
    if _is_cut(bib):
        raise Unreadable(
            f"{text.shown(filename)} is cut off: its last entry has no end. {text.NOTHING_STORED} Download it again.",
            f"last letters {bib[-80:]!r}",
        )
    statements: list[Record | Rejected] = []
    for number, entry in enumerate(entries(formats.lines(bib)), 1):
        if isinstance(entry, Entry) and entry.kind in _COLLECTIONS:
            continue
        position = f"entry {number}"
        if not isinstance(entry, Entry):
            statements.append(formats.rejected(Pmlr.name, position, entry.reason, entry.text))
            continue
        try:
            statements.append(_of_entry(entry))
        except ValueError as error:
            statements.append(formats.rejected(Pmlr.name, position, str(error)[:1000], entry.key))
    if not any(isinstance(said, Record) for said in statements):
        raise _empty(filename, f"{len(statements)} entries; first bytes {data[:80]!r}")
    return _Volume(statements)


def _is_cut(bib: str) -> bool:
    """Whether the last entry has no end: it would be read as one that says less."""
    return bib.rstrip().rpartition("\n")[2].strip() != "}" and bib.count("{") > bib.count("}")


def _of_entry(entry: Entry) -> Record:
    """Raises ValueError."""
    identifier = _of_key(entry.key) or _pmlr(entry.fields.get("url", ""))
    if identifier is None:
        raise ValueError(f"it is {_NO_PAPER}: its key is {entry.key[:80]!r}")
    record = bibtex.record_of(entry, Pmlr.name, {})
    day = record.submitted
    others = (one for one in record.identifiers if one.scheme is not Scheme.PMLR)
    return _checked(
        replace(
            record,
            source_key=identifier.value,
            identifiers=(identifier, *others),
            # The day is the conference's first, so that it would be exact and wrong.
            submitted=PartialDate(day.year, day.month) if day else None,
        )
    )


def _of_key(key: str) -> Identifier | None:
    found = _KEY.fullmatch(key)
    return _identifier(f"{found[1]}/{found[2]}".lower()) if found else None


def _identifier(value: str) -> Identifier | None:
    try:
        return Identifier(Scheme.PMLR, value)
    except ValueError:
        return None


def _pmlr(address: Any) -> Identifier | None:
    return next((one for one in _named(address) if one.scheme is Scheme.PMLR), None)


def _named(address: Any) -> Iterator[Identifier]:
    """The identifier that an address is, if it is one."""
    found = parse(address) if type(address) is str else None
    if found:
        yield found.identifier


# --- The page --------------------------------------------------------------------------------------------------------


def _of_page(data: bytes, filename: str) -> _Volume:
    """Raises Unreadable."""
    root = xml.html(data, filename=filename)
    heading = next((xml.words(one) for one in xml.descendants(root, "h1", "h2") if "Volume" in xml.words(one)), "")
    year = _YEAR.search(heading)
    day = PartialDate(int(year[1])) if year else None
    papers = [one for one in xml.descendants(root, "div") if one.get("class") == "paper"]
    statements = [_of_paper(paper, number, day) for number, paper in enumerate(papers, 1)]
    if not any(isinstance(said, Record) for said in statements):
        raise _empty(filename, f"{len(papers)} papers; first bytes {data[:80]!r}")
    return _Volume(statements)


def _of_paper(paper: Element, number: int, day: PartialDate | None) -> Record | Rejected:
    links = [one for link in xml.descendants(paper, "a") for one in _named(link.get("href"))]
    try:
        identifier = _own(links)
        submissions = (one for one in links if one.scheme is Scheme.OPENREVIEW)
        info = _part(paper, "info")
        return _checked(
            Record(
                source=Pmlr.name,
                source_key=identifier.value,
                title=_words(paper, "title"),
                authors=formats.listed(_words(paper, "authors").split(",")),
                identifiers=tuple(dict.fromkeys((identifier, *submissions))),
                submitted=day,
                venue="" if info is None else xml.words(xml.child(info, "i")),
            )
        )
    except ValueError as error:
        excerpt = xml.words(paper).encode()[:EXCERPT_BYTES]
        return Rejected(Pmlr.name, f"paper {number}", text.printable(str(error))[:1000], excerpt)


def _own(links: Sequence[Identifier]) -> Identifier:
    """The one that PMLR gave. Raises ValueError."""
    for one in links:
        if one.scheme is Scheme.PMLR:
            return one
    raise ValueError(f"it is {_NO_PAPER}: it has no link to its page")


def _part(paper: Element, name: str) -> Element | None:
    return next((one for one in xml.descendants(paper, "p", "span") if one.get("class") == name), None)


def _words(paper: Element, name: str) -> str:
    return xml.words(_part(paper, name))
