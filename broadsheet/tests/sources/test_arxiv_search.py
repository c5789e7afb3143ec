"""arXiv's search API: works by their identifiers, pages that come back empty, and errors in its own words."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.bibliography.record import Record, Rejected, Version
from broadsheet.fetching.answers import Answer, Declined
from broadsheet.sources.base import Page, Unreadable
from broadsheet.sources.origins.arxiv_search import BASE, BATCH, ArxivSearch
from broadsheet.testing.cast import arxiv, doi
from broadsheet.testing.harvest_conformance import FindConformance, Recorded
from broadsheet.testing.source_conformance import BUILT_IN_SAMPLES, SourceConformance, check_bytes, read_all

SAMPLE = BUILT_IN_SAMPLES["arxiv-search"].data
HEAD = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom">
<id>https://arxiv.org/api/x</id><title>arXiv Query</title>"""


def address(*names: str, start: int = 0) -> str:
    return f"{BASE}?id_list={','.join(names)}&start={start}&max_results={BATCH}"


def results(*names: str, total: int | None = None) -> bytes:
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/{name}v1</id><title>Meadows</title><summary>Grass.</summary>
<published>2026-11-18T20:15:00Z</published><updated>2026-11-18T20:15:00Z</updated><category term="cs.LG"/>
<author><name>Ada Example</name></author></entry>"""
        for name in names
    )
    count = len(names) if total is None else total
    return f"{HEAD}<opensearch:totalResults>{count}</opensearch:totalResults>{entries}</feed>".encode()


def error(said: str) -> bytes:
    return f"""{HEAD}<entry><id>https://arxiv.org/api/errors#x</id><title>Error</title><summary>{said}</summary>
</entry></feed>""".encode()


def find(client: Recorded, *names: str) -> list[Page]:
    return list(ArxivSearch().find(client, [arxiv(name) for name in names]))


def keys(pages: list[Page]) -> list[str]:
    return [item.source_key for page in pages for item in page.items if isinstance(item, Record)]


class TestArxivSearch(SourceConformance):
    source = ArxivSearch()
    sample = BUILT_IN_SAMPLES["arxiv-search"]


FOUND = {address("2611.00001", "math/0611800", "2611.99999"): results("math/0611800", "2611.00001")}


class TestFind(FindConformance):
    source = ArxivSearch()
    answers = FOUND
    identifiers = (arxiv("2611.00001"), arxiv("math/0611800"))
    absent = (arxiv("2611.99999"),)


def test_identifiers_are_asked_for_by_the_hundred() -> None:
    names = [f"2611.{number:05}" for number in range(1, 251)]
    batches = [names[:100], names[100:200], names[200:]]
    client = Recorded({address(*batch): results(*batch) for batch in batches})
    assert keys(find(client, *names)) == names
    assert [url.count("2611.") for url in client.asked] == [100, 100, 50]


def test_identifiers_of_others_are_not_asked_for() -> None:
    client = Recorded({})
    assert list(ArxivSearch().find(client, [doi("10.1000/harbour.7")])) == []
    assert client.asked == []


def test_an_empty_page_in_the_middle_is_asked_for_again() -> None:
    first, rest = address("2611.00001", "2611.00002"), address("2611.00001", "2611.00002", start=1)
    answers = {first: results("2611.00002", total=2), rest: results("2611.00001", total=2)}
    client = Recorded(answers, spoil=(1, lambda _: results(total=2)))
    assert keys(find(client, "2611.00001", "2611.00002")) == ["2611.00002", "2611.00001"]
    assert client.asked == [first, rest, rest]


def test_pages_that_stay_empty_are_given_up_with_a_warning() -> None:
    client = Recorded({address("2611.00001"): results(total=1)})
    pages = find(client, "2611.00001")
    assert len(client.asked) == 3
    assert pages[-1].warnings == ("arXiv's search API says that it has 1 of the works asked for, and gave 0.",)


def test_what_the_total_exaggerates_is_not_waited_for() -> None:
    assert len(find(Recorded({address("2611.00001"): results("2611.00001", total=30_000)}), "2611.00001")) == 1


def test_an_identifier_that_the_api_refuses_does_not_cost_the_others() -> None:
    answers = {
        address("2611.00001", "math/0611800"): error("incorrect id format for math/0611800"),
        address("2611.00001"): results("2611.00001"),
    }
    pages = find(Recorded(answers), "2611.00001", "math/0611800")
    assert keys(pages) == ["2611.00001"]
    assert isinstance(pages[0].items[0], Rejected)
    assert pages[0].items[0].reason == "the API says: incorrect id format for math/0611800"


class _Declining(Recorded):
    """Answers errors with status 400, as the API has done since 2026."""

    def _answer(self, *question: object) -> Answer:
        answer = super()._answer(*question)  # type: ignore[arg-type]  # passes everything on
        if b"api/errors" in answer.body or b"<html" in answer.body:
            raise Declined("arXiv takes the request for a wrong one.", status=400, body=answer.body)
        return answer


def test_an_error_may_come_with_a_status() -> None:
    with pytest.raises(Unreadable, match=r"answered with an error: unknown month\. Nothing was stored"):
        find(_Declining({address("2611.00001"): error("unknown month.")}), "2611.00001")


def test_a_refusal_in_other_words_stays_one() -> None:
    with pytest.raises(Declined):
        find(_Declining({address("2611.00001"): b"<html>Bad Request</html>"}), "2611.00001")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param("abs/2611.00001v1", "abs/", "it has no arXiv identifier", id="identifier"),
        pytest.param("Meadows", "", "it has no title", id="title"),
        pytest.param("2026-11-18T20", "2026-11-31T20", "day is out of range", id="date"),
    ],
)
def test_one_bad_entry_does_not_cost_the_others(old: str, new: str, reason: str) -> None:
    names = ("2611.00001", "2611.00002")
    data = results(*names).decode().replace(old, new, 1).encode()
    pages = find(Recorded({address(*names): data}), *names)
    assert keys(pages) == ["2611.00002"]
    assert reason in next(item.reason for item in pages[0].items if isinstance(item, Rejected))


def test_the_versions_between_the_first_and_the_one_shown_are_not_invented() -> None:
    first = next(said for said in read_all(ArxivSearch(), SAMPLE.replace(b"2611.00001v2<", b"2611.00001v7<")))
    assert isinstance(first, Record)
    assert first.versions == (Version(1, PartialDate(2026, 11, 2)), Version(7, PartialDate(2026, 11, 19)))


def test_new_fields_are_warned_of() -> None:
    strange = results("2611.00001").replace(b"<author>", b"<mood>glad</mood><author>")
    (page,) = find(Recorded({address("2611.00001"): strange}), "2611.00001")
    assert page.warnings == ("arXiv's search API sent fields that Broadsheet does not know: mood. They were left out.",)


def test_real_answers_are_read_whole(protocol: Path) -> None:
    accepted = errors = 0
    for path in sorted((protocol / "arxiv_api_atom").iterdir()):
        recorded = path.read_bytes()
        data = recorded if path.suffix == ".xml" else orjson.loads(recorded)["body"].encode()
        assert ArxivSearch().recognises(data[:65536], path.name)
        statements = check_bytes(ArxivSearch(), data)
        assert all(isinstance(said, Record) for said in statements)
        accepted += len(statements)
        errors += b"api/errors" in data
    assert (accepted, errors) == (226, 1)
