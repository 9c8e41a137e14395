"""What the shipped markets offer: which of them have a series that another one lacks."""

from __future__ import annotations

from backtest.folders import shipped
from backtest.market.catalogue import read_toml


def markets_with(series: str) -> list[str]:
    """Return the shipped markets that have a series, by role or by id."""
    names = []
    for path in sorted((shipped("data") / "markets").glob("*.toml")):
        content = read_toml(path)
        if series in content.get("roles", {}) or series in content.get("series", []):
            names.append(path.stem)
    return names
