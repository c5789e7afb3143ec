"""OpenAlex: abstracts as indexes of words, identifiers of arXiv that are certain, look-ups by DOI."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer, Declined
from broadsheet.sources.base import Unreadable
from broadsheet.sources.origins.openalex import MOST_WORDS, SELECT, WORKS, OpenAlex, abstract
from broadsheet.testing.harvest_conformance import FindConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_statements

LAMP = {
    "id": "https://openalex.org/W1",
    "doi": "https://doi.org/10.1000/lamp.1",
    "title": "A Lamp for Every Step",
    "type": "article",
}
HARBOURS = LAMP | {"id": "https://openalex.org/W2", "doi": "https://doi.org/10.48550/arxiv.2601.00002"}


def named(*texts: str) -> list[Identifier]:
    return [Identifier.from_str(text) for text in texts]


def statement(**fields: Any) -> Record | Rejected:
    (found,) = OpenAlex().read(io.BytesIO(orjson.dumps({"results": [LAMP | fields]})), filename="x")
    return found


def lookup(*dois: str) -> str:
    query = {"filter": f"doi:{'|'.join(dois)}", "per-page": len(dois), "select": ",".join(SELECT)}
    return f"{WORKS}?{urlencode(query)}"


def single(doi: str) -> str:
    return f"{WORKS}/doi:{quote(doi, safe='/')}?{urlencode({'select': ','.join(SELECT)})}"


class TestOpenAlex(SourceConformance):
    source = OpenAlex()
    sample = BUILT_IN_SAMPLES["openalex"]


class TestLookUp(FindConformance):
    source = OpenAlex()
    identifiers = named("doi:10.1000/lamp.1", "arxiv:2601.00002", "doi:10.1000/a|b")
    absent = named("doi:10.1000/absent", "doi:10.1000/c,d")
    answers = {  # noqa: RUF012  # the suite's own way of giving answers
        lookup("10.1000/lamp.1", "10.48550/arxiv.2601.00002", "10.1000/absent"): orjson.dumps(
            {"meta": {"count": 2}, "results": [LAMP, HARBOURS]}
        ),
        single("10.1000/a|b"): orjson.dumps(LAMP | {"doi": "https://doi.org/10.1000/a|b"}),
    }


def test_it_needs_a_key() -> None:
    assert OpenAlex.needs_key == "api.openalex.org"


def test_one_work_is_asked_for_by_its_address_which_is_free() -> None:
    client = Recorded({}, otherwise=orjson.dumps(LAMP))
    list(OpenAlex().find(client, named("doi:10.1000/lamp.1")))
    assert client.asked == [single("10.1000/lamp.1")]


def test_fifty_dois_are_asked_for_at_once() -> None:
    client = Recorded({}, otherwise=orjson.dumps({"results": []}))
    list(OpenAlex().find(client, named(*(f"doi:10.1000/{number}" for number in range(60)))))
    asked = [parse_qs(urlsplit(url).query)["filter"][0].count("|") + 1 for url in client.asked]
    assert asked == [50, 10]


class Declining(Recorded):
    def get(self, url: str, **how: Any) -> Answer:
        raise Declined("The origin did not understand the request.", status=400)


def test_a_doi_that_openalex_declines_costs_one_warning() -> None:
    (page,) = OpenAlex().find(Declining({}), named("doi:10.1000/a|b"))
    assert (page.items, page.warnings) == ((), ("The origin did not understand the request.",))


# --- Abstracts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "text"),
    [
        pytest.param({"lamps": [1, 3], "Two": [0], "and": [2]}, "Two lamps and lamps", id="words and places"),
        pytest.param({"lamp": [10**9], "A": [7]}, "A lamp", id="places far away"),
        pytest.param({"A": [0], "lamp": [0]}, "A lamp", id="two words at one place"),
        pytest.param({"Abstract": [0], "We": [1], "ask.": [2]}, "We ask.", id="heading"),
        pytest.param({"Abstract": [0], "nonsense": [1]}, "Abstract nonsense", id="no heading"),
        pytest.param({"<p>H<sub>2</sub>O</p>": [0]}, "H$_2$O", id="markup in a word"),
        pytest.param({}, "", id="no words"),
        pytest.param({"": [0, 1, 2]}, "", id="blank words"),
    ],
)
def test_an_abstract(index: Any, text: str) -> None:
    assert abstract(index) == text


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(["lamp"], id="a list"),
        pytest.param({"lamp": 1}, id="place that is no list"),
        pytest.param({"lamp": [-1]}, id="place before the start"),
        pytest.param({"lamp": [0.5]}, id="half a place"),
        pytest.param({"lamp": [True]}, id="true"),
        pytest.param({"lamp": [2**60]}, id="place that is no number of JSON"),
        pytest.param({"lamp": list(range(MOST_WORDS + 1))}, id="more words than any abstract"),
        pytest.param({"x" * 10_000: list(range(100))}, id="a million letters"),
    ],
)
def test_an_index_that_is_none_leaves_the_abstract_out(index: Any) -> None:
    with pytest.raises(ValueError, match=r"is no|has|must"):
        abstract(index)
    found = statement(abstract_inverted_index=index)
    assert isinstance(found, Record)
    assert found.abstract == ""


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=30), st.integers(0, 10**9))
def test_an_index_of_a_text_gives_the_text(words: list[str], start: int) -> None:
    index: dict[str, list[int]] = {}
    for place, word in enumerate(words, start):
        index.setdefault(word, []).append(place)
    assert abstract(index) == " ".join(words)


# --- What a work says ------------------------------------------------------------------------------------------------


def at(*addresses: str) -> list[dict[str, Any]]:
    return [{"landing_page_url": address, "pdf_url": None} for address in addresses]


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        pytest.param({}, ["doi:10.1000/lamp.1"], id="DOI"),
        pytest.param(
            {"locations": at("http://arxiv.org/abs/2601.00001v1", "https://arxiv.org/pdf/2601.00001")},
            ["doi:10.1000/lamp.1", "arxiv:2601.00001"],
            id="one place at arXiv",
        ),
        pytest.param(
            {"locations": at("http://arxiv.org/abs/2601.00001", "http://arxiv.org/abs/2601.00002")},
            ["doi:10.1000/lamp.1"],
            id="two papers of arXiv",
        ),
        pytest.param({"ids": {"arxiv": "2601.00001"}}, ["doi:10.1000/lamp.1", "arxiv:2601.00001"], id="among the ids"),
        pytest.param(
            {"doi": None, "locations": at("http://arxiv.org/abs/2601.00001")}, ["arxiv:2601.00001"], id="no DOI"
        ),
        pytest.param({"doi": None}, [], id="nothing"),
        pytest.param(
            {"doi": "https://doi.org/10.48550/arxiv.2601.00002", "locations": at("http://arxiv.org/abs/2601.00001")},
            ["arxiv:2601.00002"],
            id="DOI of arXiv before a place",
        ),
        pytest.param({"locations": at("https://example.org/2601.00001")}, ["doi:10.1000/lamp.1"], id="elsewhere"),
        pytest.param({"locations": [None, {"landing_page_url": 7}]}, ["doi:10.1000/lamp.1"], id="places that are none"),
    ],
)
def test_identifiers(fields: dict[str, Any], known: list[str]) -> None:
    found = statement(**fields)
    assert isinstance(found, Record)
    assert list(map(str, found.identifiers)) == known


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({"publication_date": "2026-01-07"}, "submitted", PartialDate(2026, 1, 7), id="day"),
        pytest.param(
            {"publication_date": "2026-01-01", "publication_year": 2026}, "submitted", PartialDate(2026), id="New Year"
        ),
        pytest.param({"publication_year": 2026}, "submitted", PartialDate(2026), id="year"),
        pytest.param(
            {"authorships": [{"raw_author_name": "Ada Example"}, {"author": {"display_name": "B. Beispiel"}}, {}]},
            "authors",
            ("Ada Example", "B. Beispiel"),
            id="authors as printed, else as known",
        ),
        pytest.param(
            {"primary_location": {"source": {"display_name": "Journal of Lamps", "type": "journal"}}},
            "venue",
            "Journal of Lamps",
            id="journal",
        ),
        pytest.param(
            {"primary_location": {"source": {"display_name": "arXiv", "type": "repository"}}},
            "venue",
            "",
            id="repository",
        ),
        pytest.param({"primary_location": {"source": None}}, "venue", "", id="no source"),
        pytest.param({"is_retracted": True}, "comments", "Retracted.", id="retracted"),
        pytest.param({"id": "W7"}, "source_key", "W7", id="short number"),
    ],
)
def test_a_field(fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(statement(**fields), name) == value


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param({"type": "dataset"}, "it is a data set, not a paper", id="data set"),
        pytest.param({"type": "erratum"}, "it is a notice about another paper, not a paper", id="notice"),
        pytest.param({"is_paratext": True}, "it is a part of an issue, not a paper", id="front matter"),
        pytest.param({"title": None}, 'the field "title" is missing', id="no title"),
        pytest.param(
            {"id": "https://openalex.org/A1"}, 'the field "id" is no address of a work in OpenAlex', id="author"
        ),
    ],
)
def test_no_paper(fields: dict[str, Any], why: str) -> None:
    found = statement(**fields)
    assert isinstance(found, Rejected)
    assert found.reason == why


def test_recorded_answers_are_read_or_refused(protocol: Path) -> None:
    found: list[Record | Rejected] = []
    refused = 0
    for path in sorted((protocol / "extracted_bodies" / "openalex").glob("*.json")):
        body = orjson.loads(path.read_bytes())["body"]
        try:
            found += OpenAlex().read(io.BytesIO(orjson.dumps(body)), filename=path.name)
        except Unreadable:
            refused += 1
    check_statements(OpenAlex(), found)
    records = [item for item in found if isinstance(item, Record)]
    assert (len(records), len(found), refused) == (9, 9, 4)
    assert all(record.identifiers and record.submitted for record in records)
    assert {str(i) for record in records for i in record.identifiers} >= {"arxiv:2312.07559", "arxiv:2304.05376"}
