"""What speaks for a paper and how much: the table, the laws of votes, and what is rising."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import log2

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broadsheet.editions import rules
from broadsheet.editions.rules import Facts, ranking
from broadsheet.editions.rules.ranking import PARAMETERS, REASONS, Part, Trend, Usual, Vote

PLAIN = Facts(
    paper_id=1, key="2401.00001", announced=None, submitted=None, section="cs.LG", has_code=False, has_summary=False,
    sources=1, runnable="", shipped=False,
)  # fmt: skip
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HALF_LIFE = timedelta(hours=PARAMETERS.half_life_hours)
FIVE = Usual({"cs.LG": 5.0}, 3.0)

VOTES = st.integers(0, 10**6)
MONTH = st.lists(st.tuples(st.sampled_from(["cs.LG", "math.AG", "q-bio.NC"]), st.integers(1, 500)), max_size=30)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({}, [], id="nothing speaks for it"),
        pytest.param({"has_code": True}, [("code", 1.0)], id="code"),
        pytest.param({"runnable": "yes"}, [("runnable", 3.0)], id="runnable"),
        pytest.param({"runnable": "partly"}, [("partly", 1.5)], id="partly"),
        pytest.param({"runnable": "no"}, [], id="not runnable"),
        pytest.param({"sources": 2}, [("several", 1.0)], id="two sources"),
        pytest.param({"has_summary": True}, [("summary", 0.5)], id="summary"),
        pytest.param({"votes": 5}, [("votes", 4.0 / 2)], id="as many votes as usual are half the points"),
        pytest.param({"votes": 15}, [("votes", 4.0 * 3 / 4)], id="three times as many are three quarters"),
        pytest.param({"votes": 3, "section": "math.AG"}, [("votes", 4.0 / 2)], id="a field that nobody named"),
        pytest.param({"comments": 3}, [("comments", 1.0 / 2)], id="three who commented are half the points"),
        pytest.param({"picked": True}, [("picked", 20.0)], id="picked"),
        pytest.param(
            {"picked": True, "votes": 5, "has_code": True, "has_summary": True},
            [("picked", 20.0), ("votes", 2.0), ("code", 1.0), ("summary", 0.5)],
            id="in the order of the table",
        ),
    ],
)
def test_the_parts_of_a_score(said: dict[str, object], expected: list[tuple[str, float]]) -> None:
    found = ranking.parts(replace(PLAIN, **said), FIVE)  # type: ignore[arg-type]  # the table holds fields of Facts
    assert [(part.name, part.points) for part in found] == expected
    assert ranking.score(found) == sum(points for _, points in expected)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        pytest.param(Part("code", 1.0), "code is available", id="plain"),
        pytest.param(Part("votes", 2.0, 1, 5.0), "1 reader voted for it (usual in its field: 5.0)", id="one vote"),
        pytest.param(
            Part("votes", 3.9, 1200, 12.34), "1,200 readers voted for it (usual in its field: 12.3)", id="votes"
        ),
        pytest.param(Part("comments", 0.25, 1), "1 person commented on it", id="one who commented"),
        pytest.param(Part("comments", 0.5, 3), "3 people commented on it", id="several"),
        pytest.param(Part("picked", 20.0), "a curator picked it", id="picked"),
    ],
)
def test_every_part_says_itself_in_a_sentence(part: Part, sentence: str) -> None:
    assert part.text == sentence


def test_what_the_first_editions_stored_reads_as_the_points_of_the_table() -> None:
    assert Part.read("code") == Part("code", 1.0)


@given(st.sampled_from(sorted(REASONS)), VOTES, st.floats(0.1, 1000))
def test_a_part_reads_back_as_it_was_stored(name: str, number: int, usual: float) -> None:
    part = Part(name, round(number / (number + usual), 4), number, round(usual, 4))
    assert Part.read(part.stored()) == part
    assert Part.read(Part(name, 1.0).stored()) == Part(name, 1.0)


def test_a_pick_is_worth_more_than_all_the_rest_together() -> None:
    most = sum(reason.points for reason in REASONS.values() if reason.name not in {"picked", "partly"})
    assert REASONS["picked"].points > most


def test_the_table_has_a_line_for_every_number_and_a_unit_in_each() -> None:
    printed = ranking.printed_parameters()
    assert {one.name: one.value for one in printed}["half_life_hours"] == 48
    assert all(one.unit and one.meaning for one in printed)
    assert {name: reason.points for name, reason in REASONS.items()} == {
        one.name: one.value for one in printed if one.name in REASONS
    }


def test_the_history_of_the_parameters_is_told_with_its_reasons_the_newest_first() -> None:
    days = [revision.day for revision in ranking.HISTORY]
    assert days == sorted(days, reverse=True)
    assert all(revision.what and revision.why for revision in ranking.HISTORY)


# --- Laws of votes ---------------------------------------------------------------------------------------------------


@given(VOTES, VOTES, st.floats(0.1, 1000))
def test_more_votes_never_give_fewer_points_and_never_all(one: int, other: int, usual: float) -> None:
    fewer, more = sorted((one, other))
    assert 0 <= ranking.share(fewer, usual) <= ranking.share(more, usual) < 1
    if fewer < more <= 10_000:
        assert ranking.share(fewer, usual) < ranking.share(more, usual)


@given(st.lists(VOTES, min_size=2, max_size=8), st.data())
def test_a_vote_never_puts_a_paper_lower(votes: list[int], data: st.DataObject) -> None:
    papers = [
        replace(PLAIN, paper_id=n, key=f"k{n}", votes=v, has_code=data.draw(st.booleans()), section=f"s{n % 2}")
        for n, v in enumerate(votes)
    ]
    lucky = data.draw(st.integers(0, len(papers) - 1))
    voted = [replace(p, votes=p.votes + (p.paper_id == lucky)) for p in papers]
    before, after = ({r.paper_id: r.rank for r in rules.rank(each, usual=FIVE)} for each in (papers, voted))
    assert after[lucky] <= before[lucky]


@given(MONTH.flatmap(lambda month: st.tuples(st.just(month), st.permutations(month))))
def test_what_is_usual_does_not_depend_on_the_order_of_papers(
    both: tuple[list[tuple[str, int]], list[tuple[str, int]]],
) -> None:
    month, shuffled = both
    assert ranking.usual_votes(month) == ranking.usual_votes(shuffled)


@given(MONTH)
def test_what_is_usual_lies_between_the_votes_and_what_is_taken_for_usual(month: list[tuple[str, int]]) -> None:
    usual = ranking.usual_votes(month)
    every = [PARAMETERS.usual_votes, *(votes for _, votes in month)]
    for value in (usual.elsewhere, *usual.fields.values()):
        assert min(every) - 1e-9 <= value <= max(every) + 1e-9


def test_without_votes_the_parameter_is_usual_everywhere() -> None:
    assert ranking.usual_votes([]).of("cs.LG") == PARAMETERS.usual_votes
    assert ranking.usual_votes([("cs.LG", 0)]).fields == {}


def test_a_busy_field_is_judged_by_itself_and_a_small_one_mostly_by_the_others() -> None:
    usual = ranking.usual_votes([*[("cs.LG", 40)] * 990, ("math.AG", 2)])
    assert usual.of("cs.LG") == pytest.approx(40, abs=0.1)
    assert 35 < usual.of("math.AG") < 37
    assert usual.of("q-bio.NC") == usual.elsewhere


def test_a_small_field_is_not_drowned_by_a_busy_one() -> None:
    usual = ranking.usual_votes([*[("cs.LG", 60)] * 500, *[("math.AG", 6)] * 100])
    well_liked = replace(PLAIN, paper_id=2, key="b", section="math.AG", votes=24)
    middling = replace(PLAIN, votes=60)
    assert [place.paper_id for place in rules.rank([middling, well_liked], usual=usual)] == [2, 1]


def test_one_vote_in_an_empty_field_is_no_triumph() -> None:
    usual = ranking.usual_votes([("cs.LG", 30)] * 200)
    alone = replace(PLAIN, paper_id=2, key="b", section="math.AG", votes=1)
    assert ranking.score(ranking.parts(alone, usual)) < 0.2
    assert [place.paper_id for place in rules.rank([alone, replace(PLAIN, votes=30)], usual=usual)] == [1, 2]


def test_picked_papers_stand_first_and_among_them_the_order_is_the_same() -> None:
    papers = [
        replace(PLAIN, paper_id=1, key="a", votes=10**6, runnable="yes", has_code=True, sources=3),
        replace(PLAIN, paper_id=2, key="b", picked=True),
        replace(PLAIN, paper_id=3, key="c", picked=True, votes=1),
    ]
    assert [place.paper_id for place in rules.rank(papers)] == [3, 2, 1]


def test_of_papers_of_a_day_with_equal_scores_the_newest_number_stands_first() -> None:
    keys = ["2311.09999", "2312.00002", "2312.00010", "math/0611800", "doi:10.1000/1"]
    papers = [replace(PLAIN, paper_id=n, key=key, announced=NOW.date()) for n, key in enumerate(keys)]
    ranked = [keys[place.paper_id] for place in rules.rank(papers)]
    assert ranked == ["2312.00010", "2312.00002", "2311.09999", "math/0611800", "doi:10.1000/1"]


# --- What is rising --------------------------------------------------------------------------------------------------

AGES = st.lists(st.timedeltas(timedelta(), timedelta(days=7)), max_size=20)


@given(AGES)
def test_votes_are_worth_half_after_a_half_life(ages: list[timedelta]) -> None:
    times = [NOW - age for age in ages]
    assert ranking.decayed(times, NOW + HALF_LIFE) == pytest.approx(ranking.decayed(times, NOW) / 2)


@given(AGES, st.timedeltas(timedelta(), timedelta(days=7)))
def test_each_more_vote_is_worth_more_than_nothing_and_at_most_one(ages: list[timedelta], age: timedelta) -> None:
    times = [NOW - each for each in ages]
    gained = ranking.decayed([*times, NOW - age], NOW) - ranking.decayed(times, NOW)
    assert 0 < gained <= 1 + 1e-9


@pytest.mark.parametrize(
    ("age", "worth"),
    [
        pytest.param(timedelta(), 1.0, id="now"),
        pytest.param(timedelta(minutes=-5), 1.0, id="from a clock that is ahead"),
        pytest.param(2 * HALF_LIFE, 0.25, id="two half-lives"),
        pytest.param(timedelta(days=14), 2 ** -(14 * 24 / 48), id="the last day"),
        pytest.param(timedelta(days=14, seconds=1), 0.0, id="later nothing"),
    ],
)
def test_what_a_vote_is_worth(age: timedelta, worth: float) -> None:
    assert ranking.decayed([NOW - age], NOW) == pytest.approx(worth)


def rising(cast: dict[int, list[timedelta]], now: datetime = NOW, usual: Usual = FIVE) -> list[Trend]:
    votes = [Vote(paper, NOW - age) for paper, ages in cast.items() for age in ages]
    return ranking.trending(votes, dict.fromkeys(cast, "cs.LG"), now=now, usual=usual)


def test_papers_rise_by_their_faded_votes() -> None:
    cast = {1: [timedelta(days=4)] * 5, 2: [timedelta(hours=1)] * 2, 3: [timedelta()]}
    trends = rising(cast)
    assert [(trend.paper_id, trend.votes) for trend in trends] == [(2, 2), (1, 5), (3, 1)]
    assert trends[1].weight == pytest.approx(5 / 4)
    assert trends[1].why == "5 votes lately, worth 1.2 now; usual in its field: 5.0"
    assert trends[2].why == "1 vote lately, worth 1.0 now; usual in its field: 5.0"


@given(st.dictionaries(st.integers(1, 9), st.lists(st.timedeltas(timedelta(), timedelta(days=6)), min_size=1)))
def test_time_alone_changes_no_order(cast: dict[int, list[timedelta]]) -> None:
    now = rising(cast)
    heats = sorted(log2(trend.heat) for trend in now)
    assume(all(upper - lower > 1e-6 for lower, upper in pairwise(heats)))
    later = rising(cast, NOW + timedelta(days=7))
    assert [trend.paper_id for trend in later] == [trend.paper_id for trend in now]
    for before, after in zip(now, later, strict=True):
        assert ranking.faded(before, timedelta(days=7)).weight == pytest.approx(after.weight)


def test_rising_papers_are_compared_inside_their_fields() -> None:
    votes = [*[Vote(1, NOW)] * 12, *[Vote(2, NOW)] * 4]
    usual = Usual({"cs.LG": 40.0, "math.AG": 4.0})
    trends = ranking.trending(votes, {1: "cs.LG", 2: "math.AG"}, now=NOW, usual=usual)
    assert [(trend.paper_id, trend.heat) for trend in trends] == [(2, 1.0), (1, 0.3)]


def test_of_equals_the_last_voted_stands_first_and_only_so_many_are_told() -> None:
    votes = [Vote(1, NOW), Vote(2, NOW + timedelta(minutes=1)), Vote(3, NOW), Vote(4, NOW)]
    trends = ranking.trending(votes, {1: "", 2: "", 3: ""}, now=NOW, limit=2)
    assert [trend.paper_id for trend in trends] == [2, 1], "4 is not here any more"
