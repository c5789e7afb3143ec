"""Every command, its options and its help. What a command does is loaded when it is called, and Django only then."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from broadsheet import __version__
from broadsheet.cli.failure import explain

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Sentence(click.ClickException):
    """A failure that click prints and ends with status 1."""

    def show(self, file: Any = None) -> None:
        """Every problem on a line of its own."""
        for line in self.format_message().splitlines():
            click.echo(f"Error: {line}", file=file, err=file is None)


class _Group(click.Group):
    """The command `broadsheet`: errors that an operator can do something about become sentences."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Errors that are a fault of ours keep their traceback, for the report of it."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            sentence = explain(error)
            if sentence is None:
                raise
            raise _Sentence(sentence) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="broadsheet")
def broadsheet() -> None:
    """Your own Daily Papers: an edition of new research every day, complete and audited.

    Begin with `broadsheet up`. Settings are environment variables that begin with BROADSHEET_, or lines of
    broadsheet.toml in the data folder; `broadsheet check` says what is wrong with them.
    """
    # What a command writes is for its owner only, also in a folder that others can enter.
    os.umask(0o077)


def _into_environment(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Say an option by its environment variable, so that every process that is started hears it."""
    del ctx
    if value is not None:
        os.environ[f"BROADSHEET_{str(parameter.name).upper()}"] = str(value)
    return value


def _data(command: _Command) -> _Command:
    """Add --data, which every command has that touches the data folder."""
    option = click.option(
        "--data",
        type=click.Path(file_okay=True, path_type=Path),
        metavar="DIR",
        callback=_into_environment,
        expose_value=False,
        is_eager=True,
        help="The data folder. [default: the one of BROADSHEET_DATA, else the user's own]",
    )
    return option(command)


def _host_and_port(command: _Command) -> _Command:
    """Add --host and --port."""
    host = click.option(
        "--host",
        metavar="ADDRESS",
        callback=_into_environment,
        expose_value=False,
        help="The address of this machine to listen on. [default: 127.0.0.1]",
    )
    port = click.option(
        "--port",
        metavar="NUMBER",
        callback=_into_environment,
        expose_value=False,
        help="The port to listen on; 0 takes any free one. [default: 8000]",
    )
    return host(port(command))


def _body(name: str, *, django: bool = True) -> Any:
    """The module that does what a command says, loaded now; with Django set up unless it needs none."""
    if django:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")
        import_module("django").setup()
    return import_module(f"broadsheet.cli.{name}")


@broadsheet.command()
@_host_and_port
@_data
def up() -> None:
    """Start everything: the pages and the worker, under one process.

    The first start makes the data folder and loads the starter catalogue. Ctrl-C or SIGTERM ends it.
    """
    _body("up", django=False).up()


@broadsheet.command()
@_host_and_port
@_data
def serve() -> None:
    """Answer readers only, without a worker. `broadsheet up` does both."""
    _body("serving", django=False).serve()


@broadsheet.command()
@_data
def work() -> None:
    """Work only: keep the index and the editions up to date until SIGTERM. `broadsheet up` does both."""
    _body("serving", django=False).work()


@broadsheet.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@_data
def import_(files: tuple[Path, ...]) -> None:
    """Store the papers of saved pages and other files.

    Each file is recognised by its content. Importing a file again changes nothing. A file that cannot be read is
    told and changes nothing either; the others are still imported, and the exit status is 1.
    """
    _body("importing").import_files(files)


@broadsheet.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many papers to print.")
@_data
def search(words: tuple[str, ...], limit: int) -> None:
    """Find papers; prints the key and the title of each, the best first.

    Put -- before the words when one of them begins with a minus: broadsheet search -- gradient -survey
    """
    _body("finding").search(" ".join(words), limit)


@broadsheet.command()
@click.argument("kept")
@click.argument("merged")
@click.option("--reason", required=True, help="Why they are one work. It is kept in the paper's history.")
@_data
def merge(kept: str, merged: str, reason: str) -> None:
    """Make two papers one. The first KEY stays, the second leads to it."""
    _body("joining").merge(kept, merged, reason)


@broadsheet.command()
@click.argument("key")
@click.option("--reason", required=True, help="Why they are two works. It is kept in the paper's history.")
@_data
def unmerge(key: str, reason: str) -> None:
    """Undo a merge. KEY, the merged paper's own key, is a paper of its own again."""
    _body("joining").unmerge(key, reason)


@broadsheet.command()
@click.argument("paper")
@_data
def statements(paper: str) -> None:
    """Print what each source says of a paper.

    PAPER is its key. A line is a source, the key there and the title; source and key are what
    `broadsheet split` asks for.
    """
    _body("joining").statements(paper)


@broadsheet.command()
@click.argument("source")
@click.argument("key")
@click.option("--reason", required=True, help="Why it is another work. It is kept in the papers' history.")
@_data
def split(source: str, key: str, reason: str) -> None:
    """Make one statement a paper of its own.

    For what SOURCE says under KEY, where it was taken for another work. `broadsheet statements` prints both.
    A paper that was merged comes apart by `broadsheet unmerge`.
    """
    _body("joining").split(source, key, reason)


@broadsheet.command()
@_host_and_port
@_data
def check() -> None:
    """Look for everything that is or will be a problem. The exit status is 1 when there is one. Changes nothing."""
    _body("checking", django=False).check()


@broadsheet.command()
@_data
def doctor() -> None:
    """Repair what is safe to repair, and say what was and what was not."""
    _body("healing", django=False).doctor()


@broadsheet.command()
@_data
def status() -> None:
    """Print what this instance holds and how far its index and editions are."""
    _body("reporting").status()


@broadsheet.command()
@click.argument("file", type=click.Path(path_type=Path))
@_data
def backup(file: Path) -> None:
    """Write a copy of the database to FILE while everything runs. FILE must not exist."""
    _body("saving").backup(file)
