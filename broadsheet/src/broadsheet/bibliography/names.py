r"""Names of authors: as printed, in parts, for citations, and for addresses.

Sources write ``Ada Example``, ``Example, Ada``, ``von Example, Jr., Ada``, ``{\'E}mile Exemple``, ``Example, A.~B.``,
``Ada Example (1)``, ``Ada Example et al.`` and ``The INVENTED Collaboration``. The rules of the parts are BibTeX's
(``btxdoc``, section 4): words in lower case begin the family name. A name is never changed beyond that: no capitals
mended, no initials expanded.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broadsheet.bibliography import accents
from broadsheet.bibliography.folding import fold


@dataclass(frozen=True, slots=True)
class Name:
    """A name in its parts. A collaboration, or a name of one word, is all `family`."""

    given: str
    family: str
    suffix: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.given, self.family, self.suffix) if part)


def printed(name: str) -> str:
    """`name` as a reader expects it: given name first, Unicode instead of TeX, no control characters.

    "" when it names nobody (``et al.``).
    """
    if "," not in name and not _TELLTALE.search(name):
        return " ".join(name.split())
    return str(parts(name))


def last_first(name: str) -> str:
    """`name` as citations want it: ``von Example, Ada`` or ``Example, Jr., Ada``; a collaboration stays whole."""
    known = parts(name)
    return ", ".join(part for part in (known.family, known.suffix, known.given) if part)


def is_plain(name: str) -> bool:
    """Whether `parts` does no more to a name than dividing its words: no comma, TeX or remark, and not one of many."""
    return (
        "," not in name
        and not _TELLTALE.search(name)
        and not _COLLECTIVE.search(name)
        and (name.isascii() or unicodedata.is_normalized("NFC", name))
    )


def spelt(name: Name) -> str:
    """The plainest spelling that `parts` reads back as `name`; "" for nobody.

    ``Ada Example`` where that is enough; ``Exemple Primer, Ada`` where the family name would not be seen; in braces
    where a name is to stay whole (``{Beispiel and Sons, Inc.}``).
    """
    plain = str(name)
    if parts(plain) == name:
        return plain
    turned = ", ".join(part for part in (name.family, name.suffix, name.given) if part)
    return turned if parts(turned) == name else f"{{{plain}}}"


def slug(name: str) -> str:
    """`name` for an address: lower-case ASCII words joined by ``-``, the same for every spelling that folds alike.

    A name in another script gets ``n-`` and 16 hexadecimal digits. A name of nobody gives "".
    """
    folded = fold(printed(name))
    if _COLLECTIVE.search(folded):
        folded = folded.removeprefix("the ")
    if folded.isascii() and len(folded) <= _LONGEST_SLUG:
        return folded.replace(" ", "-")
    digest = hashlib.blake2b(folded.encode("utf-8", "replace"), digest_size=8).hexdigest()
    if not folded.isascii():
        return f"n-{digest}"
    return f"{folded[:_LONGEST_SLUG].strip().replace(' ', '-')}-{digest}"


def parts(name: str) -> Name:
    """The given name, family name (with its particles: ``van der Example``) and suffix (``Jr.``, ``III``)."""
    if is_plain(name):
        return _of_words(name.split()) if name.strip() else Name("", "")
    text = name.strip()
    whole = text.startswith("{") and text.endswith("}") and text.find("}") == len(text) - 1
    text = _plain(text)
    if whole:
        return Name("", text)
    if _COLLECTIVE.search(text):
        text = _ON_BEHALF.sub("", text)
    if _COLLECTIVE.search(text):
        return Name("", _BROKEN_COLLECTIVE.sub(r"\2 \1", text))
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    if len(pieces) > 1:
        return _of_pieces(pieces)
    return _of_words(pieces[0].split()) if pieces else Name("", "")


def likeness(a: Sequence[str], b: Sequence[str]) -> float | None:
    """The share of the shorter list of authors that is in the longer, 0 to 1; None when a list names nobody.

    People are compared by family name and initial; lists that then have little in common, by the words of their names
    in any order, because sources exchange given and family name. Two people who share only their family name count
    two fifths. The first hundred of a list stand for it.
    """
    first, second = a[:_COMPARED], b[:_COMPARED]
    best = _shared(first, second, _family_and_initial)
    if best is not None and best < 0.5:
        best = max(best, _shared(first, second, _words) or 0)
        if best == 0:
            best = 0.4 * (_shared(first, second, _family) or 0)
    return best


_COMPARED = 100


def _shared(a: Sequence[str], b: Sequence[str], mark: Callable[[str], str]) -> float | None:
    """The share of the smaller set of `mark` of people that is in the larger."""
    marks_a, marks_b = ({mark(name) for name in names} - {""} for names in (a, b))
    return len(marks_a & marks_b) / min(len(marks_a), len(marks_b)) if marks_a and marks_b else None


def _family(name: str) -> str:
    """The last word of the family name, folded: particles come and go between sources."""
    return fold(parts(name).family).rpartition(" ")[2]


def _family_and_initial(name: str) -> str:
    known = parts(name)
    return f"{fold(known.family).rpartition(' ')[2]} {fold(known.given)[:1]}".strip()


def _words(name: str) -> str:
    return " ".join(sorted(fold(name).split()))


_LONGEST_SLUG = 80
# Control characters but for white space, and the marks that turn the direction of writing round, as in `tex`.
_UNPRINTED = "\\x00-\\x08\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069"
# Anything that makes a name more than words with blanks between them.
_TELLTALE = re.compile(r"[\\{}~()*†‡§¶$" + _UNPRINTED + r"]|\bet\s{1,9}al\b|\bothers\b|ollaboration|[\u0300-\u036f]")
_SUFFIX = re.compile(r"(?:[Jj][Rr]|[Ss][Rr])\.?|I{2,3}|IV|2nd|3rd")
_NOBODY = re.compile(
    r"(?:^|,?\s{1,9})(?:et\s{1,9}al\b\.?|(?:and|with)\s{1,9}(?:[0-9]{1,5}\s{1,9})?others)\.?\s*$", re.IGNORECASE
)
# Remarks in parentheses behind a name: affiliation, "deceased".
_MOST_REMARKS = 3
_COLLECTIVE = re.compile(
    r"\b(?:collaborations?|consortium|working group|task force|committee)\b"
    r"|^the\b.*\b(?:team|group|project|survey|network|organi[sz]ation|institute|alliance|initiative)$",
    re.IGNORECASE,
)
_BROKEN_COLLECTIVE = re.compile(r"^(Collaboration|Consortium),\s*([^,]{1,200})$", re.IGNORECASE)
_ON_BEHALF = re.compile(r"(?<=\S),?\s{1,9}(?:for|on behalf of)\s{1,9}the\s.*$", re.IGNORECASE)
# Spanish and Portuguese join two family names with these words.
_JOINING = frozenset(("y", "e"))


def _plain(text: str) -> str:
    """The name in composed Unicode, without braces, footnote marks, affiliations and "et al."."""
    text = accents.to_unicode(_CONTROL.sub("", text)).replace("~", " ").replace("\\,", " ").replace("\\ ", " ")
    text = " ".join(unicodedata.normalize("NFC", text.translate(_MARKS)).split())
    text = _NOBODY.sub("", text)
    for _ in range(_MOST_REMARKS):
        if not text.endswith(")") or "(" not in text:
            break
        text = text[: text.rindex("(")].rstrip()
    return text


_CONTROL = re.compile(f"[{_UNPRINTED}]")
_MARKS = dict.fromkeys(map(ord, "{}\\*†‡§¶$"))


def _of_pieces(pieces: list[str]) -> Name:
    """Read ``Last, First``, ``Last, Jr., First``, ``Last, First, Jr.`` and ``First Last, Jr.``."""
    family, rest = pieces[0], pieces[1:]
    suffix = next((piece for piece in rest if _SUFFIX.fullmatch(piece)), "")
    if suffix:
        rest.remove(suffix)
        if not rest:
            known = _of_words(family.split())
            return Name(known.given, known.family, suffix)
    given = " ".join(rest).split()
    if not suffix and len(given) > 1 and _SUFFIX.fullmatch(given[-1]):
        suffix = given.pop()
    return Name(" ".join(given), family, suffix)


def _of_words(words: list[str]) -> Name:
    """Read ``First von Last Jr.``: the family name begins at the first word in lower case, else is the last word."""
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    start = len(words) - 1
    for at in range(1, len(words) - 1):
        word = words[at]
        if word in _JOINING:
            start = max(at - 1, min(1, len(words) - 1))
            break
        if word[0].islower() and len(word.rstrip(".")) > 1:
            start = at
            break
    return Name(" ".join(words[:start]), " ".join(words[start:]), suffix)
