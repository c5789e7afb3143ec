"""Registers the accounts app with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, groups and tokens."""

    name = "broadsheet.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
