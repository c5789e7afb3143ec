"""Bytes that should be text: reading them as UTF-8, and saying in a sentence what they are when they are not."""

from __future__ import annotations

import codecs
import re

from broadsheet.sources.base import Unreadable

BYTE_ORDER_MARK = codecs.BOM_UTF8
# How much is looked at to guess an encoding, in bytes from each end.
_SAMPLE = 65_536
NOTHING_STORED = "Nothing was stored."

# First bytes of files that people mistake for what we read, and what to do with each.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "is a PDF document. Import the page or the records that describe the paper, not the paper itself."),
    (b"\x1f\x8b", "is compressed (gzip). Unpack it first, for example with gunzip, and import the result."),
    (b"\x28\xb5\x2f\xfd", "is compressed (zstd). Unpack it first, for example with unzstd, and import the result."),
    (b"BZh", "is compressed (bzip2). Unpack it first, for example with bunzip2, and import the result."),
    (b"\xfd7zXZ", "is compressed (xz). Unpack it first, for example with unxz, and import the result."),
    (b"PK\x03\x04", "is a ZIP archive or an office document. Unpack it, or save its text, and import that."),
    (b"SQLite format 3", "is an SQLite database. Export its papers as records and import those."),
    (b"\x89PNG", "is a picture. Import the text of the page instead."),
    (b"\xff\xd8\xff", "is a picture. Import the text of the page instead."),
)
_MARKUP = re.compile(rb"\s{0,1000}<(?:!doctype\s{1,100}html|html|head|body|!--)", re.IGNORECASE)
_XML = re.compile(rb"\s{0,1000}<(?:\?xml|[a-z])", re.IGNORECASE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def printable(words: str) -> str:
    """The same words on one line, with a question mark for each sign that would steer a terminal."""
    return words if words.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in words)


def shown(filename: str) -> str:
    """The file's name as it may stand in a sentence: printable, 100 characters at most."""
    name = printable(filename) or "The file"
    return name if len(name) <= 100 else f"{name[:48]}...{name[-48:]}"


def utf8(data: bytes, *, filename: str) -> str:
    """The text without its byte order mark. Raises Unreadable that says where it is no UTF-8 and what it looks like."""
    refuse_foreign(data, filename=filename)
    body = data.removeprefix(BYTE_ORDER_MARK)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(body, error, filename=filename, offset=len(data) - len(body)) from error


def not_utf8(data: bytes, error: UnicodeDecodeError, *, filename: str, offset: int = 0) -> Unreadable:
    """The refusal of `data`, which stands `offset` bytes from the start of the file and failed with `error`."""
    where = offset + error.start
    if error.reason == "unexpected end of data":
        return Unreadable(
            f"{shown(filename)} is cut off: it ends in the middle of a letter, at byte {where}. {NOTHING_STORED} "
            "Save or download it again.",
            str(error),
        )
    return Unreadable(
        f"{shown(filename)} is not UTF-8 text: byte {where} cannot be read. {_guess(data, error.start)} "
        f"{NOTHING_STORED} Save it again as UTF-8.",
        f"{error}; bytes {data[max(0, error.start - 8) : error.start + 8]!r}",
    )


def refuse_foreign(head: bytes, *, filename: str) -> None:
    """Raise Unreadable when `head`, the start of a file or all of it, shows that it is no UTF-8 text at all."""
    if reason := _what_else(head):
        raise Unreadable(f"{shown(filename)} {reason} {NOTHING_STORED}", f"first bytes {head[:16]!r}")


def refuse_markup(head: bytes, *, filename: str) -> None:
    """Raise Unreadable when the file is a web page or XML: an error page saved in place of a list, for example."""
    if reason := _markup(head):
        raise Unreadable(f"{shown(filename)} {reason} {NOTHING_STORED}", f"first bytes {head[:16]!r}")


def _what_else(head: bytes) -> str | None:
    if not head.strip(b" \t\r\n" + BYTE_ORDER_MARK):
        return "is empty. Save or download it again." if not head else "holds nothing but blanks. Save it again."
    for signature, reason in _SIGNATURES:
        if head.startswith(signature):
            return reason
    if encoding := _wide(head):
        return f"is text in {encoding}, not in UTF-8. Save it again as UTF-8."
    if b"\x00" in head:
        return f"is a binary file: byte {head.index(0)} is zero. Import a text file."
    return None


def _wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32, by its mark or because every other byte of the plain English at its start is zero."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    start = head[:64]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    few, most = sorted((even, odd))
    return "UTF-16" if few == 0 and len(start) >= 8 and most * 8 >= len(start) * 3 else None


def _markup(head: bytes) -> str | None:
    start = head.removeprefix(BYTE_ORDER_MARK)[:2048]
    if _MARKUP.match(start):
        return (
            "is a web page (HTML), perhaps an error page. Open the list in a browser, select all, copy, "
            "and save the copied text as a file of plain text."
        )
    if _XML.match(start):
        return "is an XML file of a kind that Broadsheet does not know."
    return None


def _guess(data: bytes, fault: int) -> str:
    """A sentence on what the bytes look like: by what stands before the fault, and by the shares of unusual bytes."""
    sample = data[:_SAMPLE] + data[-_SAMPLE:]
    if len(sample) - len(sample.translate(None, _CONTROLS)) > len(sample) // 50:
        return "It looks like a binary file."
    if not data[:fault].isascii():
        return "The letters before it are UTF-8, so the file is damaged there."
    high = sum(byte > 127 for byte in sample)
    return "It looks like Latin-1 or Windows-1252." if high * 3 <= len(sample) else "Its encoding could not be guessed."
