"""Cells as HTML: boxes in SVG that stretch with the page, letters beside them that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from backtest.reporting.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.dates import Ints
    from backtest.reporting.cells import Cells, Pane, Tint

_WIDE, _PAGE = 0.62, 54.0  # rem: the least of a column, for a phone scrolls; and the width of the page

_FIGURE = Template(
    '<figure id="{name}" class="cells" role="img" aria-label="{shows}" data-rows="{rows}" '
    'data-columns="{columns}" data-says="{says}" data-same="{same}"{rising}>\n'
    '<div class="keys">{keys}</div>\n<div class="plots{side}">\n{panels}\n</div>\n'
    "<figcaption>{caption}</figcaption>\n</figure>"
)
_PANEL = Template(
    '<div class="plot"><p>{heading}</p><div class="scroll"><div style="min-width: {wide:.1f}rem; '
    '--names: 0em"><div class="area" style="height: {height}px" data-read="{read}">'
    '<svg viewBox="0 0 {n} {m}" '
    'preserveAspectRatio="none" aria-hidden="true">{boxes}</svg>{spots}{left}</div>'
    '<div class="dates">{below}</div></div></div></div>'
)


def cells_html(drawn: Cells, caption: Markup) -> Markup:
    """Return cells as a figure of a page."""
    return _FIGURE.format(
        name=drawn.name,
        shows=drawn.shows,
        rows="|".join(drawn.rows),
        columns="|".join(drawn.columns),
        says=drawn.says[0],
        same=drawn.says[1],
        rising=Markup(" data-rising") if drawn.rising else "",
        keys=Markup("").join(_keys(drawn)),
        side=" three" if len(drawn.panels) == 3 else "",
        panels=Markup("\n").join(_panel(drawn, panel) for panel in drawn.panels),
        caption=caption,
    )


def _keys(drawn: Cells) -> Iterator[Markup]:
    key = Template('<span><span class="key" style="background: var(--c{}); opacity: {:g}"></span>{}</span>')
    for look in drawn.looks:
        if look.word:
            yield key.format(look.colour[1:], look.opacity, look.word)
    for spot in drawn.spots:
        yield Template('<span><i class="dot {}"></i>{}</span>').format(spot.kind, spot.word)


def _panel(drawn: Cells, panel: Pane) -> Markup:
    m, n = panel.painted.shape
    painted = panel.painted[::-1] if drawn.rising else panel.painted

    def down(row: int) -> float:
        """Return how far below the top the middle of a row lies, of all."""
        return ((m - 1 - row if drawn.rising else row) + 0.5) / m

    left = Template('<span class="y" style="bottom: {:.2f}%">{}</span>')
    below = Template('<span class="x{}" style="left: {:.2f}%">{}</span>')
    spot = Template('<i class="dot {}" style="left: {:.2f}%; bottom: {:.2f}%" title="{}"></i>')
    return _PANEL.format(
        heading=panel.heading,
        wide=min(2.6 + _WIDE * n, _PAGE),
        height=drawn.height,
        read=";".join("|".join(row) for row in panel.read).replace("-", "\u2212"),
        n=n,
        m=m,
        boxes=Markup("").join(_boxes(drawn.looks, painted)),
        spots=Markup("").join(
            spot.format(each.kind, 100.0 * (each.column + 0.5) / n, 100.0 * (1.0 - down(each.row)), each.word)
            for each in drawn.spots
        ),
        left=Markup("").join(
            left.format(100.0 * (1.0 - down(i)), word) for i, word in drawn.ticks(drawn.rows)
        ),
        below=Markup("").join(
            below.format(" odd" if place % 2 else "", 100.0 * (i + 0.5) / n, word)
            for place, (i, word) in enumerate(drawn.ticks(drawn.columns))
        ),
    )


def _boxes(looks: tuple[Tint, ...], painted: Ints) -> Iterator[Markup]:
    boxes = Template('<path class="boxes" d="{}" style="fill: var(--c{}); opacity: {:.3g}"/>')
    for place, look in enumerate(looks):
        if said := path(painted == place):
            yield boxes.format(said, look.colour[1:], look.opacity)


def path(cells: Ints) -> str:
    """Return boxes around the cells that are set, one for each row of neighbours."""
    said = []
    for i, row in enumerate(np.asarray(cells, dtype=np.int8)):
        turns = np.diff(np.r_[0, row, 0])
        for begin, end in zip(np.flatnonzero(turns > 0), np.flatnonzero(turns < 0), strict=True):
            said.append(f"M{begin} {i}h{end - begin}v1h-{end - begin}z")
    return "".join(said)
