"""Questions whose SQL is made once: Django needs several times as long to make that of a small one as a database to
answer it, and a page asks a dozen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Expression, QuerySet

T = TypeVar("T")

# Statements kept for one question in one thread: its shapes are few, and are forgotten together when they are not.
_SHAPES = 64


class Given(Expression):
    """The place of a value in the conditions of a question: what its maker gets instead of the value.

    `among` takes it for its list. Nothing else can be done with it than to compare a column with it.
    """

    def __init__(self, number: int, written: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self._number = number
        self._written = written

    def through(self, written: Callable[[Any], Any]) -> Given:
        """The same place, for the value that `written` makes of the one that is given."""
        return Given(self._number, written)

    def resolve_expression(self, *_args: Any, **_names: Any) -> Given:
        """See Django's expressions: it refers to no column."""
        return self

    def as_sql(self, *_args: Any, **_names: Any) -> tuple[str, Any]:
        """See Django's expressions: a place, and itself as what stands there."""
        return "%s", (self,)

    def of(self, values: tuple[Any, ...], operations: Any) -> Any:
        """What stands there when these are the values. Raises TypeError for None, which SQL finds equal to nothing."""
        value = values[self._number]
        if value is None:
            raise TypeError("A prepared question has no place for None: ask another one with isnull.")
        if self._written is not None:
            return self._written(value)
        if isinstance(value, datetime):
            return operations.adapt_datetimefield_value(value)
        return operations.adapt_datefield_value(value) if isinstance(value, date) else value


class Prepared(Generic[T]):
    """A question made by `make`, which gets a `Given` for each value and returns a queryset; asked by calling it.

    Called with the values, it returns the rows as a list, each time from the database. Named arguments reach `make` as
    they are, and make a statement of their own for each that differs: they are for what SQL has no place for, as the
    limits of a slice. What `make` asks the clock or the settings stays as it was in the first call, and what it would
    prefetch is not.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, T]]) -> None:
        self._make = make
        self._here = threading.local()

    def __call__(self, *values: Any, **shape: Any) -> list[T]:
        """The rows for these values. Raises what the database raises; TypeError for a value that is None."""
        kept: dict[Any, _Statement[T]] = self._here.__dict__.setdefault("kept", {})
        key = tuple(shape.items())
        statement = kept.get(key)
        if statement is None or not statement.holds():
            if len(kept) >= _SHAPES:
                kept.clear()
            places = [Given(number) for number in range(len(values))]
            statement = kept[key] = _Statement(self._make(*places, **shape))
        return statement.rows(values)


class _Statement(Generic[T]):
    """The SQL of a queryset on this thread's connection, with what makes objects of its rows."""

    def __init__(self, asked: QuerySet[Any, T]) -> None:
        self._alias = asked.db
        self._compiler: Any = asked.query.get_compiler(self._alias)
        try:
            self._sql, self._places = self._compiler.as_sql()
        except EmptyResultSet:  # of a slice of nothing, say: Django does not ask the database then
            self._sql, self._places = "", ()
        self._values: tuple[Any, ...] = ()
        # Django asks the query for a compiler and that for the SQL, each time that its rows are read.
        rows: Any = asked
        rows.query.get_compiler = lambda *_args, **_names: self._compiler
        self._compiler.as_sql = lambda *_args, **_names: (self._sql, self._values)
        self._rows: Iterable[T] = rows._iterable_class(rows)  # noqa: SLF001  # it has no public name

    def holds(self) -> bool:
        """Whether it was made for the connection that this thread has now: tests and servers may hand over another."""
        return self._compiler.connection is connections[self._alias]

    def rows(self, values: tuple[Any, ...]) -> list[T]:
        """The rows for these values."""
        if not self._sql:
            return []
        operations = self._compiler.connection.ops
        self._values = tuple(
            place.of(values, operations) if isinstance(place, Given) else place for place in self._places
        )
        return list(self._rows)
