"""Pure rules of accounts: what a person is to the rest of the house, and what each role may do."""

from __future__ import annotations

import base64
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Role(StrEnum):
    """What a person may do on the whole instance. Being an author is something that one is to a paper, not a role."""

    READER = "reader"
    CURATOR = "curator"
    MODERATOR = "moderator"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, as the rest of the house sees her: never a row, never a secret.

    `name` stands in addresses and never changes its letters' case; `shown` is what pages print. `barred_until` is when
    she may write again, None when she may.
    """

    id: int
    name: str
    shown: str
    roles: frozenset[Role]
    joined_at: datetime
    barred_until: datetime | None = None

    def is_a(self, role: Role) -> bool:
        """Whether she has the role. An operator has every role, and a moderator that of a curator."""
        return role is Role.READER or bool(self.roles & _IMPLIED_BY[role])

    def may_write(self, now: datetime) -> bool:
        """Whether she may write for others now: vote, comment, propose, flag."""
        return self.barred_until is None or self.barred_until <= now


_IMPLIED_BY = {
    Role.CURATOR: frozenset({Role.CURATOR, Role.MODERATOR, Role.OPERATOR}),
    Role.MODERATOR: frozenset({Role.MODERATOR, Role.OPERATOR}),
    Role.OPERATOR: frozenset({Role.OPERATOR}),
}


class Ground(StrEnum):
    """Why something was refused, for programs; people read the sentence."""

    NOT_ALLOWED = "not-allowed"
    NOT_THERE = "not-there"
    NOT_UNDERSTOOD = "not-understood"
    TOO_MUCH = "too-much"
    TAKEN = "taken"


class Refused(Exception):
    """An action was refused and changed nothing. The text is for the person: what happened, what was kept, what to do.

    What she typed is never repeated in it. `field` names the field of a form that is wrong, where it is one.
    """

    def __init__(self, sentence: str, *, ground: Ground, field: str = "") -> None:
        super().__init__(sentence)
        self.ground = ground
        self.field = field


class GroupKind(StrEnum):
    """What a group is: people who read together, or an institution, whose page everybody sees."""

    GROUP = "group"
    ORGANISATION = "organisation"


class GroupRole(StrEnum):
    """What a member may do in a group: owners all, editors change its shelves, members read and speak."""

    MEMBER = "member"
    EDITOR = "editor"
    OWNER = "owner"


SHORTEST_NAME, LONGEST_NAME = 2, 40
SHORTEST_PASSWORD = 10
LONGEST_SHOWN, LONGEST_ABOUT = 80, 2000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*[a-z0-9]")

# Names that would be taken for somebody who speaks for the paper, or for a part of an address.
RESERVED = frozenset(
    {
        *("about", "abuse", "account", "accounts", "admin", "administrator", "anonymous", "api", "author", "authors"),
        *("broadsheet", "curator", "curators", "deleted", "editor", "editors", "everybody", "everyone", "groups"),
        *("help", "hostmaster", "info", "library", "login", "mail", "me", "moderation", "moderator", "moderators"),
        *("nobody", "null", "operator", "operators", "owner", "people", "postmaster", "reader", "root", "security"),
        *("sign-in", "sign-out", "sign-up", "staff", "status", "support", "system", "undefined", "visitor"),
        *("webmaster", "www", "you"),
    }
)

# Signs that are read for one another in many typefaces; a name is compared with the reserved ones after this.
_READ_AS = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "_": "", "-": ""})


def read_as(name: str) -> str:
    """What the eye makes of a name: 0 is o, 1 and i are l, rn is m, vv is w, and what only separates is away."""
    return name.translate(_READ_AS).replace("rn", "m").replace("vv", "w")


_RESERVED_READ_AS = frozenset(map(read_as, RESERVED))


def name_problem(name: str) -> str | None:
    """What is wrong with the name of an account, as a sentence; None for nothing.

    Only small ASCII letters, digits, - and _ are allowed, so no sign of another script can stand for one of them.
    Nothing is changed silently: what normalisation (NFKC) would make a good name of is refused as it was typed.
    """
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        return f"A name has {SHORTEST_NAME} to {LONGEST_NAME} characters."
    if not _NAME.fullmatch(name):
        return "A name holds only the letters a to z, digits, - and _, and begins and ends with a letter or a digit."
    if name.isdecimal():
        return "A name holds at least one letter."
    if read_as(name) in _RESERVED_READ_AS:
        return "This name looks like that of somebody who speaks for the paper. Take another."
    return None


# What Unicode hides or turns round: controls, format characters (bidirectional ones among them), surrogates, private
# use, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_shown(text: str) -> str:
    """The shown name without what hides or turns letters, in normal form NFKC, with single blanks. May be empty."""
    # Cut before it is normalised: heaps of marks take the square of the time.
    normal = unicodedata.normalize("NFKC", _fewer_marks(text[: 4 * LONGEST_SHOWN], _MARKS_BEFORE))
    kept = "".join(letter for letter in normal if unicodedata.category(letter) not in _HIDDEN)
    return " ".join(_fewer_marks(kept).split())[:LONGEST_SHOWN].strip()


_MOST_MARKS = 3
# In a row before letters and marks are composed.
_MARKS_BEFORE = 8


def _fewer_marks(text: str, most: int = _MOST_MARKS) -> str:
    """The text with at most so many combining marks in a row; three are more than any name needs."""
    kept: list[str] = []
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks <= most:
            kept.append(letter)
    return "".join(kept)


def clean_about(text: str) -> str:
    """The text about oneself: line breaks stay, what hides or turns letters goes."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = ("".join(letter for letter in line if unicodedata.category(letter) not in _HIDDEN) for line in lines)
    return "\n".join(line.rstrip() for line in kept).strip()[:LONGEST_ABOUT]


class Scope(StrEnum):
    """What a personal token is good for. The person's own rights are the bound of each."""

    READ_LIBRARY = "read:library"
    READ_NOTICES = "read:notices"
    READ_FOLLOWS = "read:follows"
    WRITE_LIBRARY = "write:library"
    WRITE_VOTES = "write:votes"
    WRITE_COMMENTS = "write:comments"
    WRITE_SUBMISSIONS = "write:submissions"
    WRITE_EVIDENCE = "write:evidence"
    WRITE_FOLLOWS = "write:follows"


SCOPES = {
    Scope.READ_LIBRARY: "see your library: papers, notes, states, shelves",
    Scope.READ_NOTICES: "see your notices",
    Scope.READ_FOLLOWS: "see what you follow, the addresses of those feeds, and what became of your mail",
    Scope.WRITE_LIBRARY: "put papers into your library and change what stands there",
    Scope.WRITE_VOTES: "vote, and take votes back",
    Scope.WRITE_COMMENTS: "write comments and change yours",
    Scope.WRITE_SUBMISSIONS: "propose papers",
    Scope.WRITE_EVIDENCE: "send measurements in your name",
    Scope.WRITE_FOLLOWS: "follow things, and end that",
}

TOKEN_PREFIX = "bs_"  # noqa: S105  # what tools that look for leaked secrets know a token by, no secret itself
LIFETIMES = {
    "30": timedelta(days=30),
    "90": timedelta(days=90),
    "365": timedelta(days=365),
}
MOST_TOKENS = 50


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever sent a personal token: the person, what the token is good for, and whether its use was noted lately."""

    person: Person
    scopes: frozenset[Scope]
    is_noted: bool

    def may(self, scope: Scope) -> bool:
        """Whether the token is good for that."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Token:
    """A personal token as its owner sees it in a list: never the secret, only how it begins."""

    id: int
    name: str
    start: str
    scopes: tuple[Scope, ...]
    made_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


def new_token() -> str:
    """A fresh secret of 256 bits with our prefix."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


# --- Second factors --------------------------------------------------------------------------------------------------

# What is sealed begins with this; a text that does not was stored by a version that sealed nothing.
_SEALED = "sealed-1:"
_SEALED_FOR = b"broadsheet: second factors"


class SealBroken(Exception):
    """What is stored was sealed with another secret, or was changed. No part of it can be read."""


def seal(text: str, secret: str) -> str:
    """A secret of a second factor as it is stored, so that from the tables alone nobody makes a code.

    Fernet (AES-128-CBC, HMAC-SHA256) with a key that is derived (HKDF, RFC 5869) from the secret of the instance.
    """
    return _SEALED + _box(secret).encrypt(text.encode()).decode()


def unseal(stored: str, secret: str) -> str:
    """What was sealed; a text that never was comes back as it is. Raises SealBroken."""
    if not is_sealed(stored):
        return stored
    try:
        return _box(secret).decrypt(stored.removeprefix(_SEALED).encode()).decode()
    except InvalidToken as error:
        raise SealBroken from error


def is_sealed(stored: str) -> bool:
    """Whether a text is something sealed."""
    return stored.startswith(_SEALED)


def _box(secret: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_SEALED_FOR).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
