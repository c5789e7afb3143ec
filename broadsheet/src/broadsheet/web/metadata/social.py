"""What other sites show of a link to a paper: the properties of Open Graph, https://ogp.me

``og:site_name`` is left out on purpose: Zotero takes it for the title of the proceedings.
"""

from __future__ import annotations

from broadsheet.web.metadata.work import Work

_DESCRIPTION = 300


def elements(work: Work, *, description: str) -> list[tuple[str, str]]:
    """Properties and contents, those without content left out."""
    row = work.row
    said = [
        ("og:type", "article"),
        ("og:title", work.title),
        ("og:url", work.page),
        ("og:description", description[:_DESCRIPTION]),
        ("article:published_time", row.submitted or (row.announced.isoformat() if row.announced else "")),
        ("article:modified_time", row.updated),
    ]
    return [(name, content) for name, content in said if content]
