"""The strategies that wait for a level, against plain loops over the original tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from backtest import run
from tests.oracle.embedded_facts import (
    at_fills,
    between,
    credit_spread,
    discount,
    percentile,
    until_cut_short,
)

if TYPE_CHECKING:
    from backtest import MarketData, Run


def holds_small(result: Run, wanted: pd.Series) -> None:
    """Assert that the run begins where the answers do, and holds small in the month after each yes, only then."""
    assert result.start == str(wanted.index[0].date())
    held = result.weights["small"]
    assert (held.index == wanted.index[1:]).all()
    assert 0.0 < wanted.mean() < 1.0
    pd.testing.assert_series_equal(
        held == 1.0, pd.Series(wanted.to_numpy()[:-1], index=held.index), check_names=False, check_freq=False
    )
    assert ((held == 1.0) | (result.weights["large"] == 1.0)).all()


@pytest.mark.parametrize("same_close", [False, True])
@pytest.mark.parametrize("measure", ["percentile", "level", "change"])
def test_credit_leaves_small_caps_while_the_spread_of_last_month_is_wide(
    measure: str, same_close: bool, embedded: MarketData
) -> None:
    spread = credit_spread()
    values, wide, narrow = {
        "percentile": (percentile(spread, 60), 80, 60),
        "level": (spread, 1.2, 1.0),
        "change": ((spread - spread.shift(3)).dropna(), 0.2, 0.0),
    }[measure]
    # A month's average comes out on the first business day of the next: at no close of its own month.
    tight = between(at_fills(values, 1), wide, narrow)
    holds_small(run("credit", embedded, measure=measure, same_close=same_close), ~tight)


@pytest.mark.parametrize("same_close", [False, True])
@pytest.mark.parametrize("measure", ["percentile", "level"])
def test_valuation_discount_holds_small_caps_from_a_wide_discount_until_it_has_closed(
    measure: str, same_close: bool, embedded: MarketData
) -> None:
    found = discount()
    values, wide, closed = {"percentile": (percentile(found, 60), 80, 50), "level": (found, 17, 0)}[measure]
    # The returns of a month are known at its close, at which nothing can be traded on them any more.
    cheap = between(at_fills(values, 0 if same_close else 1), wide, closed)
    result = run("valuation_discount", embedded, measure=measure, same_close=same_close)
    holds_small(result, until_cut_short(cheap, 60))
