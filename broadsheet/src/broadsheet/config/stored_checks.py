"""Checks of what is stored: database, index, starter catalogue, and Django's own. Needs Django set up."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error, Warning, run_checks  # noqa: A004  as in broadsheet.config.checks
from django.db.utils import DatabaseError
from django.utils import timezone

from broadsheet.config import schema, starter
from broadsheet.config.checks import Check, Seen
from broadsheet.config.options import Configuration
from broadsheet.following.queries import deliveries
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexUnavailable

_DOCTOR = "`broadsheet doctor` does it."


def database(_configuration: Configuration) -> Seen:
    """The database answers, and its tables are those of this program."""
    file = schema.sqlite_file()
    if file is not None and not file.exists():
        return Seen("not made yet; the first start makes it")
    where = str(file) if file else "PostgreSQL"
    try:
        state = schema.state()
    except DatabaseError as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = "Restore a backup." if file else "See that PostgreSQL runs, and that DATABASE_URL is right."
        return Seen(where, (Error(f"The database does not answer: {said}.", hint=hint, id="broadsheet.E010"),))
    if state.newer:
        newer = Error(schema.newer_sentence(state), hint="The program is too old, not the data.", id="broadsheet.E011")
        return Seen(where, (newer,))
    if state.missing:
        said = f"The database is {len(state.missing)} steps behind this program, from {state.missing[0]} on."
        hint = f"The next `broadsheet up` brings it up to date; {_DOCTOR}"
        return Seen(where, (Warning(said, hint=hint, id="broadsheet.W011"),))
    return Seen(f"{where}, up to date")


def usable() -> bool:
    """Whether the database can be asked about papers: it exists, answers, and has the tables of this program."""
    file = schema.sqlite_file()
    if file is not None and not file.exists():
        return False
    try:
        state = schema.state()
    except DatabaseError:
        return False
    return not state.missing and not state.newer


def index(_configuration: Configuration) -> Seen:
    """The index can be read, and belongs to this database."""
    try:
        opened = tasks.open_index()
        count, cursor = opened.count(), opened.cursor()
    except IndexUnavailable as error:
        hint = f"Build it again: {_DOCTOR}"
        problem = Error(f"The search index cannot be read: {error}", hint=hint, id="broadsheet.E012")
        return Seen("unreadable", (problem,))
    last = papers.last_change()
    if cursor > last:
        problem = Error(
            f"The search index is ahead of the database: entry {cursor:,} of a journal that ends at {last:,}.",
            hint=f"It belongs to another state of the database. Build it again: {_DOCTOR}",
            id="broadsheet.E013",
        )
        return Seen(f"{count:,} papers", (problem,))
    unread = papers.unread(cursor)
    behind = f"{unread:,} changes behind; the worker follows" if unread else "up to date"
    return Seen(f"{count:,} papers, {behind}")


def starter_catalogue(configuration: Configuration) -> Seen:
    """The starter catalogue is loaded, unless the settings say not to."""
    if not configuration.starter:
        return Seen("not wanted (BROADSHEET_STARTER=no)")
    if starter.loaded():
        return Seen("loaded")
    problem = Warning(
        "The starter catalogue of this version is not loaded.",
        hint=f"The next `broadsheet up` loads it; {_DOCTOR}",
        id="broadsheet.W014",
    )
    return Seen("not loaded", (problem,))


def program(_configuration: Configuration) -> Seen:
    """Django finds nothing wrong with the program itself."""
    found: list[CheckMessage] = run_checks()
    return Seen("complete" if not found else "not as it was installed", tuple(found))


def digests(_configuration: Configuration) -> Seen:
    """Digests go out to those who asked for them."""
    standing = deliveries.standing(timezone.now())
    hint = "The page /status/mail has each mail, and the log of the worker the cause."
    problems = [Warning(trouble, hint=hint, id="broadsheet.W021") for trouble in standing.troubles]
    return Seen(f"{standing.subscribed:,} subscribed, {standing.waiting:,} mails waiting", tuple(problems))


PROGRAM = Check("program", program)
DATABASE = Check("database", database)
CHECKS = (
    Check("index", index),
    Check("starter", starter_catalogue),
    Check("digests", digests),
)
