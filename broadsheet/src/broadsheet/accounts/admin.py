"""What operators see of accounts in Django's admin. Changes go through the actions that the rest of the house uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from broadsheet.accounts import actions
from broadsheet.accounts.models import Group, Membership, User
from broadsheet.accounts.rules import Refused, Role

# Django's classes take their types only where they are checked.
if TYPE_CHECKING:
    _OfUsers = admin.ModelAdmin[User]
    _OfGroups = admin.ModelAdmin[Group]
    _OfMembers = admin.TabularInline[Membership, Group]
else:
    _OfUsers = _OfGroups = admin.ModelAdmin
    _OfMembers = admin.TabularInline

_FLAGS = {"is_curator": Role.CURATOR, "is_moderator": Role.MODERATOR, "is_staff": Role.OPERATOR}


@admin.register(User)
class Users(_OfUsers):
    """People: roles are given here, accounts are deleted; who is called what is her own business."""

    list_display = ("name", "shown", "email", "joined_at", *_FLAGS, "barred_until")
    list_filter = tuple(_FLAGS)
    search_fields = ("name", "shown", "email")
    ordering = ("name",)
    fields = (
        *("name", "shown", "email", "about", "joined_at", "last_login"),
        *_FLAGS,
        *("barred_until", "barred_because"),
    )
    readonly_fields = ("name", "shown", "email", "about", "joined_at", "last_login", "barred_until", "barred_because")
    actions = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts are made by signing up, or by `broadsheet person add`."""
        del request
        return False

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:  # noqa: FBT001  Django's signature
        """Give and take the roles that were changed."""
        del change
        for flag in _FLAGS.keys() & set(form.changed_data):
            try:
                actions.set_role(name=obj.name, role=_FLAGS[flag], has=getattr(obj, flag))
            except Refused as refused:
                messages.error(request, str(refused))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted here: `broadsheet person remove` takes all that hangs on an account with it."""
        del request, obj
        return False


class _Members(_OfMembers):
    model = Membership
    fields = ("user", "role", "joined_at", "ended_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False


@admin.register(Group)
class Groups(_OfGroups):
    """Groups, to look at. They are changed on their own pages."""

    list_display = ("slug", "name", "kind", "is_private", "made_at")
    list_filter = ("kind", "is_private")
    search_fields = ("slug", "name")
    inlines = (_Members,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Groups are made by people, on the page of groups."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Nothing is changed here."""
        del request, obj
        return False
