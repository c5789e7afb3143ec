"""Whether a file contradicts itself, found out in one pass over millions of items with a few bytes for each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from broadsheet.bibliography.record import Record, Rejected
from broadsheet.sources.base import EXCERPT_BYTES

# Numbers that are held as they come, before they are put away sorted; and the longest run that is still merged, so that
# merging never takes more than some tens of megabytes for a moment.
_RECENT = 1 << 15
_LONGEST = 1 << 19


class Numbers:
    """A growing set of 64-bit numbers: eight bytes each in sorted runs, where a Python set takes some seventy."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._runs: list[array[int]] = []

    def __contains__(self, number: int) -> bool:
        return number in self._recent or any(_holds(run, number) for run in self._runs)

    def add(self, number: int) -> None:
        """Take one more number in; one that is there already may be added again."""
        self._recent.add(number)
        if len(self._recent) >= _RECENT:
            self._put_away()

    def _put_away(self) -> None:
        run = array("q", sorted(self._recent))
        self._recent.clear()
        while self._runs and len(self._runs[-1]) <= len(run) and len(run) + len(self._runs[-1]) <= _LONGEST:
            run = array("q", sorted([*self._runs.pop(), *run]))
        self._runs.append(run)


def _holds(run: array[int], number: int) -> bool:
    place = bisect_left(run, number)
    return place < len(run) and run[place] == number


def consistent(items: Iterator[Record | Rejected]) -> Iterator[Record | Rejected]:
    """Reject what contradicts an earlier item of the same file under the same key.

    Stored, the two would take turns at every import of the file.
    """
    keys, said = Numbers(), Numbers()
    for item in items:
        if isinstance(item, Rejected):
            yield item
            continue
        key, whole = hash((item.source, item.source_key)), hash(item)
        if key not in keys:
            keys.add(key)
            said.add(whole)
        elif whole not in said:
            reason = f"the file says something else under {item.source_key} before; that was kept"
            yield Rejected(item.source, item.source_key, reason, item.title.encode()[:EXCERPT_BYTES])
            continue
        yield item
