r"""What a command probably means that LaTeX itself does not define: ``\cA``, ``\bbR``, ``\RR``, ``\Spec``.

Authors define macros in their papers; arXiv's titles and abstracts keep the commands and lose the definitions.
"""

from __future__ import annotations

import re

# Brackets nested deeper than this, or more commands than this, are shown as source. The converter of `math_core`
# walks a formula by recursion and kills the process when the stack overflows; within these bounds 256 KiB are enough.
MAX_DEPTH = 40
MAX_COMMANDS = 120
MAX_LENGTH = 50_000
# Every opening bracket without its partner doubles the time that `math_core` 0.9 takes, so few may stand as such.
MAX_OPENING = 6

_OPENING = dict(
    [
        *zip("([⌈⌊⟦⟨⟪⟬⟮", "([⌈⌊⟦⟨⟪⟬⟮", strict=True),
        *(("{", r"\{"), ("lbrace", r"\{"), ("lbrack", "["), ("lparen", "("), ("langle", "⟨"), ("lang", "⟨")),
        *(("lfloor", "⌊"), ("lceil", "⌈"), ("lvert", "|"), ("lVert", "‖"), ("lgroup", "⟮"), ("llbracket", "⟦")),
        *(("ulcorner", "⌜"), ("llcorner", "⌞"), ("lmoustache", "⎰"), ("llangle", "⟪"), ("lAngle", "⟪")),
        # These bring a bracket of their own.
        *(("pmod", " mod "), ("pod", " "), ("bra", "⟨"), ("ket", "|"), ("braket", "⟨"), ("Bra", "⟨"), ("Ket", "|")),
        *(("lBrace", "⦃"), ("lBrack", "⟦"), ("llparenthesis", "⦇")),
        *((character, character) for character in "⌜⌞⎰❲⟅⦃⦅⦇⦉⦋⦍⦑⦓⦕⦗⧘⧚⧼"),
    ]
)
_CLOSING = {
    **dict(zip(")]⌉⌋⟧⟩", ")]⌉⌋⟧⟩", strict=True)),
    "}": r"\}",
    "rbrace": r"\}",
    "rbrack": "]",
    "rparen": ")",
    "rangle": "⟩",
    "rang": "⟩",
    "rfloor": "⌋",
    "rceil": "⌉",
    "rvert": "|",
    "rVert": "‖",
    "rgroup": "⟯",
    "rrbracket": "⟧",
    "urcorner": "⌝",
    "lrcorner": "⌟",
}
_SIGNS = "".join(sign for sign in (*_OPENING, *_CLOSING) if len(sign) == 1 and sign not in "{}")
_BRACKET = re.compile(
    r"\\(?:left|right|middle|[bB]igg?)(?![A-Za-z])\s{0,9}(?:\\(?:[A-Za-z]+|.)|[^\s{}\\])"
    r"|\\sqrt\s{0,9}\[[^\[\]{}]{0,60}\]"
    r"|\\(?:text[a-z]*|mbox|hbox)\s{0,9}\{[^{}]{0,300}\}"
    r"|\\begin\s{0,9}\{[a-zA-Z]+\*?\}(?:\s{0,9}\[[a-z]\])?"
    r"|\\(?P<size>[bB]igg?)[lrm](?![A-Za-z])\s{0,9}"
    rf"|\\(?P<name>[A-Za-z]+|.)|(?P<sign>[{re.escape(_SIGNS)}])",
    re.DOTALL,
)

# A definition of a macro: authors put them where arXiv cannot use them, and a reader does not want to see them.
DEFINITION = re.compile(
    r"\\(?:re|provide)?newcommand\*?\s{0,9}\{?\\[A-Za-z]{1,40}\}?(?:\[\d\])?\s{0,9}"
    r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
)
_LETTER_MACRO = re.compile(r"(?P<font>cal|c|m?bb|mathbb|I|f|frak|mf|sc|scr|s|bf|b|bm|v|h|w|t)(?P<letter>[A-Z])")
_FONTS = {
    **dict.fromkeys(("cal", "c"), "mathcal"),
    **dict.fromkeys(("mbb", "bb", "I", "mathbb"), "mathbb"),
    **dict.fromkeys(("f", "frak", "mf"), "mathfrak"),
    **dict.fromkeys(("sc", "scr", "s"), "mathscr"),
    **dict.fromkeys(("bf", "b", "bm", "v"), "mathbf"),
    "h": "hat",
    **dict.fromkeys(("w", "t"), "tilde"),
}
_DOUBLED = re.compile(r"([ACDEFHKNPQRSTZ])\1")


def guess(name: str) -> str:
    r"""TeX for the unknown command `name`: a letter in a font where the name says so, else the name upright.

    ``cA`` gives ``\mathcal{A}``, ``RR`` gives ``\mathbb{R}``, ``Spec`` gives ``\mathrm{Spec}``, ``m`` gives ``m``.
    """
    if len(name) == 1:
        return name
    if _DOUBLED.fullmatch(name):
        return rf"\mathbb{{{name[0]}}}"
    if match := _LETTER_MACRO.fullmatch(name):
        return rf"\{_FONTS[match['font']]}{{{match['letter']}}}"
    return rf"\mathrm{{{name}}}"


def is_letter_macro(name: str) -> bool:
    """Whether `name` says by itself that it is a letter in a mathematical font: ``cA``, ``bbR``, ``RR``."""
    return bool(_DOUBLED.fullmatch(name) or _LETTER_MACRO.fullmatch(name))


def too_complex(tex: str) -> bool:
    """Whether `tex` is too long, too deep or too rich in commands to be typeset; one pass, no recursion."""
    if len(tex) > MAX_LENGTH or tex.count("\\") > MAX_COMMANDS:
        return True
    if sum(map(tex.count, "{([")) <= MAX_DEPTH:
        return False
    depth = 0
    for character in tex:
        if character in "{([":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "})]":
            depth = max(0, depth - 1)
    return False


def with_few_brackets(tex: str) -> str:
    """`tex` for the converter: if it has many brackets they are written as text, which looks the same."""
    opening = sum((match["sign"] or match["name"]) in _OPENING for match in _BRACKET.finditer(tex))
    return tex if opening <= MAX_OPENING else _BRACKET.sub(_as_text, tex)


def _as_text(match: re.Match[str]) -> str:
    if match["size"]:
        return f"\\{match['size']}"
    name = match["sign"] or match["name"] or ""
    shown = _OPENING.get(name) or _CLOSING.get(name)
    return f"\\text{{{shown}}}" if shown else match[0]
