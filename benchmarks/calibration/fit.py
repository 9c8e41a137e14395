"""Fits a GARCH(1, 1) with Student's t to the embedded market: python -m benchmarks.calibration.fit."""

from __future__ import annotations

from arch import arch_model

from backtest import load_market


def fitted() -> dict[str, dict[str, float]]:
    """Return the parameters by series: the market above cash, and small less large."""
    bars = load_market("embedded").bars
    series = {
        "market": bars.column("market") - bars.column("cash"),
        "spread": bars.column("small") - bars.column("large"),
    }
    return {
        name: arch_model(100.0 * values, mean="Constant", vol="GARCH", p=1, q=1, dist="t")
        .fit(disp="off")
        .params.to_dict()
        for name, values in series.items()
    }


if __name__ == "__main__":
    for name, parameters in fitted().items():
        print(name, {key: round(value, 4) for key, value in parameters.items()})
