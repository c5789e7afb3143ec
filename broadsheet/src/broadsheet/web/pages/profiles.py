"""A reader's profiles: what they learned from her library, and how she turns them off, corrects and takes them away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from broadsheet import links
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.following.actions import profiles as actions
from broadsheet.following.queries import profiles as queries
from broadsheet.following.queries.profiles import LIBRARY
from broadsheet.following.rules.profiles import FEWEST, MOST_PROFILES, MOST_SAVED
from broadsheet.library import queries as library
from broadsheet.web import addresses, cards, paging, viewing
from broadsheet.web.numbers import number_or_404
from broadsheet.web.pages.library import asked_papers
from broadsheet.web.pages.listing import text_of
from broadsheet.web.rendering import PRIVATE, page


@dataclass(frozen=True, slots=True)
class Bar:
    """A word with its weight, and the length of its bar, from 1 to 100."""

    word: str
    weight: float
    length: int


def profile(request: HttpRequest) -> HttpResponse:
    """What one profile learned and from which papers; does what is sent. Raises Http404 and Refused."""
    person = viewing.person(request)
    if request.method == "POST":
        return _change(request, person)
    number = number_or_404(text_of(request, "of") or str(LIBRARY))
    known = queries.profiles(person)
    shown = next((each for each in known if each.number == number), None)
    if shown is None:
        raise Http404("You have no such profile.")
    learned = queries.learned(person, number)
    at = paging.page_number(request)
    part = learned.papers[(at - 1) * paging.PER_PAGE : at * paging.PER_PAGE]
    numbers = {each.number for each in known}
    values = {
        "profile": shown,
        "profiles": known,
        "learned": learned,
        "words": _bars(learned.words),
        "against": _bars(learned.against),
        "cards": cards.load(part),
        "pages": paging.pages(
            at, len(learned.papers), lambda to: addresses.with_query(links.PROFILE, of=number or None, page=to)
        ),
        "forgotten": len(shown.forgotten),
        "fewest": FEWEST,
        "most_saved": MOST_SAVED,
        "shelves": [each for each in library.shelves_of(person) if each.id not in numbers],
        "has_room": len(known) <= MOST_PROFILES,
        "noindex": True,
    }
    return page(request, "pages/profile.html", values)


def _bars(words: tuple[tuple[str, float], ...]) -> list[Bar]:
    most = max((abs(weight) for _word, weight in words), default=1.0)
    return [Bar(word, weight, max(1, round(100 * abs(weight) / most))) for word, weight in words]


def _change(request: HttpRequest, person: Person) -> HttpResponse:
    """Do what a form asks for, and lead back to the profile. Raises Http404 and Refused."""
    what, number = request.POST.get("what", ""), number_or_404(request.POST.get("of", "") or str(LIBRARY))
    where = number
    if what in ("on", "off"):
        actions.switch(by=person, profile=number, on=what == "on")
    elif what == "drop":
        actions.drop(by=person, profile=number)
        where = LIBRARY
    elif what == "before":
        actions.forget(by=person, profile=number, before=_day(request.POST.get("before", "")))
    elif what == "papers":
        actions.forget(by=person, profile=number, papers_=[row.id for row in asked_papers(request)])
    elif what == "anew":
        actions.forget_everything(by=person, profile=number)
    elif what == "everything":
        actions.remember(by=person, profile=number)
    else:
        raise Refused("Say what to do with the profile. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD)
    address = addresses.with_query(links.PROFILE, of=where or None)
    return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)


def _day(text: str) -> date:
    """A day as a form sends it. Raises Refused."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(
            "Write the day as 2026-11-20. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD, field="before"
        ) from None


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """A profile as a file: the words and weights, and from which papers. Raises Http404."""
    try:
        body = queries.export(viewing.person(request), number_or_404(text_of(request, "of") or str(LIBRARY)))
    except KeyError as error:
        raise Http404("You have no such profile.") from error
    response = HttpResponse(body, content_type="application/json", headers={"Cache-Control": PRIVATE})
    response.headers["Content-Disposition"] = 'attachment; filename="profile.json"'
    patch_vary_headers(response, ("Cookie",))
    return response
