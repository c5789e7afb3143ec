"""Questions about claims and what was measured of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from broadsheet.evidence.models import ClaimRow, MeasurementRow
from broadsheet.evidence.rules import Claim, Figures, Record, Tier, Verdict, records, standing
from broadsheet.evidence.rules.verdicts import FEWEST_SEEDS
from broadsheet.papers import queries as papers
from broadsheet.storage import among
from broadsheet.storage.prepared import Prepared

__all__ = ["Claim", "Figures", "Record", "Tier", "Verdict"]

# What lists read of a measurement: everything but the record itself, which may be a megabyte.
_LISTED = ("id", "digest", "claim", "source", "name", "tier", "origin", "measured_at", "received_at", "verdict",
           "proves", "figures")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement as lists print it. `source` is the program that made it, `origin` the way it came here.

    `digest` is that of its record: what people say about the measurement is kept under it.
    """

    id: int
    digest: str
    source: str
    name: str
    tier: Tier
    origin: str
    measured_at: datetime
    received_at: datetime
    verdict: Verdict
    proves: bool
    figures: Figures

    @property
    def fast(self) -> bool:
        """Whether it was a run at the fast scale, which proves nothing."""
        return standing.fast(self.figures, proves=self.proves)


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with the measurement that counts, and with the others, the newest first."""

    claim: Claim
    measured: Measured
    others: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a paper's claims: those that were measured, and those that were not."""

    findings: tuple[Finding, ...] = ()
    unmeasured: tuple[Claim, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether a claim of the paper held up, by the measurement that counts."""
        return any(finding.measured.verdict is Verdict.HOLDS for finding in self.findings)


def for_papers(ids: Collection[int]) -> dict[int, list[Claim]]:
    """The claims of each shown paper, those of papers merged into it included. Papers without claims are absent."""
    member_of = _members(ids)
    result: dict[int, list[Claim]] = {}
    for row in _CLAIMS(member_of):
        result.setdefault(member_of[row.paper_id], []).append(_claim(row))
    return result


_CLAIMS = Prepared(lambda ids: ClaimRow.objects.filter(among("paper", ids)).order_by("id"))


def known(ids: Collection[int]) -> dict[int, Known]:
    """The claims of each shown paper and what was measured of them. Papers without claims are absent."""
    member_of = _members(ids)
    claims = _CLAIMS(member_of)
    if not claims:
        return {}
    measured = _by_claim(MeasurementRow.objects.filter(among("claim", [row.id for row in claims])))
    findings: dict[int, list[Finding]] = defaultdict(list)
    unmeasured: dict[int, list[Claim]] = defaultdict(list)
    for row in claims:
        paper_id = member_of[row.paper_id]
        if row.id in measured:
            findings[paper_id].append(_finding(_claim(row), measured[row.id]))
        else:
            unmeasured[paper_id].append(_claim(row))
    return {
        paper_id: Known(tuple(findings[paper_id]), tuple(unmeasured[paper_id]))
        for paper_id in dict.fromkeys(member_of[row.paper_id] for row in claims)
    }


def holding(ids: Collection[int]) -> set[int]:
    """Those of the shown papers of which a claim held up, by the measurement that counts."""
    member_of = _members(ids)
    rows = MeasurementRow.objects.filter(among("claim__paper", member_of), verdict=Verdict.HOLDS)
    possible = {member_of[paper_id] for paper_id in rows.values_list("claim__paper", flat=True)}
    return {paper_id for paper_id, found in known(possible).items() if found.holds} if possible else set()


def latest(limit: int, *, fast: bool = True) -> list[int]:
    """The shown papers that were measured last, the newest first; without `fast`, not by runs at the fast scale."""
    rows = MeasurementRow.objects.order_by("-measured_at", "-id")
    if not fast:
        rows = rows.filter(Q(proves=True) | Q(figures__seeds__lt=FEWEST_SEEDS))
    # A paper that was measured often is one paper; so many measurements are looked at and no more.
    known = rows.values_list("claim__paper", "proves", "figures")[: 20 * limit]
    found = list(
        dict.fromkeys(
            paper_id
            for paper_id, proves, figures in known
            if fast or not standing.fast(Figures(**figures), proves=proves)
        )
    )
    roots = papers.canonical(found)
    return list(dict.fromkeys(roots[paper_id] for paper_id in found))[:limit]


def measured_records(ids: Iterable[int]) -> dict[int, Record]:
    """The whole record of each of these measurements."""
    return {pk: records.restored(text) for pk, text in texts(ids).items()}


def texts(ids: Iterable[int]) -> dict[int, str]:
    """The record of each of these measurements, as it was received."""
    wanted = list(ids)
    rows = MeasurementRow.objects.filter(among("id", wanted)).values_list("id", "record")
    return dict(rows) if wanted else {}


def tally() -> dict[str, int]:
    """How many claims there are for each value of `runnable`."""
    rows = ClaimRow.objects.values("runnable").annotate(claims=Count("id")).order_by("runnable")
    return {row["runnable"]: row["claims"] for row in rows}


def verdicts() -> dict[Verdict, int]:
    """How many claims have each verdict, by the measurement that counts. Reads a few columns of all measurements."""
    by_claim = _by_claim(MeasurementRow.objects.all())
    counted = Counter(standing.standing(rows).verdict for rows in by_claim.values())
    return {verdict: counted[verdict] for verdict in Verdict if counted[verdict]}


def _members(ids: Collection[int]) -> dict[int, int]:
    """For each shown paper, and each merged into it, the shown one."""
    return {member: root for root, members in papers.families(ids).items() for member in members}


def _by_claim(rows: QuerySet[MeasurementRow]) -> dict[int, list[Measured]]:
    result: dict[int, list[Measured]] = defaultdict(list)
    for row in rows.only(*_LISTED).order_by("-measured_at", "-id"):
        result[row.claim_id].append(_measured(row))
    return dict(result)


def _finding(claim: Claim, rows: list[Measured]) -> Finding:
    counts = standing.standing(rows)
    return Finding(claim, counts, tuple(row for row in rows if row is not counts))


def _measured(row: MeasurementRow) -> Measured:
    return Measured(
        id=row.id,
        digest=row.digest,
        source=row.source,
        name=row.name,
        tier=Tier(row.tier),
        origin=row.origin,
        measured_at=row.measured_at,
        received_at=row.received_at,
        verdict=Verdict(row.verdict),
        proves=row.proves,
        figures=Figures(**row.figures),
    )


def _claim(row: ClaimRow) -> Claim:
    return Claim(
        row.source, row.source_key, row.text, row.value, row.runnable, row.experiment, tuple(row.peers)
    )  # fmt: skip
