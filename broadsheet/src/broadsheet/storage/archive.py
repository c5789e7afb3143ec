"""The whole database as one file that any instance can take in: a ZIP of one JSON Lines member for each table.

The first line of a member names the columns, every other is a row in the order of its key, and `manifest.json`, the
last member, tells the tables, how many rows each has and the SHA-256 of its lines. What is derived (the index, tables
that say `is_derived`), lives for a moment (sessions) or belongs to one machine (settings, the secret) is not in it.
Tables come from the registry of apps, so that a new one cannot be forgotten; this module knows none of them.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, Any

import orjson
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from broadsheet.storage import insert_rows, loading, timestamp

FORMAT = "broadsheet-archive/1"
MANIFEST = "manifest.json"

# Rows of these are of one moment or of one machine, or Django makes them itself.
_LEFT_OUT = frozenset({"sessions", "contenttypes", "auth", "admin", "usersessions"})

_BATCH = 2_000
_LONGEST_LINE = 64 * 1024 * 1024  # bytes; the longest row of a real instance is a statement of some 100 kB
_LARGEST_MANIFEST = 1024 * 1024


class ArchiveRefused(Exception):
    """An archive cannot be taken in. The text is the sentence for the operator; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of an archive: its name, its columns, how many rows it has, and the SHA-256 of its lines."""

    name: str
    columns: list[str]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself. `migrations` are the last of each app: they tell the shape of the tables."""

    format: str
    made_by: str
    made_at: str
    migrations: dict[str, str]
    tables: list[Table]

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(table.rows for table in self.tables)


Say = Callable[[Table], None]


def write(target: IO[bytes], *, made_by: str, say: Say = lambda _table: None) -> Manifest:
    """Write the database, as it is at one moment, while others go on; what was written. Raises OSError."""
    with _one_moment(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        tables = []
        for model in _tables():
            tables.append(_write_table(archive, model))
            say(tables[-1])
        manifest = Manifest(FORMAT, made_by, datetime.now(UTC).isoformat(timespec="seconds"), _migrations(), tables)
        archive.writestr(MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    return manifest


def read(source: IO[bytes], *, say: Say = lambda _table: None) -> Manifest:
    """Fill the empty tables of this instance from an archive, all or nothing.

    Raises ArchiveRefused with the reason when the file is none, is damaged, was made with other tables, or when there
    is something in the tables already.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = _manifest(archive)
            with loading(), transaction.atomic():
                _require_empty()
                told = {table.name: table for table in manifest.tables}
                for model in _parents_first():
                    _read_table(archive, told[_name(model)])
                    say(told[_name(model)])
                _count_on()
            return manifest
    except (zipfile.BadZipFile, KeyError, EOFError, RuntimeError) as error:
        raise ArchiveRefused("The file is no archive of Broadsheet, or it is damaged. Nothing was changed.") from error


def differences(one: Manifest, other: Manifest) -> list[str]:
    """The names of the tables that are not the same in both, row for row."""
    first, second = ({table.name: table for table in each.tables} for each in (one, other))
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def _tables() -> list[type[models.Model]]:
    found = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]  # noqa: SLF001  # Django's documented description of a model
    kept = (model for model in found if _app(model) not in _LEFT_OUT and not getattr(model, "is_derived", False))
    return sorted(kept, key=_name)


def _parents_first() -> list[type[models.Model]]:
    """The tables, each after those that its rows point to.

    A row that comes before the one it points to costs SQLite a search through its whole table when that one comes.
    """
    order: list[type[models.Model]] = []
    seen: set[type[models.Model]] = set()

    def take(model: type[models.Model]) -> None:
        seen.add(model)
        for field in _fields(model):
            if isinstance(field.related_model, type) and field.related_model not in seen:
                take(field.related_model)
        order.append(model)

    tables = _tables()
    for model in tables:
        if model not in seen:
            take(model)
    return [model for model in order if model in tables]


def _app(model: type[models.Model]) -> str:
    return model._meta.app_label  # noqa: SLF001  # as above


def _name(model: type[models.Model]) -> str:
    return model._meta.label_lower  # noqa: SLF001  # as above


def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return list(model._meta.concrete_fields)  # noqa: SLF001  # as above


def _migrations() -> dict[str, str]:
    applied = MigrationRecorder(connection).applied_migrations()
    kept = {_app(model) for model in _tables()}
    return {
        app: max(name for other, name in applied if other == app) for app in sorted({app for app, _ in applied} & kept)
    }


@contextmanager
def _one_moment() -> Iterator[None]:
    """All that is read inside is of one moment. On SQLite without the lock that writers wait for."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        if connection.vendor == "postgresql" and len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _write_table(archive: zipfile.ZipFile, model: type[models.Model]) -> Table:
    columns = [field.attname for field in _fields(model)]
    digest, count = hashlib.sha256(), 0
    with archive.open(f"{_name(model)}.jsonl", "w", force_zip64=True) as member:
        member.write(orjson.dumps(columns) + b"\n")
        for row in model._default_manager.order_by("pk").values_list(*columns).iterator(chunk_size=_BATCH):  # noqa: SLF001  # as above
            line = orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
            digest.update(line)
            member.write(line)
            count += 1
    return Table(_name(model), columns, count, digest.hexdigest())


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    if archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
        raise ArchiveRefused("The archive's list of tables is too large to be one. Nothing was changed.")
    try:
        said = orjson.loads(archive.read(MANIFEST))
        if said["format"] != FORMAT:
            raise ArchiveRefused(f"The archive is not in the format {FORMAT}. Nothing was changed.")
        manifest = Manifest(**{**said, "tables": [Table(**table) for table in said["tables"]]})
    except (orjson.JSONDecodeError, TypeError) as error:
        raise ArchiveRefused("The archive's list of tables cannot be read. Nothing was changed.") from error
    if manifest.migrations != _migrations():
        raise ArchiveRefused(
            f"The archive was made by Broadsheet {manifest.made_by}, whose tables are others than those here. Nothing "
            "was changed. Take it in with that version, and bring the database up to date afterwards."
        )
    known = {_name(model): [field.attname for field in _fields(model)] for model in _tables()}
    if {table.name: table.columns for table in manifest.tables} != known or len(manifest.tables) != len(known):
        raise ArchiveRefused("The archive's tables are others than those here. Nothing was changed.")
    return manifest


def _require_empty() -> None:
    for model in _tables():
        if model._default_manager.exists():  # noqa: SLF001  # as above
            raise ArchiveRefused(
                "This instance holds something already. An archive is taken in by an empty one: name a new folder with "
                "--data. Nothing was changed."
            )


def _read_table(archive: zipfile.ZipFile, table: Table) -> None:
    model = apps.get_model(table.name)
    makers = [_maker(field) for field in _fields(model)]
    columns = [str(field.column) for field in _fields(model)]
    digest, count = hashlib.sha256(), 0
    for lines in _batches(_lines(archive, table)):
        rows = []
        for line in lines:
            digest.update(line)
            rows.append(_row(line, makers, table))
        insert_rows(model, columns, rows)
        count += len(rows)
    if (count, digest.hexdigest()) != (table.rows, table.sha256):
        raise ArchiveRefused(
            f"The rows of {table.name} are not those that the archive was made with. Nothing was changed."
        )


def _row(line: bytes, makers: list[Callable[[Any], Any]], table: Table) -> list[Any]:
    try:
        values = orjson.loads(line)
        return [make(value) for make, value in zip(makers, values, strict=True)]
    except (ValueError, TypeError) as error:
        raise ArchiveRefused(f"A row of {table.name} cannot be read. Nothing was changed.") from error


def _lines(archive: zipfile.ZipFile, table: Table) -> Iterator[bytes]:
    with archive.open(f"{table.name}.jsonl") as member:
        member.readline(_LONGEST_LINE)
        while line := member.readline(_LONGEST_LINE):
            yield line


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch = []
    for line in lines:
        batch.append(line)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _maker(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    """What makes the database's value of the archive's."""
    if isinstance(field, models.DateTimeField):
        return _moment
    if isinstance(field, models.JSONField):
        return _json
    return _plain


def _moment(value: Any) -> str | None:
    return None if value is None else timestamp(datetime.fromisoformat(value))


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _plain(value: Any) -> Any:
    if value is not None and not isinstance(value, str | int | float | bool):
        raise TypeError("a value that no column holds")
    return value


def _count_on() -> None:
    """Let new rows be numbered after those that came in."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _tables()):
            cursor.execute(statement)
