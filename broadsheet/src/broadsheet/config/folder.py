"""The data folder: made when missing, tried before anything is written into it, and kept to one instance."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SPACE_NEEDED = 64 * 1024 * 1024  # bytes; below this a start is refused, before the disk fills in the middle of a write
UP_LOCK = "up.lock"  # held by the process of `broadsheet up`
WORKER_LOCK = "worker.lock"  # held by the process that works


class FolderError(Exception):
    """The folder cannot be used. The text is a sentence for the operator; the cause is chained."""


class FolderTaken(FolderError):
    """Another process holds the lock that was asked for."""


_REASONS = {
    errno.ENOSPC: "the disk is full. Free some space, or name a folder on another disk with --data",
    errno.EDQUOT: "your share of the disk is used up. Free some space, or name a folder elsewhere with --data",
    errno.EROFS: "it is on a disk that can only be read. Name another folder with --data",
    errno.EACCES: "this user may not write there. Change its owner, or name another folder with --data",
    errno.EPERM: "this user may not write there. Change its owner, or name another folder with --data",
    errno.EEXIST: "a file stands where the folder should be. Move it away, or name another folder with --data",
    errno.ENOTDIR: "a file stands where a folder should be. Move it away, or name another folder with --data",
    errno.ENAMETOOLONG: "its name is too long. Name another folder with --data",
}


def reason(error: OSError) -> str:
    """Why the system refused, and what to do, to stand after "…: " and before a full stop."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def make(folder: Path) -> None:
    """Make the folder, for its owner only, and see that it can be written. Raises FolderError; leaves no file."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(65536))
            trial.flush()
            os.fsync(trial.fileno())
    except OSError as error:
        raise FolderError(f"The data folder {folder} cannot be used: {reason(error)}. Nothing was written.") from error
    free = free_space(folder)
    if free < SPACE_NEEDED:
        raise FolderError(
            f"The disk of {folder} has only {free // 2**20} MB left; Broadsheet starts with "
            f"{SPACE_NEEDED // 2**20} MB or more. Free some space, or name a folder on another disk with --data. "
            "Nothing was written."
        )


def free_space(folder: Path) -> int:
    """Bytes that can still be written on the disk of `folder`, which may not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


@contextlib.contextmanager
def lock(folder: Path, name: str, *, taken: str, wait: bool = False) -> Iterator[Path]:
    """Hold the lock `name` of the folder; it ends with this process, however that ends. Yields the lock's file.

    Raises FolderTaken with the sentence `taken` when another process holds it, unless it may `wait`, and FolderError
    when the file cannot be written. The file stays when the lock is given back: removing it would let two processes
    hold two files of one name.
    """
    path = folder / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderError(f"{path} cannot be written: {reason(error)}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise FolderTaken(taken) from error
        os.ftruncate(descriptor, 0)
        yield path
    finally:
        os.close(descriptor)


def holder(folder: Path, name: str) -> str | None:
    """What the process that holds the lock wrote into it; None when nobody holds it."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 500).decode(errors="replace").strip()
    finally:
        os.close(descriptor)
    return None


def keep_secret(path: Path) -> bool:
    """Make the secret that this instance signs with, readable by its owner only. False when it exists already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(48) + "\n")
    return True
