"""The placebo: the best of the same search on returns that were moved against the decisions, run by run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backtest import run
from backtest.errors import UsageError
from backtest.market.data import Bars
from backtest.tuning.placebo import placebo as at_shifts
from backtest.tuning.tune import tune

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import MarketData
    from backtest.tuning.placebo import Placebo
    from backtest.tuning.tune import Sweep

HOLDS, DELAYS = (6, 18), (0, 9)


def moved(market: MarketData, first: int, last: int, shift: int) -> MarketData:
    """Return a market in which each return between two bars is that of so many bars before, in a circle."""
    returns = market.bars.returns.copy()
    n = last - first
    for bar in range(first + 1, last + 1):
        returns[bar] = market.bars.returns[first + 1 + (bar - first - 1 - shift) % n]
    return replace(market, bars=Bars(market.bars.dates, market.bars.sleeves, returns))


def searched(market: MarketData, out: Path, objective: str, n: int, **more: object) -> tuple[Sweep, Placebo]:
    grid = {"hold": ",".join(map(str, HOLDS)), "delay": ",".join(map(str, DELAYS))}
    found = tune("rate_cut", market, grid=grid, objective=objective, out=out, placebo=n, **more)
    assert found.truth.placebo is not None
    return found, found.truth.placebo


def best_by_runs(market: MarketData, sweep: Sweep, shift: int, key: str, kept: Any = lambda _: True) -> float:
    first, last = sweep.window
    dates = market.bars.dates
    ours = moved(market, first, last, shift)
    runs = [
        run("rate_cut", ours, start=str(dates[first]), end=str(dates[last]), hold=hold, delay=delay)
        for hold in HOLDS
        for delay in DELAYS
    ]
    values = [r.metrics[key] for r in runs if kept(r.metrics)]
    if not values:
        return float("nan")
    return min(values) if key in ("volatility", "turnover") else max(values)


@pytest.mark.parametrize("objective", ["sharpe", "volatility"])
def test_it_is_the_best_of_the_runs_on_the_moved_returns(
    objective: str, embedded: MarketData, tmp_path: Path
) -> None:
    sweep, placebo = searched(embedded, tmp_path / "out", objective, 4)
    assert placebo.trials == 4
    assert placebo.actual == pytest.approx(best_by_runs(embedded, sweep, 0, objective), rel=1e-9)
    n_bars = sweep.window[1] - sweep.window[0]
    assert len(set(placebo.shifts.tolist())) == 4
    assert all(0 < shift < n_bars for shift in placebo.shifts.tolist())
    for shift, best in zip(placebo.shifts.tolist(), placebo.best.tolist(), strict=True):
        assert best == pytest.approx(best_by_runs(embedded, sweep, shift, objective), rel=1e-9)
    as_good = placebo.best <= placebo.actual if objective == "volatility" else placebo.best >= placebo.actual
    assert placebo.pvalue == (1 + as_good.sum()) / 5


def test_a_choice_keeps_to_the_constraints_at_every_shift(embedded: MarketData, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    sweep, placebo = searched(
        embedded,
        tmp_path / "out",
        "sharpe",
        6,
        constraints=["alpha<0"],
        tell=lambda *said: heard.append(said),
    )
    shifts, best = [0, *placebo.shifts.tolist()], [placebo.actual, *placebo.best.tolist()]
    expected = [
        best_by_runs(embedded, sweep, shift, "sharpe", lambda m: m["alpha"] < 0.0) for shift in shifts
    ]
    assert best == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert best != pytest.approx(
        [best_by_runs(embedded, sweep, shift, "sharpe") for shift in shifts], rel=1e-9
    )
    assert [said for said in heard if said[0] == "placebo"] == [("placebo", i, 6) for i in range(1, 7)]


def test_every_shift_can_be_asked_for_and_none_cannot(embedded: MarketData, tmp_path: Path) -> None:
    short = {"start": "2012-01-31", "end": "2013-03-28"}
    sweep, placebo = searched(embedded, tmp_path / "out", "turnover", 500, **short)
    n_bars = sweep.window[1] - sweep.window[0]
    # Many bars lie before this window: a quarter of the shifts, which decisions may have seen, is left out.
    assert sorted(placebo.shifts.tolist()) == list(range(1 + n_bars // 4, n_bars))
    # What is held does not depend on the returns: every shift is as good, and the chance of it is 1.
    assert placebo.pvalue == 1.0
    with pytest.raises(UsageError, match="a placebo needs one shift or more, not -1"):
        searched(embedded, tmp_path / "none", "sharpe", -1)


def test_few_shifts_are_drawn_by_the_seed_and_no_fewer_than_one(embedded: MarketData, tmp_path: Path) -> None:
    sweep, _ = searched(embedded, tmp_path / "out", "sharpe", 1)

    def drawn(n: int, **seed: int) -> list[int]:
        return at_shifts(sweep.trials, np.arange(4), sweep.window, sweep.objective, n, **seed).shifts.tolist()

    # Without a seed it is 0, so that a placebo is the same every time.
    assert drawn(5) == drawn(5) == drawn(5, seed=0)
    assert drawn(5, seed=1) == drawn(5, seed=1) != drawn(5)
    assert drawn(1) == drawn(5)[:1]
    with pytest.raises(UsageError, match="a placebo needs one shift or more, not 0"):
        drawn(0)


def test_near_the_beginning_only_the_bars_before_the_window_are_left_out_and_nothing_is_known(
    embedded: MarketData, tmp_path: Path
) -> None:
    sweep, _ = searched(embedded, tmp_path / "out", "sharpe", 1)
    found = at_shifts(sweep.trials, np.arange(4), (0, 20), sweep.objective, 99)
    assert sorted(found.shifts.tolist()) == list(range(1, 20))
    # What looks back cannot have decided anything yet: no search, and no chance to tell of.
    assert np.isnan([found.actual, *found.best, found.pvalue]).all()
    later = at_shifts(sweep.trials, np.arange(4), (3, 103), sweep.objective, 999)
    assert sorted(later.shifts.tolist()) == list(range(4, 100))


def test_those_that_cannot_have_decided_yet_do_not_search(embedded: MarketData, tmp_path: Path) -> None:
    grid = {"measure": "percentile,level", "history": "360"}
    sweep = tune("credit", embedded, grid=grid, objective="sharpe", out=tmp_path / "out", placebo=0)
    late, early = sweep.trials.decide(np.arange(2)).first.tolist()
    window = (early + 3, early + 123)
    assert window[1] < late
    both = at_shifts(sweep.trials, np.arange(2), window, sweep.objective, 9)
    alone = at_shifts(sweep.trials, np.arange(1, 2), window, sweep.objective, 9)
    assert np.isfinite(both.actual)
    assert both.actual == alone.actual
    assert both.best.tolist() == alone.best.tolist()
    # Nor do those that come to know within the window.
    within = at_shifts(sweep.trials, np.arange(1), (late - 60, late + 60), sweep.objective, 9)
    assert np.isnan([within.actual, *within.best]).all()
