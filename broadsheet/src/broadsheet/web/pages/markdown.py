"""Markdown twins: every page at its address with ``.md`` behind it, or for who asks for ``text/markdown``; llms.txt.

https://llmstxt.org: a program that reads finds the list of what is here, and each page without its furniture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.editions import queries as editions
from broadsheet.web import access, addresses, wording
from broadsheet.web.html_to_markdown import converted, escaped, linked
from broadsheet.web.rendering import CACHING

TYPE = "text/markdown; charset=utf-8"

View = Callable[..., HttpResponseBase]

_EDITIONS = 7


# The view of a page by the one that negotiates for it.
_PAGES: dict[Callable[..., Any], View] = {}


def negotiated(view: View) -> View:
    """The view of a page, which answers in Markdown who prefers it: RFC 9110, section 12.5.1."""

    @wraps(view)
    def answer(request: HttpRequest, **names: Any) -> HttpResponseBase:
        response = view(request, **names)
        if not isinstance(response, HttpResponse) or not _is_page(response):
            return response
        preferred = request.get_preferred_type(["text/html", "text/markdown"])
        if preferred == "text/markdown":
            response = _twin(response, request.build_absolute_uri(), status=response.status_code)
        patch_vary_headers(response, ("Accept",))
        return response

    _PAGES[answer] = view
    return answer


@require_safe
def twin(request: HttpRequest, path: str) -> HttpResponseBase:
    """The page at `path` as Markdown; ``index`` is the front page. Raises Http404 when there is no such page."""
    page = links.FRONT if path == "index" else f"/{path}"
    try:
        found = _page_at(page)
        # A page is negotiated; the twin is made of its HTML also for who prefers Markdown.
        refused = access.refusal(request, found.func, found)
        view: View = _PAGES.get(inspect.unwrap(found.func, stop=_PAGES.__contains__), found.func)
        response = refused or view(request, *found.args, **found.kwargs)
    except Resolver404 as error:
        raise Http404("There is no such address.") from error
    except Http404 as error:
        named = _named_so(request, found)
        return named or _answer(f"# Not here\n\n{escaped(str(error))}\n", status=404)
    if isinstance(response, HttpResponseRedirect):
        return HttpResponseRedirect(addresses.in_form(response.url, "md"))
    if not isinstance(response, HttpResponse) or not _is_page(response):
        raise Http404("There is no such page.")
    asked = request.META.get("QUERY_STRING", "")
    address = f"{addresses.base_of(request)}{page}" + (f"?{asked}" if asked else "")
    return _twin(response, address, status=response.status_code)


def _page_at(path: str) -> ResolverMatch:
    """What answers at the path. Raises Resolver404, also for a twin of a twin of a twin, and so on for ever.

    What looks like the twin of a twin may be that of a section whose name ends like one.
    """
    found = resolve(path)
    if inspect.unwrap(found.func) is inspect.unwrap(twin) and found.kwargs["path"].endswith(".md"):
        raise Resolver404({"path": path})
    return found


def _named_so(request: HttpRequest, found: ResolverMatch) -> HttpResponseBase | None:
    """The page of a section whose name only seems to end in the form, as ``a.md``; None when there is no such one."""
    if "slug" not in found.kwargs:
        return None
    try:
        page: HttpResponseBase = found.func(request, slug=f"{found.kwargs['slug']}.md")
    except Http404:
        return None
    return page


@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    """What is here and where, for programs that read: https://llmstxt.org"""
    base = addresses.base_of(request)
    site = escaped(settings.BROADSHEET_SITE_NAME)

    def line(name: str, path: str, note: str) -> str:
        return f"- {linked(name, base + path)}: {note}"

    def page(name: str, path: str, note: str) -> str:
        return line(name, addresses.in_form(path, "md"), note)

    latest = [
        page(wording.long_day(each.day), addresses.edition("day", each.edition.label), escaped(each.words.line))
        for each in editions.recent(_EDITIONS)
        if each.edition
    ]
    parts = [
        f"# {site}",
        f"> {site} prints a dated edition of new research papers every day, and says of each edition how complete "
        "it is.",
        "Every page has a Markdown twin at its address with .md behind it, and answers the header "
        "Accept: text/markdown. Titles and abstracts are their authors', with mathematics as TeX between dollars; "
        "summaries were written for a catalogue. A claim is the paper's own until it is said to be measured.",
        "## Editions",
        "\n".join([page("The newest edition", links.FRONT, "the front page"), *latest]),
        "## Finding papers",
        "\n".join(
            [
                page("Search", links.SEARCH, "how to search; results at /search.md?q=WORDS"),
                page("Sections", links.SECTIONS, "fields and categories; papers at /section/SLUG.md"),
                page("All editions", links.EDITIONS, "by day, week and month"),
                f"- A paper: {base}/papers/ID.md, where ID is its arXiv identifier, as 2401.00001, or doi: and its DOI",
            ]
        ),
        "## Lists for programs",
        "\n".join(
            [
                line("JSON", links.API, f"every address for programs; OpenAPI 3.1 at {base}{links.API_OPENAPI}"),
                line("Feeds", links.SUBSCRIPTIONS, "OPML; every list has .atom, .rss and .json at its address"),
                "- Citations: .bib, .ris and .csl.json at the address of a paper, an edition, a section or a search",
                f"- Agents: {base}{links.MCP} speaks the Model Context Protocol: tools that answer briefly",
                "- Metadata of a paper: .jsonld (schema.org) and .linkset.json (Signposting) at its address",
            ]
        ),
        "## Optional",
        "\n".join(
            [
                page("Status", links.STATUS, "what is here, how far behind, and what nobody knows"),
                page("How it ranks", links.RANKING, "the table of points that orders an edition"),
                page("About", links.ABOUT, "whose words are printed here"),
            ]
        ),
    ]
    return _answer("\n\n".join(parts) + "\n")


def _is_page(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


def _twin(response: HttpResponse, address: str, *, status: int) -> HttpResponse:
    text = converted(response.content.decode(), base=address)
    answer = _answer(text, status=status)
    answer.headers["Cache-Control"] = response.headers.get("Cache-Control", CACHING)
    patch_vary_headers(answer, ("Cookie",))
    if status == 200:
        answer.headers["Link"] = f'<{_without_quotes(address)}>; rel="canonical"; type="text/html"'
    return answer


def _without_quotes(address: str) -> str:
    return address.replace('"', "%22").replace("<", "%3C").replace(">", "%3E")


def _answer(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(text, content_type=TYPE, status=status, headers={"Cache-Control": CACHING})
