"""Registers the editions app with Django."""

from django.apps import AppConfig


class EditionsConfig(AppConfig):
    """Published lists."""

    name = "broadsheet.editions"
    label = "editions"
    default_auto_field = "django.db.models.BigAutoField"
