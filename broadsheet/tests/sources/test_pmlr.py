"""Proceedings of Machine Learning Research: a volume's bibliography, its page, and what comes of both together."""

from __future__ import annotations

import io

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.identifiers import Identifier
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.fetching.answers import Refused
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.origins.pmlr import SITE, Pmlr
from broadsheet.testing.harvest_conformance import FindConformance, HarvestConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, Sample, SourceConformance, check_bytes

BOOK = "Proceedings of the 1st Conference on Lamps"


def entry(
    name: str, title: str = "A {L}amp for Every Step", author: str = "Example, Ada and Exemple, Chlo{\\'e}"
) -> str:
    """An entry with the layout of the site."""
    return f"""@InProceedings{{pmlr-v999-{name},
  title = \t {{{title}}},
  author =       {{{author}}},
  booktitle = \t {{{BOOK}}},
  pages = \t {{1--9}},
  year = \t {{2026}},
  editor = \t {{Beispiel, Bela}},
  volume = \t {{999}},
  series = \t {{Proceedings of Machine Learning Research}},
  month = \t {{21--27 Jul}},
  publisher =    {{PMLR}},
  url = \t {{{SITE}/v999/{name}.html}},
  abstract = \t {{We place $n$ lamps; 50\\% glow.}}
}}
"""


def bibliography(*entries: str) -> bytes:
    head = "\n\n\n@Proceedings{LAMPS2026,\n  title =     {Proceedings},\n  volume =    999\n}\n\n"
    return (head + "\n".join(entries)).encode()


def paper(name: str, openreview: str = "", title: str = "A Lamp for Every Step") -> str:
    forum = f'[<a href="https://openreview.net/forum?id={openreview}">OpenReview</a>]' if openreview else ""
    return f"""<div class="paper">
  <p class="title">{title}</p>
  <p class="details">
    <span class="authors">Ada Example,&nbsp;Chloé Exemple</span>;
    <span class="info"><i>{BOOK}</i>, PMLR 999:1-9</span>
  </p>
  <p class="links">[<a href="{SITE}/v999/{name}.html">abs</a>]{forum}</p>
</div>
"""


def page(*papers: str) -> bytes:
    heading = "<h2>Volume 999: Conference on Lamps, 21-27 July 2026, Harbour</h2>"
    return f"<!DOCTYPE html><html><head></head><body>{heading}{''.join(papers)}</body></html>".encode()


BIB, LIST = f"{SITE}/v999/assets/bib/bibliography.bib", f"{SITE}/v999/"
ANSWERS = {
    BIB: bibliography(entry("example26a"), entry("primer26a", "Meadows", "Van Primer, Ada")),
    LIST: page(paper("example26a", "aLampForEv1"), paper("primer26a")),
}


def pmlr(name: str) -> Identifier:
    return Identifier.from_str(f"pmlr:v999/{name}")


def read(data: bytes) -> list[Record | Rejected]:
    return list(Pmlr().read(io.BytesIO(data), filename="volume"))


def harvest(answers: dict[str, bytes], client: Recorded | None = None) -> list[Page]:
    return list(Pmlr().pages(client or Recorded(answers), set_name="v999", cursor="", since=None))


class TestPmlrPages(SourceConformance):
    source = Pmlr()
    sample = BUILT_IN_SAMPLES["pmlr"]


class TestPmlrBibliographies(SourceConformance):
    source = Pmlr()
    sample = Sample("bibliography.bib", ANSWERS[BIB])


class TestPmlrHarvest(HarvestConformance):
    source = Pmlr()
    answers = ANSWERS
    set_name = "v999"


class TestPmlrLookUp(FindConformance):
    source = Pmlr()
    answers = ANSWERS
    identifiers = (pmlr("example26a"),)
    absent = (pmlr("nobody26a"), Identifier.from_str("pmlr:v1/nobody07a"), Identifier.from_str("acl:P19-1001"))


def test_an_entry_and_its_line_on_the_page_become_one_record() -> None:
    (found,) = harvest(ANSWERS)
    assert found.items[0] == Record(
        source="pmlr",
        source_key="v999/example26a",
        title="A Lamp for Every Step",
        abstract="We place $n$ lamps; 50% glow.",
        authors=("Ada Example", "Chloé Exemple"),
        identifiers=(pmlr("example26a"), Identifier.from_str("openreview:aLampForEv1")),
        submitted=PartialDate(2026, 7),
        venue=BOOK,
    )
    assert found.total == 2
    assert found.warnings == ()


def test_a_family_name_of_two_words_stays_one() -> None:
    (found,) = harvest(ANSWERS)
    assert isinstance(found.items[1], Record)
    assert found.items[1].authors == ("Van Primer, Ada",)


def test_the_page_alone_gives_what_it_prints() -> None:
    (said,) = read(page(paper("example26a", "aLampForEv1")))
    assert isinstance(said, Record)
    assert said.title == "A Lamp for Every Step"
    assert said.authors == ("Ada Example", "Chloé Exemple")
    assert said.venue == BOOK
    assert said.submitted == PartialDate(2026)
    assert said.abstract == ""


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        pytest.param(
            {BIB: bibliography(entry("primer26a"))},
            "Papers on the volume's page that its bibliography lacks: 1.",
            id="a paper that only the page has",
        ),
        pytest.param(
            {LIST: page(paper("example26a", "aLampForEv1"))},
            "Papers in the volume's bibliography that its page lacks: 1.",
            id="a paper that only the bibliography has",
        ),
    ],
)
def test_a_paper_that_one_form_lacks_is_kept_and_both_are_asked_for_again(
    changed: dict[str, bytes], warning: str
) -> None:
    client = Recorded(ANSWERS | changed)
    (found,) = harvest({}, client)
    assert sorted(one.source_key for one in found.items if isinstance(one, Record)) == [
        "v999/example26a",
        "v999/primer26a",
    ]
    assert found.warnings == (warning,)
    assert client.remembered == set()


def test_a_volume_that_did_not_change_is_not_read_again() -> None:
    client = Recorded(ANSWERS)
    harvest({}, client)
    (second,) = harvest({}, client)
    assert second == Page()
    assert client.asked == [BIB, LIST, BIB]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(bibliography(entry("a").replace("v999", "1")), "its key is 'pmlr-1-a'", id="no name"),
        pytest.param(bibliography(entry("example26a", title="")), "it has no title", id="no title"),
        pytest.param(bibliography(entry("example26a", title="L" * 3000)), "more than 2,000 letters", id="too long"),
        pytest.param(page(paper("", "aLampForEv1")), "no link to its page", id="no link"),
        pytest.param(page(paper("example26a", title="")), "the title is blank", id="no title on the page"),
    ],
)
def test_a_bad_item_is_rejected_alone(data: bytes, reason: str) -> None:
    good = entry("good26a") if data.lstrip().startswith(b"@") else paper("good26a")
    whole = data + good.encode() if b"<body>" not in data else data.replace(b"</body>", good.encode() + b"</body>")
    first, second = read(whole)
    assert isinstance(first, Rejected)
    assert reason in first.reason
    assert isinstance(second, Record)
    check_bytes(Pmlr(), whole)


@pytest.mark.parametrize("end", ["  pages = \t {1--9},", "  publisher =    {PMLR},\n", "{50\\% gl"])
def test_a_bibliography_that_is_cut_off_is_refused(end: str) -> None:
    whole = ANSWERS[BIB]
    cut = whole[: whole.rindex(end.encode()[-5:]) + 5]
    with pytest.raises(Unreadable, match="is cut off"):
        read(cut)


def test_a_file_without_papers_is_refused() -> None:
    with pytest.raises(Unreadable, match="holds no papers"):
        read(page())
    with pytest.raises(Unreadable, match="holds no papers"):
        read(bibliography())


@pytest.mark.parametrize("set_name", ["", "235", "V235", "v235/..", "v0"])
def test_only_volumes_are_sets(set_name: str) -> None:
    with pytest.raises(Refused, match="volume by volume"):
        list(Pmlr().pages(Recorded({}), set_name=set_name, cursor="", since=None))
