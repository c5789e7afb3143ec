"""What the domain name system says of a domain that sends mail: whether receivers will believe it.

SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), names of addresses (PTR, RFC 8601 3), and where mail to it goes (MX,
RFC 5321 5.1). Each check gives findings for the operator; none of them changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Protocol

import dns.exception
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

# How long one question may take, in seconds, with all its servers.
PATIENCE = 6.0
# RFC 7208 4.6.4: more look-ups, or more that find nothing, and receivers stop.
_MOST_LOOKUPS, _MOST_VOID = 10, 2
# How much of an answer is taken: records, and letters of each.
_MOST_RECORDS, _LONGEST_RECORD = 50, 8000


class Verdict(StrEnum):
    """How it stands with one thing: it is right, it is to be mended, or nobody could find out."""

    OK = "ok"
    MEND = "to mend"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in a sentence, and what to do about it; `do` is empty where there is nothing to do."""

    check: str
    verdict: Verdict
    said: str
    do: str = ""


class Unanswered(Exception):
    """The domain name system did not answer, or with an error. What was asked may exist."""


class Resolver(Protocol):
    """Answers questions about names. Each gives an empty list where there is nothing, and raises Unanswered."""

    def txt(self, name: str) -> list[str]:
        """The texts that stand there."""
        ...

    def addresses(self, name: str) -> list[str]:
        """The addresses of IPv4 and IPv6 of a host."""
        ...

    def mail_hosts(self, name: str) -> list[str]:
        """The hosts that take mail for a domain, the preferred one first; "." for a domain that takes none."""
        ...

    def names(self, address: str) -> list[str]:
        """The names of an address."""
        ...


class System:
    """The resolver of this machine, with time limits."""

    def __init__(self) -> None:
        self._resolver = dns.resolver.Resolver()
        self._resolver.lifetime = PATIENCE
        self._resolver.timeout = PATIENCE / 2

    def txt(self, name: str) -> list[str]:
        """See Resolver."""
        found = (record for record in self._ask(name, "TXT") if isinstance(record, TXT))
        return [b"".join(record.strings).decode("latin-1")[:_LONGEST_RECORD] for record in found]

    def addresses(self, name: str) -> list[str]:
        """See Resolver."""
        found = [*self._ask(name, "A"), *self._ask(name, "AAAA")]
        return [record.address for record in found if isinstance(record, A | AAAA)]

    def mail_hosts(self, name: str) -> list[str]:
        """See Resolver."""
        found = [record for record in self._ask(name, "MX") if isinstance(record, MX)]
        found.sort(key=lambda record: record.preference)
        return [record.exchange.to_text().rstrip(".") or "." for record in found]

    def names(self, address: str) -> list[str]:
        """See Resolver."""
        found = self._ask(dns.reversename.from_address(address).to_text(), "PTR")
        return [record.target.to_text().rstrip(".") for record in found if isinstance(record, PTR)]

    def _ask(self, name: str, kind: str) -> list[object]:
        try:
            return list(self._resolver.resolve(name, kind))[:_MOST_RECORDS]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise Unanswered(f"{kind} of {name}: {error}") from error


class _Result(StrEnum):
    """The results of RFC 7208 2.6 that a record can have; `_Macro` is raised where it depends on the mail."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105  a result, no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    BROKEN = "permerror"


_QUALIFIERS = {"+": _Result.PASS, "-": _Result.FAIL, "~": _Result.SOFTFAIL, "?": _Result.NEUTRAL}
_TERM = re.compile(r"([+\-~?]?)([A-Za-z][A-Za-z0-9]*)(?::([^/\s]+))?((?:/{1,2}[0-9]{1,3})*)", re.ASCII)
_IP = re.compile(r"([+\-~?]?)ip[46]:([0-9A-Fa-f.:]+(?:/[0-9]{1,3})?)", re.ASCII | re.IGNORECASE)


class _Broken(Exception):
    """A record of SPF that receivers cannot use. The text says why."""


class _Macro(Exception):
    """A record of SPF whose answer depends on the mail (RFC 7208 7), which is not worked out here."""


@dataclass(slots=True)
class _Evaluation:
    """One evaluation of SPF for one address, with what it has looked up so far."""

    resolver: Resolver
    address: str
    lookups: int = 0
    void: int = 0
    seen: list[str] = field(default_factory=list)

    def result(self, domain: str) -> _Result:
        """Whether the domain lets the address send. Raises _Broken, _Macro and Unanswered."""
        record = _spf_record(self.resolver, domain)
        if record is None:
            return _Result.NONE
        self.seen.append(domain)
        onwards = ""
        for term in record.split()[1:200]:
            if "%" in term:
                raise _Macro
            if term.lower().startswith("redirect="):
                onwards = term[9:]
            elif "=" not in term.partition(":")[0] and (found := self._matched(term, domain)) is not None:
                return found
        return self._redirected(onwards) if onwards else _Result.NEUTRAL

    def _redirected(self, domain: str) -> _Result:
        self._count()
        found = self.result(domain)
        if found is _Result.NONE:
            raise _Broken(f"It leads on to {domain}, which has no record.")
        return found

    def _matched(self, term: str, domain: str) -> _Result | None:
        """What the term says of the address; None where it does not match it."""
        if by_address := _IP.fullmatch(term):
            return _QUALIFIERS[by_address[1] or "+"] if self._within(by_address[2]) else None
        parts = _TERM.fullmatch(term)
        if parts is None:
            raise _Broken(f"{term[:60]!r} in it is no term of SPF.")
        sign, name, target, lengths = parts.groups()
        matches = self._mechanism(name.lower(), target or domain, lengths)
        return _QUALIFIERS[sign or "+"] if matches else None

    def _mechanism(self, name: str, target: str, lengths: str) -> bool:
        if name == "all":
            return True
        if name not in ("include", "a", "mx", "ptr", "exists"):
            raise _Broken(f"{name[:40]!r} in it is no mechanism of SPF.")
        self._count()
        if name == "include":
            return self._included(target)
        if name == "a":
            return self._one_of(self.resolver.addresses(target), lengths)
        if name == "mx":
            hosts = self.resolver.mail_hosts(target)[:10]
            return any(self._one_of(self.resolver.addresses(host), lengths) for host in hosts)
        if name == "exists":
            return bool(self.resolver.addresses(target))
        named = self.resolver.names(self.address)[:10]
        mine = [each for each in named if each == target or each.endswith(f".{target}")]
        return any(self.address in self.resolver.addresses(each) for each in mine)

    def _included(self, target: str) -> bool:
        found = self.result(target)
        if found is _Result.NONE:
            raise _Broken(f"It includes {target}, which has no record.")
        return found is _Result.PASS

    def _one_of(self, addresses: list[str], lengths: str) -> bool:
        if not addresses:
            self.void += 1
            if self.void > _MOST_VOID:
                raise _Broken(f"More than {_MOST_VOID} of its look-ups find nothing.")
        four, _, six = lengths.partition("//")
        length = {4: four.strip("/"), 6: six.strip("/")}
        return any(
            self._within(f"{each}/{length[ip_address(each).version] or ip_address(each).max_prefixlen}")
            for each in addresses
        )

    def _within(self, network: str) -> bool:
        try:
            return ip_address(self.address) in ip_network(network, strict=False)
        except ValueError as error:
            raise _Broken(f"{network[:60]!r} in it is no network.") from error

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > _MOST_LOOKUPS:
            raise _Broken(f"It needs more than {_MOST_LOOKUPS} look-ups, where receivers stop.")


def _spf_record(resolver: Resolver, domain: str) -> str | None:
    """The record; None where there is none. Raises _Broken for several."""
    found = [text for text in resolver.txt(domain) if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]
    if len(found) > 1:
        raise _Broken(f"{domain} has {len(found)} records that begin with v=spf1, and only one may.")
    return found[0] if found else None


def check_spf(domain: str, senders: Iterable[str], *, is_certain: bool, resolver: Resolver) -> Finding:
    """Whether the domain of the envelope sender lets these addresses send.

    With `is_certain` false the addresses are a guess, as those of a server that may pass mail on to others: then only a
    record that is missing or broken is to be mended.
    """
    return _answered("SPF", lambda: _spf(domain, list(senders), is_certain=is_certain, resolver=resolver))


def _spf(domain: str, senders: list[str], *, is_certain: bool, resolver: Resolver) -> Finding:
    example = f"Add a record TXT at {domain}: v=spf1 {' '.join(map(_as_term, senders)) or 'mx'} -all"
    try:
        results = {each: _Evaluation(resolver, each).result(domain) for each in senders or ["192.0.2.1"]}
    except _Broken as error:
        return Finding("SPF", Verdict.MEND, f"Receivers cannot use the record of {domain}. {error}", "Mend the record.")
    except _Macro:
        said = f"The record of {domain} depends on each mail (it has macros), which is not worked out here."
        return Finding("SPF", Verdict.UNKNOWN, said, "Send yourself a mail and read its Authentication-Results.")
    if _Result.NONE in results.values():
        return Finding("SPF", Verdict.MEND, f"{domain} does not say who may send its mail.", example)
    if not senders:
        return Finding("SPF", Verdict.UNKNOWN, f"{domain} has a record; from where mail goes out is not known.", _NAME)
    return _of_senders(domain, results, is_certain=is_certain)


def _of_senders(domain: str, results: dict[str, _Result], *, is_certain: bool) -> Finding:
    refused = {each: result for each, result in results.items() if result is not _Result.PASS}
    if not refused:
        return Finding("SPF", Verdict.OK, f"{domain} lets {', '.join(results)} send.")
    said = f"{domain} does not let {', '.join(refused)} send ({', '.join(sorted(set(refused.values())))})."
    if not is_certain:
        return Finding("SPF", Verdict.UNKNOWN, f"{said} Whether mail goes out from there is not known.", _NAME)
    terms = " ".join(map(_as_term, refused))
    return Finding("SPF", Verdict.MEND, said, f"Add {terms} to the record TXT at {domain}, before its `all`.")


_NAME = "Say with --sending the address of the network from which your mail reaches others."


def _as_term(address: str) -> str:
    return f"ip{ip_address(address).version}:{address}"


def check_dkim(domain: str, selector: str, wanted: str, resolver: Resolver) -> Finding:
    """Whether the public key of the selector is ours. `wanted` is the record as it should be (RFC 6376 3.6.1)."""
    return _answered("DKIM", lambda: _dkim(f"{selector}._domainkey.{domain}", wanted, resolver))


def _dkim(name: str, wanted: str, resolver: Resolver) -> Finding:
    texts, ours = resolver.txt(name), _tags(wanted)
    add = f"Put this record TXT at {name}: {wanted}"
    found = [tags for text in texts if (tags := _tags(text)).get("v", "DKIM1") == "DKIM1" and "p" in tags]
    if not found:
        return Finding("DKIM", Verdict.MEND, f"No public key stands at {name}.", add)
    if len(found) > 1:
        return Finding("DKIM", Verdict.MEND, f"{len(found)} keys stand at {name}; receivers take any.", add)
    theirs = found[0]
    if not theirs["p"]:
        return Finding("DKIM", Verdict.MEND, f"The key at {name} is revoked.", add)
    if (theirs["p"], theirs.get("k", "rsa")) != (ours.get("p"), ours.get("k", "rsa")):
        return Finding("DKIM", Verdict.MEND, f"The key at {name} is not the one that mail is signed with.", add)
    if "y" in theirs.get("t", "").split(":"):
        return Finding("DKIM", Verdict.MEND, f"The key at {name} is marked as a test (t=y).", add)
    return Finding("DKIM", Verdict.OK, f"The key at {name} is the one that mail is signed with.")


def _tags(record: str) -> dict[str, str]:
    """The tags of a record (RFC 6376 3.2), without blanks in their values."""
    pairs = (part.partition("=") for part in record.split(";")[:50])
    return {name.strip(): "".join(value.split()) for name, equals, value in pairs if equals}


def check_dmarc(domain: str, envelope_domain: str, *, is_signed: bool, resolver: Resolver) -> Finding:
    """Whether the domain of From has a policy, and mail passes it: signed by it, or sent in its name (aligned)."""
    return _answered("DMARC", lambda: _dmarc(domain, envelope_domain, is_signed=is_signed, resolver=resolver))


def _dmarc(domain: str, envelope_domain: str, *, is_signed: bool, resolver: Resolver) -> Finding:
    add = f"Add a record TXT at _dmarc.{domain}: v=DMARC1; p=none; rua=mailto:postmaster@{domain}"
    for place in _upwards(domain):
        found = [text for text in resolver.txt(f"_dmarc.{place}") if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
        if len(found) > 1:
            return Finding("DMARC", Verdict.MEND, f"_dmarc.{place} has {len(found)} policies, so none counts.", add)
        if found:
            return _aligned(domain, place, _tags(found[0]), envelope_domain, is_signed=is_signed)
    return Finding("DMARC", Verdict.MEND, f"{domain} has no policy, which large providers ask for.", add)


def _aligned(domain: str, place: str, tags: dict[str, str], envelope: str, *, is_signed: bool) -> Finding:
    policy = tags.get("p", "")
    if policy not in ("none", "quarantine", "reject"):
        return Finding("DMARC", Verdict.MEND, f"The policy at _dmarc.{place} has no p= of none, quarantine or reject.")
    strict = tags.get("aspf", "r") == "s"
    same = envelope == domain if strict else (envelope == place or envelope.endswith(f".{place}"))
    said = f"_dmarc.{place} says p={policy}"
    if is_signed:
        return Finding("DMARC", Verdict.OK, f"{said}; mail from {domain} is signed by {domain}.")
    if same:
        return Finding("DMARC", Verdict.OK, f"{said}; mail comes back to {envelope}, which is aligned with {domain}.")
    do = "Sign mail (BROADSHEET_MAIL_DKIM_KEY), or set BROADSHEET_MAIL_BOUNCES to an address of that domain."
    return Finding("DMARC", Verdict.MEND, f"{said}, but nothing in a mail proves that it is from {domain}.", do)


def _upwards(domain: str) -> list[str]:
    """The domain, then those above it down to two labels: where a policy is looked for."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))][:8]


def check_names(senders: Iterable[str], resolver: Resolver) -> list[Finding]:
    """Whether each address has a name that leads back to it, which large providers ask for."""
    return [_answered("PTR", partial(_named, each, resolver)) for each in senders]


def _named(address: str, resolver: Resolver) -> Finding:
    names = resolver.names(address)[:10]
    back = [name for name in names if ip_address(address) in map(ip_address, resolver.addresses(name))]
    if back:
        return Finding("PTR", Verdict.OK, f"{address} is called {back[0]}, which leads back to it.")
    do = f"Ask who runs the network of {address} to give it the name of your mail server, with an address to match."
    said = f"{address} is called {names[0]}, which does not lead back to it." if names else f"{address} has no name."
    return Finding("PTR", Verdict.MEND, said, do)


def check_replies(domain: str, resolver: Resolver) -> Finding:
    """Whether mail to the domain arrives anywhere: what comes back, and what readers answer."""
    return _answered("MX", lambda: _replies(domain, resolver))


def _replies(domain: str, resolver: Resolver) -> Finding:
    hosts = resolver.mail_hosts(domain)
    do = f"Add a record MX at {domain} that names a host with an address."
    if "." in hosts:
        return Finding("MX", Verdict.MEND, f"{domain} says that it takes no mail (RFC 7505).", do)
    reached = [host for host in (hosts or [domain])[:5] if resolver.addresses(host)]
    if not reached:
        return Finding("MX", Verdict.MEND, f"Mail to {domain} reaches nobody: no host takes it.", do)
    return Finding("MX", Verdict.OK, f"Mail to {domain} goes to {reached[0]}.")


def _answered(check: str, look: Callable[[], Finding]) -> Finding:
    """What a check found, or that nobody answered it."""
    try:
        return look()
    except Unanswered as error:
        said = f"The domain name system did not answer ({str(error)[:200]})."
        return Finding(check, Verdict.UNKNOWN, said, "Try again later.")
