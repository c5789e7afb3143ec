"""The tables that migrations make are the tables that the models describe."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    said = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=said, stderr=said)
    except SystemExit:
        pytest.fail(f"The models changed and no migration says so:\n{said.getvalue()}", pytrace=False)


def test_every_app_has_one_newest_migration() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    assert loader.detect_conflicts() == {}


def test_a_migration_never_reaches_into_the_code_of_today() -> None:
    """A migration that imports an app's code breaks when that code changes; it must stay true for ever."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = [migration for (app, _name), migration in loader.disk_migrations.items() if app != "contenttypes"]
    for migration in ours:
        module = __import__(migration.__module__, fromlist=["Migration"])
        foreign = {
            value.__module__
            for value in vars(module).values()
            if getattr(value, "__module__", "").startswith("broadsheet.") and value.__module__ != migration.__module__
        }
        assert foreign == set()
