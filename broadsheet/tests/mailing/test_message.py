"""A mail as bytes: what every server takes, and what comes out of it again."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.mailing.message import Malformed, Outgoing, quoted, sender
from broadsheet.testing.hostile_texts import HOSTILE

MAIL = Outgoing(
    sender=sender("The Örebro Daily", "daily@papers.example.org"),
    to="ada@example.org",
    subject="20 November: A Lamp for Every Step, and 9 more of 612 papers",
    text="A line that goes on \nin the next one.\n.\nFrom here on.\n",
    html="<p>ℝ²</p>\n",
    headers=(("List-Id", "The Daily <day.papers.example.org>"),),
    message_id="<digest.1@papers.example.org>",
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=400)


def read(content: bytes) -> EmailMessage:
    """The mail as Python's own parser reads it."""
    return message_from_bytes(content, policy=SMTP)


def part(content: bytes, kind: str) -> str:
    """The text of one of the two parts."""
    found = read(content).get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def changed(field: str, value: Any) -> Outgoing:
    """The mail with another value in a field."""
    return replace(MAIL, **{field: value})


class TestBytes:
    def test_the_same_mail_is_always_the_same_bytes(self) -> None:
        assert MAIL.as_bytes() == replace(MAIL).as_bytes()

    def test_all_of_it_is_ascii_in_lines_that_every_server_takes(self) -> None:
        lines = replace(MAIL, html="<p>" + "ℝ" * 5000 + "</p>\n", subject="ℝ" * 200).as_bytes().split(b"\r\n")
        assert all(line.isascii() and len(line) <= 998 for line in lines)
        assert not any(b"\n" in line or b"\r" in line for line in lines)

    def test_it_has_two_parts_of_which_the_last_is_the_better_one(self) -> None:
        made = read(MAIL.as_bytes())
        assert made.get_content_type() == "multipart/alternative"
        assert [each.get_content_type() for each in made.iter_parts()] == ["text/plain", "text/html"]
        assert made.defects == []

    def test_the_text_is_flowed(self) -> None:
        body = read(MAIL.as_bytes()).get_body(("plain",))
        assert body is not None
        assert body.get_param("format") == "flowed"
        assert "goes on \n" in part(MAIL.as_bytes(), "plain")

    @given(text=TEXTS, html=TEXTS)
    def test_what_is_read_is_what_was_written(self, text: str, html: str) -> None:
        text, html = (each.replace("\r\n", "\n").replace("\r", "\n") + "\n" for each in (text, html))
        content = replace(MAIL, text=text, html=html).as_bytes()
        assert part(content, "plain") == text
        assert part(content, "html") == html

    @given(content=TEXTS)
    def test_no_text_can_end_a_part(self, content: str) -> None:
        assert b"=_" not in quoted(content)

    @pytest.mark.parametrize("text", ["\u0000", "\u2028x\u2029", "a\x0cb\x0b", "=\n=3D=", "--=_\n", "\t \n"])
    def test_odd_signs_come_through(self, text: str) -> None:
        assert part(replace(MAIL, text=text + "\n").as_bytes(), "plain") == text + "\n"


class TestHeaders:
    def test_a_name_that_is_not_ascii_is_encoded(self) -> None:
        made = read(MAIL.as_bytes())
        assert made["From"].addresses[0].display_name == "The Örebro Daily"
        assert made["From"].addresses[0].addr_spec == "daily@papers.example.org"

    @pytest.mark.parametrize("subject", ["ℝ^(d×k) · 没有水的港口 and more words", "a" * 400, "=?utf-8?q?not?="])
    def test_a_subject_comes_through(self, subject: str) -> None:
        assert read(replace(MAIL, subject=subject).as_bytes())["Subject"] == subject

    def test_a_long_address_is_neither_broken_nor_encoded(self) -> None:
        address = f"<https://papers.example.org/mail/{'k' * 43}/leave?{'x' * 200}>"
        made = replace(MAIL, headers=(("List-Unsubscribe", address),)).as_bytes()
        assert f"List-Unsubscribe: {address}\r\n".encode() in made

    @pytest.mark.parametrize("forged", ["a\r\nBcc: all@example.org", "a\nb", "a\rb", "a\x00b", "a\x7fb"])
    @pytest.mark.parametrize("field", ["subject", "to", "sender", "message_id"])
    def test_no_value_begins_another_header(self, field: str, forged: str) -> None:
        with pytest.raises(Malformed, match="control character"):
            changed(field, forged).as_bytes()

    @pytest.mark.parametrize("name", ["X\r\nBcc", "", "X Y", "X:"])
    def test_no_name_does(self, name: str) -> None:
        with pytest.raises(Malformed):
            replace(MAIL, headers=((name, "x"),)).as_bytes()

    def test_a_header_that_no_server_takes_is_refused(self) -> None:
        with pytest.raises(Malformed, match="longer than 998"):
            replace(MAIL, subject="a" * 1000).as_bytes()

    @pytest.mark.parametrize("text", HOSTILE)
    def test_hostile_subjects_stay_subjects_or_are_refused(self, text: str) -> None:
        try:
            made = read(replace(MAIL, subject=text).as_bytes())
        except Malformed:
            return
        assert set(made.keys()) == {"From", "To", "Subject", "List-Id", "Message-ID", "MIME-Version", "Content-Type"}
        assert made["To"].addresses[0].addr_spec == "ada@example.org"
