"""What `make test` promises: every test belongs to one stage, and what did not run is never taken for passed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import suite

MARKS = ("browser", "postgresql", "process", "database")
STAGES = {stage.group: stage for stage in suite.stages(ci=False, workers=1)}


def _stage(group: str) -> suite.Stage:
    return STAGES[group]


def _run(*results: str, ci: bool = False) -> suite.Run:
    groups = ("unit", "sqlite", "postgres")
    outcomes = [suite.Outcome(_stage(group), result, 61.0) for group, result in zip(groups, results, strict=False)]
    return suite.Run(ci, outcomes)


@pytest.mark.parametrize(
    ("results", "ci", "failed", "last_line"),
    [
        pytest.param(["passed", "passed"], False, False, "All passed. 2 min 02 s", id="all passed"),
        pytest.param(["passed", "FAILED"], False, True, "FAILED: SQLite. 2 min 02 s", id="one failed"),
        pytest.param(
            ["passed", "passed", "NOT RUN"],
            False,
            False,
            "What ran passed. NOT RUN: PostgreSQL. 2 min 02 s",
            id="by hand",
        ),
        pytest.param(
            ["passed", "passed", "NOT RUN"], True, True, "What ran passed. NOT RUN: PostgreSQL. 2 min 02 s", id="in CI"
        ),
        pytest.param(
            ["FAILED", "passed", "NOT RUN"], False, True, "FAILED: pure. NOT RUN: PostgreSQL. 2 min 02 s", id="both"
        ),
    ],
)
def test_how_a_run_ends(results: list[str], ci: bool, failed: bool, last_line: str) -> None:
    run = _run(*results, ci=ci)
    assert run.failed() is failed
    assert run.last_line(122.0) == last_line


def test_a_run_that_was_interrupted_never_says_that_all_passed() -> None:
    run = _run("passed")
    run.complete = False
    assert run.last_line(5.0).startswith("What ran passed. INTERRUPTED before the end;")


def test_the_table_has_a_line_for_each_stage() -> None:
    assert _run("passed", "NOT RUN").table().splitlines() == [
        "  stage       result        time",
        "  pure        passed      61.0 s",
        "  SQLite      NOT RUN     61.0 s",
    ]


@pytest.mark.parametrize(
    "marks", list(itertools.product([False, True], repeat=4)), ids=lambda marks: "-".join("ny"[mark] for mark in marks)
)
def test_every_test_is_in_some_stage(marks: tuple[bool, ...]) -> None:
    """Whatever marks a test has, some stage selects it; only plain database tests run twice, once on each."""
    values = dict(zip(MARKS, marks, strict=True))
    selected = {
        group
        for group, stage in STAGES.items()
        if "pytest" in stage.command and eval(stage.command[stage.command.index("-m", 2) + 1], {}, values)
    }
    for mark, group in (("browser", "browser"), ("postgresql", "postgres"), ("process", "process")):
        if values[mark]:
            assert selected == {group}
            return
    assert selected == ({"sqlite", "postgres"} if values["database"] else {"unit"})


@pytest.mark.parametrize("group", ["unit", "sqlite", "process", "postgres", "browser"])
@pytest.mark.parametrize(
    ("workers", "are_many"), [pytest.param(1, False, id="one core"), pytest.param(2, True, id="two")]
)
def test_every_core_has_a_process(group: str, workers: int, are_many: bool) -> None:
    """Tests run side by side where there is a second core; those of one file that start programs stay together."""
    (stage,) = (stage for stage in suite.stages(ci=True, workers=workers) if stage.group == group)
    assert ("-n" in stage.command) is are_many
    assert ("loadfile" in stage.command) is (are_many and group in ("process", "browser"))


def test_a_stage_sees_no_setting_of_the_person_who_runs_it() -> None:
    mine = {
        "PATH": "/bin",
        "BROADSHEET_PORT": "1",
        "DATABASE_URL": "sqlite://x",
        "PGHOST": "h",
        "PYTHONDONTWRITEBYTECODE": "1",
        "BROADSHEET_SHARED": "s",
    }
    seen = suite.clean_environment(mine)
    assert {name: seen.get(name) for name in mine} == {
        "PATH": "/bin",
        "BROADSHEET_PORT": None,
        "DATABASE_URL": None,
        "PGHOST": None,
        "PYTHONDONTWRITEBYTECODE": None,
        "BROADSHEET_SHARED": "s",
    }


def test_tests_side_by_side_do_not_fight_for_the_cores() -> None:
    assert suite.clean_environment({"OMP_NUM_THREADS": "8"})["OMP_NUM_THREADS"] == "1"


def test_nothing_is_downloaded_behind_the_back_of_the_person_who_runs_it() -> None:
    seen = suite.clean_environment({})
    assert seen["PIP_NO_INDEX"] == "1"
    assert seen["PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD"] == "1"


def test_what_is_not_there_is_said_in_capital_letters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(_environment: object) -> None:
        raise suite.debian.Unavailable("Only root may install it.")

    monkeypatch.setattr(suite.postgres, "obtain", absent)
    outcome = suite.run(_stage("postgres"), {})
    assert (outcome.result, outcome.note) == ("NOT RUN", "no PostgreSQL")
    assert "POSTGRESQL IS NOT AVAILABLE: THESE TESTS ARE NOT RUN." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "left", "note"),
    [
        pytest.param(0, 0, "", id="passed"),
        pytest.param(1, 0, "", id="failed tests speak for themselves"),
        pytest.param(5, 0, "found no test", id="nothing selected"),
        pytest.param(-9, 0, "ended by signal 9", id="killed"),
        pytest.param(0, 2, "left 2 processes behind", id="strays"),
    ],
)
def test_why_a_stage_failed(status: int, left: int, note: str) -> None:
    assert suite._why(status, left) == note


def test_the_count_comes_from_the_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(suite, "RESULTS", tmp_path)
    assert suite._counted(_stage("unit")) == ""
    (tmp_path / "unit.xml").write_text('<testsuites><testsuite name="pytest" errors="0" tests="41" time="1">')
    assert suite._counted(_stage("unit")) == "41 tests"
