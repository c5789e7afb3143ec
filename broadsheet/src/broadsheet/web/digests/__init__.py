"""Editions as mail: what a digest says, in text and in HTML."""

from broadsheet.web.digests.composing import Composer, message_id

__all__ = ["Composer", "message_id"]
