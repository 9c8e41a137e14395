"""One run: a strategy on a market, simulated, measured, and replayed in the ledger when that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest import wording
from backtest.analysis.money_weighted import MoneyWeighted, money_weighted
from backtest.analysis.regression import alpha
from backtest.analysis.rolling import Starts, YearLeads, starts, year_leads
from backtest.analysis.skill import Skill, skill
from backtest.cautions.haste import Haste, haste
from backtest.cautions.lookahead import check, doubts
from backtest.cautions.slips import slips
from backtest.dates import EVERY_FILL
from backtest.engine.ledger import replay
from backtest.engine.lots import Sold, Tax
from backtest.engine.reference import Path, simulate
from backtest.flows import flow_of
from backtest.market.load import load_market
from backtest.measures import Sums, growth_of, holdings_of, time_in, values_of, years, years_since
from backtest.placement import placed
from backtest.rules.reading import own
from backtest.scripting.loading import load_strategy
from backtest.shown import Pictured
from backtest.terms import DEFAULT_BPS, FIFO, Terms, read_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from backtest.dates import Floats
    from backtest.market.data import Bars, MarketData
    from backtest.parameters import Value
    from backtest.rules.ruling import Ruling
    from backtest.scripting.strategy import Strategy


@dataclass(frozen=True, eq=False, repr=False)
class Run(Pictured):
    """What one run gave.

    Parameters
    ----------
    strategy, parameters
        What was run, with the value of every parameter.
    market
        The data it ran on.
    terms
        Under which terms, with the benchmark that alpha is held against.
    doubts
        What is to be said first of a rule with functions or days of the script's own; empty for any other.
    warm_up
        The first fill at which every input of the strategy is known, and every sleeve that it may hold or is
        held against has a return; the run starts there or later.
    late
        The sleeve that begins last, where the start waits for it; else empty.
    metrics
        The measures by key, in the order of ``measures.MEASURES``, NaN where one is not defined; and
        ``time_in_NAME``, the mean weight, of each sleeve that it held.
    benchmarks
        The same for buying and holding each benchmark over the same bars, gross of costs.
    bars
        The market's bars from the first fill to the last.
    path
        What the engine gave: values, weights and trades as arrays.
    ruling
        The rule at these values: what it decides, and the value of every part of it.

    Examples
    --------
    >>> from backtest import run
    >>> result = run("rate_cut")
    >>> round(float(result.equity.iloc[-1]), 1), len(result.trades)
    (38.2, 13)
    >>> result.save("bars.xlsx").name
    'bars.xlsx'
    """

    strategy: Strategy
    parameters: dict[str, Value]
    market: MarketData
    terms: Terms
    doubts: tuple[str, ...]
    warm_up: np.datetime64
    late: str
    metrics: dict[str, float]
    benchmarks: dict[str, dict[str, float]]
    bars: Bars
    path: Path
    ruling: Ruling

    # Pandas is loaded when its tables are asked for: the words of a run have no need of it.

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Value at the close of each bar, from 1 at the first fill; indexed by date."""
        import pandas as pd

        return pd.Series(self.path.equity, self.bars.dates, name=self.strategy.name)

    @cached_property
    def returns(self) -> pd.Series[float]:
        """Simple returns by date, from the bar after the first fill to the last."""
        import pandas as pd

        return pd.Series(self.path.returns, self.bars.dates[1:], name=self.strategy.name)

    @cached_property
    def benchmark_returns(self) -> pd.DataFrame:
        """The same of each benchmark, a column each."""
        import pandas as pd

        columns = {name: self.bars.earned(name) for name in self.benchmarks}
        return pd.DataFrame(columns, self.bars.dates[1:])

    @cached_property
    def weights(self) -> pd.DataFrame:
        """The weights that earned each return, a column for each sleeve."""
        import pandas as pd

        return pd.DataFrame(self.path.weights, self.bars.dates[1:], pd.Index(self.bars.sleeves))

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a trade.

        ``date``, ``hold`` (what was bought), ``turnover`` (one way, 1 for a full switch), ``cost`` (fraction
        of value); and ``tax``, the same, where there is one.
        """
        import pandas as pd

        made = self.path.trades
        dates = pd.DatetimeIndex(self.bars.dates[made.bars])
        hold = [wording.held(dict(zip(self.bars.sleeves, weights, strict=True))) for weights in made.after]
        columns = {"date": dates, "hold": hold, "turnover": made.turnover, "cost": made.cost}
        return pd.DataFrame(columns | ({"tax": made.tax} if self.path.taxes else {}))

    @cached_property
    def portfolio(self) -> Any:
        """The same run as a ``vectorbt.Portfolio``, made when first asked for; up to its ruin, if ever.

        Raises
        ------
        RotationError
            When its value differs from ``equity`` at any bar by more than 1e-9 of it.
        """
        ppy = len(self.path.returns) / self.n_years
        return replay(self.bars, self.path, self.terms.costs(self.bars.sleeves), ppy)

    @cached_property
    def skill(self) -> Skill:
        """Alpha with its interval, over the window and over its parts."""
        against, free = self.bars.earned(self.benchmark), self.bars.earned("cash")
        return skill(self.bars.dates, self.path.returns, against, free, self.market.frequency)

    @cached_property
    def starts(self) -> Starts:
        """How much the lead on the benchmark depends on the start."""
        against = self.bars.earned(self.benchmark)
        return starts(self.bars.dates, self.path.returns, against, self.market.frequency)

    @cached_property
    def year_leads(self) -> YearLeads:
        """The lead on the benchmark from the start of each whole calendar year to the end of each."""
        against = self.bars.earned(self.benchmark)
        return year_leads(self.bars.dates, self.path.returns, against, self.market.frequency)

    @cached_property
    def money(self) -> dict[str, MoneyWeighted]:
        """What an investor has whose money flows, by name: of the run, and of each benchmark, gross of costs.

        Empty where the terms name no flows.
        """
        if self.terms.flows is None:
            return {}
        flow, costs = flow_of(self.terms.flows), np.array(self.terms.costs(self.bars.sleeves))
        at, times = flow.bars(self.bars.dates), years_since(self.bars.dates, self.market.frequency)
        paid = np.append(np.abs(self.path.weights) @ costs, 0.0)
        curves: dict[str, tuple[Floats, Floats]] = {self.strategy.name: (self.path.equity, paid)}
        for name in self.benchmarks:
            curves.setdefault(name, (growth_of(self.bars.earned(name)), 0.0 * paid))
        dates, flows = self.bars.dates, (flow.part, at)
        return {
            name: money_weighted(growth, cost, times, dates, flows) for name, (growth, cost) in curves.items()
        }

    @cached_property
    def sold(self) -> dict[str, Sold]:
        """What is left after tax when all is sold at the last close, by name: of the run, of each benchmark.

        A benchmark is bought at the first close and pays once, gross of costs. Empty where nothing is taxed.
        """
        taxes, rates = self.path.taxes, self.terms.rates
        if taxes is None or rates is None:
            return {}
        tax = Tax.over(self.bars, self.market.frequency, rates, highest=False)
        rate = rates[1] if tax.long_from[0] < len(self.bars.dates) else rates[0]
        found = {self.strategy.name: (float(self.path.equity[-1]), taxes.sold)}
        for name in self.benchmarks:
            value = float(np.prod(1.0 + self.bars.earned(name)))
            found.setdefault(name, (value, value - rate * max(value - 1.0, 0.0)))
        return {name: Sold.of(*values, self.n_years) for name, values in found.items()}

    @cached_property
    def slips(self) -> tuple[str, ...]:
        """What the rule does in this window that its author can hardly have meant, a clause each."""
        first = int(np.searchsorted(self.market.bars.dates, self.bars.dates[0])) - self.terms.delay_fill
        window, still = (first, first + len(self.bars.dates)), self.path.trades.switches == 0
        return slips(self.ruling, self.strategy.parameters, window, still=still)

    @cached_property
    def haste(self) -> Haste | None:
        """What slower trading leaves of alpha; None where no closes are old, or the rule needs none."""
        placement = placed(self.ruling, self.terms, self.strategy.name)
        return haste(self.strategy, self.ruling, self.parameters, placement, self.path.returns)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What is to be said before any number of it: doubts, slips and haste, a clause each."""
        return (*self.doubts, *self.slips, *([self.haste.said] if self.haste else []))

    @property
    def n_years(self) -> float:
        """The years that its returns span."""
        return years(self.bars.dates, self.market.frequency)

    @property
    def benchmark(self) -> str:
        """The sleeve that alpha is held against."""
        return str(self.terms.benchmark)

    @property
    def start(self) -> str:
        """The date of the first fill, as ``YYYY-MM-DD``."""
        return str(self.bars.dates[0])

    @property
    def end(self) -> str:
        """The date of the last bar, as ``YYYY-MM-DD``."""
        return str(self.bars.dates[-1])


def measured(
    returns: Floats, benchmark: Floats, risk_free: Floats, n_years: float, held: Mapping[str, float]
) -> dict[str, float]:
    """Return the measures of (n,) returns held against a benchmark's.

    ``held`` has the sums of what was held and traded, by their names in ``Sums``.
    """
    fit = alpha(returns, benchmark, risk_free, len(returns) / n_years)
    sums = Sums.of(returns, benchmark, risk_free, n_years)
    return values_of(sums._replace(tstat=fit.tstat, pvalue=fit.pvalue, **held), returns)


def holding(path: Path, sleeves: tuple[str, ...]) -> dict[str, float]:
    """Return the sums of what a path held and traded."""
    return holdings_of(path.weights, sleeves, path.trades.turnover[1:].sum(), path.trades.switches)


def run(
    strategy: Strategy | str,
    market: MarketData | str = "embedded",
    *,
    start: Any = None,
    end: Any = None,
    cost_bps: float | Mapping[str, float] = DEFAULT_BPS,
    benchmark: str | None = None,
    same_close: bool = False,
    delay_fill: int = 0,
    decide: str = EVERY_FILL,
    real: bool = False,
    tax: float | Mapping[str, float] = 0.0,
    lots: str = FIFO,
    flows: str | None = None,
    **parameters: Any,
) -> Run:
    """Run a strategy on a market.

    Parameters
    ----------
    strategy, market
        What ``load_strategy`` and ``load_market`` return, or the names that they take.
    start, end
        The first fill is on or after ``start``, the last bar on or before ``end``; dates or ``YYYY-MM-DD``.
        A run never starts before every input of the strategy is known.
    cost_bps
        Basis points of the notional traded, a side: for all sleeves, or by sleeve. Cash is free.
    benchmark
        What alpha is held against: a sleeve, by default the market's own; a mix of sleeves, brought back to
        its fractions at every bar, ``"60% large, 40% small"``; or a series of the catalogue or the store.
    same_close
        Let a fill use what became known on its own day; only to reproduce papers.
    decide
        Decide at every fill, or at the last one of each week, month or quarter only (``dates.CALENDARS``).
    delay_fill
        Fill so many bars later than decided, to see what haste is worth.
    real
        Give all returns in money of one date: less the rise of consumer prices, as known at the time.
    tax
        Percent of realised gains that is withheld at each sale: of all, or ``{"short": 37, "long": 20}``, of
        lots held up to 12 months and longer. Losses are carried forward; ``path.taxes`` has the sums.
    lots
        Which lots are sold first: ``fifo``, the oldest, or ``highest``, those that cost most.
    flows
        Money that is paid in or taken out, ``"500 a month on 10000"`` or ``"-4% a year"`` of the first sum;
        ``money`` has what an investor has then, the run's own returns are what they are without it.
    parameters
        The strategy's own, by name.

    Raises
    ------
    UsageError
        When a name, a value or a date cannot be used.
    RotationError
        When the data or the strategy's code fail.
    LookAheadError
        When what the strategy holds changes with what was only known later.

    Examples
    --------
    >>> from backtest import run
    >>> result = run("rate_cut", hold=18)
    >>> result.start, round(result.metrics["sharpe"], 2)
    ('1983-09-30', 0.53)
    """
    terms = read_terms(
        {
            "start": start,
            "end": end,
            "cost_bps": cost_bps,
            "benchmark": benchmark,
            "same_close": same_close,
            "delay_fill": delay_fill,
            "decide": decide,
            "real": real,
            "tax": tax,
            "lots": lots,
            "flows": flows,
        }
    )
    strategy = load_strategy(strategy)
    return follow(strategy, load_market(market), terms, strategy.bind(parameters))


def follow(strategy: Strategy, market: MarketData, terms: Terms, values: dict[str, Value]) -> Run:
    """Return the run of a strategy under terms and with a value of each parameter; errors as ``run``."""
    ruling = strategy.ruling(market, values, same_close=terms.same_close, decide=terms.decide)
    if own(ruling.rule) and not terms.same_close:
        check(strategy, values, ruling)
    return carried_out(strategy, ruling, terms, values, doubts(strategy, values, ruling))


def carried_out(
    strategy: Strategy,
    ruling: Ruling,
    terms: Terms,
    values: dict[str, Value],
    said: tuple[str, ...] = (),
    engine: Callable[..., Path] = simulate,
) -> Run:
    """Return the run of a strategy's ruling, made at these values and under these terms.

    ``said`` are the doubts of it; ``engine`` does what ``reference.simulate`` does. Errors as ``run``.
    """
    placement = placed(ruling, terms, strategy.name)
    bars, versus = placement.bars, str(placement.terms.benchmark)
    path = placement.path(ruling.decision, engine)
    n_years = years(bars.dates, placement.market.frequency)
    held = time_in(path.weights, bars.sleeves)
    benchmarks = {name: bars.earned(name) for name in placement.names}
    risk_free, held_against = bars.earned("cash"), benchmarks[versus]
    return Run(
        strategy=strategy,
        parameters=values,
        market=placement.market,
        terms=placement.terms,
        doubts=said,
        warm_up=placement.warm_up,
        late=placement.late,
        metrics={
            **measured(path.returns, held_against, risk_free, n_years, holding(path, bars.sleeves)),
            **held,
        },
        benchmarks={
            name: measured(column, held_against, risk_free, n_years, {})
            | {key: float(key == f"time_in_{name}") for key in ("time_in_small", *held)}
            for name, column in benchmarks.items()
        },
        bars=bars,
        path=path,
        ruling=ruling,
    )
