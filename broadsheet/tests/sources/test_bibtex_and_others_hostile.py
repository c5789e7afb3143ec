"""Every recorded answer of any origin, fed to every reader of citations: records or a reason, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadsheet.sources.base import HEAD_BYTES, Source
from broadsheet.sources.origins.bibtex import Bibtex
from broadsheet.sources.origins.csl_json import CslJson
from broadsheet.sources.origins.ris import Ris
from broadsheet.sources.origins.zotero import Zotero
from broadsheet.testing.source_conformance import check_bytes

# The folders whose files a source may take for its own.
OWN = {"bibtex": "bibtex", "ris": "ris", "csl-json": "", "zotero": ""}


@pytest.mark.parametrize("source", [Bibtex(), Ris(), CslJson(), Zotero()], ids=lambda source: str(source.name))
def test_recorded_answers(source: Source, protocol: Path) -> None:
    files = [path for path in protocol.rglob("*") if path.is_file()]
    assert len(files) > 800
    for path in files:
        data = path.read_bytes()
        check_bytes(source, data)
        folder = path.relative_to(protocol).parts[0]
        assert not source.recognises(data[:HEAD_BYTES], path.name) or folder == OWN[source.name], path
