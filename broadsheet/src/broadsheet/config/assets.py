"""The digest that stands in the address of every static file."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(folder: Path) -> str:
    """Ten characters that change when any file below `folder` changes its name or content."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:10]


def always(path: str, url: str) -> bool:
    """True: no static file changes without changing its address."""
    return True
