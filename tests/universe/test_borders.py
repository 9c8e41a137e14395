"""Borders that depend on other companies, or on a series, against the same found by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.errors import DataError, UsageError
from backtest.universe.build import Rules, build
from backtest.universe.intake import take_in
from backtest.universe.mapping import Mapping
from backtest.universe.schemes import load_scheme
from backtest.universe.workshop import Workshop
from tests.universe.made import built, companies, saved


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    content = companies(150, 70, seed=23)
    content["exchange"] = np.where(content["company"].str[-1].isin(list("123")), "NYSE", "Nasdaq")
    return content


def _sizes(table: pd.DataFrame, date: np.datetime64) -> pd.DataFrame:
    day = table[table["date"] == pd.Timestamp(date)]
    return day.assign(size=day["price"] * day["shares"]).sort_values("size", ascending=False)


def _scheme(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(f'title = "t"\nsource = "s"\n{text}')
    return str(path)


def test_by_rank(tmp_path: Path, table: pd.DataFrame) -> None:
    scheme = load_scheme(
        _scheme(tmp_path, 'by = "rank"\nclasses = ["micro", "small", "large"]\nborders = [80, 20]')
    )
    with built(saved(table, tmp_path), scheme) as (shop, _, portfolios):
        for row, bar in zip(portfolios.borders, portfolios.formed, strict=True):
            sizes = _sizes(table, portfolios.dates[bar])["size"].to_numpy()
            assert row.tolist() == [sizes[79], sizes[19]]
            counts = dict(
                shop.rows(
                    f"SELECT class, count(*) FROM {portfolios.members} WHERE bar = {bar} GROUP BY class"
                )
            )
            assert counts == {2: 20, 1: 60, 0: len(sizes) - 80}


def test_by_rank_with_fewer_companies_than_ranks(tmp_path: Path, table: pd.DataFrame) -> None:
    scheme = load_scheme(_scheme(tmp_path, 'by = "rank"\nclasses = ["small", "large"]\nborders = [1000]'))
    with built(saved(table, tmp_path), scheme) as (shop, _, portfolios):
        assert shop.value(f"SELECT min(class) FROM {portfolios.members}") == 1


def test_by_cumulative_capitalisation(tmp_path: Path, table: pd.DataFrame) -> None:
    with built(saved(table, tmp_path), "cumulative") as (_, _, portfolios):
        for row, bar in zip(portfolios.borders, portfolios.formed, strict=True):
            sizes = _sizes(table, portfolios.dates[bar])["size"].to_numpy()
            reached = np.cumsum(sizes) / sizes.sum()
            expected = [sizes[np.argmax(reached >= share)] for share in (0.98, 0.85, 0.70)]
            np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_by_the_median_of_a_reference_exchange(tmp_path: Path, table: pd.DataFrame) -> None:
    with built(saved(table, tmp_path), "nyse_halves") as (_, _, portfolios):
        for row, bar in zip(portfolios.borders, portfolios.formed, strict=True):
            sizes = _sizes(table, portfolios.dates[bar])
            median = sizes.loc[sizes["exchange"] == "NYSE", "size"].median()
            np.testing.assert_allclose(row, [median], rtol=1e-12)


def test_a_table_without_the_exchange_is_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    content = table.drop(columns="exchange")
    with pytest.raises(DataError, match="listed on 'nyse'"), built(saved(content, tmp_path), "nyse_halves"):
        pass


def test_borders_that_move_with_total_capitalisation(tmp_path: Path, table: pd.DataFrame) -> None:
    with built(saved(table, tmp_path), "us_share") as (_, _, portfolios):
        for row, bar in zip(portfolios.borders, portfolios.formed, strict=True):
            total = _sizes(table, portfolios.dates[bar])["size"].sum()
            np.testing.assert_allclose(row, np.array([3e8, 2e9, 1e10]) * total / 5e13, rtol=1e-12)


def test_borders_that_move_with_prices_use_what_had_been_published(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    index = tmp_path / "cpi.csv"
    index.write_text(
        "observation_date,CPIAUCSL\n2019-11-01,300\n2019-12-01,310\n2020-01-01,320\n2020-02-01,330\n"
    )
    scheme = load_scheme("us_cpi")
    with Workshop("500MB") as shop:
        taken = take_in(shop, saved(table, tmp_path), Mapping(), "USD")
        portfolios = build(shop, taken, scheme, Rules(), index)
    known = {
        "2019-11": np.nan,
        "2019-12": 300.0,
        "2020-01": 310.0,
        "2020-02": 320.0,
    }  # on the 17th of the next month
    for row, bar in zip(portfolios.borders, portfolios.formed, strict=True):
        level = known[str(portfolios.dates[bar])[:7]]
        np.testing.assert_allclose(row, np.array([3e8, 2e9, 1e10]) * level / 317.604, rtol=1e-12)
    # Before the first value there are no classes, and so no returns.
    assert portfolios.sums["held"]["count"][: portfolios.formed[1] + 1].sum() == 0.0
    assert portfolios.sums["held"]["count"][portfolios.formed[1] + 1 :].sum() > 0.0


def test_an_index_that_is_not_given_or_not_dated_is_asked_for(tmp_path: Path, table: pd.DataFrame) -> None:
    with (
        pytest.raises(UsageError, match="give its values with --index"),
        built(saved(table, tmp_path), "us_cpi"),
    ):
        pass
    index = tmp_path / "mine.csv"
    index.write_text("date,value\n2019-11-01,300\n")
    scheme = load_scheme(
        _scheme(
            tmp_path, 'currency = "USD"\nclasses = ["a", "b"]\nborders = [5]\nindex = "MINE"\nindex_base = 1'
        )
    )
    with Workshop("500MB") as shop, pytest.raises(UsageError, match="add a column known_at"):
        build(shop, take_in(shop, saved(table, tmp_path), Mapping(), "USD"), scheme, Rules(), index)
