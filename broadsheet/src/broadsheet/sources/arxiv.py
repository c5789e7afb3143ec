r"""What all origins of arXiv share: how it names sets, people, dates, versions and licences.

arXiv shows the same statement in five forms (OAI-PMH, feeds, listing pages, search, snapshot). `record` makes the same
record of each: the key is the bare identifier, text stays as printed, TeX included, and dates are those of the
versions, in GMT. Sources: https://info.arxiv.org/help/prep (metadata fields), https://info.arxiv.org/help/oa (sets).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Reference, Scheme, parse
from broadsheet.bibliography.record import Record, Version
from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.sources import fields
from broadsheet.sources.base import Unreadable
from broadsheet.sources.text import NOTHING_STORED, printable

ANNOUNCER = "arxiv"
SETS = "an archive or a category of arXiv, as in cs, cs.AI, hep-th"
# What arXiv heads its lists with are days of this place.
EASTERN = ZoneInfo("America/New_York")

# The archives of one group have a common first part in OAI sets; every other archive is a group by itself.
_PHYSICS = frozenset(
    (
        *("astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nlin", "nucl-ex"),
        *("nucl-th", "physics", "quant-ph"),
    )
)
ARCHIVES = tuple(dict.fromkeys(category.partition(".")[0] for category in CATEGORIES))

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = re.compile(r"(?:([A-Z][a-z]{2})[a-z]{0,6},?\s)?\s?([0-9]{1,2})\s([A-Z][a-z]{2})[a-z]{0,6}\s([0-9]{4})", re.ASCII)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s(?:GMT|UTC|\+0000)", re.ASCII)
_CATEGORY = re.compile(r"[a-z][a-z-]{1,15}(?:\.[A-Za-z][A-Za-z-]{0,15})?", re.ASCII)
_ESCAPED_AGAIN = re.compile(r"&(?:amp|lt|gt|quot|apos|#3[489]|#6[02]|#x2[267]|#x3[ce]);", re.IGNORECASE)
# One field may name several DOIs; a comma or semicolon inside one is followed by something else than the next.
_BETWEEN_DOIS = re.compile(r"[\s,;]+(?:and\s+)?(?=(?:https?://(?:dx\.)?doi\.org/|doi:\s?)?10\.[0-9]{4})", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s,;]")
_BETWEEN_NAMES = re.compile(r"(?<!\\)[,;]|\s(?:and|&|\\&)\s|:(?=\s)")
_SUFFIX = re.compile(r"(?:[Jj][Rr]|[Ss][Rr])\.?|I{2,3}|IV|2nd|3rd")
_NOBODY = re.compile(
    r"(?:and\s|&\s)?(?:et\.?\sal\b\.?|(?:[0-9]{1,4}\s)?(?:other|additional)\sauthors?(?:\snot\sshown)?|others)"
)
_BEHALF = re.compile(
    r"(?:and\s)?(?:on\sbehalf\sof|for)\s(?:the\s)?(?=.{0,200}(?:ollab|onsort|group|team))", re.IGNORECASE
)
_MOST_VERSIONS = 10_000
_LABEL = re.compile(r"v?([1-9][0-9]{0,3})", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Said:
    """The fields of one paper as an origin of arXiv prints them. `dois` may name several; `categories` are words."""

    identifier: str
    title: str = ""
    authors: tuple[str, ...] = ()
    abstract: str = ""
    categories: str = ""
    comments: str = ""
    journal_ref: str = ""
    dois: str = ""
    license: str = ""
    versions: tuple[Version, ...] = ()
    submitted: PartialDate | None = None
    updated: PartialDate | None = None


def record(source: str, said: Said) -> Record:
    """The record of the paper under `source`. Raises ValueError with the reason why it cannot be stored.

    Dates that the origin does not name are those of the versions. Journal references are citations, not names of
    venues: they stand behind the comments, as on arXiv's own pages.
    """
    identifier = reference(said.identifier).identifier
    title = one_line(said.title)
    if not title:
        raise ValueError("it has no title")
    abstract = unescaped(said.abstract).strip()
    comments = one_line(said.comments)
    if said.journal_ref:
        comments = "; ".join(part for part in (comments, f"Journal-ref: {one_line(said.journal_ref)}") if part)
    _refuse_too_long(title, abstract, comments, said)
    first, last = _ends(said.versions)
    return Record(
        source=source,
        source_key=identifier.value,
        title=title,
        abstract=abstract,
        authors=said.authors,
        identifiers=(identifier, *dois(said.dois)) if said.dois else (identifier,),
        versions=said.versions,
        submitted=said.submitted or first,
        updated=said.updated or last,
        categories=categories(said.categories),
        comments=comments,
        license=said.license.strip(),
    )


def reference(text: str) -> Reference:
    """The identifier and the version in it, if any. Raises ValueError for what is no arXiv identifier."""
    try:
        return Reference(Identifier(Scheme.ARXIV, text))
    except ValueError:
        found = parse(text)
    if found is None or found.identifier.scheme is not Scheme.ARXIV:
        raise ValueError(f'it has no arXiv identifier, but "{printable(text[:40])}"')
    return found


def categories(text: str) -> tuple[str, ...]:
    """The categories in the order of the text, the primary one first. What cannot be one is left out."""
    return _categories(text)


def dois(text: str) -> tuple[Identifier, ...]:
    """The DOIs that a field names, without those that arXiv itself gave, and without what is none."""
    if not _SEPARATOR.search(text):
        try:
            return (Identifier(Scheme.DOI, text),) if len(text) <= fields.LONGEST_IDENTIFIER else ()
        except ValueError:
            pass
    found = (parse(piece) for piece in _BETWEEN_DOIS.split(text.strip()[:2000]))
    return tuple(
        dict.fromkeys(
            one.identifier
            for one in found
            if one is not None
            and one.identifier.scheme is Scheme.DOI
            and len(one.identifier.value) <= fields.LONGEST_IDENTIFIER
        )
    )


def authors(text: str) -> tuple[str, ...]:
    r"""The names in a list such as ``A. Example (1), B. Beispiel and C. Exemple ((1) Town, (2) City)``, in its order.

    Affiliations in parentheses are dropped, suffixes (``Jr.``) go to the name before them, "et al." names nobody. TeX
    stays as it is, and ``\,`` separates nothing.
    """
    text = unescaped(text)
    if "(" in text or ")" in text:
        text = _without_remarks(text)
    names: list[str] = []
    for piece in _BETWEEN_NAMES.split(" ".join(text.split())):
        name = _NOBODY.sub("", _BEHALF.sub("", piece.strip())).strip()
        if not name or name in ".:":
            continue
        if names and _SUFFIX.fullmatch(name):
            names[-1] += f" {name}"
        else:
            names.append(name)
    return checked_authors(names)


def name(*, given: str, family: str, suffix: str = "") -> str:
    """A name of its parts, given name first; "" when there is nothing but punctuation."""
    joined = f"{given} {family} {suffix}" if suffix else f"{given} {family}" if given else family
    printed = one_line(joined)
    return printed if len(printed) > 1 or printed.isalnum() else ""


def checked_authors(names: Iterable[str]) -> tuple[str, ...]:
    """The names that are any. Raises ValueError for too many, or one that is too long."""
    found = tuple(filter(None, names))
    if len(found) > fields.MOST_ENTRIES:
        raise ValueError(f"it has more than {fields.MOST_ENTRIES:,} authors")
    if max(map(len, found), default=0) > fields.LONGEST_PHRASE:
        raise ValueError(f"the name of an author has more than {fields.LONGEST_PHRASE:,} letters")
    if "\x00" in "".join(found):
        raise ValueError("the name of an author has a zero byte in it")
    return found


def unescaped(text: str) -> str:
    r"""`text` with the characters that arXiv escaped once too often, as in ``\&#39;`` for an accent."""
    return _ESCAPED_AGAIN.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def one_line(text: str) -> str:
    """`text` on one line with single blanks, and unescaped."""
    return " ".join((unescaped(text) if "&" in text else text).split())


def moment(text: str) -> datetime:
    """The time of a version, as in ``Fri, 21 Nov 2008 22:55:07 GMT``. Raises ValueError."""
    day, _, rest = text.strip().partition(":")
    day, _, hour = day.rpartition(" ")
    found = _TIME.fullmatch(f"{hour}:{rest}")
    if found is None:
        raise ValueError(f'"{printable(text[:40])}" is no time of a version')
    known = listed_day(day)
    return datetime(known.year, known.month, known.day, int(found[1]), int(found[2]), int(found[3] or 0), tzinfo=UTC)


def version_day(text: str) -> PartialDate:
    """The day of a version's time, in GMT. Raises ValueError."""
    return _partial_day(text.rpartition(":")[0].rpartition(" ")[0])


@lru_cache(maxsize=32_768)
def _partial_day(text: str) -> PartialDate:
    """Snapshots name each of some 13,000 days hundreds of times."""
    return fields.plausible(PartialDate.of(listed_day(text)))


def listed_day(text: str) -> date:
    """The day of a heading, as in ``Wednesday, 12 August 2026`` or ``Fri, 20 Nov 2026``.

    Raises ValueError for what is no day, and for one whose day of the week is another.
    """
    found = _DAY.fullmatch(text.strip())
    if found is None or found[3] not in _MONTHS:
        raise ValueError(f'"{printable(text[:40])}" is no day')
    day = date(int(found[4]), _MONTHS[found[3]], int(found[2]))
    if found[1] and found[1] != _WEEKDAYS[day.weekday()]:
        raise ValueError(f"{day} is no {printable(found[1])}")
    return day


def eastern_day(at: datetime) -> date:
    """The day in US Eastern time, by which arXiv names its lists."""
    return at.astimezone(EASTERN).date()


@lru_cache(maxsize=1024)
def version_number(text: str) -> int:
    """The number in ``v2``. Raises ValueError."""
    found = _LABEL.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{printable(text[:20])}" is no version')
    return int(found[1])


def sections(set_name: str) -> tuple[str, ...]:
    """The lists that make up a set: itself, or all archives for the empty name. Raises Unreadable for unknown ones."""
    if not set_name:
        return ARCHIVES
    if set_name not in CATEGORIES and set_name not in ARCHIVES:
        raise Unreadable(
            f'arXiv has no archive and no category "{printable(set_name[:40])}". {NOTHING_STORED} '
            "Write it as on arXiv's pages: cs, cs.AI, math.NT, hep-th.",
            f"set {set_name[:80]!r}",
        )
    return (set_name,)


def oai_set(set_name: str) -> str:
    """The OAI set of an archive or category: ``cs:cs:AI``, ``physics:hep-th``, ``math``; "" for everything.

    Raises Unreadable for what arXiv does not have.
    """
    if not set_name:
        return ""
    sections(set_name)
    archive, _, code = set_name.partition(".")
    group = "physics" if archive in _PHYSICS else archive
    return ":".join(part for part in (group, archive if code or archive in _PHYSICS else "", code) if part)


def of_oai_sets(sets: Sequence[str]) -> str:
    """The categories that OAI sets name, as words in their order; archives as a whole name none."""
    return " ".join(dict.fromkeys(_OF_OAI_SET[name] for name in sets if name in _OF_OAI_SET))


def is_primary_in(section: str, category: str) -> bool:
    """Whether a paper whose first category is `category` is at home in an archive or category, under any alias."""
    homes = (category, _ALIASES.get(category, category))
    return any(home == section or home.partition(".")[0] == section for home in homes)


def unknown_fields(source_title: str, seen: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """A warning that names the fields that this version of Broadsheet does not know, or none."""
    strange = sorted(set(seen) - set(known))
    if not strange:
        return ()
    names = ", ".join(printable(name[:40]) for name in strange[:10])
    return (f"{source_title} sent fields that Broadsheet does not know: {names}. They were left out.",)


def missing_fields(source_title: str, counts: Mapping[str, int], expected: Iterable[str], of: int) -> tuple[str, ...]:
    """A warning that names the fields that most of `of` records lack though all should have them, or none."""
    gone = [name for name in expected if counts.get(name, 0) * 2 < of]
    if not gone or of < _ENOUGH:
        return ()
    return (f"{source_title} sent most records without: {', '.join(gone)}. Its format may have changed.",)


# Fewer records than these show nothing about the format.
_ENOUGH = 2


def _refuse_too_long(title: str, abstract: str, comments: str, said: Said) -> None:
    """Raises ValueError for what no column of the database holds."""
    if len(title) > fields.LONGEST_TITLE:
        raise ValueError(f"its title has more than {fields.LONGEST_TITLE:,} letters")
    if len(abstract) > fields.LONGEST_TEXT or len(comments) > fields.LONGEST_TEXT:
        raise ValueError(f"it has a text of more than {fields.LONGEST_TEXT:,} letters")
    if len(said.license) > fields.LONGEST_PHRASE:
        raise ValueError(f"its licence has more than {fields.LONGEST_PHRASE:,} letters")
    if "\x00" in title or "\x00" in abstract or "\x00" in comments or "\x00" in said.license:
        raise ValueError("it has a zero byte in it")


def _ends(versions: tuple[Version, ...]) -> tuple[PartialDate | None, PartialDate | None]:
    """When the first version was submitted, if it is known, and when the newest one was."""
    if not versions:
        return None, None
    first = versions[0]
    return first.submitted if first.number == 1 else None, versions[-1].submitted


@lru_cache(maxsize=65_536)
def _categories(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in text.split() if _CATEGORY.fullmatch(word)))


def _without_remarks(text: str) -> str:
    """The text without what stands in parentheses, nested ones too. One that is not closed ends at the next comma."""
    kept: list[str] = []
    depth = 0
    for piece in _PARENTHESES.split(text):
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth = max(0, depth - 1)
        elif not depth:
            kept.append(piece)
        last = piece
    if depth and "," in last:
        kept.append(last[last.index(",") :])
    return " ".join(kept)


_PARENTHESES = re.compile(r"([()])")
# Categories that are one under two codes: https://arxiv.org/category_taxonomy
_ONE_CATEGORY = (
    ("cs.IT", "math.IT"),
    ("cs.NA", "math.NA"),
    ("cs.SY", "eess.SY"),
    ("math.MP", "math-ph"),
    ("math.ST", "stat.TH"),
    ("q-fin.EC", "econ.GN"),
)
_ALIASES = {a: b for pair in _ONE_CATEGORY for a, b in (pair, pair[::-1])}
_OF_OAI_SET = {oai_set(category): category for category in CATEGORIES}
