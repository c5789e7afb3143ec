"""The five saved pages and real arXiv records: every text renders, well-formed, and nearly all formulas are typeset."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET  # the input is our own output
from pathlib import Path

import pytest

from broadsheet.bibliography.tex import to_html, to_text
from broadsheet.bibliography.tex_mathml import formula_to_mathml
from broadsheet.bibliography.tex_scan import scan

RECORDS = 2_000


@pytest.fixture(scope="module")
def real_texts(shared_data: Path) -> list[str]:
    """The lines of the saved pages, and titles and abstracts of arXiv."""
    texts = [line for page in sorted((shared_data / "seeds").glob("*.txt")) for line in page.read_text().splitlines()]
    corpus = shared_data / "corpora" / "arxiv_all_fields.jsonl.zst"
    with subprocess.Popen(["zstd", "-dcq", str(corpus)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _, line in zip(range(RECORDS), process.stdout, strict=False):
            record = json.loads(line)
            texts += [record["title"], record["abstract"] or ""]
        process.stdout.close()
    return texts


def test_every_text_renders(real_texts: list[str]) -> None:
    for text in real_texts:
        ET.fromstring(f"<p>{to_html(text, links=True)}</p>")
        assert "\n" not in to_text(text)


def test_nearly_all_formulas_are_typeset(real_texts: list[str]) -> None:
    formulas = [piece.text for text in real_texts for piece in scan(text) if piece.kind in ("math", "display")]
    failed = [formula for formula in formulas if formula_to_mathml(formula) is None]
    assert len(failed) < len(formulas) / 1_000
