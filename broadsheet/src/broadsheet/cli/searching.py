"""`broadsheet search`: the same question as on the search page, for a terminal and for programs."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import click

from broadsheet.cli import preparing
from broadsheet.cli.failure import Failure
from broadsheet.papers import tasks
from broadsheet.search.explanation import Explanation
from broadsheet.search.index import Index, IndexUnavailable
from broadsheet.search.query import Query, Sort, parse
from broadsheet.sources import text
from broadsheet.web import addresses, cards, searching

_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How many papers, from which place on, in which order, and how they are told."""

    limit: int
    after: str
    newest: bool
    explain: bool
    as_json: bool


def search(words: str, wishes: Wishes) -> None:
    """Print what is found, the best first, and what the page would say of it. Finding nothing is no failure.

    Raises Failure when there is no database, when the index cannot answer, or when there is no such place in it.
    """
    preparing.require_database()
    query = parse(words)
    if query.empty:
        raise Failure("There are no words and no filters to search for. `broadsheet search --help` shows examples.")
    if wishes.newest:
        query = replace(query, sort=Sort.NEWEST)
    index = tasks.open_index()
    try:
        answer = searching.ask(index, query, searching.Place(wishes.limit, after=wishes.after))
        reasons = _reasons(index, query, answer) if wishes.explain and answer.of_the_index else {}
    except ValueError as error:
        raise Failure(str(error)) from error
    except searching.BeingBuilt as error:
        raise Failure(searching.plain(str(error))) from error
    except IndexUnavailable as error:
        raise Failure(f"{error} `broadsheet doctor` builds the index again.") from error
    if wishes.as_json:
        # On a terminal, what others wrote must not steer it; JSON says every sign in ASCII too.
        click.echo(json.dumps(_as_json(words, answer, reasons), ensure_ascii=sys.stdout.isatty()))
    else:
        _tell(answer, reasons)


def _reasons(index: Index, query: Query, answer: searching.Answer) -> dict[int, Explanation]:
    """Why each paper has its score. Costs as much as a search for each."""
    explained = {card.paper.id: index.explain(query, card.paper.id) for card in answer.cards}
    return {paper_id: reason for paper_id, reason in explained.items() if reason is not None}


def _tell(answer: searching.Answer, reasons: dict[int, Explanation]) -> None:
    """The papers to standard output; what is said of them to standard error, so that a pipe gets papers only."""
    for card in answer.cards:
        for line in _as_text(card):
            click.echo(line)
        if card.paper.id in reasons:
            for line in _reason_as_text(reasons[card.paper.id]):
                click.echo(line)
        click.echo()
    shown, total = len(answer.results.hits), answer.results.total
    click.echo(f"{shown:,} of {total:,} {'paper' if total == 1 else 'papers'}. {_sentence(answer.query)}", err=True)
    for remark in answer.remarks:
        click.echo(text.printable(str(remark)), err=True)
    if answer.results.next:
        click.echo(f"More: the same command with --after {answer.results.next}", err=True)


def _sentence(query: Query) -> str:
    return text.printable(f"Searched: {query.in_words()}.")


def _as_text(card: cards.Card) -> Iterator[str]:
    """The title; the authors and the day; the address."""
    yield text.printable(card.title_text)
    by = ", ".join(author.name for author in card.authors)
    by += f" and {card.more_authors} more" if by and card.more_authors else ""
    about = "; ".join(filter(None, (by, card.day, card.paper.venue)))
    if about:
        yield text.printable(f"    {about}")
    yield text.printable(f"    {addresses.home(card.paper.key) or addresses.paper(card.paper.key)}")


def _reason_as_text(reason: Explanation, depth: int = 1) -> Iterator[str]:
    """The tree in lines, each level further in."""
    margin = "    " * depth
    how = f", the {reason.rule} of" if reason.details else ""
    said = text.printable(f"{reason.value:.3f} {reason.words}{how}")
    yield textwrap.fill(said, _WIDTH, initial_indent=margin, subsequent_indent=f"{margin}      ")
    for each in reason.details:
        yield from _reason_as_text(each, depth + 1)


def _as_json(words: str, answer: searching.Answer, reasons: dict[int, Explanation]) -> dict[str, Any]:
    """The object that docs/user/searching.md promises."""
    scores = {hit.pk: hit.score for hit in answer.results.hits}
    results = answer.results
    return {
        "query": words,
        "searched": answer.query.in_words(),
        "sort": str(answer.query.sort),
        "total": results.total,
        "papers": [_paper(card, scores.get(card.paper.id, 0.0), reasons.get(card.paper.id)) for card in answer.cards],
        "corrections": [{"typed": typed, "searched": searched} for typed, searched in results.corrections],
        "remarks": [str(remark) for remark in answer.remarks],
        "next": results.next or None,
    }


def _paper(card: cards.Card, score: float, reason: Explanation | None) -> dict[str, Any]:
    paper = card.paper
    said = {
        "key": paper.key,
        "title": card.title_text,
        "authors": [cards.author(name).name for name in paper.authors],
        "day": str(paper.announced or paper.submitted or "") or None,
        "venue": paper.venue or None,
        "categories": list(paper.categories),
        "page": addresses.paper(paper.key),
        "home": addresses.home(paper.key) or None,
        "score": score,
    }
    return said | ({"explanation": _reason(reason)} if reason else {})


def _reason(reason: Explanation) -> dict[str, Any]:
    return {
        "value": reason.value,
        "words": reason.words,
        "rule": str(reason.rule),
        "details": [_reason(each) for each in reason.details],
    }
