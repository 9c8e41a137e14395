"""The market folder: what is written is what a run reads."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from backtest import load_market, run
from backtest.errors import DataError
from backtest.reporting.html import render
from backtest.reporting.universe import universe_page
from backtest.universe.build import Rules
from backtest.universe.folder import UniverseRecord, measures, write_market
from backtest.universe.universe import Inputs, Universe, make_universe
from tests.universe.made import companies, saved

ACCOUNTS = "company,published,period_end,earnings,sales,book\n"


def _made(folder: Path, table: pd.DataFrame, **inputs: object) -> Universe:
    accounts = folder / "accounts.csv"
    lines = [f"C{n:04},2019-12-02,2019-11-30,{n - 3}e6,{n + 1}e7,{n + 5}e6" for n in range(200)]
    accounts.write_text(ACCOUNTS + "\n".join(lines) + "\n")
    return make_universe(
        Inputs(saved(table, folder), fundamentals=(accounts,), **inputs),  # type: ignore[arg-type]
        Rules(),
        members=True,
    )


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    return _made(tmp_path_factory.mktemp("universe"), companies(150, 130, seed=31))


def test_the_market_has_the_returns_of_the_universe(tmp_path: Path, universe: Universe) -> None:
    (tmp_path / "mine").mkdir()
    record = write_market(tmp_path / "mine", universe, "mine")
    market = load_market(str(tmp_path / "mine"))
    assert market.name == "mine"
    assert market.frequency == "daily"
    assert set(market.bars.sleeves) == {"micro", "small", "mid", "large", "market", "cash"}
    known = universe.returns[universe.returns["market"].notna()]
    assert market.bars.dates.tolist() == known.index.to_numpy().astype("datetime64[D]").tolist()
    for name in ("micro", "small", "mid", "large", "market"):
        np.testing.assert_array_equal(market.bars.column(name), known[name].to_numpy())
    assert np.nanmax(np.abs(market.bars.column("cash")[1:])) == 0.0
    assert "cash earns nothing" in market.proxy
    kept = (tmp_path / "mine" / "universe.json").read_bytes()
    assert msgspec.json.decode(kept, type=UniverseRecord) == record
    assert set(record.files) == {"companies.parquet", "accounts.csv"}


def test_cash_may_earn_a_rate(tmp_path: Path, universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    from backtest.market.importing import Description, import_file

    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    months = pd.date_range("2019-09-01", "2020-12-01", freq="MS").strftime("%Y-%m-%d")
    (tmp_path / "bills.csv").write_text("\n".join(["date,bills", *(f"{day},3.65" for day in months)]) + "\n")
    rule = "the first business day of the next month"
    import_file(tmp_path / "bills.csv", Description("MY_BILLS", "rate", "percent", known_at=rule))
    (tmp_path / "mine").mkdir()
    write_market(tmp_path / "mine", universe, "mine", cash="MY_BILLS")
    market = load_market(str(tmp_path / "mine"))
    assert "cash earns nothing" not in market.proxy
    held = run("buy_and_hold", market, sleeve="cash", cost_bps=0.0)
    days = (pd.Timestamp(held.end) - pd.Timestamp(held.start)).days
    # 3.65 percent a year are one basis point a day.
    assert held.equity.iloc[-1] == pytest.approx(1.0001**days, rel=2e-4)


def test_a_folder_may_be_moved(tmp_path: Path, universe: Universe) -> None:
    (tmp_path / "first").mkdir()
    write_market(tmp_path / "first", universe, "first")
    (tmp_path / "first").rename(tmp_path / "second")
    assert load_market(str(tmp_path / "second")).name == "second"


def test_weights_may_be_equal(tmp_path: Path, universe: Universe) -> None:
    write_market(tmp_path, universe, "mine", weights="equal")
    known = universe.returns[universe.returns["market"].notna()]
    np.testing.assert_array_equal(
        load_market(str(tmp_path)).bars.column("small"), known["small_equal"].to_numpy()
    )


def test_strategies_can_ask_for_discount_and_concentration(tmp_path: Path, universe: Universe) -> None:
    write_market(tmp_path, universe, "mine")
    market = load_market(str(tmp_path))
    told = market.known().as_of("discount")
    found = measures(universe)["discount_pb"].dropna()
    dates = market.bars.dates
    for date, value in found.items():
        # Known at its close, so used from the fill after it.
        later = np.flatnonzero(dates > np.datetime64(date, "D"))  # type: ignore[call-overload]
        if len(later):
            assert told[later[0]] == value
    shares = universe.classes.query("`class` == 'large'").set_index("date")["share"]
    np.testing.assert_array_equal(measures(universe)["concentration"], shares)


def test_a_strategy_runs_on_it(tmp_path: Path, universe: Universe) -> None:
    write_market(tmp_path, universe, "mine")
    result = run("buy_and_hold", str(tmp_path))
    assert result.market.name == tmp_path.name
    assert len(result.returns) > 60


def test_prices_without_dividends_are_tagged(tmp_path: Path) -> None:
    table = companies(80, 100, seed=5).drop(columns="total_return")
    write_market(tmp_path, make_universe(Inputs(saved(table, tmp_path)), Rules()), "mine")
    assert "prices without dividends" in load_market(str(tmp_path)).proxy


def test_a_month_that_is_not_over_is_left_out(tmp_path: Path) -> None:
    dates = [*pd.date_range("2020-01-31", "2021-05-31", freq="ME"), pd.Timestamp("2021-06-15")]
    rows = [(d, c, cap, 10.0, 0.01) for d in dates for c, cap in (("A", 1e9), ("B", 5e10))]
    names = ["date", "company", "capitalisation", "price", "total_return"]
    path = saved(pd.DataFrame(rows, columns=names), tmp_path)
    write_market(tmp_path, make_universe(Inputs(path, scheme="us_three"), Rules()), "mine")
    market = load_market(str(tmp_path))
    assert market.frequency == "monthly"
    assert "mid" not in market.bars.sleeves  # no company was ever in it
    assert str(market.bars.dates[-1]) == "2021-05-31"
    assert "the month of 2021-06-15 was not over" in market.proxy


def test_classes_without_prices_have_no_market(tmp_path: Path) -> None:
    table = companies(30, 60).assign(capitalisation=lambda t: t["price"] * t["shares"])
    path = saved(table[["date", "company", "capitalisation"]], tmp_path)
    universe = make_universe(Inputs(path), Rules())
    assert not universe.has_returns
    assert universe.classes["companies"].sum() > 0
    assert universe.set_aside == []
    with pytest.raises(DataError, match="neither price nor total_return"):
        write_market(tmp_path, universe, "mine")


def test_a_damaged_folder_says_what_is_missing(tmp_path: Path, universe: Universe) -> None:
    write_market(tmp_path, universe, "mine")
    (tmp_path / "returns.parquet").unlink()
    with pytest.raises(DataError, match="returns.parquet is missing"):
        load_market(str(tmp_path))
    (tmp_path / "returns.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match="is not a Parquet file"):
        load_market(str(tmp_path))
    universe.classes.to_parquet(tmp_path / "returns.parquet")
    with pytest.raises(DataError, match="does not say what it holds"):
        load_market(str(tmp_path))


def test_the_page_is_whole_and_needs_nothing_else(universe: Universe) -> None:
    page = render(universe_page(universe, "<b>mine</b>"))
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert "<b>mine</b>" not in page
    for figure in ("shares", "growth", "migration", "concentration", "valuation"):
        assert f'<figure id="{figure}" class="chart"' in page
    for outside in ("<script ", "src=", "http-equiv", "@import"):
        assert outside not in page
    assert "nan" not in page.lower().replace("financ", "").replace("nano", "")


def test_the_page_of_classes_alone_has_no_growth_and_no_valuation(tmp_path: Path) -> None:
    table = companies(30, 60).assign(capitalisation=lambda t: t["price"] * t["shares"])
    path = saved(table[["date", "company", "capitalisation"]], tmp_path)
    page = render(universe_page(make_universe(Inputs(path), Rules()), "mine"))
    assert '<figure id="shares"' in page
    assert '<figure id="growth"' not in page
    assert '<figure id="valuation"' not in page
