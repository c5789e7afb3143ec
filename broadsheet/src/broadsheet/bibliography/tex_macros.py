r"""What a command probably means that LaTeX itself does not define: ``\cA``, ``\bbR``, ``\RR``, ``\Spec``.

Authors define macros in their papers; arXiv's titles and abstracts keep the commands and lose the definitions.
"""

from __future__ import annotations

import re

# Brackets nested deeper than this, or more commands than this, are shown as source. The converter of `math_core` walks a
# formula by recursion and kills the process when the stack overflows; within these bounds 256 KiB of stack are enough.
MAX_DEPTH = 40
MAX_COMMANDS = 120
MAX_LENGTH = 50_000
# Every opening bracket without a closing one doubles the time that `math_core` 0.9 takes.
MAX_UNCLOSED = 5

_BRACKET = re.compile(r"\\(?P<name>[A-Za-z]+|.)|(?P<sign>[()\[\]{}])", re.DOTALL)
_OPENING = frozenset(
    [
        *("(", "[", "{", "lbrace", "lbrack", "lparen", "langle", "lfloor", "lceil", "lvert", "lVert", "lgroup"),
        *("llbracket", "ulcorner", "llcorner", "lmoustache", "bigl", "Bigl", "biggl", "Biggl"),
    ]
)
_CLOSING = frozenset(
    [
        *(")", "]", "}", "rbrace", "rbrack", "rparen", "rangle", "rfloor", "rceil", "rvert", "rVert", "rgroup"),
        *("rrbracket", "urcorner", "lrcorner", "rmoustache", "bigr", "Bigr", "biggr", "Biggr"),
    ]
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
    """Whether `tex` is too long, too deep, too rich in commands or too unbalanced to be typeset; one pass."""
    if len(tex) > MAX_LENGTH or tex.count("\\") > MAX_COMMANDS:
        return True
    # The brackets that are open in each group that is open.
    groups = [0]
    unclosed = depth = 0
    for match in _BRACKET.finditer(tex):
        sign = match["sign"]
        name = sign or match["name"]
        if sign == "{":
            groups.append(0)
            depth += 1
        elif sign == "}":
            unclosed += groups.pop()
            depth -= 1
            if not groups:
                groups.append(0)
                depth = 0
        elif name in _OPENING:
            groups[-1] += 1
            depth += 1
        elif name in _CLOSING and groups[-1]:
            groups[-1] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            return True
    return unclosed + sum(groups) > MAX_UNCLOSED
