"""Notices as mail systems write them, each in the form of its own; invented, with our cast."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.mailing.bounces import (
    LARGEST,
    Kind,
    Returned,
    codes,
    delivery_of,
    envelope_sender,
    kind_of,
    read,
)

SECRET = "the secret of this instance, for tests"
OURS = envelope_sender("bounces@papers.example.org", 42, SECRET)
KEY = "kR3vQm8sT1xYz0aBcDeFgHiJkLmNoPqR"


def dsn(status: str, diagnostic: str, *, action: str = "failed", to: str = OURS, rcpt: str = "ada@example.org") -> str:
    """A notice of RFC 3464 as Postfix writes it."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.org.

<{rcpt}>: {diagnostic}
--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Mon, 2 Nov 2026 06:00:03 +0000 (UTC)

Final-Recipient: rfc822; {rcpt}
Original-Recipient: rfc822;{rcpt}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; {diagnostic}

--cut
Content-Type: text/rfc822-headers

From: Broadsheet <paper@papers.example.org>
To: {rcpt}
Subject: 612 papers
List-Unsubscribe: <https://papers.example.org/mail/{KEY}/leave>

--cut--
"""


POSTFIX = dsn("5.1.1", "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown")
POSTFIX_FULL = dsn("5.2.2", "552 5.2.2 Mailbox full")
POSTFIX_LATE = dsn("4.4.1", "connect to mail.example.org: Connection timed out", action="delayed")
POSTFIX_GAVE_UP = dsn("4.4.1", "connect to mail.example.org: Connection timed out")
SENDMAIL = dsn("5.1.1", "550 5.1.1 ada... User unknown").replace(
    "Final-Recipient: rfc822; ", "Final-Recipient: RFC822; "
)
GMAIL = dsn(
    "5.1.1",
    "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
    " 550-5.1.1 double-checking the recipient's email address for typos or\n"
    " 550 5.1.1 unnecessary spaces. - gsmtp",
)
GMAIL_POLICY = dsn("5.7.26", "550-5.7.26 This mail has been blocked because the sender is unauthenticated. - gsmtp")
M365 = dsn("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup")
M365_DENIED = dsn("5.4.1", "550 5.4.1 Recipient address rejected: Access denied.")
AMAZON = dsn("5.1.1", "550 5.1.1 user unknown").replace("Reporting-MTA: dns; mx", "Reporting-MTA: dsn; a8-53.smtp-out")
CONTRADICTION = dsn("5.1.1", "550 5.7.1 Message rejected as spam")
UNDEFINED_STATUS = dsn("5.0.0", "550 5.1.1 No such user")
NO_CODE = dsn("5.0.0", "550 Requested action not taken")
SUCCESS = dsn("2.0.0", "250 2.0.0 OK", action="delivered")

EXIM = f"""Return-Path: <>
X-Failed-Recipients: ada@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: {OURS}
Subject: Mail delivery failed: returning message to sender
Content-Type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    host mail.example.org [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<ada@example.org>:
    550 5.1.1 <ada@example.org>: User unknown

------ This is a copy of the message, including all the headers. ------

Return-path: <{OURS}>
Subject: 612 papers
"""
EXIM_WITHOUT_CODE = EXIM.replace("550 5.1.1 <ada@example.org>: User unknown", "550 No such user here")
QMAIL = f"""Return-Path: <>
From: MAILER-DAEMON@mx.example.org
To: {OURS}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <{OURS}>
Subject: 612 papers, codes 4.2.2 and 5.7.1 in the text
"""
YAHOO = f"""From: Yahoo! Mail AntiSpam Feedback <feedback@arf.mail.example.com>
To: abuse@papers.example.org
Subject: FW: 612 papers
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="cut"

--cut
Content-Type: text/plain

This is an email abuse report for an email message from papers.example.org.
--cut
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Yahoo!-Mail-Feedback/2.0
Version: 0.1
Original-Mail-From: <{OURS}>
Original-Rcpt-To: ada@example.org
Received-Date: Mon, 2 Nov 2026 06:00:05 PST

--cut
Content-Type: message/rfc822

Return-Path: <redacted@example.com>
From: Broadsheet <paper@papers.example.org>
List-Unsubscribe: <https://papers.example.org/mail/{KEY}/leave>
Subject: 612 papers

What was in it.
--cut--
"""
OUT_OF_OFFICE = f"""Return-Path: <>
From: Ada Example <ada@example.org>
To: {OURS}
Subject: Out of office: 612 papers
Auto-Submitted: auto-replied

I am away until Monday. Mail to old@example.org does not exist any more (5.1.1).
"""


def found(text: str) -> Returned | None:
    return read(text.replace("\n", "\r\n").encode(), SECRET)


@pytest.mark.parametrize(
    ("notice", "kind"),
    [
        pytest.param(POSTFIX, Kind.HARD, id="Postfix, no such user"),
        pytest.param(POSTFIX_FULL, Kind.SOFT, id="Postfix, mailbox full"),
        pytest.param(POSTFIX_GAVE_UP, Kind.SOFT, id="Postfix, gave up after days"),
        pytest.param(SENDMAIL, Kind.HARD, id="sendmail"),
        pytest.param(GMAIL, Kind.HARD, id="Gmail, no such account"),
        pytest.param(GMAIL_POLICY, Kind.SOFT, id="Gmail, our own fault"),
        pytest.param(M365, Kind.HARD, id="Microsoft 365, not found"),
        pytest.param(M365_DENIED, Kind.SOFT, id="Microsoft 365, access denied may mean anything"),
        pytest.param(AMAZON, Kind.HARD, id="Amazon"),
        pytest.param(EXIM, Kind.HARD, id="Exim"),
        pytest.param(EXIM_WITHOUT_CODE, Kind.SOFT, id="Exim, words without a code are no certainty"),
        pytest.param(QMAIL, Kind.HARD, id="qmail, codes in our own text do not count"),
        pytest.param(YAHOO, Kind.COMPLAINT, id="Yahoo, reported as spam"),
        pytest.param(CONTRADICTION, Kind.SOFT, id="two codes that contradict each other"),
        pytest.param(UNDEFINED_STATUS, Kind.HARD, id="a code behind a status that says nothing"),
        pytest.param(NO_CODE, Kind.SOFT, id="no code that says anything"),
    ],
)
def test_what_a_notice_means(notice: str, kind: Kind) -> None:
    returned = found(notice)
    assert returned is not None
    assert (returned.kind, returned.delivery, returned.address) == (kind, 42, "ada@example.org")
    assert returned.said.isprintable()
    assert returned.said


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(OUT_OF_OFFICE, id="out of office"),
        pytest.param(POSTFIX_LATE, id="still being tried"),
        pytest.param(SUCCESS, id="delivered"),
        pytest.param(YAHOO.replace("Feedback-Type: abuse", "Feedback-Type: not-spam"), id="not spam after all"),
        pytest.param(f"From: Bela Beispiel <bela@example.org>\nTo: {OURS}\n\nThank you, 5.1.1!\n", id="a reply"),
        pytest.param("", id="nothing"),
        pytest.param("\0\0\0", id="zero bytes"),
    ],
)
def test_what_is_no_notice(message: str) -> None:
    assert found(message) is None


FORGED = OURS.replace("bounces+42-", "bounces+43-")


@pytest.mark.parametrize(
    "notice",
    [
        pytest.param(dsn("5.1.1", "550 5.1.1 User unknown", to=FORGED).replace(KEY, "short"), id="another number"),
        pytest.param(
            dsn("5.1.1", "550 5.1.1 User unknown", to="bounces@papers.example.org").replace(KEY, "short"), id="no token"
        ),
    ],
)
def test_a_notice_without_a_token_of_ours_is_not_believed(notice: str) -> None:
    assert found(notice) is None


def test_without_a_token_the_key_in_what_came_back_is_told() -> None:
    returned = found(dsn("5.1.1", "550 5.1.1 User unknown", to=FORGED))
    assert returned is not None
    assert (returned.delivery, returned.key) == (None, KEY)


def test_a_complaint_with_a_hidden_sender_is_known_by_its_key() -> None:
    returned = found(YAHOO.replace(f"<{OURS}>", "<redacted@example.com>"))
    assert returned is not None
    assert (returned.kind, returned.delivery, returned.key) == (Kind.COMPLAINT, None, KEY)


@given(st.integers(min_value=1, max_value=10**18 - 1), st.text(min_size=1))
def test_an_envelope_sender_names_its_delivery_whatever_the_case(number: int, secret: str) -> None:
    sender = envelope_sender("bounces@papers.example.org", number, secret)
    assert len(sender.partition("@")[0]) <= 64
    assert delivery_of(f"<{sender}>", secret) == number
    assert delivery_of(sender.upper(), secret) == number
    assert delivery_of(sender, secret + "x") is None


def test_without_a_mailbox_there_is_no_envelope_sender() -> None:
    assert envelope_sender("", 1, SECRET) == ""


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        pytest.param("550 5.1.1 User unknown", Kind.HARD, id="no such user"),
        pytest.param("550 5.1.2 no such host", Kind.HARD, id="no such system"),
        pytest.param("556 5.1.10 null MX", Kind.HARD, id="takes no mail at all"),
        pytest.param("550 User unknown", Kind.SOFT, id="no enhanced code"),
        pytest.param("554 5.7.1 blocked, see 5.1.1", Kind.SOFT, id="two codes"),
        pytest.param("450 4.2.1 busy", Kind.SOFT, id="for now"),
        pytest.param("550 host 5.1.1.7 blocked", Kind.SOFT, id="an address of the network is no code"),
    ],
)
def test_hard_is_what_says_that_the_address_does_not_exist(said: str, kind: Kind) -> None:
    assert kind_of(codes(said)) is kind


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(POSTFIX.encode() + b"x" * LARGEST, id="too large"),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\nContent-Type: a/b\n\n" * 5000, id="parts"
        ),
        pytest.param(b"Content-Type: multipart/report; boundary=\n\n--\n--\n", id="empty boundary"),
        pytest.param(b"From: MAILER-DAEMON@x\nSubject: " + b"\xff" * 5000 + b"\n\n" + b"<" * 3000, id="bytes"),
        pytest.param(b"From: MAILER-DAEMON@x\n\n" + b"a@" * 200_000, id="one long line"),
        pytest.param(b"Content-Type: text/plain; charset=nonsense\nFrom: postmaster@x\n\n5.1.1 \xff", id="charset"),
    ],
)
def test_hostile_messages_are_nothing(raw: bytes) -> None:
    assert read(raw, SECRET) is None


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_an_error(tail: bytes) -> None:
    read(POSTFIX.encode().replace(b"Status: 5.1.1", b"Status: " + tail), SECRET)
    read(QMAIL.encode().replace(b"Sorry, no mailbox", tail), SECRET)
    read(tail, SECRET)


def test_what_a_server_says_cannot_steer_a_terminal() -> None:
    returned = found(dsn("5.1.1", "550 5.1.1 \x1b[2Jgone\x07"))
    assert returned is not None
    assert returned.said == "550 5.1.1 [2Jgone"
