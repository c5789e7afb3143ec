"""What must be true of the data folder before pages are served: secret, database, starter catalogue, index, editions.

Needs Django set up. Every step looks first and does nothing when nothing is to be done.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.utils import DatabaseError

from broadsheet.accounts.actions import only_reader, seal_factors
from broadsheet.cli.failure import Failure
from broadsheet.config import folder, schema, starter
from broadsheet.editions import actions as editions
from broadsheet.editions import queries as printed
from broadsheet.evidence import actions as evidence
from broadsheet.evidence.rules import RecordRefused
from broadsheet.evidence.tasks import refresh_index
from broadsheet.ingest import actions as ingest
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import Index, IndexLocked, IndexUnavailable

LOCK = "prepare.lock"
LATER = 5000  # entries of the journal: some seconds of work

Say = Callable[[str], None]
Stop = Callable[[], bool]


class Stopped(Exception):
    """The process was asked to end while it prepared."""


def prepare(say: Say, *, stop: Stop = lambda: False, with_starter: bool = True, patient: bool = True) -> None:
    """Bring the data folder up to date, step by step. Safe to interrupt and to repeat.

    Raises Failure or FolderError with a sentence, or a database error; what a first start had written by then is
    removed again. Raises Stopped between two steps when `stop()` says so. Unless `patient`, a long way to the end of
    the journal (more than LATER entries) is left to the worker, because the pages need not wait for it.
    """
    with _alone():
        _store(say, stop=stop, with_starter=with_starter)
        if patient or behind() <= LATER:
            catch_up(say, stop=stop)
        else:
            say(f"· {behind():,} changes are not in the index and the editions yet; the worker follows meanwhile")


def prepare_all_but_index(say: Say) -> None:
    """Bring secret, tables, starter catalogue and editions up to date. Raises as `prepare`; says only what it does."""
    with _alone():
        _store(say, stop=lambda: False, with_starter=True)
        publish(say)


def prepare_tables(say: Say) -> None:
    """Bring secret and tables up to date and put nothing into them. Raises as `prepare`."""
    with _alone():
        folder.keep_secret(settings.BROADSHEET_SECRET_FILE)
        migrate(say)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """No other process prepares this folder meanwhile, and a first preparation that fails leaves nothing behind."""
    with folder.lock(settings.BROADSHEET_DATA, LOCK, taken="", wait=True), _nothing_half_made():
        yield


def _store(say: Say, *, stop: Stop, with_starter: bool) -> None:
    """Secret, tables and starter catalogue."""
    is_new = folder.keep_secret(settings.BROADSHEET_SECRET_FILE)
    migrate(say)
    if not settings.BROADSHEET_ACCOUNTS:
        only_reader()
    elif not is_new and (sealed := seal_factors()):
        # With a secret that was made just now, this process still has another one.
        say(f"· sealing {sealed:,} second factors that were stored in clear")
    _unless(stop)
    if with_starter and settings.BROADSHEET_STARTER:
        load_starter(say)
    _unless(stop)


def _unless(stop: Stop) -> None:
    if stop():
        raise Stopped


@contextlib.contextmanager
def _nothing_half_made() -> Iterator[None]:
    """When the first preparation of a folder fails, take away what it made. What was there before is not touched."""
    database = schema.sqlite_file()
    if database is None or database.exists():
        yield
        return
    beside = (settings.BROADSHEET_SECRET_FILE, settings.BROADSHEET_INDEX, starter.mark())
    made = [database, *(path for path in beside if not path.exists())]
    try:
        yield
    except BaseException:
        connection.close()
        for path in made:
            _remove(path)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        with contextlib.suppress(OSError):
            each.unlink(missing_ok=True)


def migrate(say: Say) -> int:
    """Bring the tables up to date; the number of steps that it took.

    Raises Failure when the database was written by a newer program; nothing is changed then.
    """
    state = schema.state()
    if state.newer:
        raise Failure(schema.newer_sentence(state))
    if state.missing:
        steps = len(state.missing)
        say("· making the database" if state.empty else f"· bringing the database up to date ({steps} steps)")
        call_command("migrate", verbosity=0, interactive=False)
    return len(state.missing)


def load_starter(say: Say) -> bool:
    """Load the starter catalogue unless this instance has this very one already; whether it did."""
    if starter.loaded():
        return False
    say("· loading the starter catalogue")
    report = ingest.import_file(starter.CATALOGUE)
    evidence.import_claims(starter.CATALOGUE)
    measured = sum(_measured(line, say) for line in starter.MEASUREMENTS.read_bytes().splitlines())
    starter.note_loaded()
    said = f", {measured} of them measured" if measured else ""
    say(f"· {report.read - report.rejected:,} papers are in it{said}")
    return True


def _measured(record: bytes, say: Say) -> bool:
    """Store a measurement that comes with the program; whether it is there now."""
    try:
        evidence.store_measurement(record, origin="the starter catalogue")
    except RecordRefused as error:
        say(f"· a measurement of the starter catalogue was refused: {error}")
        return False
    return True


def catch_up(say: Say, *, stop: Stop = lambda: False) -> None:
    """Bring editions and index to the end of the journal. An index that cannot be written is told, not fatal."""
    publish(say, stop=stop)
    try:
        refresh(say, stop=stop)
    except IndexLocked:
        say("· the search index is being written by another process, which will bring it up to date")
    except IndexUnavailable as error:
        say(f"· search does not work now: {error} All other pages do; see `broadsheet doctor`.")


def behind() -> int:
    """How much the editions or the index have to do, in entries of the journal; an unreadable index has read none."""
    try:
        cursor = tasks.open_index().cursor()
    except IndexUnavailable:
        cursor = 0
    return max(printed.behind(), papers.unread(cursor))


def publish(say: Say, *, stop: Stop = lambda: False) -> int:
    """Print the editions that are due; how many were printed or changed."""
    total, said = 0, False
    while (done := editions.publish_pending()).more:
        if not said:
            say("· printing the editions")
            said = True
        total += done.editions
        _unless(stop)
    return total


def refresh(say: Say, *, stop: Stop = lambda: False, anew: bool = False) -> int:
    """Bring the index to the end of the journal; how many entries of the journal it took. Raises IndexUnavailable.

    It is built from the beginning when asked for, and when nothing else can help: when it is damaged, of another
    program version, or ahead of the journal because the database was restored from a backup.
    """
    with contextlib.closing(tasks.open_index()) as index:
        if anew or _past_help(index):
            say("· building the search index again from the database")
            index.clear()
        total = 0
        while (done := refresh_index(index)).applied:
            if not total:
                say(f"· bringing the search index up to date ({done.applied + done.behind:,} changes)")
            total += done.applied
            _unless(stop)
    return total


def _past_help(index: Index) -> bool:
    """Whether the index can only be built again."""
    try:
        return index.cursor() > papers.last_change()
    except IndexUnavailable as error:
        if error.rebuild_needed:
            return True
        raise


def require_database() -> None:
    """Raise Failure when there is no database yet, or one that this program cannot use as it is."""
    database = schema.sqlite_file()
    if database is not None and not database.exists():
        raise Failure(f"There is no database in {settings.BROADSHEET_DATA} yet. `broadsheet up` makes one.")
    try:
        state = schema.state()
    except DatabaseError as error:
        raise Failure(f"The database cannot be read: {str(error).splitlines()[0]}. See `broadsheet check`.") from error
    if state.newer:
        raise Failure(schema.newer_sentence(state))
    if state.missing:
        raise Failure("The database is not up to date. `broadsheet up` and `broadsheet doctor` bring it there.")
