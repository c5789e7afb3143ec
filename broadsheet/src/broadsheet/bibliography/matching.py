"""Whether two records speak of one work.

Identifiers decide where both records have one of the same kind. Otherwise the titles must be the same but for spelling
or subtitle, and what else is known speaks for or against: authors, abstracts, dates, the number of authors. Evidence is
counted in points, in one table (`_POINTS`), and the sum decides. What is not known counts nothing: two titles that are
equal, long enough and contradicted by nothing are one work.

A title in which one word of substance is another ("symmetric" for "skew-symmetric", "II" for "I") is another title:
the same people publish series whose abstracts are all but equal, and text cannot tell those from revisions.

The points were set by hand while looking at the pairs that ``benchmarks/bench_matching.py`` builds; its record gives
precision and recall by kind of pair.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from broadsheet.bibliography.folding import fold
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.names import likeness as likeness_of
from broadsheet.bibliography.record import Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, how sure it is (0 different, 0.5 undecided, 1 the same), and why in a few words."""

    same: bool
    score: float
    reason: str


def title_key(title: str) -> int:
    """A signed 64-bit key, equal for titles that differ only in spelling, articles, plurals or word breaks.

    Stable for ever: databases store it, so a change to folding is a migration of theirs. To find the candidates for a
    new record, look its title key and head key up among the title keys and the head keys that are stored.
    """
    return _digest(_squeezed(title))


def head_key(title: str) -> int | None:
    """The `title_key` of what stands before the subtitle (``Name: what it does``), or None without a subtitle.

    None also for a head that says nothing about the work ("Discussion of: ...", "Poster: ...").
    """
    head = _split(title)[0]
    return _digest(head) if head else None


def same_work(a: Record, b: Record) -> Verdict:
    """Whether `a` and `b` speak of one work. Symmetric; never raises.

    Different arXiv identifiers say no, whatever else agrees: arXiv keeps one identifier through all versions of a
    work. Otherwise a shared identifier says yes, and different ones of ACL Anthology or of one volume of PMLR say no.
    A work may have several DOIs (preprint, journal, data) and several OpenReview forums (it was submitted again), so
    different ones of those decide nothing.
    """
    decided = _by_identifiers(a.identifiers, b.identifiers)
    if decided is not None:
        return decided
    title = _compare_titles(a.title, b.title)
    if title in _HOPELESS:
        return Verdict(same=False, score=0.0, reason=title)
    found = (title, _compare_authors(a, b), _compare_abstracts(a.abstract, b.abstract), _compare_dates(a, b))
    reasons = [reason for reason in found if reason]
    points = sum(_POINTS[reason] for reason in reasons)
    score = 1 / (1 + 2.0 ** (-points))
    return Verdict(same=points > 0, score=round(score, 4), reason=", ".join(reasons))


def titles_agree(a: str, b: str) -> bool:
    """Whether two titles of one work differ in no more than spelling and subtitle."""
    return _compare_titles(a, b) not in _DISAGREEING


def shared_vocabulary(a: str, b: str) -> float | None:
    """The share of the shorter text's words of substance that are in the longer, 0 to 1; None for a mere line."""
    if not a or not b:
        return None
    words_a = {word for word in fold(a).split() if len(word) > 2 and word not in _COMMON}
    words_b = {word for word in fold(b).split() if len(word) > 2 and word not in _COMMON}
    fewest = min(len(words_a), len(words_b))
    return len(words_a & words_b) / fewest if fewest >= _FEWEST_WORDS else None


# Points for one work (positive) or against (negative): every observation that can be made, once.
_POINTS: dict[str, float] = {
    "equal titles": 6,
    "equal short titles": 2.5,
    "equal titles of one word": 1,
    "equal titles of a generic kind": -10,
    "titles with and without subtitle": 2,
    "short titles with and without subtitle": -2,
    "same head of the title, other subtitle": -10.5,
    "titles differ in spelling": -3,
    "authors agree": 4,
    "authors overlap": 1,
    "authors differ": -9,
    "as many authors": 1,
    "other number of authors": -2,
    "abstracts agree": 8,
    "abstracts are alike": 5,
    "abstracts resemble": 2,
    "abstracts differ": -7,
    "months agree": 1.5,
    "years agree": 0.5,
    "years apart": -1,
    "many years apart": -3,
}
_HOPELESS = frozenset(("titles differ", "titles number the works differently"))
_DISAGREEING = _HOPELESS | {"same head of the title, other subtitle"}


# --- Identifiers -----------------------------------------------------------------------------------------------------


def _by_identifiers(a: tuple[Identifier, ...], b: tuple[Identifier, ...]) -> Verdict | None:
    """What the identifiers alone decide, or None."""
    if not a or not b:
        return None
    shared = set(a).intersection(b)
    if not any(identifier.scheme is Scheme.ARXIV for identifier in shared) and _both_have(a, b, Scheme.ARXIV):
        return Verdict(same=False, score=0.0, reason="different arXiv identifiers")
    if shared:
        return Verdict(same=True, score=1.0, reason=f"both are {min(shared)}")
    if _both_have(a, b, Scheme.ACL):
        return Verdict(same=False, score=0.0, reason="different ACL Anthology identifiers")
    if _pmlr_volumes(a) & _pmlr_volumes(b):
        return Verdict(same=False, score=0.0, reason="different papers of one PMLR volume")
    return None


def _both_have(a: tuple[Identifier, ...], b: tuple[Identifier, ...], scheme: Scheme) -> bool:
    return any(one.scheme is scheme for one in a) and any(one.scheme is scheme for one in b)


def _pmlr_volumes(identifiers: tuple[Identifier, ...]) -> set[str]:
    return {one.value.partition("/")[0] for one in identifiers if one.scheme is Scheme.PMLR}


# --- Titles ----------------------------------------------------------------------------------------------------------

_ARTICLES = frozenset(("a", "an", "the"))
_FUNCTION_WORDS = _ARTICLES | frozenset(
    ("of", "for", "with", "in", "on", "and", "to", "by", "via", "from", "using", "at", "as", "its", "under", "through")
)
# A subtitle begins after a colon and a blank, a spaced dash, an em dash, or the end of a question.
_SEPARATOR = re.compile(r"[:：?!](?=\s)|\s[-–]{1,2}(?=\s)|—|-{2,3}(?=\S)")
_DECORATION = re.compile(
    r"[(\[]\s?(?:extended abstract|(?:extended|full|long|short|preliminary) version|technical report|preprint"
    r"|arxiv:[^()\[\]]{1,40}(?:\[[a-z.-]{1,20}\])?[^()\[\]]{0,20})\s?[)\]]",
    re.IGNORECASE,
)
# A title that only names a kind of text, or that answers another work: several people may write one.
_GENERIC = re.compile(
    "|".join(
        (
            r"(?:a )?(?:discussion|comments?|rejoinder|repl(?:y|ies)|response|proceedings)(?: (?:of|on|to|for)\b.*)?",
            r"(?:an? )?(?:erratum|errata|corrigendum|addendum|correction|retraction)(?: (?:of|on|to|for)\b.*)?",
            r"(?:review|introduction|editorial|preface|foreword|note|panel|tutorial|summary|overview|report|survey|re)",
            r"(?:brief announcement|(?:poster|demo)(?: abstract)?|(?:remembering|in memoriam|obituary)\b.*)",
        )
    )
)
_SERIES = re.compile(r"[0-9]+[a-z]{0,2}|[ivx]+|[a-z]{0,2}[0-9]+")
# Where a subtitle is no more than this, the work with it is another one than the work without.
_SEQUEL_WORDS = frozenset(
    (
        *("part", "volume", "vol", "chapter", "number", "no", "appendix", "supplement", "sequel", "continued"),
        *("addendum", "erratum", "errata", "corrigendum", "correction", "reply", "comment", "rejoinder", "response"),
        *("reproducibility", "replication", "reproduction"),
    )
)


def _squeezed(title: str) -> str:
    """The title's letters without breaks between words, articles, the s of plurals, and remarks on the version."""
    if title.endswith((")", "]")):
        start = title.rfind("(" if title.endswith(")") else "[")
        title = title[:start] if start > 0 and _DECORATION.fullmatch(title, start) else title
    return "".join(_stems(fold(title))) or title.strip().casefold()


def _stems(folded: str) -> list[str]:
    """The words of a folded title without articles, and without the s that makes plurals."""
    return [
        word[:-1] if word[-1] == "s" and len(word) > 3 and word[-2] != "s" else word
        for word in folded.split()
        if word not in _ARTICLES
    ]


def _digest(squeezed: str) -> int:
    """64 bits of BLAKE2b as a signed number, the way databases keep it."""
    squeezed_bytes = squeezed.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(squeezed_bytes, digest_size=8).digest(), "big", signed=True)


def _split(title: str) -> tuple[str, str]:
    """The squeezed head and the subtitle as printed; two empty strings when there is no subtitle worth the name."""
    separator = _SEPARATOR.search(title)
    if separator is None:
        return "", ""
    head, tail = fold(title[: separator.start()]), title[separator.end() :]
    if len(head) < 2 or _GENERIC.fullmatch(head) or not any(map(str.isalnum, tail)):
        return "", ""
    return "".join(_stems(head)), tail


def _compare_titles(a: str, b: str) -> str:
    """How the two titles are related: one of the title lines of `_POINTS`, or a hopeless one."""
    squeezed_a, squeezed_b = _squeezed(a), _squeezed(b)
    if squeezed_a == squeezed_b:
        return _grade_equal(fold(a), fold(b))
    head_a, tail_a = _split(a)
    head_b, tail_b = _split(b)
    for head, tail, other_squeezed, other in ((head_a, tail_a, squeezed_b, b), (head_b, tail_b, squeezed_a, a)):
        if head and (head == other_squeezed or _squeezed(tail) == other_squeezed):
            return _grade_subtitle(head, tail, other)
    wording = _compare_wording(a, b, squeezed_a, squeezed_b)
    if wording == "titles differ" and head_a and head_a == head_b:
        return _compare_tails(tail_a, tail_b)
    return wording


def _grade_equal(a: str, b: str) -> str:
    """How much it says that two works have this title, folded: its two spellings may break words differently."""
    if _GENERIC.fullmatch(a) or _GENERIC.fullmatch(b):
        return "equal titles of a generic kind"
    words = max(sum(word not in _FUNCTION_WORDS for word in folded.split()) for folded in (a, b))
    if words > 3 or not a.isascii():
        return "equal titles"
    return "equal short titles" if words > 1 else "equal titles of one word"


def _compare_tails(a: str, b: str) -> str:
    """Whether the subtitles behind one head may be two wordings, or are parts of a series."""
    if _numbers(a) != _numbers(b):
        return "titles number the works differently"
    return "same head of the title, other subtitle"


def _grade_subtitle(head: str, tail: str, other: str) -> str:
    """How much it says that one title is the other with something before or behind it."""
    words = fold(tail).split()
    if _squeezed(other) == head and len(words) <= 3 and _numbers(tail):
        return "titles number the works differently"
    if _squeezed(other) == head and len(words) <= 5 and not _SEQUEL_WORDS.isdisjoint(words):
        return "titles number the works differently"
    short = sum(word not in _FUNCTION_WORDS for word in fold(other).split()) < 3
    return "short titles with and without subtitle" if short else "titles with and without subtitle"


def _numbers(text: str) -> list[str]:
    """The numbers of a title, Roman ones included, in order of size: what tells the parts of a series apart."""
    return sorted(word for word in fold(text).split() if _SERIES.fullmatch(word))


def _compare_wording(a: str, b: str, squeezed_a: str, squeezed_b: str) -> str:
    """Whether every word of substance has its counterpart, spelled a little differently."""
    if Indel.normalized_similarity(squeezed_a, squeezed_b, score_cutoff=0.8) == 0:
        return "titles differ"
    if _numbers(a) != _numbers(b):
        return "titles number the works differently"
    words_a = [word for word in _stems(fold(a)) if word not in _FUNCTION_WORDS]
    words_b = [word for word in _stems(fold(b)) if word not in _FUNCTION_WORDS]
    if len(words_a) < 4 or len(words_a) != len(words_b):
        return "titles differ"
    alike = all(map(_is_spelling_of, words_a, words_b))
    return "titles differ in spelling" if alike else "titles differ"


def _is_spelling_of(a: str, b: str) -> bool:
    """Whether two words are one, or look like it: long, the same beginning and end, hardly a letter changed."""
    if a == b:
        return True
    return a[:2] == b[:2] and a[-1] == b[-1] and min(len(a), len(b)) > 5 and Indel.distance(a, b) <= 2


# --- Authors, abstracts, dates ---------------------------------------------------------------------------------------

_FEWEST_WORDS = 15


def _compare_authors(a: Record, b: Record) -> str:
    """How the authors are related, or "" when it cannot be said."""
    likeness = likeness_of(a.authors, b.authors)
    if likeness is None:
        return _compare_counts(a, b)
    if likeness >= 0.5:
        return "authors agree"
    return "authors overlap" if likeness > 0 else "authors differ"


def _compare_counts(a: Record, b: Record) -> str:
    count_a = len(a.authors) or a.author_count
    count_b = len(b.authors) or b.author_count
    if not count_a or not count_b:
        return ""
    if count_a == count_b:
        return "as many authors"
    return "other number of authors" if abs(count_a - count_b) > 2 else ""


def _compare_abstracts(a: str, b: str) -> str:
    """How alike the two abstracts are, or "" when it cannot be said."""
    shared = shared_vocabulary(a, b)
    if shared is None:
        return ""
    for least, reason in ((0.85, "abstracts agree"), (0.6, "abstracts are alike"), (0.42, "abstracts resemble")):
        if shared >= least:
            return reason
    return "" if shared >= 0.28 else "abstracts differ"


_COMMON = _FUNCTION_WORDS | frozenset(
    (
        *("are", "this", "that", "our", "which", "can", "these", "have", "has", "not", "their", "such", "also", "than"),
        *("more", "show", "paper", "but", "been", "both", "between", "one", "two", "new", "based", "results"),
        *("propose", "proposed", "method", "approach", "present", "however", "where", "when", "into", "over", "most"),
    )
)


def _compare_dates(a: Record, b: Record) -> str:
    """How far apart the two works appeared, or "" when it cannot be said. A preprint's journal may take two years."""
    year_a, month_a = _month(a)
    year_b, month_b = _month(b)
    if not year_a or not year_b:
        return ""
    if year_a == year_b and month_a == month_b and month_a:
        return "months agree"
    apart = abs(year_a - year_b)
    if apart <= 1:
        return "years agree"
    if apart == 2:
        return ""
    return "years apart" if apart <= 4 else "many years apart"


def _month(record: Record) -> tuple[int, int]:
    """The year and month in which the work appeared, each 0 when unknown."""
    day = record.submitted or record.announced
    return (day.year, day.month or 0) if day else (0, 0)
