"""Registers the evidence app with Django."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Claims and measurements."""

    name = "broadsheet.evidence"
    label = "evidence"
    default_auto_field = "django.db.models.BigAutoField"
