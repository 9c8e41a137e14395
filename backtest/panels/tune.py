"""Parameters chosen on some markets of a panel and judged on the one that was left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.errors import UsageError
from backtest.panels.panel import on_each_market
from backtest.parameters import Value
from backtest.records.document import DataDocument
from backtest.terms import Terms, read_swept
from backtest.tuning.grid import make_grid
from backtest.tuning.objective import Objective, read_constraints
from backtest.tuning.sweep import chunk_size, common_window, pieces_of
from backtest.tuning.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from backtest.dates import Floats
    from backtest.market.data import MarketData
    from backtest.panels.panel import Panel
    from backtest.scripting.strategy import Strategy


class LeftOut(msgspec.Struct, frozen=True):
    """A market, and what was chosen for it without looking at it.

    Parameters
    ----------
    name
        The market.
    parameters
        Those that are best on average over the other markets.
    value, median, best, default, benchmark
        The objective in this market: of the chosen parameters, of the middle combination, of the best one
        with hindsight, of the strategy's default parameters, and of holding the benchmark.
    above
        The share of combinations that the chosen one is better than.
    """

    name: str
    parameters: dict[str, Value]
    value: float
    median: float
    best: float
    default: float
    benchmark: float
    above: float


@dataclass(frozen=True, eq=False)
class PanelSweep:
    """Every combination on every market of a panel.

    Parameters
    ----------
    strategy, panel, terms, objective
        What was tuned, on what, under which terms, by what.
    combinations
        Their number; each was measured on every market.
    markets
        A row for each market that was left out in turn.
    chosen
        The parameters that are best on average over all markets: nothing is left to judge them by.
    refused
        Why a member was not searched, by name.
    """

    strategy: Strategy
    panel: Panel
    terms: Terms
    objective: Objective
    combinations: int
    markets: tuple[LeftOut, ...]
    chosen: dict[str, Value]
    refused: dict[str, str]

    def ahead(self, of: str) -> int:
        """Return in how many markets what the others chose beats ``benchmark``, ``default`` or ``median``."""
        sign = -1.0 if self.objective.lower else 1.0
        return sum(sign * each.value > sign * getattr(each, of) for each in self.markets)

    @property
    def above(self) -> float:
        """Of all combinations the part that it is better than, on average over the markets."""
        return float(np.mean([each.above for each in self.markets]))


class PanelSweepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``tune --panel --json`` prints."""

    strategy: str
    panel: str
    terms: Terms
    objective: str
    combinations: int
    markets: tuple[LeftOut, ...]
    chosen: dict[str, Any]
    refused: dict[str, str]
    data: DataDocument
    report: str | None = None

    @classmethod
    def of(cls, sweep: PanelSweep, report: Path | None = None) -> PanelSweepDocument:
        """Return the document of a search over a panel."""
        return cls(
            strategy=sweep.strategy.name,
            panel=sweep.panel.name,
            terms=sweep.terms,
            objective=sweep.objective.name,
            combinations=sweep.combinations,
            markets=sweep.markets,
            chosen=sweep.chosen,
            refused=sweep.refused,
            data=DataDocument.of(sweep.panel),
            report=None if report is None else str(report),
        )


def left_out(scores: Floats) -> tuple[list[int], int]:
    """Return for each market the combination that is best on average over the others, and that over all.

    ``scores`` (n_markets, n_combinations), higher is better; a combination with a NaN in one of the markets
    that choose is not chosen. -1 where there is none.
    """
    total = scores.sum(axis=0)
    others = [np.delete(scores, market, axis=0).mean(axis=0) for market in range(len(scores))]
    return [_best(each) for each in others], _best(total)


def _best(values: Floats) -> int:
    return int(np.nanargmax(values)) if np.isfinite(values).any() else -1


def _scores(trials: Trials, objective: Objective, window: tuple[int, int]) -> Floats:
    """Return the objective of every combination, higher is better; NaN where it may not be chosen."""
    found = np.full(trials.grid.size, np.nan)
    for start, stop in pieces_of(trials.grid.size, chunk_size(trials.grid.size)):
        _, measured = trials.measure(np.arange(start, stop), [window], None)
        usable = objective.eligible(measured[0])
        found[start:stop] = np.where(usable, objective.score(objective.of(measured[0])), np.nan)
    return found


def _judged(trials: Trials, objective: Objective, window: tuple[int, int]) -> tuple[float, float]:
    """Return the objective of the default parameters and of holding the benchmark, over the same bars."""
    found = trials.follow(trials.strategy, window, trials.strategy.bind({}))
    return found.metrics[objective.name], found.benchmarks[found.benchmark][objective.name]


def tune_panel(
    strategy: Strategy,
    panel: Panel,
    *,
    grid: Mapping[str, str | None] | None = None,
    fixed: Mapping[str, Any] | None = None,
    objective: str = "sharpe",
    constraints: Sequence[str] = (),
    terms: Mapping[str, Any] | None = None,
) -> PanelSweep:
    """Measure every combination on every market, and judge on each what the others would have chosen.

    Parameters are as ``tune`` takes them; every market has its own window, from the latest start of a
    combination there.

    Raises
    ------
    UsageError
        When the call cannot be used, or fewer than two markets can be searched; the sentence says why.
    """
    made = make_grid(strategy.parameters, grid or {}, fixed or {}, strategy.name)
    on_parameters, on_measures = read_constraints(constraints, strategy.parameters)
    by, under = Objective(objective, on_measures), read_swept(terms or {})

    def measured(market: MarketData) -> tuple[Floats, tuple[float, float]]:
        trials = Trials(strategy, market, made, on_parameters, under).completed()
        window = common_window(trials, None)
        return _scores(trials, by, window), _judged(trials, by, window)

    rows, refused = on_each_market(panel, measured)
    if len(rows) < 2:
        why = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise UsageError(f"to leave a market out takes two that can be searched; {why}")
    chosen, overall = left_out(np.array([scores for scores, _ in rows.values()]))
    if overall < 0 or min(chosen) < 0:
        raise UsageError("no combination can be chosen in every market; loosen the --constraint")
    sign = -1.0 if by.lower else 1.0
    markets = []
    for best, (name, (scores, (default, benchmark))) in zip(chosen, rows.items(), strict=True):
        known = scores[np.isfinite(scores)]
        mine, median, most = (sign * np.array([scores[best], np.median(known), known.max()])).tolist()
        above = float((known < scores[best]).mean())
        markets.append(LeftOut(name, made.values(best), mine, median, most, default, benchmark, above))
    return PanelSweep(strategy, panel, under, by, made.size, tuple(markets), made.values(overall), refused)
