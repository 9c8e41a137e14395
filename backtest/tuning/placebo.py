"""The placebo: the same search where the decisions cannot have to do with the returns."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.compiling import threads as processors
from backtest.errors import UsageError
from backtest.market.data import Bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.dates import Floats, Ints
    from backtest.tuning.objective import Objective
    from backtest.tuning.trials import Group, Trials, Window

_SEEN = 4  # at most one in so many shifts is left out because decisions may have seen the returns


@dataclass(frozen=True, eq=False)
class Placebo:
    """The best of the same search at each of many shifts.

    Parameters
    ----------
    best
        (n_shifts,) float64: the best objective at each shift.
    shifts
        (n_shifts,) int64: by how many bars the decisions were moved.
    actual
        The best of the same trials without a shift.
    trials
        How many trials the search had at every shift.
    pvalue
        The share of the shifts, the actual one among them, whose best is at least as good.
    """

    best: Floats
    shifts: Ints
    actual: float
    trials: int
    pvalue: float


def turned(bars: Bars, window: Window, shift: int) -> Bars:
    """Return bars whose returns within a window are moved on by some bars, the end to the beginning."""
    first, last = window
    returns = bars.returns.copy()
    returns[first + 1 : last + 1] = np.roll(returns[first + 1 : last + 1], shift, axis=0)
    return Bars(bars.dates, bars.sleeves, returns)


def placebo(
    trials: Trials,
    numbers: Ints,
    window: Window,
    objective: Objective,
    n_shifts: int,
    seed: int = 0,
    tell: Callable[[str, int, int], object] = lambda *_: None,
) -> Placebo:
    """Search the same trials at many circular shifts of the decisions against the returns.

    Every decision, and so every policy date behind it, keeps its distance to the next one, and every sleeve's
    returns keep theirs; only which decision meets which return is left to chance. Rather than the decisions,
    the returns of all sleeves together are moved within the window, the end to the beginning: which is the
    same. The shifts are drawn without replacement.

    Moved on by less than a decision looks back, returns would meet decisions that have seen them: a rule on
    past returns then finds what no rule can, and hardly any search would look good beside it. So shifts by as
    many bars as lie before the window, which is as far as any trial can have looked back at its beginning,
    are left out, though never more than a quarter of all.

    Raises
    ------
    UsageError
        When fewer than one shift is asked for.
    """
    n_bars = window[1] - window[0]
    if n_shifts < 1:
        raise UsageError(f"a placebo needs one shift or more, not {n_shifts}")
    seen = min(window[0], n_bars // _SEEN)
    shifts = 1 + seen + np.random.default_rng(seed).permutation(n_bars - 1 - seen)[:n_shifts]
    groups = trials.decide(numbers).over(*window)
    actual = _best(trials, groups, window, objective, 0)
    best = np.empty(len(shifts))
    with ThreadPoolExecutor(processors()) as pool:
        found = pool.map(lambda shift: _best(trials, groups, window, objective, int(shift)), shifts)
        for which, value in enumerate(found):
            best[which] = value
            tell("placebo", which + 1, len(shifts))
    at_least = int((objective.score(best) >= objective.score(np.array([actual])) - 1e-12).sum())
    pvalue = (1 + at_least) / (1 + len(shifts)) if math.isfinite(actual) else math.nan
    return Placebo(best, shifts, actual, len(numbers), pvalue)


def _best(trials: Trials, groups: list[Group], window: Window, objective: Objective, shift: int) -> float:
    bars = turned(trials.market.bars, window, shift)
    moved = replace(trials, market=replace(trials.market, bars=bars))
    yardstick = moved.yardstick(window)
    best = -math.inf
    for group in groups:
        measured = moved.measurer.measure(group.decision, [yardstick], 1)[0]
        scores = np.where(objective.eligible(measured), objective.score(objective.of(measured)), np.nan)
        if np.isfinite(scores).any():
            best = max(best, float(np.nanmax(scores)))
    return float(objective.score(np.array([best]))[0]) if math.isfinite(best) else math.nan
