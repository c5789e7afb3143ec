"""Keys for origins: sent to their own host and shown to nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

_HIDDEN = "[key]"


@dataclass(frozen=True, slots=True)
class Header:
    """A key that goes into a header, as in `Header("x-api-key", key)`."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A key that goes into the query of the address, as in `Query("api_key", key)`."""

    name: str
    value: str = field(repr=False)


def hidden(text: str, credentials: Iterable[Header | Query]) -> str:
    """The text without any of the keys, however an origin wrote them back to us."""
    for value in _spellings(credentials):
        text = text.replace(value, _HIDDEN)
    return text


def hidden_bytes(data: bytes, credentials: Iterable[Header | Query]) -> bytes:
    """The same for bytes."""
    for value in _spellings(credentials):
        data = data.replace(value.encode("utf-8", "surrogateescape"), _HIDDEN.encode())
    return data


def _spellings(credentials: Iterable[Header | Query]) -> list[str]:
    """Every way a key may be written, the longest first, so that no rest of one stays behind."""
    found: set[str] = set()
    for each in credentials:
        found |= {each.value, quote(each.value, safe=""), quote(each.value), quote_plus(each.value)} - {""}
        bare = each.value.partition(" ")[2]  # "Bearer abc" is a scheme and a key
        found |= {bare, quote(bare, safe="")} - {""}
    return sorted(found, key=len, reverse=True)
