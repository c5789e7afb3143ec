"""The Jinja2 environment of the pages: escaping on, and the filters and addresses that templates use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from jinja2 import Environment, StrictUndefined

from broadsheet import __version__, links
from broadsheet.community.rules.moderating import DEEDS
from broadsheet.editions.rules import audits
from broadsheet.web import addresses, cards, entrance, wording
from broadsheet.web.metadata import coins
from broadsheet.web.pages import notices

_STRICT: dict[str, Any] = {
    "autoescape": True,
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
}


def environment(**options: Any) -> Environment:
    """What Django's Jinja2 backend calls once. An undefined name in a template is an error, never an empty text."""
    made = Environment(**options | _STRICT)  # noqa: S701  escaping is in _STRICT
    made.filters |= {
        "tex": cards.html,
        "long_day": wording.long_day,
        "weekday": wording.weekday_text,
        "day": wording.day_text,
        "eastern": wording.eastern,
        "utc": wording.utc,
        "number": wording.number,
        "count": wording.count,
        "section_name": wording.section_name,
        "category_name": wording.category_name,
        "web_address": addresses.outside,
        "short_address": addresses.shortened,
        "home": addresses.home,
        "announcer_name": audits.announcer_name,
        "lacking": audits.lacking,
        "coins": coins.context,
    }
    made.globals |= {
        "links": links,
        "version": __version__,
        "asset": static,
        "navigation": NAVIGATION,
        "route": addresses.route,
        "providers": entrance.providers,
        "provider_name": entrance.provider_name,
        "section_url": addresses.section,
        "paper_url": addresses.paper,
        "edition_url": addresses.edition,
        "person_shelf_url": addresses.person_shelf,
        "group_url": addresses.group,
        "group_shelf_url": addresses.group_shelf,
        "in_form": addresses.in_form,
        "related_url": addresses.related,
        "api_paper_url": addresses.api_paper,
        "grammar": GRAMMAR,
        "edition_name": wording.edition_name,
        "deeds": DEEDS,
        "waiting": notices.waiting,
        "site_name": settings.BROADSHEET_SITE_NAME,
        # What a page has when its view says nothing else; the pages of errors have no view of ours.
        "here": "",
        "viewer": None,
        "accounts": False,
        "sends_mail": False,
        "back": "",
        "way_in": links.SIGN_IN,
        "canonical": "",
        "description": "",
        "social": (),
        "feed": "",
        "twin": "",
        "noindex": False,
        "query": "",
    }
    return made


NAVIGATION = (
    ("Front page", links.FRONT),
    ("Trending", links.TRENDING),
    ("Editions", links.EDITIONS),
    ("Sections", links.SECTIONS),
    ("Search", links.SEARCH),
    ("Status", links.STATUS),
    ("About", links.ABOUT),
)

# The query language as a reader is told of it; all of it stands in broadsheet.search.query.
GRAMMAR = (
    (("graph networks",), "papers with at least one of the words, the best match first"),
    (('"graph networks"',), "papers with exactly this phrase"),
    (("-survey", '-"a survey"'), "papers without the word or phrase"),
    (('author:"Ada Example"',), "papers by this author"),
    (("category:cs.LG", "category:math"), "papers in a category or section, or in all categories of an archive"),
    (("venue:ICML",), "papers of a venue"),
    (("year:2024", "year:2023..2025", "year:>=2023"), "papers of these years"),
    (("date:2024-05", "date:2024-05-01..2024-06-15"), "papers of these months or days"),
    (("has:code", "-has:code"), "papers with code, without code"),
    (("holds:yes", "holds:no"), "papers of which a claim held up when run, or all others"),
    (("sort:newest",), "the newest first"),
    (("sort:votes", "sort:trending"), "only papers that people voted for: most votes, or rising fastest"),
    (("2401.00001", "doi:10.1000/182", "https://arxiv.org/abs/2401.00001"), "this paper, at once"),
)
