"""What every shipped strategy decided before scripts held expressions: kept as hashes, to the last bit.

    python -m tests.strategies.parity            says where the decisions of this code are others
    python -m tests.strategies.parity --write    writes the file anew

The file that is there was written by the code of commit 2bce846, in which a script still got arrays.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backtest import load_market, load_strategy
from backtest.errors import RotationError, UsageError
from backtest.scripting.loading import strategy_names
from backtest.tuning.grid import make_grid

if TYPE_CHECKING:
    from backtest import MarketData, Strategy

FILE = Path(__file__).with_suffix(".json")

MARKETS = ("embedded", "french_monthly", "french_daily")

SAMPLE = 48
"""Combinations of a strategy's declared grid that are tried on each market, its defaults besides."""

SCREENED = ("kept", "peers")
"""Sleeves that only the market of a screen has."""


def combinations(strategy: Strategy) -> list[dict[str, Any]]:
    """Return the defaults, each word of each choice, and a sample of the declared grid."""
    words = {
        p.name: [word for word in p.choices if word not in SCREENED] for p in strategy.parameters if p.choices
    }
    made = [{}, *({name: word} for name, each in words.items() for word in each)]
    if strategy.parameters:
        fewer = {p.name: ",".join(words[p.name]) for p in strategy.parameters if {*SCREENED} & {*p.choices}}
        grid = make_grid(strategy.parameters, fewer, {}, strategy.name)
        random = np.random.default_rng(1926)
        made += [grid.values(int(n)) for n in np.sort(random.integers(grid.size, size=SAMPLE))]
    return [strategy.bind(values) for values in made]


def digest(strategy: Strategy, market: MarketData, values: dict[str, Any]) -> tuple[str, str]:
    """Return the date of the first fill and a hash of every fill and its weights, or why there are none."""
    n = len(market.bars.dates)
    try:
        decision = strategy.ruling(market, values).decision
    except UsageError:
        return "refused", ""
    except RotationError as lacking:
        assert "which the strategy needs" in str(lacking)  # noqa: PT017 - nothing else may be missing
        return "lacking", ""
    first = int(decision.first[0])
    if first >= n - 1:
        return "never", ""
    targets = decision.targets(market.bars.sleeves, first, n - 1)
    band = float(decision.band[0])  # infinite for none, which was written down as 0
    settings = [float(decision.every_months[0]), band if np.isfinite(band) else 0.0]
    parts = (targets.fills.astype("<i8"), targets.weights.astype("<f8"), np.array(settings, dtype="<f8"))
    text = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    return str(market.bars.dates[first]), text[:10]


def answers(name: str, market: MarketData) -> list[str]:
    """Return what a strategy decides on a market: each combination's first fill and hash."""
    strategy = load_strategy(name)
    said = [digest(strategy, market, values) for values in combinations(strategy)]
    return [" ".join(part for part in pair if part) for pair in said]


def main() -> None:
    """Compare with the file, or write it."""
    from tests.conftest import fill_store

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        store = Path(folder) / "store"
        fill_store(store)
        patch.setenv("ROTATION_DATA", str(store))
        now = {}
        for market in map(load_market, MARKETS):
            for name in strategy_names():
                now[f"{name} on {market.name}"] = answers(name, market)
    if "--write" in sys.argv:
        FILE.write_text(json.dumps(now, indent=0) + "\n", encoding="utf-8")
        return
    before = json.loads(FILE.read_text(encoding="utf-8"))
    for case in before:
        # What a market did not name was lacking then; now the store may have it.
        others = sum(a not in ("lacking", b) for a, b in zip(before[case], now[case], strict=True))
        print(f"{case}: {len(before[case])} combinations, {others} others")  # noqa: T201 - what was asked for


if __name__ == "__main__":
    main()
