"""What is remembered of an address: little, for a while, and only what an origin should have said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.fetching import validators as module
from broadsheet.fetching.validators import AGE, Validators

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
URL = "https://rss.arxiv.org/rss/cs"
ETAG = {"If-None-Match": '"1"'}


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        pytest.param({"etag": '"1"'}, ETAG, id="ETag"),
        pytest.param({"etag": 'W/"1"'}, {"If-None-Match": 'W/"1"'}, id="a weak one"),
        pytest.param(
            {"last-modified": "Sun, 22 Nov 2026 05:00:00 GMT"},
            {"If-Modified-Since": "Sun, 22 Nov 2026 05:00:00 GMT"},
            id="Last-Modified",
        ),
        pytest.param({}, {}, id="nothing"),
        pytest.param({"etag": "1"}, {}, id="not in quotes"),
        pytest.param({"etag": '"1"\r\nX-Own: b'}, {}, id="with a line break"),
        pytest.param({"etag": '"' + "1" * 600 + '"'}, {}, id="very long"),
        pytest.param({"etag": '"é"'}, {}, id="not ASCII"),
        pytest.param({"last-modified": "yesterday; DROP"}, {}, id="no date"),
        pytest.param({"last-modified": "S" * 70}, {}, id="a very long date"),
    ],
)
def test_what_is_said_is_what_is_asked_with(said: dict[str, str], asked: dict[str, str], tmp_path: Path) -> None:
    Validators(tmp_path / "new").remember(URL, "*/*", said, NOW)
    assert Validators(tmp_path / "new").headers(URL, "*/*", NOW) == asked


def test_an_answer_without_validators_forgets_the_old_ones(tmp_path: Path) -> None:
    validators = Validators(tmp_path)
    validators.remember(URL, "*/*", {"etag": '"1"'}, NOW)
    validators.remember(URL, "*/*", {}, NOW)
    assert validators.headers(URL, "*/*", NOW) == {}


@pytest.mark.parametrize(
    ("later", "known"),
    [
        pytest.param(AGE, True, id="after three days"),
        pytest.param(AGE + timedelta(seconds=1), False, id="after more"),
        pytest.param(timedelta(seconds=-1), False, id="after the clock went back"),
    ],
)
def test_every_three_days_an_answer_is_taken_in_full(later: timedelta, known: bool, tmp_path: Path) -> None:
    validators = Validators(tmp_path)
    validators.remember(URL, "*/*", {"etag": '"1"'}, NOW)
    assert bool(validators.headers(URL, "*/*", NOW + later)) is known


@given(st.binary(max_size=200))
def test_a_damaged_file_is_nothing(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    validators = Validators(folder)
    validators.remember(URL, "*/*", {"etag": '"1"'}, NOW)
    (path,) = folder.iterdir()
    path.write_bytes(data)
    assert validators.headers(URL, "*/*", NOW) == {}


def test_two_addresses_in_one_file_are_told_apart(tmp_path: Path) -> None:
    """As if two addresses had the same digest."""
    validators = Validators(tmp_path)
    validators.remember(URL, "*/*", {"etag": '"1"'}, NOW)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace("rss/cs", "rss/xx"))
    assert validators.headers(URL, "*/*", NOW) == {}


def test_no_more_are_kept_than_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    validators = Validators(tmp_path)
    for number in range(50):
        validators.remember(f"{URL}.{number}", "*/*", {"etag": '"1"'}, NOW)
    assert len(list(tmp_path.iterdir())) <= 20
    assert validators.headers(f"{URL}.49", "*/*", NOW) == ETAG


def test_a_folder_that_cannot_be_written_only_costs_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    validators = Validators(tmp_path / "file")
    validators.remember(URL, "*/*", {"etag": '"1"'}, NOW)
    assert validators.headers(URL, "*/*", NOW) == {}
