"""Which addresses of the network we connect to: those of the public internet, and no others.

The tables follow the registries of special addresses (https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry, RFC 6890). They are written out because the properties of
`ipaddress` differ between versions of Python.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_CLOSED_4 = tuple(
    (IPv4Network(block), reason)
    for block, reason in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "a private network"),
        ("100.64.0.0/10", "the network of a carrier"),
        ("127.0.0.0/8", "this machine"),
        ("168.63.129.16/32", "the metadata of a cloud"),
        ("169.254.0.0/16", "a link-local network"),
        ("172.16.0.0/12", "a private network"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "a private network"),
        ("198.18.0.0/15", "reserved for measurements"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "reserved"),
    )
)
_OPEN_6 = IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    (IPv6Network(block), reason)
    for block, reason in (
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved for documentation"),
        ("3fff::/20", "reserved for documentation"),
    )
)
# Networks whose addresses carry one of IPv4, and the place of its lowest bit: RFC 4291 2.5.5.2, RFC 6052, RFC 3056.
_CARRYING = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
# The interface part of ISATAP, RFC 5214: it carries an address of IPv4 in any network.
_ISATAP = (0x00005EFE, 0x02005EFE)


def closed(address: str) -> str:
    """Why we do not connect to this address, as in "a private network"; empty where we do.

    What is no address at all is closed too.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    return _closed_4(parsed) if isinstance(parsed, IPv4Address) else _closed_6(parsed)


def _closed_4(address: IPv4Address) -> str:
    return next((reason for block, reason in _CLOSED_4 if address in block), "")


def _closed_6(address: IPv6Address) -> str:
    for block, shift in _CARRYING:
        if address in block:
            return _closed_4(IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
    if address not in _OPEN_6:
        return "this machine" if address.is_loopback else "not an address of the public internet"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "a tunnel into another network"
    return next((reason for block, reason in _CLOSED_6 if address in block), "")
