"""Every question about people, groups and tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.conf import settings
from django.db.models import CASCADE, Count, ForeignKey, Model, Q
from django.db.models.functions import Lower
from django.utils import timezone

from broadsheet.accounts.models import Group, Invitation, Membership, PersonalToken, User
from broadsheet.accounts.rules import (
    TOKEN_PREFIX,
    Bearer,
    GroupKind,
    GroupRole,
    Person,
    Role,
    Scope,
    SealBroken,
    Token,
    unseal,
)
from broadsheet.storage import among

# The name of the one reader of an instance without accounts.
ONLY_READER = "reader"


def as_person(user: User) -> Person:
    """What the rest of the house sees of a user."""
    flags = ((user.is_curator, Role.CURATOR), (user.is_moderator, Role.MODERATOR), (user.is_staff, Role.OPERATOR))
    return Person(
        id=user.id,
        name=user.name,
        shown=user.shown or user.name,
        roles=frozenset({Role.READER} | {role for has, role in flags if has}),
        joined_at=user.joined_at,
        barred_until=user.barred_until,
    )


def people(ids: Iterable[int]) -> dict[int, Person]:
    """The people with these ids; those that are not there are left out. For nobody there is no question."""
    wanted = list(ids)
    rows = User.objects.filter(among("id", wanted), is_active=True) if wanted else ()
    return {user.id: as_person(user) for user in rows}


def named(name: str) -> Person | None:
    """The person whose name stands in an address, whatever the case of its letters."""
    user = User.objects.filter(name=name.lower(), is_active=True).first()
    return as_person(user) if user else None


def moderators() -> list[Person]:
    """Everybody who may decide what is flagged: moderators and operators."""
    rows = User.objects.filter(Q(is_moderator=True) | Q(is_staff=True), is_active=True).order_by("id")
    return [as_person(user) for user in rows]


def operators() -> list[Person]:
    """Everybody who runs the instance."""
    return [as_person(user) for user in User.objects.filter(is_staff=True, is_active=True).order_by("id")]


def everybody() -> Iterator[Person]:
    """Everybody with an account, by name."""
    return (as_person(user) for user in User.objects.order_by("name").iterator(1000))


def only_reader() -> Person | None:
    """The one reader of an instance without accounts, whom its preparation makes."""
    return named(ONLY_READER)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person says of herself on her own page, and what a moderator decided."""

    person: Person
    about: str
    barred_because: str


def profile(name: str) -> Profile | None:
    """What stands on the page of the person of that name."""
    user = User.objects.filter(name=name.lower(), is_active=True).first()
    return Profile(as_person(user), user.about, user.barred_because) if user else None


def tokens(person_id: int) -> list[Token]:
    """The person's tokens, the newest first."""
    return [
        Token(
            id=row.id,
            name=row.name,
            start=row.start,
            scopes=tuple(scope for scope in Scope if scope in row.scopes),
            made_at=row.made_at,
            used_at=row.used_at,
            expires_at=row.expires_at,
        )
        for row in PersonalToken.objects.filter(user=person_id).order_by("-made_at", "-id")
    ]


def bearer(token: str) -> Bearer | None:
    """Whose token it is and what it is good for; None for one that nobody has, or that has expired.

    It is found by its digest, so that no comparison of the secret itself can be timed.
    """
    if not token.startswith(TOKEN_PREFIX) or len(token) > _LONGEST_TOKEN:
        return None
    now = timezone.now()
    row = PersonalToken.objects.select_related("user").filter(digest=digest(token), user__is_active=True).first()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    is_noted = row.used_at is not None and now - row.used_at < _NOTED_FOR
    return Bearer(as_person(row.user), frozenset(scope for scope in Scope if scope in row.scopes), is_noted)


_LONGEST_TOKEN = 200
# How exactly it is kept when a token was used: writing it down at each request would make every reader a writer.
_NOTED_FOR = timedelta(hours=1)


def orcid_records(person_id: int) -> list[dict[str, Any]]:
    """The ORCID records with which the person has signed in, as ORCID gave them when she last did."""
    found = SocialAccount.objects.filter(user=person_id, provider="orcid").order_by("id")
    return [said for said in found.values_list("extra_data", flat=True) if isinstance(said, dict)]


def confirmed_addresses(person_id: int) -> list[str]:
    """The mail addresses that the person has confirmed, in small letters; shown to nobody else."""
    return sorted(EmailAddress.objects.filter(user=person_id, verified=True).values_list("email", flat=True))


# Columns that hold secrets, which an export would only put at risk; the person knows what they are for.
_SECRET = frozenset(
    {
        "accounts.User.password",
        "accounts.PersonalToken.digest",
        "accounts.Invitation.digest",
        "account.EmailConfirmation.key",
        "following.Follow.key",
        "following.Subscription.key",
        "following.Subscription.secret_digest",
        "mfa.Authenticator.data",
        "socialaccount.SocialToken.token",
        "socialaccount.SocialToken.token_secret",
        "usersessions.UserSession.session_key",
    }
)

# Pointers to a person that tell what somebody else did in private; she is not told of them, as she is not on pages.
_OF_OTHERS = frozenset({"community.Mute.muted"})


def everything_about(person_id: int) -> dict[str, list[dict[str, object]]]:
    """What every table of the instance holds about a person: table -> rows, each with its columns.

    It follows the foreign keys of the whole schema, so that a new table is not forgotten: rows that point to her, and
    rows without a person of their own that hang on such rows. Secrets are left out, and other people stay unnamed.
    """
    told = {"accounts.User": [_row_told(User.objects.get(id=person_id), person_id)]}
    for table in apps.get_models():
        paths = _paths_to_person(table)
        if not paths:
            continue
        condition = Q()
        for path in paths:
            condition |= Q(**{path: person_id})
        rows = table._default_manager.filter(condition).order_by("pk").distinct()  # noqa: SLF001  Django's own name
        if found := [_row_told(row, person_id) for row in rows]:
            told[table._meta.label] = found  # noqa: SLF001  Django's own name
    return told


def _paths_to_person(table: type[Model], depth: int = 2) -> list[str]:
    """The ways from a table to its person: its own columns, else those of what it cannot be without."""
    fields = [field for field in table._meta.get_fields() if isinstance(field, ForeignKey)]  # noqa: SLF001  Django's own name
    label = table._meta.label  # noqa: SLF001  Django's own name
    hers = [field for field in fields if f"{label}.{field.name}" not in _OF_OTHERS]
    own = [field.name for field in hers if field.related_model is User]
    if own or not depth:
        return own
    above = [field for field in fields if field.remote_field.on_delete is CASCADE and field.related_model is not table]
    return [
        f"{field.name}__{path}" for field in above for path in _paths_to_person(_model(field.related_model), depth - 1)
    ]


def _model(found: object) -> type[Model]:
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise TypeError(f"{found!r} is no table")
    return found


def _row_told(row: Model, person_id: int) -> dict[str, object]:
    told: dict[str, object] = {}
    for field in row._meta.concrete_fields:  # noqa: SLF001  Django's own name
        if f"{row._meta.label}.{field.name}" in _SECRET:  # noqa: SLF001  Django's own name
            continue
        value = field.value_from_object(row)
        if isinstance(field, ForeignKey) and field.related_model is User and value is not None:
            value = "you" if value == person_id else "somebody else"
        told[field.name] = value
    return told


def factors_sealed_otherwise() -> int:
    """How many authenticators were sealed with another secret than that of this instance, so that no code fits."""
    stored = Authenticator.objects.filter(type=Authenticator.Type.TOTP).values_list("data", flat=True)
    return sum(not _opens(str(data.get("secret", ""))) for data in stored)


def _opens(stored: str) -> bool:
    try:
        unseal(stored, settings.SECRET_KEY)
    except SealBroken:
        return False
    return True


def groups_of(person_id: int) -> frozenset[int]:
    """The ids of the groups that the person is a member of."""
    return frozenset(Membership.objects.filter(user=person_id, ended_at=None).values_list("group", flat=True))


# --- Groups ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as somebody sees it. `role` is what that person is in it; None for whoever is no member."""

    id: int
    slug: str
    name: str
    kind: GroupKind
    about: str
    website: str
    is_private: bool
    made_at: datetime
    members: int
    role: GroupRole | None

    @property
    def is_edited_by_viewer(self) -> bool:
        """Whether the person may change its shelves."""
        return self.role in (GroupRole.EDITOR, GroupRole.OWNER)


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a group."""

    person: Person
    role: GroupRole
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that still lets people in. Its secret is not known any more."""

    id: int
    role: GroupRole
    by: Person
    expires_at: datetime
    uses_left: int


def group(slug: str, viewer: Person | None) -> GroupView | None:
    """The group with that name in its address, if the person may see it: a private one shows itself to members only."""
    return next(iter(_seen(Group.objects.filter(slug=slug.lower()), viewer)), None)


def groups_seen(ids: Iterable[int], viewer: Person | None) -> dict[int, GroupView]:
    """Those of the groups that the person may see."""
    return {found.id: found for found in _seen(Group.objects.filter(among("id", ids)), viewer)}


def groups(viewer: Person | None, *, offset: int = 0, limit: int = 100) -> list[GroupView]:
    """The groups that the person may see, her own first, then by name."""
    mine = groups_of(viewer.id) if viewer else frozenset()
    known = Group.objects.filter(Q(is_private=False) | among("id", mine)).order_by(Lower("name"), "id")
    hers = list(known.filter(among("id", mine))) if mine and not offset else []
    rows = _seen([*hers, *known.exclude(among("id", mine))[offset : offset + limit]], viewer)
    return sorted(rows, key=lambda found: (found.role is None, found.name.lower(), found.id))[: limit + len(hers)]


def members(group_id: int) -> list[Member]:
    """The people in a group: owners first, then editors, then the others, each in the order in which they came."""
    rows = Membership.objects.filter(group=group_id, ended_at=None, user__is_active=True).select_related("user")
    place = list(GroupRole)
    ordered = rows.order_by("joined_at", "id")
    found = [Member(as_person(row.user), GroupRole(row.role), row.joined_at) for row in ordered]
    return sorted(found, key=lambda member: -place.index(member.role))


def gone(group_id: int, *, since: datetime) -> list[Member]:
    """Those whom an owner removed since then, who can be taken back."""
    rows = Membership.objects.filter(group=group_id, ended_at__gte=since, ended_as="removed", user__is_active=True)
    return [Member(as_person(row.user), GroupRole(row.role), row.joined_at) for row in rows.select_related("user")]


def left_by(person: Person, *, since: datetime) -> list[GroupView]:
    """The groups that she left since then, and can come back to."""
    rows = Membership.objects.filter(user=person.id, ended_at__gte=since, ended_as="left")
    return _views(list(Group.objects.filter(among("id", rows.values_list("group", flat=True)))), person)


def open_invitations(group_id: int) -> list[OpenInvitation]:
    """The invitations into a group that are not used up nor expired, the newest first."""
    rows = Invitation.objects.filter(group=group_id, expires_at__gt=timezone.now(), uses_left__gt=0)
    return [
        OpenInvitation(row.id, GroupRole(row.role), as_person(row.made_by), row.expires_at, row.uses_left)
        for row in rows.select_related("made_by").order_by("-id")
    ]


def invited(secret: str, viewer: Person) -> tuple[GroupView, GroupRole] | None:
    """The group and the role that an invitation leads to; None when it is wrong, expired, used up or taken back."""
    row = (
        Invitation.objects.filter(digest=digest(secret), expires_at__gt=timezone.now(), uses_left__gt=0)
        .select_related("group")
        .first()
    )
    return (_views([row.group], viewer)[0], GroupRole(row.role)) if row else None


def digest(secret: str) -> str:
    """What is stored of a secret: SHA-256 of it. It is random and long, so it needs no salt."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def _seen(rows: Iterable[Group], viewer: Person | None) -> list[GroupView]:
    return [found for found in _views(list(rows), viewer) if not found.is_private or found.role]


def _views(rows: list[Group], viewer: Person | None) -> list[GroupView]:
    ids = [row.id for row in rows]
    present = Membership.objects.filter(among("group", ids), ended_at=None)
    sizes = dict(present.values_list("group").annotate(people=Count("id")).order_by()) if ids else {}
    mine = dict(present.filter(user=viewer.id).values_list("group", "role")) if viewer and ids else {}
    return [
        GroupView(
            id=row.id,
            slug=row.slug,
            name=row.name,
            kind=GroupKind(row.kind),
            about=row.about,
            website=row.website,
            is_private=row.is_private,
            made_at=row.made_at,
            members=sizes.get(row.id, 0),
            role=GroupRole(mine[row.id]) if row.id in mine else None,
        )
        for row in rows
    ]
