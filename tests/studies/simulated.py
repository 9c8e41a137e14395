"""Markets that are drawn at random, with effects planted in them when asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backtest.dates import last_business_day, to_days
from backtest.market.data import Bars, MarketData
from backtest.series import Series

MONTHS = np.arange(np.datetime64("1926-07"), np.datetime64("2026-06"))
ENDS = last_business_day(to_days(MONTHS))
SLEEVES = ("small", "large", "value", "growth", "market", "cash")

Plant = Callable[[dict[str, np.ndarray], dict[str, np.ndarray]], None]


def sticky(rng: np.random.Generator, rho: float = 0.97) -> np.ndarray:
    """A level of mean 0 and deviation 1 that forgets slowly."""
    level = np.zeros(len(MONTHS))
    shocks = rng.normal(0.0, (1 - rho**2) ** 0.5, len(MONTHS))
    for t in range(1, len(MONTHS)):
        level[t] = rho * level[t - 1] + shocks[t]
    return level


def policy_moves(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Days and target: every three to five years a row of cuts, and one of rises a while later."""
    days, target, level = [np.datetime64("1950-01-16")], [10.0], 10.0
    month = np.datetime64("1950-06")
    while month < np.datetime64("2025-01"):
        for step in (-0.5, -0.5, 0.5, 0.5):
            level += step
            days.append(month.astype("datetime64[D]") + int(rng.integers(0, 27)))
            target.append(level)
            month += int(rng.integers(2, 8)) if step < 0 else int(rng.integers(8, 16))
    return np.array(days), np.array(target)


def known_next_day(name: str, dates: np.ndarray, values: np.ndarray) -> Series:
    return Series(name, dates, values, dates + np.timedelta64(1, "D"))


def simulated(seed: int, plant: Plant | None = None) -> MarketData:
    """A century without any effect but the planted one.

    ``plant`` changes the returns, (n_months,) by sleeve, given the levels by role; ``policy`` is the month's
    change of the target, ``first_cut`` 1 in the month of a first cut.
    """
    rng = np.random.default_rng(seed)
    market = rng.normal(0.006, 0.04, len(MONTHS))
    returns = {name: market + rng.normal(0.0, 0.02, len(MONTHS)) for name in SLEEVES[:4]}
    returns["market"], returns["cash"] = market, np.full(len(MONTHS), 0.002)
    levels = {name: sticky(rng) for name in ("discount", "concentration", "credit_spread", "ten_year_yield")}
    days, target = policy_moves(rng)
    at = np.searchsorted(days.astype("datetime64[M]"), MONTHS, "right") - 1
    rate = np.where(at >= 0, target[np.maximum(at, 0)], target[0])
    levels["policy"] = np.diff(rate, prepend=rate[0])
    falls = np.flatnonzero(levels["policy"] < 0)
    levels["first_cut"] = np.zeros(len(MONTHS))
    levels["first_cut"][[i for i in falls if not (levels["policy"][i - 12 : i] < 0).any()]] = 1.0
    if plant is not None:
        plant(returns, levels)
    observations = {
        name: known_next_day(name, ENDS, levels[name])
        for name in ("discount", "concentration", "credit_spread", "ten_year_yield")
    }
    since = days[0].astype("datetime64[M]") <= MONTHS
    observations["discount_rate"] = known_next_day("discount_rate", to_days(MONTHS[since]), rate[since])
    observations["policy"] = Series("policy", days, target, days)
    told = to_days(["1980-06-03", "1981-07-08", "1982-01-06", "1983-07-08", "1991-04-25", "1992-12-22"])
    told = np.r_[
        told, to_days(["2001-11-26", "2003-07-17", "2008-12-01", "2010-09-20", "2020-06-08", "2021-07-19"])
    ]
    observations["recession"] = Series("recession", told, np.resize([1.0, 0.0], 12), told)
    return MarketData(
        name="simulated",
        title="a simulated market",
        frequency="monthly",
        proxy="",
        benchmark="market",
        bars=Bars(ENDS, SLEEVES, np.column_stack([returns[name] for name in SLEEVES])),
        observations=observations,
        policy="policy",
        after_the_fact=frozenset(),
        sources={
            "SIMULATED": Series(
                "SIMULATED", ENDS, returns["market"], ENDS, origin="drawn at random", sha256="0" * 64
            )
        },
        roles={name: name for name in observations if name != "policy"},
    )
