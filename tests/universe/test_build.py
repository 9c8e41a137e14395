"""Portfolios against a slow loop written another way, and against their own future."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.errors import DataError, UsageError
from backtest.universe.build import Rules, frame, reconstitutions
from backtest.universe.mapping import Mapping
from backtest.universe.schemes import load_scheme
from tests.universe.made import built, companies, saved
from tests.universe.slow import Slow

US = [3e8, 2e9, 1e10]


def _agree(folder: Path, table: pd.DataFrame, rules: Rules) -> None:
    slow = Slow(US, rules.band, rules.carry, rules.delisting, rules.reconstitute).run(table)
    shuffled = table.sample(frac=1.0, random_state=3)  # the order of the rows means nothing
    with built(saved(shuffled, folder), "us", rules) as (shop, taken, portfolios):
        returns = frame(portfolios, load_scheme("us"), rules.delisting)
        members = {
            (bar, company): which
            for bar, company, which in shop.rows(
                f"SELECT bar, company, class FROM {portfolios.members} JOIN {taken.lines} USING (id)"
            )
        }
    for column, expected in (("", slow.by_cap), ("_equal", slow.equal)):
        for number, name in enumerate(("micro", "small", "mid", "large")):
            found = returns[name + column].to_numpy()
            told = np.array([expected.get((bar, number), math.nan) for bar in range(len(found))])
            np.testing.assert_allclose(found, told, rtol=0.0, atol=1e-10)
            assert np.isfinite(told).sum() > len(told) / 4
    for (bar, number), n in slow.counts.items():
        gone = 0 if math.isnan(rules.delisting) else portfolios.sums["left"]["count"][bar, number]
        assert portfolios.sums["held"]["count"][bar, number] + gone == n
    at = set(portfolios.formed.tolist())
    assert {key: which for key, which in members.items() if key[0] in at} == slow.members


def test_a_thousand_companies_agree_with_the_slow_loop_to_ten_digits(tmp_path: Path) -> None:
    _agree(tmp_path, companies(1000, 130), Rules())


@pytest.mark.parametrize(
    "rules",
    [
        Rules(band=0.2),
        Rules(carry=2),
        Rules(delisting=-0.3),
        Rules(carry=1, delisting=-0.5, band=0.1),
        Rules("quarterly"),
        Rules("daily", band=0.1, carry=1, delisting=-0.3),
    ],
    ids=str,
)
def test_every_rule_agrees_with_the_slow_loop(tmp_path: Path, rules: Rules) -> None:
    _agree(tmp_path, companies(120, 150, seed=7, gaps=0.05), rules)


def test_june_forms_classes_once_a_year(tmp_path: Path) -> None:
    _agree(tmp_path, companies(60, 320, seed=5, gaps=0.0), Rules("june"))


def test_what_comes_later_changes_neither_members_nor_returns(tmp_path: Path) -> None:
    table = companies(80, 120, seed=11)
    cut = sorted(table["date"].unique())[85]
    later = table["date"] > cut
    random = np.random.default_rng(0)
    noise = table.copy()
    noise.loc[later, "price"] = random.uniform(1.0, 500.0, later.sum())
    noise.loc[later, "shares"] = random.uniform(1e4, 1e9, later.sum())
    noise.loc[later, "total_return"] = random.uniform(-0.9, 3.0, later.sum())
    found = []
    for number, content in enumerate((table, noise)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with built(saved(content, folder), "us", Rules(band=0.1)) as (shop, taken, portfolios):
            members = shop.rows("SELECT bar, company, class, was, cap, drifted FROM "
                                f"{portfolios.members} JOIN {taken.lines} USING (id) WHERE bar <= 85 ORDER BY ALL")  # fmt: skip
            found.append((portfolios.sums[:86].tobytes(), members))
    assert found[0] == found[1]
    assert len(found[0][1]) > 100


def test_a_split_delivered_late_changes_the_past_by_one_bar_only(tmp_path: Path) -> None:
    table = companies(40, 100, seed=13, gaps=0.0).drop(columns="total_return")
    cut = sorted(table["date"].unique())[60]
    later = table["date"] > cut
    noise = table.copy()
    noise.loc[later, "price"] *= np.random.default_rng(1).uniform(0.2, 5.0, later.sum())
    found = []
    for number, content in enumerate((table, noise)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with built(saved(content, folder)) as (shop, taken, portfolios):
            members = shop.rows("SELECT bar, company, class, cap FROM "
                                f"{portfolios.members} JOIN {taken.lines} USING (id) "
                                "WHERE bar <= 60 ORDER BY ALL")  # fmt: skip
            found.append((portfolios.sums[:60].tobytes(), members))
            assert portfolios.price_only
    assert found[0] == found[1]


def test_halves_of_the_lines_add_up_to_the_whole(tmp_path: Path) -> None:
    # What makes it possible to spread the work over machines.
    table = companies(100, 90, seed=17)
    low = table["company"] < "C0050"
    sums = []
    for number, content in enumerate((table, table[low], table[~low])):
        folder = tmp_path / str(number)
        folder.mkdir()
        with built(saved(content, folder)) as (_, _, portfolios):
            sums.append(portfolios.sums.view(np.float64))
            assert portfolios.sums["held"]["close"].sum() > 0.0
    np.testing.assert_allclose(sums[1] + sums[2], sums[0], rtol=1e-12)


def test_a_company_with_two_share_classes_is_classified_by_all_of_it(tmp_path: Path) -> None:
    days = pd.bdate_range("2020-01-01", "2020-03-31")
    lines = {"BIG.A": ("BIG", 6e9), "BIG.B": ("BIG", 5e9), "MID": ("MID", 9e9)}
    table = pd.DataFrame(
        [(d, c, i, cap, 100.0, 0.01) for d in days for c, (i, cap) in lines.items()],
        columns=["date", "company", "issuer", "capitalisation", "price", "total_return"],
    )
    with built(saved(table, tmp_path)) as (shop, taken, portfolios):
        bar = int(portfolios.formed[0])
        found = shop.rows(f"SELECT company, class, cap, size, lead FROM {portfolios.members} "
                          f"JOIN {taken.lines} USING (id) "
                          f"WHERE bar = {bar} ORDER BY company")  # fmt: skip
    assert found == [
        ("BIG.A", 3, 6e9, 1.1e10, True),
        ("BIG.B", 3, 5e9, 1.1e10, False),
        ("MID", 2, 9e9, 9e9, True),
    ]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("wrong", ["twice", "typo"])
def test_rows_that_are_set_aside_make_no_company_larger(tmp_path: Path, wrong: str, *, whole: bool) -> None:
    days = pd.bdate_range("2020-01-01", "2020-03-31")
    lines = {"A.1": ("A", 0.9e9), "A.2": ("A", 0.9e9), "MID": ("MID", 9e9)}
    table = pd.DataFrame(
        [(d, c, i, cap, 100.0, 0.01) for d in days for c, (i, cap) in lines.items()],
        columns=["date", "company", "issuer", "capitalisation", "price", "total_return"],
    )
    row = (table["date"] == "2020-01-31") & (table["company"] == "A.1")
    if wrong == "twice":
        table = pd.concat([table, table[row]])
    else:
        table.loc[row, "capitalisation"] *= 2000.0
    mapping = Mapping(currency="USD", capitalisation_of="company" if whole else "line")
    with built(saved(table, tmp_path), mapping=mapping) as (shop, taken, portfolios):
        found = shop.rows(f"SELECT company, class, size, lead FROM {portfolios.members} "
                          f"JOIN {taken.lines} USING (id) JOIN {taken.bars} USING (bar) WHERE date = DATE '2020-01-31' ORDER BY company")  # fmt: skip
    first, second = ("A.1", 1, 0.9e9, True), ("A.2", 1, 0.9e9, True)
    if wrong == "twice":
        both = [("A.1", 1, 1.8e9, True), ("A.2", 1, 1.8e9, False)]
        assert found[:-1] == ([first] if whole else both)
    else:
        assert found[:-1] == [second]
    counts = {each.reason: each.rows for each in portfolios.set_aside}
    seconds = counts.pop("a second line of its company", 0)
    assert seconds == whole * (len(days) - (wrong == "typo"))
    assert list(counts.values()) == [1]


def test_reconstitutions_are_the_last_bars_of_their_months() -> None:
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2021-07-15"))
    days = days[np.is_busday(days)]
    assert [str(d) for d in days[reconstitutions(days, "june")]] == ["2020-06-30", "2021-06-30"]
    assert [str(d) for d in days[reconstitutions(days, "quarterly")]][:3] == [
        "2020-03-31",
        "2020-06-30",
        "2020-09-30",
    ]
    assert len(reconstitutions(days, "monthly")) == 19
    assert len(reconstitutions(days, "daily")) == len(days)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"reconstitute": "monthy"}, "there is no reconstitution 'monthy'; did you mean 'monthly'?"),
        ({"band": 1.5}, "--band must lie in 0 to 0.99, not 1.5"),
        ({"carry": -1}, "--carry must lie in 0 to 10000 bars, not -1"),
        ({"delisting": -2.0}, "--delisting must lie in -1 to 100, not -2"),
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Rules(**wrong)  # type: ignore[arg-type]


def test_one_date_makes_no_returns(tmp_path: Path) -> None:
    table = companies(20, 60, gaps=0.0)
    table = table[table["date"] == pd.Timestamp("2020-01-02")]
    with pytest.raises(DataError, match="one date 2020-01-02"), built(saved(table, tmp_path)):
        pass
