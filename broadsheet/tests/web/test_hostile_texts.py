"""Texts that mean harm, in every field that people and sources can fill: none becomes more than a text.

Each text of `HOSTILE` goes into each field, and the pages that show the field are read as a browser would: nothing in
them may run, load, style or redirect, and no address may lead anywhere but to the web. What is refused got nowhere.
docs/developer/hostile-input.md has the numbers; a test here compares them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import lxml.html
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from broadsheet.accounts import actions as accounts
from broadsheet.accounts.actions import groups
from broadsheet.accounts.rules import Person, Refused
from broadsheet.bibliography.dates import PartialDate
from broadsheet.community.actions import authorship, commenting, moderating, picks, submissions
from broadsheet.community.rules.commenting import Draft
from broadsheet.community.rules.moderating import Deed, Reason, Ruling, Subject, Target
from broadsheet.following.actions import follows as following
from broadsheet.following.actions import hooks as posting
from broadsheet.following.actions import subscribing as mailing
from broadsheet.following.rules import hooks, subscribing
from broadsheet.following.rules.follows import Hiding, Kind
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.testing import people
from broadsheet.testing.cast import arxiv, said
from broadsheet.testing.hostile_texts import HOSTILE
from broadsheet.web import addresses

pytestmark = pytest.mark.django_db

CHUNKS = 30
# What a page makes of a text is the same on every database, only what can be stored is not: PostgreSQL is given each
# n-th text. They are sorted by kind, so every kind is among them.
EACH_ON_POSTGRESQL = 6
DAY = datetime(2024, 1, 2, tzinfo=UTC)
ANSWERED = "a" * 64

_ADDRESSES = ("href", "src", "action", "formaction", "data", "xlink:href", "poster", "background", "cite", "srcset")
_LOADING = frozenset({"iframe", "object", "embed", "applet", "frame", "frameset", "base", "style", "portal", "audio",
                      "video", "source", "track"})  # fmt: skip


@dataclass
class World:
    """One hostile text, everywhere: a paper that says it, and a person who writes it wherever she can."""

    text: str
    number: int
    person: Person
    paper: papers.Paper
    shelf: str = ""
    group: str = ""
    hooks: str = ""


def _source_fields(text: str, number: int) -> None:
    # No reader of sources gives zero bytes on, which PostgreSQL cannot hold.
    text = text.replace("\0", "")
    store_many(
        [
            said(
                text,
                key=f"hostile-{number}",
                identifiers=(arxiv(f"2402.{number + 1:05}"),),
                abstract=text,
                summary=text,
                authors=(text, "Ada Example"),
                venue=text,
                comments=text,
                license=text,
                organization=text,
                code_url=text,
                project_url=text,
                keywords=(text,),
                submitted=PartialDate(2024, 1, 2),
                announced=DAY.date(),
                categories=("cs.LG",),
            )
        ]
    )


def _said_of_herself(world: World) -> None:
    accounts.describe(by=world.person, shown=world.text, about=world.text)


def _token(world: World) -> None:
    accounts.make_token(by=world.person, name=world.text, scopes=["read:library"])


def _comment(world: World) -> None:
    commenting.post_comment(by=world.person, paper_id=world.paper.id, draft=Draft(body=world.text))


def _edited_comment(world: World) -> None:
    number = commenting.post_comment(by=world.person, paper_id=world.paper.id, draft=Draft(body=f"No. {world.number}"))
    commenting.edit_comment(by=world.person, comment_id=number, body=world.text)


def _entry(world: World) -> None:
    words = keeping.Words(state="read", notes={None: world.text})
    keeping.say(by=world.person, paper=world.paper.id, words=words)


def _tag(world: World) -> None:
    keeping.say(by=world.person, paper=world.paper.id, words=keeping.Words(state="read", tags=world.text))


def _shelf(world: World) -> None:
    number = keeping.make_shelf(by=world.person, name=world.text, is_public=True)
    keeping.place(by=world.person, shelf=number, papers_=[world.paper.id])
    world.shelf = f"/library/shelves/{number}"


def _group(world: World) -> None:
    described = groups.Description(name=world.text, kind="group", about=world.text, website=world.text)
    groups.make_group(by=world.person, slug=f"group-{world.number}", described=described)
    world.group = f"/groups/group-{world.number}"


def _hook(world: World) -> None:
    slug = f"posts-{world.number}"
    group = groups.make_group(by=world.person, slug=slug, described=groups.Description("Lamp Readers", "group"))
    world.hooks = f"/groups/{slug}/hooks"
    typed = hooks.Typed(address=f"https://hooks.example.org/{world.text}")
    posting.add_hook(by=world.person, group=group, typed=typed, now=datetime.now(UTC))


def _flag(world: World) -> None:
    moderating.flag(by=world.person, subject=_ada(), reason=Reason.ABUSE, words=world.text)


def _ada() -> Subject:
    return Subject(Target.PERSON, people.ada().id)


def _ruling_and_appeal(world: World) -> None:
    number = commenting.post_comment(by=world.person, paper_id=world.paper.id, draft=Draft(body="A lamp."))
    subject = Subject(Target.COMMENT, number)
    ruling = Ruling(Deed.REMOVE, Reason.SPAM, words=world.text)
    act = moderating.moderate(by=people.moderator(), subject=subject, ruling=ruling)
    moderating.appeal(by=world.person, act_id=act, words=world.text)


def _submission(world: World) -> None:
    submissions.propose_paper(by=world.person, text=f"2403.{world.number + 1:05}", note=world.text)


def _pick(world: World) -> None:
    picks.pick_paper(by=people.curator(), paper_id=world.paper.id, day=datetime.now(UTC).date(), note=world.text)


def _authors_words(world: World) -> None:
    claim = authorship.claim_authorship(by=world.person, paper_id=world.paper.id, author="Ada Example", note=world.text)
    authorship.confirm_claim(by=people.curator(), claim_id=claim.id, reason=world.text)
    authorship.answer(by=world.person, paper_id=world.paper.id, measurement=ANSWERED, body=world.text)


def _authors_link(world: World) -> None:
    authorship.link(by=world.person, paper_id=world.paper.id, kind="code", url=world.text)


def _digest_searches(world: World) -> None:
    with contextlib.suppress(subscribing.Unfit):
        typed = subscribing.Typed(searches=world.text)
        wish = subscribing.read_wish(typed, zones=frozenset({"UTC"}), is_section=bool)
        address = f"hostile-{world.number}@example.org"
        mailing.subscribe_reader(by=world.person, address=address, wish=wish, consent={}, now=datetime.now(UTC))


def _followed_search(world: World) -> None:
    following.follow(by=world.person, kind=Kind.SEARCH, target=f"lamps {world.number}", label=world.text)
    following.follow(by=world.person, kind=Kind.SEARCH, target=world.text)


def _hidden_word(world: World) -> None:
    following.hide(by=world.person, kind=Hiding.WORD, value=world.text)


# The fields that people fill, by how; one function may fill several. The order matters: authors add after they claim.
WRITING: dict[str, tuple[int, Callable[[World], None]]] = {
    "shown name, about": (2, _said_of_herself),
    "name of a token": (1, _token),
    "comment": (1, _comment),
    "edited comment": (1, _edited_comment),
    "note": (1, _entry),
    "tags": (1, _tag),
    "name of a shelf": (1, _shelf),
    "name, about and address of a group": (3, _group),
    "address that editions are posted to": (1, _hook),
    "words of a flag": (1, _flag),
    "words of a decision and of an appeal": (2, _ruling_and_appeal),
    "note of a proposal": (1, _submission),
    "note of a pick": (1, _pick),
    "claim, decision and answer of an author": (3, _authors_words),
    "link of an author": (1, _authors_link),
    "searches of a digest": (1, _digest_searches),
    "text and name of a followed search": (2, _followed_search),
    "hidden word": (1, _hidden_word),
}
OF_SOURCES = 11
REFLECTED: dict[str, Callable[[str], str]] = {
    "search": lambda text: f"/search?q={quote(text)}",
    "search, newest": lambda text: f"/search?sort=newest&q={quote(text)}",
    "why a result": lambda text: f"/search/why?paper=2401.00001&q={quote(text)}",
    "search feed": lambda text: f"/search.atom?q={quote(text)}",
    "library's words": lambda text: f"/library?q={quote(text)}",
    "library's tag": lambda text: f"/library?tag={quote(text)}",
    "proposal": lambda text: f"/propose?paper={quote(text)}",
    "the way back from sign-in": lambda text: f"/account/sign-in?next={quote(text)}",
    "an address that is not here": lambda text: f"/author/{quote(text, safe='')}",
    "a person who is not here": lambda text: f"/people/{quote(text, safe='')}",
    "a page number": lambda text: f"/date/2024-01-02?page={quote(text)}",
}


def leaks(answer: bytes, *, path: str) -> list[str]:
    """What in a page of HTML runs, loads, styles or redirects and is not ours; nothing for a page that is safe."""
    page = lxml.html.document_fromstring(answer)
    found = []
    for element in page.iter():
        if not isinstance(element.tag, str):
            continue
        name = element.tag.lower().rpartition("}")[2]
        if name in _LOADING or (name == "script" and not _is_our_script(element)):
            found.append(f"{path}: an element {name}")
        if name == "meta" and element.get("http-equiv"):
            found.append(f"{path}: a meta element that acts")
        if name == "link" and "stylesheet" in (element.get("rel") or "") and not _is_ours(element.get("href", "")):
            found.append(f"{path}: a foreign style sheet")
        found += [f"{path}: {name} {key}={value[:60]!r}" for key, value in element.attrib.items() if _acts(key, value)]
    return found


def _is_our_script(element: lxml.html.HtmlElement) -> bool:
    source = element.get("src")
    if source is not None:
        return _is_ours(source)
    return element.get("type") == "application/ld+json" and "<" not in (element.text or "")


def _is_ours(address: str) -> bool:
    return address.startswith(settings.STATIC_URL)


def _acts(key: str, value: str) -> bool:
    """Whether an attribute runs something, styles, or leads to a place that is no address of the web."""
    key = key.lower()
    if key.startswith(("on", "hx-on")) or key in ("style", "srcdoc", "ping", "autofocus"):
        return True
    if key not in _ADDRESSES:
        return False
    address = re.sub(r"[\x00-\x20]", "", value).lower()
    scheme = re.match(r"[a-z][a-z0-9+.-]*:", address)
    return address.startswith("//") or (scheme is not None and scheme[0] not in ("http:", "https:", "mailto:"))


@pytest.mark.parametrize(
    ("page", "is_seen"),
    [
        pytest.param(b"<p>a lamp &lt;script&gt;</p>", False, id="a text"),
        pytest.param(b'<a href="https://example.org/">a</a><a href="/b">b</a>', False, id="addresses of the web"),
        pytest.param(b"<script>1</script>", True, id="a script"),
        pytest.param(b'<p onclick="1">a</p>', True, id="a handler"),
        pytest.param(b'<a href=" java\tscript:1">a</a>', True, id="an address that runs"),
        pytest.param(b'<a href="//attacker.example">a</a>', True, id="an address without a scheme"),
        pytest.param(b'<p style="color: red">a</p>', True, id="a style"),
        pytest.param(b"<svg><style>a{}</style></svg>", True, id="a style sheet in a picture"),
        pytest.param(b'<meta http-equiv="refresh" content="0">', True, id="a redirection"),
        pytest.param(b'<iframe src="/">', True, id="a frame"),
    ],
)
def test_a_leak_is_seen(page: bytes, is_seen: bool) -> None:
    assert bool(leaks(page, path="")) is is_seen


def made(text: str, number: int) -> World | None:
    """The world of a hostile text; None where sources cannot even name a paper so."""
    _source_fields(text, number)
    paper = papers.find(f"2402.{number + 1:05}")
    if paper is None:
        return None
    world = World(text, number, people.reader(f"hostile-{number}"), paper)
    for _, write in WRITING.values():
        with contextlib.suppress(Refused):
            write(world)
    return world


def pages_of(world: World) -> Iterator[tuple[Person | None, str]]:
    """Who reads which page of the world: its own person, and a visitor."""
    for path in (addresses.paper(world.paper.key), f"/people/hostile-{world.number}"):
        yield None, path
        yield world.person, path
    for path in (*OF_A_READER, world.shelf, world.group, world.hooks):
        if path:
            yield world.person, path


def tried(chunk: int = 0, chunks: int = 1) -> Iterator[int]:
    """The numbers of the texts of one chunk, as many as this database is given."""
    each = EACH_ON_POSTGRESQL if connection.vendor == "postgresql" else 1
    yield from range(0, len(HOSTILE), each)[chunk::chunks]


OF_A_READER = (
    *("/library", "/account", "/account/tokens", "/account/mail", "/notices", "/proposals", "/follows"),
    "/desk",
)
COMMON = ("/", "/date/2024-01-02", "/section/cs.LG", "/groups", "/moderation/log", "/trending", "/status")
OF_OFFICE = ("/moderation", "/claims")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_hostile_text_stays_a_text_wherever_it_is_written(press, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BROADSHEET_API_RATES", False)
    press([])
    visitor, through = Client(raise_request_exception=False), []
    for number in tried(chunk, CHUNKS):
        world = made(HOSTILE[number], number)
        if world is None:
            continue
        signed_in = people.signed_in(Client(raise_request_exception=False), world.person)
        for reader, path in pages_of(world):
            answer = (signed_in if reader else visitor).get(path)
            through += [f"{number}: {path}: {answer.status_code}"] * (answer.status_code >= 500)
            through += [f"{number}: {leak}" for leak in leaks(answer.content, path=path)]
    press([])
    for person in (people.moderator(), people.operator()):
        officer = people.signed_in(Client(raise_request_exception=False), person)
        for path in (*COMMON, *OF_OFFICE):
            answer = officer.get(path)
            through += [f"{path}: {answer.status_code}"] * (answer.status_code >= 500)
            through += leaks(answer.content, path=path)
    assert through == []


@pytest.mark.parametrize("name", REFLECTED)
def test_a_hostile_text_in_an_address_stays_a_text(press, name: str) -> None:
    press([])
    client = people.signed_in(Client(raise_request_exception=False), people.ada())
    through = []
    for number in tried():
        text = HOSTILE[number]
        if len(text) > 2_000:
            continue
        path = REFLECTED[name](text)
        answer = client.get(path)
        through += [f"{number}: {answer.status_code}"] * (answer.status_code >= 500)
        through += [f"{number}: a header of its own"] * ("x-injected" in {key.lower() for key in answer.headers})
        if answer.headers.get("Content-Type", "").startswith("text/html") and answer.content:
            through += [f"{number}: {leak}" for leak in leaks(answer.content, path=path[:60])]
        location = answer.headers.get("Location", "/")
        through += [f"{number}: leads to {location[:60]}"] * (
            not re.match(r"/(?![/\\])|\?|https://(doi|arxiv)\.org/", location)
        )
    assert through == []


def test_the_documentation_tells_how_many_were_tried(repository: Path) -> None:
    told = (repository / "docs" / "developer" / "hostile-input.md").read_text(encoding="utf-8")
    fields = sum(count for count, _ in WRITING.values())
    for what in (f"{len(HOSTILE)} texts", f"{fields} fields of people", f"{OF_SOURCES} fields of sources"):
        assert what in told
    assert f"{len(REFLECTED)} addresses" in told


def test_the_day_of_the_hostile_papers_is_in_the_past() -> None:
    """The front page prints recent days; these papers must be on one that the test reads, whatever day it is."""
    assert datetime.now(UTC) - DAY > timedelta(days=31)
