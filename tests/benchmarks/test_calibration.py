"""A quick form of the calibration of runs: wide margins, which a percentile bootstrap of short blocks missed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from backtest.analysis.next_path import HELD
from benchmarks.calibration.experiments import COVERS, REJECTS, Experiment, counted
from benchmarks.calibration.fit import fitted
from benchmarks.calibration.processes import PROCESSES
from benchmarks.calibration.registry import experiments
from benchmarks.calibration.table import written
from tests.conftest import REPOSITORY


def experiment(name: str, case: str) -> Experiment:
    (found,) = [e for e in experiments() if (e.name, e.case) == (name, case)]
    return found


def shares(found: Experiment, simulations: int) -> dict[str, float]:
    return {name: hits / n for name, (hits, n) in counted(found.outcomes(0, simulations)).items()}


# The percentile bootstrap covered Sharpe ratios 84 times in a hundred after clusters of volatility, and those of
# autocorrelated returns 91 times.
@pytest.mark.parametrize(
    "case", ["GARCH-t, 240 months, small", "AR(0.2), 240 months, rotation", "t(4), 420 months, one episode"]
)
def test_intervals_of_a_run_cover(case: str) -> None:
    told = shares(experiment("intervals of a run", case), 250)
    assert {"cagr", "sharpe", "sortino", "alpha", "beta", "information_ratio", "sharpe, less"} <= told.keys()
    # Four standard errors of a share of 250 are 5.5 points.
    assert min(told.values()) > 0.89, told


@pytest.mark.parametrize("process", ["normal", "AR(0.2)", "GARCH-t"])
def test_alpha_is_found_where_there_is_none_one_time_in_twenty(process: str) -> None:
    told = shares(experiment("alpha of a rotation without skill", f"{process}, 420 months, rotation"), 500)
    # Four standard errors of a share of 500 are 3.9 points.
    assert 0.01 < told["against the market"] < 0.09, told
    assert told["against what it leaves"] < 0.09, told


def test_two_runs_differ_where_they_do_not_one_time_in_twenty() -> None:
    told = shares(experiment("difference of two runs", "AR(0.2), 420 months"), 500)
    assert 0.01 < min(told.values()) <= max(told.values()) < 0.09, told


@pytest.mark.parametrize("process", ["AR(0.2)", "GARCH-t"])
def test_events_of_a_panel_are_told_where_there_are_none_one_time_in_twenty(process: str) -> None:
    told = shares(experiment("events of a panel", f"{process}, months 1 to 12"), 150)
    # Five standard errors of a share of 150 are 8.9 points; of months taken for independent 45 times in a hundred are found.
    assert max(told.values()) < 0.139, told


def test_the_next_path_lies_in_its_range_as_often_as_is_said() -> None:
    told = shares(experiment("next path", "normal, 420 months, small"), 100)
    assert told["max_drawdown"] > 0.86
    assert told["calmar"] > 0.86


def test_what_is_said_of_the_next_path_is_what_the_table_has() -> None:
    page = (REPOSITORY / "docs" / "calibration.md").read_text(encoding="utf-8")
    table = page[page.index("## Next path") :].split("\n## ")[0]
    rows = re.findall(r"^\| .* \| \d+ \| \**([\d.]+)\** \| \**([\d.]+)\** \|$", table, re.MULTILINE)
    assert len(rows) == 36
    for measure, column in zip(("max_drawdown", "calmar"), np.array(rows, dtype=float).T, strict=True):
        assert HELD[measure] == (int(np.floor(column.min())), int(np.ceil(column.max()))), measure


@pytest.mark.parametrize("name", PROCESSES)
def test_shocks_have_mean_0_and_deviation_1(name: str) -> None:
    process = PROCESSES[name]
    for draw in (process.market, process.spread):
        drawn = draw(np.random.default_rng(1), 40, 20_000)
        assert drawn.shape == (40, 20_000)
        assert drawn.mean() == pytest.approx(0.0, abs=0.02)
        # A deviation with fat tails in clusters is known to a few percent only.
        assert drawn.std() == pytest.approx(1.0, rel=0.1)


def test_the_clusters_are_those_of_the_embedded_market() -> None:
    told = {name: [p["alpha[1]"], p["beta[1]"], p["nu"]] for name, p in fitted().items()}
    assert told["market"] == pytest.approx([0.136, 0.830, 7.93], rel=0.01)
    assert told["spread"] == pytest.approx([0.106, 0.868, 6.84], rel=0.01)


def test_simulations_are_the_same_whoever_draws_them() -> None:
    found = experiment("alpha of a rotation without skill", "normal, 240 months, small")
    assert found.outcomes(0, 6) == [*found.outcomes(0, 3), *found.outcomes(3, 6)]


def test_the_table_marks_what_lies_outside() -> None:
    def experiment(kind: str) -> Experiment:
        return Experiment(f"a {kind}", "case", kind, lambda _: {})

    page = written(
        {
            experiment(COVERS): {"a": (950, 1000), "b": (910, 1000), "c": (0, 0)},
            experiment(REJECTS): {"a": (50, 1000), "b": (90, 1000), "c": (10, 1000)},
        }
    )
    assert "| case | 1000 | 95.0 | **91.0** | - |" in page
    assert "| case | 1000 | 5.0 | **9.0** | **1.0** |" in page
