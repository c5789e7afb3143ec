"""Drawings made on the server: numbers that people would rather see than read, as SVG without styles or scripts."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

# In units of the drawing; the page scales it to its own width.
WIDTH = 960
_TALLEST = 110
_HEAD = 18
_FOOT = 22

# A chart of ones and twos at full height would be a wall: the scale reaches to eight at least.
_LEAST_SCALE = 8


def bars(values: Sequence[tuple[str, int]], *, title: str) -> Markup:
    """A chart of one bar for each (label, number), the first and last label under it and the greatest number above.

    Colours come from the page's style sheet by class. `title` is read to those who do not see the drawing. The drawing
    is as high as its highest bar needs; empty without values.
    """
    if not values:
        return Markup("")
    unit = _TALLEST / max(_LEAST_SCALE, *(number for _, number in values))
    highest = max(range(len(values)), key=lambda place: values[place][1])
    ground = _HEAD + unit * values[highest][1]
    step = WIDTH / len(values)
    parts = [
        Markup('<svg class="bars" viewBox="0 0 {} {:.1f}" role="img" aria-label="{}">').format(
            WIDTH, ground + _FOOT, title
        ),
        *(
            _bar((place + 0.5) * step, ground, min(step - 2, 28.0), unit * number, f"{label}: {number}")
            for place, (label, number) in enumerate(values)
        ),
        Markup('<path d="M0 {:.1f}H{}"/>').format(ground, WIDTH),
        _text(min(max((highest + 0.5) * step, 12), WIDTH - 12), _HEAD - 5, str(values[highest][1]), "middle"),
        _text(0, ground + _FOOT - 5, values[0][0], "start"),
    ]
    if len(values) > 1:
        parts.append(_text(WIDTH, ground + _FOOT - 5, values[-1][0], "end"))
    return Markup("").join([*parts, Markup("</svg>")])


def _bar(middle: float, ground: float, width: float, height: float, title: str) -> Markup:
    width = max(1.0, width)
    shape = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')
    return shape.format(middle - width / 2, ground - height, width, height, title)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)
