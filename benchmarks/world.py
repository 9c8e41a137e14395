"""The world of the benchmarks: a century of daily bars, a policy rate, and a grid of ``rate_cut``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest import load_strategy
from backtest.dates import Fills
from backtest.engine.curves import Yardstick
from backtest.engine.many import Measurer
from backtest.market.data import Bars
from backtest.market.known import Known, Names
from backtest.measures import years
from backtest.rules.evaluate import Evaluation
from backtest.series import Series

if TYPE_CHECKING:
    from backtest.dates import Days, Floats, Ints
    from backtest.decisions import Weights
    from backtest.rules.expressions import Decision

N_BARS = 25_000
COSTS = (0.001, 0.001, 0.001, 0.0)
GRID = {
    "quiet": np.arange(61),
    "min_cut": np.linspace(0.0, 1.0, 11),
    "delay": np.arange(25),
    "hold": np.arange(1, 61),
}
"""The last varies fastest; 1,006,500 combinations."""

STRATEGY = load_strategy("rate_cut")


def business_days(n: int) -> Days:
    """Return n days, weekends left out."""
    return np.busday_offset("1926-07-01", np.arange(n), roll="forward").astype("datetime64[D]")


def bars(n: int = N_BARS) -> Bars:
    """Return random returns of about the size and the tails of the real ones."""
    rng = np.random.default_rng(1926)
    common = 0.006 * rng.standard_t(4, n)
    noise = rng.normal(0.0, 1.0, (n, 2))
    small = 0.0005 + 1.05 * common + 0.004 * noise[:, 0]
    large = 0.0004 + 0.97 * common + 0.002 * noise[:, 1]
    cash = 0.00012 + 0.00004 * np.sin(np.arange(n) / 2000.0)
    returns = np.column_stack([small, large, 0.15 * small + 0.85 * large, cash])
    return Bars(business_days(n), ("small", "large", "market", "cash"), np.maximum(returns, -0.3))


def policy(dates: Days) -> Series:
    """Return a policy rate in cycles of some years: 240 moves of 25 to 75 basis points."""
    rng = np.random.default_rng(1913)
    known_at = np.sort(rng.choice(dates[:-100], 240, replace=False))
    falling = (np.arange(240) // 10) % 2 == 1
    moves = np.where(falling, -0.25, 0.25) * rng.choice([1, 1, 2, 3], 240)
    return Series("POLICY", known_at, 20.0 + moves.cumsum(), known_at)


@dataclass(frozen=True, eq=False)
class World:
    """Everything that a grid of ``rate_cut`` needs."""

    bars: Bars
    known: Known
    rule: Decision
    evaluation: Evaluation
    yardstick: Yardstick
    measurer: Measurer

    def decide(self, which: Ints) -> Weights:
        """Return the decision of the strategy for some combinations of the grid, by number."""
        shape = tuple(len(values) for values in GRID.values())
        codes = dict(zip(GRID, np.unravel_index(which, shape), strict=True))
        made = self.evaluation.work(self.rule, codes, len(which))
        return made.value.take(made.of)


def parameters(which: Ints) -> dict[str, Floats]:
    """Return the parameters of combinations by number, a row each."""
    shape = tuple(len(values) for values in GRID.values())
    places = np.unravel_index(which, shape)
    return {name: values[place] for (name, values), place in zip(GRID.items(), places, strict=True)}


def n_combinations() -> int:
    """Return the size of the grid."""
    return int(np.prod([len(values) for values in GRID.values()]))


def world(n_bars: int = N_BARS) -> World:
    """Return the world; every combination is measured over one window, the latest start among them."""
    returns = bars(n_bars)
    names = Names("random", "daily", frozenset({"POLICY"}), {}, returns.sleeves, "POLICY")
    known = Known(names, Fills(returns.dates), {"POLICY": policy(returns.dates)})
    last = n_bars - 1
    rule, evaluation = STRATEGY.draw(known.names, {}), Evaluation(known, GRID)
    latest = {name: np.array([len(values) - 1]) for name, values in GRID.items()}
    made = evaluation.work(rule, latest, 1)
    first = made.value.take(made.of).first_fill
    n_years = years(returns.dates[first:], "daily")
    yardstick = Yardstick.of(returns, "market", first, last, n_years)
    return World(returns, known, rule, evaluation, yardstick, Measurer(returns, "market", COSTS))
