"""What is said in words follows from the numbers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest import MarketData, run
from backtest.analysis.long_run import Error
from backtest.analysis.regression import Alpha
from backtest.analysis.skill import Part, Skill
from backtest.reporting.sentences import terms, verdict

if TYPE_CHECKING:
    from backtest import Run


@pytest.fixture(scope="module")
def result(embedded: MarketData) -> Run:
    return run("rate_cut", embedded)


def with_skill(
    result: Run, switches: int, alpha: float, tstat: float, pvalue: float, error: float, late: float = 0.01
) -> Run:
    """The run as if its regression had said so; ``late`` is the alpha of the second half."""
    changed = dataclasses.replace(result, metrics={**result.metrics, "switches": switches})
    whole = Alpha(alpha, 1.0, tstat, pvalue, Error(error, 200.0))
    days = np.array(["1983-09-30", "2001-04-30", "2018-11-30"], dtype="datetime64[D]")
    part = Part("the second half", days[1], days[2], Alpha(late, 1.0, 2.0, 0.1, Error(0.01, 100.0)))
    changed.__dict__["skill"] = Skill(whole, (part,))  # what the run would keep when first asked
    return changed


@pytest.mark.parametrize(
    ("alpha", "tstat", "pvalue", "error", "switches", "begins", "says"),
    [
        (0.001, 0.5, 0.62, 0.002, 12, "Not supported: Alpha", "1% a year or more can be excluded."),
        (
            0.001,
            0.5,
            0.62,
            0.02,
            12,
            "Cannot be told: Alpha",
            "An alpha below 5.6% a year would mostly have gone unseen",
        ),
        (
            0.03,
            3.0,
            0.003,
            0.01,
            12,
            "Alpha against market +3.00% a year",
            "With 12 switches the cases are few.",
        ),
        (
            0.03,
            3.0,
            0.003,
            0.01,
            4,
            "Too few cases to tell: it switched 4 times. Alpha",
            "t = 3.00, p = 0.003, 4 switches).",
        ),
        (0.01, 0.5, 0.62, 0.02, 0, "Too few cases to tell: it never switched. Alpha", "0 switches"),
        (-0.03, -3.0, 0.003, 0.01, 200, "Alpha against market -3.00% a year", "below zero beyond what noise"),
        (0.0, np.nan, np.nan, np.nan, 1, "Alpha against market cannot be tested", "(1 switch)"),
    ],
)
def test_the_verdict(
    result: Run,
    alpha: float,
    tstat: float,
    pvalue: float,
    error: float,
    switches: int,
    begins: str,
    says: str,
) -> None:
    said = verdict(with_skill(result, switches, alpha, tstat, pvalue, error))
    assert said.startswith(begins)
    assert says in said


def test_the_verdict_says_where_a_part_of_the_window_says_the_opposite(result: Run) -> None:
    known = (12, 0.03, 3.0, 0.003, 0.01)
    assert "Not throughout" not in verdict(with_skill(result, *known))
    assert (
        "Not throughout: in the second half, 2001-04-30 to 2018-11-30, it was -5.27% a year (t = 2.00)."
        in verdict(with_skill(result, *known, late=-0.0527))
    )


def test_the_terms_come_with_their_warnings(embedded: MarketData, result: Run) -> None:
    said = dict(terms(result))
    assert said["window"].startswith("1983-09-30 to 2018-11-30, 422 monthly bars")
    assert "proxy" in said
    assert "2018-11-30" in said["data end"]
    assert "10 bp" in said["costs"]
    assert "SAME CLOSE" not in said["fills"]
    assert "SAME CLOSE" in dict(terms(run("rate_cut", embedded, same_close=True)))["fills"]
