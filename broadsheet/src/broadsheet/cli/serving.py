"""`broadsheet serve` and `broadsheet work`: the two halves of `up`, for whoever supervises them otherwise."""

from __future__ import annotations

import os

import click
import django
from django.db import connections

from broadsheet.cli import listening, web, worker
from broadsheet.config import folder, options


def serve() -> None:
    """Answer readers until SIGTERM or SIGINT. Raises Failure when the host, the port or the database cannot be used."""
    configuration = options.load()
    listening.refuse_exposure(configuration)
    with listening.listen(configuration.host, configuration.port) as opened:
        _set_up()
        from broadsheet.cli import preparing  # noqa: PLC0415  needs Django set up

        preparing.require_database()
        connections.close_all()
        click.echo(f"Broadsheet listens at {listening.address_of(opened, configuration.allowed_hosts)}")
        # Gunicorn closes the descriptor that it is given.
        web.serve(configuration, os.dup(opened.fileno()))


def work() -> None:
    """Prepare the data folder and work until SIGTERM or SIGINT. Raises Failure when another worker is there."""
    configuration = options.load()
    folder.make(configuration.data)
    _set_up()
    worker.work(configuration)


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")
    django.setup()
