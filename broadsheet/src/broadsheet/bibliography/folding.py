r"""Folding: what remains of a text when spelling no longer matters.

Two spellings of one title fold to the same string when they differ in case, dashes, quotes, accents (composed,
decomposed, or TeX), ligatures, full-width forms, character entities, or in how simple mathematics is written
(``$\ell_2$``, ``ℓ₂`` and the bare ``ell_2`` that pages leave behind; ``$\alpha$`` and ``α``).

Rules that are choices: apostrophes vanish, every other sign separates words; subscripts and superscripts join their
base; ``&`` reads "and", ``+`` reads "plus", "times" after a digit reads "x" (``98$\times$``, ``2×2``); one or two Greek
letters read as their names, three or more are a word.
"""

from __future__ import annotations

import html
import re
import unicodedata

from broadsheet.bibliography import accents


def fold(text: str) -> str:
    """`text` as lower-case words of letters and digits with one blank between them; "" when it holds none.

    Folding what is folded changes nothing. Never raises. An ASCII text without TeX takes 1 to 2 microseconds.
    """
    if text.isascii() and "\\" not in text and "&" not in text and "+" not in text:
        folded = " ".join(text.encode().translate(_ASCII, b"$^_{}'`\x7f").decode().split())
    else:
        folded = _fold_slowly(text)
    if ("math" in folded or "operatorname" in folded) and _BARE_STYLES.search(folded):
        # What is left may join to a style again; the last time nothing can join across a blank.
        for left in ("", "", "", " "):
            folded = " ".join(_BARE_STYLES.sub(left, folded).split())
    return _TIMES.sub("x", folded) if "times" in folded else folded


def _fold_slowly(text: str) -> str:
    """`fold` for texts with entities, TeX commands, or letters outside ASCII."""
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    text = unicodedata.normalize("NFC", text)
    if "\\" in text:
        text = _COMMAND.sub(_command, accents.to_unicode(text))
    if text.isascii():
        return " ".join(text.translate(_TABLE).split())
    text = unicodedata.normalize("NFC", text.translate(_TABLE))
    return " ".join(_GREEK_SYMBOL.sub(_greek_names, text).split())


# --- The ASCII path: bytes, one look-up each -------------------------------------------------------------------------

_ASCII = bytes(code if chr(code).isalnum() else 32 for code in range(128)).lower() + bytes(range(128, 256))


# --- TeX -------------------------------------------------------------------------------------------------------------

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)[ ]*|(.)|$)", re.DOTALL)
_TIMES = re.compile(r"(?<=[0-9]) ?times(?: (?=[0-9])|(?=[0-9])|\b)")
# What remains of a style where a page has dropped its backslash; no word of any language contains these.
_BARE_STYLES = re.compile(r"math(?:cal|bb|bf|rm|sf|tt|frak|scr) ?|operatorname ?")

# Commands that say how something looks, not what it is.
_STYLES = frozenset(
    (
        *("mathcal", "mathbb", "mathbf", "mathrm", "mathit", "mathsf", "mathtt", "mathfrak", "mathscr", "mathop"),
        *("boldsymbol", "bm", "pmb", "operatorname", "ensuremath", "mbox", "hbox", "text", "textit", "textbf"),
        *("textrm", "textsc", "texttt", "textsf", "textsl", "textup", "textmd", "textnormal", "textsubscript"),
        *("textsuperscript", "emph", "underline", "uppercase", "lowercase", "rm", "it", "bf", "sf", "tt", "sc", "em"),
        *("sl", "cal", "Bbb", "frak", "left", "right", "big", "Big", "bigl", "bigr", "limits", "displaystyle"),
        *("textstyle", "scriptstyle", "small", "large", "Large", "protect", "relax", "xspace", "noindent"),
        *("boldmath", "unboldmath", "mit", "url", "href", "nobreak"),
    )
)
# Signs that print as space or punctuation; folding drops those in Unicode too.
_PUNCTUATION = frozenset(
    (
        *("quad", "qquad", "dots", "ldots", "cdots", "cdot", "bullet", "langle", "rangle", "lbrace", "rbrace", "colon"),
        *("mid", "vert", "Vert", "lvert", "rvert", "textendash", "textemdash", "textquoteright", "textquoteleft"),
        *("lfloor", "rfloor", "lceil", "rceil", "prime", "slash", "backslash", "par", "newline", "linebreak", "hfill"),
        *("textquotedblleft", "textquotedblright", "ast", "dagger", "ddagger", "thanks"),
    )
)
_GREEK = {
    name: letter
    for letter, name in zip(
        "αβγδεζηθικλμνξοπρστυφχψω",
        (
            *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
            *("nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
        ),
        strict=True,
    )
}
# Signs with a TeX name: folded to that name, a blank on both sides.
_OPERATORS = {
    "≤": "leq",
    "≥": "geq",
    "≠": "neq",
    "≈": "approx",
    "≡": "equiv",
    "≅": "cong",
    "∼": "sim",
    "≃": "simeq",
    "∝": "propto",
    "→": "to",
    "←": "leftarrow",
    "↔": "leftrightarrow",
    "↦": "mapsto",
    "∈": "in",
    "⊂": "subset",
    "⊆": "subseteq",
    "∪": "cup",
    "∩": "cap",
    "×": "times",
    "°": "circ",
    "∘": "circ",
    "⋆": "star",
    "±": "pm",
    "∓": "mp",
    "⊕": "oplus",
    "⊗": "otimes",
    "⋊": "rtimes",
    "∧": "wedge",
    "∨": "vee",
    "⊥": "perp",
    "∥": "parallel",
    "∑": "sum",
    "∏": "prod",
    "∫": "int",
    "+": "plus",
    "&": "and",
}
# Signs that behave like letters: folded to the name without blanks.
_LETTERLIKE = {
    "ℓ": "ell",
    "∞": "infty",
    "∂": "partial",
    "∇": "nabla",
    "∆": "delta",
    "ℏ": "hbar",
    "√": "sqrt",
    "∅": "emptyset",
}
_ALIASES = {
    "le": "leq",
    "ge": "geq",
    "ne": "neq",
    "leqslant": "leq",
    "geqslant": "geq",
    "rightarrow": "to",
    "longrightarrow": "to",
    "gets": "leftarrow",
    "thicksim": "sim",
    "varepsilon": "epsilon",
    "vartheta": "theta",
    "varphi": "phi",
    "varrho": "rho",
    "varsigma": "sigma",
    "varpi": "pi",
    "varnothing": "emptyset",
    "lnot": "neg",
    "land": "wedge",
    "lor": "vee",
    "textmu": "mu",
    "hslash": "hbar",
}
# Commands whose name joins what follows: letters, and accents over one.
_JOINING = frozenset(
    (*_LETTERLIKE.values(), "hat", "tilde", "bar", "vec", "dot", "ddot", "overline", "widehat", "widetilde", "frac")
)
_SPACES = frozenset(" \\~\n\t\r-")


def _command(match: re.Match[str]) -> str:
    """What one TeX command leaves behind."""
    name, sign = match[1], match[2]
    if name is None:
        return _escaped(sign or "")
    if name in _STYLES:
        return ""
    if name in _PUNCTUATION:
        return " "
    lower = name[0].lower() + name[1:]
    name = _ALIASES.get(name) or _ALIASES.get(lower, name)
    greek = _GREEK.get(name) or _GREEK.get(lower)
    if greek:
        return greek
    return name if name in _JOINING else f" {name} "


def _escaped(sign: str) -> str:
    r"""What ``\&``, ``\ ``, ``\,`` and the like leave behind: the sign, a blank, or nothing."""
    if sign in _SPACES:
        return "" if sign == "-" else " "
    return sign if sign.isalnum() or sign in "&%#$_+" else ""


# --- Every other letter of the world: one look-up each, remembered ---------------------------------------------------

# Letters that Unicode does not decompose.
_LATIN = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ı": "i",
        "ȷ": "j",
        "ł": "l",
        "ŋ": "n",
        "ŧ": "t",
        "þ": "th",
        "ſ": "s",
        "ʻ": "",
        "ʼ": "",
        "ʹ": "",
        "ˈ": "",
        "ς": "σ",
    }
)
_DROPPED = frozenset("'`´‘’‛′″$^_{}\u00ad™®©")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_GREEK_LETTERS = "".join(_GREEK.values())
_GREEK_NAME = {letter: name for name, letter in _GREEK.items()}
_GREEK_SYMBOL = re.compile(f"(?<![{_GREEK_LETTERS}])[{_GREEK_LETTERS}]{{1,2}}(?![{_GREEK_LETTERS}])")
_REMEMBERED = 20_000


def _greek_names(match: re.Match[str]) -> str:
    return "".join(_GREEK_NAME[letter] for letter in match[0])


def _folded_letter(letter: str) -> str:
    """What one character becomes: letters and digits, a blank, or nothing."""
    if letter in _DROPPED:
        return ""
    operator = _OPERATORS.get(letter)
    if operator:
        return f" {operator} "
    if letter in _LETTERLIKE:
        return _LETTERLIKE[letter]
    plain = unicodedata.normalize("NFKD", letter).casefold().translate(_LATIN)
    plain = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", plain)))
    kept = "".join(sign if _in_a_word(sign) else " " for sign in plain)
    return "" if not plain or unicodedata.category(letter) == "Cf" else kept


def _in_a_word(sign: str) -> bool:
    """Letters and digits, and the vowel signs that are part of a word in the scripts of India and Arabia."""
    return sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc")


class _Table(dict[int, str]):
    """A translation table that works out a character when it is first met; its memory is bounded."""

    def __missing__(self, code: int) -> str:
        folded = _folded_letter(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


_TABLE = _Table()
