"""Every command, its options and its help. What a command does is loaded when it is called, and Django only then."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from itertools import islice
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


class _Words(click.Command):
    """A command whose words may begin with a minus, as those do that a search leaves out: ``-survey``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take every word with one minus for a word, wherever it stands, unless it asks for help."""
        valued = {name for each in self.params if isinstance(each, click.Option) and not each.is_flag
                  for name in each.opts}  # fmt: skip
        options: list[str] = []
        words: list[str] = []
        following = iter(args)
        for arg in following:
            if arg == "--":
                words += following
            elif arg in valued:
                options += [arg, *islice(following, 1)]
            elif arg[:1] == "-" and arg[1:2] not in ("", "-") and arg not in ctx.help_option_names:
                words.append(arg)
            else:
                options.append(arg)
        return super().parse_args(ctx, [*options, "--", *words])


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
    """Work only: harvest, and keep index and editions up to date, until SIGTERM. `broadsheet up` does both."""
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
@click.argument("file", default="-", metavar="[FILE]", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "form",
    type=click.Choice(["bibtex", "ris", "csl-json", "records", "archive"]),
    required=True,
    help="What to write: a format of citations, every field as Broadsheet's own records, or the whole instance.",
)
@click.option(
    "--query", metavar="WORDS", help="Only what this search finds, the best first; the newest beyond 100,000."
)
@click.option("--edition", metavar="LABEL", help="Only the papers of an edition, such as 2026-11-20, in its order.")
@click.option("--force", is_flag=True, help="Replace FILE when it exists.")
@_data
def export(file: Path, form: str, query: str | None, edition: str | None, *, force: bool) -> None:
    """Write papers as citations or as records, to FILE or to the terminal.

    Every paper that is shown, in the order in which they came, unless --query or --edition says which. FILE appears
    when it is complete, and one that exists is left alone without --force.

    An archive is everything that the database holds: papers, people, votes, comments, shelves. `broadsheet
    import-archive` makes the same instance of it elsewhere, also on another kind of database.
    """
    if form == "archive":
        if query is not None or edition is not None:
            _body("archiving").refuse_part()
        _body("archiving").export(file, force=force)
        return
    _body("exporting").export(file, form, query=query, edition=edition, force=force)


@broadsheet.command("import-archive")
@click.argument("file", type=click.Path(path_type=Path))
@_data
def import_archive(file: Path) -> None:
    """Make a new instance of an archive.

    FILE was written by `broadsheet export FILE --format archive` of the same version. The instance must be empty:
    name a new folder with --data, or a new database. All of it comes in or nothing.
    """
    _body("archiving").import_archive(file)


@broadsheet.command()
@click.argument("source")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Ask for what is new since that day, as in 2026-11-01. [default: since the last harvest, or for a week]",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="SET",
    help="A part of the source, as in cs or cs.AI; can be repeated. [default: those of BROADSHEET_HARVEST, else all]",
)
@_data
def harvest(source: str, since: datetime | None, sets: tuple[str, ...]) -> None:
    """Ask a source for new papers now.

    SOURCE is the name of a source, or `arxiv` for all ways of asking arXiv: the lists of the day with their papers,
    then what is missing. It can be interrupted and run again, also while a worker harvests. The exit status is 1 when
    a source did not answer; what came before is stored. BROADSHEET_CONTACT must be set.
    """
    _body("harvesting").harvest(source, since.date() if since else None, sets)


@broadsheet.command()
@click.argument("day", required=False, type=click.DateTime(["%Y-%m-%d"]), metavar="[DAY]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each day, a line each.")
@_data
def audit(day: datetime | None, *, as_json: bool) -> None:
    """Compare what is here with what was announced on DAY, or on each of the last ten days.

    For each section: how many of the announced papers are here, who counted them, and which checks failed. Asks no
    source. The exit status is 1 when a day is neither complete nor empty by calendar.
    """
    _body("auditing").audit(day.date() if day else None, as_json=as_json)


@broadsheet.command()
@click.argument("label", default="")
@click.option(
    "--cadence",
    type=click.Choice(["day", "week", "month"]),
    default="day",
    show_default=True,
    help="Of which kind the newest edition is taken when no LABEL is given.",
)
@click.option("--section", "sections", metavar="SLUG", multiple=True, help="Only this section; may be given again.")
@click.option("--search", "searches", metavar="WORDS", multiple=True, help="Only this search; may be given again.")
@click.option("--text", "form", flag_value="text", default=True, help="The part of plain text. [default]")
@click.option("--html", "form", flag_value="html", help="The part that most programs for mail show.")
@click.option("--raw", "form", flag_value="raw", help="The whole mail with its headers, signed when there is a key.")
@_data
def digest(label: str, **wishes: Any) -> None:
    """Print the digest of an edition as subscribers are sent it.

    LABEL is that of an edition, such as 2026-11-20, 2026-W47, 2026-11 or first. Nobody is sent anything. The exit
    status is 1 when there is nothing to send; why stands on standard error.
    """
    body = _body("digesting")
    body.digest(label, body.Wishes(**wishes))


@broadsheet.command(cls=_Words)
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many papers to print.")
@click.option("--after", metavar="PLACE", default="", help="Go on at the place that an earlier answer named.")
@click.option("--newest", is_flag=True, help="The newest first, not the best match.")
@click.option("--explain", is_flag=True, help="Say of each paper where its score comes from. Costs a search for each.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_data
def search(words: tuple[str, ...], **wishes: Any) -> None:
    """Find papers, the best first, as the page of searches does.

    WORDS may be anything that can be typed there: words, "quoted phrases", author:, category:, venue:, year:, an
    identifier. A minus before one leaves papers out: broadsheet search gradient -survey

    Prints the title, authors, day and address of each paper; how it was searched is told on standard error. The exit
    status is 0 also when nothing was found, and 1 when search is not possible.
    """
    body = _body("searching")
    body.search(" ".join(words), body.Wishes(**wishes))


@broadsheet.command()
@click.option("--as", "name", metavar="NAME", default="", help="Whose library my_library reads, by the account's name.")
@_data
def mcp(name: str) -> None:
    """Answer an agent on this machine: the Model Context Protocol on standard input and output.

    Agents start it themselves; docs/user/agents.md says how they are told. It only reads, whether Broadsheet runs or
    not, and ends when the agent closes its end.
    """
    _body("agents").speak(name)


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


@broadsheet.group()
def evidence() -> None:
    """Measurements of what papers claim: bring in records, and see what is known."""


@evidence.command("import")
@click.argument("places", nargs=-1, required=True, metavar="FILE|FOLDER|-...")
@click.option(
    "--tier",
    type=click.Choice(["third-party", "here", "author"]),
    help="Who measured: somebody else, you on this instance's behalf, or the paper's authors. [default: third-party, "
    "or what was said when the record was imported before]",
)
@_data
def import_evidence(places: tuple[str, ...], tier: str | None) -> None:
    """Store records of measurements, as Offprints and others write them.

    A file holds one record, or one on each line; of a folder, every record in it and below is read; - is standard
    input. The verdict is computed from the values, and a record that states another one is refused. The same record
    again changes at most its tier. A record that is refused is told with the reason; the others are still stored, and
    the exit status is 1.
    """
    _body("evidencing").import_records(places, tier)


@evidence.command("show")
@click.argument("paper")
@_data
def show_evidence(paper: str) -> None:
    """Print every measurement of PAPER, the one that counts first.

    PAPER is a key or an identifier. A line is the day, the verdict, the tier, the program that measured and the name
    that it gives the claim.
    """
    _body("evidencing").show(paper)


@broadsheet.group()
def person() -> None:
    """People with accounts, made and changed by hand. The first operator is made here."""


@person.command("add")
@click.argument("name")
@click.argument("mail")
@click.option("--shown", default="", metavar="TEXT", help="What pages print. [default: the name]")
@click.option(
    "--role",
    type=click.Choice(["reader", "curator", "moderator", "operator"]),
    default="reader",
    show_default=True,
    help="What the person may do.",
)
@_data
def add_person(name: str, mail: str, shown: str, role: str) -> None:
    """Make an account.

    NAME stands in addresses and cannot be changed: 2 to 40 of a to z, 0 to 9, - and _. MAIL counts as confirmed. The
    password is asked for, or read from standard input; an empty one leaves it to be set by "forgotten password".
    """
    _body("people").add(name, mail, shown=shown, role=role)


@person.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(["curator", "moderator", "operator"]))
@click.option("--take", is_flag=True, help="Take the role instead of giving it.")
@_data
def role_of_person(name: str, role: str, *, take: bool) -> None:
    """Give NAME a role, or take it."""
    _body("people").role(name, role, take=take)


@person.command("unlock")
@click.argument("name")
@_data
def unlock_person(name: str) -> None:
    """Take the authenticator and the recovery codes from NAME, who has lost them. Password and passkeys stay.

    Be sure that it is her who asks: afterwards the password alone opens the account.
    """
    _body("people").unlock(name)


@person.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Everything that hangs on the account is deleted. Go on?")
@_data
def remove_person(name: str) -> None:
    """Delete the account of NAME with everything that hangs on it, for ever."""
    _body("people").remove(name)


@person.command("inherit")
@click.argument("name")
@_data
def inherit(name: str) -> None:
    """Give NAME what the one reader had before accounts were turned on: library, notes, votes and roles."""
    _body("people").inherit(name)


@person.command("list")
@_data
def list_people() -> None:
    """Print everybody with an account: name, roles, day of joining, and until when the person may not write."""
    _body("people").list_people()


@broadsheet.command()
@_host_and_port
@_data
def check() -> None:
    """Look for everything that is or will be a problem. The exit status is 1 when there is one. Changes nothing."""
    _body("checking", django=False).check()


@broadsheet.command("check-mail")
@click.option("--to", metavar="ADDRESS", default="", help="Send a mail of trial there, signed as a digest is.")
@click.option(
    "--sending",
    metavar="ADDRESS",
    multiple=True,
    help="An address of the network from which your mail reaches others; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@_data
def check_mail(to: str, sending: tuple[str, ...], *, as_json: bool) -> None:
    """Say whether mail of this instance will arrive, and what to do where it will not.

    Looks at the settings, the mail server (answer, TLS, certificate, name and password), the public address, and what
    the domain name system says: SPF, DKIM, DMARC, PTR, MX. Changes nothing. The exit status is 1 when something is to
    be mended.
    """
    _body("mail_checking", django=False).check_mail(to=to, sending=sending, as_json=as_json)


@broadsheet.command()
@click.argument("path", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@_data
def bounces(path: Path | None) -> None:
    """Read mail that came back, and stop sending where the address does not exist.

    PATH is a Maildir or an mbox; without it one message is read from standard input, as a mail server pipes it. What is
    not about a mail of this instance changes nothing.
    """
    _body("returning").read_bounces(path)


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
