"""The interface of Hugging Face's Daily Papers: what each address answers, and what it refuses.

What the official client makes of it is in tests/hf_api.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.accounts.actions import make_token
from broadsheet.accounts.queries import tokens
from broadsheet.accounts.rules import Person, Scope
from broadsheet.bibliography.record import Record
from broadsheet.community.queries import submissions
from broadsheet.ingest.rules import Line, State
from broadsheet.papers.actions import merge_papers
from broadsheet.search.index import IndexUnavailable
from broadsheet.testing import people
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, MEADOW, arxiv, doi, said
from broadsheet.web import rates, searching
from broadsheet.web.hf_api.parameters import DEEPEST, Unanswerable, asked, repeated

FRIDAY, MONDAY = date(2024, 3, 1), date(2024, 3, 4)
ADDRESSES = [
    "/api/daily_papers",
    "/api/papers/search?q=steps",
    "/api/papers/2401.00001",
    "/papers/2401.00001.md",
    "/api/arxiv/2401.00001/repos",
]


def works(count: int, day: date, *, first: int = 0) -> list[Record]:
    """Papers of one day, in the order in which its edition prints them."""
    return [
        said(
            f"Work {n} on lamps of {day:%A}",
            key=f"{day} {n}",
            identifiers=(arxiv(f"{day:%y%m}.{day:%d}{n:03}"),),
            announced=day,
            authors=(ADA,),
            categories=("cs.LG",),
        )
        for n in range(first, first + count)
    ]


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["paper"]["id"] for item in answer.json()]


# --- Lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "days"),
    [
        pytest.param("", [MONDAY, FRIDAY, date(2024, 2, 29), date(2024, 1, 31)], id="no period: everything"),
        pytest.param("date=2024-03-01", [FRIDAY], id="a day"),
        pytest.param("date=2024-03-02", [], id="a day without an edition is empty, not an error"),
        pytest.param("date=2044-03-02", [], id="a day to come"),
        pytest.param("date=0001-01-01", [], id="the first day of the calendar"),
        pytest.param("date=9999-12-31", [], id="the last day of the calendar"),
        pytest.param("week=2024-W10", [MONDAY, FRIDAY], id="a week begins on the Friday before it"),
        pytest.param("week=2024-W09", [FRIDAY, date(2024, 2, 29)], id="that Friday is in its own week too"),
        pytest.param("month=2024-02", [date(2024, 2, 29), date(2024, 1, 31)], id="a month begins on the day before it"),
        pytest.param("month=2024-03", [MONDAY, FRIDAY, date(2024, 2, 29)], id="so does a month after a leap day"),
        pytest.param("date=2024-03-01&week=2024-W10", [FRIDAY], id="two periods narrow each other"),
        pytest.param("date=2024-03-01&week=2024-W20", [], id="two periods with nothing in common"),
        pytest.param("submitter=broadsheet", [MONDAY, FRIDAY, date(2024, 2, 29), date(2024, 1, 31)], id="us"),
        pytest.param("submitter=akhaliq", [], id="a submitter who is not here"),
        pytest.param("date=&week=&p=&limit=&sort=&submitter=", [MONDAY, FRIDAY, date(2024, 2, 29), date(2024, 1, 31)],
                     id="parameters that say nothing"),
    ],
)  # fmt: skip
def test_a_list_has_the_papers_of_its_days(press, get, query: str, days: list[date]) -> None:
    printed = {day: works(2, day) for day in (date(2024, 1, 31), date(2024, 2, 29), FRIDAY, MONDAY)}
    press([record for records in printed.values() for record in records])
    wanted = [record.identifiers[0].value for day in days for record in printed[day]]
    assert sorted(ids(get(f"/api/daily_papers?{query}"))) == sorted(wanted)
    assert [key[:4] for key in ids(get(f"/api/daily_papers?{query}"))] == [key[:4] for key in wanted]


@pytest.mark.parametrize("query", ["", "week=2024-W10", "sort=trending", "week=2024-W10&sort=trending"])
def test_pages_hold_exactly_the_limit_and_together_the_whole_list(press, get, query: str) -> None:
    press([*works(7, FRIDAY), *works(6, MONDAY, first=20)])
    whole = ids(get(f"/api/daily_papers?{query}"))
    assert len(whole) == len(set(whole)) == 13
    for limit in (1, 4, 6, 13, 100):
        pages = [ids(get(f"/api/daily_papers?{query}&limit={limit}&p={p}")) for p in range(15)]
        assert [key for page in pages for key in page] == whole
        assert [len(page) for page in pages] == [min(limit, max(0, 13 - limit * p)) for p in range(15)]


def test_the_next_page_is_in_the_link_header_while_there_is_one(press, get) -> None:
    press(works(5, FRIDAY))
    first = get("/api/daily_papers?date=2024-03-01&limit=2")
    assert first.headers["Link"] == '<http://localhost/api/daily_papers?date=2024-03-01&limit=2&p=1>; rel="next"'
    assert "Link" in get("/api/daily_papers?limit=2&p=1").headers
    assert "Link" not in get("/api/daily_papers?limit=2&p=2").headers
    assert "Link" not in get("/api/daily_papers?limit=5").headers


def test_within_a_day_the_order_is_that_of_its_edition(press, get) -> None:
    press([HARBOUR, *works(9, LANTERN.announced), LANTERN])
    items = get("/api/daily_papers?date=2024-01-02").json()
    assert items[0]["paper"]["id"] == "2401.00001"
    assert [item["broadsheet"]["edition"]["rank"] for item in items] == list(range(1, 12))


def test_what_is_trending_has_the_most_points_of_the_last_seven_days(press, get) -> None:
    """Code counts one point; there are no votes."""
    coded = said("With code", identifiers=(arxiv("2403.20001"),), announced=FRIDAY, code_url="https://example.org/c")
    old = said(
        "Old, with code", identifiers=(arxiv("2402.20001"),), announced=date(2024, 2, 1), code_url="https://x.org"
    )
    press([*works(3, MONDAY), *works(3, FRIDAY, first=10), coded, old])
    trending = ids(get("/api/daily_papers?sort=trending"))
    assert trending[0] == "2403.20001"
    assert len(trending) == 7
    assert ids(get("/api/daily_papers?sort=publishedAt"))[0].startswith("2403.04")


def test_a_merged_paper_is_listed_once_and_pages_stay_full(press, get) -> None:
    twin = said("Work 100, the same", identifiers=(doi("10.1000/twin"),), announced=FRIDAY)
    press([*works(4, MONDAY), *works(4, FRIDAY, first=10), twin])
    assert len(ids(get("/api/daily_papers"))) == 9
    merge_papers(loser_key="doi:10.1000/twin", winner_key="2403.04000", reason="They are one work.")
    pages = [ids(get(f"/api/daily_papers?limit=3&p={p}")) for p in range(4)]
    assert [len(page) for page in pages] == [3, 3, 2, 0]
    assert len({key for page in pages for key in page}) == 8
    assert "2403.04000" not in ids(get("/api/daily_papers?date=2024-03-01"))


def test_pages_stay_full_when_most_of_a_day_was_merged_into_others(press, get) -> None:
    press([*works(6, FRIDAY, first=10), *works(6, MONDAY)])
    for number in range(5):
        merge_papers(loser_key=f"2403.0400{number}", winner_key=f"2403.0101{number}", reason="They are one work.")
    pages = [ids(get(f"/api/daily_papers?limit=2&p={p}")) for p in range(5)]
    assert [len(page) for page in pages] == [2, 2, 2, 1, 0]


def test_papers_merged_into_one_without_a_day_are_listed_at_the_latest_of_their_days(press, get) -> None:
    early = said("Early", identifiers=(doi("10.1000/early"),), announced=FRIDAY)
    late = said("Late", identifiers=(doi("10.1000/late"),), announced=MONDAY)
    press([early, late, MEADOW])
    for loser in ("doi:10.1000/early", "doi:10.1000/late"):
        merge_papers(loser_key=loser, winner_key="math/0611800", reason="They are one work.")
    assert ids(get("/api/daily_papers")) == ["math/0611800"]
    assert ids(get("/api/daily_papers?date=2024-03-04")) == ["math/0611800"]


def test_an_item_says_what_is_known_of_the_edition(press, get, check) -> None:
    press([LANTERN, HARBOUR])
    (first, _second) = get("/api/daily_papers").json()
    assert first["broadsheet"]["audit"] == {
        "state": "unverified",
        "line": "2 papers. All dated by announcement. Not checked against the sources' own counts.",
    }
    check(LANTERN.announced, State.COMPLETE, Line("arxiv", "cs.LG", 2, "OAI", 2, ()))
    (first, _second) = get("/api/daily_papers").json()
    assert first["broadsheet"]["audit"]["state"] == "complete"
    assert first["broadsheet"]["audit"]["line"].startswith("Complete: 2 of 2 announced by arXiv in cs.LG, checked")


def test_items_and_pages_say_the_same_of_an_edition(press, get, check) -> None:
    press([LANTERN, *works(2, FRIDAY), *works(2, MONDAY, first=5)])
    check(FRIDAY, State.DOWN, Line("arxiv", "cs.LG", None, "", 2, ()))
    check(MONDAY, State.INCOMPLETE, Line("arxiv", "cs.LG", 3, "OAI", 2, ("2403.99999",)))
    for item in get("/api/daily_papers").json():
        line = item["broadsheet"]["audit"]["line"].replace("'", "&#39;")
        assert (line.partition(": ")[2] or line) in get(f"/date/{item['broadsheet']['edition']['label']}").text


# --- Search, one paper, Markdown, repositories -----------------------------------------------------------------------


def test_a_search_marks_what_was_found_as_safe_html(press, get) -> None:
    press([said("Lamps <b>& more</b>", identifiers=(arxiv("2401.00009"),), abstract="No lamp, no <script>.")])
    (item,) = get("/api/papers/search?q=lamps").json()
    assert item["highlightedTitle"] == "<mark>Lamps</mark> &lt;b&gt;&amp; more&lt;/b&gt;"
    assert item["highlightedSummary"] == "No <mark>lamp</mark>, no &lt;script&gt;."
    assert item["upvoted"] is False
    assert item["title"] == "Lamps <b>& more</b>"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        pytest.param("q=lamps&limit=2", 2, id="exactly the limit"),
        pytest.param("q=lamps", 9, id="all of a few"),
        pytest.param("q=unheard", 0, id="nothing is empty, not an error"),
        pytest.param("", 9, id="without a question the newest"),
        pytest.param("q=2403.01003", 1, id="an identifier"),
        pytest.param("q=category:cs.LG", 9, id="our own query language"),
        pytest.param(f"q={'lamp+' * 2000}", 9, id="ten kilobytes"),
    ],
)
def test_a_search_gives(press, get, query: str, wanted: int) -> None:
    press(works(9, FRIDAY))
    assert len(ids(get(f"/api/papers/search?{query}"))) == wanted


def test_an_index_that_does_not_answer_is_told(press, get, monkeypatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise IndexUnavailable("The index is being made.")

    press([LANTERN])
    monkeypatch.setattr(searching, "ask", fail)
    answer = get("/api/papers/search?q=steps")
    assert (answer.status_code, answer.json()) == (503, {"error": "The index is being made."})


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        pytest.param("2401.00001", "2401.00001", id="an identifier"),
        pytest.param("2401.00001v3", "2401.00001", id="with a version"),
        pytest.param("arXiv:2401.00001", "2401.00001", id="in another spelling"),
        pytest.param("math/0611800", "math/0611800", id="an old one, with its slash"),
        pytest.param("math%2F0611800", "math/0611800", id="an old one, the slash escaped"),
        pytest.param("doi:10.1000/solo", "doi:10.1000/solo", id="our own key"),
        pytest.param("doi:10.1000/harbour.7", "2401.00002", id="another identifier of the paper"),
        pytest.param("10.1000/harbour.7", "2401.00002", id="a DOI alone"),
    ],
)
def test_a_paper_is_found_by_anything_that_names_it(press, get, asked: str, key: str) -> None:
    press([LANTERN, HARBOUR, MEADOW, said("Solo", identifiers=(doi("10.1000/solo"),))])
    assert get(f"/api/papers/{asked}").json()["id"] == key
    markdown = get(f"/papers/{asked}.md")
    assert markdown.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert f"http://localhost/papers/{key}" in markdown.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param("2401.99999", "There is no paper '2401.99999' here. Its home is https://arxiv.org/abs/2401.99999",
                     id="an identifier that nobody brought"),
        pytest.param("nonsense", "There is no paper 'nonsense' here.", id="no identifier"),
        pytest.param("../../etc/passwd", "There is no paper '../../etc/passwd' here.", id="a path"),
    ],
)  # fmt: skip
def test_a_paper_that_is_not_here(press, get, asked: str, said: str) -> None:
    for path in (f"/api/papers/{quote(asked)}", f"/papers/{quote(asked)}.md"):
        answer = get(path)
        assert (answer.status_code, answer.json()) == (404, {"error": said})
        assert answer.headers["X-Error-Message"] == said


def test_a_paper_has_its_identifiers_and_editions(press, get) -> None:
    press([LANTERN, HARBOUR])
    ours = get("/api/papers/2401.00002").json()["broadsheet"]
    assert ours["identifiers"] == ["arxiv:2401.00002", "doi:10.1000/harbour.7"]
    assert sorted((place["kind"], place["label"]) for place in ours["editions"]) == [
        ("day", "2024-01-02"), ("month", "2024-01"), ("week", "2024-W01"),
    ]  # fmt: skip
    assert ours["url"] == "http://localhost/papers/2401.00002"


def test_a_paper_whose_key_ends_like_markdown_keeps_its_page(press, get) -> None:
    press([said("Read me", identifiers=(doi("10.1000/readme.md"),))])
    page = get("/papers/doi:10.1000/readme.md")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Read me" in page.text
    assert get("/papers/doi:10.1000/readme.md.md").text.startswith("# Read me")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param("2401.00001", 200, id="a paper that is here"),
        pytest.param("math/0611801", 200, id="one that is not: we know of none either"),
        pytest.param("nonsense", 404, id="no identifier of arXiv"),
    ],
)
def test_no_repositories_are_known(press, get, asked: str, status: int) -> None:
    press([LANTERN])
    answer = get(f"/api/arxiv/{asked}/repos")
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"models": [], "datasets": [], "spaces": []}


# --- Submitting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ending"),
    [
        pytest.param({"paper_id": "2401.00001"}, "2401.00001 is already here: http://localhost/papers/2401.00001",
                     id="a paper that is here"),
        pytest.param({"paper_id": "arXiv:2401.00001v2", "comment": "!"}, "http://localhost/papers/2401.00001",
                     id="in another spelling"),
        pytest.param({"paper_id": "2401.77777"}, "'broadsheet harvest' and 'broadsheet import'.", id="one that is not"),
        pytest.param({"paper_id": 7}, "'broadsheet import'.", id="a number"),
        pytest.param([], "'broadsheet import'.", id="a list"),
        pytest.param(b"\xff\0", "'broadsheet import'.", id="no JSON"),
        pytest.param(b"", "'broadsheet import'.", id="nothing"),
        pytest.param(b'{"paper_id": "' + b"x" * 5_000_000, "'broadsheet import'.", id="five megabytes"),
        pytest.param(b"[" * 100_000, "'broadsheet import'.", id="a hundred thousand brackets"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("token", [{}, {"authorization": "Bearer hf_x"}], ids=["without a token", "with a token"])
def test_nobody_can_submit_without_accounts(
    press, client: Client, settings, body: object, ending: str, token: dict[str, str]
) -> None:
    """403, with the sentence where the client looks for it. Nothing is stored, and no token is looked at."""
    settings.BROADSHEET_ACCOUNTS = False
    press([LANTERN])
    sent = body if isinstance(body, bytes) else json.dumps(body)
    answer = client.post(
        "/api/papers/submit", sent, content_type="application/json", headers={"host": "localhost", **token}
    )
    assert answer.status_code == 403
    said = answer.json()["error"]
    assert said == answer.headers["X-Error-Message"]
    assert said.startswith("Nobody can submit papers to this instance, because it has no accounts. ")
    assert said.endswith(ending)


def submitted(body: object, token: str = "") -> HttpResponse:
    """What is answered to a program, which brings no token of a form."""
    sent = body if isinstance(body, bytes) else json.dumps(body)
    headers = {"host": "localhost", **({"authorization": f"Bearer {token}"} if token else {})}
    client = Client(enforce_csrf_checks=True)
    return client.post("/api/papers/submit", sent, content_type="application/json", headers=headers)


def token_of(person: Person, *scopes: Scope) -> str:
    return make_token(by=person, name="a program", scopes=scopes, lifetime="")


class TestSubmittingWithAToken:
    def test_a_paper_that_is_here_is_named(self, press) -> None:
        press([LANTERN])
        answer = submitted({"paper_id": "arXiv:2401.00001v2"}, token_of(people.ada(), Scope.WRITE_SUBMISSIONS))
        assert (answer.status_code, answer.json()) == (
            200,
            {"success": True, "paperId": "2401.00001", "url": "http://localhost/papers/2401.00001"},
        )

    def test_any_other_is_proposed_in_the_name_of_the_person(self, db: None) -> None:
        body = {"paperId": "2401.00009", "comment": "Read the proof."}
        answer = submitted(body, token_of(people.ada(), Scope.WRITE_SUBMISSIONS))
        assert (answer.status_code, answer.json()["url"]) == (200, "http://localhost/proposals")
        [found] = submissions.by_person(people.ada().id)
        assert (found.identifier.value, found.note) == ("2401.00009", "Read the proof.")

    @pytest.mark.parametrize(
        "body", [{"paper_id": 7}, {"paper_id": "a paper"}, [], b"\xff\0", b"", {"paper_id": "x" * 9999}]
    )
    def test_what_names_no_paper_is_refused(self, db: None, body: object) -> None:
        answer = submitted(body, token_of(people.ada(), Scope.WRITE_SUBMISSIONS))
        assert answer.status_code == 422
        assert "no identifier" in answer.json()["error"]

    @pytest.mark.parametrize(("token", "status"), [("", 401), ("hf_x", 401), ("bs_" + "x" * 43, 401)])
    def test_without_a_token_of_somebody_nothing_is_proposed(self, db: None, token: str, status: int) -> None:
        answer = submitted({"paper_id": "2401.00009"}, token)
        assert (answer.status_code, answer.json()["error"]) == (
            status,
            "Send a token of yours, made at http://localhost/account.",
        )
        assert submissions.pending() == []

    def test_a_token_for_something_else_is_not_good_for_this(self, db: None) -> None:
        answer = submitted({"paper_id": "2401.00009"}, token_of(people.ada(), Scope.WRITE_VOTES))
        assert (answer.status_code, "write:submissions" in answer.json()["error"]) == (403, True)

    def test_it_leaves_the_trace_and_spends_the_quota_that_the_page_does(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The use of the token is noted, and what she proposes by a form counts beside what her program proposes."""
        monkeypatch.setattr(rates.counts, "_clock", lambda: 1.7e9)
        token = token_of(people.ada(), Scope.WRITE_SUBMISSIONS)
        browser = people.signed_in(Client(headers={"host": "localhost"}), people.ada())
        quota = rates.WRITING["submit"].quota
        for number in range(quota):
            if number % 2:
                assert browser.post("/propose", {"paper": "a paper"}).status_code == 422
            else:
                assert submitted({"paper_id": "a paper"}, token).status_code == 422
        assert submitted({"paper_id": "2401.00009"}, token).status_code == 429
        assert browser.post("/propose", {"paper": "2401.00009"}).status_code == 429
        assert submissions.pending() == []
        [noted] = tokens(people.ada().id)
        assert noted.used_at is not None

    def test_a_signed_in_browser_without_a_token_proposes_nothing(self, client: Client, db: None) -> None:
        people.signed_in(client, people.ada())
        sent = json.dumps({"paper_id": "2401.00009"})
        answer = client.post("/api/papers/submit", sent, content_type="text/plain", headers={"host": "localhost"})
        assert answer.status_code == 401


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/api/daily_papers?date=2024-1-2", "date must be a day of the calendar as in 2026-11-20, not '2024-1-2'."),
        ("/api/daily_papers?date=20240102", "date must be a day of the calendar as in 2026-11-20, not '20240102'."),
        ("/api/daily_papers?date=2024-02-30", "date must be a day of the calendar as in 2026-11-20, not '2024-02-30'."),
        ("/api/daily_papers?date=today", "date must be a day of the calendar as in 2026-11-20, not 'today'."),
        ("/api/daily_papers?week=2024-W54", "week must be a week of the calendar as in 2026-W47, not '2024-W54'."),
        ("/api/daily_papers?week=0001-W01", "week must be a week of the calendar as in 2026-W47, not '0001-W01'."),
        ("/api/daily_papers?month=2024-13", "month must be a month of the calendar as in 2026-11, not '2024-13'."),
        ("/api/daily_papers?month=0001-01", "month must be a month of the calendar as in 2026-11, not '0001-01'."),
        ("/api/daily_papers?sort=upvotes", "sort must be publishedAt or trending, not 'upvotes'."),
        ("/api/daily_papers?limit=0", "limit must be a whole number from 1 to 100, not '0'."),
        ("/api/daily_papers?limit=101", "limit must be a whole number from 1 to 100, not '101'."),
        ("/api/daily_papers?limit=5.0", "limit must be a whole number from 1 to 100, not '5.0'."),
        ("/api/daily_papers?p=-1", "p must be a whole number from 0 up, not '-1'."),
        ("/api/papers/search?q=a&limit=121", "limit must be a whole number from 1 to 120, not '121'."),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(db: None, get, path: str, sentence: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.json()) == (400, {"error": sentence})
    assert answer.headers["X-Error-Message"] == sentence


def test_what_a_sentence_repeats_is_short_and_harmless() -> None:
    assert repeated("a\r\nSet-Cookie: b\x1b[2J") == "a??Set-Cookie: b?[2J"
    assert repeated("x" * 9999) == "x" * 40 + "..."


def test_the_list_of_everything_has_a_depth(press, get) -> None:
    press(works(3, FRIDAY))
    assert ids(get(f"/api/daily_papers?limit=100&p={DEEPEST // 100}")) == []
    assert ids(get("/api/daily_papers?limit=100&p=999999999&date=2024-03-01")) == []


HOSTILE = [
    pytest.param("\0", id="zero byte"),
    pytest.param("2401.00001\0", id="zero byte behind an identifier"),
    pytest.param("9" * 400, id="very long number"),
    pytest.param("-1", id="negative"),
    pytest.param("1e9", id="exponent"),
    pytest.param("٢٠٢٤-٠١-٠٢", id="digits of another script"),
    pytest.param("²", id="superscript digit"),
    pytest.param("\ud800".encode("utf-8", "surrogatepass"), id="half a surrogate pair"),
    pytest.param(b"\xff\xfe", id="no UTF-8"),
    pytest.param("'; DROP TABLE papers_paper; --", id="SQL"),
    pytest.param("\r\nSet-Cookie: a=b", id="header"),
    pytest.param("../../../../etc/passwd", id="path"),
    pytest.param("..%2f..%2f", id="path escaped twice"),
    pytest.param("2401..00001", id="dots"),
    pytest.param("math%2F0611800", id="slash escaped twice"),
    pytest.param("((((" * 500, id="brackets"),
    pytest.param("x" * 10_000, id="ten kilobytes"),
    pytest.param("\\(" * 5_000, id="ten kilobytes of TeX"),
    pytest.param('"' * 999, id="quotation marks"),
    pytest.param("ﷺ" * 999, id="characters that grow"),
]


PLACES = [
    *(f"/api/daily_papers?{name}={{}}" for name in ("date", "week", "month", "submitter", "sort", "p", "limit", "x")),
    *("/api/papers/search?q={}", "/api/papers/search?q=lamp&limit={}", "/api/papers/{}", "/papers/{}.md"),
    *("/api/arxiv/{}/repos", "/api/{}"),
]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_makes_it_fail(press, get, value: str | bytes) -> None:
    press([LANTERN])
    for place in PLACES:
        answer = get(place.format(quote(value, safe="")))
        assert answer.status_code in {200, 400, 404}, place
        assert "\n" not in answer.headers.get("X-Error-Message", ""), place
        assert not answer.cookies, place


@given(st.text(max_size=50), st.sampled_from(["date", "week", "month", "sort", "p", "limit", "submitter"]))
def test_no_text_makes_reading_a_parameter_fail(value: str, name: str) -> None:
    request = RequestFactory().get("/api/daily_papers", {name: value.encode("utf-8", "surrogatepass")})
    with suppress(Unanswerable):
        wanted = asked(request)
        assert wanted.since is None or wanted.until is None or wanted.until - wanted.since < timedelta(days=33)


# --- How it is delivered ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ADDRESSES)
def test_answers_may_be_kept_and_are_asked_for_again(press, get, client: Client, path: str) -> None:
    press([LANTERN])
    first = get(path)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = get(path, **{"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = client.head(path, headers={"host": "localhost"})
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in ("ETag", "Content-Length", "Content-Type")} == {
        name: first.headers[name] for name in ("ETag", "Content-Length", "Content-Type")
    }


@pytest.mark.parametrize("path", [*ADDRESSES, "/api/daily_papers?date=x", "/api/papers/nothing"])
def test_pages_of_other_sites_may_read_and_no_cookie_is_set(press, get, path: str) -> None:
    press([LANTERN])
    answer = get(path, origin="https://elsewhere.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Error-Message, ETag, Link"
    assert not answer.cookies


@pytest.mark.parametrize(
    ("path", "methods"), [*((path, "GET, HEAD") for path in ADDRESSES), ("/api/papers/submit", "POST")]
)
def test_other_methods_are_told_what_is_answered(press, client: Client, path: str, methods: str) -> None:
    press([LANTERN])
    asked = client.options(path, headers={"host": "localhost", "access-control-request-method": "GET"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["Access-Control-Allow-Methods"] == methods
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    refused = client.put(path, headers={"host": "localhost"})
    assert refused.status_code == 405
    assert refused.headers["Allow"] == f"{methods}, OPTIONS"


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_token_changes_nothing(press, get, path: str) -> None:
    """The client sends one with some of its calls and not with others; nothing here is for some people only."""
    press([LANTERN])
    assert get(path, authorization="Bearer hf_x").content == get(path).content


@pytest.mark.parametrize(
    "path",
    ["/api/daily_papers", "/api/daily_papers?date=2024-01-02", "/api/daily_papers?week=2024-W01",
     "/api/daily_papers?month=2024-01&sort=trending", "/api/daily_papers?sort=trending", "/api/papers/search?q=lamps",
     "/api/papers/2401.00001", "/papers/2401.00001.md"],
)  # fmt: skip
def test_the_number_of_queries_does_not_grow_with_the_rows(press, get, check, path: str) -> None:
    def queries() -> int:
        get(path)
        with CaptureQueriesContext(connection) as captured:
            assert get(path).status_code == 200
        return len(captured)

    day = date(2024, 1, 2)
    press([LANTERN, *works(9, day)])
    before = queries()
    press([record for number in range(1, 9) for record in works(9, day + timedelta(days=number), first=20 * number)])
    for number in range(9):
        check(day + timedelta(days=number), State.COMPLETE, Line("arxiv", "cs.LG", 9, "OAI", 9, ()))
    assert 0 < before == queries() < 16


def test_the_address_that_the_client_asks_of_itself_is_not_here(db: None, get) -> None:
    """`hf` asks for it before its first command. It goes on after 404, and fails on an answer of another shape."""
    assert get("/api/agent-harnesses").status_code == 404
