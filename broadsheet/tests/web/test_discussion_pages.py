"""Discussions as pages: forms that work without scripts, what visitors see, and what hostile texts become."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import lxml.html
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from broadsheet.accounts.rules import Person
from broadsheet.community.models.comments import Comment
from broadsheet.community.rules import markup
from broadsheet.papers.actions import merge_papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN
from broadsheet.testing.hostile_texts import HOSTILE
from broadsheet.web import rates

pytestmark = pytest.mark.django_db

PAPER = "/papers/2401.00001"
Press = Callable[..., None]


@pytest.fixture(autouse=True)
def printed(press: Press) -> None:
    press([LANTERN, HARBOUR])


@pytest.fixture(autouse=True)
def _nobody_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "spent", lambda *_of, **_more: None)


def client_of(person: Person | None) -> Client:
    return people.signed_in(Client(), person) if person else Client()


def say(person: Person, body: str, **more: str) -> Any:
    return client_of(person).post("/comment", {"paper": "2401.00001", "body": body, **more})


def page(path: str, person: Person | None = None) -> str:
    return client_of(person).get(path).content.decode()


def test_a_visitor_reads_and_is_asked_to_sign_in() -> None:
    say(people.ada(), "Why $\\ell_2$?")
    text = page(PAPER)
    discussion = text[text.index('id="discussion"') :]
    assert "<math" in discussion
    assert "/account/sign-in?next=" in discussion
    assert "<form" not in discussion[: discussion.index("</section>")]


def test_a_comment_is_published_and_its_page_leads_to_it() -> None:
    answer = say(people.ada(), "First")
    number = Comment.objects.get().id
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAPER}#comment-{number}")
    assert client_of(None).get(f"/comments/{number}").headers["Location"] == f"{PAPER}#comment-{number}"


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "x", "-1", "1\x00"])
def test_a_comment_that_is_not_there(number: str) -> None:
    assert Client().get(f"/comments/{number}").status_code == 404
    assert Client().get(f"/comments/{number}/history").status_code == 404


def test_a_form_that_is_refused_keeps_what_was_typed() -> None:
    body = "see https://a.example and https://b.example and https://c.example <b>"
    answer = say(people.ada(), body)
    assert answer.status_code == 422
    form = lxml.html.document_fromstring(answer.content.decode())
    assert form.xpath("//textarea[@name='body']")[0].text == f"\n{body}"
    assert "3 links" in form.xpath("//*[@role='alert']")[0].text_content()
    assert not Comment.objects.exists()


def test_a_preview_publishes_nothing() -> None:
    answer = say(people.ada(), "so *it* looks", what="preview")
    assert "<em>it</em>" in answer.content.decode()
    assert not Comment.objects.exists()


def test_a_quotation_is_filled_in_without_scripts() -> None:
    say(people.ada(), "one\n\ntwo")
    number = Comment.objects.get().id
    text = page(f"/comment?paper=2401.00001&reply={number}&quote=1", people.bela())
    assert lxml.html.document_fromstring(text).xpath("//textarea")[0].text == "\n> one\n>\n> two\n\n"


def test_an_answer_is_sent_to_its_place_in_the_discussion() -> None:
    say(people.ada(), "one")
    say(people.bela(), "two", reply=str(Comment.objects.get().id))
    tree = lxml.html.document_fromstring(page(PAPER))
    classes = [found.get("class") for found in tree.xpath("//article[starts-with(@class, 'comment')]")]
    assert classes == ["comment depth-0", "comment depth-1"]


def test_editing_shows_what_stood_there_before() -> None:
    say(people.ada(), "befor")
    number = Comment.objects.get().id
    client = client_of(people.ada())
    assert client.post(f"/comments/{number}/edit", {"body": "after"}).status_code == 303
    history = page(f"/comments/{number}/history")
    assert "befor</p>" in history
    assert "after" in history
    assert f'href="/comments/{number}/history"' in page(PAPER)


@pytest.mark.parametrize("address", ["edit", "remove"])
def test_comments_of_others_are_not_changed(address: str) -> None:
    say(people.ada(), "mine")
    number = Comment.objects.get().id
    for person in (people.bela(), people.moderator(), people.operator()):
        assert client_of(person).post(f"/comments/{number}/{address}", {"body": "theirs"}).status_code == 404
    assert Comment.objects.get().body == "mine"
    assert Comment.objects.get().removed_at is None


def test_removing_can_be_undone_where_it_stood() -> None:
    say(people.ada(), "hasty")
    number = Comment.objects.get().id
    client = client_of(people.ada())
    client.post(f"/comments/{number}/remove", {"what": "remove"})
    assert "You removed this comment" in client.get(PAPER).content.decode()
    assert "hasty" not in page(PAPER)
    client.post(f"/comments/{number}/remove", {"what": "restore"})
    assert "hasty" in page(PAPER)


def test_fields_that_a_form_does_not_have_change_nothing() -> None:
    say(people.ada(), "one", author=str(people.bela().id), moderated="removed", html="<script>", made_at="2001-01-01")
    row = Comment.objects.get()
    assert (row.author_id, row.moderated, row.html, row.made_at.year) == (
        people.ada().id,
        "",
        "<p>one</p>",
        row.made_at.year,
    )


@pytest.mark.parametrize("path", ["/comment", "/discussion/follow", "/mute", "/notices", "/flag", "/moderation/decide"])
def test_forms_of_other_sites_are_refused(path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    people.signed_in(client, people.moderator())
    assert client.post(path, {"paper": "2401.00001", "body": "forged"}).status_code == 403
    assert not Comment.objects.exists()


def test_a_body_of_ten_megabytes_is_refused_before_it_is_read() -> None:
    answer = say(people.ada(), "x" * 10_000_000)
    assert answer.status_code in (400, 413)
    assert not Comment.objects.exists()


def test_one_is_sent_to_places_of_ours_only() -> None:
    client = client_of(people.ada())
    answer = client.post("/mute", {"person": people.bela().id, "next": "https://attacker.example/"})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("what", "folded"),
    [
        pytest.param("mute", 2, id="a person, whose two comments stand in two threads"),
        pytest.param("mute-thread", 1, id="a thread"),
        pytest.param("anything", 2, id="what is not said is a person"),
    ],
)
def test_muting_and_its_end(what: str, folded: int) -> None:
    """One form beneath a comment holds both."""
    say(people.bela(), "first")
    say(people.bela(), "second")
    first = Comment.objects.earliest("id").id
    fields = {"person": people.bela().id, "thread": first, "next": PAPER}
    ada = client_of(people.ada())
    assert ada.post("/mute", {"what": what, **fields}).status_code == 303
    assert page(PAPER, people.ada()).count("Muted. Read it") == folded
    ada.post("/mute", {"what": "unmute-thread" if what == "mute-thread" else "unmute", **fields})
    assert "Muted" not in page(PAPER, people.ada())


def test_with_scripts_the_discussion_alone_is_sent() -> None:
    answer = client_of(people.ada()).post(
        "/comment", {"paper": "2401.00001", "body": "quick"}, headers={"HX-Request": "true"}
    )
    assert answer.headers["HX-Retarget"] == "#discussion"
    assert answer.content.decode().startswith('<section class="discussion"')


def test_the_twin_in_markdown_shows_the_discussion() -> None:
    say(people.ada(), "Why *so* $x^2$?")
    text = page(f"{PAPER}.md")
    assert "## Discussion" in text
    assert "Why *so* $x^2$?" in text
    assert "Ada Example" in text


def test_comments_of_merged_papers_stand_on_one_page() -> None:
    say(people.ada(), "on lantern")
    client_of(people.bela()).post("/comment", {"paper": "2401.00002", "body": "on harbour"})
    merge_papers(winner_key="2401.00001", loser_key="2401.00002", reason="one work")
    assert re.findall(r"<p>(on \w+)</p>", page(PAPER)) == ["on lantern", "on harbour"]


def test_no_hostile_text_becomes_more_than_text_on_a_page_of_comments() -> None:
    say(people.bela(), "one")
    row = Comment.objects.get()
    harmless = _parts(page(PAPER, people.ada()))
    Comment.objects.bulk_create(
        Comment(
            paper_id=row.paper_id,
            author_id=row.author_id,
            parent=row,
            thread=row,
            body=text.replace("\0", ""),
            html=markup.to_html(text),
            made_at=row.made_at,
        )
        for text in HOSTILE
    )
    shown = page(PAPER, people.bela())
    assert shown.count("<article") > len(HOSTILE)
    assert _parts(shown) - harmless - _parts_of_forms(shown) == set()


def test_no_hostile_text_that_is_sent_back_becomes_more_than_text() -> None:
    client = client_of(people.ada())
    harmless = _parts(client.post("/comment", {"paper": "2401.00001", "body": "x", "what": "preview"}).content.decode())
    through = []
    for text in HOSTILE:
        answer = client.post("/comment", {"paper": "2401.00001", "body": text, "what": "preview"})
        if "\0" in text:
            assert answer.status_code == 404
            continue
        if answer.status_code != 200 or (extra := _parts(answer.content.decode()) - harmless):
            through.append((text[:60], answer.status_code, extra))
    assert through == []


def _parts_of_forms(text: str) -> set[str]:
    """What the buttons beneath each comment add: addresses of our own with the comment's number."""
    return {part for part in _parts(text) if re.fullmatch(r"(?:form |hx-\w+=)[/#][\w/?=&.-]+|hx-\w+=\w+", part)}


def _parts(text: str) -> set[str]:
    """The scripts, handlers, styles and addresses of other kinds in a page."""
    found = set()
    for element in lxml.html.document_fromstring(text).iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in (
            "script",
            "style",
            "link",
            "base",
            "meta",
            "iframe",
            "object",
            "embed",
            "img",
            "form",
            "svg",
        ):
            found.add(f"{element.tag} {element.get('src') or element.get('action') or element.get('href') or ''}")
        for name, value in element.attrib.items():
            if name.startswith(("on", "hx-", "data-hx")) or name == "style":
                found.add(f"{name}={value}")
            if name in ("href", "src", "action") and ":" in value.split("/")[0] and not value.startswith("http"):
                found.add(f"{name}={value}")
    return found


def test_a_page_asks_as_many_questions_for_many_comments() -> None:
    def asked(person: Person | None) -> int:
        client = client_of(person)
        with CaptureQueriesContext(connection) as queries:
            client.get(PAPER)
        return len(queries)

    for number in range(3):
        say(people.ada(), f"number {number}")
    everybody = (None, people.bela(), people.moderator())
    before = [asked(person) for person in everybody]
    for number in range(3):
        say(people.bela(), f"more {number}", reply=str(Comment.objects.order_by("id").first().id))  # type: ignore[union-attr]  # there are three
        say(people.chloe(), f"and more {number}")
    assert [asked(person) for person in everybody] == before
