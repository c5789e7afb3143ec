"""Files that are whole or not there: locks, writing to the disk, replacing by a rename."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from broadsheet.search.index import IndexLocked


class Lock:
    """An exclusive lock on a file, held from the start. The system releases it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Raises IndexLocked when another holds it."""
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise IndexLocked("Another process is writing to the search index. Only one can at a time.") from error

    def release(self) -> None:
        """Let others write."""
        self._file.close()


def write(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write a file part by part; it is on the disk when this returns."""
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes) -> None:
    """Give a file new content: whoever reads it, and whatever dies, sees the old one or the new one."""
    draft = path.with_name(f"{path.name}.new")
    write(draft, [content])
    draft.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
