r"""Titles and abstracts with TeX in them, as plain Unicode text and as safe HTML with MathML.

arXiv prints titles, abstracts and comments with mathematics between dollars, with accents as TeX commands, and with
``<`` and ``&`` that are text (https://info.arxiv.org/help/mathjax.html). Macros of the authors are unknown. Both
functions take any text whatever, never raise, and cost time in proportion to its length.
"""

from __future__ import annotations

import html
import re
import unicodedata

from broadsheet.bibliography.tex_mathml import formula_to_mathml
from broadsheet.bibliography.tex_scan import Piece, scan
from broadsheet.bibliography.tex_unicode import formula_to_text

__all__ = ["paragraphs", "to_html", "to_text"]

# Control characters, halves of surrogate pairs, non-characters, and the marks that turn the direction of writing round.
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff\ue000\ue001]")
_BLANKS = re.compile(r"[ \t\n\r\f\v]{2,}|[\t\n\r\f\v]")
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*|\n(?=[ \t]{2,}\S)|\\par(?![A-Za-z])")
_LONG = 10_000
_MAX_MARKS = 30
_TAGS = ("em", "strong", "code")
_WEB = ("http://", "https://")


def to_text(tex: str) -> str:
    r"""`tex` as one line of plain Unicode text in NFC: for search, titles of windows, feeds and labels.

    ``$x^2 \leq \alpha$ in Erd\H{o}s`` gives ``x² ≤ α in Erdős``. White space is single blanks, none at the ends.
    """
    if _is_plain(tex):
        return tex if tex.isascii() and tex.isprintable() and not _is_loose(tex) else _normalised(tex)
    pieces = scan(_cleaned(tex))
    return _normalised("".join(_piece_to_text(piece) for piece in pieces))


def to_html(tex: str, *, links: bool = False) -> str:
    r"""`tex` as safe HTML for the inside of a paragraph or heading.

    Everything is escaped; the elements are those of MathML Core, ``em``, ``strong``, ``code`` and, for a formula that
    cannot be typeset, ``span class="tex"`` with its source. Web addresses become ``a`` only if `links`.
    """
    if _is_plain(tex):
        if tex.isascii() and tex.isprintable() and not _is_loose(tex) and "://" not in tex:
            return tex
        if not (links and "://" in tex):
            return _escaped(_normalised(tex))
    return _rendered(tex, links=links, line_break=" ")


def paragraphs(tex: str, *, links: bool = False) -> list[str]:
    r"""The paragraphs of `tex`, each as `to_html` makes it, with ``<br/>`` for ``\\``; none for a blank text.

    Paragraphs end at a blank line, at ``\par`` and, as arXiv prints them, before a line that begins with two blanks.
    """
    parts = _PARAGRAPH.split(tex.replace("\r\n", "\n").strip())
    rendered = (_rendered(part, links=links, line_break="<br/>") for part in parts)
    return [part for part in rendered if part]


def _is_plain(tex: str) -> bool:
    """Whether nothing in `tex` is TeX or needs escaping. Searches for single characters beat any pattern."""
    return not (
        "\\" in tex
        or "$" in tex
        or "{" in tex
        or "^" in tex
        or "_" in tex
        or "<" in tex
        or "&" in tex
        or "~" in tex
        or ">" in tex
        or "--" in tex
        or "`" in tex
        or "''" in tex
        or "}" in tex
        or "varepsilon" in tex
        or "mathcal" in tex
    )


def _is_loose(tex: str) -> bool:
    return "  " in tex or tex[:1] == " " or tex[-1:] == " "


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(_cleaned(text).split()))


def _cleaned(text: str) -> str:
    """`text` without the characters that no page may hold."""
    if text.isascii() and text.isprintable():
        return text
    text = _FORBIDDEN.sub("", text)
    return _stream_safe(text) if len(text) > _LONG and not text.isascii() else text


def _stream_safe(text: str) -> str:
    """`text` with at most 30 combining marks in a row (UAX 15, section 13): sorting more takes their number squared."""
    done: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS:
            done.append(character)
    return "".join(done)


def _piece_to_text(piece: Piece) -> str:
    if piece.kind in ("math", "display"):
        text = formula_to_text(piece.text)
        return f" {text} " if piece.kind == "display" else text
    if piece.kind in ("text", "break"):
        return piece.text
    return piece.text if piece.kind == "link" else ""


def _rendered(tex: str, *, links: bool, line_break: str) -> str:
    done: list[str] = []
    depth = dict.fromkeys(_TAGS, 0)
    for piece in scan(_cleaned(tex)):
        kind, text = piece.kind, piece.text
        if kind == "text":
            done.append(_escaped(text))
        elif kind == "open":
            depth[text] += 1
            if depth[text] == 1:
                done.append(f"<{text}>")
        elif kind == "close":
            depth[text] -= 1
            if depth[text] == 0:
                done.append(f"</{text}>")
        elif kind == "break":
            done.append(line_break)
        elif kind == "link":
            done.append(_link(piece, links=links))
        else:
            done.append(_formula(text, display=kind == "display"))
    return _BLANKS.sub(" ", "".join(done)).strip(" \n")


def _formula(tex: str, *, display: bool) -> str:
    markup = formula_to_mathml(tex, display=display)
    return f'<span class="tex">{_escaped(tex.strip())}</span>' if markup is None else markup


def _link(piece: Piece, *, links: bool) -> str:
    label = _escaped(piece.text)
    if not links or not piece.address.startswith(_WEB):
        return label
    return f'<a rel="nofollow noopener" href="{html.escape(piece.address)}">{label}</a>'


def _escaped(text: str) -> str:
    """`text` for HTML. A combining mark at the start could join the ``>`` before it, so it is written as a number."""
    text = unicodedata.normalize("NFC", text)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if text[:1] > "\u02ff" and unicodedata.combining(text[0]):
        return f"&#{ord(text[0])};{escaped[1:]}"
    return escaped
