"""The studies on real data against figures computed from the original files by other code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import statsmodels.api as sm

from backtest.cli.study import parse_days
from backtest.studies.inputs import known_level, monthly, recession_months
from backtest.studies.register import first_days, study, study_days
from tests.oracle.rate_cut_embedded import prewhitened

if TYPE_CHECKING:
    from backtest import MarketData


# The months of the first cuts as the reference facts have them: 1987-10, not 1987-11.
REFERENCE = (
    "1984-09",
    "1987-10",
    "1989-06",
    "1995-07",
    "1998-09",
    "2001-01",
    "2007-09",
    "2019-07",
    "2024-09",
)


def tables(path: Path) -> dict[str, dict[int, list[float]]]:
    """Every monthly table of a French file, by its title."""
    found: dict[str, dict[int, list[float]]] = {}
    title = ""
    for line in path.read_text(encoding="latin1").splitlines():
        if re.match(r"\s*\d{6},", line):
            date, *values = line.split(",")
            found.setdefault(title, {})[int(date)] = [float(v) for v in values]
        elif line.strip() and not line.startswith(",") and not re.match(r"\s*\d{4},", line):
            title = line.strip()
    return found


@pytest.fixture(scope="module")
def halves(shared_data: Path) -> dict[int, tuple[float, float]]:
    """Returns of the small and the large half by month, weighted by firms times average size."""
    read = tables(shared_data / "french" / "6_Portfolios_2x3.csv")
    returns, firms, size = (
        next(table for title, table in read.items() if title.startswith(beginning))
        for beginning in (
            "Average Value Weighted Returns -- Monthly",
            "Number of Firms",
            "Average Market Cap",
        )
    )
    result = {}
    for month, row in returns.items():
        weights = [f * s for f, s in zip(firms[month], size[month], strict=True)]
        result[month] = tuple(
            sum(r * w for r, w in zip(row[part], weights[part], strict=True)) / sum(weights[part]) / 100
            for part in (slice(0, 3), slice(3, 6))
        )
    return result


def later(month: int, by: int) -> int:
    count = month // 100 * 12 + month % 100 - 1 + by
    return count // 12 * 100 + count % 12 + 1


def after(halves: dict[int, tuple[float, float]], month: str, months: int) -> float | None:
    small = large = 1.0
    for by in range(1, months + 1):
        row = halves.get(later(int(month[:4] + month[5:7]), by))
        if row is None:
            return None
        small, large = small * (1 + row[0]), large * (1 + row[1])
    return small - large


def test_the_reference_fact_holds(french_monthly: MarketData, halves: dict[int, tuple[float, float]]) -> None:
    found = study_days(parse_days(",".join(REFERENCE)), french_monthly)
    assert found.finding is not None
    assert found.finding.cases is not None
    horizon = next(h for h in found.finding.cases.study.summary if h.bars == 12)
    assert horizon.n == 9
    assert round(100 * horizon.mean, 1) == -2.0
    assert round(horizon.positive * 9) == 3
    plain = [after(halves, month, 12) for month in REFERENCE]
    column = found.finding.cases.study.horizons.index(12)
    assert found.finding.cases.study.difference[:, column] == pytest.approx(plain, abs=1e-9)
    assert found.verdict.word == "cannot be told"


def test_the_projects_own_first_cuts_differ_from_the_reference_in_one_case_only(
    french_monthly: MarketData, halves: dict[int, tuple[float, float]]
) -> None:
    found = study("first-cut", french_monthly)
    assert found.finding is not None
    cases = found.finding.cases
    assert cases is not None
    months = [str(day)[:7] for day in cases.dates]
    assert set(months) - set(REFERENCE) == {"1987-11"}
    assert set(REFERENCE) - set(months) == {"1987-10"}
    for bars in (12, 24, 36):
        column = cases.study.horizons.index(bars)
        plain = [after(halves, month, bars) for month in months]
        whole = [d for d in plain if d is not None]
        assert cases.study.summary[column].n == len(whole)
        assert cases.study.summary[column].mean == pytest.approx(np.mean(whole), abs=1e-9)
    assert cases.months_after[-1] < 24  # the last case is cut short, and its row says so
    rows = [row for table in found.finding.tables for row in table.rows if row[0] == "2024-09-18"]
    assert any("cut short" in row for row in rows)
    assert any("in 20 months" in row[-1] for row in rows)


def test_small_beat_large_after_the_troughs_that_switzer_names_but_for_1961(
    french_monthly: MarketData,
) -> None:
    """Switzer (2010): in the year after every trough but that of 1938; these halves lose by a hair in 1961."""
    found = study("after-troughs", french_monthly)
    assert found.finding is not None
    cases = found.finding.cases
    assert cases is not None
    column = cases.study.horizons.index(12)
    lost = [str(d)[:7] for d, x in zip(cases.dates, cases.study.difference[:, column], strict=True) if x < 0]
    assert lost == ["1938-06", "1961-02"]
    assert cases.study.difference[[str(d)[:7] for d in cases.dates].index("1961-02"), column] > -0.01


def test_recessions_are_those_of_fred(french_monthly: MarketData, shared_data: Path) -> None:
    ends = monthly(french_monthly, "small").ends
    rows = (shared_data / "fred" / "USREC.csv").read_text().split()[1:]
    fred = {row[:7]: row.endswith(",1") for row in rows}
    months = [str(end)[:7] for end in ends]
    assert [bool(x) for x in recession_months(ends)] == [fred[m] for m in months]


def test_daily_bars_are_compounded_to_the_months_of_the_monthly_file(
    french_daily: MarketData, french_monthly: MarketData
) -> None:
    daily, months = monthly(french_daily, "small", "large"), monthly(french_monthly, "small", "large")
    same = slice(12 * 37, len(daily.ends))  # from July 1963 on; before 1946 the files themselves differ
    for name in ("small", "large"):
        gap = daily.returns[name][same] - months.returns[name][: len(daily.ends)][same]
        assert np.abs(gap).max() < 0.01
    assert (daily.ends[same] == months.ends[: len(daily.ends)][same]).all()


def test_a_strategys_first_days_are_the_fills_after_the_cuts(french_monthly: MarketData) -> None:
    # Held for 12 months no two windows of first cuts unite. 2019-07-31 is a month's last business day: the
    # fill that may use it is that of August.
    days = first_days("rate_cut", french_monthly, {"hold": 12})
    cuts = study("first-cut", french_monthly).finding
    assert cuts is not None
    assert cuts.cases is not None
    ends = french_monthly.bars.dates
    assert (days == ends[np.searchsorted(ends, cuts.cases.dates, "right")]).all()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("first-cut", "cannot be told"),
        ("first-cut-discount-rate", "cannot be told"),
        ("after-troughs", "cannot be told"),
        ("wide-discount", "cannot be told"),
        ("more-volatile", "supported"),
        ("credit-spreads", "supported"),
        ("rate-sensitive", "contradicted"),
        ("margin", "cannot be told"),
    ],
)
def test_verdicts_on_the_real_market(french_monthly: MarketData, name: str, word: str) -> None:
    assert study(name, french_monthly).verdict.word == word


def test_what_rests_on_one_half_of_the_sample_says_so(french_monthly: MarketData) -> None:
    assert "it rests on the first half" in study("credit-spreads", french_monthly).verdict.because
    assert "it rests on the second half" in study("rate-sensitive", french_monthly).verdict.because
    assert "rests on" not in study("more-volatile", french_monthly).verdict.because


def fred(shared_data: Path, name: str) -> dict[str, float]:
    """The last value of each month of a FRED file."""
    rows = (line.split(",") for line in (shared_data / "fred" / f"{name}.csv").read_text().splitlines()[1:])
    return {day[:7]: float(value) for day, value in rows if value not in ("", ".")}


@pytest.mark.parametrize(
    ("name", "driver", "of"),
    [
        ("credit-spreads", 0, lambda d: {m: v - fred(d, "AAA")[m] for m, v in fred(d, "BAA").items()}),
        ("rate-sensitive", 0, lambda d: fred(d, "DGS10")),
    ],
)
def test_betas_agree_with_statsmodels_on_the_original_files(
    french_monthly: MarketData,
    halves: dict[int, tuple[float, float]],
    shared_data: Path,
    name: str,
    driver: int,
    of: Callable[[Path], dict[str, float]],
) -> None:
    level = of(shared_data)
    y, x = [], []
    for month, (small, large) in halves.items():
        now, before = (f"{m // 100}-{m % 100:02d}" for m in (month, later(month, -1)))
        # The first month of the returns has no month before it in the study.
        if now in level and before in level and month > 192607:
            y.append(100 * (small - large))
            x.append(level[now] - level[before])
    design = sm.add_constant(np.array(x))
    oracle = sm.OLS(y, design).fit()
    found = study(name, french_monthly).finding
    assert found is not None
    assert found.evidence[driver].estimate == pytest.approx(oracle.params[1], rel=1e-6)
    parts = np.linalg.pinv(design)[1] * oracle.resid
    assert found.evidence[driver].pvalue == pytest.approx(prewhitened(oracle.params[1], parts), rel=1e-5)


def test_means_in_expansions_and_recessions_are_plain_means(
    french_monthly: MarketData, halves: dict[int, tuple[float, float]], shared_data: Path
) -> None:
    recession = fred(shared_data, "USREC")
    groups: dict[float, list[float]] = {0.0: [], 1.0: []}
    for month, (small, large) in halves.items():
        groups[recession[f"{month // 100}-{month % 100:02d}"]].append(small - large)
    found = study("expansions", french_monthly).finding
    assert found is not None
    assert [e.estimate for e in found.evidence] == pytest.approx(
        [12 * np.mean(groups[k]) for k in (0.0, 1.0)]
    )


def test_a_level_is_the_one_known_before_the_months_last_business_day(french_monthly: MarketData) -> None:
    ends = monthly(french_monthly, "small").ends
    discount = french_monthly.observations["discount"]
    known = known_level(french_monthly, "discount", "discount", ends)
    assert np.isnan(known[0])
    assert (
        known[1:].tolist() == discount.values[: len(ends) - 1].tolist()
    )  # a month's own value is not known yet
