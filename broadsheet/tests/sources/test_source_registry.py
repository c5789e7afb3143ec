"""The registry: whose sources are found, in which order they are asked, and what becomes of broken ones."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint

import pytest

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


def test_the_built_in_sources_are_installed_and_asked_in_this_order() -> None:
    assert list(registry.sources()) == ["saved-page", "catalogue", "records"]
    assert registry.problems() == ()


@pytest.mark.parametrize("name", ["saved-page", "catalogue", "records"])
def test_each_built_in_source_recognises_its_own_file(name: str) -> None:
    found = registry.recognise(BUILT_IN_SAMPLES[name].data, "x")
    assert found is registry.get(name)


def test_nobody_recognises_a_letter() -> None:
    assert registry.recognise(b"Dear colleague,\n", "letter.txt") is None


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"no source named 'arxiv'.*saved-page, catalogue, records"):
        registry.get("arxiv")


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
        pytest.param(object(), "it has no method recognises()", id="is no source"),
        pytest.param(type("S", (_Offered,), {"name": "other"}), "is not the name of its entry point", id="other name"),
        pytest.param(type("S", (_Offered,), {"title": None}), "it has no title", id="no title"),
        pytest.param(type("S", (_Offered,), {"order": "first"}), "its order is not a whole number", id="order"),
        pytest.param(type("S", (_Offered,), {"read": None}), "it has no method read()", id="cannot read"),
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


def test_two_sources_of_one_name_are_an_error() -> None:
    with pytest.raises(DuplicateSource, match=r"named 'records'.*Uninstall one of them"):
        load(entry("records", f"{HERE}.records:Records"), entry("records", "elsewhere:Records"))


def test_the_smaller_order_is_asked_first_then_the_name() -> None:
    late, early, usual, other = (
        _Entry(name, type("S", (_Offered,), {"name": name} | order))
        for name, order in (("late", {"order": 900}), ("z-early", {"order": 5}), ("b", {}), ("a", {"order": 100}))
    )
    loaded = load(late, early, usual, other)
    assert list(loaded.sources) == ["z-early", "a", "b", "late"]
    found = registry.recognise_among(loaded.sources.values(), b"", "x")
    assert found is not None
    assert found.name == "z-early"


def test_a_source_that_fails_to_look_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(_Offered):
        def recognises(self, head: bytes, filename: str) -> bool:
            raise ZeroDivisionError

    loaded = load(_Entry("offered", Failing), entry("records", f"{HERE}.records:Records"))
    found = registry.recognise_among(loaded.sources.values(), BUILT_IN_SAMPLES["records"].data, "x")
    assert found is loaded.sources["records"]
    assert "the source offered failed to look at 'x'" in caplog.text
