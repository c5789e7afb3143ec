"""Claims: read from the catalogue, kept with the paper that the same source described, shown through merges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from broadsheet.evidence import queries
from broadsheet.evidence.actions import Imported, import_claims
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import merge_papers, store_many
from broadsheet.testing.cast import HARBOUR, LANTERN, said

pytestmark = pytest.mark.django_db

ENTRY = {
    "slug": "lamp",
    "claim": "Lamps make steps safer.",
    "claimed_value": "half as many falls",
    "runnable": "partly",
    "experiment": "Walk down a stair of 20 steps, three seeds.",
    "baselines": ["no lamp"],
}


def catalogue(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "catalogue.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


def test_a_claim_belongs_to_the_paper_that_its_source_described(tmp_path: Path) -> None:
    store_many([said("On lamps and steps", by="catalogue", key="lamp"), LANTERN])
    path = catalogue(tmp_path, ENTRY, {**ENTRY, "slug": "unknown"})
    assert import_claims(path) == Imported(stored=1, without_paper=1)
    lamp = papers.stated("catalogue", ["lamp"])["lamp"]
    (claim,) = queries.for_papers([lamp])[lamp]
    assert (claim.text, claim.runnable, claim.peers) == ("Lamps make steps safer.", "partly", ("no lamp",))
    assert queries.tally() == {"partly": 1}


def test_importing_again_replaces_and_never_doubles(tmp_path: Path) -> None:
    store_many([said("On lamps and steps", by="catalogue", key="lamp")])
    import_claims(catalogue(tmp_path, ENTRY))
    import_claims(catalogue(tmp_path, {**ENTRY, "runnable": "yes"}))
    assert queries.tally() == {"yes": 1}


def test_a_merged_paper_brings_its_claims_along(tmp_path: Path) -> None:
    store_many([said("On lamps and steps", by="catalogue", key="lamp"), HARBOUR])
    import_claims(catalogue(tmp_path, ENTRY))
    lamp = papers.stated("catalogue", ["lamp"])["lamp"]
    merge_papers(winner_key="2401.00002", loser_key=papers.by_ids([lamp])[lamp].key, reason="an example")
    winner = papers.find("2401.00002")
    assert winner is not None
    assert len(queries.for_papers([winner.id])[winner.id]) == 1


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        pytest.param({**ENTRY, "runnable": "maybe"}, "write yes, partly or no", id="a value off the list"),
        pytest.param({**ENTRY, "claim": ""}, "has no claim", id="no claim"),
        pytest.param({**ENTRY, "slug": 7}, "no slug", id="a number for a name"),
        pytest.param({**ENTRY, "baselines": "all"}, "not a list", id="text for a list"),
    ],
)
def test_a_malformed_entry_is_named_by_its_line_and_nothing_is_stored(
    tmp_path: Path, entry: dict[str, Any], sentence: str
) -> None:
    store_many([said("On lamps and steps", by="catalogue", key="lamp")])
    with pytest.raises(ValueError, match=f"line 2.*{sentence}"):
        import_claims(catalogue(tmp_path, ENTRY, entry))
    assert queries.tally() == {}
