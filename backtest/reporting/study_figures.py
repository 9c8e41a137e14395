"""Figures of studies: from a picture's numbers to a chart; they compute nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.reporting.chart import ZERO, Chart, Curve, Line, Plot, Points
from backtest.reporting.palette import BLUE, INK, MUTED, ORANGE, colours
from backtest.reporting.scales import Dates, Labels, Numbers
from backtest.studies import findings

if TYPE_CHECKING:
    from backtest.reporting.blocks import Said
    from backtest.reporting.scales import Across

_ROW = 21  # pixels of a row
_CASE = Line((0.0,), MUTED, ":", upright=True)


def study_chart(name: str, picture: findings.Picture, shows: str = "", caption: Said = "") -> Chart:
    """Return the picture of a finding as a chart."""
    x, plot = _drawn(picture)
    return Chart(name, x, (plot,), shows, caption)


def _drawn(picture: findings.Picture) -> tuple[Across, Plot]:
    match picture:
        case findings.Paths():
            return _paths(picture)
        case findings.Fan():
            members = (Curve("", each, BLUE, width=0.7, opacity=0.45) for each in picture.members)
            episodes = (Curve("", each, ORANGE, opacity=0.6) for each in picture.episodes)
            curves = (*members, *episodes, Curve("mean of all cases", picture.mean, width=2.6))
            return _months(picture), Plot(picture.ylabel, curves, 260, lines=(ZERO, _CASE))
        case findings.Dots():
            return _dots(picture)
        case findings.Scatter():
            return _scatter(picture)
        case findings.History(dates, values, said):
            last = Points("", dates[-1:], values[-1:], ORANGE)
            heading, line = f"{said}; the last value dashed", Line((float(values[-1]),), ORANGE, "--")
            curve = Curve(_word(said), values, BLUE)
            return Dates(dates), Plot(heading, (curve,), 208, lines=(line,), dots=(last,))
        case findings.Curves(x, lines, label, said, log):
            tints = colours(lines)
            curves = tuple(Curve(name, values, tints[name], width=1.6) for name, values in lines.items())
            each = ((np.array([a]), np.array([b]), word) for a, b, word in picture.marks)
            dots = tuple(Points("", a, b, ORANGE, 8.0, word=word) for a, b, word in each)
            return Numbers(x, label, log), Plot(said, curves, 208, dots=dots, named=len(lines) > 1)


def _months(picture: findings.Paths | findings.Fan) -> Numbers:
    return Numbers(picture.months, "months from the case", every=12.0)


def _paths(picture: findings.Paths) -> tuple[Across, Plot]:
    each = zip(picture.labels, picture.cases, strict=True)
    cases = (Curve(label, path, BLUE, width=0.8, opacity=0.45) for label, path in each)
    whole = Curve("", np.where(picture.covered, picture.mean, np.nan), width=2.4)
    low, high = picture.scale
    far = ", ".join(f"{label} to {end:+.0f}" for label, end in picture.far).replace(" -", " \u2212")
    curves = (*cases, Curve("mean", picture.mean, dash="--", width=1.4), whole)
    plot = Plot(picture.ylabel, curves, 260, low=low, top=high, lines=(ZERO, _CASE))
    return _months(picture), replace(plot, note=f"beyond the scale: {far}") if far else plot


def _dots(picture: findings.Dots) -> tuple[Across, Plot]:
    n = len(picture.labels)
    seen = np.concatenate([picture.values, picture.lows, picture.highs, [picture.reference]])
    rows = np.arange(n, dtype=np.float64)
    values, lows, highs = (each[::-1] for each in (picture.values, picture.lows, picture.highs))
    dots = Points("", values, rows, low=lows, high=highs)
    line = Line((picture.reference,), upright=True)
    plot = Plot("", (), 20 + _ROW * n, lines=(line,), dots=(dots,), rows=Labels(picture.labels[::-1]))
    return Numbers(seen, picture.xlabel, room=0.05), plot


def _scatter(picture: findings.Scatter) -> tuple[Across, Plot]:
    ends = np.array([picture.x.min(), picture.x.max()]) if len(picture.x) else np.array([0.0, 1.0])
    fitted = Curve("", picture.intercept + picture.slope * ends, INK, width=1.6, at=ends)
    dots = Points(_word(picture.ylabel), picture.x, picture.y, size=4.0, opacity=0.5)
    now = [Line((picture.now,), ORANGE, upright=True, word="now")] if np.isfinite(picture.now) else []
    x = Numbers(np.r_[picture.x, picture.now], picture.xlabel, room=0.05)
    return x, Plot(picture.ylabel, (fitted,), 260, lines=(ZERO, *now), dots=(dots,))


def _word(label: str) -> str:
    """Return what is read out of a value: what it is, without its unit."""
    return label.split(",", maxsplit=1)[0]
