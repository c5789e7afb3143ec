"""The worker's messages for groups: new editions are posted where they talk. Needs Django set up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.utils import timezone

from broadsheet.config import options
from broadsheet.fetching.posting import Poster
from broadsheet.following.actions import hooks as acting
from broadsheet.following.actions.hooks import Wanted
from broadsheet.following.queries.digests import Nothing

_LOG = logging.getLogger(__name__)

# How often it is looked for tests that somebody waits for, for new editions, and for what can be forgotten, in seconds.
_TESTS, _EDITIONS, _OLD = 4.0, 30.0, 3600.0


class Hooking:
    """What a worker keeps of it between two rounds."""

    def __init__(self, *, poster: Poster | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._poster = poster
        self._clock = clock
        self._tests_at = self._editions_at = self._old_at = 0.0

    def step(self) -> bool:
        """Post for some seconds at most, when it is time to look; whether there may be more. Raises database errors."""
        at = self._clock()
        if at < self._tests_at:
            return False
        self._tests_at = at + _TESTS
        now = timezone.now()
        if at >= self._editions_at:
            self._editions_at = at + _EDITIONS
            acting.queue_editions(now=now)
        if at >= self._old_at:
            self._old_at = at + _OLD
            acting.forget_messages(now=now)
        tried = acting.post_waiting(compose=_compose, post=self._ours().post, now=now)
        if tried:
            self._tests_at = 0.0
        return bool(tried)

    def _ours(self) -> Poster:
        """Who posts. A contact that is none is told when sources are asked; here it is left out."""
        if self._poster is None:
            try:
                self._poster = Poster(options.load().contact)
            except ValueError as error:
                _LOG.warning("%s", error)
                self._poster = Poster("")
        return self._poster


def _compose(wanted: Wanted) -> bytes | Nothing:
    from broadsheet.web.hooking import compose  # noqa: PLC0415  only an instance with such groups needs it

    return compose(wanted)
