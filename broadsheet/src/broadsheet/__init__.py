"""Broadsheet prints an edition of new research every day."""

__version__ = "0.1.0"
