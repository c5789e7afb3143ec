"""What people write, as safe HTML: CommonMark (https://spec.commonmark.org/0.31.2/) with mathematics between dollars.

Three walls stand behind each other: markup of HTML is text for the parser, addresses of links pass a rule, and nh3 lets
only the elements and attributes of `ELEMENTS` and `ATTRIBUTES` through. The pages' Content-Security-Policy is a fourth.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from broadsheet.bibliography import tex_mathml

__all__ = ["ATTRIBUTES", "ELEMENTS", "LONGEST", "clean", "links_in", "to_html"]

# Characters of a text. Whoever has more to say links to it.
LONGEST = 10_000

ELEMENTS = frozenset(
    {"p", "br", "em", "strong", "a", "blockquote", "code", "pre", "ul", "ol", "li", "hr", "span"} | tex_mathml.ELEMENTS
)
ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href"}),
    "ol": frozenset({"start"}),
    "span": frozenset({"class"}),
    **dict.fromkeys(tex_mathml.ELEMENTS, tex_mathml.ATTRIBUTES),
}
# Quotations and lists in each other, as many as can be read on a telephone.
_DEEPEST = 12
# Emphasis in emphasis: the parser knows no limit of it, and a browser takes each one as an element.
_EMPHASIS = 4
_LINKS = 100
_MARKS = 5

# Marks that turn the direction of writing round, are never seen, or are of no plane where text is; line ends stay.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufeff\uffa0\ufff0-\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
# Joiners shape Persian, Indic and pictures; between Latin letters they only make two words look like one.
# Found by length and judged by what stands around them: a pattern that looks around takes the square of the time.
_JOINERS = re.compile("[\u200c\u200d]+")
_JOINED = "\u0590"
_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d{1,5})?(?:[/?#][^\s\\]*)?|/(?![/\\])[^\s\\]*|#[\w-]*", re.IGNORECASE)
_BARE = re.compile(r"https?://[^\s<>\"\\]{3,1000}", re.IGNORECASE)
_TRAILING = ".,;:!?'\"*_)]}"


def clean(text: str) -> str:
    """The text without characters that deceive: of control, of direction, of no width, and heaps of marks.

    Line ends become newlines, and the result is in NFC. What Persian, Indic scripts and joined pictures need stays.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    text = _JOINERS.sub(_if_it_joins, _FORBIDDEN.sub("", text))
    return unicodedata.normalize("NFC", text if text.isascii() else _few_marks(text))


def to_html(text: str) -> str:
    """The text as safe HTML: paragraphs, lists, quotations, code, links, and MathML for what stands between dollars.

    Pictures become links, headings strong letters, and HTML in the text is shown as text. What is longer than
    `LONGEST` is cut; whoever takes texts from people refuses such a one before.
    """
    return _CLEANER.clean(_PARSER.render(clean(text)[:LONGEST])).strip()


def links_in(text: str) -> int:
    """How many links to other places the text would have."""
    return len(re.findall(r'<a href="http', to_html(text)))


def _if_it_joins(found: re.Match[str]) -> str:
    """The joiners, where they stand between two letters of scripts that need them."""
    text, start, end = found.string, found.start(), found.end()
    before = text[start - 1 : start] if start else ""
    return found[0] if before >= _JOINED and text[end : end + 1] >= _JOINED else ""


def _few_marks(text: str) -> str:
    """At most `_MARKS` marks on one letter; more of them cover the lines above and below."""
    done: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MARKS:
            done.append(character)
    return "".join(done)


def _may_lead(address: str) -> bool:
    """Whether a link may lead there: to the web by name, to a page of ours, or to a place on this page."""
    return _ADDRESS.fullmatch(address) is not None


def _flat(state: StateCore) -> None:
    """Take away emphasis that lies deeper than `_EMPHASIS`, and links beyond `_LINKS`."""
    links = 0
    for token in state.tokens:
        if token.type == "inline":
            children = list(_without_depth(token.children or []))
            links += sum(child.type == "link_open" for child in children)
            if links > _LINKS:
                children = [child for child in children if not child.type.startswith("link")]
            token.children = children


def _without_depth(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        if token.type in ("em_close", "strong_close"):
            depth -= 1
            if depth >= _EMPHASIS:
                continue
        if token.type in ("em_open", "strong_open"):
            depth += 1
            if depth > _EMPHASIS:
                continue
        yield token


def _linked(state: StateCore) -> None:
    """Make links of addresses that stand in the text by themselves."""
    for token in state.tokens:
        if token.type != "inline" or "://" not in token.content:
            continue
        children: list[Token] = []
        inside = 0
        for child in token.children or []:
            inside += child.type == "link_open"
            inside -= child.type == "link_close"
            children.extend(_with_links(child) if child.type == "text" and not inside else [child])
        token.children = children


def _with_links(token: Token) -> list[Token]:
    done: list[Token] = []
    last = 0
    for match in _BARE.finditer(token.content):
        address = _without_trail(match[0])
        if not _may_lead(address):
            continue
        done += [_text(token.content[last : match.start()]), Token("link_open", "a", 1, attrs={"href": address})]
        done += [_text(address), Token("link_close", "a", -1)]
        last = match.start() + len(address)
    return [*done, _text(token.content[last:])]


def _without_trail(address: str) -> str:
    """The address without what ends the sentence around it; a bracket that it opens itself is its own."""
    while address[-1] in _TRAILING and not (address[-1] == ")" and "(" in address):
        address = address[:-1]
    return address


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _no_headings(state: StateCore) -> None:
    """Make paragraphs in strong letters of headings: those of a page are its own."""
    for before, token in itertools.pairwise(state.tokens):
        if before.type == "heading_open":
            bold = [Token("strong_open", "strong", 1), *(token.children or []), Token("strong_close", "strong", -1)]
            token.children = bold
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"


def _formula(tex: str, *, display: bool) -> str:
    markup = tex_mathml.formula_to_mathml(tex, display=display)
    return f'<span class="tex">{html.escape(tex.strip())}</span>' if markup is None else markup


def _inline(_renderer: Any, tokens: Sequence[Token], place: int, _options: Any, _env: Any) -> str:
    return _formula(tokens[place].content, display=False)


def _displayed(_renderer: Any, tokens: Sequence[Token], place: int, _options: Any, _env: Any) -> str:
    return _formula(tokens[place].content, display=True)


def _block(_renderer: Any, tokens: Sequence[Token], place: int, _options: Any, _env: Any) -> str:
    return f"<p>{_formula(tokens[place].content, display=True)}</p>\n"


def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST})
    made.disable(["image", "html_block", "html_inline"])
    made.validateLink = _may_lead  # type: ignore[method-assign,assignment]  # as its own guide says to do it
    made.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
    for name, rule in (("math_inline", _inline), ("math_inline_double", _displayed), ("math_block", _block)):
        made.add_render_rule(name, rule)
    made.core.ruler.push("linked", _linked)
    made.core.ruler.push("flat", _flat)
    made.core.ruler.push("no_headings", _no_headings)
    return made


_PARSER = _parser()
_CLEANER = nh3.Cleaner(
    tags=set(ELEMENTS),
    attributes={name: set(allowed) for name, allowed in ATTRIBUTES.items() if name != "span"},
    tag_attribute_values={"span": {"class": {"tex"}}},
    link_rel="nofollow ugc noopener",
    url_schemes={"http", "https"},
    strip_comments=True,
)
