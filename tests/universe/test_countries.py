"""Whose companies: a national scheme leaves others out, or says how much of it they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest.cli.universe import universe
from backtest.errors import DataError, UsageError
from backtest.universe.build import Rules
from backtest.universe.countries import home_of
from backtest.universe.schemes import load_scheme
from backtest.universe.universe import Inputs, Universe, foreign, make_universe
from tests.universe.made import companies, saved

if TYPE_CHECKING:
    from pathlib import Path

PLACES = ["United States", "usa", "Taiwan", "Côte d'Ivoire", None]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return companies of several countries; some rows do not say it, and one company moves."""
    rows = companies(60, 100, seed=7, gaps=0.0)
    number = rows["company"].str[1:].astype(int)
    rows["country"] = [PLACES[n % 5] for n in number]
    random = np.random.default_rng(3)
    rows.loc[random.random(len(rows)) < 0.1, "country"] = None
    moved = (rows["company"] == "C0000") & (rows["date"] >= "2020-02-14")
    rows.loc[moved, "country"] = "Taiwan"
    return rows


def lived(table: pd.DataFrame) -> pd.Series[str]:
    """Return where each row's company lived, as far as its rows had said by then."""
    ordered = table.sort_values(["company", "date"])
    return ordered.groupby("company")["country"].ffill().reindex(table.index).fillna("").str.lower()


def made(table: pd.DataFrame, folder: Path, country: str | None = None, scheme: str = "us") -> Universe:
    return make_universe(Inputs(saved(table, folder), scheme=scheme, country=country), Rules(), members=True)


def test_companies_of_other_countries_are_left_out_of_a_national_scheme(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    found = made(table, tmp_path)
    home = lived(table).isin(["united states", "usa", ""])
    (aside,) = [a for a in found.set_aside if "another country" in a.reason]
    assert aside.reason == "left out: of another country than United States"
    assert aside.rows == (~home).sum() > 1000
    assert found.members is not None
    kept = table[home].set_index(["date", "company"])
    there = found.members.set_index(["date", "company"])
    assert len(there) > 100
    assert set(there.index) <= set(kept.index)
    # Nothing of the others is left in the returns: the same table without their rows makes the same classes.
    alone = made(table[home].drop(columns="country"), tmp_path)
    pd.testing.assert_frame_equal(found.returns, alone.returns)
    unsaid = lived(table)[home] == ""
    day = there.loc[there.index.get_level_values("date").max()]
    cap = kept["price"] * kept["shares"]
    last = cap[[key for key in kept.index if key in set(there.index) and key[0] == there.index[-1][0]]]
    share = last[unsaid.set_axis(kept.index)].sum() / last.sum()
    assert len(last) == len(day)
    assert f"Of {share:.1%} of the capitalisation the table does not say the country" in foreign(found)


def test_everybody_can_stay_and_is_told(table: pd.DataFrame, tmp_path: Path) -> None:
    found = made(table, tmp_path, "all")
    assert not [a for a in found.set_aside if "country" in a.reason]
    assert found.members is not None
    rows = found.members.merge(table.assign(home=lived(table)), on=["date", "company"])
    abroad = ~rows["home"].isin(["united states", "usa", ""])
    for (date, name), part in rows.groupby(["date", "class"]):
        told = found.classes[(found.classes["date"] == date) & (found.classes["class"] == name)].iloc[0]
        by_hand = part["capitalisation"][abroad[part.index]].sum() / part["capitalisation"].sum()
        assert told["foreign"] == pytest.approx(by_hand, abs=1e-12)
    last = rows[rows["date"] == rows["date"].max()]
    share = last["capitalisation"][abroad[last.index]].sum() / last["capitalisation"].sum()
    assert (
        f"Companies of other countries than United States are {share:.1%} of the capitalisation"
        in foreign(found)
    )


def test_another_country_can_be_asked_for_whatever_the_scheme(table: pd.DataFrame, tmp_path: Path) -> None:
    for scheme in ("us", "rank"):
        found = made(table, tmp_path, "côte d'ivoire", scheme)
        (aside,) = [a for a in found.set_aside if "another country" in a.reason]
        assert aside.rows == (~lived(table).isin(["côte d'ivoire", ""])).sum()
    assert not [a for a in made(table, tmp_path, None, "rank").set_aside if "country" in a.reason]


def test_what_is_known_of_a_country_comes_from_rows_before(table: pd.DataFrame, tmp_path: Path) -> None:
    later = table.copy()
    later.loc[later["date"] > "2020-02-28", "country"] = "Taiwan"
    early = [
        made(t, tmp_path).members.query("date <= '2020-02-28'").reset_index(drop=True)  # type: ignore[union-attr]
        for t in (table, later)
    ]
    pd.testing.assert_frame_equal(*early)


def test_a_table_without_countries_keeps_everybody(table: pd.DataFrame, tmp_path: Path) -> None:
    found = made(table.drop(columns="country"), tmp_path)
    assert foreign(found) == ""
    assert "foreign" not in found.classes


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--country", "Tiwan"], "no company of companies.csv is of Tiwan; did you mean 'Taiwan'?"),
        (["--scheme", "set"], "no company of companies.csv is of Thailand; "),
        (["--country", "'; DROP TABLE raw; --"], "no company of companies.csv is of '; DROP TABLE raw; --"),
    ],
)
def test_a_country_that_nobody_is_of_is_refused(
    table: pd.DataFrame, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    path = saved(table, tmp_path, "companies.csv")
    with pytest.raises(UsageError) as refused:
        universe("rotation universe", None, ["classify", str(path), *arguments])
    assert sentence in str(refused.value)
    assert "--country all" in str(refused.value)


def test_a_country_cannot_be_asked_of_a_table_without_one(table: pd.DataFrame, tmp_path: Path) -> None:
    path = saved(table.drop(columns="country"), tmp_path)
    with pytest.raises(UsageError, match="has no column 'country', so companies of Taiwan cannot be told"):
        universe("rotation universe", None, ["classify", str(path), "--country", "Taiwan"])
    nobody = saved(table.assign(country=None), tmp_path, "nobody.parquet")
    with pytest.raises((UsageError, DataError), match="no company of nobody.parquet is of United States"):
        universe("rotation universe", None, ["classify", str(nobody)])


def test_a_scheme_scaled_to_another_currency_is_for_no_country_until_it_says() -> None:
    us = load_scheme("us_six")
    assert home_of(us, None).names[0] == "United States"
    assert home_of(us.scaled(31.0, 1.6, "THB"), None).names == ()
    assert home_of(load_scheme("us_six_in_baht"), None).names[0] == "Thailand"
    assert home_of(load_scheme("us_cpi"), "us") == home_of(load_scheme("us_cpi"), "United States")
