"""A process with one version of the official client, unpatched, that does what the lines on its input ask.

A line is JSON: a method of `HfApi` with its arguments, or the arguments of the command `hf`. So is each answer. Started
by conftest.py with the client's folder in PYTHONPATH and the server's address in HF_ENDPOINT.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import huggingface_hub
from huggingface_hub.cli.hf import main as hf


def types(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The type of each attribute of what the client made, those that it has no name for included."""
    if dataclasses.is_dataclass(value):
        for name, inner in vars(value).items():
            inside = f"{path}.{name}" if path else name
            yield inside, type(inner).__name__
            yield from types(inner, inside)
    elif isinstance(value, list):
        for inner in value:
            yield f"{path}[]", type(inner).__name__
            yield from types(inner, f"{path}[]")


def plain(value: Any) -> Any:
    """The same as JSON can say it."""
    if dataclasses.is_dataclass(value):
        return {name: plain(inner) for name, inner in vars(value).items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the method gives, with its types, or how it fails."""
    try:
        result = getattr(huggingface_hub.HfApi(), name)(**arguments)
        found = [result] if isinstance(result, (str, huggingface_hub.hf_api.PaperInfo)) else list(result)
    except Exception as error:  # whatever a user of the client would see
        status = getattr(getattr(error, "response", None), "status_code", None)
        return {"error": type(error).__name__, "status": status, "message": str(error)}
    return {"found": plain(found), "types": [list(types(each)) for each in found]}


def command(arguments: list[str]) -> dict[str, Any]:
    """What ``hf`` prints and how it exits, in a process of its own that was not used before."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.argv = ["hf", *arguments]
            status = 1
            try:
                hf()
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        return {"status": status, "out": out.read().decode(), "err": err.read().decode()}


for line in sys.stdin:
    asked = json.loads(line)
    answer = command(asked["hf"]) if "hf" in asked else call(asked["call"], asked["arguments"])
    print(json.dumps(answer), flush=True)
