"""Claims about earnings and sums: margin arithmetic, and what large sums cannot earn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.capacity import Liquidity, break_even, impact_cost, return_left
from backtest.analysis.margins import earnings_change, implied_margin
from backtest.studies.claim import SIZED, EffectSize, SignRule, claimed
from backtest.studies.findings import Curves, Evidence, Finding, TextTable, laid_out
from backtest.studies.inputs import monthly
from backtest.studies.steadiness import coefficient
from backtest.wording import dollars, number, share, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.market.data import MarketData

GAIN = 0.02
CLAIMED = {"small": 0.33, "large": 0.11}
"""By how much the claim says that a gain of 200 basis points lifts earnings."""


SMALL = Liquidity(capitalisation=2.5e12, turnover=1.5, volatility=0.030, impact=1.0)
LARGE = Liquidity(capitalisation=63.9e12, turnover=1.0, volatility=0.018, impact=1.0)


@dataclass(frozen=True)
class Assumptions:
    """What is assumed about trading; the market's data do not say it.

    Parameters
    ----------
    traded, orders
        The part of the sum that one order moves, and orders a year: a rotation that moves everything once in
        two years sells one sleeve and buys the other, which is one whole order a year.
    small, large
        Trading the two sleeves. Capitalisations are firms times average size of the halves of Ken French's
        six portfolios in May 2026; turnover, volatility and the impact factor are round figures.
    """

    traded: float = 1.0
    orders: float = 1.0
    small: Liquidity = SMALL
    large: Liquidity = LARGE

    @property
    def liquidity(self) -> dict[str, Liquidity]:
        """Trading each sleeve, by its name."""
        return {"small": self.small, "large": self.large}


def margin_table(gain: float, margins: tuple[float, ...]) -> TextTable:
    """Return by how much earnings change at each margin, sales being the same."""
    columns: dict[str, Callable[[float], str]] = {
        "margin before": lambda m: f"{100 * m:g}%",
        "margin after": lambda m: f"{100 * (m + gain):g}%",
        "earnings": lambda m: signed(earnings_change(m, gain), 0),
    }
    return laid_out(f"a gain of {gain * 1e4:g} basis points of net margin", columns, margins)


@claimed(
    origin="article, 2025",
    test="Arithmetic: the gain over the margin. The claim implies margins of 6% and 18%.",
    rule=SignRule(at_least=30, cases="companies whose margins were looked at"),
)
def margin(market: MarketData) -> Finding:  # noqa: ARG001 - arithmetic needs no market
    """A 200 basis point margin gain lifts earnings by 33% for a typical small cap and 11% for a large one."""
    implied = {name: implied_margin(GAIN, change) for name, change in CLAIMED.items()}
    margins = np.linspace(0.03, 0.25, 89)
    said = " and ".join(f"{CLAIMED[name]:.0%} at a margin of {value:.0%}" for name, value in implied.items())
    return Finding(
        evidence=(Evidence("net margins of typical companies", float("nan"), share, float("nan"), 0),),
        headline=f"200 basis points lift earnings by {said}",
        sample="arithmetic; no company was looked at",
        picture=Curves(
            100 * margins,
            {"earnings": 100 * GAIN / margins},
            "net margin before, %",
            "change of earnings with 200 basis points more, %",
            marks=tuple((100 * m, 100 * CLAIMED[n], f"{m:.0%} ({n})") for n, m in implied.items()),
        ),
        tables=(margin_table(GAIN, (0.03, 0.06, 0.09, 0.12, 0.15, 0.18, 0.21)),),
        notes=(
            "The arithmetic holds for any company with these margins, small or large: gain over margin.",
            (
                "Whether 6% and 18% are typical needs income statements, which no shipped market has. "
                "The same arithmetic takes a third away when the margin falls by 200 basis points."
            ),
        ),
    )


def _left_table(growth: dict[str, float], a: Assumptions) -> TextTable:
    rows = []
    for held in (1e6, 1e8, 1e9, 1e10, 1e11):
        costs = [float(impact_cost(a.traded * held, of)) for of in a.liquidity.values()]
        left = [
            float(return_left(growth[name], np.array(held), a.traded, a.orders, of))
            for name, of in a.liquidity.items()
        ]
        rows.append((dollars(held), *(f"{1e4 * cost:.0f}" for cost in costs), *map(signed, left)))
    return TextTable(
        "impact of one order, basis points, and growth a year that is left",
        ("sum", "small", "large", "small left", "large left"),
        tuple(rows),
    )


_ASSUMED: dict[str, Callable[[tuple[str, Liquidity]], str]] = {
    "sleeve": lambda each: each[0],
    "capitalisation": lambda each: dollars(each[1].capitalisation),
    "turnover a year": lambda each: f"{each[1].turnover:.0%}",
    "volatility a day": lambda each: f"{each[1].volatility:.1%}",
    "impact factor": lambda each: number(each[1].impact, 1),
    "volume a day": lambda each: dollars(each[1].daily_volume),
}


def _capacity_notes(a: Assumptions, alone: float) -> tuple[str, ...]:
    law = "The square-root law is for orders that are a part of the volume; far above a day's it is a guess."
    names = (
        "The sleeves are whole halves of the market, held by capitalisation. Buffett spoke of a few names "
        "chosen well: that is not tested here."
    )
    return (
        f"One order moves {a.traded:.0%} of the sum. Such orders a year: {a.orders:g}.",
        f"If only small caps had an impact the lead would be gone at {dollars(alone)}.",
        law,
        names,
    )


def examine_capacity(market: MarketData, assumptions: Assumptions) -> Finding:
    """Return what is left of each sleeve's growth as the sum grows."""
    bars, a = monthly(market, "small", "large"), assumptions
    logs = {name: np.log1p(returns) for name, returns in bars.returns.items()}
    growth = {name: 12 * float(log.mean()) for name, log in logs.items()}
    excess = logs["small"] - logs["large"]
    what = "growth of small minus large a year, before any impact"
    months = bars.ends.astype("datetime64[M]").astype(str)
    constant = np.ones((len(excess), 1))
    found = coefficient(what, excess, constant, 0, months, len(excess), signed, scale=12.0)
    sums = np.logspace(6, 12, 121)
    limit = break_even(growth["small"], growth["large"], a.traded, a.orders, a.small, a.large)
    alone = break_even(growth["small"], growth["large"], a.traded, a.orders, a.small)
    within = bool(sums[0] < limit < sums[-1])
    at = f"at about {dollars(limit)}" if within else "at no sum from $1 million to $1 trillion"
    return Finding(
        evidence=(replace(found, holds=within),),
        headline=(
            f"small grew {found.shown} a year more (log) before impact; impact takes the lead away {at}"
        ),
        sample=f"{len(excess)} months; impact by a model, not measured",
        picture=Curves(
            sums,
            {n: 100 * return_left(growth[n], sums, a.traded, a.orders, of) for n, of in a.liquidity.items()},
            "sum under management, dollars",
            "growth a year after impact, log %",
            log_x=True,
        ),
        tables=(_left_table(growth, a), laid_out("assumptions", _ASSUMED, a.liquidity.items())),
        notes=_capacity_notes(a, alone),
    )


@claimed(
    origin=(
        "after Warren Buffett (BusinessWeek, 1999): not to have a lot of money is a huge structural advantage"
    ),
    test="Mean log return of small minus large; what is left of it after a square-root price impact, by sum.",
    rule=SignRule(
        at_least=60,
        sizes=(EffectSize(0.02, "2 points a year"),),
        cases="months",
        condition="impact takes the lead away at some sum between $1 million and $1 trillion",
    ),
    revised=(
        SIZED,
        "first used mean returns and now mean log returns, since it is growth that a sum earns",
    ),
)
def capacity(market: MarketData) -> Finding:
    """Small sums can earn what large sums cannot: small caps pay more, until impact takes it away."""
    return examine_capacity(market, Assumptions())
