"""`broadsheet check-mail`: whether mail of this instance will arrive, asked before anybody misses it."""

from __future__ import annotations

import json
import secrets
import socket
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import format_datetime
from ipaddress import ip_address

import click

from broadsheet.cli.failure import Failure
from broadsheet.cli.mail_server import server, signs_with
from broadsheet.config import options
from broadsheet.config.options import Configuration, SettingsError
from broadsheet.fetching.addresses import closed
from broadsheet.mailing import dns, message, signing
from broadsheet.mailing.dns import Finding, Resolver, Verdict
from broadsheet.mailing.outcomes import Accepted, Letter, Line, Unavailable

# How long the mail server may take for one step, in seconds.
_PATIENCE = 15.0
_NO_PROVIDER = "none"


def check_mail(*, to: str, sending: tuple[str, ...], as_json: bool) -> None:
    """Print what each check found and what to do; exits with status 1 when something is to be mended.

    `to` is where a mail of trial goes, or empty; `sending` are the addresses from which mail reaches others. Raises
    Failure for settings that cannot be read, and for what is no address.
    """
    try:
        configuration = options.load()
    except SettingsError as error:
        raise Failure(f"{error}\nRun `broadsheet check-mail` again when the settings can be read.") from error
    found = look(configuration, to=_recipient(to), sending=_networks(sending), resolver=dns.System())
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False))
    else:
        for each in found:
            click.echo(f"{each.verdict:<9}  {each.check}: {each.said}")
            if each.do:
                click.echo(f"           {each.do}")
    if any(each.verdict is Verdict.MEND for each in found):
        sys.exit(1)


def look(configuration: Configuration, *, to: str, sending: list[str], resolver: Resolver) -> list[Finding]:
    """What every check found, in the order in which one mends things."""
    found = [_settings(configuration)]
    if found[0].verdict is Verdict.MEND:
        return found
    key, signature = _key(configuration)
    found += [_public(configuration), signature]
    if configuration.mail_provider == _NO_PROVIDER:
        found += _server(configuration, key, to)
    elif to:
        said = "No mail of trial was sent: with a provider, subscribe to a digest yourself."
        found.append(Finding("mail of trial", Verdict.UNKNOWN, said))
    return found + _names(configuration, key, sending, resolver)


def _recipient(to: str) -> str:
    """The address of the mail of trial. Raises Failure."""
    if to and (not to.isascii() or not to.isprintable() or " " in to or to.count("@") != 1):
        raise Failure(f"{to!r} is no mail address. Nothing was sent.")
    return to


def _networks(sending: tuple[str, ...]) -> list[str]:
    """The addresses of the network as such. Raises Failure."""
    try:
        return [str(ip_address(each)) for each in sending]
    except ValueError as error:
        raise Failure(f"{error}. Write for example --sending 192.0.2.7") from error


def _settings(configuration: Configuration) -> Finding:
    wanted = ["mail_from", "mail_host", *([] if configuration.mail_provider == _NO_PROVIDER else ["mail_provider_key"])]
    missing = [name for name in wanted if not getattr(configuration, name)]
    if missing:
        names = " and ".join(f"BROADSHEET_{name.upper()}" for name in missing)
        return Finding("settings", Verdict.MEND, "Mail is not set up, so none is sent.", f"Set {names}.")
    if configuration.mail_provider != _NO_PROVIDER:
        return Finding("settings", Verdict.OK, f"Mail goes out by {configuration.mail_provider}.")
    if not configuration.mail_bounces:
        said = f"Mail goes out by {configuration.mail_host}; what comes back goes to {configuration.mail_from} unread."
        do = "Set BROADSHEET_MAIL_BOUNCES, so that addresses that do not exist are struck off."
        return Finding("settings", Verdict.OK, said, do)
    said = f"Mail goes out by {configuration.mail_host}; what comes back goes to {configuration.mail_bounces}."
    return Finding("settings", Verdict.OK, said)


def _public(configuration: Configuration) -> Finding:
    """RFC 8058 wants an address of https for leaving in one click."""
    address = configuration.address
    if not address.startswith("https://"):
        said = f"Links in mails lead to {address}. Providers want https for leaving a list in one click (RFC 8058)."
        do = "Serve over https: set BROADSHEET_HTTPS=yes and BROADSHEET_ALLOWED_HOSTS to your name."
        return Finding("address", Verdict.MEND, said, do)
    if address == "https://localhost":
        said = "Links in mails lead to this machine only: no name of it is set."
        return Finding("address", Verdict.MEND, said, "Set BROADSHEET_ALLOWED_HOSTS to your name.")
    return Finding("address", Verdict.OK, f"Links in mails lead to {address}.")


def _key(configuration: Configuration) -> tuple[signing.Key | None, Finding]:
    path = configuration.mail_dkim_key
    if path is None:
        said = "Mail is not signed here. The mail server or provider may sign it; what it signs with is not checked."
        do = "If it does not, make a key with `openssl genrsa -out dkim.pem 2048` and set BROADSHEET_MAIL_DKIM_KEY."
        return None, Finding("key", Verdict.UNKNOWN, said, do)
    try:
        with path.open("rb") as stream:
            key = signing.read_key(stream.read(100_000))
    except OSError as error:
        said = f"The key {path} cannot be read: {error.strerror}."
        return None, Finding("key", Verdict.MEND, said, "Name a file in BROADSHEET_MAIL_DKIM_KEY that we may read.")
    except signing.UnusableKey as error:
        return None, Finding("key", Verdict.MEND, str(error))
    return key, Finding("key", Verdict.OK, f"Mail is signed with {path.name}, {key.algorithm}.")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _server(configuration: Configuration, key: signing.Key | None, to: str) -> list[Finding]:
    """Whether the server answers, can be trusted and knows us; and a mail of trial, if one is wanted."""
    try:
        line = server(configuration, signs_with(key, configuration), timeout_seconds=_PATIENCE).open()
    except Unavailable as error:
        do = (
            "Look at BROADSHEET_MAIL_HOST, _PORT, _TLS, _USER and _PASSWORD, and whether this machine may go out there."
        )
        return [Finding("server", Verdict.MEND, error.sentence, do)]
    try:
        return [_reached(configuration), *([_trial(line, configuration, to)] if to else [])]
    finally:
        line.finish()


def _reached(configuration: Configuration) -> Finding:
    known = " and knows our name" if configuration.mail_user else ""
    where = f"{configuration.mail_host}, port {configuration.mail_port}"
    if configuration.mail_tls != "none":
        return Finding("server", Verdict.OK, f"{where} answers over TLS with a valid certificate{known}.")
    if _is_here(configuration.mail_host):
        return Finding("server", Verdict.OK, f"{where} answers, on this machine{known}.")
    said = f"{where} answers{known}, but the way to it is not encrypted."
    return Finding("server", Verdict.MEND, said, "Set BROADSHEET_MAIL_TLS to starttls or tls.")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _trial(line: Line, configuration: Configuration, to: str) -> Finding:
    sender = configuration.mail_from
    text = (
        "This mail was sent by `broadsheet check-mail --to`.\n\n"
        "Look at its source: Authentication-Results should say spf=pass, dkim=pass and dmarc=pass.\n"
    )
    mail = message.Outgoing(
        sender=message.sender(configuration.site_name, sender),
        to=to,
        subject="A mail of trial",
        text=text,
        html="".join(f"<p>{part}</p>" for part in text.strip().split("\n\n")),
        headers=(("Date", format_datetime(datetime.now(UTC))), ("Auto-Submitted", "auto-generated")),
        message_id=f"<{secrets.token_hex(12)}@{_domain(sender)}>",
    )
    outcome = line.hand_over(Letter(mail, configuration.mail_bounces or sender), lambda: True)
    if isinstance(outcome, Accepted):
        return Finding("mail of trial", Verdict.OK, f"The server took a mail to {to}. Look whether it arrives.")
    said = getattr(outcome, "said", "") or "No reason was given."
    return Finding("mail of trial", Verdict.MEND, f"The mail to {to} was not taken: {said}")


def _names(
    configuration: Configuration, key: signing.Key | None, sending: list[str], resolver: Resolver
) -> list[Finding]:
    """What the domain name system says of us."""
    domain = _domain(configuration.mail_from)
    envelope = _domain(configuration.mail_bounces or configuration.mail_from)
    senders = sending or _guessed(configuration)
    found = [dns.check_spf(envelope, senders, is_certain=bool(sending), resolver=resolver)]
    if key is not None:
        found.append(dns.check_dkim(domain, configuration.mail_dkim_selector, key.record, resolver))
    found.append(dns.check_dmarc(domain, envelope, is_signed=key is not None, resolver=resolver))
    found += dns.check_names(sending, resolver) if sending else [_unnamed()]
    return [*found, *(dns.check_replies(each, resolver) for each in dict.fromkeys((envelope, domain)))]


def _guessed(configuration: Configuration) -> list[str]:
    """The addresses of the mail server, from which mail may go out. None where it is on this machine or inside."""
    if not configuration.mail_host or configuration.mail_provider != _NO_PROVIDER:
        return []
    try:
        found = socket.getaddrinfo(configuration.mail_host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [address for each in found if not closed(address := str(each[4][0]))][:4]


def _unnamed() -> Finding:
    said = "From which address of the network your mail reaches others is not known."
    return Finding("PTR", Verdict.UNKNOWN, said, "Say it with --sending; its name must lead back to it.")
