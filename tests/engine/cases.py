"""Random markets and decisions for the engines, and what their answers must be."""

from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from backtest.decisions import Targets
from backtest.engine.reference import Path, Rebalance
from backtest.market.data import Bars
from backtest.measures import SWEPT, Sums, values_of

# Returns are whole parts of 2^14, so that differences of them are exact: what is the same is the same.
PARTS = 16384
LOWEST = -16220  # -99%
NAMES = ("small", "large", "market", "value", "growth", "mid", "gold")


def cases(share: float) -> settings:
    """Return settings for so many times the profile's number of cases: 100 by default, 5,000 at night."""
    return settings(max_examples=int(share * settings().max_examples))


@dataclass(frozen=True)
class World:
    """Bars, what they are held against, and what trading costs."""

    bars: Bars
    benchmark: str
    costs: list[float]
    n_years: float


def _parts(rng: np.random.Generator, style: str, shape: tuple[int, int]) -> np.ndarray:
    if style == "calm":
        return rng.normal(10, 150, shape)
    if style == "wild":
        return rng.normal(0, 5000, shape)
    if style == "crashes":
        return np.where(rng.random(shape) < 0.2, LOWEST, rng.normal(100, 800, shape))
    if style == "steps":  # many bars alike, many of nothing
        return rng.choice([0, 0, 0, 82, -82, 164], shape)
    if style == "rising":  # no drawdown but for costs
        return np.abs(rng.normal(0, 150, shape))
    return np.zeros(shape)


@st.composite
def worlds(draw: st.DrawFn, largest: int = 80) -> World:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
    n_bars = draw(st.integers(2, largest), label="bars")
    risky = NAMES[: draw(st.integers(1, 7), label="sleeves but cash")]
    sleeves = (*risky, "cash")
    style = draw(st.sampled_from(["calm", "wild", "crashes", "steps", "rising", "nothing"]), label="style")
    parts = np.clip(np.round(_parts(rng, style, (n_bars, len(sleeves)))), LOWEST, 3 * PARTS)
    parts[:, -1] = draw(st.sampled_from([0, 1, 40])) * rng.integers(0, 2, n_bars)
    if draw(st.booleans(), label="two sleeves alike") and len(risky) > 1:
        parts[:, 1] = parts[:, 0]
    if draw(st.booleans(), label="daily"):
        dates = np.datetime64("1999-12-20") + np.cumsum(rng.integers(1, 4, n_bars))
        n_years = float((dates[-1] - dates[0]).astype(int)) / 365.2425
    else:
        dates = (np.datetime64("1999-12") + np.arange(n_bars)).astype("datetime64[D]") + 27
        n_years = (n_bars - 1) / 12.0
    bps = rng.integers(0, 1001, len(sleeves)) / 2.0 * draw(st.sampled_from([0, 0.1, 1]), label="cost")
    bps[-1] = 0.0
    benchmark = draw(st.sampled_from(risky), label="benchmark")
    return World(Bars(dates, sleeves, parts / PARTS), benchmark, (bps / 1e4).tolist(), n_years)


@st.composite
def fills(draw: st.DrawFn, n_bars: int) -> np.ndarray:
    """Fills from 0 on, none at the last bar: none after the first, all, those at both ends, or some."""
    inner = np.arange(1, n_bars - 1)
    how = draw(st.sampled_from(["none", "all", "ends", "some"]), label="fills")
    if how == "none":
        chosen = inner[:0]
    elif how == "all":
        chosen = inner
    elif how == "ends":
        chosen = np.unique(np.r_[inner[:2], inner[-2:]])
    else:
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        chosen = inner[rng.random(len(inner)) < rng.random() ** 2]
    return np.r_[0, chosen].astype(np.int64)


@st.composite
def targets(draw: st.DrawFn, world: World) -> Targets:
    """Targets of single sleeves, of halves and quarters, or of any fractions."""
    at = draw(fills(len(world.bars.dates)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_sleeves = len(world.bars.sleeves)
    how = draw(st.sampled_from(["single", "quarters", "any"]), label="weights")
    if how == "single":
        weights = np.eye(n_sleeves)[rng.integers(0, n_sleeves, len(at))]
    elif how == "quarters":
        weights = rng.multinomial(4, np.full(n_sleeves, 1.0 / n_sleeves), len(at)) / 4.0
    else:
        weights = rng.dirichlet(np.full(n_sleeves, 0.5), len(at))
    return Targets(at, weights)


rebalances = st.builds(
    Rebalance,
    every_months=st.sampled_from([0, 0, 1, 2, 12]),
    band=st.sampled_from([np.inf, np.inf, 0.0, 0.01, 0.2]),
)


def with_gaps(world: World, path: Path, seed: int) -> World:
    """Return the world with returns missing where the path does not hold the sleeve."""
    rng = np.random.default_rng(seed)
    returns = world.bars.returns.copy()
    idle = np.vstack([np.ones(returns.shape[1], dtype=bool), path.weights == 0.0])
    idle[1:, [world.bars.sleeves.index("cash"), world.bars.sleeves.index(world.benchmark)]] = False
    returns[idle & (rng.random(returns.shape) < 0.5)] = np.nan
    bars = Bars(world.bars.dates, world.bars.sleeves, returns)
    return World(bars, world.benchmark, world.costs, world.n_years)


def _line(y: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    """Return intercept and slope, with more digits than the engines have."""
    y, x = y.astype(np.longdouble), x.astype(np.longdouble)
    if len(y) < 2 or np.ptp(x) == 0:
        return np.nan, np.nan
    off = x - x.mean()
    slope = (off @ (y - y.mean())) / (off @ off)
    return float(y.mean() - slope * x.mean()), float(slope)


def truth(world: World, path: Path) -> dict[str, float]:
    """Return the measures of the reference engine's path, from the table and a regression of our own."""
    r, n_years = path.returns, world.n_years
    rf, b = world.bars.column("cash")[1:], world.bars.column(world.benchmark)[1:]
    intercept, slope = (0.0, 1.0) if np.array_equal(r, b) else _line(r - rf, b - rf)
    sums = Sums.of(r, b, rf, n_years)
    held = {
        "turnover": float(path.trades.turnover[1:].sum()),
        "switches": path.trades.switches,
        "time_in_small": float(path.weights[:, world.bars.sleeves.index("small")].mean()),
    }
    return {
        **values_of(sums._replace(**held), r),
        "alpha": intercept * len(r) / n_years,
        "beta": slope,
    }


def assert_close(answer: np.ndarray, wanted: dict[str, float], tolerance: float = 1e-10) -> None:
    """Assert that measures agree: to the tolerance, relative where they are larger than 1."""
    for name, got in zip(SWEPT, answer.tolist(), strict=True):
        due = wanted[name]
        same = np.isnan(got) if np.isnan(due) else abs(got - due) <= tolerance * max(1.0, abs(due))
        assert same, f"{name}: {got!r} instead of {due!r}"
