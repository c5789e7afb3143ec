"""What an ORCID record proves, and which spellings can be of one person."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.identifiers import Identifier
from broadsheet.community.rules.authorship import OrcidRecord, Way, orcid_record, proof, same_name

IDS = [Identifier.from_str("doi:10.1000/harbour.7"), Identifier.from_str("arxiv:2401.00002")]


def work(
    value: str, *, source: str = "Crossref", kind: str = "doi", by_her: bool = False, relation: str = "self"
) -> Any:
    """A work as the API of ORCID gives it, version 3.0."""
    said: dict[str, Any] = {"source-name": {"value": source}, "assertion-origin-orcid": None}
    if by_her:
        said["assertion-origin-orcid"] = {"path": "0000-0002-1825-0097"}
    external = {"external-id-type": kind, "external-id-value": value, "external-id-relationship": relation}
    return {"work-summary": [{"source": said, "external-ids": {"external-id": [external]}}]}


def record(*works: Any, given: str = "Bela", family: str = "Beispiel") -> dict[str, Any]:
    return {
        "orcid-identifier": {"path": "0000-0002-1825-0097"},
        "person": {"name": {"given-names": {"value": given}, "family-name": {"value": family}, "credit-name": None}},
        "activities-summary": {"works": {"group": list(works)}},
    }


@pytest.mark.parametrize(
    ("works", "name", "enough", "says"),
    [
        pytest.param([work("10.1000/HARBOUR.7")], "Bela", True, "a publisher put the work there", id="by one"),
        pytest.param([work("10.1000/other")], "Bela", False, "does not list the work", id="another work"),
        pytest.param([], "Bela", False, "does not list the work", id="no works"),
        pytest.param([work("10.1000/harbour.7", source="Bela Beispiel")], "Bela", False, "added the work there herself",
                     id="by herself"),
        pytest.param([work("10.1000/harbour.7", by_her=True)], "Bela", False, "added the work there herself",
                     id="by herself with a tool"),
        pytest.param([work("10.1000/harbour.7")], "Ada", False, "the name does not fit", id="somebody else's name"),
        pytest.param([work("10.1000/harbour.7", relation="part-of")], "Bela", False, "does not list",
                     id="a part of the work"),
        pytest.param([work("2401.00002", kind="arxiv", source="DataCite")], "Bela", False, "added the work there",
                     id="by who lets people add works"),
    ],
)  # fmt: skip
def test_what_a_record_proves(works: list[Any], name: str, enough: bool, says: str) -> None:
    found = proof("Beispiel, Bela", IDS, [orcid_record(record(*works, given=name))], ["example.org"])
    assert (found.enough, found.way) == (enough, Way.ORCID)
    assert says in found.sentence


@pytest.mark.parametrize(
    ("domains", "way", "sentence"),
    [
        pytest.param(["example.org", "example.com", "example.org"], Way.MAIL,
                     "Verified addresses at example.com, example.org.", id="a verified address"),
        pytest.param([], Way.WORD, "Nothing but her word.", id="nothing"),
    ],
)  # fmt: skip
def test_nothing_else_is_proof(domains: list[str], way: Way, sentence: str) -> None:
    found = proof("Bela Beispiel", IDS, [], domains)
    assert (found.enough, found.way, found.sentence) == (False, way, sentence)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada Example", "Ada Example", True),
        ("A. Example", "Ada Example", True),
        ("Example, Ada", "ada EXAMPLE", True),
        ("Ada M. Example", "Ada Example", True),
        ("Chloé Exemple", "Chloe Exemple", True),
        ("Bela Example", "Ada Example", False),
        ("Ada Example", "Ada Beispiel", False),
        ("Ad Example", "Ada Example", False),
        ("B. Example", "Ada Example", False),
        ("Example", "Ada Example", False),
    ],
)
def test_spellings_of_one_person(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
    assert same_name(other, one) is same


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["work-summary", "group", "works", "source", "external-ids", "x"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["orcid-identifier", "person", "activities-summary"]), _JSON))
def test_no_record_makes_it_fail(said: dict[str, Any]) -> None:
    assert isinstance(orcid_record(said), OrcidRecord)
