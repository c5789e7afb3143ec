"""The rounds of the worker: a look for news, and one unit of work when there is some. Needs Django set up."""

from __future__ import annotations

import logging

from django.db import connections
from django.db.utils import OperationalError

from broadsheet.editions import actions as editions
from broadsheet.editions import queries as printed
from broadsheet.papers import queries as papers
from broadsheet.papers import tasks
from broadsheet.search.index import IndexUnavailable

# What passes by itself or by the operator's hand, so that the worker waits instead of ending.
IN_THE_WAY = (OperationalError, IndexUnavailable)

log = logging.getLogger("broadsheet.worker")


class Rounds:
    """What a worker keeps between two rounds: the open index."""

    def __init__(self) -> None:
        self._index = tasks.open_index()

    def one(self) -> bool:
        """Publish what is due, bring one batch into the index; whether there is more to do at once.

        A look that finds nothing asks the database three small questions. An index that nothing but building it
        again can help is built again. Raises what IN_THE_WAY names.
        """
        try:
            more = bool(printed.behind()) and editions.publish_pending().more
            return self._follow() or more
        except OperationalError:
            connections.close_all()
            raise
        except IndexUnavailable as error:
            if not error.rebuild_needed:
                raise
            cause = repr(error.__cause__) if error.__cause__ else "none but this"
            log.warning("%s Building it from the database. Cause: %s", error, cause)
            self._index.clear()
            return True

    def _follow(self) -> bool:
        """One batch of the journal into the index; whether there is more. Idle, the writer holds no memory."""
        if self._index.cursor() > papers.last_change():
            sentence = "The search index belongs to another state of the database."
            raise IndexUnavailable(sentence, rebuild_needed=True)
        done = tasks.refresh_index(self._index)
        if done.applied and not done.behind:
            self._index.close()
        return done.behind > 0

    def close(self) -> None:
        """Give the index and the database connections back."""
        self._index.close()
        connections.close_all()
