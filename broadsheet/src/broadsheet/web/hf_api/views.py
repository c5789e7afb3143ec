"""The addresses that the official client of Hugging Face asks."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from broadsheet import links
from broadsheet.accounts.rules import Ground, Person, Refused, Scope
from broadsheet.bibliography import identifiers
from broadsheet.bibliography.identifiers import Identifier, Scheme
from broadsheet.community.actions.submissions import propose_paper
from broadsheet.editions import queries as editions
from broadsheet.papers import queries as papers
from broadsheet.search import highlight
from broadsheet.search.index import IndexUnavailable
from broadsheet.search.query import parse
from broadsheet.web import addresses, cards, excerpts, rates, searching, viewing
from broadsheet.web import markdown as twins
from broadsheet.web.hf_api import answers, shapes
from broadsheet.web.hf_api.parameters import (
    DEEPEST,
    LISTED,
    MOST_FOUND,
    Asked,
    Order,
    Unanswerable,
    asked,
    number,
    repeated,
)
from broadsheet.web.pages.listing import text_of
from broadsheet.web.pages.papers import paper as page_of
from broadsheet.web.pages.search import index

log = logging.getLogger("broadsheet.web.hf_api")

# The days that are looked at for what is trending when no period is named.
_TRENDING_DAYS = 7
# What is read of a submission, in bytes: an identifier, a comment and some addresses.
_MOST_SENT = 65_536


@answers.reading
def daily(request: HttpRequest) -> HttpResponse:
    """The papers of a day, a week, a month, or the newest. The list goes on at the address in ``Link``.

    Raises Unanswerable for what is not understood. Behind the end of the list, and where nobody submitted, it is empty.
    """
    wanted = asked(request)
    nothing = wanted.submitter not in {"", shapes.SUBMITTER}
    if nothing or (not wanted.of_a_period and wanted.offset + wanted.limit > DEEPEST):
        return answers.json([])
    since, until = _days(wanted)
    best_first = wanted.order is Order.TRENDING
    places = editions.listed(
        since=since, until=until, offset=wanted.offset, limit=wanted.limit + 1, best_first=best_first
    )
    shown = places[: wanted.limit]
    rows = papers.by_ids({place.entry.paper_id for place in shown})
    verdicts = editions.verdicts({place.edition.id: place.edition for place in shown}.values())
    base = addresses.base_of(request)
    shown_rows = [(rows[place.entry.paper_id], place) for place in shown if place.entry.paper_id in rows]
    regards = shapes.regards({row.id for row, _ in shown_rows})
    answer = answers.json(
        [shapes.listed(row, place, verdicts[place.edition.id], regards[row.id], base=base) for row, place in shown_rows]
    )
    if len(places) > wanted.limit:
        answer.headers["Link"] = f'<{_next_page(request, wanted)}>; rel="next"'
    return answer


@answers.reading
def search(request: HttpRequest) -> HttpResponse:
    """The papers that match ``q``, best first; the newest ones when nothing is asked for.

    Raises Unanswerable when the limit is none, and when the search does not work now.
    """
    limit = number(request, "limit", least=1, most=MOST_FOUND, otherwise=LISTED)
    query = parse(text_of(request, "q"))
    try:
        answer = searching.ask(index(), query, searching.Place(size=limit))
    except IndexUnavailable as error:
        log.warning("search is not possible now: %s", error, exc_info=error.__cause__)
        raise Unanswerable(searching.plain(str(error)), status=503) from error
    corrected = [right for _, right in answer.results.corrections]
    base = addresses.base_of(request)
    regards = shapes.regards({card.paper.id for card in answer.cards})

    def marked(text: str) -> str:
        plain = cards.plain(text)
        return str(excerpts.marked(plain, highlight.marks(plain, query, also=corrected)))

    return answers.json(
        [
            shapes.found(
                card.paper,
                shapes.Marked(marked(card.paper.title), marked(card.paper.abstract or card.paper.summary)),
                regards[card.paper.id],
                base=base,
            )
            for card in answer.cards
        ]
    )


@answers.reading
def paper(request: HttpRequest, key: str) -> HttpResponse:
    """One paper by its key or any identifier of it, in any spelling, with a version or without. Raises Unanswerable."""
    row = papers.find_in_any_spelling(key)
    if row is None:
        raise Unanswerable(_unknown(key), status=404)
    known = papers.identifiers_of([row.id])[row.id]
    regard = shapes.regards([row.id])[row.id]
    return answers.json(shapes.single(row, editions.places(row.id), known, regard, base=addresses.base_of(request)))


@answers.reading
def read(request: HttpRequest, key: str) -> HttpResponse:
    """The paper as Markdown. A paper whose own key ends in ``.md`` still has its page. Raises Unanswerable."""
    row = papers.find_in_any_spelling(key)
    if row is not None:
        return answers.markdown(twins.paper(row.key, base=addresses.base_of(request)))
    if papers.find_in_any_spelling(f"{key}.md") is not None:
        return page_of(request, f"{key}.md")
    raise Unanswerable(_unknown(key), status=404)


@answers.reading
def repositories(_request: HttpRequest, arxiv_id: str) -> HttpResponse:
    """The models, datasets and Spaces that cite a paper: none that we know. Raises Unanswerable for no identifier."""
    found = identifiers.parse(f"arxiv:{arxiv_id}")
    if found is None or found.identifier.scheme is not Scheme.ARXIV:
        raise Unanswerable(f"'{repeated(arxiv_id)}' is not an identifier of arXiv.", status=404)
    return answers.json({"models": [], "datasets": [], "spaces": []})


@csrf_exempt  # programs bring a token of a person, and a cookie counts for nothing here
@answers.writing
def submit(request: HttpRequest) -> HttpResponse:
    """Proposes a paper in the name of the person whose token is sent, and says where it is, or that it is fetched.

    Raises Unanswerable for what is refused; with a status by which the client prints the sentence and does not try
    again. Without accounts that is everything.
    """
    named, note = _submitted(request)
    if not settings.BROADSHEET_ACCOUNTS:
        _refuse_without_accounts(request, named)
    by = _submitter(request)
    try:
        done = propose_paper(by=by, text=named, note=note)
    except Refused as refused:
        raise Unanswerable(str(refused), status=_STATUS[refused.ground]) from refused
    base = addresses.base_of(request)
    if done.key:
        return answers.json({"success": True, "paperId": done.key, "url": base + addresses.paper(done.key)})
    return answers.json({"success": True, "paperId": named.strip(), "url": base + links.PROPOSALS})


def _submitter(request: HttpRequest) -> Person:
    """Whose token is sent. Raises Unanswerable without one, and for one that is not good for this."""
    bearer = viewing.bearer(request)
    if bearer is None:
        raise Unanswerable(f"Send a token of yours, made at {addresses.base_of(request)}{links.ACCOUNT}.", status=401)
    if not bearer.may(Scope.WRITE_SUBMISSIONS):
        raise Unanswerable(
            f"This token is not good for that: it lacks the scope {Scope.WRITE_SUBMISSIONS}.", status=403
        )
    if rates.spent(request, rates.WRITING["submit"], rates.of_person(bearer.person.id)):
        raise Unanswerable("You have proposed too many papers in the last hour. Try it again later.", status=429)
    return bearer.person


_STATUS = {
    Ground.NOT_ALLOWED: 403,
    Ground.NOT_THERE: 404,
    Ground.NOT_UNDERSTOOD: 422,
    Ground.TOO_MUCH: 429,
    Ground.TAKEN: 409,
}


def _refuse_without_accounts(request: HttpRequest, named: str) -> None:
    """Raise Unanswerable with the address of the paper, if it is here."""
    row = papers.find_in_any_spelling(named) if named else None
    sentence = "Nobody can submit papers to this instance, because it has no accounts."
    if row is not None:
        where = addresses.base_of(request) + addresses.paper(row.key)
        raise Unanswerable(f"{sentence} {row.key} is already here: {where}", status=403)
    raise Unanswerable(
        f"{sentence} Whoever runs it brings papers in with 'broadsheet harvest' and 'broadsheet import'.", status=403
    )


def _days(wanted: Asked) -> tuple[date | None, date | None]:
    """The days to list. What is trending is looked for in the last week that has an edition."""
    if wanted.of_a_period or wanted.order is Order.PUBLISHED:
        return wanted.since, wanted.until
    newest = editions.listed(limit=1)
    return (newest[0].edition.start - timedelta(days=_TRENDING_DAYS - 1) if newest else None), None


def _next_page(request: HttpRequest, wanted: Asked) -> str:
    """The address of what follows in the list."""
    query = request.GET.copy()
    query["p"] = str(wanted.offset // wanted.limit + 1)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _unknown(key: str) -> str:
    found = _identifier(key)
    return f"There is no paper '{repeated(key)}' here." + (f" Its home is {found.url}" if found else "")


def _identifier(key: str) -> Identifier | None:
    found = identifiers.parse(key)
    return found.identifier if found else identifiers.from_key(key)


def _submitted(request: HttpRequest) -> tuple[str, str]:
    """The identifier and the comment in a submission; empty where there is none that can be read."""
    try:
        said: Any = orjson.loads(request.read(_MOST_SENT))
    except (orjson.JSONDecodeError, UnreadablePostError):
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    named, note = said.get("paper_id") or said.get("paperId"), said.get("comment")
    return named if isinstance(named, str) else "", note if isinstance(note, str) else ""
