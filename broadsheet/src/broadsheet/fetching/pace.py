"""How often each origin may be asked, and how long it is left alone after it said that this was too often.

Pure rules; `turns` keeps to them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b

_MINUTE = 60.0
_HOUR = 60 * _MINUTE
# The rest after the first refusal in a row, the second, and so on; in seconds. The last one is for all that follow.
RESTS = (5 * _MINUTE, 15 * _MINUTE, 45 * _MINUTE, 2 * _HOUR, 4 * _HOUR)
# The longest rest that an origin can ask for, in seconds. A longer wish is for the operator to read in the log.
LONGEST = 24 * _HOUR
# The slowest pace that an origin can ask for by its headers, in seconds between requests.
SLOWEST = 60.0
# Statuses that mean "stop for a while": RFC 9110 15.5.4, 15.6.4, RFC 6585 4; arXiv sends 406 and 403 to clients that
# ask too much, and takes it for an attack when they go on (https://info.arxiv.org/help/robots.html).
RESTING = frozenset({403, 406, 429, 503})

_SECONDS = re.compile(r"[0-9]{1,12}")
_PLAIN_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,100}")


@dataclass(frozen=True, slots=True)
class Pace:
    """One group of hosts that counts as one origin: one request at a time, `interval` seconds between two of them.

    `domains` are hosts; all hosts below them belong to the group. An origin may say by its headers
    (`X-Rate-Limit-Limit` and `X-Rate-Limit-Interval`) that the interval is another one, but never a shorter one than
    `least` seconds.
    """

    name: str
    domains: tuple[str, ...]
    interval: float
    least: float

    def has(self, host: str) -> bool:
        """Whether the host belongs to this group."""
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


PACES: tuple[Pace, ...] = (
    # "no more than one request every three seconds, and limit requests to a single connection at a time [...] over all
    # of the machines under your control", for the search API, OAI-PMH and RSS: https://info.arxiv.org/help/api/tou.html
    Pace("arxiv", ("arxiv.org",), 3.0, 3.0),
    # The headers say what is allowed: https://www.crossref.org/documentation/retrieve-metadata/rest-api/ (rate limits).
    # Before the first answer, and when they allow more than ten a second, we ask more slowly.
    Pace("crossref", ("crossref.org",), 1.0, 0.1),
    # One request a second over all endpoints: https://github.com/allenai/s2-folks (FAQ).
    Pace("semantic-scholar", ("semanticscholar.org",), 1.0, 1.0),
    # No published number; pages of 1,000 notes make one a second plenty.
    Pace("openreview", ("openreview.net",), 1.0, 1.0),
    # No published number; medRxiv is served by the same machines.
    Pace("biorxiv", ("biorxiv.org", "medrxiv.org"), 1.0, 1.0),
    # 500 requests in five minutes without a key, of which one a second is less than two thirds:
    # https://huggingface.co/docs/hub/rate-limits
    Pace("hugging-face", ("huggingface.co", "hf.co"), 1.0, 1.0),
)
_OTHER = Pace("", (), 1.0, 1.0)


def pace_of(host: str, paces: Iterable[Pace] = PACES) -> Pace:
    """The group of a host; a host that is in no group is one by itself, at one request a second."""
    host = host.rstrip(".").lower()
    found = next((pace for pace in paces if pace.has(host)), None)
    if found is not None:
        return found
    name = host if _PLAIN_HOST.fullmatch(host) else blake2b(host.encode(), digest_size=8).hexdigest()
    return replace(_OTHER, name=f"host-{name}", domains=(host,))


def announced(headers: Mapping[str, str], pace: Pace) -> float | None:
    """The interval in seconds that an answer asks for, within what the pace allows; None where it says nothing."""
    count = _number(headers.get("x-rate-limit-limit", ""))
    window = _number(headers.get("x-rate-limit-interval", "").strip().removesuffix("s"))
    if count is None or window is None:
        return None
    return min(max(window / count if count else SLOWEST, pace.least), SLOWEST)


def retry_after(value: str, now: datetime) -> float | None:
    """The seconds that a Retry-After asks for (RFC 9110 10.2.3: seconds or a date), from 0 to `LONGEST`; None if none.

    `now` is aware. A date without a zone is taken for UTC, as RFC 9110 5.6.7 wants it.
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST)
    if not value or len(value) > 64:
        return None
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST)


def rest(refusals: int, wished: float | None) -> float:
    """For how many seconds an origin is left alone after so many refusals in a row (1 or more).

    `wished` is what its Retry-After said, in seconds: a longer wish is granted, a shorter one is not trusted.
    """
    return max(RESTS[min(max(refusals, 1), len(RESTS)) - 1], wished or 0.0)


def _number(text: str) -> float | None:
    """A finite number of at most 12 digits that is not negative."""
    text = text.strip()
    if len(text) > 12 or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
