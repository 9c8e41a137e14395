"""Statistics of classes against the same counted by hand from the members."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from backtest.universe.build import Rules
from backtest.universe.schemes import load_scheme
from backtest.universe.universe import Inputs, Universe, make_universe
from tests.universe.made import companies, saved
from tests.universe.slow import Slow

CLASSES = ("micro", "small", "mid", "large")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return companies(150, 130, seed=31, gaps=0.01)


@pytest.fixture(scope="module")
def universe(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Universe:
    path = saved(table, tmp_path_factory.mktemp("statistics"))
    return make_universe(Inputs(path), Rules(), members=True)


def _caps(table: pd.DataFrame) -> dict[tuple[int, str], float]:
    bars = {date: bar for bar, date in enumerate(sorted(table["date"].unique()))}
    caps = table["price"] * table["shares"]
    return {(bars[d], c): cap for d, c, cap in zip(table["date"], table["company"], caps, strict=True)}


def test_counts_shares_and_concentration(table: pd.DataFrame, universe: Universe) -> None:
    slow, caps = Slow([3e8, 2e9, 1e10]).run(table), _caps(table)
    for bar in universe.portfolios.formed.tolist():
        date = universe.portfolios.dates[bar]
        day = universe.classes[universe.classes["date"] == pd.Timestamp(date)].set_index("class")
        total = sum(caps[key] for key in slow.members if key[0] == bar)
        for number, name in enumerate((*CLASSES, "market")):
            inside = [caps[k] for k, which in slow.members.items() if k[0] == bar and number in (4, which)]
            if not inside:
                assert name not in day.index
                continue
            row = day.loc[name]
            assert row["companies"] == len(inside)
            assert row["capitalisation"] == pytest.approx(sum(inside), rel=1e-12)
            assert row["share"] == pytest.approx(sum(inside) / total, rel=1e-12)
            assert row["top_share"] == pytest.approx(sum(sorted(inside)[-10:]) / sum(inside), rel=1e-12)
            assert row["herfindahl"] == pytest.approx(sum((c / sum(inside)) ** 2 for c in inside), rel=1e-12)


def test_migration_additions_deletions_and_turnover(table: pd.DataFrame, universe: Universe) -> None:
    slow, caps = Slow([3e8, 2e9, 1e10]).run(table), _caps(table)
    present = set(caps)
    returns = {
        (bar, company): returned for (bar, company), returned in zip(caps, table["total_return"], strict=True)
    }
    at = universe.portfolios.formed.tolist()
    for before, bar in itertools.pairwise(at):
        date = pd.Timestamp(universe.portfolios.dates[bar])
        old = {c: w for (b, c), w in slow.members.items() if b == before}
        new = {c: w for (b, c), w in slow.members.items() if b == bar}
        stayed = {c for c in old if all((b, c) in present for b in range(before + 1, bar + 1))}
        drifted = {
            c: caps[before, c] * np.prod([1.0 + returns[b, c] for b in range(before + 1, bar + 1)])
            for c in stayed
        }
        moves = universe.migration[universe.migration["date"] == date]
        told = {(r["was"], r["class"]): r["lines"] for r in moves.to_dict("records")}
        counted: dict[tuple[str, str], int] = {}
        for company, which in new.items():
            was = CLASSES[old[company]] if company in stayed else "none"
            counted[was, CLASSES[which]] = counted.get((was, CLASSES[which]), 0) + 1
        assert told == counted
        rows = universe.classes[universe.classes["date"] == date].set_index("class")
        for number, name in enumerate(CLASSES):
            ins = {c for c, w in new.items() if w == number}
            outs = {c for c, w in old.items() if w == number}
            assert rows.loc[name, "additions"] == len(
                {c for c in ins if not (c in stayed and old[c] == number)}
            )
            assert rows.loc[name, "deletions"] == len({c for c in outs if not (c in stayed and c in ins)})
            total = sum(caps[bar, c] for c in ins)
            held = {c: v for c, v in drifted.items() if old[c] == number}
            change = sum(
                abs((caps[bar, c] / total if c in ins else 0.0) - held.get(c, 0.0) / sum(held.values()))
                for c in ins | held.keys()
            )
            assert rows.loc[name, "turnover"] == pytest.approx(change / 2.0, rel=1e-9)


def test_the_first_reconstitution_has_no_turnover(universe: Universe) -> None:
    first = universe.classes[universe.classes["date"] == universe.classes["date"].min()]
    assert first[["additions", "deletions", "turnover"]].isna().all(axis=None)


def test_members_are_every_line_of_every_month(universe: Universe) -> None:
    assert universe.members is not None
    counts = universe.members.groupby("date").size()
    assert counts.sum() == universe.classes.query("`class` == 'market'")["companies"].sum()
    assert set(universe.members["class"]) <= set(load_scheme("us").classes)
