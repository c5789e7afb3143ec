"""Claimed against measured as a drawing: a dot for each method, its spread as a bar, the pass mark as a line.

The drawing is as wide as its column at any width and its letters stay as large as the text, because places are in
hundredths of the width and heights in pixels; so it needs neither a script nor a style of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from broadsheet.web import figures

_ROW = 46  # pixels: a line of text, and the strip under it
_HEAD = 20
_FOOT = 24
# Hundredths of the width that are left at both sides, so that no dot is cut.
_MARGIN = 3.0
# From this ratio of the largest to the smallest number on, distances are those of logarithms.
_WIDE = 60.0
# Characters that stand beside each other on a telephone: a name, and its figures.
_TOGETHER = 42
# Numbers that are all nearer to 0 than this are drawn as 0: their tenths are no numbers of a machine.
_SPECK = 1e-300


@dataclass(frozen=True, slots=True)
class Row:
    """One method: its name, its values of each seed, their mean and their spread, if there is one.

    `ends`, where the bar begins and ends, are the mean without and with the spread if they are not given; `said`, the
    figures beside the name, are mean and spread.
    """

    name: str
    values: Sequence[float]
    mean: float
    spread: float | None
    ours: bool = False
    ends: tuple[float, float] | None = None
    said: str = ""

    @property
    def bar(self) -> tuple[float, float] | None:
        """Where the bar begins and ends, in the unit of the values; None without one."""
        if self.ends is not None or self.spread is None:
            return self.ends
        return self.mean - self.spread, self.mean + self.spread


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a number stands, in hundredths of the width."""

    low: float
    high: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        """The place of a number; one below a logarithmic scale stands at its lower end."""
        if self.logarithmic:
            value = math.log10(value) if value > 0 else self.low
        share = (value - self.low) / (self.high - self.low)
        return _MARGIN + (100 - 2 * _MARGIN) * min(max(share, 0.0), 1.0)


def drawing(rows: Sequence[Row], *, mark: float, title: str, also: Sequence[float] = ()) -> Markup:
    """The drawing. `title` is read to those who do not see it; the line of the pass mark stands at `mark`.

    The numbers in `also` are on the scale, whatever the rows say.
    """
    scale = _scale(rows, mark, also)
    height = _HEAD + _ROW * len(rows) + _FOOT
    ground = height - _FOOT
    place = scale(mark)
    side = "end" if place > 60 else "start"
    parts = [
        Markup('<svg class="dots" width="100%" height="{}" role="img" aria-label="{}">').format(height, title),
        _text(place, 12, "pass mark", side, "mark"),
        *(_row(row, _HEAD + _ROW * number, scale, mark) for number, row in enumerate(rows)),
        Markup('<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(ground),
        *(_tick(value, scale, ground) for value in _ticks(scale)),
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def _row(row: Row, top: float, scale: _Scale, mark: float) -> Markup:
    middle = top + 31
    said = row.said or figures.with_spread(row.mean, row.spread)
    parts = [
        Markup('<g class="{}">').format("ours" if row.ours else "other"),
        Markup('<text x="0" y="{}">{}</text>').format(top + 15, _cut(row.name, _TOGETHER - len(said))),
        Markup('<text class="figure" x="100%" y="{}" text-anchor="end">{}</text>').format(top + 15, said),
        Markup('<line class="mark" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1}" y2="{2}"/>').format(
            scale(mark), middle - 11, middle + 11
        ),
        *(
            Markup('<line class="seed" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1}" y2="{2}"/>').format(
                scale(value), middle - 6, middle + 6
            )
            for value in row.values
        ),
    ]
    if row.bar is not None:
        low, high = map(scale, row.bar)
        parts.append(
            Markup('<line class="spread" x1="{0:.2f}%" x2="{1:.2f}%" y1="{2}" y2="{2}"/>').format(low, high, middle)
        )
    parts.append(Markup('<circle cx="{:.2f}%" cy="{}" r="4.5"/></g>').format(scale(row.mean), middle))
    return Markup("").join(parts)


def _tick(value: float, scale: _Scale, ground: float) -> Markup:
    place = scale(value)
    side = "start" if place < 8 else "end" if place > 92 else "middle"
    line = Markup('<line class="axis" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1}" y2="{2}"/>').format(
        place, ground, ground + 4
    )
    return line + _text(place, ground + 17, figures.given(value), side, "tick")


def _text(place: float, y: float, text: str, side: str, kind: str) -> Markup:
    shape = Markup('<text class="{}" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>')
    return shape.format(kind, place, y, side, text)


def _scale(rows: Sequence[Row], mark: float, also: Sequence[float]) -> _Scale:
    numbers = [mark, *also]
    for row in rows:
        numbers += [*row.values, row.mean, *(row.bar or ())]
    low, high = min(numbers), max(numbers)
    positive = [number for number in numbers if number > 0]
    values = [mark, *(value for row in rows for value in row.values)]
    if min(values) > 0 and max(values) > _WIDE * min(values):
        return _padded(math.log10(min(positive)), math.log10(high), logarithmic=True)
    if 0 < low < 0.1 * high:
        low = 0.0
    elif 0.1 * low < high < 0:
        high = 0.0
    return _padded(low, high, logarithmic=False)


def _padded(low: float, high: float, *, logarithmic: bool) -> _Scale:
    """The scale with some room beside its ends, except beside a 0."""
    if logarithmic:
        room = max(0.04 * (high - low), 0.1)
        return _Scale(low - room, high + room, logarithmic=True)
    size = max(abs(low), abs(high))
    if size < _SPECK:
        low, high, size = 0.0, 0.0, 1.0
    room = 0.04 * (high - low) if high - low > 1e-6 * size else 0.1 * size
    return _Scale(low - room if low or not high else 0.0, high + room if high or not low else 0.0, logarithmic=False)


def _ticks(scale: _Scale) -> list[float]:
    """Three to six round numbers of the scale."""
    if scale.logarithmic:
        powers = range(math.ceil(scale.low), math.floor(scale.high) + 1)
        every = max(1, math.ceil(len(powers) / 4))
        return [10.0**power for power in powers if power % every == 0]
    rough = (scale.high - scale.low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(size * unit for size in (1.0, 2.0, 2.5, 5.0, 10.0) if size * unit >= rough)
    first = math.ceil(scale.low / step - 1e-9)
    return [number * step for number in range(first, math.floor(scale.high / step + 1e-9) + 1)]


def _cut(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"
