"""How much a run's lead depends on the start: a sentence, the table of all windows, the map of the years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.analysis.rolling import MODERN
from backtest.errors import joined
from backtest.reporting import blocks as b
from backtest.wording import cell, share, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.analysis.rolling import Starts, WindowLeads


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
        "beside them stands how many do not overlap: so many cases there are. No window bears a purchase at "
        "its start.",
        "note",
    )
    rows = [
        (
            _long(row.years),
            f"{row.windows:,}",
            str(row.apart),
            cell(row.led, share),
            cell(row.worst, lead),
            str(row.worst_from or "-"),
            cell(row.median, lead),
            cell(row.best, lead),
            str(row.best_from or "-"),
        )
        for row in starts.windows
    ]
    heads = (
        "windows",
        "not overlapping",
        "led in",
        "worst a year",
        "from",
        "median a year",
        "best a year",
        "from",
    )
    yield b.table(["", *heads], rows)
    if short := [_long(row.years) for row in starts.windows if not row.windows]:
        yield b.Text(f"No window of {joined(short)} fits into {span[0]} to {span[1]}.", "note")
