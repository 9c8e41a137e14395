"""What a class's return hangs on, held against slow loops and against pandas by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest.universe.build import Rules
from backtest.universe.hangs import APART, hangs, too_good
from backtest.universe.schemes import load_scheme
from backtest.universe.universe import Inputs, make_universe
from tests.universe.made import built, companies, saved
from tests.universe.slow import Slow

if TYPE_CHECKING:
    from pathlib import Path

US = [300e6, 2e9, 10e9]
NAMES = ("micro", "small", "mid", "large")


def _a_year(by_bar: dict[tuple[int, int], float], number: int, dates: list[pd.Timestamp]) -> float:
    """Return the growth a year of a class, from the close before the first bar on which any class returns."""
    first = min(bar for bar, _ in by_bar) - 1
    years = (dates[-1] - dates[first]).days / 365.2425
    grown = np.prod([1.0 + value for (_, which), value in by_bar.items() if which == number])
    return float(grown ** (1.0 / years) - 1.0)


@pytest.mark.parametrize("delisting", [math.nan, -0.1])
def test_what_vanishes_at_each_return_is_what_a_build_at_it_gives(tmp_path: Path, delisting: float) -> None:
    table = companies(120, 150, seed=7, gaps=0.05)
    dates = sorted(table["date"].unique())
    with built(saved(table, tmp_path), "us", Rules(carry=1, delisting=delisting)) as (_, _, portfolios):
        found = hangs(portfolios, load_scheme("us"), delisting).set_index(["class", "weights"])
    ways = {"built": delisting, "last_value": math.nan, "at_30": -0.3, "at_100": -1.0}
    slow = {way: Slow(US, carry=1, delisting=at).run(table) for way, at in ways.items()}
    for way, told in slow.items():
        for number, name in enumerate(NAMES):
            for weights, by_bar in (("capitalisation", told.by_cap), ("equal", told.equal)):
                expected = _a_year(by_bar, number, dates)
                assert found.loc[(name, weights), way] == pytest.approx(expected, abs=1e-9)
    gone = sum(slow["at_100"].counts.values()) - sum(slow["last_value"].counts.values())
    assert gone > 20
    bars = {bar for bar, _ in slow["last_value"].counts}
    years = (dates[-1] - dates[min(bars) - 1]).days / 365.2425
    held = sum(slow["last_value"].counts.values()) / len(bars)
    assert found.loc[("market", "equal"), "vanished"] == pytest.approx(gone / years / held)
    assert (found["at_100"] < found["at_30"]).all()


def _jumping(seed: int = 5) -> pd.DataFrame:
    """Return monthly rows of micro companies of which a few gain fivefold and tenfold in a month."""
    random = np.random.default_rng(seed)
    dates = pd.bdate_range("2015-01-01", "2018-12-31", freq="BME")
    returns = random.normal(0.0, 0.05, (len(dates), 40))
    for bar, who, gain in ((5, 3, 4.5), (5, 4, 9.0), (20, 7, 3.0), (33, 9, 3.01)):
        returns[bar, who] = gain
    cap = 1e6 * (1.0 + np.arange(40)) * np.ones((len(dates), 1))
    rows = pd.MultiIndex.from_product([dates, [f"C{n:02}" for n in range(40)]], names=["date", "company"])
    content = {"capitalisation": cap.ravel(), "total_return": returns.ravel()}
    return pd.DataFrame(content, index=rows).reset_index()


def test_steep_gains_are_counted_and_taken_out(tmp_path: Path) -> None:
    table = _jumping()
    universe = make_universe(Inputs(saved(table, tmp_path)), Rules())
    equal = universe.hangs.set_index(["class", "weights"]).loc[("micro", "equal")]
    wide = table.pivot_table(index="date", columns="company", values="total_return").iloc[1:]
    weights = np.arange(1.0, 41.0)
    years = (wide.index[-1] - table["date"].min()).days / 365.2425

    def a_year(returns: pd.Series[float]) -> float:
        return float((1.0 + returns).prod() ** (1.0 / years) - 1.0)

    kept = wide.where(wide <= 3.0)
    assert equal["steep"] == 3  # a gain of exactly 300% is not above it
    assert equal["built"] == pytest.approx(a_year(wide.mean(axis=1)), abs=1e-12)
    assert equal["without_steep"] == pytest.approx(a_year(kept.mean(axis=1)), abs=1e-12)
    cap = universe.hangs.set_index(["class", "weights"]).loc[("micro", "capitalisation")]
    by_cap = (kept * weights).sum(axis=1) / (kept.notna() * weights).sum(axis=1)
    assert cap["without_steep"] == pytest.approx(a_year(by_cap), abs=1e-12)

    apart = equal["built"] - cap["built"]
    assert apart > APART
    (said, _) = too_good(universe.hangs)  # of the class, and of the market, which is the same here
    assert f"micro: equal weights gained {equal['built']:.1%} a year" in said
    assert "bid-ask bounce" in said
    assert "without the 3 gains above 300% in a bar, many of them splits" in said
    assert said.endswith(f"it is {equal['without_steep']:.1%}.")


def test_bounce_alone_is_warned_of(tmp_path: Path) -> None:
    # Prices that stand still, closing at a bid or an ask 20% apart: nobody earns anything.
    random = np.random.default_rng(1)
    dates = pd.bdate_range("2015-01-01", "2018-12-31", freq="BME")
    price = 10.0 + random.choice([-1.0, 1.0], (len(dates), 60))
    rows = pd.MultiIndex.from_product([dates, [f"C{n:02}" for n in range(60)]], names=["date", "company"])
    table = pd.DataFrame({"price": price.ravel(), "shares": 1e6}, index=rows).reset_index()
    universe = make_universe(Inputs(saved(table, tmp_path)), Rules())
    micro = universe.hangs[universe.hangs["class"] == "micro"].set_index("weights")["built"]
    years = (dates[-1] - dates[0]).days / 365.2425
    equal = np.prod((price[1:] / price[:-1]).mean(axis=1)) ** (1.0 / years) - 1.0
    assert micro["equal"] == pytest.approx(equal, abs=1e-12)
    assert equal > 0.1  # out of nothing
    assert abs(micro["capitalisation"]) < 0.01  # its weights bounce with the prices
    assert too_good(universe.hangs)[0].startswith(f"micro: equal weights gained {equal:.1%} a year")


def test_companies_that_come_back_have_not_vanished(tmp_path: Path) -> None:
    table = companies(60, 130, seed=3, gaps=0.05)
    path = saved(table, tmp_path)
    assert "times a year: most are only absent" in too_good(make_universe(Inputs(path), Rules()).hangs)[0]
    held = make_universe(Inputs(path), Rules(carry=10)).hangs
    assert not [said for said in too_good(held) if "absent" in said]


def test_a_class_without_returns_hangs_on_nothing(tmp_path: Path) -> None:
    table = _jumping()[["date", "company", "capitalisation"]]
    universe = make_universe(Inputs(saved(table, tmp_path)), Rules())
    assert universe.hangs.empty
    assert too_good(universe.hangs) == []
