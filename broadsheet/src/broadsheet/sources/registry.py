"""Which sources this installation has: those of Broadsheet and of other packages alike, by entry points.

A package offers a source with an entry point in the group ``broadsheet.sources`` whose name is the source's own. What
is offered reads files (`base.Source`), can be asked for what is new (`base.Harvestable`) or for works by their
identifiers (`base.Findable`), or any of these together.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeAlias, cast

from broadsheet.bibliography.identifiers import Scheme
from broadsheet.sources import text
from broadsheet.sources.base import EXCERPT_BYTES, Findable, Harvestable, Source, Unreadable

# What an entry point may offer; each has a `name` and a `title`.
Offered: TypeAlias = Source | Harvestable | Findable

GROUP = "broadsheet.sources"
# Where a source stands in the order of asking when it does not say: files first to last, and look-ups likewise.
USUAL_ORDER = 100

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_LOG = logging.getLogger(__name__)


class DuplicateSource(Exception):
    """Two installed packages offer a source of the same name, and nobody can say which one is meant."""


@dataclass(frozen=True)
class Loaded:
    """What was found: the sources by name in the order of asking, and a sentence for each that could not be used."""

    sources: Mapping[str, Offered]
    problems: tuple[str, ...]

    @cached_property
    def readers(self) -> dict[str, Source]:
        """Those that read files."""
        return {name: cast(Source, source) for name, source in self.sources.items() if _reads(source)}

    @cached_property
    def harvesters(self) -> dict[str, Harvestable]:
        """Those that can be asked for what is new."""
        return {name: source for name, source in self.sources.items() if isinstance(source, Harvestable)}

    def finders(self, scheme: Scheme) -> tuple[Findable, ...]:
        """Those that can be asked for works by identifiers of `scheme`, the first to ask first."""
        finders = (source for source in self.sources.values() if isinstance(source, Findable))
        return tuple(source for source in finders if scheme in source.schemes)


def sources() -> dict[str, Offered]:
    """All usable sources by name, in the order in which they are asked. Raises DuplicateSource."""
    return dict(_installed().sources)


def readers() -> dict[str, Source]:
    """The sources that read files, by name, in the order in which they are asked. Raises DuplicateSource."""
    return _installed().readers


def harvesters() -> dict[str, Harvestable]:
    """The sources that can be asked for what is new, by name. Raises DuplicateSource."""
    return _installed().harvesters


def finders(scheme: Scheme) -> tuple[Findable, ...]:
    """The sources that can be asked for works by identifiers of `scheme`, the first to ask first.

    Those with a `needs_key` are among them, whether a key for that host is configured or not. Raises DuplicateSource.
    """
    return _installed().finders(scheme)


def problems() -> tuple[str, ...]:
    """A sentence for each installed source that was skipped because it is broken. Raises DuplicateSource."""
    return _installed().problems


def get(name: str) -> Offered:
    """The source of that name. Raises LookupError with a sentence that lists the names."""
    known = _installed().sources
    if name not in known:
        raise LookupError(f"There is no source named {name!r}. The sources are: {', '.join(known)}.")
    return known[name]


def recognise(head: bytes, filename: str) -> Source | None:
    """The first source that knows a file by its first `base.HEAD_BYTES` bytes and its name, or None."""
    return recognise_among(readers().values(), head, filename)


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
    known = ", ".join(source.title for source in readers().values())
    return Unreadable(
        f"{text.shown(filename)} is no file that Broadsheet knows. {text.NOTHING_STORED} It can read: {known}.",
        f"no source recognised a file that begins with {head[:EXCERPT_BYTES]!r}",
    )


def load(declared: Iterable[EntryPoint]) -> Loaded:
    """Import the declared sources and put them in order: by their `order`, then by name.

    One that cannot be used becomes a sentence in `problems`. Raises DuplicateSource when a name is declared twice.
    """
    found: dict[str, Offered] = {}
    problems: list[str] = []
    for name, entry in _by_name(declared).items():
        try:
            found[name] = _checked(entry.load(), name)
        except Exception as error:
            sentence = f"The source {name!r} of {_origin(entry)} was left out, because it cannot be used: {error}"
            _LOG.warning("%s", sentence, exc_info=error)
            problems.append(sentence)
    ordered = sorted(found.values(), key=_place)
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


def _place(source: Offered) -> tuple[int, str]:
    order = getattr(source, "order", None)
    return (USUAL_ORDER if order is None else order, source.name)


def _reads(source: object) -> bool:
    return callable(getattr(source, "read", None))


def _checked(offered: object, name: str) -> Offered:
    """The source that an entry point offers, once it keeps to a contract. Raises TypeError or ValueError."""
    source: Any = offered() if isinstance(offered, type) else offered
    contracts = [contract for part, contract in _CONTRACTS.items() if hasattr(source, part)]
    if not contracts:
        raise TypeError("it has no method read(), pages() or find().")
    if getattr(source, "name", None) != name:
        raise ValueError("the name it gives itself is not the name of its entry point.")
    if _NAME.fullmatch(name) is None:
        raise ValueError("its name may have lower-case letters, digits and hyphens only, 40 at most.")
    for part, fits, reason in (*_OF_ALL, *(rule for contract in contracts for rule in contract)):
        if not fits(getattr(source, part, None)):
            raise TypeError(reason)
    return cast(Offered, source)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_schemes(value: object) -> bool:
    return isinstance(value, frozenset) and len(value) > 0 and all(isinstance(scheme, Scheme) for scheme in value)


# Parts of a source: the attribute, what it must be, and the reason for leaving the source out.
_Rule: TypeAlias = tuple[str, Callable[[object], bool], str]
_OF_ALL: tuple[_Rule, ...] = (
    ("title", _is_text, "it has no title."),
    ("order", lambda value: value is None or isinstance(value, int), "its order is not a whole number."),
    ("needs_key", lambda value: value is None or _is_text(value), "the host that it needs a key for is not text."),
)
# The contracts by the method that says that a source means to keep them.
_READING: tuple[_Rule, ...] = (
    ("recognises", callable, "it has no method recognises()."),
    ("read", callable, "it has no method read()."),
)
_CONTRACTS: dict[str, tuple[_Rule, ...]] = {
    "recognises": _READING,
    "read": _READING,
    "pages": (
        ("pages", callable, "its part pages is no method."),
        ("announcer", _is_text, "it does not say whose announcements it gives (announcer)."),
        ("sets", _is_text, "it does not say what its sets are."),
    ),
    "find": (
        ("find", callable, "its part find is no method."),
        ("schemes", _are_schemes, "it does not say of which schemes it finds works (schemes, a frozenset)."),
    ),
}
