"""Measures over a window that moves through the bars, and how much a lead depends on where it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from backtest.dates import last_business_day
from backtest.measures import years

if TYPE_CHECKING:
    from backtest.dates import Days, Floats, Ints

HORIZONS = (1, 3, 5, 10, 20)
"""Years of the windows over which a lead is looked at."""

MODERN = np.datetime64("2009-01", "M")
"""The month since which a lead is looked at by itself: what most readers remember, the years after the
financial crisis, of rates near zero and of a few giants ahead of all other companies."""

MODERN_YEARS = 3
"""Fewer years since then say nothing."""

NOISE = 1e-10
"""A lead of a year that is no more than this is rounding, and none."""


class Rolling(NamedTuple):
    """What each window of bars gives, (n_bars - window + 1,) float64 each; annualised, decimal."""

    cagr: Floats
    volatility: Floats
    alpha: Floats
    beta: Floats


def _sums(values: Floats, window: int) -> Floats:
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[window:] - total[:-window]


def rolling(returns: Floats, benchmark: Floats, risk_free: Floats, window: int, ppy: float) -> Rolling:
    """Return compound growth, volatility, alpha and beta of every window of ``window`` bars.

    Each as in ``measures`` and ``regression``, over that window alone. ``alpha`` and ``beta`` are NaN where
    the benchmark never moves; all are empty where there are fewer bars than the window has.
    """
    if len(returns) < window:
        empty = np.empty(0)
        return Rolling(empty, empty, empty, empty)
    log_growth = _sums(np.log1p(returns), window)
    # Sums of squares lose digits; around the mean of all bars they lose few.
    moved = returns - returns.mean()
    squares = _sums(moved**2, window) - _sums(moved, window) ** 2 / window
    y, x = returns - risk_free, benchmark - risk_free
    y_centre, x_centre = y.mean(), x.mean()
    y, x = y - y_centre, x - x_centre
    y_sum, x_sum = _sums(y, window), _sums(x, window)
    xx, xy = _sums(x * x, window) - x_sum**2 / window, _sums(x * y, window) - x_sum * y_sum / window
    moves = xx > 1e-14 * _sums(x * x, window)
    beta = np.divide(xy, xx, out=np.full(len(xx), np.nan), where=moves)
    alpha = (y_sum / window + y_centre) - beta * (x_sum / window + x_centre)
    return Rolling(
        np.expm1(log_growth * ppy / window),
        np.sqrt(np.maximum(squares, 0.0) / (window - 1) * ppy),
        alpha * ppy,
        beta,
    )


class WindowLeads(msgspec.Struct, frozen=True):
    """The leads over all windows of so many years; NaN (None once read back) where no window fits.

    Parameters
    ----------
    years
        The length of each window.
    windows, apart
        How many there are, one from every month on; and how many that do not overlap.
    led
        The fraction of the windows in which the strategy led.
    worst, median, best
        The strategy's growth a year less its benchmark's, decimal.
    worst_from, best_from
        The first month, ``YYYY-MM``, of the window with the worst and the best lead, the earliest of several.
    """

    years: int
    windows: int
    apart: int
    led: float | None
    worst: float | None
    worst_from: str | None
    median: float | None
    best: float | None
    best_from: str | None


@dataclass(frozen=True, eq=False)
class Starts:
    """How much a lead depends on the start; leads are growth a year less the benchmark's, decimal.

    Parameters
    ----------
    windows
        A row for each of ``HORIZONS``.
    whole
        The lead over all bars.
    modern
        The lead since ``MODERN``; NaN where that is no later than the first fill, or too short.
    """

    windows: tuple[WindowLeads, ...]
    whole: float
    modern: float

    @property
    def turned(self) -> bool:
        """Whether the lead since ``MODERN`` has another sign than that over all bars, as both are written."""
        return round(self.whole, 4) * round(self.modern, 4) < 0.0


class YearLeads(NamedTuple):
    """The leads between the k whole calendar years of a run.

    Parameters
    ----------
    first
        The first of the years.
    leads
        (k, k): growth a year less the benchmark's, decimal, from the start of the row's year to the end of
        the column's; NaN where the one is later than the other.
    """

    first: int
    leads: Floats


def _leads(values: Floats, first: Ints, last: Ints, n_years: Floats | float) -> Floats:
    """Return the leads from some places of (n, 2) values to others; NaN where a value was lost before."""
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (values[last] / values[first]).T ** (1.0 / np.asarray(n_years))
    lead: Floats = growth[0] - growth[1]
    lead[np.abs(lead) <= NOISE] = 0.0
    return lead


def month_ends(dates: Days, frequency: str) -> Ints:
    """Return the places of the last close of each month; a last month that is not over has none."""
    if frequency == "monthly":
        return np.arange(len(dates))
    months = dates.astype("datetime64[M]")
    over = dates[-1] >= last_business_day(dates[-1:])[0]
    return np.flatnonzero(np.r_[months[1:] != months[:-1], over])


def _apart(months: Ints, span: int) -> int:
    """Return how many windows of so many months do not overlap, of those that begin in (n,) months."""
    found, at = 0, 0
    while at < len(months):
        found, at = found + 1, int(np.searchsorted(months, months[at] + span))
    return found


def _windows(values: Floats, ends: Ints, months: Ints, horizon: int) -> WindowLeads:
    """Return the leads over all windows of so many years between month ends."""
    places = np.searchsorted(months, months + 12 * horizon)
    within = np.flatnonzero(places < len(months))
    within = within[months[places[within]] == months[within] + 12 * horizon]
    leads = _leads(values, ends[within], ends[places[within]], float(horizon))
    within, leads = within[np.isfinite(leads)], leads[np.isfinite(leads)]
    if not len(leads):
        nan = float("nan")
        return WindowLeads(horizon, 0, 0, nan, nan, None, nan, nan, None)
    # The first month that is held is the one after the close from which it is held.
    begin = (months[within] + 1).astype("datetime64[M]")
    low, high = int(np.argmin(leads)), int(np.argmax(leads))
    return WindowLeads(
        years=horizon,
        windows=len(leads),
        apart=_apart(months[within], 12 * horizon),
        led=float(np.mean(leads > 0.0)),
        worst=float(leads[low]),
        worst_from=str(begin[low]),
        median=float(np.median(leads)),
        best=float(leads[high]),
        best_from=str(begin[high]),
    )


def _values(returns: Floats, benchmark: Floats) -> Floats:
    """Return (n + 1, 2): the value of 1 in the strategy and in its benchmark at each close."""
    values = np.ones((len(returns) + 1, 2))
    np.cumprod(1.0 + np.column_stack([returns, benchmark]), axis=0, out=values[1:])
    return values


def _months(dates: Days, ends: Ints) -> Ints:
    return dates[ends].astype("datetime64[M]").astype(np.int64)


def starts(dates: Days, returns: Floats, benchmark: Floats, frequency: str) -> Starts:
    """Return how a strategy's lead on its benchmark hangs on where one starts.

    Windows run from the close of one month to that of another. They are cut out of the one path: none bears a
    purchase at its start.

    Parameters
    ----------
    dates
        (n + 1,) the closes from the first fill on.
    returns, benchmark
        (n,) simple returns of the bars between them, decimal.
    frequency
        ``monthly`` or ``daily``.
    """
    values, ends = _values(returns, benchmark), month_ends(dates, frequency)
    months = _months(dates, ends)

    def since(first: int) -> float:
        places = np.array([first]), np.array([len(dates) - 1])
        return float(_leads(values, *places, years(dates[first:], frequency))[0])

    modern = int(np.searchsorted(dates, MODERN.astype("datetime64[D]"))) - 1
    long = modern > 0 and years(dates[modern:], frequency) >= MODERN_YEARS
    return Starts(
        tuple(_windows(values, ends, months, horizon) for horizon in HORIZONS),
        since(0),
        since(modern) if long else float("nan"),
    )


def year_leads(dates: Days, returns: Floats, benchmark: Floats, frequency: str) -> YearLeads:
    """Return the leads from the start of each whole calendar year to the end of each; else as ``starts``."""
    ends = month_ends(dates, frequency)
    months = _months(dates, ends)
    december = months % 12 == 11
    at, closes = ends[december], months[december] // 12 + 1970
    if len(at) < 2:
        return YearLeads(0, np.empty((0, 0)))
    place = closes - closes[0]
    i, j = np.triu_indices(len(at), 1)
    found = np.full((place[-1], place[-1]), np.nan)
    found[place[i], place[j] - 1] = _leads(_values(returns, benchmark), at[i], at[j], place[j] - place[i])
    return YearLeads(int(closes[0]) + 1, found)
