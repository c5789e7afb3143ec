"""A PostgreSQL server for one test run: made in a temporary folder, gone with everything in it at the end.

`python scripts/postgres.py -- COMMAND…` runs the command with DATABASE_URL set. The server listens only on a Unix
socket in a folder that nobody else can enter. Nothing survives a power cut, which is why it is fast.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import children
import debian

# Debian's is called after its version, and the meta package picks the one of the release (15 in Debian 12).
PACKAGES = ("postgresql",)
DEBIAN_FOLDERS = Path("/usr/lib/postgresql")
# Read by Debian's pg_createcluster: keeps the package from making, and therefore from starting, a server of its own.
CLUSTER_CONFIGURATION = Path("/etc/postgresql-common/createcluster.d/broadsheet-tests.conf")
START_SECONDS = 60
SOCKET_NAME_LIMIT = 107  # bytes of a Unix socket's path, sun_path in unix(7)

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_parallel_workers_per_gather": "0",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True)
class Installation:
    """PostgreSQL's programs: their folder, how it was found (for people), the version they print."""

    folder: Path
    how: str
    version: str


def candidates(environment: Mapping[str, str], debian_folders: Path = DEBIAN_FOLDERS) -> list[tuple[Path, str]]:
    """Folders that hold both `initdb` and `postgres`, newest first, each with how it was found; may be empty."""

    def complete(folder: Path) -> bool:
        return all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres"))

    def newest(folder: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())

    packaged = sorted(debian_folders.glob("*/bin"), key=newest, reverse=True)
    found = [(folder, "Debian's") for folder in packaged if complete(folder)]
    if program := shutil.which("initdb", path=environment.get("PATH", os.defpath)):
        folder = Path(program).resolve().parent
        if complete(folder) and folder not in [path for path, _how in found]:
            found.append((folder, "found in PATH"))
    return found


def find(environment: Mapping[str, str]) -> Installation | None:
    """The newest PostgreSQL here that runs, or None. Installs nothing."""
    for folder, how in candidates(environment):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
            return Installation(folder, how, version.stdout.strip())
    return None


def obtain(environment: Mapping[str, str]) -> Installation:
    """A PostgreSQL that runs, installed now if need be. Raises Unavailable with a sentence when there is no way."""
    if installation := find(environment):
        return installation
    here = debian.machine()
    if sentence := debian.refusal(here, PACKAGES):
        raise debian.Unavailable(sentence)
    with _without_a_system_server(CLUSTER_CONFIGURATION):
        debian.install(here, PACKAGES)
    if installation := find(environment):
        return Installation(installation.folder, "Debian's, just installed", installation.version)
    raise debian.Unavailable(f"Debian's postgresql was installed, but its programs are not below {DEBIAN_FOLDERS}.")


@contextlib.contextmanager
def _without_a_system_server(configuration: Path) -> Iterator[None]:
    """While the package is being installed, tell it not to make a server of its own."""
    try:
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text("create_main_cluster = false\n", encoding="ascii")
    except OSError as error:
        raise debian.Unavailable(f"{configuration} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        configuration.unlink(missing_ok=True)


def _owner() -> pwd.struct_passwd | None:
    """Who the server runs as. PostgreSQL refuses root, so root lends it another user; everybody else runs their own."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise debian.Unavailable("PostgreSQL refuses to run as root, and this machine has neither postgres nor nobody.")


def _start(
    arguments: list[str | Path], owner: pwd.struct_passwd | None, folder: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL in its own session as `owner`, its words going to `log`."""
    with log.open("ab") as words:
        return subprocess.Popen(
            arguments,
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
            start_new_session=True,
            preexec_fn=children.dies_with_us(signal.SIGQUIT),  # noqa: PLW1509  we have no threads
        )


def _failed(what: str, log: Path) -> debian.Unavailable:
    last = "\n    ".join(log.read_text(errors="replace").strip().splitlines()[-6:])
    return debian.Unavailable(f"PostgreSQL {what}. Its last words:\n    {last}")


def _make(arguments: list[str | Path], owner: pwd.struct_passwd | None, folder: Path, log: Path) -> None:
    """Run initdb to its end; when we are interrupted, it is ended too."""
    initdb = _start(arguments, owner, folder, log)
    try:
        if initdb.wait():
            raise _failed("could not make its folder", log)
    finally:
        if initdb.poll() is None:
            _stop(initdb)


def _wait_until_ready(server: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """postmaster.pid's eighth line says "ready" when the server takes connections (pidfile.h of PostgreSQL)."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise _failed(f"ended with status {server.returncode} when it should have started", log)
        with contextlib.suppress(OSError, IndexError):
            if (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready":
                return
        time.sleep(0.05)
    raise _failed(f"did not start within {START_SECONDS} seconds", log)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """SIGQUIT: end at once, nothing in there is worth a flush. https://www.postgresql.org/docs/15/server-shutdown.html"""
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(signal.SIGQUIT)
    try:
        server.wait(children.POLITE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@dataclass(frozen=True)
class Server:
    """A running server: the DATABASE_URL that leads to it, and its process number."""

    url: str
    pid: int

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with DATABASE_URL, and without the variables by which libpq would go to another server (PGPORT …)."""
        return {name: value for name, value in base.items() if not name.startswith("PG")} | {"DATABASE_URL": self.url}


@contextlib.contextmanager
def serving(installation: Installation) -> Iterator[Server]:
    """Inside, a fresh empty server runs. Afterwards server and files are gone, whatever happened.

    Raises Unavailable, with the server's last words, when it cannot be made or started.
    """
    owner = _owner()
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-postgres-"))
    try:
        data, log = folder / "data", folder / "log"
        if len(os.fsencode(folder / ".s.PGSQL.5432")) > SOCKET_NAME_LIMIT:
            raise debian.Unavailable(f"The temporary folder {folder} has too long a name for a socket; set TMPDIR.")
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        make: list[str | Path] = [installation.folder / "initdb", "--pgdata", data, "--username=broadsheet"]
        make += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _make(make, owner, folder, log)
        arguments: list[str | Path] = [installation.folder / "postgres", "-D", data, "-k", folder]
        for name, value in _SETTINGS.items():
            arguments += ["-c", f"{name}={value}"]
        server = _start(arguments, owner, folder, log)
        try:
            _wait_until_ready(server, data, log)
            yield Server(f"postgresql://broadsheet@/postgres?host={quote(str(folder), safe='')}", server.pid)
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Run a command with DATABASE_URL set and return its exit status; 1 when there is no PostgreSQL."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print("Say what to run: python scripts/postgres.py -- COMMAND…", file=sys.stderr)
        return 2
    try:
        with children.interruptible():
            installation = obtain(os.environ)
            print(f"· {installation.version} ({installation.how})", file=sys.stderr, flush=True)
            with serving(installation) as server:
                return children.run(command, server.environment(os.environ), Path.cwd(), frozenset({server.pid}))
    except debian.Unavailable as error:
        print(f"No PostgreSQL here. {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return 127
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
