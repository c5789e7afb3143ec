"""What the engine holds of one paper: searchable text, and the values that searches filter and sort by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One paper as the index sees it. Text is plain Unicode: TeX has been converted before it comes here.

    `pk` is the paper's primary key in the database (0 to 2**38 - 1); `change` the number of the journal entry it was
    made from, so that an older document never replaces a newer one. `identifiers` are written ``scheme:value``.
    `authors` are written in reading order, "Ada Example". `day` is what dates filter and sort by: the day of
    announcement, else of submission; the first day of the month or year when no more is known, None when nothing is.
    """

    pk: int
    change: int
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    venue: str = ""
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    day: date | None = None
    has_code: bool = False
    holds: bool = False

    @property
    def meaning(self) -> str:
        """The text that a vector is made from."""
        return f"{self.title}. {self.abstract}" if self.abstract else self.title

    @property
    def digest(self) -> int:
        """A number, less than 2**63, that tells one such text from another."""
        text = self.meaning.encode("utf-8", "replace")
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) >> 1
