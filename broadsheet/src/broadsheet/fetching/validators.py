"""What origins gave us to ask "did it change?" with: ETag and Last-Modified (RFC 9110 8.8, 13.1) of each address.

One small file for each address, written at the side and moved into place, so that one is whole or absent. They are
only a convenience: what is damaged, too old or too much is forgotten, and then the answer comes again in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

# The largest number of addresses that are remembered.
MOST = 2000
# After this time an answer is taken in full once more: a store that lost what it had gets it back by itself.
AGE = timedelta(days=3)
_LONGEST = 1000
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,500}"')
_DATE = re.compile(r"[A-Za-z0-9 ,:+-]{1,64}")


class Validators:
    """The validators in `folder`, which is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def headers(self, url: str, accept: str, now: datetime) -> dict[str, str]:
        """The headers that make a request for this address conditional; empty when nothing is remembered of it."""
        try:
            said = json.loads(self._path(url, accept).read_bytes()[: 4 * _LONGEST])
            at = datetime.fromisoformat(said["at"])
            if said["url"] != url or not timedelta(0) <= now - at <= AGE:
                return {}
            return _conditional(str(said["etag"]), str(said["modified"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return {}

    def remember(self, url: str, accept: str, headers: Mapping[str, str], now: datetime) -> None:
        """Note what an answer of this address can be asked with again. Where it gave nothing, nothing is kept."""
        etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
        path = self._path(url, accept)
        with suppress(OSError):
            if not _conditional(etag, modified) or len(url) > _LONGEST:
                path.unlink(missing_ok=True)
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            said = {"url": url, "etag": etag, "modified": modified, "at": now.isoformat()}
            _write(path, json.dumps(said).encode())
            self._prune()

    def _path(self, url: str, accept: str) -> Path:
        """Another form of the same address is another answer."""
        return self._folder / f"{blake2b(f'{accept} {url}'.encode(), digest_size=16).hexdigest()}.json"

    def _prune(self) -> None:
        """Forget the oldest quarter when there are too many."""
        found = list(self._folder.iterdir())
        if len(found) <= MOST:
            return
        aged = []
        for path in found:
            with suppress(OSError):
                aged.append((path.stat().st_mtime, path))
        for _, path in sorted(aged)[: MOST // 4]:
            path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        file.write(data)
    try:
        Path(file.name).replace(path)
    except OSError:
        Path(file.name).unlink(missing_ok=True)
        raise


def _conditional(etag: str, modified: str) -> dict[str, str]:
    """The headers, of those values that are written as they should be."""
    found = {}
    if _ETAG.fullmatch(etag):
        found["If-None-Match"] = etag
    if _DATE.fullmatch(modified):
        found["If-Modified-Since"] = modified
    return found
