r"""One formula of TeX as a line of Unicode text: ``x^2 \leq \sqrt{T}`` is ``x² ≤ √T``.

For search, titles of windows, feeds and screen readers. Letters in calligraphic, bold or fraktur type become plain
letters, because screen readers spell or skip the mathematical alphabets and few fonts have them; the blackboard
letters of number sets (ℝ, ℤ ...) are old, well supported characters and stay.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from broadsheet.bibliography.accents import ACCENTS, LETTERS
from broadsheet.bibliography.tex_macros import MAX_DEPTH, MAX_LENGTH, guess, too_complex
from broadsheet.bibliography.tex_symbols import (
    BLACKBOARD,
    FUNCTIONS,
    MATH_ACCENTS,
    MATH_FONTS,
    MATH_MACROS,
    MATH_SWITCHES,
    MATH_SYMBOLS,
    OPERATORS,
    RELATIONS,
    SPACES,
    SUBSCRIPTS,
    SUPERSCRIPTS,
)

_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|\s+|'+|.", re.DOTALL)
_ATOM = re.compile(r"[^\W_]?[\u0300-\u036f\u20d0-\u20ff′]*|[\d.]+|[^\W\d_]+|\([^()]*\)")
_PRODUCT = re.compile(r"[^\s+\-−=<>/±∓,;]+")
_BLACKBOARD_COMMANDS = frozenset({"mathbb", "Bbb", "mathbbm", "mathds"})
_ONE_ARGUMENT_DROPPED = frozenset(
    {"label", "tag", "begin", "end", "hspace", "vspace", "phantom", "hphantom", "color", "kern", "ref", "eqref", "cite"}
)
_LAST_OF_TWO = frozenset({"stackrel", "overset", "underset", "textcolor", "href"})
_FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"})
_CHOICES = frozenset({"binom", "dbinom", "tbinom"})
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
# Placeholders for blanks that are decided when the neighbours are known: around a relation, around a function.
_AROUND = "\ue000"
_BESIDE = "\ue001"
_BLANK_RUN = re.compile(rf"[\s{_AROUND}{_BESIDE}]+")
_BESIDE_RUN = re.compile(rf"(?<=[\w)\]}}′!]){_BESIDE}+(?=[A-Za-z0-9Α-ωϑℓℏ√∑∏∫∂∇∞|])")
_INNER_BLANK = re.compile(r"(?<=[(\[{⟨]) | (?=[)\]}⟩])")
_DOTLESS = {"ı": "i", "ȷ": "j"}


def formula_to_text(tex: str) -> str:
    """The formula `tex`, without its dollars, as a line of Unicode text; too complex input stays TeX. Never raises."""
    return " ".join(tex.split()) if len(tex) > MAX_LENGTH else _to_text(tex.strip())


@lru_cache(maxsize=4096)
def _to_text(tex: str) -> str:
    if too_complex(tex):
        return " ".join(tex.split())
    text = _Formula(tex).sequence("")
    text = _BLANK_RUN.sub(_decided_blank, text)
    text = _BESIDE_RUN.sub(" ", text).replace(_BESIDE, "")
    return unicodedata.normalize("NFC", _INNER_BLANK.sub("", " ".join(text.split())))


class _Formula:
    """A reader of one formula: every piece is taken once, from left to right."""

    def __init__(self, tex: str) -> None:
        self._tokens = _TOKEN.findall(tex.replace("$", ""))
        self._next = 0
        self._depth = 0

    def sequence(self, end: str) -> str:
        """What stands up to the piece `end`, which is taken too, or up to the end of the formula."""
        done: list[str] = []
        before = ""
        while self._next < len(self._tokens):
            piece = self._take()
            if piece == end:
                break
            if piece in ("\\over", "\\choose", "\\atop"):
                before = _fraction_head("".join(done), piece)
                done = []
            elif piece in "^_":
                while done and done[-1].isspace():
                    done.pop()
                if done and done[-1].endswith(_AROUND):
                    done[-1] = done[-1][:-1]
                    done.append(self._script(piece) + _AROUND)
                else:
                    done.append(self._script(piece))
            else:
                done.append(self._value(piece))
        rest = "".join(done)
        if before.endswith("/"):
            return before + _bracketed(rest)
        return before + rest + ")" if before else rest

    def _take(self) -> str:
        piece: str = self._tokens[self._next]
        self._next += 1
        return piece

    def _skip_blanks(self) -> None:
        while self._next < len(self._tokens) and self._tokens[self._next].isspace():
            self._next += 1

    def _argument(self) -> str:
        """The next group or token, read."""
        self._skip_blanks()
        if self._next >= len(self._tokens) or self._depth >= MAX_DEPTH:
            return ""
        self._depth += 1
        value = self._value(self._take())
        self._depth -= 1
        return value

    def _option(self) -> str:
        """What stands between square brackets if they come next."""
        if self._next < len(self._tokens) and self._tokens[self._next] == "[":
            self._next += 1
            return self.sequence("]")
        return ""

    def _value(self, piece: str) -> str:
        if piece == "{":
            return self.sequence("}")
        if piece[0] == "\\":
            return self._command(piece[1:].rstrip("*"))
        if piece[0] == "'":
            return "′" * len(piece)
        if piece == '"':
            return "″"
        if piece in "+-=<>" and self._between_blanks():
            return f"{_AROUND}{piece}{_AROUND}"
        return "" if piece == "}" else " " if piece in "&~" else piece

    def _between_blanks(self) -> bool:
        """Whether the author set a blank on either side of the piece just taken."""
        around = self._tokens[self._next - 2 : self._next + 1 : 2] if self._next > 1 else []
        return len(around) == 2 and all(piece.isspace() for piece in around)

    def _script(self, sign: str) -> str:
        content = _BLANK_RUN.sub(_script_blank, self._argument()).strip(" " + _BESIDE)
        if not content:
            return ""
        table = SUPERSCRIPTS if sign == "^" else SUBSCRIPTS
        if all(character in table for character in content):
            return "".join(table[character] for character in content)
        if sign == "^" and content in ("°", "deg"):
            return "°"
        plain = len(content) == 1 or (sign == "_" and content.isascii() and content.isalnum())
        return sign + content + _BESIDE if plain else f"{sign}({content})"

    def _command(self, name: str) -> str:  # noqa: PLR0911 - one answer per kind of command reads best as a list
        if not name.isalpha():
            return self._sign(name)
        spaced = self._next > 1 and self._tokens[self._next - 2].isspace()
        self._skip_blanks()
        if name in FUNCTIONS:
            return self._function(name)
        if name in MATH_SYMBOLS:
            sign = MATH_SYMBOLS[name]
            return f"{_AROUND}{sign}{_AROUND}" if name in RELATIONS or (spaced and name in OPERATORS) else sign
        if name in MATH_ACCENTS:
            return _accented(self._argument(), MATH_ACCENTS[name])
        if name in _BLACKBOARD_COMMANDS:
            return "".join(BLACKBOARD.get(character, character) for character in self._argument())
        if name == "operatorname":
            return _BESIDE + self._argument() + _BESIDE
        if name in MATH_SWITCHES:
            return self._switch(name)
        if name in MATH_FONTS:
            return self._argument()
        return self._structure(name)

    def _structure(self, name: str) -> str:  # noqa: PLR0911 - as above
        if name in _FRACTIONS:
            numerator = self._argument().strip()
            above = numerator if _PRODUCT.fullmatch(numerator) else _bracketed(numerator)
            return f"{above}/{_bracketed(self._argument())}"
        if name in _CHOICES:
            upper = self._argument()
            return f"({upper} choose {self._argument()})"
        if name == "sqrt":
            degree = self._option()
            root = _ROOTS.get(degree) or _AROUND + degree + "√"
            return root + _bracketed(self._argument())
        if name == "not":
            return _accented(self._argument(), "\u0338")
        if name in _LAST_OF_TWO:
            self._argument()
            return self._argument()
        if name in _ONE_ARGUMENT_DROPPED:
            self._argument()
            return ""
        if name in SPACES:
            return SPACES[name]
        return self._unknown(name)

    def _unknown(self, name: str) -> str:
        if name in LETTERS and len(name) > 1:
            return LETTERS[name]
        if name in BLACKBOARD:
            return BLACKBOARD[name]
        meaning = MATH_MACROS.get(name) or guess(name)
        if "#1" in meaning:
            meaning = meaning.replace("{#1}", "").replace("#1", "")
            return _to_text(meaning) + self._argument()
        text = _to_text(meaning)
        return (
            f"{_BESIDE}{text}{_BESIDE}" if len(text) > 1 else f"{_AROUND}{text}{_AROUND}" if text in _ARROWS else text
        )

    def _function(self, name: str) -> str:
        if name == "pmod":
            return f"{_AROUND}(mod {self._argument()})"
        shown = {"bmod": "mod", "liminf": "lim inf", "limsup": "lim sup"}.get(name, name)
        return f"{_BESIDE}{shown}{_BESIDE}"

    def _switch(self, name: str) -> str:
        """A font switch or a size of brackets: nothing, together with the point of an absent bracket."""
        absent = name in ("left", "right") and self._next < len(self._tokens) and self._tokens[self._next] == "."
        self._next += absent
        return ""

    def _sign(self, sign: str) -> str:
        if sign in SPACES:
            return SPACES[sign]
        if sign in ACCENTS:
            return _accented(self._argument(), ACCENTS[sign])
        if sign == "\\":
            self._option()
            return "; "
        return "‖" if sign == "|" else sign.replace("(", "").replace(")", "")


def _decided_blank(match: re.Match[str]) -> str:
    """One blank around a relation or where the author set one; what stands beside a function is decided later."""
    run = match[0]
    return _BESIDE if run.strip(_BESIDE) == "" else " "


def _script_blank(match: re.Match[str]) -> str:
    """Nothing around a relation in a script, to keep it short."""
    run = match[0]
    return "" if _AROUND in run else run


_ARROWS = frozenset(RELATIONS.values())


def _bracketed(text: str) -> str:
    """`text` in round brackets unless it is one letter, number or word."""
    text = text.strip()
    return text if _ATOM.fullmatch(text) else f"({text})"


def _fraction_head(before: str, command: str) -> str:
    if command == "\\over":
        return _bracketed(before) + "/"
    return f"({before.strip()} {'choose' if command.endswith('choose') else 'over'} "


def _accented(text: str, mark: str) -> str:
    """`text` with `mark` on it if it is one sign; longer text stays bare, since a mark on one letter would mislead."""
    text = text.strip().strip(_AROUND)
    bare = "".join(character for character in text if not unicodedata.combining(character))
    if len(bare) == 1:
        joined = _DOTLESS.get(text[0], text[0]) + text[1:] + mark
        composed = unicodedata.normalize("NFC", joined)
        return f"{_AROUND}{composed}{_AROUND}" if bare in _ARROWS else composed
    return text
