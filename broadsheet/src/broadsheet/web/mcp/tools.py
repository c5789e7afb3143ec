"""The tools by their names, as clients are told them. A name stands for ever; tests pin names and schemas."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from broadsheet.accounts.rules import Person
from broadsheet.web.mcp import finding, own, printing, reading, shapes
from broadsheet.web.mcp.asking import Unanswerable
from broadsheet.web.mcp.budget import cut

log = logging.getLogger("broadsheet.web.mcp")

# How much of a value that was not understood is repeated, in tokens.
_REPEATED = 20

_WHOSE = (
    "Nobody knows whose library is meant. Over HTTP, send a personal token with the scope read:library, as in "
    "Authorization: Bearer TOKEN; the reader makes one on the pages of her account. On this machine: "
    "broadsheet mcp --as NAME"
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: `answer` makes of its `arguments`, and of the scheme and host before our addresses, its `result`.

    That of a personal one gets the person who asks as well.
    """

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    result: type[shapes.Answer]
    answer: Callable[..., shapes.Answer]
    is_personal: bool = False


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "search_papers",
            "Search papers",
            "Find papers on this instance by words, phrases and filters, best match first. It holds what was imported "
            "and harvested here, not all papers there are. Answers are short; get_paper tells more of one.",
            shapes.SearchPapers,
            shapes.Found,
            finding.search_papers,
        ),
        Tool(
            "get_paper",
            "Read about a paper",
            "What is known of one paper: title, authors, dates, identifiers, abstract, links, and the editions that "
            "printed it, each with how complete it is. The full text is at its home, not here.",
            shapes.GetPaper,
            shapes.Paper,
            reading.get_paper,
        ),
        Tool(
            "get_edition",
            "Read an edition",
            "The dated list of new papers of a day, week or month, in its order, with its audit: how many of the "
            "announced papers it has and who counted them. Days are those of arXiv's announcements (US Eastern).",
            shapes.GetEdition,
            shapes.Edition,
            printing.get_edition,
        ),
        Tool(
            "related_papers",
            "Find related papers",
            "The papers nearest in meaning to one, the nearest first or the newest of the near ones first.",
            shapes.RelatedPapers,
            shapes.Related,
            finding.related_papers,
        ),
        Tool(
            "get_evidence",
            "Ask whether it holds up",
            "What a paper claims, in numbers where it gives some, how one would test it, and what was measured when "
            "somebody did. A claim is the paper's own until it is said to be measured.",
            shapes.GetEvidence,
            shapes.Evidence,
            reading.get_evidence,
        ),
        Tool(
            "my_library",
            "Look into my library",
            "The papers that the reader who asks has saved, the last one first, with her notes, tags and reading "
            "states. Over HTTP it needs a personal token with the scope read:library.",
            shapes.MyLibrary,
            shapes.Library,
            own.my_library,
            is_personal=True,
        ),
    )
}


def call(tool: Tool, arguments: dict[str, Any], base: str, reader: Person | None = None) -> shapes.Answer:
    """What the tool answers the reader, None for somebody unknown. Raises Unanswerable, with a sentence for the model,
    when it cannot.
    """
    if tool.is_personal and reader is None:
        raise Unanswerable(_WHOSE)
    try:
        wanted = tool.arguments.model_validate(arguments)
    except ValidationError as error:
        raise Unanswerable(_misread(tool, error)) from error
    try:
        return tool.answer(wanted, base, reader) if tool.is_personal else tool.answer(wanted, base)
    except Unanswerable:
        raise
    except Exception as error:
        log.exception("the tool %s failed", tool.name)
        raise Unanswerable(
            f"{tool.name} failed by a fault of this server, which is in its log. Other tools may still work."
        ) from error


def _misread(tool: Tool, error: ValidationError) -> str:
    """Which arguments cannot be meant, why, and which ones the tool has."""
    wrong = []
    for each in error.errors(include_url=False, include_context=False)[:5]:
        name = cut(".".join(map(str, each["loc"])), _REPEATED) or "the arguments"
        if each["type"] == "extra_forbidden":
            wrong.append(f"{name}: there is no such argument")
        elif each["type"] == "missing":
            wrong.append(f"{name}: is missing")
        else:
            wrong.append(f"{name}: {each['msg']}, not '{cut(str(each['input']), _REPEATED)}'")
    return (
        f"{tool.name} was not called rightly. {'; '.join(wrong)}. It takes: {', '.join(tool.arguments.model_fields)}."
    )
