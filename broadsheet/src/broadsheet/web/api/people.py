"""What people do, for their programs: votes, comments, a library. Whose it is says a personal token."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.http import HttpResponseBase
from pydantic import Field

from broadsheet import links
from broadsheet.accounts.rules import Person, Scope
from broadsheet.community.actions import commenting, voting
from broadsheet.community.queries import comments, notices, votes
from broadsheet.community.queries.comments import Comment
from broadsheet.community.queries.votes import Counted
from broadsheet.community.rules.commenting import Draft
from broadsheet.library import actions as keeping
from broadsheet.library import queries as library
from broadsheet.library import rules
from broadsheet.library.rules import State
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards
from broadsheet.web.api.endpoint import ANY, Asked, Endpoint, told
from broadsheet.web.api.papers import known, moved
from broadsheet.web.api.parameters import AFTER, Number, Numbered, Parameters
from broadsheet.web.api.problems import NotAnswered, repeated
from broadsheet.web.api.shapes import Shape

_KEY = "The paper's key."
_STATES = "`unread`, `reading` or `read`."


class Pages(Parameters):
    """What a list takes that is read page by page."""

    limit: Number = Field(default=50, ge=1, le=100, description="How many items a page has at most.", examples=[20])
    after: str = Field(default="", max_length=40, description=AFTER)


class OfLibrary(Pages):
    """Which part of a library."""

    state: Literal["unread", "reading", "read"] | None = Field(
        default=None, description=f"Only papers in this state: {_STATES}", examples=["reading"]
    )
    tag: str = Field(default="", max_length=100, description="Only papers with this tag.", examples=["lamps"])
    shelf: Numbered | None = Field(default=None, description="Only papers on the shelf of this number.")
    q: str = Field(
        default="", max_length=200, description="Only papers whose title, authors, note or tags have these words."
    )


class Named(Shape):
    """A person as everybody sees her."""

    name: str = Field(description="Her name in addresses.", examples=["ada"])
    shown: str = Field(description="Her name as pages print it.", examples=["Ada Example"])
    url: str = Field(description="Her page.", examples=["http://localhost/people/ada"])


class Me(Named):
    """Whose token it is."""

    roles: list[str] = Field(description="What she may do on the whole instance.", examples=[["reader"]])
    scopes: list[str] = Field(description="What this token is good for.", examples=[["read:library"]])
    joined_at: datetime = Field(description="Since when she is here, in UTC.", examples=["2024-01-02T17:00:00Z"])


class Tally(Shape):
    """The votes for a paper, and the asking person's own."""

    id: str = Field(description=_KEY, examples=["2401.00001"])
    votes: int = Field(description="How many votes count.", examples=[7])
    held: int = Field(description="How many votes are held back.", examples=[0])
    mine: str = Field(
        description="What became of hers: `none`, `counted`, or the rule by which it does not count.",
        examples=["counted"],
    )


class MyVote(Shape):
    """A vote of hers."""

    id: str = Field(description=_KEY, examples=["2401.00001"])
    url: str = Field(description="The paper's page.", examples=["http://localhost/papers/2401.00001"])
    voted_at: datetime = Field(description="When she voted, in UTC.", examples=["2024-01-03T08:00:00Z"])
    state: str = Field(description="What became of it, as in a tally.", examples=["counted"])


class MyVotes(Shape):
    """Her votes."""

    items: list[MyVote] = Field(description="The votes, the newest first.", examples=[[]])


class Said(Shape):
    """A comment."""

    id: int = Field(description="Its number.", examples=[12])
    url: str = Field(description="Its address.", examples=["http://localhost/comments/12"])
    author: Named | None = Field(description="Who wrote it; null when the account is gone or the text was taken back.")
    is_of_author: bool = Field(description="Whether she is an author of the paper.", examples=[False])
    answers: int | None = Field(description="The comment that it answers; null for none.", examples=[11])
    state: str = Field(
        description="`open`; or `folded`, `removed` or `withdrawn`, by moderators or by its author.", examples=["open"]
    )
    text: str = Field(description="The text as CommonMark; empty when it cannot be read.", examples=["Does it hold?"])
    html: str = Field(description="The same as safe HTML.", examples=["<p>Does it hold?</p>"])
    made_at: datetime = Field(description="When it was written, in UTC.", examples=["2024-01-03T08:00:00Z"])
    edited_at: datetime | None = Field(description="When it was edited last, in UTC; null for never.")


class Discussion(Shape):
    """A page of a paper's discussion."""

    id: str = Field(description=_KEY, examples=["2401.00001"])
    total: int = Field(description="How many comments can be read.", examples=[1])
    items: list[Said] = Field(description="Threads in the order in which they began, each with its replies.")
    next: str | None = Field(description="Where the next page is; null on the last one.")


class ToSay(Shape):
    """A comment that is to be published."""

    text: str = Field(description="CommonMark with mathematics between dollar signs.", examples=["Does it hold?"])
    answers: int | None = Field(default=None, description="The comment that it answers.", examples=[11])


class Kept(Shape):
    """A paper in her library."""

    id: str = Field(description=_KEY, examples=["2401.00001"])
    title: str = Field(description="Its title, without TeX.", examples=["Lantern"])
    url: str = Field(description="Its page.", examples=["http://localhost/papers/2401.00001"])
    state: str = Field(description=_STATES, examples=["reading"])
    rating: int | None = Field(description="From 1 to 5; null for none.", examples=[4])
    tags: list[str] = Field(description="Her tags.", examples=[["lamps"]])
    note: str = Field(description="Her note, which nobody else sees.", examples=["Try it with momentum."])
    added_at: datetime | None = Field(description="When she saved it, in UTC.", examples=["2024-01-03T08:00:00Z"])


class MyLibrary(Shape):
    """A page of her library."""

    total: int = Field(description="How many papers there are in all.", examples=[1])
    items: list[Kept] = Field(description="The papers, the one that was saved last first.", examples=[[]])
    next: str | None = Field(description="Where the next page is; null on the last one.")


class ToKeep(Shape):
    """What she notes beside a paper. What is not said stays as it is."""

    state: Literal["unread", "reading", "read"] | None = Field(default=None, description=_STATES, examples=["read"])
    rating: int | None = Field(default=None, ge=0, le=5, description="From 1 to 5; 0 for none.", examples=[4])
    tags: list[str] | None = Field(default=None, description="All of her tags for it.", examples=[["lamps"]])
    note: str | None = Field(default=None, description="Her note.", examples=["Try it with momentum."])


class Dropped(Shape):
    """What was taken out of her library."""

    id: str = Field(description=_KEY, examples=["2401.00001"])
    was_there: bool = Field(description="Whether it was in it.", examples=[True])


class Shelf(Shape):
    """A shelf of hers."""

    id: int = Field(description="Its number.", examples=[3])
    name: str = Field(description="Its name.", examples=["Lamps"])
    within: int | None = Field(description="The shelf that it stands in; null for none.", examples=[1])
    is_public: bool = Field(description="Whether everybody may see it.", examples=[False])
    count: int = Field(description="How many papers are on it.", examples=[1])


class MyShelves(Shape):
    """Her shelves."""

    items: list[Shelf] = Field(description="Each shelf, followed by those that stand in it.", examples=[[]])


class Told(Shape):
    """Something that she is told."""

    id: int = Field(description="Its number.", examples=[5])
    kind: str = Field(description="What it is about.", examples=["reply"])
    made_at: datetime = Field(description="When, in UTC.", examples=["2024-01-03T08:00:00Z"])
    is_read: bool = Field(description="Whether she has read it.", examples=[False])
    paper: str | None = Field(description="The key of the paper that it is about; null for none.")
    comment: int | None = Field(description="The comment that it is about; null for none.")
    sentence: str = Field(description="What is told, where it is a sentence.", examples=[""])


class MyNotices(Shape):
    """A page of her notices."""

    unread: int = Field(description="How many she has not read.", examples=[1])
    items: list[Told] = Field(description="The notices, the newest first.", examples=[[]])
    next: str | None = Field(description="Where the next page is; null on the last one.")


def me(asked: Asked[Parameters]) -> Me:
    """Whose token it is, and what it is good for."""
    person = asked.person
    scopes = asked.bearer.scopes if asked.bearer else frozenset()
    return Me(
        **_named(person, asked.base).model_dump(),
        roles=sorted(person.roles),
        scopes=sorted(scopes),
        joined_at=person.joined_at,
    )


def cast(asked: Asked[Parameters], key: str) -> Tally:
    """Vote. Raises NotAnswered, and Refused."""
    row = known(key)
    return _tally(row, voting.cast_vote(by=asked.person, paper_id=row.id))


def withdraw(asked: Asked[Parameters], key: str) -> Tally:
    """Take the vote back. Raises NotAnswered, and Refused."""
    row = known(key)
    return _tally(row, voting.withdraw_vote(by=asked.person, paper_id=row.id))


def my_votes(asked: Asked[Parameters]) -> MyVotes:
    """Her votes."""
    found = votes.voted_by(asked.person.id)
    rows = papers.by_ids({each.paper_id for each in found})
    return MyVotes(
        items=[
            MyVote(
                id=rows[each.paper_id].key,
                url=asked.base + addresses.paper(rows[each.paper_id].key),
                voted_at=each.at,
                state=each.state,
            )
            for each in found
            if each.paper_id in rows
        ]
    )


def discussion(asked: Asked[Pages], key: str) -> Discussion | HttpResponseBase:
    """What was said about a paper for everybody to read. Raises NotAnswered."""
    row = known(key)
    if row.key != key:
        return moved(asked, addresses.api_paper(row.key, links.API_COMMENTS))
    after = _number(asked.parameters.after)
    found = comments.discussion(row.id, None, after=after, limit=asked.parameters.limit)
    return Discussion(
        id=row.key,
        total=found.count,
        items=[_said(each, asked.base) for each in found.comments],
        next=asked.address(after=str(found.following)) if found.following else None,
    )


def comment(asked: Asked[Parameters], key: str) -> HttpResponseBase:
    """Publish a comment. Raises NotAnswered, and Refused."""
    row, wanted = known(key), asked.sent(ToSay)
    number = commenting.post_comment(
        by=asked.person, paper_id=row.id, draft=Draft(body=wanted.text, parent=wanted.answers)
    )
    made = comments.one(number, asked.person)
    if made is None:
        raise NotAnswered("unknown-thing", "The comment was published and is gone again.")
    return told(_said(made, asked.base), status=201)


def my_library(asked: Asked[OfLibrary]) -> MyLibrary:
    """A page of her library. Raises NotAnswered."""
    said = asked.parameters
    offset = _number(said.after)
    state = State(said.state) if said.state else None
    wanted = library.Wanted(shelf=said.shelf, tag=said.tag, state=state, words=said.q)
    found = library.find(asked.person, wanted, offset=offset, limit=said.limit)
    entries = library.entries(found.ids, asked.person)
    rows = papers.by_ids(found.ids)
    goes_on = offset + len(found.ids) < found.total
    return MyLibrary(
        total=found.total,
        items=[_kept(rows[each], entries[each], asked.base) for each in found.ids if each in rows and each in entries],
        next=asked.address(after=str(offset + len(found.ids))) if goes_on else None,
    )


def my_paper(asked: Asked[Parameters], key: str) -> Kept:
    """A paper of her library. Raises NotAnswered when it is not in it."""
    row = known(key)
    found = library.entry(row.id, asked.person)
    if found is None:
        raise NotAnswered("unknown-thing", "This paper is not in your library.")
    return _kept(row, found, asked.base)


def keep(asked: Asked[Parameters], key: str) -> Kept:
    """Put a paper into her library, or change what she notes beside it. Raises NotAnswered, and Refused."""
    row, wanted = known(key), asked.sent(ToKeep)
    before = library.entry(row.id, asked.person)
    said = before.said if before else rules.Said()
    rating = said.rating if wanted.rating is None else wanted.rating
    tags = said.tags if wanted.tags is None else wanted.tags
    words = keeping.Words(
        state=wanted.state or said.state,
        rating=str(rating or ""),
        tags=", ".join(tags),
        notes={} if wanted.note is None else {None: wanted.note},
    )
    keeping.say(by=asked.person, paper=row.id, words=words)
    made = my_paper(asked, row.key)
    reads = asked.bearer is not None and asked.bearer.may(Scope.READ_LIBRARY)
    # Who may only write is told what she has written, and nothing that stood there before.
    return made if reads else made.model_copy(update={"note": wanted.note or "", "tags": wanted.tags or []})


def drop(asked: Asked[Parameters], key: str) -> Dropped:
    """Take a paper out of her library and off her shelves; its page offers the undo. Raises NotAnswered."""
    row = known(key)
    return Dropped(id=row.key, was_there=keeping.drop(by=asked.person, papers_=[row.id]) is not None)


def my_shelves(asked: Asked[Parameters]) -> MyShelves:
    """Her shelves."""
    return MyShelves(
        items=[
            Shelf(id=each.id, name=each.name, within=each.parent, is_public=each.is_public, count=each.count)
            for each in library.shelves_of(asked.person)
        ]
    )


def my_notices(asked: Asked[Pages]) -> MyNotices:
    """A page of her notices. Raises NotAnswered."""
    found, following = notices.listed(
        asked.person, before=_number(asked.parameters.after) or None, limit=asked.parameters.limit
    )
    rows = papers.by_ids({each.paper_id for each in found if each.paper_id})
    return MyNotices(
        unread=notices.unread(asked.person),
        items=[
            Told(
                id=each.id,
                kind=each.kind,
                made_at=each.made_at,
                is_read=each.is_read,
                paper=rows[each.paper_id].key if each.paper_id in rows else None,
                comment=each.comment.id if each.comment else None,
                sentence=each.sentence,
            )
            for each in found
        ],
        next=asked.address(after=str(following)) if following else None,
    )


def _number(cursor: str) -> int:
    """The cursor of a list that counts. Raises NotAnswered when it is none."""
    if not cursor:
        return 0
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 12:
        sentence = f"'{repeated(cursor)}' is no place in this list. Begin again from its first page."
        raise NotAnswered("unknown-cursor", sentence)
    return int(cursor)


def _named(person: Person, base: str) -> Named:
    return Named(name=person.name, shown=person.shown, url=base + links.PERSON.format(name=person.name))


def _tally(row: papers.Paper, counted: Counted) -> Tally:
    return Tally(id=row.key, votes=counted.votes, held=counted.held, mine=counted.mine)


def _said(found: Comment, base: str) -> Said:
    return Said(
        id=found.id,
        url=base + links.COMMENT_ONE.format(number=found.id),
        author=_named(found.author, base) if found.author else None,
        is_of_author=found.is_of_author,
        answers=found.parent,
        state=found.shown,
        text=found.body,
        html=found.html,
        made_at=found.made_at,
        edited_at=found.edited_at,
    )


def _kept(row: papers.Paper, found: library.Entry, base: str) -> Kept:
    return Kept(
        id=row.key,
        title=cards.Card(row).title_text,
        url=base + addresses.paper(row.key),
        state=found.said.state,
        rating=found.said.rating,
        tags=list(found.said.tags),
        note=found.said.note,
        added_at=found.said.added_at,
    )


ENDPOINTS = (
    Endpoint(
        path=links.API_ME,
        name="get_me",
        summary="Whose token this is",
        description="The person whose personal token was sent, and what it is good for. Needs a token of any scope.",
        parameters=Parameters,
        shape=Me,
        answer=me,
        policy="person",
        scope=ANY,
    ),
    Endpoint(
        path=links.API_MY_VOTES,
        name="list_my_votes",
        summary="What I voted for",
        description="The papers that the person voted for. Needs the scope `write:votes`.",
        parameters=Parameters,
        shape=MyVotes,
        answer=my_votes,
        policy="person",
        scope=Scope.WRITE_VOTES,
    ),
    Endpoint(
        path=links.API_MY_LIBRARY,
        name="list_my_library",
        summary="My library",
        description="The papers of the person's library, the one that was saved last first. Needs `read:library`.",
        parameters=OfLibrary,
        shape=MyLibrary,
        answer=my_library,
        policy="person",
        problems=("unknown-cursor",),
        scope=Scope.READ_LIBRARY,
    ),
    Endpoint(
        path=links.API_MY_PAPER,
        name="get_my_paper",
        summary="What I note beside a paper",
        description="A paper of the person's library. Needs the scope `read:library`.",
        parameters=Parameters,
        shape=Kept,
        answer=my_paper,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.READ_LIBRARY,
    ),
    Endpoint(
        path=links.API_MY_PAPER,
        name="keep_paper",
        summary="Save a paper, or note something beside it",
        description="Puts the paper into the person's library if it is not there, and changes what the body says. "
        "Needs the scope `write:library`.",
        method="PUT",
        parameters=Parameters,
        takes=ToKeep,
        shape=Kept,
        answer=keep,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.WRITE_LIBRARY,
    ),
    Endpoint(
        path=links.API_MY_PAPER,
        name="drop_paper",
        summary="Take a paper out of my library",
        description="Takes the paper out of the person's library and off her shelves. The pages of her library offer "
        "the undo for 30 days. Needs the scope `write:library`.",
        method="DELETE",
        parameters=Parameters,
        shape=Dropped,
        answer=drop,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.WRITE_LIBRARY,
    ),
    Endpoint(
        path=links.API_MY_SHELVES,
        name="list_my_shelves",
        summary="My shelves",
        description="The person's shelves; `list_my_library` tells what stands on one. Needs the scope `read:library`.",
        parameters=Parameters,
        shape=MyShelves,
        answer=my_shelves,
        policy="person",
        scope=Scope.READ_LIBRARY,
    ),
    Endpoint(
        path=links.API_MY_NOTICES,
        name="list_my_notices",
        summary="My notices",
        description="What the person is told: replies, decisions of moderators. Needs the scope `read:notices`.",
        parameters=Pages,
        shape=MyNotices,
        answer=my_notices,
        policy="person",
        problems=("unknown-cursor",),
        scope=Scope.READ_NOTICES,
    ),
    Endpoint(
        path=links.API_VOTE,
        name="cast_vote",
        summary="Vote for a paper",
        description="The person votes for the paper; again changes nothing. Needs the scope `write:votes`.",
        method="PUT",
        parameters=Parameters,
        shape=Tally,
        answer=cast,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.WRITE_VOTES,
    ),
    Endpoint(
        path=links.API_VOTE,
        name="withdraw_vote",
        summary="Take a vote back",
        description="The person's vote for the paper is taken back. Needs the scope `write:votes`.",
        method="DELETE",
        parameters=Parameters,
        shape=Tally,
        answer=withdraw,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.WRITE_VOTES,
    ),
    Endpoint(
        path=links.API_COMMENTS,
        name="list_comments",
        summary="What was said about a paper",
        description="The discussion of a paper as everybody can read it: threads in the order in which they began.",
        parameters=Pages,
        shape=Discussion,
        answer=discussion,
        problems=("unknown-paper", "unknown-cursor"),
        redirects=True,
    ),
    Endpoint(
        path=links.API_COMMENTS,
        name="post_comment",
        summary="Comment on a paper",
        description="Publishes a comment for everybody to read. Needs the scope `write:comments`.",
        method="POST",
        parameters=Parameters,
        takes=ToSay,
        shape=Said,
        answer=comment,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.WRITE_COMMENTS,
    ),
)
