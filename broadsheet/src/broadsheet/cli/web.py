"""The process that answers readers: gunicorn with threads, loaded once and then divided."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
from pathlib import Path
from typing import Any

import click
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.urls import get_resolver
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from broadsheet.cli import lifeline
from broadsheet.cli.patience import PatientWorker
from broadsheet.config import options
from broadsheet.config.options import Configuration

# Where gunicorn keeps the file that a live process touches: in memory, so that a slow disk does not look like death.
_MEMORY = Path("/dev/shm")  # noqa: S108  made by the kernel; gunicorn opens its file there exclusively


class _Log(Logger):  # type: ignore[misc]  # gunicorn brings no types
    """Gunicorn's messages as lines of our log: the root logger writes them."""

    def setup(self, cfg: Any) -> None:
        """Only what an operator should act on: gunicorn's comings and goings are told by the supervisor."""
        self.cfg = cfg
        self._access_log_enabled = False
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        self.error_log.setLevel(logging.WARNING)


class Web(BaseApplication):  # type: ignore[misc]  # gunicorn brings no types
    """Our pages on a socket that is open already. `life` is the descriptor of the lifeline, None without supervisor."""

    def __init__(self, configuration: Configuration, opened: int, life: int | None) -> None:
        self._configuration = configuration
        self._opened = opened
        self._life = life
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn how to run."""
        chosen: dict[str, Any] = {
            "bind": [f"fd://{self._opened}"],
            "workers": self._configuration.web_processes,
            "threads": self._configuration.web_threads,
            "worker_class": PatientWorker,
            # Below the 1,024 files that a process may usually have open.
            "worker_connections": 500,
            "timeout": max(1, round(self._configuration.web_timeout)),
            "graceful_timeout": 5,
            "keepalive": 5,
            "preload_app": True,
            "accesslog": None,
            "logger_class": _Log,
            "control_socket_disable": True,
            "proc_name": "broadsheet",
            "worker_tmp_dir": str(_MEMORY) if _MEMORY.is_dir() else None,
            "post_fork": self._after_division,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application."""
        return application()

    def _after_division(self, _arbiter: object, _worker: object) -> None:
        lifeline.follow_parent(os.getppid())
        if self._life is not None:
            lifeline.hold(self._life, end=lifeline.end_self)


def application() -> Any:
    """The WSGI application with all of its pages and templates loaded, so that the processes share that memory."""
    from broadsheet.config.wsgi import application as loaded  # noqa: PLC0415  sets Django up, which reads the settings

    list(get_resolver().url_patterns)
    for engine in engines.all():
        if isinstance(engine, Jinja2):
            for name in engine.env.list_templates():
                engine.env.get_template(name)
    return loaded


# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 128 * 1024  # bytes


def _keep_little_memory() -> None:
    """Have the C library give memory back. By itself it keeps what each thread once needed for its largest page.

    Only glibc can be told so.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        for what, value in ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE)):
            tell(what, value)


def serve(configuration: Configuration, opened: int, life: int | None = None) -> None:
    """Answer readers on the socket with descriptor `opened` until SIGTERM or SIGINT."""
    _keep_little_memory()
    web = Web(configuration, opened, life)
    web.wsgi()
    # Objects that exist now are never looked at again by the collector, so their memory stays shared.
    gc.collect()
    gc.freeze()
    web.run()


@click.command()
@click.option("--lifeline", "life", type=int, required=True)
@click.option("--socket", "opened", type=int, required=True)
@click.option("--go", type=int, required=True)
def _main(life: int, opened: int, go: int) -> None:
    lifeline.follow_parent(os.getppid())
    lifeline.hold(life, end=lifeline.end_self)
    configuration = options.load()
    application()
    while os.read(go, 1):
        pass
    os.close(go)
    serve(configuration, opened, life)


if __name__ == "__main__":
    _main()
