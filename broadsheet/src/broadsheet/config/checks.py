"""Checks that need no database: what `broadsheet check` asks first. The others are in broadsheet.config.stored_checks.

A check looks at one thing and returns what it saw and the problems that it found, each with an id and a hint. Ids
never change their meaning; docs/operator/troubleshooting.md explains each.
"""

from __future__ import annotations

import errno
import platform
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  Django's names for what a check returns

from broadsheet.config import folder
from broadsheet.config.hosts import is_loopback
from broadsheet.config.options import Configuration
from broadsheet.fetching.client import user_agent
from broadsheet.sources import registry

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 31)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw, in words, and the problems in it; none when all is well."""

    what: str
    problems: tuple[CheckMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at: its title in the report, and the function that looks."""

    title: str
    look: Callable[[Configuration], Seen]


def versions(_configuration: Configuration) -> Seen:
    """Python and SQLite are new enough."""
    problems: list[CheckMessage] = []
    if sys.version_info < OLDEST_PYTHON:
        problems.append(Error("Python is older than 3.11.", hint="Install Python 3.11 or newer.", id="broadsheet.E002"))
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        problems.append(
            Error(
                f"SQLite {sqlite3.sqlite_version} is older than 3.31.",
                hint="Install a Python that brings a newer SQLite, or use PostgreSQL by DATABASE_URL.",
                id="broadsheet.E003",
            )
        )
    return Seen(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}", tuple(problems))


def data_folder(configuration: Configuration) -> Seen:
    """The data folder exists and can be written."""
    path = configuration.data
    if not path.exists():
        return Seen(f"{path} does not exist yet; the first start makes it")
    try:
        folder.make(path)
    except folder.FolderError as error:
        return Seen(str(path), (Error(str(error), hint="Then run `broadsheet check` again.", id="broadsheet.E004"),))
    return Seen(f"{path} can be written")


def space(configuration: Configuration) -> Seen:
    """The disk has room."""
    free = folder.free_space(configuration.data)
    what = f"{free / 1e9:,.1f} GB free"
    if free >= 8 * folder.SPACE_NEEDED:
        return Seen(what)
    hint = "Free some space, or move the data folder to another disk and name it with BROADSHEET_DATA."
    if free < folder.SPACE_NEEDED:
        return Seen(what, (Error(f"The disk is full: {what}.", hint=hint, id="broadsheet.E005"),))
    return Seen(what, (Warning(f"The disk is nearly full: {what}.", hint=hint, id="broadsheet.W005"),))


def secret(configuration: Configuration) -> Seen:
    """The secret can be read by its owner only."""
    path = configuration.data / "secret"
    if configuration.secret_key:
        return Seen("set by BROADSHEET_SECRET_KEY")
    try:
        mode = path.stat().st_mode
    except OSError:
        return Seen("not made yet; the first start makes it")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        problem = Warning(
            f"Other users of this machine can read {path}.",
            hint="`broadsheet doctor` takes that right from them.",
            id="broadsheet.W006",
        )
        return Seen(str(path), (problem,))
    return Seen(f"{path}, for its owner only")


def exposure(configuration: Configuration) -> Seen:
    """When other machines can reach this instance, it has accounts, and somebody said by which names."""
    is_here = is_loopback(configuration.host)
    if is_here and not configuration.allowed_hosts:
        return Seen("this machine only")
    seen = ", ".join(configuration.allowed_hosts) or configuration.host
    problems: list[CheckMessage] = []
    if not is_here and not configuration.allowed_hosts:
        problems.append(
            Error(
                f"Broadsheet would listen on {configuration.host}, where other machines reach it, under names nobody "
                "allowed.",
                hint="Set BROADSHEET_ALLOWED_HOSTS to those names, or leave BROADSHEET_HOST away.",
                id="broadsheet.E007",
            )
        )
    if not configuration.accounts:
        problems.append(
            Error(
                "Other machines would reach this instance, and without accounts it belongs to whoever asks.",
                hint="Set BROADSHEET_ACCOUNTS=yes, or leave BROADSHEET_HOST and BROADSHEET_ALLOWED_HOSTS away.",
                id="broadsheet.E017",
            )
        )
    return Seen(seen, tuple(problems))


_PLACES = ("github", "google", "orcid")


def accounts(configuration: Configuration) -> Seen:
    """People can confirm their addresses, and the links in their mails lead to us."""
    if not configuration.accounts:
        return Seen("none: this instance has one reader")
    problems: list[CheckMessage] = []
    if not (configuration.mail_host and configuration.mail_from):
        problems.append(
            Warning(
                "Nobody can confirm a mail address or get a new password: no mail can be sent, and so nobody can "
                "sign up.",
                hint="Set BROADSHEET_MAIL_HOST and BROADSHEET_MAIL_FROM, or make accounts by `broadsheet person add`.",
                id="broadsheet.W018",
            )
        )
    if "*" in configuration.allowed_hosts:
        problems.append(
            Error(
                "Any name of a host is allowed, so a stranger can make the links in our mails lead to him.",
                hint="Name the hosts in BROADSHEET_ALLOWED_HOSTS.",
                id="broadsheet.E019",
            )
        )
    for place in _PLACES:
        both = [bool(getattr(configuration, f"{place}_{part}")) for part in ("client", "secret")]
        if any(both) and not all(both):
            said = f"Of BROADSHEET_{place.upper()}_CLIENT and BROADSHEET_{place.upper()}_SECRET only one is set."
            problems.append(Warning(said, hint="Set both, or neither.", id="broadsheet.W020"))
    return Seen(f"sign-up is {configuration.sign_up}", tuple(problems))


def port(configuration: Configuration) -> Seen:
    """The port is free, or Broadsheet itself listens there."""
    if (running := folder.holder(configuration.data, folder.UP_LOCK)) is not None:
        return Seen(f"Broadsheet runs at {running}")
    where = f"port {configuration.port} of {configuration.host}"
    try:
        found = socket.getaddrinfo(configuration.host.strip("[]"), configuration.port, type=socket.SOCK_STREAM)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(found[0][4])
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        problem = Error(
            f"Another program listens on {where}." if taken else f"{where} cannot be used: {error.strerror}.",
            hint="Stop it, or set BROADSHEET_PORT." if taken else "Set BROADSHEET_HOST and BROADSHEET_PORT.",
            id="broadsheet.E008",
        )
        return Seen(where, (problem,))
    return Seen(f"{where} is free")


def contact_problem(contact: str) -> str | None:
    """What is wrong with a contact that sources are to be asked with, as a sentence; None for nothing."""
    if not contact:
        return "Nobody said who asks: sources want to know whom to write to."
    try:
        user_agent(contact)
    except ValueError as error:
        return str(error)
    return None


def harvest(configuration: Configuration) -> Seen:
    """What is to be harvested exists, and its origins are told who asks."""
    if not configuration.harvest:
        return Seen("no source is asked (BROADSHEET_HARVEST is not set)")
    known = registry.harvesters()
    names = sorted({*known, *(source.announcer for source in known.values() if source.announcer)})
    problems: list[CheckMessage] = []
    if problem := contact_problem(configuration.contact):
        hint = "Set BROADSHEET_CONTACT to your mail address, or leave BROADSHEET_HARVEST away."
        problems.append(Error(f"{problem} Nothing is harvested.", hint=hint, id="broadsheet.E015"))
    for name, _sets in configuration.harvest:
        if name not in names:
            said = f"BROADSHEET_HARVEST names {name!r}, which is no source that can be harvested."
            problems.append(Error(said, hint=f"There are: {', '.join(names)}.", id="broadsheet.E016"))
    followed = ", ".join(name + (f":{'+'.join(sets)}" if sets else "") for name, sets in configuration.harvest)
    return Seen(followed, tuple(problems))


CHECKS = (
    Check("versions", versions),
    Check("data folder", data_folder),
    Check("disk", space),
    Check("secret", secret),
    Check("exposure", exposure),
    Check("accounts", accounts),
    Check("port", port),
    Check("harvest", harvest),
)
