"""Registers the following app with Django."""

from django.apps import AppConfig


class FollowingConfig(AppConfig):
    """What readers follow, and the mail and messages that come of it."""

    name = "broadsheet.following"
    label = "following"
    default_auto_field = "django.db.models.BigAutoField"
