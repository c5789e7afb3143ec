"""`broadsheet export --format archive` and `broadsheet import-archive`: a whole instance in one file."""

from __future__ import annotations

from pathlib import Path

import click
from django.conf import settings

from broadsheet import __version__
from broadsheet.accounts import queries as accounts
from broadsheet.cli import preparing
from broadsheet.cli.exporting import complete_file
from broadsheet.cli.failure import Failure
from broadsheet.config import folder
from broadsheet.storage import archive


def export(file: Path, *, force: bool) -> None:
    """Write the whole database to `file`, which only its owner can read; it appears when all of it is written.

    Raises Failure when it exists and `force` is not given, and OSError when it cannot be written.
    """
    if str(file) == "-":
        raise Failure("An archive is written to a file, not to the terminal. Name one. Nothing was written.")
    preparing.require_database()
    with complete_file(file, force=force, private=True) as target:
        manifest = archive.write(target, made_by=__version__)
        size = target.tell()
    tables = sum(table.rows > 0 for table in manifest.tables)
    click.echo(
        f"{file}: {manifest.rows:,} rows of {tables} tables, {size / 1e6:,.1f} MB. It holds what people keep private, "
        "and their hashed passwords; settings and the secret are not in it.",
        err=True,
    )


def refuse_part() -> None:
    """Raise Failure: an archive is the whole instance."""
    raise Failure("An archive is whole: --query and --edition cannot be given with it. Nothing was written.")


def import_archive(file: Path) -> None:
    """Fill a new instance from an archive, all or nothing. Raises Failure with the reason when that cannot be."""
    folder.make(Path(settings.BROADSHEET_DATA))
    preparing.prepare_tables(click.echo)
    try:
        with file.open("rb") as source:
            manifest = archive.read(source)
    except FileNotFoundError as error:
        raise Failure(f"There is no file {file}. Nothing was changed.") from error
    except archive.ArchiveRefused as error:
        raise Failure(f"{file}: {error}") from error
    click.echo(f"{manifest.rows:,} rows came in. `broadsheet up` builds the search index of them.")
    if sealed := accounts.factors_sealed_otherwise():
        click.echo(
            f"{sealed:,} authenticators in it open only with the secret of the instance that they come from: before "
            f"`broadsheet up`, put its file `secret` in the place of {settings.BROADSHEET_SECRET_FILE}.",
            err=True,
        )
