"""Which sources this installation has: those of Broadsheet and of other packages alike, by entry points.

A package offers a source with an entry point in the group ``broadsheet.sources`` whose name is the source's own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from broadsheet.sources import text
from broadsheet.sources.base import EXCERPT_BYTES, Source, Unreadable

GROUP = "broadsheet.sources"
# Where a source stands in the order of asking when it does not say.
USUAL_ORDER = 100

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_LOG = logging.getLogger(__name__)


class DuplicateSource(Exception):
    """Two installed packages offer a source of the same name, and nobody can say which one is meant."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found: the sources by name in the order of asking, and a sentence for each that could not be used."""

    sources: Mapping[str, Source]
    problems: tuple[str, ...]


def sources() -> dict[str, Source]:
    """All usable sources by name, in the order in which they are asked. Raises DuplicateSource."""
    return dict(_installed().sources)


def problems() -> tuple[str, ...]:
    """A sentence for each installed source that was skipped because it is broken. Raises DuplicateSource."""
    return _installed().problems


def get(name: str) -> Source:
    """The source of that name. Raises LookupError with a sentence that lists the names."""
    known = _installed().sources
    if name not in known:
        raise LookupError(f"There is no source named {name!r}. The sources are: {', '.join(known)}.")
    return known[name]


def recognise(head: bytes, filename: str) -> Source | None:
    """The first source that knows a file by its first `base.HEAD_BYTES` bytes and its name, or None."""
    return recognise_among(_installed().sources.values(), head, filename)


def recognise_among(known: Iterable[Source], head: bytes, filename: str) -> Source | None:
    """The first of `known` that recognises the file. One that fails at it is logged and passed over."""
    for source in known:
        try:
            if source.recognises(head, filename):
                return source
        except Exception:
            _LOG.exception("the source %s failed to look at %r and was passed over", source.name, filename)
    return None


def unrecognised(head: bytes, filename: str) -> Unreadable:
    """Why a file that no source recognises cannot be read, as helpful as its first bytes allow."""
    try:
        text.refuse_foreign(head, filename=filename)
        text.refuse_markup(head, filename=filename)
    except Unreadable as reason:
        return reason
    known = ", ".join(source.title for source in _installed().sources.values())
    return Unreadable(
        f"{text.shown(filename)} is no file that Broadsheet knows. {text.NOTHING_STORED} It can read: {known}.",
        f"no source recognised a file that begins with {head[:EXCERPT_BYTES]!r}",
    )


def load(declared: Iterable[EntryPoint]) -> Loaded:
    """Import the declared sources and put them in order: by their `order`, then by name.

    One that cannot be used becomes a sentence in `problems`. Raises DuplicateSource when a name is declared twice.
    """
    found: dict[str, Source] = {}
    problems: list[str] = []
    for name, entry in _by_name(declared).items():
        try:
            found[name] = _checked(entry.load(), name)
        except Exception as error:
            sentence = f"The source {name!r} of {_origin(entry)} was left out, because it cannot be used: {error}"
            _LOG.warning("%s", sentence, exc_info=error)
            problems.append(sentence)
    ordered = sorted(found.values(), key=lambda source: (getattr(source, "order", USUAL_ORDER), source.name))
    return Loaded({source.name: source for source in ordered}, tuple(problems))


@cache
def _installed() -> Loaded:
    return load(entry_points(group=GROUP))


def _by_name(declared: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    result: dict[str, EntryPoint] = {}
    for entry in sorted(declared, key=lambda entry: (entry.name, entry.value)):
        if entry.name in result:
            raise DuplicateSource(
                f"Two installed packages offer a source named {entry.name!r}: {_origin(result[entry.name])} and "
                f"{_origin(entry)}. Nothing was read. Uninstall one of them."
            )
        result[entry.name] = entry
    return result


def _origin(entry: EntryPoint) -> str:
    package = f"the package {entry.dist.name}" if entry.dist else "an unnamed package"
    return f"{package} ({entry.value})"


def _checked(offered: object, name: str) -> Source:
    source = offered() if isinstance(offered, type) else offered
    for part in ("recognises", "read"):
        if not callable(getattr(source, part, None)):
            raise TypeError(f"it has no method {part}().")
    if getattr(source, "name", None) != name:
        raise ValueError("the name it gives itself is not the name of its entry point.")
    if _NAME.fullmatch(name) is None:
        raise ValueError("its name may have lower-case letters, digits and hyphens only, 40 at most.")
    if not isinstance(getattr(source, "title", None), str):
        raise TypeError("it has no title.")
    if not isinstance(getattr(source, "order", USUAL_ORDER), int):
        raise TypeError("its order is not a whole number.")
    return cast(Source, source)
