"""Charts: what is drawn over time, numbers or names, as data, and where a drawing of it puts what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from backtest.reporting.blocks import Block
from backtest.reporting.palette import BLUE, INK, MUTED
from backtest.reporting.scales import Dates, log_ticks, logarithms, plain_ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backtest.dates import Days, Floats, Ints
    from backtest.records.shading import Spans
    from backtest.reporting.blocks import Said
    from backtest.reporting.cells import Cells
    from backtest.reporting.scales import Across, Labels

LETTERS = 24
"""Of a longer name so many letters stand beside its line's end; the key has all."""

LABELLED = 8
"""Curves up to which each is named at its end; beyond, names would not fit and the key serves."""


@dataclass(frozen=True, eq=False)
class Curve:
    """(n,) values, NaN where there is none; ``at`` is where, if not at every date or number of the plot.

    A faint one, of less than full ``opacity``, is one of many and has no key.
    """

    name: str
    values: Floats
    colour: str = INK
    dash: str = "-"
    width: float = 1.2
    opacity: float = 1.0
    at: Floats | Days | None = None


@dataclass(frozen=True, eq=False)
class Band:
    """What lies between two values, (n,) each, at every date or number of the plot."""

    name: str
    low: Floats
    high: Floats
    colour: str = BLUE
    opacity: float = 0.2


@dataclass(frozen=True, eq=False)
class Points:
    """Points, (n,) each way; ``low`` and ``high`` are the ends of intervals across, NaN where there is none.

    ``word`` stands beside the last one.
    """

    name: str
    x: Floats | Days
    y: Floats
    colour: str = BLUE
    size: float = 6.0
    opacity: float = 1.0
    low: Floats | None = None
    high: Floats | None = None
    word: str = ""


@dataclass(frozen=True, eq=False)
class Line:
    """Straight lines across, or upright ones, at places of the scale; ``word`` stands beside the last."""

    at: tuple[float, ...] | Days
    colour: str = MUTED
    dash: str = "-"
    upright: bool = False
    word: str = ""

    @property
    def behind(self) -> bool:
        """Whether it is a reference, and stands behind the curves."""
        return not self.upright and self.dash == "-"


ZERO, ONE = Line((0.0,)), Line((1.0,))
"""References."""


@dataclass(frozen=True, eq=False)
class Plot:
    """What is drawn over one stretch.

    Parameters
    ----------
    heading
        What it shows, with the unit.
    curves
        What is drawn, the last one on top.
    height
        Pixels.
    kind
        ``line``; ``bars``, from each place to the next, up or down from 0; ``stacked`` on each other;
        ``held``: the share of each that was held from a date to the next, stacked from 0 to 1.
    log, low, top
        Whether values stand on a log scale; where the scale ends, where that is given.
    lines, bands, dots
        What else is drawn.
    unit
        What stands behind a value that is read out.
    named
        Whether a curve's name stands beside its end.
    rows
        What the values 0, 1, 2 and so on are called, where they are no numbers.
    cells
        Values for each pair of a label across and a row.
    note
        What has to be said in the picture itself.
    x
        What lies from left to right, where it is not that of the chart.
    """

    heading: str
    curves: tuple[Curve, ...] = ()
    height: int = 120
    kind: Literal["line", "bars", "stacked", "held"] = "line"
    log: bool = False
    low: float | None = None
    top: float | None = None
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    dots: tuple[Points, ...] = ()
    unit: str = ""
    named: bool = False
    rows: Labels | None = None
    cells: Cells | None = None
    note: str = ""
    x: Across | None = None

    @property
    def labelled(self) -> bool:
        """Whether each curve is named beside its end."""
        return self.named and len(self.curves) + len(self.dots) <= LABELLED

    @cached_property
    def areas(self) -> tuple[Band, ...]:
        """Its bands; of stacked curves one each, from the sum of those below it."""
        if self.kind != "stacked":
            return self.bands
        tops = np.cumsum([curve.values for curve in self.curves], axis=0)
        pairs = zip(self.curves, tops, strict=True)
        return tuple(Band(c.name, top - c.values, top, c.colour, c.opacity) for c, top in pairs)

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The ends of its scale: of logarithms to the base of 10 where it is one of these."""
        if self.kind == "held":
            return 0.0, 1.0
        if self.rows:
            return self.rows.ends
        from_zero = self.kind in ("bars", "stacked")
        drawn = [
            np.zeros(int(from_zero)),
            *(np.array(rule.at, dtype=np.float64) for rule in self.lines if not rule.upright),
            *(curve.values for curve in self.curves if self.kind != "stacked"),
            *(ends for band in self.areas for ends in (band.low, band.high)),
            *(dots.y for dots in self.dots),
        ]
        values = self.scaled(np.concatenate(drawn))
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        room = 0.05 * (high - low) or 0.5
        bottom = 0.0 if from_zero and low == 0.0 else low - room
        bottom = bottom if self.low is None else self.low
        return bottom, (high + room if self.top is None else max(self.top, low + room))

    def boxes(self, across: Across) -> Iterator[tuple[Curve, list[Box]]]:
        """Give the boxes of each curve of bars, or of what was held."""
        at = across.at
        if self.kind == "held":
            yield from zip(self.curves, stretches(self.curves, at), strict=True)
        elif self.kind == "bars":
            wide = np.diff(np.r_[at, across.ends[1]]) * (_BAR if isinstance(across, Dates) else 1.0)
            for curve in self.curves:
                each = np.column_stack([at, wide, np.zeros(len(at)), curve.values])
                yield curve, _boxes(each[np.isfinite(curve.values)])

    def scaled(self, values: Floats) -> Floats:
        """Return values as they stand on its scale; NaN where they cannot."""
        return logarithms(values) if self.log else values

    def ticks(self) -> list[tuple[float, str]]:
        """Return places on its scale, and what is written there."""
        (low, high), most = self.limits, self.height // 32
        if self.kind == "held":
            return []
        if self.rows:
            return self.rows.some(self.height // _ROW)
        return log_ticks(low, high, most) if self.log else plain_ticks(low, high, most)


_ROW = 21  # pixels that a name on the left takes
_BAR = 0.86  # of the time from a date to the next


Box: TypeAlias = tuple[float, float, float, float]
"""Where it begins across, how wide it is, where it begins on the scale of a plot, and how high it is."""


class Shade(NamedTuple):
    """Stretches of time that are shaded alike."""

    colour: str
    opacity: float
    spans: Spans


@dataclass(frozen=True, eq=False)
class Chart(Block):
    """Plots below each other or in columns.

    Parameters
    ----------
    name
        By which it is known in the page, and of its file.
    x
        What lies from left to right in every plot that has nothing of its own there.
    plots
        In the order in which they are read.
    shows, caption
        What is to be seen, for who cannot see it; and what stands under it.
    shades
        What is shaded in every plot, where it is over dates.
    columns
        How many stand side by side where there is room.
    """

    name: str
    x: Across
    plots: tuple[Plot, ...]
    shows: str
    caption: Said = ""
    shades: tuple[Shade, ...] = ()
    columns: int = 1

    def across(self, plot: Plot) -> Across:
        """Return what lies from left to right in a plot."""
        return plot.x or self.x

    @property
    def tints(self) -> Cells | None:
        """What is painted, and what that stands for, where there are cells: alike in every plot."""
        return self.plots[0].cells if self.plots else None

    def keys(self) -> dict[str, Curve | Band | Points]:
        """Return what stands for each name that shares a plot with others."""
        found: dict[str, Curve | Band | Points] = {}
        for plot in self.plots:
            curves = (curve for curve in plot.curves if curve.opacity == 1.0 or plot.kind != "line")
            named: list[Curve | Band | Points] = [*curves, *plot.bands, *plot.dots]
            each = [one for one in named if one.name]
            if len({one.name for one in each}) > 1:
                found = {**{one.name: one for one in each}, **found}
        return found

    @property
    def letters(self) -> int:
        """The most letters that a name beside a line's end has."""
        named = (one for plot in self.plots if plot.labelled for one, _ in ends(plot))
        return max((len(short(one.name)) for one in named), default=0)

    @property
    def before(self) -> int:
        """The most letters that a name on the left has."""
        return max((len(word) for plot in self.plots if plot.rows for _, word in plot.ticks()), default=0)

    @cached_property
    def shaded(self) -> list[tuple[Shade, list[tuple[int, int]]]]:
        """What is shaded, with the first day and the day after the last of each stretch.

        What lasts a day or two is widened to a month, to be seen at all.
        """
        found: list[tuple[Shade, list[tuple[int, int]]]] = []
        if not isinstance(self.x, Dates):
            return found
        first, length = self.x.dates[0], int(self.x.ends[1])
        for shade in self.shades:
            days = ([int((day - first).astype(int)) for day in span] for span in shade.spans)
            spans = [
                (max(left, 0), min(max(right, max(left, 0) + 30), length))
                for left, right in days
                if left < length and right > 0
            ]
            found.append((shade, spans))
        return found

    @cached_property
    def _places(self) -> Ints:
        """The places to draw of many dates so that it looks the same, for all lines together."""
        # A scale of logarithms keeps the order of values, so the extremes are where they are without it.
        lines: list[Floats] = []
        for plot in self.plots:
            if plot.x is None and plot.kind in ("line", "stacked"):
                lines += [curve.values for curve in plot.curves if curve.at is None]
                lines += [ends for band in plot.bands for ends in (band.low, band.high)]
        return thinned(lines, len(self.x.at))

    def traces(self, plot: Plot) -> Iterator[tuple[Curve, Floats, Floats]]:
        """Give the way of each line of a plot: across, and on the plot's scale."""
        for curve in plot.curves if plot.kind == "line" else ():
            if curve.at is not None:
                yield curve, self.across(plot).places(curve.at), plot.scaled(curve.values)
            else:
                x, (y,) = self._drawn(plot, curve.values)
                yield curve, x, y

    def edges(self, plot: Plot) -> Iterator[tuple[Band, Floats, Floats, Floats]]:
        """Give the edges of each band of a plot where they are known: across, the lower and the upper."""
        for band in plot.areas:
            x, (low, high) = self._drawn(plot, band.low, band.high)
            known = np.isfinite(low) & np.isfinite(high)
            yield band, x[known], low[known], high[known]

    def _drawn(self, plot: Plot, *values: Floats) -> tuple[Floats, list[Floats]]:
        kept = self._places if plot.x is None else slice(None)
        return self.across(plot).at[kept], [plot.scaled(each[kept]) for each in values]


DRAWN, COLUMNS = 1_200, 750
"""Dates up to which all are drawn; and the columns of pixels of which two are one where there are more."""


def thinned(lines: Sequence[Floats], n: int) -> Ints:
    """Return the ends and, of every few pixels, the places of the lowest and highest value of each line."""
    if n <= DRAWN:
        return np.arange(n)
    each = -(-n // max(COLUMNS // max(len(lines), 2), 60))
    firsts = np.arange(0, n, each)
    low, high = (np.full((len(lines), len(firsts) * each), fill) for fill in (np.inf, -np.inf))
    for i, line in enumerate(lines):
        known = np.isfinite(line)
        np.copyto(low[i, :n], line, where=known)
        np.copyto(high[i, :n], line, where=known)
    shape = (len(lines), len(firsts), each)
    kept = [low.reshape(shape).argmin(axis=2) + firsts, high.reshape(shape).argmax(axis=2) + firsts]
    places: Ints = np.unique(np.concatenate([[0, n - 1], *(part.ravel() for part in kept)]))
    return places


def spread(heights: Sequence[float], gap: float, top: float) -> list[float]:
    """Return heights, given in increasing order, moved apart by a gap at least, and none above the top."""
    moved = list(heights)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    if moved:
        moved[-1] = min(moved[-1], top)
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    return moved


def ends(plot: Plot) -> list[tuple[Curve | Points, float]]:
    """Return what is named with its last value on the plot's scale, or its middle there, the lowest first."""
    found: list[tuple[Curve | Points, float]] = []
    middles = (0.5 * (band.low + band.high) for band in plot.areas)
    lines = middles if plot.kind == "stacked" else (curve.values for curve in plot.curves)
    each: Iterable[tuple[Curve | Points, Floats]] = zip(plot.curves, lines, strict=True)
    for one, values in (*each, *((dots, dots.y) for dots in plot.dots)):
        places = plot.scaled(values)
        if np.isfinite(places).any():
            found.append((one, float(places[np.isfinite(places)][-1])))
    return sorted(found, key=lambda pair: pair[1])


def short(name: str) -> str:
    """Return a name as it stands beside a line's end."""
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}\u2026"


def stretches(curves: Sequence[Curve], at: Floats) -> list[list[Box]]:
    """Return the stretches of each curve of a ``held`` plot, those below it underneath."""
    weights = np.column_stack([curve.values for curve in curves])[:-1]
    changes = np.flatnonzero(np.r_[True, (np.abs(np.diff(weights, axis=0)) > 2e-3).any(axis=1)])
    first, after, held = at[changes], at[np.r_[changes[1:], len(weights)]], weights[changes]
    below = np.cumsum(held, axis=1) - held
    each = (np.column_stack([first, after - first, *pair]) for pair in zip(below.T, held.T, strict=True))
    return [_boxes(rows[rows[:, 3] != 0.0]) for rows in each]


def _boxes(rows: Floats) -> list[Box]:
    return [(x, wide, y, tall) for x, wide, y, tall in rows.tolist()]
