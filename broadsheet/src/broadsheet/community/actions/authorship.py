"""Claiming authorship, deciding about it, and what confirmed authors add to their papers."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused, Role
from broadsheet.bibliography import names
from broadsheet.community.actions import notices, voting
from broadsheet.community.actions.commenting import refuse_barred
from broadsheet.community.models.authorship import AuthorAnswer, AuthorClaim, AuthorLink
from broadsheet.community.models.moderation import Act
from broadsheet.community.queries import authorship as queries
from broadsheet.community.queries.moderation import was_removed
from broadsheet.community.rules import authorship as rules
from broadsheet.community.rules.authorship import OPEN, LinkKind, State
from broadsheet.community.rules.markup import clean, to_html
from broadsheet.community.rules.moderating import Deed, Reason, Subject, Target
from broadsheet.community.rules.notices import About, Kind
from broadsheet.papers import queries as papers
from broadsheet.storage import among, take_turns

NO_CLAIM = "There is no such claim, or it was decided already. Nothing was changed."
NOT_AUTHOR = "This is for people who are confirmed as authors of the paper. Nothing was changed."


def claim_authorship(
    *, by: Person, paper_id: int, author: str, note: str = "", now: datetime | None = None
) -> queries.Claim:
    """Say that she is one of a paper's authors, under the name as it is printed there. Returns the claim.

    It is confirmed at once where her ORCID record proves it and nobody else stands in that place; else it waits for a
    curator. Raises Refused for who is barred, a paper or name that is not there, a note that is too long, and where a
    claim of hers to the paper stands already.
    """
    at = now or timezone.now()
    refuse_barred(by, at, kept="Nothing was claimed.")
    row = papers.by_ids([paper_id]).get(paper_id)
    if row is None:
        raise Refused("There is no such paper here. Nothing was claimed.", ground=Ground.NOT_THERE)
    slug = names.slug(author)
    if not slug or author not in row.authors:
        sentence = "Choose one of the names that the paper prints. Nothing was claimed."
        raise Refused(sentence, ground=Ground.NOT_UNDERSTOOD, field="author")
    said = _bounded(note, rules.LONGEST_NOTE, "note")
    found = rules.proof(
        author, papers.identifiers_of([row.id])[row.id], queries.orcid_of(by.id), queries.domains_of(by.id)
    )
    with transaction.atomic():
        standing = list(_locked(row.id))
        if any(claim.user_id == by.id for claim in standing):
            raise Refused("A claim of yours to this paper stands already. Nothing was changed.", ground=Ground.TAKEN)
        free = not any(claim.slug == slug for claim in standing)
        sure = found.enough and free
        made = AuthorClaim.objects.create(
            user_id=by.id, paper_id=row.id, author=author, slug=slug, way=found.way, proof=found.sentence, note=said,
            state=State.CONFIRMED if sure else State.PENDING, made_at=at, decided_at=at if sure else None,
            reason=found.sentence if sure else "",
        )  # fmt: skip
        if sure:
            voting.judge_papers([row.id], now=at)
    return next(claim for claim in queries.by_person(by.id) if claim.id == made.id)


def withdraw_claim(*, by: Person, claim_id: int, now: datetime | None = None) -> int:
    """Take back a claim of hers, also a confirmed one. Returns the paper's id. Raises Refused where there is none."""
    row = AuthorClaim.objects.filter(id=claim_id, user=by.id, state__in=OPEN).first()
    if row is None:
        raise Refused(NO_CLAIM, ground=Ground.NOT_THERE)
    return _settle(row, State.WITHDRAWN, "", None, now or timezone.now())


def confirm_claim(*, by: Person, claim_id: int, reason: str, now: datetime | None = None) -> int:
    """Confirm a claim that waits; whoever was confirmed in the same place is not any longer. Returns the paper's id.

    Raises Refused for who may not decide, a reason that is missing or too long, and where no such claim waits.
    """
    at = now or timezone.now()
    with transaction.atomic():
        row = _decided(by, claim_id, State.PENDING)
        said = _reason(reason)
        for other in _locked(papers.canonical([row.paper_id])[row.paper_id]):
            if other.slug == row.slug and other.user_id != row.user_id and other.state == State.CONFIRMED:
                _settle(other, State.UNDONE, said, by, at)
        return _settle(row, State.CONFIRMED, said, by, at)


def refuse_claim(*, by: Person, claim_id: int, reason: str, now: datetime | None = None) -> int:
    """Refuse a claim that waits. Returns the paper's id. Raises Refused as `confirm_claim` does."""
    with transaction.atomic():
        row = _decided(by, claim_id, State.PENDING)
        return _settle(row, State.REFUSED, _reason(reason), by, now or timezone.now())


def undo_claim(*, by: Person, claim_id: int, reason: str, now: datetime | None = None) -> int:
    """Undo a claim that was confirmed. Returns the paper's id. Raises Refused as `confirm_claim` does."""
    with transaction.atomic():
        row = _decided(by, claim_id, State.CONFIRMED)
        return _settle(row, State.UNDONE, _reason(reason), by, now or timezone.now())


def link(*, by: Person, paper_id: int, kind: str, url: str, now: datetime | None = None) -> int:
    """Link code, a project's page or data to a paper of hers. Returns the link's id.

    Raises Refused for who is no author of it or barred, an address that is none of the web, and too many links.
    """
    at = now or timezone.now()
    root = _author_of(by, paper_id, at)
    address = url.strip()
    if kind not in set(LinkKind):
        raise Refused(
            "Say whether it is code, a project's page or data. Nothing was linked.", ground=Ground.NOT_UNDERSTOOD
        )
    if not _is_web_address(address):
        sentence = "Write an address that begins with https:// or http:// and names a host. Nothing was linked."
        raise Refused(sentence, ground=Ground.NOT_UNDERSTOOD, field="url")
    with transaction.atomic():
        if known := _linked_or_room(root, kind, address):
            return known
        return AuthorLink.objects.create(user_id=by.id, paper_id=root, kind=kind, url=address, linked_at=at).id


def unlink(*, by: Person, link_id: int, now: datetime | None = None) -> None:
    """Remove a link of hers, or, as a curator, of anybody. Raises Refused where there is none of that id."""
    standing = AuthorLink.objects.filter(id=link_id, removed_at__isnull=True)
    hers = standing if by.is_a(Role.CURATOR) else standing.filter(user=by.id)
    if not hers.update(removed_at=now or timezone.now()):
        raise Refused("There is no such link of yours. Nothing was changed.", ground=Ground.NOT_THERE)


def relink(*, by: Person, link_id: int, now: datetime | None = None) -> None:
    """Undo the removal of a link of hers, or, as a curator, of anybody.

    Raises Refused as `link` and `unlink` do, where the paper has this link again already, and, for all but moderators,
    where moderators removed it.
    """
    row = AuthorLink.objects.filter(id=link_id, removed_at__isnull=False).first()
    if row is None or not (row.user_id == by.id or by.is_a(Role.CURATOR)):
        raise Refused("There is no such link of yours. Nothing was changed.", ground=Ground.NOT_THERE)
    if not by.is_a(Role.CURATOR):
        _author_of(by, row.paper_id, now or timezone.now())
    if not by.is_a(Role.MODERATOR) and was_removed(Subject(Target.LINK, link_id)):
        raise Refused("Moderators removed this link; their log has the reason. Nothing was changed.",
                      ground=Ground.NOT_ALLOWED)  # fmt: skip
    with transaction.atomic():
        if _linked_or_room(papers.canonical([row.paper_id])[row.paper_id], row.kind, row.url):
            raise Refused("The paper has this link already. Nothing was changed.", ground=Ground.TAKEN)
        AuthorLink.objects.filter(id=row.id).update(removed_at=None)


def _linked_or_room(root: int, kind: str, url: str) -> int | None:
    """The id of the link of a shown paper to that address, None where there is room for it. Call inside a transaction.

    Raises Refused where the paper has links enough.
    """
    take_turns("the links of a paper", root)
    standing = queries.links_of(root)
    if known := next((each for each in standing if (each.kind, each.url) == (kind, url)), None):
        return known.id
    if len(standing) >= rules.MOST_LINKS:
        raise Refused(f"A paper has at most {rules.MOST_LINKS} links of its authors. Remove one first.",
                      ground=Ground.TOO_MUCH)  # fmt: skip
    return None


def answer(*, by: Person, paper_id: int, measurement: str, body: str, now: datetime | None = None) -> int:
    """Answer a measurement of a paper of hers, given by the digest of its record, in CommonMark; again, to change it.

    Returns the answer's id. Raises Refused for who is no author of it or barred, and for a text that is blank or too
    long. Whether the measurement is one of that paper is for the caller to see.
    """
    at = now or timezone.now()
    root = _author_of(by, paper_id, at)
    said = _bounded(body, rules.LONGEST_ANSWER, "body")
    if not said:
        raise Refused("Write something. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD, field="body")
    row, _ = AuthorAnswer.objects.update_or_create(
        user_id=by.id,
        measurement=measurement,
        removed_at=None,
        defaults={"paper_id": root, "body": said, "html": to_html(said), "answered_at": at},
    )
    return row.id


def take_answer_back(*, by: Person, answer_id: int, now: datetime | None = None) -> None:
    """Remove an answer of hers, or, as a moderator, of anybody. Raises Refused where there is none of that id."""
    standing = AuthorAnswer.objects.filter(id=answer_id, removed_at__isnull=True)
    hers = standing if by.is_a(Role.MODERATOR) else standing.filter(user=by.id)
    if not hers.update(removed_at=now or timezone.now()):
        raise Refused("There is no such answer of yours. Nothing was changed.", ground=Ground.NOT_THERE)


def _locked(paper_id: int) -> list[AuthorClaim]:
    """The claims to a shown paper that stand, locked until the transaction ends."""
    family = papers.families([paper_id])[paper_id]
    rows = AuthorClaim.objects.select_for_update().filter(among("paper", family), state__in=OPEN)
    return list(rows.order_by("id"))


def _decided(by: Person, claim_id: int, state: State) -> AuthorClaim:
    """The claim that somebody decides about, locked. Raises Refused."""
    if not by.is_a(Role.CURATOR):
        raise Refused("This is for curators. Nothing was changed.", ground=Ground.NOT_ALLOWED)
    row = AuthorClaim.objects.select_for_update().filter(id=claim_id, state=state).first()
    if row is None:
        raise Refused(NO_CLAIM, ground=Ground.NOT_THERE)
    if row.user_id == by.id and not by.is_a(Role.OPERATOR):
        raise Refused("Another curator decides about a claim of yours. Nothing was changed.", ground=Ground.NOT_ALLOWED)
    return row


def _settle(row: AuthorClaim, state: State, reason: str, by: Person | None, at: datetime) -> int:
    """Set a claim's state and judge the votes of the paper anew; where somebody decided, write it into the public log
    and tell her. Returns the shown paper's id.
    """
    with transaction.atomic():
        AuthorClaim.objects.filter(id=row.id).update(
            state=state, reason=reason, decided_by=by.id if by else None, decided_at=at
        )
        root = papers.canonical([row.paper_id])[row.paper_id]
        voting.judge_papers([root], now=at)
        if by is not None:
            Act.objects.create(
                deed=_DEEDS[state], target=Target.CLAIM, target_id=row.id, paper_id=root, person_id=row.user_id,
                by_id=by.id, reason=Reason.AUTHORSHIP, words=reason, before=row.state, made_at=at,
            )  # fmt: skip
            told = About(paper=root, sentence=f"{_TOLD[state]} {reason}", by=by.id)
            notices.tell({row.user_id}, Kind.CLAIM, told, now=at)
    return root


_DEEDS = {State.CONFIRMED: Deed.CONFIRM, State.REFUSED: Deed.REFUSE, State.UNDONE: Deed.REVOKE}
_TOLD = {
    State.CONFIRMED: "You are confirmed as an author of this paper.",
    State.REFUSED: "Your claim to be an author of this paper was refused.",
    State.UNDONE: "You are no longer confirmed as an author of this paper.",
}


def _author_of(by: Person, paper_id: int, at: datetime) -> int:
    """The shown paper, if she is a confirmed author of it. Raises Refused."""
    refuse_barred(by, at)
    root = papers.canonical([paper_id])[paper_id]
    if by.id not in queries.authors_of([root]).get(root, set()):
        raise Refused(NOT_AUTHOR, ground=Ground.NOT_ALLOWED)
    return root


def _reason(text: str) -> str:
    said = _bounded(text, rules.LONGEST_NOTE, "reason")
    if not said:
        raise Refused("Give a reason: it is public. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD, field="reason")
    return said


def _bounded(text: str, longest: int, field: str) -> str:
    """The text without characters that deceive. Raises Refused when it is too long."""
    said = clean(text[: longest * 4]).strip()
    if len(text) > longest * 4 or len(said) > longest:
        sentence = f"This is longer than {longest:,} characters. Nothing was changed; shorten it and send it again."
        raise Refused(sentence, ground=Ground.NOT_UNDERSTOOD, field=field)
    return said


def _is_web_address(address: str) -> bool:
    if len(address) > rules.LONGEST_ADDRESS or address != clean(address) or any(c.isspace() for c in address):
        return False
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    named = bool(parts.hostname) and "." in (parts.hostname or "")
    return parts.scheme in ("http", "https") and named and not parts.username and not parts.password
