"""A strategy on every market of a panel: a run each, and one alpha of them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from backtest.analysis.pooled_alpha import pooled_alpha
from backtest.dates import DAYS_A_YEAR
from backtest.errors import UsageError
from backtest.panels.panel import on_each_market
from backtest.records.document import DataDocument
from backtest.runs import Run, run
from backtest.terms import Terms

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.analysis.pooled_alpha import PooledAlpha
    from backtest.dates import Floats
    from backtest.panels.panel import Panel
    from backtest.scripting.strategy import Strategy


class YearlyAlpha(msgspec.Struct, frozen=True):
    """The alpha of several markets together, a year's, with its 95% interval, and what it is of."""

    alpha: float
    alpha_tstat: float
    alpha_pvalue: float
    low: float
    high: float
    months: int
    cells: int

    @classmethod
    def of(cls, found: PooledAlpha, ppy: float) -> YearlyAlpha:
        """Return it from that of a bar; ``ppy`` is how many bars a year has."""
        low, high = (ppy * (found.alpha + sign * found.error.reach()) for sign in (-1.0, 1.0))
        numbers = (ppy * found.alpha, found.tstat, found.pvalue, low, high)
        return cls(*numbers, found.months, found.cells)


@dataclass(frozen=True, eq=False)
class PanelRun:
    """What a strategy gave on the markets of a panel.

    Parameters
    ----------
    strategy, panel
        What was run, and on what.
    runs
        By the name of the member; those of which only the difference is known are not among them.
    refused
        Why the strategy did not run on others, by name.
    pooled
        The alpha of all of them; None where their numbers do not add up.
    apart
        Why they do not; empty where they do.
    """

    strategy: Strategy
    panel: Panel
    runs: dict[str, Run]
    refused: dict[str, str]
    pooled: YearlyAlpha | None
    apart: str

    def beaten(self) -> dict[str, tuple[int, int]]:
        """Return for each benchmark in how many markets the Sharpe ratio is above its own, of how many."""
        found = {}
        for name in dict.fromkeys(n for each in self.runs.values() for n in each.benchmarks):
            held = [each for each in self.runs.values() if name in each.benchmarks]
            above = sum(each.metrics["sharpe"] > each.benchmarks[name]["sharpe"] for each in held)
            found[name] = (above, len(held))
        return found

    def positive(self) -> tuple[int, int]:
        """Return in how many markets alpha is positive, of how many."""
        return sum(each.metrics["alpha"] > 0.0 for each in self.runs.values()), len(self.runs)


class PanelRunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``run --panel --json`` prints: measures by market, and the alpha of all, a year's."""

    strategy: str
    parameters: dict[str, Any]
    terms: Terms
    panel: str
    markets: dict[str, dict[str, Any]]
    refused: dict[str, str]
    pooled: YearlyAlpha | None
    apart: str | None
    above: dict[str, tuple[int, int]]
    data: DataDocument
    report: str | None = None

    @classmethod
    def of(cls, result: PanelRun, report: Path | None = None) -> PanelRunDocument:
        """Return the document of what a strategy gave on a panel."""
        first = next(iter(result.runs.values()))
        each = {
            name: {
                "start": one.start,
                "end": one.end,
                "bars": len(one.path.returns),
                "benchmark": one.benchmark,
                "metrics": one.metrics,
                "benchmarks": one.benchmarks,
            }
            for name, one in result.runs.items()
        }
        return cls(
            strategy=result.strategy.name,
            parameters=first.parameters,
            terms=first.terms,
            panel=result.panel.name,
            markets=each,
            refused=result.refused,
            pooled=result.pooled,
            apart=result.apart or None,
            above=result.beaten(),
            data=DataDocument.of(result.panel),
            report=None if report is None else str(report),
        )


def run_panel(
    strategy: Strategy, panel: Panel, *, terms: dict[str, Any], parameters: dict[str, Any]
) -> PanelRun:
    """Run a strategy on every market of a panel, under the same terms.

    Raises
    ------
    UsageError
        When a parameter or a term is wrong, or there is no market that it runs on; the sentence says why.
    """
    strategy.bind(parameters)
    runs, refused = on_each_market(panel, lambda market: run(strategy, market, **terms, **parameters))
    if not runs:
        why = next(iter(refused.values()))
        raise UsageError(f"{strategy.name} runs on no member of the panel '{panel.name}': {why}")
    apart = _apart(panel, runs)
    return PanelRun(strategy, panel, runs, refused, None if apart else _pooled(runs), apart)


def _apart(panel: Panel, runs: dict[str, Run]) -> str:
    """Say why the returns of the markets do not add up; empty where they do."""
    for what in ("frequency", "currency"):
        values = {getattr(member, what) for member in panel.members if member.name in runs}
        if len(values) > 1:
            return f"the markets differ in {what} ({', '.join(sorted(values))})"
    return ""


def _pooled(runs: dict[str, Run]) -> YearlyAlpha:
    days = np.unique(np.concatenate([each.bars.dates[1:] for each in runs.values()]))
    tables: list[Floats] = [np.full((len(days), len(runs)), np.nan) for _ in range(2)]
    for column, each in enumerate(runs.values()):
        at = np.searchsorted(days, each.bars.dates[1:])
        cash = each.bars.column("cash")[1:]
        tables[0][at, column] = each.path.returns - cash
        tables[1][at, column] = each.bars.column(each.benchmark)[1:] - cash
    monthly = next(iter(runs.values())).market.frequency == "monthly"
    return YearlyAlpha.of(pooled_alpha(*tables), 12.0 if monthly else DAYS_A_YEAR * 5.0 / 7.0)
