"""Registers the library app with Django."""

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """Shelves and what readers note beside papers."""

    name = "broadsheet.library"
    label = "library"
    default_auto_field = "django.db.models.BigAutoField"
