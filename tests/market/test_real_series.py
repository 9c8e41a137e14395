"""The fetched series, against an independent reading of the same bytes and against each other."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.folders import shipped
from backtest.market.catalogue import catalogue, entry
from backtest.market.load import load_market
from backtest.market.release import known_at
from backtest.market.store import Store
from tests.market.made import SIX, made
from tests.market.server import from_folder

pytestmark = pytest.mark.usefixtures("stored")


def _table(id: str) -> pd.DataFrame:
    store = Store()
    table = store.read(store.find(id))
    return pd.DataFrame(table.values, pd.DatetimeIndex(table.dates), list(table.columns))


def _by_hand(text: str, title: str) -> dict[str, list[float]]:
    """Read one table of a French file line by line: from its title to the next empty line."""
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        if title in line:
            break
    rows: dict[str, list[float]] = {}
    for line in lines:
        stamp, *values = line.split(",")
        if stamp.strip().isdigit():
            rows[stamp.strip()] = [float(value) for value in values]
        elif rows:
            break
    return rows


def _bytes(stored: Path, name: str, shared: Path | None) -> bytes:
    content = made(name) if shared is None else from_folder(shared)(name)
    assert content is not None, (stored, name)
    return content


def _origin(stored: Path, request: pytest.FixtureRequest) -> Path | None:
    return request.getfixturevalue("shared_data") if "shared" in str(stored) else None


@pytest.mark.parametrize(
    ("id", "title"),
    [
        ("6_Portfolios_2x3", "Average Value Weighted Returns -- Monthly"),
        ("6_Portfolios_2x3.firms", "Number of Firms in Portfolios"),
        ("6_Portfolios_2x3.size", "Average Market Cap"),
        ("6_Portfolios_2x3.beme", "Value Weight Average of BE/ME"),
        ("6_Portfolios_2x3_daily", "Average Value Weighted Returns -- Daily"),
        ("6_Portfolios_2x3_daily.size", "Average Firm Size"),
    ],
)
def test_a_french_table_is_stored_as_published(
    id: str, title: str, stored: Path, request: pytest.FixtureRequest
) -> None:
    import zipfile

    content = _bytes(stored, f"{entry(id).download}_CSV.zip", _origin(stored, request))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    expected = _by_hand(text, title)
    found = _table(id)
    form = "%Y%m%d" if "daily" in id else "%Y%m"
    assert list(found.index.strftime(form)) == list(expected)
    np.testing.assert_array_equal(found.to_numpy(), np.array(list(expected.values())))


@pytest.mark.parametrize("id", ["AAA", "DFEDTAR", "VIXCLS", "UNRATE", "INTDSRUSM193N"])
def test_a_fred_series_is_stored_as_published(id: str, stored: Path, request: pytest.FixtureRequest) -> None:
    text = _bytes(stored, id, _origin(stored, request)).decode()
    expected = {row[0]: row[1] for row in list(csv.reader(io.StringIO(text)))[1:]}
    found = _table(id)[id]
    assert list(found.index.strftime("%Y-%m-%d")) == list(expected)
    for value, published in zip(found, expected.values(), strict=True):
        assert (value == float(published)) if published not in ("", ".") else np.isnan(value)


def test_smb_and_hml_rebuilt_from_the_six_portfolios_are_those_of_the_factor_file() -> None:
    six, factors = _table("6_Portfolios_2x3"), _table("F-F_Research_Data_Factors")
    assert list(six.index) == list(factors.index)
    smb = six[list(SIX[:3])].mean(axis=1) - six[list(SIX[3:])].mean(axis=1)
    hml = six[["SMALL HiBM", "BIG HiBM"]].mean(axis=1) - six[["SMALL LoBM", "BIG LoBM"]].mean(axis=1)
    # The factors are published to 0.01, the portfolios to 0.0001.
    assert (smb - factors["SMB"]).abs().max() <= 0.005 + 1e-9
    assert (hml - factors["HML"]).abs().max() <= 0.005 + 1e-9


def test_the_original_files_reach_from_july_1926_to_may_2026(stored: Path) -> None:
    if "shared" not in str(stored):
        pytest.skip("this store was filled from made files")
    six = _table("6_Portfolios_2x3")
    assert (str(six.index[0].date()), str(six.index[-1].date()), len(six)) == (
        "1926-07-01",
        "2026-05-01",
        1199,
    )


@pytest.mark.parametrize("market", ["french_monthly", "french_daily"])
def test_halves_weighted_by_capitalisation_reproduce_the_market(market: str) -> None:
    data = load_market(market)
    small, large, whole = (data.bars.column(sleeve) for sleeve in ("small", "large", "market"))
    id = "6_Portfolios_2x3_daily" if data.frequency == "daily" else "6_Portfolios_2x3"
    caps = (_table(f"{id}.firms") * _table(f"{id}.size"))[: len(small)]
    share = caps[list(SIX[:3])].sum(axis=1).to_numpy() / caps.sum(axis=1).to_numpy()
    rebuilt = share * small + (1.0 - share) * large
    assert np.corrcoef(rebuilt, whole)[0, 1] > 0.999


def test_the_size_of_a_month_is_the_weight_at_its_beginning(stored: Path) -> None:
    if "shared" not in str(stored):
        pytest.skip("in made files a month's size says nothing about another month's")
    six, factors = _table("6_Portfolios_2x3"), _table("F-F_Research_Data_Factors")
    caps = _table("6_Portfolios_2x3.firms") * _table("6_Portfolios_2x3.size")
    market = factors["Mkt-RF"] + factors["RF"]

    def agreement(weights: pd.DataFrame) -> float:
        rebuilt = (six * weights).sum(axis=1) / weights.sum(axis=1)
        return float(rebuilt[1:-1].corr(market[1:-1]))

    assert agreement(caps) > agreement(caps.shift(1))
    assert agreement(caps) > agreement(caps.shift(-1))


def test_the_discount_and_the_concentration_are_those_computed_by_hand() -> None:
    data = load_market("french_monthly")
    beme, firms, size = (_table(f"6_Portfolios_2x3.{part}") for part in ("beme", "firms", "size"))
    month = beme.index[len(beme) // 2]
    price_to_book, caps = {}, {}
    for half, columns in (("small", SIX[:3]), ("large", SIX[3:])):
        caps[half] = {c: firms.loc[month, c] * size.loc[month, c] for c in columns}
        book = sum(caps[half][c] * beme.loc[month, c] for c in columns)
        price_to_book[half] = sum(caps[half].values()) / book
    discount = data.observations[data.roles["discount"]]
    at = list(discount.dates).index(np.datetime64(month.date()))
    assert discount.values[at] == pytest.approx(1.0 - price_to_book["small"] / price_to_book["large"])
    large, all_of_it = sum(caps["large"].values()), sum(sum(half.values()) for half in caps.values())
    assert data.observations[data.roles["concentration"]].values[at] == pytest.approx(large / all_of_it)
    assert str(discount.known_at[at]) == str((month + pd.offsets.BMonthEnd(0)).date())


def test_a_spread_is_known_when_the_later_of_its_series_is() -> None:
    data = load_market("french_monthly")
    spread = data.observations[data.roles["credit_spread"]]
    np.testing.assert_allclose(
        spread.values, (_table("BAA")["BAA"] - _table("AAA")["AAA"]).dropna().to_numpy()
    )
    first = pd.DatetimeIndex(spread.dates) + pd.offsets.MonthBegin(1)
    expected = [day if day.weekday() < 5 else day + pd.offsets.BDay(1) for day in first]
    assert [str(day) for day in spread.known_at] == [str(day.date()) for day in expected]


def test_every_role_of_a_french_market_can_be_asked_for() -> None:
    for name in ("french_monthly", "french_daily"):
        market = load_market(name).known()
        for role in market.names.roles:
            if role != "recession_months":
                assert np.isfinite(market.as_of(role)).any(), role


def test_the_target_is_the_projects_own_table_under_the_catalogues_rule(
    stored: Path, shared_data: Path
) -> None:
    """Every row of data/fed_target.csv to the end of the files, days and levels, through the seam of 2008."""
    if "shared" not in str(stored):
        pytest.skip("this store was filled from made files")
    data = load_market("french_monthly")
    assert data.policy is not None
    policy = data.observations[data.policy]
    last = str(data.sources["DFEDTARU"].last)
    with (shipped("data") / "fed_target.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    table = [(row["announced"], float(row["target"])) for row in rows if row["announced"] < last]
    found = list(zip([str(day) for day in policy.known_at], policy.values.tolist(), strict=True))
    assert found == table, shared_data
    assert ("2008-12-16", 0.25) in found


@pytest.mark.parametrize("id", ["DFEDTARU", "DFEDTARL"])
def test_no_move_of_the_range_is_known_before_it_was_announced(id: str, stored: Path) -> None:
    if "shared" not in str(stored):
        pytest.skip("this store was filled from made files")
    with (shipped("data") / "fed_target.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        announced = {row["announced"] for row in rows}
    column = _table(id)[id]
    moves = column.index[column.diff().fillna(0.0) != 0.0].to_numpy().astype("datetime64[D]")
    known = known_at(catalogue()[id].known_at, moves)
    assert len(moves) == 31
    assert {str(day) for day in known} <= announced


def test_the_discount_rate_in_front_makes_no_cut_at_the_seam(tmp_path: Path) -> None:
    text = (shipped("data") / "markets" / "french_monthly.toml").read_text(encoding="utf-8")
    plain = 'policy = { splice = ["DFEDTAR", "DFEDTARU"] }'
    assert plain in text
    longer = 'policy = { splice = ["INTDSRUSM193N", "DFEDTAR", "DFEDTARU"], shift = ["INTDSRUSM193N"] }'
    path = tmp_path / "longer.toml"
    path.write_text(text.replace(plain, longer), encoding="utf-8")
    long, short = load_market(path), load_market("french_monthly")
    assert long.policy is not None
    assert short.policy is not None
    policy, target = long.observations[long.policy], short.observations[short.policy]
    assert policy.known_at[0] < np.datetime64("1982-09-01")
    seam = target.known_at[0]
    assert seam not in policy.known_at  # the level meets the target's first, so nothing changes on that day
    after = policy.known_at > seam
    np.testing.assert_array_equal(policy.known_at[after], target.known_at[1:])
    np.testing.assert_array_equal(policy.values[after], target.values[1:])
    rate = _table("INTDSRUSM193N")["INTDSRUSM193N"]
    steps = rate[: len(policy.values) + 600].diff().dropna()
    steps = steps[(steps != 0.0) & (steps.index < pd.Timestamp("1982-08-01"))]
    np.testing.assert_allclose(np.diff(policy.values[~after])[: len(steps)], steps.to_numpy(), atol=1e-9)
