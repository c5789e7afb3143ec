"""Drawings made on the server."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from broadsheet.web.drawing import bars


def test_each_number_has_a_bar_as_high_as_it_says() -> None:
    drawing = ET.fromstring(bars([("May", 10), ("June", 20), ("July", 0)], title="Sizes"))
    heights = [float(bar.attrib["height"]) for bar in drawing.iter("rect")]
    assert heights == [55.0, 110.0, 0.0]
    assert drawing.attrib["aria-label"] == "Sizes"


def test_small_numbers_make_small_bars() -> None:
    drawing = ET.fromstring(bars([("May", 1), ("June", 2)], title="Sizes"))
    assert [float(bar.attrib["height"]) for bar in drawing.iter("rect")] == [13.8, 27.5]
    assert drawing.attrib["viewBox"] == "0 0 960 67.5"


def test_labels_are_escaped() -> None:
    assert "<script" not in bars([("<script>", 1)], title='"><script>')


def test_nothing_is_drawn_of_nothing() -> None:
    assert bars([], title="Sizes") == ""
