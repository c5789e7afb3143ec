"""The parser of strangers' XML and HTML: nothing is fetched or expanded, and a damaged part costs itself only."""

from __future__ import annotations

import io
import resource
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.sources import xml
from broadsheet.sources.base import Unreadable

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<list xmlns="urn:one" xmlns:x="urn:two"><day>Friday</day>{}<end/></list>""".format(
    "".join(f'<x:item number="{n}"><title>Meadow {n}</title></x:item>' for n in range(1, 61))
).encode()


def titles(data: bytes) -> list[str]:
    return [
        part.reason if isinstance(part, xml.Damaged) else xml.words(xml.child(part, "title"))
        for part in xml.parts(data, "item", filename="list.xml").parts
    ]


def test_elements_are_found_by_their_names_in_any_namespace() -> None:
    root = xml.document(b'<a xmlns="urn:1"><b:c xmlns:b="urn:2">x<d>y</d>z</b:c><c/><?i?><!-- c --></a>', filename="x")
    assert xml.local(root) == "a"
    assert [xml.local(one) for one in xml.children(root)] == ["c", "c"]
    assert xml.raw(xml.child(root, "c")) == "xyz"
    assert xml.words(xml.child(root, "c", "d")) == "y"
    assert xml.child(root, "c", "q") is None
    assert xml.words(None) == xml.raw(None) == ""
    assert [xml.words(one) for one in xml.descendants(root, "d", "q")] == ["y"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"broken xml", "is not XML, perhaps an error page", id="text"),
        pytest.param(b"<!DOCTYPE html><html><p>Bad Gateway</html>", "is not XML, perhaps an error page", id="HTML"),
        pytest.param(b"<a><b>", "is cut off: its end is missing", id="cut off"),
        pytest.param(b"<a><b></a>", "is not well-formed XML: Opening and ending tag mismatch", id="tags"),
        pytest.param(b"<a>\x0b</a>", "is not well-formed XML", id="control character"),
        pytest.param(b"<a>\xe9</a>", "is not well-formed XML", id="Latin-1"),
        pytest.param(b"<a>\x00</a>", "is a binary file", id="zero byte"),
        pytest.param("<a/>".encode("utf-16"), "is text in UTF-16", id="UTF-16"),
        pytest.param(b"<a>" * 300 + b"</a>" * 300, "Excessive depth", id="too deep"),
        pytest.param(b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares entities of its own", id="entity"),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "declares entities", id="file"
        ),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY c "&b;&b;"><!ENTITY d "&c;&c;">]><a>&d;</a>',
            "declares entities",
            id="entities in entities",
        ),
        pytest.param(
            b'<!-- <a> --><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares entities", id="entity behind a comment"
        ),
        pytest.param(
            b'<?x <a> ?><!DOCTYPE a [<!ENTITY x "y">]><a b="&x;"/>', "declares entities", id="behind an instruction"
        ),
        pytest.param(
            b'<!DOCTYPE a [<!-- <a> --><!ENTITY % x SYSTEM "file:///x">%x;]><a/>', "declares entities", id="parameter"
        ),
    ],
)
def test_what_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        xml.document(data, filename="a.xml")
    assert reason in refusal.value.sentence
    assert "Nothing was stored" in refusal.value.sentence
    assert refusal.value.cause


def test_a_document_type_elsewhere_is_not_fetched() -> None:
    root = xml.document(b'<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a>x &eacute; y</a>', filename="a.xml")
    assert xml.words(root) == "x &eacute; y"


def test_a_sound_document_is_read_in_parts() -> None:
    found = xml.parts(LIST, "item", filename="list.xml")
    assert len(list(found.parts)) == 60
    assert xml.words(xml.child(found.root, "day")) == "Friday"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"Meadow 7<", b"Meadow \x0b 7<", id="control character"),
        pytest.param(b"Meadow 7<", b"Meadow & 7<", id="ampersand"),
        pytest.param(b"Meadow 7<", b"Meadow \xe9 7<", id="wrong encoding"),
        pytest.param(b"Meadow 7<", b"Meadow &seven;<", id="unknown entity"),
        pytest.param(b"Meadow 7</title>", b"Meadow 7", id="missing end tag"),
    ],
)
def test_one_damaged_part_costs_itself_only(old: bytes, new: bytes) -> None:
    read = titles(LIST.replace(old, new))
    assert len(read) == 60
    assert read[6].startswith("it is not well-formed XML: ")
    assert [title for title in read if title.startswith("Meadow")] == [f"Meadow {n}" for n in range(1, 61) if n != 7]


def test_a_part_whose_end_is_missing_ends_where_the_next_begins() -> None:
    read = titles(LIST.replace(b"Meadow 7</title></x:item>", b"Meadow 7</title>"))
    assert len(read) == 60
    assert read[7] == "Meadow 8"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(LIST[: len(LIST) // 2], id="cut off in the middle"),
        pytest.param(LIST[:-3], id="cut off at the end"),
        pytest.param(LIST.replace(b"<day>", b"<day>&"), id="damaged around the parts"),
        pytest.param(LIST.replace(b"Meadow", b"Meadow\xe9"), id="damaged all over"),
        pytest.param(b"<list><day>&</day></list>", id="damaged without parts"),
    ],
)
def test_a_document_that_is_damaged_as_a_whole_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="Nothing was stored"):
        xml.parts(data, "item", filename="list.xml")


def test_entities_are_refused_in_a_damaged_document_too() -> None:
    data = b'<!-- <a> --><!DOCTYPE a [<!ENTITY x "y">]><a>' + b"<item>1</item>" * 30 + b"<item>&</item></a>"
    for read in (data, data.replace(b"&<", b"<")):
        with pytest.raises(Unreadable, match="declares entities"):
            xml.parts(read, "item", filename="a.xml")


@pytest.mark.parametrize("prefix", ["", "x:", "ns0:"])
def test_a_damaged_document_is_read_with_the_namespaces_of_its_root_and_nothing_else_of_it(prefix: str) -> None:
    declared = f'xmlns{":" if prefix else ""}{prefix[:-1]}="urn:a&amp;b"'
    items = f"<{prefix}item>a</{prefix}item>" * 30 + f"<{prefix}item>&</{prefix}item>"
    data = f"<{prefix}list {declared} day='{'x' * 9000}'>{items}</{prefix}list>".encode()
    found = xml.parts(data, "item", filename="x")
    part = next(found.parts)
    assert isinstance(part, xml.Element)
    assert part.tag == "{urn:a&b}item"
    around = part.getparent()
    assert around is not None
    assert not around.attrib
    assert len(found.root.get("day", "")) == 9000


def test_a_damaged_part_does_not_cost_much_memory() -> None:
    data = b"<list day='" + b"x" * 9000 + b"'>" + b"<item>a</item>" * 40_000 + b"<item>&</item></list>"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(isinstance(part, xml.Element) for part in xml.parts(data, "item", filename="x").parts) == 40_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<list>" + b"<item>a</item>" * (xml.MOST_SALVAGED + 1) + b"<item>&</item></list>", id="parts"),
        pytest.param(
            b"<list "
            + b" ".join(b'xmlns:a%d="u"' % n for n in range(500))
            + b">"
            + b"<item>a</item>" * 3000
            + b"<item>&</item></list>",
            id="namespaces",
        ),
    ],
)
def test_a_damaged_document_that_costs_too_much_part_by_part_is_refused(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Unreadable, match="is not well-formed XML"):
        xml.parts(data, "item", filename="x")
    assert time.process_time() - began < 2


@given(
    st.binary(max_size=300) | st.builds(lambda a, b: LIST[:a] + LIST[b:], st.integers(0, 4000), st.integers(0, 4000))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    xml.root_name(data)
    for parse in (
        lambda: xml.parts(data, "item", filename="x"),
        lambda: xml.document(data, filename="x"),
        lambda: xml.html(data, filename="x"),
    ):
        try:
            parse()
        except Unreadable:
            continue


@pytest.mark.parametrize(
    ("head", "name"),
    [
        pytest.param(b"<feed>", "feed", id="bare"),
        pytest.param(
            b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a > b --><rss version="2.0">', "rss", id="behind comments"
        ),
        pytest.param(
            b'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "x"><oai:OAI-PMH xmlns:oai="u">', "OAI-PMH", id="prefix"
        ),
        pytest.param(b"feed", "", id="text"),
        pytest.param(b"", "", id="empty"),
        pytest.param(b"<?x" * 100_000, "", id="never ending"),
    ],
)
def test_the_first_element_of_a_file(head: bytes, name: str) -> None:
    assert xml.root_name(head) == name


def test_a_web_page_is_read_however_badly_formed() -> None:
    root = xml.html("<p>Chloé <b>&eacute; <script>1 < 2</script>".encode(), filename="x")
    assert xml.words(next(root.iter("p"))).startswith("Chloé é")


def test_a_web_page_is_utf8_whatever_it_says() -> None:
    page = '<?xml version="1.0" encoding="latin-1"?><html><meta charset="latin-1"><p>Chloé</html>'
    assert xml.words(next(xml.html(page.encode(), filename="x").iter("p"))) == "Chloé"


def test_a_web_page_in_another_encoding_is_refused() -> None:
    with pytest.raises(Unreadable, match="is not UTF-8 text"):
        xml.html("<p>Chloé</p>".encode("latin-1"), filename="x")


MANY = " ".join(f'a{n}="1"' for n in range(40_000))


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(f"<html><body {MANY}>x</body></html>", id="plain"),
        pytest.param("<body " + MANY.replace('"1"', '">"') + ">x", id="with ends in quotes"),
        pytest.param(f"<!-- <p a=' --><body {MANY}>'x", id="behind a quote in a comment"),
        pytest.param(f"<script>'<!-- <p a=\"'</script><body {MANY}>x", id="behind a script"),
        pytest.param(f"<body {MANY.replace(' ', '/')}>x", id="with slashes"),
    ],
)
def test_a_web_page_with_very_many_attributes_on_a_tag_is_refused_at_once(page: str) -> None:
    began = time.process_time()
    with pytest.raises(Unreadable, match="a tag with more than 100 attributes"):
        xml.html(page.encode(), filename="x")
    assert time.process_time() - began < 1.5


def test_a_web_page_may_have_long_attributes_and_many_tags() -> None:
    page = f"<p title='{'x y' * 50_000}'>" + "<a b=1 c=2>d</a>" * 200
    assert len(list(xml.html(page.encode(), filename="x").iter("a"))) == 200


def test_a_file_is_read_up_to_the_limit() -> None:
    assert xml.read(io.BytesIO(LIST), filename="x") == LIST
    with pytest.raises(Unreadable, match="more than 33,554,432 bytes"):
        xml.read(io.BytesIO(b"<a>" + b"x" * xml.LIMIT), filename="x")


def test_a_damaged_part_becomes_a_rejection() -> None:
    rejected = xml.Damaged("it is broken", b"<a").rejected("mine", "record 3")
    assert (rejected.source, rejected.position, rejected.reason) == ("mine", "record 3", "it is broken")


def test_hostile_recordings_are_read_or_refused(protocol: Path) -> None:
    paths = [path for path in protocol.rglob("*.xml") if path.is_file()]
    for path in paths:
        try:
            xml.document(path.read_bytes(), filename=path.name)
        except Unreadable:
            continue
    assert len(paths) > 50
