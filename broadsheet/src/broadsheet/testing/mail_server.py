"""A mail server that refuses, delays and hangs up at random: `python -m broadsheet.testing.mail_server JOURNAL SHARE`.

It speaks SMTP (RFC 5321) on a free port of this machine, which its first line of output names. What it takes, and what
it refuses for good, it writes to its journal before it replies. SHARE, from 0 to 1, is how many mails meet a fault,
each kind as often as the next. An address whose name ends in ``-gone`` does not exist.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from enum import StrEnum
from pathlib import Path

LARGEST = 1_000_000  # bytes of a mail
_LONGEST_DELAY = 0.5  # seconds

_ADDRESS = re.compile(rb"<([^>]*)>")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Fault(StrEnum):
    """What happens to a mail instead of a plain reply."""

    SENDER_LATER = "4xx at MAIL"
    SENDER_NO = "5xx at MAIL"
    RECIPIENT_LATER = "4xx at RCPT"
    RECIPIENT_NO = "5xx at RCPT"
    DATA_LATER = "4xx at DATA"
    CONTENT_LATER = "4xx after the content"
    CONTENT_NO = "5xx after the content"
    CLOSING = "421 at RCPT"
    SLOW = "delayed"
    CUT_BEFORE = "hung up before the content"
    CUT_INSIDE = "hung up in the content"
    CUT_TAKEN = "took the mail, hung up before the reply"
    CUT_LEFT = "did not take the mail, hung up before the reply"


_REPLIES = {
    Fault.SENDER_LATER: "451 4.3.0 Try again later",
    Fault.SENDER_NO: "550 5.7.1 We do not know you yet",
    Fault.RECIPIENT_LATER: "450 4.2.0 Greylisted",
    Fault.RECIPIENT_NO: "550 5.7.1 Refused by policy",
    Fault.DATA_LATER: "451 4.3.2 Too busy",
    Fault.CONTENT_LATER: "452 4.3.1 No room now",
    Fault.CONTENT_NO: "554 5.7.1 This looks like spam",
    Fault.CLOSING: "421 4.7.0 Closing",
}


class HungUp(Exception):
    """The server ends the connection."""


class Conversation:
    """One connection."""

    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._fault: Fault | None = None
        self._to = ""

    async def hold(self) -> None:
        """Answer until either side ends it."""
        try:
            await self._say("220 mail.example.org ready")
            while line := await self._reader.readline():
                await self._answer(line)
        except (HungUp, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writer.close()

    async def _say(self, reply: str) -> None:
        self._writer.write(reply.encode() + b"\r\n")
        await self._writer.drain()

    async def _answer(self, line: bytes) -> None:
        verb = line.split(b":")[0].split()[0].upper() if line.strip() else b""
        match verb:
            case b"EHLO":
                await self._say(f"250-mail.example.org\r\n250-SIZE {LARGEST}\r\n250 8BITMIME")
            case b"MAIL":
                self._fault = self._server.next_fault()
                await self._reply_unless({Fault.SENDER_LATER, Fault.SENDER_NO}, "250 2.1.0 Ok")
            case b"RCPT":
                await self._recipient(line)
            case b"DATA":
                await self._content()
            case b"QUIT":
                await self._say("221 2.0.0 Bye")
                raise HungUp
            case b"RSET" | b"NOOP":
                await self._say("250 2.0.0 Ok")
            case _:
                await self._say("500 5.5.2 Not understood")

    async def _reply_unless(self, faults: set[Fault], reply: str) -> bool:
        """Give the reply, unless one of the faults is on; whether it was given."""
        if self._fault in faults:
            await self._say(_REPLIES[self._fault])
            return False
        await self._say(reply)
        return True

    async def _recipient(self, line: bytes) -> None:
        found = _ADDRESS.search(line)
        self._to = found[1].decode() if found else ""
        if self._to.partition("@")[0].endswith("-gone"):
            self._server.note("refused", self._to)
            await self._say("550 5.1.1 No such user here")
            return
        if self._fault is Fault.RECIPIENT_NO:
            self._server.note("refused", self._to)
        given = await self._reply_unless({Fault.RECIPIENT_LATER, Fault.RECIPIENT_NO, Fault.CLOSING}, "250 2.1.5 Ok")
        if not given and self._fault is Fault.CLOSING:
            raise HungUp

    async def _content(self) -> None:
        if self._fault is Fault.CUT_BEFORE:
            raise HungUp
        if not await self._reply_unless({Fault.DATA_LATER}, "354 Go on"):
            return
        if self._fault is Fault.CUT_INSIDE:
            await self._reader.read(2000)
            raise HungUp
        content = await self._reader.readuntil(b"\r\n.\r\n")
        if self._fault is Fault.SLOW:
            await asyncio.sleep(self._server.chance.random() * _LONGEST_DELAY)
        if self._fault is Fault.CONTENT_NO:
            self._server.note("refused", self._to)
        if self._fault in (Fault.CONTENT_LATER, Fault.CONTENT_NO):
            await self._say(_REPLIES[self._fault])
            return
        if self._fault is Fault.CUT_LEFT:
            raise HungUp
        found = _MESSAGE_ID.search(content)
        self._server.note("taken", self._to, found[1].decode() if found else "")
        if self._fault is Fault.CUT_TAKEN:
            raise HungUp
        await self._say("250 2.0.0 Ok: queued")


class MailServer:
    """All connections, the journal, and what goes wrong next."""

    def __init__(self, journal: Path, share: float, seed: int = 1) -> None:
        """`share` is from 0 to 1."""
        self.chance = random.Random(seed)  # noqa: S311  # faults that can be had again, no secret
        self._share = share
        self._journal = journal.open("a", encoding="utf-8")

    def next_fault(self) -> Fault | None:
        """What happens to the next mail."""
        return self.chance.choice(list(Fault)) if self.chance.random() < self._share else None

    def note(self, what: str, address: str, message_id: str = "") -> None:
        """Write down what became of a mail, for certain before the reply."""
        self._journal.write(f"{what}\t{address}\t{message_id}\n")
        self._journal.flush()

    async def serve(self) -> None:
        """Say the port, and answer until killed."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await Conversation(self, reader, writer).hold()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=LARGEST)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(MailServer(Path(sys.argv[1]), float(sys.argv[2])).serve())
