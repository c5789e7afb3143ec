"""How often one client may ask: named policies, counted in memory that all web processes of a server share.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/): ``RateLimit-Policy`` tells the rule,
``RateLimit`` what is left of it. A policy is counted by the generic cell rate algorithm: one moment for each client, at
which its quota would be whole again.
"""

from __future__ import annotations

import ipaddress
import math
import mmap
import secrets
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b

from django.http import HttpRequest

from broadsheet.web import proxies


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests (`quota`) of one client in so many seconds (`window`)."""

    name: str
    quota: int
    window: int
    what: str


# What changes something, or could be tried again and again. Each is counted twice: for the person, if she is known, and
# for the network that she comes from, which may ask `SHARED` times as often, as a whole institute can sit behind it.
SHARED = 10
WRITING = {
    policy.name: policy
    for policy in (
        Policy("sign-in", 10, 300, "Passwords and codes that are tried, for one account from one network."),
        Policy("sign-up", 30, 3600, "Accounts that are made."),
        Policy("reset", 30, 3600, "Mails for a forgotten password that are asked for."),
        Policy("account", 60, 600, "Changes of an account: addresses, tokens, keys, settings."),
        Policy("vote", 120, 60, "Votes that are given or taken back."),
        Policy("comment", 20, 600, "Comments that are written or changed."),
        Policy("submit", 20, 3600, "Papers that are proposed."),
        Policy("flag", 30, 3600, "Flags that are set."),
        Policy("keep", 240, 60, "Papers that are put into a library or taken out of it."),
        Policy("import", 10, 3600, "Files that are brought into a library."),
        Policy("group", 30, 3600, "Groups that are made, and changes of them."),
        Policy("mail", 30, 3600, "Digests by mail that are asked for, confirmed and changed."),
    )
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands under a policy: what it has left, and in how many seconds its quota is whole again.

    `wait` is 0 for a request that may pass, else the seconds until the next one may.
    """

    policy: Policy
    left: int
    whole_in: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        """What the client is told, with every answer that is counted."""
        policy = self.policy
        told = {
            "RateLimit-Policy": f'"{policy.name}";q={policy.quota};w={policy.window}',
            "RateLimit": f'"{policy.name}";r={self.left};t={self.whole_in}',
        }
        return told | ({"Retry-After": str(self.wait)} if self.wait else {})


_SLOT = struct.Struct("<Qd")
_WAYS = 8


class Counts:
    """The moments of `slots` clients at most, in memory that processes made by division share.

    It takes no lock between processes: two that count the same client in the same microsecond may count one request
    for two, and a process that dies holds nothing up. When a set of eight is full, the client whose quota is nearest to
    being whole is forgotten.
    """

    def __init__(self, slots: int = 65_536, *, clock: Callable[[], float] = time.time) -> None:
        self._sets = slots // _WAYS
        self._memory = mmap.mmap(-1, self._sets * _WAYS * _SLOT.size)
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(16)
        self._clock = clock

    def forget(self) -> None:
        """Begin anew, as if nobody had asked."""
        with self._lock:
            self._memory[:] = bytes(len(self._memory))

    def count(self, policy: Policy, client: str) -> Standing:
        """Count a request of the client, if it may pass, and say where the client stands."""
        digest = blake2b(f"{policy.name} {client}".encode(), digest_size=8, key=self._key).digest()
        name = int.from_bytes(digest, "little") or 1
        now, interval = self._clock(), policy.window / policy.quota
        with self._lock:
            place, whole_at = self._place(name, now)
            after = max(whole_at, now) + interval
            passes = after - now <= policy.window + interval / 1000
            if passes:
                _SLOT.pack_into(self._memory, place, name, after)
        whole_at = after if passes else whole_at
        left = max(0, math.floor((now + policy.window - whole_at) / interval + 0.001))
        wait = 0 if passes else max(1, math.ceil(after - now - policy.window))
        return Standing(policy, left, math.ceil(max(0.0, whole_at - now)), wait)

    def _place(self, name: int, now: float) -> tuple[int, float]:
        """Where the client is counted, and the moment that stands there for it; now for one that is new."""
        begin = name % self._sets * _WAYS * _SLOT.size
        places = range(begin, begin + _WAYS * _SLOT.size, _SLOT.size)
        found = [(*_SLOT.unpack_from(self._memory, place), place) for place in places]
        for known, whole_at, place in found:
            if known == name:
                return place, whole_at
        return min(found, key=lambda slot: slot[1])[2], now


# Made when the program is loaded, which the web server does before it divides into processes.
counts = Counts()


def client_of(request: HttpRequest) -> str | None:
    """Whom a request is counted for; None for a program on this very machine, which is never limited.

    That is the address it is sent from, as `proxies.sender` finds it. An IPv6 network of 64 bits counts as one client.
    """
    address = proxies.sender(request)
    if address is None:
        return "unknown" if proxies.through_a_proxy(request.META) else None
    if address.is_loopback:
        return None
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def of_person(number: int) -> str:
    """What a person is counted by, whichever way she comes: by a page, or with a token of hers."""
    return f"person {number}"


def spent(request: HttpRequest, policy: Policy, who: str, *, from_here: bool = False) -> Standing | None:
    """Count a request under the policy: for `who`, a person or an account, and for the network that it comes from.

    Returns where she stands if she has to wait, else None. With `from_here` what others do in her name from other
    networks is not counted for her. Nobody counts the network of this very machine.
    """
    network = client_of(request)
    if who:
        standing = counts.count(policy, f"{who} {network}" if from_here else who)
        if standing.wait:
            return standing
    if network is None:
        return None
    together = replace(policy, name=f"{policy.name} of a network", quota=policy.quota * SHARED if who else policy.quota)
    standing = counts.count(together, network)
    return standing if standing.wait else None
