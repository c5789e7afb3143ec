"""Exponents and indices of a plain text for which Unicode has no letters, as HTML has them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_RAISED = re.compile(r"(\^|_)\(([^()<>]{1,40})\)")


def raised(text: str) -> Markup:
    """A plain text as HTML, its ``^(…)`` and ``_(…)`` as exponents and indices."""
    marked = _RAISED.sub(_as_element, str(escape(text)))
    return Markup(marked)  # noqa: S704  escaped in the line before


def _as_element(found: re.Match[str]) -> str:
    name = "sup" if found[1] == "^" else "sub"
    return f"<{name}>{found[2]}</{name}>"
