"""Following and hiding on pages and in feeds: buttons, the page of all of it, secret feeds, what is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import orjson
import pytest
from django.test import Client
from django.utils import timezone
from lxml import etree

from broadsheet import links
from broadsheet.accounts import queries as accounts
from broadsheet.accounts.actions import groups
from broadsheet.accounts.rules import Person
from broadsheet.community.actions import commenting, picks, voting
from broadsheet.editions import actions as publishing
from broadsheet.editions import queries as editions
from broadsheet.following.actions import follows as actions
from broadsheet.following.models import Follow, Hidden
from broadsheet.following.queries import follows
from broadsheet.following.rules.follows import Hiding, Kind
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.testing import people
from broadsheet.testing.cast import HARBOUR, LANTERN

pytestmark = pytest.mark.django_db

LAMPS, HARBOURS = "2401.00001", "2401.00002"


@pytest.fixture
def reader(press: Callable[..., None]) -> Person:
    """Chloé, when Lantern and Harbour are printed."""
    press([LANTERN, HARBOUR])
    return people.chloe()


@pytest.fixture
def asks(client: Client, reader: Person) -> Client:
    """Her browser."""
    return people.signed_in(client, reader)


def number(key: str) -> int:
    row = papers.find(key)
    assert row is not None
    return row.id


def lab() -> int:
    """The number of a group of Ada's with Lantern on its shelf."""
    described = groups.Description("Lamp Lab", "organisation")
    groups.make_group(by=people.ada(), slug="lamp-lab", described=described)
    found = accounts.group("lamp-lab", people.ada())
    assert found is not None
    shelf = keeping.make_shelf(by=people.ada(), name="Steps", group=found.id)
    keeping.place(by=people.ada(), shelf=shelf, papers_=[number(LAMPS)])
    return found.id


def picked() -> None:
    edition = editions.front()
    assert edition is not None
    picks.pick_paper(by=people.curator(), paper_id=number(LAMPS), day=edition.start)


FOLLOWABLE = [
    pytest.param(Kind.SECTION, "math.OC", "/section/math.OC", "Optimization and Control", id="section"),
    pytest.param(Kind.AUTHOR, "ada-example", "/author/ada-example", "Ada Example", id="author"),
    pytest.param(Kind.GROUP, "lamp-lab", "/groups/lamp-lab", "Lamp Lab", id="group"),
    pytest.param(Kind.PERSON, "dorde", "/people/dorde", "Đorđe Primer", id="person who picks"),
    pytest.param(Kind.SEARCH, '"gradient norms"', "/search?q=%22gradient+norms%22", '"gradient norms"', id="search"),
]


@pytest.mark.parametrize(("kind", "target", "path", "name"), FOLLOWABLE)
class TestEverythingThatCanBeFollowed:
    @pytest.fixture(autouse=True)
    def _done(self, reader: Person) -> None:
        lab()
        picked()

    def test_its_page_has_a_button_that_follows_and_unfollows(
        self, asks: Client, kind: Kind, target: str, path: str, name: str
    ) -> None:
        for what, before in (("follow", "Follow"), ("unfollow", "Following")):
            text = asks.get(path).content.decode()
            (form,) = re.findall(r'<form class="follow.*?</form>', text, re.DOTALL)
            assert f">{before}<span" in form
            sent = dict(re.findall(r'name="(kind|target|number|next)" value="([^"]*)"', form))
            sent = {field: value.replace("&#34;", '"').replace("&amp;", "&") for field, value in sent.items()}
            answer = asks.post(links.FOLLOW, {**sent, "what": what})
            assert (answer.status_code, answer.headers["Location"]) == (303, path)
        assert not Follow.objects.exists()

    def test_a_press_without_leaving_the_page_gives_the_button_back(
        self, asks: Client, kind: Kind, target: str, path: str, name: str
    ) -> None:
        sent = {"kind": kind, "target": target, "what": "follow", "next": path}
        text = asks.post(links.FOLLOW, sent, headers={"HX-Request": "true"}).content.decode()
        assert text.strip().startswith('<form class="follow on"')
        assert f'name="number" value="{Follow.objects.get().id}"' in text

    def test_it_stands_on_the_page_of_all_that_is_followed(
        self, asks: Client, reader: Person, kind: Kind, target: str, path: str, name: str
    ) -> None:
        actions.follow(by=reader, kind=kind, target=target)
        text = asks.get(links.FOLLOWS).content.decode()
        shown, where = name.replace('"', "&#34;"), path.replace("&", "&amp;")
        assert f'<p class="headline"><a href="{where}">{shown}</a></p>' in text

    @pytest.mark.parametrize("form", ["atom", "rss", "json"])
    def test_its_feed_needs_only_the_secret(
        self, reader: Person, kind: Kind, target: str, path: str, name: str, form: str
    ) -> None:
        made = actions.follow(by=reader, kind=kind, target=target)
        address = f"/follows/feeds/{Follow.objects.get().key}.{form}"
        answer = Client().get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"].startswith("private")
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert b"Lantern" in answer.content
        assert b"Harbour" not in answer.content
        if form == "json":
            said = orjson.loads(answer.content)
            assert said["home_page_url"] == f"http://testserver{path}"
            assert said["feed_url"] == f"http://testserver{address}"
            assert said["title"].startswith(name)
        actions.unfollow(by=reader, follow_id=made)
        assert Client().get(address).status_code == 404

    def test_the_program_of_a_reader_gets_all_feeds_at_once(
        self, asks: Client, reader: Person, kind: Kind, target: str, path: str, name: str
    ) -> None:
        actions.follow(by=reader, kind=kind, target=target)
        answer = asks.get(links.MY_FEEDS)
        assert answer.headers["Cache-Control"].startswith("private")
        (feed,) = etree.fromstring(answer.content).findall(".//outline[@xmlUrl]")
        assert feed.get("text") == name
        assert feed.get("xmlUrl") == f"http://testserver/follows/feeds/{Follow.objects.get().key}.atom"
        assert feed.get("htmlUrl") == f"http://testserver{path}"


class TestFeeds:
    @pytest.mark.parametrize("secret", ["x", "x" * 43, "..", "a%2Fb"])
    def test_a_secret_that_nobody_has_is_not_there(self, reader: Person, secret: str) -> None:
        assert Client().get(f"/follows/feeds/{secret}.atom").status_code == 404

    def test_the_feed_of_a_private_group_ends_when_one_is_out_of_it(self, reader: Person) -> None:
        lab()
        actions.follow(by=reader, kind=Kind.GROUP, target="lamp-lab")
        address = f"/follows/feeds/{Follow.objects.get().key}.atom"
        assert Client().get(address).status_code == 200
        shut = groups.Description("Lamp Lab", "group", is_private=True)
        found = accounts.group("lamp-lab", people.ada())
        assert found is not None
        groups.change_group(by=people.ada(), group=found.id, described=shut)
        assert Client().get(address).status_code == 404

    def test_visitors_get_no_list_of_feeds(self, reader: Person) -> None:
        assert Client().get(links.MY_FEEDS).status_code == 303


class TestThePage:
    def test_it_says_how_to_begin(self, asks: Client) -> None:
        assert "You follow nothing yet" in asks.get(links.FOLLOWS).content.decode()

    def test_the_digest_is_switched_for_each(self, asks: Client, reader: Person) -> None:
        made = actions.follow(by=reader, kind=Kind.SECTION, target="cs.LG")
        asks.post(links.FOLLOWS, {"number": made, "what": "no-digest"})
        assert "not in the digest:" in asks.get(links.FOLLOWS).content.decode()
        asks.post(links.FOLLOWS, {"number": made, "what": "digest"})
        assert Follow.objects.get().in_digest

    def test_a_search_is_followed_under_a_name(self, asks: Client) -> None:
        sent = {"kind": "search", "target": "lamps -survey", "label": "Light", "what": "follow", "next": links.FOLLOWS}
        assert asks.post(links.FOLLOW, sent).headers["Location"] == links.FOLLOWS
        text = asks.get(links.FOLLOWS).content.decode()
        assert '<a href="/search?q=lamps+-survey">Light</a>' in text
        assert '<p class="note">lamps -survey</p>' in text

    def test_papers_that_are_followed_stand_there_too(self, asks: Client, reader: Person) -> None:
        commenting.follow(by=reader, paper_id=number(LAMPS), on=True)
        assert f'name="paper" value="{LAMPS}"' in asks.get(links.FOLLOWS).content.decode()
        asks.post(links.FOLLOWS, {"paper": LAMPS, "what": "unfollow-paper"})
        assert follows.followed_papers(reader) == []

    @pytest.mark.parametrize(
        ("path", "sent", "status"),
        [
            pytest.param(links.FOLLOW, {"kind": "planet", "target": "mars"}, 422, id="no kind"),
            pytest.param(links.FOLLOW, {"kind": "section", "target": "cs.XX"}, 404, id="no such section"),
            pytest.param(links.FOLLOWS, {"what": "paint"}, 422, id="no known change"),
            pytest.param(links.FOLLOWS, {"what": "digest", "number": "77"}, 404, id="not hers"),
            pytest.param(links.HIDE, {"kind": "planet", "value": "mars"}, 422, id="nothing that can be hidden"),
        ],
    )
    def test_what_is_not_understood_changes_nothing(
        self, asks: Client, path: str, sent: dict[str, str], status: int
    ) -> None:
        answer = asks.post(path, sent)
        assert answer.status_code == status
        assert "Nothing was changed." in answer.content.decode()

    def test_what_cannot_be_hidden_comes_back_as_typed(self, asks: Client) -> None:
        answer = asks.post(links.HIDE, {"kind": "author", "value": "Nobody Anywhere", "what": "hide"})
        assert answer.status_code == 422
        text = answer.content.decode()
        assert 'value="Nobody Anywhere"' in text
        assert "No paper here has an author of that name." in text
        assert '<option value="author" selected>' in text

    def test_what_is_hidden_can_be_shown_again(self, asks: Client) -> None:
        assert asks.post(links.HIDE, {"kind": "word", "value": "Lamp", "what": "hide"}).status_code == 303
        assert "the word <b>Lamp</b>" in asks.get(links.FOLLOWS).content.decode()
        asks.post(links.HIDE, {"what": "show", "number": Hidden.objects.get().id})
        assert not Hidden.objects.exists()


LISTS = ["/", "/date/2024-01-02", "/week/2024-W01", "/month/2024-01", "/section/cs.LG"]


class TestHiding:
    @pytest.mark.parametrize("path", LISTS)
    def test_a_list_leaves_out_what_is_hidden_and_says_how_much(self, asks: Client, reader: Person, path: str) -> None:
        actions.hide(by=reader, kind=Hiding.WORD, value="bridges")
        text = asks.get(path).content.decode()
        assert f'data-paper="{HARBOURS}"' not in text
        assert f'data-paper="{LAMPS}"' in text
        assert "1\u00a0paper is hidden by your settings" in text
        assert f'href="{path}?hidden=show"' in text
        text = asks.get(f"{path}?hidden=show").content.decode()
        assert f'data-paper="{HARBOURS}"' in text
        assert "1\u00a0paper is shown that your settings hide" in text
        assert f'href="{path}"' in text

    @pytest.mark.parametrize("path", LISTS)
    def test_visitors_see_everything_and_no_word_of_it(self, reader: Person, path: str) -> None:
        actions.hide(by=reader, kind=Hiding.WORD, value="bridges")
        text = Client().get(path).content.decode()
        assert f'data-paper="{HARBOURS}"' in text
        assert "your settings" not in text

    @pytest.mark.parametrize(
        "path",
        [
            pytest.param("/search?q=bridges", id="search"),
            pytest.param("/author/bela-beispiel", id="author"),
            pytest.param(f"/papers/{HARBOURS}", id="the paper itself"),
            pytest.param("/section/stat.ML", id="a section that is hidden and asked for"),
        ],
    )
    def test_what_is_asked_for_is_never_hidden(self, asks: Client, reader: Person, path: str) -> None:
        if not path.startswith("/section"):
            actions.hide(by=reader, kind=Hiding.WORD, value="bridges")
        actions.hide(by=reader, kind=Hiding.SECTION, value="stat.ML")
        text = asks.get(path).content.decode()
        assert "Harbour" in text
        assert "your settings" not in text

    def test_rising_papers_that_are_hidden_are_counted(self, asks: Client, reader: Person) -> None:
        voting.cast_vote(by=people.ada(), paper_id=number(HARBOURS))
        publishing.follow_votes(now=timezone.now() + timedelta(seconds=1))
        assert f'data-paper="{HARBOURS}"' in asks.get(links.TRENDING).content.decode()
        actions.hide(by=reader, kind=Hiding.WORD, value="bridges")
        text = asks.get(links.TRENDING).content.decode()
        assert f'data-paper="{HARBOURS}"' not in text
        assert "1\u00a0paper is hidden by your settings" in text
        assert "Nothing rises" not in text

    def test_ranks_and_sizes_stay_true(self, asks: Client, reader: Person) -> None:
        before = asks.get("/date/2024-01-02").content.decode()
        ranks = dict(re.findall(r'data-paper="([^"]+)">\s*<p class="kicker"><span class="rank">(\d)', before))
        actions.hide(by=reader, kind=Hiding.WORD, value="bridges")
        after = asks.get("/date/2024-01-02").content.decode()
        assert f'<span class="rank">{ranks[LAMPS]}.' in after
        assert "2\u00a0papers" in after

    def test_feeds_of_lists_are_as_for_everybody(self, asks: Client, reader: Person) -> None:
        actions.hide(by=reader, kind=Hiding.WORD, value="bridges")
        assert b"Harbour" in asks.get("/date/2024-01-02.atom").content
