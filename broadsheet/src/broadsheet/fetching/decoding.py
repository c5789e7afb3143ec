"""Taking an answer apart in small steps, so that a few bytes cannot become a full memory."""

from __future__ import annotations

import zlib
from io import BytesIO

# What we tell origins that we read.
ENCODINGS = "gzip, deflate"
_STEP = 256 * 1024
_FREE = 1024 * 1024
# An answer in more pieces of gzip than this is no honest one.
_MEMBERS = 1000
_GZIP = zlib.MAX_WBITS | 16


class TooLarge(Exception):
    """An answer is beyond its limits. The text says which."""


class Unknown(Exception):
    """An answer is encoded in a way that we did not offer. The text is its name."""


class Broken(Exception):
    """An answer ends too early, or is not what its headers say."""


class Body:
    """Collects the body of an answer: `add` each piece as it comes, then `whole` at the end.

    `limit` is in bytes after decompression; after the first MiB the body may be at most `ratio` times larger than what
    came. Raises Unknown for a Content-Encoding that is none of `ENCODINGS`.
    """

    def __init__(self, encoding: str, *, limit: int, ratio: int) -> None:
        self._limit = limit
        self._ratio = ratio
        self._came = 0
        self._out = BytesIO()
        self._size = 0
        self._kind = encoding.strip().lower() or "identity"
        if self._kind not in {"identity", "gzip", "x-gzip", "deflate"}:
            raise Unknown(self._kind)
        self._inflater: zlib._Decompress | None = None
        self._members = 0

    def add(self, piece: bytes) -> None:
        """Take the next bytes as they came. Raises TooLarge and Broken."""
        if not piece:
            return
        self._came += len(piece)
        if self._kind == "identity":
            self._keep(piece)
            return
        if self._came > self._limit + _FREE:
            raise TooLarge(f"It is larger than {self._limit} bytes.")
        try:
            self._inflate(piece)
        except zlib.error as error:
            raise Broken(f"It cannot be decompressed: {error}") from error

    def whole(self) -> bytes:
        """The body. Raises Broken when it was cut off in the middle of its compression."""
        if self._inflater is not None and not self._inflater.eof:
            raise Broken("Its compression ends too early.")
        return self.taken()

    def taken(self) -> bytes:
        """What came so far, up to the limit."""
        return self._out.getvalue()

    def _inflate(self, piece: bytes) -> None:
        """Gzip may hold several members one after the other (RFC 1952, 2.2)."""
        while True:
            inflater = self._current(piece)
            room = min(_STEP, self._limit + 1 - self._size)
            data = inflater.decompress(piece, room)
            self._keep(data)
            piece = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            # With all of the piece taken, more may wait inside as long as each step comes out full.
            if not piece and (inflater.eof or len(data) < room):
                return

    def _current(self, piece: bytes) -> zlib._Decompress:
        if self._inflater is None or self._inflater.eof:
            self._members += 1
            if self._members > (1 if self._kind == "deflate" else _MEMBERS):
                raise Broken("Something follows the end of its compression.")
            self._inflater = zlib.decompressobj(self._window(piece))
        return self._inflater

    def _window(self, piece: bytes) -> int:
        """Servers send `deflate` both with the header of zlib, as RFC 9110 8.4.1.2 wants it, and without."""
        if self._kind != "deflate":
            return _GZIP
        return zlib.MAX_WBITS if piece[0] & 0x0F == 8 and piece[0] >> 4 <= 7 else -zlib.MAX_WBITS

    def _keep(self, data: bytes) -> None:
        self._out.write(data[: self._limit - self._size])
        self._size += len(data)
        if self._size > self._limit:
            raise TooLarge(f"It is larger than {self._limit} bytes.")
        if self._size > _FREE and self._size > self._ratio * self._came:
            raise TooLarge(f"It is compressed more than {self._ratio} times.")
