"""Registers the ingest app with Django."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Imports and their reports."""

    name = "broadsheet.ingest"
    label = "ingest"
    default_auto_field = "django.db.models.BigAutoField"
