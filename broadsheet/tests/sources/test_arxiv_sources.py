"""The five origins of arXiv tell each other apart, and say the same of the same paper."""

from __future__ import annotations

import io

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.names import printed
from broadsheet.bibliography.record import Record, Version
from broadsheet.sources.base import HEAD_BYTES, Source
from broadsheet.sources.origins.arxiv_feed import ArxivFeed
from broadsheet.sources.origins.arxiv_listing import ArxivListing
from broadsheet.sources.origins.arxiv_oai import ArxivOai
from broadsheet.sources.origins.arxiv_search import ArxivSearch
from broadsheet.sources.origins.arxiv_snapshot import ArxivSnapshot
from broadsheet.testing.cast import ADA, BELA, CHLOE, DORDE, arxiv, doi
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES

SOURCES: dict[str, Source] = {
    source.name: source for source in (ArxivOai(), ArxivFeed(), ArxivListing(), ArxivSearch(), ArxivSnapshot())
}
LAMP, HARBOUR, MEADOWS = "2611.00001", "2611.12345", "math/0611800"


def records(name: str) -> dict[str, Record]:
    sample = BUILT_IN_SAMPLES[name]
    found = SOURCES[name].read(io.BytesIO(sample.data), filename=sample.filename)
    return {said.source_key: said for said in found if isinstance(said, Record)}


every_source = pytest.mark.parametrize("name", SOURCES)


@every_source
def test_each_file_is_recognised_by_its_own_source_only(name: str) -> None:
    head = BUILT_IN_SAMPLES[name].data[:HEAD_BYTES]
    assert [other for other, source in SOURCES.items() if source.recognises(head, "x")] == [name]


@every_source
def test_a_paper_has_the_same_identity_everywhere(name: str) -> None:
    found = records(name)
    assert found[LAMP].identifiers == (arxiv(LAMP),)
    assert {said.source for said in found.values()} == {name}
    expected = (arxiv(HARBOUR),) if name == "arxiv-listing" else HARBOUR_IDENTIFIERS
    assert found[HARBOUR].identifiers == expected


HARBOUR_IDENTIFIERS = (arxiv(HARBOUR), doi("10.1000/harbour.7"), doi("10.1000/harbour.7.erratum"))


@every_source
def test_a_paper_has_the_same_words_everywhere(name: str) -> None:
    found = records(name)
    lamp = found[LAMP]
    assert lamp.title == r"A Lamp for Every Step: Light from $\ell_2$ Gradient Norms"
    assert tuple(map(printed, lamp.authors)) == (ADA, CHLOE)
    assert tuple(map(printed, found[HARBOUR].authors)) == (BELA, DORDE)
    assert lamp.categories == ("cs.LG", "math.OC")
    assert found[HARBOUR].abstract == "Ships arrive at x < 0 and leave at x > 0."
    assert found[HARBOUR].comments == "Journal-ref: Journal of Dry Harbours 7 (2026) 1-20"
    assert lamp.announced is None, "the ledger says when a paper was announced, no source of arXiv does"


@pytest.mark.parametrize("name", ["arxiv-oai", "arxiv-search", "arxiv-snapshot"])
def test_dates_are_those_of_the_versions(name: str) -> None:
    first, second = PartialDate(2026, 11, 2), PartialDate(2026, 11, 19)
    lamp = records(name)[LAMP]
    assert (lamp.submitted, lamp.updated) == (first, second)
    assert lamp.versions == (Version(1, first), Version(2, second))
    assert lamp.comments == "12 pages, 3 lamps"


@pytest.mark.parametrize("name", ["arxiv-oai", "arxiv-search", "arxiv-snapshot"])
def test_a_withdrawn_paper_is_a_version(name: str) -> None:
    meadows = records(name)[MEADOWS]
    assert meadows.identifiers == (arxiv(MEADOWS),)
    assert [version.number for version in meadows.versions] == [1, 2]
    assert meadows.comments.startswith("This paper has been withdrawn")


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        pytest.param("arxiv-oai", "http://creativecommons.org/licenses/by/4.0/", id="OAI"),
        pytest.param("arxiv-feed", "http://creativecommons.org/licenses/by/4.0/", id="feed"),
        pytest.param("arxiv-snapshot", "http://creativecommons.org/licenses/by/4.0/", id="snapshot"),
        pytest.param("arxiv-search", "", id="the search API knows none"),
        pytest.param("arxiv-listing", "", id="nor does the listing"),
    ],
)
def test_who_knows_the_licence(name: str, licence: str) -> None:
    assert records(name)[LAMP].license == licence
