"""What a class's return hangs on: companies that vanish, steep gains, and the weights it is held in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import DAYS_A_YEAR
from backtest.universe.build import frame
from backtest.universe.drift import STEEP, together

if TYPE_CHECKING:
    import pandas as pd

    from backtest.universe.build import Portfolios
    from backtest.universe.schemes import Scheme

DELISTINGS = (-0.3, -1.0)
"""Returns at which members vanish, side by side. Shumway (1997), The delisting bias in CRSP data, Journal of
Finance 52, found -30% where a company was struck off for what it did; none can do worse than -100%."""

OFTEN = 0.5
"""Companies that vanish more often than so many times a year come back, most of them."""

APART = 0.03
"""Equal weights that gain so much more a year than capitalisation does are worth a warning."""


def hangs(portfolios: Portfolios, scheme: Scheme, delisting: float) -> pd.DataFrame:
    """Return a row for each class (and ``market``) in each of the weights.

    Columns: ``class``; ``weights``, ``capitalisation`` or ``equal``; returns a year, decimal: ``built``, as
    the market has it; ``last_value``, where members that vanish leave at their last value; ``at_30`` and
    ``at_100``, where they leave at each of ``DELISTINGS``; ``without_steep``, without the members that gained
    more than ``STEEP`` on a bar, on that bar. Then ``vanished``, members a year as a share of them, and
    ``steep``, the number of such gains. NaN for a class that never had a return.
    """
    import pandas as pd

    ways = {
        "built": frame(portfolios, scheme, delisting),
        "last_value": frame(portfolios, scheme),
        "at_30": frame(portfolios, scheme, DELISTINGS[0]),
        "at_100": frame(portfolios, scheme, DELISTINGS[1]),
        "without_steep": frame(portfolios, scheme, delisting, steep=False),
    }
    begun = np.flatnonzero(ways["built"]["market"].notna().to_numpy())
    if len(begun) == 0:
        return pd.DataFrame(columns=["class", "weights", *ways, "vanished", "steep"])
    first = max(int(begun[0]) - 1, 0)
    years = float((portfolios.dates[-1] - portfolios.dates[first]).astype(np.int64)) / DAYS_A_YEAR
    rows = []
    for name, which in scheme.sleeves.items():
        sums = together(portfolios.sums[first:], which)
        members = sums["held"]["count"]
        members = members[members > 0]
        gone = sums["left"]["count"].sum() / years / members.mean() if len(members) else math.nan
        steep = int(sums["steep"]["count"].sum())
        for weights, column in (("capitalisation", name), ("equal", f"{name}_equal")):
            row: dict[str, Any] = {"class": name, "weights": weights}
            row |= {way: _a_year(table[column].to_numpy()[first:], years) for way, table in ways.items()}
            rows.append({**row, "vanished": gone, "steep": steep})
    return pd.DataFrame(rows)


def _a_year(returns: np.ndarray, years: float) -> float:
    there = returns[np.isfinite(returns)]
    return float(np.prod(1.0 + there) ** (1.0 / years) - 1.0) if len(there) else math.nan


def too_good(table: pd.DataFrame) -> list[str]:
    """Return a sentence for each class whose equal weights gain ``APART`` more a year than capitalisation.

    And one before them where companies vanish and come back.
    """
    said = []
    gone = 0.0 if table.empty else float(table["vanished"].iloc[-1])
    if gone > OFTEN:
        said.append(
            f"The average company vanishes {gone:.1f} times a year: most are only absent for some bars. Hold "
            "them with --carry 5 before -30% and -100% mean anything."
        )
    by = {way: part.set_index("class") for way, part in table.groupby("weights")}
    for name in table["class"].unique():
        equal, cap = by["equal"].loc[name], by["capitalisation"].loc[name]
        if not equal["built"] - cap["built"] >= APART:
            continue
        points = 100 * (equal["built"] - cap["built"])
        said.append(
            f"{name}: equal weights gained {equal['built']:.1%} a year, capitalisation {cap['built']:.1%}. "
            f"Little of these {points:.0f} points could be earned: equal weights buy anew at each "
            "reconstitution what closed at the bid and sell what closed at the ask (bid-ask bounce); the "
            f"{equal['vanished']:.0%} of companies that vanish each year leave at their last value, not at "
            f"a loss (all at -30%: {equal['at_30']:.1%}, at -100%: {equal['at_100']:.1%}); and without the "
            f"{equal['steep']:,} gains above {STEEP:.0%} in a bar, many of them splits that raw prices do "
            f"not tell of, it is {equal['without_steep']:.1%}."
        )
    return said
