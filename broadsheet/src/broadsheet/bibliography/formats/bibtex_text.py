r"""Text with TeX inside of BibTeX: protecting capitals, escaping, and taking both back exactly.

A record's text is TeX as arXiv prints it: mathematics between dollars, accents as commands, and signs such as ``&``
and ``_`` that are meant as they stand. `encode` makes of it the value of a field that BibTeX and LaTeX can use;
`decode` undoes that, and makes the values of others plain in the same way: ``\&`` is ``&``, and a group in braces that
is neither the argument of a command nor begins with a command only protects capitals, so its braces go.

The law ``decode(encode(text)) == text`` holds for every text on one line or in paragraphs. What would break it is
written with ``\relax{}`` behind it, which prints nothing: ``\&\relax{}`` is a ``\&`` of the text itself, and
``\textbraceleft\relax{}`` a brace that nothing closes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# What is written for a sign that no command of the text may become.
_OWN = {
    "$": r"\textdollar\relax{}",
    "{": r"\textbraceleft\relax{}",
    "}": r"\textbraceright\relax{}",
    r"\{": r"\lbrace\relax{}",
    r"\}": r"\rbrace\relax{}",
    "^": r"\textasciicircum\relax{}",
    "\\": r"\textbackslash\relax{}",
    **{sign: rf"\char{ord(sign)}\relax{{}}" for sign in "@,;aAoO"},
    **{f"\\{sign}": f"\\{sign}\\relax{{}}" for sign in "&%_#"},
}
_SIGN = {written: sign for sign, written in _OWN.items()}
# What separates the members of a list, and what the names of authors.
IN_LISTS = re.compile(r"[,;]")
IN_NAMES = re.compile(r"[,;]|\band\b|^others$", re.IGNORECASE)
_ESCAPED_OR_SEPARATOR = re.compile(rf"\\.|{IN_NAMES.pattern}", re.IGNORECASE | re.DOTALL)
_ESCAPED = frozenset("&%_#")


_WORDS = (
    r"(?P<math>\$\$(?:[^\\$\n]|\\[^\n]|\$(?!\$))*+\$\$|\$(?:[^\\$\n]|\\[^\n])++\$)"
    r"|(?P<command>\\[A-Za-z]++\*?[ ]*+|\\[^\n])"
    r"|(?P<brace>[{}])"
    r"|(?P<special>[&%_#^$\\])"
    r"|(?P<text>[^\\${}&%_#^]++)"
)
_OWN_WORD = (
    r"\\(?:text(?:dollar|braceleft|braceright|asciicircum|backslash)|[lr]brace|char[0-9]{2,3}|[&%_#])\\relax\{\}"
)
_TO_WRITE = re.compile(_WORDS)
_TO_READ = re.compile(rf"(?P<own>{_OWN_WORD})|{_WORDS}")
_OWN_IN_MATH = re.compile(_OWN_WORD)
_IN_MATH = re.compile(r"\\relax(?![A-Za-z])|\\.|[{}]")
_PLAIN = re.compile(r"[^\\${}&%_#^]*+")
_CAPITALISED = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[-'’./+\u0300-\u036f]*[^\W_]+)*")
_MATH_CLOSES = {r"\(": r"\)", r"\[": r"\]"}


class _Token(NamedTuple):
    """A piece of text and what it is: math, command, brace, special, text, or own (what only `encode` writes)."""

    kind: str
    text: str


class _Group(NamedTuple):
    """An open group: whether it is an argument of a command, and what is written where it ends."""

    is_argument: bool
    closing: str


def encode(text: str, *, protect: bool = False) -> str:
    """The value of a field, with balanced braces; words with capitals in braces of their own where `protect` says so.

    `text` is on one line, or in paragraphs with an empty line between two.
    """
    if not protect and _PLAIN.fullmatch(text) and "@" not in text:
        return text
    return _Encoding(list(_tokens(text, _TO_WRITE)), protect=protect).text()


def grouped(value: str, separators: re.Pattern[str]) -> str:
    """An encoded value in which nothing separates: in braces, or, where braces would belong to it, by numbers."""
    if not separators.search(value):
        return value
    if "{" not in value and "\\" not in value:
        return f"{{{value}}}"
    return hidden(value)


def hidden(value: str) -> str:
    """An encoded value in which nothing separates members or names, because the first letter of what does is a number.

    LaTeX prints it as before; nobody likes to read it.
    """
    return _ESCAPED_OR_SEPARATOR.sub(_hidden, value)


def _hidden(match: re.Match[str]) -> str:
    text = match[0]
    return text if text[0] == "\\" else _OWN[text[0]] + text[1:]


def decode(value: str) -> str:
    """The text that a field's value says, whoever wrote it."""
    if _PLAIN.fullmatch(value):
        return value
    return _decoded(_tokens(value, _TO_READ))


def _tokens(text: str, pattern: re.Pattern[str]) -> Iterator[_Token]:
    """All of `text` in tokens. ``\\(...\\)`` is one token of mathematics; each of its ends is looked for once."""
    at = 0
    closers = dict.fromkeys(_MATH_CLOSES.values(), -1)
    while match := pattern.match(text, at):
        kind, word = match.lastgroup or "text", match[0]
        if word in _MATH_CLOSES:
            close = _MATH_CLOSES[word]
            if 0 <= closers[close] + 1 <= at + 2:
                closers[close] = _found_or_end(text, close, at + 2)
            end = closers[close]
            if end < len(text) and "\n" not in text[at:end]:
                kind, word = "math", text[at : end + 2]
        yield _Token(kind, word)
        at += len(word)


def _found_or_end(text: str, wanted: str, start: int) -> int:
    found = text.find(wanted, start)
    return len(text) if found < 0 else found


# --- Writing ---------------------------------------------------------------------------------------------------------


class _Encoding:
    """Writes tokens one after the other, and knows which groups are open."""

    def __init__(self, tokens: list[_Token], *, protect: bool) -> None:
        self._tokens = tokens
        self._protect = protect
        self._single = _unmatched(tokens)
        self._groups: list[_Group] = []
        # Whether a group that begins here is an argument of the command before it.
        self._takes_argument = False

    def text(self) -> str:
        """Everything, written."""
        return "".join(self._written(place, token) for place, token in enumerate(self._tokens))

    def _written(self, place: int, token: _Token) -> str:
        takes_argument, self._takes_argument = self._takes_argument, False
        if place in self._single:
            return _OWN[token.text]
        if token.kind == "text":
            return self._plain(token.text, first=place == 0, bare=takes_argument)
        if token.kind == "brace":
            return self._brace(place, token.text, is_argument=takes_argument)
        if token.kind == "command":
            return self._command(token.text)
        if token.kind == "math":
            return _encoded_math(token.text)
        return _OWN[token.text] if token.text in "^$\\" else "\\" + token.text

    def _plain(self, text: str, *, first: bool, bare: bool) -> str:
        if self._protect and not self._groups:
            text = _CAPITALISED.sub(lambda word: _protected(word, first=first, bare=bare), text)
        return text.replace("\n@", "\n" + _OWN["@"])

    def _command(self, command: str) -> str:
        if command in _OWN and command[1] in _ESCAPED:
            return _OWN[command]
        if command.rstrip(" ") == r"\relax":
            return _OWN["\\"] + command[1:]
        self._takes_argument = command[1] not in "{}$"
        return command

    def _brace(self, place: int, brace: str, *, is_argument: bool) -> str:
        """A brace. A group that reading would take for protection gets a second pair."""
        if brace == "}":
            group = self._groups.pop()
            self._takes_argument = group.is_argument
            return group.closing
        kept = bool(self._groups) or is_argument or self._tokens[place + 1].text.startswith("\\")
        self._groups.append(_Group(is_argument, "}" if kept else "}}"))
        return "{" if kept else "{{"


def _protected(word: re.Match[str], *, first: bool, bare: bool) -> str:
    """A word in braces when styles could change its capitals, which they do not to the first letter of all."""
    text = word[0]
    if text == text.lower() or (word.start() == 0 and (bare or (first and text[1:] == text[1:].lower()))):
        return text
    return f"{{{text}}}"


def _unmatched(tokens: list[_Token]) -> frozenset[int]:
    """The places of braces, escaped ones too, that have no partner of their kind: BibTeX counts both."""
    single: set[int] = set()
    opened: list[int] = []
    for place, (kind, text) in enumerate(tokens):
        if text in ("{", r"\{") and kind != "text":
            opened.append(place)
        elif text in ("}", r"\}") and kind != "text":
            if opened and len(tokens[opened[-1]].text) == len(text):
                opened.pop()
            else:
                single.add(place)
    return frozenset(single.union(opened))


def _encoded_math(text: str) -> str:
    """Mathematics as it is, but for braces without a partner."""
    tokens = [_Token("math", match[0]) for match in _IN_MATH.finditer(text)]
    single = _unmatched(tokens)
    places = iter(range(len(tokens)))

    def written(match: re.Match[str]) -> str:
        if next(places) in single:
            return _OWN[match[0]]
        return _OWN["\\"] + match[0][1:] if match[0] == r"\relax" else match[0]

    return _IN_MATH.sub(written, text)


# --- Reading ---------------------------------------------------------------------------------------------------------


def _decoded(tokens: Iterator[_Token]) -> str:
    done: list[str] = []
    groups: list[_Group] = []
    takes_argument = False
    pending = ""
    for kind, text in tokens:
        was_argument, takes_argument = takes_argument, False
        if pending:
            # A group's first token says whether its braces belong to the text.
            kept = len(groups) > 1 or groups[-1].is_argument or text.startswith("\\")
            groups[-1] = groups[-1]._replace(closing="}" if kept else "")
            done.append("{" if kept else "")
            pending = ""
        if kind == "brace" and text == "{":
            groups.append(_Group(was_argument, ""))
            pending = text
        elif kind == "brace":
            group = groups.pop() if groups else _Group(is_argument=False, closing="}")
            takes_argument = group.is_argument
            done.append(group.closing)
        elif kind == "command":
            takes_argument = text[1] not in "{}$&%_#"
            done.append(text[1:] if text[1] in _ESCAPED else text)
        elif kind == "math":
            done.append(_OWN_IN_MATH.sub(lambda match: _SIGN.get(match[0], match[0]), text))
        else:
            done.append(_SIGN.get(text, text) if kind == "own" else text)
    return "".join(done)
