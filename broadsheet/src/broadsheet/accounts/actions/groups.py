"""Groups: making them, letting people in, and what members are in them."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from broadsheet.accounts import queries
from broadsheet.accounts.models import Group, Invitation, Membership
from broadsheet.accounts.rules import Ground, GroupKind, GroupRole, Person, Refused

# Groups that one person may own at a time, and people in one group.
MOST_OWNED = 10
MOST_MEMBERS = 500
LONGEST_NAME = 120
LONGEST_ABOUT = 5_000
LONGEST_ADDRESS = 500
MOST_DAYS = 30
MOST_USES = 100
MOST_OPEN = 20
# How long a member who left or was removed can be taken back.
BACK_FOR = timedelta(days=30)

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])", re.ASCII)
# What stands at the same place of an address.
_RESERVED = frozenset({"join", "new", "edit", "all", "mine"})
_ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Description:
    """What a group says of itself, as it was typed."""

    name: str
    kind: str
    about: str = ""
    website: str = ""
    is_private: bool = False


def make_group(*, by: Person, slug: str, described: Description) -> int:
    """A new group with `by` as its owner; gives its id. Raises Refused."""
    _refuse_barred(by)
    values = _read(described)
    slug = slug.strip().lower()
    if not _SLUG.fullmatch(slug) or slug in _RESERVED:
        raise Refused(
            "The address of a group has 2 to 40 small letters, digits and hyphens, and is not a word that we use "
            "ourselves. Nothing was made.",
            ground=Ground.NOT_UNDERSTOOD,
            field="slug",
        )
    with transaction.atomic():
        if Membership.objects.filter(user=by.id, role=GroupRole.OWNER, ended_at=None).count() >= MOST_OWNED:
            raise Refused(
                f"You own {MOST_OWNED} groups already, which is the most. Nothing was made.", ground=Ground.TOO_MUCH
            )
        now = timezone.now()
        row, made = Group.objects.get_or_create(slug=slug, defaults={"made_at": now, **values})
        if not made:
            raise Refused(
                "A group with this address exists already. Nothing was made; choose another one.",
                ground=Ground.TAKEN,
                field="slug",
            )
        Membership.objects.create(group=row, user_id=by.id, role=GroupRole.OWNER, joined_at=now)
    return row.id


def change_group(*, by: Person, group: int, described: Description) -> None:
    """Change what a group says of itself. Owners may. Raises Refused."""
    _refuse_barred(by)
    values = _read(described)
    with transaction.atomic():
        _owned(by, group)
        Group.objects.filter(id=group).update(**values)


def invite(*, by: Person, group: int, role: str, days: int, uses: int) -> str:
    """The secret of a new invitation; only its digest is kept. Owners may. Raises Refused."""
    _refuse_barred(by)
    wanted = _role(role)
    if wanted is GroupRole.OWNER or not 1 <= days <= MOST_DAYS or not 1 <= uses <= MOST_USES:
        raise Refused(
            f"An invitation makes members or editors, lasts 1 to {MOST_DAYS} days and lets 1 to {MOST_USES} people "
            "in. Nothing was made.",
            ground=Ground.NOT_UNDERSTOOD,
        )
    secret = secrets.token_urlsafe(24)
    now = timezone.now()
    with transaction.atomic():
        _owned(by, group)
        if Invitation.objects.filter(group=group, expires_at__gt=now, uses_left__gt=0).count() >= MOST_OPEN:
            raise Refused(
                f"{MOST_OPEN} invitations are open, which is the most. Nothing was made; take one back first.",
                ground=Ground.TOO_MUCH,
            )
        Invitation.objects.create(
            group_id=group,
            digest=queries.digest(secret),
            role=wanted,
            made_by_id=by.id,
            made_at=now,
            expires_at=now + timedelta(days=days),
            uses_left=uses,
        )
    return secret


def take_back(*, by: Person, group: int, invitation: int) -> None:
    """Let nobody in by this invitation any more. Owners may. Raises Refused."""
    with transaction.atomic():
        _owned(by, group)
        Invitation.objects.filter(id=invitation, group=group).update(uses_left=0)


def join(*, by: Person, secret: str) -> int:
    """Become a member by an invitation; gives the id of the group. A member stays what she is. Raises Refused."""
    _refuse_barred(by)
    now = timezone.now()
    with transaction.atomic():
        open_ones = Invitation.objects.filter(digest=queries.digest(secret), expires_at__gt=now, uses_left__gt=0)
        row = open_ones.first()
        if row is None:
            raise Refused(
                "This invitation has expired, is used up or was taken back. You are in no new group; ask for another.",
                ground=Ground.NOT_THERE,
            )
        member = Membership.objects.filter(group=row.group_id, user=by.id).first()
        if member and member.ended_at is None:
            return row.group_id
        if member and member.ended_as == "removed":
            raise Refused(
                "An owner took you out of this group; only an owner can put you back. Nothing was changed.",
                ground=Ground.NOT_ALLOWED,
            )
        _refuse_full(row.group_id)
        # Two who come at once: one statement takes the use, and the second finds none left.
        if not open_ones.update(uses_left=F("uses_left") - 1):
            raise Refused("This invitation is used up. Ask for another.", ground=Ground.NOT_THERE)
        if member:
            Membership.objects.filter(id=member.id).update(role=row.role, joined_at=now, ended_at=None, ended_as="")
        else:
            Membership.objects.create(group_id=row.group_id, user_id=by.id, role=row.role, joined_at=now)
    return row.group_id


def leave(*, by: Person, group: int) -> None:
    """Leave a group. The last owner cannot. Raises Refused."""
    with transaction.atomic():
        _refuse_last_owner(_membership(group, by.id))
        Membership.objects.filter(group=group, user=by.id).update(ended_at=timezone.now(), ended_as="left")


def come_back(*, by: Person, group: int) -> None:
    """Undo leaving a group, within BACK_FOR. Raises Refused."""
    since = timezone.now() - BACK_FOR
    rows = Membership.objects.filter(group=group, user=by.id, ended_at__gte=since, ended_as="left")
    with transaction.atomic():
        _refuse_full(group)
        if not rows.update(ended_at=None, ended_as=""):
            raise Refused("You did not leave this group lately. Nothing was changed.", ground=Ground.NOT_THERE)


def remove_member(*, by: Person, group: int, person: int) -> None:
    """Take somebody out of a group. Owners may; the last owner stays. Raises Refused."""
    with transaction.atomic():
        _owned(by, group)
        _refuse_last_owner(_membership(group, person))
        Membership.objects.filter(group=group, user=person).update(ended_at=timezone.now(), ended_as="removed")


def put_back(*, by: Person, group: int, person: int) -> None:
    """Undo taking somebody out of a group, within BACK_FOR. Owners may. Raises Refused."""
    since = timezone.now() - BACK_FOR
    with transaction.atomic():
        _owned(by, group)
        _refuse_full(group)
        rows = Membership.objects.filter(group=group, user=person, ended_at__gte=since, ended_as="removed")
        if not rows.update(ended_at=None, ended_as=""):
            raise Refused("Nobody of that name was removed lately. Nothing was changed.", ground=Ground.NOT_THERE)


def set_role(*, by: Person, group: int, person: int, role: str) -> None:
    """Make a member an owner, an editor or a member. Owners may; one owner stays. Raises Refused."""
    wanted = _role(role)
    with transaction.atomic():
        _owned(by, group)
        row = _membership(group, person)
        if wanted is not GroupRole.OWNER:
            _refuse_last_owner(row)
        Membership.objects.filter(id=row.id).update(role=wanted)


def hand_over(*, person_id: int) -> None:
    """Before an account goes: each group that it alone owns gets the editor, else the member, who has been in longest.

    A group that nobody else is in goes too.
    """
    with transaction.atomic():
        owned = Membership.objects.filter(user=person_id, role=GroupRole.OWNER, ended_at=None)
        for group in list(owned.values_list("group", flat=True)):
            _locked(group)
            others = Membership.objects.filter(group=group, ended_at=None, user__is_active=True).exclude(user=person_id)
            by_role = {row.role: row for row in others.order_by("-joined_at", "-id")}
            heir = by_role.get(GroupRole.OWNER) or by_role.get(GroupRole.EDITOR) or by_role.get(GroupRole.MEMBER)
            if heir is None:
                Group.objects.filter(id=group).delete()
            else:
                Membership.objects.filter(id=heir.id).update(role=GroupRole.OWNER)


def take_over_memberships(*, from_id: int, to_id: int) -> None:
    """Give one account's places in groups to another, with the higher role where both are in a group."""
    rank = list(GroupRole)
    with transaction.atomic():
        mine = {row.group_id: row for row in Membership.objects.filter(user=to_id)}
        for row in Membership.objects.filter(user=from_id, ended_at=None):
            other = mine.get(row.group_id)
            if other is None:
                Membership.objects.filter(id=row.id).update(user=to_id)
                continue
            before = rank.index(GroupRole(other.role)) if other.ended_at is None else 0
            role = rank[max(before, rank.index(GroupRole(row.role)))]
            Membership.objects.filter(id=other.id).update(role=role, ended_at=None, ended_as="")
        Membership.objects.filter(user=from_id).delete()
        Invitation.objects.filter(made_by=from_id).update(made_by=to_id)


def _read(described: Description) -> dict[str, str | bool]:
    """The values of a group's row. Raises Refused for the first that is wrong."""
    name = " ".join("".join(sign for sign in described.name if sign.isprintable()).split())
    about = described.about.replace("\r\n", "\n").replace("\0", "").strip()
    website = described.website.strip()
    is_address = len(website) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(website)
    hidden = described.is_private and described.kind == GroupKind.ORGANISATION
    for field, right, sentence in (
        ("name", 2 <= len(name) <= LONGEST_NAME, f"The name of a group has 2 to {LONGEST_NAME} letters."),
        ("kind", described.kind in set(GroupKind), "It is a group or an organisation."),
        ("about", len(about) <= LONGEST_ABOUT, f"What it says of itself has {LONGEST_ABOUT:,} letters at most."),
        ("website", not website or is_address, "The address of a website begins with https:// or http://."),
        ("is_private", not hidden, "The page of an organisation is seen by everybody; a group can be private."),
    ):
        if not right:
            raise Refused(f"{sentence} Nothing was changed.", ground=Ground.NOT_UNDERSTOOD, field=field)
    return {
        "name": name,
        "kind": described.kind,
        "about": about,
        "website": website,
        "is_private": described.is_private,
    }


def _role(text: str) -> GroupRole:
    try:
        return GroupRole(text)
    except ValueError:
        raise Refused(
            "One is an owner, an editor or a member. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD, field="role"
        ) from None


def _locked(group: int) -> None:
    """Let those who change the members of one group take turns, so that two owners cannot both leave at once."""
    list(Group.objects.select_for_update().filter(id=group).values_list("id"))


def _owned(by: Person, group: int) -> None:
    _locked(group)
    row = Membership.objects.filter(group=group, user=by.id, ended_at=None).first()
    if row is None:
        raise Refused("There is no such group. Nothing was changed.", ground=Ground.NOT_THERE)
    if row.role != GroupRole.OWNER:
        raise Refused("Only owners of the group may do this. Nothing was changed.", ground=Ground.NOT_ALLOWED)


def _membership(group: int, person: int) -> Membership:
    _locked(group)
    row = Membership.objects.filter(group=group, user=person, ended_at=None).first()
    if row is None:
        raise Refused("There is no such member. Nothing was changed.", ground=Ground.NOT_THERE)
    return row


def _refuse_last_owner(row: Membership) -> None:
    if row.role != GroupRole.OWNER:
        return
    others = Membership.objects.filter(group=row.group_id, role=GroupRole.OWNER, ended_at=None).exclude(id=row.id)
    if not others.exists():
        raise Refused(
            "A group needs an owner, and this is the last one. Nothing was changed; make somebody else an owner first.",
            ground=Ground.NOT_ALLOWED,
        )


def _refuse_full(group: int) -> None:
    _locked(group)
    if Membership.objects.filter(group=group, ended_at=None).count() >= MOST_MEMBERS:
        raise Refused(
            f"This group has {MOST_MEMBERS} members, which is the most. Nothing was changed.", ground=Ground.TOO_MUCH
        )


def _refuse_barred(by: Person) -> None:
    if not by.may_write(timezone.now()):
        raise Refused(
            "You may not write for others until the day that the moderators named. Nothing was changed.",
            ground=Ground.NOT_ALLOWED,
        )
