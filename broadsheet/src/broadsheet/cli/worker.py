"""The process that works while readers read: index and editions follow the journal of papers."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from types import FrameType

import click
import django

from broadsheet.cli import lifeline
from broadsheet.cli.failure import explain
from broadsheet.config import folder, options
from broadsheet.config.options import Configuration

LONGEST_PAUSE = 60.0  # seconds between attempts while something is in the way

log = logging.getLogger("broadsheet.worker")


class Worker:
    """Looks for news, does one unit of work at a time, and ends between two units when asked."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked_to_end)

    def _asked_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending.set()

    def end(self) -> None:
        """Ask it to end after the present unit of work."""
        self._ending.set()

    def ending(self) -> bool:
        """Whether it was asked to end."""
        return self._ending.is_set()

    def run(self) -> None:
        """Work until asked to end. What is in the way (a locked database, a busy index) is logged and tried again."""
        from broadsheet.cli.rounds import IN_THE_WAY, Rounds  # noqa: PLC0415  needs Django set up

        rounds = Rounds(stop=self.ending)
        pause = self._configuration.work_pause
        while not self._ending.is_set():
            try:
                more = rounds.one()
                pause = 0.0 if more else self._configuration.work_pause
            except IN_THE_WAY as error:
                pause = min(LONGEST_PAUSE, max(1.0, pause * 2))
                log.warning("%s Trying again in %g s.", explain(error) or error, pause)
            self._ending.wait(pause)
        rounds.close()


def work(configuration: Configuration, *, ready: int | None = None, life: int | None = None) -> None:
    """Prepare the data folder, then work until SIGTERM or SIGINT. Raises Failure, FolderError or a database error.

    `ready` is a descriptor that gets one byte when everything is prepared; `life` that of the lifeline.
    """
    worker = Worker(configuration)
    if life is not None:
        lifeline.hold(life, end=worker.end)
    django.setup()
    from broadsheet.cli import preparing  # noqa: PLC0415  needs Django set up

    taken = f"Another worker already works on {configuration.data}. One is enough; nothing was started."
    with folder.lock(configuration.data, folder.WORKER_LOCK, taken=taken) as path:
        path.write_text(f"process {os.getpid()}\n", encoding="utf-8")
        try:
            preparing.prepare(_say, stop=worker.ending, patient=False)
        except preparing.Stopped:
            return
        if ready is not None:
            os.write(ready, b"1")
        worker.run()


def _say(sentence: str) -> None:
    click.echo(sentence)
    sys.stdout.flush()


@click.command()
@click.option("--lifeline", "life", type=int, required=True)
@click.option("--ready", type=int, required=True)
def _main(life: int, ready: int) -> None:
    lifeline.follow_parent(os.getppid())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")
    try:
        work(options.load(), ready=ready, life=life)
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            raise
        log.debug("cause", exc_info=error)
        click.echo(f"Error: {sentence}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    _main()
