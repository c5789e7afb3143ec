"""What asks the search index: search, the list of all papers, and what is near to a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from django.http import HttpResponseBase
from pydantic import BeforeValidator, Field, WithJsonSchema

from broadsheet import links
from broadsheet.papers import queries as papers_
from broadsheet.search import highlight
from broadsheet.search.explanation import Explanation
from broadsheet.search.index import Facet, Results
from broadsheet.search.query import Query, Sort, parse
from broadsheet.web import addresses, cards, searching, wording
from broadsheet.web.api import making, shapes
from broadsheet.web.api.endpoint import Asked, Endpoint, Example
from broadsheet.web.api.papers import known, moved
from broadsheet.web.api.parameters import FIELDS, Day, Listed, Number, PaperFields, Parameters, names_schema, one_of
from broadsheet.web.api.problems import NotAnswered
from broadsheet.web.pages.search import index
from broadsheet.web.searching import Place

# An explanation costs as much as a search, so a page with explanations has no more papers than this.
MOST_EXPLAINED = 10
# Characters of the text that is shown around what was found.
_EXCERPT = 320

Facets = Annotated[
    tuple[str, ...], BeforeValidator(partial(one_of, list(Facet), "facet")), WithJsonSchema(names_schema(Facet))
]


class OfSearch(Listed):
    """What a search takes."""

    q: str = Field(
        default="",
        max_length=2000,
        description="The search, in the language of the search page: words, phrases, filters. Empty: every paper.",
        examples=["graph networks year:2024"],
    )
    sort: Literal["relevance", "newest", "votes", "trending"] = Field(
        default="relevance",
        description="The order, as `sort:` in `q`. By votes and by trending, only papers that people voted for.",
    )
    facets: Facets = Field(
        default=(), description="What to count the answer by, with commas between.", examples=["category,year"]
    )
    explain: bool = Field(
        default=False,
        description=f"Whether to say why each paper has its score; a page then has {MOST_EXPLAINED} papers at most.",
    )


class OfPapers(Listed):
    """What the list of papers takes."""

    category: str = Field(
        default="", max_length=100, description="Only of this category, archive or section.", examples=["cs.LG"]
    )
    author: str = Field(default="", max_length=200, description="Only by this author.", examples=["Ada Example"])
    venue: str = Field(default="", max_length=200, description="Only of this venue.", examples=["Example Conference"])
    since: Day | None = Field(default=None, description="Only of this day or later.", examples=["2024-01-01"])
    until: Day | None = Field(default=None, description="Only of this day or earlier.", examples=["2024-12-31"])
    code: bool | None = Field(default=None, description="Only with code, or without.", examples=[True])


class OfRelated(Parameters):
    """What the papers near to one take."""

    limit: Number = Field(default=8, ge=1, le=50, description="How many papers at most.", examples=[8])
    fields: PaperFields = Field(default=(), description=FIELDS, examples=["id,title"])


def search(asked: Asked[OfSearch]) -> shapes.SearchAnswer:
    """What is found, and how it was searched. Raises NotAnswered, and IndexUnavailable."""
    wanted = asked.parameters
    query = parse(wanted.q)
    order = Sort(wanted.sort)
    if order is not Sort.RELEVANCE:
        query = replace(query, sort=order)
    limit = min(wanted.limit, MOST_EXPLAINED) if wanted.explain else wanted.limit
    facets = [Facet(name) for name in wanted.facets]
    answer = _answered(query, Place(limit, after=wanted.after), facets)
    results = answer.results
    return shapes.SearchAnswer(
        query=wanted.q,
        searched=query.in_words(),
        sort=query.sort.value,
        filters=_filters(query),
        total=results.total,
        items=_hits(answer, wanted, base=asked.base),
        facets=[_facet(facet, results) for facet in facets],
        corrections=[shapes.Correction(typed=typed, searched=right) for typed, right in results.corrections],
        remarks=[str(remark) for remark in answer.remarks],
        next=asked.address(after=results.next) if results.next else None,
    )


def papers(asked: Asked[OfPapers]) -> shapes.CountedPage[shapes.Paper]:
    """A page of all papers, the newest first. Raises NotAnswered, and IndexUnavailable."""
    wanted = asked.parameters
    results = _answered(_query(wanted), Place(wanted.limit, after=wanted.after)).results
    known_ = making.papers_by_id((hit.pk for hit in results.hits), wanted.fields, base=asked.base)
    return shapes.CountedPage[shapes.Paper](
        items=[known_[hit.pk] for hit in results.hits if hit.pk in known_],
        total=results.total,
        next=asked.address(after=results.next) if results.next else None,
    )


def related(asked: Asked[OfRelated], key: str) -> shapes.Related | HttpResponseBase:
    """The papers nearest in meaning, or where they are told. Raises NotAnswered, and IndexUnavailable."""
    row = known(key)
    if row.key != key:
        return moved(asked, addresses.api_paper(row.key, links.API_RELATED))
    engine = index()
    hits = engine.related(row.id, limit=asked.parameters.limit)
    near = making.papers_by_id((hit.pk for hit in hits), asked.parameters.fields, base=asked.base)
    embedding = engine.embedding()
    silent = embedding.missing or ("" if embedding.model else "No model is set, so nothing is near in meaning.")
    return shapes.Related(
        paper=row.key,
        items=[shapes.Near(similarity=hit.score, paper=near[hit.pk]) for hit in hits if hit.pk in near],
        remarks=[silent] if silent else [],
    )


def _answered(query: Query, place: Place, facets: Sequence[Facet] = ()) -> searching.Answer:
    try:
        return searching.ask(index(), query, place, facets=facets)
    except ValueError as error:
        raise NotAnswered("unknown-cursor", str(error)) from error


def _query(wanted: OfPapers) -> Query:
    return Query(
        categories=(wanted.category,) if wanted.category else (),
        authors=(wanted.author,) if wanted.author else (),
        venues=(wanted.venue,) if wanted.venue else (),
        since=wanted.since,
        until=wanted.until,
        has_code=wanted.code,
        sort=Sort.NEWEST,
    )


def _hits(answer: searching.Answer, wanted: OfSearch, *, base: str) -> list[shapes.Hit]:
    """What was found, each paper once; what the database does not know is left out."""
    scores: dict[int, float] = {}
    rows = papers_.by_ids({hit.pk for hit in answer.results.hits})
    for hit in answer.results.hits:
        if hit.pk in rows:
            scores.setdefault(rows[hit.pk].id, hit.score)
    shown = {row.id: row for row in rows.values()}
    ordered = [shown[paper_id] for paper_id in scores]
    made = making.papers_of(ordered, wanted.fields, base=base)
    return [
        _hit(row, scores[row.id], paper, answer, explain=wanted.explain)
        for row, paper in zip(ordered, made, strict=True)
    ]


def _hit(
    row: papers_.Paper, score: float, paper: shapes.Paper, answer: searching.Answer, *, explain: bool
) -> shapes.Hit:
    corrected = [right for _, right in answer.results.corrections]
    title, text = cards.plain(row.title), cards.plain(row.abstract or row.summary)
    said: dict[str, Any] = {
        "score": score,
        "paper": paper,
        "highlight": _highlight(title, text, answer.query, corrected),
    }
    if explain and answer.of_the_index:
        reason = index().explain(answer.query, row.id)
        said["explanation"] = _explanation(reason) if reason else None
    return shapes.Hit(**said)


def _highlight(title: str, text: str, query: Query, corrected: Sequence[str]) -> shapes.Highlight:
    spans = highlight.marks(text, query, also=corrected)
    start, end = highlight.excerpt(text, spans, length=_EXCERPT)
    return shapes.Highlight(
        title=_marked(title, highlight.marks(title, query, also=corrected), 0, len(title)),
        text=_marked(text, spans, start, end),
    )


def _marked(text: str, spans: Sequence[highlight.Span], start: int, end: int) -> shapes.Marked:
    return shapes.Marked(
        text=text[start:end],
        spans=[(first - start, last - start) for first, last in spans if start <= first and last <= end],
        cut_before=start > 0,
        cut_after=end < len(text),
    )


def _explanation(reason: Explanation) -> shapes.Explanation:
    return shapes.Explanation(
        value=reason.value,
        words=reason.words,
        rule=reason.rule.value,
        details=[_explanation(each) for each in reason.details],
    )


def _filters(query: Query) -> shapes.Filters:
    return shapes.Filters(
        words=list(query.words),
        phrases=list(query.phrases),
        without=list(query.without),
        authors=list(query.authors),
        without_authors=list(query.without_authors),
        categories=list(query.categories),
        without_categories=list(query.without_categories),
        venues=list(query.venues),
        without_venues=list(query.without_venues),
        since=query.since,
        until=query.until,
        has_code=query.has_code,
        holds=query.holds,
        identifier=str(query.identifier) if query.identifier else None,
        unread=list(query.unread),
    )


def _facet(facet: Facet, results: Results) -> shapes.FacetCount:
    name = wording.section_name if facet is Facet.CATEGORY else str
    return shapes.FacetCount(
        facet=facet.value,
        values=[
            shapes.FacetValue(value=value, name=name(value), count=count)
            for value, count in results.facets.get(facet, ())
        ],
    )


ENDPOINTS = (
    Endpoint(
        path=links.API_SEARCH,
        name="search_papers",
        summary="Search",
        description="The papers that match, the best first. `q` takes the whole language of the search page, filters "
        "included; `filters` says how it was read. Texts in `highlight` are plain, with the places to mark as spans.",
        parameters=OfSearch,
        shape=shapes.SearchAnswer,
        answer=search,
        policy="search",
        problems=("unknown-cursor",),
        examples=(
            Example("Words, counted by year", "/api/v1/search?q=gradient+norms&fields=id&facets=year"),
            Example("Why it was found", "/api/v1/search?q=bandits+author:%22Ada+Example%22&fields=id&explain=1"),
        ),
    ),
    Endpoint(
        path=links.API_PAPERS,
        name="list_papers",
        summary="All papers",
        description="All papers, the newest first, or those that pass every filter that is named.",
        parameters=OfPapers,
        shape=shapes.CountedPage[shapes.Paper],
        answer=papers,
        policy="search",
        problems=("unknown-cursor",),
        examples=(
            Example("The two newest of a category", "/api/v1/papers?category=cs.LG&limit=2&fields=id,announced"),
        ),
    ),
    Endpoint(
        path=links.API_RELATED,
        name="list_related",
        summary="Papers near to one",
        description="The papers nearest in meaning to one, where the instance has a model.",
        parameters=OfRelated,
        shape=shapes.Related,
        answer=related,
        policy="search",
        problems=("unknown-paper",),
        redirects=True,
        examples=(Example("Near to a paper", "/api/v1/papers/2401.00001/related?fields=id"),),
    ),
)
