"""How much revised figures flatter ``recovery``: the same strategy on figures as they were first printed.

    python -m benchmarks.first_prints PATH/first_prints.csv

The file is the first prints of the Philadelphia Fed's Real-Time Data Set: ``series``, ``month``, ``value``
and ``previous``, the month before in the same vintage. Both runs know each figure from the same day on, over
the same window: from the first fill that rests on first prints alone to the last that does. Production is
chained from its first printed changes, for its base year moves from vintage to vintage; who looked then
saw its past revised as well.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest import load_market, load_strategy, run
from backtest.dates import add_months

if TYPE_CHECKING:
    from backtest.series import Series

SHOWN = ("cagr", "volatility", "sharpe", "max_drawdown", "alpha", "alpha_tstat", "switches", "time_in_small")
MEASURES = {"unemployment": ("unemployment rate", 15), "production": ("industrial production", 60)}
"""What tells, to the name of its prints and the months that the rule looks back."""


def printed(latest: Series, prints: pd.DataFrame, *, chained: bool) -> tuple[Series, np.ndarray]:
    """Return a series with its first prints where there are any, and (n,) bool, where those are."""
    prints = prints.set_index(pd.PeriodIndex(prints["month"], freq="M"))
    of = pd.PeriodIndex(pd.DatetimeIndex(latest.dates), freq="M")
    values, there = latest.values.copy(), of.isin(prints.index)
    first = prints.loc[of[there]]
    values[there] = first["value"]
    if chained:
        at = int(there.argmax())
        growth = (first["value"] / first["previous"]).to_numpy()
        values[there] = values[at] * np.r_[1.0, growth[1:]].cumprod()
        values[:at] = latest.values[:at] * values[at] / latest.values[at]
    return replace(latest, values=values), there


def main() -> int:
    """Print the measures of both runs, and in how many months they hold something else."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prints", type=Path)
    parser.add_argument("--market", default="french_monthly")
    options = parser.parse_args()
    prints = pd.read_csv(options.prints)
    market, strategy = load_market(options.market), load_strategy("recovery")
    for measure, (name, memory) in MEASURES.items():
        id = market.roles[measure]
        latest = market.observations[id]
        own = prints[prints["series"] == name]
        first, there = printed(latest, own, chained=measure == "production")
        known = latest.known_at[there]
        window = {"start": add_months(known[0], memory), "end": add_months(known[-1], 1)}
        runs = {
            which: run(
                strategy,
                replace(market, observations={**market.observations, id: series}),
                measure=measure,
                **window,
            )
            for which, series in (("latest", latest), ("first prints", first))
        }
        table = pd.DataFrame(
            {which: {key: each.metrics[key] for key in SHOWN} for which, each in runs.items()}
        )
        small = [each.weights["small"] for each in runs.values()]
        print(f"recovery by {measure} on {options.market}, {runs['latest'].start} to {runs['latest'].end}")
        print(table.to_string(float_format="{:.4f}".format))
        print(f"something else is held in {(small[0] != small[1]).sum()} of {len(small[0])} months\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
