r"""What arXiv's origins share: lists of names, DOIs, days and times, sets, and the words for a format that changed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.sources import arxiv
from broadsheet.sources.base import Unreadable


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        pytest.param("Ada Example", ["Ada Example"], id="one"),
        pytest.param("Ada Example, Bela Beispiel", ["Ada Example", "Bela Beispiel"], id="comma"),
        pytest.param("Ada Example and Bela Beispiel", ["Ada Example", "Bela Beispiel"], id="and"),
        pytest.param("A. Example, B. Beispiel, and C. Exemple", ["A. Example", "B. Beispiel", "C. Exemple"], id="both"),
        pytest.param("A. Example & B. Beispiel", ["A. Example", "B. Beispiel"], id="ampersand"),
        pytest.param("A. Example; B. Beispiel", ["A. Example", "B. Beispiel"], id="semicolon"),
        pytest.param("Ada\n  Example,\n  Bela Beispiel", ["Ada Example", "Bela Beispiel"], id="broken lines"),
        pytest.param("A. Example (1), B. Beispiel (1 and 2) ((1) Town, (2) City, Land)", ["A. Example", "B. Beispiel"],
                     id="affiliations"),
        pytest.param("A. Example (Town, B. Beispiel", ["A. Example", "B. Beispiel"], id="open parenthesis"),
        pytest.param("A. Example), B. Beispiel", ["A. Example", "B. Beispiel"], id="closing parenthesis"),
        pytest.param("Ada Example, Jr., Bela Beispiel, III", ["Ada Example Jr.", "Bela Beispiel III"], id="suffixes"),
        pytest.param("Ada Example et al.", ["Ada Example"], id="et al"),
        pytest.param("Ada Example, et al", ["Ada Example"], id="et al after a comma"),
        pytest.param("Ada Example, 12 additional authors not shown", ["Ada Example"], id="shortened"),
        pytest.param("Invented Collaboration: A. Example", ["Invented Collaboration", "A. Example"], id="colon"),
        pytest.param("A. Example, for the Invented Collaboration", ["A. Example", "Invented Collaboration"], id="for"),
        pytest.param("A. Example, on behalf of the Lamp group", ["A. Example", "Lamp group"], id="on behalf of"),
        pytest.param(r"Chlo\'e Exemple, {\DJ}or{\dj}e Primer", [r"Chlo\'e Exemple", r"{\DJ}or{\dj}e Primer"], id="TeX"),
        pytest.param(r"A.\,B. Example", [r"A.\,B. Example"], id="a thin space is no comma"),
        pytest.param(r"Pr\&#34;im\&#39;er Exemple", [r"""Pr\"im\'er Exemple"""], id="escaped twice"),
        pytest.param("Anders And", ["Anders And"], id="a name that is almost a word"),
        pytest.param("Ada Forth", ["Ada Forth"], id="another"),
        pytest.param(" , ; ", [], id="nobody"),
    ],
)  # fmt: skip
def test_names_in_a_list(printed: str, names: list[str]) -> None:
    assert arxiv.authors(printed) == tuple(names)


@given(st.text(alphabet="ab,;()&: \\{}'and", max_size=200))
def test_any_list_of_names_is_read(text: str) -> None:
    names = arxiv.authors(text)
    assert all(name == name.strip() and name for name in names)


@pytest.mark.parametrize(
    ("printed", "values"),
    [
        pytest.param("10.1000/Harbour.7", ["10.1000/harbour.7"], id="one"),
        pytest.param("doi:10.1000/a", ["10.1000/a"], id="prefix"),
        pytest.param("https://doi.org/10.1000/a", ["10.1000/a"], id="address"),
        pytest.param("10.1000/a 10.1000/b", ["10.1000/a", "10.1000/b"], id="blank"),
        pytest.param("10.1000/a, 10.1000/b;10.1000/c", ["10.1000/a", "10.1000/b", "10.1000/c"], id="three"),
        pytest.param("10.1000/a and 10.1000/b", ["10.1000/a", "10.1000/b"], id="and"),
        pytest.param("10.1000/a,10.1000/a", ["10.1000/a"], id="twice the same"),
        pytest.param("10.1002/(sici)1(1996)17:5/6<4::aid>3.0.co;2-p", ["10.1002/(sici)1(1996)17:5/6<4::aid>3.0.co;2-p"],
                     id="a semicolon inside"),
        pytest.param("10.48550/arXiv.2611.00001", [], id="given by arXiv"),
        pytest.param("to appear, 10.1000/a", ["10.1000/a"], id="words before"),
        pytest.param("n/a", [], id="none"),
        pytest.param("10.1000/" + "a" * 400, [], id="too long"),
    ],
)  # fmt: skip
def test_dois_in_a_field(printed: str, values: list[str]) -> None:
    assert [one.value for one in arxiv.dois(printed)] == values


@pytest.mark.parametrize(
    ("printed", "at"),
    [
        pytest.param("Fri, 21 Nov 2008 22:55:07 GMT", datetime(2008, 11, 21, 22, 55, 7, tzinfo=UTC), id="usual"),
        pytest.param("Thu, 9 Apr 2009 02:45:30 GMT", datetime(2009, 4, 9, 2, 45, 30, tzinfo=UTC), id="one digit"),
        pytest.param("Tue, 03 Sep 2019 14:03 GMT", datetime(2019, 9, 3, 14, 3, tzinfo=UTC), id="without seconds"),
    ],
)
def test_times_of_versions(printed: str, at: datetime) -> None:
    assert arxiv.moment(printed) == at
    assert arxiv.version_day(printed).exact == at.date()


@pytest.mark.parametrize(
    "printed", ["", "yesterday", "Fri, 21 Nov 2008", "Fri, 21 Nov 2008 25:00:00 GMT", "Fri, 21 Nov 2008 22:55:07 EST"]
)
def test_what_is_no_time(printed: str) -> None:
    with pytest.raises(ValueError):
        arxiv.moment(printed)


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        pytest.param("Wednesday, 12 August 2026", date(2026, 8, 12), id="listing of the day"),
        pytest.param("Fri, 20 Nov 2026", date(2026, 11, 20), id="listing of the week"),
        pytest.param("20 November 2026", date(2026, 11, 20), id="without its day of the week"),
        pytest.param("Thu, 20 Nov 2026", None, id="another day of the week"),
        pytest.param("Fri, 20 Nix 2026", None, id="no month"),
        pytest.param("2026-11-20", None, id="another form"),
    ],
)
def test_days_of_headings(printed: str, day: date | None) -> None:
    if day is not None:
        assert arxiv.listed_day(printed) == day
    else:
        with pytest.raises(ValueError):
            arxiv.listed_day(printed)


@given(st.dates(date(1991, 1, 1), date(2099, 12, 31)))
def test_every_day_of_the_calendar_is_read_as_it_was_printed(day: date) -> None:
    assert arxiv.listed_day(f"{day:%A}, {day.day} {day:%B} {day.year}") == day
    assert arxiv.listed_day(f"{day:%a}, {day.day} {day:%b} {day.year}") == day


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("", "", id="everything"),
        pytest.param("cs", "cs", id="archive"),
        pytest.param("cs.AI", "cs:cs:AI", id="category"),
        pytest.param("hep-th", "physics:hep-th", id="archive of physics"),
        pytest.param("astro-ph.GA", "physics:astro-ph:GA", id="category of physics"),
        pytest.param("physics", "physics:physics", id="the archive, not the group"),
        pytest.param("physics.optics", "physics:physics:optics", id="category of that archive"),
        pytest.param("math-ph", "physics:math-ph", id="math-ph"),
    ],
)
def test_sets_of_the_oai_server(name: str, expected: str) -> None:
    assert arxiv.oai_set(name) == expected


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_is_read_back_from_its_set(category: str) -> None:
    assert arxiv.of_oai_sets([arxiv.oai_set(category)]) == category
    assert arxiv.sections(category) == (category,)


@pytest.mark.parametrize("name", ["cs.XX", "CS", "cs+stat.ML", "biology", "\x1b[2J"])
def test_a_set_that_does_not_exist(name: str) -> None:
    with pytest.raises(Unreadable, match="has no archive and no category"):
        arxiv.sections(name)


@pytest.mark.parametrize(
    ("section", "category", "at_home"),
    [
        pytest.param("cs.LG", "cs.LG", True, id="itself"),
        pytest.param("cs", "cs.LG", True, id="its archive"),
        pytest.param("cs.LG", "stat.ML", False, id="another"),
        pytest.param("cs.SY", "eess.SY", True, id="the same under another code"),
        pytest.param("cs", "eess.SY", True, id="the archive of the other code"),
        pytest.param("math-ph", "math.MP", True, id="an archive that is a category"),
    ],
)
def test_where_a_paper_is_at_home(section: str, category: str, at_home: bool) -> None:
    assert arxiv.is_primary_in(section, category) is at_home


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("cs.LG math.OC", ("cs.LG", "math.OC"), id="primary first"),
        pytest.param("cs.LG cs.LG stat.ML", ("cs.LG", "stat.ML"), id="once each"),
        pytest.param("chao-dyn nlin.CD", ("chao-dyn", "nlin.CD"), id="closed archives stay"),
        pytest.param("cs.LG <b> ../x 7", ("cs.LG",), id="no category"),
    ],
)
def test_categories(text: str, names: tuple[str, ...]) -> None:
    assert arxiv.categories(text) == names


@pytest.mark.parametrize(
    ("given", "family", "suffix", "expected"),
    [
        pytest.param("Ada", "Example", "", "Ada Example", id="two parts"),
        pytest.param("Ada", "Example", "Jr.", "Ada Example Jr.", id="suffix"),
        pytest.param("", "Invented Collaboration", "", "Invented Collaboration", id="family only"),
        pytest.param("", ":", "", "", id="punctuation"),
        pytest.param("", "X", "", "X", id="one letter"),
    ],
)
def test_names_of_parts(given: str, family: str, suffix: str, expected: str) -> None:
    assert arxiv.name(given=given, family=family, suffix=suffix) == expected


def test_a_day_in_the_east_of_the_united_states() -> None:
    assert arxiv.eastern_day(datetime(2026, 11, 21, 4, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert arxiv.eastern_day(datetime(2026, 11, 21, 5, 0, tzinfo=UTC)) == date(2026, 11, 21)
