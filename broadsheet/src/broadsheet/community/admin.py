"""What operators see of discussions and moderation in Django's admin.

Every change is one of the actions that moderators use, and stands in the public log; no row is saved or deleted here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Person, Refused
from broadsheet.community.actions import moderating
from broadsheet.community.models.comments import Comment
from broadsheet.community.models.moderation import Act, Appeal, Flag
from broadsheet.community.rules.moderating import (
    DEEDS,
    LONGEST_WORDS,
    Deed,
    Reason,
    Ruling,
    Subject,
    Target,
    reasons_for,
)


class Reasons(ActionForm):
    """What is asked beside an action: the reason, and words for the log."""

    reason = forms.ChoiceField(choices=[("", "Reason"), *reasons_for(Target.COMMENT).items()], required=False)
    words = forms.CharField(max_length=LONGEST_WORDS, required=False)


if TYPE_CHECKING:
    _Table = admin.ModelAdmin[Any]
else:
    _Table = admin.ModelAdmin  # Django's class takes no parameter when it runs


class _Looked(_Table):
    """A table that is looked at. Nothing is added, saved or deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nothing is added here."""
        del request
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted here."""
        del request, obj
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """All fields."""
        del request, obj
        return [field.name for field in self.model._meta.concrete_fields]  # noqa: SLF001  Django's name for it

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        """Save nothing: what changes goes through actions."""
        del request, obj, form, change


def _each(request: HttpRequest, rows: QuerySet[Any], act: Callable[[Person, Any], object], done: str) -> None:
    """Do it to each row as the person who asks, and say what was done and what was refused."""
    by = accounts.people([request.user.pk or 0])[request.user.pk or 0]
    count = 0
    for row in rows:
        try:
            act(by, row)
        except Refused as refused:
            messages.error(request, f"{row}: {refused}")
        else:
            count += 1
    if count:
        messages.success(request, f"{count} {done}.")


def _reason_of(request: HttpRequest) -> Reason | None:
    said = request.POST.get("reason", "")
    return Reason(said) if said in set(Reason) else None


def _decided(request: HttpRequest, rows: QuerySet[Comment], deed: Deed) -> None:
    reason = _reason_of(request)
    if reason is None:
        messages.error(request, moderating.UNCHOSEN)
        return
    ruling = Ruling(deed, reason, request.POST.get("words", ""))
    _each(
        request,
        rows,
        lambda by, row: moderating.moderate(by=by, subject=Subject(Target.COMMENT, row.pk), ruling=ruling),
        DEEDS[deed].done,
    )


@admin.register(Comment)
class Comments(_Looked):
    """Comments, with what moderators do to them."""

    list_display = ("id", "paper", "author", "body", "made_at", "moderated", "removed_at")
    list_filter = ("moderated",)
    list_select_related = ("paper", "author")
    search_fields = ("body",)
    ordering = ("-id",)
    action_form = Reasons
    actions = ("fold", "remove", "restore")

    @admin.action(description=DEEDS[Deed.FOLD].button)
    def fold(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """Fold the comments away."""
        _decided(request, queryset, Deed.FOLD)

    @admin.action(description=DEEDS[Deed.REMOVE].button)
    def remove(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """Remove the comments."""
        _decided(request, queryset, Deed.REMOVE)

    @admin.action(description=DEEDS[Deed.RESTORE].button)
    def restore(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """Restore the comments."""
        _decided(request, queryset, Deed.RESTORE)


@admin.register(Act)
class Acts(_Looked):
    """The public log, with undo."""

    list_display = ("id", "deed", "target", "target_id", "person", "by", "reason", "words", "made_at")
    list_filter = ("deed", "target")
    list_select_related = ("person", "by")
    ordering = ("-id",)
    action_form = Reasons
    actions = ("undo",)

    @admin.action(description="Undo")
    def undo(self, request: HttpRequest, queryset: QuerySet[Act]) -> None:
        """Undo the decisions, the newest first."""
        words = request.POST.get("words", "")
        _each(
            request,
            queryset.order_by("-id"),
            lambda by, row: moderating.undo(by=by, act_id=row.pk, words=words, now=timezone.now()),
            "undone",
        )


@admin.register(Flag)
class Flags(_Looked):
    """What people flagged, to look at; decisions are made on the page of moderators."""

    list_display = ("target", "target_id", "by", "reason", "words", "made_at", "answer")
    list_filter = ("target", "reason")
    list_select_related = ("by", "answer")
    ordering = ("-id",)


@admin.register(Appeal)
class Appeals(_Looked):
    """Appeals, to look at; they are decided on the page of moderators."""

    list_display = ("act", "by", "words", "made_at", "granted", "decided_by")
    list_select_related = ("act", "by", "decided_by")
    ordering = ("-id",)
