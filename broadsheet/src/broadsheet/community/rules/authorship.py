"""Pure rules of authorship: what proves that a person wrote a paper, and what happens to a claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from broadsheet.bibliography import identifiers, names
from broadsheet.bibliography.folding import fold
from broadsheet.bibliography.identifiers import Identifier

LONGEST_NOTE = 1_000  # characters
LONGEST_ADDRESS = 500
MOST_LINKS = 6
LONGEST_ANSWER = 3_000


class State(StrEnum):
    """What was decided about a claim."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNDONE = "undone"


# The states in which a claim stands.
OPEN = frozenset({State.PENDING, State.CONFIRMED})


class Way(StrEnum):
    """What speaks for a claim: the person's ORCID record, a verified address, or nothing but her word."""

    ORCID = "orcid"
    MAIL = "mail"
    WORD = "word"


class LinkKind(StrEnum):
    """What an author links to her paper."""

    CODE = "code"
    PROJECT = "project"
    DATA = "data"


# --- ORCID -----------------------------------------------------------------------------------------------------------

# Who puts works into a record by itself, with the iD that the author gave to the publisher when she submitted. Works
# that the person added herself prove nothing. ORCID calls this auto-update.
TRUSTED = frozenset({"Crossref"})
_MOST_WORKS = 5_000


@dataclass(frozen=True, slots=True)
class OrcidRecord:
    """What a person's ORCID record says: her names, the works that publishers put there, and those she added."""

    orcid: str
    names: tuple[str, ...]
    asserted: frozenset[Identifier]
    added: frozenset[Identifier]


def orcid_record(said: Mapping[str, Any]) -> OrcidRecord:
    """A record as the API of ORCID gives it (version 3.0, JSON). What is not as it should be is left out."""
    asserted: set[Identifier] = set()
    added: set[Identifier] = set()
    for summary, found in _works(said):
        source = _at(summary, "source", "source-name", "value")
        by_itself = source in TRUSTED and not _at(summary, "source", "assertion-origin-orcid")
        (asserted if by_itself else added).update(found)
    given = _text(said, "person", "name", "given-names", "value")
    family = _text(said, "person", "name", "family-name", "value")
    credit = _text(said, "person", "name", "credit-name", "value")
    return OrcidRecord(
        orcid=_text(said, "orcid-identifier", "path"),
        names=tuple(name for name in (credit, f"{given} {family}".strip()) if name),
        asserted=frozenset(asserted),
        added=frozenset(added),
    )


def _works(said: Mapping[str, Any]) -> Iterator[tuple[Any, set[Identifier]]]:
    """Each summary of a work, with the identifiers that it gives of the work itself."""
    count = 0
    for group in _list(_at(said, "activities-summary", "works", "group")):
        for summary in _list(_at(group, "work-summary")):
            count += 1
            if count > _MOST_WORKS:
                return
            yield summary, set(_identifiers(_list(_at(summary, "external-ids", "external-id"))))


def _identifiers(external: Iterable[Any]) -> Iterator[Identifier]:
    for each in external:
        kind, value = _text(each, "external-id-type"), _text(each, "external-id-value")
        if kind not in ("doi", "arxiv") or _text(each, "external-id-relationship") not in ("self", "version-of", ""):
            continue
        found = identifiers.parse(value if kind == "doi" else f"arxiv:{value.removeprefix('arXiv:')}")
        if found:
            yield found.identifier


def _at(value: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _text(value: Any, *path: str) -> str:
    found = _at(value, *path)
    return found if isinstance(found, str) and len(found) <= 500 else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# --- Claims ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proof:
    """What speaks for a claim: whether it is enough by itself, in which way, and a sentence for who decides."""

    enough: bool
    way: Way
    sentence: str


def proof(author: str, known: Iterable[Identifier], records: Sequence[OrcidRecord], domains: Iterable[str]) -> Proof:
    """What speaks for somebody who claims to be this author of the work with these identifiers.

    Enough is only an ORCID record in which a publisher put the work, with a name that fits. No source that we read
    prints addresses of authors, so that a verified address tells a curator something and proves nothing.
    """
    works = set(known)
    found = [_by_record(author, works, record) for record in records]
    if found:
        return next((each for each in found if each.enough), found[0])
    told = sorted(set(domains))
    if told:
        return Proof(enough=False, way=Way.MAIL, sentence=f"Verified addresses at {', '.join(told)}.")
    return Proof(enough=False, way=Way.WORD, sentence="Nothing but her word.")


def _by_record(author: str, works: set[Identifier], record: OrcidRecord) -> Proof:
    """What a person's ORCID record says for her."""
    listed = "a publisher put the work there" if works & record.asserted else ""
    listed = listed or ("she added the work there herself" if works & record.added else "it does not list the work")
    fits = any(same_name(author, name) for name in record.names)
    name = "the name fits" if fits else "the name does not fit"
    sentence = f"ORCID {record.orcid}: {listed}, {name}."
    return Proof(bool(works & record.asserted) and fits, Way.ORCID, sentence)


def same_name(printed: str, other: str) -> bool:
    """Whether two spellings can be of one person: the same family name, and first names that begin alike.

    "A. Example" fits "Ada Example"; "Bela Example" does not.
    """
    one, two = names.parts(printed), names.parts(other)
    if fold(one.family) != fold(two.family):
        return False
    first, second = fold(one.given), fold(two.given)
    if not first or not second:
        return first == second
    shorter, longer = sorted((first.split()[0], second.split()[0]), key=len)
    return longer == shorter or (len(shorter) == 1 and longer.startswith(shorter))
