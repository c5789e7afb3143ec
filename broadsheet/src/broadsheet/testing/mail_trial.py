"""Whether everybody gets a mail once, while the server misbehaves and the worker is killed.

A data folder is filled with an edition and its subscribers, real workers send to `mail_server`, and are killed in the
middle of it. Its journal tells at the end who has what. Filling and working is done by a program of its own,
`benchmarks/mail_instance.py`.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Of a hundred who confirmed, so many have an address that does not exist, and for each hundred there are so many more
# who did not confirm, who left, and whose address is blocked.
GONE, UNCONFIRMED, LEFT, BLOCKED = 1, 5, 3, 2


def people(number: int) -> Iterator[tuple[str, str]]:
    """Addresses and what they are. Nearly half are at one domain, and the rest at few or many, as in life."""
    chance = random.Random(7)  # noqa: S311  # invented people, no secret
    domains = ["large.example"] * 40 + ["post.example"] * 20 + [f"lab{each}.example" for each in range(40)]
    for each in range(number):
        name = f"reader{each}-gone" if each % 100 < GONE else f"reader{each}"
        yield f"{name}@{chance.choice(domains)}", "confirmed"
    for kind, share in (("unconfirmed", UNCONFIRMED), ("left", LEFT), ("blocked", BLOCKED)):
        for each in range(max(1, number * share // 100)):
            yield f"{kind}{each}@{chance.choice(domains)}", kind


# --- Sending and killing ----------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """An instance in a folder, and the server that its mail goes to.

    `program` fills the instance and works on it. `share` of the mails meet a fault, from 0 to 1.
    """

    program: Path
    folder: Path
    number: int
    share: float
    scale: float = 60.0
    connections: int = 4
    seed: int = 1
    kills: list[int] = field(default_factory=list)
    greatest_mb: float = 0.0
    seconds: float = 0.0
    cpu_seconds: dict[int, float] = field(default_factory=dict)
    _worker: subprocess.Popen[bytes] | None = None

    @property
    def journal(self) -> Path:
        """What the server wrote down."""
        return self.folder / "journal"

    @property
    def data(self) -> Path:
        """The data folder of the instance."""
        return self.folder / "data"

    def run(self, *, kills: int, within_seconds: float) -> None:
        """Fill the instance, have everything sent, and kill the worker so often on the way. Raises TimeoutError."""
        self.data.mkdir(parents=True)
        self.journal.touch()
        with self._server() as port:
            env = self._environment(port)
            subprocess.run([sys.executable, str(self.program), "fill", str(self.number)], env=env, check=True)  # noqa: S603  # our own program
            began = time.monotonic()
            try:
                self._send(env, self._moments(kills), began + within_seconds)
            finally:
                self.seconds = time.monotonic() - began
                self._end(signal.SIGTERM)

    def _moments(self, kills: int) -> list[int]:
        """After how many lines of the journal the worker is killed, each time."""
        chance = random.Random(self.seed)  # noqa: S311  # moments that can be had again, no secret
        return sorted(chance.randint(1, self.number * 9 // 10) for _ in range(kills))

    def _send(self, env: dict[str, str], moments: list[int], until: float) -> None:
        self._start(env)
        look_at = 0.0
        while time.monotonic() < until:
            time.sleep(0.02)
            self._measure()
            if moments and self._lines() >= moments[0]:
                moments.pop(0)
                self.kills.append(self._lines())
                self._end(signal.SIGKILL)
                self._start(env)
            if not moments and time.monotonic() > look_at:
                look_at = time.monotonic() + 0.5
                if self._settled():
                    return
        raise TimeoutError(f"After {self.seconds:.0f} s deliveries are still open: {self.states()}")

    def _start(self, env: dict[str, str]) -> None:
        command = [sys.executable, str(self.program), "worker", str(self.scale)]
        self._worker = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)  # noqa: S603  # our own program

    def _end(self, how: signal.Signals) -> None:
        if self._worker is not None:
            self._worker.send_signal(how)
            self._worker.wait(30)

    def _lines(self) -> int:
        return self.journal.read_bytes().count(b"\n")

    def _measure(self) -> None:
        """Keep the most memory that a worker held, and how long it has used a core."""
        pid = self._worker.pid if self._worker else 0
        try:
            said = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            times = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return
        self.cpu_seconds[pid] = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        for line in said.splitlines():
            if line.startswith("VmHWM:"):
                self.greatest_mb = max(self.greatest_mb, int(line.split()[1]) / 1000)

    def _settled(self) -> bool:
        states = self.states()
        return sum(states.values()) >= self.number and not states.keys() & {"waiting", "claimed", "handing"}

    @contextmanager
    def _server(self) -> Iterator[int]:
        command = [sys.executable, "-m", "broadsheet.testing.mail_server", str(self.journal), str(self.share)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: S603  # our own program
            try:
                assert server.stdout is not None
                yield int(server.stdout.readline())
            finally:
                server.kill()

    def _environment(self, port: int) -> dict[str, str]:
        """What the instance is told: nothing of this process's own settings."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("BROADSHEET_", "DJANGO_"))}
        ours: dict[str, Any] = {
            "data": self.data, "model": "none", "starter": "no", "allowed_hosts": "papers.example.org", "https": "yes",
            "mail_host": "127.0.0.1", "mail_port": port, "mail_tls": "none", "mail_from": "digest@papers.example.org",
            "mail_connections": self.connections, "mail_domain_rate": 0,
        }  # fmt: skip
        return kept | {f"BROADSHEET_{name.upper()}": str(value) for name, value in ours.items()}

    # --- What came of it ----------------------------------------------------------------------------------------------

    def _asked(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.data / 'broadsheet.sqlite3'}?mode=ro", uri=True)) as database:
            return database.execute(question).fetchall()

    def states(self) -> dict[str, int]:
        """How many deliveries stand where."""
        return dict(self._asked("SELECT state, COUNT(*) FROM following_delivery GROUP BY state"))

    def verdict(self) -> Verdict:
        """Who has what, by the server's journal, and how the outbox explains it."""
        taken: Counter[str] = Counter()
        for line in self.journal.read_text(encoding="utf-8").splitlines():
            what, address, _ = line.split("\t")
            taken[address] += what == "taken"
        taken = +taken
        known = dict(people(self.number))
        confirmed = {address for address, kind in known.items() if kind == "confirmed"}
        state_of = dict(
            self._asked(
                "SELECT address, state FROM following_delivery d JOIN following_subscription s ON s.id = "
                "d.subscription_id JOIN following_subscriber p ON p.id = s.subscriber_id"
            )
        )
        without = confirmed - taken.keys()
        doubtful = {address for address, state in state_of.items() if state == "doubtful"}
        return Verdict(
            confirmed=len(confirmed),
            got_one=sum(count == 1 for count in taken.values()),
            got_two=sum(count > 1 for count in taken.values()),
            strangers=len(taken.keys() - confirmed),
            refused_for_good=sum(state_of.get(address) in ("failed", "bounced") for address in without),
            doubtful_arrived=len(doubtful & taken.keys()),
            doubtful_lost=len(doubtful - taken.keys()),
            unexplained=sum(state_of.get(address) not in ("failed", "bounced", "doubtful") for address in without),
            wrongly_sent=sum(state == "sent" and address not in taken for address, state in state_of.items()),
            wrongly_failed=sum(state_of.get(address) in ("failed", "bounced") for address in taken),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who has what.

    `confirmed` is how many should get a mail; `got_one` did, `got_two` got more, `strangers` never confirmed, or left,
    or are blocked. Who got none was `refused_for_good`, or is among those whose mail is doubtful and was lost;
    `unexplained` are others. `wrongly_sent` did not arrive although the outbox says so, `wrongly_failed` did.
    """

    confirmed: int
    got_one: int
    got_two: int
    strangers: int
    refused_for_good: int
    doubtful_arrived: int
    doubtful_lost: int
    unexplained: int
    wrongly_sent: int
    wrongly_failed: int
