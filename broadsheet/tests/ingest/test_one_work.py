"""One work that several sources describe is one paper: with a record of each, listed once, its new versions no news."""

from __future__ import annotations

import itertools
import json
from datetime import date
from pathlib import Path

import pytest

from broadsheet.editions import actions as editions
from broadsheet.editions import queries as printed
from broadsheet.editions.rules import Kind
from broadsheet.ingest.actions import import_file
from broadsheet.papers import queries as papers
from broadsheet.papers.models import Paper

pytestmark = pytest.mark.django_db

TITLE = "A Lamp for Every Step: Light on Stairs at Night"
ABSTRACT = (
    "We place a lamp on every step of a stair and follow four hundred people who climb it at night. Falls become rare, "
    "and nobody asks for the lamps to be taken away. A second stair without lamps serves as the comparison."
)

OAI = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
  <responseDate>2026-11-21T03:41:07Z</responseDate>
  <request verb="ListRecords" metadataPrefix="arXivRaw" set="cs">http://oaipmh.arxiv.org/oai</request>
  <ListRecords><record>
    <header><identifier>oai:arXiv.org:2609.00001</identifier><datestamp>2026-11-20</datestamp>
      <setSpec>cs:cs:LG</setSpec><setSpec>cs:cs:HC</setSpec></header>
    <metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>2609.00001</id>
      <version version="v1"><date>Tue, 01 Sep 2026 09:00:00 GMT</date><size>9kb</size></version>
      {second}
      <title>{title}</title><authors>Ada Example, Chlo\\'e Exemple</authors>
      <categories>cs.LG cs.HC</categories><abstract>  {abstract}</abstract></arXivRaw></metadata>
  </record></ListRecords>
</OAI-PMH>
"""
SECOND = '<version version="v2"><date>Thu, 19 Nov 2026 01:30:00 GMT</date><size>9kb</size></version>'
ACL = """<?xml version='1.0' encoding='UTF-8'?>
<collection id="2026.example"><volume id="long" type="proceedings">
  <meta><booktitle>Proceedings of the Meeting on Lamps</booktitle><publisher>Example Press</publisher>
    <month>July</month><year>2026</year><url>2026.example-long</url></meta>
  <paper id="1"><title>A Lamp for Every Step: Light on Stairs at Night</title>
    <author><first>Ada</first><last>Example</last></author><author><first>Chloé</first><last>Exemple</last></author>
    <abstract>{abstract}</abstract><url>2026.example-long.1</url><bibkey>example-2026-lamp</bibkey></paper>
</volume></collection>
"""
PAGE = f"""new

Get trending papers in your email inbox!

Subscribe

Daily Papers

byAK and the research community

Sep 3

{TITLE}

{ABSTRACT}

  • 2 authors
·
Sep 1, 2026
"""


def forum() -> str:
    content = {
        "title": {"value": TITLE},
        "authors": {"value": ["Ada Example", "Chloé Exemple"]},
        "abstract": {"value": ABSTRACT},
        "venue": {"value": "Example 2026 Oral"},
        "venueid": {"value": "Example.cc/2026/Conference"},
    }
    note = {"id": "aLampForEv1", "forum": "aLampForEv1", "readers": ["everyone"], "number": 1, "content": content}
    return json.dumps({"notes": [{**note, "cdate": 1788000000000, "tcdate": 1788000000000}], "count": 1})


FILES = {
    "arxiv.xml": OAI.format(title=TITLE, abstract=ABSTRACT, second=""),
    "forum.json": forum(),
    "proceedings.xml": ACL.format(abstract=ABSTRACT),
    "page.txt": PAGE,
}
SOURCES = ["acl-anthology", "arxiv-oai", "openreview", "saved-page"]


def bring_in(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(FILES[name], encoding="utf-8")
        import_file(folder / name)


def the_paper() -> Paper:
    (row,) = Paper.objects.filter(merged_into=None)
    return row


def print_everything() -> None:
    while editions.publish_pending().more:
        pass


@pytest.mark.parametrize("order", list(itertools.permutations(FILES)), ids=" ".join)
def test_four_sources_of_one_work_are_one_paper_with_four_records(tmp_path: Path, order: tuple[str, ...]) -> None:
    bring_in(tmp_path, *order)
    detail = papers.detail(the_paper().id)
    assert detail is not None
    assert sorted(said.source for said in detail.statements) == SOURCES
    assert detail.paper.key == "2609.00001"
    assert {str(identifier) for identifier in detail.identifiers} == {
        "arxiv:2609.00001", "openreview:aLampForEv1", "acl:2026.example-long.1",
    }  # fmt: skip


def test_a_cross_listed_paper_appears_once_in_its_edition_and_in_both_sections(tmp_path: Path) -> None:
    bring_in(tmp_path, "arxiv.xml")
    print_everything()
    edition = printed.edition_of(Kind.MONTH, "2026-09")
    assert edition is not None
    assert [entry.paper_id for entry in printed.entries(edition)] == [the_paper().id]
    assert papers.in_section("cs.LG").ids == papers.in_section("cs.HC").ids == [the_paper().id]


def test_a_replacement_is_a_version_of_the_paper_and_no_news(tmp_path: Path) -> None:
    bring_in(tmp_path, "arxiv.xml")
    print_everything()
    before = {kind: [edition.label for edition in printed.archive(kind)] for kind in Kind}
    replaced = OAI.format(title=TITLE, abstract=ABSTRACT, second=SECOND)
    (tmp_path / "replaced.xml").write_text(replaced, encoding="utf-8")
    import_file(tmp_path / "replaced.xml")
    print_everything()
    detail = papers.detail(the_paper().id)
    assert detail is not None
    assert [(version.number, str(version.submitted)) for version in detail.versions] == [
        (1, "2026-09-01"), (2, "2026-11-19"),
    ]  # fmt: skip
    assert {kind: [edition.label for edition in printed.archive(kind)] for kind in Kind} == before
    assert printed.edition_of(Kind.DAY, date(2026, 11, 19).isoformat()) is None
