"""Numbers that stand in addresses and forms: what a text is that should be one, and what becomes of any other text."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from broadsheet.accounts.rules import Ground, Refused

# Digits of the largest number that every database takes as the number of a row.
_LONGEST = 17


def number_or_zero(text: str) -> int:
    """The number that the text is; 0, which no row has, for anything else."""
    return _number(text) or 0


def number_or_404(text: str) -> int:
    """The number that the text is. Raises Http404 for anything else."""
    number = _number(text)
    if number is None:
        raise Http404("There is no such page.")
    return number


def number_sent(request: HttpRequest, name: str, otherwise: str) -> int:
    """The number in a field of a form. Raises Refused with the sentence `otherwise` where it is none."""
    number = _number(request.POST.get(name, ""))
    if number is None:
        raise Refused(otherwise, ground=Ground.NOT_UNDERSTOOD)
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else None
