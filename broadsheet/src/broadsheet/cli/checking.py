"""`broadsheet check`: every problem at once, each with what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click
import django

from broadsheet.config import checks, options
from broadsheet.config.options import Configuration, SettingsError


def check() -> None:
    """Print what each check saw, then the problems; exits with status 1 when there is one."""
    try:
        configuration = options.load()
    except SettingsError as error:
        for problem in error.problems:
            click.echo(f"problem  settings: {problem} [broadsheet.E001]")
        click.echo("The other checks need settings that can be read; run `broadsheet check` again then.")
        sys.exit(1)
    click.echo("ok       settings")
    if problems := look(configuration):
        click.echo(f"{problems} {'problem' if problems == 1 else 'problems'}.")
        sys.exit(1)
    click.echo("No problems.")


def look(configuration: Configuration) -> int:
    """Run all checks that can be run and print them; the number of problems."""
    found = _print(configuration, checks.CHECKS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")
    django.setup()
    from broadsheet.config import stored_checks  # noqa: PLC0415  needs Django set up

    found += _print(configuration, [stored_checks.PROGRAM, stored_checks.DATABASE])
    if stored_checks.usable():
        found += _print(configuration, stored_checks.CHECKS)
    return found


def _print(configuration: Configuration, wanted: Iterable[checks.Check]) -> int:
    """One line for each check, three for each problem; the number of problems."""
    total = 0
    for each in wanted:
        seen = each.look(configuration)
        if not seen.problems:
            click.echo(f"ok       {each.title}: {seen.what}")
        for problem in seen.problems:
            total += 1
            click.echo(f"problem  {each.title}: {problem.msg} [{problem.id}]")
            if problem.hint:
                click.echo(f"         {problem.hint}")
    return total
