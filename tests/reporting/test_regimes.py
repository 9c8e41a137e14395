"""The breakdown of runs by regime: each bar of a run in its group, against plain loops over the original tables."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest import run
from backtest.records import shading
from backtest.records.sheet import Sheet
from backtest.reporting.regime_notes import regime_note
from backtest.series import Series
from tests.oracle.embedded_facts import at_fills, business_cycles, discount, policy_states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backtest import MarketData, Run

GROUPS = {
    "policy rate": ["cutting", "rising", "on hold"],
    "business cycle": ["recession", "expansion"],
    "discount of small": ["wide", "narrow"],
    "decade": [f"{year}s" for year in range(1920, 2020, 10)],
}


def states(result: Run) -> dict[str, list[str | None]]:
    """Return of every bar of a run the group that it belongs to, by breakdown."""
    days = [pd.Timestamp(result.start), *result.returns.index]
    # What a fill at the close of a month may know is the discount of the month before.
    known = at_fills(discount(), 0 if result.terms.same_close else 1).reindex(days[:-1])
    middle = known.median()
    return {
        "policy rate": policy_states(days),
        "business cycle": business_cycles(result.returns.index),
        "discount of small": [
            None if np.isnan(value) else "wide" if value > middle else "narrow" for value in known
        ],
        "decade": [f"{day.year // 10 * 10}s" for day in days[1:]],
    }


def agree(found: Mapping[str, list], result: Run, said: list[str | None], name: str) -> None:
    own, benchmark = result.returns.to_numpy(), result.benchmark_returns["market"].to_numpy()
    rows = {row.name: row for row in found[name]}
    assert list(rows) == [group for group in GROUPS[name] if group in said]
    for group, row in rows.items():
        inside = [i for i, state in enumerate(said) if state == group]
        assert row.bars == len(inside)
        means = (own[inside].mean() * 12.0, benchmark[inside].mean() * 12.0)
        assert row.means == pytest.approx(means, rel=1e-10, abs=1e-12)
        assert row.difference == pytest.approx(means[0] - means[1], rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("same_close", [False, True])
@pytest.mark.parametrize("strategy", ["credit", "valuation_discount"])
def test_every_bar_is_in_the_group_of_its_days(strategy: str, same_close: bool, embedded: MarketData) -> None:
    result = run(strategy, embedded, same_close=same_close)
    found = Sheet(result).regimes
    assert list(found) == list(GROUPS)
    for name, said in states(result).items():
        agree(found, result, said, name)


def test_the_notes_count_the_months_that_the_rows_cover(embedded: MarketData) -> None:
    result = run("buy_and_hold", embedded)
    shown, said = Sheet(result), states(result)
    total = len(result.returns)
    for name in ("policy rate", "business cycle", "discount of small"):
        inside = sum(state is not None for state in said[name])
        note = regime_note(name, shown.regimes[name], result, shown.record)
        covers = f"only the {inside:,} of {total:,} months" if inside < total else f"all {total:,} months"
        assert f"The rows cover {covers}" in note
    assert len({sum(state is not None for state in said[name]) for name in said}) == 3


def test_a_recession_by_the_month_begins_in_its_own_month_and_one_by_its_peak_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days = np.array(["2007-12-01", "2009-06-01"], dtype="datetime64[D]")
    series = Series("USREC", days, np.array([1.0, 0.0]), days)
    seen = SimpleNamespace(hindsight={"USREC": series})
    for frequency, first, last in (
        ("irregular", "2008-01-01", "2009-06-30"),
        ("monthly", "2007-12-01", "2009-05-31"),
    ):
        monkeypatch.setattr(shading, "entry", lambda _, f=frequency: SimpleNamespace(frequency=f))
        turns, values = shading.recession_turns(seen)
        assert turns.astype(str).tolist() == [first, str(np.datetime64(last) + 1)]
        assert values.tolist() == [1.0, 0.0]
