"""The look of all figures: sizes, colours for light and dark, labels in place of legends, SVG for a page."""

from __future__ import annotations

import io
import itertools
import re
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from backtest.reporting.blocks import NARROW, WIDE, FigureSize
from backtest.reporting.palette import DARK, GRID, INK, MUTED
from backtest.reporting.timeline import spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from backtest.dates import Days, Floats


class Drawing(Figure):
    """A figure that a notebook shows by itself; it belongs to no window."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        png(self, buffer, dpi=110)
        return buffer.getvalue()


STYLE: Any = {
    "font.size": 9.0,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.solid_joinstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "size-rotation",
}


def thin(values: Floats, points: int) -> np.ndarray:
    """Return the places to draw of a long line, so that it looks the same: a bucket's ends and extremes."""
    n = len(values)
    if n <= 4 * points:
        return np.arange(n)
    filled = np.where(np.isfinite(values), values, 0.0)
    edges = np.linspace(0, n, points + 1).astype(int)
    kept = [0, n - 1]
    for start, stop in itertools.pairwise(edges.tolist()):
        part = filled[start:stop]
        kept += [start, start + int(part.argmin()), start + int(part.argmax()), stop - 1]
    return np.unique(kept)


def draw(axes: Axes, dates: Days, values: Floats, size: FigureSize, **options: Any) -> None:
    """Draw a line of values over dates, thinned to what the size can show."""
    kept = thin(values, size.points)
    axes.plot(dates[kept].astype("datetime64[s]").astype(object), values[kept], **options)


def label_ends(axes: Axes, ends: Mapping[str, float], tints: Mapping[str, str], bold: str = "") -> None:
    """Write each line's name beside its end, moved apart where two would overlap; long ones are cut."""
    width, height = axes.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    letters = (NARROW if width <= NARROW.width else WIDE).letters
    inches = height * axes.get_position().height
    gap = 0.155 / inches  # a line of text, in parts of the axes' height
    to_axes = axes.transData + axes.transAxes.inverted()
    names = sorted((n for n in ends if np.isfinite(ends[n])), key=ends.__getitem__)
    heights = [float(to_axes.transform((0.0, ends[name]))[1]) for name in names]
    for name, height in zip(names, spread(heights, gap, 1.0), strict=True):
        axes.annotate(
            name if len(name) <= letters else f"{name[: letters - 1]}\u2026",
            (1.0, height),
            xytext=(5.0, 0.0),
            textcoords="offset points",
            xycoords="axes fraction",
            color=tints[name],
            va="center",
            fontsize=8.5,
            fontweight="bold" if name == bold else "normal",
            annotation_clip=False,
        )


def margins(figure: Figure, size: FigureSize, longest: int, *, top: float = 0.3, bottom: float = 0.3) -> None:
    """Leave room around the axes, in inches: on the right for a name of ``longest`` letters."""
    width, height = figure.get_size_inches()
    right = 0.14 + 0.088 * min(longest, size.letters) if longest else 0.1
    left = 0.55 if size is WIDE else 0.48
    figure.subplots_adjust(
        left=left / width, right=1.0 - right / width, top=1.0 - top / height, bottom=bottom / height
    )


def log_axis(axes: Axes) -> None:
    """Scale the values by logarithm, with plain numbers at 1, 2 and 5 times the powers of ten."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    steps = (1.0, 2.0, 5.0) if high / low < 1000.0 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def date_axis(axes: Axes, size: FigureSize) -> None:
    """Write years below the axes, as many as there is room for."""
    locator: Any = AutoDateLocator(minticks=3, maxticks=10 if size is WIDE else 6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter: Any = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def heading(axes: Axes, text: str) -> None:
    """Write what a panel shows, with its unit, above its left corner; smaller where it would be cut off."""
    points = 72.0 * axes.get_figure(root=True).get_size_inches()[0] * axes.get_position().width  # type: ignore[union-attr]
    axes.set_title(text, loc="left", fontsize=min(9.0, points / (0.58 * len(text))), color=INK, pad=4.0)


_TAG = re.compile(r"<[^>]+>")
_LONG_NUMBER = re.compile(r"(\d+\.\d\d)\d+")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^)"]+)')
_FONT = re.compile(r"font: ((?:bold |\d+ )?)([\d.]+)px [^;\"]*")


def svg(figure: Figure, prefix: str, alternative: str) -> str:
    """Return a figure as SVG for a page: its colours are the page's, its ids begin with ``prefix``.

    ``alternative`` says in words what it shows, for who cannot see it; it must be escaped already.
    """
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    # Coordinates are shortened, but nothing that is to be read: 0.525 on an axis must stay 0.525.
    text = _TAG.sub(lambda m: _LONG_NUMBER.sub(r"\1", m[0]), text)
    text = _ID.sub(lambda m: f'id="{prefix}-{m[1]}"', text)
    text = _REFERENCE.sub(lambda m: f"{m[1]}{prefix}-{m[2]}", text)
    text = _COLOUR.sub(lambda m: f"var(--c{m[0][1:]})" if m[0] in DARK else m[0], text)
    text = _FONT.sub(lambda m: f"font: {m[1]}{m[2]}px var(--letters)", text)
    width, height = figure.get_size_inches() * 72.0
    start = text.index(">")
    opening = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{alternative}" xmlns:xlink='
    return f'{opening}"http://www.w3.org/1999/xlink"{text[start:]}'


def png(figure: Figure, path: Any, dpi: int = 150) -> None:
    """Write a figure as PNG on white."""
    with mpl.rc_context(STYLE):
        figure.savefig(path, dpi=dpi, facecolor="white", metadata={"Software": None})


def names_width(names: Sequence[str]) -> int:
    """Return the number of letters of the longest name."""
    return max(map(len, names), default=0)
