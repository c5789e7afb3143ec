"""Following and hiding: what a reader begins and ends."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, Person, Refused, clean_shown
from broadsheet.bibliography import names
from broadsheet.bibliography.folding import fold
from broadsheet.following.models import Follow, Hidden
from broadsheet.following.rules.follows import (
    LONGEST_HIDDEN,
    LONGEST_LABEL,
    MOST_FOLLOWED,
    MOST_HIDDEN,
    MOST_SEARCHES,
    Hiding,
    Kind,
    section_said,
)
from broadsheet.following.rules.subscribing import LONGEST_SEARCH
from broadsheet.papers import queries as papers
from broadsheet.search.query import parse
from broadsheet.storage import take_turns

_NO_SUCH = "There is no such {} here. Nothing was changed."


def follow(*, by: Person, kind: Kind, target: str, label: str = "", now: datetime | None = None) -> int:
    """Follow something, and return the number of the follow; the old one's, where she follows it already.

    `target` is what stands in its address: the slug of a section, an author or a group, the name of a person, the text
    of a search; `label` is her own name for a search. Papers are followed by community. Raises Refused for what is not
    here, a search that asks for nothing or is too long, and one too many.
    """
    stored, shown = _FOUND[kind](by, target, label) if kind in _FOUND else _refused(kind)
    with transaction.atomic():
        take_turns("what a person follows", by.id)
        row = Follow.objects.filter(user=by.id, kind=kind, target=stored).first()
        if row is None:
            _refuse_too_many(by, kind)
            row = Follow.objects.create(
                user_id=by.id,
                kind=kind,
                target=stored,
                label=shown,
                key=secrets.token_urlsafe(32),
                made_at=now or timezone.now(),
            )
        elif kind is Kind.SEARCH and label.strip() and row.label != shown:
            row.label = shown
            row.save(update_fields=["label"])
    return row.id


def unfollow(*, by: Person, follow_id: int) -> bool:
    """Follow something no longer; its feed ends with it. Returns whether she did follow it."""
    return bool(Follow.objects.filter(id=follow_id, user=by.id).delete()[0])


def set_in_digest(*, by: Person, follow_id: int, on: bool) -> None:
    """Let the digest tell of it, or not. Raises Refused when she does not follow it."""
    if not Follow.objects.filter(id=follow_id, user=by.id).update(in_digest=on):
        raise Refused("You do not follow this any more. Nothing was changed.", ground=Ground.NOT_THERE)


def hide(*, by: Person, kind: Hiding, value: str, now: datetime | None = None) -> int:
    """Hide papers with a word, of an author or of a section from her lists, and return the number of that.

    `value` is a word or a few, an author's name or slug, or the slug of a section. Raises Refused for what says
    nothing, is too long or is not here, and for one too many.
    """
    compared, shown = _compared(kind, value.strip())
    with transaction.atomic():
        take_turns("what a person hides", by.id)
        row = Hidden.objects.filter(user=by.id, kind=kind, value=compared).first()
        if row is None:
            if Hidden.objects.filter(user=by.id).count() >= MOST_HIDDEN:
                raise Refused(
                    f"You hide {MOST_HIDDEN} things, which is as many as one may. Show one again first.",
                    ground=Ground.TOO_MUCH,
                )
            row = Hidden.objects.create(
                user_id=by.id, kind=kind, value=compared, label=shown, made_at=now or timezone.now()
            )
    return row.id


def show(*, by: Person, hidden_id: int) -> bool:
    """Hide something no longer. Returns whether it was hidden."""
    return bool(Hidden.objects.filter(id=hidden_id, user=by.id).delete()[0])


def _refuse_too_many(by: Person, kind: Kind) -> None:
    mine = Follow.objects.filter(user=by.id)
    if mine.count() >= MOST_FOLLOWED:
        raise Refused(
            f"You follow {MOST_FOLLOWED} things, which is as many as one may. End one first.", ground=Ground.TOO_MUCH
        )
    if kind is Kind.SEARCH and mine.filter(kind=kind).count() >= MOST_SEARCHES:
        raise Refused(
            f"You follow {MOST_SEARCHES} searches, which is as many as one may. End one first, or join two with "
            "more words.",
            ground=Ground.TOO_MUCH,
        )


# --- What is meant ---------------------------------------------------------------------------------------------------


def _section(_by: Person, target: str, _label: str) -> tuple[str, str]:
    if not papers.in_section(target, limit=1).ids:
        raise Refused(_NO_SUCH.format("section"), ground=Ground.NOT_THERE)
    return target, ""


def _author(_by: Person, target: str, _label: str) -> tuple[str, str]:
    name = papers.author_name(target)
    if name is None:
        raise Refused(_NO_SUCH.format("author"), ground=Ground.NOT_THERE)
    return target, name[:LONGEST_SEARCH]


def _group(by: Person, target: str, _label: str) -> tuple[str, str]:
    found = accounts.group(target, by)
    if found is None:
        raise Refused(_NO_SUCH.format("group"), ground=Ground.NOT_THERE)
    return str(found.id), ""


def _person(by: Person, target: str, _label: str) -> tuple[str, str]:
    found = accounts.named(target)
    if found is None or found.id == by.id:
        raise Refused("One can follow other people who have an account. Nothing was changed.", ground=Ground.NOT_THERE)
    return str(found.id), ""


def _search(_by: Person, target: str, label: str) -> tuple[str, str]:
    query = parse(target)
    text = str(query)
    if query.empty:
        raise Refused(
            "This search asks for nothing. Type words or filters, then follow it.", ground=Ground.NOT_UNDERSTOOD
        )
    if len(text) > LONGEST_SEARCH or query.shortened:
        raise Refused(
            f"A search that is followed has at most {LONGEST_SEARCH} characters. Nothing was changed; shorten it.",
            ground=Ground.NOT_UNDERSTOOD,
        )
    return text, clean_shown(label)[:LONGEST_LABEL] or text


_FOUND = {
    Kind.SECTION: _section,
    Kind.AUTHOR: _author,
    Kind.GROUP: _group,
    Kind.PERSON: _person,
    Kind.SEARCH: _search,
}


def _refused(kind: Kind) -> tuple[str, str]:
    raise Refused(f"A {kind} is followed on its own page. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD)


def _compared(kind: Hiding, value: str) -> tuple[str, str]:
    """What is compared, and what is told of it."""
    if not value or len(value) > LONGEST_HIDDEN:
        raise Refused(
            f"Type what you do not want to see, in at most {LONGEST_HIDDEN} characters. Nothing was changed.",
            ground=Ground.NOT_UNDERSTOOD,
            field="value",
        )
    if kind is Hiding.WORD:
        return _word(value)
    if kind is Hiding.SECTION:
        return _section_named(value)
    return _author_named(names.slug(value) or value)


def _word(typed: str) -> tuple[str, str]:
    folded = fold(typed)
    if not folded or len(folded) > 2 * LONGEST_HIDDEN:
        raise Refused(
            "This has no letters or digits to look for. Nothing was changed.",
            ground=Ground.NOT_UNDERSTOOD,
            field="value",
        )
    return folded, clean_shown(typed) or folded


def _section_named(value: str) -> tuple[str, str]:
    slugs = (value, value.lower().replace(" ", "-"))
    slug = next((each for each in slugs if papers.in_section(each, limit=1).ids), None)
    if slug is None:
        raise Refused(
            "There is no such section here. Write its code or its name as its page has it. Nothing was changed.",
            ground=Ground.NOT_THERE,
            field="value",
        )
    return slug, section_said(slug)


def _author_named(slug: str) -> tuple[str, str]:
    name = papers.author_name(slug)
    if name is None:
        raise Refused(
            "No paper here has an author of that name. Write it as papers print it. Nothing was changed.",
            ground=Ground.NOT_THERE,
            field="value",
        )
    return slug, name[:LONGEST_HIDDEN]
