r"""Titles and abstracts with the markup of publishers in them, as the text that our records hold: plain, or TeX.

Crossref and others pass on what was deposited: JATS (``<jats:italic>``, ``<jats:p>``), HTML (``<i>``, ``<sub>``),
MathML, ``<tex-math>``, escaped once too often (``&lt;sub&gt;``), beside signs that are text (``p < 0.05``). Styles are
dropped, scripts and formulas become TeX (``H$_2$O``), paragraphs end with a blank line. What is no known element stays.
The text is read in one pass from left to right, and costs time in proportion to its length.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from broadsheet.sources import mathml
from broadsheet.sources.mathml import Token

_BLOCKS = frozenset(("p", "sec", "title", "list", "list-item", "li", "ul", "ol", "div", "disp-quote", "abstract"))
_STYLES = frozenset(
    (
        *("i", "b", "u", "em", "strong", "italic", "bold", "sc", "scp", "tt", "monospace", "underline", "span", "font"),
        *("small", "big", "sans-serif", "roman", "styled-content", "named-content", "a", "uri", "ext-link", "xref"),
        *("email", "inline-graphic", "graphic", "label", "break", "br", "sup", "sub", "inf", "overline", "fn", "img"),
        *("inline-formula", "disp-formula", "alternatives", "tex-math", "math", "private-char", "subtitle", "center"),
    )
)
_KNOWN = _BLOCKS | _STYLES
# Elements that print something themselves. A picture in running text is a formula, and is seen to be missing.
_PRINTED = {"br": " ", "break": " ", "inline-graphic": "\N{HORIZONTAL ELLIPSIS}"}
_TAG = re.compile(
    r"<(?P<end>/?)(?P<prefix>[A-Za-z]{1,20}:)?(?P<name>[A-Za-z][A-Za-z0-9-]{0,30})(?:\s[^<>]{0,1000})?(?P<empty>/?)>"
    r"|&lt;(?P<escaped_end>/?)(?P<escaped>i|b|em|strong|italic|bold|sub|sup|scp|u|p|br)\s?(?P<escaped_empty>/?)&gt;",
    re.ASCII,
)
_COMMENT = re.compile(r"<!--[^<>]{0,5000}-->|<!\[CDATA\[|\]\]>")
# Control characters but for white space, and what no text in Unicode may hold.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BLANKS = re.compile(r"\s+")
_ESCAPED_AGAIN = re.compile(r"&(?:amp|lt|gt|quot|apos|#[0-9]{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE)
_BREAK = "\n\n"
# Headings that say nothing: the abstract is one.
_IDLE_HEADINGS = frozenset(("abstract", "summary", "résumé", "zusammenfassung", "resumen", "resumo", "riassunto"))
_SIMPLE_SCRIPT = re.compile(r"[A-Za-z0-9+\-()=,.;/*' \u0391-\u03c9]{1,40}")
_DASHES = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{HYPHEN}": "-"})
_DOCUMENT = re.compile(r"\\begin\{document\}(.*)\\end\{document\}", re.DOTALL)


def line(text: str) -> str:
    """`text` without markup on one line, for titles and names. Never raises."""
    return " ".join(_read(text).split())


def paragraphs(text: str) -> str:
    """`text` without markup, its paragraphs with blank lines between them. Never raises."""
    blocks = (" ".join(block.split()) for block in _read(text).split(_BREAK))
    return _BREAK.join(block for block in blocks if block)


def _read(text: str) -> str:
    if not text.isprintable():
        text = _one_blank(_CONTROLS.sub("", text))
    if "<" not in text and "&" not in text:
        return text
    if "<!" in text or "]]>" in text:
        text = _COMMENT.sub("", text)
    reader = _Reader()
    for token in _tokens(text):
        reader.add(token)
    return reader.result()


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    in_formula = False
    for match in _TAG.finditer(text):
        name = (match["name"] or match["escaped"]).lower()
        if not (match["prefix"] or name in _KNOWN or in_formula):
            continue
        if match.start() > at:
            yield Token("text", "", _unescaped(text[at : match.start()]))
        at = match.end()
        ends, empty = match["end"] or match["escaped_end"], match["empty"] or match["escaped_empty"]
        kind = "close" if ends else "empty" if empty else "open"
        if name == "math":
            in_formula = kind == "open"
        yield Token(kind, name)
    if at < len(text):
        yield Token("text", "", _unescaped(text[at:]))


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    text = html.unescape(text)
    if "&" in text and _ESCAPED_AGAIN.search(text):
        text = html.unescape(text)
    return text if text.isprintable() else _one_blank(_CONTROLS.sub("", text))


def _one_blank(text: str) -> str:
    """White space as single blanks: line ends of the file are no paragraphs."""
    return _BLANKS.sub(" ", text)


class _Reader:
    """Takes the tokens one by one and builds the text: `done` are its pieces, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        # Scripts and headings that are open: the element and where its content begins in `done`.
        self.open: list[tuple[str, int]] = []
        # A formula that is open: its element, and what came of it so far.
        self.formula = ""
        self.depth = 0
        self.tokens: list[Token] = []
        # A group that says the same formula in several ways, TeX and MathML: how deep, and the best so far.
        self.groups = 0
        self.best = ""
        self.glued = False

    def add(self, token: Token) -> None:
        """Take one more token."""
        if self.formula:
            self._inside_formula(token)
        elif token.kind == "text":
            self.done.append(token.text)
            self.glued = self.glued and not token.text.strip()
        elif token.name in ("math", "tex-math"):
            if token.kind == "open":
                self.formula, self.depth, self.tokens = token.name, 1, []
        elif token.name in ("inline-formula", "disp-formula", "alternatives"):
            self._group(token)
        elif token.name in ("sub", "sup", "inf", "title"):
            self._nested(token)
        elif token.name in _BLOCKS:
            self._break()
        elif token.name in _PRINTED:
            self.done.append(_PRINTED[token.name])

    def result(self) -> str:
        """The text, when all tokens were taken."""
        if self.formula:
            self._end_formula()
        self._emit_group()
        return "".join(self.done)

    def _break(self) -> None:
        if not self.glued:
            self.done.append(_BREAK)

    def _nested(self, token: Token) -> None:
        """The start of a script or heading, or its end, where what was gathered since is looked at."""
        if token.kind == "open":
            if token.name == "title":
                self._break()
            if len(self.open) < mathml.DEEPEST:
                self.open.append((token.name, len(self.done)))
        elif token.kind == "close" and self.open and self.open[-1][0] == token.name:
            at = self.open.pop()[1]
            content = "".join(self.done[at:]).strip()
            del self.done[at:]
            if token.name == "title":
                self._heading(content)
            else:
                self._script("^" if token.name == "sup" else "_", content)

    def _heading(self, words: str) -> None:
        if words.strip(" .:").lower() in _IDLE_HEADINGS or not words:
            return
        self.done.append(words + (" " if words[-1] in ".:?!" else ": "))
        self.glued = True

    def _script(self, sign: str, content: str) -> None:
        self.glued = False
        plain = content.translate(_DASHES)
        if len(plain) > 2 and plain[0] == plain[-1] == "$" and "$" not in plain[1:-1]:
            self._math(f"{sign}{{{plain[1:-1]}}}")
        elif not _SIMPLE_SCRIPT.fullmatch(plain) or self._after_dollar():
            self.done.append(content)
        elif len(plain) == 1:
            self._math(sign + plain)
        else:
            word = plain.isalpha() and plain.isascii()
            self._math(f"{sign}{{\\mathrm{{{plain}}}}}" if word else f"{sign}{{{plain}}}")

    def _after_dollar(self) -> bool:
        """Whether a dollar that is no formula of ours stands right before: another would open display mathematics."""
        return bool(self.done) and self.done[-1].endswith("$") and not self.done[-1].startswith("$")

    def _math(self, tex: str) -> None:
        """Add a formula; two that touch become one, as two dollars in a row would open display mathematics."""
        if self.done and len(self.done[-1]) > 2 and self.done[-1][0] == self.done[-1][-1] == "$":
            self.done[-1] = f"{self.done[-1][:-1]}{'' if tex[0] in '_^' else ' '}{tex}$"
        elif self._after_dollar():
            self.done.append(f" ${tex}$")
        else:
            self.done.append(f"${tex}$")

    def _inside_formula(self, token: Token) -> None:
        if token.name == self.formula and token.kind != "empty":
            self.depth += 1 if token.kind == "open" else -1
            if self.depth == 0:
                self._end_formula()
                return
        self.tokens.append(token)

    def _end_formula(self) -> None:
        tex = self._bare_tex() if self.formula == "tex-math" else mathml.to_tex(self.tokens)
        first = self.formula == "tex-math" or not self.best
        self.formula, self.tokens = "", []
        if tex and self.groups:
            self.best = tex if first else self.best
        elif tex:
            self.glued = False
            self._math(tex)

    def _bare_tex(self) -> str:
        r"""The formula of a ``<tex-math>``, which may be a whole document with a preamble, in dollars."""
        source = "".join(token.text for token in self.tokens)
        if found := _DOCUMENT.search(source):
            source = found[1]
        return " ".join(source.replace("$", " ").removeprefix("\\(").removesuffix("\\)").split())

    def _group(self, token: Token) -> None:
        if token.kind == "open":
            self.groups += 1
        elif token.kind == "close" and self.groups:
            self.groups -= 1
            if not self.groups:
                self._emit_group()

    def _emit_group(self) -> None:
        if self.best:
            tex, self.best, self.glued = self.best, "", False
            self._math(tex)
