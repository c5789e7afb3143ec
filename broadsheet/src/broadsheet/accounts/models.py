"""The tables of accounts. Private: other apps ask `queries` and change through `actions`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    """Finds users as Django's forms and allauth ask for them."""

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of that name, whatever the case of its letters. Raises User.DoesNotExist."""
        return self.get(name=(username or "").lower())


class User(AbstractBaseUser):
    """Somebody with an account. `name` is in small letters and stands in addresses; `shown` is what pages print.

    `barred_until` and `barred_because` are what a moderator decided, which the public log tells too. A user whose
    `merged_into` is set is an account that went into another.
    """

    name = models.CharField(max_length=40, unique=True)
    shown = models.CharField(max_length=80)
    email = models.EmailField(blank=True)
    about = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    is_curator = models.BooleanField(default=False)
    is_moderator = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)
    barred_until = models.DateTimeField(null=True, blank=True)
    barred_because = models.TextField(blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "name"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name

    def has_perm(self, _permission: str, _row: Any = None) -> bool:
        """What Django's admin asks: operators may do everything there, others nothing."""
        return self.is_active and self.is_staff

    def has_module_perms(self, _app: str) -> bool:
        """Like `has_perm`, for a whole app."""
        return self.is_active and self.is_staff


class PersonalToken(models.Model):
    """A key that a person made for a program of hers. Only its digest is kept; `start` is what she knows it by."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    start = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes: models.JSONField[list[str]] = models.JSONField()
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)


class Group(models.Model):
    """People who read together. An organisation is a group that stands for an institution; its page is always public.

    What a private group does is seen by its members only.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    about = models.TextField(blank=True)
    website = models.TextField(blank=True)
    is_private = models.BooleanField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """A person in a group: as its `owner`, an `editor` of its shelf, or a `member`.

    One that ended keeps its row for a while, so that it can be taken up again: `ended_as` is "left" or "removed".
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8)
    joined_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_as = models.CharField(max_length=8, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "user"], name="member_once")]


class Invitation(models.Model):
    """A way into a group, for whoever has the secret address; only its digest is kept."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=8)
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    uses_left = models.PositiveIntegerField()
