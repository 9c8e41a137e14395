"""A record: all that pages and figures need of a run, from the run itself or from its report's folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.errors import UsageError
from backtest.files import in_arrow, unchanged
from backtest.measures import years
from backtest.records.document import read_document, write_document
from backtest.records.run_document import RunDocument

if TYPE_CHECKING:
    from backtest.dates import Days, Floats, Ints
    from backtest.records.shading import Spans
    from backtest.runs import Run

DOCUMENT, BARS, TRADES = "result.json", "bars.parquet", "trades.parquet"
"""The files of a report that a record is read from."""


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A run, bar by bar, and the terms it was run under.

    Parameters
    ----------
    name
        The strategy's name.
    document
        What ``run --json`` prints, without the place of the report: terms, measures, vintages of the data.
    dates
        (n + 1,) datetime64[D]: the first fill and the close of every bar after it.
    returns
        (n,) float64: the strategy's, after costs.
    sleeves, sleeve_returns, weights
        The sleeves' names, their returns (n, n_sleeves), NaN where there is none, and the weights that earned
        each return (n, n_sleeves).
    factors
        Returns of portfolios that cost nothing by name, (n,) each.
    trades
        One row a trade, as in ``Run``; ``switch`` says whether its target was another than that of the
        trade before, the first purchase included.
    """

    name: str
    document: RunDocument
    dates: Days
    returns: Floats
    sleeves: tuple[str, ...]
    sleeve_returns: Floats
    weights: Floats
    factors: dict[str, Floats]
    trades: pd.DataFrame

    @property
    def cuts(self) -> Spans:
        """First and last day of the central bank's rows of cuts; for shading only."""
        return _spans(self.document.shaded.cuts)

    @property
    def recessions(self) -> Spans:
        """First and last day of each recession; for shading only."""
        return _spans(self.document.shaded.recessions)

    @property
    def benchmark(self) -> str:
        """The sleeve that the run is held against."""
        return self.document.benchmark

    @property
    def frequency(self) -> str:
        """``monthly`` or ``daily``."""
        return self.document.frequency

    @property
    def n_years(self) -> float:
        """The length of the returns in years."""
        return years(self.dates, self.frequency)

    @property
    def ppy(self) -> float:
        """The number of bars a year."""
        return len(self.returns) / self.n_years

    @property
    def risk_free(self) -> Floats:
        """The return of cash, (n,)."""
        return self.sleeve("cash")

    def sleeve(self, name: str) -> Floats:
        """Return one sleeve's returns, (n,)."""
        return self.sleeve_returns[:, self.sleeves.index(name)]

    def curves(self) -> dict[str, Floats]:
        """Return the returns of the strategy and then of its benchmarks, by name."""
        own = {self.name: self.returns}
        return {**{n: self.sleeve(n) for n in self.document.benchmarks if n != self.name}, **own}

    @property
    def fills(self) -> Ints:
        """The place of every trade in ``dates``, (n_trades,)."""
        return np.searchsorted(self.dates, self.trades["date"].to_numpy().astype("datetime64[D]"))

    def bars(self) -> pd.DataFrame:
        """Return it bar by bar, by date from the first fill, at which there is no return yet.

        ``return`` is the strategy's, ``sleeve:NAME`` and ``factor:NAME`` those of the market, ``weight:NAME``
        what earned them; decimals.
        """
        columns: dict[str, Floats] = {"return": self.returns}
        for prefix, values in (("sleeve", self.sleeve_returns), ("weight", self.weights)):
            columns |= {f"{prefix}:{name}": own for name, own in zip(self.sleeves, values.T, strict=True)}
        columns |= {f"factor:{name}": own for name, own in self.factors.items()}
        dates = pd.DatetimeIndex(self.dates.astype("datetime64[s]"), name="date")
        return pd.DataFrame({name: np.r_[np.nan, own] for name, own in columns.items()}, dates)

    def part(self, first: np.datetime64, last: np.datetime64) -> RunRecord:
        """Return the bars from the fill at ``first`` to the close of ``last``, both dates of the record.

        Where the record begins before ``first``, what is held there is bought there: the first return bears
        the cost, as that of a run which begins there does.
        """
        begin, end = np.searchsorted(self.dates, [first, last]).tolist()
        bars = slice(begin, end)
        inside = (self.fills > begin) & (self.fills < end)
        returns = self.returns[bars].copy()
        if begin > 0:
            costs = self.document.terms.costs(self.sleeves)
            returns[0] = (1.0 + returns[0]) / (1.0 + float(self.weights[begin] @ np.array(costs))) - 1.0
        return replace(
            self,
            dates=self.dates[begin : end + 1],
            returns=returns,
            sleeve_returns=self.sleeve_returns[bars],
            weights=self.weights[bars],
            factors={name: values[bars] for name, values in self.factors.items()},
            trades=self.trades[inside],
        )


def _spans(days: tuple[tuple[str, str], ...]) -> Spans:
    return [(np.datetime64(first, "D"), np.datetime64(last, "D")) for first, last in days]


def record_of(result: Run, document: RunDocument | None = None) -> RunRecord:
    """Return the record of a run; ``document`` is what is kept of it in place of its own."""
    bars, weights = result.bars, result.path.weights
    first = int(np.searchsorted(result.market.bars.dates, bars.dates[0]))
    inside = slice(first + 1, first + len(bars.dates))
    return RunRecord(
        name=result.strategy.name,
        document=document or RunDocument.of(result),
        dates=bars.dates,
        returns=result.path.returns,
        sleeves=bars.sleeves,
        sleeve_returns=bars.returns[1:],
        weights=weights,
        factors={name: values[inside] for name, values in result.market.factors.items()},
        trades=result.trades.assign(switch=result.path.trades.switched),
    )


def write_record(record: RunRecord, folder: Path) -> None:
    """Write a record's files into a folder: the document, the bars, the trades."""
    record.bars().reset_index().to_parquet(folder / BARS, index=False)
    record.trades.to_parquet(folder / TRADES, index=False)
    write_document(record.document, folder / DOCUMENT)


def read_record(place: Path | str) -> RunRecord:
    """Return the record in a report's folder.

    Raises
    ------
    UsageError
        When the folder is not a report, or not whole.
    """
    folder = Path(place)
    missing = [name for name in (DOCUMENT, BARS, TRADES) if not (folder / name).is_file()]
    if missing and (folder / "recommended" / DOCUMENT).is_file():
        raise UsageError(f"{folder} is a sweep; the report of its recommended set is {folder}/recommended")
    if missing:
        raise UsageError(f"{folder} is not the folder of a report: it has no {missing[0]}")
    document = read_document(folder / DOCUMENT, RunDocument)
    try:
        bars = pd.read_parquet(in_arrow(unchanged(folder / BARS)))
        trades = pd.read_parquet(in_arrow(unchanged(folder / TRADES)))

        def named(kind: str) -> dict[str, Floats]:
            own = [str(column) for column in bars.columns if str(column).startswith(kind)]
            return {column.removeprefix(kind): bars[column].to_numpy(np.float64)[1:] for column in own}

        sleeves, weights = named("sleeve:"), named("weight:")
        return RunRecord(
            name=document.strategy,
            document=document,
            dates=bars["date"].to_numpy().astype("datetime64[D]"),
            returns=bars["return"].to_numpy(np.float64)[1:],
            sleeves=tuple(sleeves),
            sleeve_returns=np.column_stack(list(sleeves.values())),
            weights=np.column_stack([weights[sleeve] for sleeve in sleeves]),
            factors=named("factor:"),
            trades=trades,
        )
    except OSError as error:
        place = error.filename or folder
        raise UsageError(f"{place} cannot be read: {error.strerror or error}; run it again") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"the report in {folder} cannot be read: {error}; run it again") from None
