"""What the interface says of papers, editions, searches, authors, sections and itself."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadsheet.bibliography.record import Record
from broadsheet.evidence.tasks import refresh_index
from broadsheet.ingest.rules import Line, State
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.papers.actions import merge_papers
from broadsheet.testing.cast import ADA, BELA, HARBOUR, LANTERN, MEADOW, arxiv, doi, said
from broadsheet.web.api.shapes import Paper, WholePaper

DAY = LANTERN.announced


def works(count: int, *, first: int = 0, day: date = date(2024, 3, 1)) -> list[Record]:
    """Papers of one day, with two authors, code, and an identifier each."""
    return [
        said(
            f"Work {n} on lamps",
            key=f"work {n}",
            abstract="A lamp for every step.",
            authors=(ADA, BELA),
            identifiers=(arxiv(f"2403.{n:05}"), doi(f"10.1000/work.{n}")),
            announced=day,
            categories=("cs.LG",),
        )
        for n in range(first, first + count)
    ]


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item.get("paper", item)["id"] for item in answer.json()["items"]]


def walked(get, address: str) -> list[list[str]]:
    """The identifiers of every page of a list, by the addresses that the pages name."""
    pages = []
    while address:
        answer = get(address.removeprefix("http://localhost"))
        pages.append(ids(answer))
        address = answer.json()["next"]
        assert answer.headers.get("Link") == (f'<{address}>; rel="next"' if address else None)
    return pages


# --- One paper -------------------------------------------------------------------------------------------------------


def test_a_paper_has_every_field_and_what_is_not_known_is_null(cast, get) -> None:
    said_ = get("/api/v1/papers/2401.00001").json()
    assert set(said_) == set(WholePaper.model_fields)
    assert said_["abstract"] == LANTERN.abstract
    assert said_["announced"] == "2024-01-02"
    assert said_["submitted"] == "2023-12-29"
    assert (said_["venue"], said_["updated"], said_["license"]) == (None, None, None)
    assert said_["identifiers"] == ["arxiv:2401.00001"]
    assert [each["edition"]["label"] for each in said_["editions"]] == ["2024-01", "2024-W01", "2024-01-02"]
    assert said_["editions"][0]["place"]["reasons"] == ["code is available"]


@pytest.mark.parametrize(
    "spelling",
    [
        "arXiv:2401.00002",
        "2401.00002v3",
        "doi:10.1000/harbour.7",
        "https://arxiv.org/abs/2401.00002",
        "10.1000/HARBOUR.7",
    ],
)
@pytest.mark.parametrize("about", ["", "/statements", "/related"])
def test_another_spelling_leads_to_the_papers_own_address(cast, get, spelling: str, about: str) -> None:
    answer = get(f"/api/v1/papers/{spelling}{about}" + ("" if about == "/statements" else "?fields=title,id"))
    assert answer.status_code == 302
    query = "" if about == "/statements" else "?fields=title%2Cid"
    assert answer.headers["Location"] == f"http://localhost/api/v1/papers/2401.00002{about}{query}"
    assert get(answer.headers["Location"].removeprefix("http://localhost")).status_code == 200


def test_an_old_identifier_keeps_its_slash_escaped_or_not(cast, get) -> None:
    plain, escaped = get("/api/v1/papers/math/0611800"), get("/api/v1/papers/math%2F0611800")
    assert plain.status_code == escaped.status_code == 200
    assert plain.json() == escaped.json()


def test_a_merged_paper_leads_to_the_one_that_it_is_now(cast, get) -> None:
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="The same work.")
    assert get("/api/v1/papers/2401.00002").headers["Location"].endswith("/api/v1/papers/2401.00001")
    said_ = get("/api/v1/papers/2401.00001").json()
    assert said_["merged_from"] == ["2401.00002"]
    assert "doi:10.1000/harbour.7" in said_["identifiers"]
    assert len(get("/api/v1/papers/2401.00001/statements").json()["items"]) == 2


def test_a_statement_is_what_the_source_said_word_for_word(cast, get) -> None:
    items = get("/api/v1/papers/2401.00002/statements").json()["items"]
    assert [(each["source"], each["key"]) for each in items] == [("testimony", "harbour")]
    assert items[0]["said"]["title"] == HARBOUR.title
    assert items[0]["said"]["identifiers"] == ["arxiv:2401.00002", "doi:10.1000/harbour.7"]


def test_related_papers_need_a_model_and_the_answer_says_so(cast, get) -> None:
    said_ = get("/api/v1/papers/2401.00001/related").json()
    assert (said_["items"], said_["remarks"]) == ([], ["No model is set, so nothing is near in meaning."])


def test_related_papers_come_nearest_first(cast, get, monkeypatch: pytest.MonkeyPatch) -> None:
    from broadsheet.search.index import Embedding, Hit
    from broadsheet.web.api import search

    near = [papers.find("math/0611800").id, papers.find("2401.00002").id, 10**9]

    class Engine:
        def related(self, _pk: int, *, limit: int) -> list[Hit]:
            return [Hit(pk, 0.9 - place / 10) for place, pk in enumerate(near)][:limit]

        def embedding(self) -> Embedding:
            return Embedding(model="a model")

    monkeypatch.setattr(search, "index", Engine)
    answer = get("/api/v1/papers/2401.00001/related?fields=id")
    assert ids(answer) == ["math/0611800", "2401.00002"]
    assert [item["similarity"] for item in answer.json()["items"]] == [0.9, 0.8]
    assert ids(get("/api/v1/papers/2401.00001/related?limit=1")) == ["math/0611800"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param("fields=title", {"id", "title"}, id="the key is always there"),
        pytest.param("fields=id", {"id"}, id="nothing but the key"),
        pytest.param("fields=title,title", {"id", "title"}, id="said twice"),
        pytest.param("fields=authors,title", {"id", "title", "authors"}, id="in any order"),
        pytest.param("", set(Paper.model_fields), id="nothing said: everything"),
    ],
)
@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/papers",
        "/api/v1/search?q=lamp+gradient",
        "/api/v1/editions/2024-01-02",
        "/api/v1/sections/cs.LG",
        "/api/v1/authors/ada-example",
    ],
)
def test_of_papers_in_lists_only_the_named_fields_are_told(
    cast, get, address: str, fields: str, told: set[str]
) -> None:
    answer = get(f"{address}{'&' if '?' in address else '?'}{fields}")
    assert {frozenset(item.get("paper", item)) for item in answer.json()["items"]} == {frozenset(told)}


# --- Lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/papers",
        "/api/v1/editions/2024-03-01",
        "/api/v1/sections/cs.LG",
        "/api/v1/authors/ada-example",
        "/api/v1/search?q=lamps",
        "/api/v1/search?q=",
    ],
)
def test_the_pages_of_a_list_together_have_every_paper_once(press, get, address: str) -> None:
    press(works(7))
    whole = ids(get(address))
    assert len(set(whole)) == 7
    for limit in (1, 3, 7):
        pages = walked(get, f"{address}{'&' if '?' in address else '?'}limit={limit}&fields=id")
        assert [paper for page in pages for paper in page] == whole
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert get(address).json()["total"] == 7


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param("", ["2401.00001", "2401.00002", "math/0611800"], id="the newest first"),
        pytest.param("category=cs.LG", ["2401.00001", "2401.00002"], id="a category"),
        pytest.param("category=math", ["2401.00001", "math/0611800"], id="an archive"),
        pytest.param("author=Ada Example", ["2401.00001", "math/0611800"], id="an author"),
        pytest.param("since=2024-01-01", ["2401.00001", "2401.00002"], id="since"),
        pytest.param("until=2023-12-31", ["math/0611800"], id="until"),
        pytest.param("code=true", ["2401.00001"], id="with code"),
        pytest.param("code=0&author=Ada Example", ["math/0611800"], id="two filters narrow"),
        pytest.param("venue=Nowhere", [], id="nothing"),
        pytest.param("author=%22!?\\", [], id="what no name has"),
        pytest.param("since=2025-01-01&until=2024-01-01", [], id="the wrong way round"),
    ],
)
def test_the_list_of_papers_passes_every_filter(cast, get, filters: str, found: list[str]) -> None:
    assert sorted(ids(get(f"/api/v1/papers?{filters}"))) == sorted(found)


def test_editions_are_listed_the_latest_first(press, get) -> None:
    press([*works(2), LANTERN, MEADOW])
    days = get("/api/v1/editions?limit=1").json()
    assert [each["label"] for each in days["items"]] == ["2024-03-01"]
    assert days["items"][0]["verdict"]["state"] == "unverified"
    following = get(days["next"].removeprefix("http://localhost")).json()
    assert ([each["label"] for each in following["items"]], following["next"]) == (["2024-01-02"], None)
    months = get("/api/v1/editions?kind=month").json()["items"]
    assert [(each["label"], each["size"], each["verdict"]) for each in months][:2] == [
        ("2024-03", 2, None),
        ("2024-01", 1, None),
    ]


def test_an_edition_has_its_ranks_reasons_neighbours_and_audit(cast, get) -> None:
    said_ = get("/api/v1/editions/2024-01-02?fields=id").json()
    assert [(item["rank"], item["paper"]["id"], item["reasons"]) for item in said_["items"]] == [
        (1, "2401.00001", ["code is available"]),
        (2, "2401.00002", []),
    ]
    assert said_["edition"]["basis"] == {"announced": 2, "submitted": 0, "month": 0, "shipped": 0}
    assert said_["audit"]["state"] == "complete"
    assert said_["audit"]["line"].startswith("Complete: 2 of 2 announced by arXiv in cs")
    assert said_["audit"]["sections"] == [
        {"announcer": "arxiv", "section": "cs", "announced": 2, "how": "listing total", "held": 2, "missing": []}
    ]
    assert (said_["before"], said_["after"]) == (None, None)


def test_the_audit_of_a_week_tells_of_its_days(cast, get) -> None:
    days = get("/api/v1/editions/2024-W01").json()["audit"]["days"]
    assert [(each["day"], each["state"], each["edition"]["label"]) for each in days] == [
        ("2024-01-02", "complete", "2024-01-02")
    ]


def test_the_words_of_an_audit_have_plain_blanks(press, check, get) -> None:
    press([LANTERN])
    check(DAY, State.INCOMPLETE, Line("arxiv", "cs", 12_000, "listing total", 11_000), reason="Some are missing.")
    text = get("/api/v1/editions/2024-01-02").content.decode()
    assert "\u00a0" not in text
    assert "\u202f" not in text


def test_the_latest_edition_has_an_address_of_its_own(cast, get) -> None:
    answer = get("/api/v1/editions/latest?limit=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "http://localhost/api/v1/editions/2024-01-02?limit=1"


def test_a_day_without_an_edition_says_why(cast, get) -> None:
    assert "Saturday" in get("/api/v1/editions/2024-01-06").json()["detail"]


def test_the_last_days_are_told_whether_there_was_an_edition_or_not(cast, get) -> None:
    items = get("/api/v1/audit?days=7").json()["items"]
    days = [each["day"] for each in items]
    assert len(days) == 7
    assert days == sorted(days, reverse=True)
    assert {each["edition"] for each in items} == {None}


# --- Search ----------------------------------------------------------------------------------------------------------


def test_a_search_tells_how_it_was_read_counted_and_corrected(press, get) -> None:
    press([*works(3), LANTERN, MEADOW])
    said_ = get('/api/v1/search?q=lamp "every step" year:2024 -survey topic:x&facets=year,category').json()
    assert said_["filters"]["phrases"] == ["every step"]
    assert said_["filters"]["since"] == "2024-01-01"
    assert said_["filters"]["without"] == ["survey"]
    assert said_["filters"]["unread"] == ["topic:x"]
    assert [each["facet"] for each in said_["facets"]] == ["year", "category"]
    assert said_["total"] == 3
    assert any("topic:x" in remark for remark in said_["remarks"])
    corrected = get("/api/v1/search?q=gradiemt").json()
    assert corrected["corrections"] == [{"typed": "gradiemt", "searched": "gradient"}]
    assert corrected["total"] == 1


def test_what_was_found_is_marked_as_spans_of_plain_text(cast, get) -> None:
    hit = get("/api/v1/search?q=gradient+norms").json()["items"][0]
    title = hit["highlight"]["title"]
    assert [title["text"][begin:end] for begin, end in title["spans"]] == ["Gradient", "Norms"]
    assert "<" not in title["text"]
    text = hit["highlight"]["text"]
    assert [text["text"][begin:end] for begin, end in text["spans"]] == ["norm", "gradient"]
    assert not text["cut_before"]


def test_a_long_text_is_cut_around_what_was_found(press, get) -> None:
    press([said("Long", key="long", identifiers=(arxiv("2403.00001"),), abstract="Nothing here. " * 60 + "A zebra. " + "Nor here. " * 60)])  # fmt: skip  # noqa: E501  one text
    text = get("/api/v1/search?q=zebra").json()["items"][0]["highlight"]["text"]
    assert [text["text"][begin:end] for begin, end in text["spans"]] == ["zebra"]
    assert text["cut_before"]
    assert text["cut_after"]
    assert len(text["text"]) <= 330


def test_scores_are_explained_when_that_is_asked_for(press, get) -> None:
    press(works(12))
    said_ = get("/api/v1/search?q=lamps&explain=1&limit=50").json()
    assert len(said_["items"]) == 10
    for item in said_["items"]:
        assert item["explanation"]["value"] == pytest.approx(item["score"], rel=1e-3)
        assert item["explanation"]["details"]
    assert "explanation" not in get("/api/v1/search?q=lamps").json()["items"][0]


def test_what_the_index_has_and_the_database_has_not_is_left_out(cast, get) -> None:
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="The same work.")
    assert ids(get("/api/v1/search?q=bridges+gradient")) == ["2401.00001"]
    index = tasks.open_index()
    try:
        refresh_index(index)
    finally:
        index.close()
    assert ids(get("/api/v1/papers?author=Ada Example")) == ["2401.00001", "math/0611800"]


def test_the_order_can_be_asked_for_beside_the_words(press, get) -> None:
    press([*works(1), *works(1, first=1, day=date(2024, 3, 4))])
    assert get("/api/v1/search?q=lamps&sort=newest").json()["sort"] == "newest"
    assert ids(get("/api/v1/search?q=lamps&sort=newest")) == ["2403.00001", "2403.00000"]
    assert get("/api/v1/search?q=lamps+sort:newest").json()["sort"] == "newest"


# --- Authors, sections, the instance ---------------------------------------------------------------------------------


def test_an_author_and_a_section_have_their_names(cast, get) -> None:
    author = get("/api/v1/authors/chloe-exemple").json()
    assert (author["name"], author["total"]) == ("Chloé Exemple", 1)
    section = get("/api/v1/sections/math.ST").json()
    assert section["section"]["name"] == "Statistics Theory"
    assert get("/api/v1/sections").json()["items"][0]["slug"] == "cs.LG"


def test_the_status_counts_what_is_here(cast, get) -> None:
    said_ = get("/api/v1/status").json()
    assert (said_["papers"], said_["statements"], said_["index"]["papers"]) == (3, 3, 3)
    assert said_["editions"] == {"day": 1, "week": 1, "month": 2, "first": 0}
    assert (said_["index"]["behind"], said_["editions_behind"]) == (0, 0)


# --- Cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/papers",
        "/api/v1/search?q=lamps&facets=year,category,venue",
        "/api/v1/editions",
        "/api/v1/editions/2024-03-01",
        "/api/v1/editions/2024-W09",
        "/api/v1/sections/cs.LG",
        "/api/v1/authors/ada-example",
        "/api/v1/papers/2403.00000",
        "/api/v1/papers/2403.00000/statements",
        "/api/v1/papers.jsonl",
        "/api/v1/status",
        "/api/v1/sections",
    ],
)
def test_twice_the_papers_need_no_more_questions_of_the_database(press, get, address: str) -> None:
    def questions() -> int:
        get(address).close()
        with CaptureQueriesContext(connection) as captured:
            answer = get(address)
            if answer.streaming:
                b"".join(answer.streaming_content)
        assert answer.status_code == 200
        return len(captured)

    press(works(6))
    before = questions()
    press(works(6, first=6))
    assert questions() == before
