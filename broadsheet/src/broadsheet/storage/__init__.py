"""How rows are written in bulk and how writers take turns. Needs Django, knows no app.

The object layer's own bulk insert spends some 40 µs on each wide row; a harvest writes a dozen rows for each paper.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.db.models.lookups import Lookup

from broadsheet.storage.prepared import Given

# Any constant will do, as long as every writer of the journal uses the same one.
_JOURNAL_LOCK = 0x42524F41


if TYPE_CHECKING:
    _Lookup = Lookup[bool]
else:
    _Lookup = Lookup  # Django's class takes no parameter when it runs


class _Among(_Lookup):
    lookup_name = "among"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, _ = self.process_lhs(compiler, connection)
        condition = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608  # the column comes from a model
        values = self.rhs.through(_as_json) if isinstance(self.rhs, Given) else _as_json(self.rhs)
        return condition, [values]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, _ = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [self.rhs.through(list) if isinstance(self.rhs, Given) else self.rhs]


def _as_json(values: Iterable[str] | Iterable[int]) -> str:
    return json.dumps(list(values))


def among(column: str, values: Iterable[str] | Iterable[int] | Given) -> _Among:
    """A condition for ``filter``: what ``column__in=values`` asks, with all values in one parameter.

    ``__in`` prepares each of a thousand values, makes a thousand places in the statement and has it compiled anew each
    time; that was a tenth of the cost of storing a record.
    """
    return _Among(models.F(column), values if isinstance(values, Given) else list(values))


class _Holding(_Lookup):
    lookup_name = "holding"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, _ = self.process_lhs(compiler, connection)
        exact = f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = %s)"  # noqa: S608  # the column comes from a model
        if not self.rhs.isascii():
            return exact, [self.rhs]
        # The text of the list is looked at first: most lists end there, and taking one apart costs ten times as much.
        return f"(instr({column}, %s) AND {exact})", [json.dumps(self.rhs), self.rhs]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, _ = self.process_lhs(compiler, connection)
        return f"{column} @> %s::jsonb", [json.dumps([self.rhs])]


def holding(column: str, value: str) -> _Holding:
    """A condition for ``filter``: that the list of texts in a JSON column has this one among its items."""
    return _Holding(models.F(column), value)


@contextmanager
def writing() -> Iterator[None]:
    """A transaction whose journal numbers become visible in the order in which they were given.

    SQLite has one writer at a time by itself. PostgreSQL gives numbers out before commit, so without taking turns a
    reader of the journal could pass number 8 while number 7 is not committed yet, and never see it.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_JOURNAL_LOCK])
        yield


def take_turns(what: str, number: int) -> None:
    """Wait until nobody else is at `what` of that number, and keep it until the transaction ends. Call inside one.

    For whoever looks first and writes what is allowed by that: a second request at the same moment would see the same,
    as PostgreSQL lets two transactions read at once. Only what is read after this is sure. SQLite has one writer at a
    time by itself, as our transactions begin IMMEDIATE there.
    Two numbers that are equal modulo 2^32 wait for each other needlessly.
    """
    if connection.vendor == "postgresql":
        # With two keys: apart from the journal's lock, which has one.
        keys = [_signed(zlib.crc32(what.encode())), _signed(number)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(CAST(%s AS integer), CAST(%s AS integer))", keys)


def _signed(number: int) -> int:
    """The last 32 bits of a number, as PostgreSQL's integer has them."""
    return (number + 2**31) % 2**32 - 2**31


# For an import of millions of records, whose indexes no longer fit in what a reader's connection may hold.
_LOADING = {"cache_size": -65_536, "wal_autocheckpoint": 65_536}


@contextmanager
def loading() -> Iterator[None]:
    """Let SQLite hold 64 MiB of pages, and write them back every 256 MiB, while much is stored. No more than speed.

    Measured at 300,000 records: a quarter more of them in a second.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in _LOADING}
        _set_pragmas(_LOADING)
        try:
            yield
        finally:
            _set_pragmas(before)


def _set_pragmas(values: Mapping[str, int]) -> None:
    with connection.cursor() as cursor:
        for name, value in values.items():
            cursor.execute(f"PRAGMA {name} = {value}")


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], *, ignore: bool = False
) -> None:
    """Insert rows given as plain tuples in the order of `columns` (database column names).

    Values are what the database takes: dates as ISO text, JSON as text. With `ignore`, a row that would break a
    uniqueness rule is left out instead of raising IntegrityError.
    """
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    places = ", ".join(["%s"] * len(columns))
    tail = " ON CONFLICT DO NOTHING" if ignore else ""
    table = quote(model._meta.db_table)  # noqa: SLF001  # Django's documented name for a model's description
    statement = f"INSERT INTO {table} ({names}) VALUES ({places}){tail}"  # noqa: S608  # names come from models
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def update_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], *, key: str = "id"
) -> None:
    """Set `columns` of many rows, each given as the new values in that order and then the value of the column `key`."""
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)  # noqa: SLF001  # as in `insert_rows`
    places = ", ".join(f"{quote(name)} = %s" for name in columns)
    statement = f"UPDATE {table} SET {places} WHERE {quote(key)} = %s"  # noqa: S608  # names come from models
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def timestamp(at: datetime) -> str:
    """A moment as `insert_rows` and `update_rows` take it: of one fixed width, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") + ("" if connection.vendor == "sqlite" else "+00:00")


def reserve_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Primary keys for `count` rows about to be inserted by `insert_rows`. Call inside `writing`."""
    table = model._meta.db_table  # noqa: SLF001  # as above
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        return range(first, first + count)
