"""What a reader follows, for her programs. Whose it is says a personal token."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from django.http import HttpResponseBase
from pydantic import Field

from broadsheet import links
from broadsheet.accounts.rules import Scope
from broadsheet.community.actions import commenting
from broadsheet.following.actions import follows as actions
from broadsheet.following.queries import deliveries, follows, subscribing
from broadsheet.following.rules.follows import LONGEST_LABEL, MOST_FOLLOWED, Kind
from broadsheet.papers import queries as papers
from broadsheet.web import addresses
from broadsheet.web.api.endpoint import Asked, Endpoint, told
from broadsheet.web.api.papers import known
from broadsheet.web.api.parameters import Number, Parameters
from broadsheet.web.api.problems import NotAnswered
from broadsheet.web.api.shapes import Shape
from broadsheet.web.pages.follows import line

_KINDS = (
    "`section`, `author` and `group` (an organisation is one) by what stands in the address of its page, `person` by "
    "her name (for what she picks), `search` by its text."
)


class Following(Shape):
    """Something that she follows."""

    id: int = Field(description="Its number.", examples=[7])
    kind: str = Field(
        description="What it is: `section`, `author`, `group`, `search` or `person`.", examples=["section"]
    )
    target: str = Field(
        description="Which one, as it stands in the address of its page; empty for what is gone.", examples=["cs.LG"]
    )
    name: str = Field(description="What it is called.", examples=["Machine Learning"])
    url: str | None = Field(description="Its page; null for what is gone.", examples=["http://localhost/section/cs.LG"])
    feed: str = Field(
        description="Its feed as Atom. Who has the address can read it; .rss and .json are there too.",
        examples=["http://localhost/follows/feeds/Zm9v.atom"],
    )
    in_digest: bool = Field(description="Whether her digest tells of it.", examples=[True])
    made_at: datetime = Field(description="Since when, in UTC.", examples=["2024-01-03T08:00:00Z"])


class MyFollows(Shape):
    """All that she follows."""

    most: int = Field(description="How many things one can follow.", examples=[200])
    items: list[Following] = Field(description="What she follows, kind by kind.", examples=[[]])
    papers: list[str] = Field(
        description="The keys of the papers that she follows, the last one first.", examples=[["2401.00001"]]
    )


class ToFollow(Shape):
    """What is to be followed."""

    kind: Literal["section", "author", "group", "search", "person"] = Field(description=_KINDS, examples=["section"])
    target: str = Field(description="Which one.", examples=["cs.LG"], max_length=1_000)
    label: str = Field(
        default="", description="Her own name for a search.", examples=["Lamps"], max_length=LONGEST_LABEL
    )
    in_digest: bool | None = Field(default=None, description="Whether her digest tells of it.", examples=[True])


class Ended(Shape):
    """What is followed no longer."""

    id: int = Field(description="Its number.", examples=[7])
    was_there: bool = Field(description="Whether she did follow it.", examples=[True])


class FollowedPaper(Shape):
    """Whether she is told of what happens to a paper."""

    id: str = Field(description="The paper's key.", examples=["2401.00001"])
    followed: bool = Field(description="Whether she follows it.", examples=[True])


class Newest(Parameters):
    """How much of a log."""

    limit: Number = Field(default=30, ge=1, le=100, description="How many mails are told at most.", examples=[10])


class Mailed(Shape):
    """A mail of hers and what became of it."""

    id: int = Field(description="Its number.", examples=[12])
    subscription: int = Field(description="The number of the subscription that it belongs to.", examples=[3])
    cadence: str = Field(description="How often that one comes: `day`, `week` or `month`.", examples=["day"])
    day: date = Field(description="Her own day for which it was due.", examples=["2024-01-03"])
    edition: str | None = Field(
        description="The label of the edition that it is about; null where there was none.", examples=["2024-01-02"]
    )
    state: str = Field(
        description="`waiting`, `claimed`, `handing`, `sent`, `nothing`, `failed`, `doubtful` or `bounced`.",
        examples=["sent"],
    )
    said: str = Field(description="What became of it, in a sentence or two.", examples=["Sent, with 12 papers."])
    papers: int = Field(description="How many papers were in it.", examples=[12])
    at: datetime = Field(description="When it ended, or is tried next, in UTC.", examples=["2024-01-03T07:00:00Z"])


class MyDeliveries(Shape):
    """What became of her mails."""

    items: list[Mailed] = Field(description="The mails, the newest first.", examples=[[]])


def my_follows(asked: Asked[Parameters]) -> MyFollows:
    """All that she follows."""
    ids = follows.followed_papers(asked.person)
    rows = papers.by_ids(ids)
    return MyFollows(
        most=MOST_FOLLOWED,
        items=[_following(row, asked.base) for row in follows.follows_of(asked.person)],
        papers=[rows[each].key for each in ids if each in rows],
    )


def follow(asked: Asked[Parameters]) -> HttpResponseBase:
    """Follow something; again changes nothing but what is said. Raises NotAnswered, and Refused."""
    wanted = asked.sent(ToFollow)
    number = actions.follow(by=asked.person, kind=Kind(wanted.kind), target=wanted.target, label=wanted.label)
    if wanted.in_digest is not None:
        actions.set_in_digest(by=asked.person, follow_id=number, on=wanted.in_digest)
    made = next((row for row in follows.follows_of(asked.person) if row.id == number), None)
    if made is None:
        raise NotAnswered("unknown-thing", "It was followed, and the follow is gone again.")
    return told(_following(made, asked.base), status=201)


def unfollow(asked: Asked[Parameters], number: str) -> Ended:
    """Follow something no longer."""
    return Ended(id=int(number), was_there=actions.unfollow(by=asked.person, follow_id=int(number)))


def follow_paper(asked: Asked[Parameters], key: str) -> FollowedPaper:
    """Be told of what happens to a paper. Raises NotAnswered, and Refused."""
    return _set_paper(asked, key, on=True)


def unfollow_paper(asked: Asked[Parameters], key: str) -> FollowedPaper:
    """Be told no longer of what happens to a paper. Raises NotAnswered, and Refused."""
    return _set_paper(asked, key, on=False)


def my_deliveries(asked: Asked[Newest]) -> MyDeliveries:
    """What became of her mails, of all her subscriptions together."""
    limit = asked.parameters.limit
    found = [(each, mail) for each in subscribing.of_person(asked.person.id) for mail in deliveries.log(each.id, limit)]
    newest = sorted(found, key=lambda pair: (pair[1].slot, pair[1].id), reverse=True)[:limit]
    return MyDeliveries(
        items=[
            Mailed(
                id=mail.id,
                subscription=each.id,
                cadence=each.wish.cadence,
                day=mail.slot,
                edition=mail.edition or None,
                state=mail.state,
                said=mail.words,
                papers=mail.papers,
                at=mail.at,
            )
            for each, mail in newest
        ]
    )


def _set_paper(asked: Asked[Parameters], key: str, *, on: bool) -> FollowedPaper:
    row = known(key)
    commenting.follow(by=asked.person, paper_id=row.id, on=on)
    return FollowedPaper(id=row.key, followed=on)


def _following(row: follows.Followed, base: str) -> Following:
    shown = line(row)
    return Following(
        id=row.id,
        kind=row.kind,
        target=row.target,
        name=shown.name,
        url=base + shown.url if shown.url else None,
        feed=base + addresses.in_form(shown.feed, "atom"),
        in_digest=row.in_digest,
        made_at=row.made_at,
    )


ENDPOINTS = (
    Endpoint(
        path=links.API_MY_FOLLOWS,
        name="list_my_follows",
        summary="What I follow",
        description="All that the person follows, with the secret addresses of the feeds. Needs the scope "
        "`read:follows`.",
        parameters=Parameters,
        shape=MyFollows,
        answer=my_follows,
        policy="person",
        scope=Scope.READ_FOLLOWS,
    ),
    Endpoint(
        path=links.API_MY_FOLLOWS,
        name="follow",
        summary="Follow something",
        description="The person follows a section, an author, a group, a search or what somebody picks; again changes "
        "nothing but the name of a search and whether the digest tells of it. Needs the scope `write:follows`.",
        method="POST",
        parameters=Parameters,
        takes=ToFollow,
        shape=Following,
        answer=follow,
        policy="person",
        scope=Scope.WRITE_FOLLOWS,
    ),
    Endpoint(
        path=links.API_MY_FOLLOW,
        name="unfollow",
        summary="Follow something no longer",
        description="The follow of this number ends, and its feed with it. Needs the scope `write:follows`.",
        method="DELETE",
        parameters=Parameters,
        shape=Ended,
        answer=unfollow,
        policy="person",
        scope=Scope.WRITE_FOLLOWS,
    ),
    Endpoint(
        path=links.API_FOLLOW_PAPER,
        name="follow_paper",
        summary="Follow a paper",
        description="The person is told of a paper's comments, versions, code and measurements among her notices. "
        "Needs the scope `write:follows`.",
        method="PUT",
        parameters=Parameters,
        shape=FollowedPaper,
        answer=follow_paper,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.WRITE_FOLLOWS,
    ),
    Endpoint(
        path=links.API_FOLLOW_PAPER,
        name="unfollow_paper",
        summary="Follow a paper no longer",
        description="The person is told of the paper no longer. Needs the scope `write:follows`.",
        method="DELETE",
        parameters=Parameters,
        shape=FollowedPaper,
        answer=unfollow_paper,
        policy="person",
        problems=("unknown-paper",),
        scope=Scope.WRITE_FOLLOWS,
    ),
    Endpoint(
        path=links.API_MY_DELIVERIES,
        name="list_my_deliveries",
        summary="What became of my mail",
        description="The mails of the person's subscriptions, the newest first: sent, not sent because there was "
        "nothing to say, or failed, and why. Needs the scope `read:follows`.",
        parameters=Newest,
        shape=MyDeliveries,
        answer=my_deliveries,
        policy="person",
        scope=Scope.READ_FOLLOWS,
    ),
)
