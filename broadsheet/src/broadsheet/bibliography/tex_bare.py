r"""Mathematics in running text that has lost its dollars, and often its backslashes: ``O(n^2)``, ``ell_2``, ``\alpha``.

Saved pages of Daily Papers print ``mathcal{O}(1/epsilon^2)`` where the author wrote ``$\mathcal{O}(1/\epsilon^2)$``,
and old arXiv abstracts never had dollars. Only what is plainly mathematics is taken: a script on a base, a command
that no language has as a word. Addresses, file names and identifiers in snake_case are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from broadsheet.bibliography.accents import ACCENTS, LETTERS
from broadsheet.bibliography.tex_macros import is_letter_macro
from broadsheet.bibliography.tex_symbols import (
    FUNCTIONS,
    GLUED,
    MATH_ACCENTS,
    MATH_FONTS,
    MATH_MACROS,
    MATH_SYMBOLS,
    NEVER_WORDS,
    RELATIONS,
    TAKES_ARGUMENT,
    TEXT_SIGNS,
    TEXT_STYLES,
    TEXT_SWITCHES,
    word_set,
)

# What can begin bare mathematics. The letters of a formula are looked for around such a place only.
_MARKED_PLACE = re.compile(r"[\^_]|\\(?P<command>[A-Za-z]+)|[a-z]\{|[0-9]\{[0-9]")
_PLACE = re.compile("|".join([_MARKED_PLACE.pattern, *sorted(NEVER_WORDS - {"ell", "sqrt", "cdot"})]))
_TELLTALE = (
    "varepsilon",
    "varphi",
    "mathcal",
    "mathbb",
    "mathfrak",
    "widetilde",
    "infty",
    "leq",
    "geq",
    "neq",
    "rightarrow",
)
# How far a formula may reach from such a place, in characters.
_REACH = 80
_MAX_TOKENS_IN_BRACKETS = 200
_CHUNK = re.compile(r"\S+")
_NOT_MATHEMATICS = re.compile(
    r"@[\w-]|://|^\W?www\.|__|[A-Za-z0-9]_[A-Za-z0-9]*_[A-Za-z0-9]|_\w+\.(?:py|txt|json|csv|pdf|html?|md|sh|c|cpp|h|org|com)\b"
    r"|\w/\w+_\w{2,}"
)
_ENGLISH = word_set(
    """of in is to at by on or an as be we it if so no us up do my he me vs eq et al ie eg th st nd rd ii iv vi am pm ml
    ai rl cv ok go id ad re de la le du el en un"""
)
_APPLIED = frozenset({"poly", "polylog", "diag", "rank", "tr", "Tr", "nnz", "vol", "Var", "Cov", "sgn", "sign", "supp"})
_TEXT_COMMANDS = {*TEXT_SIGNS, *TEXT_STYLES, *TEXT_SWITCHES, *ACCENTS, *LETTERS, "deg", "item", "C", "Q"} - {
    "ldots",
    "dots",
    "bullet",
    "dag",
    "dagger",
    "cal",
    "text",
    "mbox",
    "hbox",
}
_MATH_COMMANDS = (
    {*MATH_SYMBOLS, *FUNCTIONS, *MATH_ACCENTS, *MATH_FONTS, *MATH_MACROS}
    | {"frac", "dfrac", "tfrac", "sqrt", "binom", "stackrel", "overset", "underset", "not", "pmod", "cal", "over"}
) - _TEXT_COMMANDS
_QUIET_COMMANDS = frozenset(
    {"ldots", "dots", "left", "right", "big", "Big", "bigg", "text", "mbox", "hbox", ",", "{", "}", "|", ";", "!"}
)
_KNOWN = {*MATH_SYMBOLS, *FUNCTIONS, *TAKES_ARGUMENT} - {"AA", "O", "o", "S", "P", "i", "j", "l", "L"}
_JOINING = {*RELATIONS, "circ", "times", "cdot", "otimes", "oplus", "setminus"} - {
    "in",
    "to",
    "mid",
    "sim",
    "models",
    "smile",
    "frown",
    "gets",
    "perp",
    "ni",
    "prec",
    "succ",
    "ne",
    "le",
    "ge",
    "implies",
    "iff",
    "parallel",
}
_JOINING_SIGNS = frozenset("=+-<>*/−")
_RELATION_TAILS = ("\\leq ", "\\geq ", "\\neq ")
# What stands behind these belongs to them.
_GOVERNING = frozenset({"int", "sum", "prod", "min", "max", "sup", "inf", "lim", "argmin", "argmax"})
_GLUED_CASE = re.compile("|".join(sorted(GLUED, key=len, reverse=True)))

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    # A plain word, before all the rarer things, because nearly all tokens are one.
    r"|(?P<plain>(?!tilde|hat|wide|math)[a-z]{2,}(?=[ ,.;:)]))"
    r"|(?P<fonted>\{\\(?:bf|rm|cal|sf|frak|mathbf|mathrm|mathcal)\s{1,3}[A-Za-z0-9]{1,3}\}(?=[\^_(]))"
    r"|(?P<upright>\\(?:mathrm|operatorname|mathbf|mathsf|mathit|mathcal|mathbb|mathfrak|mathscr|mathtt)\*?\s{0,3}\{[^{}]{0,80}\})"
    r"|(?P<lettered>\\(?:math(?:bb|bf|cal|frak|rm|scr|sf)|Bbb|frak|bar|hat|tilde|overline|widetilde|widehat)"
    r"\s{1,3}(?:[A-Za-z](?![A-Za-z])|\\[A-Za-z]+))"
    r"|(?P<words>\\(?:text|mbox|hbox|textrm|textnormal)\s{0,3}\{[^{}\\]{0,80}\})"
    r"|(?P<command>\\(?:[A-Za-z]+|.))"
    r"|(?P<labelled>[\^_]\{[A-Za-z]{2,12}\})"
    r"|(?P<physics>(?<![A-Za-z0-9])(?:[A-Z]_[a-z]{2,4}|[a-z]_[A-Z][a-z]|[A-Z]_[A-Z][a-z])(?![A-Za-z0-9_]))"
    r"|(?P<member>(?<![A-Za-z0-9])[A-Z]in(?=\s[RCZNQ]\^))"
    r"|(?P<order>(?<![A-Za-z])(?:wide)?(?:tilde|hat)[ ]?(?:O|o|Omega|Theta)(?=[ ]?[({]))"
    r"|(?P<font>(?<![A-Za-z])(?:mathcal|mathbb|mathfrak|mathscr|mathbf)[ ](?:[A-Za-z](?![A-Za-z])))"
    r"|(?P<possessive>'s(?![A-Za-z]))"
    r"|(?P<name>[A-Za-z]+)"
    r"|(?P<fraction>(?<![A-Za-z0-9.,}])[0-9]+\{[0-9]+\})"
    r"|(?P<number>[0-9]+(?:[.,][0-9]+)*)"
    r"|(?P<open>[({\[])"
    r"|(?P<close>[)}\]])"
    r"|(?P<script>[\^_])"
    r"|(?P<operator>[-+*/=<>|:,;.!'])"
    r"|(?P<letter>[α-ωΑ-Ωϑℓ∞≤≥∈×·−])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_PAIRS = {")": "(", "}": "{", "]": "["}
_LONE_SCRIPT = re.compile(r"\^(?:\{[-+]?[\w*+]{1,4}\}|[-+−]?[0-9]+(?![\w.]\w)|[*+n](?![A-Za-z0-9]))")


@dataclass(slots=True)
class _Token:
    """A piece of text with its kind: break, space, strong, weak, open, close, script or operator."""

    kind: str
    text: str
    start: int
    tex: str = ""


@dataclass(slots=True)
class _Word:
    """A stretch of tokens without a blank outside brackets.

    `joins`: it is an operator; `opens` and `ends`: it begins or ends with one, so that its neighbour belongs to it.
    """

    first: int
    last: int
    strong: bool
    joins: bool
    operand: bool
    opens: bool
    ends: bool


def split_bare(text: str) -> list[tuple[str, str]]:
    """`text` in pieces ``("text", source)``, ``("math", TeX)`` and ``("source", text)``, in order.

    A source piece is damaged mathematics: what it meant is not certain, so it is shown as it stands, braces included.
    """
    if not ("\\" in text or "^" in text or "_" in text or "{" in text or any(word in text for word in _TELLTALE)):
        return [("text", text)]
    found: list[tuple[int, int, str, str]] = []
    for start, end in _windows(text):
        tokens = _tokens(text, start, end)
        first = 0
        for index, token in enumerate(tokens):
            if token.kind == "break":
                _lump(tokens, first, index, text, found)
                first = index + 1
        _lump(tokens, first, len(tokens), text, found)
    pieces: list[tuple[str, str]] = []
    position = 0
    for start, end, kind, tex in found:
        if start > position:
            pieces.append(("text", text[position:start]))
        pieces.append((kind, tex))
        position = end
    if position < len(text):
        pieces.append(("text", text[position:]))
    return pieces


def _windows(text: str) -> list[tuple[int, int]]:
    """The stretches of `text` around the places that can begin mathematics, at whole words, in order."""
    windows: list[tuple[int, int]] = []
    place = _PLACE if any(word in text for word in _TELLTALE) else _MARKED_PLACE
    for match in place.finditer(text):
        if match["command"] and match["command"] in _TEXT_COMMANDS:
            continue
        start, end = match.start(), match.end()
        if windows and end + _REACH <= windows[-1][1]:
            continue
        low = max(windows[-1][1] if windows else 0, start - _REACH)
        left = text.rfind(" ", max(0, low - _REACH), low) + 1 if low else 0
        right = text.find(" ", end + _REACH, end + 2 * _REACH)
        right = right if right >= 0 else min(len(text), end + 2 * _REACH)
        if windows and left <= windows[-1][1]:
            windows[-1] = (windows[-1][0], right)
        else:
            windows.append((left, right))
    return windows


def _tokens(text: str, first: int, last: int) -> list[_Token]:
    vetoed = [
        match.span()
        for match in _CHUNK.finditer(text, first, last)
        if "\\" not in match[0] and _NOT_MATHEMATICS.search(match[0][:2000])
    ]
    vetoed.append((len(text) + 1, len(text) + 1))
    veto = 0
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text, first, last):
        start = match.start()
        while start >= vetoed[veto][1]:
            veto += 1
        if start >= vetoed[veto][0]:
            tokens.append(_Token("break", match[0], start))
        else:
            tokens.append(_classified(match, text))
    return tokens


def _classified(match: re.Match[str], text: str) -> _Token:
    group = match.lastgroup or ""
    token = match[0]
    if group == "plain":
        kind, tex = _name(token, text[match.end()], text[match.start() - 1 : match.start()])
        return _Token(kind, token, match.start(), tex)
    fixed = _FIXED.get(group)
    if fixed:
        return _Token(fixed[0], token, match.start(), fixed[1] or token)
    if group == "command":
        return _Token(_command_kind(token[1:], text, match), token, match.start(), token + " ")
    if group == "name":
        kind, tex = _name(token, text[match.end() : match.end() + 2], text[match.start() - 1 : match.start()])
        return _Token(kind, token, match.start(), tex)
    return _Token("strong", token, match.start(), _rewritten(group, token))


_FIXED = {
    "space": ("space", " "),
    "fonted": ("strong", ""),
    "upright": ("strong", ""),
    "lettered": ("strong", ""),
    "words": ("weak", ""),
    "number": ("weak", ""),
    "open": ("open", ""),
    "close": ("close", ""),
    "script": ("script", ""),
    "operator": ("operator", ""),
    "letter": ("weak", ""),
    "other": ("break", ""),
    "possessive": ("break", ""),
}


def _rewritten(group: str, token: str) -> str:
    """The TeX of a token that is mathematics as a whole."""
    if group == "labelled":
        name = token[2:-1]
        return f"{token[0]}{{{_known_tex(name) or _spelled(name) or _upright(name)}}}"
    if group == "physics":
        return f"{token[0]}_{{{_known_tex(token[2:]) or _upright(token[2:])}}}"
    if group == "fraction":
        # The one loss of a command that can be mended for certain.
        return rf"\frac{{{token[:-1].replace('{', '}{', 1)}}}"
    if group == "member":
        return token[0] + r"\in "
    if group == "order":
        command = "tilde" if "tilde" in token else "hat"
        letter = token.removeprefix("wide").removeprefix(command).strip()
        return rf"\{command}{{{letter if len(letter) == 1 else chr(92) + letter}}}"
    command, letter = token.split(" ")
    return rf"\{command}{{{letter}}}"


def _command_kind(name: str, text: str, match: re.Match[str]) -> str:
    if name in _QUIET_COMMANDS:
        return "weak"
    if not name[0].isalpha() or name in _TEXT_COMMANDS:
        return "break"
    if name in _MATH_COMMANDS or (is_letter_macro(name) and len(name) > 1):
        return "strong"
    # An unknown command is mathematics if it has a script or is one.
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    return "weak" if (after and after in "_^") or (before and before in "_^") else "break"


def _upright(name: str) -> str:
    return rf"\mathrm{{{name}}}"


def _known_tex(name: str) -> str:
    return f"\\{name} " if name in _KNOWN else ""


@lru_cache(maxsize=4096)
def _name(name: str, after: str, before: str) -> tuple[str, str]:
    """The kind of a run of letters and the TeX it stands for; `after` and `before` are the characters beside it."""
    if len(name) == 1:
        return "weak", name
    if name in _BRACKET_SIZES:
        return ("weak" if after[:1] in _BRACKETS else "break"), " "
    if name in NEVER_WORDS:
        return ("weak" if name == "sqrt" and after[:1] not in _OPENING else "strong"), f"\\{name} "
    if name in _KNOWN:
        return _known_kind(name, after, before), f"\\{name} "
    if spelled := _spelled(name):
        strong = any(word in name for word in _TELLING) or (after[:1] == "{" and name.endswith(("sqrt", "tilde")))
        return ("strong" if strong else "weak"), spelled
    return _short_name(name, after, before)


def _known_kind(name: str, after: str, before: str) -> str:
    if name in _SHORT_SWITCHES:
        return "weak" if before == "{" else "break"
    return "strong" if after[:1] == "{" and name in TAKES_ARGUMENT else "weak"


def _short_name(name: str, after: str, before: str) -> tuple[str, str]:
    """Two or three letters beside a script or bracket are a product or a group such as GL; other words are prose."""
    if name in _APPLIED and after[:1] in _SCRIPTED:
        return "weak", rf"\operatorname{{{name}}}"
    if name in _UNITS and after[:1] == "^":
        return "weak", _upright(name)
    if name.isupper() and after[:1] == "^" and after[1:].isdigit() and before not in _INSIDE:
        return "break", ""
    letters = (len(name) <= 3 and name.isupper()) or (len(name) == 2 and name not in _ENGLISH)
    if letters and (after[:1] in _SCRIPTED or before in _INSIDE):
        return "weak", name
    return "break", ""


_BRACKETS = frozenset("()[]{}|")
_OPENING = frozenset("([{")
_SCRIPTED = frozenset("(^_{")
_INSIDE = frozenset("({^_)}+*/=")
_UNITS = word_set(
    "cm mm km nm kg ms eV keV MeV GeV TeV Mpc kpc pc Gpc Hz erg yr sr mol fb pb nb arcsec arcmin rad au AU ly mK"
)
_BRACKET_SIZES = frozenset({"left", "right", "big", "Big", "bigg", "Bigg"})
_INCOMPLETE_ALONE = {
    *TAKES_ARGUMENT,
    *MATH_ACCENTS,
    *MATH_FONTS,
    "stackrel",
    "overset",
    "underset",
    "mf",
    "mr",
    "ov",
    "wt",
}
_SHORT_SWITCHES = frozenset({"bf", "rm", "it", "tt", "sf", "cal", "text", "bm"})
_TELLING = frozenset({"varepsilon", "varphi", "widetilde", "mathcal", "mathbb", "leq", "geq", "neq", "infty", "propto"})
_MAX_GLUED = 40


@lru_cache(maxsize=1024)
def _spelled(name: str) -> str:
    r"""`name` as commands and single letters, if it is made of a known command and at most two letters beside each.

    ``nepsilon`` gives ``n\epsilon``, ``Omegabig`` gives ``\Omega``; an English word gives an empty string.
    """
    if len(name) > _MAX_GLUED or len(name) < 4 or name in {"blog", "slog", "clog", "flog"}:
        return ""
    done: list[str] = []
    letters = commands = position = 0
    while position < len(name):
        match = _GLUED_CASE.match(name, position)
        if match:
            commands += 1
            if match[0] not in {"left", "right", "big", "Big"}:
                done.append(f"\\{match[0]} ")
            position = match.end()
        else:
            letters += 1
            done.append(name[position])
            position += 1
    return "".join(done) if commands and letters <= commands and letters <= 2 else ""


def _lump(tokens: list[_Token], first: int, last: int, text: str, found: list[tuple[int, int, str, str]]) -> None:
    """Look for mathematics among the tokens from `first` to `last`, none of which is a word of the language."""
    if first >= last:
        return
    if not any(token.kind in ("strong", "script") for token in tokens[first:last]):
        return
    for start, end in _balanced_stretches(tokens, first, last):
        stretch = _words(tokens, start, end)
        for run_first, run_last in _runs(tokens, stretch):
            _emit(tokens, run_first, run_last, text, found)


def _balanced_stretches(tokens: list[_Token], first: int, last: int) -> list[tuple[int, int]]:
    """The stretches between the brackets that have no partner."""
    stack: list[int] = []
    lonely: list[int] = []
    for index in range(first, last):
        token = tokens[index]
        if token.kind == "open":
            stack.append(index)
        elif token.kind == "close":
            if stack and tokens[stack[-1]].text == _PAIRS[token.text]:
                stack.pop()
            else:
                lonely.append(index)
    lonely = sorted(lonely + stack)
    edges = [first - 1, *lonely, last]
    return [(left + 1, right) for left, right in pairwise(edges) if right > left + 1]


def _words(tokens: list[_Token], first: int, last: int) -> list[_Word]:
    """The tokens from `first` to `last` split at the blanks outside brackets."""
    words: list[_Word] = []
    depth = 0
    start = first
    for index in range(first, last):
        kind = tokens[index].kind
        depth += (kind == "open") - (kind == "close")
        if kind == "space" and depth == 0:
            _add_word(tokens, start, index, words)
            start = index + 1
    _add_word(tokens, start, last, words)
    return words


def _add_word(tokens: list[_Token], first: int, last: int, words: list[_Word]) -> None:
    if first >= last:
        return
    strong = any(
        tokens[index].kind == "strong" or (tokens[index].kind == "script" and _script_holds(tokens, index, first, last))
        for index in range(first, last)
    )
    if tokens[first].text == "^" and first > 0 and tokens[first - 1].kind == "break":
        strong = True
    opens = _joins(tokens[first])
    ends = _joins(tokens[last - 1]) or (strong and tokens[first].text.lstrip("\\") in _GOVERNING)
    joins = last - first == 1 and opens
    operand = not joins and _is_operand(tokens, first, last)
    words.append(_Word(first, last, strong=strong, joins=joins, operand=operand, opens=opens, ends=ends))


def _joins(token: _Token) -> bool:
    """Whether the token is an operator or relation that holds its neighbours together."""
    return token.text in _JOINING_SIGNS or token.text.lstrip("\\") in _JOINING or token.tex.endswith(_RELATION_TAILS)


def _is_operand(tokens: list[_Token], first: int, last: int) -> bool:
    """Whether the word can stand beside an operator: a letter, a number, a product, an applied function."""
    head = tokens[first]
    if last - first == 1 and head.text in ("a", "A", "I"):
        return False
    ends = tokens[last - 1]
    return (
        head.kind in ("weak", "strong", "open")
        and (ends.kind != "operator" or ends.text in "'!|.,;")
        and head.text
        not in (
            "in",
            "to",
            "times",
        )
    )


def _script_holds(tokens: list[_Token], index: int, first: int, last: int) -> bool:
    """Whether the ``^`` or ``_`` at `index` has a base before it and something that can be a script behind it."""
    if index == first or index + 1 >= last:
        return False
    base, script = tokens[index - 1], tokens[index + 1]
    if base.kind not in ("weak", "strong", "close") and base.text not in "|!')":
        return False
    if (
        tokens[index].text == "_"
        and base.kind == "weak"
        and base.text in ("top", "in", "to", "bar", "hat", "dot", "times")
    ):
        return False
    if script.kind in ("weak", "strong"):
        return True
    if script.kind == "open":
        return script.text == "{" or tokens[index].text == "^"
    return script.text in "+-*'"


def _runs(tokens: list[_Token], words: list[_Word]) -> list[tuple[int, int]]:
    """The stretches of tokens to typeset: strong words with the operators and operands that belong to them."""
    runs: list[tuple[int, int]] = []
    index = 0
    while index < len(words):
        if not words[index].strong:
            index += 1
            continue
        first = _extended(words, index, -1, tokens, stop=runs[-1][1] if runs else -1)
        last = _extended(words, index, 1, tokens, stop=-1)
        runs.append((words[first].first, words[last].last))
        index = last + 1
    return runs


def _extended(words: list[_Word], index: int, step: int, tokens: list[_Token], *, stop: int) -> int:
    """The outermost word in direction `step` that belongs to the formula at `index`."""
    while 0 <= index + step < len(words) and words[index + step].first >= stop:
        near = words[index + step]
        far = words[index + 2 * step] if 0 <= index + 2 * step < len(words) else None
        if _ends_clause(tokens, words[min(index, index + step)]):
            break
        here = words[index].ends if step > 0 else words[index].opens
        if near.strong or (here and near.operand):
            index += step
        elif near.joins and far and (far.operand or far.strong) and not (step < 0 and far.first < stop):
            index += 2 * step
            if step > 0 and _ends_clause(tokens, words[index]):
                break
        else:
            break
    return index


def _ends_clause(tokens: list[_Token], word: _Word) -> bool:
    return tokens[word.last - 1].kind == "operator" and tokens[word.last - 1].text in ",;.:"


def _emit(tokens: list[_Token], first: int, last: int, text: str, found: list[tuple[int, int, str, str]]) -> None:
    """Note the stretch as mathematics, without the punctuation at its ends; as source if it is damaged."""
    while last > first and tokens[last - 1].kind == "operator" and tokens[last - 1].text in ".,;:'-/":
        last -= 1
    glued = first > 0 and tokens[first - 1].kind == "break"
    while first < last and tokens[first].kind == "operator" and (glued or tokens[first].text in ".,;:'/"):
        first += 1
    if first >= last:
        return
    start, end = tokens[first].start, tokens[last - 1].start + len(tokens[last - 1].text)
    source = text[start:end]
    if tokens[first].kind == "script":
        lone = _LONE_SCRIPT.match(source)
        if lone and glued and start > 0 and (text[start - 1].isalpha() or text[start - 1] == "}"):
            found.append((start, start + lone.end(), "math", "{}" + _braced(lone[0])))
        return
    tex = _composed(tokens, first, last, stripped="\\" not in source)
    if tex is not None:
        found.append((start, end, "math", tex))
    elif "{" in source and "\\" not in source:
        found.append((start, end, "source", source))


def _braced(script: str) -> str:
    return script if script[1] == "{" else f"{script[0]}{{{script[1:]}}}"


def _composed(tokens: list[_Token], first: int, last: int, *, stripped: bool) -> str | None:
    """The TeX of the tokens, or None if they do not make a formula: a script astray, a command lost before a group."""
    done: list[str] = []
    closers: dict[int, str] = {}
    index = first
    while index < last:
        token = tokens[index]
        if token.kind == "script":
            if not _script_holds(tokens, index, first, last):
                return None
            index = _compose_script(tokens, index, last, done, closers)
            if index < 0:
                return None
            continue
        if token.text == "{" and stripped and index > first and tokens[index - 1].text in FUNCTIONS:
            partner = _partner(tokens, index, last)
            if partner < 0:
                return None
            closers[partner] = r"\}"
            done.append(r"\{")
            index += 1
            continue
        if token.kind == "space":
            done.append(_blank(tokens, index))
            index += 1
            continue
        if token.tex.rstrip().rpartition("\\")[2] in _INCOMPLETE_ALONE and index + 1 == last:
            return None
        if token.text == "{" and stripped and _after_complete_atom(tokens, index, first):
            return None
        done.append(closers.get(index, token.tex or token.text))
        index += 1
    return "".join(done).strip()


def _blank(tokens: list[_Token], index: int) -> str:
    """A blank between two formulas stays visible; beside an operator the typesetting makes its own."""
    before, after = tokens[index - 1], tokens[index + 1]
    signs = (before.kind, after.kind)
    if "operator" in signs or "open" in signs or "close" in signs or _joins(before) or _joins(after):
        return " "
    if before.tex.endswith(" ") or (after.tex.startswith("\\") and not after.tex.startswith(r"\mathrm")):
        return " "
    return r"\ "


def _compose_script(tokens: list[_Token], index: int, last: int, done: list[str], closers: dict[int, str]) -> int:
    """Write the script at `index` with braces around what it governs; the index of the next token, -1 if none."""
    sign, script = tokens[index].text, tokens[index + 1]
    if script.kind == "open":
        partner = 0 if script.text == "{" else _partner(tokens, index + 1, last)
        if partner < 0 or script.text == "[":
            return -1
        if partner:
            closers[partner] = "}"
        done.append(sign + "{")
        return index + 2
    following = tokens[index + 2] if index + 2 < last else None
    if script.text in ("+", "-") and sign == "^" and following and following.kind == "weak":
        done.append(f"^{{{script.text}{following.tex}}}")
        return index + 3
    if script.tex.strip().removeprefix("\\") in _INCOMPLETE_ALONE:
        done.append(sign + script.tex)
        return index + 2 if index + 2 < last else -1
    head, rest = _first_atom(script)
    done.append(f"{sign}{{{head}}}{rest}")
    return index + 2


def _first_atom(script: _Token) -> tuple[str, str]:
    r"""What of a glued word is the script, and what stands behind it: ``T\log `` gives ``T`` and ``\log``."""
    tex = script.tex
    if "\\" not in tex or script.kind == "operator":
        return tex, ""
    if tex[0] != "\\":
        return tex[0], tex[1:]
    if script.text[0] == "\\":
        return tex, ""
    head, _, rest = tex.partition(" ")
    return head, rest


def _partner(tokens: list[_Token], index: int, last: int) -> int:
    """The index of the bracket that closes the one at `index`, or -1 if it is far away."""
    depth = 0
    for position in range(index, min(last, index + _MAX_TOKENS_IN_BRACKETS)):
        depth += (tokens[position].kind == "open") - (tokens[position].kind == "close")
        if depth == 0:
            return position
    return -1


def _after_complete_atom(tokens: list[_Token], index: int, first: int) -> bool:
    """Whether the group at `index` follows something complete: then a command such as a fraction was lost there."""
    if index == first:
        return False
    before = tokens[index - 1]
    if before.kind in ("space", "operator", "open", "script"):
        return False
    name = before.text
    return (
        not (name in TAKES_ARGUMENT or before.tex.rstrip().rpartition("\\")[2] in TAKES_ARGUMENT)
        or before.kind == "close"
    )
