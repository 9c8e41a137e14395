"""Timelines as HTML: lines in SVG that stretch with the page, letters beside them that do not.

A path is drawn in days since the first date and in whole parts of a value, so that the script of the page can
read dates and values off it, and nothing travels twice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from markupsafe import Markup

from backtest.reporting.template import Template
from backtest.reporting.timeline import LETTERS, ends, short, spread, stretches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backtest.dates import Floats, Ints
    from backtest.reporting.timeline import Curve, Plot, Timeline

DASHES = {"-": "", "--": "6 3", ":": "2 2", "-.": "6 2 2 2"}
"""As SVG writes them."""

_LINE = 13.0  # pixels that a name beside a line's end takes
_FIGURE = Template(
    '<figure id="{name}" class="timeline" role="img" aria-label="{shows}" data-first="{first}" '
    'data-step="{step}" style="--names: {names}em">\n{keys}<div class="plots{columns}">\n{plots}\n</div>\n'
    "<figcaption>{caption}</figcaption>\n</figure>"
)
_PLOT = Template(
    '<div class="plot"><p>{heading}</p><div class="area" style="height: {height}px" data-part="{part}" '
    'data-unit="{unit}"{log}><svg viewBox="0 {top} {length} {tall}" preserveAspectRatio="none" '
    'aria-hidden="true"><g transform="scale(1 -1)">{drawn}</g></svg>{ticks}{names}</div>{dates}</div>'
)


def timeline_html(timeline: Timeline, caption: Markup) -> Markup:
    """Return a timeline as a figure of a page."""
    return framed(timeline, caption, plots_html(timeline))


def plots_html(timeline: Timeline) -> list[Markup]:
    """Return each plot of a timeline, to stand in its frame."""
    n, columns, places = len(timeline.plots), timeline.columns, timeline.places()
    return [_plot(timeline, plot, places, dated=i >= n - columns) for i, plot in enumerate(timeline.plots)]


def framed(timeline: Timeline, caption: Markup, plots: Iterable[Markup]) -> Markup:
    """Return the frame of a timeline, its keys and its caption, around its plots."""
    labels = [len(short(c.name)) for plot in timeline.plots if plot.labelled for c in plot.curves]
    key = Template('<span data-name="{}">{}{}</span>')
    keys = _joined(
        key.format(name, _sample(timeline, curve), name) for name, curve in timeline.keys().items()
    )
    return _FIGURE.format(
        name=timeline.name,
        shows=timeline.shows,
        first=timeline.dates[0],
        step=timeline.step,
        names=f"{0.58 * min(max(labels, default=0), LETTERS):.1f}",
        keys=Template('<div class="keys">{}</div>\n').format(keys) if keys else "",
        columns=" two" if timeline.columns == 2 else "",
        plots=Markup("\n").join(plots),
        caption=caption,
    )


def _sample(timeline: Timeline, curve: Curve) -> Markup:
    if not any(curve in plot.curves for plot in timeline.plots if plot.kind == "line"):
        return Template('<span class="key" style="background: var(--c{})"></span>').format(curve.colour[1:])
    return Template(
        '<svg width="22" height="8" role="presentation"><path d="M0 4h22" style="{}"/></svg>'
    ).format(_stroke(curve))


def _stroke(curve: Curve) -> str:
    dash = f"; stroke-dasharray: {DASHES[curve.dash]}" if DASHES[curve.dash] else ""
    return f"stroke: var(--c{curve.colour[1:]}); stroke-width: {curve.width:g}px{dash}"


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _plot(timeline: Timeline, plot: Plot, places: Ints, *, dated: bool) -> Markup:
    low, high = plot.limits()
    # Whole parts of a value, some hundred thousands of them from end to end of the scale.
    part = 10 ** (5 - math.ceil(math.log10(max(abs(low), abs(high), 1e-9))))
    bottom, top = round(low * part), round(high * part)
    length = timeline.length

    def place(value: float) -> float:
        return 100.0 * (value * part - bottom) / (top - bottom)

    ticks = [(place(value), word.replace("-", "\u2212")) for value, word in plot.ticks()]
    dates = timeline.ticks
    up = top - bottom
    grid = [f"M0 {round(value * part)}h{length}" for value, _ in plot.ticks()]
    grid += [f"M{day} {bottom}v{up}" for day, _ in dates] if plot.kind != "held" else []
    across = Template('<path class="{}" d="M0 {}h{}"/>')
    upright = [] if plot.events is None else (plot.events - timeline.dates[0]).astype(int).tolist()
    drawn = [
        *_shaded(timeline, bottom, up),
        Template('<path class="grid" d="{}"/>').format("".join(grid)),
        *(across.format("level", round(v * part), length) for v in _on(plot, [plot.level])),
        *_curves(timeline, plot, part, places),
        *(across.format("rule", round(v * part), length) for v in _on(plot, plot.rules)),
        *(
            [Template('<path class="event" d="{}"/>').format("".join(f"M{d} {bottom}v{up}" for d in upright))]
            * bool(upright)
        ),
    ]
    at = Template('<span class="y" style="bottom: {:.2f}%">{}</span>')
    on = Template('<span class="x{}" style="left: {:.2f}%">{}</span>')
    below = (
        on.format(" odd" if i % 2 else "", 100.0 * d / length, word) for i, (d, word) in enumerate(dates)
    )
    return _PLOT.format(
        heading=plot.heading,
        height=plot.height,
        part=part,
        unit=plot.unit,
        log=Markup(" data-log") if plot.log else "",
        top=-top,
        length=length,
        tall=up,
        drawn=_joined(drawn),
        ticks=_joined(at.format(*tick) for tick in ticks),
        names=_names(plot, place) if plot.labelled else "",
        dates=Template('<div class="dates">{}</div>').format(_joined(below)) if dated else "",
    )


def _on(plot: Plot, values: Iterable[float | None]) -> list[float]:
    scaled = plot.scaled(np.array([value for value in values if value is not None], dtype=np.float64))
    return [value for value in scaled.tolist() if value == value]


def _names(plot: Plot, place: Callable[[float], float]) -> Markup:
    """Return each curve's name beside its end."""
    last = ends(plot)
    heights = spread([place(value) for _, value in last], 100.0 * _LINE / plot.height, 100.0)
    name = Template('<span class="end" data-name="{}" style="bottom: {:.2f}%; color: var(--c{})">{}</span>')
    return _joined(
        name.format(curve.name, height, curve.colour[1:], short(curve.name))
        for (curve, _), height in zip(last, heights, strict=True)
    )


def _shaded(timeline: Timeline, bottom: int, up: int) -> list[Markup]:
    shade = Template('<path d="{}" style="fill: var(--c{}); opacity: {:g}"/>')
    return [
        shade.format(
            "".join(f"M{a} {bottom}h{z - a}v{up}h{a - z}z" for a, z in spans), own.colour[1:], own.opacity
        )
        for own, spans in timeline.shaded
        if spans
    ]


def _curves(timeline: Timeline, plot: Plot, part: int, places: Ints) -> list[Markup]:
    line = Template('<path class="curve" data-name="{}" d="{}" style="{}"/>')
    area = Template('<path class="boxes" data-name="{}" d="{}" style="fill: var(--c{})"/>')
    days = timeline.days
    if plot.kind == "line":
        return [
            line.format(c.name, path(days[places], part * plot.scaled(c.values[places])), _stroke(c))
            for c in plot.curves
        ]
    if plot.kind == "held":
        held = zip(plot.curves, stretches(plot.curves, days), strict=True)
        return [
            area.format(
                curve.name,
                "".join(f"M{x} {round(y * part)}h{dx}v{round(dy * part)}h-{dx}z" for x, dx, y, dy in each),
                curve.colour[1:],
            )
            for curve, each in held
        ]
    width = (0.86 * np.diff(np.r_[days, timeline.length])).astype(int).tolist()
    return [
        area.format(
            curve.name,
            "".join(
                f"M{x} 0h{dx}v{round(y * part)}h-{dx}z"
                for x, dx, y in zip(days.tolist(), width, curve.values.tolist(), strict=True)
                if y == y
            ),
            curve.colour[1:],
        )
        for curve in plot.curves
    ]


def path(days: Ints, values: Floats) -> str:
    """Return a line through whole numbers, each given by its distance to the one before; gaps stay open."""
    known = np.isfinite(values)
    at = np.flatnonzero(known)
    if len(at) == 0:
        return ""
    points = np.column_stack([days[at], np.rint(values[at]).astype(np.int64)])
    begins = np.flatnonzero(np.r_[True, np.diff(at) > 1])
    steps = np.diff(points, axis=0)
    said = []
    for first, after in zip(begins.tolist(), [*begins[1:].tolist(), len(at)], strict=True):
        x, y = points[first].tolist()
        said.append(f"M{x},{y}")
        if after > first + 1:  # as JSON, which is written many times faster than text is joined
            said.append("l" + msgspec.json.encode(steps[first : after - 1].ravel().tolist())[1:-1].decode())
    return "".join(said).replace(",-", "-")
