"""The addresses of lists and papers in other forms: that of the page, a full stop, and the form."""

from __future__ import annotations

import re
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, re_path

from broadsheet import links
from broadsheet.editions.rules import Kind
from broadsheet.web.access import OPEN, Rule, Who, guarded
from broadsheet.web.metadata.pictures import views as pictures
from broadsheet.web.metadata.views import in_form
from broadsheet.web.pages import markdown, sections
from broadsheet.web.syndication import follows, lists, shelves, views

_FEEDS = views.FEEDS
_CITATIONS = ("bib", "ris", "csl.json")
_ABOUT_A_PAPER = (*_CITATIONS, *_FEEDS, "jsonld", "linkset", "linkset.json", pictures.FORM)


def _or_page(view: markdown.View, page: markdown.View) -> markdown.View:
    """The view of a list; a name that only seems to end in a form, as ``sec.atom``, leads to its page."""
    page = markdown.negotiated(page)

    @wraps(view)
    def answer(request: HttpRequest, form: str, slug: str) -> HttpResponseBase:
        try:
            return view(request, form=form, slug=slug)
        except Http404 as absent:
            try:
                return page(request, slug=f"{slug}.{form}")
            except Http404:
                raise absent from None

    return answer


def _forms(pattern: str, view: markdown.View, forms: tuple[str, ...]) -> URLPattern:
    """The route of a page's pattern with a form behind it. Names in a pattern take any text, slashes too."""
    stem = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(pattern.removeprefix("/")))
    return re_path(rf"^{stem}\.(?P<form>{'|'.join(map(re.escape, forms))})\Z", guarded(view, OPEN))


def _list(pattern: str, view: markdown.View) -> URLPattern:
    return _forms(pattern, view, (*_FEEDS, *_CITATIONS))


urlpatterns = [
    _list(links.FRONT_IN_FORM.partition(".")[0], views.forms_of(lists.front)),
    _list(links.DAY, views.forms_of(lists.day)),
    _list(links.WEEK, views.forms_of(lists.week)),
    _list(links.MONTH, views.forms_of(lists.month)),
    _list(links.FIRST_EDITION, views.forms_of(lists.first)),
    _forms(links.DAY, pictures.of_editions(Kind.DAY), (pictures.FORM,)),
    _forms(links.WEEK, pictures.of_editions(Kind.WEEK), (pictures.FORM,)),
    _forms(links.MONTH, pictures.of_editions(Kind.MONTH), (pictures.FORM,)),
    _forms(links.FIRST_EDITION, pictures.of_editions(Kind.FIRST), (pictures.FORM,)),
    _forms(links.EDITIONS, views.forms_of(lists.archive), _FEEDS),
    _list(links.SECTION, _or_page(views.forms_of(lists.section), sections.section)),
    _list(links.AUTHOR, views.forms_of(lists.author)),
    _list(links.SEARCH, views.forms_of(lists.search, as_feed=lists.search_newest)),
    _list(links.RELATED, views.forms_of(lists.related)),
    _list(links.PERSON_SHELF, views.forms_of(shelves.of_person)),
    _list(links.GROUP_SHELF, shelves.personal(views.forms_of(shelves.of_group))),
    _list(links.GROUP_WEEK, shelves.personal(views.forms_of(shelves.week_of_group))),
    _forms(links.FOLLOW_FEED, follows.secret(views.forms_of(follows.of_follow)), _FEEDS),
    path(links.MY_FEEDS.removeprefix("/"), guarded(follows.secret(follows.subscriptions), Rule(Who.READER))),
    _forms(links.PAPER, in_form, _ABOUT_A_PAPER),
    path(links.SUBSCRIPTIONS.removeprefix("/"), guarded(views.subscriptions, OPEN)),
    path(links.LLMS.removeprefix("/"), guarded(markdown.llms, OPEN)),
    # Of papers, the Markdown has an address of its own in `links`.
    re_path(r"^(?!papers/|api/)(?P<path>.+)\.md\Z", guarded(markdown.twin, OPEN)),
]
