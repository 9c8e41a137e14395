"""Pooled events by dummies, statsmodels and plain loops, without `backtest`.

A table of (member, month, value, inside) is regressed by ordinary least squares on `inside` and, where asked
for, a dummy for each member and each month. Errors are statsmodels' own: by cluster, and Driscoll and Kraay's.
The placebo moves the table's dates and regresses again.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm  # type: ignore[import-untyped, unused-ignore]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def windows(events: list[list[bool]], first: int, last: int) -> Bools:
    """Say of each month whether it lies `first` to `last` months after an event of its member."""
    n, members = len(events), len(events[0])
    return np.array(
        [
            [any(0 <= t - k < n and events[t - k][m] for k in range(first, last + 1)) for m in range(members)]
            for t in range(n)
        ]
    )


def table(values: Floats, inside: Bools) -> pd.DataFrame:
    """Return a row for each value there is."""
    rows = [
        {"month": t, "member": m, "value": values[t, m], "inside": float(inside[t, m])}
        for t in range(len(values))
        for m in range(values.shape[1])
        if values[t, m] == values[t, m]
    ]
    return pd.DataFrame(rows)


def regression(frame: pd.DataFrame, effects: str) -> Any:
    """Return the model of value on being inside."""
    design = frame[["inside"]]
    if "members" in effects:
        design = design.join(pd.get_dummies(frame["member"], prefix="m", dtype=float))
    if "months" in effects:
        # One dummy less, as those of the members hold a constant already; a month of one member has its own.
        design = design.join(pd.get_dummies(frame["month"], prefix="t", dtype=float, drop_first=True))
    return sm.OLS(frame["value"], design)


def coefficient(values: Floats, inside: Bools, effects: str) -> float:
    """Return the coefficient of being inside."""
    return float(regression(table(values, inside), effects).fit().params["inside"])


def episode_of(months: list[int], covered: set[int]) -> list[int]:
    """Number the calendar episodes of twelve months; a month outside of all belongs to the one before it."""
    begins: list[int] = []
    for month in sorted(covered):
        if not begins or month >= begins[-1] + 12:
            begins.append(month)
    return [max(0, sum(begin <= month for begin in begins) - 1) for month in months]


def errors(values: Floats, inside: Bools, effects: str, lags: int) -> tuple[float, float]:
    """Return the error by episode, with the factor for few clusters, and Driscoll and Kraay's without any."""
    frame = table(values, inside)
    covered = set(frame.loc[frame["inside"] > 0, "month"])
    groups = np.array(episode_of(frame["month"].tolist(), covered))
    n = len(set(groups.tolist()))
    model = regression(frame, effects)
    clustered = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    by_month = model.fit(
        cov_type="hac-groupsum",
        cov_kwds={"time": frame["month"].to_numpy(), "maxlags": lags, "use_correction": False},
    )
    # Of the coefficient alone: those of some dummies are 0, and below it by rounding.
    sizes = [float(fit.cov_params().loc["inside", "inside"]) ** 0.5 for fit in (clustered, by_month)]
    return sizes[0] * (n / (n - 1)) ** 0.5, sizes[1]


def moved(values: Floats, inside: Bools, effects: str) -> list[float]:
    """Return the coefficient with the windows of all members moved on by 0, 1, 2, ... months, around the end."""
    return [coefficient(values, np.roll(inside, by, axis=0), effects) for by in range(len(values))]
