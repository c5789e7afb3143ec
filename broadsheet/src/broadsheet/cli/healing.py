"""`broadsheet doctor`: what is safe to repair is repaired; the rest is told."""

from __future__ import annotations

import os
import stat
import sys

import click
import django

from broadsheet.cli import checking
from broadsheet.config import folder, options
from broadsheet.config.options import Configuration


def doctor() -> None:
    """Repair, each step relying on the one before, then check. Exits with status 1 when not all is well.

    Raises SettingsError, Failure or FolderError when nothing can be repaired.
    """
    configuration = options.load()
    folder.make(configuration.data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")
    django.setup()
    _close_secret(configuration)
    from broadsheet.cli import repairs  # noqa: PLC0415  needs Django set up

    sound = repairs.examine_database()
    if sound:
        repairs.bring_up_to_date()
        repairs.mend_index()
    click.echo("")
    if checking.look(configuration) or not sound:
        click.echo("Not everything could be repaired; the lines above say what to do.")
        sys.exit(1)
    click.echo("Everything is well.")


def _close_secret(configuration: Configuration) -> None:
    """Take from other users the right to read the secret."""
    path = configuration.data / "secret"
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        path.chmod(0o600)
        click.echo("repaired  secret: other users of this machine can no longer read it")
