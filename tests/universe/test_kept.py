"""What a screen keeps, as a portfolio: held against a loop over dates that shares nothing with the package."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest import load_market
from backtest.cli.universe import universe as command
from backtest.errors import DataError, UsageError
from backtest.reporting.html import render
from backtest.reporting.universe import universe_page
from backtest.universe.build import Rules
from backtest.universe.folder import write_market
from backtest.universe.kept import Selection, in_words, sums_of
from backtest.universe.universe import Inputs, Universe, make_universe
from tests.universe.made import companies, saved

if TYPE_CHECKING:
    from pathlib import Path

US = [300e6, 2e9, 10e9]


def _accounts(table: pd.DataFrame, seed: int = 4) -> pd.DataFrame:
    """Return two years of accounts of each company, published at random, some on a month's last day."""
    random = np.random.default_rng(seed)
    cap = (table["price"] * table["shares"]).groupby(table["company"]).first()
    rows = []
    for company, size in cap.items():
        for ended, first in (("2018-12-31", "2019-03-01"), ("2019-12-31", "2020-01-02")):
            day = pd.Timestamp(first) + pd.Timedelta(days=int(random.integers(0, 80)))
            if random.random() < 0.2:
                day = pd.Timestamp("2020-01-31")
            figures = {name: size * random.uniform(-0.02, 0.15) for name in ("earnings", "sales", "book")}
            if random.random() < 0.1:
                figures["book"] = math.nan
            rows.append({"company": company, "published": day, "period_end": ended, **figures})
    return pd.DataFrame(rows)


def _chosen(day: pd.DataFrame, known: pd.DataFrame, keep: list[str], least: int) -> dict[str, str]:
    """Return 'kept' or 'peer' of the companies of one date, by the definitions in words."""
    merged = day.merge(known, on="company", how="left")
    merged["class"] = [sum(cap >= border for border in US) for cap in merged["cap"]]
    flags = pd.Series(0, merged.index)
    able = pd.Series(True, merged.index)
    for ratio in keep:
        figure = merged[{"pe": "earnings", "ps": "sales", "pb": "book"}[ratio]]
        able &= figure.notna()
        value = (merged["cap"] / figure).where(figure > 0)
        for i in merged.index:
            same = merged["class"] == merged["class"][i]
            near = value[same & (merged["industry"] == merged["industry"][i])].dropna()
            peers = near if len(near) >= 5 else value[same].dropna()
            if len(peers) and value[i] < 0.7 * peers.median():
                flags[i] += 1
    return {
        company: "kept" if ok and n >= least else "peer"
        for company, ok, n in zip(merged["company"], able, flags, strict=True)
        if ok
    }


class ByHand:
    """The same portfolio: dictionaries of values, one date after another."""

    def __init__(
        self, table: pd.DataFrame, accounts: pd.DataFrame, keep: list[str], least: int, delisting: float
    ):
        self.returns: dict[str, dict[pd.Timestamp, float]] = {n: {} for n in ("kept", "kept_equal", "peers")}
        self.traded: dict[pd.Timestamp, tuple[float, float]] = {}
        self.counts: dict[pd.Timestamp, int] = {}
        dates = sorted(table["date"].unique())
        ends = [d for d, after in zip(dates, [*dates[1:], None], strict=True)
                if after is None or after.month != d.month]  # fmt: skip
        books: dict[str, dict[str, float]] = {"kept": {}, "kept_equal": {}, "peers": {}}
        rows = {d: part.set_index("company") for d, part in table.groupby("date")}
        for date in dates:
            today = rows[date]
            for name, book in books.items():
                opened = closed = 0.0
                for company in list(book):
                    if company in today.index:
                        grown = 1.0 + today.loc[company, "total_return"]
                    elif math.isnan(delisting):
                        del book[company]
                        continue
                    else:
                        grown = 1.0 + delisting
                    opened += book[company]
                    book[company] *= grown
                    closed += book[company]
                    if company not in today.index:
                        del book[company]
                if opened:
                    self.returns[name][date] = closed / opened - 1.0
            if date not in ends:
                continue
            known = accounts[accounts["published"] < date].sort_values("period_end")
            known = known.drop_duplicates("company", keep="last")  # of both years the later one
            said = _chosen(today.reset_index(), known.drop(columns="published"), keep, least)
            weights: list[float] = []
            for name in ("kept", "kept_equal", "peers"):
                wanted = [c for c, s in said.items() if s == "kept" or name == "peers"]
                book, total = books[name], sum(books[name].values())
                new = {c: 1.0 if name == "kept_equal" else today.loc[c, "cap"] for c in wanted}
                whole = sum(new.values())
                weights.append(
                    sum(
                        abs(
                            (new.get(c, 0.0) / whole if whole else 0.0)
                            - (book.get(c, 0.0) / total if total else 0.0)
                        )
                        for c in {*new, *book}
                    )
                )
                books[name] = new
            self.traded[date] = (weights[0], weights[1])
            self.counts[date] = sum(s == "kept" for s in said.values())


@pytest.mark.parametrize(
    ("keep", "least", "delisting"),
    [(("pe",), 0, math.nan), (("ps", "pb"), 0, -0.3), (("pe", "ps", "pb"), 2, math.nan)],
)
def test_the_portfolio_is_that_of_a_loop_by_hand(
    tmp_path: Path, keep: tuple[str, ...], least: int, delisting: float
) -> None:
    table = companies(90, 130, seed=21, gaps=0.0)
    table["industry"] = ["Tools" if int(c[1:]) % 3 else "Toys" for c in table["company"]]
    accounts = _accounts(table)
    (tmp_path / "accounts.csv").write_text(accounts.to_csv(index=False))
    inputs = Inputs(saved(table, tmp_path), fundamentals=(tmp_path / "accounts.csv",))
    found = make_universe(inputs, Rules(delisting=delisting), selection=Selection(keep, least, 0.0)).kept
    paid = make_universe(inputs, Rules(delisting=delisting), selection=Selection(keep, least, 50.0)).kept
    assert found is not None
    assert paid is not None
    table["cap"] = table["price"] * table["shares"]
    slow = ByHand(table, accounts, list(keep), least or len(keep), delisting)
    for date, count in slow.counts.items():
        assert found.trades.loc[date, "companies"] == count
        # Accounts of 2018 are older than 550 days in none of these months.
    assert sum(slow.counts.values()) > 12
    net = {}
    for name, told in slow.returns.items():
        assert len(told) > 30
        for date, value in told.items():
            assert found.returns.loc[date, name] == pytest.approx(value, abs=1e-10)
        net[name] = dict(told)
    first = min(slow.returns["peers"])
    for date, traded in slow.traded.items():
        assert 2.0 * found.trades.loc[date, "turnover"] == pytest.approx(traded[0], abs=1e-10)
        assert 2.0 * found.trades.loc[date, "turnover_equal"] == pytest.approx(traded[1], abs=1e-10)
        for name, amount in zip(("kept", "kept_equal"), traded, strict=True):
            into = max(date, first)
            # Bought after a time without anybody: that bar had no return of its own.
            net[name][into] = (1.0 + net[name].get(into, 0.0)) * (1.0 - 0.005 * amount) - 1.0
    for name in ("kept", "kept_equal", "peers"):
        for date, value in net[name].items():
            assert paid.returns.loc[date, name] == pytest.approx(value, abs=1e-10)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Universe:
    folder = tmp_path_factory.mktemp("kept")
    table = companies(90, 130, seed=21, gaps=0.0)
    (folder / "accounts.csv").write_text(_accounts(table).to_csv(index=False))
    inputs = Inputs(saved(table, folder), fundamentals=(folder / "accounts.csv",))
    return make_universe(inputs, Rules(), members=True, selection=Selection(("pb",), 0, 25.0))


def test_what_is_published_on_the_day_of_a_purchase_is_not_known_to_it(
    tmp_path: Path, made: Universe
) -> None:
    assert made.kept is not None
    table = companies(90, 130, seed=21, gaps=0.0)
    accounts = _accounts(table)
    accounts.loc[accounts["published"] >= "2020-01-31", ["earnings", "sales", "book"]] = 1e7
    (tmp_path / "accounts.csv").write_text(accounts.to_csv(index=False))
    inputs = Inputs(saved(table, tmp_path), fundamentals=(tmp_path / "accounts.csv",))
    other = make_universe(inputs, Rules(), selection=Selection(("pb",), 0, 25.0)).kept
    assert other is not None
    until = slice(None, "2020-01-31")
    early = [k.companies[k.companies["date"] <= "2020-01-31"] for k in (made.kept, other)]
    pd.testing.assert_frame_equal(*early)
    assert (early[0]["date"] == "2020-01-31").any()
    pd.testing.assert_frame_equal(made.kept.returns.loc[until], other.returns.loc[until])
    assert len(made.kept.companies) != len(other.companies)


def test_a_band_between_classes_lets_nobody_stay_kept(tmp_path: Path) -> None:
    table = companies(90, 130, seed=21, gaps=0.0)
    (tmp_path / "accounts.csv").write_text(_accounts(table).to_csv(index=False))
    inputs = Inputs(saved(table, tmp_path), fundamentals=(tmp_path / "accounts.csv",))
    found = make_universe(inputs, Rules(band=0.6), selection=Selection(("pb",))).kept
    assert found is not None
    counts = found.companies.groupby("date").size().reindex(found.trades.index, fill_value=0)
    assert found.trades["companies"].tolist() == counts.tolist()


def test_it_is_a_sleeve_that_a_run_holds(tmp_path: Path, made: Universe) -> None:
    assert made.kept is not None
    (tmp_path / "cheap").mkdir()
    record = write_market(tmp_path / "cheap", made, "cheap")
    market = load_market(str(tmp_path / "cheap"))
    assert {"kept", "peers"} <= set(market.bars.sleeves)
    assert "kept (cheap on P/B) is after 25 bp of what it buys and sells" in market.proxy
    returns = made.kept.returns.dropna()
    column = market.bars.column("kept")
    np.testing.assert_array_equal(column[-len(returns) :], returns["kept"].to_numpy())
    written = pd.read_parquet(tmp_path / "cheap" / "kept.parquet")
    assert written["reason"].str.startswith("P/B ").any()
    assert (written["flags"].str.contains("cheap on P/B")).all()
    assert record.kept == json.loads(json.dumps(sums_of(made.kept, made.portfolios)))
    said = in_words(made.kept, made.portfolios)
    assert "The screen keeps cheap on P/B" in said
    assert "after 25 bp of what it traded" in said
    page = render(universe_page(made, "cheap"))
    assert "The screen as a portfolio" in page
    years = (
        returns.index[-1] - made.kept.returns.index[len(made.kept.returns) - len(returns) - 1]
    ).days / 365.2425
    grown = (1.0 + returns["kept_equal"]).prod() ** (1.0 / years) - 1.0
    assert record.kept["kept_equal_a_year"] == pytest.approx(grown, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--keep", "pe"], "a screen needs accounts"),
        (
            ["--keep", "pee", "--fundamentals", "a.csv"],
            "--keep takes pe, ps, pb, growth, not 'pee'; did you mean 'pe'?",
        ),
        (["--keep", "pe,", "--fundamentals", "a.csv"], "--keep takes pe, ps, pb, growth, not ''"),
        (["--keep", "pe,pe", "--fundamentals", "a.csv"], "--keep names a flag twice: pe, pe"),
        (["--least", "2"], "--least goes with --keep, which is not given"),
        (["--keep", "pe", "--least", "2", "--fundamentals", "a.csv"], "--least must lie in 0 to 1, not 2"),
        (["--keep", "pe", "--cost-bps", "-1", "--fundamentals", "a.csv"], "--cost-bps must lie in 0 to 1000"),
    ],
)
def test_what_cannot_be_kept_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(companies(5, 60), tmp_path, "companies.csv")
    (tmp_path / "a.csv").write_text("company,published,earnings\nC0001,2019-12-02,5\n")
    with pytest.raises(UsageError) as refused:
        command("rotation universe", None, ["build", "companies.csv", "--out", "m", *arguments])
    assert sentence in str(refused.value)
    assert not (tmp_path / "m").exists()


def test_a_screen_that_keeps_nobody_says_so(tmp_path: Path) -> None:
    table = companies(20, 90, gaps=0.0)
    (tmp_path / "a.csv").write_text("company,published,earnings\nC0001,2019-12-02,5\n")
    inputs = Inputs(saved(table, tmp_path), fundamentals=(tmp_path / "a.csv",))
    with pytest.raises(DataError, match="nobody is kept at any reconstitution .cheap on P/E."):
        make_universe(inputs, Rules(), selection=Selection(("pe",)))
