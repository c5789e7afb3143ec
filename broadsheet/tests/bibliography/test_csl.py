"""CSL-JSON as citation processors, registries and reference managers write it, and as we do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography import formats
from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.formats import csl
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.testing.cast import ADA, BELA, HARBOUR, LANTERN, MEADOW, arxiv, doi, said


def record(**item: Any) -> Record:
    """The record of one item with these fields and a title."""
    (found,) = csl.read(json.dumps([{"id": "x", "type": "article", "title": "A Lamp", **item}]), "csl-json")
    assert isinstance(found, Record), found
    return found


@pytest.mark.parametrize(
    ("document", "titles"),
    [
        pytest.param([{"title": "A"}, {"title": "B"}], ["A", "B"], id="list"),
        pytest.param({"items": [{"title": "A"}]}, ["A"], id="object with items"),
        pytest.param({"title": "A"}, ["A"], id="one item, as doi.org answers"),
        pytest.param([{"title": ["A", "B"]}], ["A"], id="a title in a list, as Crossref answers"),
        pytest.param([], [], id="nothing"),
        pytest.param([{"title": " "}, 7, None, []], ["!"] * 4, id="what is no item"),
    ],
)
def test_documents(document: Any, titles: list[str]) -> None:
    found = csl.read(json.dumps(document), "csl-json")
    assert [one.title if isinstance(one, Record) else "!" for one in found] == titles


@pytest.mark.parametrize("text", ["", "{", "7", '"x"', '{"items": 7}', "[" * 100_000, "[{]", '["\\ud800"]'])
def test_what_is_no_document_is_a_fault(text: str) -> None:
    with pytest.raises(formats.Fault):
        list(csl.read(text, "csl-json"))


def test_a_rejection_says_which_item_and_why() -> None:
    _, found = csl.read('[{"title": "A"}, {"type": "article"}]', "csl-json")
    assert isinstance(found, Rejected)
    assert (found.position, found.reason) == ("item 2", "it has no title")
    assert found.excerpt == b'{"type":"article"}'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param({"given": "Ada", "family": "Example"}, ADA, id="parts"),
        pytest.param(
            {"given": "Ada", "family": "Example", "non-dropping-particle": "van der", "suffix": "Jr."},
            "Ada van der Example Jr.",
            id="particle and suffix",
        ),
        pytest.param(
            {"given": "Jean", "family": "Exemple", "dropping-particle": "de"}, "Jean de Exemple", id="dropped"
        ),
        pytest.param({"given": "Chloé", "family": "Exemple Primer"}, "Exemple Primer, Chloé", id="two family names"),
        pytest.param({"literal": "The INVENTED Collaboration"}, "The INVENTED Collaboration", id="literal"),
        pytest.param({"literal": "Beispiel and Sons, Inc."}, "{Beispiel and Sons, Inc.}", id="literal with a comma"),
        pytest.param({"name": "Invented Research"}, "{Invented Research}", id="organisation, as Crossref answers"),
        pytest.param({"family": "Ada"}, "Ada", id="one word"),
        pytest.param({"given": "Ada"}, "Ada", id="only a given name"),
        pytest.param("Example, Ada", ADA, id="a bare text"),
    ],
)
def test_names(name: Any, expected: str) -> None:
    assert record(author=[name, {"given": "Bela", "family": "Beispiel"}]).authors == (expected, BELA)


@pytest.mark.parametrize("author", [None, "Ada", {}, [None], [7], [{}], [{"family": 7, "given": []}], [[]]])
def test_names_that_are_none_are_passed_over(author: Any) -> None:
    assert record(author=author).authors in ((), ("7",))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        pytest.param({"date-parts": [[2024, 2, 3]]}, PartialDate(2024, 2, 3), id="numbers"),
        pytest.param({"date-parts": [["2024", "02"]]}, PartialDate(2024, 2), id="texts"),
        pytest.param({"date-parts": [[2024], [2025]]}, PartialDate(2024), id="range"),
        pytest.param({"date-parts": [[2024, 1]], "circa": True}, PartialDate(2024, 1), id="about"),
        pytest.param({"raw": "2024-02-03T10:00:00Z"}, PartialDate(2024, 2, 3), id="raw"),
        pytest.param({"literal": "2024"}, PartialDate(2024), id="literal"),
        pytest.param("2024-02", PartialDate(2024, 2), id="EDTF"),
        pytest.param({"date-parts": [[None]]}, None, id="null, as Crossref answers"),
        pytest.param({"date-parts": []}, None, id="no parts"),
        pytest.param({"literal": "soon"}, None, id="no date"),
        pytest.param(7, None, id="a number"),
    ],
)
def test_dates(date: Any, expected: PartialDate | None) -> None:
    assert record(issued=date).submitted == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({"DOI": "10.1000/A.7"}, doi("10.1000/a.7"), id="DOI"),
        pytest.param({"URL": "https://arxiv.org/abs/2401.00001"}, arxiv("2401.00001"), id="address"),
        pytest.param({"number": "arXiv:2401.00001"}, arxiv("2401.00001"), id="number, as Zotero has it"),
        pytest.param({"archive": "arXiv", "archive_location": "2401.00001"}, arxiv("2401.00001"), id="archive"),
        pytest.param({"note": "arXiv:2401.00001 [cs]"}, arxiv("2401.00001"), id="note, as Zotero has it"),
        pytest.param({"note": "arXiv ID: 2401.00001"}, arxiv("2401.00001"), id="note with a name"),
    ],
)
def test_identifiers(item: dict[str, Any], expected: Any) -> None:
    found = record(**item)
    assert found.identifiers == (expected,)
    assert found.comments == ""


def test_the_version_in_an_address_is_kept() -> None:
    assert record(URL="https://arxiv.org/abs/2401.00001v3").versions == (Version(3),)


@pytest.mark.parametrize(
    ("item", "name", "expected"),
    [
        pytest.param({"container-title": "Stairs"}, "venue", "Stairs", id="journal"),
        pytest.param({"event-title": "STAIRS 2024"}, "venue", "STAIRS 2024", id="event"),
        pytest.param({"keyword": "lamps; stairs, long"}, "keywords", ("lamps", "stairs, long"), id="semicolons"),
        pytest.param({"keyword": "lamps, stairs"}, "keywords", ("lamps", "stairs"), id="commas"),
        pytest.param({"categories": ["cs.LG", 7]}, "categories", ("cs.LG",), id="categories"),
        pytest.param({"note": "12 pages\narXiv:2401.00001"}, "comments", "12 pages", id="note"),
    ],
)
def test_other_fields(item: dict[str, Any], name: str, expected: Any) -> None:
    assert getattr(record(**item), name) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    *(
        "title",
        "author",
        "issued",
        "note",
        "DOI",
        "URL",
        "keyword",
        "custom",
        "categories",
        "container-title",
        "number",
    ),
    "archive",
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_item_is_refused_or_read(item: dict[str, Any]) -> None:
    (found,) = csl.read(json.dumps([item]), "csl-json")
    assert isinstance(found, Record) or found.reason


# --- Writing ----------------------------------------------------------------------------------------------------------

# What the schema lets an item and a name have, as far as we write it (schemas/input/csl-data.json).
ITEM = frozenset(
    (
        *(
            "id",
            "type",
            "title",
            "author",
            "issued",
            "container-title",
            "abstract",
            "DOI",
            "URL",
            "number",
            "publisher",
        ),
        *("categories", "keyword", "note", "custom"),
    )
)
NAME = frozenset(("family", "given", "non-dropping-particle", "suffix", "literal"))


def test_a_preprint() -> None:
    (item,) = json.loads("".join(csl.write([LANTERN])))
    assert item == {
        "id": "example2023lantern",
        "type": "article",
        "title": "Lantern: Step Sizes from $\\ell_2$ Gradient Norms",
        "author": [{"given": "Ada", "family": "Example"}, {"given": "Chloé", "family": "Exemple"}],
        "issued": {"date-parts": [[2023, 12, 29]]},
        "abstract": LANTERN.abstract,
        "DOI": "10.48550/arXiv.2401.00001",
        "URL": "https://arxiv.org/abs/2401.00001",
        "number": "arXiv:2401.00001",
        "publisher": "arXiv",
        "categories": ["cs.LG", "math.OC"],
        "custom": {"broadsheet": {"identifiers": ["arxiv:2401.00001"]}},
    }


def test_items_have_only_what_the_schema_knows() -> None:
    odd = said(
        "A Lamp",
        authors=("The INVENTED Collaboration", "Ada van der Example Jr.", "Ada"),
        keywords=("a, b", "c"),
        license="CC BY 4.0",
        comments="12 pages",
        venue="ICML 2024",
    )
    for item in json.loads("".join(csl.write([LANTERN, HARBOUR, MEADOW, odd]))):
        assert item.keys() <= ITEM
        assert item["type"] in csl.TYPES
        assert isinstance(item["id"], str)
        assert all(name.keys() <= NAME for name in item["author"])


@pytest.mark.parametrize(
    ("author", "name"),
    [
        pytest.param(ADA, {"given": "Ada", "family": "Example"}, id="parts"),
        pytest.param(
            "Ada van der Example Jr.",
            {"given": "Ada", "non-dropping-particle": "van der", "family": "Example", "suffix": "Jr."},
            id="particles and suffix",
        ),
        pytest.param("{Beispiel and Sons}", {"literal": "Beispiel and Sons"}, id="organisation"),
        pytest.param("Ada", {"literal": "Ada"}, id="one word"),
    ],
)
def test_written_names(author: str, name: dict[str, str]) -> None:
    (item,) = json.loads("".join(csl.write([said("A Lamp", authors=(author,))])))
    assert item["author"] == [name]


@pytest.mark.parametrize(
    ("venue", "kind"),
    [("Journal of Stairs", "article-journal"), ("ICML 2024", "paper-conference"), ("Stairs 12, 9", "article")],
)
def test_the_type_of_item(venue: str, kind: str) -> None:
    (item,) = json.loads("".join(csl.write([said("A Lamp", venue=venue)])))
    assert (item["type"], item["container-title"]) == (kind, venue)


def test_nothing_is_an_empty_list() -> None:
    assert json.loads("".join(csl.write([]))) == []


def test_our_own_part_is_not_trusted_blindly() -> None:
    found = record(DOI="10.1000/a.7", custom={"broadsheet": {"identifiers": ["doi:10.1000/b", 7, "nonsense"]}})
    assert found.identifiers == (doi("10.1000/b"),)
    assert record(DOI="10.1000/a.7", custom={"broadsheet": 7}).identifiers == (doi("10.1000/a.7"),)
