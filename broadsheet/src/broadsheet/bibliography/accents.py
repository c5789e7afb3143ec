r"""The accents and letters of TeX: the tables, once, and their conversion to Unicode.

arXiv and BibTeX write ``Erd\H{o}s``, ``{\"o}``, ``\'Ecole``, ``\L{}ukasz``. Names, titles, folding and the rendering
of TeX all read them here. Source: The LaTeX Companion, 3rd edition, "Text companion symbols and accents".
"""

from __future__ import annotations

import re
import unicodedata

# Accent command without its backslash -> combining character that follows the base letter.
ACCENTS: dict[str, str] = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
    "t": "\u0361",
}

# Letter command without its backslash -> letter.
LETTERS: dict[str, str] = {
    "aa": "å",
    "AA": "Å",
    "ae": "æ",
    "AE": "Æ",
    "dh": "ð",
    "DH": "Ð",
    "dj": "đ",
    "DJ": "Đ",
    "i": "ı",
    "j": "ȷ",
    "l": "ł",
    "L": "Ł",
    "ng": "ŋ",
    "NG": "Ŋ",
    "o": "ø",
    "O": "Ø",
    "oe": "œ",
    "OE": "Œ",
    "ss": "ß",
    "SS": "ẞ",
    "th": "þ",
    "TH": "Þ",
}

_BASE = r"\\[ij](?![A-Za-z])(?:\{\}| )?|[^\W\d_]"
_ACCENT = re.compile(
    rf"\\(?:(?P<sign>[`'^~=.\"])[ ]?|(?P<name>[uvHckrdbt])(?:[ ]{{1,2}}|(?=[{{\\])))"
    rf"(?:\{{[ ]?(?P<braced>{_BASE}|)[ ]?\}}|(?P<bare>{_BASE}))"
)
_LETTER = re.compile(rf"\\({'|'.join(sorted(LETTERS, key=len, reverse=True))})(?![A-Za-z])(?:\{{\}}|[ ]+)?")
# Letters that carry two accents (Vietnamese) are written as one accent inside another.
_DEPTH = 3


def to_unicode(text: str) -> str:
    r"""`text` with TeX accents and letters as Unicode (composed form); braces around them and all else stay.

    ``{\"o}`` gives ``{ö}``, ``\'{\i}`` gives ``í``, ``\o `` eats its blank as TeX does. For text, not for the inside
    of ``$...$``, where the same commands can be macros.
    """
    if "\\" not in text:
        return text
    for _ in range(_DEPTH):
        text, changes = _ACCENT.subn(_compose, text)
        if not changes:
            break
    return _LETTER.sub(lambda match: LETTERS[match[1]], text)


def _compose(match: re.Match[str]) -> str:
    """The accented letter; an accent over nothing is the sign itself (``\\~{}`` in addresses) or nothing."""
    command = match["sign"] or match["name"]
    base = match["braced"] if match["bare"] is None else match["bare"]
    if not base:
        return command if command in "~^" else ""
    if base.startswith("\\"):
        base = base[1]
    return unicodedata.normalize("NFC", base + ACCENTS[command])
