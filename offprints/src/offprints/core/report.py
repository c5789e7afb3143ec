"""Prints measurements for readers: a Markdown page and one HTML page that needs no other file."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from offprints.core import plots
from offprints.core.experiment import Scale
from offprints.core.measurement import Measurement, Series
from offprints.core.plots import figure
from offprints.core.verdict import Interval, Word

_ARXIV = "arxiv:"
_DOI = "doi:"
_WORDS = {
    Word.HOLDS: "The whole 95 % interval over the seeds meets the pass mark.",
    Word.IN_DIRECTION: "The pass mark is not met for certain, but the whole interval is better than the best baseline.",
    Word.DOES_NOT_HOLD: "The whole interval misses the pass mark, and is not better than the best baseline.",
    Word.INCONCLUSIVE: "The interval is too wide to tell, or the run was too small to judge by.",
}


def address(paper: str) -> str:
    """The web address of a paper such as ``arxiv:2401.00001``; empty for schemes that are not known."""
    _scheme, _, identifier = paper.partition(":")
    identifier = quote(identifier, safe="/:;,")
    if paper.startswith(_ARXIV):
        return f"https://arxiv.org/abs/{identifier}"
    return f"https://doi.org/{identifier}" if paper.startswith(_DOI) else ""


def spread(series: Series, unit: str) -> str:
    """Mean and standard deviation of a series with its unit, for people."""
    ending = f" {unit}" if unit else ""
    mean, deviation = series.mean, series.sd
    if not deviation:
        return f"{figure(mean)}{ending}"
    # The mean as exactly as its spread, which has two significant digits.
    decimals = 1 - math.floor(math.log10(deviation))
    if 0 <= decimals <= 6 and abs(mean) < 1e6:
        return f"{mean:,.{decimals}f} ± {deviation:,.{decimals}f}{ending}".replace("-", "−")
    return f"{figure(mean)} ± {figure(deviation)}{ending}"


def comparison(made: Measurement) -> str:
    """What was compared with the pass mark, in one line."""
    compared, one = made.verdict.compared, made.verdict.interval
    what = "ratio to the best baseline" if compared == "ratio" else "value"
    relation = "at most" if made.claim.direction == "lower" else "at least"
    unit = f" {made.claim.unit}" if compared == "value" and made.claim.unit else ""
    fast = "; fast scale: proves nothing" if made.scale is Scale.FAST else ""
    mark = f"the pass mark is {relation} {figure(made.claim.pass_mark.threshold)}{unit}"
    return f"{what} {_range(one)}{unit}; {mark}{fast}"


def _range(one: Interval) -> str:
    if one.low is None or one.high is None:
        return figure(one.middle)
    return f"{figure(one.middle)} ({figure(one.low)} to {figure(one.high)})"


def circumstances(made: Measurement) -> str:
    """Where and how it was measured, in one line."""
    where = made.environment
    seeds = f"{len(made.seeds)} seed{'s' if len(made.seeds) > 1 else ''}"
    memory = f"{made.peak_memory_bytes / 2**20:,.0f} MiB"
    threads = f"{where.threads} thread{'s' if where.threads > 1 else ''}"
    return (
        f"{made.at:%Y-%m-%d}, {seeds}, {made.cpu_seconds:,.0f} s of CPU time, {memory}, {threads} of {where.cpu}, "
        f"{where.python}"
    )


def markdown(measurements: Sequence[Measurement]) -> str:
    """All measurements as Markdown, with pictures ``NAME.svg`` beside the page."""
    parts = ["# Claimed against measured\n", f"{summary(measurements)}\n", _markdown_table(measurements)]
    parts += [_markdown_section(made) for made in measurements]
    parts.append("## What the verdicts mean\n")
    parts += [f"- **{word}**: {meaning}" for word, meaning in _WORDS.items()]
    return "\n".join(parts) + "\n"


def summary(measurements: Sequence[Measurement]) -> str:
    """How many of how many claims hold, in one sentence."""
    if not measurements:
        return "Nothing has been measured yet."
    counts = {word: sum(made.verdict.word is word for made in measurements) for word in Word}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    many = f"{len(measurements)} claims" if len(measurements) > 1 else "One claim"
    seconds = sum(made.cpu_seconds for made in measurements)
    return f"{many} put to the test in {seconds / 60:,.1f} minutes of CPU time: {told}."


def _markdown_table(measurements: Sequence[Measurement]) -> str:
    rows = ["| Paper | Measured | Best baseline | Verdict |", "| --- | --- | --- | --- |"]
    for made in measurements:
        unit = made.claim.unit
        best = _best(made)
        cells = [
            f"[{made.name}](#{made.name})",
            spread(made.method, unit),
            f"{best.name}: {spread(best, unit)}" if best else "none",
            str(made.verdict.word),
        ]
        rows.append(f"| {' | '.join(_markdown(cell) if number else cell for number, cell in enumerate(cells))} |")
    return "\n".join(rows) + "\n"


def _best(made: Measurement) -> Series | None:
    sign = 1 if made.claim.direction == "lower" else -1
    return min(made.baselines, key=lambda series: sign * series.mean, default=None)


def _markdown_section(made: Measurement) -> str:
    claim, unit = made.claim, made.claim.unit
    link = address(claim.paper)
    paper = f"[{_markdown(claim.paper)}]({link})" if link else _markdown(claim.paper)
    values = [f"- {_markdown(one.name)}: {_markdown(spread(one, unit))}" for one in (made.method, *made.baselines)]
    return "\n".join(
        [
            f"## {made.name}\n",
            f"**{str(made.verdict.word).capitalize()}.** {_markdown(claim.claim)}\n",
            f"![{made.name}: {made.verdict.word}]({made.name}.svg)\n",
            f"{_markdown(claim.metric)} ({claim.direction} is better):\n",
            *values,
            "",
            f"Compared: {_markdown(comparison(made))}.\n",
            f"The paper, {paper}: {_markdown(_sentence(claim.figures))}\n",
            f"The experiment: {_markdown(_sentence(claim.experiment))} Data: {_markdown(_sentence(made.data))}\n",
            f"Measured {_markdown(circumstances(made))}. Again:\n",
            f"    {made.command}\n",
        ]
    )


def _sentence(text: str) -> str:
    """Text with a full stop at its end."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _markdown(text: str) -> str:
    """Text as Markdown that shows it as it is."""
    text = re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", escape(" ".join(text.split()), quote=False))
    return re.sub(r"^(\d{0,9})([-+.)])(?=\s|$)", r"\1\\\2", text)  # what would begin a list


_PAGE_STYLE = (
    ":root{color-scheme:light dark;--ink:#1a1a1a;--quiet:#5c5c5c;--line:#d0ccc2;--paper:#fbfaf6;--accent:#a3160f}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e9e6df;--quiet:#aba69b;--line:#4a463f;--paper:#191816;"
    "--accent:#ff8a78}}"
    "body{margin:0 auto;max-width:46rem;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--ink);"
    "font:1.05rem/1.5 Georgia,'Times New Roman',serif;overflow-wrap:break-word}"
    "header{border-bottom:3px double var(--ink);margin-bottom:1.5rem;text-align:center}"
    "h1{font-size:2.3rem;line-height:1.1;margin:.4rem 0}h2{font-size:1.45rem;line-height:1.2;margin:.2rem 0 .6rem}"
    "a{color:inherit}table{border-collapse:collapse;width:100%;font-size:.95rem}"
    "th,td{border-bottom:1px solid var(--line);padding:.35rem .6rem .35rem 0;text-align:left;vertical-align:top}"
    "th{font-weight:normal;font-variant:small-caps;color:var(--quiet)}"
    "article{border-top:1px solid var(--ink);margin-top:2.2rem;padding-top:.7rem;break-inside:avoid}"
    ".verdict{color:var(--accent);font-variant:small-caps;font-size:1.05rem;letter-spacing:.03em;margin:0}"
    "p.quiet,footer{color:var(--quiet);font-size:.92rem}"
    "svg{width:100%;min-width:34rem;max-width:40rem;height:auto;display:block}.plot{margin:1rem 0;overflow-x:auto}"
    "pre{border-left:3px solid var(--line);padding-left:.8rem;overflow-x:auto}dt{font-weight:bold}dd{margin:0 0 .5rem}"
)


def html(measurements: Sequence[Measurement]) -> str:
    """All measurements as one HTML page, pictures inside, without scripts."""
    rows = "".join(_html_row(made) for made in measurements)
    head = "<tr><th>Paper<th>Measured<th>Best baseline<th>Verdict</tr>"
    words = "".join(f"<dt>{word}</dt><dd>{escape(meaning)}</dd>" for word, meaning in _WORDS.items())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Claimed against measured</title><style>{_PAGE_STYLE}</style></head><body>\n"
        f"<header><h1>Claimed against measured</h1><p>{escape(summary(measurements))}</p></header>\n"
        f"<main><table><thead>{head}</thead><tbody>{rows}</tbody></table>\n"
        f"{''.join(map(_html_article, measurements))}</main>\n"
        f"<footer><h2>What the verdicts mean</h2><dl>{words}</dl></footer></body></html>\n"
    )


def _html_row(made: Measurement) -> str:
    unit, best = made.claim.unit, _best(made)
    other = f"{best.name}: {spread(best, unit)}" if best else "none"
    cells = [f'<a href="#{made.name}">{made.name}</a>', escape(spread(made.method, unit)), escape(other)]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in [*cells, str(made.verdict.word)])}</tr>"


def _html_article(made: Measurement) -> str:
    claim = made.claim
    link = address(claim.paper)
    paper = f'<a href="{escape(link)}">{escape(claim.paper)}</a>' if link else escape(claim.paper)
    return (
        f'<article id="{made.name}"><p class="verdict">{made.verdict.word}</p><h2>{escape(claim.claim)}</h2>'
        f"<p>{escape(made.method.name)}: {escape(spread(made.method, claim.unit))}; {escape(comparison(made))}. "
        f"The paper, {paper}: {escape(_sentence(claim.figures))}</p>"
        f'<div class="plot" role="region" aria-label="Picture of {made.name}" tabindex="0">'
        f"{plots.measurement_svg(made)}</div>"
        f'<p class="quiet">{escape(_sentence(claim.experiment))} Data: {escape(_sentence(made.data))} '
        f"Measured {escape(circumstances(made))}.</p><pre>{escape(made.command)}</pre></article>\n"
    )
