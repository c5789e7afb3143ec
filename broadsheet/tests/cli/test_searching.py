"""`broadsheet search`: what it prints for people and for programs, and how it fails."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result, _NamedTextIOWrapper

from broadsheet.bibliography.dates import PartialDate
from broadsheet.cli.commands import broadsheet as command
from broadsheet.evidence.tasks import refresh_index
from broadsheet.papers import tasks
from broadsheet.papers.actions import store_many
from broadsheet.testing.cast import ADA, BELA, CHLOE, DORDE, arxiv, doi, said

Search = Callable[..., Result]
Run = Callable[..., subprocess.CompletedProcess[str]]

PAPERS = [
    said(
        "A Lamp for Every $\\ell_2$ Step",
        identifiers=(arxiv("2401.00001"),),
        abstract="We light the way.",
        authors=(ADA, BELA, CHLOE, DORDE),
        announced=date(2024, 1, 2),
        venue="Lamp Conference 2024",
        categories=("cs.LG",),
    ),
    said("Lamps at Night", identifiers=(arxiv("2401.00002"),), announced=date(2024, 1, 3), authors=(BELA,)),
    said("Lamps by Day", identifiers=(doi("10.5555/lamps"),), submitted=PartialDate(2023)),
    said("Harbours Without Water"),
]


@pytest.fixture
def index(data_folder: Path, db: None) -> Path:
    """The folder of an index of four papers, of which three have the word lamp."""
    store_many(PAPERS)
    with contextlib.closing(tasks.open_index()) as made:
        refresh_index(made)
    return data_folder / "index"


@pytest.fixture
def search(index: Path) -> Search:
    """Search in it, as a person would."""
    return lambda *words: CliRunner().invoke(command, ["search", *words])


class TestForPeople:
    def test_each_paper_has_its_title_authors_day_and_address(self, search: Search) -> None:
        done = search("every", "lamp", "--limit", "1")
        assert done.exit_code == 0
        assert done.stdout.splitlines() == [
            "A Lamp for Every ℓ₂ Step",
            "    Ada Example, Bela Beispiel, Chloé Exemple and 1 more; 2 January 2024; Lamp Conference 2024",
            "    https://arxiv.org/abs/2401.00001",
            "",
        ]

    def test_what_is_not_known_is_left_out_and_what_has_no_home_has_our_page(self, search: Search) -> None:
        done = search("harbours")
        title, address = done.stdout.split("\n")[:2]
        assert title == "Harbours Without Water"
        assert address.startswith("    /papers/")

    def test_how_it_was_searched_is_told_beside_the_answer(self, search: Search) -> None:
        done = search("lamps", "in:dark", "--limit", "2")
        assert "2 of 3 papers. Searched: papers with any of “lamps”, “in”, “dark”." in done.stderr
        assert "Not understood as a filter, and searched as words: “in:dark”." in done.stderr

    def test_a_misspelt_word_is_told_with_what_was_meant(self, search: Search) -> None:
        assert "Hardly any paper says “hrabours”; “harbours” was searched too. Did you mean harbours?" in (
            search("hrabours").stderr
        )

    def test_finding_nothing_is_an_answer(self, search: Search) -> None:
        done = search("xylophone")
        assert (done.exit_code, done.stdout) == (0, "")
        assert "0 of 0 papers. Searched: papers with “xylophone”." in done.stderr

    def test_an_identifier_finds_its_paper(self, search: Search) -> None:
        assert search("arXiv:2401.00002v3").stdout.startswith("Lamps at Night\n")

    def test_an_identifier_of_no_paper_here_is_told_with_its_home(self, search: Search) -> None:
        done = search("2501.99999")
        assert (done.exit_code, done.stdout) == (0, "")
        assert "Nobody has imported arxiv:2501.99999" in done.stderr
        assert "https://arxiv.org/abs/2501.99999" in done.stderr

    def test_the_newest_first(self, search: Search) -> None:
        titles = [line for line in search("lamps", "--newest").stdout.splitlines() if line and line[0] != " "]
        assert titles == ["Lamps at Night", "A Lamp for Every ℓ₂ Step", "Lamps by Day"]

    def test_the_reason_stands_under_each_paper(self, search: Search) -> None:
        lines = search("night", "--explain").stdout.splitlines()
        assert any("“night”" in line for line in lines[2:])
        assert lines[3].lstrip()[0].isdigit()

    @pytest.mark.parametrize(
        "words",
        [
            pytest.param(("lamps", "-night"), id="last"),
            pytest.param(("-night", "--limit", "5", "lamps"), id="first, with an option behind"),
            pytest.param(("-holds:yes", "lamps", "-night"), id="a filter that begins like the option for help"),
            pytest.param(("--", "-night", "lamps"), id="behind two"),
        ],
    )
    def test_a_word_with_a_minus_leaves_papers_out(self, search: Search, words: tuple[str, ...]) -> None:
        done = search(*words)
        assert "Lamps by Day" in done.stdout
        assert "Night" not in done.stdout

    @pytest.mark.parametrize(
        ("words", "status", "says"),
        [
            pytest.param(("lamps", "-h"), 0, "Usage:", id="help"),
            pytest.param(("lamps", "--newset"), 2, "No such option", id="a misspelt option"),
            pytest.param(("lamps", "--limit", "-5"), 2, "-5 is not in the range", id="a value"),
        ],
    )
    def test_what_begins_with_a_minus_and_is_no_word(
        self, search: Search, words: tuple[str, ...], status: int, says: str
    ) -> None:
        done = search(*words)
        assert (done.exit_code, says in done.output) == (status, True), done.output


class TestForPrograms:
    def test_one_object_with_stable_names(self, search: Search) -> None:
        done = search("lamp", "ever", "--json", "--limit", "1", "--explain")
        said = json.loads(done.stdout)
        assert done.stderr == ""
        assert list(said) == ["query", "searched", "sort", "total", "papers", "corrections", "remarks", "next"]
        assert said["query"] == "lamp ever"
        assert said["sort"] == "relevance"
        assert said["total"] == 3
        (paper,) = said["papers"]
        score, explanation = paper.pop("score"), paper.pop("explanation")
        assert paper == {
            "key": "2401.00001",
            "title": "A Lamp for Every ℓ₂ Step",
            "authors": ["Ada Example", "Bela Beispiel", "Chloé Exemple", "Đorđe Primer"],
            "day": "2024-01-02",
            "venue": "Lamp Conference 2024",
            "categories": ["cs.LG"],
            "page": "/papers/2401.00001",
            "home": "https://arxiv.org/abs/2401.00001",
        }
        assert explanation["value"] == pytest.approx(score, rel=1e-3)
        assert set(explanation) == {"value", "words", "rule", "details"}

    @pytest.mark.parametrize("shown", [True, False])
    def test_a_terminal_gets_ascii_only(self, search: Search, monkeypatch: pytest.MonkeyPatch, shown: bool) -> None:
        monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _stream: shown, raising=False)
        said = search("lamp", "ever\x9b\u202ex", "--json").stdout
        assert json.loads(said)["query"] == "lamp ever\x9b\u202ex"
        assert said.isascii() == shown

    def test_what_is_not_known_is_null(self, search: Search) -> None:
        (paper,) = json.loads(search("harbours", "--json").stdout)["papers"]
        assert (paper["day"], paper["venue"], paper["home"]) == (None, None, None)
        assert "explanation" not in paper

    def test_corrections_and_remarks_are_told(self, search: Search) -> None:
        said = json.loads(search("hrabours", "year:soon", "--json").stdout)
        assert {"typed": "hrabours", "searched": "harbours"} in said["corrections"]
        assert any("year:soon" in remark for remark in said["remarks"])

    def test_the_answer_goes_on_where_it_ended(self, search: Search) -> None:
        keys: list[str] = []
        after: str | None = ""
        while after is not None:
            said = json.loads(search("lamps", "--json", "--limit", "1", *(["--after", after] if after else [])).stdout)
            keys += [paper["key"] for paper in said["papers"]]
            after = said["next"]
        assert len(keys) == len(set(keys)) == 3


class TestFailing:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            pytest.param(
                ["sort:newest"], "Error: There are no words and no filters to search for.", id="nothing asked"
            ),
            pytest.param(["lamps", "--after", "nowhere"], "Error: ", id="no place in the answer"),
        ],
    )
    def test_a_sentence_and_status_1(self, search: Search, words: list[str], sentence: str) -> None:
        done = search(*words)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith(sentence)
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        "words", [[], ["lamps", "--limit", "0"], ["lamps", "--limit", "x"], ["lamps", "--nothing"]]
    )
    def test_what_cannot_be_asked_is_status_2(self, search: Search, words: list[str]) -> None:
        assert search(*words).exit_code == 2

    def test_a_damaged_index(self, search: Search, index: Path) -> None:
        for path in index.rglob("*"):
            if path.is_file() and not path.name.endswith(".lock"):
                path.write_bytes(b"damaged")
        done = search("lamps", "--json")
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: ")
        assert "`broadsheet doctor` builds the index again." in done.stderr

    def test_an_index_that_is_still_empty(self, search: Search, index: Path) -> None:
        shutil.rmtree(index)
        done = search("lamps")
        assert done.exit_code == 1
        assert "Error: The index is being built: 0 of 4 changes are in it." in done.stderr


def test_where_the_model_is_not_installed_it_searches_by_words(search: Search, settings: Any) -> None:
    settings.BROADSHEET_MODEL = "fastembed:nothing"
    assert "Lamps at Night" in search("night").stdout
    told = CliRunner().invoke(command, ["status"])
    assert (told.exit_code, told.stderr) == (0, "")
    assert any(line.startswith("meaning    The model fastembed:nothing needs") for line in told.stdout.splitlines())


@pytest.mark.process
def test_it_answers_while_broadsheet_runs(up: Callable[..., Any], broadsheet: Run) -> None:
    up()
    done = broadsheet("search", "gradient", "--json", "--limit", "3")
    assert done.stderr == ""
    assert len(json.loads(done.stdout)["papers"]) == 3
