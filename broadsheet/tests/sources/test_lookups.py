"""What the origins that are asked by identifier share: bounds, batches, and that no value of any type breaks them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Answer
from broadsheet.sources import csl_parts, lookups, xml
from broadsheet.sources.base import Source, Unreadable
from broadsheet.sources.json_document import Drift
from broadsheet.sources.lookups import Unfit
from broadsheet.sources.origins.crossref import Crossref
from broadsheet.sources.origins.doi import Doi
from broadsheet.sources.origins.openalex import OpenAlex
from broadsheet.sources.origins.semantic_scholar import SemanticScholar
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, check_bytes

SOURCES = [pytest.param(source, id=source.name) for source in (Crossref(), Doi(), OpenAlex(), SemanticScholar())]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**9, 2**63, 1e300, "", "x", "\x00", "\ud7ff" * 40, "10.48550/arXiv.2601.00001", "x" * 5_000),
    *([], {}, [None], [[]], [{}], {"x": []}, nested(900), {"date-parts": [[None]]}, {"date-parts": [[2026, 13, 40]]}),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a value of JSON."""
    yield at
    entries = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for key, entry in entries:
        yield from places(entry, (*at, key))


def with_value(whole: Any, at: tuple[Any, ...], value: Any) -> Any:
    """The same with another value at a place."""
    if not at:
        return value
    changed = copy.deepcopy(whole)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return changed


def dumped(value: Any) -> bytes:
    """JSON of any depth; orjson writes 254 levels."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_with_mark(value)).replace(b'"DEEP"', b"[" * 900 + b"]" * 900)


def _with_mark(value: Any) -> Any:
    if type(value) is dict:
        return {key: _with_mark(entry) for key, entry in value.items()}
    if type(value) is list and len(value) == 1 and type(value[0]) is list and value[0]:
        return "DEEP"
    return [_with_mark(entry) for entry in value] if type(value) is list else value


@pytest.mark.parametrize("source", SOURCES)
def test_any_value_at_any_place_is_refused_rejected_or_left_out(source: Source) -> None:
    """Each place gets every fourth value, so that neighbours together get all."""
    whole = orjson.loads(BUILT_IN_SAMPLES[source.name].data)
    for number, at in enumerate(places(whole)):
        for value in HOSTILE[number % 4 :: 4]:
            check_bytes(source, dumped(with_value(whole, at, value)))


@pytest.mark.parametrize("source", SOURCES)
def test_one_broken_item_costs_the_others_nothing(source: Source) -> None:
    whole = orjson.loads(BUILT_IN_SAMPLES[source.name].data)
    sound = check_bytes(source, orjson.dumps(whole))
    *path, first = next(at for at in places(whole) if at and type(at[-1]) is int)
    broken = check_bytes(source, orjson.dumps(with_value(whole, (*path, first), {"DOI": 1, "paperId": 1, "id": 1})))
    assert isinstance(broken[0], Rejected)
    assert broken[1:] == sound[1:]


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(b"[" * 100_000, id="nested deeper than JSON is read"),
        pytest.param(b"[" + b"[]," * (lookups.MOST_CONTAINERS + 1) + b"[]]", id="more brackets than any answer"),
        pytest.param(b"[" + b"1," * (lookups.MOST_VALUES + 1) + b"1]", id="more values than any answer"),
        pytest.param(b'{"a":1e999}', id="number that is infinite"),
        pytest.param(b'["\\ud800"]', id="half of a character"),
    ],
)
def test_a_bomb_is_refused_before_it_is_unpacked(bomb: bytes) -> None:
    with pytest.raises(Unreadable, match="Nothing was stored"):
        lookups.parsed(bomb, filename="bomb.json")


def test_an_answer_larger_than_a_file_may_be_is_refused() -> None:
    answer = Answer("https://example.org/", 200, {}, b" " * (xml.LIMIT + 1), datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(Unreadable, match="far more than an answer can"):
        lookups.answered(answer)


def test_what_is_rejected_has_its_place_its_reason_and_its_first_bytes() -> None:
    def refuse(item: dict[str, Any], drift: Drift) -> Record:
        raise Unfit("it is \x1b[31mred")

    items = [{"title": "Meadows"}, 7, {"deep": nested(900)}]
    found = list(lookups.statements(enumerate(items, 1), "x", refuse, Drift()))
    assert found == [
        Rejected("x", "item 1", "it is ?[31mred", b'{"title":"Meadows"}'),
        Rejected("x", "item 2", "it is no object in braces", b"7"),
        Rejected("x", "item 3", "it is ?[31mred", b""),
    ]


@pytest.mark.parametrize(
    ("values", "batches"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(["a", "b", "c"], [["a", "b"], ["c"]], id="at most two"),
        pytest.param(["aaaaa", "b", "c"], [["aaaaa"], ["b", "c"]], id="at most five letters"),
        pytest.param(["aaaaaaa", "b"], [["aaaaaaa"], ["b"]], id="one is too long already"),
        pytest.param(["é", "b"], [["é"], ["b"]], id="letters as addresses write them"),
    ],
)
def test_batches_are_short_in_number_and_in_letters(values: list[str], batches: list[list[str]]) -> None:
    assert list(lookups.batches(values, most=2, letters=5)) == batches


def test_each_identifier_is_asked_for_once() -> None:
    one, two = Identifier(Scheme.DOI, "10.1000/1"), Identifier(Scheme.ARXIV, "2601.00001")
    assert lookups.distinct([one, two, one], frozenset({Scheme.DOI})) == [one]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        pytest.param({"date-parts": [[2026, 1, 7]]}, PartialDate(2026, 1, 7), id="day"),
        pytest.param({"date-parts": [[2026, 1]]}, PartialDate(2026, 1), id="month"),
        pytest.param({"date-parts": [["2026", "1"]]}, PartialDate(2026, 1), id="numbers as text"),
        pytest.param({"date-parts": [[2026, None, None]]}, PartialDate(2026), id="parts that are not known"),
        pytest.param({"date-parts": [[2025, 12], [2026, 2]]}, PartialDate(2025, 12), id="span"),
        pytest.param({"date-parts": [[None]]}, None, id="not known"),
        pytest.param({"date-parts": [[]]}, None, id="no part"),
    ],
)
def test_a_date(said: Any, read: PartialDate | None) -> None:
    assert csl_parts.date(said) == read


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("2026", id="text"),
        pytest.param({}, id="no parts"),
        pytest.param({"date-parts": [2026]}, id="no list in the list"),
        pytest.param({"date-parts": [[2026, 13]]}, id="month 13"),
        pytest.param({"date-parts": [[2026, 2, 30]]}, id="30 February"),
        pytest.param({"date-parts": [[1066]]}, id="before all journals"),
        pytest.param({"date-parts": [[True]]}, id="true"),
        pytest.param({"date-parts": [[2026.5]]}, id="half a year"),
        pytest.param({"date-parts": [["10" * 40]]}, id="a long number"),
        pytest.param({"date-parts": [[2026, 1, 1, 1]]}, id="four parts"),
    ],
)
def test_no_date(said: Any) -> None:
    with pytest.raises(ValueError, match=r"date|day|month|number|object|lie|is "):
        csl_parts.date(said)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        pytest.param({"given": "Ada", "family": "Example"}, "Ada Example", id="given and family name"),
        pytest.param({"given": "Ada", "family": "Exemple Primer"}, "Exemple Primer, Ada", id="family name of two"),
        pytest.param({"given": "Ada", "family": "Example", "suffix": "Jr."}, "Ada Example Jr.", id="suffix"),
        pytest.param({"given": "Bela", "family": "van der Beispiel"}, "Bela van der Beispiel", id="particles"),
        pytest.param(
            {"given": "Bela", "family": "Beispiel", "non-dropping-particle": "van der"},
            "Bela van der Beispiel",
            id="particles apart",
        ),
        pytest.param({"family": "Primer"}, "Primer", id="family name alone"),
        pytest.param({"given": "Primer"}, "Primer", id="given name alone"),
        pytest.param({"name": "Example Collaboration"}, "Example Collaboration", id="collaboration"),
        pytest.param({"name": "Example Lab"}, "{Example Lab}", id="organisation"),
        pytest.param({"literal": "Example Collaboration"}, "Example Collaboration", id="CSL's own word"),
        pytest.param({"given": "Chlo&eacute;", "family": "<i>Exemple</i>"}, "Chloé Exemple", id="markup"),
    ],
)
def test_a_person(said: dict[str, Any], name: str) -> None:
    assert csl_parts.people([said]) == (name,)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"affiliation": [{"name": "Example Lab"}]}, id="without a name"),
        pytest.param({"family": "Example", "role": [{"role": "editor"}]}, id="with another role"),
    ],
)
def test_nobody(said: dict[str, Any]) -> None:
    assert csl_parts.people([said]) == ()
