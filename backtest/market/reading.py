"""Reading a series, from the installation or the store; of a policy rate nothing but what was decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.dates import last_business_day, to_days
from backtest.errors import DataError, nearest
from backtest.market.release import AFTER_THE_FACT, known_at
from backtest.market.sources import source_of
from backtest.market.store import Store
from backtest.market.units import unit
from backtest.series import Series

if TYPE_CHECKING:
    from backtest.dates import Days
    from backtest.market.entry import Entry, PolicyFacts, SourceTable

SILENCE = np.timedelta64(31, "D")
"""A longer time without a value is one in which nobody knows a policy rate."""


def absent(about: Entry) -> bool:
    """Return whether a series would have to be downloaded first."""
    return not source_of(about).carried and Store().current(about.id) is None


def table_of(about: Entry, vintage: str | None = None) -> SourceTable:
    """Return a series as its source has it: what comes with the installation, or what is stored.

    Parameters
    ----------
    about
        What the catalogue says of it.
    vintage
        Which stored vintage; by default the one that arrived last.

    Raises
    ------
    DataError
        When there is no such source, or the store does not have the series.
    """
    if source_of(about).carried:
        return source_of(about).table(about)
    store = Store()
    return store.read(store.find(about.id, vintage))


def known(entry: Entry, table: SourceTable) -> Days:
    """Return when each row of a table became known, (n,) datetime64[D]; NaT where nobody knew it in time."""
    if entry.known_at == AFTER_THE_FACT:
        return np.full(len(table.dates), np.datetime64("NaT"), dtype="datetime64[D]")
    if table.announced is not None:
        return table.announced
    by_rule = known_at(entry.known_at, table.dates)
    return _announced(table.dates, by_rule, entry.decided) if entry.decided else by_rule


def column_of(entry: Entry, table: SourceTable, column: str = "") -> Series:
    """Return one column of a table as a series, without what is missing and what was never announced.

    Raises
    ------
    DataError
        When there is no such column, or no value in it.
    """
    if entry.columns and column not in table.columns:
        raise DataError(f"{entry.id} has no column '{column}'; {nearest(column, table.columns)}")
    values = table.values[:, table.columns.index(column) if entry.columns else 0]
    present = np.isfinite(values)
    if not present.any():
        raise DataError(f"{entry.id} has no value in its column '{column}'")
    became_known = known(entry, table)
    if table.checked is not None:
        checked = table.checked
    else:
        # A monthly value, wherever stamped, speaks for its month. What is stamped after it was known has been
        # looked up as far as its last value was, not to its stamp.
        last = table.dates[present][-1:]
        whole = last_business_day(last) if entry.frequency == "monthly" else last
        checked = np.fmin(whole, became_known[present][-1:])[0]
    if entry.known_at != AFTER_THE_FACT:
        present &= ~np.isnat(became_known)
    found = Series(
        entry.id,
        table.dates[present],
        values[present],
        became_known[present],
        checked,
        entry.unit,
        table.origin,
        table.sha256,
    )
    return _decisions(found, entry.decided) if entry.decided else found


def scale_of(series: Series) -> float:
    """Return what makes decimals of a series of returns; DataError when it counts something else."""
    scale = unit(series.unit).scale
    if scale is None:
        raise DataError(f"{series.id} counts {series.unit}, which is no return")
    return scale


def read(entry: Entry, column: str = "", vintage: str | None = None) -> Series:
    """Return one column of a series, in one vintage; errors as ``table_of`` and ``column_of``."""
    return column_of(entry, table_of(entry, vintage), column)


def _announced(dates: Days, by_rule: Days, told: PolicyFacts) -> Days:
    """Return when the rate of each day became known, (n,): by the rule, or earlier where that is known."""
    known_at = by_rule.copy()
    for day, earlier in told.announced.items():
        known_at[dates == np.datetime64(day)] = np.datetime64(earlier)
    # Whoever knows from when another rate holds knows the one that holds until then.
    return np.minimum.accumulate(known_at[::-1])[::-1]


def _decisions(rate: Series, told: PolicyFacts) -> Series:
    """Return what of a rate was decided.

    Parameters
    ----------
    rate
        In percent, by the days on which it was in effect; a day without a value is left out.
    told
        What is known of its series.

    Returns
    -------
    Series
        Of the days on which it was decided. Before a seam it is moved by a constant, so that the change
        there is what was decided: its changes are true, its level only after the last seam. After a time
        in which nobody knows the rate it begins anew.
    """
    # The source leaves out what nobody decided; what was stored by an older table of facts may have it.
    kept = rate.dates >= np.datetime64(told.since)
    if told.until is not None:
        kept &= rate.dates <= np.datetime64(told.until)
    rate = rate.only(kept)
    values = rate.values if told.decimals is None else np.round(rate.values, told.decimals)
    for day, move in told.seams.items():
        at = int(np.searchsorted(rate.dates, np.datetime64(day)))
        if 0 < at < len(values):
            values[:at] += values[at] - values[at - 1] - move
    silences = np.flatnonzero(np.diff(rate.dates) > SILENCE) + 1
    return replace(rate, values=values, anew=tuple(to_days(rate.known_at[silences])))
