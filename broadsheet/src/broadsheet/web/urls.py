"""Which view answers which path of `broadsheet.links`."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from broadsheet import links
from broadsheet.web.access import OPEN, READERS, Rule, Who, guarded
from broadsheet.web.api import table as api
from broadsheet.web.hf_api import views as hf_api
from broadsheet.web.mcp.views import mcp
from broadsheet.web.pages import (
    about,
    authors,
    authorship,
    comments,
    desk,
    editions,
    follows,
    front,
    groups,
    hooks,
    library,
    machine,
    mail,
    moderation,
    notices,
    outbox,
    papers,
    profiles,
    providers,
    search,
    sections,
    shelves,
    status,
    submissions,
    suggestions,
    trending,
    votes,
)
from broadsheet.web.pages.markdown import negotiated
from broadsheet.web.syndication import urls as syndication

# Identifiers hold slashes (math/0611800, 10.1000/x), and so may names of sections: they take the rest of the path.
_CONVERTERS = {"key": "<path:key>", "arxiv_id": "<path:arxiv_id>", "slug": "<path:slug>"}
_NAMES = ("day", "week", "month", "name", "number", "shelf", "group", "secret", "form", *_CONVERTERS)


def _route(pattern: str, view: Callable[..., HttpResponseBase], rule: Rule) -> URLPattern:
    names = {name: _CONVERTERS.get(name, f"<str:{name}>") for name in _NAMES}
    return path(pattern.format(**names).removeprefix("/"), guarded(negotiated(view), rule))


def _mail_route(pattern: str, view: Callable[..., HttpResponseBase], rule: Rule) -> URLPattern:
    """A key of a subscription is no key of a paper: it has no slashes."""
    address = pattern.replace("{", "<str:").replace("}", ">").removeprefix("/")
    return path(address, guarded(negotiated(view), rule))


_OF_A_SHELF = "her own, or of a group: members read, editors change"
_OF_A_GROUP = "a private group is seen by its members; owners change it"

_KEEPS = Rule(Who.READER, Who.READER, policy="keep")

urlpatterns = [
    *api.urlpatterns,
    *syndication.urlpatterns,
    _route(links.FRONT, front.front, OPEN),
    _route(links.DAY, editions.day, OPEN),
    _route(links.WEEK, editions.week, OPEN),
    _route(links.MONTH, editions.month, OPEN),
    _route(links.FIRST_EDITION, editions.first, OPEN),
    _route(links.EDITIONS, editions.archive, OPEN),
    _route(links.SECTIONS, sections.index, OPEN),
    _route(links.SECTION, sections.section, OPEN),
    _route(links.HF_DAILY, hf_api.daily, OPEN),
    _route(links.HF_SEARCH, hf_api.search, OPEN),
    _route(links.HF_SUBMIT, hf_api.submit, Rule(Who.ANYONE, Who.ANYONE, "who sends a personal token")),
    _route(links.HF_PAPER, hf_api.paper, OPEN),
    _route(links.HF_REPOSITORIES, hf_api.repositories, OPEN),
    _route(links.HF_READ, hf_api.read, OPEN),
    _route(links.MCP, mcp, Rule(Who.ANYONE, Who.ANYONE)),
    _route(links.PAPER, papers.paper, OPEN),
    _route(links.AUTHOR, authors.author, OPEN),
    _route(links.SEARCH, search.search, OPEN),
    _route(links.SUGGESTIONS, suggestions.suggestions, OPEN),
    _route(links.WHY, search.why, OPEN),
    _route(links.STATUS, status.status, OPEN),
    _route(links.STATUS_MAIL, outbox.outbox, Rule(Who.OPERATOR, Who.OPERATOR)),
    _route(links.ABOUT, about.about, OPEN),
    _route(links.RANKING, about.ranking, OPEN),
    _route(links.TRENDING, trending.trending, OPEN),
    _route(links.SHORTCUTS, about.keys, OPEN),
    _route(links.SAVED, about.saved, OPEN),
    _route(links.VOTE, votes.vote, Rule(Who.ANYONE, Who.READER, policy="vote")),
    _route(links.VOTES, votes.voted, Rule(Who.READER)),
    _route(links.PROPOSE, submissions.propose, Rule(Who.READER, Who.READER, policy="submit")),
    _route(links.PROPOSALS, submissions.proposals, Rule(Who.READER, Who.READER, "only whose proposal it is", "submit")),
    _route(links.PICK, submissions.pick, Rule(Who.ANYONE, Who.CURATOR)),
    _route(links.CLAIM, authorship.claim, Rule(Who.READER, Who.READER, "only whose claim it is", "submit")),
    _route(links.CLAIMS, authorship.claims, Rule(Who.CURATOR, Who.CURATOR, "not about a claim of her own")),
    _route(
        links.AUTHOR_LINKS, authorship.author_links, Rule(Who.ANYONE, Who.READER, "authors of the paper", "comment")
    ),
    _route(links.ANSWERS, authorship.answers, Rule(Who.ANYONE, Who.READER, "authors of the paper", "comment")),
    _route(links.COMMENT, comments.comment, Rule(Who.READER, Who.READER, policy="comment")),
    _route(links.COMMENT_ONE, comments.one, OPEN),
    _route(links.COMMENT_HISTORY, comments.history, OPEN),
    _route(links.COMMENT_EDIT, comments.edit, Rule(Who.READER, Who.READER, "its author", "comment")),
    _route(links.COMMENT_REMOVE, comments.remove, Rule(Who.ANYONE, Who.READER, "its author", "comment")),
    _route(links.DISCUSSION_FOLLOW, comments.follow, Rule(Who.ANYONE, Who.READER, policy="keep")),
    _route(links.MUTE, comments.mute, Rule(Who.ANYONE, Who.READER, policy="keep")),
    _route(links.LIBRARY, library.library, Rule(Who.READER)),
    _route(links.KEEP, library.keep, _KEEPS),
    _route(links.LIBRARY_ENTRY, library.entry, _KEEPS),
    _route(links.LIBRARY_SEVERAL, library.several, _KEEPS),
    _route(links.LIBRARY_UNDO, library.undo, _KEEPS),
    _route(links.LIBRARY_IMPORT, library.bring_in, Rule(Who.READER, Who.READER, policy="import")),
    _route(links.LIBRARY_REPORT, library.report, Rule(Who.READER, further="the reports of her own files")),
    _route(links.LIBRARY_EXPORT, library.export, Rule(Who.READER)),
    _route(links.PROFILE, profiles.profile, _KEEPS),
    _route(links.PROFILE_EXPORT, profiles.export, Rule(Who.READER)),
    _route(links.SHELVES, shelves.shelves, _KEEPS),
    _route(links.SHELF, shelves.shelf, Rule(Who.READER, Who.READER, _OF_A_SHELF, "keep")),
    _route(links.SHELF_PAPERS, shelves.on_shelf, Rule(Who.READER, Who.READER, _OF_A_SHELF, "keep")),
    _route(links.PERSON_SHELF, shelves.of_person, Rule(Who.ANYONE, further="where the person shows it to everybody")),
    _route(links.GROUPS, groups.index, Rule(Who.ANYONE, Who.READER, policy="group")),
    _route(links.JOIN, groups.join, Rule(Who.READER, Who.READER, "who has the secret of an invitation", "group")),
    _route(links.GROUP, groups.group, Rule(Who.ANYONE, Who.READER, _OF_A_GROUP, "group")),
    _route(links.GROUP_MEMBERS, groups.members, Rule(Who.READER, Who.READER, _OF_A_GROUP, "group")),
    _route(links.GROUP_INVITATIONS, groups.invitations, Rule(Who.READER, Who.READER, _OF_A_GROUP, "group")),
    _route(links.GROUP_SHELF, shelves.of_group, Rule(Who.ANYONE, further=_OF_A_GROUP)),
    _route(links.GROUP_WEEK, groups.this_week, Rule(Who.ANYONE, further=_OF_A_GROUP)),
    _route(links.DESK, desk.desk, Rule(Who.READER)),
    _route(links.FOLLOW, follows.follow, Rule(Who.ANYONE, Who.READER, policy="keep")),
    _route(links.FOLLOWS, follows.index, _KEEPS),
    _route(links.HIDE, follows.hide, Rule(Who.ANYONE, Who.READER, policy="keep")),
    _route(links.GROUP_HOOKS, hooks.hooks, Rule(Who.READER, Who.READER, "owners and editors of the group", "group")),
    _route(links.NOTICES, notices.notices, _KEEPS),
    _route(links.NOTICE_SETTINGS, notices.settings, _KEEPS),
    _route(links.FLAG, moderation.flag, Rule(Who.READER, Who.READER, policy="flag")),
    _route(links.APPEAL, moderation.appeal, Rule(Who.READER, Who.READER, "whom the decision is about", "flag")),
    _route(links.MODERATION, moderation.queue, Rule(Who.MODERATOR)),
    _route(links.MODERATION_LOG, moderation.log, OPEN),
    _route(links.MODERATION_DECIDE, moderation.decide, Rule(Who.MODERATOR, Who.MODERATOR)),
    _route(links.MODERATION_UNDO, moderation.undo, Rule(Who.ANYONE, Who.MODERATOR)),
    _route(links.APPEAL_DECISION, moderation.decide_appeal, Rule(Who.ANYONE, Who.MODERATOR, "not who made it")),
    _mail_route(links.SUBSCRIBE, mail.subscribe, Rule(Who.ANYONE, Who.ANYONE, policy="mail")),
    _mail_route(links.CONFIRM, mail.confirm, Rule(Who.ANYONE, Who.ANYONE, "who has the secret of a mail", "mail")),
    _mail_route(links.PROVIDER, providers.told, Rule(Who.ANYONE, Who.ANYONE, "the provider, by its signature")),
    _mail_route(links.LEAVE, mail.leave, Rule(Who.ANYONE, Who.ANYONE, "who has the key of a subscription")),
    _mail_route(links.MANAGE, mail.manage, Rule(Who.ANYONE, Who.ANYONE, "who has the key of a subscription", "mail")),
    _route(links.MY_MAIL, mail.mine, READERS),
    _route(links.ARXIV_ABS, papers.from_arxiv, OPEN),
    _route(links.ARXIV_PDF, papers.from_arxiv, OPEN),
    _route(links.HEALTH, machine.health, OPEN),
    _route("/robots.txt", machine.robots, OPEN),
]
