"""The shapes of all answers. Every field says what it means; the OpenAPI document and the reference are made of them.

A value that is not known is null. A field that was not asked for is left out. So whoever makes a shape sets every field
that is to be told: those that are not set do not leave the house.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel


class Shape(BaseModel):
    """A part of an answer: it cannot be changed, and has nothing that is not described."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Author(Shape):
    """An author as the paper names them."""

    name: str = Field(description="The name, given name first.", examples=["Chloé Exemple"])
    slug: str | None = Field(
        description="By what `/api/v1/authors/{slug}` knows the name; null where it cannot stand in an address. "
        "It stands for a spelling of a name, not for a person.",
        examples=["chloe-exemple"],
    )


class Measured(Shape):
    """What came of a paper's claims that somebody has measured."""

    verdict: str = Field(
        description="The verdict in words: that on its claim, or how many of its claims hold up.",
        examples=["Holds up: 0.449 times the best baseline; at most 0.5 was asked."],
    )
    holds: bool = Field(description="Whether a claim of the paper holds up.", examples=[True])
    measured: int = Field(description="How many of its claims were measured.", examples=[1])


class Paper(Shape):
    """A paper: what this instance believes of it, merged from everything that sources say."""

    id: str = Field(description="The paper's key: its best identifier.", examples=["2401.00001"])
    url: str = Field(default="", description="Its page.", examples=["http://localhost/papers/2401.00001"])
    api_url: str = Field(
        default="",
        description="Everything that is known of it, for programs.",
        examples=["http://localhost/api/v1/papers/2401.00001"],
    )
    title: str = Field(
        default="",
        description="The title as printed, with mathematics as TeX between dollars.",
        examples=["Lantern: Step Sizes from $\\ell_2$ Gradient Norms"],
    )
    title_text: str = Field(
        default="",
        description="The title in plain Unicode.",
        examples=["Lantern: Step Sizes from ℓ₂ Gradient Norms"],
    )
    authors: list[Author] = Field(
        default=[], description="All authors that are named, in the order of the paper.", examples=[[]]
    )
    author_count: int = Field(
        default=0, description="How many authors there are; some sources tell only that.", examples=[2]
    )
    abstract: str | None = Field(
        default=None,
        description="The authors' abstract, with TeX; null where no source gave one.",
        examples=["We choose step sizes from the $\\ell_2$ norm of the last gradient."],
    )
    summary: str | None = Field(
        default=None, description="A short summary by a catalogue.", examples=["Step sizes from gradient norms."]
    )
    announced: date | None = Field(
        default=None,
        description="The day on which a reader could first see it listed: a label of US Eastern time, not a moment.",
        examples=["2024-01-02"],
    )
    submitted: str | None = Field(
        default=None,
        description="When its first version was submitted, as far as it is known: a year, a month or a day.",
        examples=["2023-12-29", "2006-11", "1999"],
    )
    updated: str | None = Field(
        default=None, description="When its newest version was submitted, as far as it is known.", examples=["2024-02"]
    )
    section: str | None = Field(
        default=None, description="The section of the newspaper that it belongs to first.", examples=["cs.LG"]
    )
    categories: list[str] = Field(
        default=[], description="Its categories, the primary one first.", examples=[["cs.LG", "math.OC"]]
    )
    keywords: list[str] = Field(default=[], description="Keywords that sources gave.", examples=[["step sizes"]])
    venue: str | None = Field(default=None, description="Where it was published.", examples=["Example Conference"])
    kind: str | None = Field(
        default=None, description="What kind of work it is, where a source says.", examples=["survey"]
    )
    comments: str | None = Field(default=None, description="The authors' remarks.", examples=["12 pages, 3 figures"])
    license: str | None = Field(
        default=None,
        description="The licence of the text, as an address.",
        examples=["http://creativecommons.org/licenses/by/4.0/"],
    )
    organization: str | None = Field(default=None, description="Who stands behind it.", examples=["Example Lab"])
    code_url: str | None = Field(
        default=None, description="Where its code is.", examples=["https://example.org/lantern"]
    )
    project_url: str | None = Field(default=None, description="Its own site.", examples=["https://example.org/"])
    identifiers: list[str] = Field(
        default=[],
        description="Every identifier that is known of it, as `scheme:value`.",
        examples=[["arxiv:2401.00001", "doi:10.1000/lantern"]],
    )
    evidence: Measured | None = Field(
        default=None,
        description="What came of its claims when they were run; null where nobody has. "
        "`/api/v1/papers/{key}/evidence` tells all of it.",
    )


class Version(Shape):
    """A version of a paper."""

    number: int = Field(description="Its number, from 1 up.", examples=[2])
    submitted: str | None = Field(description="When, as far as it is known.", examples=["2024-02-01"])


class Place(Shape):
    """A paper's place in an edition, and why it has it."""

    rank: int = Field(description="Its place, from 1 up.", examples=[3])
    score: float = Field(description="The points by which the edition was ordered; more is better.", examples=[1.0])
    reasons: list[str] = Field(
        description="Why it has these points, as stored when the edition was printed.", examples=[["code is available"]]
    )
    basis: Literal["announced", "submitted", "month", "shipped"] = Field(
        description="Which date put it here: that of the announcement, of the submission where no announcement is "
        "known, a month, or none (it came with the program).",
        examples=["announced"],
    )
    late: bool = Field(description="Whether it came after the edition was closed.", examples=[False])


class EditionName(Shape):
    """Which edition."""

    kind: Literal["day", "week", "month", "first"] = Field(description="What it covers.", examples=["day"])
    label: str = Field(description="Its name in addresses.", examples=["2024-01-02"])
    url: str = Field(description="Its page.", examples=["http://localhost/date/2024-01-02"])
    api_url: str = Field(
        description="The edition for programs.", examples=["http://localhost/api/v1/editions/2024-01-02"]
    )


class PlaceIn(Shape):
    """The edition that has a paper, and its place there."""

    edition: EditionName
    place: Place


class Source(Shape):
    """A source that says something of a paper."""

    name: str = Field(description="The source's name.", examples=["arxiv-oai"])
    title: str = Field(description="What people call it.", examples=["arXiv (OAI-PMH)"])
    statements: int = Field(description="How many statements of it there are.", examples=[1])
    heard: datetime = Field(description="When it was last heard.", examples=["2024-01-02T17:00:00Z"])


class WholePaper(Paper):
    """A paper with everything that is known about it."""

    versions: list[Version] = Field(default=[], description="Its versions, the first one first.", examples=[[]])
    editions: list[PlaceIn] = Field(
        default=[], description="The editions that have it, the earliest first.", examples=[[]]
    )
    sources: list[Source] = Field(default=[], description="Who says something of it.", examples=[[]])
    merged_from: list[str] = Field(
        default=[],
        description="Keys of entries that turned out to be the same work. Each of them leads here.",
        examples=[["doi:10.1000/lantern"]],
    )


T = TypeVar("T")


class Page(Shape, Generic[T]):
    """A page of a list."""

    items: list[T] = Field(description="What the page has, in the order of the list.")
    next: str | None = Field(
        description="The address of the page behind this one; null on the last. It is in the header `Link` too.",
        examples=["http://localhost/api/v1/papers?limit=2&after=2024-01-02"],
    )


class CountedPage(Page[T], Generic[T]):
    """A page of a list whose length is known."""

    total: int = Field(description="How many the whole list has.", examples=[273])


class Statement(Shape):
    """What one source says of a paper, word for word, before anything was merged."""

    source: str = Field(description="The source's name.", examples=["arxiv-oai"])
    title: str = Field(description="What people call the source.", examples=["arXiv (OAI-PMH)"])
    key: str = Field(description="What the source itself calls the paper.", examples=["oai:arXiv.org:2401.00001"])
    heard: datetime = Field(description="When this was last heard.", examples=["2024-01-02T17:00:00Z"])
    said: dict[str, JsonValue] = Field(
        description="The fields that the source said, with the names of Broadsheet's own records.",
        examples=[{"title": "Lantern", "authors": ["Ada Example"]}],
    )


class Statements(Shape):
    """What all sources say of a paper, in the order in which it was first stored."""

    paper: str = Field(description="The paper's key.", examples=["2401.00001"])
    items: list[Statement] = Field(description="A statement of a source each.")


class Near(Shape):
    """A paper that is near in meaning to another."""

    similarity: float = Field(description="The cosine of the angle between their vectors, to 1.", examples=[0.83])
    paper: Paper


class Related(Shape):
    """The papers nearest in meaning to one, the nearest first."""

    paper: str = Field(description="The key of the paper that they are near to.", examples=["2401.00001"])
    items: list[Near] = Field(description="The papers; none when this one has no vector yet.")
    remarks: list[str] = Field(
        description="What a reader should know of the answer.", examples=[["Search is by words: no model is set."]]
    )


Kind = Literal["day", "week", "month", "first"]
State = Literal["shipped", "source-down", "incomplete", "unverified", "complete", "empty"]


class Bases(Shape):
    """How many papers of an edition are there by which date."""

    announced: int = Field(description="By the day of announcement.", examples=[600])
    submitted: int = Field(description="By that of submission, the announcement not being known.", examples=[12])
    month: int = Field(description="Known to the month only.", examples=[0])
    shipped: int = Field(description="Because they came with the program.", examples=[0])


class Verdict(Shape):
    """How complete an edition is, in short."""

    state: State = Field(description="One of six states.", examples=["complete"])
    line: str = Field(
        description="The line that the page of the edition prints.",
        examples=["Complete: 612 of 612 announced by arXiv in cs, checked 21:40 Eastern."],
    )


class Edition(EditionName):
    """An edition: a list of papers as it was published."""

    number: int = Field(description="Its number among the editions of its kind.", examples=[412])
    start: date = Field(description="The first day that it covers.", examples=["2024-01-02"])
    end: date = Field(description="The last day that it covers.", examples=["2024-01-02"])
    published_at: datetime = Field(description="When it was first printed.", examples=["2024-01-02T17:00:00Z"])
    open: bool = Field(description="Whether ranks may still move.", examples=[False])
    size: int = Field(description="How many papers it has.", examples=[612])
    late: int = Field(description="How many of them came after it was closed.", examples=[0])
    basis: Bases


class ListedEdition(Edition):
    """An edition in the list of all."""

    verdict: Verdict | None = Field(
        description="How complete it is; null for weeks and months, which tell it in their own answers.",
    )


class Fact(Shape):
    """A figure of an audit."""

    name: str = Field(description="What is counted.", examples=["Dated by announcement"])
    value: str = Field(description="The number, or a remark where there is none.", examples=["600"])


class SectionAudit(Shape):
    """What is held of what one section announced on a day."""

    announcer: str = Field(description="Who announced.", examples=["arxiv"])
    section: str = Field(description="Where.", examples=["cs"])
    announced: int | None = Field(description="How many works; null where nobody counted.", examples=[612])
    how: str = Field(description="Who counted them.", examples=["listing total"])
    held: int = Field(description="How many of them are here.", examples=[612])
    missing: list[str] = Field(description="Identifiers of the first few that are not.", examples=[["2401.00009"]])


class DayAudit(Shape):
    """What is known of a day of the calendar: its edition, and how complete that is."""

    day: date = Field(description="The day, by US Eastern time.", examples=["2024-01-02"])
    state: State = Field(description="One of six states.", examples=["complete"])
    line: str = Field(description="What is known, in a line.", examples=["Complete: 612 of 612 announced."])
    edition: EditionName | None = Field(description="Its edition; null where none was printed.")
    failed: list[str] = Field(description="Checks that failed, as sentences.", examples=[[]])


class Change(Shape):
    """What happened to an edition after it was closed."""

    at: datetime = Field(description="When it last did on that day.", examples=["2024-01-03T17:00:00Z"])
    text: str = Field(description="What, in words.", examples=["2 papers came late."])


class Audit(Verdict):
    """What is known, and what is not, about how complete an edition is."""

    facts: list[Fact] = Field(description="Figures.")
    sections: list[SectionAudit] = Field(description="Of a day: what each section announced, and what is held of it.")
    days: list[DayAudit] = Field(description="Of a week or a month: its days of which there is something to tell.")
    failed: list[str] = Field(description="Checks that failed, as sentences.", examples=[[]])
    checked_at: datetime | None = Field(
        description="When anybody last looked; null where nobody did.", examples=["2024-01-03T02:40:00Z"]
    )
    changes: list[Change] = Field(description="What changed after the edition was closed, the latest first.")
    rule: str = Field(description="What the numbers of the sections count.", examples=["New papers and cross-lists."])


class EditionItem(Place):
    """A paper in an edition."""

    paper: Paper


class WholeEdition(CountedPage[EditionItem]):
    """An edition with its audit, and a page of its papers in the order of their ranks."""

    edition: Edition
    audit: Audit
    before: EditionName | None = Field(description="The edition of the same kind before it; null for the first.")
    after: EditionName | None = Field(description="The edition of the same kind after it; null for the last.")


class DayAudits(Shape):
    """The last days of the calendar, the latest first."""

    items: list[DayAudit] = Field(description="The days.")


class Filters(Shape):
    """How the text of a search was read. What is null or empty was not asked for."""

    words: list[str] = Field(description="A paper has at least one of these.", examples=[["graph", "networks"]])
    phrases: list[str] = Field(description="It has all of these.", examples=[["step size"]])
    without: list[str] = Field(description="It has none of these.", examples=[["survey"]])
    authors: list[str] = Field(description="It is by all of these.", examples=[["Ada Example"]])
    without_authors: list[str] = Field(description="It is by none of these.", examples=[[]])
    categories: list[str] = Field(description="It is in one of these.", examples=[["cs.LG"]])
    without_categories: list[str] = Field(description="It is in none of these.", examples=[[]])
    venues: list[str] = Field(description="It is of one of these.", examples=[[]])
    without_venues: list[str] = Field(description="It is of none of these.", examples=[[]])
    since: date | None = Field(description="It is of this day or later.", examples=["2024-01-01"])
    until: date | None = Field(description="It is of this day or earlier.", examples=["2024-12-31"])
    has_code: bool | None = Field(description="It has code, or has none.", examples=[True])
    holds: bool | None = Field(description="A claim of it held up when run, or none did.", examples=[None])
    identifier: str | None = Field(description="It is this paper, or has a word.", examples=["arxiv:2401.00001"])
    unread: list[str] = Field(
        description="What looked like a filter and could not be read. It was searched as words.",
        examples=[["year:soon"]],
    )


class Marked(Shape):
    """A text, or a part of one, and the places in it that show what was searched for."""

    text: str = Field(description="Plain Unicode.", examples=["Lantern: Step Sizes from ℓ₂ Gradient Norms"])
    spans: list[tuple[int, int]] = Field(
        description="Where each place begins and ends, in characters (code points) of this text.", examples=[[[9, 13]]]
    )
    cut_before: bool = Field(description="Whether the text goes on before it.", examples=[False])
    cut_after: bool = Field(description="Whether the text goes on after it.", examples=[True])


class Highlight(Shape):
    """Where a paper shows what was searched for."""

    title: Marked
    text: Marked


class Explanation(Shape):
    """Why a paper has its score: a value, and those that it is the sum or the product of."""

    value: float = Field(description="The value; at the root, the score.", examples=[4.2])
    words: str = Field(description="What it is, in words.", examples=["“graph” in the title"])
    rule: Literal["sum", "product", "given"] = Field(
        description="How it comes from those below it; `given` when there are none.", examples=["sum"]
    )
    details: list[Explanation] = Field(description="What it was computed from.", examples=[[]])


class Hit(Shape):
    """A paper that was found."""

    score: float = Field(description="Higher is better; 0 where the order is by date.", examples=[4.2])
    paper: Paper
    highlight: Highlight
    explanation: Explanation | None = Field(
        default=None, description="Why it has this score; only with `explain=1`. Null where it is not scored."
    )


class Correction(Shape):
    """A word that hardly any paper has, and the one that was searched too."""

    typed: str = Field(description="The word as typed.", examples=["grph"])
    searched: str = Field(description="The other spelling.", examples=["graph"])


class FacetValue(Shape):
    """A value by which the answer can be narrowed."""

    value: str = Field(description="As the query language writes it.", examples=["cs.LG"])
    name: str = Field(description="As people read it.", examples=["Machine Learning"])
    count: int = Field(description="How many papers of the answer have it.", examples=[17])


class FacetCount(Shape):
    """An answer counted by one thing."""

    facet: Literal["category", "year", "venue"] = Field(description="By what.", examples=["category"])
    values: list[FacetValue] = Field(
        description="Categories and venues with the most papers first, newest years first."
    )


class SearchAnswer(CountedPage[Hit]):
    """What a search found, and how it was searched."""

    query: str = Field(description="The search as it was typed.", examples=["graph networks year:2024"])
    searched: str = Field(
        description="What was searched, in words.", examples=["papers with any of “graph”, “networks”, of 2024"]
    )
    sort: Literal["relevance", "newest", "votes", "trending"] = Field(description="The order.", examples=["relevance"])
    filters: Filters
    facets: list[FacetCount] = Field(description="The counts that `facets` asked for.")
    corrections: list[Correction] = Field(description="Words that were searched in another spelling too.")
    remarks: list[str] = Field(description="What a reader should know of the answer.", examples=[[]])


class AuthorPage(CountedPage[Paper]):
    """Papers on which an author of a name stands, the newest first."""

    name: str = Field(description="The name as newest papers print it.", examples=["Ada Example"])
    slug: str = Field(description="The name in addresses.", examples=["ada-example"])
    url: str = Field(description="The author's page.", examples=["http://localhost/author/ada-example"])


class SectionName(Shape):
    """A section of the newspaper, or a category of a source."""

    slug: str = Field(description="Its name in addresses.", examples=["cs.LG"])
    name: str = Field(description="What people call it.", examples=["Machine Learning"])
    url: str = Field(description="Its page.", examples=["http://localhost/section/cs.LG"])
    api_url: str = Field(description="Its papers, for programs.", examples=["http://localhost/api/v1/sections/cs.LG"])


class CountedSection(SectionName):
    """A section and its size."""

    count: int = Field(description="How many papers it holds.", examples=[120])


class Sections(Shape):
    """All sections and categories, the biggest first."""

    items: list[CountedSection] = Field(description="The sections.")


class SectionPage(CountedPage[Paper]):
    """Papers of a section, the newest first."""

    section: SectionName


class EditionCounts(Shape):
    """How many editions of each kind there are."""

    day: int = Field(description="Of days.", examples=[412])
    week: int = Field(description="Of weeks.", examples=[60])
    month: int = Field(description="Of months.", examples=[14])
    first: int = Field(description="1 when the collection that comes with the program is here.", examples=[1])


class IndexStatus(Shape):
    """How the search index is doing."""

    papers: int | None = Field(description="How many papers it holds; null when it does not answer.", examples=[273])
    behind: int | None = Field(description="Changes of the journal that it has not read.", examples=[0])
    model: str | None = Field(description="The model of search by meaning; null without one.", examples=[None])
    embedded: int | None = Field(description="How many papers have a vector.", examples=[0])
    remarks: list[str] = Field(description="What is wrong, as sentences.", examples=[[]])


class SourceHealth(Shape):
    """How asking a source for one of its sets goes."""

    source: str = Field(description="The source's name.", examples=["arxiv-oai"])
    title: str = Field(description="What people call it.", examples=["arXiv (OAI-PMH)"])
    set: str = Field(description="The part of it that is asked for; empty for everything.", examples=["cs"])
    answered_at: datetime | None = Field(description="When it last answered.", examples=["2024-01-02T17:00:00Z"])
    newest: date | None = Field(description="The newest day that it told of.", examples=["2024-01-02"])
    failures: int = Field(description="How often in a row it failed; 0 when it answers.", examples=[0])
    failure: str | None = Field(description="What was wrong the last time, as a sentence.", examples=[None])


class Status(Shape):
    """What this instance holds, and how far behind it is."""

    name: str = Field(description="What the newspaper is called.", examples=["Broadsheet"])
    version: str = Field(description="The version of the program.", examples=["0.1.0"])
    papers: int = Field(description="Papers that are shown.", examples=[273])
    statements: int = Field(description="Statements of sources.", examples=[301])
    changes: int = Field(description="Entries of the journal.", examples=[574])
    changed_at: datetime | None = Field(
        description="When the newest entry was made.", examples=["2024-01-02T17:00:00Z"]
    )
    editions: EditionCounts
    editions_behind: int = Field(description="Changes and editions that are still to be printed.", examples=[0])
    index: IndexStatus
    sources: list[SourceHealth] = Field(description="The sources that are asked for new papers.")


class EndpointName(Shape):
    """What one address answers."""

    name: str = Field(description="The name of the operation in the OpenAPI document.", examples=["get_paper"])
    method: str = Field(description="The method of HTTP.", examples=["GET"])
    address: str = Field(description="The address; names in braces are filled in.", examples=["/api/v1/papers/{key}"])
    summary: str = Field(description="What it answers.", examples=["One paper"])
    policy: str = Field(description="The rate policy by which it is counted.", examples=["read"])


class RatePolicy(Shape):
    """How often a client may ask."""

    name: str = Field(description="The name in the headers.", examples=["search"])
    quota: int = Field(description="So many requests", examples=[120])
    window: int = Field(description="in so many seconds.", examples=[60])
    what: str = Field(description="What it counts.", examples=["What asks the search index."])


class Root(Shape):
    """What there is."""

    name: str = Field(description="What the newspaper is called.", examples=["Broadsheet"])
    version: str = Field(description="The version of the program.", examples=["0.1.0"])
    openapi: str = Field(
        description="The description of all this for programs.", examples=["http://localhost/api/v1/openapi.json"]
    )
    endpoints: list[EndpointName] = Field(description="Every address.")
    policies: list[RatePolicy] = Field(description="How often a client of another machine may ask.")


class ProblemKind(Shape):
    """A kind of error."""

    type: str = Field(description="What `type` says in the error.", examples=["/api/v1/problems#unknown-paper"])
    status: int = Field(description="The status of HTTP.", examples=[404])
    title: str = Field(description="The kind in words.", examples=["There is no such paper"])
    when: str = Field(description="When it happens.", examples=["No paper here has this identifier."])


class ProblemKinds(Shape):
    """Every kind of error."""

    items: list[ProblemKind] = Field(description="The kinds, by status.")


class ExportedPaper(Paper):
    """A line of the export."""

    cursor: str = Field(default="", description="Where to go on: `after` of the next request.", examples=["273"])


class Document(RootModel[dict[str, JsonValue]]):
    """An OpenAPI document, version 3.1."""
