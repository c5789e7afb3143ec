"""What the ledger makes of faults: noticed or not, what is shown, what is lost, what lands on a wrong day.

`python bench_faults.py [--seed SEED] [--days DAYS] [--scale SHARE] [--only NAME]` lets instances of Broadsheet follow a
pretended arXiv over simulated days: one over DAYS days on which nothing goes wrong, one for each fault of
`broadsheet.testing.arxiv_scenarios`, one of full volume. What each says with a fault is compared with what an instance
says on the same days without it, by the rule of `broadsheet.testing.arxiv_verdict`. Beside that, four processes ask at
once, and the origin measures how often. SHARE is that of the works of a real list which the lists of the simulation
have.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import listing_days
import recording
from broadsheet.testing import arxiv_verdict
from broadsheet.testing.arxiv_calendar import Schedule
from broadsheet.testing.arxiv_scenarios import SCENARIOS, named

SECTIONS = ("cs.AI", "cs.CL", "cs.CV")
# The clean run follows a whole archive too, whose lists have rules of their own.
CLEAN_SECTIONS = ("cs", "stat.ML")
# Days of lists before the first one that is followed, so that there is something to replace and to cross-list.
HISTORY = timedelta(days=21)
# How long an instance runs before its fault, and after it.
BEFORE, AFTER = timedelta(days=3), timedelta(days=5)
CLEAN_FIRST = date(2026, 2, 4)
FULL_FIRST, FULL_DAYS = date(2026, 5, 11), 5
# Records in a page of OAI-PMH, for lists of full length.
PAGE = 1000
# After how many hours a list must be known to be complete when nothing goes wrong.
GRACE = timedelta(hours=12)
_PROCESSES, _INTERVAL, _REQUESTS = 4, 0.3, 12


def main(arguments: argparse.Namespace) -> None:
    """Run everything, two instances at a time, print the table, and write the record."""
    corpus.require()
    began = time.monotonic()
    chosen = [scenario for scenario in SCENARIOS if not arguments.only or arguments.only in scenario.name]
    names = [scenario.name for scenario in chosen]
    calm = sorted({_calm_job(scenario) for scenario in chosen if not scenario.harmless})
    first = [*([] if arguments.only else ["clean", "full"]), *calm]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        for name, scale in (("lists", arguments.scale), ("full", 1.0)):
            listing_days.save(listing_days.sampled(seed=arguments.seed, scale=scale), Path(folder, name))
        rows = {}
        # What is said without faults comes first: the others are compared with it.
        for jobs in (first, names):
            rows |= zip(jobs, pool.map(lambda job: _child(job, Path(folder), arguments), jobs), strict=True)
    figures = {"seed": arguments.seed, "scale": arguments.scale, "sections": " ".join(SECTIONS)}
    figures |= {name: rows[job] for job, name in (("clean", "clean"), ("full", "full_volume")) if job in rows}
    faults = [rows[name] for name in names]
    figures |= {"faults": faults, "summary": _summary(faults)}
    if not arguments.only:
        figures["four_processes"] = _rate()
    figures["seconds"] = round(time.monotonic() - began)
    _print(figures)
    if arguments.only:
        print(json.dumps(figures))
    else:
        recording.write("faults", figures)


def _calm_job(scenario: Any) -> str:
    """The name of the run over the days of a scenario without what goes wrong in it."""
    first, last = _days(scenario)
    return f"calm {first} {last}"


def _days(scenario: Any) -> tuple[date, date]:
    """The first and the last day of a scenario's run."""
    start, end = scenario.span()
    return (start - BEFORE).date(), (end + AFTER).date()


def _child(job: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """One instance in a process and a folder of its own; what it found. `folder` has the lists and what others said."""
    clean = job in ("clean", "full")
    sections = CLEAN_SECTIONS if clean else SECTIONS
    command = [sys.executable, __file__, "--seed", str(arguments.seed), "--days", str(arguments.days), "--job", job]
    with tempfile.TemporaryDirectory() as data:
        environment = {
            **os.environ,
            "BROADSHEET_DATA": data,
            "BROADSHEET_STARTER": "no",
            "BROADSHEET_HARVEST": f"arxiv:{'+'.join(sections)}",
            "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings",
        }
        command += ["--lists", str(folder / ("full" if job == "full" else "lists")), "--folder", str(folder)]
        command += ["--scale", str(1.0 if job == "full" else arguments.scale)]
        found = subprocess.run(command, env=environment, capture_output=True, check=False)
    lines = found.stdout.decode().splitlines()
    if found.returncode or not lines:
        print(found.stderr.decode()[-3000:], file=sys.stderr)
        return {"fault": job, "ended": f"status {found.returncode}"}
    result: dict[str, Any] = json.loads(lines[-1])
    shown = ("noticed", "untrue", "lost", "wrong_day", "false_alarm_days", "seconds")
    print(
        f"  {job}: {json.dumps({name: result[name] for name in shown if name in result})}", file=sys.stderr, flush=True
    )
    return result


def _job(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run one instance in this process."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.monotonic()
    if arguments.job == "clean":
        result = _clean(CLEAN_FIRST, CLEAN_FIRST + timedelta(days=arguments.days - 1), arguments)
    elif arguments.job == "full":
        result = _clean(FULL_FIRST, FULL_FIRST + timedelta(days=FULL_DAYS - 1), arguments)
    elif arguments.job.startswith("calm "):
        result = _calm(arguments)
    else:
        result = _fault(named(arguments.job), arguments)
    return {**result, "seconds": round(time.monotonic() - began, 1)}


def _trial(first: date, last: date, sections: Sequence[str], arguments: argparse.Namespace, scenario: Any) -> Any:
    """An instance that followed the lists from `first` to `last`."""
    from broadsheet.testing.arxiv import Arxiv
    from broadsheet.testing.arxiv_trial import WATCHED_DAYS, Trial

    schedule = scenario.calendar() if scenario else None
    lists = listing_days.load(arguments.lists)
    history = listing_days.history(lists, first - HISTORY, last, seed=arguments.seed, schedule=schedule)
    faults = scenario.faults() if scenario else []
    page = max(10, round(PAGE * arguments.scale / 10)) if scenario else max(50, round(PAGE * arguments.scale))
    world = Arxiv(history, history.schedule.announced_at(first), page, faults)
    folder = Path(os.environ["BROADSHEET_DATA"])
    # What a fault did is looked at to the end; so are the same days without it.
    watched = WATCHED_DAYS if sections == CLEAN_SECTIONS else (last - first).days + 1
    with Trial(world, folder, sections, first, last, scenario, arguments.seed, watched=watched) as trial:
        trial.run()
        return trial, trial.outcome()


def _clean(first: date, last: date, arguments: argparse.Namespace) -> dict[str, Any]:
    """What is said on days on which nothing goes wrong."""
    trial, outcome = _trial(first, last, CLEAN_SECTIONS, arguments, None)
    schedule = trial.world.history.schedule
    alarms: dict[date, str] = {}
    for seen in trial.seen:
        if reason := _alarm(seen, schedule):
            alarms.setdefault(seen.day, f"{seen.at:%m-%d %H:%M}: {reason}")
    lists = list(schedule.days(first, last))
    return {
        "first": first.isoformat(),
        "days": (last - first).days + 1,
        "lists": len(lists),
        "works_announced": outcome.announced,
        "works_per_list": round(outcome.announced / len(lists)),
        "lost": len(outcome.lost),
        "wrong_day": len(outcome.misplaced),
        "false_alarm_days": len(alarms),
        "false_alarms": [f"{day}: {reason}" for day, reason in sorted(alarms.items())][:20],
        "turns": len({seen.at for seen in trial.seen}),
        "requests": len(trial.origin.requests),
        "hours_until_complete": _hours_until_complete(trial.seen, schedule, lists),
        "examples": {"lost": outcome.lost[:5], "wrong_day": outcome.misplaced[:5]},
    }


def _alarm(seen: Any, schedule: Any) -> str:
    """Why what was said of a day on which nothing went wrong is a false alarm, or worse; empty when it is neither."""
    if seen.lie:
        return f"{seen.state}, which is not true: {seen.held} of {seen.announced}"
    if seen.said is not None and seen.said.failed:
        return seen.said.failed[0]
    if seen.state in ("incomplete", "source-down"):
        return f"{seen.state}: {seen.said.reason}"
    due = schedule.announced_at(seen.day) + timedelta(hours=4) + GRACE
    if not seen.calm and seen.at >= due:
        return f"{seen.state} after {GRACE}: {seen.said.reason if seen.said else ''}"
    return ""


def _hours_until_complete(seen: Iterable[Any], schedule: Any, lists: Iterable[date]) -> dict[str, float]:
    """Hours from the moment at which a list comes out to the first turn at which it is known to be complete."""
    first: dict[date, float] = {}
    for one in seen:
        if one.calm and one.announced:
            first.setdefault(one.day, (one.at - schedule.announced_at(one.day)).total_seconds() / 3600)
    return recording.percentiles([first[day] for day in lists if day in first])


def _calm(arguments: argparse.Namespace) -> dict[str, Any]:
    """Keep what is said on some days without faults, for the runs with them."""
    first, last = map(date.fromisoformat, arguments.job.split()[1:])
    trial, _ = _trial(first, last, SECTIONS, arguments, None)
    (arguments.folder / arguments.job).write_text(arxiv_verdict.written(trial.moments()))
    return {}


def _fault(scenario: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """What is said while a fault lasts, and what is left of it afterwards."""
    trial, outcome = _trial(*_days(scenario), SECTIONS, arguments, scenario)
    if scenario.harmless:
        alarms = [reason for seen in trial.seen if (reason := _alarm(seen, trial.world.history.schedule))]
        said = {"noticed": "false alarm" if alarms else "no alarm", "sentence": next(iter(alarms), "")}
    else:
        calm = arxiv_verdict.read((arguments.folder / _calm_job(scenario)).read_text())
        said = asdict(arxiv_verdict.verdict(trial.met(), trial.moments(), calm))
    return {"fault": scenario.name, **said, **_outcome(scenario, trial, outcome)}


def _outcome(scenario: Any, trial: Any, outcome: Any) -> dict[str, Any]:
    start, end = scenario.span()
    hit = {seen.day for seen in trial.seen if start <= Schedule().announced_at(seen.day) < end}
    of_hit = [seen for seen in trial.seen if seen.day in hit]
    during = [seen for seen in of_hit if start <= seen.at < end]
    healed = arxiv_verdict.healed_at(trial.moments(), [day.isoformat() for day in hit], since=end)
    bad = {day.isoformat(): state for day, state in outcome.states.items() if state not in ("complete", "empty")}
    return {
        "served": len(trial.world.served),
        "states": _states(during or of_hit),
        "untrue": sum(seen.lie for seen in trial.seen),
        "lost": len(outcome.lost),
        "wrong_day": len(outcome.misplaced),
        "hours_to_heal": None if healed is None else round((healed - end).total_seconds() / 3600, 1),
        "not_complete_at_the_end": bad,
        "works": outcome.announced,
        "examples": {"lost": outcome.lost[:5], "wrong_day": outcome.misplaced[:5]},
    }


def _states(seen: Sequence[Any]) -> list[str]:
    """The states of the first list that was hit, in their order, without repetitions."""
    states: list[str] = []
    for one in (one for one in seen if one.day == seen[0].day):
        state = one.state + ("*" if one.said is not None and one.said.failed else "")
        if not states or states[-1] != state:
            states.append(state)
    return states


def _summary(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    found = list(rows)
    return {
        "faults": len(found),
        "ended_early": sum("ended" in row for row in found),
        "noticed": sum(row.get("noticed") in ("edition", "source", "log") for row in found),
        "harmless": sum(row.get("noticed") == "harmless" for row in found),
        "calendar_without_alarm": sum(row.get("noticed") == "no alarm" for row in found),
        "not_noticed": sum(row.get("noticed") in ("no", "not met", "false alarm") for row in found),
        "untrue_statements": sum(row.get("untrue", 0) for row in found),
        "lost": sum(row.get("lost", 0) for row in found),
        "wrong_day": sum(row.get("wrong_day", 0) for row in found),
        "not_healed": sum(row.get("hours_to_heal", 0) is None for row in found),
    }


def _print(figures: dict[str, Any]) -> None:
    head = ("fault", "noticed", "after", "states (* a check failed)", "untrue", "lost", "wrong day", "healed after")
    lines = [head]
    for row in figures["faults"]:
        if "ended" in row:
            lines.append((row["fault"], row["ended"], *[""] * 6))
            continue
        hours = row["hours_to_heal"]
        states = ", ".join(row["states"])
        said = "" if row.get("hours") is None else f"{row['hours']:g} h"
        counts = (str(row["untrue"]), str(row["lost"]), str(row["wrong_day"]))
        lines.append(
            (row["fault"], row["noticed"], said, states, *counts, "never" if hours is None else f"{hours:g} h")
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    for name in ("clean", "full_volume"):
        if name in figures:
            print(f"\n{name}: {json.dumps(figures[name])}")
    print(f"\nsummary: {json.dumps(figures['summary'])}")
    if "four_processes" in figures:
        print(f"four processes: {json.dumps(figures['four_processes'])}")


# --- How often the origin is asked -----------------------------------------------------------------------------------


def _rate() -> dict[str, Any]:
    """Four processes harvest at once, a hundred times faster than is allowed; what the origin saw."""
    from broadsheet.testing.arxiv import Arxiv
    from broadsheet.testing.arxiv_history import invented
    from broadsheet.testing.origin import Origin

    history = invented(date(2026, 3, 2), date(2026, 3, 27), seed=1, per_day=40)
    world = Arxiv(history, history.schedule.announced_at(date(2026, 3, 28) - timedelta(days=1)), page_size=20)
    with Origin(world) as origin, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--job", "ask", "--folder", folder, "--url", origin.url]
        asking = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(_PROCESSES)]
        statuses = [process.wait() for process in asking]
    times = sorted(request.at for request in origin.requests)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return {
        "processes": _PROCESSES,
        "failed": sum(map(bool, statuses)),
        "allowed_interval_s": _INTERVAL,
        "requests": len(times),
        "shortest_interval_s": round(min(gaps), 4),
        "median_interval_s": round(sorted(gaps)[len(gaps) // 2], 4),
        "most_at_once": origin.most_at_once,
        "too_early": sum(gap < _INTERVAL for gap in gaps),
    }


def _ask(folder: Path, url: str) -> None:
    """Harvest page after page, as one of several processes."""
    from broadsheet.sources.origins.arxiv_oai import ArxivOai
    from broadsheet.testing.arxiv_client import client_of

    client = client_of(folder, url, [datetime.now(UTC)], interval=_INTERVAL)
    for _ in islice(ArxivOai().pages(client, set_name="cs", cursor="", since=date(2026, 3, 2)), _REQUESTS):
        pass


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what the ledger makes of faults.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=250)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--only", default="", help="run the faults only whose names contain this")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--lists", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    if given.job == "ask":
        _ask(given.folder, given.url)
    elif given.job:
        print(json.dumps(_job(given)))
    else:
        main(given)
