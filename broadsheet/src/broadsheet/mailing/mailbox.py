"""The mailbox to which mail comes back, read over IMAP (RFC 9051) with TLS.

Only what was understood is marked as read; everything else is left for a person, as it was.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from broadsheet.mailing.bounces import LARGEST

# How long the server may take for one step, in seconds, and how many messages are read at a time.
_PATIENCE = 10.0
MOST = 25
_PORT = 993  # RFC 8314

_NUMBER = re.compile(rb"\d{1,10}")
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,12})")


class Unreadable(Exception):
    """The mailbox cannot be read. `sentence` says what to do; it holds no password. `cause` is for the log."""

    def __init__(self, sentence: str, cause: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.cause = cause


@dataclass(slots=True)
class Mailbox:
    """A mailbox at ``imaps://name:password@host/folder``; the folder is INBOX where none is named.

    It remembers how far it was read, so that what nobody understands is not read again and again.
    """

    url: str
    trust: ssl.SSLContext | None = None
    _validity: bytes = b""
    _after: int = 0

    def read(self, understood: Callable[[bytes], bool]) -> int:
        """Hand the unread messages to `understood`, at most MOST of them; how many there were.

        Those for which it answers yes are marked as read. Raises Unreadable, and what `understood` raises.
        """
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORT
        try:
            trust = self.trust or ssl.create_default_context()
            connection = imaplib.IMAP4_SSL(host, port, ssl_context=trust, timeout=_PATIENCE)
            with _leaving(connection):
                connection.login(unquote(parts.username or ""), unquote(parts.password or ""))
                return self._read(connection, unquote(parts.path.strip("/")) or "INBOX", understood)
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            sentence = f"The mailbox for what comes back, at {host}, cannot be read. See BROADSHEET_MAIL_BOUNCES_IMAP."
            raise Unreadable(sentence, f"{type(error).__name__}: {str(error)[:300]}") from error

    def _read(self, connection: imaplib.IMAP4_SSL, folder: str, understood: Callable[[bytes], bool]) -> int:
        quoted = folder.replace("\\", "").replace('"', "")
        if connection.select(f'"{quoted}"')[0] != "OK":
            raise imaplib.IMAP4.error(f"there is no folder {quoted}")
        validity = (connection.response("UIDVALIDITY")[1] or [b""])[0] or b""
        if validity != self._validity:
            self._validity, self._after = validity, 0
        _, found = connection.uid("SEARCH", f"UID {self._after + 1}:*", "UNSEEN")
        # A range that ends in * always holds the last message, also where that one was read before.
        unread = sorted(int(each) for each in _NUMBER.findall(found[0] or b"") if int(each) > self._after)[:MOST]
        for number in unread:
            if understood(_message(connection, number)):
                connection.uid("STORE", str(number), "+FLAGS.SILENT", r"(\Seen)")
            self._after = number
        return len(unread)


@contextmanager
def _leaving(connection: imaplib.IMAP4_SSL) -> Iterator[None]:
    """Ends a connection politely, whatever the server says to that."""
    try:
        yield
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            connection.logout()


def _message(connection: imaplib.IMAP4_SSL, number: int) -> bytes:
    """The bytes of a message, without marking it; nothing of one that is too large to be a notice."""
    _, told = connection.uid("FETCH", str(number), "(RFC822.SIZE)")
    size = _SIZE.search(b" ".join(each for each in told if isinstance(each, bytes)))
    if size is None or int(size[1]) > LARGEST:
        return b""
    _, parts = connection.uid("FETCH", str(number), "(BODY.PEEK[])")
    return next((part[1] for part in parts if isinstance(part, tuple)), b"")
