"""Accounts joined by publication, valuations against sums done by hand, and the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import DataError, UsageError
from backtest.universe.about import take_in_about
from backtest.universe.build import Rules, build
from backtest.universe.fundamentals import known_accounts, read_accounts, take_in_accounts
from backtest.universe.intake import Intake, SetAside, take_in
from backtest.universe.mapping import Mapping, load_mapping
from backtest.universe.schemes import load_scheme
from backtest.universe.screen import screen
from backtest.universe.universe import Inputs, make_screen, make_universe
from backtest.universe.valuation import discounts, own_percentile, valuation_table
from backtest.universe.workshop import Relation, Workshop
from tests.universe.made import saved

DATES = pd.date_range("2020-01-31", "2021-12-31", freq="ME")
CAPS = {"S1": 1.0e9, "S2": 0.5e9, "S3": 1.5e9, "L1": 2.0e10, "L2": 3.0e10}


def _companies() -> pd.DataFrame:
    rows = [
        (date, company, cap * (1.0 + 0.01 * i), 10.0 * (1.0 + 0.01 * i), 0.01, "Tools", 8.0)
        for i, date in enumerate(DATES)
        for company, cap in CAPS.items()
    ]
    names = ["date", "company", "capitalisation", "price", "total_return", "industry", "fair_value"]
    return pd.DataFrame(rows, columns=names)


ACCOUNTS = """company,published,period_end,earnings,sales,book,debt,ebit,interest
S1,2020-03-15,2019-12-31,100e6,900e6,800e6,300e6,150e6,30e6
S2,2020-03-20,2019-12-31,-60e6,400e6,200e6,500e6,-40e6,50e6
S3,2020-04-10,2019-12-31,90e6,1200e6,1000e6,,,
L1,2020-02-10,2019-12-31,1000e6,9e9,5e9,4e9,1.5e9,0.1e9
L2,2020-02-12,2019-12-31,900e6,8e9,6e9,2e9,1.2e9,0.1e9
S1,2021-03-15,2020-12-31,150e6,1000e6,850e6,300e6,200e6,30e6
L1,2021-02-10,2020-12-31,900e6,9e9,5.5e9,4e9,1.4e9,0.1e9
L1,2021-05-10,2019-12-31,1e6,9e9,5e9,4e9,1.5e9,0.1e9
S1,2019-01-01,2019-12-31,7e6,1,1,1,1,1
XX,2020-02-12,2019-12-31,900e6,8e9,6e9,2e9,1.2e9,0.1e9
"""


@contextmanager
def _valued(
    folder: Path, accounts: str = ACCOUNTS
) -> Iterator[tuple[Workshop, Intake, Relation, list[SetAside]]]:
    path = folder / "accounts.csv"
    path.write_text(accounts)
    with Workshop("500MB") as shop:
        table = take_in(shop, saved(_companies(), folder), Mapping(currency="USD"), "USD")
        portfolios = build(shop, table, load_scheme("us"), Rules())
        filed = read_accounts(shop, [path], Mapping(), "USD")
        known, aside = take_in_accounts(shop, filed.rows, table, take_in_about(shop, [], Mapping()))
        valued, odd = known_accounts(shop, known, table, portfolios)
        yield shop, table, valued, aside + odd


def _row(table: pd.DataFrame, date: str, name: str) -> dict[str, float]:
    return table[(table["date"] == date) & (table["class"] == name)].iloc[0].to_dict()


def test_accounts_count_from_the_day_they_were_published(tmp_path: Path) -> None:
    with _valued(tmp_path) as (shop, table, valued, aside):
        known = shop.frame(f"SELECT date, company, earnings FROM {valued} JOIN {table.lines} USING (id)")
    at = known.set_index(["company", known["date"].dt.strftime("%Y-%m")])["earnings"]
    assert np.isnan(at["S1", "2020-02"])
    assert at["S1", "2020-03"] == 100e6
    assert np.isnan(at["S3", "2020-03"])
    assert at["S3", "2020-04"] == 90e6
    assert at["L1", "2021-01"] == 1000e6
    assert at["L1", "2021-02"] == 900e6
    assert at["L1", "2021-06"] == 900e6  # what came later about an earlier year does not replace it
    assert at["S2", "2021-06"] == -60e6
    assert np.isnan(at["S2", "2021-07"])  # older than a year and a half
    assert {a.reason: (a.rows, a.examples) for a in aside} == {
        "accounts published before their year ended": (1, ("S1 2019-01-01",)),
        "accounts of companies that the table of companies does not have": (1, ("XX 2020-02-12",)),
    }


def test_a_later_filing_about_the_same_year_keeps_what_was_filed_before(tmp_path: Path) -> None:
    accounts = (
        "company,published,period_end,earnings,book\nS1,2020-03-01,2019-12-31,100e6,\n"
        "S1,2020-03-10,2019-12-31,,800e6\nS1,2021-03-01,2020-12-31,120e6,\n"
    )
    with _valued(tmp_path, accounts) as (shop, table, valued, _):
        known = shop.rows(f"SELECT earnings, book FROM {valued} JOIN {table.lines} USING (id) WHERE company = 'S1' "
                          "AND date IN ('2020-03-31', '2021-03-31') ORDER BY date")  # fmt: skip
    assert known == [(100e6, 800e6), (120e6, None)]


def test_ratios_are_sums_over_sums(tmp_path: Path) -> None:
    with _valued(tmp_path) as (shop, _, valued, _):
        tables = {
            losses: valuation_table(shop, load_scheme("us"), valued, losses)
            for losses in ("keep", "drop", "report")
        }
    grown = 1.05  # of every capitalisation by June 2020
    small = {losses: _row(table, "2020-06-30", "small") for losses, table in tables.items()}
    assert small["keep"]["pe"] == pytest.approx(3.0e9 * grown / 130e6, rel=1e-12)
    assert small["drop"]["pe"] == pytest.approx(2.5e9 * grown / 190e6, rel=1e-12)
    assert small["report"]["pe"] == small["keep"]["pe"]
    assert small["report"]["pe_without_losses"] == small["drop"]["pe"]
    for table in small.values():
        assert (table["pe_losses"], table["pe_companies"]) == (1, 3)
        assert table["pe_losses_share"] == pytest.approx(0.5 / 3.0, rel=1e-12)
        assert table["pe_median"] == pytest.approx(grown * (10.0 + 1.5e9 / 90e6) / 2.0, rel=1e-12)
    assert small["keep"]["ps"] == pytest.approx(3.0e9 * grown / 2500e6, rel=1e-12)
    assert small["keep"]["pb"] == pytest.approx(3.0e9 * grown / 2000e6, rel=1e-12)
    # Debt, EBIT and interest of the companies that have both figures of the ratio.
    assert small["keep"]["debt_to_ebit"] == pytest.approx(800e6 / 110e6, rel=1e-12)
    assert small["keep"]["interest_cover"] == pytest.approx(110e6 / 80e6, rel=1e-12)
    assert small["keep"]["fair_discount"] == pytest.approx(1.0 - 10.0 * grown / 8.0, rel=1e-12)
    assert small["keep"]["covered"] == 1.0


def test_growth_is_that_of_companies_known_at_both_ends(tmp_path: Path) -> None:
    with _valued(tmp_path) as (shop, _, valued, _):
        table = valuation_table(shop, load_scheme("us"), valued, "keep")
    small = _row(table, "2021-04-30", "small")
    assert small["growth_companies"] == 1  # S1; the others have no newer account
    assert small["earnings_growth"] == pytest.approx(0.5, rel=1e-12)
    assert small["capitalisation_growth"] == pytest.approx(1.15 / 1.03 - 1.0, rel=1e-12)


def test_the_discount_is_that_of_small_to_large_and_knows_its_own_past_only(tmp_path: Path) -> None:
    with _valued(tmp_path) as (shop, _, valued, _):
        table = valuation_table(shop, load_scheme("us"), valued, "report")
    found = discounts(table, load_scheme("us"))
    small, large = (_row(table, "2020-06-30", name)["pb"] for name in ("small", "large"))
    assert found.loc["2020-06-30", "discount_pb"] == pytest.approx(1.0 - small / large, rel=1e-12)
    # In February no small company had published, in March companies with half of the capitalisation of small ones.
    assert np.isnan(found.loc["2020-02-29", "discount_pb"])
    assert np.isfinite(found.loc["2020-03-31", "discount_pb"])


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-5, 5)), max_size=40))
def test_a_percentile_is_one_of_the_past(values: list[float]) -> None:
    found = own_percentile(np.array(values, dtype=np.float64))
    for i, value in enumerate(values):
        past = [v for v in values[: i + 1] if v == v]
        if value != value:
            assert np.isnan(found[i])
        else:
            assert found[i] == pytest.approx(sum(v <= value for v in past) / len(past), abs=1e-15)


def test_accounts_in_other_units_are_not_used(tmp_path: Path) -> None:
    wrong = ACCOUNTS.replace("S1,2020-03-15,2019-12-31,100e6,900e6", "S1,2020-03-15,2019-12-31,100e6,900e9")
    with _valued(tmp_path, wrong) as (shop, table, valued, aside):
        sales = shop.value(
            f"SELECT sales FROM {valued} JOIN {table.lines} USING (id) WHERE company = 'S1' AND date = '2020-06-30'"
        )
        kept = shop.value(
            f"SELECT earnings FROM {valued} JOIN {table.lines} USING (id) WHERE company = 'S1' AND date = '2020-06-30'"
        )
    assert sales is None
    assert kept == 100e6
    odd = [a for a in aside if "100 times the capitalisation" in a.reason]
    assert [a.rows for a in odd] == [12]  # March 2020 to February 2021
    assert odd[0].examples[0].startswith("S1")


@pytest.mark.parametrize(
    ("accounts", "sentence"),
    [
        (
            "company,publishd,earnings\nS1,2020-01-01,5\n",
            "no column 'published' for published; did you mean 'publishd'?",
        ),
        ("company,published,profit\nS1,2020-01-01,5\n", "has none of the figures earnings, sales"),
        (
            "company,published,currency,earnings\nS1,2020-01-01,THB,5\n",
            "counted in THB, capitalisations in USD",
        ),
    ],
)
def test_accounts_that_cannot_be_joined_are_refused(tmp_path: Path, accounts: str, sentence: str) -> None:
    with pytest.raises((UsageError, DataError)) as refused, _valued(tmp_path, accounts):
        pass
    assert sentence in str(refused.value)


def test_columns_are_added_up_and_turned_round_by_the_mapping(tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[fundamentals]\ncompany = "T"\npublished = "P"\ndebt = ["short", "long"]\ninterest = "-cost"\n'
        "[fundamentals_company]\n'_old$' = \"\"\n"
    )
    accounts = tmp_path / "a.csv"
    accounts.write_text("T;P;short;long;cost\nS1_old;2020-02-01;5;7;-3\nS2;2020-02-01;5;;-4\n")
    with Workshop("500MB") as shop:
        table = take_in(shop, saved(_companies(), tmp_path), Mapping(currency="USD"), "USD")
        filed = read_accounts(shop, [accounts], load_mapping(str(mapping)), "USD")
        known, _ = take_in_accounts(shop, filed.rows, table, take_in_about(shop, [], Mapping()))
        found = shop.rows(f"SELECT issuer, debt, interest, earnings FROM {known} ORDER BY issuer")
    assert found == [("S1", 12.0, 3.0, None), ("S2", 5.0, 4.0, None)]


def test_the_screen_flags_with_a_reason(tmp_path: Path) -> None:
    cheap = ACCOUNTS.replace(
        "S1,2020-03-15,2019-12-31,100e6,900e6,800e6", "S1,2020-03-15,2019-12-31,100e6,5e9,4e9"
    )
    with _valued(tmp_path, cheap) as (shop, taken, valued, _):
        table = screen(shop, load_scheme("us"), taken.lines, valued, np.datetime64("2020-06-30")).set_index(
            "company"
        )
        with pytest.raises(UsageError, match="the nearest date with classes is 2020-06-30"):
            screen(shop, load_scheme("us"), taken.lines, valued, np.datetime64("2020-06-29"))
    assert table.loc["S1", "flags"] == "cheap on P/S; cheap on P/B"
    assert table.loc["S1", "reason"] == "P/S 0.2 against 1.3 (all small); P/B 0.3 against 1.6 (all small)"
    assert table.loc["S2", "flags"].endswith("loss")
    assert np.isnan(table.loc["S2", "pe"])
    assert table.loc["S1", "ps_peers"] == pytest.approx(np.median([0.21, 1.3125, 1.3125]), rel=1e-12)


def test_an_industry_with_enough_companies_is_its_own_measure(tmp_path: Path) -> None:
    rows = [
        (date, f"{industry}{k}", 1e9, 10.0, 0.0, industry)
        for date in DATES
        for industry in ("A", "B")
        for k in range(6)
    ]
    table = pd.DataFrame(
        rows, columns=["date", "company", "capitalisation", "price", "total_return", "industry"]
    )
    accounts = tmp_path / "accounts.csv"
    lines = [f"{i}{k},2020-02-01,2019-12-31,{e + k}e6" for i, e in (("A", 100), ("B", 20)) for k in range(6)]
    accounts.write_text("company,published,period_end,earnings\n" + "\n".join(lines) + "\n")
    inputs = Inputs(saved(table, tmp_path), fundamentals=(accounts,))
    found, date = make_screen(inputs, Rules(), None)
    assert str(date) == "2021-12-31"
    found, _ = make_screen(inputs, Rules(), "2020-06-30")
    peers = found.set_index("company")["pe_peers"]
    assert peers["A0"] == pytest.approx(np.median([1e9 / ((100 + k) * 1e6) for k in range(6)]), rel=1e-12)
    assert peers["B3"] == pytest.approx(np.median([1e9 / ((20 + k) * 1e6) for k in range(6)]), rel=1e-12)
    assert (found["pe_held_against"] == found["industry"] + ", small").all()


def test_a_policy_for_losses_that_is_none_is_refused(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(ACCOUNTS)
    with pytest.raises(UsageError, match="no policy 'dropp' for losses; did you mean 'drop'?"):
        make_universe(
            Inputs(saved(_companies(), tmp_path), fundamentals=(accounts,), losses="dropp"), Rules()
        )
