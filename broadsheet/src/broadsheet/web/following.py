"""The button that follows a list: on its page, and alone in the answer to a press of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from broadsheet.following.queries import follows
from broadsheet.following.rules.follows import Kind
from broadsheet.web import viewing

__all__ = ["Button", "Kind", "button"]


@dataclass(frozen=True, slots=True)
class Button:
    """What is followed by a press, `number` the reader's follow of it, 0 for none. `back` is the page that it is on."""

    kind: Kind
    target: str
    name: str
    number: int
    back: str


def button(request: HttpRequest, kind: Kind, target: str, *, name: str, stored: str = "") -> Button:
    """The button for who asks. `stored` is the target as it is stored, where that is not what stands in addresses."""
    number = follows.number_of(viewing.viewer(request), kind, stored or target)
    return Button(kind, target, name, number, request.get_full_path())
