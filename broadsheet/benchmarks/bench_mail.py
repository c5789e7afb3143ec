"""Exactly once: many readers, a mail server that misbehaves, and a worker that is killed.

`python bench_mail.py [--subscribers 20000] [--kills 10] [--share 0.1] [--folder FOLDER]`

A fresh instance has an edition, which is closed, and so many readers who confirmed; others did not, left, or are
blocked. Real workers send to a real mail server on this machine, which refuses for now and for good, delays, and hangs
up before, inside and after the content, for a share of the mails. The worker is killed (signal 9) in the middle of it,
again and again, and started anew. Who has what is read from the server's own journal, which it writes before it
replies. Waits between attempts are a sixtieth of the real ones.

Then the same without faults and kills, for the mails in a second.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import recording
from broadsheet.testing.mail_server import Fault
from broadsheet.testing.mail_trial import Trial

PROGRAM = Path(__file__).with_name("mail_instance.py")


def main(said: argparse.Namespace) -> None:
    """Both runs, and the record."""
    with tempfile.TemporaryDirectory(prefix="bench-mail.", dir=said.folder) as name:
        folder = Path(name)
        faulty = Trial(PROGRAM, folder / "faulty", said.subscribers, said.share)
        figures: dict[str, Any] = {"subscribers": said.subscribers, "connections": faulty.connections}
        figures["faulty"] = measured(faulty, said.kills, said.minutes * 60) | {
            "share_of_faults": said.share,
            "kinds_of_faults": len(Fault),
            "killed_after": faulty.kills,
        }
        print(figures["faulty"], flush=True)
        figures["clean"] = measured(Trial(PROGRAM, folder / "clean", said.subscribers, 0.0), 0, said.minutes * 60)
        recording.write("mail", figures)
    wrong = figures["faulty"]
    if wrong["got_two"] or wrong["strangers"] or wrong["unexplained"]:
        sys.exit("Somebody got two mails, or one that was not for them, or none without a reason.")


def measured(trial: Trial, kills: int, within_seconds: float) -> dict[str, Any]:
    """What came of a run."""
    trial.run(kills=kills, within_seconds=within_seconds)
    verdict = trial.verdict()
    return asdict(verdict) | {
        "kills": len(trial.kills),
        "seconds": round(trial.seconds, 1),
        "mails_per_s": round(verdict.got_one / trial.seconds, 1),
        "cpu_ms_a_mail": round(1000 * sum(trial.cpu_seconds.values()) / verdict.got_one, 2),
        "worker_peak_mb": round(trial.greatest_mb, 1),
        "states": trial.states(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    main(parser.parse_args())
