"""Look-ups of DOIs at the resolver: answers of several agencies, and what becomes of those who do not answer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Declined, Failure, Refused, Resting, Unreachable
from broadsheet.sources.origins.doi import ACCEPT, RESOLVER, Doi
from broadsheet.testing.harvest_conformance import AT, FindConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance

# In the shape of DataCite.
LAMP = {
    "type": "article",
    "id": "https://doi.org/10.48550/arxiv.2601.00001",
    "author": [{"family": "Example", "given": "Ada"}],
    "issued": {"date-parts": [[2026]]},
    "DOI": "10.48550/ARXIV.2601.00001",
    "title": "A Lamp for Every Step",
}
LAMP_ADDRESS = f"{RESOLVER}10.48550/arXiv.2601.00001"
LAMP_IDENTIFIER = Identifier.from_str("arxiv:2601.00001")


def statement(**fields: Any) -> Record | Rejected:
    (found,) = Doi().read(io.BytesIO(orjson.dumps(LAMP | fields)), filename="x")
    return found


class TestDoi(SourceConformance):
    source = Doi()
    sample = BUILT_IN_SAMPLES["doi"]


class TestLookUp(FindConformance):
    source = Doi()
    identifiers = (LAMP_IDENTIFIER, Identifier.from_str("doi:10.1000/(sici)1<1::a>2.0"))
    absent = (Identifier.from_str("doi:10.1000/absent"),)
    answers = {  # noqa: RUF012  # the suite's own way of giving answers
        LAMP_ADDRESS: orjson.dumps(LAMP),
        f"{RESOLVER}10.1000/%28sici%291%3C1%3A%3Aa%3E2.0": orjson.dumps(LAMP | {"DOI": "10.1000/(SICI)1<1::a>2.0"}),
    }


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({}, "identifiers", (LAMP_IDENTIFIER,), id="DOI of arXiv"),
        pytest.param({}, "source_key", "2601.00001", id="key"),
        pytest.param({}, "submitted", PartialDate(2026), id="year"),
        pytest.param(
            {"categories": ["Machine Learning (cs.LG)", "FOS: Lamps", "Lamps (cs.XX)", "Machine Learning (cs.LG)"]},
            "categories",
            ("cs.LG",),
            id="categories by their codes",
        ),
        pytest.param({"DOI": "10.1000/1", "categories": ["Lamps (cs.LG)"]}, "categories", (), id="subjects elsewhere"),
        pytest.param(
            {"copyright": "https://creativecommons.org/licenses/by/4.0/legalcode"},
            "license",
            "https://creativecommons.org/licenses/by/4.0/legalcode",
            id="licence",
        ),
        pytest.param({"copyright": "All rights reserved"}, "license", "", id="licence in words"),
        pytest.param({"type": "journal-article"}, "title", "A Lamp for Every Step", id="type in Crossref's words"),
        pytest.param({"title": ["A Lamp"]}, "title", "A Lamp", id="title in a list"),
    ],
)
def test_a_field(fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(statement(**fields), name) == value


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        pytest.param("dataset", "it is a data set, not a paper", id="data set"),
        pytest.param("software", "it is a program, not a paper", id="program"),
        pytest.param("lamp", 'the field "type" names no type of paper: "lamp"', id="unknown type"),
    ],
)
def test_no_paper(kind: str, why: str) -> None:
    found = statement(type=kind)
    assert isinstance(found, Rejected)
    assert found.reason == why


class Failing(Recorded):
    """A client that fails at one address and answers at the others."""

    failure: Failure

    def get(self, url: str, **how: Any) -> Answer:
        assert how["accept"] == ACCEPT
        if url.endswith("/wrong"):
            raise self.failure
        return super().get(url, **how)


WRONG = Identifier.from_str("doi:10.1000/wrong")
WRONG_TOO = Identifier.from_str("doi:10.1000/too/wrong")


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Declined("The origin did not understand the request.", status=400), id="declined"),
        pytest.param(Refused("The origin led elsewhere."), id="led astray"),
    ],
)
def test_one_doi_that_cannot_be_had_costs_one_warning(failure: Failure) -> None:
    client = Failing({LAMP_ADDRESS: orjson.dumps(LAMP)})
    client.failure = failure
    refused, found = Doi().find(client, [WRONG, LAMP_IDENTIFIER])
    assert refused.items == ()
    assert refused.warnings == (f"doi:10.1000/wrong was not found: {failure.sentence}",)
    assert isinstance(found.items[0], Record)


def test_a_web_page_in_place_of_an_answer_costs_one_warning() -> None:
    client = Recorded({f"{RESOLVER}10.1000/wrong": b"<!DOCTYPE html><html></html>", LAMP_ADDRESS: orjson.dumps(LAMP)})
    refused, found = Doi().find(client, [WRONG, LAMP_IDENTIFIER])
    assert "web page" in refused.warnings[0]
    assert isinstance(found.items[0], Record)


AWAY = [
    pytest.param(Unreachable("Nobody answered."), id="nobody answers"),
    pytest.param(Resting("Nothing is asked for a while.", until=AT), id="asked us to rest"),
]


@pytest.mark.parametrize("failure", AWAY)
def test_one_host_behind_the_resolver_that_is_away_costs_one_warning(failure: Failure) -> None:
    client = Failing({LAMP_ADDRESS: orjson.dumps(LAMP)})
    client.failure = failure
    pages = list(Doi().find(client, [WRONG, LAMP_IDENTIFIER, WRONG_TOO]))
    assert [len(page.items) for page in pages] == [0, 1, 0]


@pytest.mark.parametrize("failure", AWAY)
def test_when_two_in_a_row_are_away_nothing_goes_on(failure: Failure) -> None:
    client = Failing({LAMP_ADDRESS: orjson.dumps(LAMP)})
    client.failure = failure
    with pytest.raises(type(failure)):
        list(Doi().find(client, [WRONG, WRONG_TOO, LAMP_IDENTIFIER]))
    assert client.asked == []


@pytest.mark.parametrize(
    ("asked", "said", "known"),
    [
        pytest.param("doi:10.1000/old", "10.1000/new", ["doi:10.1000/new", "doi:10.1000/old"], id="older DOI"),
        pytest.param(
            "arxiv:2601.00001", "10.1000/new", ["doi:10.1000/new", "arxiv:2601.00001"], id="article of arXiv's"
        ),
        pytest.param("arxiv:2601.00001", "10.48550/arXiv.2601.00002", ["arxiv:2601.00002"], id="another of arXiv"),
    ],
)
def test_the_identifier_that_was_asked_for_is_kept(asked: str, said: str, known: list[str]) -> None:
    client = Recorded({}, otherwise=orjson.dumps(LAMP | {"DOI": said}))
    (page,) = Doi().find(client, [Identifier.from_str(asked)])
    (item,) = page.items
    assert isinstance(item, Record)
    assert list(map(str, item.identifiers)) == known


def test_a_recorded_answer_of_crossref(protocol: Path) -> None:
    body = orjson.loads((protocol / "extracted_bodies" / "crossref" / "0075.json").read_bytes())["body"]
    (found,) = Doi().read(io.BytesIO(orjson.dumps(body)), filename="x")
    assert isinstance(found, Record)
    assert str(found.identifiers[0]) == "doi:10.1126/science.169.3946.635"
    assert found.title.startswith("The Structure of Ordinary Water: New data and")
    assert (found.submitted, found.venue, len(found.authors)) == (PartialDate(1970, 8, 14), "Science", 1)
    assert found.abstract
