"""Since when an answer is as it is: what ``Last-Modified`` says of what has no time of its own.

A list depends on papers, editions, audits and rules, and the program itself; no one of their times covers the others.
So a process says when it first gave this very answer. After a start that is a while later than the truth, and a reader
who asks by time alone gets the list once more.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from hashlib import blake2b

# Addresses that are remembered; one that is forgotten is as new.
_MOST = 4096

_lock = threading.Lock()
_seen: OrderedDict[bytes, tuple[bytes, int]] = OrderedDict()


def since(address: str, answer: bytes) -> int:
    """The time, in seconds since 1970, from which on `address` was answered with `answer` by this process."""
    digest = blake2b(answer, digest_size=16).digest()
    key = blake2b(address.encode("utf-8", "replace"), digest_size=16).digest()
    with _lock:
        before = _seen.pop(key, None)
        now = int(time.time())
        # Two answers never share a second, or the later one would pass for the earlier.
        at = now if before is None else before[1] if before[0] == digest else max(now, before[1] + 1)
        _seen[key] = (digest, at)
        if len(_seen) > _MOST:
            _seen.popitem(last=False)
        return at
