"""A mail that is ready to go, and the bytes that a server is given (RFC 5322, RFC 2045, RFC 2046)."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr
from functools import lru_cache

# RFC 5322, section 2.1.1: no line may be longer, its end not counted.
_LONGEST_LINE = 998
_PLAIN = re.compile(r"[\x20-\x7e]*")
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,60}")


class Malformed(ValueError):
    """A header that cannot be written: its value has a line break or another control character, or is too long."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One mail to one reader.

    `sender` is the value of From and `to` a bare address; `subject` is plain Unicode. `text` is the part of plain text
    as format=flowed (RFC 3676), `html` the other; both have lines that end with ``\\n``. `headers` are names and values
    of all others but those of MIME; `message_id` has its angle brackets. `papers` is how many the mail tells of.
    """

    sender: str
    to: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    message_id: str
    papers: int = 0

    def as_bytes(self) -> bytes:
        """The whole mail with CRLF at the ends of lines, all of it ASCII. The same mail is always the same bytes.

        Raises Malformed for a header that cannot be written.
        """
        mark = "=_" + hashlib.sha256(self.message_id.encode()).hexdigest()[:24]  # never in a quoted-printable text
        return b"".join(
            [
                *(_header(name, value) for name, value in self._every_header()),
                _header("Content-Type", f'multipart/alternative; boundary="{mark}"'),
                *_part(mark, "text/plain; charset=utf-8; format=flowed", self.text),
                *_part(mark, "text/html; charset=utf-8", self.html),
                f"\r\n--{mark}--\r\n".encode(),
            ]
        )

    def _every_header(self) -> Iterator[tuple[str, str]]:
        yield "From", self.sender
        yield "To", self.to
        yield "Subject", self.subject
        yield from self.headers
        yield "Message-ID", self.message_id
        yield "MIME-Version", "1.0"


def sender(name: str, address: str) -> str:
    """The value of From: a name and an address. A name that is not ASCII is encoded (RFC 2047)."""
    return formataddr((name, address))


def _part(mark: str, kind: str, content: str) -> Iterator[bytes]:
    yield f"\r\n--{mark}\r\nContent-Type: {kind}\r\n".encode()
    yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    yield quoted(content)


def quoted(content: str) -> bytes:
    """A text as quoted-printable with CRLF at the ends of lines (RFC 2045, section 6.7).

    It is ASCII with short lines, so that no server on the way has a reason to encode it anew, which would break its
    signature.
    """
    lines = content.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    return binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


@lru_cache(maxsize=256)
def _header(name: str, value: str) -> bytes:
    """A header with its end of line. Long addresses are not broken: what breaks them encodes them too."""
    if not _TOKEN.fullmatch(name) or any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise Malformed(f"The header {name[:60]!r} has a control character. The mail was not made.")
    if not _PLAIN.fullmatch(value) or (name == "Subject" and "=?" in value):
        return f"{name}: {_encoded(name, value)}\r\n".encode()
    line = f"{name}: {value}".encode()
    if len(line) > _LONGEST_LINE:
        raise Malformed(f"The header {name} is longer than {_LONGEST_LINE} characters. The mail was not made.")
    return line + b"\r\n"


def _encoded(name: str, value: str) -> str:
    """The value as encoded words (RFC 2047), folded. What looks like such a word in a subject is encoded too."""
    text = value.encode("utf-8", "replace").decode()
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n")
