"""Registers the community app with Django."""

from django.apps import AppConfig


class CommunityConfig(AppConfig):
    """Votes, comments, submissions, authorship and moderation."""

    name = "broadsheet.community"
    label = "community"
    default_auto_field = "django.db.models.BigAutoField"
