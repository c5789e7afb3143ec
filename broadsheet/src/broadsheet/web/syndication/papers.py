"""What happens to one paper as a feed: its versions, its code, what was measured of it, and what people say of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from django.conf import settings
from django.utils import timezone

from broadsheet import links
from broadsheet.community.queries import comments
from broadsheet.evidence import queries as evidence
from broadsheet.following.rules.news import CODE_SAID
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, wording
from broadsheet.web.syndication.bodies import Body, legal
from broadsheet.web.syndication.feeds import ENTRIES, NEVER, Entry, Feed, day_of, midnight
from broadsheet.web.syndication.lists import Part
from broadsheet.web.syndication.tags import tag


def of_paper(row: papers.Paper, *, base: str) -> Feed:
    """The feed of a shown paper, the newest first: what everybody may see. `base` is the scheme and host before it."""
    page = addresses.paper(row.key)
    entries = sorted(
        [
            *_versions(row, base + page),
            *_code(row, base + page),
            *_measurements(row, base + page),
            *_comments(row, base),
        ],
        key=lambda entry: entry.updated,
        reverse=True,
    )[:ENTRIES]
    title = cards.plain(row.title) or row.key
    return Feed(
        id=tag(f"paper/{row.key}/news"),
        title=legal(f"{title} – {settings.BROADSHEET_SITE_NAME}"),
        subtitle="Versions, code, measurements and comments, the newest first",
        base=base,
        part=Part(f"paper/{row.key}", title, page),
        updated=max((entry.updated for entry in entries), default=NEVER),
        entries=tuple(entries),
        edition=None,
    )


def _versions(row: papers.Paper, url: str) -> Iterator[Entry]:
    for number, submitted in row.versions:
        at = midnight(day_of(str(submitted or "")))
        if at is not None:
            said = f"Version {number}, of {wording.day_text(submitted)}."
            yield Entry(tag(f"paper/{row.key}/v{number}"), f"Version {number}", url, at, at, Body().say(said))


def _code(row: papers.Paper, url: str) -> Iterator[Entry]:
    """Code that was found after the paper was here, at the moment when we last heard of another address."""
    moved = papers.moved([row.id], since=NEVER, until=timezone.now()).get(row.id, [])
    at = max((each.at.astimezone(UTC) for each in moved if "code_url" in each.fields), default=None)
    if at is not None and row.code_url:
        yield Entry(tag(f"paper/{row.key}/code"), CODE_SAID, url, at, at, Body().say(f"{CODE_SAID}: {row.code_url}"))


def _measurements(row: papers.Paper, url: str) -> Iterator[Entry]:
    known = evidence.known([row.id]).get(row.id, evidence.Known())
    for finding in known.findings:
        for measured in (finding.measured, *finding.others):
            at = measured.received_at.astimezone(UTC)
            body = Body().print(finding.claim.text).say(f"Measured by {measured.source} ({measured.tier}).")
            title = f"Measured: {measured.verdict}"
            yield Entry(tag(f"measurement/{measured.digest}"), title, f"{url}#claims", at, at, body)


def _comments(row: papers.Paper, base: str) -> Iterator[Entry]:
    for comment in comments.newest(row.id, limit=ENTRIES):
        at = comment.made_at.astimezone(UTC)
        who = comment.author.shown if comment.author else "Somebody whose account is gone"
        yield Entry(
            tag(f"comment/{comment.id}"),
            legal(f"{who} commented"),
            base + links.COMMENT_ONE.format(number=comment.id),
            (comment.edited_at or comment.made_at).astimezone(UTC),
            at,
            Body().print(comment.body),
        )
