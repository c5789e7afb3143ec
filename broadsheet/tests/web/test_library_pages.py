"""The pages of the library as a reader uses them, with plain forms."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadsheet.accounts.actions import groups, only_reader
from broadsheet.accounts.actions.groups import Description
from broadsheet.accounts.rules import Person
from broadsheet.library import actions, queries
from broadsheet.library.actions import Words
from broadsheet.library.models import LibraryImport
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, arxiv, said
from broadsheet.testing.people import ada, bela, signed_in

pytestmark = pytest.mark.django_db

BIBTEX = """@article{a, title={Lantern again}, author={Example, Ada}, eprint={2401.00001}, archivePrefix={arXiv}}
@misc{b, title={Gardens Without Walls}, author={Primer, Đorđe}, doi={10.1000/gardens}, year=2025,
 keywords={plants, Walls}, note={my own words}}
@misc{c, author={Nobody}}
"""


@pytest.fixture(autouse=True)
def stored(db: None) -> None:
    store_many([LANTERN, HARBOUR, MEADOW])


@pytest.fixture
def reader() -> Person:
    return ada()


@pytest.fixture
def asks(client: Client, reader: Person) -> Client:
    return signed_in(client, reader)


def text(response: Any) -> str:
    content: bytes = response.content
    return content.decode().replace("\xa0", " ")


def key_of(title: str) -> int:
    row = papers.find(title)
    assert row is not None
    return row.id


def send(client: Client, path: str, **fields: Any) -> Any:
    return client.post(path, fields, headers={"host": "localhost"})


def test_saving_and_taking_out_with_the_way_back(asks: Client, reader: Person) -> None:
    response = send(asks, "/library/keep", paper="2401.00001", what="keep", next="/date/2024-01-02")
    assert (response.status_code, response["Location"]) == (303, "/date/2024-01-02")
    assert "Lantern" in text(asks.get("/library"))
    response = send(asks, "/library/keep", paper="2401.00001", what="remove", next="/library")
    page = text(asks.get(response["Location"]))
    assert "1 paper from your library" in page
    (removed,) = queries.removed(reader)
    send(asks, "/library/undo", removed=removed.id, next="/library")
    assert len(queries.everything(reader)) == 1


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param("https://elsewhere.example/", id="elsewhere"),
        pytest.param("//elsewhere.example/", id="without a scheme"),
        pytest.param("javascript:alert(1)", id="script"),
    ],
)
def test_nobody_is_sent_elsewhere(asks: Client, wanted: str) -> None:
    response = send(asks, "/library/keep", paper="2401.00001", what="keep", next=wanted)
    assert response["Location"] == "/"


def test_a_form_sent_without_a_page_gets_its_button(asks: Client) -> None:
    fields = {"paper": "2401.00001", "what": "keep", "next": "/"}
    page = text(asks.post("/library/keep", fields, headers={"host": "localhost", "HX-Request": "true"}))
    assert "<html" not in page
    assert ">saved<" in page
    fields["what"] = "remove"
    page = text(asks.post("/library/keep", fields, headers={"host": "localhost", "HX-Request": "true"}))
    assert 'value="undo"' in page
    assert ">save<" in page


def test_what_is_said_beside_a_paper_is_saved_and_shown(asks: Client, reader: Person) -> None:
    shelf = actions.make_shelf(by=reader, name="Steps")
    fields = {"state": "read", "rating": "4", "tags": "Steps, good", "note": "Try <b>it</b>.", "shelf": shelf}
    response = send(asks, "/library/entry", paper="2401.00001", next="/papers/2401.00001#library", **fields)
    assert response["Location"] == "/papers/2401.00001#library"
    page = text(asks.get("/papers/2401.00001"))
    assert "Try &lt;b&gt;it&lt;/b&gt;." in page
    assert 'value="good, steps"' in page
    assert [each.paper_id for each in queries.placed(shelf)] == [key_of("2401.00001")]
    send(asks, "/library/entry", paper="2401.00001", state="read", shown=shelf)
    assert queries.placed(shelf) == []
    assert "Try" not in text(Client().get("/papers/2401.00001", headers={"host": "localhost"}))


def test_what_is_refused_comes_back_with_the_words(asks: Client, reader: Person) -> None:
    response = send(asks, "/library/entry", paper="2401.00001", state="read", tags="x" * 50, note="a long thought")
    assert response.status_code == 422
    assert "a long thought" in text(response)
    assert "A tag has 40 letters at most" in text(response)
    assert queries.everything(reader) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"what": "read"}, "read", id="state"),
        pytest.param({"what": "tag", "tag": "New"}, "new", id="tag"),
        pytest.param({"what": "remove"}, "", id="take out"),
    ],
)
def test_several_at_once(asks: Client, reader: Person, fields: dict[str, str], expected: str) -> None:
    ids = [key_of("2401.00001"), key_of("2401.00002")]
    actions.keep(by=reader, papers_=ids)
    response = send(asks, "/library/several", paper=["2401.00001", "2401.00002"], next="/library", **fields)
    assert response.status_code == 303
    found = queries.everything(reader)
    assert len(found) == (2 if expected else 0)
    assert all(expected in (entry.said.state, *entry.said.tags) for entry in found)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"what": "read"}, id="nothing ticked"),
        pytest.param({"what": "burn", "paper": ["2401.00001"]}, id="nothing of ours"),
        pytest.param({"what": "shelve", "paper": ["2401.00001"], "shelf": "99"}, id="no shelf"),
        pytest.param({"what": "read", "paper": ["2401.99999"]}, id="no paper"),
    ],
)
def test_several_refused(asks: Client, fields: dict[str, Any]) -> None:
    response = send(asks, "/library/several", **fields)
    assert response.status_code in (404, 422)
    assert "Nothing was changed" in text(response)


@pytest.mark.parametrize("how", ["file", "pasted"])
def test_a_file_is_brought_in_with_a_report(asks: Client, reader: Person, how: str) -> None:
    sent = SimpleUploadedFile("x.bib", BIBTEX.encode()) if how == "file" else BIBTEX
    response = asks.post("/library/import", {how: sent}, headers={"host": "localhost"})
    page = text(asks.get(response["Location"]))
    assert "3 items read: 1 paper found here already, 1 new, 1 not understood." in page
    assert "Nobody" in page
    assert {papers.by_ids([entry.paper_id])[entry.paper_id].title for entry in queries.everything(reader)} == {
        "Gardens Without Walls",
        LANTERN.title,
    }
    new = queries.entry(key_of("doi:10.1000/gardens"), reader)
    assert new is not None
    assert (new.said.tags, new.said.note) == (("plants", "walls"), "my own words")
    shown = text(Client().get("/papers/doi:10.1000/gardens", headers={"host": "localhost"}))
    assert "my own words" not in shown
    assert "plants" not in shown


def test_the_same_file_again_changes_nothing(asks: Client, reader: Person) -> None:
    for _ in range(2):
        asks.post("/library/import", {"pasted": BIBTEX}, headers={"host": "localhost"})
    first, second = LibraryImport.objects.order_by("id")
    assert [row[0] for row in first.entries] == [row[0] for row in second.entries]
    assert len(queries.everything(reader)) == 2
    report = queries.report(second.id, reader)
    assert report is not None
    assert len(report.had) == 2


def test_a_readers_file_changes_nothing_that_is_believed(asks: Client) -> None:
    before = papers.beliefs([key_of("2401.00001")])
    asks.post("/library/import", {"pasted": BIBTEX}, headers={"host": "localhost"})
    assert papers.beliefs([key_of("2401.00001")]) == before


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "Choose a file, or paste references.", id="nothing"),
        pytest.param(b"%PDF-1.7 x", "This is no BibTeX", id="PDF"),
        pytest.param(b"hello", "This is no BibTeX", id="words"),
        pytest.param(b'{"broadsheet_library": 1, "papers": 7}', "is not a list", id="broken library"),
        pytest.param(b'{"broadsheet_library": 1' + b"[" * 5000, "is not JSON", id="deep"),
        pytest.param(b"@article{a, title=" + b"{" * 100_000, "no papers|not|cut", id="braces"),
        pytest.param(b"x" * (2 * 1024 * 1024 + 1), "larger than 2 MiB", id="too large"),
        pytest.param(
            b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "b">]>'
            b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            b'xmlns:z="http://www.zotero.org/namespaces/export#">&a;</rdf:RDF>',
            "Nothing was stored",
            id="entities",
        ),
    ],
)
def test_a_hostile_file_is_refused_in_a_sentence(asks: Client, data: bytes, sentence: str) -> None:
    sent = {"file": SimpleUploadedFile("x", data)}
    response = asks.post("/library/import", sent, headers={"host": "localhost"}, follow=True)
    assert response.status_code in (200, 422)
    assert re.search(sentence, text(response))


def test_pasted_text_that_is_refused_stays_in_the_form(asks: Client) -> None:
    response = asks.post("/library/import", {"pasted": "no references, but work"}, headers={"host": "localhost"})
    assert response.status_code == 422
    assert "no references, but work" in text(response)


def test_nobody_sees_the_library_of_somebody_else(asks: Client, reader: Person) -> None:
    other = bela()
    actions.say(by=other, paper=key_of("2401.00001"), words=Words("read", notes={None: "secret of Bela"}))
    shelf = actions.make_shelf(by=other, name="Of Bela")
    asks.post("/library/import", {"pasted": BIBTEX}, headers={"host": "localhost"})
    for path in ("/library", "/papers/2401.00001", "/library/export.json", "/library/shelves", "/library?q=secret"):
        assert "secret of Bela" not in text(asks.get(path))
    assert asks.get(f"/library/shelves/{shelf}").status_code == 404
    assert asks.get("/people/bela/shelves/of-bela").status_code == 404
    mine = LibraryImport.objects.get()
    assert signed_in(Client(), other).get(f"/library/import/{mine.id}").status_code == 404
    for what in ("up", "remove", "change"):
        response = send(asks, f"/library/shelves/{shelf}", what=what, name="Mine")
        assert response.status_code == 404
    assert send(asks, f"/library/shelves/{shelf}/papers", what="add", paper="2401.00001").status_code == 404
    asks.post("/library/import", {"pasted": BIBTEX, "shelf": shelf}, headers={"host": "localhost"})
    assert queries.placed(shelf) == []


@pytest.fixture
def _full(reader: Person) -> None:
    outer = actions.make_shelf(by=reader, name="Steps", is_public=True)
    inner = actions.make_shelf(by=reader, name="Norms", parent=outer)
    actions.say(by=reader, paper=key_of("2401.00001"), words=Words("read", "5", "a, b", {None: "one\n\ntwo"}))
    actions.place(by=reader, shelf=outer, papers_=[key_of("2401.00002"), key_of("2401.00001")])
    actions.place(by=reader, shelf=inner, papers_=[key_of("2401.00001")])


@pytest.mark.usefixtures("_full")
@pytest.mark.parametrize(
    ("form", "kind"),
    [
        pytest.param("bib", "application/x-bibtex", id="BibTeX"),
        pytest.param("ris", "application/x-research-info-systems", id="RIS"),
        pytest.param("csl.json", "application/vnd.citationstyles.csl+json", id="CSL-JSON"),
        pytest.param("json", "application/json", id="everything"),
    ],
)
def test_everything_is_taken_away_and_comes_in_elsewhere(asks: Client, form: str, kind: str) -> None:
    response = asks.get(f"/library/export.{form}")
    assert response["Content-Type"].startswith(kind)
    assert response["Cache-Control"].startswith("private")
    other = bela()
    number = actions.bring_in(by=other, data=response.content)
    report = queries.report(number, other)
    assert report is not None
    assert (len(report.found), report.new, report.refused) == (2, (), ())
    assert asks.get("/library/export.exe").status_code == 404


@pytest.mark.usefixtures("_full")
def test_the_library_as_json_loses_nothing(asks: Client) -> None:
    taken = asks.get("/library/export.json").content
    other = bela()
    actions.bring_in(by=other, data=taken)
    again = signed_in(Client(), other).get("/library/export.json", headers={"host": "localhost"}).content
    assert orjson.loads(again) == orjson.loads(taken)


@pytest.mark.usefixtures("_full")
def test_a_public_shelf_is_read_by_everybody_in_every_form(client: Client, reader: Person) -> None:
    page = text(client.get("/people/ada/shelves/steps", headers={"host": "localhost"}))
    assert page.index("Harbour") < page.index("Lantern")
    assert "one" not in page.split("</main>")[0].split("<main")[1].replace("None", "")
    for form in ("atom", "rss", "json", "bib", "ris", "csl.json", "md"):
        response = client.get(f"/people/ada/shelves/steps.{form}", headers={"host": "localhost"})
        assert response.status_code == 200, form
        assert "Harbour" in text(response)
    assert client.get("/people/ada/shelves/norms", headers={"host": "localhost"}).status_code == 404
    assert client.get("/people/ada/shelves/norms.atom", headers={"host": "localhost"}).status_code == 404
    assert client.get("/people/nobody/shelves/steps", headers={"host": "localhost"}).status_code == 404


def test_shelves_are_made_ordered_and_removed_with_plain_forms(asks: Client, reader: Person) -> None:
    where = send(asks, "/library/shelves", name="Steps")["Location"]
    send(asks, "/library/shelves", name="Second")
    for paper in ("2401.00001", "https://arxiv.org/abs/2401.00002v1"):
        send(asks, f"{where}/papers", what="add", paper=paper)
    send(asks, f"{where}/papers", what="up", paper="2401.00002")
    page = text(asks.get(where))
    assert page.index("Harbour") < page.index("Lantern")
    send(asks, where, what="down")
    assert [shelf.name for shelf in queries.shelves_of(reader)] == ["Second", "Steps"]
    send(asks, where, what="change", name="Strides", is_public="yes")
    assert queries.shelves_of(reader)[1].name == "Strides"
    response = send(asks, where, what="remove")
    assert "1 shelf with what was on it" in text(asks.get(response["Location"]))
    assert "Second" in text(asks.get("/library/shelves"))


def test_what_the_browser_kept_moves_in(asks: Client, reader: Person) -> None:
    response = send(asks, "/library/keep", what="move", paper=["2401.00001", "no such", "2401.00002"])
    assert response["Location"] == "/library"
    assert len(queries.everything(reader)) == 2
    assert 'id="saved-move"' in text(asks.get("/saved"))


def test_who_is_barred_keeps_her_library_and_fills_no_shelf_of_a_group(asks: Client, reader: Person) -> None:
    group = groups.make_group(by=reader, slug="lamps", described=Description("Lamps", "group"))
    shelf = actions.make_shelf(by=reader, name="Ours", group=group)
    get_user_model().objects.filter(id=reader.id).update(barred_until=timezone.now() + timedelta(days=1))
    assert send(asks, "/library/keep", paper="2401.00001").status_code == 303
    assert send(asks, f"/library/shelves/{shelf}/papers", paper="2401.00001").status_code == 403
    assert queries.placed(shelf) == []


@pytest.fixture
def _without_accounts(settings: Any) -> None:
    settings.BROADSHEET_ACCOUNTS = False


@pytest.mark.usefixtures("_without_accounts")
def test_without_accounts_all_of_it_works(client: Client) -> None:
    only_reader()
    send(client, "/library/keep", paper="2401.00001", what="keep")
    send(client, "/library/entry", paper="2401.00001", state="reading", note="a note")
    assert "a note" in text(client.get("/library", headers={"host": "localhost"}))
    assert client.get("/library/export.json", headers={"host": "localhost"}).status_code == 200
    assert client.get("/library/shelves", headers={"host": "localhost"}).status_code == 200


@pytest.mark.parametrize("path", ["/library", "/library/shelves", "/library/import", "/library/export.json"])
def test_visitors_are_asked_to_sign_in(client: Client, path: str) -> None:
    response = client.get(path, headers={"host": "localhost"})
    assert response.status_code == 303
    assert response["Location"].startswith("/account/sign-in")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/library/shelves/x", id="no number"),
        pytest.param("/library/shelves/99999999999999999999", id="a number that no database holds"),
        pytest.param("/library/import/7", id="no report"),
        pytest.param("/library?page=7", id="no page"),
        pytest.param("/people/a%00b/shelves/x", id="zero byte"),
    ],
)
def test_what_is_not_there(asks: Client, path: str) -> None:
    assert asks.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/library?q=gardens&sort=title", "/library/shelves", "/people/ada/shelves/steps"])
def test_the_number_of_questions_does_not_grow(asks: Client, reader: Person, path: str) -> None:
    shelf = actions.make_shelf(by=reader, name="Steps", is_public=True)

    def fill(start: int, stop: int) -> None:
        store_many([said(f"Gardens {n}", key=str(n), identifiers=(arxiv(f"2402.{n:05}"),)) for n in range(start, stop)])
        ids = [key_of(f"2402.{n:05}") for n in range(start, stop)]
        actions.place(by=reader, shelf=shelf, papers_=ids)

    fill(1, 5)
    asks.get(path)
    counted = []
    for start in (5, 15):
        with CaptureQueriesContext(connection) as asked:
            assert asks.get(path).status_code == 200
        counted.append(len(asked))
        fill(start, start + 10)
    assert counted[0] == counted[1]
