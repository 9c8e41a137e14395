"""Tables of companies made for tests, and short ways to put them through the universe."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.universe.build import Rules, build
from backtest.universe.intake import take_in
from backtest.universe.mapping import Mapping
from backtest.universe.schemes import load_scheme
from backtest.universe.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.universe.build import Portfolios
    from backtest.universe.intake import Intake
    from backtest.universe.schemes import Scheme


def companies(n: int = 60, days: int = 130, seed: int = 1, *, gaps: float = 0.02) -> pd.DataFrame:
    """Return company-days with entry, exit, gaps and migration; sorted by date."""
    random = np.random.default_rng(seed)
    dates = pd.bdate_range("2019-11-18", periods=days)
    parts = []
    for number in range(n):
        start = int(random.integers(0, days // 2)) if random.random() < 0.4 else 0
        stop = int(random.integers(days // 2, days)) if random.random() < 0.4 else days
        returns = np.clip(random.normal(0.0005, 0.03, stop - start), -0.5, 1.0)
        price = float(np.exp(random.normal(3.0, 1.0))) * np.cumprod(1.0 + returns)
        shares = np.full(stop - start, np.round(np.exp(random.normal(20.5, 2.0)) / price[0]) + 1.0)
        shares[(stop - start) // 2 :] *= 1.0 + 0.1 * random.random()
        part = pd.DataFrame(
            {
                "date": dates[start:stop],
                "company": f"C{number:04}",
                "price": price,
                "shares": shares,
                "total_return": returns,
            }
        )
        kept = random.random(len(part)) >= gaps
        parts.append(part[kept])
    return pd.concat(parts).sort_values(["date", "company"], kind="stable").reset_index(drop=True)


def saved(table: pd.DataFrame, folder: Path, name: str = "companies.parquet") -> Path:
    """Write a table as Parquet, or as CSV by its name, and return its path."""
    path = folder / name
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    return path


@contextmanager
def built(
    path: Path, scheme: str | Scheme = "us", rules: Rules | None = None, mapping: Mapping | None = None
) -> Iterator[tuple[Workshop, Intake, Portfolios]]:
    """Give the workshop, the table and the portfolios of a file of companies."""
    chosen = load_scheme(scheme) if isinstance(scheme, str) else scheme
    with Workshop("500MB") as shop:
        table = take_in(shop, path, mapping or Mapping(currency=chosen.currency), chosen.currency)
        yield shop, table, build(shop, table, chosen, rules or Rules())


def taken(
    path: Path, mapping: Mapping | None = None, currency: str = "USD", rates: Path | None = None
) -> Intake:
    """Return what the intake says of a file."""
    with Workshop("500MB") as shop:
        return take_in(shop, path, mapping or Mapping(currency="USD"), currency, rates)
