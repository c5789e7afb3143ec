"""The socket that readers connect to, opened before anything is written so that a busy port costs nothing."""

from __future__ import annotations

import errno
import ipaddress
import socket

from broadsheet.cli.failure import Failure
from broadsheet.config.hosts import is_loopback
from broadsheet.config.options import Configuration

BACKLOG = 512


def refuse_exposure(configuration: Configuration) -> None:
    """Raise Failure when others could reach this instance although it has no accounts, or by names nobody allowed."""
    host, names = configuration.host, configuration.allowed_hosts
    if not configuration.accounts and not (is_loopback(host) and not names):
        how = f"Listening on {host}" if not is_loopback(host) else f"Answering to {', '.join(names)}"
        raise Failure(
            f"{how} shows this instance to other machines, and without accounts it belongs to whoever asks. Turn "
            "accounts on: BROADSHEET_ACCOUNTS=yes BROADSHEET_ALLOWED_HOSTS=papers.example.org broadsheet up "
            f"--host {host}, and make yourself its operator: broadsheet person add NAME MAIL --role operator. To use "
            "it on this machine only, leave BROADSHEET_HOST and BROADSHEET_ALLOWED_HOSTS away. Nothing was started."
        )
    if is_loopback(host) or names:
        return
    raise Failure(
        f"Listening on {host} shows this instance to other machines. Say by which names they reach it: "
        f"BROADSHEET_ALLOWED_HOSTS=papers.example.org broadsheet up --host {host}. To use it on this machine only, "
        "leave --host away. Nothing was started."
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on that address; its descriptor can be inherited. Raises Failure with a sentence."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Failure(
            f"{host} is neither an address nor a name of this machine. Write for example --host 127.0.0.1. "
            "Nothing was started."
        ) from error
    family, kind, protocol, _, address = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise Failure(_refusal(error, host, port)) from error
    return opened


def _refusal(error: OSError, host: str, port: int) -> str:
    """The sentence for a socket that could not be opened."""
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return (
            f"Port {port} of {host} is in use by another program. Stop that, or take another port: "
            f"broadsheet up --port {other}. Nothing was started or written."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Write for example --host 127.0.0.1. Nothing was started."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"This user may not listen on port {port}. Take one above 1023, for example --port 8000."
    return f"Listening on port {port} of {host} failed: {error.strerror}. Nothing was started."


def address_of(opened: socket.socket, allowed_hosts: tuple[str, ...] = ()) -> str:
    """The address to type into a browser, for example http://127.0.0.1:8000/."""
    host, port = opened.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        named = [name for name in allowed_hosts if name.strip("*.[]")]
        host = named[0].lstrip(".") if named else "localhost"
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}/" if port == 80 else f"http://{host}:{port}/"
