"""What came of a message, and which addresses take one. It loads nothing that speaks to the network: pages ask it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

LONGEST_ADDRESS = 500


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a message: the status of the answer, 0 where none came, and what was said or why there is none.

    `refused` is for what we do not send: an address inside a private network, or none at all.
    """

    status: int
    said: str = ""
    refused: bool = False


def address_problem(text: str) -> str:
    """What is wrong with an address to post to, as a sentence; empty for nothing. The network is not asked."""
    try:
        url = httpx.URL(text)
        host, port = url.host, url.port
    except (httpx.InvalidURL, ValueError, TypeError):
        return "This is no address."
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > LONGEST_ADDRESS:
        return f"An address has {LONGEST_ADDRESS} letters, digits and signs at most, and no blanks."
    if url.scheme != "https" or not host:
        return "The address begins with https:// and a host."
    if url.userinfo or url.fragment:
        return "The address holds a name, a password or a #, which we do not send."
    if port not in (None, 443):
        return "The address has a port; only that of https, 443, is asked."
    return ""
