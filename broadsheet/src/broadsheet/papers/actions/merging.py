"""Merging papers that turned out to be one work, and taking it back."""

from __future__ import annotations

from datetime import datetime

import orjson
from django.utils import timezone

from broadsheet.bibliography import identifiers, merging
from broadsheet.bibliography.identifiers import Scheme
from broadsheet.bibliography.record import Record
from broadsheet.papers import queries
from broadsheet.papers.actions import writing
from broadsheet.papers.models import Paper, PaperChange, Statement
from broadsheet.storage import reserve_ids
from broadsheet.storage import writing as transaction

Kind = PaperChange.Kind


class MergeRefused(Exception):
    """The papers cannot be merged or un-merged. The text says why, for the person who asked."""


def merge_papers(*, winner_key: str, loser_key: str, reason: str) -> str:
    """Make two papers one, under the winner's address. Returns the key by which `unmerge_papers` undoes it.

    Raises MergeRefused when a key is unknown or both are one paper already.
    """
    with transaction():
        winner, loser = _paper(winner_key), _paper(loser_key)
        if winner.id == loser.id:
            raise MergeRefused(f"{winner_key} and {loser_key} are one paper already ({winner.key}).")
        _merge(winner.id, loser.id, reason, timezone.now())
        return loser.key


def unmerge_papers(*, key: str, reason: str) -> None:
    """Make a merged paper one of its own again. The two are then never merged by rule.

    `key` is the merged paper's own key. Raises MergeRefused when it names no merged paper.
    """
    with transaction():
        loser = Paper.objects.filter(key=key).first()
        if loser is None or loser.merged_into_id is None:
            raise MergeRefused(f"{key} was not merged into another paper, so there is nothing to undo.")
        at, winner = timezone.now(), loser.merged_into_id
        Paper.objects.filter(id=loser.id).update(merged_into=None)
        writing.put_on_lists(queries.beliefs([loser.id]))
        writing.journal([(loser.id, Kind.UNMERGED, "", winner, reason)], at)
        writing.recompute(sorted({loser.id, *queries.canonical([winner]).values()}), at)


def split_statement(*, source: str, source_key: str, reason: str) -> str:
    """Take what one source said out of a paper and make it a paper of its own. Returns the new paper's key.

    For a record that was attached to the wrong paper by its title. Raises MergeRefused when the statement is unknown,
    or is all that the paper has.
    """
    with transaction():
        row = Statement.objects.filter(source=source, source_key=source_key).first()
        if row is None:
            raise MergeRefused(f"{source} never said anything under {source_key}.")
        if Statement.objects.filter(paper=row.paper_id).count() == 1:
            raise MergeRefused("That statement is all that the paper has, so there is nothing to split off.")
        return _split(row, reason, timezone.now())


def _split(row: Statement, reason: str, at: datetime) -> str:
    old, new = row.paper_id, reserve_ids(Paper, 1)[0]
    record = Record.from_json(orjson.loads(row.said))
    Statement.objects.filter(id=row.id).update(paper=new)
    remaining = merging.merge([each.record for each in queries.statements([old])[old]]).record
    writing.give_up_identifiers(old, set(record.identifiers) - set(remaining.identifiers), remaining)
    writing.insert_new({new: record}, at)
    writing.journal([(new, Kind.UNMERGED, "", old, reason)], at)
    writing.recompute(sorted(set(queries.canonical([old]).values())), at)
    return queries.by_ids([new])[new].key


def merge_by_rule(one: int, other: int, reason: str, at: datetime) -> None:
    """Merge, inside an open transaction, two papers that a rule takes for one work; nothing if people took them apart.

    The one with the better address wins, of equal ones the older. Both ids may have been merged before.
    """
    roots = queries.canonical([one, other])
    pair = {roots[one], roots[other]}
    if len(pair) == 2 and not queries.kept_apart(*pair):
        winner, loser = sorted(Paper.objects.filter(id__in=pair), key=_by_address)
        _merge(winner.id, loser.id, reason, at)


def _by_address(paper: Paper) -> tuple[int, int]:
    identifier = identifiers.from_key(paper.key)
    return (identifiers.rank(identifier) if identifier else len(Scheme), paper.id)


def _merge(winner: int, loser: int, reason: str, at: datetime) -> None:
    Paper.objects.filter(id=loser).update(merged_into=winner)
    writing.take_off_lists(queries.beliefs([loser]))
    writing.journal([(loser, Kind.MERGED, "", winner, reason)], at)
    writing.recompute([winner], at)


def _paper(key: str) -> Paper:
    paper = queries.find(key)
    if paper is None:
        raise MergeRefused(f"No paper is known as {key}.")
    return paper
