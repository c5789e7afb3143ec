"""The signature of a mail: DKIM (RFC 6376) by RSA with SHA-256 (RFC 8301) or by Ed25519 (RFC 8463).

The work of the curve and of RSA is done by `cryptography`. dkimpy signs too, but in Python alone: that takes 25 to 40
milliseconds for a digest, this 1. The tests let dkimpy verify what is signed here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

# What is signed where a mail has it: what a reader is shown of it, and what her provider acts on. RFC 8058, section 4,
# asks for the two of leaving a list.
SIGNED = (
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "MIME-Version", "Content-Type",
)  # fmt: skip
# Signed once more than they are there, so that nobody can add a second one (RFC 6376, section 8.15).
_ONLY_ONCE = ("From", "Subject")
SMALLEST_RSA = 2048  # bits; RFC 8301 advises it
_LARGEST_FILE = 64 * 1024  # bytes; a key is a page of text

_BLANKS = re.compile(rb"[ \t]{2,}|\t")  # a single space stays as it is
_FOLD = re.compile(rb"\r\n(?=[ \t])")


class UnusableKey(ValueError):
    """No mail can be signed with a key; the text is a sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key: the name of its algorithm in signatures, what signs, and the record for the domain name system."""

    algorithm: str
    sign: Callable[[bytes], bytes]
    record: str


def read_key(pem: bytes) -> Key:
    """The key in a file of the form PEM. Raises UnusableKey."""
    if len(pem) > _LARGEST_FILE:
        raise UnusableKey("The file of the key is larger than any key. Name the file that holds the private key alone.")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey(
            "The file holds no private key that can be read without a password. Make one with "
            "`openssl genrsa -out dkim.pem 2048`."
        ) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return Key("ed25519-sha256", _by_ed25519(key), _record("ed25519", raw))
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableKey("The key is neither one of RSA nor of Ed25519, and signatures of mail know no others.")
    if key.key_size < SMALLEST_RSA:
        raise UnusableKey(
            f"The key has {key.key_size} bits; receivers trust {SMALLEST_RSA} and more. Make one with "
            f"`openssl genrsa -out dkim.pem {SMALLEST_RSA}`."
        )
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key("rsa-sha256", _by_rsa(key), _record("rsa", der))


def _by_rsa(key: rsa.RSAPrivateKey) -> Callable[[bytes], bytes]:
    return lambda signed: key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def _by_ed25519(key: ed25519.Ed25519PrivateKey) -> Callable[[bytes], bytes]:
    """RFC 8463, section 3: what is signed is the SHA-256 of the headers."""
    return lambda signed: key.sign(hashlib.sha256(signed).digest())


def _record(kind: str, public: bytes) -> str:
    """What stands at <selector>._domainkey.<domain> in the domain name system (RFC 6376, section 3.6.1)."""
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"


def sign(message: bytes, key: Key, *, selector: str, domain: str, at: int) -> bytes:
    """The mail with its signature as first header. `at` is the moment of signing, in seconds since 1970.

    Both parts are signed in the relaxed form, in which blanks may change on the way. Raises ValueError for bytes
    without headers, or without From.
    """
    head, found, body = message.partition(b"\r\n\r\n")
    headers = _headers(head)
    if not found or "from" not in headers:
        raise ValueError("The mail has no headers, or no From among them, so it cannot be signed.")
    names = [name for name in SIGNED if name.lower() in headers]
    digest = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode()
    listed = ":".join([*names, *(name for name in _ONLY_ONCE if name in names)])
    unsigned = (
        f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={domain}; s={selector}; t={at};\r\n"
        f" h={listed};\r\n bh={digest};\r\n b="
    ).encode()
    hashed = b"".join(_relaxed_header(name, headers[name.lower()]) + b"\r\n" for name in names)
    signature = base64.b64encode(key.sign(hashed + _relaxed_header("DKIM-Signature", unsigned)))
    folded = b"\r\n ".join(signature[start : start + 72] for start in range(0, len(signature), 72))
    return b"DKIM-Signature: " + unsigned + folded + b"\r\n" + message


def _headers(head: bytes) -> dict[str, bytes]:
    """The values of the headers by their names in small letters. Raises ValueError for a name that is there twice."""
    pairs = [line.partition(b":") for line in _FOLD.sub(b"", head).split(b"\r\n")]
    names = [name.decode("latin-1").strip().lower() for name, _, _ in pairs]
    twice = [name for name, times in Counter(names).items() if times > 1 and name in map(str.lower, SIGNED)]
    if twice:
        raise ValueError(f"The mail has the header {twice[0]} twice, so it cannot be signed.")
    return {name: value for name, (_, _, value) in zip(names, pairs, strict=True)}


def _relaxed_header(name: str, value: bytes) -> bytes:
    """RFC 6376, section 3.4.2, without the end of the line."""
    return name.lower().encode() + b":" + _BLANKS.sub(b" ", _FOLD.sub(b"", value)).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376, section 3.4.4."""
    text = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n").rstrip(b" \r\n")
    return text + b"\r\n" if text else b""
