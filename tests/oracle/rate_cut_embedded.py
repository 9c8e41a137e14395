"""Worked solution of the rate-cut rotation on the `embedded` market, without `backtest`.

Monthly proxies built from the Ken French factors that `arch` carries (July 1926 to November 2018):
small = market + SMB/2, large = market - SMB/2. All returns are simple and decimal. A bar is stamped
with the last business day of its month; a position filled at one bar earns the return of the next.
"""

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm  # type: ignore[import-untyped, unused-ignore]
from scipy.stats import t as student
from statsmodels.stats.sandwich_covariance import S_hac_simple

Floats = npt.NDArray[np.float64]

TARGET_TABLE = Path(__file__).parents[2] / "data" / "fed_target.csv"
TOLERANCE = 1e-9  # percentage points, so that 9.5 - 9.25 counts as a fall of 0.25
MONTHS_PER_YEAR = 12.0
PORTFOLIOS = ("large", "small", "market")


def rate_cut(
    delay: int = 0,
    hold: int = 24,
    quiet: int = 12,
    min_cut: float = 0.25,
    cost_bps: float = 10.0,
    benchmark: str = "market",
    start: str | None = None,
    end: str | None = None,
    same_close: bool = False,
) -> dict[str, Any]:
    """Hold small caps from `delay` to `delay + hold` months after a first cut, else large caps.

    `benchmark` is a column of `read_returns`. `start` is the date of the first fill, `bars` counts
    the returns after it; `first_cuts` lists all of the table, those outside the bars included.
    ValueError where no bar is left between the first fill and the last bar.
    """
    target = read_fed_target()
    cuts = find_first_cuts(target, quiet, min_cut)
    warm = target.index[0] + pd.DateOffset(months=quiet)

    months = read_returns()
    ready = months.index >= warm if same_close else months.index > warm
    months = months[ready]
    if start is not None:
        months = months[months.index >= pd.Timestamp(start)]
    if end is not None:
        months = months[months.index <= pd.Timestamp(end)]
    if len(months) < 2:
        raise ValueError("no bar between the first fill and the last bar")

    wanted = [
        "small" if in_a_window(fill, cuts, delay, hold, same_close) else "large" for fill in months.index
    ]
    net, weight_of_small, switches = rotate(months, wanted, cost_bps / 10_000)

    bars = months.iloc[1:]  # the first row is only the date of the first fill
    rf = bars["cash"].to_numpy()
    b = bars[benchmark].to_numpy()
    benchmarks = {}
    for name in PORTFOLIOS:
        always = np.full(len(bars), 1.0 if name == "small" else 0.0)
        benchmarks[name] = measure(bars[name].to_numpy(), b, rf, always, switches=0)
    return {
        "start": str(months.index[0].date()),
        "end": str(months.index[-1].date()),
        "bars": len(bars),
        "first_cuts": [str(cut.date()) for cut in cuts],
        "equity": pd.Series(grow(net), index=months.index, name="equity"),
        "metrics": measure(net, b, rf, weight_of_small, switches),
        "benchmarks": benchmarks,
    }


def read_returns() -> pd.DataFrame:
    """Monthly decimal returns of small, large, market and cash, by last business day."""
    package = importlib.util.find_spec("arch")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the returns come from a file inside the package arch")
    file = Path(package.origin).parent / "data" / "frenchdata" / "frenchdata.csv.gz"
    percent = pd.read_csv(file)
    first_days = pd.to_datetime(percent["Date"].astype(str), format="%Y%m")
    last_business_days = [day + pd.offsets.BMonthEnd() for day in first_days]

    market = (percent["Mkt-RF"] + percent["RF"]) / 100
    half_spread = percent["SMB"] / 2 / 100
    table = pd.DataFrame(
        {
            "small": market + half_spread,
            "large": market - half_spread,
            "market": market,
            "cash": percent["RF"] / 100,
        }
    )
    table.index = pd.DatetimeIndex(last_business_days)
    return table


def read_fed_target() -> pd.Series:
    """Fed target in percent by announcement day; the first row is a level, not a change."""
    table = pd.read_csv(TARGET_TABLE, comment="#")
    return pd.Series(table["target"].to_numpy(), index=pd.to_datetime(table["announced"]))


def find_first_cuts(target: pd.Series, quiet: int, min_cut: float) -> list[pd.Timestamp]:
    """Days of a fall of at least `min_cut` that follow `quiet` observed months without one."""
    falls = []
    for row in range(1, len(target)):
        day, fall = target.index[row], target.iloc[row - 1] - target.iloc[row]
        if fall > 0 and fall >= min_cut - TOLERANCE:
            falls.append(day)

    first_cuts = []
    for day in falls:
        quiet_since = day - pd.DateOffset(months=quiet)
        observed = quiet_since >= target.index[0]
        interrupted = any(quiet_since < other < day for other in falls)
        if observed and not interrupted:
            first_cuts.append(day)
    return first_cuts


def in_a_window(
    fill: pd.Timestamp, cuts: list[pd.Timestamp], delay: int, hold: int, same_close: bool
) -> bool:
    """Whether the fill at this close lies in the window of any first cut."""
    for cut in cuts:
        opens = cut + pd.DateOffset(months=delay)
        closes = cut + pd.DateOffset(months=delay + hold)
        begun = opens <= fill if same_close else opens < fill
        if begun and fill <= closes:
            return True
    return False


def rotate(months: pd.DataFrame, wanted: list[str], cost: float) -> tuple[Floats, Floats, int]:
    """Net returns (n,), weight of small that earned each (n,), and the number of switches.

    Row 0 of `months` is the first fill, the n rows after it are the bars. A cost paid at the close
    of a bar lowers the return of that bar; the cost of the first purchase lowers the first return.
    """
    last = len(wanted) - 1
    held = wanted[0]
    net, weight_of_small, switches = [], [], 0
    for row in range(1, last + 1):
        gross = float(months[held].iloc[row])
        weight_of_small.append(1.0 if held == "small" else 0.0)
        kept = 1.0  # the fraction of value that is left after costs
        if row == 1:
            kept *= 1 / (1 + cost)
        if row < last and wanted[row] != held:
            kept *= (1 - cost) / (1 + cost)
            held = wanted[row]
            switches += 1
        net.append(gross - (1 + gross) * (1 - kept))  # (1 + gross) * kept - 1, exact for kept = 1
    return np.array(net), np.array(weight_of_small), switches


def grow(r: Floats) -> Floats:
    """Value of 1.0 after 0, 1, ..., n returns, (n + 1,)."""
    return np.concatenate([[1.0], np.cumprod(1 + r)])


def measure(r: Floats, b: Floats, rf: Floats, weight_of_small: Floats, switches: int) -> dict[str, float]:
    """Every measure of the design's section 5 of the returns r, (n,), against b; NaN if undefined.

    Every switch is a full one, so the traded notional over value is the number of switches.
    """
    years = len(r) / MONTHS_PER_YEAR
    ppy = MONTHS_PER_YEAR
    value = grow(r)
    excess = r - rf
    active = r - b
    total_return = float(value[-1]) - 1
    cagr = (1 + total_return) ** (1 / years) - 1
    max_drawdown = min(float(v / value[: t + 1].max() - 1) for t, v in enumerate(value))
    downside = float(np.sqrt(np.mean(np.minimum(excess, 0) ** 2)))
    return {
        "total_return": total_return,
        "cagr": cagr,
        "volatility": deviation(r) * math.sqrt(ppy),
        "sharpe": ratio(excess.mean(), deviation(excess)) * math.sqrt(ppy),
        "sortino": ratio(excess.mean() * ppy, downside * math.sqrt(ppy)),
        "max_drawdown": max_drawdown,
        "calmar": ratio(cagr, abs(max_drawdown)),
        "ulcer_index": math.sqrt(
            sum((v / max(value[: t + 1]) - 1) ** 2 for t, v in enumerate(value)) / len(r)
        ),
        **regress(r, b, rf),
        "tracking_error": deviation(active) * math.sqrt(ppy),
        "information_ratio": ratio(active.mean(), deviation(active)) * math.sqrt(ppy),
        "turnover": switches / years,
        "switches": switches,
        "time_in_small": float(weight_of_small.mean()),
    }


def regress(r: Floats, b: Floats, rf: Floats) -> dict[str, float]:
    """OLS of r - rf on b - rf: annual alpha, beta, Newey-West t-statistic and prewhitened p-value.

    Two returns fix the line, a third is needed for its errors; a benchmark that is flat over cash
    fixes none. A series against itself has alpha 0 and beta 1 by definition, without errors.
    """
    n = len(r)
    alpha = beta = tstat = pvalue = math.nan
    if np.array_equal(r, b):
        alpha, beta = 0.0, 1.0
    elif n >= 2 and np.ptp(b - rf) > 0:
        lags = math.floor(4 * (n / 100) ** (2 / 9))
        design = np.column_stack([np.ones(n), b - rf])
        fit = sm.OLS(r - rf, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
        alpha, beta = float(fit.params[0]) * MONTHS_PER_YEAR, float(fit.params[1])
        if n >= 3:
            tstat = float(fit.tvalues[0])
            pvalue = prewhitened(float(fit.params[0]), np.linalg.pinv(design)[0] * fit.resid)
    return {"alpha": alpha, "beta": beta, "alpha_tstat": tstat, "alpha_pvalue": pvalue}


def prewhitened(estimate: float, parts: Floats) -> float:
    """Two-sided p of an estimate that each bar adds its part to (parts of mean 0).

    An AR(1) is taken out of the parts (least squares through the origin, Kendall's correction, at most 0.9),
    what is left has a Newey-West variance, and the AR(1) is put back in; Student's t with as many degrees of
    freedom as normal parts of this kurtosis would be, less 2, at least 3. None for fewer than 8 bars.
    """
    n = len(parts)
    if n < 8:
        return math.nan
    lagged, here = parts[:-1], parts[1:]
    rho = float(sm.OLS(here, lagged).fit().params[0])
    rho = float(np.clip(rho + (1 + 3 * rho) / n, -0.9, 0.9))
    left = here - rho * lagged
    variance = float(S_hac_simple(left[:, None], nlags=math.floor(4 * (n / 100) ** (2 / 9)))[0, 0])
    error = math.sqrt(variance * n / (n - 1)) / (1 - rho)
    kurtosis = float(np.mean(parts**4) / np.mean(parts**2) ** 2)
    return float(2 * student.sf(abs(estimate) / error, max(3 * n / kurtosis - 2, 3)))


def deviation(x: Floats) -> float:
    """Sample standard deviation (ddof = 1); NaN of fewer than two values."""
    return float(np.std(x, ddof=1)) if len(x) > 1 else math.nan


def ratio(numerator: float, denominator: float) -> float:
    """Quotient as a float; NaN where the denominator is zero."""
    return float(numerator / denominator) if denominator != 0 else math.nan
