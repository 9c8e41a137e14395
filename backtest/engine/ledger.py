"""The ledger: the same trades replayed in a vectorbt Portfolio, as orders in amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.errors import RotationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.engine.reference import Path
    from backtest.market.data import Bars

AGREEMENT = 1e-9
"""How closely the ledger's value must follow the engine's, relative."""

ROUNDING = 1e-13
"""An order of less than this part of the value is what rounding leaves of a sleeve that keeps its weight."""


def replay(bars: Bars, path: Path, costs: Sequence[float]) -> Any:
    """Return a ``vectorbt.Portfolio`` that made the same trades, after comparing its value bar by bar.

    Every sleeve, ``cash`` too, is an asset with a price of 1 at the first bar. The portfolio starts with
    1 in vectorbt's own, idle cash; each trade becomes orders in amounts with cash shared between the
    sleeves and sales filled first. Its fees, cash and value are vectorbt's own arithmetic. vectorbt takes
    for nothing prices and amounts below about 1e-9, and what an order leaves of a position or of the cash if
    that is a billionth of it: it cannot follow a portfolio, or a sleeve, that is next to nothing.

    Raises
    ------
    RotationError
        When the two values differ by more than 1e-9 at any bar: one of the two engines is wrong.
    """
    import vectorbt as vbt  # two seconds, and not every use of the package needs it

    growth = 1.0 + np.nan_to_num(bars.returns)
    growth[0] = 1.0
    prices = growth.cumprod(axis=0)

    # An order's amount is the change in units; units change at trades only.
    trades = path.trades
    held = trades.after * (trades.value * (1.0 - trades.cost))[:, None] / prices[trades.bars]
    sizes = np.full(prices.shape, np.nan)
    sizes[trades.bars] = np.diff(held, axis=0, prepend=np.zeros((1, held.shape[1])))
    sizes[np.abs(sizes * prices) <= ROUNDING * path.equity[:, None]] = np.nan

    index = pd.DatetimeIndex(bars.dates)
    columns = pd.Index(bars.sleeves, name="sleeve")
    portfolio = vbt.Portfolio.from_orders(
        pd.DataFrame(prices, index, columns),
        size=pd.DataFrame(sizes, index, columns),
        size_type="amount",
        fees=np.asarray(costs),
        init_cash=1.0,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        freq="1D",
    )
    value = portfolio.value().to_numpy()
    # The engine counts the first purchase's cost into the first return, the ledger into the first day.
    apart = np.abs(value[1:] / path.equity[1:] - 1.0)
    # Idle cash is nothing but what rounding leaves of each trade: it may be below 0 by that much.
    short = (portfolio.cash().to_numpy() / value).min()
    if apart.max(initial=0.0) > AGREEMENT or short < -AGREEMENT:
        raise RotationError(
            f"the ledger disagrees with the engine by {apart.max():.1e} on "
            f"{bars.dates[1 + apart.argmax()]}; please report this with the command you ran"
        )
    return portfolio
