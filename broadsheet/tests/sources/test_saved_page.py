"""Saved Daily Papers pages: what is read from each item, which dates are known, and which files are refused."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import HEAD_BYTES, Unreadable
from broadsheet.sources.origins.saved_page import LARGEST_PAGE, LONGEST_LINE, LONGEST_TITLE, MOST_LINES, SavedPage
from broadsheet.testing.source_conformance import Sample, check_repeatable, check_statements, check_truncations

HEAD = """new

Get trending papers in your email inbox!

Subscribe

Daily Papers

byAK and the research community

Nov 3

"""
LAMP = "A Lamp for Every Step\n\nWe place a lamp on every step of a stair. Falls become rare.\n\n"
HARBOUR = "Harbours Without Water\n\nWe ask what is left of a harbour when the water goes. It is a long answer.\n\n"
LONG = "A sentence that makes a paragraph long enough for an abstract, with no stop at its end " * 8


def read(page: str | bytes, filename: str = "page.txt") -> list[Record | Rejected]:
    data = page.encode() if isinstance(page, str) else page
    return list(SavedPage().read(io.BytesIO(data), filename=filename))


def records(page: str) -> list[Record]:
    statements = read(page)
    assert not [said for said in statements if isinstance(said, Rejected)]
    return [said for said in statements if isinstance(said, Record)]


def refusal(page: str | bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(page)
    return caught.value.sentence


def test_an_item_is_a_title_and_an_abstract() -> None:
    lamp, harbour = records(HEAD + LAMP + HARBOUR)
    assert lamp.title == "A Lamp for Every Step"
    assert lamp.abstract == "We place a lamp on every step of a stair. Falls become rare."
    assert harbour.title == "Harbours Without Water"
    assert {lamp.source, harbour.source} == {"saved-page"}
    assert (lamp.author_count, lamp.submitted, lamp.announced, lamp.organization) == (None, None, None, "")


@pytest.mark.parametrize(
    ("foot", "count", "organization", "submitted"),
    [
        pytest.param("  • 6 authors\n·\nJun 1, 2020", 6, "", "2020-06-01", id="authors and day"),
        pytest.param("  • 5 authors\n·\nSep 10, 2024 2", 5, "", "2024-09-10", id="comments are left out"),
        pytest.param("  • 1 authors\n·\nNov 22, 2024 1.2k", 1, "", "2024-11-22", id="one author, many comments"),
        pytest.param("1 author\n·\nSept 2, 2024", 1, "", "2024-09-02", id="singular, no bullet, long month"),
        pytest.param("examplelab ExampleLab\n·\nJun 22, 2024 8", None, "ExampleLab", "2024-06-22", id="organisation"),
        pytest.param("lab The Lab of Examples\n·\nJun 22, 2024", None, "The Lab of Examples", "2024-06-22", id="in it"),
        pytest.param(
            "exl House of Lamps\n·\nJun 22, 2024", None, "exl House of Lamps", "2024-06-22", id="other handle"
        ),
        pytest.param("  • 3 authors", 3, "", None, id="no day"),
        pytest.param("·\nJun 22, 2024", None, "", "2024-06-22", id="only a day"),
        pytest.param("  • 3 authors\n\n·\n\nJun 22, 2024", 3, "", "2024-06-22", id="blank lines in between"),
    ],
)
def test_the_foot_of_an_item(foot: str, count: int | None, organization: str, submitted: str | None) -> None:
    lamp, _ = records(HEAD + LAMP + foot + "\n\n" + HARBOUR)
    day = submitted and PartialDate.parse(submitted)
    assert (lamp.author_count, lamp.organization, lamp.submitted) == (count, organization, day or None)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param(["Jun 1, 2020", "Jan 1"], ["2020-06-01", "2021-01-01"], id="the year after the only year"),
        pytest.param(["Jan 1", "Jun 1, 2020", "May 2, 2024"], ["2025-01-01", "2020-06-01", "2024-05-02"], id="latest"),
        pytest.param(["Feb 29", "Jun 1, 2023"], ["2024-02-29", "2023-06-01"], id="leap day"),
        pytest.param(["Jan 1", "Oct 3"], [None, None], id="no year anywhere: unknown, not guessed"),
    ],
)
def test_a_day_without_a_year_lies_in_the_year_of_the_page(days: list[str], expected: list[str | None]) -> None:
    items = "".join(f"Title {n}\n\nAbstract {n}.\n\n  • 2 authors\n·\n{day}\n\n" for n, day in enumerate(days))
    assert [said.submitted and str(said.submitted) for said in records(HEAD + items)] == expected


def test_a_year_in_the_head_of_the_page_counts_too() -> None:
    page = HEAD.replace("Nov 3", "Nov 3, 2019") + LAMP + "  • 2 authors\n·\nJan 1\n"
    assert records(page)[0].submitted == PartialDate(2020, 1, 1)


def test_a_wrong_year_costs_its_own_item_only() -> None:
    feet = ("Dec 31, 9999", "Jun 1, 2020", "Jan 1")
    items = "".join(f"Title {n}\n\nAbstract {n}.\n\n  • 2 authors\n·\n{day}\n\n" for n, day in enumerate(feet))
    wrong, *rest = read(HEAD + items)
    assert isinstance(wrong, Rejected)
    assert [str(said.submitted) for said in rest if isinstance(said, Record)] == ["2020-06-01", "2021-01-01"]


def test_the_date_of_the_page_is_no_date_of_its_items() -> None:
    (lamp,) = records(HEAD + LAMP)
    assert lamp.announced is None
    assert lamp.submitted is None


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        pytest.param("Feb 30, 2023", "day is out of range", id="no such day"),
        pytest.param("Feb 29", "day is out of range", id="no such day in the year of the page"),
        pytest.param("Feb 0, 2023", "it is not a date", id="day 0"),
        pytest.param("Foo 3, 2023", "it is not a date", id="no such month"),
        pytest.param("yesterday", "it is not a date", id="a word"),
        pytest.param("Dec 31, 9999", "must lie between 1600-01-01 and", id="a year at the end of time"),
        pytest.param("Dec 31, 1599", "must lie between 1600-01-01 and", id="before any paper"),
    ],
)
def test_an_item_with_a_wrong_date_is_rejected_and_the_rest_is_read(day: str, reason: str) -> None:
    rejected, harbour = read(HEAD + LAMP + f"  • 2 authors\n·\n{day}\n\n" + HARBOUR + "  • 1 authors\n·\nMay 2, 2024\n")
    assert isinstance(rejected, Rejected)
    assert rejected.position == "item 1, line 13"
    assert reason in rejected.reason
    assert day in rejected.reason
    assert rejected.excerpt == b"A Lamp for Every Step"
    assert isinstance(harbour, Record)


@pytest.mark.parametrize(
    ("body", "titles", "reasons"),
    [
        pytest.param(
            f"Lost Abstract\n\n{LAMP}{HARBOUR}",
            ["A Lamp for Every Step", "Harbours Without Water"],
            ["no abstract stands under this title"],
            id="a title whose abstract is lost",
        ),
        pytest.param(
            f"{LONG}\n\n{LAMP}{HARBOUR}",
            ["A Lamp for Every Step", "Harbours Without Water"],
            ["this paragraph stands under no title"],
            id="an abstract whose title is lost",
        ),
        pytest.param(
            f"  • 3 authors\n·\nMay 2, 2024\n\n{LAMP}  • 3 authors\n·\nMay 2, 2024\n",
            ["A Lamp for Every Step"],
            ["these lines about authors and date stand under no paper"],
            id="a foot without its item",
        ),
        pytest.param(
            f"Only a Title\n\n  • 3 authors\n·\nMay 2, 2024\n\n{LAMP}  • 3 authors\n·\nMay 2, 2024\n",
            ["Only a Title", "A Lamp for Every Step"],
            [],
            id="a paper without abstract is one when it has a foot",
        ),
        pytest.param(
            f"One\n\n{LONG}\n\n{LAMP}  • 3 authors\n·\nMay 2, 2024\n",
            ["One", "A Lamp for Every Step"],
            [],
            id="an item without a foot between others",
        ),
        pytest.param(
            f"{LAMP}  • 3 authors\n·\n\n{HARBOUR}  • 3 authors\n·\nMay 2, 2024\n",
            ["Harbours Without Water"],
            ['its date "" cannot be read: it is not a date'],
            id="nothing behind the dot",
        ),
    ],
)
def test_a_lost_paragraph_costs_one_item(body: str, titles: list[str], reasons: list[str]) -> None:
    statements = read(HEAD + body)
    assert [said.title for said in statements if isinstance(said, Record)] == titles
    assert [said.reason for said in statements if isinstance(said, Rejected)] == reasons


def test_an_abstract_beyond_all_measure_is_rejected() -> None:
    rejected, harbour = read(HEAD + "A Lamp\n\n" + "A line of an endless abstract.\n" * 10_000 + "\n" + HARBOUR)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "its abstract has more than 200,000 letters"
    assert isinstance(harbour, Record)


def test_a_paragraph_broken_into_lines_is_one_text() -> None:
    (lamp,) = records(
        HEAD + "A Lamp\nfor Every Step\n\nWe place a lamp.\nFalls become rare.\n  • 2 authors\n·\nMay 2, 2024"
    )
    assert (lamp.title, lamp.abstract) == ("A Lamp for Every Step", "We place a lamp. Falls become rare.")
    assert lamp.author_count == 2


PAGE = HEAD + LAMP + "  • 2 authors\n·\nMay 2, 2024 3\n\n" + HARBOUR + "examplelab ExampleLab\n·\nMay 2\n"


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(PAGE.replace("\n", "\r\n"), id="Windows line ends"),
        pytest.param(PAGE.replace("\n", "\r"), id="old Macintosh line ends"),
        pytest.param("\ufeff" + PAGE, id="byte order mark"),
        pytest.param(PAGE.replace("\n", "  \t\n"), id="trailing blanks"),
        pytest.param(PAGE.replace(" ", "\u00a0"), id="no-break blanks"),
        pytest.param(PAGE.replace("\n\n", "\n\n\n\n"), id="more blank lines"),
        pytest.param(PAGE.rstrip(), id="no line end at the end"),
        pytest.param(PAGE.replace("Daily Papers\n\n", ""), id="without the heading"),
        pytest.param(PAGE.replace("Nov 3\n\n", ""), id="without the page's date"),
        pytest.param(PAGE.replace("byAK and", "by\nAK\nand"), id="the credit on three lines"),
        pytest.param(PAGE[PAGE.index("byAK") :], id="only the credit at the top"),
    ],
)
def test_the_same_page_saved_in_another_way_says_the_same(variant: str) -> None:
    assert read(variant) == read(PAGE)


def test_the_key_of_an_item_is_what_it_says_and_nothing_else() -> None:
    """On another page, in another place, under another name: the same statement. With a date: one more."""
    (alone,) = records(HEAD + LAMP)
    _, behind = records("byAK and the research community\n\n" + HARBOUR + LAMP)
    (dated,) = records(HEAD + LAMP + "  • 2 authors\n·\nMay 2, 2024\n")
    assert alone.source_key == behind.source_key == "335d62f4f04feed3d26798e238b4ddb0"
    assert dated.source_key != alone.source_key


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        pytest.param(b"", "page.txt is empty. Save or download it again. Nothing was stored.", id="empty"),
        pytest.param(b" \r\n\n", "holds nothing but blanks", id="blank"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00", "is a picture", id="picture"),
        pytest.param(b"\x7fELF\x02\x01\x01" + bytes(9), "is a binary file: byte 7 is zero", id="binary"),
        pytest.param(PAGE.encode("utf-16"), "is text in UTF-16", id="UTF-16"),
        pytest.param(PAGE.encode("utf-16-be"), "is text in UTF-16", id="UTF-16 without a mark"),
        pytest.param(PAGE.encode("utf-32"), "is text in UTF-32", id="UTF-32"),
        pytest.param(
            (HEAD + LAMP.replace("stair", "Stiège")).encode("latin-1"),
            "is not UTF-8 text: byte 173 cannot be read. It looks like Latin-1 or Windows-1252.",
            id="Latin-1",
        ),
        pytest.param(
            (HEAD + "Ö" + LAMP).encode() + b"\xff\n" + HARBOUR.encode(), "the file is damaged there", id="damaged UTF-8"
        ),
        pytest.param(
            PAGE.encode()[: PAGE.encode().index("•".encode()) + 1], "in the middle of a letter", id="half a letter"
        ),
        pytest.param(b"x" * (LARGEST_PAGE + 1), "is larger than 32 MiB", id="too large"),
        pytest.param(HEAD + "\n" * MOST_LINES, "lines, unlike any saved page", id="too many lines"),
        pytest.param(HEAD + "a " * LONGEST_LINE, "has a line of 400,000 letters", id="too long a line"),
        pytest.param("<!doctype html><html><body>502 Bad Gateway</body></html>", "is a web page (HTML)", id="web page"),
        pytest.param("\n <HTML>\n<p>byAK and the research community", "is a web page (HTML)", id="web page, capitals"),
        pytest.param('<?xml version="1.0"?><feed/>', "is an XML file", id="XML"),
        pytest.param(HEAD, "has the head of a Daily Papers page but no papers under it", id="no papers"),
        pytest.param(LAMP + HARBOUR, "does not begin like a Daily Papers page", id="no head"),
        pytest.param(HEAD + LAMP + "Harbours Wit", "on line 17, has a title and nothing else", id="cut in a title"),
        pytest.param(HEAD + LAMP + HARBOUR[:-9], "the last abstract, on line 19, has no end", id="cut in an abstract"),
        pytest.param(HEAD + LAMP + "  • 3 auth", "a title and nothing else", id="cut in the authors"),
        pytest.param(HEAD + LAMP + "  • 3 authors\n·\n", "no whole date", id="cut behind the dot"),
        pytest.param(HEAD + LAMP + "  • 3 authors\n·\nAu", 'no whole date ("Au")', id="cut in the month"),
        pytest.param(HEAD + LAMP + "  • 3 authors\n·\nAug 9, 20", 'no whole date ("Aug 9, 20")', id="cut in the year"),
        pytest.param(PAGE + LAMP, "has no date, while the others have one", id="cut before the foot"),
        pytest.param(PAGE + LAMP + "  • 3 authors\n", "has no date, while the others have one", id="cut in the foot"),
    ],
)
def test_a_page_that_is_refused(page: str | bytes, sentence: str) -> None:
    said = refusal(page)
    assert sentence in said
    assert "Nothing was stored." in said


def test_a_last_abstract_may_end_with_an_address() -> None:
    page = HEAD + LAMP + "Harbours\n\nCode is at https://example.org/harbours"
    assert records(page)[1].abstract.endswith("harbours")


def test_a_name_in_a_sentence_is_short_and_on_one_line() -> None:
    with pytest.raises(Unreadable) as caught:
        read(b"", filename="a\nb\x1b[31m" + "c" * 300)
    assert caught.value.sentence.startswith("a?b?[31mccc")
    assert len(caught.value.sentence) < 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
def test_a_page_is_recognised_in_every_encoding_so_that_it_can_be_named(encoding: str) -> None:
    assert SavedPage().recognises((HEAD + LAMP).encode(encoding), "x")


def test_hostile_pages_take_little_time() -> None:
    """Repeated parts of the grammar, at the length where anything worse than linear would take minutes."""
    for part in ("•", "· ", "1 ", "Jan ", "a.", "(", "http://", "\n·\n", "1 authors\n", "\n\n·\nx\n\n"):
        statements = read(
            HEAD + LAMP + part * 20_000 + "\n\n" + LONG[:LONGEST_TITLE] + "\n\nEnd.\n\n1 authors\n·\nMay 2"
        )
        check_statements(SavedPage(), statements)


# --- the five real pages ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(shared_data: Path) -> dict[str, list[Record]]:
    """The records of the real pages by the first three letters of their names; none may be rejected."""
    found = {}
    for path in sorted((shared_data / "seeds").glob("*.txt")):
        statements = read(path.read_bytes(), path.name)
        found[path.name[:3]] = [said for said in statements if isinstance(said, Record)]
        assert len(found[path.name[:3]]) == len(statements)
    return found


def test_the_real_pages_have_312_items_of_273_papers(pages: dict[str, list[Record]]) -> None:
    assert {name: len(said) for name, said in pages.items()} == {"000": 42, "001": 67, "002": 73, "003": 73, "004": 57}
    everything = [said for page in pages.values() for said in page]
    assert len({said.title for said in everything}) == 273
    assert len({said.source_key for said in everything}) == 287


def test_only_page_003_prints_more_than_title_and_abstract(pages: dict[str, list[Record]]) -> None:
    for name, page in pages.items():
        counted = sum(said.author_count is not None for said in page)
        dated = sum(said.submitted is not None for said in page)
        organizations = [said.organization for said in page if said.organization]
        assert (counted, dated, len(organizations)) == ((71, 72, 1) if name == "003" else (0, 0, 0))
        assert all(said.abstract and said.title for said in page)


def test_the_organisation_of_page_003_stands_in_place_of_authors(pages: dict[str, list[Record]]) -> None:
    (said,) = [said for said in pages["003"] if said.organization]
    assert said.organization == "BigCode"
    assert said.author_count is None
    assert str(said.submitted) == "2024-06-22"


def test_one_item_of_page_003_has_nothing_but_title_and_abstract(pages: dict[str, list[Record]]) -> None:
    bare = [said for said in pages["003"] if said.submitted is None]
    assert len(bare) == 1
    assert (bare[0].author_count, bare[0].organization) == (None, "")
    assert bare[0].abstract.endswith(".")


def test_the_days_of_page_003(pages: dict[str, list[Record]]) -> None:
    years = Counter(said.submitted.year for said in pages["003"] if said.submitted)
    assert years == {
        2014: 1, 2016: 1, 2017: 1, 2020: 4, 2021: 4, 2022: 7, 2023: 19, 2024: 22, 2025: 13,
    }  # fmt: skip
    assert all(said.submitted.precision == 3 for said in pages["003"] if said.submitted)
    assert str(pages["003"][0].submitted) == "2020-06-01"
    assert str(pages["003"][13 - 1].submitted) == "2025-01-01"
    assert str(pages["003"][-1].submitted) == "2025-08-09"


def test_titles_and_abstracts_of_the_real_pages_are_not_mixed_up(pages: dict[str, list[Record]]) -> None:
    """On these pages every title is shorter than 170 letters and every abstract is longer than 1,380."""
    everything = [said for page in pages.values() for said in page]
    assert max(len(said.title) for said in everything) == 168
    assert min(len(said.abstract) for said in everything) == 1384


def test_the_real_pages_keep_the_laws(shared_data: Path) -> None:
    for path in sorted((shared_data / "seeds").glob("*.txt")):
        sample = Sample(path.name, path.read_bytes())
        assert SavedPage().recognises(sample.data[:HEAD_BYTES], "renamed")
        check_repeatable(SavedPage(), sample)
        if path.name[:3] != "003":
            check_truncations(SavedPage(), sample, pieces=40)


def test_most_cuts_through_a_real_page_are_noticed(shared_data: Path) -> None:
    """A cut right behind a sentence cannot be seen where items have no feet; behind a foot it can never be seen."""
    noticed = Counter[str]()
    for path in sorted((shared_data / "seeds").glob("*.txt")):
        data = path.read_bytes()
        for end in range(1, len(data), len(data) // 101):
            try:
                read(data[:end])
            except Unreadable:
                noticed[path.name[:3]] += 1
    assert min(noticed.values()) >= 98
