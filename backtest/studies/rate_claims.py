"""Claims about what moves small caps more than large ones in the same month: rates and credit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.regression import least_squares
from backtest.studies.claim import SIZED, EffectSize, SignRule, claimed
from backtest.studies.findings import Dots, Finding, TextTable
from backtest.studies.inputs import change_within, monthly, observed, span
from backtest.studies.steadiness import coefficient
from backtest.wording import number, pvalue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.market.data import MarketData


def _for_one_point(beta: float) -> str:
    return f"{beta:+.2f}% for +1 point"


def _betas(market: MarketData, drivers: Sequence[tuple[str, str, bool]]) -> Finding:
    """Regress small minus large on changes of each driver in the same month, one driver at a time."""
    bars = monthly(market, "small", "large")
    sleeves = {"small minus large": bars.returns["small"] - bars.returns["large"], **bars.returns}
    evidence, rows, found = [], [], dict[str, tuple[float, float, float]]()
    for role, what, carried in drivers:
        change = change_within(observed(market, role, what), bars.ends, carried=carried)
        usable = np.isfinite(change)
        design = np.column_stack([np.ones(int(usable.sum())), change[usable]])
        n = int((np.abs(change[usable]) > 1e-9).sum())
        months = bars.ends[usable].astype("datetime64[M]").astype(str)
        column = 100 * sleeves["small minus large"][usable]
        slope = coefficient(what, column, design, 1, months, n, _for_one_point)
        evidence.append(replace(slope, claimed=-1))
        for name, returns in sleeves.items():
            fit = least_squares(100 * returns[usable], design)
            beta, reach = float(fit.coefficients[1]), fit.tested[1].reach()
            found[f"{name} on {what}"] = beta, beta - reach, beta + reach
            window = span(bars.ends[usable]) if n else "-"
            ends = f"{number(beta - reach)} to {number(beta + reach)}"
            rows.append((name, what, window, str(n), number(beta), ends, pvalue(float(fit.pvalues[1]))))
    values, lows, highs = np.array(list(found.values())).T
    return Finding(
        evidence=tuple(evidence),
        headline="; ".join(f"small minus large {e.shown} of the {e.label}" for e in evidence),
        sample=", ".join(f"{e.n} months with a change of the {e.label}" for e in evidence),
        picture=Dots(
            tuple(found), values, lows, highs, "% in the month in which the driver rises by one point"
        ),
        tables=(
            TextTable(
                "regressions on the change within the same month, one driver at a time",
                ("return of", "driver", "months", "with a change", "beta", "95% interval", "p"),
                tuple(rows),
            ),
        ),
        notes=("The same month: this is sensitivity, not a forecast.",),
    )


def _rule(*sizes: EffectSize) -> SignRule:
    return SignRule(at_least=60, sizes=sizes, cases="months")


@claimed(
    origin="articles on the great rotation, 2024 and 2025",
    test=(
        "Beta of small minus large to the change of the 10-year yield and of the policy rate in the same "
        "month."
    ),
    rule=_rule(
        EffectSize(1.0, "1% for a point of the 10-year yield"),
        EffectSize(1.0, "1% for a point of the policy rate"),
    ),
    revised=(SIZED,),
    published=(
        "CFA Institute, Enterprising Investor, 1 August 2024: small stocks are no more sensitive to "
        "rates than large ones, 1926 to 2024."
    ),
)
def rate_sensitive(market: MarketData) -> Finding:
    """Small caps are hurt more than large caps by rising rates."""
    return _betas(market, [("ten_year_yield", "10-year yield", False), ("policy", "policy rate", True)])


@claimed(
    origin="articles on the great rotation, 2025",
    test="Beta of small minus large to the change of Moody's Baa-Aaa spread in the same month.",
    rule=_rule(EffectSize(2.0, "2% for a point of the spread")),
    revised=(SIZED,),
)
def credit_spreads(market: MarketData) -> Finding:
    """Widening credit spreads hurt small caps more than large caps."""
    return _betas(market, [("credit_spread", "Baa-Aaa spread", False)])
