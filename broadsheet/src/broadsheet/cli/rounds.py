"""The rounds of the worker: a look for news, and one unit of work when there is some. Needs Django set up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connections
from django.db.utils import OperationalError
from django.utils import timezone

from broadsheet.cli import returning
from broadsheet.cli.failure import Failure, explain
from broadsheet.cli.hooking import Hooking
from broadsheet.cli.posting import Posting
from broadsheet.community import tasks as community
from broadsheet.community.actions import notices
from broadsheet.community.rules.notices import Kind
from broadsheet.config import options
from broadsheet.editions import actions as editions
from broadsheet.editions import queries as printed
from broadsheet.evidence.tasks import refresh_index
from broadsheet.fetching.answers import Client
from broadsheet.following import tasks as following
from broadsheet.ingest import actions as ingest
from broadsheet.library.tasks import forget_removed
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexUnavailable

# What passes by itself or by the operator's hand, so that the worker waits instead of ending.
IN_THE_WAY = (OperationalError, IndexUnavailable)

# How long the schedule of harvests is not looked at when nothing was due, nor papers without a vector when there was
# none and nothing came since, in seconds.
LOOK_AGAIN = 20.0

# How long people wait at most for what the worker does for them: a proposed paper that is asked for, votes that are
# counted for merged papers; in seconds.
PEOPLE_WAIT = 4.0

# How often what can no longer be undone is looked for, in seconds.
FORGET_EVERY = 3600.0

log = logging.getLogger("broadsheet.worker")


class Rounds:
    """What a worker keeps between two rounds: the open index, and the client that asks sources, if any are followed."""

    def __init__(self, *, stop: Callable[[], bool] = lambda: False) -> None:
        self._index = tasks.open_index()
        self._client = _client()
        self._stop = stop
        self._posting = Posting(stop=stop)
        self._returning = returning.Poll(settings.BROADSHEET_MAIL_BOUNCES_IMAP)
        self._hooking = Hooking()
        self._look_at = 0.0
        self._embedded = -1
        self._embed_at = 0.0
        self._votes_at = 0.0
        self._people_at = 0.0
        self._learn_at = 0.0
        self._forget_at = 0.0

    def one(self) -> bool:
        """Publish what is due, bring one batch into the index, ask one source; whether there is more to do at once.

        A look that finds nothing asks the database three small questions. An index that nothing but building it
        again can help is built again. Raises what IN_THE_WAY names.
        """
        try:
            more = bool(printed.behind()) and editions.publish_pending().more
            more = self._attend() or more
            more = self._follow_votes() or more
            more = self._posting.one() or more
            more = self._returning.step() or more
            more = self._hooking.step() or more
            self._forget()
            # What needs the index comes behind what does not: mail goes out without one.
            more = self._learn() or more
            more = self._follow() or more
            return self._harvest() or more
        except OperationalError:
            connections.close_all()
            raise
        except IndexUnavailable as error:
            if not error.rebuild_needed:
                raise
            cause = repr(error.__cause__) if error.__cause__ else "none but this"
            log.warning("%s Building it from the database. Cause: %s", error, cause)
            self._index.clear()
            notices.tell_operators(Kind.INDEX, f"{error} The worker is building it from the database.", matter="search")
            return True

    def _follow_votes(self) -> bool:
        """Have editions ranked anew whose votes changed, when it is time to look."""
        if time.monotonic() < self._votes_at:
            return False
        self._votes_at = time.monotonic() + LOOK_AGAIN
        return bool(editions.follow_votes())

    def _attend(self) -> bool:
        """Count the votes for merged papers, and ask for papers that people proposed, when it is time to look."""
        if time.monotonic() < self._people_at:
            return False
        try:
            more = community.follow_papers()
            more = community.fetch_submissions(self._client) or more
        except OSError as error:
            log.warning("Nothing that was proposed was fetched: %s", explain(error) or error)
            more = False
        self._people_at = 0.0 if more else time.monotonic() + PEOPLE_WAIT
        return more

    def _learn(self) -> bool:
        """Keep the words and vectors of a few papers for the profiles of readers, when it is time to look."""
        if time.monotonic() < self._learn_at:
            return False
        more = following.keep_papers(self._index, now=timezone.now())
        self._learn_at = 0.0 if more else time.monotonic() + LOOK_AGAIN
        return more

    def _forget(self) -> None:
        """Forget for good what readers removed long ago, now and then."""
        if time.monotonic() >= self._forget_at:
            self._forget_at = time.monotonic() + FORGET_EVERY
            forget_removed(now=timezone.now())
            community.purge_comments()
            following.forget_unconfirmed(now=timezone.now())
            following.forget_old(now=timezone.now())

    def _harvest(self) -> bool:
        """One step of the schedule of harvests, when it is time to look at it."""
        if self._client is None or time.monotonic() < self._look_at:
            return False
        try:
            if ingest.step(self._client, now=timezone.now(), stop=self._stop):
                return True
        except OSError as error:
            log.warning("Nothing was harvested: %s", explain(error) or error)
        self._look_at = time.monotonic() + LOOK_AGAIN
        return False

    def _follow(self) -> bool:
        """One batch of the journal into the index, or else some vectors; whether there is more.

        Idle, the writer holds no memory, and no lock that keeps others from writing.
        """
        if self._index.cursor() > papers.last_change():
            sentence = "The search index belongs to another state of the database."
            raise IndexUnavailable(sentence, rebuild_needed=True)
        done = refresh_index(self._index)
        if done.behind:
            return True
        cursor = self._index.cursor()
        if cursor == self._embedded and time.monotonic() < self._embed_at:
            return False
        if tasks.embed_pending(self._index).more:
            return True
        self._embedded, self._embed_at = cursor, time.monotonic() + LOOK_AGAIN
        self._index.close()
        return False

    def close(self) -> None:
        """Give the index and the database connections back."""
        self._posting.close()
        self._index.close()
        connections.close_all()


def _client() -> Client | None:
    """The client, where somebody said who asks; where anything is followed and nobody said it, a warning is written."""
    if not (settings.BROADSHEET_HARVEST or options.load().contact):
        return None
    from broadsheet.cli import harvesting  # noqa: PLC0415  only who harvests needs what speaks to the network

    try:
        return harvesting.client()
    except Failure as error:
        log.warning("%s", error)
        return None
