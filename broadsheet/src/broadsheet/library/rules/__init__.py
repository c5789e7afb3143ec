"""Pure rules of the library: orders, nesting, tags, and what several entries of one work are together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broadsheet.accounts.rules import Ground, Refused

# What one person or group may keep. A library is read whole when it is searched, which this bounds.
MOST_ENTRIES = 10_000
MOST_SHELVES = 300
MOST_ON_A_SHELF = 2_000
MOST_TAGS = 20
LONGEST_TAG = 40
LONGEST_NOTE = 20_000
LONGEST_SHELF_NAME = 120
DEEPEST = 5
MOST_AT_ONCE = 200

# How long a removal can be undone.
UNDO_FOR = timedelta(days=30)

# One file that a reader brings in: bytes, items, and seconds of work.
MOST_BYTES = 2 * 1024 * 1024
MOST_ITEMS = 3_000
MOST_SECONDS = 20.0


class State(StrEnum):
    """How far the reader is with a paper, in the order in which one reads."""

    UNREAD = "unread"
    READING = "reading"
    READ = "read"


class Step(StrEnum):
    """A move in an ordered list."""

    UP = "up"
    DOWN = "down"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Said:
    """What a reader says of a paper: the part of an entry that merges of papers put together."""

    note: str = ""
    state: State = State.UNREAD
    rating: int | None = None
    tags: tuple[str, ...] = ()
    added_at: datetime | None = None
    changed_at: datetime | None = None


_ORDER = {state: place for place, state in enumerate(State)}


def joined(entries: Sequence[Said]) -> Said:
    """What several entries say together when their papers turned out to be one work; one says what it says.

    The notes stand one after the other, the earliest first, each text once. The state is that which is furthest, the
    rating that of the entry changed last that has one, the tags are all tags. The order of `entries` does not matter.
    Raises ValueError when there are none.
    """
    if not entries:
        raise ValueError("no entries to join")
    if len(entries) == 1:
        return entries[0]
    ordered = sorted(entries, key=_age)
    rated = [entry for entry in sorted(entries, key=_freshness) if entry.rating is not None]
    return Said(
        note="\n\n".join(dict.fromkeys(note for entry in ordered if (note := entry.note.strip()))),
        state=max((entry.state for entry in entries), key=_ORDER.__getitem__),
        rating=rated[-1].rating if rated else None,
        tags=tuple(sorted({tag for entry in entries for tag in entry.tags})),
        added_at=ordered[0].added_at,
        changed_at=max((entry.changed_at for entry in entries if entry.changed_at), default=None),
    )


def _age(entry: Said) -> tuple[str, str]:
    return (entry.added_at.isoformat() if entry.added_at else "", entry.note)


def _freshness(entry: Said) -> tuple[str, int]:
    return (entry.changed_at.isoformat() if entry.changed_at else "", entry.rating or 0)


def moved(order: Sequence[int], item: int, step: Step) -> list[int]:
    """The same ids with one moved. At the end of the list nothing changes; nor for an item that is not in it."""
    result = list(order)
    if item not in result:
        return result
    at = result.index(item)
    result.pop(at)
    to = {Step.UP: max(0, at - 1), Step.DOWN: at + 1, Step.FIRST: 0, Step.LAST: len(result)}[step]
    result.insert(to, item)
    return result


def check_parent(parents: Mapping[int, int | None], shelf: int | None, parent: int | None) -> None:
    """Whether `shelf` (None for a new one) may stand in `parent` (None for outside all). `parents` tells where each is.

    Raises Refused when it would stand in itself, or deeper than DEEPEST.
    """
    above = _above(parents, parent)
    if shelf is not None and shelf in above:
        raise Refused(
            "A shelf cannot stand inside itself. Nothing was moved; choose another place.",
            ground=Ground.NOT_UNDERSTOOD,
            field="parent",
        )
    if len(above) + _height(parents, shelf) > DEEPEST:
        raise Refused(
            f"Shelves stand in each other {DEEPEST} deep at most. Nothing was changed; choose a place further up.",
            ground=Ground.TOO_MUCH,
            field="parent",
        )


def _above(parents: Mapping[int, int | None], shelf: int | None) -> list[int]:
    """The shelf and those that it stands in, the innermost first. A cycle, which no action makes, ends it."""
    found: list[int] = []
    while shelf is not None and shelf not in found:
        found.append(shelf)
        shelf = parents.get(shelf)
    return found


def _height(parents: Mapping[int, int | None], shelf: int | None) -> int:
    """How many levels the shelf and what stands in it take; a new shelf takes one."""
    levels, layer = 0, {shelf}
    while layer and levels <= DEEPEST:
        levels += 1
        layer = {inner for inner, outer in parents.items() if outer in layer and outer is not None}
    return levels


def inside(parents: Mapping[int, int | None], shelf: int) -> list[int]:
    """The shelf and all that stand in it, at whatever depth."""
    found, layer = [shelf], {shelf}
    while layer := {inner for inner, outer in parents.items() if outer in layer and inner not in found}:
        found += sorted(layer)
    return found


def tree(parents: Mapping[int, int | None], order: Sequence[int]) -> list[tuple[int, int]]:
    """The shelves as they are printed, each with its depth from 0: each one followed by those that stand in it.

    `order` is that of neighbours. A shelf whose parent is not there stands outside; every shelf is listed once.
    """
    inner: dict[int | None, list[int]] = {}
    for shelf in order:
        parent = parents.get(shelf)
        inner.setdefault(parent if parent in parents else None, []).append(shelf)
    result: list[tuple[int, int]] = []
    waiting = [(shelf, 0) for shelf in reversed(inner.get(None, []))]
    while waiting:
        shelf, depth = waiting.pop()
        result.append((shelf, depth))
        waiting += [(each, depth + 1) for each in reversed(inner.get(shelf, []))]
    return result


_BLANKS = re.compile(r"\s+")
_SLUG = re.compile(r"[^a-z0-9]+")


def read_tags(text: str) -> tuple[str, ...]:
    """The tags of a line, written with commas between them: in small letters, each once, in the order of letters.

    Raises Refused when there are more than MOST_TAGS, or one is longer than LONGEST_TAG.
    """
    found = sorted({tag for part in text.split(",") if (tag := one_tag(part))})
    if len(found) > MOST_TAGS:
        raise Refused(
            f"A paper takes {MOST_TAGS} tags at most. Nothing was changed.", ground=Ground.TOO_MUCH, field="tags"
        )
    if any(len(tag) > LONGEST_TAG for tag in found):
        raise Refused(
            f"A tag has {LONGEST_TAG} letters at most, and commas stand between tags. Nothing was changed.",
            ground=Ground.NOT_UNDERSTOOD,
            field="tags",
        )
    return tuple(found)


def kept_tags(words: Iterable[str]) -> tuple[str, ...]:
    """As many of the words as can be tags; for files that people bring in, of which nothing is refused for its tags."""
    found = {tag for word in words if (tag := one_tag(word.replace(",", " ")))}
    return tuple(sorted(tag for tag in found if len(tag) <= LONGEST_TAG)[:MOST_TAGS])


def one_tag(text: str) -> str:
    """The tag that a text is: small letters, single blanks, nothing that is not printed. Empty for none."""
    shown = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    return _BLANKS.sub(" ", shown).strip().lower()


def read_state(text: str) -> State:
    """The state of that name. Raises Refused."""
    try:
        return State(text)
    except ValueError:
        raise Refused(
            "A paper is unread, being read, or read. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD, field="state"
        ) from None


def read_rating(text: str) -> int | None:
    """A rating from 1 to 5; None for an empty text. Raises Refused."""
    if text in ("", "0"):
        return None
    if text not in ("1", "2", "3", "4", "5"):
        raise Refused(
            "A rating is a number from 1 to 5, or none. Nothing was changed.",
            ground=Ground.NOT_UNDERSTOOD,
            field="rating",
        )
    return int(text)


# More marks than five on one letter are no writing, and to fold a heap of them takes the square of the time.
_MANY_MARKS = re.compile("([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{5})"
                         "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip


def read_note(text: str) -> str:
    """A note as it is kept: lines ended in one way, no zero bytes. Raises Refused when it is too long."""
    note = _MANY_MARKS.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")).strip()
    if len(note) > LONGEST_NOTE:
        raise Refused(
            f"A note has {LONGEST_NOTE:,} letters at most; this one has {len(note):,}. Nothing was changed.",
            ground=Ground.TOO_MUCH,
            field="note",
        )
    return note


def read_name(text: str) -> str:
    """The name of a shelf on one line. Raises Refused when it is empty or too long."""
    shown = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    name = _BLANKS.sub(" ", shown).strip()
    if not name or len(name) > LONGEST_SHELF_NAME:
        raise Refused(
            f"A shelf needs a name of 1 to {LONGEST_SHELF_NAME} letters. Nothing was changed.",
            ground=Ground.NOT_UNDERSTOOD,
            field="name",
        )
    return name


def slug_of(name: str, taken: Collection[str]) -> str:
    """What stands in the address of a shelf of that name: small ASCII letters, digits and hyphens; not yet taken."""
    stem = _SLUG.sub("-", name.lower().encode("ascii", "ignore").decode()).strip("-")[:60].strip("-") or "shelf"
    slug, number = stem, 2
    while slug in taken:
        slug, number = f"{stem}-{number}", number + 1
    return slug
