"""What companies earn around a change of class: cohorts by loops over months, and errors that cover."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtest.cli.universe import universe as command
from backtest.errors import DataError
from backtest.studies.class_changes import HORIZONS, class_changes, verdict
from backtest.universe.build import Rules
from backtest.universe.universe import Inputs, make_changes
from tests.universe.made import saved

if TYPE_CHECKING:
    from pathlib import Path

US = [300e6, 2e9, 10e9]
NAMES = ["micro", "small", "mid", "large"]
MONTHS = (6, 12)


def _table(n: int = 220, months: int = 30, seed: int = 2, push: float = 0.0) -> pd.DataFrame:
    """Return companies about the border of small and mid; who comes up to mid earns ``push`` in the month after."""
    random = np.random.default_rng(seed)
    dates = pd.date_range("2015-01-31", periods=months, freq="BME")
    cap = 2e9 * np.exp(random.normal(0.0, 0.5, n))
    rows, before = [], None
    crossed = np.zeros(n, dtype=bool)
    for date in dates:
        returns = random.normal(0.0, 0.08, n) + random.normal(0.0, 0.04) + push * crossed
        returns = np.maximum(returns, -0.9)
        cap = cap * (1.0 + returns)
        if before is not None:
            crossed = (before < 2e9) & (cap >= 2e9)
        before = cap.copy()
        rows += [(date, f"C{i:04}", cap[i], returns[i]) for i in range(n) if (i + len(rows)) % 97]
    return pd.DataFrame(rows, columns=["date", "company", "capitalisation", "total_return"])


def _by_hand(
    table: pd.DataFrame, near: float, band: float = 0.0
) -> dict[tuple[pd.Timestamp, str, str, int], tuple[float, float, int, int]]:
    dates = sorted(table["date"].unique())
    rows = {d: part.set_index("company") for d, part in table.groupby("date")}
    size = {d: part["capitalisation"].to_dict() for d, part in rows.items()}
    returns = {d: part["total_return"].to_dict() for d, part in rows.items()}
    # A row after a gap follows on no bar before it: its company is in no class on it, and has no old one.
    sides: dict[str, list[int]] = {}
    held: dict[str, int] = {}
    found = {}
    for i, date in enumerate(dates):
        now: dict[str, int] = {}
        for company, s in size[date].items():
            side = sides.setdefault(company, [-1, -1, -1])
            for k, border in enumerate(US):
                if side[k] < 0:
                    side[k] = int(s >= border)
                elif s >= border * (1.0 + band):
                    side[k] = 1
                elif s < border * (1.0 - band):
                    side[k] = 0
            now[company] = sum(side)
        for k, border in enumerate(US):
            for way, start, goal in ((1, k, k + 1), (-1, k + 1, k)):
                edge = border * (1.0 + way * band)
                close = [c for c, was in held.items() if was == start and c in now
                         and edge / (1.0 + near) <= size[date][c] < edge * (1.0 + near)]  # fmt: skip
                crossed = [c for c in close if now[c] == goal]
                stayed = [c for c in close if now[c] == start]
                if min(len(crossed), len(stayed)) < 3:
                    continue
                for step in range(1 - MONTHS[0], MONTHS[1] + 1):
                    if not 0 <= i + step < len(dates):
                        continue
                    # The first row of a line has no row before that its return could be since.
                    there, seen = (
                        returns[dates[i + step]],
                        set[str]().union(*(rows[d].index for d in dates[: i + step])),
                    )
                    known = [
                        [there[c] for c in group if c in there and c in seen] for group in (crossed, stayed)
                    ]
                    if known[0] and known[1]:
                        found[date, NAMES[start], NAMES[goal], step] = (
                            float(np.mean(known[0])), float(np.mean(known[1])), len(known[0]), len(known[1]),
                        )  # fmt: skip
        held = {c: now[c] for c in now}
    return found


@pytest.mark.parametrize(("near", "band"), [(0.25, 0.0), (0.1, 0.05)])
def test_cohorts_are_those_of_a_loop_by_hand(tmp_path: Path, near: float, band: float) -> None:
    table = _table()
    found, scheme = make_changes(Inputs(saved(table, tmp_path)), Rules(band=band), near, MONTHS)
    assert scheme.name == "us"
    whole = found[found["crossed"].gt(0) & found["stayed"].gt(0)]
    told = {
        (row["date"], row["was"], row["class"], row["month"]): (
            row["crossed_return"], row["stayed_return"], row["crossed"], row["stayed"],
        )
        for row in whole.to_dict("records")
    }  # fmt: skip
    expected = _by_hand(table, near, band)
    assert set(told) == set(expected)
    assert len(expected) > 200
    for key, values in expected.items():
        assert told[key] == pytest.approx(values, abs=1e-12)


def test_the_mean_of_cohorts_is_that_of_months(tmp_path: Path) -> None:
    table = _table()
    found, _ = make_changes(Inputs(saved(table, tmp_path)), Rules(), 0.25, MONTHS)
    told = {(a.way, a.months): a for a in class_changes(found)}
    expected = _by_hand(table, 0.25)
    dates = sorted({key[0] for key in expected})
    for months in HORIZONS:
        steps = range(1, months + 1) if months > 0 else range(months + 1, 1)
        for way, pairs in (
            ("up", [("micro", "small"), ("small", "mid"), ("mid", "large")]),
            ("small to mid", [("small", "mid")]),
            ("mid to small", [("mid", "small")]),
        ):
            cases = []
            for date in dates:
                sums = [
                    sum(expected[date, *pair, s][0] - expected[date, *pair, s][1] for s in steps)
                    for pair in pairs
                    if all((date, *pair, s) in expected for s in steps)
                ]
                if sums:
                    cases.append(float(np.mean(sums)))
            around = told[way, months]
            assert around.cohorts == len(cases)
            assert around.mean == pytest.approx(np.mean(cases), abs=1e-12)
            if abs(months) == 1:  # windows that share nothing: the t test of the cases
                error = np.std(cases, ddof=1) / math.sqrt(len(cases))
                assert around.error == pytest.approx(error, rel=1e-9)
                assert around.pvalue == pytest.approx(stats.ttest_1samp(cases, 0.0).pvalue, rel=1e-6)


def test_a_planted_push_is_found_and_nothing_is_not(tmp_path: Path) -> None:
    pushed, _ = make_changes(Inputs(saved(_table(push=0.06), tmp_path)), Rules(), 0.25, MONTHS)
    found = {(a.way, a.months): a for a in class_changes(pushed)}
    up = found["small to mid", 1]
    assert up.low < 0.06 < up.high
    assert up.pvalue < 1e-4
    said = verdict(list(found.values()), followed=True)
    assert said.startswith("Prices moved: ")
    assert "after going up" in said
    still, _ = make_changes(Inputs(saved(_table(), tmp_path, "still.parquet")), Rules(), 0.25, MONTHS)
    said = verdict(class_changes(still), followed=False)
    assert said.startswith("Cannot be told apart from nothing: the strongest of 8 questions")
    assert "No index is known to follow these borders" in said


def test_few_cohorts_decide_nothing(tmp_path: Path) -> None:
    pushed, _ = make_changes(Inputs(saved(_table(push=0.06), tmp_path)), Rules(), 0.25, MONTHS)
    few = pushed[pushed["date"].isin(sorted(pushed["date"].unique())[1:10])]
    found = class_changes(few)
    (first,) = [a for a in found if a.way == "up" and a.months == 1]
    assert first.pvalue < 0.05 / 8
    said = verdict(found, followed=True)
    assert said.startswith("Cannot be told: there are ")
    assert "fewer than 10 decide nothing" in said


def test_the_intervals_of_overlapping_cohorts_cover() -> None:
    # Cohort tables without any effect: 60 months, two borders, differences of one month alike for both.
    random = np.random.default_rng(8)
    dates = pd.date_range("2015-01-31", periods=60, freq="BME")
    wrong = dict.fromkeys((3, 12), 0)
    tries = 400
    for _ in range(tries):
        common = random.normal(0.0, 0.02, 80)  # what mid did less small in each month
        rows = [
            (date, was, goal, True, step, 5, 5, common[i + step] + random.normal(0.0, 0.02), 0.0)
            for i, date in enumerate(dates)
            for was, goal in (("small", "mid"), ("mid", "large"))
            for step in range(1, 13)
        ]
        columns = [
            "date",
            "was",
            "class",
            "up",
            "month",
            "crossed",
            "stayed",
            "crossed_return",
            "stayed_return",
        ]
        told = {(a.way, a.months): a for a in class_changes(pd.DataFrame(rows, columns=columns))}
        for months in wrong:
            around = told["up", months]
            wrong[months] += not around.low <= 0.0 <= around.high
    assert 0.02 <= wrong[3] / tries <= 0.09, wrong
    assert 0.01 <= wrong[12] / tries <= 0.10, wrong


def test_the_command_tells_it_and_writes_the_cohorts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(_table(), tmp_path)
    assert command("rotation universe", None, ["changes", "companies.parquet", "--out", "cohorts.csv"]) == 0
    said = capsys.readouterr().out
    for part in (
        "small to mid",
        "-5 to 0",
        "1 to 12",
        "Cannot be told apart from nothing",
        "within 25% of it",
    ):
        assert part in said
    assert {"date", "was", "class", "up", "month", "crossed_return"} <= set(pd.read_csv("cohorts.csv"))
    assert command("rotation universe", None, ["changes", "companies.parquet", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["months"] for row in document["around"]} == set(HORIZONS)
    bare = saved(_table().drop(columns="total_return"), tmp_path, "bare.parquet")
    with pytest.raises(DataError, match="changes need price or total_return"):
        make_changes(Inputs(bare), Rules(), 0.25, MONTHS)
    few = _table(5, 20)
    with pytest.raises(DataError, match="at no reconstitution did 3 companies cross a border"):
        make_changes(Inputs(saved(few, tmp_path, "few.parquet")), Rules(), 0.25, MONTHS)
