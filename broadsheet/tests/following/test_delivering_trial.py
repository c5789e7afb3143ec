"""Real workers, a real server that misbehaves, and SIGKILL: everybody gets one mail, nobody two."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadsheet.testing.mail_trial import Trial

pytestmark = pytest.mark.process


def test_everybody_gets_one_mail_while_the_server_misbehaves_and_the_worker_is_killed(
    tmp_path: Path, repository: Path
) -> None:
    program = repository / "broadsheet" / "benchmarks" / "mail_instance.py"
    trial = Trial(program, tmp_path / "trial", number=200, share=0.15, scale=600.0)
    trial.run(kills=3, within_seconds=300)
    verdict = trial.verdict()
    assert len(trial.kills) == 3
    assert (verdict.got_two, verdict.strangers, verdict.unexplained) == (0, 0, 0)
    assert (verdict.wrongly_sent, verdict.wrongly_failed) == (0, 0)
    assert verdict.got_one + verdict.refused_for_good + verdict.doubtful_lost == verdict.confirmed == 200
    assert verdict.got_one >= 150
