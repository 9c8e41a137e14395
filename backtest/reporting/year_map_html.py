"""Maps of years as HTML: cells in SVG that stretch with the page, letters beside them that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from backtest.reporting.template import Template
from backtest.reporting.year_map import keys, look

if TYPE_CHECKING:
    from backtest.dates import Ints
    from backtest.reporting.year_map import YearMap

_LOW, _MOST, _TALL = 150, 560, 13  # pixels: the least and the most of a map; of a row where there are few
_WIDE, _PAGE = 0.62, 54.0  # rem: the least of a column, for a phone scrolls; and the width of the page

_FIGURE = Template(
    '<figure id="{name}" class="years" role="img" aria-label="{shows}" data-first="{first}" '
    'data-values="{values}">\n<div class="keys">{keys}</div>\n<div class="plot"><p>{heading}</p>'
    '<div class="scroll"><div style="min-width: {wide:.1f}rem; --names: 0em"><div class="area" '
    'style="height: {height}px"><svg viewBox="0 0 {n} {n}" preserveAspectRatio="none" aria-hidden="true">'
    '{drawn}</svg>{starts}</div><div class="dates">{ends}</div></div></div></div>\n'
    "<figcaption>{caption}</figcaption>\n</figure>"
)


def year_map_html(drawn: YearMap, caption: Markup) -> Markup:
    """Return a map of years as a figure of a page."""
    n, ticks, steps = len(drawn.values), drawn.ticks(), drawn.steps
    cells = Template('<path class="boxes" d="{}" style="fill: var(--c{}); opacity: {:g}"/>')
    paths = [
        cells.format(d, look(step)[0][1:], look(step)[1]) for step, _ in keys() if (d := path(steps == step))
    ]
    grid = "".join(f"M{i} 0V{i + 1}M{i} {i}H{n}" for i, _ in ticks)
    left = Template('<span class="y" style="bottom: {:.2f}%">{}</span>')
    below = Template('<span class="x{}" style="left: {:.2f}%">{}</span>')
    # In hundredths, as much as is read out.
    values = (
        ",".join("" if value != value else f"{100.0 * value:.0f}" for value in row)
        for row in drawn.values.tolist()
    )
    return _FIGURE.format(
        name=drawn.name,
        shows=drawn.shows,
        first=drawn.first,
        values=";".join(values),
        keys=_keys(),
        wide=min(2.6 + _WIDE * n, _PAGE),
        heading=drawn.heading,
        height=min(max(_LOW, _TALL * n), _MOST),
        n=n,
        drawn=Markup("").join([*paths, Template('<path class="grid" d="{}"/>').format(grid)]),
        starts=Markup("").join(left.format(100.0 * (1.0 - (i + 0.5) / n), word) for i, word in ticks),
        ends=Markup("").join(
            below.format(" odd" if place % 2 else "", 100.0 * (i + 0.5) / n, word)
            for place, (i, word) in enumerate(ticks)
        ),
        caption=caption,
    )


def _keys() -> Markup:
    key = Template('<span><span class="key" style="background: var(--c{}); opacity: {:g}"></span>{}</span>')
    each = [(step, key.format(look(step)[0][1:], look(step)[1], word)) for step, word in keys()]
    behind, ahead = ([said for step, said in each if step * side > 0] for side in (-1, 1))
    return Markup("").join(
        [Markup("<span>behind by</span>"), *behind, Markup("<span>ahead by</span>"), *ahead]
    )


def path(cells: Ints) -> str:
    """Return boxes around the cells of (k, k) that are set, one for each row of neighbours."""
    said = []
    for i, row in enumerate(np.asarray(cells, dtype=np.int8)):
        turns = np.diff(np.r_[0, row, 0])
        for begin, end in zip(np.flatnonzero(turns > 0), np.flatnonzero(turns < 0), strict=True):
            said.append(f"M{begin} {i}h{end - begin}v1h-{end - begin}z")
    return "".join(said)
