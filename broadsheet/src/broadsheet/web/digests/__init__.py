"""Editions as mail: what a digest says, in text and in HTML."""

from broadsheet.web.digests.composing import Composer, compose, message_id

__all__ = ["Composer", "compose", "message_id"]
