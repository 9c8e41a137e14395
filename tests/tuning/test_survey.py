"""The survey against the dataset as pandas reads it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest.errors import UsageError
from backtest.tuning.grid import Axis, Grid
from backtest.tuning.objective import Objective, read_constraint
from backtest.tuning.results import Results, encode
from backtest.tuning.survey import DIGESTED, survey
from backtest.tuning.trials import EXCLUDED, MEASURED, REFUSED, STATUSES, UNKNOWN

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.scripting.strategy import Strategy

from backtest.measures import SWEPT

N_TRIALS, CHUNK = 500, 64
DAYS = (np.datetime64("1990-01-31"), np.datetime64("2020-01-31"))


def written(folder: Path, rate_cut: Strategy, status: np.ndarray, measures: np.ndarray) -> Results:
    """Write made-up measures as a sweep's dataset, in chunks."""
    parameters = {p.name: p for p in rate_cut.parameters}
    axes = [Axis(parameters["delay"], tuple(range(10))), Axis(parameters["hold"], tuple(range(1, 51)))]
    results = Results(folder, {"combinations": len(status), "chunk": CHUNK})
    results.trials.mkdir(parents=True)
    for which, start in enumerate(range(0, len(status), CHUNK)):
        part = slice(start, min(start + CHUNK, len(status)))
        numbers = np.arange(part.start, part.stop)
        results.write(which, encode(Grid(tuple(axes)), numbers, status[part], measures[part], DAYS))
    return results


@pytest.fixture
def made() -> tuple[np.ndarray, np.ndarray]:
    """Statuses and measures with repeated rows, undefined measures and rows that were not measured."""
    random = np.random.default_rng(5)
    status = random.choice([MEASURED, MEASURED, MEASURED, EXCLUDED, REFUSED, UNKNOWN], N_TRIALS).astype(
        np.int8
    )
    measures = random.normal(size=(N_TRIALS, len(SWEPT)))
    measures[:, SWEPT.index("switches")] = random.integers(0, 3, N_TRIALS)
    measures[random.integers(N_TRIALS, size=40), SWEPT.index("sharpe")] = np.nan
    measures[:, SWEPT.index("turnover")] = random.uniform(size=N_TRIALS)
    again = random.integers(N_TRIALS, size=(2, 120))
    measures[again[0]] = measures[again[1]]
    measures[status != MEASURED] = np.nan
    return status, measures


@pytest.mark.parametrize("name", ["sharpe", "turnover"])
def test_it_says_what_pandas_says(
    name: str, made: tuple[np.ndarray, np.ndarray], rate_cut: Strategy, tmp_path: Path
) -> None:
    results = written(tmp_path, rate_cut, *made)
    rows = pd.read_parquet(results.trials)
    rule = read_constraint("turnover<0.8", {}, SWEPT)
    found = survey(results, (Objective(name, (rule,)), Objective("max_drawdown", (rule,))))
    measured = rows[rows["status"] == "measured"]
    distinct = measured.index[~measured.duplicated(list(DIGESTED))]
    assert np.flatnonzero(found.distinct).tolist() == distinct.tolist()
    allowed = measured["turnover"] < 0.8
    for scores, measure, sign in zip(
        found.scores, (name, "max_drawdown"), (-1 if name == "turnover" else 1, 1), strict=True
    ):
        expected = sign * measured[measure].where(allowed).reindex(rows.index)
        np.testing.assert_array_equal(scores, expected.to_numpy())
    assert found.counts == {
        "combinations": N_TRIALS,
        **{status: int((rows["status"] == status).sum()) for status in STATUSES},
        "duplicates": len(measured) - len(distinct),
        "without_switch": int((measured["switches"] == 0).sum()),
        "not_eligible": len(measured) - int((allowed & measured[name].notna()).sum()),
        "tied_with_best": int((found.scores[0] == np.nanmax(found.scores[0])).sum()) - 1,
    }


def test_nothing_measured_and_nothing_to_choose_are_said(
    made: tuple[np.ndarray, np.ndarray], rate_cut: Strategy, tmp_path: Path
) -> None:
    status, measures = made
    none = written(tmp_path / "none", rate_cut, np.full(N_TRIALS, REFUSED, dtype=np.int8), measures * np.nan)
    with pytest.raises(UsageError, match="none of the 500 combinations could be measured: .*'refused': 500"):
        survey(none, (Objective("sharpe"),))
    measures[:, SWEPT.index("sharpe")] = np.nan
    flat = written(tmp_path / "flat", rate_cut, status, measures)
    with pytest.raises(UsageError, match="can be chosen: they break a constraint or have no sharpe"):
        survey(flat, (Objective("sharpe"),))
