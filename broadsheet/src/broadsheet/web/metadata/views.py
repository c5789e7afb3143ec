"""A paper in other forms than its page: citations, JSON-LD and link sets."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from broadsheet.papers import queries as papers
from broadsheet.web import addresses
from broadsheet.web.metadata import schema, signposting
from broadsheet.web.metadata.pictures import views as pictures
from broadsheet.web.metadata.work import Work, work
from broadsheet.web.pages.papers import paper as page_of
from broadsheet.web.syndication import citations
from broadsheet.web.syndication.papers import of_paper
from broadsheet.web.syndication.views import FEEDS, downloaded, fresh, written

_WRITERS = {
    "jsonld": (schema.TYPE, schema.written),
    "linkset.json": (signposting.JSON_TYPE, signposting.as_json),
    "linkset": (signposting.TEXT_TYPE, signposting.as_text),
}


@require_safe
def in_form(request: HttpRequest, key: str, form: str) -> HttpResponse:
    """The paper in the form that its address names. Another name of it leads to its own.

    A key that ends like a form is a key all the same. Raises Http404 when no paper is found.
    """
    if ":" in key and papers.find(f"{key}.{form}"):
        return page_of(request, f"{key}.{form}")
    row = papers.find_in_any_spelling(key)
    if row is None:
        raise Http404(f"There is no paper {key[:80]} here.")
    if row.key != key:
        return HttpResponseRedirect(addresses.in_form(addresses.paper(row.key), form))
    if form == pictures.FORM:
        return pictures.of_paper(request, row)
    if form in FEEDS:
        return written(request, form, of_paper(row, base=addresses.base_of(request)))
    known = work(row, papers.identifiers_of([row.id])[row.id], base=addresses.base_of(request))
    response = _answer(request, known, form)
    response.headers["Link"] = signposting.back(known)
    return response


def _answer(request: HttpRequest, known: Work, form: str) -> HttpResponse:
    if form in citations.FORMS:
        return downloaded(request, (known.row.id,), form, name=known.row.key)
    kind, write = _WRITERS[form]
    return fresh(request, write(known), kind, keep=0)
