"""What is said in words follows from the numbers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from backtest import MarketData, run
from backtest.reporting.sentences import terms, verdict

if TYPE_CHECKING:
    from backtest import Result


@pytest.fixture(scope="module")
def result(embedded: MarketData) -> Result:
    return run("rate_cut", embedded)


def with_metrics(result: Result, **metrics: float) -> Result:
    return dataclasses.replace(result, metrics={**result.metrics, **metrics})


@pytest.mark.parametrize(
    ("alpha", "tstat", "pvalue", "switches", "begins", "says"),
    [
        (0.01, 0.5, 0.62, 12, "Not supported: ", "not distinguishable from zero."),
        (0.03, 3.0, 0.003, 12, "Alpha against market +3.00% a year", "With 12 switches the cases are few."),
        (
            0.03,
            3.0,
            0.003,
            4,
            "Too few cases to tell: it switched 4 times. Alpha",
            "(t = 3.00, p < 0.01, 4 switches).",
        ),
        (0.01, 0.5, 0.62, 0, "Too few cases to tell: it never switched. Alpha", "0 switches"),
        (-0.03, -3.0, 0.003, 200, "Alpha against market -3.00% a year", "below zero beyond what noise"),
        (0.0, float("nan"), float("nan"), 1, "Alpha against market cannot be tested", "(1 switch)"),
    ],
)
def test_the_verdict(
    result: Result, alpha: float, tstat: float, pvalue: float, switches: int, begins: str, says: str
) -> None:
    said = verdict(
        with_metrics(result, alpha=alpha, alpha_tstat=tstat, alpha_pvalue=pvalue, switches=switches)
    )
    assert said.startswith(begins)
    assert says in said


def test_the_terms_come_with_their_warnings(embedded: MarketData, result: Result) -> None:
    said = dict(terms(result))
    assert said["window"].startswith("1983-09-30 to 2018-11-30, 422 monthly bars")
    assert "proxy" in said
    assert "2018-11-30" in said["data end"]
    assert "10 bp" in said["costs"]
    assert "SAME CLOSE" not in said["fills"]
    assert "SAME CLOSE" in dict(terms(run("rate_cut", embedded, same_close=True)))["fills"]
