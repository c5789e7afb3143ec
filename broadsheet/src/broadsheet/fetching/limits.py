"""How long we wait and how much we take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one `get` or `post`. Times are in seconds, sizes in bytes.

    `connect` and `silence` are for making a connection and for the time in which nothing comes, `total` for one request
    from the look-up of the name to the last byte, `wait` for the time until it is our turn. `head` is for all headers
    of an answer together. `ratio` is how many times larger than on its way an answer may be once it is decompressed; it
    counts from the first megabyte on. `pauses` are what is waited before each further attempt after a broken one, and
    `patience` is the longest time that an origin may ask us to wait before we give up and rest.
    """

    connect: float = 15.0
    silence: float = 90.0
    total: float = 300.0
    wait: float = 900.0
    head: int = 64 * 1024
    ratio: int = 200
    redirects: int = 5
    pauses: tuple[float, ...] = (2.0, 10.0)
    patience: float = 60.0


LIMITS = Limits()
