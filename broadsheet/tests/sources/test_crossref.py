"""Crossref: which works are papers, what a work says, harvests of a list that Crossref keeps, look-ups."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Declined, Refused
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.origins.crossref import ROWS, SELECT, WORKS, Crossref
from broadsheet.testing.harvest_conformance import FindConformance, HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_statements

LAMP = {
    "DOI": "10.1000/lamp.1",
    "type": "journal-article",
    "title": ["A Lamp for Every Step"],
    "author": [{"given": "Ada", "family": "Example"}],
}


def doi(value: str) -> Identifier:
    return Identifier.from_str(f"doi:{value}")


def listed(*works: Any, total: int | None = None, place: str = "") -> bytes:
    """An answer with a list of works."""
    message: dict[str, Any] = {"total-results": len(works) if total is None else total, "items": list(works)}
    if place:
        message["next-cursor"] = place
    return orjson.dumps({"status": "ok", "message-type": "work-list", "message": message})


def statement(**fields: Any) -> Record | Rejected:
    """What is read of the work above with other fields; None takes a field away."""
    said = {name: value for name, value in (LAMP | fields).items() if value is not None}
    (found,) = Crossref().read(io.BytesIO(listed(said)), filename="x")
    return found


def record(**fields: Any) -> Record:
    found = statement(**fields)
    assert isinstance(found, Record), found
    return found


def reason(**fields: Any) -> str:
    found = statement(**fields)
    assert isinstance(found, Rejected), found
    return found.reason


class TestCrossref(SourceConformance):
    source = Crossref()
    sample = BUILT_IN_SAMPLES["crossref"]


# --- What is a paper -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["journal-article", "proceedings-article", "posted-content", "book-chapter", "report", "dissertation", None],
)
def test_these_types_are_papers(kind: str | None) -> None:
    assert record(type=kind).title == "A Lamp for Every Step"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param({"type": "component"}, "it is a part of a paper, such as a figure", id="component"),
        pytest.param({"type": "journal"}, "it is a journal, not a paper", id="journal"),
        pytest.param({"type": "grant"}, "it is a grant, not a paper", id="grant"),
        pytest.param({"type": "peer-review"}, "it is a review of a paper, not a paper", id="review"),
        pytest.param({"type": "lamp"}, 'the field "type" names no type of paper: "lamp"', id="unknown type"),
        pytest.param({"type": ["journal-article"]}, 'the field "type" must be text', id="type that is no text"),
        pytest.param({"title": None}, 'the field "title" is missing', id="no title"),
        pytest.param({"title": []}, 'the field "title" is missing', id="empty title"),
        pytest.param({"title": ["<i> </i>"]}, 'the field "title" is blank', id="title of markup alone"),
        pytest.param({"title": ["x" * 2001]}, 'the field "title" has more than 2,000 letters', id="endless title"),
        pytest.param({"DOI": None}, 'the field "DOI" is missing', id="no DOI"),
        pytest.param({"DOI": "lamp"}, 'the field "DOI" is no DOI: "lamp"', id="no DOI at all"),
        pytest.param(
            {"title": ["Front Matter"], "author": None}, "it is a part of an issue, not a paper", id="front matter"
        ),
        pytest.param(
            {"update-to": [{"DOI": "10.1000/lamp.0", "type": "expression_of_concern"}]},
            "it is a notice about another paper (expression of concern), not a paper",
            id="notice",
        ),
    ],
)
def test_these_are_none(fields: dict[str, Any], why: str) -> None:
    assert reason(**fields).startswith(why)


def test_a_new_version_is_a_paper() -> None:
    found = record(**{"update-to": [{"DOI": "10.1000/lamp.0", "type": "new_version"}]})
    assert found.source_key == "10.1000/lamp.1"


def test_a_paper_called_contents_by_somebody_is_a_paper() -> None:
    assert record(title=["Contents"]).authors == ("Ada Example",)


# --- What a work says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({"title": ["", "Meadows"]}, "title", "Meadows", id="first title that is not blank"),
        pytest.param({"title": "Meadows"}, "title", "Meadows", id="title that is no list"),
        pytest.param({"title": ["H<sub>2</sub>O &amp; <i>Lamps</i>"]}, "title", "H$_2$O & Lamps", id="markup"),
        pytest.param({"subtitle": ["A Survey"]}, "title", "A Lamp for Every Step: A Survey", id="subtitle"),
        pytest.param(
            {"title": ["Why Lamps?"], "subtitle": ["A Survey"]}, "title", "Why Lamps? A Survey", id="after a question"
        ),
        pytest.param({"subtitle": ["LAMPS ON STEPS"]}, "title", "A Lamp for Every Step", id="running head"),
        pytest.param(
            {"subtitle": ["Every Step"]}, "title", "A Lamp for Every Step", id="subtitle that is there already"
        ),
        pytest.param({"subtitle": [""]}, "title", "A Lamp for Every Step", id="blank subtitle"),
        pytest.param({"issued": {"date-parts": [[2026, 1]]}}, "submitted", PartialDate(2026, 1), id="month"),
        pytest.param({"issued": {"date-parts": [[None]]}}, "submitted", None, id="date that is not known"),
        pytest.param(
            {"issued": {"date-parts": [[2026]]}, "posted": {"date-parts": [[2026, 1, 8]]}},
            "submitted",
            PartialDate(2026, 1, 8),
            id="day of posting",
        ),
        pytest.param({"container-title": ["Journal of Lamps", "J. Lamps"]}, "venue", "Journal of Lamps", id="journal"),
        pytest.param({"container-title": []}, "venue", "", id="no journal"),
        pytest.param({"DOI": "10.1000/LAMP.2"}, "source_key", "10.1000/lamp.2", id="case of a DOI"),
        pytest.param(
            {"updated-by": [{"type": "correction"}, {"type": "retraction", "DOI": "10.1000/lamp.9"}]},
            "comments",
            "Retracted; the notice is 10.1000/lamp.9.",
            id="retracted",
        ),
        pytest.param({"updated-by": [{"type": "correction", "DOI": "10.1000/x"}]}, "comments", "", id="corrected"),
        pytest.param(
            {"license": [{"URL": "https://example.org/a"}, {"URL": "http://creativecommons.org/licenses/by/4.0/"}]},
            "license",
            "http://creativecommons.org/licenses/by/4.0/",
            id="Creative Commons first",
        ),
        pytest.param(
            {"license": [{"URL": "https://example.org/mine", "content-version": "tdm"}]},
            "license",
            "",
            id="mining only",
        ),
    ],
)
def test_a_field(fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(record(**fields), name) == value


def related(**relations: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        name.replace("_", "-"): [{"id-type": kind, "id": value, "asserted-by": "object"} for kind, value in entries]
        for name, entries in relations.items()
    }


@pytest.mark.parametrize(
    ("relation", "others"),
    [
        pytest.param(
            related(has_preprint=[("doi", "10.48550/arXiv.2601.00001")]), ["arxiv:2601.00001"], id="DOI of arXiv"
        ),
        pytest.param(related(has_preprint=[("arxiv", "2601.00001v2")]), ["arxiv:2601.00001"], id="identifier of arXiv"),
        pytest.param(related(is_preprint_of=[("doi", "10.1000/Lamp.5")]), ["doi:10.1000/lamp.5"], id="article"),
        pytest.param(
            related(has_preprint=[("doi", "10.1000/p-v1"), ("doi", "10.1000/p-v2")]),
            ["doi:10.1000/p-v1", "doi:10.1000/p-v2"],
            id="versions of one preprint",
        ),
        pytest.param(
            related(is_preprint_of=[("doi", "10.1000/lamp.5"), ("doi", "10.1000/lamp.6")]), [], id="two articles of one"
        ),
        pytest.param(
            related(has_preprint=[("arxiv", "2601.00001")], is_version_of=[("arxiv", "2601.00002")]),
            [],
            id="two identifiers of arXiv",
        ),
        pytest.param(related(is_version_of=[("doi", "10.1000/lamp.1")]), [], id="itself"),
        pytest.param(related(has_review=[("doi", "10.1000/r.1")]), [], id="review"),
        pytest.param(related(is_supplemented_by=[("doi", "10.1000/s.1")]), [], id="supplement"),
        pytest.param(related(is_translation_of=[("doi", "10.1000/t.1")]), [], id="translation"),
        pytest.param(related(references=[("arxiv", "2601.00001")]), [], id="reference"),
        pytest.param(related(has_preprint=[("uri", "https://arxiv.org/abs/2601.00001")]), [], id="address"),
        pytest.param(related(has_preprint=[("doi", "nowhere")]), [], id="no identifier"),
        pytest.param(
            related(has_preprint=[("doi", f"10.1000/p-v{number}") for number in range(60)]), [], id="endless versions"
        ),
        pytest.param([], [], id="no relations"),
    ],
)
def test_other_identifiers_of_the_same_work(relation: Any, others: list[str]) -> None:
    assert list(map(str, record(relation=relation).identifiers)) == ["doi:10.1000/lamp.1", *others]


# --- Look-ups --------------------------------------------------------------------------------------------------------


def lookup(*dois: str) -> str:
    query = {"filter": ",".join(f"doi:{value}" for value in dois), "rows": len(dois), "select": ",".join(SELECT)}
    return f"{WORKS}?{urlencode(query)}"


class TestLookUp(FindConformance):
    source = Crossref()
    identifiers = (doi("10.1000/lamp.1"), doi("10.1000/a,b"))
    absent = (doi("10.1000/absent"), doi("10.1000/c,d"))
    answers = {  # noqa: RUF012  # the suite's own way of giving answers
        lookup("10.1000/lamp.1", "10.1000/absent"): listed(LAMP),
        f"{WORKS}/10.1000%2Fa%2Cb": orjson.dumps({"message-type": "work", "message": LAMP | {"DOI": "10.1000/a,b"}}),
    }


class Declining(Recorded):
    """A client whose origin takes every filter for a wrong one."""

    def get(self, url: str, **how: Any) -> Answer:
        if "filter=" in url or "wrong" in url:
            self.asked.append(url)
            raise Declined("The origin did not understand the request.", status=400)
        return super().get(url, **how)


def test_one_doi_that_crossref_declines_does_not_hide_the_others() -> None:
    client = Declining({f"{WORKS}/10.1000%2Flamp.1": orjson.dumps({"message-type": "work", "message": LAMP})})
    pages = list(Crossref().find(client, [doi("10.1000/wrong"), doi("10.1000/lamp.1"), doi("10.1000/absent")]))
    assert [page.warnings for page in pages] == [("The origin did not understand the request.",), ()]
    (item,) = pages[1].items
    assert isinstance(item, Record)


def test_many_dois_are_asked_for_in_short_addresses() -> None:
    client = Recorded({}, otherwise=listed())
    list(Crossref().find(client, [doi(f"10.1000/{'x' * 200}.{number}") for number in range(60)]))
    assert len(client.asked) == 4
    assert max(map(len, client.asked)) < 5_000


# --- Harvests --------------------------------------------------------------------------------------------------------


def asked(place: str, *filters: str) -> str:
    query = {"filter": ",".join(filters), "rows": ROWS, "select": ",".join(SELECT), "cursor": place}
    return f"{WORKS}?{urlencode(query)}"


def work(number: int, day: int = 19) -> dict[str, Any]:
    return LAMP | {"DOI": f"10.1000/lamp.{number}", "indexed": {"date-parts": [[2026, 11, day]]}}


PREFIX = "prefix:10.1000"
TWO_PAGES = {
    asked("*", PREFIX): listed(work(1), work(2), total=3, place="AA"),
    asked("AA", PREFIX): listed(work(3, day=20), total=3, place="AA"),
}


class TestHarvest(HarvestConformance):
    source = Crossref()
    set_name = "10.1000"
    answers = {  # noqa: RUF012  # the suite's own way of giving answers
        **TWO_PAGES,
        asked("*", PREFIX, "from-index-date:2026-11-19"): listed(work(1), work(2), work(3, day=20)),
    }


def harvested(answers: dict[str, bytes], cursor: str = "", since: date | None = None) -> list[Page]:
    return list(Crossref().pages(Recorded(answers), set_name="10.1000", cursor=cursor, since=since))


def test_the_next_harvest_begins_the_day_before_the_newest_work() -> None:
    pages = harvested(TWO_PAGES)
    assert [page.cursor for page in pages] == [None, "2026-11-19"]
    assert [page.total for page in pages] == [3, 3]
    assert [page.last for page in pages] == [False, True]


def test_a_list_that_ends_early_is_asked_for_again() -> None:
    answers = TWO_PAGES | {asked("AA", PREFIX): listed(total=3, place="AA")}
    last = harvested(answers)[-1]
    assert (last.last, last.cursor) == (True, None)
    assert last.warnings == ("The list ended after 2 of 3 works, and will be asked for again.",)


def test_the_cursor_never_goes_back_nor_beyond_today() -> None:
    query = asked("*", PREFIX, "from-index-date:2026-11-19")
    late = {"indexed": {"date-parts": [[2027, 11, 19]]}}
    early = {"indexed": {"date-parts": [[2026, 11, 1]]}}
    assert harvested({query: listed(LAMP | late)}, cursor="2026-11-19")[-1].cursor == "2026-11-19"
    assert harvested({query: listed(LAMP | early)}, since=date(2026, 11, 19))[-1].cursor == "2026-11-19"
    assert harvested({query: listed()}, since=date(2026, 11, 19))[-1].cursor == "2026-11-19"


@pytest.mark.parametrize(
    ("set_name", "filters"),
    [
        pytest.param("2167-8359", "issn:2167-8359", id="journal"),
        pytest.param("10.7717", "prefix:10.7717", id="prefix"),
        pytest.param("10.7717/posted-content", "prefix:10.7717,type:posted-content", id="type of a prefix"),
    ],
)
def test_a_set(set_name: str, filters: str) -> None:
    client = Recorded({}, otherwise=listed())
    list(Crossref().pages(client, set_name=set_name, cursor="", since=None))
    assert parse_qs(urlsplit(client.asked[0]).query)["filter"] == [filters]


@pytest.mark.parametrize(
    ("set_name", "cursor"),
    [
        pytest.param("", "", id="everything"),
        pytest.param("lamps", "", id="a word"),
        pytest.param("10.7717/component", "", id="type that is no paper"),
        pytest.param("10.7717,type:grant", "", id="filter in disguise"),
        pytest.param("10.7717", "yesterday", id="cursor that is no day"),
    ],
)
def test_what_is_not_asked_for(set_name: str, cursor: str) -> None:
    client = Recorded({}, otherwise=listed())
    with pytest.raises(Refused, match="nothing was asked"):
        list(Crossref().pages(client, set_name=set_name, cursor=cursor, since=None))
    assert client.asked == []


# --- Recorded answers ------------------------------------------------------------------------------------------------


def test_recorded_answers_are_read_or_refused(protocol: Path) -> None:
    """Answers about funders, journals, members and errors are refused; 447 works of all kinds are read."""
    kinds: Counter[str] = Counter()
    for path in sorted((protocol / "extracted_bodies" / "crossref").glob("*.json")):
        body = orjson.loads(path.read_bytes())["body"]
        try:
            found = list(Crossref().read(io.BytesIO(orjson.dumps(body)), filename=path.name))
        except Unreadable:
            kinds["refused"] += 1
            continue
        check_statements(Crossref(), found)
        kinds.update(type(item).__name__ for item in found)
    assert kinds == {"refused": 110, "Record": 523, "Rejected": 56}
