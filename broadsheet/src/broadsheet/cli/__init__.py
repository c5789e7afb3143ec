"""The command `broadsheet`."""

from __future__ import annotations

from importlib import import_module


def main() -> None:
    """Run the command line. The commands are loaded here, so that the processes of `up` start without them."""
    import_module("broadsheet.cli.commands").broadsheet()
