"""Small charts as SVG text: no library, no script; colours come from the page, so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

COLOURS = 8
"""Series colours that the page defines, --c0 … --c7; a later series takes --dim."""
LEFT, TOP, BOTTOM = 56, 12, 38
LABEL_PX, CHARACTER_PX = 14.0, 7.8


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale. `label` with its unit. ticks: where they are not the round numbers between the ends."""

    label: str
    log: bool = False
    ticks: Sequence[float] = ()
    names: Sequence[str] = ()


@dataclass
class Chart:
    """Lines, bands and points over two axes, drawn when all are known. Points with a NaN in them are left out."""

    x: Axis
    y: Axis
    width: int = 540
    height: int = 330
    _items: list[tuple[str, list[tuple[float, ...]], int, str]] = field(default_factory=list)
    _rules: list[float] = field(default_factory=list)
    _limits: tuple[float, float] | None = None

    def line(self, xs: Sequence[float], ys: Sequence[float], colour: int, name: str = "") -> None:
        self._add("line", colour, name, xs, ys)

    def points(self, xs: Sequence[float], ys: Sequence[float], colour: int, name: str = "") -> None:
        self._add("points", colour, name, xs, ys)

    def mark(self, x: float, y: float, colour: int, text: str, name: str) -> None:
        """A point with a few letters above it."""
        self._add("mark", colour, f"{text} {name}", [x], [y])

    def front(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """A dashed line that takes part in no labels."""
        self._add("front", COLOURS, "", xs, ys)

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], colour: int) -> None:
        self._add("band", colour, "", xs, low, high)

    def rule(self, y: float) -> None:
        """A horizontal line to hold others against."""
        self._rules.append(y)

    def limits(self, low: float, high: float) -> None:
        """Ends of the y axis, where they are not those of the data."""
        self._limits = low, high

    def _add(self, kind: str, colour: int, name: str, *columns: Sequence[float]) -> None:
        rows = [row for row in zip(*columns, strict=True) if all(math.isfinite(value) for value in row)]
        if rows:
            self._items.append((kind, rows, colour, name))

    def svg(self, title: str) -> str:
        """The chart, or a sentence where there is nothing to draw. `title` is for screen readers."""
        if not self._items:
            return '<p class="none">Nothing to draw.</p>'
        xs = [row[0] for _, rows, _, _ in self._items for row in rows]
        ys = [value for _, rows, _, _ in self._items for row in rows for value in row[1:]] + self._rules
        along = _Scale(self.x, min(xs), max(xs), LEFT, self.width - max(self._room(), 18), pad=0.02)
        low, high = self._limits or (min(ys), max(ys))
        up = _Scale(self.y, low, high, self.height - BOTTOM, TOP, pad=0.0 if self._limits else 0.06)
        body = [*_grid(along, up), *(_rule(along, up, y) for y in self._rules)]
        body += [_shape(kind, rows, colour, name, along, up) for kind, rows, colour, name in self._items]
        body += self._labels(along, up)
        box = f'viewBox="0 0 {self.width} {self.height}"'
        return f'<svg {box} role="img" aria-label="{escape(title)}">{"".join(body)}</svg>'

    def _room(self) -> int:
        names = [name for kind, _, _, name in self._items if kind == "line"]
        return int(max(map(len, names), default=0) * CHARACTER_PX) + (16 if any(names) else 0)

    def _labels(self, along: _Scale, up: _Scale) -> list[str]:
        """Names at the lines' ends, pushed apart, so that no legend is needed."""
        ends = [(up.at(rows[-1][1]), along.at(rows[-1][0]), colour, name) for kind, rows, colour, name in self._items
                if kind == "line" and name]  # fmt: skip
        heights = apart([end[0] for end in ends], LABEL_PX, TOP, self.height - BOTTOM)
        edge = along.end + 10
        return [
            f'<path class="lead" d="M{x + 2:.1f} {y:.1f}L{edge - 3:.1f} {height:.1f}"/>'
            f'<text class="name" style="fill:{_colour(colour)}" x="{edge:.1f}" y="{height + 4:.1f}">'
            f"{escape(name)}</text>"
            for (y, x, colour, name), height in zip(ends, heights, strict=True)
        ]


class _Scale:
    """From values to pixels."""

    def __init__(self, axis: Axis, low: float, high: float, start: float, end: float, pad: float) -> None:
        self.axis, self.start, self.end = axis, start, end
        low, high = (math.log10(low), math.log10(high)) if axis.log else (low, high)
        if high - low < 1e-12 * max(1.0, abs(high)):
            low, high = low - 0.5, high + 0.5
        self.low, self.high = low - pad * (high - low), high + pad * (high - low)

    def at(self, value: float) -> float:
        value = math.log10(value) if self.axis.log else value
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        if self.axis.ticks:
            names = self.axis.names or [number(tick) for tick in self.axis.ticks]
            return list(zip(self.axis.ticks, names, strict=True))
        if self.axis.log:
            return [(tick, number(tick)) for tick in log_ticks(10**self.low, 10**self.high)]
        ticks = round_ticks(self.low, self.high)
        names = [number(tick) for tick in ticks]
        near = len(set(names)) < len(names)  # 1.005 and 1.010 in three digits
        return list(zip(ticks, [f"{tick:g}" for tick in ticks] if near else names, strict=True))


def round_ticks(low: float, high: float) -> list[float]:
    """About five multiples of 1, 2 or 5 times a power of ten.

    >>> round_ticks(0.13, 0.87)
    [0.2, 0.4, 0.6, 0.8]
    """
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten, with 2 and 5 times them where there are few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        found = [f * 10.0**d for d in decades for f in factors if low <= f * 10.0**d <= high]
        if len(found) >= 3:
            return found
    return round_ticks(low, high)


def apart(heights: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """The same order, at least so far apart, near where they were, inside if they fit.

    >>> apart([10.0, 12.0, 50.0], 10, 0, 100)
    [6.0, 16.0, 50.0]
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    blocks: list[list[float]] = []  # [centre of the wanted, count]
    for i in order:
        blocks.append([heights[i], 1])
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < least * (blocks[-1][1] + blocks[-2][1]) / 2:
            (a, n), (b, m) = blocks[-2:]
            blocks[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    placed = [centre + (k - (n - 1) / 2) * least for centre, n in blocks for k in range(int(n))]
    shift = max(low - placed[0], 0) - max(placed[-1] - high, 0) if placed else 0.0
    found = [0.0] * len(heights)
    for i, height in zip(order, placed, strict=True):
        found[i] = height + shift
    return found


def number(value: float) -> str:
    """Few digits, with thousands apart.

    >>> number(0.25), number(1200.0), number(3.0), number(0.00002), number(2.5e6)
    ('0.25', '1,200', '3', '2e-05', '2.5e+06')
    """
    if value and (abs(value) >= 1e6 or abs(value) < 1e-4):
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _colour(index: int) -> str:
    return f"var(--c{index})" if index < COLOURS else "var(--dim)"


def _grid(along: _Scale, up: _Scale) -> list[str]:
    left, right, bottom = along.start, along.end, up.start
    found = [
        f'<path class="grid" d="M{left} {up.at(v):.1f}H{right}"/>'
        f'<text class="tick" text-anchor="end" x="{left - 6}" y="{up.at(v) + 4:.1f}">{name}</text>'
        for v, name in up.ticks()
    ]
    found += [
        f'<path class="grid" d="M{along.at(v):.1f} {bottom}v4"/>'
        f'<text class="tick" text-anchor="middle" x="{along.at(v):.1f}" y="{bottom + 16}">{escape(name)}</text>'
        for v, name in along.ticks()
    ]
    middle = (left + right) / 2
    found.append(f'<path class="axis" d="M{left} {bottom}H{right}"/>')
    found.append(
        f'<text class="label" text-anchor="middle" x="{middle:.0f}" y="{bottom + 33}">{escape(along.axis.label)}</text>'
    )
    if up.axis.label:
        at = f'x="{-(bottom + up.end) / 2:.0f}" y="12"'
        found.append(
            f'<text class="label" text-anchor="middle" transform="rotate(-90)" {at}>{escape(up.axis.label)}</text>'
        )
    return found


def _rule(along: _Scale, up: _Scale, y: float) -> str:
    return f'<path class="rule" d="M{along.start} {up.at(y):.1f}H{along.end}"/>'


def _shape(
    kind: str, rows: Sequence[tuple[float, ...]], colour: int, name: str, along: _Scale, up: _Scale
) -> str:  # fmt: skip
    paint = _colour(colour)
    if kind == "band":
        over = [f"{along.at(x):.1f} {up.at(high):.1f}" for x, _, high in rows]
        under = [f"{along.at(x):.1f} {up.at(low):.1f}" for x, low, _ in reversed(rows)]
        return f'<path class="band" style="fill:{paint}" d="M{"L".join(over + under)}Z"/>'
    told = [f"<title>{escape(name)} · {number(x)}: {number(round(y, 4))}</title>" for x, y in rows]
    dots = "".join(
        f'<circle cx="{along.at(x):.1f}" cy="{up.at(y):.1f}" r="{2.4 if kind == "line" else 4}">{title}</circle>'
        for (x, y), title in zip(rows, told, strict=True)
    )
    path = "L".join(f"{along.at(x):.1f} {up.at(y):.1f}" for x, y in rows)
    if kind == "front":
        return f'<path class="front" d="M{path}"/>'
    drawn = f'<path class="line" d="M{path}"/>' if kind == "line" else ""
    if kind == "mark":
        ((x, y),) = rows
        drawn = (
            f'<circle class="ring" cx="{along.at(x):.1f}" cy="{up.at(y):.1f}" r="6.5"/>'
            f'<text class="mark" text-anchor="middle" x="{along.at(x):.1f}" y="{up.at(y) + 20:.1f}">'
            f"{escape(name.split()[0])}</text>"
        )
    return f'<g style="stroke:{paint};fill:{paint}">{drawn}<g class="dots">{dots}</g></g>'
