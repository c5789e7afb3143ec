"""The tools that tell of one paper: what it is, and what is known of whether it holds up."""

from __future__ import annotations

from broadsheet.bibliography.identifiers import Scheme
from broadsheet.editions import queries as editions
from broadsheet.editions.rules import Kind
from broadsheet.evidence import queries as evidence
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, measured
from broadsheet.web.mcp.asking import few, paper_named, room
from broadsheet.web.mcp.budget import cut, tokens
from broadsheet.web.mcp.printing import audit, verdict
from broadsheet.web.mcp.shapes import (
    NOTICE,
    Claim,
    Detail,
    Evidence,
    GetEvidence,
    GetPaper,
    Measured,
    Paper,
    Printed,
    dumped,
)

# The most that parts of an answer have, in tokens: brief and full.
_SUMMARY = {"brief": 200, "full": 600}
_ABSTRACT = {"brief": 500, "full": 2_500}
_COMMENTS = {"brief": 60, "full": 200}
_CLAIM = {"brief": 100, "full": 300}
_LINE = {"brief": 60, "full": 150}
_TITLE, _NAME = 150, 30
# What JSON puts around the abstract.
_AROUND = 10
# How many of each are told: brief and full.
_AUTHORS = {"brief": 8, "full": 60}
_MANY = {"brief": 4, "full": 12}
_EDITIONS = 2
_CLAIMS = {"brief": 2, "full": 6}
_MEASURE = 50  # tokens of a part of a measurement


def get_paper(wanted: GetPaper, base: str) -> Paper:
    """Everything that is known of a paper but its text. Raises Unanswerable when it is not here."""
    row, detail = paper_named(wanted.id), wanted.detail
    known = papers.identifiers_of([row.id])[row.id]
    names = [cut(cards.author(name).name, _NAME) for name in row.authors[: _AUTHORS[detail]]]
    full = detail == "full"
    line = _LINE[detail]
    known_claims = evidence.known([row.id]).get(row.id, evidence.Known())
    verdict_ = measured.brief(known_claims.findings)
    answer = Paper(
        notice=NOTICE,
        id=row.key,
        title=_title(row),
        authors=names,
        more_authors=max(len(row.authors), row.author_count or 0) - len(names),
        url=base + addresses.paper(row.key),
        home=cut(addresses.home(row.key), line),
        pdf=next((f"https://arxiv.org/pdf/{each.value}" for each in known if each.scheme is Scheme.ARXIV), ""),
        identifiers=few([str(each) for each in known], _MANY[detail], line),
        announced=row.announced.isoformat() if row.announced else "",
        submitted=row.submitted,
        updated=row.updated,
        versions=len(row.versions),
        venue=cut(row.venue, line),
        categories=few(row.categories, _MANY[detail], _NAME),
        keywords=few(row.keywords, _MANY[detail], _NAME) if full else [],
        comments=cut(cards.plain(row.comments), _COMMENTS[detail]),
        license=cut(row.license, line) if full else "",
        organization=cut(row.organization, _NAME),
        code=cut(addresses.outside(row.code_url), line),
        project=cut(addresses.outside(row.project_url), line),
        summary=cut(cards.plain(row.summary), _SUMMARY[detail]),
        editions=_printed(row.id),
        claims=len(known_claims.findings) + len(known_claims.unmeasured),
        verdict=cut(verdict_.sentence, line) if verdict_ else "",
    )
    left = min(_ABSTRACT[detail], room(detail) - tokens(dumped(answer)) - _AROUND)
    return answer.model_copy(update={"abstract": cut(cards.plain(row.abstract), left)})


def get_evidence(wanted: GetEvidence, base: str) -> Evidence:
    """The claims of a paper, and what was measured. Raises Unanswerable when it is not here."""
    row, detail = paper_named(wanted.id), wanted.detail
    known = evidence.known([row.id]).get(row.id, evidence.Known())
    claims = [_claim(finding.claim, detail, _measured(finding)) for finding in known.findings]
    claims += [_claim(claim, detail, None) for claim in known.unmeasured]
    told = claims[: _CLAIMS[detail]]
    return Evidence(
        notice=NOTICE,
        id=row.key,
        title=_title(row),
        url=base + addresses.paper(row.key),
        said=_said(known),
        claims=told,
        more_claims=len(claims) - len(told),
    )


def _title(row: papers.Paper) -> str:
    return cut(cards.Card(row).title_text, _TITLE)


def _printed(paper_id: int) -> list[Printed]:
    """Where the paper was printed: in the editions of days, and in the first one, each with its audit."""
    places = [
        (edition, entry) for edition, entry in editions.places(paper_id) if edition.kind in {Kind.DAY, Kind.FIRST}
    ]
    verdicts = editions.verdicts([edition for edition, _entry in places if edition.kind is Kind.DAY])
    return [
        Printed(
            edition=edition.label,
            rank=entry.rank,
            late=entry.late,
            audit=verdict(verdicts[edition.id]) if edition.id in verdicts else audit(edition, "brief"),
        )
        for edition, entry in places[:_EDITIONS]
    ]


def _said(known: evidence.Known) -> str:
    if known.findings:
        measured_, all_ = len(known.findings), len(known.findings) + len(known.unmeasured)
        return f"{measured_} of {all_} {'claim was' if all_ == 1 else 'claims were'} measured."
    if not known.unmeasured:
        return "Nobody has written down a claim of this paper here, and nothing was measured."
    return "Nobody has measured these claims here: they are the paper's own words, not findings."


def _claim(claim: evidence.Claim, detail: Detail, found: Measured | None) -> Claim:
    most = _CLAIM[detail]
    return Claim(
        claim=cut(cards.plain(claim.text), most),
        in_numbers=cut(cards.plain(claim.value), most),
        source=cut(claim.source, _NAME),
        on_a_laptop=claim.runnable,  # type: ignore[arg-type]  # the rules of evidence allow these three words only
        experiment=cut(cards.plain(claim.experiment), most),
        against=few(claim.peers, _MANY[detail], _NAME),
        measured=found,
    )


def _measured(finding: evidence.Finding) -> Measured:
    """The measurement that counts, in the words of the page."""
    counts = finding.measured
    return Measured(
        verdict=counts.verdict.value,
        means=measured.WORDS[counts.verdict],
        metric=cut(counts.figures.metric, _MEASURE),
        found=cut(measured.line(counts.figures), _MEASURE),
        compared=cut(measured.compared(counts.figures), _MEASURE),
        asked=cut(measured.mark(counts.figures), _MEASURE),
        seeds=counts.figures.seeds,
        by=measured.TIERS[counts.tier],
        at=counts.measured_at.isoformat(),
        proves_nothing=not counts.proves,
        others=len(finding.others),
    )
