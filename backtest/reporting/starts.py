"""How much a run's lead depends on the start: a sentence, the table of all windows, the map of the years."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.rolling import MODERN
from backtest.errors import joined
from backtest.reporting import blocks as b
from backtest.reporting.cells import Cells, Tint, read_out
from backtest.reporting.chart import Chart, Plot
from backtest.reporting.palette import BLUE, ORANGE
from backtest.reporting.scales import Labels
from backtest.wording import cell, share, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.analysis.rolling import Starts, WindowLeads, YearLeads
    from backtest.dates import Floats, Ints


def lead(value: float) -> str:
    """Return a lead in percent, which are points of a growth a year, with its sign."""
    return signed(value, 2)


def turned(starts: Starts, benchmark: str) -> tuple[str, ...]:
    """Return a sentence where the lead since ``MODERN`` has another sign than the whole's; else none."""
    if not starts.turned:
        return ()
    year = str(MODERN.astype("datetime64[Y]"))
    whole, since = (
        f"{'led' if each > 0.0 else 'trailed'} by {abs(each):.2%} a year"
        for each in (starts.whole, starts.modern)
    )
    return (f"Against {benchmark} it {whole} over the whole, and {since} since {year}.",)


def _long(years: int) -> str:
    return f"{years} year" + ("" if years == 1 else "s")


def _counts(row: WindowLeads) -> str:
    return f"{row.windows:,} ({row.apart})" if row.windows else "none"


def starts_brief(starts: Starts) -> b.Block:
    """Return what a terminal shows of it: a column for each length, or why there is none."""
    if not any(row.windows for row in starts.windows):
        return b.Text("How much depends on the start cannot be told of less than a year.", brief=True)
    rows = (
        ("number (apart)", *map(_counts, starts.windows)),
        ("led its benchmark", *(cell(row.led, share) for row in starts.windows)),
        ("worst lead a year", *(cell(row.worst, lead) for row in starts.windows)),
        ("best lead a year", *(cell(row.best, lead) for row in starts.windows)),
    )
    return b.table(["windows of", *(_long(row.years) for row in starts.windows)], rows, brief=True)


def starts_blocks(starts: Starts, benchmark: str, span: tuple[str, str]) -> Iterator[b.Block]:
    """Return the table of all windows; ``span`` has the days of the first fill and of the last bar."""
    yield b.Text(
        "Every window of so many years, one from each month on, cut out of this one run. Lead: growth a year "
        f"less that of {benchmark}, in percentage points. Windows that overlap share most of their months; "
        "apart is how many do not: so many cases there are. No window bears a purchase at its start.",
        "note",
    )
    rows = [
        (
            _long(row.years),
            f"{row.windows:,}",
            str(row.apart),
            cell(row.led, share),
            *(cell(each, lead) for each in (row.worst, row.median, row.best)),
            *(each or "-" for each in (row.worst_from, row.best_from)),
        )
        for row in starts.windows
    ]
    heads = ("windows", "apart", "led in", "worst", "median", "best", "worst from", "best from")
    yield b.table(["", *heads], rows)
    if short := [_long(row.years) for row in starts.windows if not row.windows]:
        yield b.Text(f"No window of {joined(short)} fits into {span[0]} to {span[1]}.", "note")


EDGES = (0.5, 1.0, 2.0, 4.0)
"""Points of a lead between the steps of a colour; the same in every map, so that maps can be compared."""

_OPACITIES = (0.15, 0.32, 0.5, 0.72, 1.0)  # how strong each step is
_TICKS = 11  # at most, on either side
_LEAST, _MOST, _ROW = 150, 560, 13  # pixels: of a map, and of a row where there are few


def steps_of(leads: Floats) -> Ints:
    """Return the step of each lead in points, from 0 (the deepest lag) to 9; -1 where it is none or 0."""
    size = np.searchsorted(EDGES, np.abs(leads))
    known = np.isfinite(leads) & (leads != 0.0)
    steps = len(_OPACITIES)
    found: Ints = np.where(known, np.where(leads > 0.0, steps + size, steps - 1 - size), -1).astype(np.int64)
    return found


def _looks() -> tuple[Tint, ...]:
    between = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(EDGES)]
    words = [f"under {EDGES[0]:g}", *between, f"over {EDGES[-1]:g}"]
    each = list(zip(_OPACITIES, words, strict=True))
    behind = [Tint(ORANGE, opacity, f"behind {word}") for opacity, word in reversed(each)]
    return (*behind, *(Tint(BLUE, opacity, f"ahead {word}") for opacity, word in each))


def start_map(found: YearLeads, benchmark: str) -> b.Block:
    """Return the map of the leads from the start of each year to the end of each."""
    n, leads = len(found.leads), 100.0 * found.leads
    if n < 2:
        return b.Text("There are no two whole calendar years to draw a map of.", "note")
    years = tuple(str(found.first + i) for i in range(n))
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100) if n / step <= _TICKS)
    cells = Cells(
        steps_of(leads)[::-1],
        read_out(leads, lambda v: f"{v:+.2f}")[::-1],
        _looks(),
        ("{row} to {column}\n{value} points a year", "{row}\n{value} points a year"),
    )
    plot = Plot(
        f"Growth a year less that of {benchmark}, percentage points: start by row, end by column",
        height=min(max(_LEAST, _ROW * n), _MOST),
        rows=Labels(years[::-1], every=every),
        cells=cells,
    )
    return Chart(
        "starts",
        Labels(years, every=every),
        (plot,),
        "The lead on the benchmark from the start of each year to the end of each later one",
        "From the start of the year on the left to the end of the year below; along the edge are single "
        "years. Only whole calendar years. A lead that is no accident of the start has one colour nearly "
        "everywhere.",
    )
