"""Exports of Zotero: Better BibTeX JSON, answers of its web interface, and RDF."""

from __future__ import annotations

import json
from typing import Any

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import Unreadable
from broadsheet.sources.origins.zotero import Zotero
from broadsheet.testing.cast import ADA, CHLOE, arxiv, doi
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_bytes, read_all


class TestZotero(SourceConformance):
    source = Zotero()
    sample = BUILT_IN_SAMPLES["zotero"]


def record(**item: Any) -> Record:
    """The record of one item with a title."""
    data = json.dumps({"items": [{"itemType": "preprint", "title": "A Lamp", **item}]}).encode()
    (found,) = read_all(Zotero(), data)
    assert isinstance(found, Record), found
    return found


@pytest.mark.parametrize(
    ("item", "name", "expected"),
    [
        pytest.param({"date": "2024-02-03"}, "submitted", PartialDate(2024, 2, 3), id="day"),
        pytest.param({"date": "2024/02"}, "submitted", PartialDate(2024, 2), id="month"),
        pytest.param({"date": "Spring 2024"}, "submitted", PartialDate(2024), id="words"),
        pytest.param({"date": "soon"}, "submitted", None, id="no date"),
        pytest.param({"DOI": "10.1000/A.7"}, "identifiers", (doi("10.1000/a.7"),), id="DOI"),
        pytest.param({"archiveID": "arXiv:2401.00001"}, "identifiers", (arxiv("2401.00001"),), id="archive"),
        pytest.param({"extra": "arXiv: 2401.00001 [cs]"}, "identifiers", (arxiv("2401.00001"),), id="extra"),
        pytest.param({"extra": "12 pages\narXiv:2401.00001"}, "comments", "12 pages", id="rest of extra"),
        pytest.param({"conferenceName": "STAIRS"}, "venue", "STAIRS", id="conference"),
        pytest.param({"tags": [{"tag": "a"}, "b", 7]}, "keywords", ("a", "b"), id="tags"),
        pytest.param({"creators": 7, "tags": 7, "date": 7}, "authors", (), id="what is nothing of the kind"),
    ],
)
def test_fields(item: dict[str, Any], name: str, expected: Any) -> None:
    assert getattr(record(**item), name) == expected


def test_authors_are_people_organisations_and_no_editors() -> None:
    found = record(
        creators=[
            {"firstName": "Ada", "lastName": "Example", "creatorType": "author"},
            {"name": "Invented Research", "creatorType": "author"},
            {"firstName": "Bela", "lastName": "Beispiel", "creatorType": "editor"},
        ]
    )
    assert found.authors == (ADA, "{Invented Research}")


def test_answers_of_the_web_interface() -> None:
    data = json.dumps(
        [{"key": "A", "data": {"itemType": "book", "title": "A"}}, {"data": {"itemType": "note"}}]
    ).encode()
    assert Zotero().recognises(data, "x")
    (found,) = read_all(Zotero(), data)
    assert isinstance(found, Record)


def test_an_item_without_a_title_is_rejected() -> None:
    (found,) = read_all(Zotero(), b'[{"itemType": "book"}]')
    assert isinstance(found, Rejected)
    assert found.position == "item 1"


RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:z="http://www.zotero.org/namespaces/export#" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:bib="http://purl.org/net/biblio#" xmlns:foaf="http://xmlns.com/foaf/0.1/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
    <bib:Article rdf:about="http://arxiv.org/abs/2401.00001">
        <z:itemType>journalArticle</z:itemType>
        <dcterms:isPartOf rdf:resource="urn:issn:1234-5678"/>
        <bib:authors><rdf:Seq>
            <rdf:li><foaf:Person><foaf:surname>Example</foaf:surname><foaf:givenName>Ada</foaf:givenName></foaf:Person></rdf:li>
            <rdf:li><foaf:Person><foaf:surname>Exemple</foaf:surname><foaf:givenName>Chloé</foaf:givenName></foaf:Person></rdf:li>
        </rdf:Seq></bib:authors>
        <dc:subject><z:AutomaticTag><rdf:value>lamps</rdf:value></z:AutomaticTag></dc:subject>
        <dc:subject>stairs</dc:subject>
        <dc:title>A Lamp for Every Step</dc:title>
        <dcterms:abstract>We place a lamp on every step.</dcterms:abstract>
        <dc:date>2024-01-02</dc:date>
        <dc:identifier><dcterms:URI><rdf:value>http://arxiv.org/abs/2401.00001</rdf:value></dcterms:URI></dc:identifier>
        <dc:identifier>DOI 10.1000/lamp</dc:identifier>
        <dc:description>12 pages</dc:description>
    </bib:Article>
    <bib:Journal rdf:about="urn:issn:1234-5678">
        <dc:title>Journal of Invented Results</dc:title>
    </bib:Journal>
    <z:Attachment rdf:about="#item_3"><z:itemType>attachment</z:itemType><dc:title>Full text</dc:title></z:Attachment>
</rdf:RDF>
"""


def test_rdf() -> None:
    assert Zotero().recognises(RDF.encode(), "x.rdf")
    (found,) = read_all(Zotero(), RDF.encode())
    assert isinstance(found, Record)
    assert (found.title, found.authors) == ("A Lamp for Every Step", (ADA, CHLOE))
    assert found.identifiers == (arxiv("2401.00001"), doi("10.1000/lamp"))
    assert (found.submitted, found.venue) == (PartialDate(2024, 1, 2), "Journal of Invented Results")
    assert (found.keywords, found.comments) == (("lamps", "stairs"), "12 pages")


def test_rdf_of_others_is_not_ours() -> None:
    assert not Zotero().recognises(RDF.replace("www.zotero.org", "example.org").encode(), "x.rdf")


def test_rdf_that_is_cut_off_or_brings_entities_is_refused() -> None:
    with pytest.raises(Unreadable):
        read_all(Zotero(), RDF.encode()[:900])
    bomb = '<!DOCTYPE rdf:RDF [<!ENTITY a "aaaaaaaaaa">]>' + RDF.replace("A Lamp", "&a;")
    with pytest.raises(Unreadable):
        read_all(Zotero(), bomb.encode())
    for end in range(0, len(RDF), 97):
        check_bytes(Zotero(), RDF.encode()[:end])
