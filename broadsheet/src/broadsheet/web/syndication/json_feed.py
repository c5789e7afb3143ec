"""A feed as JSON Feed 1.1: https://www.jsonfeed.org/version/1.1/. Our extension is the field ``_broadsheet``."""

from __future__ import annotations

from typing import Any

import orjson

from broadsheet.web.syndication.atom import moment
from broadsheet.web.syndication.feeds import Entry, Feed, State

TYPE = "application/feed+json; charset=utf-8"
VERSION = "https://jsonfeed.org/version/1.1"


def write(feed: Feed, *, site: str) -> bytes:
    """The document. `site` is what the newspaper is called."""
    others = dict(feed.others("json"))
    document: dict[str, Any] = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.at("json"),
        "description": feed.subtitle,
        "language": "en",
        "authors": [{"name": site, "url": f"{feed.base}/"}],
        "next_url": others.get("next", ""),
        "_broadsheet": {"id": feed.id, **({"edition": _edition(feed.edition)} if feed.edition else {})},
        "items": [_item(entry) for entry in feed.entries],
    }
    return orjson.dumps(_said(document))


def _item(entry: Entry) -> dict[str, Any]:
    own: dict[str, Any] = {"edition": _edition(entry.edition)} if entry.edition else {}
    if entry.place is not None:
        own["place"] = {"rank": entry.place, "late": entry.late}
    return _said(
        {
            "id": entry.id,
            "url": entry.url,
            "external_url": next((link.href for link in entry.links if link.rel == "via"), ""),
            "title": entry.title,
            "content_html": entry.body.html(),
            "summary": entry.summary,
            "date_published": moment(entry.published) if entry.published else "",
            "date_modified": moment(entry.updated),
            "authors": [_said({"name": name, "url": address}) for name, address in entry.authors],
            "tags": [label for _slug, label in entry.categories],
            "_broadsheet": own,
        }
    )


def _edition(state: State) -> dict[str, Any]:
    return _said(
        {
            "kind": state.kind,
            "label": state.label,
            "number": state.number,
            "state": state.state,
            "line": state.line,
            "size": state.size,
            "late": state.late,
            "open": state.open,
            "checked": moment(state.checked) if state.checked else "",
            "changed": moment(state.changed) if state.changed else "",
        }
    )


def _said(values: dict[str, Any]) -> dict[str, Any]:
    """What says something: a field that is empty is left out. The list of items stays, as every feed has one."""
    return {name: value for name, value in values.items() if value not in ("", [], {}) or name == "items"}
