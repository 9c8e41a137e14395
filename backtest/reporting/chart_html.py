"""Charts as HTML: lines in SVG that stretch with the page, letters beside them that do not.

A path is drawn in whole parts of what lies across and of a value, so that the script of the page can read
both off it, and nothing travels twice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from markupsafe import Markup

from backtest.reporting.chart import LETTERS, Band, Curve, Points, ends, short, spread, stretches
from backtest.reporting.palette import INK
from backtest.reporting.scales import Dates, Labels
from backtest.reporting.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backtest.dates import Floats, Ints
    from backtest.reporting.cells import Cells
    from backtest.reporting.chart import Chart, Line, Plot
    from backtest.reporting.scales import Across

DASHES = {"-": "", "--": "6 3", ":": "2 2", "-.": "6 2 2 2"}
"""As SVG writes them."""

_LINE = 13.0  # pixels that a name beside a line's end takes
_TAG = 16  # and a word in the picture
_WIDE, _PAGE = (
    0.62,
    54.0,
)  # rem: the least of a column of cells, for a phone scrolls; and the width of the page
_FIGURE = Template(
    '<figure id="{name}" class="chart" role="img" aria-label="{shows}" data-x="{across}" '
    'style="--names: {names}em{before}">\n{keys}<div class="plots{columns}">\n{plots}\n</div>\n'
    "{caption}</figure>"
)
_PLOT = Template(
    '<div class="plot"><p>{heading}</p>{opens}<div class="area" style="height: {height}px" '
    'data-part="{part}" data-unit="{unit}"{more}><svg viewBox="{left} {top} {wide} {tall}" '
    'preserveAspectRatio="none" aria-hidden="true"><g transform="scale(1 -1)">{drawn}</g></svg>{ticks}'
    "{names}{words}</div>{below}{closes}</div>"
)
_SCROLLED = Template('<div class="scroll"><div style="min-width: {:.1f}rem">')


class _Frame(NamedTuple):
    """Whole parts of what lies across and of a value, and the edges of a plot in these."""

    each: float
    left: int
    right: int
    part: float
    bottom: int
    top: int

    def x(self, places: Floats) -> Ints:
        return np.rint(places * self.each).astype(np.int64)

    def across(self, place: float) -> float:
        """Return how far from the left a place lies, of a hundred."""
        return 100.0 * (place * self.each - self.left) / (self.right - self.left)

    def up(self, value: float) -> float:
        """Return how far above the bottom a value lies, of a hundred."""
        return 100.0 * (value * self.part - self.bottom) / (self.top - self.bottom)


def _frame(plot: Plot, across: Across) -> _Frame:
    (left, right), (low, high) = across.ends, plot.limits()
    each, part = 1.0 if isinstance(across, Dates) else _part(across, left, right), _part(plot.rows, low, high)
    return _Frame(each, round(left * each), round(right * each), part, round(low * part), round(high * part))


def _part(of: Across | None, low: float, high: float) -> float:
    """Return the whole parts of a value: some hundred thousands from end to end; halves of a label."""
    return 2 if isinstance(of, Labels) else 10 ** (5 - math.ceil(math.log10(max(abs(low), abs(high), 1e-9))))


def chart_html(chart: Chart, caption: Markup, *, height: float = 1.0) -> Markup:
    """Return a chart as a figure of a page; ``height`` is that of its plots in parts of their own."""
    return framed(chart, caption, plots_html(chart, height))


def plots_html(chart: Chart, height: float = 1.0) -> list[Markup]:
    """Return each plot of a chart, to stand in its frame."""
    n, columns, places = len(chart.plots), chart.columns, chart.places()
    return [_plot(chart, plot, places, height, last=i >= n - columns) for i, plot in enumerate(chart.plots)]


def framed(chart: Chart, caption: Markup, plots: Iterable[Markup]) -> Markup:
    """Return the frame of a chart, its keys and its caption, around its plots."""
    key = Template('<span data-name="{}">{}{}</span>')
    keys = _joined(key.format(name, _sample(chart, one), name) for name, one in chart.keys().items())
    keys += _joined(_tints(chart.tints)) if chart.tints else ""
    return _FIGURE.format(
        name=chart.name,
        shows=chart.shows,
        across=_read(chart.x),
        names=f"{0.58 * min(chart.letters, LETTERS):.1f}",
        before=f"; --before: {0.56 * chart.before:.1f}em" if chart.before > _FEW else "",
        keys=Template('<div class="keys">{}</div>\n').format(keys) if keys else "",
        columns={2: " two", 3: " three"}.get(chart.columns, ""),
        plots=Markup("\n").join(plots),
        caption=Template("<figcaption>{}</figcaption>\n").format(caption) if caption else "",
    )


_FEW = 6  # letters for which there is room on the left in any case


def _read(across: Across) -> str:
    """Return what the script has to know of what lies across."""
    found: dict[str, object]
    if isinstance(across, Dates):
        found = {"first": str(across.dates[0]), "step": across.step}
    elif isinstance(across, Labels):
        found = {"label": across.label, "names": across.names, "part": 2}
    else:
        low, high = across.ends
        digits = max(0, 2 - math.floor(math.log10(high - low)))  # three of what lies between the ends
        found = {"label": across.label, "log": across.log, "digits": digits, "part": _part(across, low, high)}
    return msgspec.json.encode(found).decode()


def _sample(chart: Chart, one: Curve | Band | Points) -> Markup:
    if isinstance(one, Curve) and any(one in plot.curves for plot in chart.plots if plot.kind == "line"):
        return Template(
            '<svg width="22" height="8" role="presentation"><path d="M0 4h22" style="{}"/></svg>'
        ).format(_stroke(one.colour, one.dash, one.width))
    return Template('<span class="key" style="{}"></span>').format(
        _tinted("background", one.colour, one.opacity)
    )


def _tints(cells: Cells) -> Iterator[Markup]:
    key = Template('<span><span class="key tint" style="{}"></span>{}</span>')
    for look in cells.looks:
        if look.word:
            yield key.format(_tinted("background", look.colour, look.opacity), look.word)
    for spot in cells.spots:
        yield Template('<span><i class="dot {}"></i>{}</span>').format(spot.kind, spot.word)


def _stroke(colour: str, dash: str, width: float, opacity: float = 1.0) -> str:
    dashed = f"; stroke-dasharray: {DASHES[dash]}" if DASHES[dash] else ""
    return f"{_tinted('stroke', colour, opacity)}; stroke-width: {width:g}px{dashed}"


def _tinted(what: str, colour: str, opacity: float) -> str:
    return f"{what}: var(--c{colour[1:]})" + (f"; opacity: {opacity:g}" if opacity < 1.0 else "")


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _plot(chart: Chart, plot: Plot, places: Ints, height: float, *, last: bool) -> Markup:
    across = chart.across(plot)
    frame = _frame(plot, across)
    tall, wide = frame.top - frame.bottom, frame.right - frame.left
    ticks, on = plot.ticks(), across.ticks
    lines = (round(value * frame.part) for value, _ in ticks)
    grid = [] if plot.rows and not plot.curves else [f"M{frame.left} {y}h{wide}" for y in lines]
    if plot.kind != "held" and not plot.cells:
        grid += [
            f"M{x} {frame.bottom}v{tall}" for x in frame.x(np.array([place for place, _ in on])).tolist()
        ]
    drawn = [
        *_shaded(chart, frame),
        Template('<path class="grid" d="{}"/>').format("".join(grid)),
        *(_boxes(plot.cells) if plot.cells else ()),
        *(_bands(plot, across, frame, places if plot.x is None else None)),
        *(_rule(rule, plot, across, frame) for rule in plot.lines if rule.behind),
        *_curves(plot, across, frame, places if plot.x is None else None),
        *(part for dots in plot.dots for part in _dots(dots, plot, across, frame)),
        *(_rule(rule, plot, across, frame) for rule in plot.lines if not rule.behind),
    ]
    more = {
        "data-x": _read(plot.x) if plot.x else None,
        "data-log": "" if plot.log else None,
        "data-words": "|".join(plot.rows.names) if plot.rows else None,
        **(_said(plot.cells) if plot.cells else {}),
    }
    at = Template('<span class="y" style="bottom: {:.2f}%">{}</span>')
    return _PLOT.format(
        heading=plot.heading,
        height=round(height * plot.height),
        part=frame.part,
        unit=plot.unit,
        more=_joined(Template(' {}="{}"').format(*each) for each in more.items() if each[1] is not None),
        opens=_SCROLLED.format(min(2.6 + _WIDE * len(across.at), _PAGE)) if plot.cells else "",
        closes=Markup("</div></div>") if plot.cells else "",
        left=frame.left,
        top=-frame.top,
        wide=wide,
        tall=tall,
        drawn=_joined(drawn),
        ticks=_joined(at.format(frame.up(value), _minus(word)) for value, word in ticks),
        names=_names(plot, frame) if plot.labelled else "",
        words=_joined(_words(plot, across, frame)),
        below=_below(across, frame) if last or plot.x else "",
    )


_ALL = 4  # words for which there is room under a plot in any case


def _below(across: Across, frame: _Frame) -> Markup:
    """Return what is written under a plot; where there is little room every second word is left out."""
    word, ticks = Template('<span class="x{}" style="left: {:.2f}%">{}</span>'), across.ticks
    # Zero is never left out.
    zero = next((i for i, (_, text) in enumerate(ticks) if text == "0"), 0)
    each = (
        word.format(" odd" if (i - zero) % 2 and len(ticks) > _ALL else "", frame.across(place), _minus(text))
        for i, (place, text) in enumerate(ticks)
    )
    label = Template('<p class="label">{}</p>').format(across.label) if across.label else ""
    return Template('<div class="dates">{}</div>{}').format(_joined(each), label)


def _minus(word: str) -> str:
    return f"\u2212{word[1:]}" if word.startswith("-") else word


def _rule(rule: Line, plot: Plot, across: Across, frame: _Frame) -> Markup:
    if rule.upright:
        lines = (
            f"M{x} {frame.bottom}v{frame.top - frame.bottom}"
            for x in frame.x(across.places(np.array(rule.at)))
        )
    else:
        values = plot.scaled(np.array(rule.at, dtype=np.float64))
        wide = frame.right - frame.left
        lines = (f"M{frame.left} {round(y * frame.part)}h{wide}" for y in values.tolist() if y == y)
    return Template('<path class="rule" d="{}" style="{}"/>').format(
        "".join(lines), _stroke(rule.colour, rule.dash, 1.0 if rule.behind else 1.2)
    )


def _names(plot: Plot, frame: _Frame) -> Markup:
    """Return each curve's name beside its end."""
    last = ends(plot)
    heights = spread([frame.up(value) for _, value in last], 100.0 * _LINE / plot.height, 100.0)
    name = Template('<span class="end" data-name="{}" style="bottom: {:.2f}%; color: var(--c{})">{}</span>')
    return _joined(
        name.format(one.name, height, one.colour[1:], short(one.name))
        for (one, _), height in zip(last, heights, strict=True)
    )


def _words(plot: Plot, across: Across, frame: _Frame) -> Iterator[Markup]:
    """Give the words within a plot: of lines, of single points, and what has to be said there."""
    word = Template('<span class="word{}" style="left: {:.2f}%; {}; color: var(--c{})">{}</span>')
    for i, rule in enumerate(rule for rule in plot.lines if rule.upright and rule.word):
        left = frame.across(float(across.places(np.array(rule.at))[-1]))
        yield word.format(" before" * (left > 50.0), left, f"top: {_TAG * i}px", rule.colour[1:], rule.word)
    for dots in plot.dots:
        if dots.word:
            left, up = (
                frame.across(float(across.places(dots.x)[-1])),
                frame.up(float(plot.scaled(dots.y)[-1])),
            )
            where = " beside before" if left > 80.0 else " beside"
            yield word.format(where, left, f"bottom: {up:.2f}%", INK[1:], dots.word)
    spot = Template('<i class="dot {}" style="left: {:.2f}%; bottom: {:.2f}%" title="{}"></i>')
    for each in plot.cells.spots if plot.cells else ():
        yield spot.format(each.kind, frame.across(each.column), frame.up(each.row), each.word)
    if plot.note:
        yield Template('<span class="word before" style="left: 100%; top: 0">{}</span>').format(plot.note)


def _said(cells: Cells) -> dict[str, str]:
    """Return what the script reads out of cells."""
    read = ";".join("|".join(row) for row in cells.read).replace("-", "\u2212")
    return {"data-read": read, "data-says": cells.says[0], "data-same": cells.says[1]}


def _boxes(cells: Cells) -> Iterator[Markup]:
    """Give the cells of each look, a box for each row of neighbours; a cell is two parts wide and high."""
    area = Template('<path class="boxes" d="{}" style="{}"/>')
    for place, look in enumerate(cells.looks):
        said = []
        for i, row in enumerate((cells.painted == place).astype(np.int8)):
            turns = np.diff(np.r_[0, row, 0])
            for begin, end in zip(np.flatnonzero(turns > 0), np.flatnonzero(turns < 0), strict=True):
                said.append(f"M{2 * begin - 1} {2 * i - 1}h{2 * (end - begin)}v2h-{2 * (end - begin)}z")
        if said:
            yield area.format("".join(said), _tinted("fill", look.colour, round(look.opacity, 3)))


def _shaded(chart: Chart, frame: _Frame) -> list[Markup]:
    shade, up = Template('<path d="{}" style="{}"/>'), frame.top - frame.bottom
    return [
        shade.format(
            "".join(f"M{a} {frame.bottom}h{z - a}v{up}h{a - z}z" for a, z in spans),
            _tinted("fill", own.colour, own.opacity),
        )
        for own, spans in chart.shaded
        if spans
    ]


def _bands(plot: Plot, across: Across, frame: _Frame, places: Ints | None) -> Iterator[Markup]:
    band = Template('<path class="band{}" data-name="{}" d="{}z" style="{}"/>')
    for each in plot.areas:
        kept = np.flatnonzero(np.isfinite(each.low) & np.isfinite(each.high))
        kept = kept if places is None else np.intersect1d(kept, places)
        x = frame.x(across.at)[kept]
        edge = plot.scaled(np.concatenate([each.low[kept], each.high[kept][::-1]]))
        stacked = " stacked" if plot.kind == "stacked" else ""
        line = path(np.concatenate([x, x[::-1]]), frame.part * edge)
        yield band.format(stacked, each.name, line, _tinted("fill", each.colour, each.opacity))


def _curves(plot: Plot, across: Across, frame: _Frame, places: Ints | None) -> Iterator[Markup]:
    at, part = across.at, frame.part
    if plot.kind == "line":
        line = Template('<path class="curve" data-name="{}" d="{}" style="{}"/>')
        for c in plot.curves:
            x, y = frame.x(at if c.at is None else across.places(c.at)), part * plot.scaled(c.values)
            kept = slice(None) if c.at is not None or places is None else places
            yield line.format(c.name, path(x[kept], y[kept]), _stroke(c.colour, c.dash, c.width, c.opacity))
        return
    boxes: list[list[tuple[float, float, float, float]]] = []
    if plot.kind == "held":
        boxes = stretches(plot.curves, at)
    elif plot.kind == "bars":
        wide = np.diff(np.r_[at, across.ends[1]]) * (0.86 if isinstance(across, Dates) else 1.0)
        boxes = [
            [
                (x, dx, 0.0, y)
                for x, dx, y in zip(at.tolist(), wide.tolist(), c.values.tolist(), strict=True)
                if y == y
            ]
            for c in plot.curves
        ]
    area = Template('<path class="boxes{}" data-name="{}" d="{}" style="{}"/>')
    for c, each in zip(plot.curves if boxes else (), boxes, strict=True):
        drawn = (
            (round(x * frame.each), int(dx * frame.each), round(y * part), round(dy * part))
            for x, dx, y, dy in each
        )
        said = "".join(f"M{x} {y}h{dx}v{dy}h-{dx}z" for x, dx, y, dy in drawn)
        held = " held" if plot.kind == "held" else ""
        yield area.format(held, c.name, said, _tinted("fill", c.colour, c.opacity))


def _dots(dots: Points, plot: Plot, across: Across, frame: _Frame) -> Iterator[Markup]:
    """Give the intervals of points, one each, and the points themselves."""
    x, y = frame.x(across.places(dots.x)), np.rint(frame.part * plot.scaled(dots.y)).astype(np.int64)
    if dots.low is not None and dots.high is not None:
        known = np.isfinite(dots.low) & np.isfinite(dots.high)
        low, high = (frame.x(across.places(np.where(known, each, dots.x))) for each in (dots.low, dots.high))
        reach = "".join(f"M{a},{at}h{z - a}" for a, z, at in zip(low, high, y, strict=True))
        yield Template('<path class="reach" d="{}" style="{}"/>').format(
            reach, _stroke(dots.colour, "-", 1.6)
        )
    points = "".join(f"M{a},{b}h0" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    yield Template('<path class="dots" data-name="{}" d="{}" style="{}"/>').format(
        dots.name, points, _stroke(dots.colour, "-", dots.size, dots.opacity)
    )


def path(x: Ints, values: Floats) -> str:
    """Return a line through whole numbers, each given by its distance to the one before; gaps stay open."""
    known = np.isfinite(values)
    at = np.flatnonzero(known)
    if len(at) == 0:
        return ""
    points = np.column_stack([x[at], np.rint(values[at]).astype(np.int64)])
    begins = np.flatnonzero(np.r_[True, np.diff(at) > 1])
    steps = np.diff(points, axis=0)
    said = []
    for first, after in zip(begins.tolist(), [*begins[1:].tolist(), len(at)], strict=True):
        a, b = points[first].tolist()
        said.append(f"M{a},{b}")
        if after > first + 1:  # as JSON, which is written many times faster than text is joined
            said.append("l" + msgspec.json.encode(steps[first : after - 1].ravel().tolist())[1:-1].decode())
    return "".join(said).replace(",-", "-")
