"""Claimed against measured, in the words and drawings of the pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from broadsheet.evidence import queries as evidence
from broadsheet.evidence.queries import Figures, Finding, Measured, Record, Tier, Verdict
from broadsheet.evidence.rules.verdicts import FEWEST_SEEDS
from broadsheet.web import dots, figures, wording

WORDS = {
    Verdict.HOLDS: "Holds up",
    Verdict.IN_DIRECTION: "Holds in direction",
    Verdict.DOES_NOT_HOLD: "Does not hold up",
    Verdict.INCONCLUSIVE: "Inconclusive",
}
COUNTED = {
    Verdict.HOLDS: "held up",
    Verdict.IN_DIRECTION: "held in direction",
    Verdict.DOES_NOT_HOLD: "did not hold up",
    Verdict.INCONCLUSIVE: "inconclusive",
}
MEANINGS = {
    Verdict.HOLDS: "the whole 95 % interval meets the pass mark",
    Verdict.IN_DIRECTION: "the method is better than its best baseline, but the pass mark is not met",
    Verdict.DOES_NOT_HOLD: "the whole 95 % interval misses the pass mark, and the method is not better than its best "
    "baseline",
    Verdict.INCONCLUSIVE: "the seeds do not agree well enough to say",
}
TIERS = {Tier.HERE: "measured here", Tier.THIRD_PARTY: "by a third party", Tier.AUTHOR: "by the authors"}
# Each class of the style sheet draws its square: full, half, empty, dashed.
SIGNS = {
    Verdict.HOLDS: "holds-up",
    Verdict.IN_DIRECTION: "in-direction",
    Verdict.DOES_NOT_HOLD: "does-not-hold",
    Verdict.INCONCLUSIVE: "inconclusive",
}
# Claims of one paper that are drawn; records may be a megabyte each.
MOST_DRAWN = 6
MOST_OTHERS = 20


@dataclass(frozen=True, slots=True)
class Brief:
    """A verdict in a list: its words, its sign, and what was found in a line; empty for several claims."""

    words: str
    sign: str
    line: str

    @property
    def sentence(self) -> str:
        """All of it as a text: ``Holds up: 0.449 times the best baseline; at most 0.5 was asked.``."""
        return f"{self.words}: {self.line}." if self.line else f"{self.words}."


def brief(findings: Sequence[Finding]) -> Brief | None:
    """The verdict on a paper in a few words: that on its claim, or how many of its claims hold up; None for none."""
    if not findings:
        return None
    verdicts = [finding.measured.verdict for finding in findings]
    if len(set(verdicts)) == 1:
        return Brief(WORDS[verdicts[0]], SIGNS[verdicts[0]], _found(findings[0].measured) if len(findings) == 1 else "")
    held = verdicts.count(Verdict.HOLDS)
    sign = SIGNS[Verdict.IN_DIRECTION if held else Verdict.DOES_NOT_HOLD]
    return Brief(f"{held} of {len(verdicts)} claims hold up", sign, "")


def _found(measured: Measured) -> str:
    return short(measured.figures) if measured.proves else f"a {_too_little(measured)} proves nothing"


def _too_little(measured: Measured) -> str:
    """Why a run can prove nothing: ``run at the fast scale``, ``run with two seeds only``, or both."""
    parts = ["run"]
    if measured.fast:
        parts.append("at the fast scale")
    if measured.figures.seeds < FEWEST_SEEDS:
        parts.append(f"with {'one seed' if measured.figures.seeds == 1 else 'two seeds'} only")
    return " ".join(parts)


def line(found: Figures) -> str:
    """The figures in a line: ``317.7 ± 7.5 steps, against 707 ± 21 of momentum``."""
    ours = figures.with_spread(found.method_mean, found.method_spread)
    text = f"{ours} {found.unit}".strip()
    if found.baseline_mean is None:
        return text
    return f"{text}, against {figures.with_spread(found.baseline_mean, found.baseline_spread)} of {found.baseline}"


def short(found: Figures) -> str:
    """What was found and what was asked for, in a line: ``0.449 times the best baseline; at most 0.5 was asked``."""
    unit = "times the best baseline" if found.compared == "ratio" else found.unit
    asked = f"at {'most' if found.lower_is_better else 'least'} {figures.given(found.mark)}"
    return f"{figures.figure(found.middle)} {unit}".rstrip() + f"; {asked} was asked"


def mark(found: Figures) -> str:
    """What the pass mark asks for: ``at most 0.5 times the best baseline``, ``at least 12 dB``."""
    bound = f"at {'most' if found.lower_is_better else 'least'} {figures.given(found.mark)}"
    return f"{bound} times the best baseline" if found.compared == "ratio" else f"{bound} {found.unit}".strip()


def compared(found: Figures) -> str:
    """What was compared with the mark: ``0.449 times the best baseline (95 %: 0.425 to 0.475)``."""
    text = figures.figure(found.middle)
    text += " times the best baseline" if found.compared == "ratio" else f" {found.unit}".rstrip()
    if found.low is None or found.high is None:
        return text
    return f"{text} (95 %: {figures.figure(found.low)} to {figures.figure(found.high)})"


@dataclass(frozen=True, slots=True)
class Told:
    """A measured claim as the page of its paper tells it; `sheet` is what stands behind the figures."""

    claim: evidence.Claim
    words: str
    sign: str
    meaning: str
    line: str
    compared: str
    mark: str
    fixed: date
    reason: str
    earlier_marks: tuple[tuple[date, str, str], ...]
    tier: str
    measured: Measured
    record: Record
    drawing: Markup
    caption: str
    machine: str
    effort: str
    others: tuple[tuple[datetime, str, str, str, str], ...]
    more_others: int
    series: tuple[tuple[str, str, str], ...]


def told(findings: Sequence[Finding]) -> list[Told]:
    """The measured claims of one paper, `MOST_DRAWN` at most, each with its whole record. One query for all."""
    shown = findings[:MOST_DRAWN]
    records = evidence.measured_records(finding.measured.id for finding in shown)
    return [_told(finding, records[finding.measured.id]) for finding in shown if finding.measured.id in records]


def _told(finding: Finding, record: Record) -> Told:
    measured, found = finding.measured, finding.measured.figures
    return Told(
        claim=finding.claim,
        words=WORDS[measured.verdict],
        sign=SIGNS[measured.verdict],
        meaning=_meaning(measured),
        line=line(found),
        compared=compared(found),
        mark=mark(found),
        fixed=record.pass_mark.fixed,
        reason=record.pass_mark.reason,
        earlier_marks=_earlier(record),
        tier=TIERS[measured.tier],
        measured=measured,
        record=record,
        drawing=_drawing(record, found, measured.verdict),
        caption=_caption(record),
        machine=_machine(record),
        effort=_effort(record),
        others=tuple(map(_other, finding.others[:MOST_OTHERS])),
        more_others=len(finding.others[MOST_OTHERS:]),
        series=tuple(_series(record)),
    )


def _meaning(measured: Measured) -> str:
    if measured.proves:
        return MEANINGS[measured.verdict]
    return f"it was a {_too_little(measured)} and proves nothing"


def _earlier(record: Record) -> tuple[tuple[date, str, str], ...]:
    """Pass marks that were replaced: when fixed, what they asked for, and the reason that was given."""
    return tuple(
        (
            mark.fixed,
            f"a ratio of {figures.given(mark.ratio)}" if mark.ratio else figures.given(mark.value or 0),
            mark.reason,
        )
        for mark in record.pass_marks[:-1]
    )


def _other(measured: Measured) -> tuple[datetime, str, str, str, str]:
    return (
        measured.measured_at, WORDS[measured.verdict], TIERS[measured.tier], measured.source, line(measured.figures)
    )  # fmt: skip


def _series(record: Record) -> list[tuple[str, str, str]]:
    """Each method with its mean and spread, and its values of the seeds."""
    return [
        (
            series.name,
            figures.with_spread(series.mean, series.spread),
            "; ".join(figures.figure(value) for value in series.by_seed[:20])
            + (f" and {len(series.by_seed) - 20} more" if len(series.by_seed) > 20 else ""),
        )
        for series in (record.method, *record.baselines)
    ]


def _drawing(record: Record, found: Figures, verdict: Verdict) -> Markup:
    rows = [
        dots.Row(series.name, series.by_seed[:100], series.mean, series.spread, ours=series is record.method)
        for series in (record.method, *record.baselines)
    ]
    where, ratio = found.mark, Markup("")
    if found.compared == "ratio":
        best = [
            min(each) if found.lower_is_better else max(each)
            for each in zip(*(b.by_seed for b in record.baselines), strict=True)
        ]
        where = found.mark * sum(best) / len(best)
        ratio = _ratios(found, [one / other for one, other in zip(record.method.by_seed, best, strict=True)])
    said = "; ".join(f"{row.name} {figures.with_spread(row.mean, row.spread)}" for row in rows)
    unit = f" in {record.unit}" if record.unit else ""
    title = f"{WORDS[verdict]}. Means and spreads over the seeds{unit}: {said}. Pass mark: {mark(found)}."
    return dots.drawing(rows, mark=where, title=title) + ratio


def _ratios(found: Figures, ratios: Sequence[float]) -> Markup:
    """What is compared with the pass mark: the ratio of each seed, their mean, and its interval of 95 %."""
    if not all(map(math.isfinite, ratios)):
        return Markup("")
    ends = None if found.low is None or found.high is None else (found.low, found.high)
    said = figures.figure(found.middle)
    if ends:
        said += f" ({figures.figure(ends[0])} to {figures.figure(ends[1])})"
    row = dots.Row("Ratio", ratios[:100], found.middle, None, ours=True, ends=ends, said=said)
    return dots.drawing([row], mark=found.mark, title=f"Ratio: {compared(found)}.", also=(1.0,))


def _caption(record: Record) -> str:
    """What the drawing shows: the metric, its unit, which side is better, and what dots and bars are."""
    unit = f" ({record.unit})" if record.unit else ""
    better = "less" if record.lower_is_better else "more"
    seeds = len(record.seeds)
    over = f"mean of {seeds} seeds, its bar one standard deviation" if seeds > 1 else "value of one seed"
    metric = record.metric[:1].upper() + record.metric[1:].rstrip(".")
    text = f"{metric}{unit}; {better} is better. A dot is the {over}; a stroke is one seed."
    if record.pass_mark.ratio is None:
        return text
    below = "Below, the ratio to the best baseline of the same seed, which is what the pass mark is about"
    return f"{text} {below}; its bar is the 95 % interval of its mean." if len(record.seeds) > 1 else f"{text} {below}."


def _machine(record: Record) -> str:
    where = record.environment
    parts = [where.cpu, wording.count(where.threads, "thread"), where.system, where.python]
    return ", ".join(part for part in parts if part)


def _effort(record: Record) -> str:
    parts = [f"{wording.count(len(record.seeds), 'seed')}", duration(record.cpu_seconds) + " of the processor"]
    if record.peak_memory_bytes:
        parts.append(f"{figures.figure(record.peak_memory_bytes / 1e6)}\u00a0MB of memory")
    if record.scale != "usual":
        parts.append("full scale" if record.scale == "full" else "fast scale")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A length of time in words: ``41 s``, ``3 min``, ``2.5 h``."""
    if seconds < 120:
        return f"{seconds:.0f}\u00a0s" if seconds >= 10 else f"{figures.figure(seconds)}\u00a0s"
    return f"{seconds / 60:.0f}\u00a0min" if seconds < 7200 else f"{figures.figure(seconds / 3600)}\u00a0h"
