"""`broadsheet up`: everything that an instance needs, under one process."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import time

import click

from broadsheet import links
from broadsheet.cli import listening
from broadsheet.cli.failure import Failure
from broadsheet.cli.supervisor import Child, Supervisor, ending
from broadsheet.config import folder, options
from broadsheet.config.options import Configuration

ANSWER_WITHIN = 60.0  # seconds from the start of the web process to its first answer
MENDED_WITHIN = 10.0  # seconds from an answer that is an error to one that is none


def up() -> None:
    """Start web and worker and keep them running until SIGTERM, SIGINT or SIGHUP.

    Raises Failure, or FolderError, before anything was started or written when the host, the port or the folder
    cannot be used; raises Failure after ending everything when a part does not start.
    """
    configuration = options.load()
    listening.refuse_exposure(configuration)
    _refuse_second(configuration)
    with listening.listen(configuration.host, configuration.port) as opened:
        folder.make(configuration.data)
        with folder.lock(configuration.data, folder.UP_LOCK, taken=_running(configuration, "")) as path:
            address = listening.address_of(opened, configuration.allowed_hosts)
            path.write_text(f"{address} process {os.getpid()}\n", encoding="utf-8")
            _supervise(configuration, opened, address)


def _refuse_second(configuration: Configuration) -> None:
    """Raise Failure when this folder is served already; said before the port is tried, which would be busy too."""
    if (running := folder.holder(configuration.data, folder.UP_LOCK)) is not None:
        raise Failure(_running(configuration, running))


def _running(configuration: Configuration, running: str) -> str:
    where = f" at {running}" if running else ""
    return (
        f"Broadsheet already runs on {configuration.data}{where}. Stop that one first, or name another folder with "
        "--data. Nothing was started."
    )


def _supervise(configuration: Configuration, opened: socket.socket, address: str) -> None:
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    supervisor = Supervisor(_say)
    with supervisor.listening():
        # The web process loads while the worker prepares the folder, and waits to be let go before it serves.
        python = [sys.executable, "-P", "-m"]
        life = f"--lifeline={supervisor.lifeline}"
        web = [*python, "broadsheet.cli.web", life, f"--socket={opened.fileno()}", f"--go={go_read}"]
        work = [*python, "broadsheet.cli.worker", life, f"--ready={ready_write}"]
        try:
            supervisor.start(Child("worker", work, [ready_write]))
            supervisor.start(Child("web server", web, [opened.fileno(), go_read]))
            if _becomes_ready(supervisor, ready_read):
                os.close(go_write)
                if _answers(supervisor, opened):
                    _say(f"Broadsheet is at {address}  (Ctrl-C ends it; everything is kept in {configuration.data})")
            supervisor.keep_running()
            _say("Stopping.")
        finally:
            supervisor.stop()


def _say(sentence: str) -> None:
    click.echo(sentence)
    sys.stdout.flush()


def _fail_on_end(supervisor: Supervisor) -> None:
    for child, status in supervisor.ended():
        raise Failure(f"Broadsheet did not start: the {child.title} ended ({ending(status)}). What it said is above.")


def _becomes_ready(supervisor: Supervisor, ready: int) -> bool:
    """Wait until the worker has prepared everything; False when told to stop. Raises Failure when a child ends."""
    while not supervisor.stopping():
        if ready in supervisor.wait(ready) and os.read(ready, 16):
            return True
        _fail_on_end(supervisor)
    return False


def _answers(supervisor: Supervisor, opened: socket.socket) -> bool:
    """Ask the web server for its health until it answers; False when told to stop. Raises Failure when it does not."""
    deadline = time.monotonic() + ANSWER_WITHIN
    answer, pause = b"", 0.1
    while not supervisor.stopping() and time.monotonic() < deadline:
        with _ask(opened) as asked:
            while not supervisor.stopping() and time.monotonic() < deadline:
                _fail_on_end(supervisor)
                if asked.fileno() in supervisor.wait(asked.fileno(), timeout=0.5):
                    answer = asked.recv(64)
                    break
        if answer.startswith(b"HTTP/1.1 ") and answer[9:10] in b"234":
            return True
        if answer:
            deadline = min(deadline, time.monotonic() + MENDED_WITHIN)
        supervisor.wait(timeout=pause)
        pause = min(5.0, 2 * pause)
    if not supervisor.stopping():
        said = f"its last answer was {answer[:12].decode(errors='replace')!r}" if answer else "it did not answer"
        raise Failure(f"The web server was started, but {said}. What it said is above. Everything was stopped.")
    return False


def _ask(opened: socket.socket) -> socket.socket:
    """A connection to the listening socket with a request on its way. Connecting never waits: the kernel accepts."""
    host, port = opened.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if opened.family == socket.AF_INET6 else "127.0.0.1"
    asked = socket.create_connection((host, port), timeout=5)
    asked.sendall(f"GET {links.HEALTH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return asked
