"""Pictures and reports hold what was measured, escape what they are given, and need no script and no other file."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import date

import pytest

from offprints.core import plots, report
from offprints.core.claim import Claim, PassMark
from offprints.core.experiment import Curve, Scale
from offprints.core.measurement import Measurement, SeedCurve, Series

HOSTILE = '<script>alert("x")</script>&'


@pytest.fixture
def hostile(measured: Measurement, claimed: Callable[..., Claim]) -> Measurement:
    """Names and texts that would be markup if nobody took care."""
    return dataclasses.replace(
        measured,
        claim=claimed(
            claim=HOSTILE, figures=HOSTILE, metric=HOSTILE, experiment=HOSTILE, paper='x:"><img', unit=HOSTILE
        ),
        data=HOSTILE,
        method=Series(HOSTILE, measured.method.by_seed),
        curves=(SeedCurve(HOSTILE, 0, Curve((0.0, 1.0), (1.0, 2.0), HOSTILE, HOSTILE)),),
        command=HOSTILE,
    )


def circles(svg: str) -> int:
    return len(re.findall(r"<circle", svg))


def test_a_picture_has_a_dot_a_seed_and_a_mean_for_each_method(measured: Measurement) -> None:
    svg = plots.measurement_svg(measured)
    ET.fromstring(svg)
    rows = 1 + len(measured.baselines) + 1  # and the ratio
    assert circles(svg) == rows * (len(measured.seeds) + 1)
    assert svg.count("<polyline") == 2
    assert "pass mark 0.5" in svg
    assert "prefers-color-scheme:dark" in svg


def test_a_mark_on_the_value_stands_among_the_values(measured: Measurement, claimed: Callable[..., Claim]) -> None:
    mark = PassMark(fixed=date(2026, 11, 22), value=500.0, reason="a bound")
    svg = plots.measurement_svg(dataclasses.replace(measured, claim=claimed(pass_marks=(mark,))))
    assert "pass mark 500" in svg
    assert ">ratio<" not in svg


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((5.0, 5.0, 5.0), id="no spread"),
        pytest.param((0.001, 1.0, 1000.0), id="many powers of ten"),
        pytest.param((1e-90, 2e-90, 3e-90), id="tiny"),
        pytest.param((1e99, 1e99, 1e99), id="huge"),
        pytest.param((1e-30, 1.0, 1e30), id="all at once"),
        pytest.param((1e-40, 1.0, 1e40), id="more at once"),
        pytest.param((1.0, 1.0, 1.0000000000000002), id="hardly any spread"),
    ],
)
def test_any_values_can_be_drawn(measured: Measurement, values: tuple[float, ...]) -> None:
    made = dataclasses.replace(
        measured, method=Series("Lantern", values), baselines=(Series("momentum", values[::-1]),), curves=()
    )
    svg = plots.measurement_svg(made)
    ET.fromstring(svg)
    assert not re.search(r"nan|inf", svg)
    for x in re.findall(r'cx="([^"]+)"', svg):
        assert 0 <= float(x) <= plots.WIDTH


@pytest.mark.parametrize("values", [(0.0, 0.0, 0.0), (-5.0, 0.0, 5.0)])
def test_values_below_zero_can_be_drawn(
    measured: Measurement, claimed: Callable[..., Claim], values: tuple[float, ...]
) -> None:
    claim = claimed(pass_marks=(PassMark(fixed=date(2026, 11, 22), value=0.0, reason="a bound"),))
    made = dataclasses.replace(measured, claim=claim, method=Series("Lantern", values), baselines=(), curves=())
    ET.fromstring(plots.measurement_svg(made))


def test_one_seed_has_no_interval(measured: Measurement) -> None:
    made = dataclasses.replace(
        measured, seeds=(0,), method=Series("Lantern", (3.0,)), baselines=(Series("momentum", (5.0,)),)
    )
    made = dataclasses.replace(made, curves=measured.curves)
    assert 'class="op-m op-l"' not in plots.measurement_svg(made)


def test_text_is_escaped_everywhere(hostile: Measurement) -> None:
    for page in (plots.measurement_svg(hostile), report.html([hostile])):
        assert "<script" not in page
        assert "<img" not in page
    assert "<script" not in report.markdown([hostile]).replace(f"\n    {HOSTILE}\n", "")


def test_the_page_needs_nothing_else(measured: Measurement) -> None:
    page = report.html([measured])
    assert not re.search(r"""(?:src|href)=["'](?!#|https://arxiv\.org/abs/)|@import|url\(|<script|<link""", page)
    assert page.count("<svg") == 1


def test_a_report_says_claim_figures_spread_verdict_and_command(measured: Measurement) -> None:
    for page in (report.markdown([measured]), report.html([measured])):
        for text in (
            measured.claim.claim,
            "317.7 ± 7.5 steps",
            "momentum: 707 ± 21 steps",
            "the pass mark is at most 0.5",
            "offprints run lantern",
            "https://arxiv.org/abs/2401.00001",
            "One claim put to the test in 0.7 minutes of CPU time: 1 holds.",
        ):
            assert text in page


def test_letters_of_a_picture_stay_legible_on_a_telephone(measured: Measurement) -> None:
    """It is moved in its frame, by keys too, and never made so small that its letters cannot be read."""
    page = report.html([measured])
    narrowest = re.search(r"svg{width:100%;min-width:(\d+)rem", page)
    assert narrowest is not None
    assert 13 * int(narrowest[1]) * 16 / plots.WIDTH >= 11
    assert re.search(r"\.plot{[^}]*overflow-x:auto", page)
    assert re.search(r'<div class="plot" role="region" aria-label="Picture of [^"]+" tabindex="0"><svg ', page)


def test_a_report_without_records_says_so() -> None:
    assert "Nothing has been measured yet." in report.markdown([])
    assert "Nothing has been measured yet." in report.html([])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (1234.5678, "1,235"),
        (0.0012345, "0.001234"),
        (-3.25, "−3.25"),
        (1e-9, "1e−9"),
        (2.5e10, "2.5e10"),
        (999_999.0, "999,999"),
    ],
)
def test_figures_have_four_digits(value: float, text: str) -> None:
    assert plots.figure(value) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((3.0, 3.0, 3.0), "3 steps"),
        ((0.95, 0.96, 0.97), "0.960 ± 0.010 steps"),
        ((-1.0, -2.0, -3.0), "−2.0 ± 1.0 steps"),
        ((1e7, 2e7, 3e7), "2e7 ± 1e7 steps"),
        ((7.0,), "7 steps"),
    ],
)
def test_a_mean_is_as_exact_as_its_spread(values: tuple[float, ...], text: str) -> None:
    assert report.spread(Series("one", values), "steps") == text


@pytest.mark.parametrize(
    ("paper", "address"),
    [
        ("arxiv:2401.00001", "https://arxiv.org/abs/2401.00001"),
        ("doi:10.1000/182", "https://doi.org/10.1000/182"),
        ("openreview:abc", ""),
        ("doi:10.1/a)[x](<b>", "https://doi.org/10.1/a%29%5Bx%5D%28%3Cb%3E"),
    ],
)
def test_a_paper_has_an_address_where_we_know_one(paper: str, address: str) -> None:
    assert report.address(paper) == address


@pytest.mark.parametrize("low", [5e-324, 1e-310, 0.0, -1e100])
@pytest.mark.parametrize("high", [5e-324, 1e-300, 1e100])
def test_what_no_record_may_hold_can_be_drawn_all_the_same(
    measured: Measurement, claimed: Callable[..., Claim], low: float, high: float
) -> None:
    claim = claimed(pass_marks=(PassMark(fixed=date(2026, 11, 22), value=0.0, reason="none"),))
    curve = Curve((low, high), (low, high), "steps", "loss")
    made = dataclasses.replace(
        measured,
        claim=claim,
        method=Series("Lantern", (low, high, high)),
        baselines=(Series("momentum", (high, high, high)),),
        curves=(SeedCurve("Lantern", 0, curve),),
    )
    svg = plots.measurement_svg(made)
    ET.fromstring(svg)
    assert not re.search(r"nan|inf", svg)


def test_a_curve_of_one_point_is_a_dot(measured: Measurement) -> None:
    curve = SeedCurve("Lantern", 0, Curve((3.0,), (1.0,), "steps", "loss"))
    with_point = plots.measurement_svg(dataclasses.replace(measured, curves=(curve,)))
    without = plots.measurement_svg(dataclasses.replace(measured, curves=()))
    assert circles(with_point) == circles(without) + 1
    assert "<polyline" not in with_point


def test_markdown_shows_texts_as_they_are(measured: Measurement, claimed: Callable[..., Claim]) -> None:
    claim = claimed(paper="arxiv:1](x)<b>[y", metric="1. ~~steps~~ $x$")
    page = report.markdown([dataclasses.replace(measured, claim=claim)])
    assert r"[arxiv:1\](x)&lt;b&gt;\[y](https://arxiv.org/abs/1%5D%28x%29%3Cb%3E%5By)" in page
    assert r"1\. \~\~steps\~\~ \$x\$" in page


def test_a_fast_run_says_that_it_proves_nothing(measured: Measurement) -> None:
    made = dataclasses.replace(measured, scale=Scale.FAST)
    for page in (report.markdown([made]), report.html([made])):
        assert "fast scale: proves nothing" in page
    assert "proves nothing" not in report.comparison(measured)
