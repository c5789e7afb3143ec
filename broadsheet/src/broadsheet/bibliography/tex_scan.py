r"""A text with TeX in it, read into pieces: text, formulas, styles that open and close, links, line breaks.

One pass over the characters without recursion or search backwards, so that hostile input costs no more than its
length. What LaTeX would refuse is shown as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from broadsheet.bibliography.accents import ACCENTS, LETTERS
from broadsheet.bibliography.tex_bare import split_bare
from broadsheet.bibliography.tex_macros import DEFINITION, MAX_LENGTH
from broadsheet.bibliography.tex_symbols import (
    GREEK,
    MATH_ACCENTS,
    MATH_FONTS,
    MATH_SYMBOLS,
    SPACES,
    TAKES_ARGUMENT,
    TEXT_SIGNS,
    TEXT_STYLES,
    TEXT_SWITCHES,
)


class Piece(NamedTuple):
    """A part of a read text.

    `kind` is ``text``, ``math`` or ``display`` (the text is TeX without its dollars), ``open`` or ``close`` (the text
    is ``em``, ``strong`` or ``code``), ``break`` or ``link`` (`address` is where it goes).
    """

    kind: str
    text: str
    address: str = ""


_URL = r"https?://(?:[^\s<>\"{}\\^`$]|\\[_%#&~])+"
_MARK = re.compile(
    rf"(?P<url>{_URL})(?:\{{(?P=url)\}})?"
    r"|\\url\s{0,9}\{(?P<address>[^{}\s]{0,2000})\}"
    r"|\\href\s{0,9}\{(?P<target>[^{}\s]{0,2000})\}\s{0,9}\{(?P<label>[^{}]{0,500})\}"
    r"|\\(?P<cite>(?:no)?[Cc]ite[A-Za-z]{0,12})\*?\s{0,9}(?:\[[^\]]{0,99}\]\s{0,9}){0,2}\{[^{}]{0,500}\}"
    r"|\\(?P<ref>[Cc]?(?:ref|eqref)|autoref|pageref)\s{0,9}\{[^{}]{0,200}\}"
    r"|\\(?P<drop>label|index|thanks|nocite|bibliography|bibliographystyle|vspace\*?|hspace\*?|pagestyle)\s{0,9}\{[^{}]{0,500}\}"
    r"|\\(?P<script>textsuperscript|textsubscript)\s{0,9}\{(?P<raised>[^{}\\$]{1,40})\}"
    r"|\\begin\{(?P<environment>(?:equation|align|alignat|gather|eqnarray|multline|displaymath|math|array|[pbvB]?matrix|cases)\*?)\}"
    r"|\\(?P<define>(?:re|provide)?newcommand)"
    r"|\\(?P<bracket>[(\[])"
    r"|(?P<dollar>\$\$?)"
    r"|\\.",
    re.DOTALL,
)

# Dollars of money: an amount, prose behind it, or another amount behind the next dollar.
_AMOUNT = re.compile(r"\d[\d,.]*\s?(?:[kKmMbB]|bn|million|billion|trillion|thousand|USD)?(?![A-Za-z\d])")
_TEX_SIGNS = re.compile(r"[\\^_{}=<>]")
_PROSE = re.compile(r"(?<!\S)[A-Za-z]{2,}(?![^\s,;.])")
_TEXT_INSIDE = re.compile(r"\\(?:text|mbox|hbox|rm|it|mathrm|quad|begin)")
_MAX_PROSE_WORDS = 4
_MAX_DOLLARS_INSIDE = 8
_MAX_ACCENTS = 4


def scan(tex: str) -> list[Piece]:
    """The pieces of `tex` in order; ``open`` and ``close`` pieces nest properly."""
    reader = _TextReader()
    for kind, text, address in _segments(tex):
        if kind != "text":
            reader.add(Piece(kind, text, address))
            continue
        for part, source in split_bare(text):
            if part == "text":
                reader.feed(source)
            elif part == "math":
                reader.add(Piece("math", source))
            else:
                reader.add(Piece("text", source))
    return reader.finished()


def _segments(tex: str) -> Iterator[tuple[str, str, str]]:
    """The stretches of running text, and between them formulas, links and references."""
    text: list[str] = []
    missing: set[str] = set()
    position = 0
    while match := _MARK.search(tex, position):
        found = _marked(tex, match, missing)
        if found is None:
            text.append(tex[position : match.end()])
            position = match.end()
            continue
        text.append(tex[position : match.start()])
        if joined := "".join(text):
            yield "text", joined, ""
        text = []
        kind, content, address, position = found
        if kind in ("math", "display") and "newcommand" in content and len(content) < MAX_LENGTH:
            content = DEFINITION.sub("", content)
        if kind != "text" or content:
            yield kind, content, address
    text.append(tex[position:])
    if joined := "".join(text):
        yield "text", joined, ""


_Found = tuple[str, str, str, int]


def _marked(tex: str, match: re.Match[str], missing: set[str]) -> _Found | None:
    """What the mark begins: kind, content, address and where it ends; None if it is text after all."""
    if match["dollar"]:
        return _dollars(tex, match, missing)
    if match["bracket"]:
        end = "\\)" if match["bracket"] == "(" else "\\]"
        return _up_to(tex, match.end(), end, "math" if end == "\\)" else "display", missing)
    if match["environment"]:
        end = f"\\end{{{match['environment']}}}"
        found = _up_to(tex, match.end(), end, "display", missing)
        return found and ("display", match[0] + found[1] + end, "", found[3])
    if match["define"]:
        definition = DEFINITION.match(tex[match.start() : match.start() + 1000])
        return ("text", "", "", match.start() + definition.end()) if definition else None
    if match["script"]:
        sign = "^" if match["script"] == "textsuperscript" else "_"
        return "math", f"{{}}{sign}{{\\text{{{match['raised']}}}}}", "", match.end()
    return _reference(match)


def _reference(match: re.Match[str]) -> _Found | None:
    """A link, a citation, a reference inside the paper."""
    if match["url"]:
        address = match["url"].rstrip(".,;:!?')*")
        end = match.start() + len(address) if address != match["url"] else match.end()
        return "link", _unescaped(address), _unescaped(address), end
    if match["address"]:
        address = _unescaped(match["address"])
        return "link", address, address, match.end()
    if match["target"] is not None:
        return "link", " ".join(_unescaped(match["label"]).split()), _unescaped(match["target"]), match.end()
    if match["cite"]:
        return "text", "" if match["cite"] == "nocite" else "[…]", "", match.end()
    if match["ref"]:
        return "text", "(…)" if "eq" in match["ref"] else "…", "", match.end()
    return ("text", "", "", match.end()) if match["drop"] else None


def _unescaped(address: str) -> str:
    return re.sub(r"\\([_%#&~])", r"\1", address)


def _up_to(tex: str, start: int, end: str, kind: str, missing: set[str]) -> _Found | None:
    """The formula from `start` to the mark `end`. `missing` remembers marks that do not come any more."""
    if end in missing:
        return None
    found = tex.find(end, start)
    if found < 0:
        missing.add(end)
        return None
    return kind, tex[start:found], "", found + len(end)


def _dollars(tex: str, match: re.Match[str], missing: set[str]) -> _Found | None:
    if match["dollar"] == "$$":
        found = _up_to(tex, match.end(), "$$", "display", missing)
        return found if found and found[1].strip() and found[1].count("$") % 2 == 0 else None
    if "$" in missing:
        return None
    start = match.end()
    close = _closing_dollar(tex, start)
    if close < 0:
        missing.add("$")
        return None
    content = tex[start:close]
    if not content.strip() or _is_money(content, tex[close + 1 : close + 2]) or "\n\n" in content:
        return None
    return "math", content, "", close + 1


def _closing_dollar(tex: str, start: int) -> int:
    """The place of the dollar that ends the formula: the next one outside braces, else simply the next one."""
    first = -1
    position = start
    depth = 0
    for _ in range(_MAX_DOLLARS_INSIDE):
        found = _next_dollar(tex, position)
        if found < 0 or found - start > MAX_LENGTH:
            return first if first >= 0 else found
        depth += _depth(tex[position:found])
        if depth <= 0:
            return found
        first = found if first < 0 else first
        position = found + 1
    return first


def _depth(tex: str) -> int:
    """How many more braces open than close in `tex`; escaped ones are signs, not braces."""
    return tex.count("{") - tex.count("\\{") - tex.count("}") + tex.count("\\}")


def _next_dollar(tex: str, position: int) -> int:
    found = tex.find("$", position)
    while found > 0 and _escaped(tex, found):
        found = tex.find("$", found + 1)
    return found


def _escaped(tex: str, position: int) -> bool:
    return tex[position - 1] == "\\" and tex[position - 2 : position - 1] != "\\"


def _is_money(content: str, after: str) -> bool:
    """Whether the text between two dollars, and the character behind the second, read as prose, often about money."""
    signs = _TEX_SIGNS.search(content)
    words = len(_PROSE.findall(content[:2000]))
    loose = content[0].isspace() and content[-1].isspace()
    amount = _AMOUNT.match(content)
    if amount is None:
        if words >= _MAX_PROSE_WORDS:
            return not _TEXT_INSIDE.search(content)
        return bool(not signs and loose and words and content.islower())
    rest = content[amount.end() :]
    if words >= 2 or (words and rest[:1].isspace() and rest[-1:].isspace()):
        return not signs or ("\\" not in content and "{" not in content)
    return not signs and (after.isdigit() or rest.strip() in (",", ";", ":"))


_TOKEN = re.compile(
    r"\\(?P<name>[A-Za-z]+)\*?(?P<blank>\s*)|\\(?P<sign>.)|(?P<brace>[{}])|(?P<tilde>~)|(?P<quote>``|''|`)|(?P<dash>---?)"
    r"|[^\\{}~`'\-]+|.",
    re.DOTALL,
)
# An opening quotation mark; a second one of its kind would make it the code of another markup.
_SINGLE_QUOTED = re.compile(r"`(?=[^\s`])(?![^`]{1,80}`)")
_ARGUMENT = re.compile(r"\s{0,9}(?:\[[^\]]{0,99}\]\s{0,9})?\{[^{}]{0,200}\}")
_OPTION = re.compile(r"\*?\s{0,3}(?:\[[^\]]{0,30}\])?")
_WITH_DROPPED_ARGUMENT = frozenset(
    {"begin", "end", "textcolor", "color", "usepackage", "documentclass", "includegraphics"}
)
_WORDS_ONLY = re.compile(r"[\w\s.'’–—-]*")
# A command that lost its backslash: the group behind it is its argument.
_LOST_COMMAND = re.compile(
    rf"(?:{'|'.join(sorted(TAKES_ARGUMENT - {'it', 'tt', 'sf', 'rm', 'bf', 'text', 'dot', 'bm'}))})$"
)
_ABOVE_DOTLESS = {"ı": "i", "ȷ": "j"}
_BELOW = frozenset("\u0323\u0327\u0328\u0331")


@dataclass(slots=True)
class _Group:
    """An open brace: where its piece stands, the style it sets, the accents that wait for it, what began inside."""

    place: int
    style: str | None = None
    accents: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    touched: bool = False
    after_script: bool = False
    inside_word: bool = False


class _TextReader:
    """Reads running text with TeX commands, piece by piece; groups may reach over the formulas between."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._groups: list[_Group] = []
        self._accents: list[str] = []
        self._quoted = False
        self._single = False

    def add(self, piece: Piece) -> None:
        """Append a piece that is not TeX text."""
        self._accents.clear()
        self._pieces.append(piece)

    def feed(self, text: str) -> None:
        """Read `text`; a command may not reach over its end, a group may."""
        position = 0
        while match := _TOKEN.match(text, position):
            position = match.end()
            if match["name"]:
                position = self._command(match, text)
            elif match["sign"]:
                position = self._control_sign(match["sign"], text, position)
            elif match["brace"]:
                self._brace(match["brace"], text, match.start())
            elif match["tilde"]:
                self._tilde(text, match.start())
            elif match["quote"]:
                self._quote(match["quote"], text, match.start())
            elif match["dash"]:
                self._dash(match["dash"], text, match)
            elif match[0] == "'" and self._single and not text[position : position + 1].isalnum():
                self._single = False
                self._text("’")
            else:
                self._text(match[0])

    def finished(self) -> list[Piece]:
        """The pieces; a style whose brace never closes is given up, a lonely brace is shown."""
        for group in self._groups:
            piece = self._pieces[group.place]
            if group.style is None and not group.touched:
                self._pieces[group.place] = Piece("text", "{")
            elif piece.kind == "open":
                self._pieces[group.place] = Piece("text", "")
        dangling = [style for group in self._groups for style in group.styles]
        self._pieces.extend(Piece("close", style) for style in reversed(dangling))
        self._groups.clear()
        return self._pieces

    def _accent(self, mark: str) -> None:
        """Keep the accent for the letter that follows; no letter carries more than a few."""
        if self._groups:
            self._groups[-1].touched = True
        self._accents = [*self._accents[-_MAX_ACCENTS + 1 :], mark]

    def _text(self, text: str) -> None:
        if not self._accents:
            self._pieces.append(Piece("text", text))
            return
        text = text.lstrip()
        if text:
            self._pieces.append(Piece("text", _with_accents(text, self._accents)))
            self._accents.clear()

    def _before(self) -> str:
        """The last character so far; a letter stands for a formula or link."""
        for piece in reversed(self._pieces[-3:]):
            if piece.kind in ("math", "link"):
                return "x"
            if piece.text and piece.kind not in ("open", "close"):
                return piece.text[-1]
        return ""

    def _command(self, match: re.Match[str], text: str) -> int:
        """Read the command; the place where reading goes on."""
        name, position = match["name"], match.end()
        after = text[position : position + 1]
        if self._groups:
            self._groups[-1].touched = True
        if greek := _split_greek(name, text, position):
            self._text(GREEK[greek])
            return position + len(greek) - len(name) + 2
        if name in ACCENTS and (match["blank"] or after in ("{", "\\")) and after:
            self._accent(ACCENTS[name])
        elif name in LETTERS:
            self._text(LETTERS[name])
        elif name in TEXT_STYLES and after == "{":
            self._open(TEXT_STYLES[name])
            return position + 1
        elif name in TEXT_SWITCHES or name in TEXT_STYLES:
            self._switch(TEXT_SWITCHES.get(name, ""))
        elif name in _WITH_DROPPED_ARGUMENT:
            argument = _ARGUMENT.match(text, position)
            return argument.end() if argument else position
        else:
            return self._named(name, match["blank"], text, position)
        return position

    def _named(self, name: str, blank: str, text: str, position: int) -> int:
        """A sign, a blank, a symbol, or a macro that only its author knows: then its name."""
        space = " " if blank else ""
        if name in TEXT_SIGNS:
            sign = TEXT_SIGNS[name]
            # A letter eats the blank behind it, as TeX does; behind other signs authors mean the blank they wrote.
            self._text(sign if len(sign) == 1 and sign.isalpha() else sign + space)
        elif name in SPACES or name == "par":
            self._text(SPACES.get(name, "\n"))
        elif name in MATH_SYMBOLS:
            self._text(MATH_SYMBOLS[name] + space)
        elif name in MATH_FONTS or name in MATH_ACCENTS:
            # What it would change stands behind it.
            return position
        else:
            return self._unknown(name, space, text, position)
        return position

    def _unknown(self, name: str, space: str, text: str, position: int) -> int:
        """A macro of the author: what it was given, if anything, else its name."""
        if text[position : position + 1] == "{" and text[position + 1 : position + 2] != "}":
            self._pieces.append(Piece("text", ""))
            self._groups.append(_Group(len(self._pieces) - 1, touched=True))
            return position + 1
        before = self._before()
        if len(name) == 1 and before.isalnum():
            self._text(f"\\{name}{space}")
        else:
            self._text((" " if before.isalnum() or before in (",", ";", ":", ")") else "") + name + space)
        return position

    def _control_sign(self, sign: str, text: str, position: int) -> int:
        after = text[position : position + 2].lstrip(" ")[:1]
        if sign in ACCENTS and (after.isalpha() or after in ("{", "\\")) and after:
            self._accent(ACCENTS[sign])
        elif sign == "\\":
            self.add(Piece("break", "\n"))
            option = _OPTION.match(text, position)
            return option.end() if option else position
        elif sign in SPACES:
            self._text(SPACES[sign])
        elif sign in TEXT_SIGNS:
            self._text(TEXT_SIGNS[sign])
        elif sign in ACCENTS:
            self._text(sign)
        else:
            self._text("\\" + sign)
        return position

    def _open(self, style: str) -> None:
        self._accents.clear()
        opening = Piece("text", " (") if style == "()" else Piece("open", style) if style else Piece("text", "")
        self._pieces.append(opening)
        self._groups.append(_Group(len(self._pieces) - 1, style=style))

    def _switch(self, style: str) -> None:
        """A style up to the end of the group; outside groups it would reach to the end, so it is left out."""
        if style and self._groups:
            self._groups[-1].styles.append(style)
            self._pieces.append(Piece("open", style))

    def _brace(self, brace: str, text: str, position: int) -> None:
        if brace == "{":
            self._pieces.append(Piece("text", ""))
            group = _Group(len(self._pieces) - 1, accents=list(self._accents))
            self._accents.clear()
            before = text[position - 1 : position] if position else ""
            group.touched = bool(group.accents)
            group.after_script = before in (")", "]", "}", "^", "_") or bool(
                _LOST_COMMAND.search(text[max(0, position - 16) : position])
            )
            group.inside_word = before.isalnum()
            self._groups.append(group)
        elif self._groups:
            self._close(self._groups.pop())
        else:
            self._text("}")

    def _close(self, group: _Group) -> None:
        self._accents.clear()
        for style in reversed(group.styles):
            self._pieces.append(Piece("close", style))
        if group.style is not None:
            if group.style:
                self._pieces.append(Piece("text", ")") if group.style == "()" else Piece("close", group.style))
        elif group.accents:
            self._accent_group(group)
        elif not group.touched:
            self._show_braces(group)
        if self._groups:
            self._groups[-1].touched = True

    def _accent_group(self, group: _Group) -> None:
        """Put the accents that stood before a group on the first letter in it."""
        for place in range(group.place, min(group.place + 4, len(self._pieces))):
            piece = self._pieces[place]
            if piece.kind == "text" and piece.text.strip():
                self._pieces[place] = Piece("text", _with_accents(piece.text.lstrip(), group.accents))
                return

    def _show_braces(self, group: _Group) -> None:
        """Show the braces of a set such as {0, 1}; those that only protect a word are for the typesetter."""
        inside = self._pieces[group.place + 1 : group.place + 6]
        content = "".join(piece.text for piece in inside if piece.kind == "text")
        formulas = any(piece.kind in ("math", "display") for piece in inside)
        shown = (group.after_script and content) or (group.inside_word and content.islower())
        if shown or formulas or not _WORDS_ONLY.fullmatch(content):
            self._pieces[group.place] = Piece("text", "{")
            self._pieces.append(Piece("text", "}"))

    def _tilde(self, text: str, position: int) -> None:
        """A no-break blank, except where it says "about" ("~6") or "to" ("1M~60M")."""
        before, after = self._before(), text[position + 1 : position + 2]
        start = text.rfind(" ", max(0, position - 12), position) + 1
        about = after.isdigit() and (before in ("", " ", "(") or text[start:position][:1].isdigit())
        alone = before in ("", " ") and after in ("", " ")
        self._text("~" if about or alone else "\u00a0")

    def _quote(self, quote: str, text: str, position: int) -> None:
        if quote == "``":
            self._quoted = True
            self._text("“")
        elif quote == "''":
            before, after = self._before(), text[position + 2 : position + 3]
            opens = not self._quoted and before in ("", " ", "(") and after.isalnum()
            arcseconds = not self._quoted and before.isdigit()
            self._quoted = opens
            self._text("“" if opens else "″" if arcseconds else "”")
        elif _SINGLE_QUOTED.match(text, position) and not self._before().isalnum():
            self._single = True
            self._text("‘")
        else:
            self._text("`")

    def _dash(self, dash: str, text: str, match: re.Match[str]) -> None:
        """Three hyphens are an em dash, two an en dash; but not in a rule of hyphens or an option (``--help``)."""
        before, after = self._before(), text[match.end() : match.end() + 1]
        rule = before == "-" or after == "-"
        option = dash == "--" and before in ("", " ", "(") and after.isalpha()
        self._text(dash if rule or option else "—" if dash == "---" else "–")


def _split_greek(name: str, text: str, position: int) -> str:
    r"""The Greek letter in ``\b{eta}``: arXiv's own conversion once took ``\beta`` for an accent on ``eta``."""
    if len(name) > 1 or text[position : position + 1] != "{":
        return ""
    end = text.find("}", position, position + 9)
    whole = name + text[position + 1 : end] if end > 0 else ""
    return whole if len(whole) > 2 and whole in GREEK else ""


def _with_accents(text: str, accents: list[str]) -> str:
    """`text` with the accents on its first letter, the last one nearest to it."""
    base = text[0]
    marks = "".join(reversed(accents))
    if any(mark not in _BELOW for mark in accents):
        base = _ABOVE_DOTLESS.get(base, base)
    return unicodedata.normalize("NFC", base + marks) + text[1:]
