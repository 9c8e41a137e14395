"""The market as a strategy sees it: roles, the sleeves' own past, and what it lacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtest import MarketData, RotationError, UsageError
from backtest.errors import DataError, LookAheadError
from backtest.market.data import Bars
from backtest.market.definition import markets_with


def with_returns(market: MarketData, returns: np.ndarray) -> MarketData:
    return replace(market, bars=Bars(market.bars.dates, market.bars.sleeves, returns))


def test_the_month_of_a_fill_is_not_in_what_it_knows_of_a_sleeve(embedded: MarketData) -> None:
    known = embedded.known()
    lead = (known.index("small") / known.index("large")).growth(12).at_fills[0]
    small, large = (np.log1p(embedded.bars.column(name)) for name in ("small", "large"))
    for fill in (13, 500, 1108):
        past = slice(fill - 12, fill)
        assert lead[fill] == pytest.approx(100 * np.expm1(small[past].sum() - large[past].sum()))
    assert np.isnan(lead[:13]).all()


def test_embedded_discount_is_the_five_year_lag(embedded: MarketData) -> None:
    market = embedded.known()
    lag = (market.index("small") / market.index("large")).growth(60).at_fills[0]
    discount = market.level("discount").in_percent()
    np.testing.assert_allclose(discount.at_fills[0][62:], -lag[62:], rtol=1e-9)
    assert (discount.unit, market.level("credit_spread").unit) == ("percent", "percent")


def test_what_the_market_lacks_is_named_with_a_market_that_has_it(embedded: MarketData) -> None:
    market = embedded.known()
    with pytest.raises(RotationError) as error:
        market.level("vix")
    assert error.value.exit_status == 1
    assert str(error.value).startswith("the market 'embedded' has no vix, which the strategy needs; french_")
    assert str(error.value).endswith("so add: --market french_monthly")
    # What needs a file that nobody has brought is left out, whatever its name and its bars.
    assert "french_first_prints" not in markets_with("vix", "monthly", "series")
    with pytest.raises(
        RotationError, match="FEDFUNDS, which the strategy needs, is not stored yet; get it"
    ) as error:
        market.level("FEDFUNDS")
    assert str(error.value).endswith("with: rotation data fetch FEDFUNDS")
    # One that a market of its own need not name: it comes with the installation.
    assert "MOODYS_AAA" not in market.names.roles
    assert len(market.level("MOODYS_AAA").dates) > 1000
    with pytest.raises(LookAheadError, match="USREC was not known in its time"):
        market.level("USREC")
    with pytest.raises(UsageError, match="has no series 'credit_spred'; did you mean 'credit_spread'?"):
        market.level("credit_spred")
    with pytest.raises(UsageError, match="has no sleeve 'smal'; did you mean 'small'?"):
        market.index("smal")


def test_a_sleeve_that_begins_late_and_ends_early_is_followed_between(embedded: MarketData) -> None:
    returns = embedded.bars.returns.copy()
    small = embedded.bars.sleeves.index("small")
    returns[:100, small] = returns[-50:, small] = np.nan
    index = with_returns(embedded, returns).known().index("small")
    assert np.flatnonzero(np.isfinite(index.values[0]))[0] == 100
    assert np.isnan(index.values[0, -50:]).all()
    # No news at the end: what was known last still stands.
    assert index.at_fills[0, -1] == index.values[0, -51]
    returns[500, small] = np.nan
    with pytest.raises(DataError, match="small has no return on 1968-03-29, so that its past cannot"):
        with_returns(embedded, returns).known().index("small")


@pytest.mark.usefixtures("stored")
def test_of_the_markets_that_have_something_what_is_stored_comes_first() -> None:
    assert markets_with("term_spread", "monthly", "series")[0] == "french_monthly"
    assert markets_with("term_spread", "daily", "series")[0] == "french_daily"
    # All regions have a discount; without the files of Japan the others of its bars go before it.
    whole = [market for market in markets_with("discount", "monthly", "series") if market != "embedded"]
    assert whole[0] == "french_monthly"
    assert whole.index("french_monthly") < whole.index("asia_pacific")
