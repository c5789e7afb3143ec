"""The registry: whose sources are found, in which order they are asked, and what becomes of broken ones."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint

import pytest

from broadsheet.bibliography.identifiers import Scheme
from broadsheet.sources import registry
from broadsheet.sources.registry import GROUP, DuplicateSource
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES

HERE = "broadsheet.sources.origins"


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


class _Offered:
    name = "offered"
    title = "Offered"

    def recognises(self, head: bytes, filename: str) -> bool:
        return True

    def read(self, stream: object, *, filename: str) -> object:
        raise NotImplementedError


class _Harvestable:
    name = "harvestable"
    title = "Harvestable"
    announcer = ""
    sets = "none"

    def pages(self, client: object, *, set_name: str, cursor: str, since: object) -> object:
        raise NotImplementedError


class _Findable:
    name = "findable"
    title = "Findable"
    schemes = frozenset({Scheme.DOI, Scheme.ARXIV})

    def find(self, client: object, identifiers: object) -> object:
        raise NotImplementedError


def variant(kind: type, **changes: object) -> type:
    """The same source with parts replaced."""
    return type("S", (kind,), changes)


class _Entry:
    """An entry point that gives what it was made with, as `importlib` would after an import."""

    dist = None

    def __init__(self, name: str, offered: object) -> None:
        self.name = name
        self.value = f"somewhere:{name}"
        self.offered = offered

    def load(self) -> object:
        if isinstance(self.offered, Exception):
            raise self.offered
        return self.offered


def load(*declared: object) -> registry.Loaded:
    return registry.load(declared)  # type: ignore[arg-type]  # stand-ins with the parts that are used


def test_every_built_in_source_has_a_sample_and_none_is_broken() -> None:
    assert set(registry.readers()) == set(BUILT_IN_SAMPLES)
    assert registry.problems() == ()


@pytest.mark.parametrize("name", BUILT_IN_SAMPLES)
def test_each_built_in_source_recognises_its_own_file(name: str) -> None:
    found = registry.recognise(BUILT_IN_SAMPLES[name].data, "x")
    assert found is registry.get(name)


def test_the_most_general_format_is_asked_last() -> None:
    assert list(registry.sources())[-1] == "records"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param("crossref", "doi", id="many works at once before one at a time"),
        pytest.param("doi", "semantic-scholar", id="agencies before those who say what others said"),
        pytest.param("semantic-scholar", "openalex", id="five hundred at once before fifty"),
    ],
)
def test_whom_a_doi_is_looked_up_with(first: str, then: str) -> None:
    asked = [source.name for source in registry.finders(Scheme.DOI)]
    assert asked.index(first) < asked.index(then)


def test_nobody_recognises_a_letter() -> None:
    assert registry.recognise(b"Dear colleague,\n", "letter.txt") is None


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"no source named 'lamps'.*saved-page, .*catalogue, .*records"):
        registry.get("lamps")


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        pytest.param(b"Dear colleague,\n", "is no file that Broadsheet knows.", id="letter"),
        pytest.param(b"%PDF-1.7", "is a PDF document.", id="PDF"),
        pytest.param(b"<html><body>502</body></html>", "is a web page (HTML)", id="web page"),
        pytest.param(b"", "is empty.", id="empty"),
        pytest.param(b"\xff\xfeD\0e\0a\0r\0", "is text in UTF-16", id="UTF-16"),
    ],
)
def test_why_a_file_that_nobody_recognises_cannot_be_read(head: bytes, sentence: str) -> None:
    refusal = registry.unrecognised(head, "file.txt")
    assert refusal.sentence.startswith(f"file.txt {sentence}")
    assert "Nothing was stored." in refusal.sentence


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        pytest.param(ImportError("no module named lamps"), "no module named lamps", id="cannot be imported"),
        pytest.param(SyntaxError("invalid syntax"), "invalid syntax", id="is no Python"),
        pytest.param(object(), "it has no method read(), pages() or find()", id="is no source"),
        pytest.param(variant(_Offered, name="other"), "is not the name of its entry point", id="other name"),
        pytest.param(variant(_Offered, title=None), "it has no title", id="no title"),
        pytest.param(variant(_Offered, order="first"), "its order is not a whole number", id="order"),
        pytest.param(variant(_Offered, read=None), "it has no method read()", id="cannot read"),
        pytest.param(variant(_Offered, recognises=None), "it has no method recognises()", id="cannot recognise"),
        pytest.param(variant(_Offered, needs_key=1), "the host that it needs a key for is not text", id="key"),
        pytest.param(variant(_Harvestable, name="offered", pages=None), "pages is no method", id="pages"),
        pytest.param(variant(_Harvestable, name="offered", announcer=None), "whose announcements", id="announcer"),
        pytest.param(variant(_Harvestable, name="offered", sets=None), "what its sets are", id="sets"),
        pytest.param(variant(_Findable, name="offered", find=None), "find is no method", id="find"),
        pytest.param(variant(_Findable, name="offered", schemes={"doi"}), "of which schemes", id="schemes"),
        pytest.param(variant(_Findable, name="offered", schemes=frozenset()), "of which schemes", id="no schemes"),
        pytest.param(type("S", (_Offered, _Findable), {"find": None}), "find is no method", id="reads, cannot find"),
    ],
)
def test_a_broken_source_is_named_and_left_out(offered: object, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loaded = load(_Entry("offered", offered), entry("records", f"{HERE}.records:Records"))
    assert list(loaded.sources) == ["records"]
    (problem,) = loaded.problems
    assert problem.startswith("The source 'offered' of an unnamed package (somewhere:offered) was left out")
    assert reason in problem
    assert problem in caplog.text


def test_a_source_may_be_a_class_or_an_object() -> None:
    for offered in (_Offered, _Offered()):
        assert isinstance(load(_Entry("offered", offered)).sources["offered"], _Offered)


@pytest.mark.parametrize(
    ("kinds", "reads", "harvests", "finds"),
    [
        pytest.param((_Offered,), True, False, False, id="reads files"),
        pytest.param((_Harvestable,), False, True, False, id="is harvested"),
        pytest.param((_Findable,), False, False, True, id="finds works"),
        pytest.param((_Offered, _Findable), True, False, True, id="reads its answers and finds works"),
        pytest.param((_Offered, _Harvestable, _Findable), True, True, True, id="all"),
    ],
)
def test_a_source_is_offered_for_what_it_can_do(
    kinds: tuple[type, ...], reads: bool, harvests: bool, finds: bool
) -> None:
    loaded = load(_Entry("offered", type("S", kinds, {"name": "offered"})))
    assert loaded.problems == ()
    assert list(loaded.sources) == ["offered"]
    assert list(loaded.readers) == ["offered"] * reads
    assert list(loaded.harvesters) == ["offered"] * harvests
    assert [source.name for source in loaded.finders(Scheme.DOI)] == ["offered"] * finds
    assert loaded.finders(Scheme.PMLR) == ()


def test_works_are_looked_up_in_the_order_of_asking() -> None:
    loaded = load(
        _Entry("b", variant(_Findable, name="b")),
        _Entry("late", variant(_Findable, name="late", order=210, needs_key="api.example.org")),
        _Entry("early", variant(_Findable, name="early", order=5)),
        _Entry("a", variant(_Findable, name="a", schemes=frozenset({Scheme.ARXIV}))),
    )
    assert [source.name for source in loaded.finders(Scheme.DOI)] == ["early", "b", "late"]
    assert [source.name for source in loaded.finders(Scheme.ARXIV)] == ["early", "a", "b", "late"]


def test_what_is_installed_is_offered_by_what_it_can_do() -> None:
    installed = registry.sources()
    assert registry.readers().items() <= installed.items()
    assert registry.harvesters().items() <= installed.items()
    for scheme in Scheme:
        assert {source.name for source in registry.finders(scheme)} <= set(installed)


def test_two_sources_of_one_name_are_an_error() -> None:
    with pytest.raises(DuplicateSource, match=r"named 'records'.*Uninstall one of them"):
        load(entry("records", f"{HERE}.records:Records"), entry("records", "elsewhere:Records"))


def test_the_smaller_order_is_asked_first_then_the_name() -> None:
    late, early, usual, other = (
        _Entry(name, variant(_Offered, name=name, **order))
        for name, order in (("late", {"order": 900}), ("z-early", {"order": 5}), ("b", {}), ("a", {"order": 100}))
    )
    loaded = load(late, early, usual, other)
    assert list(loaded.sources) == ["z-early", "a", "b", "late"]
    found = registry.recognise_among(loaded.readers.values(), b"", "x")
    assert found is not None
    assert found.name == "z-early"


def test_a_source_that_fails_to_look_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(_Offered):
        def recognises(self, head: bytes, filename: str) -> bool:
            raise ZeroDivisionError

    loaded = load(_Entry("offered", Failing), entry("records", f"{HERE}.records:Records"))
    found = registry.recognise_among(loaded.readers.values(), BUILT_IN_SAMPLES["records"].data, "x")
    assert found is loaded.sources["records"]
    assert "the source offered failed to look at 'x'" in caplog.text
