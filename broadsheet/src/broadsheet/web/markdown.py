"""A paper as Markdown, for people who keep notes and for programs that read: the twin of its page.

    markdown.paper("2401.00001", base="https://papers.example.org")

This is what `/papers/{key}.md` answers with. Mathematics stands as TeX between dollars.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from broadsheet.bibliography import tex
from broadsheet.bibliography.identifiers import Scheme
from broadsheet.community.queries import comments
from broadsheet.editions import queries as editions
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, excerpts, measured, wording
from broadsheet.web.html_to_markdown import converted, escaped, inline, linked, verbatim

# Names printed before "and n more".
_AUTHORS = 200
_RUNNABLE = {"yes": "can be tested", "partly": "can be tested in part", "no": "cannot be tested"}
# Threads of its discussion; the page has the rest.
_THREADS = 20
# Forms in which the paper can be cited, and their names.
_CITATIONS = (("bib", "BibTeX"), ("ris", "RIS"), ("csl.json", "CSL-JSON"))


def paper(key: str, *, base: str = "") -> str:
    """The paper that `key` leads to, as its page tells it: title, authors, particulars, summary, abstract, claims.

    `key` is anything that `papers.queries.find` understands: a key, a former key, an identifier. `base` is the scheme
    and host before our own addresses, ``https://papers.example.org``; without it they begin with a slash. A constant
    number of queries. Raises KeyError when no paper is found.
    """
    row = papers.find(key)
    if row is None:
        raise KeyError(key)
    return "\n\n".join(_parts(row, base)) + "\n"


def _parts(row: papers.Paper, base: str) -> Iterator[str]:
    card = cards.Card(paper=row)
    yield f"# {inline(card.title_html)}"
    yield _authors(row)
    yield "\n".join(f"- {name}: {value}" for name, value in _particulars(row, base))
    if row.summary:
        yield f"## In short\n\n{inline(cards.html(row.summary))}\n\n*Written for a catalogue, not by the authors.*"
    yield "## Abstract"
    yield from _abstract(row)
    found = evidence.known([row.id]).get(row.id, evidence.Known())
    yield from _findings(found.findings)
    yield from _claims(found.unmeasured)
    yield from _places(row, base)
    yield from _discussion(row, base)


def _authors(row: papers.Paper) -> str:
    if not row.authors:
        return wording.count(row.author_count, "author") if row.author_count else "No source names the authors."
    named = ", ".join(escaped(cards.author(name).name) for name in row.authors[:_AUTHORS])
    more = max(len(row.authors), row.author_count or 0) - len(row.authors[:_AUTHORS])
    return f"{named} and {wording.number(more)} more" if more > 0 else named


def _particulars(row: papers.Paper, base: str) -> Iterator[tuple[str, str]]:
    known = papers.identifiers_of([row.id])[row.id]
    for found in known:
        yield found.scheme.giver, linked(found.value, found.url)
        if found.scheme is Scheme.ARXIV:
            yield "PDF", f"<https://arxiv.org/pdf/{found.value}>"
    for name, value in (
        ("Announced", wording.day_text(row.announced)),
        ("First version submitted", wording.day_text(row.submitted)),
        ("Newest version", wording.day_text(row.updated)),
        ("Versions", str(len(row.versions)) if len(row.versions) > 1 else ""),
        ("Venue", row.venue),
        ("Categories", ", ".join(map(wording.category_name, row.categories))),
        ("Keywords", "; ".join(row.keywords)),
        ("Licence", row.license),
        ("Code", row.code_url),
        ("Project", row.project_url),
    ):
        if value:
            yield name, linked(value, value) if addresses.outside(value) else escaped(tex.to_text(value))
    if row.comments:
        yield "Authors' remark", inline(cards.html(row.comments))
    page = base + addresses.paper(row.key)
    yield "Page", linked(page, page)
    yield "Cite", ", ".join(linked(name, addresses.in_form(page, form)) for form, name in _CITATIONS)


def _abstract(row: papers.Paper) -> Iterator[str]:
    parts = [inline(part) for part in cards.paragraphs(row.abstract)]
    yield from parts or ["No source that we read has sent the abstract."]
    if excerpts.cut(row.abstract, cards.LONGEST) != row.abstract.strip():
        yield "*This is the beginning of a very long abstract. The rest stands at the source.*"


def _findings(findings: Sequence[evidence.Finding]) -> Iterator[str]:
    if findings:
        yield "## Claimed against measured"
    for told in measured.told(findings):
        yield inline(cards.html(told.claim.text)) or "A claim without words."
        day, by = wording.day_text(told.measured.measured_at.date()), told.record.environment.made_by
        said = [
            ("Verdict", f"**{told.words}**: {told.meaning}"),
            ("In numbers", inline(cards.html(told.claim.value))),
            ("Measured", escaped(f"{told.line} ({told.compared})")),
            ("Pass mark", escaped(f"{told.mark}, fixed on {wording.day_text(told.fixed)}")),
            ("When", escaped(f"{day}, {told.tier}, with {by}")),
            ("Repeat it", verbatim(told.record.command)),
        ]
        yield "\n".join(f"- {name}: {value}" for name, value in said if value)


def _claims(claims: Sequence[evidence.Claim]) -> Iterator[str]:
    if not claims:
        return
    yield "## Claimed"
    for claim in claims:
        yield inline(cards.html(claim.text)) or "A claim without words."
        said = [("In numbers", inline(cards.html(claim.value))), ("Measured", "not yet")]
        said += [("On a laptop", _RUNNABLE.get(claim.runnable, escaped(claim.runnable)))]
        said += [("How one would", inline(cards.html(claim.experiment)))]
        said += [("Against", escaped("; ".join(claim.peers)))]
        yield "\n".join(f"- {name}: {value}" for name, value in said if value)


def _places(row: papers.Paper, base: str) -> Iterator[str]:
    places = editions.places(row.id)
    if not places:
        return
    yield "## Printed in"
    yield "\n".join(
        "- "
        + linked(
            wording.edition_name(edition.kind, edition.label), base + addresses.edition(edition.kind, edition.label)
        )
        + f", place {entry.rank}{', came late' if entry.late else ''}"
        for edition, entry in places
    )


def _discussion(row: papers.Paper, base: str) -> Iterator[str]:
    """What people wrote beneath the paper for everybody to read, each as it is said, under a heading of its own."""
    found = comments.discussion(row.id, None, limit=_THREADS)
    if not found.comments:
        return
    yield "## Discussion"
    yield "Each comment is its author's own."
    names = {each.id: each.author.shown if each.author else "somebody who has left" for each in found.comments}
    for each in found.comments:
        answers = f" answers {escaped(names[each.parent])}" if each.parent in names else ""
        yield f"### {escaped(names[each.id])}{answers}, {wording.utc(each.made_at)}"
        yield converted(each.html, base=base).strip() if each.shown == "open" else f"*This comment is {each.shown}.*"
    if found.following:
        yield linked("The rest of the discussion", f"{base}{addresses.paper(row.key)}#discussion")
