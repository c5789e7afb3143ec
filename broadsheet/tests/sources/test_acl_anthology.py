"""ACL Anthology: its XML, paper by paper, and collections that are asked for."""

from __future__ import annotations

import io
from typing import Any

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Refused
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.origins.acl_anthology import COLLECTIONS, AclAnthology
from broadsheet.testing.harvest_conformance import FindConformance, HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance

BOOK = "Proceedings of the 1st Meeting on Lamps"


def paper(number: str = "1", inside: str = "", title: str = "A Lamp for Every Step") -> str:
    return f'<paper id="{number}"><title>{title}</title>{inside}</paper>'


def collection(*papers: str, name: str = "2026.example", volume: str = "long", month: str = "July") -> bytes:
    meta = (
        f"<meta><booktitle>{BOOK}</booktitle><editor><first>Bela</first><last>Beispiel</last></editor>"
        f"<month>{month}</month><year>2026</year><venue>example</venue></meta>"
    )
    front = "<frontmatter><url>2026.example-long.0</url><bibkey>example-2026</bibkey></frontmatter>"
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<collection id=\"{name}\">\n"
        f'<volume id="{volume}" ingest-date="2026-07-01" type="proceedings">{meta}{front}\n'
        + "\n".join(papers)
        + "\n</volume>\n</collection>\n"
    ).encode()


FILE = f"{COLLECTIONS}/2026.example.xml"
OLD_FILE = f"{COLLECTIONS}/P19.xml"
ANSWERS = {FILE: collection(paper("1"), paper("2", title="Harbours Without Water"))}
OLD_ANSWERS = {OLD_FILE: collection(paper("1"), name="P19", volume="1")}


def acl(value: str) -> Identifier:
    return Identifier.from_str(f"acl:{value}")


def read(data: bytes) -> list[Record | Rejected]:
    return list(AclAnthology().read(io.BytesIO(data), filename="2026.example.xml"))


def record(inside: str = "", **changed: Any) -> Record:
    (said,) = read(collection(paper(inside=inside, **changed)))
    assert isinstance(said, Record), said
    return said


def harvest(answers: dict[str, bytes]) -> Page:
    (page,) = AclAnthology().pages(Recorded(answers), set_name="2026.example", cursor="", since=None)
    return page


class TestAclAnthologyFiles(SourceConformance):
    source = AclAnthology()
    sample = BUILT_IN_SAMPLES["acl-anthology"]


class TestAclAnthologyHarvest(HarvestConformance):
    source = AclAnthology()
    answers = ANSWERS
    set_name = "2026.example"


class TestAclAnthologyLookUp(FindConformance):
    source = AclAnthology()
    answers = ANSWERS | OLD_ANSWERS
    identifiers = (acl("2026.example-long.2"), acl("P19-1001"))
    absent = (acl("2026.example-long.9"), acl("2025.nowhere-1.1"), Identifier.from_str("pmlr:v1/nobody07a"))


def test_a_paper_becomes_a_record() -> None:
    said = record(
        "<author><first>Ada</first><last>Van Example</last><affiliation>Example Lab</affiliation></author>"
        "<author><last>Primer</last></author><editor><first>Bela</first><last>Beispiel</last></editor>"
        "<abstract>We place a lamp on every step.</abstract><url>2026.example-long.1</url>"
        "<doi>10.1000/2026.Example-long.1</doi><award>Best Lamp</award>"
        '<pwccode url="https://github.com/example/lamp" additional="false">example/lamp</pwccode>'
    )
    assert said == Record(
        source="acl-anthology",
        source_key="2026.example-long.1",
        title="A Lamp for Every Step",
        abstract="We place a lamp on every step.",
        authors=("Van Example, Ada", "Primer"),
        identifiers=(acl("2026.example-long.1"), Identifier.from_str("doi:10.1000/2026.example-long.1")),
        submitted=PartialDate(2026, 7),
        venue=BOOK,
        code_url="https://github.com/example/lamp",
    )


@pytest.mark.parametrize(
    ("written", "title"),
    [
        pytest.param(
            "<fixed-case>LAMP</fixed-case>s in <fixed-case>P</fixed-case>aris", "LAMPs in Paris", id="capitals"
        ),
        pytest.param("The <tex-math>\\ell_2</tex-math> Norm", r"The $\ell_2$ Norm", id="mathematics"),
        pytest.param("Lamps for $2 or <i>less</i>", r"Lamps for \$2 or less", id="a dollar and a style"),
        pytest.param("<b><fixed-case>L</fixed-case>a<i>m</i>p</b>s", "Lamps", id="styles inside each other"),
        pytest.param("A\n      Lamp", "A Lamp", id="line ends"),
        pytest.param("A &lt;b&gt; &amp; C", "A <b> & C", id="signs that are text"),
    ],
)
def test_titles_keep_their_capitals_and_mathematics(written: str, title: str) -> None:
    assert record(title=written).title == title


def test_new_markup_keeps_its_text_and_is_reported() -> None:
    page = harvest({FILE: collection(paper(title="A <glow>Lamp</glow>"), paper("2", "<colour>red</colour>"))})
    assert isinstance(page.items[0], Record)
    assert page.items[0].title == "A Lamp"
    assert page.warnings == (
        "The markup <glow> is new; its text was taken.",
        'The field "colour" is new and was not read.',
    )


@pytest.mark.parametrize(
    ("name", "volume", "number", "value"),
    [
        pytest.param("2026.example", "long", "12", "2026.example-long.12", id="since 2020"),
        pytest.param("P19", "1", "1", "P19-1001", id="until 2019"),
        pytest.param("W19", "44", "1", "W19-4401", id="a workshop"),
        pytest.param("D19", "1", "10", "D19-1010", id="D19"),
        pytest.param("D19", "52", "10", "D19-5210", id="workshops of D19"),
        pytest.param("C69", "1", "2", "C69-0102", id="C69"),
    ],
)
def test_the_identifier_is_made_of_collection_volume_and_paper(name: str, volume: str, number: str, value: str) -> None:
    (said,) = read(collection(paper(number), name=name, volume=volume))
    assert isinstance(said, Record)
    assert said.identifiers == (acl(value),)


@pytest.mark.parametrize(
    ("month", "day"),
    [
        pytest.param("July", PartialDate(2026, 7), id="a month"),
        pytest.param("July-August", PartialDate(2026, 7), id="two months"),
        pytest.param("Sept 2-4", PartialDate(2026, 9), id="a month and days"),
        pytest.param("Summer", PartialDate(2026), id="a season"),
        pytest.param("", PartialDate(2026), id="none"),
    ],
)
def test_the_date_is_the_volume_s(month: str, day: PartialDate) -> None:
    (said,) = read(collection(paper(), month=month))
    assert isinstance(said, Record)
    assert said.submitted == day


def test_revisions_are_versions() -> None:
    said = record(
        '<revision id="1" href="x"/><revision id="2" href="y" date="2026-09-09">Minor.</revision>'
        '<revision id="last" href="z"/>'
    )
    assert said.versions == (Version(1), Version(2, PartialDate(2026, 9, 9)))
    assert said.updated == PartialDate(2026, 9, 9)


def test_a_retraction_is_a_remark() -> None:
    assert (
        record('<retracted date="2026-10-01">A wrong lamp.</retracted>').comments
        == "Retracted 2026-10-01: A wrong lamp."
    )
    assert record("<retracted/>").comments == "Retracted"


def test_a_paper_that_was_removed_is_deleted() -> None:
    page = harvest({FILE: collection(paper(), paper("2", '<removed date="2026-10-01">Copied.</removed>'))})
    assert page.deleted == (acl("2026.example-long.2"),)
    assert len(page.items) == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param('<paper id="1"></paper>', "the title is blank", id="no title"),
        pytest.param("<paper><title>A Lamp</title></paper>", "makes no identifier", id="no number"),
        pytest.param(paper("../1"), "makes no identifier", id="no number at all"),
        pytest.param(paper(title="A <b>Lamp"), "not well-formed XML", id="broken"),
    ],
)
def test_a_bad_paper_is_rejected_alone(bad: str, reason: str) -> None:
    others = [paper(str(number), f"<url>2026.example-long.{number}</url>") for number in range(2, 40)]
    first, *rest = read(collection(bad, *others))
    assert isinstance(first, Rejected)
    assert reason in first.reason
    assert len([one for one in rest if isinstance(one, Record)]) == 38


def test_beside_a_broken_paper_the_others_are_known_by_their_address_and_the_file_is_asked_for_again() -> None:
    others = [paper(str(number), f"<url>2026.example-long.{number}</url>") for number in range(2, 40)]
    client = Recorded({FILE: collection(paper(title="A <b>Lamp"), *others)})
    (page,) = AclAnthology().pages(client, set_name="2026.example", cursor="", since=None)
    assert {one.source_key for one in page.items if isinstance(one, Record)} == {
        f"2026.example-long.{number}" for number in range(2, 40)
    }
    assert client.remembered == set()


def test_a_file_that_did_not_change_is_not_read_again() -> None:
    client = Recorded(ANSWERS)
    for expected in (2, 0):
        (page,) = AclAnthology().pages(client, set_name="2026.example", cursor="", since=None)
        assert len(page.items) == expected


@pytest.mark.parametrize("set_name", ["", "acl", "2024.ACL", "../2024.acl", "P2019"])
def test_only_collections_are_sets(set_name: str) -> None:
    with pytest.raises(Refused, match="collection by collection"):
        list(AclAnthology().pages(Recorded({}), set_name=set_name, cursor="", since=None))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<feed></feed>", id="other XML"),
        pytest.param(b'<collection id="x"></collection>', id="a collection of something else"),
        pytest.param(b'<!DOCTYPE c [<!ENTITY e "x">]><collection id="P19"></collection>', id="entities"),
    ],
)
def test_what_is_no_collection_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="Nothing was stored"):
        read(data)
