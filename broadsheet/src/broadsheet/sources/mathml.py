r"""Presentation MathML as TeX: registries of DOIs print formulas of titles and abstracts so, arXiv prints TeX.

``<msup><mi>x</mi><mn>2</mn></msup>`` gives ``x^{2}``. The formula comes in tokens as `markup` cuts them; it need not be
well formed. Elements that are not known count as ``mrow``. What is too large or too deep becomes its text alone.
Source of the elements: https://www.w3.org/TR/mathml-core/ and, for ``mmultiscripts`` and ``mfenced``, MathML 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_TOKENS = 4_000
DEEPEST = 60


class Token(NamedTuple):
    """A piece of markup: `kind` is ``text``, ``open``, ``close`` or ``empty``; `name` is the element, lower case."""

    kind: str
    name: str
    text: str = ""


@dataclass(slots=True)
class _Node:
    name: str
    children: list[_Node] = field(default_factory=list)
    text: str = ""


def to_tex(tokens: Sequence[Token]) -> str:
    r"""The formula without dollars: from ``<math>``, which may be among the tokens or not, to its end. Never raises."""
    root = _tree(tokens) if len(tokens) <= MOST_TOKENS else None
    if root is None:
        return _escaped(" ".join("".join(token.text for token in tokens).split()))
    return _tex(root).strip()


def _tree(tokens: Iterable[Token]) -> _Node | None:
    """The elements as a tree; an end without a start is passed over. None when it is too deep."""
    open_nodes = [_Node("mrow")]
    for kind, name, text in tokens:
        if kind == "text":
            _add_text(open_nodes[-1], text)
        elif kind == "close":
            if any(node.name == name for node in open_nodes[1:]):
                while open_nodes.pop().name != name:
                    pass
        else:
            node = _Node(name)
            open_nodes[-1].children.append(node)
            if kind == "open":
                open_nodes.append(node)
        if len(open_nodes) > DEEPEST:
            return None
    return open_nodes[0]


def _add_text(node: _Node, text: str) -> None:
    """Text belongs in leaves; where it stands beside elements it becomes a leaf of its own."""
    if node.name in _LEAVES:
        node.text += text
    elif text.strip():
        node.children.append(_Node("mn", text=text))


def _tex(node: _Node) -> str:
    if node.name in _LEAVES:
        return _LEAVES[node.name](" ".join((node.text + _inner_text(node)).split()))
    if node.name in _DROPPED:
        return ""
    children = [child for child in node.children if child.name not in _DROPPED]
    build = _BUILDERS.get(node.name)
    if build is None or len(children) < _LEAST.get(node.name, 1):
        return _row(children)
    return build(children)


def _inner_text(node: _Node) -> str:
    return "".join(child.text + _inner_text(child) for child in node.children)


# --- Leaves ----------------------------------------------------------------------------------------------------------

_SPECIALS = str.maketrans(
    {sign: f"\\{sign}" for sign in "%#&_${}"}
    | {"\\": "\\backslash ", "~": "\\sim ", "^": "\\wedge ", "\N{NO-BREAK SPACE}": " "}
    | {"\N{MINUS SIGN}": "-", "\N{HYPHEN}": "-", "\N{PRIME}": "'", "\N{DOUBLE PRIME}": "''"}
    # Invisible operators: applied function, times, separator, plus.
    | dict.fromkeys("\u2061\u2062\u2063\u2064\u200b", "")
)
_NOT_IN_TEXT = str.maketrans(dict.fromkeys("\\{}$^_%#&~", ""))
_NUMBER = re.compile(r"[0-9.,]{1,40}", re.ASCII)
_FUNCTIONS = frozenset(
    (
        *("arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "det", "dim", "exp", "gcd", "inf", "ker", "lim"),
        *("ln", "log", "max", "min", "sec", "sin", "sinh", "sup", "tan", "tanh"),
    )
)


def _escaped(text: str) -> str:
    return text.translate(_SPECIALS)


def _name(text: str) -> str:
    if text in _FUNCTIONS:
        return f"\\{text}"
    return f"\\mathrm{{{_escaped(text)}}}" if len(text) > 1 and text.isalpha() and text.isascii() else _escaped(text)


def _words(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return text
    return f"\\text{{{text.translate(_NOT_IN_TEXT)}}}" if text else ""


def _blank(_text: str) -> str:
    return " "


_LEAVES: dict[str, Callable[[str], str]] = {
    "mi": _name,
    "mn": _escaped,
    "mo": _escaped,
    "mtext": _words,
    "ms": _words,
    "mspace": _blank,
}
_DROPPED = frozenset(("annotation", "annotation-xml", "maligngroup", "malignmark", "mphantom", "none"))


# --- Elements that hold others ---------------------------------------------------------------------------------------

_ENDS_IN_COMMAND = re.compile(r"\\[A-Za-z]{1,20}\Z")
_ONE_SIGN = re.compile(r"[^\\{}^_\s]|\\[A-Za-z]{1,20}|\\mathrm\{[^{}]{1,40}\}")
# Accents over a base, by the sign that MathML prints there.
_ACCENTS = {
    **dict.fromkeys(("¯", "‾", "_", "\\_", "\u0304", "\u0305"), "\\overline"),
    **dict.fromkeys(("^", "ˆ", "\\wedge", "\u0302"), "\\hat"),
    **dict.fromkeys(("~", "˜", "\\sim", "∼", "\u0303"), "\\tilde"),
    **dict.fromkeys(("→", "⃗", "\u20d7"), "\\vec"),
    **dict.fromkeys(("˙", ".", "\u0307"), "\\dot"),
    **dict.fromkeys(("¨", "..", "\u0308"), "\\ddot"),
}


def _row(nodes: Iterable[_Node]) -> str:
    row = ""
    for part in map(_tex, nodes):
        blank = " " if part[:1].isalpha() and _ENDS_IN_COMMAND.search(row[-22:]) else ""
        row += blank + part
    return row


def _base(node: _Node) -> str:
    tex = _tex(node).strip()
    return tex if _ONE_SIGN.fullmatch(tex) else f"{{{tex}}}"


def _group(node: _Node) -> str:
    return f"{{{_tex(node).strip()}}}"


def _over(nodes: list[_Node]) -> str:
    accent = _ACCENTS.get(_tex(nodes[1]).strip())
    return f"{accent}{_group(nodes[0])}" if accent else f"{_base(nodes[0])}^{_group(nodes[1])}"


def _multiscripts(nodes: list[_Node]) -> str:
    """A base with pairs of scripts behind it and, after ``mprescripts``, before it: isotopes."""
    at = next((place for place, node in enumerate(nodes) if node.name == "mprescripts"), len(nodes))
    return f"{_scripts(nodes[at + 1 :])}{_base(nodes[0])}{_scripts(nodes[1:at], empty_base='')}"


def _scripts(nodes: list[_Node], empty_base: str = "{}") -> str:
    done = ""
    for low, high in zip(nodes[0::2], nodes[1::2], strict=False):
        down, up = _tex(low).strip(), _tex(high).strip()
        done += (f"_{{{down}}}" if down else "") + (f"^{{{up}}}" if up else "")
    return empty_base + done if done else ""


def _fenced(nodes: list[_Node]) -> str:
    return f"({','.join(_tex(node) for node in nodes)})"


def _table(rows: list[_Node]) -> str:
    lines = " \\\\ ".join(" & ".join(_row(cell.children) for cell in row.children) for row in rows)
    return f"\\begin{{matrix}}{lines}\\end{{matrix}}"


_BUILDERS: dict[str, Callable[[list[_Node]], str]] = {
    "msup": lambda nodes: f"{_base(nodes[0])}^{_group(nodes[1])}",
    "msub": lambda nodes: f"{_base(nodes[0])}_{_group(nodes[1])}",
    "msubsup": lambda nodes: f"{_base(nodes[0])}_{_group(nodes[1])}^{_group(nodes[2])}",
    "munderover": lambda nodes: f"{_base(nodes[0])}_{_group(nodes[1])}^{_group(nodes[2])}",
    "munder": lambda nodes: f"{_base(nodes[0])}_{_group(nodes[1])}",
    "mover": _over,
    "mfrac": lambda nodes: f"\\frac{_group(nodes[0])}{_group(nodes[1])}",
    "msqrt": lambda nodes: f"\\sqrt{{{_row(nodes)}}}",
    "mroot": lambda nodes: f"\\sqrt[{_tex(nodes[1])}]{_group(nodes[0])}",
    "mmultiscripts": _multiscripts,
    "mfenced": _fenced,
    "mtable": _table,
}
# How many children an element must have for its builder; with fewer it is a row.
_LEAST = {
    **dict.fromkeys(("msup", "msub", "munder", "mover", "mfrac", "mroot"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
