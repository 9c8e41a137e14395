"""What a run saw is what was known at its fills, held against what the rule says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backtest import MarketData, load_strategy, run
from backtest.rules.seen import seen


def known_before(market: MarketData, series: str, day: np.datetime64) -> float:
    found = market.observations[series]
    return float([v for v, k in zip(found.values, found.known_at, strict=True) if k < day][-1])


def test_a_first_cut_is_seen_on_the_rate_with_the_days_of_the_design(embedded: MarketData) -> None:
    result = run("rate_cut", embedded)
    (one,) = seen(result.ruling, result.bars.dates)
    days = [np.datetime64(str(day.date())) for day in result.equity.index]
    assert one.values.tolist() == [known_before(embedded, embedded.policy or "", day) for day in days]
    assert one.events is not None
    assert [str(day) for day in one.events] == [
        "1984-09-20", "1987-11-04", "1989-06-06", "1995-07-06", "1998-09-29", "2001-01-03", "2007-09-18",
    ]  # fmt: skip


def test_a_level_is_seen_with_both_of_its_thresholds(embedded: MarketData) -> None:
    result = run("valuation_discount", embedded)
    (one,) = seen(result.ruling, result.bars.dates)
    wide, closed = float(result.parameters["wide"]), float(result.parameters["closed"])
    assert set(one.thresholds) == {wide, closed}
    # Small is bought where the level has just reached the wide end, and never held below the narrow one.
    small = result.weights["small"].to_numpy() > 0.5
    bought = np.flatnonzero(small[1:] & ~small[:-1]) + 1
    assert len(bought) > 2
    assert one.values[bought].min() >= wide - 1e-9
    assert one.values[:-1][small].min() >= closed - 1e-9


SCRIPT = '''"""A test."""

import numpy as np

from backtest import Market, Percent, param, rotate, strategy


@strategy
def own(market: Market, limit: Percent = param(2, low=0, high=50, help="limit")):
    spread = market.level("credit_spread")
    dates = market.events(["1990-05-02", "1800-01-01"]).within(0, 12)
    return rotate((spread > spread.average(12)) | (spread > limit) | (spread > 3) | dates, into="small", otherwise="large")
'''


def test_levels_that_cross_joined_thresholds_and_days_of_ones_own(
    embedded: MarketData, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(SCRIPT)
    result = run(str(tmp_path / "own.py"), embedded)
    spread, days = seen(result.ruling, result.bars.dates)
    assert spread.thresholds == (2.0, 3.0)
    ((label, average),) = spread.against
    assert "average" in label
    # The mean of the last twelve months, each as it was known.
    assert average[100] == pytest.approx(spread.values[89:101].mean())
    assert np.isnan(days.values).all()
    assert days.events is not None
    assert [str(day) for day in days.events] == ["1990-05-02"]
    assert "hindsight" in days.label


@pytest.mark.parametrize("name", ["buy_and_hold", "balanced", "january"])
def test_what_looks_at_nothing_saw_nothing(name: str, embedded: MarketData) -> None:
    result = run(name, embedded)
    assert seen(result.ruling, result.bars.dates) == []


def test_a_comparison_of_parameters_looks_at_nothing(embedded: MarketData, tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(
        '"""Two numbers."""\nfrom backtest import Market, Months, param, rotate, strategy\n'
        "@strategy\ndef two(market: Market, a: Months = param(3, low=0, high=24, help='one')):\n"
        "    return rotate(a > 2, into='small', otherwise='large')\n"
    )
    result = run(load_strategy(script), embedded)
    assert seen(result.ruling, result.bars.dates) == []
    assert result.report(tmp_path / "page").is_dir()
