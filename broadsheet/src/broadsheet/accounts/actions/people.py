"""People: making accounts by hand, roles, being barred, what one says of oneself, deletion and merging."""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from broadsheet.accounts import queries
from broadsheet.accounts.actions.groups import hand_over, take_over_memberships
from broadsheet.accounts.models import PersonalToken, User
from broadsheet.accounts.rules import (
    SHORTEST_PASSWORD,
    Ground,
    Person,
    Refused,
    Role,
    clean_about,
    clean_shown,
    name_problem,
)

_FLAGS = {Role.CURATOR: "is_curator", Role.MODERATOR: "is_moderator", Role.OPERATOR: "is_staff"}


def add_person(*, name: str, email: str, password: str, shown: str = "", role: Role = Role.READER) -> Person:
    """Make an account by hand; its mail address counts as confirmed. Raises Refused.

    An empty password makes an account whose owner sets one by "forgotten password".
    """
    if problem := name_problem(name):
        raise Refused(problem, ground=Ground.NOT_UNDERSTOOD, field="name")
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("This is no mail address.", ground=Ground.NOT_UNDERSTOOD, field="email") from error
    if password and len(password) < SHORTEST_PASSWORD:
        raise Refused(
            f"A password has at least {SHORTEST_PASSWORD} characters.", ground=Ground.NOT_UNDERSTOOD, field="password"
        )
    with transaction.atomic():
        if User.objects.filter(name=name).exists():
            raise Refused("Somebody has this name already. Take another.", ground=Ground.TAKEN, field="name")
        if EmailAddress.objects.filter(email=email, verified=True).exists():
            raise Refused("An account with this mail address exists.", ground=Ground.TAKEN, field="email")
        user = User(name=name, email=email, shown=clean_shown(shown) or name)
        user.set_password(password or None)
        user.save()
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        _give(user, role, has=True)
    return queries.as_person(user)


def set_role(*, name: str, role: Role, has: bool) -> Person:
    """Give a person a role, or take it from her. Raises Refused for a name that nobody has, and the last operator."""
    with transaction.atomic():
        user = _named(name)
        if role is Role.READER:
            raise Refused("Everybody with an account is a reader.", ground=Ground.NOT_UNDERSTOOD)
        if role is Role.OPERATOR and not has and _is_last_operator(user):
            raise Refused("This is the only operator. Make somebody else one first.", ground=Ground.NOT_ALLOWED)
        _give(user, role, has=has)
    return queries.as_person(user)


def bar(*, name: str, until: datetime | None, because: str) -> Person:
    """Keep a person from writing until then, or let her write again (`until=None`). Raises Refused.

    She may go on reading, and the reason is shown to her and to everybody. The public log is written by whoever calls.
    """
    because = clean_about(because)
    if until is not None and not because:
        raise Refused("Say why; it is shown to everybody.", ground=Ground.NOT_UNDERSTOOD, field="because")
    with transaction.atomic():
        user = _named(name)
        user.barred_until, user.barred_because = until, because if until else ""
        user.save(update_fields=["barred_until", "barred_because"])
    return queries.as_person(user)


def describe(*, by: Person, shown: str, about: str) -> Person:
    """Change what a person says of herself. A shown name of nothing becomes her name. Returns her as she is now.

    Raises Refused where the shown name is one that would be taken for somebody who speaks for the paper.
    """
    shown = clean_shown(shown)
    if shown and shown.lower() != by.name and speaks_for_the_paper(shown) and not by.is_a(Role.MODERATOR):
        raise Refused(
            "This shown name looks like that of somebody who speaks for the paper. Take another.",
            ground=Ground.NOT_UNDERSTOOD,
            field="shown",
        )
    with transaction.atomic():
        user = User.objects.get(id=by.id)
        user.shown, user.about = shown or user.name, clean_about(about)
        user.save(update_fields=["shown", "about"])
    return queries.as_person(user)


def speaks_for_the_paper(shown: str) -> bool:
    """Whether a shown name reads like a reserved name."""
    plain = "-".join("".join(letter if letter.isalnum() else " " for letter in shown.lower()).split())
    return plain.isascii() and len(plain) > 1 and name_problem(plain) is not None and name_problem(f"{plain}x") is None


def end_sessions(*, of: Person, but: str = "") -> int:
    """Sign a person out everywhere, but for the session with the key `but`. Returns how many sessions ended."""
    with transaction.atomic():
        found = UserSession.objects.filter(user=of.id).exclude(session_key=but)
        keys = list(found.values_list("session_key", flat=True))
        Session.objects.filter(session_key__in=keys).delete()
        found.delete()
    return len(keys)


def delete_person(*, of: Person) -> None:
    """Delete an account with everything that hangs on it, in every table of the instance. Raises Refused.

    What is written by others on top of it (answers to her comments) keeps an empty place; what each table does stands
    in its foreign key. Groups that she alone owned are handed over, and end where nobody else is in them.
    The last operator cannot go.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(id=of.id)
        if _is_last_operator(user):
            raise Refused(
                "You are the only operator. Make somebody else one first: broadsheet person role NAME operator. "
                "Nothing was deleted.",
                ground=Ground.NOT_ALLOWED,
            )
        end_sessions(of=of)
        hand_over(person_id=user.id)
        user.delete()


def _is_last_operator(user: User) -> bool:
    others = User.objects.filter(is_staff=True, is_active=True).exclude(id=user.id)
    return user.is_staff and not others.exists()


def merge_people(*, kept: Person, gone: Person) -> None:
    """Move what accounts hold of one account to another, and delete the first. Raises Refused.

    The caller has made sure that both belong to one person, and has moved what the tables above hold, in the same
    transaction. Mail addresses, ways to sign in elsewhere, tokens and groups move; so do roles, and being barred, which
    nobody can shake off by merging. Password, passkeys and authenticator are those of the account that stays.
    """
    if kept.id == gone.id:
        raise Refused("This is the account that you are signed in to.", ground=Ground.NOT_UNDERSTOOD)
    with transaction.atomic():
        rows = {row.id: row for row in User.objects.select_for_update().filter(id__in=[kept.id, gone.id])}
        into, user = rows[kept.id], rows[gone.id]
        for flag in _FLAGS.values():
            setattr(into, flag, getattr(into, flag) or getattr(user, flag))
        if user.barred_until and (into.barred_until is None or into.barred_until < user.barred_until):
            into.barred_until, into.barred_because = user.barred_until, user.barred_because
        into.about = into.about or user.about
        into.joined_at = min(into.joined_at, user.joined_at)
        into.save()
        _move_addresses(user, into)
        SocialAccount.objects.filter(user=user).update(user=into)
        PersonalToken.objects.filter(user=user).update(user=into)
        take_over_memberships(from_id=gone.id, to_id=kept.id)
        end_sessions(of=gone)
        user.delete()


def _move_addresses(user: User, into: User) -> None:
    known = set(EmailAddress.objects.filter(user=into).values_list("email", flat=True))
    moved = EmailAddress.objects.filter(user=user, verified=True)
    moved.exclude(email__in=known).update(user=into, primary=False)


def _give(user: User, role: Role, *, has: bool) -> None:
    if role in _FLAGS:
        setattr(user, _FLAGS[role], has)
        user.save(update_fields=[_FLAGS[role]])


def _named(name: str) -> User:
    user = User.objects.filter(name=name.strip().lower()).first()
    if user is None:
        raise Refused("Nobody has this name.", ground=Ground.NOT_THERE, field="name")
    return user
