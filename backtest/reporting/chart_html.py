"""Charts as HTML: lines in SVG that stretch with the page, letters beside them that do not.

A path is drawn in whole parts of what lies across and of a value, so that the script of the page can read
both off it, and nothing travels twice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from markupsafe import Markup

from backtest.reporting.chart import LETTERS, Band, Curve, Points, ends, short, spread
from backtest.reporting.palette import INK
from backtest.reporting.scales import Dates, Labels
from backtest.reporting.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backtest.dates import Floats, Ints
    from backtest.reporting.cells import Cells
    from backtest.reporting.chart import Box, Chart, Line, Plot
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


class _Frame:
    """A plot, the whole parts of what lies across and of a value that it is drawn in, and its edges."""

    def __init__(self, plot: Plot, across: Across) -> None:
        self.plot, self.across = plot, across
        (left, right), (low, high) = across.ends, plot.limits
        self._each = 1.0 if isinstance(across, Dates) else _part(across, left, right)
        self.part = _part(plot.rows, low, high)
        self.left, self.bottom = round(left * self._each), round(low * self.part)
        self.wide, self.tall = round(right * self._each) - self.left, round(high * self.part) - self.bottom

    def x(self, places: Floats) -> Ints:
        return np.rint(places * self._each).astype(np.int64)

    def y(self, values: Floats) -> Ints:
        return np.rint(values * self.part).astype(np.int64)

    def right(self, place: float) -> float:
        """Return how far from the left a place lies, of a hundred."""
        return 100.0 * (place * self._each - self.left) / self.wide

    def up(self, value: float) -> float:
        """Return how far above the bottom a value lies, of a hundred."""
        return 100.0 * (value * self.part - self.bottom) / self.tall

    def upright(self, places: Floats) -> str:
        return "".join(f"M{x} {self.bottom}v{self.tall}" for x in self.x(places).tolist())

    def level(self, values: Floats) -> str:
        return "".join(f"M{self.left} {y}h{self.wide}" for y in self.y(values[np.isfinite(values)]).tolist())

    def boxes(self, each: Iterable[Box]) -> str:
        drawn = (
            (round(x * self._each), int(dx * self._each), round(y * self.part), round(dy * self.part))
            for x, dx, y, dy in each
        )
        return "".join(f"M{x} {y}h{dx}v{dy}h-{dx}z" for x, dx, y, dy in drawn)


def _part(of: Across | None, low: float, high: float) -> float:
    """Return the whole parts of a value: some hundred thousands from end to end; halves of a label."""
    return 2 if isinstance(of, Labels) else 10 ** (5 - math.ceil(math.log10(max(abs(low), abs(high), 1e-9))))


def chart_html(chart: Chart, caption: Markup, *, height: float = 1.0) -> Markup:
    """Return a chart as a figure of a page; ``height`` is that of its plots in parts of their own."""
    return framed(chart, caption, plots_html(chart, height))


def plots_html(chart: Chart, height: float = 1.0) -> list[Markup]:
    """Return each plot of a chart, to stand in its frame."""
    first = len(chart.plots) - chart.columns  # of the last row
    return [_plot(chart, plot, height, last=i >= first) for i, plot in enumerate(chart.plots)]


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


_joined = Markup("").join


def _plot(chart: Chart, plot: Plot, height: float, *, last: bool) -> Markup:
    across = chart.across(plot)
    frame = _Frame(plot, across)
    ticks = plot.ticks()
    grid = "" if plot.rows and not plot.curves else frame.level(np.array([value for value, _ in ticks]))
    if plot.kind != "held" and not plot.cells:
        grid += frame.upright(np.array([place for place, _ in across.ticks]))
    drawn = [
        *_shaded(chart, frame),
        Template('<path class="grid" d="{}"/>').format(grid),
        *(_cells(plot.cells, frame) if plot.cells else ()),
        *_bands(chart, frame),
        *(_rule(rule, frame) for rule in plot.lines if rule.behind),
        *_curves(chart, frame),
        *(part for dots in plot.dots for part in _dots(dots, frame)),
        *(_rule(rule, frame) for rule in plot.lines if not rule.behind),
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
        top=-frame.bottom - frame.tall,
        wide=frame.wide,
        tall=frame.tall,
        drawn=_joined(drawn),
        ticks=_joined(at.format(frame.up(value), _minus(word)) for value, word in ticks),
        names=_names(frame) if plot.labelled else "",
        words=_joined(_words(frame)),
        below=_below(frame) if last or plot.x else "",
    )


_ALL = 4  # words for which there is room under a plot in any case


def _below(frame: _Frame) -> Markup:
    """Return what is written under a plot; where there is little room every second word is left out."""
    word, ticks = Template('<span class="x{}" style="left: {:.2f}%">{}</span>'), frame.across.ticks
    # Zero is never left out.
    zero = next((i for i, (_, text) in enumerate(ticks) if text == "0"), 0)
    each = (
        word.format(" odd" if (i - zero) % 2 and len(ticks) > _ALL else "", frame.right(place), _minus(text))
        for i, (place, text) in enumerate(ticks)
    )
    label = Template('<p class="label">{}</p>').format(frame.across.label) if frame.across.label else ""
    return Template('<div class="dates">{}</div>{}').format(_joined(each), label)


def _minus(word: str) -> str:
    return f"\u2212{word[1:]}" if word.startswith("-") else word


def _rule(rule: Line, frame: _Frame) -> Markup:
    if rule.upright:
        drawn = frame.upright(frame.across.places(np.array(rule.at)))
    else:
        drawn = frame.level(frame.plot.scaled(np.array(rule.at, dtype=np.float64)))
    stroke = _stroke(rule.colour, rule.dash, 1.0 if rule.behind else 1.2)
    return Template('<path class="rule" d="{}" style="{}"/>').format(drawn, stroke)


def _names(frame: _Frame) -> Markup:
    """Return each curve's name beside its end."""
    last = ends(frame.plot)
    heights = spread([frame.up(value) for _, value in last], 100.0 * _LINE / frame.plot.height, 100.0)
    name = Template('<span class="end" data-name="{}" style="bottom: {:.2f}%; color: var(--c{})">{}</span>')
    return _joined(
        name.format(one.name, height, one.colour[1:], short(one.name))
        for (one, _), height in zip(last, heights, strict=True)
    )


def _words(frame: _Frame) -> Iterator[Markup]:
    """Give the words within a plot: of lines, of single points, and what has to be said there."""
    plot, across = frame.plot, frame.across
    word = Template('<span class="word{}" style="left: {:.2f}%; {}; color: var(--c{})">{}</span>')
    for i, rule in enumerate(rule for rule in plot.lines if rule.upright and rule.word):
        left = frame.right(float(across.places(np.array(rule.at))[-1]))
        yield word.format(" before" * (left > 50.0), left, f"top: {_TAG * i}px", rule.colour[1:], rule.word)
    for dots in plot.dots:
        if dots.word:
            left = frame.right(float(across.places(dots.x)[-1]))
            up = f"bottom: {frame.up(float(plot.scaled(dots.y)[-1])):.2f}%"
            yield word.format(" beside before" if left > 80.0 else " beside", left, up, INK[1:], dots.word)
    spot = Template('<i class="dot {}" style="left: {:.2f}%; bottom: {:.2f}%" title="{}"></i>')
    for each in plot.cells.spots if plot.cells else ():
        yield spot.format(each.kind, frame.right(each.column), frame.up(each.row), each.word)
    if plot.note:
        yield word.format(" before", 100.0, "top: 0", INK[1:], plot.note)


def _said(cells: Cells) -> dict[str, str]:
    """Return what the script reads out of cells."""
    read = ";".join("|".join(row) for row in cells.read).replace("-", "\u2212")
    return {"data-read": read, "data-says": cells.says[0], "data-same": cells.says[1]}


def _cells(cells: Cells, frame: _Frame) -> Iterator[Markup]:
    """Give the cells of each look, a box for each row of neighbours."""
    for place, look in enumerate(cells.looks):
        boxes: list[Box] = []
        for i, row in enumerate((cells.painted == place).astype(np.int8)):
            turns = np.diff(np.r_[0, row, 0])
            runs = zip(np.flatnonzero(turns > 0).tolist(), np.flatnonzero(turns < 0).tolist(), strict=True)
            boxes += [(begin - 0.5, end - begin, i - 0.5, 1.0) for begin, end in runs]
        if boxes:
            yield _filled("boxes", "", frame.boxes(boxes), look.colour, round(look.opacity, 3))


def _filled(kind: str, name: str, drawn: str, colour: str, opacity: float) -> Markup:
    named = Template(' data-name="{}"').format(name) if name else ""
    return Template('<path class="{}"{} d="{}" style="{}"/>').format(
        kind, named, drawn, _tinted("fill", colour, opacity)
    )


def _shaded(chart: Chart, frame: _Frame) -> Iterator[Markup]:
    low, high = frame.plot.limits
    for own, spans in chart.shaded:
        if spans:
            drawn = frame.boxes((begin, end - begin, low, high - low) for begin, end in spans)
            yield _filled("shade", "", drawn, own.colour, own.opacity)


def _bands(chart: Chart, frame: _Frame) -> Iterator[Markup]:
    kind = "band stacked" if frame.plot.kind == "stacked" else "band"
    for band, places, low, high in chart.edges(frame.plot):
        x, edge = frame.x(places), frame.part * np.concatenate([low, high[::-1]])
        drawn = f"{path(np.concatenate([x, x[::-1]]), edge)}z"
        yield _filled(kind, band.name, drawn, band.colour, band.opacity)


def _curves(chart: Chart, frame: _Frame) -> Iterator[Markup]:
    line = Template('<path class="curve" data-name="{}" d="{}" style="{}"/>')
    for c, x, y in chart.traces(frame.plot):
        stroke = _stroke(c.colour, c.dash, c.width, c.opacity)
        yield line.format(c.name, path(frame.x(x), frame.part * y), stroke)
    kind = "boxes held" if frame.plot.kind == "held" else "boxes"
    for c, boxes in frame.plot.boxes(frame.across):
        yield _filled(kind, c.name, frame.boxes(boxes), c.colour, c.opacity)


def _dots(dots: Points, frame: _Frame) -> Iterator[Markup]:
    """Give the intervals of points, one each, and the points themselves; what is not known has none."""
    places, height = frame.across.places, frame.plot.scaled(dots.y)
    there = np.isfinite(dots.x) & np.isfinite(height)
    at, y = dots.x[there], frame.y(height[there]).tolist()
    if dots.low is not None and dots.high is not None:
        ends = np.array([dots.low, dots.high])[:, there]
        low, high = frame.x(places(np.where(np.isfinite(ends).all(axis=0), ends, at)))
        reach = "".join(f"M{a},{b}h{z - a}" for a, z, b in zip(low, high, y, strict=True))
        stroke = _stroke(dots.colour, "-", 1.6)
        yield Template('<path class="reach" d="{}" style="{}"/>').format(reach, stroke)
    points = "".join(f"M{a},{b}h0" for a, b in zip(frame.x(places(at)).tolist(), y, strict=True))
    stroke = _stroke(dots.colour, "-", dots.size, dots.opacity)
    yield Template('<path class="dots" data-name="{}" d="{}" style="{}"/>').format(dots.name, points, stroke)


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
