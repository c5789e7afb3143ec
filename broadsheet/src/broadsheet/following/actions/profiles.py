"""What readers decide of their profiles, and what the worker keeps of papers so that lists can be put in order."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.following.models import Background, PaperTerms, Profile
from broadsheet.following.queries.profiles import LIBRARY, unpacked_vector
from broadsheet.following.rules import profiles as rules
from broadsheet.following.rules.profiles import LEAST_BACKGROUND, MOST_FORGOTTEN, MOST_PROFILES, PLACES
from broadsheet.library import queries as library
from broadsheet.papers import queries as papers
from broadsheet.search.index import Index
from broadsheet.storage import among, take_turns

# Papers of the last days are kept, with those that somebody saved; while there are few papers, all of them are.
KEPT_FOR = timedelta(days=62)
FEW = 5_000
# Papers beyond so many make room for newer ones, so many at a time.
MOST_KEPT = 60_000
_LEFT_AT_ONCE = 2_000
# The background is made anew after a day, and when there are a tenth more papers.
_MADE_FOR = timedelta(days=1)
_GROWN = 1.1
# Papers whose words are counted for it, the newest; and that have a vector, for the mean.
_COUNTED = 20_000
_LEAST_VECTORS = 20


def switch(*, by: Person, profile: int, on: bool) -> None:
    """Turn a profile of hers on or off: LIBRARY, or the number of a shelf of hers. Raises Refused."""
    with transaction.atomic():
        row = _row(by, profile)
        row.is_on = on
        row.save(update_fields=["is_on"])


def drop(*, by: Person, profile: int) -> None:
    """Take back everything that she said of a profile; one of a shelf is gone, that of the library is as it was."""
    Profile.objects.filter(user=by.id, shelf=profile or None).delete()


def forget(*, by: Person, profile: int, before: date | None = None, papers_: Collection[int] = ()) -> None:
    """Learn no longer from what was saved before a day (its beginning in UTC), nor from these papers.

    With no day, the day of before stays. The library itself stays as it is. Raises Refused.
    """
    if before is not None and before > timezone.now().date() + timedelta(days=1):
        raise Refused("That day has not come yet. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD, field="before")
    with transaction.atomic():
        row = _row(by, profile)
        forgotten = list(dict.fromkeys([*row.forgotten, *papers_]))
        if len(forgotten) > MOST_FORGOTTEN:
            raise Refused(
                f"A profile leaves out {MOST_FORGOTTEN:,} papers at most. Nothing was changed; "
                "forget what was saved before a day.",
                ground=Ground.TOO_MUCH,
            )
        row.forgotten = forgotten
        row.since = datetime.combine(before, time(), UTC) if before else row.since
        row.save(update_fields=["forgotten", "since"])


def forget_everything(*, by: Person, profile: int) -> None:
    """Begin anew: learn only from what is saved from now on. Raises Refused."""
    with transaction.atomic():
        row = _row(by, profile)
        row.since, row.forgotten = timezone.now(), []
        row.save(update_fields=["forgotten", "since"])


def remember(*, by: Person, profile: int) -> None:
    """Learn from everything again that is saved. Raises Refused."""
    with transaction.atomic():
        row = _row(by, profile)
        row.since, row.forgotten = None, []
        row.save(update_fields=["forgotten", "since"])


def _row(by: Person, profile: int) -> Profile:
    """What she said of the profile, made where she said nothing yet. Call inside a transaction. Raises Refused."""
    # A row that is not there yet cannot be locked.
    take_turns("the profiles of a person", by.id)
    mine = Profile.objects.select_for_update().filter(user=by.id)
    row = mine.filter(shelf=profile or None).first()
    if row is not None:
        return row
    if profile != LIBRARY and profile not in {shelf.id for shelf in library.shelves_of(by)}:
        raise Refused("There is no such shelf of yours. Nothing was changed.", ground=Ground.NOT_THERE)
    if profile != LIBRARY and mine.exclude(shelf=None).count() >= MOST_PROFILES:
        raise Refused(
            f"You can have {MOST_PROFILES} profiles of shelves at most. Nothing was changed; remove one first.",
            ground=Ground.TOO_MUCH,
        )
    return Profile.objects.create(user_id=by.id, shelf_id=profile or None)


def keep_papers(index: Index, *, now: datetime, limit: int = 300) -> bool:
    """Keep the words and vectors of the next papers, and make the background when it is time; whether there is more.

    Safe to repeat and to interrupt: everything is made from the papers as they are now. Raises IndexUnavailable.
    """
    row = Background.objects.defer("counted", "sample").first() or Background.objects.create()
    more = _follow_papers(row, now, limit)
    more = _follow_libraries(row, limit) or more
    more = _take_vectors(row, index, limit) or more
    if not more:
        _make_background(row, now)
        _make_room()
    return more


def _follow_papers(row: Background, now: datetime, limit: int) -> bool:
    """Read on in the journal: keep new papers, and make anew what is kept of those that changed."""
    changes = papers.changes(after=row.changes, limit=limit)
    if not changes:
        return False
    touched = {paper for change in changes for paper in (change.paper_id, change.other) if paper is not None}
    shown = {each.id: each for each in papers.by_ids(touched).values()}
    few = PaperTerms.objects.count() < FEW
    kept = set(PaperTerms.objects.filter(among("paper", shown)).values_list("paper_id", flat=True))
    first = (now - KEPT_FOR).date()
    with transaction.atomic():
        PaperTerms.objects.filter(among("paper", touched)).delete()
        _keep([each for each in shown.values() if few or each.id in kept or each.sort_day >= first])
        Background.objects.filter(id=row.id).update(changes=changes[-1].seq)
    row.changes = changes[-1].seq
    return len(changes) == limit


def _follow_libraries(row: Background, limit: int) -> bool:
    """Keep what was saved since, however old it is."""
    saved = library.saved_after(row.entries, limit=limit)
    if not saved:
        return False
    wanted = {paper_id for _number, paper_id in saved}
    wanted -= set(PaperTerms.objects.filter(among("paper", wanted)).values_list("paper_id", flat=True))
    with transaction.atomic():
        _keep(list(papers.by_ids(wanted).values()))
        Background.objects.filter(id=row.id).update(entries=saved[-1][0])
    row.entries = saved[-1][0]
    return len(saved) == limit


def _keep(rows: Sequence[papers.Paper]) -> None:
    made = []
    for row in rows:
        found = rules.terms(row.title, row.abstract or row.summary)
        made.append(PaperTerms(paper_id=row.id, terms=found.packed(), words=" ".join(found.words)))
    PaperTerms.objects.bulk_create(made, ignore_conflicts=True)


def _take_vectors(row: Background, index: Index, limit: int) -> bool:
    """Copy the vectors of some papers that have none here; all of them anew when another model answers."""
    lacking = PaperTerms.objects.filter(vector=None).order_by("-paper_id").values_list("paper_id", flat=True)
    wanted = list(lacking[:limit])
    found = index.vectors(wanted) if wanted else None
    if found is None or not found.model:
        return False
    if row.model != found.model:
        with transaction.atomic():
            PaperTerms.objects.exclude(vector=None).update(vector=None)
            Background.objects.filter(id=row.id).update(model=found.model, mean=b"")
        row.model = found.model
        return True
    rows = [
        PaperTerms(paper_id=paper_id, vector=vector.astype("<f2").tobytes()) for paper_id, vector in found.by_pk.items()
    ]
    PaperTerms.objects.bulk_update(rows, ["vector"], batch_size=100)
    return len(rows) == limit


def _make_background(row: Background, now: datetime) -> None:
    """Count the words of the newest papers and choose some of them, where that was long ago or there are many more."""
    there = min(PaperTerms.objects.count(), _COUNTED)
    with_vector = PaperTerms.objects.exclude(vector=None)[:_LEAST_VECTORS].count()
    is_new = row.made_at is not None and now - row.made_at < _MADE_FOR
    lacks_mean = not row.mean and with_vector == _LEAST_VECTORS
    if there < LEAST_BACKGROUND or (is_new and there <= row.papers * _GROWN and not lacks_mean):
        return
    newest = PaperTerms.objects.order_by("-paper_id")[:_COUNTED]
    counted, ids, vectors = np.zeros(PLACES, np.uint32), [], _Mean()
    for paper_id, terms, vector in newest.values_list("paper_id", "terms", "vector").iterator(chunk_size=1_000):
        counted[rules.unpacked(bytes(terms))[0]] += 1
        ids.append(paper_id)
        vectors.add(unpacked_vector(vector))
    step = max(1, len(ids) // rules.BACKGROUND)
    Background.objects.filter(id=row.id).update(
        version=secrets.token_hex(8),
        made_at=now,
        papers=len(ids),
        counted=zlib.compress(counted.astype("<u4").tobytes()),
        mean=vectors.packed(),
        sample=ids[::step][: rules.BACKGROUND],
    )


class _Mean:
    """The mean of vectors that come one by one."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = np.zeros(0)

    def add(self, vector: rules.Floats | None) -> None:
        """Count one more vector, where there is one."""
        if vector is not None:
            self._sum = vector + self._sum if self._count else vector.astype(np.float64)
            self._count += 1

    def packed(self) -> bytes:
        """As it is kept; empty when there are too few vectors."""
        return (self._sum / self._count).astype("<f4").tobytes() if self._count >= _LEAST_VECTORS else b""


def _make_room() -> None:
    """Leave out the oldest papers that nobody saved, where there are too many."""
    wanted = min(PaperTerms.objects.count() - MOST_KEPT, _LEFT_AT_ONCE)
    gone: list[int] = []
    last = 0
    while len(gone) < wanted:
        behind = PaperTerms.objects.filter(paper__gt=last).order_by("paper_id").values_list("paper_id", flat=True)
        oldest = list(behind[:_LEFT_AT_ONCE])
        if not oldest:
            break
        saved = library.saved_by_anybody(oldest)
        gone += [paper_id for paper_id in oldest if paper_id not in saved]
        last = oldest[-1]
    if gone:
        PaperTerms.objects.filter(among("paper", gone[:wanted])).delete()
