"""The pages of a long list, by number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import Http404, HttpRequest

# Papers on one page of a list.
PER_PAGE = 60


@dataclass(frozen=True, slots=True)
class Pages:
    """Where we are in a list: this page's number from 1 up, the last one's, and the address of each."""

    number: int
    last: int
    url: Callable[[int], str]

    @property
    def previous(self) -> int | None:
        """The page before; None on the first."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The page after; None on the last."""
        return self.number + 1 if self.number < self.last else None

    @property
    def shown(self) -> list[int | None]:
        """The numbers to print: the ends and the neighbours, None where some are left out."""
        near = {1, self.last, *range(max(1, self.number - 2), min(self.last, self.number + 2) + 1)}
        result: list[int | None] = []
        for number in sorted(near):
            before = result[-1] if result else 0
            if before is not None and number > before + 1:
                result.append(None)
            result.append(number)
        return result


def page_number(request: HttpRequest) -> int:
    """The page that is asked for, 1 when none is. Raises Http404 with a sentence when it is not a number from 1 up."""
    text = request.GET.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) >= 1):
        raise Http404(f"“{text[:40]}” is not the number of a page. Pages are counted from 1.")
    return int(text)


def pages(number: int, total: int, url: Callable[[int], str], *, per_page: int = PER_PAGE) -> Pages:
    """The pages of a list of `total` papers. Raises Http404 when page `number` lies behind its end."""
    last = max(1, -(-total // per_page))
    if number > last:
        raise Http404(f"This list has {last} {'page' if last == 1 else 'pages'}; there is no page {number}.")
    return Pages(number, last, url)
