"""Check everything. This is what `make test` runs, for people and for continuous integration alike.

Stages run one after the other; each says what it does and how long it took, a table of all of them comes last. The
exit status is 0 when no stage failed. A stage that could not run, for want of PostgreSQL or of a browser, is said in
capital letters; with --ci it counts as failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import children
import chromium
import debian
import postgres

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "results"
SHARED_VARIABLE = "BROADSHEET_SHARED"
SOURCES = ("broadsheet/src", "offprints/src", "scripts")
GROUPS = ("lint", "unit", "sqlite", "process", "postgres", "browser")
NO_TESTS = 5  # pytest's exit status when its selection is empty

# import-linter has no `python -m`, and the path of its script depends on the environment.
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# The environment of whoever runs the suite must not change what the tests see; these are meant for the tests.
# Without compiled files each of hundreds of programs would compile us anew, and each stage all its tests.
_FOREIGN = ("BROADSHEET_", "DJANGO_", "PG", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
_OURS = frozenset({SHARED_VARIABLE})


@dataclass(frozen=True)
class Stage:
    """One check: its name in the table, the group that --only knows, what it does, how, and what it needs."""

    name: str
    group: str
    does: str
    command: tuple[str, ...]
    needs: str = ""


@dataclass
class Outcome:
    """How a stage ended. `seconds` is wall time; `note` is shown beside it."""

    stage: Stage
    result: str  # "passed", "FAILED" or "NOT RUN"
    seconds: float = 0.0
    note: str = ""


def stages(*, ci: bool, workers: int) -> tuple[Stage, ...]:
    """All stages in the order in which they run: what is quick and often wrong comes first."""
    profile = ("--hypothesis-profile=ci",) if ci else ()
    slow = ("--durations=5", "--durations-min=3")
    spread = ("-n", str(workers), "--dist", "worksteal") if workers > 1 else ()
    # Programs and browsers need a core of their own beside the test, and the tests of one file may follow each other.
    by_file = ("-n", "2", "--dist", "loadfile") if workers > 1 else ()

    def tests(group: str, marks: str, *more: str) -> tuple[str, ...]:
        return ("-m", "pytest", "-m", marks, *more, *profile, *slow, f"--junitxml={RESULTS / group}.xml")

    usual = "not browser and not postgresql and not process"
    own = "not browser and (postgresql or (database and not process))"
    return (
        Stage("style", "lint", "ruff reads every Python file", ("-m", "ruff", "check", ".")),
        Stage("format", "lint", "ruff compares the layout", ("-m", "ruff", "format", "--check", "--quiet", ".")),
        Stage("layers", "lint", "import-linter follows every import", ("-c", _LINT_IMPORTS)),
        Stage("types", "lint", "mypy --strict proves the types", ("-m", "mypy", *SOURCES)),
        Stage("pure", "unit", "tests that need no database", tests("unit", f"{usual} and not database", *spread)),
        Stage("SQLite", "sqlite", "tests that use the database", tests("sqlite", f"{usual} and database", *spread)),
        Stage(
            "processes",
            "process",
            "tests that start and kill real processes",
            tests("process", "process and not browser and not postgresql", *by_file),
        ),
        Stage(
            "PostgreSQL", "postgres", "the same, and what only it has", tests("postgres", own, *spread), "PostgreSQL"
        ),
        Stage("browser", "browser", "every page in a real Chromium", tests("browser", "browser", *by_file), "Chromium"),
    )


def clean_environment(base: Mapping[str, str]) -> dict[str, str]:
    """The environment for a stage: without settings of an instance, and with nothing allowed to download anything.

    Linear algebra has one thread: tests run side by side, and their matrices are too small for more to be worth it.
    """
    kept = {name: value for name, value in base.items() if name in _OURS or not name.startswith(_FOREIGN)}
    return kept | {
        "BROADSHEET_DATA": str(ROOT / "build" / "no-such-instance"),
        "MYPYPATH": "scripts",
        **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
        "PIP_NO_INDEX": "1",
        "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
    }


@contextmanager
def provided(needs: str, environment: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, str], frozenset[int]]]:
    """Inside, what a stage needs is there: (what is used, the stage's environment, process numbers to leave alone).

    Raises Unavailable with a sentence when it cannot be had.
    """
    if needs == "PostgreSQL":
        installation = postgres.obtain(os.environ)
        with postgres.serving(installation) as server:
            used = f"{installation.version}, {installation.how}"
            yield used, server.environment(environment), frozenset({server.pid})
    elif needs == "Chromium":
        browser = chromium.obtain(os.environ)
        used = f"{browser.version}, {browser.how}: {browser.path}"
        yield used, {**environment, chromium.VARIABLE: str(browser.path)}, frozenset()
    else:
        yield "", environment, frozenset()


def run(stage: Stage, environment: Mapping[str, str]) -> Outcome:
    """Run one stage. A stage that leaves processes behind has failed: on somebody's server they would pile up."""
    began = time.monotonic()
    try:
        with provided(stage.needs, environment) as (used, variables, known):
            if used:
                print(f"· uses {used}", flush=True)
            status = children.run([sys.executable, *stage.command], variables, ROOT, known)
            left = children.forgotten(known)
    except debian.Unavailable as error:
        print(f"\n{stage.needs.upper()} IS NOT AVAILABLE: THESE TESTS ARE NOT RUN.\n{error}", flush=True)
        return Outcome(stage, "NOT RUN", note=f"no {stage.needs}")
    for process in left:
        print(f"left behind and killed: {process.pid} {process.command}", flush=True)
    outcome = Outcome(stage, "passed", time.monotonic() - began, _counted(stage))
    if status or left:
        outcome.result = "FAILED"
        outcome.note = _why(status, len(left)) or outcome.note
    return outcome


def _why(status: int, left: int) -> str:
    """What to say beside a failure that is not a failed test."""
    if status == NO_TESTS:
        return "found no test"
    if status < 0:
        return f"ended by signal {-status}"
    return f"left {left} processes behind" if left else ""


def _counted(stage: Stage) -> str:
    """How many tests a stage ran, from the report that pytest wrote; empty for a stage without tests."""
    try:
        head = (RESULTS / f"{stage.group}.xml").read_text(encoding="utf-8")[:1000]
    except OSError:
        return ""
    match = re.search(r'<testsuite [^>]*\btests="(\d+)"', head)
    return f"{match[1]} tests" if match else ""


def shared_data(environment: Mapping[str, str]) -> Path:
    """Where the large real data should be that some tests read and the repository does not hold."""
    return Path(environment.get(SHARED_VARIABLE) or ROOT.parent / "shared" / "data")


@dataclass
class Run:
    """A whole run: what was asked for, how the stages ended so far, whether all of them had their turn."""

    ci: bool
    outcomes: list[Outcome] = field(default_factory=list)
    complete: bool = True

    def failed(self) -> bool:
        """Whether the exit status must say so."""
        return any(outcome.result == "FAILED" or (self.ci and outcome.result == "NOT RUN") for outcome in self.outcomes)

    def table(self) -> str:
        """All outcomes, one a line."""
        rows = [("stage", "result", "time", "")]
        rows += [(o.stage.name, o.result, _minutes(o.seconds), o.note) for o in self.outcomes]
        return "\n".join(f"  {name:<12}{result:<9}{spent:>9}  {note}".rstrip() for name, result, spent, note in rows)

    def last_line(self, seconds: float) -> str:
        """One sentence: how it went as a whole."""
        names = {
            result: ", ".join(o.stage.name for o in self.outcomes if o.result == result)
            for result in ("FAILED", "NOT RUN")
        }
        missing = f" NOT RUN: {names['NOT RUN']}." if names["NOT RUN"] else ""
        if not self.complete:
            missing += " INTERRUPTED before the end; everything that was started has been ended."
        if names["FAILED"]:
            return f"FAILED: {names['FAILED']}.{missing} {_minutes(seconds)}"
        return f"{'What ran passed.' if missing else 'All passed.'}{missing} {_minutes(seconds)}"


def _minutes(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line; ends the program with a sentence when it makes no sense."""
    parser = argparse.ArgumentParser(prog="make test", description="Check everything, or one part of it.")
    parser.add_argument("--ci", action="store_true", help="what could not run counts as failed; same examples always")
    parser.add_argument("--only", action="append", choices=GROUPS, help="run this group of stages; may be repeated")
    parser.add_argument("--list", action="store_true", help="say what the stages are and run nothing")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run what was asked for. Returns the exit status."""
    asked = arguments(words)
    workers = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    chosen = [stage for stage in stages(ci=asked.ci, workers=workers) if not asked.only or stage.group in asked.only]
    if asked.list:
        for stage in chosen:
            print(f"  --only {stage.group:<10}{stage.name:<12}{stage.does}")
        return 0
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    began, result = time.monotonic(), Run(asked.ci, complete=False)
    with ExitStack() as stack:
        stack.callback(lambda: _report(result, time.monotonic() - began))
        stack.enter_context(children.interruptible())
        children.adopt_orphans()
        for number, stage in enumerate(chosen, 1):
            print(f"\n── {number}/{len(chosen)} {stage.name}: {stage.does} ──", flush=True)
            result.outcomes.append(run(stage, clean_environment(os.environ)))
        result.complete = True
    return 1 if result.failed() else 0


def _report(result: Run, seconds: float) -> None:
    """Print the table and what a reader must not overlook. The last line says it all."""
    print(f"\n{result.table()}\n")
    tested = any("pytest" in outcome.stage.command for outcome in result.outcomes)
    if tested and not (place := shared_data(os.environ)).is_dir():
        print(f"TESTS ON THE LARGE REAL DATA WERE NOT RUN: no folder {place} ({SHARED_VARIABLE} names another).\n")
    print(result.last_line(seconds), flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
