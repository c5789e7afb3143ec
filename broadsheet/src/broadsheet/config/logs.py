"""How log lines look: one event, one line."""

from __future__ import annotations

import logging
import re
import time
import traceback
from pathlib import PurePath
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


_FRAMES_SHOWN = 8
_ERRORS_SHOWN = 4
_TEXT_SHOWN = 1000  # characters of an error's own text


class OneLine(logging.Formatter):
    """2026-11-22T08:00:00Z INFO broadsheet.worker: text. Errors follow: what, and where, the innermost call first.

    A log line is what an attacker can write into by asking for a strange address: control characters are escaped, so
    that nobody can forge a second line or colour a terminal.
    """

    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def __init__(self) -> None:
        self.converter = time.gmtime
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The event as one line of text without a line end."""
        text = super().format(record).strip("\n").replace("\n", " | ").replace("\t", " ")
        return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)

    def formatException(self, ei: Any) -> str:  # noqa: N802  the name that logging calls
        """The error and what caused it, the first cause last, each with the calls that led to it."""
        error: BaseException | None = ei[1]
        said: list[str] = []
        while error is not None and len(said) < _ERRORS_SHOWN:
            said.append(_described(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(said)


def _described(error: BaseException) -> str:
    """ValueError: bad page (pages/front.py:12 front < handlers/base.py:181 get_response)"""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_SHOWN:]
    calls = " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    what = "".join(traceback.format_exception_only(error)).strip()[:_TEXT_SHOWN]
    return f"{what} ({calls})"


def _short(filename: str) -> str:
    """A file's name with that of its folder."""
    return "/".join(PurePath(filename).parts[-2:])
