"""Our answers beside recorded ones of the original, field by field: names, types, and what is always there.

The recorded shapes are a table of 10,276 items of 596 days (``hf/field_table.json`` of the shared data) and one whole
answer of 2026. Nothing is compared but shapes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadsheet.bibliography.dates import PartialDate
from broadsheet.testing.cast import ADA, HARBOUR, LANTERN, MEADOW, arxiv, said

# One paper of which everything is known that the original has a place for, beside those of which little is.
LAMP = said(
    "A Lamp for Every Step",
    identifiers=(arxiv("2401.00003"),),
    abstract="We place a lamp on every step.",
    authors=(ADA,),
    announced=LANTERN.announced,
    submitted=PartialDate(2024, 1, 1),
    organization="Example Lab",
    code_url="https://github.com/example/lamp",
    project_url="https://example.org/lamp",
)
BARE = said("Meadows", identifiers=(arxiv("2401.00004"),), announced=LANTERN.announced)

# What we have and the original has not, and why.
OURS = {
    "broadsheet": "all that the original has no place for",
    "upvotes": "the client takes 0 votes of the paper for none",
    "githubRepo": "the client reads it of the item only",
    "projectPage": "the client reads it of the item only",
    "submittedBy.user": "the client reads the name of a user there",
}
# What recent answers of the original always have and ours never, and why.
NOT_OURS = {
    "paper.ai_summary": "nothing here is written by a machine",
    "paper.ai_keywords": "nothing here is written by a machine",
    "paper.ai_keywords[]": "nothing here is written by a machine",
    "paper.ai_summary_model": "nothing here is written by a machine",
}


def fields(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field of an answer with the type of its value; ours are not looked into."""
    if isinstance(value, dict):
        for name, inner in value.items():
            inside = f"{path}.{name}" if path else name
            yield inside, type(inner).__name__
            if name != "broadsheet":
                yield from fields(inner, inside)
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, dict):
                yield f"{path}[]", type(inner).__name__
            yield from fields(inner, f"{path}[]")


@pytest.fixture
def items(press, get) -> list[dict[str, Any]]:
    press([LANTERN, HARBOUR, LAMP, BARE])
    result: list[dict[str, Any]] = get("/api/daily_papers").json()
    assert len(result) == 4
    return result


def test_every_field_has_a_name_and_a_type_that_the_original_has(items, shared_data: Path) -> None:
    table = json.loads((shared_data / "hf" / "field_table.json").read_text(encoding="utf-8"))
    known = {row["field"]: set(row["types"]) for row in table}
    strange = {(path, kind) for item in items for path, kind in fields(item) if kind not in known.get(path, ())}
    assert {path for path, _ in strange} == set(OURS)


def test_what_the_original_always_has_is_always_there(items, protocol: Path) -> None:
    recorded = json.loads((protocol / "hf_daily_papers_api" / "hf_daily_papers.json").read_text(encoding="utf-8"))
    counted = Counter(path for item in recorded for path in dict(fields(item)))
    parents = {path: counted[path.rpartition(".")[0]] or len(recorded) for path in counted}
    always = {path for path, count in counted.items() if count == parents[path] == len(recorded)}
    assert {"paper.id", "submittedBy.fullname", "paper.submittedOnDailyBy.user", "thumbnail"} <= always
    for item in items:
        named = dict(fields(item))
        missing = {path for path in always if path not in named and not path.startswith("paper.authors[]")}
        assert missing == set(NOT_OURS), item["paper"]["id"]


def test_every_author_has_what_the_original_always_gives(items) -> None:
    authors = [author for item in items for author in item["paper"]["authors"]]
    assert {tuple(sorted(author)) for author in authors} == {("_id", "hidden", "name")}
    assert len({author["_id"] for author in authors}) == len(authors)


def test_what_is_not_known_is_left_out_and_nothing_is_null(items) -> None:
    by_id = {item["paper"]["id"]: item for item in items}
    full, bare = by_id["2401.00003"], by_id["2401.00004"]
    for level in (full, full["paper"]):
        assert level["githubRepo"] == "https://github.com/example/lamp"
        assert level["projectPage"] == "https://example.org/lamp"
        assert level["organization"]["fullname"] == "Example Lab"
    assert not {"githubRepo", "projectPage", "organization"} & (bare.keys() | bare["paper"].keys())
    assert all(kind != "NoneType" for item in items for _, kind in fields(item))


def test_identifiers_are_24_hexadecimal_digits_and_always_the_same(items, get) -> None:
    made = [items[0]["paper"]["discussionId"], items[0]["submittedBy"]["_id"], items[0]["paper"]["authors"][0]["_id"]]
    assert all(len(each) == 24 and int(each, 16) >= 0 for each in made)
    assert get("/api/daily_papers").json()[0]["paper"]["discussionId"] == made[0]


def test_days_are_instants_that_end_in_z(items) -> None:
    """The client cannot read any other form."""
    lantern = next(item for item in items if item["paper"]["id"] == "2401.00001")
    assert lantern["publishedAt"] == lantern["paper"]["submittedOnDailyAt"] == "2024-01-02T00:00:00.000Z"
    assert lantern["paper"]["publishedAt"] == "2023-12-29T00:00:00.000Z"


def test_a_date_that_is_known_to_the_month_begins_it_and_is_told_under_our_key(press, get) -> None:
    press([MEADOW])
    paper = get("/api/papers/math/0611800").json()
    assert paper["publishedAt"] == "2006-11-01T00:00:00.000Z"
    assert paper["broadsheet"]["submitted"] == "2006-11"
    assert "submittedOnDailyAt" not in paper
    (item,) = get("/api/papers/search?q=meadow").json()
    assert item["publishedAt"] == "2006-11-01T00:00:00.000Z"


def test_a_paper_without_any_date_has_none(press, get) -> None:
    press([said("Dateless lamps", key="dateless")])
    (item,) = get("/api/papers/search?q=dateless").json()
    assert "publishedAt" not in item
    assert "publishedAt" not in item["paper"]


def test_code_that_is_not_at_github_is_told_under_our_key_only(items) -> None:
    lantern = next(item for item in items if item["paper"]["id"] == "2401.00001")
    assert "githubRepo" not in lantern["paper"]
    assert lantern["broadsheet"]["code"] == "https://example.org/lantern"


def test_no_address_is_anything_but_one_of_the_web(press, get) -> None:
    press([said("Trap", identifiers=(arxiv("2401.00005"),), announced=LANTERN.announced,
                code_url="javascript:alert(1)", project_url="data:text/html,x")])  # fmt: skip
    text = get("/api/daily_papers").text
    assert "javascript:" not in text
    assert "data:" not in text


def test_a_summary_of_ours_stands_in_for_an_abstract_that_is_not_known(press, get) -> None:
    press([said("Terse", identifiers=(arxiv("2401.00006"),), announced=LANTERN.announced, summary="In short.")])
    (item,) = get("/api/daily_papers").json()
    assert item["summary"] == item["paper"]["summary"] == item["broadsheet"]["summary"] == "In short."
    assert "ai_summary" not in item["paper"]


def test_the_paper_alone_is_the_one_of_the_list_with_the_models_that_nobody_knows(items, get) -> None:
    for item in items:
        alone = get(f"/api/papers/{item['paper']['id']}").json()
        ours = alone.pop("broadsheet")
        none = {name: alone.pop(name) for name in list(alone) if name not in item["paper"]}
        assert alone == item["paper"]
        assert none == {
            "linkedModels": [], "numTotalModels": 0, "linkedDatasets": [], "numTotalDatasets": 0, "linkedSpaces": [],
            "numTotalSpaces": 0, "numComments": 0, "isAuthorParticipating": False,
        }  # fmt: skip
        assert ours["url"] == item["broadsheet"]["url"]


def test_a_hit_is_an_item_with_what_only_a_search_has(items, get) -> None:
    hits = {hit["paper"]["id"]: hit for hit in get("/api/papers/search").json()}
    for item in items:
        hit = hits[item["paper"]["id"]]
        assert {path for path, _ in fields(hit)} - {path for path, _ in fields(item)} == {
            "upvoted", "highlightedTitle", "highlightedSummary",
        }  # fmt: skip
        assert hit["paper"] == item["paper"]
