"""How long a profile takes: to learn, to put an edition in order, and again after one more paper was saved."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import recording
from broadsheet.following.rules import profiles as rules
from broadsheet.search.embedding.minilm import MiniLm
from remembered_vectors import Remembering
from search_data import CACHE
from search_papers import document, real

PAPERS = 5_000
SAVED = 1_000
EDITION = 1_000
ROUNDS = 60


def measured() -> dict[str, Any]:
    """Milliseconds of the processor, on a database in a file that holds PAPERS papers with words and vectors."""
    papers = list(real(PAPERS))
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"BROADSHEET_DATA": folder, "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        return {"saved": SAVED, "edition": EDITION, **_in_memory(papers), **_with_database(papers)}


def _in_memory(papers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Only the model: its training with SAVED papers against the background, and the scores of an edition."""
    embedder = Remembering(MiniLm(CACHE / "models"), CACHE)
    packed = [rules.terms(paper["title"], paper["abstract"]).packed() for paper in papers]
    vectors = list(embedder.encode([document(paper).meaning for paper in papers]))
    places = np.concatenate([rules.unpacked(content)[0] for content in packed]).astype(np.int64)
    known = rules.scale(np.bincount(places, minlength=rules.PLACES), len(packed), np.mean(vectors, axis=0))
    rows = rules.rows(packed, vectors, known)
    others = rows.of(np.arange(SAVED + EDITION, SAVED + EDITION + rules.BACKGROUND))
    edition = rows.of(np.arange(SAVED, SAVED + EDITION))
    found: dict[str, Any] = {}
    for saved in (10, 100, SAVED):
        learning = partial(rules.learn, rows.of(np.arange(saved)), others)
        found[f"learn_{saved}_ms"] = recording.percentiles([_ms(learning) for _ in range(ROUNDS)])
    scoring = partial(learning().scores, edition)
    found["score_ms"] = recording.percentiles([_ms(scoring) for _ in range(ROUNDS)])
    return found


def _with_database(papers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All that a page asks for: the scores of all papers of the edition, and the reasons of the hundred nearest."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from broadsheet.accounts.actions import only_reader
    from broadsheet.bibliography.record import Record
    from broadsheet.following.queries import profiles
    from broadsheet.library import actions as library
    from broadsheet.library.rules import MOST_AT_ONCE
    from broadsheet.papers import queries
    from broadsheet.papers.actions import store_many
    from broadsheet.search.adapters.reference import ReferenceIndex

    store_many(
        [
            Record(source="bench", source_key=paper["identifier"], title=paper["title"], abstract=paper["abstract"])
            for paper in papers
        ]
    )
    ids = [row.id for row in queries.stored_after(0, limit=len(papers))]
    index = ReferenceIndex(Remembering(MiniLm(CACHE / "models"), CACHE))
    documents = [document({**paper, "pk": pk}) for pk, paper in zip(ids, papers, strict=False)]
    index.apply(documents, [], cursor=1)
    index.embed(documents)
    kept = _ms(lambda: _keep_all(index))
    reader = only_reader()
    saved, edition, spare = ids[:SAVED], ids[SAVED : SAVED + EDITION], ids[SAVED + EDITION :]
    for start in range(0, SAVED, MOST_AT_ONCE):
        library.keep(by=reader, papers_=saved[start : start + MOST_AT_ONCE])
    first = _ms(lambda: profiles.near(reader, edition))
    known = [_ms(lambda: profiles.near(reader, edition)) for _ in range(ROUNDS)]
    after = []
    for paper_id in spare[:ROUNDS]:
        library.keep(by=reader, papers_=[paper_id])
        after.append(_ms(lambda: profiles.near(reader, edition)))
    with CaptureQueriesContext(connection) as asked:
        profiles.near(reader, edition)
    return {
        "keep_ms_a_paper": round(kept / len(ids), 2),
        "near_first_ms": round(first, 1),
        "near_ms": recording.percentiles(known),
        "near_after_saving_ms": recording.percentiles(after),
        "queries": len(asked),
    }


def _keep_all(index: Any) -> None:
    from django.utils import timezone

    from broadsheet.following import tasks

    while tasks.keep_papers(index, now=timezone.now()):
        pass


def _ms(call: Callable[[], Any]) -> float:
    """Milliseconds of the processor: other work on the machine lengthens those of the clock more."""
    begun = time.process_time()
    call()
    return (time.process_time() - begun) * 1000


if __name__ == "__main__":
    print(measured())
