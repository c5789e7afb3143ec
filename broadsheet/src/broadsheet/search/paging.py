"""The places between the pages of an answer, as text that goes out to readers and comes back from anybody.

A place says behind which paper a page begins. It names the paper by what its order sorts by, so that it means something
also when the paper is gone. The text is base64url of a fixed number of bytes, with a digest of the query. It is not
signed: whoever makes one by hand gets a page that he could have asked for, at a bounded cost, or a ValueError.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import struct
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Self

from broadsheet.search.index import RELEVANCE_DEPTH
from broadsheet.search.query import Query

LARGEST_PK = 2**38 - 1

_BYTES = struct.Struct(">BdIQQ4s")
_LENGTH = len(base64.urlsafe_b64encode(bytes(_BYTES.size)).rstrip(b"="))

_UNREADABLE = "This does not lead to a page of this search. Begin again from its first page."


class Order(IntEnum):
    """The parts of an answer, in their order: what a place in it is sorted by."""

    DAY = 1  # the only part of an answer that comes newest first
    FUSED = 2  # the candidates of words and meaning, by the score of `fusion`
    WORDS = 3  # by words alone: the whole answer without meaning, else what stands behind the candidates


@dataclass(frozen=True, slots=True)
class Place:
    """Behind this paper: its score in the order (0.0 by day), its day and its key.

    `seen` says how many papers stood as far as it, itself included, when the place was written.
    """

    order: Order
    score: float
    day: date | None
    pk: int
    seen: int

    @property
    def key(self) -> tuple[int, float, int, int]:
        """Sorts papers as answers do: what stands behind the place has a greater key."""
        return self.order, -self.score, -(self.day.toordinal() if self.day else 0), self.pk

    @classmethod
    def read(cls, text: str, query: Query) -> Self:
        """The place that `written` wrote for this query.

        Raises ValueError, with a sentence for the reader, when the text is none or was written for another query.
        """
        try:
            number, score, ordinal, pk, seen, digest = _BYTES.unpack(_decoded(text))
            place = cls(Order(number), score, date.fromordinal(ordinal) if ordinal else None, pk, seen)
        except (ValueError, OverflowError, struct.error) as error:
            raise ValueError(_UNREADABLE) from error
        by_day = place.order is Order.DAY
        sound = math.isfinite(score) and pk <= LARGEST_PK and 0 < seen <= (LARGEST_PK if by_day else RELEVANCE_DEPTH)
        if digest != _digest(query) or not sound:
            raise ValueError(_UNREADABLE)
        return place

    def written(self, query: Query) -> str:
        """The place as text for an address. "" behind the last page that may be asked for."""
        if self.order is not Order.DAY and self.seen >= RELEVANCE_DEPTH:
            return ""
        ordinal = self.day.toordinal() if self.day else 0
        content = _BYTES.pack(self.order, self.score, ordinal, self.pk, self.seen, _digest(query))
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def order_gone() -> ValueError:
    """What to raise, with a sentence for the reader, when a place is of an order that the answer does not have now."""
    return ValueError("The order of this search has changed since its first page. Begin again from there.")


def _decoded(text: str) -> bytes:
    """The bytes of a text of the right length in letters of base64url. Raises ValueError."""
    if len(text) != _LENGTH or not text.isascii():
        raise ValueError("another length, or letters of another alphabet")
    try:
        return base64.b64decode(text + "=" * (-_LENGTH % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _digest(query: Query) -> bytes:
    """Tells one query from another; a query written in another way is the same."""
    return hashlib.blake2b(str(query).encode("utf-8", "replace"), digest_size=4).digest()
