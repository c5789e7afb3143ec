"""The one table of settings: what each is called, what it may be, what it is when nobody says anything, and why.

A setting named `port` is the environment variable BROADSHEET_PORT and the line `port = …` of the file
`broadsheet.toml` in the data folder. The environment wins. Every value is read by the same parser, so a mistake gets
the same sentence wherever it was made. Nothing here imports Django.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlsplit

PREFIX = "BROADSHEET_"
FILE_NAME = "broadsheet.toml"
FILE_LIMIT = 64 * 1024  # bytes; a settings file is a page of text

# Names in our part of the environment that the tests read, not the program.
NOT_OURS = frozenset({"BROADSHEET_CHROMIUM", "BROADSHEET_SHARED", "BROADSHEET_TEST_CLUSTER"})

# Settings that existed once. The sentence says what to do instead; it is shown to whoever still sets the old name.
REMOVED: dict[str, str] = {}


class SettingsError(Exception):
    """The settings cannot be used. `problems` holds one sentence for each mistake, all of them, never a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Malformed(ValueError):
    """A value that its type does not accept. The text completes the sentence "… has a value that ___"."""


@dataclass(frozen=True, slots=True)
class Type:
    """A kind of value: its name in the documentation, an example of it, and the function that reads it from text."""

    name: str
    example: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table. `default` is written as a person would write the value; `shown` is printed in its place."""

    type: Type
    help: str
    default: str
    secret: bool = False
    also: str = ""
    shown: str = ""
    name: str = ""

    @property
    def environment(self) -> str:
        """The name of the environment variable, for example BROADSHEET_PORT."""
        return PREFIX + self.name.upper()


def _text(value: str) -> str:
    if any(ord(character) < 32 for character in value):
        raise _Malformed("contains a line break or another control character")
    return value


TEXT = Type("text", "Broadsheet", _text)


def _secret(value: str) -> str:
    if len(value) < 32:
        raise _Malformed("is shorter than 32 characters, which can be guessed")
    return _text(value)


SECRET = Type("text of at least 32 characters", "…", _secret)


def _key(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{8,2000}", value):
        raise _Malformed("is not 8 to 2,000 letters, digits and signs without blanks")
    return value


KEY = Type("key of 8 to 2,000 letters, digits and signs", "a-key-of-yours", _key)


def _token(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{32,2000}", value):
        raise _Malformed("is not 32 to 2,000 letters, digits and signs without blanks, so that nobody can guess it")
    return value


TOKEN = Type("token of 32 to 2,000 letters, digits and signs", "…", _token)


def integer(low: int, high: int) -> Type:
    """The type of whole numbers from `low` to `high`, both included."""

    def read(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", value) or not low <= int(value) <= high:
            raise _Malformed(f"is not a whole number from {low} to {high}")
        return int(value)

    return Type(f"whole number from {low} to {high}", str(low), read)


def _model(value: str) -> str:
    return "" if value.lower() == "none" else _text(value)


MODEL = Type("name of a model, or none", "all-MiniLM-L6-v2", _model)

_YES = frozenset({"yes", "true", "on", "1"})
_NO = frozenset({"no", "false", "off", "0"})


def _boolean(value: str) -> bool:
    if value.lower() in _YES:
        return True
    if value.lower() in _NO:
        return False
    raise _Malformed("is neither yes, true, on, 1 nor no, false, off, 0")


BOOLEAN = Type("yes or no", "yes", _boolean)


def _path(value: str) -> Path:
    if "\0" in value:
        raise _Malformed("contains a zero byte")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise _Malformed("begins with ~ of a user that this machine does not know") from error


PATH = Type("folder", "/srv/broadsheet", _path)
FILE = Type("file", "/srv/broadsheet/dkim.pem", _path)


def _label(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,61})*", value):
        raise _Malformed("is not a name of letters, digits and hyphens")
    return value


LABEL = Type("name of letters, digits and hyphens", "broadsheet", _label)

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def duration(low: str, high: str) -> Type:
    """The type of lengths of time from `low` to `high`, written like 500ms, 30s, 5min, 2h; the value is in seconds."""

    def seconds(value: str) -> float:
        match = re.fullmatch(r"([0-9]{1,9})(ms|s|min|h)", value)
        if match is None:
            raise _Malformed("is not a length of time such as 500ms, 30s, 5min or 2h")
        return int(match[1]) * _UNITS[match[2]]

    def read(value: str) -> float:
        result = seconds(value)
        if not seconds(low) <= result <= seconds(high):
            raise _Malformed(f"is not between {low} and {high}")
        return result

    return Type(f"length of time from {low} to {high}", low, read)


def choice(*words: str) -> Type:
    """The type whose values are exactly these words; case does not matter."""

    def read(value: str) -> str:
        if value.lower() not in words:
            raise _Malformed(f"is none of {', '.join(words)}{_guess(value.lower(), words)}")
        return value.lower()

    return Type("one of " + ", ".join(words), words[0], read)


def _database_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise _Malformed("is not an address") from error
    if parts.scheme not in {"postgresql", "postgres", "sqlite"}:
        raise _Malformed("does not begin with postgresql:// or sqlite://")
    if len(parts.path) < 2:
        raise _Malformed("names no database after the host")
    return value


DATABASE_URL = Type("address of a database", "postgresql://name:password@host:5432/broadsheet", _database_url)


def _search_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise _Malformed("is not an address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _Malformed("does not begin with http:// or https:// and a host")
    if parts.query or parts.fragment or not re.fullmatch(r"/?|/[a-z0-9][a-z0-9_-]{0,99}/?", parts.path):
        raise _Malformed("does not end with a name of small letters, digits, - and _ behind the host")
    return value


SEARCH_URL = Type("address of a cluster", "https://name:password@search.example.org:9200/broadsheet", _search_url)


def _hosts(value: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    for name in names:
        if not re.fullmatch(r"\*|\.?[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]", name):
            raise _Malformed(f"contains {name!r}; write host names without http:// and without a port, between commas")
    return names


HOSTS = Type("host names between commas", "papers.example.org", _hosts)


def _mail_address(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", value):
        raise _Malformed("is not a mail address without blanks and without a name beside it")
    return value


MAIL_ADDRESS = Type("mail address", "broadsheet@papers.example.org", _mail_address)


def _imap_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise _Malformed("is not an address") from error
    if parts.scheme != "imaps" or not (parts.hostname and parts.username and parts.password):
        raise _Malformed("does not begin with imaps:// and a name, a colon, a password, @ and a host")
    if any(ord(character) < 33 or character in '"\\' for character in value):
        raise _Malformed("contains a blank, a quotation mark or a backslash; write them as %20, %22 and %5C")
    return value


IMAP_URL = Type("address of a mailbox", "imaps://name:password@imap.example.org/INBOX", _imap_url)


_FOLLOWED = re.compile(
    r"([a-z0-9][a-z0-9-]{0,39})(?::([A-Za-z0-9][A-Za-z0-9./_-]{0,79}(?:\+[A-Za-z0-9][A-Za-z0-9./_-]{0,79})*))?"
)


def _harvest(value: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in filter(None, (part.strip() for part in value.split(","))):
        match = _FOLLOWED.fullmatch(entry)
        if match is None:
            raise _Malformed(
                f"contains {entry[:40]!r}; write a source, or a source, a colon and its sets with + between"
            )
        if match[1] in found:
            raise _Malformed(f"names {match[1]} twice; write its sets once, with + between")
        found[match[1]] = tuple(dict.fromkeys(match[2].split("+"))) if match[2] else ()
    return tuple(found.items())


HARVEST = Type("sources between commas, each with its sets", "arxiv:cs+stat.ML, biorxiv", _harvest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The table, and the values of this instance. Lengths of time are in seconds."""

    data: Annotated[
        Path,
        Option(
            PATH,
            "The folder that holds everything: database, search index, secret and broadsheet.toml. Only the "
            "environment (or --data) can say it.",
            default="",
            shown="`broadsheet` in the user's data folder (on Linux ~/.local/share/broadsheet)",
        ),
    ]
    database_url: Annotated[
        str,
        Option(
            DATABASE_URL,
            "Where the database is, when it is not the SQLite file in the data folder. DATABASE_URL is read "
            "too; BROADSHEET_DATABASE_URL wins.",
            default="",
            secret=True,
            also="DATABASE_URL",
            shown="broadsheet.sqlite3 in the data folder",
        ),
    ]
    index: Annotated[
        Path,
        Option(
            PATH,
            "The folder of the search index. A relative folder is inside the data folder. It can be deleted: "
            "it is built again from the database.",
            default="index",
        ),
    ]
    search_url: Annotated[
        str,
        Option(
            SEARCH_URL,
            "The cluster of OpenSearch that holds the search index instead of that folder, and the name under which "
            "the index lies there. For millions of papers or many machines; needs the package opensearch-py.",
            default="",
            secret=True,
            shown="none: the index is in the folder",
        ),
    ]
    host: Annotated[
        str,
        Option(
            TEXT,
            "The address of this machine to listen on. Anything but a loopback address also needs allowed_hosts.",
            default="127.0.0.1",
        ),
    ]
    port: Annotated[
        int,
        Option(integer(0, 65535), "The port to listen on. 0 takes any free one.", default="8000"),
    ]
    allowed_hosts: Annotated[
        tuple[str, ...],
        Option(
            HOSTS,
            "The names under which readers may reach this instance, besides localhost. A name that begins with"
            " a dot stands for all below it, * for any.",
            default="",
            shown="only this machine's own names: localhost, 127.0.0.1, [::1]",
        ),
    ]
    site_name: Annotated[
        str,
        Option(TEXT, "What the newspaper is called on its pages.", default="Broadsheet"),
    ]
    accounts: Annotated[
        bool,
        Option(
            BOOLEAN,
            "Whether people have accounts here. Without them this instance belongs to whoever sits at this machine, "
            "who needs no sign-in, and it listens to no other machine.",
            default="no",
        ),
    ]
    sign_up: Annotated[
        str,
        Option(
            choice("open", "closed"),
            "Whether whoever comes may make an account. When it is closed, only `broadsheet person add` makes one.",
            default="open",
        ),
    ]
    https: Annotated[
        bool,
        Option(
            BOOLEAN,
            "Whether readers reach this instance over https, through a proxy on this machine that sets "
            "X-Forwarded-Proto. Then cookies are sent over https only, and whoever comes by http is sent there.",
            default="no",
        ),
    ]
    mail_host: Annotated[
        str,
        Option(
            TEXT,
            "The server by which mail is sent. Without one nobody can confirm a mail address.",
            default="",
            shown="none: no mail is sent",
        ),
    ]
    mail_port: Annotated[int, Option(integer(1, 65535), "The port of that server.", default="587")]
    mail_tls: Annotated[
        str,
        Option(
            choice("starttls", "tls", "none"),
            "How the way to that server is encrypted: from its answer on, from the beginning, or not at all.",
            default="starttls",
        ),
    ]
    mail_user: Annotated[
        str, Option(TEXT, "The name with which that server is asked.", default="", shown="none: without a name")
    ]
    mail_password: Annotated[
        str, Option(TEXT, "The password with which that server is asked.", default="", secret=True, shown="none")
    ]
    mail_from: Annotated[
        str,
        Option(
            MAIL_ADDRESS,
            "The address that mail of this instance comes from.",
            default="",
            shown="none: no mail is sent",
        ),
    ]
    mail_dkim_key: Annotated[
        Path | None,
        Option(
            FILE,
            "The private key in PEM with which mail is signed (DKIM): of RSA with 2,048 bits or more, or of Ed25519, "
            "which some receivers do not know. A relative name is inside the data folder. The domain of the signature "
            "is that of mail_from.",
            default="",
            shown="none: mail is not signed here",
        ),
    ]
    mail_dkim_selector: Annotated[
        str,
        Option(
            LABEL,
            "The name under which the public key stands in the domain name system: <name>._domainkey.<domain>.",
            default="broadsheet",
        ),
    ]
    mail_bounces: Annotated[
        str,
        Option(
            MAIL_ADDRESS,
            "The address to which mail comes back that could not be delivered. The mail server must take it with "
            "anything behind a plus: bounces+42-abc@example.org lands in the same mailbox as bounces@example.org.",
            default="",
            shown="none: mail comes back to mail_from, and nothing reads it",
        ),
    ]
    mail_bounces_imap: Annotated[
        str,
        Option(
            IMAP_URL,
            "The mailbox of that address, which the worker reads every few minutes. Only what it understood is marked "
            "as read.",
            default="",
            secret=True,
            shown="none: `broadsheet bounces` reads what comes back",
        ),
    ]
    mail_provider: Annotated[
        str,
        Option(
            choice("none", "brevo", "mailersend", "mailgun", "postmark", "sparkpost"),
            "The provider that sends the digests over its own interface, instead of the server of mail_host, and tells "
            "us what comes back.",
            default="none",
        ),
    ]
    mail_provider_key: Annotated[
        str,
        Option(KEY, "Your key for the interface of that provider.", default="", secret=True, shown="none"),
    ]
    mail_provider_region: Annotated[
        str,
        Option(
            choice("us", "eu"),
            "Where the provider keeps your account. Mailgun and SparkPost have two places, with an interface each; for "
            "the others it changes nothing.",
            default="us",
        ),
    ]
    mail_connections: Annotated[
        int,
        Option(
            integer(1, 16), "How many connections to the mail server are open at once while digests go.", default="2"
        ),
    ]
    mail_domain_rate: Annotated[
        int,
        Option(
            integer(0, 100_000),
            "How many digests go to the readers at one domain in a minute; 0 for as many as can be sent. Large "
            "providers of mailboxes put off who sends faster than they know him for.",
            default="300",
        ),
    ]
    mail_provider_secret: Annotated[
        str,
        Option(
            TOKEN,
            "What proves that a message about mail that came back is from that provider: the signing key that Mailgun "
            "and MailerSend show you, or for the others a password of yours that stands in the address they call.",
            default="",
            secret=True,
            shown="none: what the provider says is not taken",
        ),
    ]
    github_client: Annotated[
        str, Option(KEY, "The client id of your OAuth app at GitHub, for signing in there.", default="", shown="none")
    ]
    github_secret: Annotated[str, Option(KEY, "The client secret of that app.", default="", secret=True, shown="none")]
    google_client: Annotated[
        str, Option(KEY, "The client id of your OAuth app at Google, for signing in there.", default="", shown="none")
    ]
    google_secret: Annotated[str, Option(KEY, "The client secret of that app.", default="", secret=True, shown="none")]
    orcid_client: Annotated[
        str, Option(KEY, "The client id of your app at ORCID, for signing in there.", default="", shown="none")
    ]
    orcid_secret: Annotated[str, Option(KEY, "The client secret of that app.", default="", secret=True, shown="none")]
    secret_key: Annotated[
        str,
        Option(
            SECRET,
            "What this instance signs with. Set it only when several machines serve one instance.",
            default="",
            secret=True,
            shown="made once, kept in the file `secret` of the data folder",
        ),
    ]
    starter: Annotated[
        bool,
        Option(
            BOOLEAN, "Whether a new instance begins with the starter catalogue as its first edition.", default="yes"
        ),
    ]
    web_processes: Annotated[
        int,
        Option(integer(1, 64), "How many processes answer readers.", default="2"),
    ]
    web_threads: Annotated[
        int,
        Option(integer(1, 64), "How many requests one such process answers at a time.", default="4"),
    ]
    web_timeout: Annotated[
        float,
        Option(duration("1s", "10min"), "After how long a web process that does not move is replaced.", default="30s"),
    ]
    api_rates: Annotated[
        bool,
        Option(
            BOOLEAN,
            "Whether programs that ask /api/v1 from other machines are counted, and refused when they ask too often. "
            "A program on this machine is never counted.",
            default="yes",
        ),
    ]
    evidence_token: Annotated[
        str,
        Option(
            TOKEN,
            "The token with which programs may store measurements by POST /api/v1/evidence. Whoever has it can put "
            "verdicts on your pages.",
            default="",
            secret=True,
            shown="none: nobody may",
        ),
    ]
    work_pause: Annotated[
        float,
        Option(duration("100ms", "1h"), "How long the worker waits before it looks for news again.", default="1s"),
    ]
    model: Annotated[
        str,
        Option(
            MODEL,
            "The model of search by meaning: all-MiniLM-L6-v2, fastembed:NAME or sentence-transformers:NAME. Where its "
            "files are not installed, and with none, search is by words.",
            default="all-MiniLM-L6-v2",
        ),
    ]
    submission_window: Annotated[
        int,
        Option(
            integer(0, 36_500),
            "How old a paper may be, in days, that people propose. 0 takes papers of any age.",
            default="0",
        ),
    ]
    submissions_per_day: Annotated[
        int,
        Option(
            integer(0, 1_000), "How many papers one person may propose within 24 hours. 0: nobody may.", default="10"
        ),
    ]
    harvest: Annotated[
        tuple[tuple[str, tuple[str, ...]], ...],
        Option(
            HARVEST,
            "The sources that the worker asks for new papers, each with those of its sets that are followed. `arxiv` "
            "stands for all ways of asking arXiv; its sets are archives and categories. Needs contact.",
            default="",
            shown="none: nothing is asked",
        ),
    ]
    contact: Annotated[
        str,
        Option(
            TEXT,
            "Your mail address or a page about you. It is told to every source that is asked, so that its people can "
            "reach you before they lock you out.",
            default="",
            shown="none: no source can be asked",
        ),
    ]
    semantic_scholar_key: Annotated[
        str,
        Option(
            KEY, "Your key for Semantic Scholar. It is asked only with a key.", default="", secret=True, shown="none"
        ),
    ]
    openalex_key: Annotated[
        str,
        Option(KEY, "Your key for OpenAlex. It is asked only with a key.", default="", secret=True, shown="none"),
    ]
    openreview_token: Annotated[
        str,
        Option(
            KEY,
            "The token of your account at OpenReview. Guests get a test for browsers there instead of papers.",
            default="",
            secret=True,
            shown="none",
        ),
    ]
    log_level: Annotated[
        str,
        Option(
            choice("debug", "info", "warning", "error"),
            "The least important messages that are written.",
            default="info",
        ),
    ]

    @property
    def address(self) -> str:
        """Scheme and host before the addresses that stand in mails: by https the first of `allowed_hosts`, else with
        the port. A name that stands for many, as ``.example.org``, is none to lead anybody to.
        """
        host = next((name for name in self.allowed_hosts if not name.startswith((".", "*"))), "localhost")
        if self.https:
            return f"https://{host}"
        return f"http://{host}" if self.port in (0, 80) else f"http://{host}:{self.port}"


@cache
def options() -> tuple[Option, ...]:
    """The rows of the table, in the order in which the documentation lists them."""
    hints = get_type_hints(Configuration, include_extras=True)
    return tuple(replace(hint.__metadata__[0], name=name) for name, hint in hints.items())


def _guess(word: str, words: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """A question that ends a sentence: ". Did you mean X?", or nothing when no word is close."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f". Did you mean {close[0]}?" if close else ""


def _sentence(place: str, option: Option, value: str, error: _Malformed) -> str:
    """What is wrong with a value, and what to write instead. Secrets are not repeated."""
    said = f"{place} has a value that" if option.secret else f"{place} is {value[:80]!r}, which"
    example = option.default or option.type.example
    dot = "" if str(error).endswith("?") else "."
    return f"{said} {error}{dot} Write for example {option.environment}={example}"


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, tuple[str, str]]:
    """name -> (where it was said, text). Empty variables count as not set."""
    known = {option.environment: option for option in options()}
    found: dict[str, tuple[str, str]] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in NOT_OURS:
            continue
        if variable in known:
            if environ[variable].strip():
                found[known[variable].name] = (variable, environ[variable].strip())
        elif (old := variable.removeprefix(PREFIX).lower()) in REMOVED:
            problems.append(f"{variable} no longer exists. {REMOVED[old]}")
        else:
            problems.append(f"There is no setting {variable}{_guess(variable, list(known)) or '.'}")
    for option in options():
        if option.also and option.name not in found and environ.get(option.also, "").strip():
            found[option.name] = (option.also, environ[option.also].strip())
    return found


def _toml(path: Path, problems: list[str]) -> dict[str, Any]:
    """The file's content; empty when there is none."""
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_LIMIT + 1)
        if len(content) > FILE_LIMIT:
            problems.append(f"{path} is larger than {FILE_LIMIT // 1024} KiB; it should hold a few lines of settings.")
            return {}
        return tomllib.loads(content.decode())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}. Make it readable or remove it.")
    except UnicodeDecodeError:
        problems.append(f"{path} is not UTF-8 text. Save it again as UTF-8.")
    except tomllib.TOMLDecodeError as error:
        problems.append(f'{path} is not valid TOML: {error}. A line looks like  port = 8000  or  site_name = "News"')
    return {}


def _as_text(value: object) -> str | None:
    """A TOML value as a person would write it in the environment; None for what no setting can be."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return None


def _from_file(path: Path, problems: list[str]) -> dict[str, tuple[str, str]]:
    """name -> (where it was said, text) of broadsheet.toml."""
    known = [option.name for option in options()]
    found: dict[str, tuple[str, str]] = {}
    for name, value in _toml(path, problems).items():
        text = _as_text(value)
        if name == "data":
            problems.append(f"`data` cannot be set in {path}, which is inside that folder. Set BROADSHEET_DATA.")
        elif name in REMOVED:
            problems.append(f"`{name}` in {path} no longer exists. {REMOVED[name]}")
        elif name not in known:
            problems.append(f"There is no setting `{name}` (in {path}){_guess(name, known) or '.'}")
        elif text is None:
            problems.append(f"`{name}` in {path} is neither a text, a whole number, true, false nor a list of texts.")
        elif text.strip():
            found[name] = (f"`{name}` in {path}", text.strip())
    return found


def default_data_folder() -> Path:
    """The folder that is used when nobody names one: XDG_DATA_HOME on Linux, the system's custom elsewhere."""
    import platformdirs  # noqa: PLC0415  only needed when no folder is named, and every start counts its imports

    return Path(platformdirs.user_data_dir("broadsheet", appauthor=False))


def load(environ: Mapping[str, str] | None = None) -> Configuration:
    """The settings of this instance. Raises SettingsError with every mistake at once. Writes nothing."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    said = _from_environment(environ, problems)
    data = _read_option(options()[0], said, problems)
    folder = Path.cwd() / data if data else default_data_folder()
    said = _from_file(folder / FILE_NAME, problems) | said
    values = {option.name: _read_option(option, said, problems) for option in options()[1:]}
    if problems:
        raise SettingsError(problems)
    values["index"] = folder / values["index"]
    values["mail_dkim_key"] = folder / values["mail_dkim_key"] if values["mail_dkim_key"] else None
    return Configuration(data=folder, **values)


def _read_option(option: Option, said: Mapping[str, tuple[str, str]], problems: list[str]) -> Any:
    """The value of one option; a mistake is added to `problems` and answered with None."""
    place, text = said.get(option.name, (option.environment, option.default))
    if not text:
        return () if option.type in (HOSTS, HARVEST) else ""
    try:
        return option.type.read(text)
    except _Malformed as error:
        problems.append(_sentence(place, option, text, error))
        return None
