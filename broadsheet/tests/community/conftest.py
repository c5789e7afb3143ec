"""Papers of the cast, and times at which people do something about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.accounts.rules import Person
from broadsheet.community.actions.commenting import post_comment
from broadsheet.community.rules.commenting import Draft
from broadsheet.papers import queries as papers
from broadsheet.papers.actions import store_many
from broadsheet.testing.cast import HARBOUR, LANTERN

Say = Callable[..., int]


@pytest.fixture
def noon() -> datetime:
    """Now, for the people of a test: a little later than their accounts."""
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def lantern(db: None) -> int:
    """The id of a paper of Ada's; another one, HARBOUR, is stored with it."""
    store_many([LANTERN, HARBOUR])
    found = papers.find("2401.00001")
    assert found is not None
    return found.id


@pytest.fixture
def harbour(lantern: int) -> int:
    """The id of a paper of Bela's."""
    found = papers.find("2401.00002")
    assert found is not None
    return found.id


@pytest.fixture
def say(lantern: int, noon: datetime) -> Say:
    """Comments: `say(ada, "text", parent)` on LANTERN unless `paper` is another; answers with the comment's id."""
    said = 0

    def comment(
        by: Person, body: str, parent: int | None = None, *, paper: int = lantern, group: int | None = None
    ) -> int:
        nonlocal said
        said += 1
        at = noon + timedelta(minutes=20 * said)
        return post_comment(by=by, paper_id=paper, draft=Draft(body, parent, group), now=at)

    return comment
