"""What a reader can ask to be sent, and how she is asked whether she did."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_network

from broadsheet.search.query import parse


class Cadence(StrEnum):
    """How often: with each day's edition, each week's, or each month's. The values are those of kinds of editions."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Notices(StrEnum):
    """Whether notices are mailed: not at all, with the digest, or alone, without an edition's papers."""

    NEVER = "never"
    WITH = "with"
    ALONE = "alone"


class LeftBy(StrEnum):
    """How a subscription ended: the button of a mail program, a page of ours, or a complaint that came back."""

    ONE_CLICK = "one-click"
    PAGE = "page"
    COMPLAINT = "complaint"


# What somebody gets who asks for nothing else.
USUAL_HOUR = 7
USUAL_ZONE = "UTC"

MOST_SECTIONS = 30
MOST_SEARCHES = 5
LONGEST_SEARCH = 400  # characters

# A link that confirms holds for so long.
CONFIRM_WITHIN = timedelta(days=7)
# So long after the first, second, third and any later mail that asks, which nobody answered, the next may go there.
ASKED_AGAIN_AFTER = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))
# How often an address was asked is forgotten so long after the last time.
ASKS_KEPT_FOR = timedelta(days=60)
# The form, in a consent, by which a reader has an address asked again from which mail came back.
AGAIN = "again"
# So often a reader may have an address asked from which mail came back.
BLOCKED_ASKED_AFTER = timedelta(days=1)

LONGEST_ADDRESS = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader wants: how often, at which hour of which zone, and of what.

    Without sections and searches it is the head of the edition. With `mine` it is what she follows, and what is near
    her library, too. `notices` says whether she is sent those that she has not read.
    """

    cadence: Cadence = Cadence.DAY
    hour: int = USUAL_HOUR
    zone: str = USUAL_ZONE
    sections: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    mine: bool = False
    notices: Notices = Notices.NEVER


@dataclass(frozen=True, slots=True)
class Typed:
    """A wish as a form holds it. `searches` has one on each line."""

    cadence: str = Cadence.DAY
    hour: str = str(USUAL_HOUR)
    zone: str = USUAL_ZONE
    sections: tuple[str, ...] = ()
    searches: str = ""
    mine: bool = False
    notices: str = Notices.NEVER


class Unfit(ValueError):
    """What was typed cannot be kept. `problems` has a sentence for each field that is wrong."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


def read_address(text: str) -> str:
    """The mail address in small letters, its host as DNS knows it (RFC 5891). Raises Unfit for what is none."""
    # Names with letters of other scripts take time by the square of their length.
    local, _, domain = text.strip()[: LONGEST_ADDRESS + 1].lower().rpartition("@")
    try:
        host = domain.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    address = f"{local}@{host}"
    is_one = (
        len(address) <= LONGEST_ADDRESS and len(local) <= 64 and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(host)
    )
    if not is_one:
        raise Unfit(
            {
                "address": "This is no mail address that we can write to. It looks like name@example.org, with letters "
                "from a to z before the @."
            }
        )
    return address


def mailbox_of(address: str, instance_secret: str) -> str:
    """What stands for the mailbox of an address where it is counted how often it was asked: 64 characters that do not
    tell the address. One with a tag (RFC 5233), such as ada+papers@example.org, is the mailbox without it.
    """
    local, _, host = address.rpartition("@")
    said = f"broadsheet asked {local.partition('+')[0] or local}@{host}"
    return hmac.new(instance_secret.encode(), said.encode(), sha256).hexdigest()


def asked_again_after(times: int) -> timedelta:
    """How long nobody may have a mailbox asked that was asked so many times, once at least, and did not answer."""
    return ASKED_AGAIN_AFTER[min(times, len(ASKED_AGAIN_AFTER)) - 1]


def read_wish(typed: Typed, *, zones: frozenset[str], is_section: Callable[[str], bool]) -> Wish:
    """The wish in a form. Raises Unfit with everything that is wrong with it."""
    problems: dict[str, str] = {}
    sections = tuple(dict.fromkeys(filter(None, typed.sections)))
    searches = tuple(dict.fromkeys(filter(None, (" ".join(line.split()) for line in typed.searches.splitlines()))))
    if typed.cadence not in frozenset(Cadence):
        problems["cadence"] = "Choose every day, every week or every month."
    if not re.fullmatch(r"1?[0-9]|2[0-3]", typed.hour):
        problems["hour"] = "Choose an hour from 0 to 23."
    if typed.zone not in zones:
        problems["zone"] = "This machine knows no time zone of that name. Choose one from the list."
    if typed.notices not in frozenset(Notices):
        problems["notices"] = "Choose whether notices are mailed from the list."
    if problem := _sections_problem(sections, is_section):
        problems["sections"] = problem
    if problem := _searches_problem(searches):
        problems["searches"] = problem
    if problems:
        raise Unfit(problems)
    return Wish(
        Cadence(typed.cadence),
        int(typed.hour),
        typed.zone,
        sections,
        searches,
        typed.mine,
        Notices(typed.notices),
    )


def _sections_problem(sections: tuple[str, ...], is_section: Callable[[str], bool]) -> str:
    if len(sections) > MOST_SECTIONS:
        return f"{MOST_SECTIONS} sections are the most. Choose fewer, or none for the head of every edition."
    if not all(map(is_section, sections)):
        return "One of these sections is not here. Choose from the list."
    return ""


def _searches_problem(searches: tuple[str, ...]) -> str:
    if len(searches) > MOST_SEARCHES:
        return f"{MOST_SEARCHES} searches are the most, one on each line."
    for number, text in enumerate(searches, 1):
        query = parse(text)
        if len(text) > LONGEST_SEARCH or query.shortened:
            return f"Search {number} is too long. Keep it under {LONGEST_SEARCH} characters."
        if query.empty or "\0" in text:
            return (
                f"Search {number} asks for nothing that can be found. Write words, or filters such as category:cs.LG."
            )
        if query.unread:
            return f"Search {number} has a filter that cannot be read. See how to search."
    return ""


def typed_of(wish: Wish) -> Typed:
    """The wish as a form holds it."""
    searches = "\n".join(wish.searches)
    return Typed(wish.cadence, str(wish.hour), wish.zone, wish.sections, searches, wish.mine, wish.notices)


def secret_of(key: str, until: datetime, instance_secret: str) -> str:
    """The secret of the mail that asks, which holds until then. It is not stored: it follows from the instance's own,
    so that the mail can be made again after a crash, the same each time.
    """
    said = f"broadsheet asks {key} {until.astimezone(UTC).isoformat()}"
    return urlsafe_b64encode(hmac.new(instance_secret.encode(), said.encode(), sha256).digest()).decode().rstrip("=")


def digest_of(secret: str) -> str:
    """What is kept of a secret: it is found by this, so that no comparison of the secret itself can be timed."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def shortened_network(address: IPv4Address | IPv6Address | None) -> str:
    """The network of an address, without what tells its house: /24 of IPv4, /48 of IPv6; empty for none."""
    if address is None:
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))
