"""Papers as files for programs that manage references: which forms there are, and how each is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from broadsheet.bibliography.formats import bibtex, csl, ris
from broadsheet.bibliography.record import Record
from broadsheet.papers import queries as papers

# Papers in one file; where a list has more, the answer says in a header where the next file is.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Form:
    """A form of citations: its name for people, its type for programs, and what writes it."""

    name: str
    type: str
    write: Callable[[Iterable[Record]], Iterator[str]]


# By the end of their addresses. Zotero opens answers of the first two types by itself.
FORMS = {
    "bib": Form("BibTeX", "application/x-bibtex", bibtex.write),
    "ris": Form("RIS", "application/x-research-info-systems", ris.write),
    "csl.json": Form("CSL-JSON", "application/vnd.citationstyles.csl+json", csl.write),
}


def written(ids: Sequence[int], form: Form) -> bytes:
    """What we believe of these papers, each once, in this order."""
    roots = papers.canonical(ids)
    wanted = list(dict.fromkeys(roots[paper_id] for paper_id in ids))
    known = papers.beliefs(wanted)
    return "".join(form.write(known[paper_id] for paper_id in wanted if paper_id in known)).encode()


def file_name(name: str, form: str) -> str:
    """The name under which a download is kept: ``broadsheet-section-cs.LG.bib``, in ASCII."""
    kept = re.sub(r"[^A-Za-z0-9.]+", "-", name[:200]).strip("-.") or "papers"
    return f"broadsheet-{kept[:100]}.{form}"
