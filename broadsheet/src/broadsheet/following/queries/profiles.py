"""A reader's profile: how near papers are to what she saved, and why. What it learned is computed, and kept nowhere."""

from __future__ import annotations

import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import orjson

from broadsheet.accounts.rules import Person
from broadsheet.following.models import Background, PaperTerms, Profile
from broadsheet.following.rules import profiles as rules
from broadsheet.following.rules.profiles import FEWEST, Floats, Model, Rows, Scale, Whole
from broadsheet.library import queries as library
from broadsheet.papers import queries as papers
from broadsheet.storage import among

# The profile of the whole library; those of shelves have the numbers of their shelves.
LIBRARY = 0
# Models that a process remembers, of the readers who asked last; each takes a megabyte or two.
_REMEMBERED = 24
# Lists of papers that it remembers, as many readers ask for one edition, and for how long, in seconds; each takes a few
# megabytes.
_LISTS = 4
_LISTED_FOR = 60.0
# Words that a page shows, and that the file of a profile holds.
SHOWN_WORDS = 24
_EXPORTED_WORDS = 5_000


@dataclass(frozen=True, slots=True)
class Near:
    """How near a paper is to a reader's library; `score` orders papers, `reason` says in words what they share.

    A paper that she has saved is the nearest to itself, and no news: lists have it behind the others.
    """

    score: float
    reason: str
    is_saved: bool = False


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile of a reader: of her whole library (`number` LIBRARY) or of the shelf of that number.

    `since` and `forgotten` say what it does not learn from.
    """

    number: int
    name: str
    is_on: bool = True
    since: datetime | None = None
    forgotten: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """What a profile learned, and from which papers, the last saved first. No words where there are too few of them.

    A word has what it adds to the score of a saved paper on average; `against` are those that lower it most.
    """

    papers: tuple[int, ...]
    words: tuple[tuple[str, float], ...] = ()
    against: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Ground:
    version: str
    known: Scale
    ids: Whole
    others: Rows


@dataclass(frozen=True, slots=True)
class _Trained:
    model: Model
    ids: tuple[int, ...]
    saved: Rows
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """What is kept of some papers: their ids, and for each what `rules.rows` takes, and its words."""

    ids: list[int]
    packed: list[bytes]
    vectors: list[Floats | None]
    words: list[str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """The papers of a list as rows, remembered until a moment of the machine's clock."""

    ids: tuple[int, ...]
    words: tuple[str, ...]
    rows: Rows
    until: float


_lock = threading.Lock()
_models: OrderedDict[tuple[object, ...], _Trained] = OrderedDict()
_grounds: dict[str, _Ground] = {}
_lists: OrderedDict[tuple[object, ...], _Shown] = OrderedDict()


def profiles(viewer: Person) -> list[ProfileView]:
    """Her profiles: that of the whole library, which everybody has, and then those of her shelves by name."""
    rows = {row.shelf_id or LIBRARY: row for row in Profile.objects.filter(user=viewer.id)}
    names = {shelf.id: shelf.name for shelf in library.shelves_of(viewer)} if set(rows) - {LIBRARY} else {}
    whole = rows.get(LIBRARY)
    found = [_view(LIBRARY, "my library", whole) if whole else ProfileView(LIBRARY, "my library")]
    of_shelves = [_view(number, names[number], row) for number, row in rows.items() if number in names]
    return found + sorted(of_shelves, key=lambda each: (each.name, each.number))


def _view(number: int, name: str, row: Profile) -> ProfileView:
    return ProfileView(number, name, row.is_on, row.since, tuple(row.forgotten))


def usable(viewer: Person | None) -> list[ProfileView]:
    """Those of her profiles that are on and learn from enough papers, so that lists can be put in their order."""
    if viewer is None or not Background.objects.exclude(version="").exists():
        return []
    return [each for each in profiles(viewer) if each.is_on and _is_enough(viewer, each)]


def near(viewer: Person | None, paper_ids: Collection[int], *, profile: int | None = None) -> dict[int, Near]:
    """How near each paper is to what the reader saved. Empty while she has no profile: then nothing is reordered.

    Of her profiles the one of that number, else the first that is on. Papers of which nothing is kept yet, and those
    behind the first MOST_RANKED, are left out. The first MOST_EXPLAINED in the order of `ordered` have a reason, the
    others an empty one. The number of questions is constant.
    """
    wanted = list(dict.fromkeys(paper_ids))[: rules.MOST_RANKED]
    trained, ground = _trained(viewer, profile) if viewer and wanted else (None, None)
    if trained is None or ground is None:
        return {}
    shown = _shown(tuple(wanted), ground)
    scores = trained.model.scores(shown.rows)
    own = set(trained.ids)
    saved = [paper_id in own for paper_id in shown.ids]
    best = np.lexsort((-scores, np.asarray(saved)))[: rules.MOST_EXPLAINED]
    reasons = _reasons(trained, shown.rows.of(best), [shown.ids[at] for at in best], [shown.words[at] for at in best])
    rows = zip(shown.ids, scores.tolist(), saved, strict=True)
    return {paper_id: Near(score, reasons.get(paper_id, ""), is_saved) for paper_id, score, is_saved in rows}


def ordered(ids: Sequence[int], known: Mapping[int, Near]) -> list[int]:
    """The papers, the nearest first, then those that she has saved, then as they were those that are not known."""

    def place(paper_id: int) -> tuple[bool, bool, float]:
        near_ = known.get(paper_id)
        return (near_ is None, near_ is not None and near_.is_saved, -near_.score if near_ else 0.0)

    return sorted(ids, key=place)


def learned(viewer: Person, profile: int = LIBRARY) -> Learned:
    """What the profile of that number learned. Raises KeyError when she has none of that number."""
    view = _numbered(viewer, profile)
    made_of = tuple(each.paper_id for each in _learned_from(viewer, view))
    trained = _train(viewer, view)[0]
    if trained is None:
        return Learned(made_of)
    weighed = rules.weights(trained.model, trained.saved, trained.words)
    against = [(word, weight) for word, weight in reversed(weighed[-SHOWN_WORDS:]) if weight < 0]
    return Learned(
        made_of, tuple((word, weight) for word, weight in weighed[:SHOWN_WORDS] if weight > 0), tuple(against)
    )


def export(viewer: Person, profile: int = LIBRARY) -> bytes:
    """A profile as JSON, with the words and weights that were learned. Raises KeyError for none of that number."""
    view = _numbered(viewer, profile)
    trained = _train(viewer, view)[0]
    made_of = [each.paper_id for each in _learned_from(viewer, view)]
    keys = {paper_id: row.key for paper_id, row in papers.by_ids([*made_of, *view.forgotten]).items()}
    words = rules.weights(trained.model, trained.saved, trained.words) if trained else []
    said = {
        "format": "broadsheet-profile/1",
        "of": view.name,
        "on": view.is_on,
        "learned_from": [keys[paper_id] for paper_id in made_of if paper_id in keys],
        "since": view.since.isoformat() if view.since else None,
        "forgotten": [keys[paper_id] for paper_id in view.forgotten if paper_id in keys],
        "offset": trained.model.offset if trained else None,
        "words": [{"word": word, "weight": round(weight, 6)} for word, weight in words[:_EXPORTED_WORDS]],
        "vector": [round(float(number), 6) for number in trained.model.direction] if trained else [],
    }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def _numbered(viewer: Person, profile: int) -> ProfileView:
    view = next((each for each in profiles(viewer) if each.number == profile), None)
    if view is None:
        raise KeyError(profile)
    return view


def _is_enough(viewer: Person, view: ProfileView) -> bool:
    """Whether there is enough to learn from, without reading a whole library."""
    return len(_learned_from(viewer, view, limit=FEWEST + len(view.forgotten))) >= FEWEST


def _learned_from(viewer: Person, view: ProfileView, *, limit: int | None = None) -> list[library.Liked]:
    """The papers that a profile learns from, the last saved first."""
    saved = library.liked(viewer, shelf=view.number or None, above=rules.DISLIKED, limit=limit or rules.MOST_SAVED)
    forgotten = set(view.forgotten)
    return [
        each for each in saved if each.paper_id not in forgotten and (view.since is None or each.added_at >= view.since)
    ]


def _trained(viewer: Person, profile: int | None) -> tuple[_Trained | None, _Ground | None]:
    on = [each for each in profiles(viewer) if each.is_on and profile in (None, each.number)]
    return _train(viewer, on[0]) if on else (None, None)


def _train(viewer: Person, view: ProfileView) -> tuple[_Trained | None, _Ground | None]:
    """The model of a profile, remembered while neither the library, nor the profile, nor the background changed."""
    ground = _ground()
    if ground is None:
        return None, None
    mark = library.mark(viewer, shelf=view.number or None)
    key = (viewer.id, view.number, view.since, view.forgotten, mark, ground.version)
    with _lock:
        if key in _models:
            _models.move_to_end(key)
            return _models[key], ground
    made, whole = _made(viewer, view, ground)
    if made is not None and whole:
        with _lock:
            _models[key] = made
            while len(_models) > _REMEMBERED:
                _models.popitem(last=False)
    return made, ground


def _made(viewer: Person, view: ProfileView, ground: _Ground) -> tuple[_Trained | None, bool]:
    """A model made anew, and whether all papers that it is to be made of could be read."""
    wanted = [each.paper_id for each in _learned_from(viewer, view)]
    held = _held(wanted)
    if len(held.ids) < FEWEST:
        return None, False
    saved = rules.rows(held.packed, held.vectors, ground.known)
    mine = np.isin(ground.ids, held.ids)
    others = ground.others.of(np.flatnonzero(~mine)) if mine.any() else ground.others
    words = tuple(word for text in held.words for word in text.split(" ") if word)
    return _Trained(rules.learn(saved, others), tuple(held.ids), saved, words), len(held.ids) == len(wanted)


def _shown(ids: tuple[int, ...], ground: _Ground) -> _Shown:
    """The papers of a list, of which something is kept, as rows."""
    key, now = (ground.version, ids), time.monotonic()
    with _lock:
        known = _lists.get(key)
    if known is not None and now < known.until:
        return known
    held = _held(ids)
    rows = rules.rows(held.packed, held.vectors, ground.known)
    made = _Shown(tuple(held.ids), tuple(held.words), rows, now + _LISTED_FOR)
    with _lock:
        _lists[key] = made
        while len(_lists) > _LISTS:
            _lists.popitem(last=False)
    return made


def _reasons(trained: _Trained, shown: Rows, ids: list[int], words: list[str]) -> dict[int, str]:
    """Why each of these papers is near."""
    if not ids:
        return {}
    few = len(trained.saved) <= rules.MOST_COMPARED
    compared = trained.saved if few else trained.saved.of(np.arange(rules.MOST_COMPARED))
    alike = rules.cosines(shown, compared)
    nearest = _greatest(alike, rules.NAMED_PAPERS + 1)
    named: list[list[int]] = []
    for row, paper_id in enumerate(ids):
        found = [trained.ids[at] for at in nearest[row] if alike[row, at] >= rules.NEAR and trained.ids[at] != paper_id]
        named.append(found[: rules.NAMED_PAPERS])
    wanted = {each for some in named for each in some}
    titles = {each: rules.cut(title) for each, title in papers.titles(wanted).items()}
    own = set(trained.ids)
    result = {}
    for row, paper_id in enumerate(ids):
        printed = words[row].split(" ")
        said = [printed[at] for at in rules.strongest(trained.model, shown, row) if at < len(printed)]
        text = rules.reason([titles[each] for each in named[row] if each in titles], said)
        result[paper_id] = "in your library" if paper_id in own else text
    return result


def _greatest(alike: Floats, count: int) -> Whole:
    """The places of the greatest numbers of each row, the greatest first."""
    count = min(count, alike.shape[1])
    some = np.argpartition(-alike, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(alike, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _held(ids: Sequence[int]) -> _Held:
    """What is kept of the papers, in the order in which they are asked for; those of which nothing is kept left out."""
    rows = PaperTerms.objects.filter(among("paper", ids)).values_list("paper_id", "terms", "vector", "words")
    known = {row[0]: row for row in rows}
    found = [known[paper_id] for paper_id in ids if paper_id in known]
    return _Held(
        ids=[row[0] for row in found],
        packed=[bytes(row[1]) for row in found],
        vectors=[unpacked_vector(row[2]) for row in found],
        words=[row[3] for row in found],
    )


def unpacked_vector(content: bytes | memoryview | None) -> Floats | None:
    """A vector as it is kept, in 16 bits a number; None where there is none."""
    return None if content is None else np.frombuffer(content, "<f2").astype(np.float32)


def _ground() -> _Ground | None:
    """The background, remembered until it is made anew; None before it was made."""
    version = Background.objects.exclude(version="").values_list("version", flat=True).first()
    if version is None:
        return None
    known = _grounds.get(version)
    if known is None:
        row = Background.objects.filter(version=version).first()
        if row is None:
            return None
        known = _read(row)
        _grounds.clear()
        _grounds[version] = known
    return known


def _read(row: Background) -> _Ground:
    counted = np.frombuffer(zlib.decompress(bytes(row.counted)), "<u4").astype(np.int64)
    known = rules.scale(counted, row.papers, np.frombuffer(bytes(row.mean), "<f4"))
    held = _held(row.sample)
    others = rules.rows(held.packed, held.vectors, known)
    return _Ground(row.version, known, np.array(held.ids), others)
