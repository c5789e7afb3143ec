"""All papers as JSON Lines (https://jsonlines.org), sent while they are read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from weakref import WeakSet

import orjson
from django.http import HttpResponseBase, StreamingHttpResponse
from pydantic import Field

from broadsheet import links
from broadsheet.papers import queries as papers
from broadsheet.web.api import making, shapes
from broadsheet.web.api.endpoint import AGAIN_SECONDS, Asked, Endpoint, Example
from broadsheet.web.api.parameters import FIELDS, GREATEST, Number, PaperFields, Parameters
from broadsheet.web.api.problems import NotAnswered, repeated

MEDIA_TYPE = "application/jsonl"
# Papers that are in memory at a time.
_BATCH = 200


class _Turn:
    """The turn of one client. It is over when its answer ended, broke off, or is not there any more."""

    over = False


# A client that reads slowly keeps a thread of the server busy, so a process serves only one of them at a time.
_turns: WeakSet[_Turn] = WeakSet()
_lock = threading.Lock()


class OfExport(Parameters):
    """What the export takes."""

    after: str = Field(
        default="",
        max_length=200,
        description="The `cursor` of the last line that was read; empty: from the beginning.",
    )
    limit: Number = Field(
        default=0, ge=0, le=GREATEST, description="How many papers at most; 0: all there are.", examples=[1000]
    )
    fields: PaperFields = Field(default=(), description=FIELDS, examples=["id,title,authors"])


def export(asked: Asked[OfExport]) -> HttpResponseBase:
    """The papers in the order in which they were first stored. Raises NotAnswered."""
    wanted = asked.parameters
    if wanted.after and not (wanted.after.isascii() and wanted.after.isdigit() and len(wanted.after) <= 18):
        raise NotAnswered("unknown-cursor", f"'{repeated(wanted.after)}' is no cursor of a line of this export.")
    return _Export(asked, _next_turn())


def _next_turn() -> _Turn:
    """A turn of one's own. Raises NotAnswered while another is not over."""
    with _lock:
        if not all(turn.over for turn in _turns):
            again = {"Retry-After": str(AGAIN_SECONDS)}
            raise NotAnswered("not-now", "Somebody reads the export already. Try again later.", headers=again)
        turn = _Turn()
        _turns.add(turn)
        return turn


class _Export(StreamingHttpResponse):
    """An export on its way."""

    def __init__(self, asked: Asked[OfExport], turn: _Turn) -> None:
        self._turn = turn
        super().__init__(_lines(asked, turn), content_type=MEDIA_TYPE)

    def close(self) -> None:
        """Called by the server in any case, also when the client went away."""
        super().close()
        self._turn.over = True


def _lines(asked: Asked[OfExport], turn: _Turn) -> Iterator[bytes]:
    """The lines, a batch at a time."""
    wanted = asked.parameters
    last, left = int(wanted.after or 0), wanted.limit
    try:
        while rows := papers.stored_after(last, limit=min(_BATCH, left) if wanted.limit else _BATCH):
            shown = making.papers_of(rows, wanted.fields, base=asked.base)
            yield b"".join(_line(paper, row.id) for row, paper in zip(rows, shown, strict=True))
            last, left = rows[-1].id, left - len(rows)
            if wanted.limit and not left:
                break
    finally:
        turn.over = True


def _line(paper: shapes.Paper, row_id: int) -> bytes:
    said = paper.model_dump(mode="json", exclude_unset=True)
    return orjson.dumps({**said, "cursor": str(row_id)}, option=orjson.OPT_APPEND_NEWLINE)


ENDPOINTS = (
    Endpoint(
        path=links.API_EXPORT,
        name="export_papers",
        summary="All papers as JSON Lines",
        description="Every paper, one on a line, in the order in which they were first stored. An export that broke "
        "off goes on with the `cursor` of its last whole line as `after`. Each process serves one client at a time.",
        parameters=OfExport,
        shape=shapes.ExportedPaper,
        answer=export,
        policy="export",
        problems=("unknown-cursor",),
        media_type=MEDIA_TYPE,
        examples=(Example("Identifiers and titles", "/api/v1/papers.jsonl?fields=title_text"),),
    ),
)
