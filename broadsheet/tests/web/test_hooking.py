"""What is posted for a group: the edition in each form, and titles that try to be more than text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from broadsheet.following.actions.hooks import Wanted
from broadsheet.following.queries.digests import Nothing
from broadsheet.following.rules.hooks import Form
from broadsheet.following.rules.subscribing import Cadence
from broadsheet.testing.cast import HARBOUR, LANTERN, MEADOW, arxiv
from broadsheet.web import hooking
from broadsheet.web.hooking import compose

pytestmark = pytest.mark.django_db

DAY = "2024-01-02"
HOSTILE = replace(
    LANTERN,
    source_key="hostile",
    title="<!channel> <b>bold</b> & *stars* @all [x](https://evil.example.org) :tada:",
    identifiers=(arxiv("2401.00009"),),
)


def posted(form: Form, *sections: str, edition: str = DAY) -> Any:
    body = compose(Wanted(form, Cadence.DAY, edition, sections))
    return body if isinstance(body, Nothing) else json.loads(body)


@pytest.fixture(autouse=True)
def printed(press: Any) -> None:
    press([LANTERN, HARBOUR, MEADOW])


def test_slack_gets_the_edition_its_audit_and_a_link_for_each_paper() -> None:
    said = posted(Form.SLACK)
    assert list(said) == ["text"]
    lines = said["text"].splitlines()
    assert lines[0].startswith("<http")
    assert "2 January 2024" in lines[0]
    assert any(line.startswith("1. <http") and "|" in line for line in lines)
    assert "<http" in lines[-1]


def test_matrix_gets_what_both_bridges_read() -> None:
    said = posted(Form.MATRIX)
    assert set(said) == {"text", "html", "format", "username", "displayName"}
    assert "<a href=" in said["html"]
    assert "<" not in said["text"]


def test_json_is_the_edition_as_our_interface_gives_it() -> None:
    said = posted(Form.JSON)
    assert said["edition"]["label"] == DAY
    assert "audit" in said
    assert [item["rank"] for item in said["items"]] == sorted(item["rank"] for item in said["items"])
    assert said["items"][0]["paper"]["url"].startswith("http")


def test_chosen_sections_are_posted_only() -> None:
    titles = [item["paper"]["title"] for item in posted(Form.JSON, "stat.ML")["items"]]
    assert [title.split(":")[0] for title in titles] == ["Harbour"]


def test_nothing_in_the_sections_is_said() -> None:
    said = posted(Form.SLACK, "hep-th")
    assert isinstance(said, Nothing)
    assert said.because
    assert isinstance(posted(Form.SLACK, edition="2023-05-05"), Nothing)


@pytest.mark.parametrize("form", list(Form))
def test_a_test_says_that_it_is_one(form: Form) -> None:
    assert "This is a test" in json.dumps(posted(form, edition=""))


def test_hostile_titles_stay_text(press: Any) -> None:
    press([HOSTILE])
    slack = posted(Form.SLACK)["text"]
    assert "<!channel>" not in slack
    assert "&lt;!channel&gt;" in slack
    mattermost = posted(Form.MATTERMOST)["text"]
    assert "@all" not in mattermost
    assert "[x](" not in mattermost
    assert ":tada:" not in mattermost
    html = posted(Form.MATRIX)["html"]
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_a_long_edition_names_ten_papers(press: Any) -> None:
    press(
        replace(LANTERN, source_key=f"n{number}", title=f"Lamp {number}", identifiers=(arxiv(f"2401.1{number:04}"),))
        for number in range(30)
    )
    text = posted(Form.SLACK)["text"]
    assert f"\n{hooking.MOST}. " in text
    assert f"\n{hooking.MOST + 1}. " not in text
