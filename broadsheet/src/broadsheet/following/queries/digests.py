"""What is in a digest: which papers of an edition one subscription is sent, and why each."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person
from broadsheet.community.queries import notices
from broadsheet.community.queries.notices import Notice
from broadsheet.editions import queries as editions
from broadsheet.editions.queries import Edition
from broadsheet.editions.rules import Kind
from broadsheet.following.models import Delivery
from broadsheet.following.queries import follows, profiles
from broadsheet.following.queries import news as following
from broadsheet.following.queries.follows import Contents
from broadsheet.following.queries.news import News
from broadsheet.following.queries.subscribing import receiving, wish_of
from broadsheet.following.rules import digests as rules
from broadsheet.following.rules.delivering import State as Ended
from broadsheet.following.rules.news import FURTHEST, LOOKED_BACK, MOST_PAPERS
from broadsheet.following.rules.subscribing import Notices
from broadsheet.ingest.rules import State
from broadsheet.papers import queries as papers
from broadsheet.search.index import IndexUnavailable

log = logging.getLogger("broadsheet.following.digests")

# What she has read, or may have.
_TOLD = (Ended.SENT, Ended.DOUBTFUL, Ended.HANDING)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A paper in a digest, with the reasons in words that the edition, follows and the profile give."""

    paper_id: int
    reasons: tuple[str, ...]
    late: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Papers under one heading: the front page, a section, a search, what is followed.

    `total` is how many of the edition belong there; those that stand in a part before are not repeated. `kind` is
    ``front``, ``section``, ``search``, ``followed`` or ``near``, and `target` the section or the search.
    """

    kind: str
    target: str
    papers: tuple[Chosen, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Turn:
    """The time of which a mail tells what happened: after `since`, and up to `until`. `day` is her own, when it is due.

    The turns of the mails that a subscription was sent follow one another, so that nothing is told twice or left out.
    """

    since: datetime
    until: datetime
    day: date


@dataclass(frozen=True, slots=True)
class Own:
    """What a digest tells one reader alone: news of papers that she follows, and notices that she has not read.

    `more_news` and `more_notices` count those that are not in it.
    """

    news: tuple[News, ...] = ()
    more_news: int = 0
    notices: tuple[Notice, ...] = ()
    more_notices: int = 0

    def __bool__(self) -> bool:
        return bool(self.news or self.notices)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest says of one edition. Two subscriptions that ask for the same have equal digests.

    `remarks` are sentences on what is not in it. Without an edition it has what is the reader's `own`, of her `day`.
    """

    kind: Kind
    edition: Edition | None
    parts: tuple[Part, ...]
    remarks: tuple[str, ...] = ()
    own: Own = field(default_factory=Own)
    day: date | None = None

    @property
    def papers(self) -> list[Chosen]:
        """All its papers in their order."""
        return [chosen for part in self.parts for chosen in part.papers]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why there is nothing to send, in a sentence for the reader."""

    because: str


LEFT = Nothing("This subscription was left, is not confirmed, or no mail may go to its address.")
NOTHING_NEW = Nothing("Nothing happened of which you asked to be told.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked to be sent, and where to. `person_id` is that of her account, None for a reader without.

    `subscription_id` is 0 for somebody who only looks, and is told no news.
    """

    kind: Kind
    sections: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    mine: bool = False
    notices: Notices = Notices.NEVER
    person_id: int | None = None
    subscription_id: int = 0
    key: str = ""
    address: str = ""


def asked(subscription_id: int) -> Asked | None:
    """What a subscription asks for; None where no mail may go out for it: left, blocked, not confirmed, or gone."""
    row = receiving().filter(id=subscription_id).select_related("subscriber").first()
    if row is None:
        return None
    person, wish = row.subscriber.user_id, wish_of(row)
    return Asked(
        kind=Kind(wish.cadence),
        sections=wish.sections,
        searches=wish.searches,
        mine=wish.mine and person is not None,
        notices=Notices.NEVER if person is None else wish.notices,
        person_id=person,
        subscription_id=row.id,
        key=row.key,
        address=row.subscriber.address,
    )


def turn(subscription_id: int, label: str, now: datetime) -> Turn:
    """The turn of the mail that waits for a subscription with an edition of that label; `now` where none waits."""
    theirs = Delivery.objects.filter(subscription=subscription_id)
    waiting = theirs.filter(edition=label, finished_at=None).order_by("-id").first()
    told = theirs.filter(state__in=_TOLD).order_by("-made_at").values_list("made_at", flat=True).first()
    until = waiting.made_at if waiting else now
    since = max(told, until - FURTHEST) if told else until - LOOKED_BACK
    return Turn(since, until, waiting.slot if waiting else now.date())


@dataclass(frozen=True, slots=True)
class _Draft:
    """Papers of which a part is made: `room` of them, in the edition's order unless it `keeps_order`."""

    kind: str
    target: str
    ids: Sequence[int]
    reasons: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    room: int = 0
    total: int = 0
    keeps_order: bool = False


def _own(wanted: Asked, person: Person, when: Turn) -> Own:
    """What happened in the turn, of what she asked to be told."""
    with papers.remembering_families():
        told = following.of_followed(person, since=when.since, until=when.until) if wanted.mine else ()
        shown = told[:MOST_PAPERS]
        new, more = _new(person, when, shown) if wanted.notices is not Notices.NEVER else ([], 0)
    return Own(shown, len(told) - len(shown), tuple(new), more)


def _new(person: Person, when: Turn, told: Sequence[News]) -> tuple[list[Notice], int]:
    """Her notices of the turn that she has not read, without comments of which the news tell; and how many more."""
    known = {comment for each in told for event in each.events for comment in event.comments}
    return notices.new(person, since=when.since, until=when.until, known=known, limit=rules.MOST_NOTICES)


class Chooser:
    """Chooses for many readers one after the other. What is equal for several is asked once, so it lives for a moment.

    The papers and their order are those of the stored edition, as its page has them.
    """

    def __init__(self) -> None:
        self._contents: dict[int, Contents] = {}
        self._plain: dict[tuple[int, tuple[str, ...], tuple[str, ...]], Digest | Nothing] = {}
        self._none: dict[Kind, Nothing] = {}

    def digest(self, wanted: Asked, edition: Edition | None, when: Turn | None = None) -> Digest | Nothing:
        """What is sent of an edition to somebody who asked for that, or why nothing.

        With her `when` it tells her what happened since her last one, too; that alone is worth a mail.
        """
        person = accounts.people([wanted.person_id]).get(wanted.person_id) if wanted.person_id else None
        plain = self._of_edition(wanted, edition, person)
        if person is None or when is None:
            return plain
        own = _own(wanted, person, when)
        if isinstance(plain, Digest):
            return replace(plain, own=own, day=when.day) if own else plain
        if not own:
            return plain
        of = edition if edition is not None and edition.size and wanted.notices is not Notices.ALONE else None
        remarks = () if wanted.notices is Notices.ALONE else (plain.because,)
        return Digest(wanted.kind, of, (), remarks, own, when.day)

    def _of_edition(self, wanted: Asked, edition: Edition | None, person: Person | None) -> Digest | Nothing:
        """What an edition has for her, or why nothing."""
        if wanted.notices is Notices.ALONE:
            return NOTHING_NEW
        if edition is None or not edition.size:
            if wanted.kind not in self._none:
                self._none[wanted.kind] = Nothing(rules.no_edition(wanted.kind, _why_none(wanted.kind)))
            return self._none[wanted.kind]
        if person is not None and (wanted.mine or follows.curtain(person)):
            return self._chosen(wanted, edition, person)
        plain = (edition.id, wanted.sections, wanted.searches)
        if plain not in self._plain:
            self._plain[plain] = self._chosen(wanted, edition, None)
        return self._plain[plain]

    def _chosen(self, wanted: Asked, edition: Edition, person: Person | None) -> Digest | Nothing:
        drafts, remarks = self._drafts(wanted, edition, person)
        looked_at = {paper_id for draft in drafts for paper_id in draft.ids[: rules.LOOKED_AT]}
        hidden = follows.hidden(person, looked_at) if person else {}
        parts, left_out = _parts(drafts, hidden, edition)
        if left_out:
            remarks.append(rules.left_out(left_out))
        if any(part.papers for part in parts):
            return Digest(wanted.kind, edition, parts, tuple(remarks))
        said = rules.edition_said(edition.kind, edition.label, edition.start)
        if left_out:
            return Nothing(rules.all_hidden(left_out, said))
        return Nothing(
            rules.nothing_found(rules.wanted_said(wanted.sections, wanted.searches), said, _trouble(edition))
        )

    def _inside(self, edition: Edition) -> Contents:
        if edition.id not in self._contents:
            self._contents[edition.id] = follows.contents(edition)
        return self._contents[edition.id]

    def _drafts(self, wanted: Asked, edition: Edition, person: Person | None) -> tuple[list[_Draft], list[str]]:
        """What the parts are made of, and what is to be said of them."""
        drafts: list[_Draft] = []
        remarks: list[str] = []
        if person is not None and wanted.mine:
            drafts += self._mine(person, edition, remarks)
        drafts += [self._section(slug, edition) for slug in wanted.sections]
        drafts += self._searched(wanted.searches, edition, remarks)
        room = rules.share(len(drafts))
        drafts = [replace(draft, room=draft.room or room) for draft in drafts]
        if wanted.mine and person is not None:
            drafts.append(_front(edition, rules.BESIDES))
        elif not drafts:
            drafts.append(_front(edition, rules.FRONT))
        return drafts, remarks

    def _section(self, slug: str, edition: Edition) -> _Draft:
        inside = self._inside(edition)
        members = inside.sections.get(slug, frozenset())
        return _Draft("section", slug, [paper_id for paper_id in inside.ids if paper_id in members])

    def _searched(self, searches: Sequence[str], edition: Edition, remarks: list[str]) -> list[_Draft]:
        drafts: list[_Draft] = []
        for text in searches:
            inside = self._inside(edition)
            try:
                found = follows.found(text, inside)
            except IndexUnavailable as error:
                log.warning("searches of digests cannot be asked now: %s", error, exc_info=error.__cause__)
                remarks.append("Your searches could not be asked this time. Nothing else is missing.")
                return drafts
            drafts.append(_Draft("search", text, [paper_id for paper_id in inside.ids if paper_id in found]))
        return drafts

    def _mine(self, person: Person, edition: Edition, remarks: list[str]) -> list[_Draft]:
        """What she follows, in the edition's order, then what is near her library, the nearest first."""
        inside = self._inside(edition)
        look = follows.look(person, edition, only_in_digest=True, within=inside)
        if look.unsearched:
            remarks.append(look.unsearched)
        near = profiles.near(person, inside.ids)
        explained = [paper_id for paper_id in near if near[paper_id].reason and not near[paper_id].is_saved]
        nearest = sorted(explained, key=lambda paper_id: -near[paper_id].score)[: rules.LOOKED_AT]
        followed = _Draft("followed", "", list(look.reasons), look.reasons, rules.MOST_OF_A_PART)
        if not nearest:
            return [followed]
        reasons = {paper_id: (near[paper_id].reason,) for paper_id in nearest}
        return [followed, _Draft("near", "", nearest, reasons, rules.NEAR, keeps_order=True)]


def _front(edition: Edition, room: int) -> _Draft:
    """The papers at the head of the list."""
    leading = editions.entries(edition, limit=rules.LOOKED_AT)
    return _Draft("front", "", [entry.paper_id for entry in leading], room=room, total=edition.size)


def _parts(drafts: Sequence[_Draft], hidden: Collection[int], edition: Edition) -> tuple[tuple[Part, ...], int]:
    """The parts, each paper in the first one that has it, and how many papers are left out because she hides them."""
    shown: dict[int, int] = {}
    left_out: set[int] = set()
    for place, draft in enumerate(drafts):
        left_out.update(paper_id for paper_id in draft.ids[: rules.LOOKED_AT] if paper_id in hidden)
        free = [each for each in draft.ids[: rules.LOOKED_AT] if each not in hidden and each not in shown]
        shown.update(dict.fromkeys(free[: min(draft.room, rules.MOST - len(shown))], place))
    entries = editions.entries_among(edition, list(shown))
    parts = []
    for place, draft in enumerate(drafts):
        ids = [paper_id for paper_id, its in shown.items() if its == place and paper_id in entries]
        if not draft.keeps_order:
            ids.sort(key=lambda paper_id: entries[paper_id].rank)
        chosen = tuple(_chosen(entries[paper_id], draft.reasons.get(paper_id, ())) for paper_id in ids)
        parts.append(Part(draft.kind, draft.target, chosen, draft.total or len(draft.ids)))
    return tuple(parts), len(left_out)


def _chosen(entry: editions.Entry, own: tuple[str, ...]) -> Chosen:
    return Chosen(entry.paper_id, rules.said(own, entry.reasons), entry.late)


def _why_none(kind: Kind) -> str:
    """What the calendar or a source says of today's list."""
    missed = editions.missed(editions.front()) if kind is Kind.DAY else None
    return missed.words.line if missed else ""


def _trouble(edition: Edition) -> str:
    """What is wrong with the sources of an edition, in the words of its audit; empty for nothing."""
    audit = editions.audit(edition)
    return audit.line if audit.state in (State.DOWN, State.INCOMPLETE, State.UNVERIFIED) else ""
