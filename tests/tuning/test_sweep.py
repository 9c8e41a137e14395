"""Sweeps as a whole: every trial is a run, results survive what kills a process, and the counts add up."""

from __future__ import annotations

import errno
import hashlib
import html
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from backtest import files, load_strategy, run
from backtest.analysis.overfitting import expected_maximum, kurtosis, probabilistic_sharpe, skewness
from backtest.errors import RotationError, UsageError
from backtest.measures import SWEPT
from backtest.reporting import tables
from backtest.reporting.html import minus
from backtest.reporting.sweep_page import sheets, sweep_page
from backtest.reporting.terminal import show
from backtest.tuning.blocks import block_edges
from backtest.tuning.grid import make_grid
from backtest.tuning.placebo import placebo, turned
from backtest.tuning.results import Results, open_results
from backtest.tuning.search import Search
from backtest.tuning.sentences import verdict
from backtest.tuning.sweep import chunk_size, corners
from backtest.tuning.truth import monthly_gains
from backtest.tuning.tune import tune

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import MarketData
    from backtest.scripting.strategy import Strategy
    from backtest.tuning.tune import Sweep

GRID = {"delay": "0:12:3", "hold": "6:48:6", "quiet": "0,12,60", "min_cut": "0.25,0.5"}


def digest(folder: Path) -> dict[str, str]:
    """Return the checksum of every file of a sweep's results."""
    files = [folder / "manifest.json", *sorted((folder / "trials").iterdir())]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def part_of(folder: Path, which: int) -> Path:
    """Return the place of a part of a sweep."""
    (place,) = folder.glob(f"trials/part-{which:06d}-*.parquet")
    return place


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, embedded: MarketData) -> Sweep:
    out = tmp_path_factory.mktemp("sweep") / "out"
    return tune("rate_cut", embedded, grid=GRID, out=out, walk="train=10y,test=5y", placebo=30)


@pytest.fixture(scope="module")
def table(sweep: Sweep) -> pd.DataFrame:
    return pd.read_parquet(sweep.results.trials)


def test_every_combination_is_one_row(sweep: Sweep, table: pd.DataFrame) -> None:
    assert len(table) == 5 * 8 * 3 * 2 == sweep.counts["combinations"]
    assert table["combination"].tolist() == list(range(len(table)))
    expected = list(
        itertools.product([0, 3, 6, 9, 12], [6, 12, 18, 24, 30, 36, 42, 48], [0, 12, 60], [0.25, 0.5])
    )
    assert list(table[["delay", "hold", "quiet", "min_cut"]].itertuples(index=False, name=None)) == expected
    assert (table["status"] == "measured").all()


def test_a_trial_is_the_run_of_its_parameters_over_the_common_window(
    sweep: Sweep, table: pd.DataFrame, embedded: MarketData
) -> None:
    start, end = sweep.dates
    assert {str(day) for day in table["start"]} == {start}
    assert {str(day) for day in table["end"]} == {end}
    warm_ups = [run("rate_cut", embedded, quiet=quiet).start for quiet in (0, 12, 60)]
    assert start == max(warm_ups)
    for place in np.random.default_rng(0).permutation(len(table))[:25]:
        row = table.iloc[place]
        parameters = {name: row[name].item() for name in GRID}
        metrics = run("rate_cut", embedded, start=start, **parameters).metrics
        for name in SWEPT:
            assert row[name] == pytest.approx(metrics[name], rel=1e-9, abs=1e-12, nan_ok=True), name


def test_what_is_recommended_is_the_run_of_its_parameters(sweep: Sweep, embedded: MarketData) -> None:
    for choice in (sweep.best, sweep.recommended):
        parameters = choice.result.parameters
        metrics = run("rate_cut", embedded, start=sweep.dates[0], **parameters).metrics
        assert metrics == pytest.approx(choice.result.metrics, rel=1e-9, nan_ok=True)
    assert sweep.best.result.metrics["sharpe"] == pytest.approx(np.nanmax(sweep.scores), rel=1e-9)


def test_a_workbook_has_the_best_trials(
    sweep: Sweep, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_TRIALS", 7)
    best = table.nlargest(7, "sharpe", keep="first").sort_values("combination", ignore_index=True)
    pd.testing.assert_frame_equal(sheets(sweep)["trials"].table, best)


def test_duckdb_and_pandas_read_the_results_as_they_are(sweep: Sweep, table: pd.DataFrame) -> None:
    rows = duckdb.read_parquet(str(sweep.results.trials / "*.parquet"))
    assert rows.aggregate("count(*), max(sharpe)").fetchall() == [(len(table), table["sharpe"].max())]


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("valuation_discount", {"measure": None, "wide": "50,80", "closed": "20,80", "limit": "24,60"}),
        ("balanced", {"small": "25,50", "every": "0,12", "band": "0,5"}),
        ("ensemble", {"cheap": "60,80", "months": "6,12"}),
        ("trend", {"months": "6,12", "band": "0,2"}),
    ],
)
def test_every_kind_of_decision_is_measured_as_a_run_measures_it(
    name: str, grid: dict[str, str | None], embedded: MarketData, tmp_path: Path
) -> None:
    strategy = load_strategy(name)
    found = tune(strategy, embedded, grid=grid, out=tmp_path / "out", placebo=3)
    rows = pd.read_parquet(found.results.trials)
    start, n_measured = found.dates[0], 0
    for _, row in rows.iterrows():
        parameters = {p.name: row[p.name] for p in strategy.parameters}
        if row["status"] == "refused":
            with pytest.raises(UsageError):
                run(strategy, embedded, start=start, **parameters)
            assert np.isnan(row["sharpe"])
        elif row["status"] == "measured":
            n_measured += 1
            metrics = run(strategy, embedded, start=start, **parameters).metrics
            for measure in SWEPT:
                assert row[measure] == pytest.approx(metrics[measure], rel=1e-9, abs=1e-12, nan_ok=True)
        else:
            # What is never known has no run that starts there.
            assert row["status"] == "unknown"
            with pytest.raises(RotationError):
                assert run(strategy, embedded, start=start, **parameters).start == start
                raise RotationError
    assert n_measured == found.counts["measured"] > 0
    assert sum(found.counts[s] for s in ("measured", "excluded", "refused", "unknown")) == len(rows)


def test_blocks_add_up_to_the_returns(sweep: Sweep, embedded: MarketData) -> None:
    numbers = np.random.default_rng(1).permutation(sweep.trials.grid.size)[:40]
    for trials, some in ((sweep.trials, numbers), (_balanced(embedded), np.arange(4))):
        window = (sweep.window[0] + 1, sweep.window[1] - 3)
        sums, squares = trials.blocks(some, window, block_edges(*window, 8))
        cash = embedded.bars.column("cash")[window[0] + 1 : window[1] + 1]
        excess = trials.returns(some, window) - cash
        edges = np.round(np.linspace(0, excess.shape[1], 9)).astype(int)
        for block, (begin, end) in enumerate(itertools.pairwise(edges)):
            part = excess[:, begin:end]
            np.testing.assert_allclose(sums[:, block], part.sum(axis=1), rtol=0, atol=1e-13)
            np.testing.assert_allclose(squares[:, block], (part**2).sum(axis=1), rtol=0, atol=1e-13)


def _balanced(embedded: MarketData) -> Any:
    from backtest.terms import Terms
    from backtest.tuning.grid import make_grid
    from backtest.tuning.trials import Trials

    strategy = load_strategy("balanced")
    grid = make_grid(strategy.parameters, {"small": "25,50", "every": "0,12"}, {}, "balanced")
    return Trials(strategy, embedded, grid, (), Terms(benchmark=embedded.benchmark))


def test_constraints_exclude_before_and_after_and_are_counted(embedded: MarketData, tmp_path: Path) -> None:
    found = tune(
        "rate_cut",
        embedded,
        grid=GRID,
        constraints=["delay<=6", "turnover<0.2"],
        out=tmp_path / "out",
        placebo=0,
    )
    rows = pd.read_parquet(found.results.trials)
    assert found.counts["excluded"] == (rows["delay"] > 6).sum() == (rows["status"] == "excluded").sum()
    assert rows.loc[rows["delay"] > 6, "sharpe"].isna().all()
    assert found.best.result.metrics["turnover"] < 0.2
    allowed = rows[(rows["turnover"] < 0.2)]
    assert found.best.result.metrics["sharpe"] == pytest.approx(allowed["sharpe"].max())
    assert found.counts["not_eligible"] == found.counts["measured"] - len(allowed)
    assert found.truth.placebo is None
    with pytest.raises(UsageError, match="can be chosen"):
        tune("rate_cut", embedded, grid=GRID, constraints=["sharpe>9"], out=tmp_path / "no", placebo=0)


def test_less_turnover_is_better_and_ties_are_counted(embedded: MarketData, tmp_path: Path) -> None:
    found = tune(
        "rate_cut", embedded, grid={"hold": "6:24:6", "min_cut": "0.5,1"}, objective="turnover",
        out=tmp_path / "out", placebo=5,
    )  # fmt: skip
    rows = pd.read_parquet(found.results.trials)
    assert found.best.result.metrics["turnover"] == rows["turnover"].min()
    assert found.counts["tied_with_best"] == (rows["turnover"] == rows["turnover"].min()).sum() - 1
    assert found.counts["without_switch"] == (rows["switches"] == 0).sum()


@pytest.mark.parametrize("measure", ["beta", "volatility"])
def test_less_risk_is_better(measure: str, embedded: MarketData, tmp_path: Path) -> None:
    found = tune(
        "balanced", embedded, grid={"small": "0:100:25"}, objective=measure, out=tmp_path / "out", placebo=9
    )
    rows = pd.read_parquet(found.results.trials)
    assert found.best.result.metrics[measure] == pytest.approx(rows[measure].min(), rel=1e-9)
    assert rows[measure].nunique() == 5
    assert found.truth.placebo is not None
    assert found.truth.placebo.actual == pytest.approx(rows[measure].min(), rel=1e-9)


def test_the_luck_of_so_many_tries_is_told_by_their_spread_above_the_benchmark(
    sweep: Sweep, table: pd.DataFrame
) -> None:
    """The threshold is written out from the runs of the distinct trials, month by month."""
    bars, truth = sweep.trials.market.bars.window(*sweep.window), sweep.truth
    kept = np.flatnonzero(sweep.survey.distinct)
    gains = sweep.trials.returns(kept, sweep.window) - bars.column(sweep.trials.benchmark)[1:]
    frame = pd.DataFrame(gains.T, index=pd.DatetimeIndex(bars.dates[1:]))
    months = frame.groupby(frame.index.to_period("M")).sum()
    ratios = months.mean() / months.std()
    assert truth.deflated.trials == len(kept) == truth.distinct < len(table)
    assert truth.deflated.threshold == pytest.approx(expected_maximum(len(kept), ratios.std()), rel=1e-9)
    own = (sweep.best.result.returns - bars.column(sweep.trials.benchmark)[1:]).to_numpy()
    assert truth.deflated.sharpe == pytest.approx(own.mean() / own.std(ddof=1), rel=1e-9)
    memory = max(float(pd.Series(own).autocorr()), 0.0)
    n = len(own) * (1.0 - memory) / (1.0 + memory)
    of_it = probabilistic_sharpe(
        truth.deflated.sharpe, truth.deflated.threshold, n, skewness(own), kurtosis(own)
    )
    assert truth.deflated.probability == pytest.approx(of_it, abs=1e-3)
    assert truth.superior.strategies == truth.distinct
    assert truth.n_years == pytest.approx(len(own) / 12)


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_a_sample_has_the_rows_of_the_whole(
    kind: str, embedded: MarketData, sweep: Sweep, tmp_path: Path
) -> None:
    found = tune("rate_cut", embedded, grid=GRID, search=Search(kind, 100), out=tmp_path / "out", placebo=2)
    rows = pd.read_parquet(found.results.trials).set_index("combination")
    whole = pd.read_parquet(sweep.results.trials).set_index("combination").loc[rows.index]
    if found.dates == sweep.dates:
        pd.testing.assert_frame_equal(rows, whole)
    assert len(rows) == 100


LARGE = {"delay": "0:24:1", "hold": "1:60:1", "min_cut": "0:1:0.05"}


def test_optuna_looks_where_it_found_something(embedded: MarketData, tmp_path: Path) -> None:
    found = tune(
        "rate_cut", embedded, grid=LARGE, search=Search("optuna", 160), out=tmp_path / "out", placebo=0
    )
    by_chance = tune(
        "rate_cut", embedded, grid=LARGE, search=Search("random", 160), out=tmp_path / "random", placebo=0
    )
    rows, others = (pd.read_parquet(s.results.trials)["sharpe"] for s in (found, by_chance))
    assert found.counts["combinations"] == found.truth.measured == len(rows) == 160
    assert rows.tail(120).mean() > others.mean() + 2.0 * others.std() / np.sqrt(120)


def test_what_optuna_found_says_nothing_to_the_walk_forward_nor_to_the_placebo(
    embedded: MarketData, tmp_path: Path
) -> None:
    bars = embedded.bars
    returns = bars.returns.copy()
    returns[np.searchsorted(bars.dates, np.datetime64("2003-10-01")) :] *= np.array(
        [-1.0, 1.0, 2.0, 1.0, 1.0, 1.0]
    )
    otherwise = replace(embedded, bars=replace(bars, returns=returns))
    rates = make_grid(load_strategy("rate_cut").parameters, LARGE, {}, "rate_cut")
    by_chance = Search("random", 48).numbers(rates)
    walks: list[Any] = []
    for which, market in enumerate((embedded, otherwise)):
        found = tune(
            "rate_cut", market, grid=LARGE, search=Search("optuna", 48), out=tmp_path / str(which),
            walk="train=10y,test=5y", placebo=3,
        )  # fmt: skip
        assert found.walk_forward is not None
        assert found.truth.placebo is not None
        assert by_chance is not None
        walks.append(found.walk_forward.folds)
        assert found.truth.placebo.trials == found.truth.superior.strategies < len(by_chance) == 48
        some = monthly_gains(found.trials, by_chance, found.window)
        ratios = some.mean(axis=1) / some.std(axis=1, ddof=1)
        ratios = ratios[np.unique(ratios.round(12), return_index=True)[1]]
        assert len(ratios) == found.truth.superior.strategies
        luckiest = expected_maximum(found.trials.grid.size, ratios.std(ddof=1))
        assert found.truth.deflated.threshold == pytest.approx(luckiest, rel=1e-9)
        assert "drawn by chance" in " ".join(verdict(found))
        _, measured = found.trials.measure(by_chance, [found.window])
        assert found.truth.placebo.actual == pytest.approx(np.nanmax(found.objective.of(measured[0])))
    # What was chosen up to the change of the returns is the same, whatever Optuna saw after it.
    assert [f.number for f in walks[0][:2]] == [f.number for f in walks[1][:2]]
    assert [f.inside for f in walks[0][:2]] == pytest.approx([f.inside for f in walks[1][:2]], rel=1e-12)


def test_optuna_for_two_objectives_resumes_to_the_same_trials(embedded: MarketData, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "grid": LARGE,
        "objective": "sharpe,max_drawdown",
        "search": Search("optuna", 1040),
        "out": tmp_path / "out",
        "placebo": 0,
    }
    found = tune("rate_cut", embedded, **options)
    assert found.counts["combinations"] == 1040
    assert len(found.front) > 0
    expected = digest(tmp_path / "out")
    part_of(tmp_path / "out", 1).unlink()
    tune("rate_cut", embedded, resume=True, **options)
    assert digest(tmp_path / "out") == expected


def test_equal_trials_have_no_probability_of_overfitting(embedded: MarketData, tmp_path: Path) -> None:
    same = tune(
        "rate_cut", embedded, grid={"min_cut": "0.13,0.14,0.15,0.16"}, out=tmp_path / "out", placebo=0
    )
    assert same.truth.distinct == 1
    assert same.truth.crossvalidation is None


def test_copies_of_one_run_do_not_fill_the_lower_half(embedded: MarketData, tmp_path: Path) -> None:
    grid = {"measure": "percentile,level", "wide": "60:90:10", "narrow": "50,60", "history": "60,120"}
    found = tune("credit", embedded, grid=grid, out=tmp_path / "out", placebo=0)
    told = found.truth
    assert told.crossvalidation is not None
    # The level knows nothing of the percentiles, and the common window begins where either history is whole.
    assert told.measured == 32
    assert told.crossvalidation.trials == told.distinct == 8 + 1


def test_two_objectives_have_a_front(embedded: MarketData, tmp_path: Path) -> None:
    found = tune(
        "rate_cut", embedded, grid=GRID, objective="sharpe,max_drawdown", out=tmp_path / "out", placebo=0
    )
    rows = pd.read_parquet(found.results.trials)
    front = rows.iloc[found.front]
    assert found.best.number == found.survey.numbers(found.front)[0]
    for _, row in front.iterrows():
        better = (rows["sharpe"] >= row["sharpe"]) & (rows["max_drawdown"] > row["max_drawdown"])
        better |= (rows["sharpe"] > row["sharpe"]) & (rows["max_drawdown"] >= row["max_drawdown"])
        assert not better.any()


def test_executors_and_threads_give_the_same_bytes(
    sweep: Sweep, embedded: MarketData, tmp_path: Path
) -> None:
    digests = []
    for executor in ("threads:1", "threads:2", "loky:2"):
        out = tmp_path / executor.replace(":", "")
        tune("rate_cut", embedded, grid=GRID, out=out, executor=executor, placebo=0)
        digests.append(digest(out))
    assert digests[0] == digests[1] == digests[2]
    # Another placebo and a walk-forward change what is said of the trials, not the trials.
    of_trials = {name: sha for name, sha in digest(sweep.results.folder).items() if name != "manifest.json"}
    assert of_trials.items() <= digests[0].items()


def test_resuming_measures_what_is_missing_and_nothing_else(embedded: MarketData, tmp_path: Path) -> None:
    grid = {"delay": "0:24:1", "hold": "1:60:1", "min_cut": "0.25,0.5"}
    out = tmp_path / "out"
    tune("rate_cut", embedded, grid=grid, out=out, placebo=0)
    expected = digest(out)
    assert len(expected) == 1 + 3
    part_of(out, 1).unlink()
    kept = part_of(out, 0).stat().st_mtime_ns
    with pytest.raises(UsageError, match="exists already; .*add --resume"):
        tune("rate_cut", embedded, grid=grid, out=out, placebo=0)
    tune("rate_cut", embedded, grid=grid, out=out, resume=True, placebo=0)
    assert digest(out) == expected
    assert part_of(out, 0).stat().st_mtime_ns == kept


def test_what_a_call_to_resume_leaves_out_is_as_it_was_asked_for(
    embedded: MarketData, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options: dict[str, Any] = {
        "grid": {"hold": "1,12,18,24", "quiet": "0,12"},
        "fixed": {"delay": 3},
        "objective": "sharpe,max_drawdown",
        "constraints": ["turnover<0.8", "hold<24"],
        "walk": "train=10y,test=5y",
        "placebo": 3,
        "cost_bps": {"small": 30.0},
        "start": "1990-01-31",
    }
    first = tune("rate_cut", embedded, out=out, **options)
    before = digest(out)
    again = tune("rate_cut", out=out, resume=True)
    assert digest(out) == before
    assert again.counts == first.counts
    assert again.counts["not_eligible"] > 0
    assert again.best.result.metrics == first.best.result.metrics
    assert again.trials.costs == first.trials.costs
    assert [o.name for o in again.objectives] == ["sharpe", "max_drawdown"]
    assert again.walk_forward is not None
    assert again.truth.placebo is not None
    np.testing.assert_array_equal(again.truth.placebo.best, first.truth.placebo.best)
    # Another way to judge the same trials, on purpose.
    anew = tune("rate_cut", out=out, resume=True, objective="cagr", constraints=["hold<24"], placebo=0)
    assert digest(out) == before
    assert anew.objective.name == "cagr"
    assert anew.counts["not_eligible"] == 0
    assert anew.truth.placebo is None


def test_a_sweep_of_something_else_is_not_resumed(script: Path, embedded: MarketData, tmp_path: Path) -> None:
    from dataclasses import replace

    from backtest.market.data import Bars

    out, grid = tmp_path / "out", {"hold": "6,12"}

    def again(strategy: Strategy, market: MarketData = embedded, **options: Any) -> None:
        tune(strategy, market, **{"grid": grid, "out": out, "resume": True, "placebo": 0, **options})

    first = load_strategy(str(script))
    tune(first, embedded, grid=grid, out=out, placebo=0)
    again(first)
    for options, said in [
        ({"grid": {"hold": "6,18"}}, r"the grid changed \(hold\)"),
        ({"cost_bps": 20.0}, "the costs changed"),
        ({"constraints": ["hold<99"]}, "constraints on parameters changed"),
        ({"benchmark": "small"}, "the benchmark changed"),
        ({"start": "1999-01-29"}, r"the window changed \(start\)"),
        ({"search": Search("random", 2)}, "the search changed"),
    ]:
        with pytest.raises(UsageError, match=said):
            again(first, **options)
    returns = embedded.bars.returns.copy()
    returns[-1, 0] += 1e-6
    other = replace(embedded, bars=Bars(embedded.bars.dates, embedded.bars.sleeves, returns))
    with pytest.raises(UsageError, match=r"the data changed \(values\)"):
        again(first, other)
    script.write_text(script.read_text() + "\n# another thesis\n")
    with pytest.raises(UsageError, match="the strategy's script changed"):
        again(load_strategy(str(script)))
    beside = tmp_path / "of_the_sweep.py"
    beside.write_text("FACTOR = 1\n")
    script.write_text("import of_the_sweep\n" + script.read_text())
    tune(load_strategy(str(script)), embedded, grid=grid, out=tmp_path / "own", placebo=0)
    beside.write_text("FACTOR = 2\n")
    with pytest.raises(UsageError, match="the strategy's script changed"):
        again(load_strategy(str(script)), out=tmp_path / "own")
    with pytest.raises(UsageError, match="no sweep to resume"):
        again(first, out=tmp_path / "nothing")
    with pytest.raises(UsageError, match="say which sweep"):
        again(first, out=None)


def test_an_end_leaves_out_what_is_known_after_it(embedded: MarketData, tmp_path: Path) -> None:
    found = tune(
        "rate_cut", embedded, grid={"quiet": "0:60:12"}, end="1986-12-31", out=tmp_path / "o", placebo=0
    )
    assert found.counts["unknown"] > 0
    assert found.dates[1] == "1986-12-31"


def test_a_window_shorter_than_the_blocks_has_no_probability_of_overfitting(
    embedded: MarketData, tmp_path: Path
) -> None:
    found = tune(
        "balanced", embedded, grid={"small": "25,50"}, start="2018-06-29", out=tmp_path / "o", placebo=0
    )
    assert found.truth.crossvalidation is None


def test_what_a_digest_of_a_sweep_must_tell_apart(embedded: MarketData) -> None:
    from dataclasses import replace

    from backtest.scripting.own_modules import digest
    from backtest.scripting.strategy import Strategy
    from backtest.tuning.results import vintage

    def of(limit: float) -> Strategy:
        code = f"def f(market):\n    return market.level('discount').above({limit})"
        scope: dict[str, Any] = {}
        exec(code, scope)  # noqa: S102 - a script without a file
        return Strategy("f", "", (), scope["f"], "nowhere.py")

    assert digest(of(2.0)) != digest(of(-40.0))
    assert digest(of(2.0)) == digest(of(2.0))
    swapped = {**embedded.roles, "discount": "credit_spread", "credit_spread": "discount"}
    assert vintage(replace(embedded, roles=swapped)) != vintage(embedded)


def test_nothing_is_in_a_sample_by_right() -> None:
    from backtest.tuning.truth import thinned

    places = np.arange(0, 40_000, 2)
    drawn = [thinned(places, 5_000, seed) for seed in range(40)]
    assert all(len(part) == 5_000 and (np.diff(part) > 0).all() for part in drawn)
    # No place is among them by right: each is drawn as often as chance has it.
    for place in (0, 2, 39_998):
        assert sum(place in part for part in drawn) < 25


SLOW = """
import sys, time
from backtest import load_strategy
from backtest.tuning import sweep
from backtest.tuning.tune import tune
measured = sweep.measured_chunk
def slowly(*arguments):
    time.sleep(0.4)
    return measured(*arguments)
sweep.measured_chunk = slowly
tune("rate_cut", grid={"delay": "0:24:1", "hold": "1:60:1", "min_cut": "0.25:1:0.25"},
     out=sys.argv[1], executor="threads:1", placebo=0, resume=sys.argv[2] == "resume")
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_is_killed_goes_on_to_the_same_bytes(
    how: signal.Signals, embedded: MarketData, tmp_path: Path
) -> None:
    grid = {"delay": "0:24:1", "hold": "1:60:1", "min_cut": "0.25:1:0.25"}
    whole, out = tmp_path / "whole", tmp_path / "killed"
    tune("rate_cut", embedded, grid=grid, out=whole, placebo=0)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(out), "start"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not list(out.glob("trials/part-*.parquet")):
        assert process.poll() is None, "the sweep was over before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, how)
    assert process.wait(timeout=60) != 0
    n_there = len(list(out.glob("trials/part-*.parquet")))
    assert 1 <= n_there < len(list(whole.glob("trials/part-*.parquet")))
    tune("rate_cut", embedded, grid=grid, out=out, resume=True, placebo=0)
    assert digest(out) == digest(whole)


def test_a_full_disk_is_said_with_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(RotationError, match="the disk is full; what was measured before is kept"):
        Results(tmp_path, {"combinations": 1, "chunk": 1}).write(0, b"x" * 100)
    assert list((tmp_path / "trials").iterdir()) == []


def test_a_sweep_larger_than_the_disk_is_not_begun(tmp_path: Path) -> None:
    from backtest.tuning.sweep import refuse_full_disk

    refuse_full_disk(tmp_path / "not" / "there", 1000)
    with pytest.raises(RotationError, match="MB are free"):
        refuse_full_disk(tmp_path, 10**18)


def test_what_the_script_does_wrong_is_said(tmp_path: Path, embedded: MarketData, script: Path) -> None:
    script.write_text(
        script.read_text().replace("    first_cuts =", "    if hold > 12: pass\n    first_cuts =")
    )
    with pytest.raises(RotationError, match="line 20: a signal has no values in a script, .* write where"):
        tune(load_strategy(str(script)), embedded, grid={"hold": "6,12"}, out=tmp_path / "out")
    script.write_text(script.read_text().replace("if hold > 12: pass", "raise ValueError('boom')"))
    with pytest.raises(RotationError, match="ValueError: boom$"):
        tune(load_strategy(str(script)), embedded, grid={"hold": "6,12"}, out=tmp_path / "out")
    with pytest.raises(UsageError, match="did you mean 'sharpe'"):
        tune("rate_cut", embedded, objective="sharp", out=tmp_path / "out")
    with pytest.raises(UsageError, match="no executor 'smoke'"):
        tune("rate_cut", embedded, grid={"hold": "6,12"}, executor="smoke", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_chunks_depend_on_the_number_of_trials_alone() -> None:
    assert [chunk_size(n) for n in (1, 1024, 20_000, 10**6, 10**9)] == [1024, 1024, 1250, 62_500, 65_536]


def test_corners_are_the_ends_of_every_axis() -> None:
    assert corners((3, 1, 4)).tolist() == [0, 3, 8, 11]
    assert len(corners((2,) * 40)) <= 1 << 16


def test_the_placebo_keeps_the_search_and_breaks_the_link(sweep: Sweep) -> None:
    placebo = sweep.truth.placebo
    assert placebo is not None
    assert len(placebo.best) == 30
    assert len(set(placebo.shifts.tolist())) == 30
    assert placebo.actual == pytest.approx(sweep.best.result.metrics["sharpe"], rel=1e-9)
    assert placebo.pvalue == (1 + (placebo.best >= placebo.actual).sum()) / 31


def test_no_shift_lets_a_decision_meet_returns_that_it_has_seen(embedded: MarketData, tmp_path: Path) -> None:
    """A lead of two months or three, shifted by one, would hold what has just gone up: it is left out."""
    found = tune("small_momentum", embedded, grid={"months": "2,3"}, out=tmp_path / "out", placebo=0)
    first, last = found.window
    assert first == 4
    every = placebo(found.trials, np.arange(2), found.window, found.objective, last - first)
    assert sorted(every.shifts.tolist()) == list(range(first + 1, last - first))
    late = (last - 40, last)
    assert placebo(found.trials, np.arange(2), late, found.objective, 99).shifts.min() == 11


def test_a_turn_by_the_whole_window_changes_nothing(sweep: Sweep, embedded: MarketData) -> None:
    n = sweep.window[1] - sweep.window[0]
    same = turned(embedded.bars, sweep.window, n).returns
    np.testing.assert_array_equal(same, embedded.bars.returns)
    moved = turned(embedded.bars, sweep.window, 7).returns
    first, last = sweep.window
    np.testing.assert_array_equal(moved[: first + 1], embedded.bars.returns[: first + 1])
    np.testing.assert_array_equal(moved[first + 8 : last + 1], embedded.bars.returns[first + 1 : last - 6])


def test_a_planted_edge_stands_out_from_its_placebo(embedded: MarketData, tmp_path: Path) -> None:
    from dataclasses import replace

    from backtest.market.data import Bars

    # In this market small caps do gain after first cuts, and after nothing else.
    known = embedded.known()
    signal_ = known.policy.first_cuts(quiet=12, at_least=0.25).within(0, 24)
    yes = np.r_[False, signal_.dense()[:-1]]
    returns = embedded.bars.returns.copy()
    small = embedded.bars.sleeves.index("small")
    large = embedded.bars.sleeves.index("large")
    returns[:, small] = returns[:, large] + np.where(yes, 0.012, -0.006)
    market = replace(embedded, bars=Bars(embedded.bars.dates, embedded.bars.sleeves, returns))
    found = tune(
        "rate_cut", market, grid={"delay": "0:12:2", "hold": "6:48:6"}, out=tmp_path / "o", placebo=99
    )
    assert found.best.result.parameters["hold"] == 24
    assert found.truth.placebo is not None
    assert found.truth.placebo.pvalue <= 0.03
    assert found.truth.crossvalidation is not None
    assert found.truth.crossvalidation.probability < 0.05
    assert found.truth.superior.pvalue < 0.05
    assert len(found.truth.superior.better) > 0


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("cli") / "out"
    command = [sys.executable, "-c", "from backtest.cli import entry; entry()"]
    arguments = [
        "tune",
        "rate_cut",
        "--grid",
        "delay=0:6:3",
        "--grid",
        "hold=12:48:12",
        "--placebo",
        "9",
        "--json",
    ]
    done = subprocess.run(
        [*command, *arguments, "--walk-forward", "train=10y,test=5y,rolling,purge=6m", "--out", str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_command_prints_what_the_design_asks_for(told: dict[str, Any]) -> None:
    for key in (
        "strategy", "market", "combinations", "seconds", "objective", "best", "recommended", "effective_trials",
        "deflated_sharpe_probability", "pbo", "spa_pvalue", "placebo_pvalue", "results", "report",
    ):  # fmt: skip
        assert key in told
    assert told["combinations"] == 12
    assert set(told["best"]) >= {"parameters", "metrics"}
    best = pd.read_parquet(told["results"])["sharpe"].max()
    assert told["best"]["metrics"]["sharpe"] == pytest.approx(best, rel=1e-9)
    assert told["deflated_sharpe_probability"] == told["deflated"]["probability"]
    assert told["deflated"]["trials"] == told["counts"]["measured"] - told["counts"]["duplicates"]
    assert told["verdict"] in {"holds up", "looks like luck", "cannot be told"}
    assert told["walk_forward"]["folds"][0]["train"][1] < told["walk_forward"]["folds"][0]["test"][0]


def test_one_measure_twice_is_no_second_objective(embedded: MarketData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="by two different ones"):
        tune("rate_cut", embedded, grid={"hold": "6,12"}, objective="sharpe, sharpe", out=tmp_path / "o")


def test_of_two_commands_one_has_the_folder(tmp_path: Path) -> None:
    def take(i: int) -> str:
        try:
            open_results(tmp_path / "out", {"who": i}, resume=False)
        except UsageError as error:
            return str(error)
        return "mine"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(take, range(8)))
    assert said.count("mine") == 1
    assert all(text == "mine" or "; name a new folder with --out" in text for text in said)


def test_what_a_few_months_cannot_say_is_not_printed_as_a_number(
    embedded: MarketData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for hold, first in (
        ("6,12", "The best of 2 combinations, which amount to about 1 independent one."),
        ("6", "The only combination."),
    ):
        found = tune(
            "rate_cut", embedded, grid={"hold": hold}, start="2016-01-01", end="2017-06-30", placebo=9,
            out=tmp_path / hold,
        )  # fmt: skip
        show(sweep_page(found).blocks)
        said = " ".join(capsys.readouterr().out.split())
        assert first in said
        assert "nan" not in said.lower()
        assert "superior to the benchmark │ not defined" in said
        assert "Hansen's test against the benchmark has too little to go by" in said


def test_the_folder_has_a_page_and_the_recommended_report(told: dict[str, Any]) -> None:
    from pathlib import Path

    page = Path(told["report"])
    text = html.unescape(page.read_text(encoding="utf-8"))
    text = re.sub(r'<span class="unbroken">(.*?)</span>', r"\1", text)
    assert "12 combinations" in text
    for sentence in told["sentences"]:
        assert minus(sentence) in text
    assert told["best"]["parameters"]["delay"] == 6
    assert told["best"]["edges"][0] == {"name": "delay", "value": 6, "highest": True, "wider": "delay=0:9:3"}
    assert "Its delay of 6 is the highest that was tried; look beyond with --grid delay=0:9:3." in text
    for name in (
        "recommended/index.html",
        "walk_forward/index.html",
        "sweep.json",
    ):
        assert (page.parent / name).is_file()
    assert json.loads((page.parent / "sweep.json").read_text()) == told
    result = json.loads((page.parent / "recommended" / "result.json").read_text())
    assert result["tried"] == 12
    assert result["metrics"]["sharpe"] == pytest.approx(told["recommended"]["metrics"]["sharpe"], rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--grid", "hald=1,2"], "did you mean 'hold'"),
        (["--grid", "=1,2"], "--grid takes NAME=VALUES"),
        (["--grid", "hold=1,2", "--grid", "hold=3"], "more than once"),
        (["--search", "optuna"], "needs --trials"),
        (["--walk-forward", "train=5"], "both train and test|years or months"),
        (["--objective", "sharpe,cagr,beta"], "one measure, or by two"),
        (
            ["--search", "random", "--trials", "9", "--seed", "-1"],
            "--seed must lie in 0 to 4294967295, not -1",
        ),
        (["--grid", "hold=1:60:lin1e13"], "must lie in 2 to 1000000 values, not"),
        (["--resume"], "say which sweep"),
        (
            ["--grid", "hold=6,12", "--constraint", "delay>hold"],
            "none of the 2 combinations keeps to delay>hold",
        ),
        (["--grid", "hold=6,12", "--walk-forward", "train=200y,test=5y"], "too short for a walk-forward"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_status_2(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import re

    from backtest import cli

    monkeypatch.setattr(sys, "argv", ["rotation", "tune", "rate_cut", *arguments])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        cli.entry()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert re.search(said, error)
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []
