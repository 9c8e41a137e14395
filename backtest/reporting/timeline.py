"""Timelines: curves, bars and holdings over the same dates as data, and where a drawing of them puts what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from backtest.reporting.blocks import Block
from backtest.reporting.palette import INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Days, Floats, Ints
    from backtest.records.shading import Spans
    from backtest.reporting.blocks import Said

LETTERS = 24
"""Of a longer name so many letters stand beside its line's end; the key has all."""

LABELLED = 8
"""Curves up to which each is named at its end; beyond, names would not fit and the key serves."""


@dataclass(frozen=True, eq=False)
class Curve:
    """(n,) values at the dates of a timeline, NaN where there is none."""

    name: str
    values: Floats
    colour: str = INK
    dash: str = "-"
    width: float = 1.2


@dataclass(frozen=True, eq=False)
class Plot:
    """Curves above the same stretch of time.

    Parameters
    ----------
    heading
        What they show, with the unit.
    curves
        What is drawn, the last one on top.
    height
        Pixels.
    kind
        ``line``; ``bars``, one a date, up or down from 0; ``held``: the share of each that was held from a
        date to the next, stacked from 0 to 1.
    log, top
        Whether values stand on a log scale; the highest value of the scale where that is given.
    rules, level
        Thresholds, across in dashes; and a value that is drawn across as a reference.
    events
        Days that are marked.
    unit
        What stands behind a value that is read out.
    named
        Whether a curve's name stands beside its end.
    """

    heading: str
    curves: tuple[Curve, ...]
    height: int
    kind: Literal["line", "bars", "held"] = "line"
    log: bool = False
    top: float | None = None
    rules: tuple[float, ...] = ()
    level: float | None = None
    events: Days | None = None
    unit: str = ""
    named: bool = False

    @property
    def labelled(self) -> bool:
        """Whether each curve is named beside its end."""
        return self.named and len(self.curves) <= LABELLED

    def limits(self) -> tuple[float, float]:
        """Return the ends of its scale: of logarithms to the base of 10 where it is one of these."""
        return self._limits

    @cached_property
    def _limits(self) -> tuple[float, float]:
        if self.kind == "held":
            return 0.0, 1.0
        fixed = [0.0] if self.kind == "bars" else [*self.rules, *([] if self.level is None else [self.level])]
        values = np.concatenate([np.array(fixed, dtype=np.float64), *(curve.values for curve in self.curves)])
        values = values[np.isfinite(values) & (values > 0.0) if self.log else np.isfinite(values)]
        ends = self.scaled(np.array([values.min(), values.max()] if len(values) else [1.0, 1.0]))
        low, high = ends.tolist() if len(values) else (0.0, 1.0)
        room = 0.05 * (high - low) or 0.5
        return low - room, (high + room if self.top is None else max(self.top, low + room))

    def scaled(self, values: Floats) -> Floats:
        """Return values as they stand on its scale; NaN where they cannot."""
        if not self.log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = np.log10(values)
        return np.where(np.isfinite(found), found, np.nan)

    def ticks(self) -> list[tuple[float, str]]:
        """Return places on its scale, and what is written there."""
        low, high = self.limits()
        if self.kind == "held":
            return []
        if self.log:
            found = [
                (math.log10(step) + power, step * 10.0**power)
                for power in range(math.floor(low), math.ceil(high))
                for step in ((1.0, 2.0, 5.0) if high - low < 3.0 else (1.0,))
            ]
            inside = [
                (place, f"{v / 1e3:g}k" if v >= 1e4 else f"{v:g}")
                for place, v in found
                if low <= place <= high
            ]
            if len(inside) > 1:
                return inside
            values = round_numbers(10.0**low, 10.0**high, self.height // 32)
            return [(math.log10(value), f"{value:g}") for value in values]
        return [(value, f"{value:g}") for value in round_numbers(low, high, self.height // 32)]


class Shade(NamedTuple):
    """Stretches of time that are shaded alike."""

    colour: str
    opacity: float
    spans: Spans


@dataclass(frozen=True, eq=False)
class Timeline(Block):
    """Plots over the same dates, below each other or in columns.

    Parameters
    ----------
    name
        By which it is known in the page, and of its file.
    dates
        (n,) datetime64[D], increasing.
    plots
        In the order in which they are read.
    shows, caption
        What is to be seen, for who cannot see it; and what stands under it.
    shades
        What is shaded in every plot.
    columns
        How many stand side by side where there is room.
    step
        What lies between two dates: ``month``, ``day`` or ``year``.
    """

    name: str
    dates: Days
    plots: tuple[Plot, ...]
    shows: str
    caption: Said = ""
    shades: tuple[Shade, ...] = ()
    columns: int = 1
    step: str = "day"

    @cached_property
    def days(self) -> Ints:
        """The days of its dates since the first, (n,) int64."""
        return (self.dates - self.dates[0]).astype(np.int64)

    @property
    def length(self) -> int:
        """The days from the first date to the last; a year or a held stretch ends after its date."""
        days = self.days
        return int(days[-1] + (days[-1] - days[-2] if self.step == "year" and len(days) > 1 else 0)) or 1

    def keys(self) -> dict[str, Curve]:
        """Return a curve for each name that shares a plot with others."""
        found: dict[str, Curve] = {}
        for plot in self.plots:
            if len({curve.name for curve in plot.curves}) > 1:
                found = {**{curve.name: curve for curve in plot.curves}, **found}
        return found

    def spans(self, shade: Shade) -> list[tuple[int, int]]:
        """Return the first day and the day after the last of each stretch that is shaded.

        What lasts a day or two is widened to a month, to be seen at all.
        """
        found = []
        for begin, end in shade.spans:
            left, right = (int((day - self.dates[0]).astype(int)) for day in (begin, end))
            if left < self.length and right > 0:
                found.append((max(left, 0), min(max(right, max(left, 0) + 30), self.length)))
        return found

    @cached_property
    def shaded(self) -> list[tuple[Shade, list[tuple[int, int]]]]:
        """What is shaded, with its spans."""
        return [(shade, self.spans(shade)) for shade in self.shades]

    @cached_property
    def ticks(self) -> list[tuple[int, str]]:
        """Days since the first, and the year or month that begins there."""
        return date_ticks(self.dates[0], self.dates[0] + self.length)

    def places(self) -> Ints:
        """Return the places to draw of many dates so that it looks the same, for all lines together."""
        # A scale of logarithms keeps the order of values, so the extremes are where they are without it.
        lines = [curve.values for plot in self.plots if plot.kind == "line" for curve in plot.curves]
        return thinned(lines, len(self.dates))


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


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between two, as far apart from each other, about ``most`` of them."""
    rough = (high - low) / max(most, 2)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if s * power >= 0.7 * rough)
    return [
        round(i * step, 12) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 300, 600, 1200)


def date_ticks(first: np.datetime64, last: np.datetime64, most: int = 10) -> list[tuple[int, str]]:
    """Return days since the first, and the year or month that begins there."""
    begin, end = (int(day.astype("datetime64[M]").astype(int)) for day in (first, last))
    step = next(step for step in _MONTHS if (end - begin) / step <= most)
    months = np.arange(-(-(begin + (first > first.astype("datetime64[M]"))) // step) * step, end + 1, step)
    days = months.astype("datetime64[M]").astype("datetime64[D]") - first
    written = (str(month)[: 4 if step >= 12 else 7] for month in months.astype("datetime64[M]"))
    return list(zip(days.astype(int).tolist(), written, strict=True))


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


def ends(plot: Plot) -> list[tuple[Curve, float]]:
    """Return each curve with its last value on the plot's scale, the lowest first."""
    found = []
    for curve in plot.curves:
        known = np.flatnonzero(np.isfinite(curve.values) & ((curve.values > 0.0) | (not plot.log)))
        if len(known):
            found.append((curve, float(plot.scaled(curve.values[known[-1:]])[0])))
    return sorted(found, key=lambda pair: pair[1])


def short(name: str) -> str:
    """Return a name as it stands beside a line's end."""
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}\u2026"


def stretches(curves: Sequence[Curve], days: Ints) -> list[list[tuple[int, int, float, float]]]:
    """Return for each curve of a ``held`` plot its stretches: first day, days, where it begins, its share."""
    weights = np.column_stack([curve.values for curve in curves])[:-1]
    changes = np.flatnonzero(np.r_[True, (np.abs(np.diff(weights, axis=0)) > 2e-3).any(axis=1)])
    first, after = days[changes], days[np.r_[changes[1:], len(weights)]]
    below = np.cumsum(weights[changes], axis=1) - weights[changes]
    return [
        [
            (begin, end - begin, base, share)
            for begin, end, base, share in zip(
                first.tolist(),
                after.tolist(),
                below[:, i].tolist(),
                weights[changes, i].tolist(),
                strict=True,
            )
            if share
        ]
        for i in range(len(curves))
    ]
