"""Borders: what a scheme's borders are, as amounts, at each reconstitution, from what was known then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import Fills, to_days
from backtest.errors import DataError, UsageError
from backtest.files import content_of
from backtest.market.catalogue import catalogue
from backtest.market.release import known_at
from backtest.market.text import day_of, decoded, read_lines, read_series
from backtest.series import Series
from backtest.universe.schemes import TOTAL
from backtest.universe.workshop import text

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.dates import Days, Floats, Ints
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Workshop


def borders(
    shop: Workshop,
    scheme: Scheme,
    clean: Relation | None,
    dates: Days,
    at: Ints,
    index: Path | None = None,
) -> Floats:
    """Return the borders in force at each reconstitution, (n, n_borders) float64, rising along each row.

    Parameters
    ----------
    clean
        The cleaned rows, for a scheme that looks across companies.
    dates, at
        (n,) datetime64[D] and (n,) int64: the reconstitutions' dates and bars.
    index
        For a scheme that moves with a series: the file of that series (``date, value`` and, for a series that
        the catalogue does not have, ``known_at``).

    Returns
    -------
    Floats
        NaN in rows for which a border was not known yet.
    """
    # One row a company: a line that does not lead counts in its company's size already.
    rows = f"(SELECT bar, size, reference FROM {clean} WHERE lead AND bar IN ({', '.join(map(str, at))}))"
    if scheme.by == "capitalisation":
        fixed = np.tile(np.array(scheme.amounts), (len(at), 1))
        if not scheme.index:
            return fixed
        level = _totals(shop, rows, at) if scheme.index == TOTAL else _level(scheme, dates, index)
        return fixed * (level / scheme.index_base)[:, None]
    found = np.full((len(at), len(scheme.borders)), np.nan)
    place = {int(bar): i for i, bar in enumerate(at)}
    for column, border in enumerate(scheme.borders):
        for bar, amount in shop.rows(_border(scheme, border, rows)):
            found[place[bar], column] = amount
    if scheme.exchange and np.isnan(found).all():
        raise DataError(
            f"no company of the table is listed on '{scheme.exchange}', which {scheme.name} takes its "
            'borders from; map the exchange\'s column with exchange = "..."'
        )
    return found


def _border(scheme: Scheme, border: float, rows: str) -> str:
    """Return in SQL each bar and the amount at which a border lies on it."""
    if scheme.by == "rank":
        return (
            f"SELECT bar, coalesce(min(size) FILTER (rank = {int(border)}), 0) FROM (SELECT bar, size, "
            f"row_number() OVER (PARTITION BY bar ORDER BY size DESC) AS rank FROM {rows}) GROUP BY bar"
        )
    if scheme.by == "cumulative":
        return (
            "SELECT bar, max(size) FILTER (reached >= least) FROM (SELECT bar, size, "
            "sum(size) OVER (PARTITION BY bar ORDER BY size DESC ROWS UNBOUNDED PRECEDING) AS reached, "
            f"sum(size) OVER (PARTITION BY bar) * {border / 100.0!r} * (1 - 1e-12) AS least FROM {rows}) "
            "GROUP BY bar"
        )
    among = "FILTER (reference)" if scheme.exchange else ""
    return f"SELECT bar, quantile_cont(size, {border / 100.0!r}) {among} FROM {rows} GROUP BY bar"


def _totals(shop: Workshop, rows: str, at: Ints) -> Floats:
    totals = dict(shop.rows(f"SELECT bar, sum(size) FROM {rows} GROUP BY bar"))
    return np.array([totals.get(int(bar), np.nan) for bar in at])


def _level(scheme: Scheme, dates: Days, index: Path | None) -> Floats:
    if index is None:
        raise UsageError(
            f"the borders of {scheme.name} move with {scheme.index}; give its values with --index FILE "
            "(columns date, value)"
        )
    return read_observations(index, scheme.index).as_of(Fills(dates, same_close=True))


def read_observations(path: Path, id: str) -> Series:
    """Return a series from a CSV with a date, a value and, where the catalogue has no rule, ``known_at``.

    Raises
    ------
    UsageError
        When there is no such file, or nothing says when its values were published.
    DataError
        When it does not hold dates and numbers.
    """
    if not path.is_file():
        raise UsageError(f"there is no file '{path}' with values of {id}")
    content = decoded(content_of(path), path.name)
    header, lines = read_lines(content, path.name)
    column = next((name for name in header[1:] if name != "known_at"), None)
    dates, values = read_series(content, path.name, headers=None, column=column)
    if "known_at" in header:
        at = header.index("known_at")
        announced = to_days([day_of(line[at], path.name, number) for number, line in lines])
    else:
        if id not in catalogue():
            raise UsageError(
                f"{path} does not say when its values were published; add a column known_at, for the "
                f"catalogue has no release rule for {id}"
            )
        announced = known_at(catalogue()[id].known_at, dates)
    there = np.isfinite(values)
    return Series(id, dates[there], values[there], announced[there])


def reference(scheme: Scheme) -> str:
    """Return, in SQL, whether a row counts for the scheme's percentiles."""
    return f"lower(coalesce(exchange, '')) = {text(scheme.exchange.lower())}" if scheme.exchange else "true"
