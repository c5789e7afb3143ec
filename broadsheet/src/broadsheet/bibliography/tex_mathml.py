r"""One formula of TeX as MathML Core, by `math_core`, with our repairs for what authors really write.

The result has only elements and attributes of MathML Core, no style, class, id, link or named entity: it can stand in
a page under a strict content security policy, in XML (Atom) and in mail. The TeX source stands in ``alttext``.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from math_core import LatexError, LatexToMathML

from broadsheet.bibliography import accents
from broadsheet.bibliography.tex_macros import MAX_LENGTH, guess, too_complex, with_few_brackets
from broadsheet.bibliography.tex_symbols import MATH_MACROS

ELEMENTS = frozenset(
    [
        *("math", "mi", "mn", "mo", "mtext", "mspace", "mrow", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup"),
        *("munder", "mover", "munderover", "mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle"),
    ]
)
ATTRIBUTES = frozenset(
    [
        *("accent", "accentunder", "alttext", "display", "displaystyle", "fence", "form", "largeop", "linethickness"),
        *("lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "rspace", "scriptlevel", "separator"),
        *("stretchy", "symmetric", "width"),
    ]
)

_CONVERTER = LatexToMathML(fancy_error=False, macros=MATH_MACROS, max_expansions=100)
_MAX_UNKNOWN = 12
_MAX_NAME = 40
_UNKNOWN = re.compile(r'Unknown command "\\([A-Za-z]+)"')

# Definitions and free lengths could make output of any size, or a box over the whole page: such a formula is not set.
_REFUSED = re.compile(
    r"\\(?:[egx]?def|let|futurelet|(?:re|provide)?newcommand|newenvironment|DeclareMathOperator|global|raisebox"
    r"|above|rule|char|symbol|unicode|catcode|input|require|href|prescript)(?![A-Za-z])"
)
_UNWANTED = re.compile(
    r"(?<!\\)%|\"|~\s?~|\\\\\s?\[|\\(?:label|tag|ref|eqref|cite|url|href|hspace|vspace|[mh]?kern|[mh]skip|mspace|nonumber|notag|leqno|eqno|color|textcolor"
    r"|fbox|boxed|begin)(?![A-Za-z])"
)
_CLEANING: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<!\\)%"), r"\\%"),
    (re.compile('"'), "''"),
    (re.compile(r"~(?:\s?~){2,}"), "~~"),
    (re.compile(r"\\\\\s?\[-?[\d.]{1,9}\s?[a-z]{2}\]"), r"\\\\"),
    (re.compile(r"\\(?:label|tag|ref|eqref|cite|url)\*?\s{0,9}\{[^{}]{0,300}\}"), ""),
    (re.compile(r"\\(?:[hv]space)\*?\s{0,9}\{[^{}]{0,99}\}"), r"\\,"),
    (re.compile(r"\\(?:[mh]?kern|[mh]skip|mspace)\s{0,9}\{?-?[\d.]{0,9}\s{0,9}(?:em|ex|mu|pt|cm|mm|in)?\}?"), ""),
    (re.compile(r"\\(?:text)?color\s{0,9}(?:\[[^\]]{0,99}\])?\{[^{}]{0,99}\}|\\href\s{0,9}\{[^{}]{0,300}\}"), ""),
    (re.compile(r"\\(?:leqno|eqno|nonumber|notag|fbox|boxed|label|tag|ref|eqref|cite|url)(?![A-Za-z])"), ""),
    (re.compile(r"\\(begin|end)\{eqnarray\*?\}"), r"\\\1{align*}"),
    (re.compile(r"\\(begin|end)\{(?:displaymath|math)\}"), ""),
    (re.compile(r"\\(begin|end)\{(equation|align|gather|multline|alignat|flalign)\}"), r"\\\1{\2*}"),
    (re.compile(r"\\(begin|end)\s?\{smallmatrix\}"), r"\\\1{matrix}"),
)
_REPAIRS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$([^$]{0,500})\$"), r"}{\1}\\text{"),
    (re.compile(r"(?<!\\)\$"), ""),
    (re.compile(r"(?<!\\)#"), r"\\#"),
    (
        re.compile(
            r"\\(?:(?:no)?limits|tiny|small|footnotesize|normalsize|large|Large|sideset)(?![A-Za-z])|\\[()<>+\-0-9]|\\dot$"
        ),
        "",
    ),
    (re.compile(r"\\textgreater(?![A-Za-z])(?:\{\})?"), ">"),
    (re.compile(r"\\textless(?![A-Za-z])(?:\{\})?"), "<"),
    (
        re.compile(r"\\(?:mbox|hbox|text)\s?\{\s?\\(rm|bf|it|sf|tt|cal|sl|sc)(?![A-Za-z])([^{}]{0,200})\}"),
        r"{\\mathrm{\2}}",
    ),
    (
        re.compile(r"\\operatorname\*?\s?\{(?=[^{}]{0,200}[\\^_])([^{}]{0,400}(?:\{[^{}]{0,200}\}[^{}]{0,400})?)\}"),
        r"{\1}",
    ),
    (re.compile(r"\\sqrt\s?$"), "√"),
    (re.compile(r"\\([oOlLijuvHckrdbt]|ae|oe|ss)(?![A-Za-z])"), r"{\1}"),
)
_CELL_MARK = re.compile(r"(?<!\\)&")
_BRACKET_SIZE = re.compile(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s{0,9}\.?")
_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.|$)|\s+|'+|.", re.DOTALL)

_EMPTY = ("<math></math>", '<math display="block"></math>')
_SCRIPTS = ("^", "_")

_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot);)#?\w{1,40};")
_SINGLE = re.compile(r"<mrow><mspace/>(<mi(?: mathvariant=\"normal\")?>[^<]*</mi>)</mrow>")
_VARIATION = re.compile("[\ufe00\ufe01]")
# A mark alone in an operator must be the spacing character: browsers put the combining one on the wrong side.
_COMBINING = re.compile("<mo([^<>]*)>([\u0300-\u0332\u20d7])</mo>(</munder>)?")
_SPACING = {
    "\u0300": "`",
    "\u0301": "´",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "¯",
    "\u0305": "‾",
    "\u0306": "˘",
    "\u0307": "˙",
    "\u0308": "¨",
    "\u030a": "˚",
    "\u030c": "ˇ",
    "\u20d7": "→",
}
_TAG = re.compile(r"<(/?)([A-Za-z]+)([^<>]*)>")
_ATTRIBUTE = re.compile(r' ([A-Za-z-]+)="([^"<>]*)"')
# A wide blank or a thick line could cover the page.
_TOO_LARGE = re.compile(r' (?:width="-?\d{2}|linethickness="[^0]|(?:min|max)size="\d{2})')
_SPECIAL = re.compile(
    r"<(?:a|b|i|code|span|menclose)\b|\b(?:style|class|id|href|voffset|width|linethickness)=|</?[^m/]"
)


def formula_to_mathml(tex: str, *, display: bool = False) -> str | None:
    r"""The formula `tex`, without its dollars, as a ``<math>`` element, or None if it cannot be typeset.

    An empty formula gives an empty string. Never raises.
    """
    return None if len(tex) > MAX_LENGTH else _to_mathml(tex.strip(), display=display)


@lru_cache(maxsize=4096)
def _to_mathml(tex: str, *, display: bool) -> str | None:
    if not tex:
        return ""
    if too_complex(tex) or ("\\" in tex and _REFUSED.search(tex)):
        return None
    cleaned = _cleaned(tex) if _UNWANTED.search(tex) else tex
    markup = _converted(cleaned, display=display)
    if markup is None:
        repaired = _repaired(cleaned)
        markup = _converted(repaired, display=display)
        if markup is None:
            markup = _converted(_BRACKET_SIZE.sub("", repaired), display=display)
    return None if markup is None else _finished(markup, tex)


def _converted(tex: str, *, display: bool) -> str | None:
    """What the converter makes of `tex`; commands it does not know are replaced by what they probably mean."""
    tex = with_few_brackets(tex)
    for _ in range(_MAX_UNKNOWN):
        try:
            return _CONVERTER.convert_with_local_state(tex, displaystyle=display)
        except LatexError as error:
            match = _UNKNOWN.search(str(error))
            if match is None or len(match[1]) > _MAX_NAME:
                return None
            meaning = "{" + guess(match[1]) + "}"
            tex = re.sub(rf"\\{match[1]}(?![A-Za-z])", lambda _: meaning, tex)  # noqa: B023 - used before the next turn
    return None


def _cleaned(tex: str) -> str:
    for pattern, replacement in _CLEANING:
        tex = pattern.sub(replacement, tex)
    return tex


def _repaired(tex: str) -> str:
    """`tex` with the usual slips mended: braces, double scripts, accents and dollars inside, stray cell marks."""
    for pattern, replacement in _REPAIRS:
        tex = pattern.sub(replacement, tex)
    if "\\begin" not in tex:
        tex = _CELL_MARK.sub(r"\\&", tex)
    return _balanced(accents.to_unicode(tex))


def _balanced(tex: str) -> str:
    """`tex` with braces that match, every script on a base of its own, and no script or backslash at the end."""
    done: list[str] = []
    # For every open group: the scripts that its last base carries already.
    carried: list[set[str]] = [set()]
    before = ""
    for part in _TOKEN.findall(tex):
        if part == "\\" or (part == "}" and len(carried) == 1):
            continue
        prime = part[0] == "'"
        if before in _SCRIPTS and (prime or part == "}" or part in _SCRIPTS):
            done.append("{}")
        if prime or part in _SCRIPTS:
            sign = "^" if prime else part
            if sign in carried[-1]:
                done.append("{}")
                carried[-1].clear()
            carried[-1].add(sign)
        elif part == "}":
            carried.pop()
        elif before not in _SCRIPTS and not part.isspace():
            carried[-1].clear()
        if part == "{":
            carried.append(set())
        done.append(part)
        before = before if part.isspace() else part
    return "".join(done) + "{}" * (before in _SCRIPTS) + "}" * (len(carried) - 1)


def _finished(markup: str, tex: str) -> str:
    """`markup` with only the elements and attributes we allow, plain characters for entities, and its source."""
    if markup in _EMPTY:
        return ""
    if "&" in markup:
        markup = _ENTITY.sub(lambda match: html.unescape(match[0]), markup)
    if "<mspace/>" in markup:
        markup = _SINGLE.sub(r"\1", markup)
    if not markup.isascii():
        markup = _COMBINING.sub(_spacing_mark, _VARIATION.sub("", markup))
    if _SPECIAL.search(markup):
        markup = _TAG.sub(_allowed_tag, markup)
    source = html.escape(" ".join(tex.split()))
    return f'<math alttext="{source}"{markup[5:]}'


def _spacing_mark(match: re.Match[str]) -> str:
    attributes, mark, under = match.groups()
    # math_core writes the low line for \\overline as for \\underline.
    spacing = ("_" if under else "‾") if mark == "\u0332" else _SPACING.get(mark, mark)
    return f"<mo{attributes}>{spacing}</mo>{under or ''}"


def _allowed_tag(match: re.Match[str]) -> str:
    closing, name, attributes = match.groups()
    if name not in ELEMENTS:
        return ""
    end = "/>" if attributes.endswith("/") else ">"
    kept = [
        found[0]
        for found in _ATTRIBUTE.finditer(attributes)
        if found[1] in ATTRIBUTES and not _TOO_LARGE.match(found[0])
    ]
    return f"<{closing}{name}{''.join(kept)}{end}"
