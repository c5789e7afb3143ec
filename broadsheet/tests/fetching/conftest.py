"""A guest and its host: a client whose requests to https://origin.example go to a server of the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from broadsheet.fetching.client import Client
from broadsheet.fetching.limits import LIMITS, Limits
from broadsheet.fetching.pace import Pace
from broadsheet.testing.origin import Origin

HOST = "https://origin.example"
# Everything as it is in earnest, but without the waiting.
QUICK = replace(LIMITS, pauses=(0.0, 0.0), patience=0.0)


@pytest.fixture
def guest(tmp_path: Path) -> Callable[..., Client]:
    """Makes clients of one data folder that find `origin` under the name origin.example.

    Options are those of `Limits` and of `Client`, and `interval`, the pace of every host in seconds.
    """

    def make(origin: Origin, *, interval: float = 0.0, **options: Any) -> Client:
        limits = {field.name: options.pop(field.name) for field in fields(Limits) if field.name in options}
        usual = {
            "contact": "ada@example.org",
            "routes": {HOST: origin.url},
            "paces": [Pace(name, (f"{name}.example",), interval, interval) for name in ("origin", "other")],
        }
        return Client(tmp_path / "fetching", limits=replace(QUICK, **limits), **usual | options)

    return make
