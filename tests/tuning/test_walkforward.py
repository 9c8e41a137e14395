from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest import load_strategy, run
from backtest.dates import add_months
from backtest.errors import UsageError
from backtest.market.data import Bars
from backtest.terms import Terms
from backtest.tuning.grid import make_grid
from backtest.tuning.objective import Objective
from backtest.tuning.sweep import common_window
from backtest.tuning.trials import Trials
from backtest.tuning.walkforward import Plan, WalkForward, judged_windows, opened_at, read_plan, walk_forward

if TYPE_CHECKING:
    from backtest import MarketData
    from backtest.tuning.trials import Window

GRID: dict[str, str | None] = {"delay": "0:12:4", "hold": "6:48:6"}


def _trials(market: MarketData, name: str = "rate_cut", grid: dict[str, str | None] | None = None) -> Trials:
    strategy = load_strategy(name)
    made = make_grid(strategy.parameters, grid or GRID, {}, name)
    return Trials(strategy, market, made, (), Terms(benchmark=market.benchmark))


def _walk(trials: Trials, plan: Plan) -> tuple[WalkForward, Window]:
    window = common_window(trials, None)
    return walk_forward(trials, None, window, plan, Objective("sharpe")), window


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("train=20y,test=5y", Plan(240, 60)),
        ("train=18m, test=6m, rolling", Plan(18, 6, rolling=True)),
        ("test=1y,train=10y,expanding,purge=6m", Plan(120, 12, purge=6)),
        ("test=1y,train=10y,purge=0m", Plan(120, 12, purge=0)),
    ],
)
def test_a_plan_is_what_is_written(text: str, plan: Plan) -> None:
    assert read_plan(text) == plan


@pytest.mark.parametrize(
    "text",
    [
        "",
        "train=20y",
        "train=20,test=5y",
        "train=0y,test=1y",
        "train=1y,test=1y,gap=3m",
        "train=2y,train=1y,test=1y",
        "train=2y,test=1y,rolling=3",
        "train=99999999999y,test=1y",
    ],
)
def test_a_plan_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="walk-forward|number of years|given more than once"):
        read_plan(text)


def test_tests_follow_each_other_to_the_end(embedded: MarketData) -> None:
    trials = _trials(embedded)
    window = common_window(trials, None)
    found = judged_windows(trials, Plan(120, 60), window)
    dates = embedded.bars.dates
    for which, (begin, _) in enumerate(found):
        due = add_months(dates[window[0]], 120 + 60 * which)
        assert begin == next(bar for bar in range(len(dates)) if dates[bar] >= due)
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert found[-1][1] == window[1]
    with pytest.raises(UsageError, match="too short for a walk-forward"):
        judged_windows(trials, Plan(1200, 60), window)


@pytest.mark.parametrize(
    "plan", [Plan(120, 60), Plan(120, 60, rolling=True, purge=6), Plan(120, 60, purge=0)]
)
def test_the_choice_is_the_best_of_the_training(plan: Plan, embedded: MarketData) -> None:
    trials = _trials(embedded)
    walked, window = _walk(trials, plan)
    dates = embedded.bars.dates
    for fold in walked.folds:
        start, end = fold.train
        assert window[0] <= start < end < fold.test[0]
        begin = dates[fold.test[0]]
        earliest = next(bar for bar in range(len(dates)) if dates[bar] >= add_months(begin, -120))
        assert start == (max(window[0], earliest) if plan.rolling else window[0])
        if plan.purge is not None:
            limit = next(bar for bar in range(len(dates)) if dates[bar] >= add_months(begin, -plan.purge))
            assert end == min(limit, fold.test[0] - 1)
        values = [
            run("rate_cut", embedded, start=dates[start], end=dates[end], **trials.grid.values(n)).metrics[
                "sharpe"
            ]
            for n in range(trials.grid.size)
        ]
        assert fold.inside == pytest.approx(max(values), rel=1e-9)
        test = run("rate_cut", embedded, start=begin, end=dates[fold.test[1]], **fold.parameters)
        assert fold.outside == pytest.approx(test.metrics["sharpe"], rel=1e-9)
        assert values[fold.number] == pytest.approx(max(values), rel=1e-9)
    assert walked.changes == sum(a.number != b.number for a, b in pairwise(walked.folds))


def test_what_is_known_a_bar_too_late_is_never_chosen(embedded: MarketData) -> None:
    trials, last = _trials(embedded, "trend", {"months": "6,12"}), len(embedded.bars.dates) - 1
    begin = int(trials.decide(np.arange(2)).first.max())
    for first, best in ((begin, {1}), (begin - 1, {0})):
        walked = walk_forward(
            trials, np.arange(2), (first, last), Plan(120, 60, purge=0), Objective("sharpe")
        )
        assert {fold.number for fold in walked.folds} == best


def test_a_fill_that_knows_its_own_close_may_learn_from_that_bar(embedded: MarketData) -> None:
    for same_close in (False, True):
        trials = replace(_trials(embedded), terms=Terms(benchmark="market", same_close=same_close))
        walked, _ = _walk(trials, Plan(120, 60, purge=0))
        assert all(fold.train[1] == fold.test[0] - (not same_close) for fold in walked.folds)


@pytest.mark.parametrize(
    ("name", "grid", "plan"),
    [
        ("rate_cut", GRID, Plan(120, 60)),
        ("buy_and_hold", {"sleeve": "small,large,market"}, Plan(120, 120, purge=0)),
        ("trend", {"months": "6,12", "band": "0,5"}, Plan(240, 120)),
    ],
)
def test_the_future_changes_no_choice_of_the_past(
    name: str, grid: dict[str, str | None], plan: Plan, embedded: MarketData
) -> None:
    walked, _ = _walk(_trials(embedded, name, grid), plan)
    random = np.random.default_rng(0)
    for which, fold in enumerate(walked.folds):
        returns = embedded.bars.returns.copy()
        later = fold.test[0]  # the fill at a bar's close does not know the bar's own return
        returns[later:] = random.normal(0.0, 0.1, size=returns[later:].shape).clip(-0.5, 1.0)
        market = replace(embedded, bars=Bars(embedded.bars.dates, embedded.bars.sleeves, returns))
        other, _ = _walk(_trials(market, name, grid), plan)
        assert [f.number for f in other.folds[: which + 1]] == [f.number for f in walked.folds[: which + 1]]


def test_windows_of_cases_are_purged_as_well(embedded: MarketData) -> None:
    trials = _trials(embedded, "trend", {"months": "6,12"})
    walked, _ = _walk(trials, Plan(240, 120))
    plain, _ = _walk(trials, Plan(240, 120, purge=0))
    assert any(a.train[1] < b.train[1] for a, b in zip(walked.folds, plain.folds, strict=True))


def test_the_stitched_run_holds_each_choice_during_its_test(embedded: MarketData) -> None:
    trials = _trials(embedded)
    walked, _ = _walk(trials, Plan(120, 60))
    assert len({fold.number for fold in walked.folds}) > 1
    weights = walked.result.weights
    dates = embedded.bars.dates
    for fold in walked.folds:
        alone = run(
            "rate_cut", embedded, start=dates[fold.test[0]], end=dates[fold.test[1]], **fold.parameters
        )
        part = weights.loc[alone.weights.index]
        assert (part == alone.weights).all().all()
    assert walked.result.start == str(dates[walked.folds[0].test[0]])
    assert walked.result.end == str(dates[walked.folds[-1].test[1]])


def test_mixes_walk_as_well(embedded: MarketData) -> None:
    trials = _trials(embedded, "balanced", {"small": "0:100:25"})
    walked, _ = _walk(trials, Plan(240, 120, purge=0))
    assert walked.result.weights["small"].iloc[0] == pytest.approx(
        walked.folds[0].parameters["small"] / 100.0
    )
    mixed = _trials(embedded, "balanced", {"small": "0:100:25", "every": "0,1,12", "band": "0,1,10"})
    with pytest.raises(UsageError, match="cannot join"):
        _walk(mixed, Plan(120, 24, purge=0))


def test_the_purge_goes_back_to_the_earliest_window_that_is_open(embedded: MarketData) -> None:
    trials = _trials(embedded)
    numbers = np.arange(trials.grid.size)
    tests = [(bar, bar + 12) for bar in (760, 800, 900, 1000)]
    found = opened_at(trials, numbers, tests)
    (group,) = trials.decide(numbers).groups
    _, signal = group.decision.rotation
    for earliest, (begin, _) in zip(found, tests, strict=True):
        expected = begin
        for which in group.of:
            starts, stops = signal.runs(which)
            for start, stop in zip(starts, stops, strict=True):
                if start < begin < stop:
                    expected = min(expected, int(start))
        assert earliest == expected
