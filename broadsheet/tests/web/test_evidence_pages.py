"""Claimed against measured, as readers see it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import broadsheet.web
from broadsheet.evidence.actions import store_measurement
from broadsheet.evidence.rules import Claim, Tier, records
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, arxiv, said
from broadsheet.testing.measurements import changed, content, measurement

RECORD = measurement()
STYLE = Path(broadsheet.web.__file__).parent / "static" / "broadsheet.css"
CLAIM = Claim("testimony", "lantern", "Fewer lamps are needed.", "half", "yes", "Walk down a stair.", ("no lamp",))
WORSE = ("Lantern", (900.0, 910.0, 905.0))


def measured(*records: dict[str, Any], tier: Tier | None = None) -> None:
    for record in records:
        store_measurement(content(record), tier=tier, origin="file measurement.json")


def section(text: str) -> str:
    """The claims on the page of a paper."""
    return text[text.index('class="claims"') : text.index('<aside class="particulars"')]


def plain(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("\u00a0", " ").split())


def test_the_page_shows_the_claim_against_what_was_measured(press, get) -> None:
    press([LANTERN])
    measured(RECORD)
    shown = section(get("/papers/2401.00001").text)
    words = plain(shown)
    for said_there in (
        "Claimed against measured",
        "Lantern needs fewer steps than momentum",
        "Holds up the whole 95 % interval meets the pass mark.",
        "3 times fewer at condition number 1000",
        "317.7 ± 7.5 steps, against 707 ± 21 of momentum",
        "0.449 times the best baseline (95 %: 0.425 to 0.475)",
        "at most 0.5 times the best baseline. Fixed on 2 January 2024, before the measurement",
        "3 January 2024, by a third party, with offprints 0.7.0",
        "Example CPU at 2.0 GHz, 1 thread, Linux x86_64, CPython 3.11.2; 3 seeds, 41 s of the processor, 94.4 MB",
        "offprints run lantern",
        "310; 325; 318",
        "learning rate 0.1 was best",
        "numpy 2.4.6",
    ):
        assert said_there in words
    assert "not yet" not in words
    assert 'href="/api/v1/papers/2401.00001/evidence"' in shown


def test_the_drawing_is_told_to_those_who_do_not_see_it_and_needs_no_style(press, get) -> None:
    press([LANTERN])
    measured(RECORD)
    text = get("/papers/2401.00001").text
    drawn = ET.fromstring(re.search(r"<svg.*?</svg>", section(text), re.DOTALL)[0])
    assert drawn.attrib["role"] == "img"
    assert "Lantern 317.7\u00a0±\u00a07.5; momentum 707\u00a0±\u00a021" in drawn.attrib["aria-label"]
    assert "Pass mark: at most 0.5 times the best baseline" in drawn.attrib["aria-label"]
    assert len(list(drawn.iter("circle"))) == 2
    assert not re.search(r"\sstyle=|<style|\son\w+=", text)


def test_a_mark_on_the_ratio_has_the_ratios_drawn_below(press, get) -> None:
    """What decides is drawn: the ratio of each seed, and the interval of 95 % as its bar, no standard deviation."""
    press([LANTERN])
    measured(RECORD)
    shown = section(get("/papers/2401.00001").text)
    _, ratio = (ET.fromstring(each) for each in re.findall(r"<svg.*?</svg>", shown, re.DOTALL))
    assert ratio.attrib["aria-label"] == "Ratio: 0.449 times the best baseline (95 %: 0.425 to 0.475)."
    assert [text.text for text in ratio.iter("text")][1:3] == ["Ratio", "0.449 (0.425 to 0.475)"]
    kinds = [line.attrib["class"] for line in ratio.iter("line")]
    assert (kinds.count("seed"), kinds.count("spread"), kinds.count("mark")) == (3, 1, 1)
    bar = next(line for line in ratio.iter("line") if line.attrib["class"] == "spread")
    mark = next(line for line in ratio.iter("line") if line.attrib["class"] == "mark")
    assert float(bar.attrib["x2"].rstrip("%")) < float(mark.attrib["x1"].rstrip("%"))
    assert "its bar is the 95 % interval of its mean." in plain(shown)


def test_a_mark_on_the_value_needs_no_second_drawing(press, get) -> None:
    press([LANTERN])
    measured(measurement(mark={"value": 400.0}))
    shown = section(get("/papers/2401.00001").text)
    assert shown.count("<svg") == 1
    assert "Below, the ratio" not in shown


@pytest.mark.parametrize(
    ("record", "words"),
    [
        pytest.param(RECORD, "Holds up", id="holds"),
        pytest.param(measurement(mark={"ratio": 0.1}), "Holds in direction", id="in direction"),
        pytest.param(measurement(method=WORSE), "Does not hold up", id="does not hold"),
        pytest.param(measurement(method=("Lantern", (100.0, 900.0, 300.0))), "Inconclusive", id="inconclusive"),
        pytest.param(
            measurement(scale="fast"), "Inconclusive it was a run at the fast scale and proves nothing.", id="fast"
        ),
        pytest.param(
            measurement(method=("Lantern", (300.0, 301.0)), baselines={"momentum": (700.0, 701.0)}),
            "it was a run with two seeds only and proves nothing.",
            id="two seeds",
        ),
        pytest.param(
            measurement(method=("Lantern", (300.0,)), baselines={"momentum": (700.0,)}, scale="fast"),
            "it was a run at the fast scale with one seed only and proves nothing.",
            id="fast and of one seed",
        ),
        pytest.param(
            measurement(baselines={}, mark={"value": 400.0}), "at most 400 steps", id="a mark on the value alone"
        ),
        pytest.param(
            measurement(method=("Lantern", (300.0,)), baselines={"momentum": (700.0,)}), "one seed", id="one seed"
        ),
    ],
)
def test_each_verdict_has_its_words(press, get, record, words: str) -> None:
    press([LANTERN])
    measured(record)
    assert words in plain(section(get("/papers/2401.00001").text))


def test_other_measurements_are_history_and_other_claims_are_not_hidden(press, get) -> None:
    press([LANTERN], [CLAIM])
    measured(measurement(method=WORSE, at="2024-01-05T12:00:00Z"), RECORD)
    words = plain(section(get("/papers/2401.00001").text))
    assert "Does not hold up" in words
    assert "1 other measurement" in words
    assert "3 January 2024, by a third party (offprints): holds up; 317.7 ± 7.5 steps" in words
    assert "The claim in the catalogue's words Fewer lamps are needed." in words
    assert "not yet" not in words


@pytest.mark.parametrize("value", [5e-324, 1e-322])
def test_specks_that_were_stored_before_they_were_refused_break_no_page(press, get, monkeypatch, value: float) -> None:
    press([LANTERN])
    monkeypatch.setattr(records, "SMALLEST", 0.0)
    measured(measurement(method=("Lantern", [value] * 3), baselines={}, mark={"value": value}))
    assert "Holds up" in section(get("/papers/2401.00001").text)


def test_a_hostile_record_that_is_whole_stays_text(press, get) -> None:
    press([LANTERN])
    evil = "<script>alert(1)</script> \"'&"
    record = measurement(claim=evil, figures=evil, metric='less & "more"', experiment=evil)
    for place in ("log.0", "run.command", "experiment.data", "claim.pass_marks.0.reason"):
        record = changed(record, place, evil)
    measured(record)
    text = section(get("/papers/2401.00001").text)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "<script" not in section(get("/").text + 'class="claims"<aside class="particulars"')


def test_the_front_page_prints_the_newest_verdicts_in_their_column(press, get) -> None:
    press([LANTERN, HARBOUR, MEADOW], [CLAIM])
    measured(RECORD, measurement(name="harbour", paper="arxiv:2401.00002", method=WORSE, at="2024-01-04T12:00:00Z"))
    text = get("/").text
    column = text[text.index('<section class="holds"') : text.index("</section>", text.index('<section class="holds"'))]
    words = plain(column)
    assert words.index("Does not hold up 1.28 times the best baseline; at most 0.5 was asked") < words.index(
        "Holds up 0.449 times the best baseline; at most 0.5 was asked"
    )
    assert 'href="/papers/2401.00001#claims"' in column
    assert 'href="/search?q=holds%3Ayes"' in column
    assert "None has been measured" not in text


def test_a_fast_run_stays_out_of_the_column_and_one_of_two_seeds_says_why_it_proves_nothing(press, get) -> None:
    press([LANTERN, HARBOUR, MEADOW], [CLAIM])
    few = {"method": ("Lantern", (300.0, 301.0)), "baselines": {"momentum": (700.0, 701.0)}}
    measured(measurement(scale="fast"), measurement(name="harbour", paper="arxiv:2401.00002", **few))
    text = get("/").text
    column = text[text.index('<section class="holds"') : text.index("</section>", text.index('<section class="holds"'))]
    assert "Inconclusive a run with two seeds only proves nothing" in plain(column)
    assert "/papers/2401.00001" not in column


def test_the_square_of_a_claim_that_holds_up_is_full() -> None:
    """Borders alone leave a hole where their halves are rounded."""
    rule = re.search(r"\.verdict\.holds-up::before \{([^}]*)\}", STYLE.read_text(encoding="utf-8"))
    assert rule is not None
    assert "background: currentcolor" in rule[1]


def test_lists_feeds_and_markdown_carry_the_verdict(press, get) -> None:
    press([LANTERN])
    measured(RECORD)
    press([])
    assert re.search(
        r'class="measured" href="/papers/2401.00001#claims"><b class="verdict holds-up">', get("/date/2024-01-02").text
    )
    assert (
        "Measured: Holds up: 0.449 times the best baseline; at most 0.5 was asked." in get("/date/2024-01-02.atom").text
    )
    twin = get("/papers/2401.00001.md").text
    assert "## Claimed against measured" in twin
    assert "- Verdict: **Holds up**" in twin
    assert "`offprints run lantern`" in twin


def test_a_search_for_what_held_up_says_when_nothing_was_measured(press, get) -> None:
    press([LANTERN])
    assert "No claim has been measured here yet" in get("/search?q=holds:yes").text


def test_search_filters_by_what_held_up(press, get) -> None:
    press([LANTERN, HARBOUR])
    measured(RECORD)
    press([])
    found = get("/search?q=holds:yes").text
    assert "No claim has been measured" not in found
    assert 'data-paper="2401.00001"' in found
    assert 'data-paper="2401.00002"' not in found


def test_a_search_offers_to_leave_what_held_up(press, get) -> None:
    press([LANTERN, HARBOUR])
    measured(RECORD)
    press([])
    found = plain(get("/search?q=lantern").text)
    assert "held up when run 1" in found
    assert "held up when run 1" not in plain(get("/search?q=lantern+holds:no").text)


def test_two_claims_of_a_paper_are_counted(press, get) -> None:
    press([LANTERN])
    measured(RECORD, measurement(name="lantern-2", claim="Lantern is quick.", method=WORSE))
    press([])
    assert "1 of 2 claims hold up" in get("/date/2024-01-02").text


def test_the_status_page_counts_verdicts(press, get) -> None:
    press([LANTERN])
    assert "<dt>Measured</dt><dd>none yet</dd>" in get("/status").text
    measured(RECORD)
    assert "<dt>Measured</dt><dd>1\u00a0claim: 1 held up</dd>" in get("/status").text


@pytest.mark.parametrize("path", ["/", "/date/2024-01-02", "/papers/2401.00001", "/date/2024-01-02.atom"])
def test_verdicts_cost_the_same_number_of_queries_however_many_there_are(press, get, path: str) -> None:
    lamps = [
        said(f"Lamp {number}", key=f"lamp-{number}", identifiers=(arxiv(f"2401.1000{number}"),)) for number in range(6)
    ]

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert get(path).status_code == 200
        return len(captured)

    press([LANTERN, *lamps])
    measured(RECORD)
    queries()
    before = queries()
    measured(
        measurement(at="2024-01-04T12:00:00Z"),
        measurement(name="lantern-2", claim="Lantern is quick."),
        *(measurement(name=f"lamp-{number}", paper=f"arxiv:2401.1000{number}") for number in range(6)),
    )
    queries()
    assert queries() == before
