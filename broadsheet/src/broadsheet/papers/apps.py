"""Registers the papers app with Django."""

from django.apps import AppConfig


class PapersConfig(AppConfig):
    """The stored papers."""

    name = "broadsheet.papers"
    label = "papers"
    default_auto_field = "django.db.models.BigAutoField"
