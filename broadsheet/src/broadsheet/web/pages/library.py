"""A reader's library: its list, saving, what she says of a paper, bringing in, taking away, and undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from broadsheet import links
from broadsheet.accounts.rules import Ground, Person, Refused
from broadsheet.library import actions, queries
from broadsheet.library.actions import Words
from broadsheet.library.queries import Sort, Wanted
from broadsheet.library.rules import LONGEST_NOTE, LONGEST_TAG, MOST_AT_ONCE, MOST_BYTES, MOST_ITEMS, State
from broadsheet.papers import queries as papers
from broadsheet.web import addresses, cards, excerpts, paging, viewing
from broadsheet.web.numbers import number_or_404, number_or_zero
from broadsheet.web.pages import refusals
from broadsheet.web.pages.listing import text_of
from broadsheet.web.rendering import PRIVATE, page
from broadsheet.web.syndication import citations

SORTS = {
    Sort.ADDED: "saved last",
    Sort.CHANGED: "changed last",
    Sort.RATING: "rating",
    Sort.TITLE: "title",
    Sort.DAY: "day of the paper",
}
STATES = {State.UNREAD: "unread", State.READING: "being read", State.READ: "read"}
# What was removed, for the sentence of the undo: one and many of it.
REMOVED = {
    "papers": ("paper from your library", "papers from your library"),
    "shelves": ("shelf with what was on it", "shelves with what was on them"),
    "places": ("paper from the shelf", "papers from the shelf"),
}
_NOTE = 300
# Papers that a browser kept for itself and that move into the library at once.
_MOST_MOVED = 1_000
_WORDS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: the paper and what the reader says of it."""

    card: cards.Card
    entry: queries.Entry
    note: str


@dataclass(frozen=True, slots=True)
class ShelfChoice:
    """A shelf that the paper is on or could be put on."""

    shelf: queries.ShelfView
    on: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """The form beside a paper: what stands in its fields. `notes` are (field, text, label)."""

    key: str
    kept: bool
    state: str
    rating: str
    tags: str
    notes: tuple[tuple[str, str, str], ...]
    shelves: tuple[ShelfChoice, ...]
    next: str
    error: str = ""
    field: str = ""


def back(request: HttpRequest, *, removed: int | None = None, otherwise: str = links.LIBRARY) -> HttpResponse:
    """The way back after a form: to its `next`, with what was removed to undo, if there is something."""
    wanted = request.POST.get("next", "")
    where = refusals.local(request, wanted) if wanted else otherwise
    if removed is not None:
        where = addresses.with_query(links.LIBRARY_UNDO, removed=removed, next=where)
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


def asked_papers(request: HttpRequest) -> list[papers.Paper]:
    """The papers that a form names in its fields `paper`. Raises Refused for one that is not here."""
    keys = [key for key in request.POST.getlist("paper") if key]
    rows = [papers.find(key) for key in keys[:MOST_AT_ONCE]]
    found = [row for row in rows if row is not None]
    if len(found) < len(keys):
        raise Refused(
            f"Choose up to {MOST_AT_ONCE} papers that are here. Nothing was changed.", ground=Ground.NOT_THERE
        )
    return found


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """What the reader keeps, as she asks for it. Raises Http404 for a page that is not there."""
    person = viewing.person(request)
    wanted = _wanted(request)
    number = paging.page_number(request)
    found = queries.find(person, wanted, offset=(number - 1) * paging.PER_PAGE, limit=paging.PER_PAGE)
    asked = {
        "q": wanted.words,
        "tag": wanted.tag,
        "state": str(wanted.state or ""),
        "rating": wanted.rating,
        "shelf": wanted.shelf,
        "sort": "" if wanted.sort is Sort.ADDED else str(wanted.sort),
    }
    values = {
        "rows": _rows(person, found.ids),
        "total": found.total,
        "pages": paging.pages(number, found.total, lambda at: addresses.with_query(links.LIBRARY, **asked, page=at)),
        "asked": asked,
        "filtered": any(value for name, value in asked.items() if name != "sort"),
        "tags": queries.tags(person),
        "shelves": queries.shelves_of(person),
        "sorts": [(str(name), words) for name, words in SORTS.items()],
        "states": [(str(name), words) for name, words in STATES.items()],
        "here_address": request.get_full_path(),
        "noindex": True,
    }
    return page(request, "pages/library.html", values)


def _wanted(request: HttpRequest) -> Wanted:
    """What the address asks for; a value that is none of ours asks for nothing."""
    state, sort, rating, shelf = (text_of(request, name) for name in ("state", "sort", "rating", "shelf"))
    return Wanted(
        shelf=number_or_zero(shelf) or None,
        tag=text_of(request, "tag")[:LONGEST_TAG],
        state=State(state) if state in set(State) else None,
        rating=int(rating) if rating in ("1", "2", "3", "4", "5") else None,
        words=text_of(request, "q")[:_WORDS],
        sort=Sort(sort) if sort in set(Sort) else Sort.ADDED,
    )


def _rows(person: Person, ids: Sequence[int]) -> list[Row]:
    entries = queries.entries(ids, person)
    shown = cards.load_for(person, ids)
    return [
        Row(card, entries[card.paper.id], excerpts.cut(entries[card.paper.id].said.note, _NOTE))
        for card in shown
        if card.paper.id in entries
    ]


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Saves papers, takes one out of the library, or has it back; a form sent without a page gets its button again.

    Raises Refused for a paper that is not here.
    """
    person = viewing.person(request)
    what = request.POST.get("what", "keep")
    removed = None
    if what == "move":
        return _moved(request, person)
    rows = asked_papers(request)
    ids = [row.id for row in rows]
    if what == "remove":
        removed = actions.drop(by=person, papers_=ids)
    elif what == "undo":
        actions.undo(by=person, removal=number_or_404(request.POST.get("removed", "")))
    else:
        actions.keep(by=person, papers_=ids)
    if request.headers.get("HX-Request") and len(rows) == 1:
        [card] = cards.load_for(person, ids)
        where = refusals.local(request, request.POST.get("next", ""))
        return page(request, "fragments/keep.html", {"card": card, "where": where, "removed": removed})
    return back(request, removed=removed)


def _moved(request: HttpRequest, person: Person) -> HttpResponse:
    """What the browser kept for itself goes into the library; papers that are not here any more are passed over."""
    found = [papers.find(key) for key in request.POST.getlist("paper")[:_MOST_MOVED]]
    ids = [row.id for row in found if row is not None]
    for start in range(0, len(ids), MOST_AT_ONCE):
        actions.keep(by=person, papers_=ids[start : start + MOST_AT_ONCE])
    return HttpResponseRedirect(links.LIBRARY, status=HTTPStatus.SEE_OTHER)


def beside(person: Person | None, row: papers.Paper) -> Beside | None:
    """The form beside a paper on its page; None for a visitor."""
    if person is None:
        return None
    entry = queries.entry(row.id, person)
    said = entry.said if entry else None
    shelves = queries.shelves_to_fill(person)
    on = queries.shelves_with(row.id, shelves)
    members = entry.members if entry else ()
    notes = tuple((f"note-{each.id}", each.note, _label(place, members)) for place, each in enumerate(members))
    return Beside(
        key=row.key,
        kept=entry is not None,
        state=str(said.state if said else State.UNREAD),
        rating=str(said.rating or "") if said else "",
        tags=", ".join(said.tags) if said else "",
        notes=notes or (("note", "", "Note"),),
        shelves=tuple(ShelfChoice(shelf, shelf.id in on) for shelf in shelves),
        next=f"{addresses.paper(row.key)}#library",
    )


def panel(person: Person | None, row: papers.Paper) -> dict[str, object]:
    """What the page of a paper needs to print the form beside it; the form is None for a visitor."""
    return {"entry": beside(person, row), "states": _state_words(), **limits()}


def _label(place: int, members: Sequence[queries.Member]) -> str:
    return "Note" if len(members) == 1 else f"Note {place + 1} of {len(members)}, as two papers became one"


@require_POST
def entry(request: HttpRequest) -> HttpResponse:
    """Saves what the reader says of a paper and the shelves it is on; what is refused comes back with her words in it.

    Raises Refused for a paper that is not here.
    """
    person = viewing.person(request)
    row = next(iter(asked_papers(request)), None)
    if row is None:
        raise Refused("There is no such paper here. Nothing was changed.", ground=Ground.NOT_THERE)
    sent = request.POST
    notes: dict[int | None, str] = {}
    for name in sent:
        if name == "note":
            notes[None] = sent.get(name, "")
        elif name.startswith("note-"):
            notes[number_or_404(name.removeprefix("note-"))] = sent.get(name, "")
    words = Words(sent.get("state", "unread"), sent.get("rating", ""), sent.get("tags", ""), notes)
    try:
        actions.say(by=person, paper=row.id, words=words)
        removed = _shelve(request, person, row)
    except Refused as error:
        return _again(request, person, row, error)
    return back(request, removed=removed)


def _shelve(request: HttpRequest, person: Person, row: papers.Paper) -> int | None:
    """Put the paper on the shelves that are ticked and take it off the others that the form showed.

    The number of the last removal; None where it was taken off none.
    """
    shown = {number_or_404(text) for text in request.POST.getlist("shown")}
    ticked = {number_or_404(text) for text in request.POST.getlist("shelf")}
    fillable = queries.shelves_to_fill(person)
    on = queries.shelves_with(row.id, fillable)
    removed = None
    for shelf in fillable:
        if shelf.id in ticked and shelf.id not in on:
            actions.place(by=person, shelf=shelf.id, papers_=[row.id])
        elif shelf.id in shown - ticked and shelf.id in on:
            removed = actions.take_off(by=person, shelf=shelf.id, papers_=[row.id])
    return removed


def _again(request: HttpRequest, person: Person, row: papers.Paper, error: Refused) -> HttpResponse:
    """The form once more with what was typed, and why it was refused."""
    stored = beside(person, row)
    assert stored is not None
    sent = request.POST
    notes = tuple((name, sent.get(name, text), label) for name, text, label in stored.notes)
    form = Beside(
        key=stored.key,
        kept=stored.kept,
        state=sent.get("state", ""),
        rating=sent.get("rating", ""),
        tags=sent.get("tags", ""),
        notes=notes,
        shelves=stored.shelves,
        next=stored.next,
        error=str(error),
        field=error.field,
    )
    values = {**panel(person, row), "entry": form, "card": cards.Card(row), "noindex": True}
    return page(request, "pages/library_entry.html", values, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _state_words() -> list[tuple[str, str]]:
    return [(str(name), words) for name, words in STATES.items()]


def limits() -> dict[str, int]:
    """What forms of the library say beside their fields."""
    return {"longest_note": LONGEST_NOTE, "most_items": MOST_ITEMS, "most_mebibytes": MOST_BYTES // 1024 // 1024}


@require_POST
def several(request: HttpRequest) -> HttpResponse:
    """Does one thing with all papers that are ticked. Raises Refused."""
    person = viewing.person(request)
    ids = [row.id for row in asked_papers(request)]
    if not ids:
        raise Refused("No paper is ticked. Nothing was changed; tick some first.", ground=Ground.NOT_UNDERSTOOD)
    what, removed = request.POST.get("what", ""), None
    if what == "remove":
        removed = actions.drop(by=person, papers_=ids)
    elif what == "tag":
        actions.tag_many(by=person, papers_=ids, add=request.POST.get("tag", ""))
    elif what == "untag":
        actions.tag_many(by=person, papers_=ids, take=request.POST.get("tag", ""))
    elif what == "shelve":
        actions.place(by=person, shelf=number_or_404(request.POST.get("shelf", "") or "0"), papers_=ids)
    elif what in set(State):
        actions.tag_many(by=person, papers_=ids, state=what)
    else:
        raise Refused("Say what to do with them. Nothing was changed.", ground=Ground.NOT_UNDERSTOOD)
    return back(request, removed=removed)


def undo(request: HttpRequest) -> HttpResponse:
    """What was removed lately, with a button that brings it back. Raises Refused for what cannot be had back."""
    person = viewing.person(request)
    if request.method == "POST":
        actions.undo(by=person, removal=number_or_404(request.POST.get("removed", "")))
        return back(request)
    wanted = request.GET.get("next", "")
    just = number_or_zero(text_of(request, "removed"))
    values = {
        "removals": [(each, REMOVED[each.kind][each.count != 1]) for each in queries.removed(person)],
        "just": just,
        "next": refusals.local(request, wanted) if wanted else links.LIBRARY,
        "noindex": True,
    }
    return page(request, "pages/library_undo.html", values)


def bring_in(request: HttpRequest) -> HttpResponse:
    """The form for a file of references, and what reads it; pasted text that is refused stays in the form."""
    person = viewing.person(request)
    error = None
    if request.method == "POST":
        try:
            shelf = request.POST.get("shelf", "")
            number = actions.bring_in(by=person, data=_sent(request), shelf=number_or_404(shelf) if shelf else None)
        except Refused as refused:
            error = refused
        else:
            where = links.LIBRARY_REPORT.format(number=number)
            return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)
    values = {
        "error": str(error or ""),
        "pasted": request.POST.get("pasted", ""),
        "shelves": queries.shelves_of(person),
        "reports": queries.reports(person),
        "noindex": True,
        **limits(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return page(request, "pages/library_import.html", values, status=status)


def _sent(request: HttpRequest) -> bytes:
    """The bytes of the file, or of the pasted text. Raises Refused when there are none, or too many."""
    file = request.FILES.get("file")
    if file is not None and (file.size or 0) > MOST_BYTES:
        raise Refused(
            f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB. Nothing was stored; send it in parts.",
            ground=Ground.TOO_MUCH,
            field="file",
        )
    data = file.read() if file is not None else request.POST.get("pasted", "").encode("utf-8", "replace")
    if not data.strip():
        raise Refused(
            "Choose a file, or paste references. Nothing was stored.", ground=Ground.NOT_UNDERSTOOD, field="file"
        )
    return bytes(data)


@require_safe
def report(request: HttpRequest, number: str) -> HttpResponse:
    """What came of a file. Raises Http404 for one that somebody else brought in, as for none."""
    found = queries.report(number_or_404(number), viewing.person(request))
    if found is None:
        raise Http404("There is no such report.")
    shown = {card.paper.id: card for card in cards.load([*found.new, *found.found])}
    values = {
        "report": found,
        "new": [shown[each] for each in found.new if each in shown],
        "found": [shown[each] for each in found.found if each in shown],
        "noindex": True,
    }
    return page(request, "pages/library_report.html", values)


@require_safe
def export(request: HttpRequest, form: str) -> HttpResponse:
    """The whole library as a file: for programs that manage references, or with everything as JSON. Raises Http404."""
    person = viewing.person(request)
    if form == "json":
        body, kind = queries.document(person), "application/json"
    elif form in citations.FORMS:
        chosen = citations.FORMS[form]
        ids = [entry.paper_id for entry in queries.everything(person)]
        body, kind = citations.written(ids, chosen), f"{chosen.type}; charset=utf-8"
    else:
        raise Http404("A library is taken away as .bib, .ris, .csl.json or .json.")
    response = HttpResponse(body, content_type=kind, headers={"Cache-Control": PRIVATE})
    response.headers["Content-Disposition"] = f'attachment; filename="{citations.file_name("library", form)}"'
    patch_vary_headers(response, ("Cookie",))
    return response
