"""The audit as a reader sees it: on editions, the front page, the archive, and where there is no edition."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Version
from broadsheet.editions.rules import ANNOUNCEMENT_ZONE
from broadsheet.ingest.rules import Line, State
from broadsheet.papers.actions import store_many
from broadsheet.testing.cast import HARBOUR, LANTERN, arxiv, said

DAY = date(2024, 1, 2)
FULL = Line("arxiv", "cs.LG", 2, "listing total", 2)
SHORT = Line("arxiv", "cs.AI", 215, "feed count", 212, ("2401.00007", "math/0611800"))
UNKNOWN = Line("arxiv", "stat.ML", None, "", 4)
SHOUT = "<script>alert(1)</script>"


def audit_line(text: str) -> str:
    """The first line of the audit as it is read, marks and all."""
    found = re.search(r'<p class="audit(?: short)?">.*?</p>', text)
    assert found is not None
    return found[0]


def section(text: str) -> str:
    return text.partition('id="audit"')[2].partition("</section>")[0]


def test_a_complete_day_says_so_in_its_head_without_a_mark(press, get, check) -> None:
    press([LANTERN, HARBOUR])
    check(DAY, State.COMPLETE, FULL)
    assert audit_line(get("/date/2024-01-02").text) == (
        '<p class="audit"><b>Complete:</b> 2 of 2 announced by arXiv in cs.LG, checked 12:00 Eastern.</p>'
    )


@pytest.mark.parametrize(
    ("state", "line", "expected"),
    [
        pytest.param(
            State.INCOMPLETE, SHORT, "<b>Incomplete:</b> 3 of 215 in cs.AI are missing, checked 12:00 Eastern.",
            id="incomplete",
        ),
        pytest.param(
            State.DOWN, UNKNOWN,
            "<b>Source down:</b> no answer since 1 January, 20:00 Eastern, when a list was due.",
            id="source down",
        ),
    ],
)  # fmt: skip
def test_what_lacks_something_is_marked_by_a_word_and_a_box(
    press, get, check, state: State, line: Line, expected: str
) -> None:
    press([LANTERN, HARBOUR])
    check(DAY, state, line)
    assert audit_line(get("/date/2024-01-02").text) == f'<p class="audit short">{expected}</p>'


def test_not_verified_is_said_without_a_mark(press, get, check) -> None:
    press([LANTERN])
    check(DAY, State.UNVERIFIED, UNKNOWN, reason="The list of stat.ML was not seen yet.")
    assert audit_line(get("/date/2024-01-02").text) == (
        '<p class="audit"><b>Not verified:</b> The list of stat.ML was not seen yet.</p>'
    )


def test_without_a_ledger_the_line_claims_nothing(press, get) -> None:
    press([LANTERN])
    text = get("/date/2024-01-02").text
    assert "1 paper. Dated by announcement. Not checked against the sources&#39; own counts." in audit_line(text)
    assert "<table" not in section(text)


def test_each_section_of_each_source_has_a_row(press, get, check) -> None:
    press([LANTERN, HARBOUR])
    check(DAY, State.INCOMPLETE, FULL, SHORT, UNKNOWN, failed=("The feed stands still.",))
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", section(get("/date/2024-01-02").text))
    told = {name: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "|", cells)) for name, cells in rows}
    assert told == {
        "Machine Learning (cs.LG)": "|arXiv||2||2||listing total||none|",
        "Artificial Intelligence (cs.AI)": "|arXiv||215||212||feed count|||2401.00007|, |math/0611800| and 1 more|",
        "Machine Learning (Statistics, stat.ML)": "|arXiv||not known||4||nobody counted||not known|",
    }


def test_missing_papers_lead_to_their_homes(press, get, check) -> None:
    press([LANTERN])
    check(DAY, State.INCOMPLETE, SHORT)
    text = section(get("/date/2024-01-02").text)
    assert '<a href="https://arxiv.org/abs/2401.00007">2401.00007</a>' in text
    assert '<a href="https://arxiv.org/abs/math/0611800">math/0611800</a>' in text


def test_missing_papers_that_nobody_named_are_counted(press, get, check) -> None:
    press([LANTERN])
    check(DAY, State.INCOMPLETE, replace(SHORT, missing=()))
    assert "3, not known by name" in section(get("/date/2024-01-02").text)


def test_the_rule_the_failed_checks_and_the_time_stand_beside_the_numbers(press, get, check) -> None:
    press([LANTERN])
    check(DAY, State.INCOMPLETE, SHORT, failed=("The feed stands still.",))
    text = section(get("/date/2024-01-02").text)
    assert "A new version of an older paper is no news and is not counted." in text
    assert "Checks that failed" in text
    assert "<li>The feed stands still.</li>" in text
    assert "<dt>Last checked</dt><dd>2 January 2024, 12:00 Eastern</dd>" in text


def test_what_sources_say_stays_text(press, get, check) -> None:
    press([LANTERN])
    line = Line(SHOUT, SHOUT, 3, SHOUT, 1, (SHOUT,))
    check(DAY, State.DOWN, line, reason=SHOUT, failed=(SHOUT,))
    for path in ("/date/2024-01-02", "/week/2024-W01", "/month/2024-01", "/status", "/editions", "/"):
        assert "<script>alert" not in get(path).text, path


def test_a_week_has_a_row_for_each_of_its_days_that_leads_there(press, get, check) -> None:
    press([LANTERN, said("Other", identifiers=(arxiv("2401.20001"),), announced=date(2024, 1, 3))])
    check(DAY, State.COMPLETE, FULL)
    check(date(2024, 1, 3), State.INCOMPLETE, SHORT)
    check(date(2024, 1, 4), State.DOWN, UNKNOWN)
    text = get("/week/2024-W01").text
    assert audit_line(text) == (
        '<p class="audit short"><b>Source down:</b> 4 January; incomplete: 3 January; not verified: 1 and 5 January; '
        "complete: 1 other day.</p>"
    )
    days = re.findall(r'<th scope="row" class="began">(.*?)</th>', section(text))
    assert [re.sub(r"<[^>]+>", "", day) for day in days] == [
        "Tuesday, 2 January", "Wednesday, 3 January", "Thursday, 4 January",
    ]  # fmt: skip
    assert '<a href="/date/2024-01-03">Wednesday, 3 January</a>' in section(text)
    assert '<b class="short">Source down</b>' in section(text)


def test_a_closed_edition_says_what_changed_and_when(press, get) -> None:
    press([LANTERN])
    later = datetime(2024, 2, 11, 19, 5, tzinfo=ANNOUNCEMENT_ZONE)
    press([HARBOUR], now=later)
    text = get("/date/2024-01-02").text
    assert '<p class="audit">Changed after closing: 11 February 2024, 19:05 Eastern: 1 paper added.</p>' in text
    assert "<li>11 February 2024, 19:05 Eastern: 1 paper added.</li>" in section(text)
    assert "Changed after closing" not in get("/month/2024-01").text.partition("</main>")[2]


def test_an_unchanged_edition_says_nothing_of_changes(press, get) -> None:
    press([LANTERN, HARBOUR])
    assert "Changed after closing" not in get("/date/2024-01-02").text


def recent(days_ago: int) -> date:
    return timezone.now().astimezone(ANNOUNCEMENT_ZONE).date() - timedelta(days=days_ago)


def test_the_front_page_has_the_line_of_its_edition_and_leads_to_the_audit(press, get, check) -> None:
    today = recent(0)
    press([replace(LANTERN, announced=today)], now=timezone.now())
    check(today, State.INCOMPLETE, SHORT)
    text = get("/").text
    assert "<b>Incomplete:</b> 3 of 215 in cs.AI are missing" in audit_line(text)
    assert f'<a href="/date/{today}#audit">How complete it is</a>' in audit_line(text)
    assert "No edition of" not in text


def test_the_front_page_says_when_today_has_no_edition_and_why(press, get, check) -> None:
    press([replace(LANTERN, announced=recent(1))], now=timezone.now())
    check(recent(0), State.DOWN, UNKNOWN)
    text = get("/").text
    told = re.search(r'<p class="audit short">No edition of (.*?)</p>', text)
    assert told
    assert re.fullmatch(r"\d+ \w+ \d{4}\. <b>Source down:</b> no answer since .*, when a list was due\.", told[1])


def test_an_empty_front_page_tells_that_the_source_is_down(get, check) -> None:
    check(recent(0), State.DOWN, UNKNOWN)
    assert "Source down: no answer since" in get("/").text


def test_the_address_of_a_day_without_an_edition_tells_that_the_source_was_down(press, get, check) -> None:
    press([LANTERN])
    check(date(2024, 1, 3), State.DOWN, UNKNOWN, failed=("The network cannot be reached.",))
    answer = get("/date/2024-01-03")
    assert answer.status_code == 404
    assert "<p>Source down: no answer since 2 January, 20:00 Eastern, when a list was due.</p>" in answer.text
    assert "<li>The network cannot be reached.</li>" in answer.text


def test_days_that_lack_something_are_marked_in_the_archive_in_words_too(press, get, check) -> None:
    press([LANTERN])
    assert "Not complete" not in get("/editions").text
    check(DAY, State.INCOMPLETE, SHORT)
    text = get("/editions").text
    assert '<b class="short"><span class="unseen">incomplete, </span></b>1</span>' in text
    assert "Not complete: papers of that day are missing, or no source answered." in text


def test_a_revised_paper_keeps_its_day_and_names_its_newest_version(press, get) -> None:
    versions = (Version(1, PartialDate(2023, 12, 29)), Version(3, PartialDate(2024, 3, 4)))
    press([replace(LANTERN, versions=versions, updated=PartialDate(2024, 3, 4)), HARBOUR])
    foot = re.findall(r'<div class="foot">(.*?)</div>', get("/date/2024-01-02").text, re.DOTALL)
    assert "<span>2 January 2024</span>\n<span>v3 of 4 March 2024</span>" in foot[0]
    assert "<span>v" not in foot[1]
    assert get("/date/2024-03-04").status_code == 404


def test_an_edition_with_gaps_starts_its_pages_with_the_ranks_that_are_there(press, get) -> None:
    records = [
        said(f"Work {n} of its own", key=str(n), identifiers=(arxiv(f"2401.1{n:04}"),), announced=DAY)
        for n in range(70)
    ]
    press(records)
    store_many([replace(record, announced=date(2024, 1, 3)) for record in records[-5:]])
    press([], now=datetime(2024, 2, 11, tzinfo=ANNOUNCEMENT_ZONE))
    assert '<ol class="cards" start="6">' in get("/date/2024-01-02").text
    assert '<ol class="cards" start="66">' in get("/date/2024-01-02?page=2").text
